//! Which values the attributes of a packet may have.
#![forbid(unsafe_code)]

use crate::uapi::nful;

/// What values an attribute may have.
#[derive(Debug, Clone, Copy)]
enum Shape {
    /// Any.
    Any,
    /// Of so many bytes.
    Bytes(usize),
    /// A string with a NUL at its end.
    Text,
}

/// The values of the attributes that programs parse messages for, by number.
const SHAPES: [Shape; 1 + nful::CT_INFO as usize] = {
    use Shape::{Any, Bytes, Text};
    [
        Any,       // none has this number
        Bytes(4),  // PACKET_HDR
        Bytes(4),  // MARK
        Bytes(16), // TIMESTAMP
        Bytes(4),  // IFINDEX_INDEV
        Bytes(4),  // IFINDEX_OUTDEV
        Bytes(4),  // IFINDEX_PHYSINDEV
        Bytes(4),  // IFINDEX_PHYSOUTDEV
        Bytes(12), // HWADDR
        Any,       // PAYLOAD
        Text,      // PREFIX
        Bytes(4),  // UID
        Bytes(4),  // SEQ
        Bytes(4),  // SEQ_GLOBAL
        Bytes(4),  // GID
        Bytes(2),  // HWTYPE
        Any,       // HWHEADER
        Bytes(2),  // HWLEN
        Any,       // CT
        Bytes(4),  // CT_INFO
    ]
};

/// What is wrong with a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flaw {
    /// The attribute cannot have this length.
    Length,
    /// A string without NUL at its end.
    Unended,
}

/// What is wrong with the value of an attribute that programs parse messages for, if anything is.
pub(crate) fn flaw(kind: u16, value: &[u8]) -> Option<Flaw> {
    match SHAPES.get(usize::from(kind))? {
        Shape::Bytes(length) => (value.len() != *length).then_some(Flaw::Length),
        Shape::Text => match value.last() {
            None => Some(Flaw::Length),
            Some(last) => (*last != 0).then_some(Flaw::Unended),
        },
        Shape::Any => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_have_the_length_of_their_number() {
        let lengths =
            [(1, 4), (2, 4), (3, 16), (7, 4), (8, 12), (14, 4), (15, 2), (17, 2), (19, 4)];
        for (kind, right) in lengths {
            for length in 0..20 {
                let expected = (length != right).then_some(Flaw::Length);
                assert_eq!(flaw(kind, &[0; 20][..length]), expected, "{kind}: {length}");
            }
        }
        for kind in [0, nful::PAYLOAD, nful::HWHEADER, nful::CT, nful::VLAN, nful::L2HDR, 0x3fff] {
            assert_eq!((flaw(kind, &[]), flaw(kind, &[1; 9])), (None, None), "{kind}");
        }
        let prefixes = [
            (&b""[..], Some(Flaw::Length)),
            (b"a", Some(Flaw::Unended)),
            (b"a\0b", Some(Flaw::Unended)),
            (b"a\0", None),
            (b"\0", None),
        ];
        for (prefix, expected) in prefixes {
            assert_eq!(flaw(nful::PREFIX, prefix), expected, "{prefix:?}");
        }
    }
}
