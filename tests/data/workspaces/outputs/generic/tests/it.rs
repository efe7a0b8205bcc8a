use generic::{Pair, shown};

#[test]
fn texts() {
    assert_eq!(shown(["a"]), "[\"a\"]");
    assert_eq!(shown([(); 0]), "[]");
    assert_eq!(Pair(1_u8, 2_u16).sum(), 3);
}
