#[test]
fn greets_and_parses() {
    assert_eq!(app::greet("you"), "hello you");
    assert_eq!(app::parser::parse("7"), Some(7));
}
