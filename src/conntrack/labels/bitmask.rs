//! Bitmasks of connection labels.
#![forbid(unsafe_code)]

use crate::conntrack::error::Error;
use crate::conntrack::heap::Words;

/// A set of label numbers with a fixed capacity, a multiple of 32 up to 65536.
#[derive(Debug)]
#[repr(transparent)]
pub struct Bitmask(pub(crate) Words);

/// The highest label number a bitmask can be made for.
pub const MAX_BIT: u32 = 0xffff;

impl Bitmask {
    /// An empty bitmask with room for labels 0 to `max_bit`; `None` if that is above 65535.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn new(max_bit: u32) -> Result<Option<Self>, Error> {
        if max_bit > MAX_BIT {
            return Ok(None);
        }
        Words::zeroed(max_bit / 32 + 1).map(|words| Some(Self(words)))
    }

    /// A bitmask of the bytes of a label attribute, which are words in host order.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; [`Error::LabelsTooLong`] above 8192 bytes.
    pub fn from_wire(bytes: &[u8]) -> Result<Self, Error> {
        let bits = u32::try_from(bytes.len()).unwrap_or(u32::MAX).saturating_mul(8);
        let Some(mut mask) = Self::new(bits.saturating_sub(1))? else {
            return Err(Error::LabelsTooLong(bytes.len()));
        };
        for (word, chunk) in mask.0.get_mut().iter_mut().zip(bytes.chunks(4)) {
            let mut whole = [0; 4];
            whole.iter_mut().zip(chunk).for_each(|(to, from)| *to = *from);
            *word = u32::from_ne_bytes(whole);
        }
        Ok(mask)
    }

    /// The highest label number this bitmask can hold.
    #[must_use]
    pub fn max_bit(&self) -> u32 {
        (self.words().len() as u32).wrapping_mul(32).wrapping_sub(1)
    }

    /// The words: label `n` is bit `n % 32` of word `n / 32`.
    #[must_use]
    pub fn words(&self) -> &[u32] {
        self.0.get()
    }

    /// Adds a label; one above the capacity is ignored.
    pub fn set(&mut self, bit: u32) {
        if let Some(word) = self.0.get_mut().get_mut(bit as usize / 32) {
            *word |= 1 << (bit % 32);
        }
    }

    /// Removes a label; one above the capacity is ignored.
    pub fn unset(&mut self, bit: u32) {
        if let Some(word) = self.0.get_mut().get_mut(bit as usize / 32) {
            *word &= !(1 << (bit % 32));
        }
    }

    /// Whether a label is in the set.
    #[must_use]
    pub fn has(&self, bit: u32) -> bool {
        self.words().get(bit as usize / 32).is_some_and(|word| word & (1 << (bit % 32)) != 0)
    }

    /// Removes all labels; the capacity stays.
    pub fn clear(&mut self) {
        self.0.get_mut().fill(0);
    }

    /// An independent copy.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn try_clone(&self) -> Result<Self, Error> {
        let mut copy = Words::zeroed(self.words().len() as u32)?;
        copy.get_mut().copy_from_slice(self.words());
        Ok(Self(copy))
    }

    /// Whether both are one block of memory.
    fn is_same_block(&self, other: &Self) -> bool {
        std::ptr::eq(self.0.as_ptr(), other.0.as_ptr())
    }

    /// Whether both hold the same labels, whatever their capacity.
    #[must_use]
    pub fn same_labels(&self, other: &Self) -> bool {
        let (a, b) = (self.words(), other.words());
        let longest = a.len().max(b.len());
        (0..longest).all(|at| a.get(at).unwrap_or(&0) == b.get(at).unwrap_or(&0))
    }
}

impl PartialEq for Bitmask {
    /// Same capacity and same labels.
    fn eq(&self, other: &Self) -> bool {
        self.words() == other.words()
    }
}

/// The labels of an object, and those that an update changes.
///
/// A C program may set one bitmask as both. The block then belongs to both, and is freed once, when
/// neither has it any more.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Labels {
    labels: Option<Bitmask>,
    mask: Option<Bitmask>,
}

impl Labels {
    /// The labels, or with `mask` those that an update changes.
    #[inline]
    pub(crate) fn get(&self, mask: bool) -> Option<&Bitmask> {
        if mask { self.mask.as_ref() } else { self.labels.as_ref() }
    }

    /// Puts a bitmask in place of what was there.
    pub(crate) fn put(&mut self, mask: bool, labels: Bitmask) {
        let Self { labels: here, mask: there } = self;
        let (here, there) = if mask { (there, here) } else { (here, there) };
        if let Some(old) = here.replace(labels) {
            let kept = [here, there].into_iter().flatten().any(|held| held.is_same_block(&old));
            if kept {
                std::mem::forget(old);
            }
        }
    }

    /// Whether there is neither.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.labels.is_none() && self.mask.is_none()
    }

    /// Independent copies of both.
    pub(crate) fn try_clone(&self) -> Result<Self, Error> {
        Ok(Self {
            labels: self.labels.as_ref().map(Bitmask::try_clone).transpose()?,
            mask: self.mask.as_ref().map(Bitmask::try_clone).transpose()?,
        })
    }
}

impl Drop for Labels {
    fn drop(&mut self) {
        if let (Some(labels), Some(mask)) = (&self.labels, &self.mask) {
            if labels.is_same_block(mask) {
                std::mem::forget(self.mask.take());
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capacity_is_rounded_up_to_words() {
        for (asked, got) in [(0, 31), (31, 31), (32, 63), (127, 127), (65535, 65535)] {
            assert_eq!(Bitmask::new(asked).unwrap().unwrap().max_bit(), got);
        }
        assert!(Bitmask::new(65536).unwrap().is_none());
    }

    #[test]
    fn bits_beyond_the_capacity_are_ignored() {
        let mut mask = Bitmask::new(10).unwrap().unwrap();
        mask.set(31);
        mask.set(32);
        assert!(mask.has(31) && !mask.has(32));
        mask.unset(31);
        mask.unset(4000);
        assert!(!mask.has(31));
    }

    #[test]
    fn wire_bytes_are_words_in_host_order() {
        let mut bytes = 0x8000_0001_u32.to_ne_bytes().to_vec();
        bytes.push(0x80); // cut short: the rest of the word is zero bytes
        let mask = Bitmask::from_wire(&bytes).unwrap();
        assert_eq!(mask.words(), [0x8000_0001, u32::from_ne_bytes([0x80, 0, 0, 0])]);
        assert!(mask.has(0) && mask.has(31) && !mask.has(1));
        assert_eq!(Bitmask::from_wire(&[0; 8193]).unwrap_err(), Error::LabelsTooLong(8193));
    }

    #[test]
    fn equality_counts_capacity_and_same_labels_does_not() {
        let small = Bitmask::new(31).unwrap().unwrap();
        let mut large = Bitmask::new(127).unwrap().unwrap();
        assert!(small != large && small.same_labels(&large));
        large.set(100);
        assert!(!small.same_labels(&large));
        assert!(large.try_clone().unwrap() == large);
    }
}
