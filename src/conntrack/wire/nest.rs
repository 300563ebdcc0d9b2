//! Small things that nests are made of.
#![forbid(unsafe_code)]

use crate::netlink::message::Attributes;

/// Remembers a nest, unless it is too short to be one.
#[inline(always)]
pub(super) fn keep<'a>(nest: &mut Option<&'a [u8]>, value: &'a [u8]) {
    if !matches!(value.len(), 1..=3) {
        *nest = Some(value);
    }
}

/// The value of the last attribute of a number in a nest.
pub(super) fn last(nest: &[u8], kind: u16) -> Option<&[u8]> {
    Attributes::new(nest).filter(|attribute| attribute.kind == kind).last().map(|a| a.value)
}

/// The numbers in a nest, by attribute number, as they were sent: big-endian.
pub(super) struct Members<const N: usize> {
    seen: u32,
    values: [u64; N],
}

impl<const N: usize> Members<N> {
    /// Reads the members whose length is the one given for their number; 0 stands for none.
    #[inline(always)]
    pub(super) fn read(nest: &[u8], lengths: &[usize; N]) -> Self {
        let mut members = Self { seen: 0, values: [0; N] };
        for attribute in Attributes::new(nest) {
            let at = usize::from(attribute.kind);
            let (Some(length), Some(slot)) = (lengths.get(at), members.values.get_mut(at)) else {
                continue;
            };
            let number = match *attribute.value {
                [a] => u64::from(a),
                [a, b] => u16::from_be_bytes([a, b]).into(),
                [a, b, c, d] => u32::from_be_bytes([a, b, c, d]).into(),
                [a, b, c, d, e, f, g, h] => u64::from_be_bytes([a, b, c, d, e, f, g, h]),
                _ => continue,
            };
            if *length == attribute.value.len() {
                *slot = number;
                members.seen |= 1 << at;
            }
        }
        members
    }

    /// The value of a member, if it was sent.
    #[inline(always)]
    pub(super) fn get(&self, number: u16) -> Option<u64> {
        let seen = self.seen & (1 << number) != 0;
        self.values.get(usize::from(number)).copied().filter(|_| seen)
    }
}
