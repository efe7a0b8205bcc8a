//! What is found in small sources. `«` and `»` stand around what shall not count.

mod damage;
mod marks;
mod test_code;
mod tree;

use super::{Classes, Excluded, Options, Scan, scan};

/// Everything but the optional classes.
const USUAL: Options = Options {
    tests: true,
    markers: true,
    generated: true,
    classes: Classes { unreachable: false, debug: false, const_fn: false },
};

/// Compares what does not count in a source with the marks in it.
#[track_caller]
fn check(options: &Options, marked: &str) -> Scan {
    let text = marked.replace(['«', '»'], "");
    let scan = scan(text.as_bytes(), options);
    assert_eq!(with_marks(&text, &scan.excluded), marked);
    scan
}

/// The source with marks around what does not count.
fn with_marks(text: &str, excluded: &[Excluded]) -> String {
    let mut marks: Vec<(usize, &str)> = Vec::new();
    for stretch in excluded {
        marks.push((offset(text, stretch.start), "«"));
        marks.push((offset(text, stretch.end), "»"));
    }
    // Where one ends and the next begins, the end comes first.
    marks.sort_by_key(|&(offset, mark)| (offset, mark == "«"));
    let mut marked = text.to_owned();
    for (offset, mark) in marks.into_iter().rev() {
        marked.insert_str(offset, mark);
    }
    marked
}

/// The offset of a place in a source without byte order mark.
fn offset(text: &str, at: crate::format::covfun::Position) -> usize {
    let line_start: usize = text.split_inclusive('\n').take(at.line as usize - 1).map(str::len).sum();
    line_start + at.column as usize - 1
}
