//! Attributes by number, and as numbers of whatever width is asked for: so C programs take them.
#![forbid(unsafe_code)]

use super::attr::{Attr, Row, Storage};
use super::entry::Conntrack;
use super::expectation::{Expect, ExpectAttr};
use crate::conntrack::error::{Error, OutOfMemory};
use crate::conntrack::labels::bitmask::Bitmask;

// The caller's kind of error is made where each arises, which is a constant there.
impl Conntrack {
    /// The row of an attribute that the object has.
    #[inline(always)]
    pub(crate) fn present_row<E: From<Error>>(&self, number: u32) -> Result<&'static Row, E> {
        let row = Row::of(number)?;
        if self.flat.present.has_number(number) { Ok(row) } else { Err(Error::NotSet.into()) }
    }

    /// The first bytes of an attribute's value, made into a number. Where a value in the object is
    /// shorter, the bytes behind it follow; where one on the heap is, zero bytes do.
    #[inline(always)]
    pub(crate) fn first_bytes<const N: usize, T, E: From<Error>>(
        &self,
        number: u32,
        make: fn([u8; N]) -> T,
    ) -> Result<T, E> {
        let row = self.present_row(number)?;
        let slot = self.flat.bytes().get(row.offset.into()..).and_then(|rest| rest.first_chunk());
        Ok(make(slot.copied().unwrap_or_else(|| {
            let value = self.first_on_heap(row.attr).to_le_bytes();
            value.first_chunk().copied().unwrap_or([0; N])
        })))
    }

    /// The first bytes of a value on the heap, the very first lowest: in a register, not in memory.
    #[inline(never)]
    fn first_on_heap(&self, attr: Attr) -> u64 {
        let mut first = [0; 8];
        if let Some(mask) = self.label_attr(attr) {
            // A bitmask begins with the count of its words.
            let words = mask.words();
            let (count, word) = (words.len() as u32, words.first().copied().unwrap_or(0));
            let block = [count, word].into_iter().flat_map(u32::to_ne_bytes);
            first.iter_mut().zip(block).for_each(|(to, from)| *to = from);
        } else {
            let value = self.get(attr).unwrap_or_default();
            first.iter_mut().zip(value).for_each(|(to, from)| *to = *from);
        }
        u64::from_le_bytes(first)
    }

    /// The bitmask of a label attribute that is present.
    pub(crate) fn label_attr(&self, attr: Attr) -> Option<&Bitmask> {
        match attr {
            Attr::Connlabels => self.labels(),
            Attr::ConnlabelsMask => self.labels_mask(),
            _ => None,
        }
    }

    /// Sets an attribute from a number; one wider than that is extended with zero bytes, and an
    /// unknown one is ignored.
    #[inline(always)]
    pub(crate) fn set_bytes<const N: usize>(
        &mut self,
        number: u32,
        bytes: [u8; N],
    ) -> Result<(), OutOfMemory> {
        match Row::of(number) {
            Ok(row @ Row { storage: Storage::Plain(width), .. }) => {
                self.flat.store(row.offset.into(), *width, extended(bytes).into());
                self.flat.present.set(row.attr);
                Ok(())
            }
            Ok(row) => self.set_by_storage(row, extended(bytes), N),
            Err(_) => Ok(()),
        }
    }

    /// As `set_bytes`, for attributes that are not just one slot, with the lowest `length` bytes of a
    /// number.
    #[inline(never)]
    fn set_by_storage(&mut self, row: &Row, value: u64, length: usize) -> Result<(), OutOfMemory> {
        match row.storage {
            Storage::HelperInfo => {
                let info = value.to_le_bytes();
                return self
                    .set_helper_info(info.get(..length).unwrap_or_default())
                    .map_err(|_| OutOfMemory);
            }
            _ => self.set_value(row, value.into()),
        }
        Ok(())
    }
}

/// A number, in host order, whose lowest bytes are these, from the first on.
#[inline(always)]
fn extended<const N: usize>(bytes: [u8; N]) -> u64 {
    let mut value = [0; 8];
    if let Some(low) = value.first_chunk_mut() {
        *low = bytes;
    }
    u64::from_le_bytes(value)
}

impl Expect {
    /// The attribute with this number, if the expectation has it.
    pub(crate) fn present_attr(&self, number: u32) -> Result<ExpectAttr, Error> {
        let attr = ExpectAttr::try_from(number)?;
        if self.has(attr) { Ok(attr) } else { Err(Error::NotSet) }
    }

    /// The first bytes of an attribute's value; where it is shorter, the bytes behind it follow.
    pub(crate) fn first_bytes<const N: usize>(&self, number: u32) -> Result<[u8; N], Error> {
        let attr = self.present_attr(number)?;
        let bytes = match self.tuple(attr) {
            Some(tuple) => tuple.flat.bytes().first_chunk().copied(),
            None => self.flat.slot(attr.row().place()),
        };
        Ok(bytes.unwrap_or([0; N]))
    }

    /// Sets a numeric attribute from a number's bytes; one wider than that is extended with zero bytes.
    /// Others, and unknown ones, are ignored.
    pub(crate) fn set_bytes<const N: usize>(&mut self, number: u32, bytes: [u8; N]) {
        if let Ok(attr) = ExpectAttr::try_from(number) {
            let [first, second, third, fourth, ..] = extended(bytes).to_le_bytes();
            self.store_bytes(attr, [first, second, third, fourth]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn first<const N: usize>(ct: &Conntrack, attr: Attr) -> Result<[u8; N], Error> {
        ct.first_bytes(attr as u32, |bytes| bytes)
    }

    #[test]
    fn numbers_are_cut_and_extended() {
        let mut ct = Conntrack::new();
        ct.set_bytes(Attr::Mark as u32, [1, 2, 3, 4, 5, 6, 7, 8]).unwrap();
        assert_eq!(first(&ct, Attr::Mark), Ok([1, 2, 3, 4]));
        ct.set_bytes(Attr::Mark as u32, [9]).unwrap();
        assert_eq!(first(&ct, Attr::Mark), Ok([9, 0, 0, 0]));
        assert_eq!(first(&ct, Attr::Mark), Ok([9, 0]));
        assert_eq!(first::<1>(&ct, Attr::Zone), Err(Error::NotSet));
        assert_eq!(ct.first_bytes(999, u8::from_ne_bytes), Err(Error::UnknownAttribute(999)));
        assert_eq!(ct.set_bytes(999, [1]), Ok(()));
    }

    #[test]
    fn values_on_the_heap_are_read_as_they_lie_there() {
        let mut ct = Conntrack::new();
        ct.set_bytes(Attr::HelperInfo as u32, [1, 2]).unwrap();
        assert_eq!(ct.get(Attr::HelperInfo), Some(&[1, 2][..]));
        assert_eq!(first(&ct, Attr::HelperInfo), Ok([1, 2, 0, 0]));
        let mut labels = Bitmask::new(63).unwrap().unwrap();
        labels.set(9);
        ct.set_labels(labels, false);
        let block = [2, 1 << 9].map(u32::to_ne_bytes);
        assert_eq!(first(&ct, Attr::Connlabels), Ok(block[0]));
        let both: [u8; 8] = first(&ct, Attr::Connlabels).unwrap();
        assert_eq!(both, *block.as_flattened());
    }

    #[test]
    fn numbers_of_expectations_too() {
        let mut expect = Expect::new();
        expect.set_bytes(ExpectAttr::Timeout as u32, [1, 2, 3, 4]);
        expect.set_bytes(ExpectAttr::Zone as u32, [5, 6, 7, 8]);
        expect.set_bytes(ExpectAttr::HelperName as u32, [7]);
        expect.set_bytes(99, [7]);
        assert_eq!(expect.first_bytes(ExpectAttr::Timeout as u32), Ok([1, 2, 3, 4]));
        assert_eq!(expect.first_bytes(ExpectAttr::Timeout as u32), Ok([1]));
        assert_eq!(expect.number(ExpectAttr::Zone), Some(u16::from_ne_bytes([5, 6]).into()));
        expect.set_bytes(ExpectAttr::Timeout as u32, [9, 8]);
        assert_eq!(expect.first_bytes(ExpectAttr::Timeout as u32), Ok([9, 8, 0, 0]));
        assert_eq!(expect.present_attr(ExpectAttr::HelperName as u32), Err(Error::NotSet));
        let mut ct = Conntrack::new();
        ct.set(Attr::OrigIpv4Src, [7; 16]);
        expect.set_tuple(ExpectAttr::Mask, &ct).unwrap();
        assert_eq!(expect.first_bytes(ExpectAttr::Mask as u32), Ok([7; 4]));
    }
}
