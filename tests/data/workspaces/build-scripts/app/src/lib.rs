//! Uses what the build script found out.

pub fn name() -> &'static str {
    env!("NAME") // cov: 1
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert!(super::name().len() > 3);
    }
}
