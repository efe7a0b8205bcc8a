pub fn parse(text: &str) -> Option<u32> { // cov: 1
    if text.is_empty() { // cov: 1
        return None; // cov: 0
    } // cov: 1
    text.parse().ok() // cov: 1
} // cov: 1
