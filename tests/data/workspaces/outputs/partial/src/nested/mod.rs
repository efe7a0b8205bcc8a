//! A directory of its own, beside the file `lib.rs`.

/// A door.
pub struct Door {
    pub open: bool,
}

impl Door {
    pub fn toggle(&mut self) { // cov: 1
        self.open = !self.open; // cov: 1
    } // cov: 1

    pub fn lock(&mut self) { // cov: 0
        self.open = false; // cov: 0
    } // cov: 0
}

impl Drop for Door {
    fn drop(&mut self) { // cov: 1
        let _ = self.open && never(); // cov: 1
    } // cov: 1
}

fn never() -> bool { // cov: 0
    true // cov: 0
} // cov: 0
