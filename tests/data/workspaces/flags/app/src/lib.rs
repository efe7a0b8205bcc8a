//! Compiles only with the flags that its user sets: `--cfg wanted`.

#[cfg(not(wanted))]
compile_error!("the user's flags are lost");

#[cfg(wanted)]
pub fn wanted() -> u32 {
    part::one::<u32>() // cov: 2
}

#[cfg(test)]
mod tests {
    #[test]
    fn unit() {
        assert_eq!(super::wanted(), 1);
    }
}
