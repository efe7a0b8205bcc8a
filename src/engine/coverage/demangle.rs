//! Symbols to names that people read.

use std::fmt::{self, Write};

/// Names are at most this many times as long as their symbols, and this many bytes. In a symbol, parts refer back to others, so a
/// few bytes can stand for megabytes.
const MOST_GROWTH: usize = 64;
const LEAST_ROOM: usize = 4096;

/// The readable form of a function's symbol, without the hashes that tell builds apart. What is not a Rust symbol stays, as
/// does one whose name would be out of proportion.
pub fn demangle(symbol: &[u8]) -> Vec<u8> {
    let name = std::str::from_utf8(symbol).ok().and_then(|symbol| rustc_demangle::try_demangle(symbol).ok());
    let room = symbol.len().saturating_mul(MOST_GROWTH).saturating_add(LEAST_ROOM);
    let mut bounded = Bounded { text: String::new(), room };
    match name {
        Some(name) if write!(bounded, "{name:#}").is_ok() => bounded.text.into_bytes(),
        _ => symbol.to_vec(),
    }
}

/// Text that is refused once it is too long.
struct Bounded {
    text: String,
    room: usize,
}

impl Write for Bounded {
    fn write_str(&mut self, more: &str) -> fmt::Result {
        self.room = self.room.checked_sub(more.len()).ok_or(fmt::Error)?;
        self.text.push_str(more);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::demangle;

    fn check(symbol: &[u8], expected: &str) {
        assert_eq!(String::from_utf8_lossy(&demangle(symbol)), expected);
    }

    #[test]
    fn hashes_are_dropped_and_foreign_names_kept() {
        check(b"_RNvCsiOtubgjtdqi_4demo4pick", "demo::pick");
        check(b"_ZN4demo4pick17h0123456789abcdefE", "demo::pick");
        check(b"_RINvCs8n7VDMREITd_4demo4pickmECs8n7VDMREITd_4demo", "demo::pick::<u32>");
        check(b"main", "main");
        check(b"not \xff utf-8", "not \u{fffd} utf-8");
    }

    #[test]
    fn names_out_of_proportion_stay_symbols() {
        // Types that are two of the one before, twenty times.
        let pairs = "TB7_B7_ETBb_Bb_ETBj_Bj_ETBr_Br_ETBz_Bz_ETBH_BH_ETBP_BP_ETBX_BX_ETB15_B15_ETB1d_B1d_ETB1n_B1n_ETB1x_B1x_E\
                     TB1H_B1H_ETB1R_B1R_ETB21_B21_ETB2b_B2b_ETB2l_B2l_ETB2v_B2v_ETB2F_B2F_ETB2P_B2P_E";
        let symbol = |pairs: &str| format!("_RINvC1a1fThhE{pairs}E");
        check(symbol(&pairs[..8]).as_bytes(), "a::f::<(u8, u8), ((u8, u8), (u8, u8))>");
        check(symbol(pairs).as_bytes(), &symbol(pairs));
    }
}
