//! Bytes as a source of numbers, so that whoever changes bytes, a fuzzer or a seeded generator, changes what is made of them.

/// Numbers from bytes, zeros once they are used up.
pub struct Numbers<'a> {
    bytes: &'a [u8],
}

impl<'a> Numbers<'a> {
    /// Numbers from all of `bytes`.
    pub fn new(bytes: &'a [u8]) -> Numbers<'a> {
        Numbers { bytes }
    }

    /// Any byte.
    pub fn byte(&mut self) -> u8 {
        match self.bytes.split_first() {
            Some((&first, rest)) => {
                self.bytes = rest;
                first
            }
            None => 0,
        }
    }

    /// A number below `limit`, which is from 1 to 256.
    pub fn below(&mut self, limit: u32) -> u32 {
        u32::from(self.byte()) % limit
    }

    /// Whether one of `n` equally likely things happens.
    pub fn one_in(&mut self, n: u32) -> bool {
        self.below(n) == n - 1
    }

    /// Any number of 32 bits.
    pub fn word(&mut self) -> u32 {
        u32::from_le_bytes([self.byte(), self.byte(), self.byte(), self.byte()])
    }

    /// What is left.
    pub fn rest(self) -> &'a [u8] {
        self.bytes
    }
}

/// As many bytes as `len` says, the same ones for the same `seed` on every machine: Marsaglia's xorshift64*.
pub fn random_bytes(seed: u64, len: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_be_bytes()
    };
    std::iter::repeat_with(next).flatten().take(len).collect()
}
