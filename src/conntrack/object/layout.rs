//! The plain parts of the objects as bytes, which the attribute tables read and write by offset.

use super::entry::Flat;
use super::expectation::ExpectFlat;

/// Bytes of the plain part of an object.
pub const FLAT_SIZE: usize = size_of::<Flat>();

impl Flat {
    /// The object's plain part as bytes.
    #[inline]
    pub(crate) fn bytes(&self) -> &[u8; FLAT_SIZE] {
        // SAFETY: `Flat` is `repr(C)` without padding (asserted beside it), so all its bytes are
        // initialised; `u8` has no alignment to keep.
        unsafe { &*std::ptr::from_ref(self).cast() }
    }

    /// The object's plain part as bytes to write.
    #[inline]
    pub(crate) fn bytes_mut(&mut self) -> &mut [u8; FLAT_SIZE] {
        // SAFETY: as in `bytes`; and every field of `Flat` is an integer or an array of integers,
        // for which any bytes are a value.
        unsafe { &mut *std::ptr::from_mut(self).cast() }
    }
}

impl ExpectFlat {
    /// `N` bytes of the plain part.
    pub(super) fn slot<const N: usize>(&self, offset: usize) -> Option<[u8; N]> {
        // SAFETY: `ExpectFlat` is `repr(C)` without padding (asserted beside it), so all its bytes
        // are initialised; `u8` has no alignment to keep.
        let bytes: &[u8; size_of::<Self>()] = unsafe { &*std::ptr::from_ref(self).cast() };
        bytes.get(offset..)?.first_chunk().copied()
    }

    /// Puts `N` bytes into the plain part.
    pub(super) fn put<const N: usize>(&mut self, offset: usize, value: [u8; N]) {
        // SAFETY: as in `slot`; and any bytes are a value of its integers.
        let bytes: &mut [u8; size_of::<Self>()] = unsafe { &mut *std::ptr::from_mut(self).cast() };
        if let Some(slot) = bytes.get_mut(offset..).and_then(<[u8]>::first_chunk_mut) {
            *slot = value;
        }
    }
}
