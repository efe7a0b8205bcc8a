pub fn two() -> u32 { // cov: 1
    2 // cov: 1
} // cov: 1

#[cfg(test)]
mod tests {
    #[test]
    fn two() {
        assert_eq!(super::two(), 2);
    }
}
