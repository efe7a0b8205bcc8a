//! Text in terminal columns: how wide it is, how a path is shortened.

use std::borrow::Cow;

/// Terminal columns that `text` takes.
///
/// A rule, not Unicode's whole table: combining marks, joiners and variation selectors take none; the blocks of East Asian
/// wide and full-width characters, emoji and the other pictographs that terminals draw wide take two; all else takes one.
/// An emoji built from several characters counts as their sum.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

fn char_width(c: char) -> usize {
    let within = |ranges: &[(u32, u32)]| {
        let code = u32::from(c);
        let next = ranges.partition_point(|(first, _)| *first <= code);
        next.checked_sub(1).and_then(|index| ranges.get(index)).is_some_and(|(_, last)| code <= *last)
    };
    match c {
        ' '..='~' => 1,
        _ if within(ZERO_WIDTH) => 0,
        _ if within(DOUBLE_WIDTH) => 2,
        _ => 1,
    }
}

/// First and last, ascending.
const ZERO_WIDTH: &[(u32, u32)] = &[
    (0x0300, 0x036f),   // combining accents
    (0x0483, 0x0489),   // Cyrillic
    (0x0591, 0x05bd),   // Hebrew
    (0x064b, 0x065f),   // Arabic
    (0x1ab0, 0x1aff),   // combining accents, extended
    (0x1dc0, 0x1dff),   // combining accents, supplement
    (0x200b, 0x200d),   // zero-width space and joiners
    (0x20d0, 0x20ff),   // marks for symbols
    (0x3099, 0x309a),   // kana voicing
    (0xfe00, 0xfe0f),   // variation selectors
    (0xfe20, 0xfe2f),   // combining half marks
    (0xe0100, 0xe01ef), // variation selectors, supplement
];

/// First and last, ascending.
const DOUBLE_WIDTH: &[(u32, u32)] = &[
    (0x1100, 0x115f), // Hangul initials
    (0x231a, 0x231b), // watch, hourglass
    (0x23e9, 0x23ec), // fast forward
    (0x23f0, 0x23f3), // clocks
    (0x2614, 0x2615), // umbrella, hot drink
    (0x2648, 0x2653), // zodiac
    (0x26a1, 0x26a1), // high voltage
    (0x26bd, 0x26be), // balls
    (0x26c4, 0x26c5), // snowman, sun
    (0x2705, 0x2705), // check mark
    (0x270a, 0x270b), // hands
    (0x2728, 0x2728), // sparkles
    (0x274c, 0x274e), // cross marks
    (0x2753, 0x2757), // question and exclamation marks
    (0x2795, 0x2797), // plus, minus
    (0x2b1b, 0x2b1c), // squares
    (0x2b50, 0x2b55), // star, circle
    (0x2e80, 0x303e), // CJK radicals and punctuation
    (0x3041, 0x33ff), // kana, Bopomofo, CJK letters
    (0x3400, 0x4dbf), // CJK ideographs, extension A
    (0x4e00, 0xa4cf), // CJK ideographs, Yi
    (0xa960, 0xa97f), // Hangul, extended
    (0xac00, 0xd7a3), // Hangul
    (0xf900, 0xfaff), // CJK compatibility
    (0xfe30, 0xfe6f), // CJK compatibility forms
    (0xff01, 0xff60), // full-width forms
    (0xffe0, 0xffe6), // full-width signs
    (0x1f300, 0x1f64f),
    (0x1f680, 0x1f6ff),
    (0x1f7e0, 0x1f7eb),
    (0x1f900, 0x1f9ff),
    (0x1fa70, 0x1faff),
    (0x20000, 0x3fffd), // CJK ideographs, further extensions
];

/// `path` in at most `room` columns, with `…` where something is left out.
///
/// The file name stays. Directories stay as long as there is room: first two from the left, which in a workspace name the
/// crate, then in turn from the right and from the left, so `crates/core/src/flags/complete/zsh.rs` becomes
/// `crates/core/…/complete/zsh.rs`. A file name that is too long by itself loses its middle.
pub(super) fn shorten(path: &str, room: usize) -> Cow<'_, str> {
    if width(path) <= room {
        return Cow::Borrowed(path);
    }
    let parts: Vec<&str> = path.split('/').collect();
    let Some((name, directories)) = parts.split_last() else { return Cow::Borrowed(path) };
    let mut used = width("…/") + width(name);
    if directories.is_empty() || used > room {
        return Cow::Owned(shorten_name(name, room));
    }
    let (mut head, mut tail) = (0, 0);
    let (mut head_open, mut tail_open) = (true, true);
    while (head_open || tail_open) && head + tail < directories.len() {
        let from_left = head_open && (head <= tail + 1 || !tail_open);
        let index = if from_left { head } else { directories.len() - 1 - tail };
        let cost = width(directories.get(index).copied().unwrap_or_default()) + 1;
        if used + cost > room {
            if from_left {
                head_open = false
            } else {
                tail_open = false
            }
            continue;
        }
        used += cost;
        if from_left { head += 1 } else { tail += 1 }
    }
    let (left, rest) = directories.split_at(head);
    let (_, right) = rest.split_at(rest.len() - tail);
    let kept: Vec<&str> = [left, &["…"], right, &[*name]].concat();
    Cow::Owned(kept.join("/"))
}

/// `name` in at most `room` columns: its beginning, `…` and its end, of about equal width.
fn shorten_name(name: &str, room: usize) -> String {
    if width(name) <= room {
        return name.to_owned();
    }
    let room = room.saturating_sub(1);
    let end = last_columns(name, room.div_ceil(2));
    let start = first_columns(name, room.saturating_sub(width(end)));
    format!("{start}…{end}")
}

/// The longest beginning of `text` in at most `room` columns.
fn first_columns(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (index, c) in text.char_indices() {
        used += char_width(c);
        if used > room {
            return text.get(..index).unwrap_or_default();
        }
    }
    text
}

/// The longest end of `text` in at most `room` columns.
fn last_columns(text: &str, room: usize) -> &str {
    let mut used = 0;
    for (index, c) in text.char_indices().rev() {
        used += char_width(c);
        if used > room {
            return text.get(index + c.len_utf8()..).unwrap_or_default();
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{DOUBLE_WIDTH, ZERO_WIDTH, shorten, width};

    #[test]
    fn width_follows_the_rule() {
        for (text, expected) in [
            ("", 0),
            ("src/lib.rs", 10),
            ("größe.rs", 8),
            ("e\u{301}.rs", 4),
            ("日本.rs", 7),
            ("ｆｕｌｌ", 8),
            ("🦀.rs", 5),
            ("✅", 2),
            ("❤\u{fe0f}", 1),
            ("👩\u{200d}💻", 4),
            ("…", 1),
        ] {
            assert_eq!(width(text), expected, "{text}");
        }
    }

    #[test]
    fn the_ranges_ascend() {
        for ranges in [ZERO_WIDTH, DOUBLE_WIDTH] {
            assert!(ranges.iter().all(|(first, last)| first <= last), "{ranges:x?}");
            assert!(ranges.is_sorted_by(|(_, last), (first, _)| last < first), "{ranges:x?}");
        }
    }

    #[test]
    fn a_path_keeps_its_name_and_its_outer_directories() {
        let path = "crates/core/src/flags/complete/zsh.rs";
        for (path, room, expected) in [
            (path, 37, path),
            (path, 36, "crates/core/src/…/complete/zsh.rs"),
            (path, 32, "crates/core/…/complete/zsh.rs"),
            (path, 28, "crates/core/src/…/zsh.rs"),
            (path, 20, "crates/core/…/zsh.rs"),
            (path, 19, "crates/…/zsh.rs"),
            (path, 14, "…/zsh.rs"),
            (path, 8, "…/zsh.rs"),
            (path, 7, "zsh.rs"),
            (path, 6, "zsh.rs"),
            (path, 5, "zs…rs"),
            (path, 1, "…"),
            ("/abs/olute/place/x.rs", 14, "/abs/…/x.rs"),
            ("a_very_long_file_name_that_goes_on.rs", 20, "a_very_lo…goes_on.rs"),
            ("a/日本日本/日本.rs", 14, "a/…/日本.rs"),
            ("日本日本日本.rs", 10, "日本…本.rs"),
        ] {
            let shortened = shorten(path, room);
            assert_eq!(shortened, expected, "in {room} columns");
            assert!(width(&shortened) <= room, "{shortened} in {room} columns");
        }
    }
}
