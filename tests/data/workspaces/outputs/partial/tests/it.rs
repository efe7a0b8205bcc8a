use partial::{Door, parse, sign};

#[test]
fn numbers() {
    assert_eq!(parse("1"), Ok(1));
    assert_eq!(parse("255"), Ok(255));
    assert_eq!([1, 2, 3].map(sign), ["positive"; 3]);
}

#[test]
fn doors() {
    let mut door = Door { open: true };
    door.toggle();
}
