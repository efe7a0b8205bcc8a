//! A library like any other, in a directory that happens to stand below one called `tests`.

pub fn supports() -> u32 { // cov: 1
    1 // cov: 1
} // cov: 1

#[cfg(test)]
mod tests {
    #[test]
    fn supports() {
        assert_eq!(super::supports(), 1);
    }
}
