//! Test code of all forms beside code that only looks like it.

pub fn add(a: u32, b: u32) -> u32 { // cov: 2
    a + b // cov: 2
} // cov: 2

/// Says `#[cfg(test)]` and is no test.
pub fn contest() -> &'static str { // cov: 1
    "#[cfg(test)] mod tests {" // cov: 1
} // cov: 1

pub fn raw<'a>(text: &'a str) -> String { // cov: 1
    let quote = '"'; // cov: 1
    let mark = r#"" #[test] { "#; // cov: 1
    /* #[cfg(test)] /* nested */ { */
    format!("{text}{quote}{mark}") // cov: 1
} // cov: 1

#[cfg(not(test))]
fn variant() -> u32 { // cov: 0
    1 // cov: 0
} // cov: 0

#[cfg(test)]
fn variant() -> u32 { // cov: -
    2 // cov: -
} // cov: -

pub struct Machine {
    pub state: u32,
    #[cfg(test)]
    pub log: Vec<u32>,
}

impl Machine {
    pub fn new() -> Machine { // cov: 1
        Machine {
            state: variant(), // cov: 1
            #[cfg(test)]
            log: Vec::new(), // cov: -
        }
    } // cov: 1

    pub fn step(&mut self) -> u32 { // cov: 1
        self.state += 1; // cov: 1
        #[cfg(test)]
        self.log.push(self.state); // cov: -
        #[cfg(test)]
        {
            self.log.push(0); // cov: -
        }
        match self.state { // cov: 1
            #[cfg(test)]
            0 => { // cov: -
                unreachable!() // cov: -
            } // cov: -
            state => state, // cov: 1
        }
    } // cov: 1

    #[cfg(test)]
    fn logged<const N: usize>(&self) -> [u32; N] // cov: -
    where
        [u32; N]: Sized,
    {
        let mut found = [0; N]; // cov: -
        found.copy_from_slice(&self.log); // cov: -
        found // cov: -
    } // cov: -
}

#[cfg_attr(not(any()), inline)]
pub fn plain() -> u32 { // cov: 2
    5 // cov: 2
} // cov: 2

macro_rules! grouped {
    ($($item:item)*) => { $($item)* };
}

grouped! {
    pub fn in_a_macro() -> u32 { // cov: 1
        6 // cov: 1
    } // cov: 1

    #[cfg(test)]
    fn test_code_in_a_macro() -> u32 { // cov: -
        in_a_macro() // cov: -
    } // cov: -
}

#[test]
fn outside_of_a_module() { // cov: -
    assert_eq!(test_code_in_a_macro(), 6); // cov: -
} // cov: -

#[cfg(test)]
mod tests {
    use super::{Machine, add, contest, plain, raw};

    fn helper() -> u32 { // cov: -
        add(2, 2) // cov: -
    } // cov: -

    #[test]
    fn everything() { // cov: -
        assert_eq!(helper(), 4); // cov: -
        let mut machine = Machine::new(); // cov: -
        assert_eq!(machine.step(), 3); // cov: -
        assert_eq!(machine.logged(), [3, 0]); // cov: -
        assert_eq!((plain(), contest().len(), raw("x").len()), (5, 24, 14)); // cov: -
    } // cov: -

    #[test]
    fn others() { // cov: -
        assert_eq!(crate::deep::inline::identity(1) + crate::markers::tested(), 8); // cov: -
        crate::classes::tested(); // cov: -
    } // cov: -
}

pub fn behind_the_tests() -> u32 { // cov: 0
    7 // cov: 0
} // cov: 0
