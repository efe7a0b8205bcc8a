//! Out-of-line unit tests.

use super::*;

#[test]
fn everywhere() {
    assert_eq!(nested::here() + nested::deeper::there(), 3);
    assert_eq!(renamed::moved(), 6);
    assert_eq!(both::either(true), 1);
    assert_eq!(crlf::line_ends(1) + bom::byte_order_mark(1) + tabs::indented(1), 9);
    assert_eq!(included_item(1) + generated::generated(1) + included_expression(1), 21 + 41 + 31);
    assert_eq!(inline::shallow() + inline::inner::deep(), 11);
    assert_eq!(variant(1) + shaped(1) + halves(true) + only_unit(), 2 + 2 + 1 + 4);
}
