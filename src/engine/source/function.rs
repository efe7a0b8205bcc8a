//! Where the body of a function begins, for those who put a statement in front of all others. Knows nothing else of functions.

use super::lexer::{Kind, lex};
use super::outline::outline;

/// The offset behind the `{` of the function `name` that stands in no module, block or macro call of the file; `None` if there is
/// no such function, or more than one.
pub fn body(text: &[u8], name: &str) -> Option<usize> {
    let mut lexed = lex(text);
    outline(&mut lexed);
    let mut depth = 0_usize;
    let mut found = None;
    for token in 0..lexed.tokens.len() {
        match lexed.kind(token) {
            Kind::Open(_) => depth += 1,
            Kind::Close(_) => depth = depth.checked_sub(1)?,
            Kind::Ident
                if depth == 0
                    && lexed.is_word(token, "fn")
                    && lexed.name_of(token + 1) == name.as_bytes() =>
            {
                let open = lexed.mate(token).filter(|open| lexed.kind(*open) == Kind::Open(b'{'))?;
                let end = lexed.tokens.get(open)?.end;
                if found.replace(end as usize).is_some() {
                    return None;
                }
            }
            _ => {}
        }
    }
    found.filter(|_| depth == 0)
}

#[cfg(test)]
mod tests {
    use super::body;

    #[test]
    fn the_body_is_found_where_there_is_one() {
        // The place is marked with `@`.
        for source in [
            "fn main() {@}",
            "fn main(){@ let a = 1; }\n",
            "// fn main() {\nconst S: &str = \"fn main() {\";\nfn main() -> Result<(), Box<dyn Error>> {@\n}\n",
            "mod inner { fn main() {} }\nimpl A { fn main() {} }\n#[tokio::main]\nasync fn main() -> Result<[u8; { 1 + 1 }]> where A: B {@ fn main() {} }",
            "#!/usr/bin/env run\nfn other() {}\npub fn main() {@",
        ] {
            let text = source.replace('@', "");
            // What is not closed is not understood.
            let expected = if text.ends_with('{') { None } else { source.find('@') };
            assert_eq!(body(text.as_bytes(), "main"), expected, "{source}");
        }
        for source in [
            "",
            "fn other() {}",
            "macro!{ fn main() {} }",
            "use other::main;",
            "#[cfg(unix)] fn main() {}\n#[cfg(windows)] fn main() {}",
            "fn main();",
            "fn r#main() {} }",
        ] {
            assert_eq!(body(source.as_bytes(), "main"), None, "{source}");
        }
    }
}
