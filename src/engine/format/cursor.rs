//! A position in bytes that moves only after a successful read: integers in either byte order, ULEB128, slices.
//!
//! Knows nothing of LLVM's formats.

use super::error::{Error, Result};

/// The order of the bytes in a fixed-width integer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Endian {
    /// Least significant byte first.
    Little,
    /// Most significant byte first.
    Big,
}

/// Reads forward through `bytes`. A failed read leaves the position where it was.
#[derive(Clone, Debug)]
pub struct Cursor<'a> {
    bytes: &'a [u8],
    position: usize,
    endian: Endian,
}

impl<'a> Cursor<'a> {
    /// A cursor at the start of `bytes` that reads fixed-width integers in the order `endian`.
    pub fn new(bytes: &'a [u8], endian: Endian) -> Cursor<'a> {
        Cursor { bytes, position: 0, endian }
    }

    /// Bytes read so far.
    pub fn offset(&self) -> u64 {
        wide(self.position)
    }

    /// Bytes not yet read.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes.get(self.position..).unwrap_or_default()
    }

    /// Whether every byte was read.
    pub fn is_empty(&self) -> bool {
        self.rest().is_empty()
    }

    /// The next `len` bytes; `what` names them in the error.
    pub fn take(&mut self, what: &'static str, len: u64) -> Result<&'a [u8]> {
        let rest = self.rest();
        let taken = usize::try_from(len).ok().and_then(|len| rest.get(..len));
        match taken {
            Some(taken) => {
                self.position = self.position.saturating_add(taken.len());
                Ok(taken)
            }
            None => Err(Error::truncated(what, len, wide(rest.len()), self.offset())),
        }
    }

    /// The next `N` bytes as an array.
    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N]> {
        let rest = self.rest();
        match rest.first_chunk::<N>() {
            Some(array) => {
                self.position = self.position.saturating_add(N);
                Ok(*array)
            }
            None => Err(Error::truncated(what, wide(N), wide(rest.len()), self.offset())),
        }
    }

    /// One byte.
    pub fn u8(&mut self, what: &'static str) -> Result<u8> {
        self.array::<1>(what).map(|[byte]| byte)
    }

    /// A 16-bit integer.
    pub fn u16(&mut self, what: &'static str) -> Result<u16> {
        let bytes = self.array(what)?;
        Ok(match self.endian {
            Endian::Little => u16::from_le_bytes(bytes),
            Endian::Big => u16::from_be_bytes(bytes),
        })
    }

    /// A 32-bit integer.
    pub fn u32(&mut self, what: &'static str) -> Result<u32> {
        let bytes = self.array(what)?;
        Ok(match self.endian {
            Endian::Little => u32::from_le_bytes(bytes),
            Endian::Big => u32::from_be_bytes(bytes),
        })
    }

    /// A 64-bit integer.
    pub fn u64(&mut self, what: &'static str) -> Result<u64> {
        let bytes = self.array(what)?;
        Ok(match self.endian {
            Endian::Little => u64::from_le_bytes(bytes),
            Endian::Big => u64::from_be_bytes(bytes),
        })
    }

    /// An unsigned LEB128 number: seven bits a byte, least significant first, bit 7 set on all but the last.
    ///
    /// As in LLVM, redundant trailing zero groups are accepted and a value beyond 64 bits is not.
    pub fn uleb(&mut self, what: &'static str) -> Result<u64> {
        let start = self.position;
        let mut value = 0_u64;
        let mut shift = 0_u32;
        for (index, &byte) in self.rest().iter().enumerate() {
            let payload = u64::from(byte & 0x7f);
            let placed = if shift < 64 { payload << shift } else { 0 };
            let fits = if shift < 64 { placed >> shift == payload } else { payload == 0 };
            if !fits {
                return Err(Error::malformed("ULEB128 number does not fit in 64 bits", wide(start)));
            }
            value |= placed;
            if byte & 0x80 == 0 {
                self.position = start.saturating_add(index).saturating_add(1);
                return Ok(value);
            }
            shift = shift.saturating_add(7);
        }
        let have = wide(self.rest().len());
        Err(Error::truncated(what, have.saturating_add(1), have, wide(start)))
    }

    /// An unsigned LEB128 number below `limit`, which is at most `u32::MAX`.
    pub fn uleb_below(&mut self, what: &'static str, limit: u32) -> Result<u32> {
        let start = self.position;
        let value = self.uleb(what)?;
        match u32::try_from(value) {
            Ok(value) if value < limit => Ok(value),
            _ => {
                self.position = start;
                Err(Error::malformed(what, wide(start)))
            }
        }
    }

    /// An unsigned LEB128 element count or length: at most the number of bytes behind it.
    ///
    /// This bound keeps every allocation proportional to the input.
    pub fn uleb_size(&mut self, what: &'static str) -> Result<usize> {
        let start = self.position;
        let value = self.uleb(what)?;
        let have = self.rest().len();
        match usize::try_from(value) {
            Ok(size) if size <= have => Ok(size),
            _ => {
                self.position = start;
                Err(Error::truncated(what, value, wide(have), wide(start)))
            }
        }
    }

    /// Moves to the next position, from the start of the input, that is a multiple of eight, or to the end.
    ///
    /// LLVM pads each record so, save that the last record's padding may be short.
    pub fn align8(&mut self) {
        self.position = self.position.next_multiple_of(8).min(self.bytes.len());
    }
}

/// A length or position in memory as a file offset.
pub fn wide(size: usize) -> u64 {
    u64::try_from(size).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::{Cursor, Endian};

    fn check_uleb(bytes: &[u8], expected: Option<u64>) {
        let mut cursor = Cursor::new(bytes, Endian::Little);
        assert_eq!(cursor.uleb("number").ok(), expected, "{bytes:02x?}");
        let moved = if expected.is_some() { bytes.len() } else { 0 };
        assert_eq!(cursor.offset(), moved as u64, "{bytes:02x?}");
    }

    #[test]
    fn uleb_reads_what_llvm_reads() {
        check_uleb(&[0x00], Some(0));
        check_uleb(&[0xe5, 0x8e, 0x26], Some(624_485));
        check_uleb(&[0x80, 0x80, 0x00], Some(0));
        check_uleb(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01], Some(u64::MAX));
        check_uleb(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x81, 0x00], Some(u64::MAX));
        check_uleb(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], None);
        check_uleb(&[], None);
        check_uleb(&[0x80], None);
    }

    #[test]
    fn a_failed_read_does_not_move() {
        let mut cursor = Cursor::new(&[1, 2, 3, 4, 5], Endian::Big);
        assert_eq!(cursor.u16("number"), Ok(0x0102));
        assert!(cursor.u32("number").is_err());
        assert!(cursor.take("bytes", 4).is_err());
        assert!(cursor.uleb_size("count").is_err());
        assert!(cursor.uleb_below("id", 3).is_err());
        assert_eq!(cursor.offset(), 2);
        assert_eq!(cursor.take("bytes", 3), Ok(&[3, 4, 5][..]));
        assert!(cursor.is_empty());
    }
}
