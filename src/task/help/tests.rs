//! The help as it is printed, against files below `tests/data/help`.

use super::{Length, Page, Topic, first_sentence, render, wrap};
use crate::golden;
use crate::task::config::Command;

fn pages() -> impl Iterator<Item = Page> {
    let topics = [Topic::Tasks].into_iter().chain(Command::ALL.map(Topic::Command));
    topics.flat_map(|topic| [Length::Short, Length::Long].map(|length| Page { topic, length }))
}

#[test]
fn pages_read_as_expected() {
    let (mut findings, mut names) = (Vec::new(), Vec::new());
    for page in pages() {
        let topic = match page.topic {
            Topic::Tasks => "tasks".to_owned(),
            Topic::Command(command) => command.words().join("-"),
        };
        let length = match page.length {
            Length::Short => "short",
            Length::Long => "long",
        };
        let name = format!("help/{topic}-{length}.txt");
        golden::check(&mut findings, &name, &render(page, 80, false));
        names.push(name);
    }
    golden::finish(findings, "help", &names);
}

#[test]
fn pages_fit_their_width_and_differ_only_in_color() {
    for page in pages() {
        for width in [60, 80, 100, 300] {
            let text = render(page, width, false);
            for line in text.lines().filter(|line| !line.trim_start().starts_with("cargo xtask ")) {
                assert!(line.chars().count() <= width.min(100), "{width} columns: {line}");
                assert_eq!(line, line.trim_end(), "trailing blanks");
            }
            let colored = render(page, width, true);
            assert_ne!(colored, text);
            assert_eq!(golden::without_color(&colored), text);
        }
    }
}

#[test]
fn words_wrap() {
    assert_eq!(wrap("", 10), Vec::<String>::new());
    assert_eq!(wrap("one two  three", 7), ["one two", "three"]);
    assert_eq!(wrap("use `cargo test`, then `a b` c", 12), ["use", "`cargo test`,", "then `a b` c"]);
    assert_eq!(wrap("a_word_that_is_too_long b", 7), ["a_word_that_is_too_long", "b"]);
}

#[test]
fn the_first_sentence_ends_at_a_full_stop() {
    assert_eq!(first_sentence("Read `a.rs`. Then more."), "Read `a.rs`.");
    assert_eq!(first_sentence("Only one."), "Only one.");
}
