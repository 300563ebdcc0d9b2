//! Names as messages and C have them: bytes that a NUL ends, in a room of a fixed size.
#![forbid(unsafe_code)]

/// What precedes the first NUL.
#[must_use]
pub(crate) fn until_nul(bytes: &[u8]) -> &[u8] {
    bytes.split(|byte| *byte == 0).next().unwrap_or(bytes)
}

/// Copies what precedes the first NUL of `name`, cut to leave room for a NUL behind it. Bytes
/// after that NUL keep their old content.
pub(crate) fn copy_name(to: &mut [u8], name: &[u8]) {
    let room = to.len().saturating_sub(1);
    let name = until_nul(name).iter().take(room);
    let length = name.len();
    to.iter_mut().zip(name).for_each(|(to, from)| *to = *from);
    if let Some(end) = to.get_mut(length) {
        *end = 0;
    }
}

/// Whether a name is one, and fits in a room with its NUL.
pub(crate) fn fits(name: &[u8], room: usize) -> bool {
    (1..room).contains(&name.len()) && !name.contains(&0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_cut_to_its_room() {
        let mut room = *b"xxxx";
        copy_name(&mut room, b"a\0b");
        assert_eq!((&room, until_nul(&room)), (b"a\0xx", &b"a"[..]));
        copy_name(&mut room, b"abcd");
        assert_eq!(&room, b"abc\0");
        copy_name(&mut [], b"a");
    }

    #[test]
    fn a_name_has_a_byte_and_no_nul() {
        for (name, is_one) in [(&b""[..], false), (b"abc", true), (b"abcd", false), (b"a\0", false)]
        {
            assert_eq!(fits(name, 4), is_one, "{name:?}");
        }
    }
}
