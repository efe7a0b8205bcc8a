//! Assignments as shells read them: names and values to text. Pure.
//!
//! | shell | assignment | what is special between the quotes |
//! |---|---|---|
//! | sh | `export NAME='value'` | `'`, which is written `'\''` |
//! | fish | `set -gx NAME 'value';` | `'` and `\`, each behind a `\` |
//! | PowerShell | `$env:NAME = 'value'` | `'` and its typographic forms, each of which is doubled |
//!
//! Line ends, `$`, `%` and all else stand for themselves in each.

use std::ffi::OsStr;

use anyhow::{Context, Result};

/// Whose language it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shell {
    /// POSIX shells: sh, dash, bash, zsh, ksh.
    Sh,
    /// fish.
    Fish,
    /// PowerShell.
    PowerShell,
}

/// What PowerShell takes for a single quote: the plain one and those that word processors make of it.
const POWERSHELL_QUOTES: [char; 5] = ['\'', '\u{2018}', '\u{2019}', '\u{201a}', '\u{201b}'];

impl Shell {
    /// A line that sets the variable `name` of this shell and of what it starts, with its line end.
    ///
    /// # Errors
    /// For PowerShell, a value that is not UTF-8: it reads nothing else.
    pub fn assignment(self, name: &str, value: &OsStr) -> Result<Vec<u8>> {
        let (before, after) = match self {
            Shell::Sh => (format!("export {name}="), "\n"),
            Shell::Fish => (format!("set -gx {name} "), ";\n"),
            Shell::PowerShell => (format!("$env:{name} = "), "\n"),
        };
        let mut line = before.into_bytes();
        line.extend(self.quoted(value).with_context(|| format!("failed to write down `{name}`"))?);
        line.extend(after.bytes());
        Ok(line)
    }

    /// `value` as one word, in quotes.
    fn quoted(self, value: &OsStr) -> Result<Vec<u8>> {
        let mut quoted = vec![b'\''];
        match self {
            // A quote or a backslash is never part of a longer character, so bytes will do, whatever they mean.
            Shell::Sh => {
                for byte in value.as_encoded_bytes() {
                    match byte {
                        b'\'' => quoted.extend(br"'\''"),
                        byte => quoted.push(*byte),
                    }
                }
            }
            Shell::Fish => {
                for byte in value.as_encoded_bytes() {
                    quoted.extend(matches!(byte, b'\'' | b'\\').then_some(b'\\'));
                    quoted.push(*byte);
                }
            }
            Shell::PowerShell => {
                let text = value.to_str().with_context(|| {
                    format!("PowerShell cannot be told `{}`, which is not valid UTF-8", value.display())
                })?;
                for character in text.chars() {
                    let times = if POWERSHELL_QUOTES.contains(&character) { 2 } else { 1 };
                    for _ in 0..times {
                        quoted.extend(character.encode_utf8(&mut [0; 4]).bytes());
                    }
                }
            }
        }
        quoted.push(b'\'');
        Ok(quoted)
    }
}

#[cfg(test)]
mod tests {
    use super::Shell::{self, Fish, PowerShell, Sh};
    use std::ffi::OsStr;

    fn assignment(shell: Shell, value: &str) -> String {
        let line = shell.assignment("NAME", OsStr::new(value)).expect("can be said");
        String::from_utf8(line).expect("is text")
    }

    #[test]
    fn each_shell_has_its_own_quotes() {
        for (value, sh, fish, powershell) in [
            ("", "''", "''", "''"),
            ("/a b/c", "'/a b/c'", "'/a b/c'", "'/a b/c'"),
            ("it's", r"'it'\''s'", r"'it\'s'", "'it''s'"),
            ("''", r"''\'''\'''", r"'\'\''", "''''''"),
            (r"C:\new\", r"'C:\new\'", r"'C:\\new\\'", r"'C:\new\'"),
            (
                "$HOME `id` \"q\" %p",
                "'$HOME `id` \"q\" %p'",
                "'$HOME `id` \"q\" %p'",
                "'$HOME `id` \"q\" %p'",
            ),
            ("two\nlines", "'two\nlines'", "'two\nlines'", "'two\nlines'"),
            ("\u{2019}ü", "'\u{2019}ü'", "'\u{2019}ü'", "'\u{2019}\u{2019}ü'"),
        ] {
            assert_eq!(assignment(Sh, value), format!("export NAME={sh}\n"));
            assert_eq!(assignment(Fish, value), format!("set -gx NAME {fish};\n"));
            assert_eq!(assignment(PowerShell, value), format!("$env:NAME = {powershell}\n"));
        }
    }

    #[test]
    #[cfg(unix)]
    fn bytes_that_are_no_text() {
        use std::os::unix::ffi::OsStrExt;
        let value = OsStr::from_bytes(b"/\xff'");
        assert_eq!(Sh.assignment("NAME", value).expect("any bytes will do"), b"export NAME='/\xff'\\'''\n");
        assert_eq!(Fish.assignment("NAME", value).expect("any bytes will do"), b"set -gx NAME '/\xff\\'';\n");
        let error = PowerShell.assignment("NAME", value).expect_err("it reads text");
        assert!(format!("{error:#}").contains("not valid UTF-8"), "{error:#}");
    }

    /// The values through a real shell, and back.
    #[test]
    #[cfg(unix)]
    fn sh_reads_back_what_was_written() {
        use std::os::unix::ffi::OsStrExt;
        let values: [&[u8]; 6] =
            [b"", b"a b", b"it's $HOME \\n `id`\\", b"two\nlines\n", b"\xff'\"%", b"-n *"];
        for value in values {
            let mut script = Sh.assignment("NAME", OsStr::from_bytes(value)).expect("can be said");
            script.extend(b"exec env");
            let output = std::process::Command::new("/bin/sh")
                .arg("-c")
                .arg(OsStr::from_bytes(&script))
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .output()
                .expect("there is a shell");
            let expected = [b"NAME=", value, b"\n"].concat();
            let has_it = output.stdout.windows(expected.len()).any(|window| window == expected);
            assert!(has_it, "{value:?}: {}", String::from_utf8_lossy(&output.stdout));
        }
    }
}
