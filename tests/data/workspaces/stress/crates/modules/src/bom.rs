pub fn byte_order_mark(value: u32) -> u32 { // cov: 1
    value + 2 // cov: 1
} // cov: 1
