//! A module of modules.

pub mod inner;

pub mod inline {
    #[cfg(test)]
    mod probe;

    pub fn identity(number: u32) -> u32 { // cov: 2
        number // cov: 2
    } // cov: 2
}
