//! Bounded zlib decompression, and compression; the only file that knows the codec.

use miniz_oxide::deflate::compress_to_vec_zlib;
use miniz_oxide::inflate::decompress_slice_iter_to_slice;

use super::error::{Error, ErrorKind, Result};

/// Deflate cannot grow its input by more than this factor.
const MAX_RATIO: usize = 1032;

/// No table of names or file names comes near this size; a larger one is hostile.
const MAX_LEN: usize = 1 << 30;

/// Decompresses a zlib stream whose output is declared to be `declared_len` bytes.
///
/// As in LLVM, output beyond the declared length is an error and shorter output is accepted. A declared length that
/// the input cannot reach is an error before anything is allocated.
pub(crate) fn decompress(bytes: &[u8], declared_len: usize) -> Result<Vec<u8>> {
    let reachable = bytes.len().saturating_mul(MAX_RATIO).saturating_add(64);
    if declared_len > reachable.min(MAX_LEN) {
        return Err(Error::malformed("declared length is out of reach for the compressed data", 0));
    }
    let mut output = vec![0; declared_len];
    let zlib_header = true;
    let ignore_checksum = false;
    match decompress_slice_iter_to_slice(&mut output, std::iter::once(bytes), zlib_header, ignore_checksum) {
        Ok(len) => {
            output.truncate(len);
            Ok(output)
        }
        Err(_) => Err(Error::new(ErrorKind::Decompress, 0)),
    }
}

/// Compresses `bytes` into a zlib stream, at the level that zlib itself takes when it is not told.
pub(crate) fn compress(bytes: &[u8]) -> Vec<u8> {
    const USUAL_LEVEL: u8 = 6;
    compress_to_vec_zlib(bytes, USUAL_LEVEL)
}

#[cfg(test)]
mod tests {
    use super::{compress, decompress};

    /// `hello` as zlib stores it at level 9.
    const HELLO: [u8; 13] = [0x78, 0xda, 0xcb, 0x48, 0xcd, 0xc9, 0xc9, 0x07, 0x00, 0x06, 0x2c, 0x02, 0x15];

    #[test]
    fn the_declared_length_is_an_upper_bound() {
        assert_eq!(decompress(&HELLO, 5).as_deref(), Ok(&b"hello"[..]));
        assert_eq!(decompress(&HELLO, 9).as_deref(), Ok(&b"hello"[..]));
        assert!(decompress(&HELLO, 4).is_err());
        assert!(decompress(&HELLO, usize::MAX).is_err());
    }

    #[test]
    fn what_was_compressed_comes_back() {
        let zeros = [0_u8; 10_000];
        for bytes in [&b""[..], b"hello", &zeros] {
            let compressed = compress(bytes);
            assert_eq!(decompress(&compressed, bytes.len()).as_deref(), Ok(bytes));
        }
        assert!(compress(&zeros).len() < 100);
    }

    #[test]
    fn damaged_streams_are_errors() {
        for cut in 0..HELLO.len() {
            assert!(decompress(&HELLO[..cut], 5).is_err(), "cut at {cut}");
        }
        let mut damaged = HELLO;
        damaged[12] ^= 1;
        assert!(decompress(&damaged, 5).is_err(), "the checksum counts");
    }
}
