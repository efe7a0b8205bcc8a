//! A library with unit tests, which `--test it` leaves out.

pub mod unlinked;

pub fn linked() -> u32 {
    6 // cov: 2
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::linked() + super::unlinked::by_unit_test(), 13);
    }
}
