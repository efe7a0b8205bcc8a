//! A library and a binary of one name: `app`, `app`.

pub fn same() -> u32 {
    helper::help() + 1 // cov: 2
}

#[cfg(test)]
mod tests {
    #[test]
    fn same() {
        assert_eq!(super::same(), 11);
    }
}
