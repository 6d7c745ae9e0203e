//! Numbers at a place in bytes that the kernel wrote, in its byte order.

/// Returns the 16 bits at `place`, `None` beyond the end.
pub(super) fn u16_at(bytes: &[u8], place: usize) -> Option<u16> {
    Some(u16::from_ne_bytes(*bytes.get(place..)?.first_chunk()?))
}

/// Returns the 32 bits at `place`, `None` beyond the end.
pub(super) fn u32_at(bytes: &[u8], place: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(*bytes.get(place..)?.first_chunk()?))
}

/// Returns the signed 32 bits at `place`, `None` beyond the end.
pub(super) fn i32_at(bytes: &[u8], place: usize) -> Option<i32> {
    u32_at(bytes, place).map(u32::cast_signed)
}

/// Returns the 64 bits at `place`, `None` beyond the end.
pub(super) fn u64_at(bytes: &[u8], place: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(*bytes.get(place..)?.first_chunk()?))
}

/// Returns the bytes before the first NUL, all if there is none.
pub(super) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_read_at_its_place_and_never_beyond_the_end() {
        let bytes = [
            [1, 2].map(u32::to_ne_bytes),
            [3, u32::MAX].map(u32::to_ne_bytes),
        ]
        .concat();
        let bytes = bytes.concat();
        assert_eq!(u32_at(&bytes, 4), Some(2));
        assert_eq!(i32_at(&bytes, 12), Some(-1));
        assert_eq!(u16_at(&bytes, 14), Some(u16::MAX));
        assert_eq!(u64_at(&[7u64.to_ne_bytes(); 2].concat(), 8), Some(7));
        assert_eq!(u64_at(&bytes, 9), None);
        assert_eq!(u32_at(&bytes, 13), None);
        assert_eq!(i32_at(&bytes, usize::MAX), None);
        assert_eq!(u16_at(&bytes, 15), None);
    }

    #[test]
    fn a_string_ends_at_its_nul_or_where_the_bytes_end() {
        assert_eq!(until_nul(b"eth0\0\0"), b"eth0");
        assert_eq!(until_nul(b"eth0"), b"eth0");
        assert_eq!(until_nul(b""), b"");
    }
}
