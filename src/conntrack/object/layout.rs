//! The plain part of an entry as bytes, which the attribute table reads and writes by offset.

use super::entry::Flat;

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
