//! Records: structs that are plain data of one layout on every machine, also as bytes.

/// A byte of a name, where C has `char`.
pub type TextByte = u8;

/// The most bytes that one may say a record has: far more than one ever will.
const MOST: usize = 65_536;

/// A struct that is integers and arrays of them, without padding: also as bytes.
///
/// # Safety
/// It is `repr(C)`, has no padding, and any bytes are a value of it.
pub(crate) unsafe trait Record: Copy + Default {
    /// The least bytes of it that say anything: those of its presence bits.
    const LEAST: usize;

    /// Marks as absent what does not lie whole in the first `size` bytes.
    fn cut(&mut self, size: usize);

    /// Whether records can be of this size: they have their presence bits, and grow in steps of 8.
    fn fits(size: usize) -> bool {
        size >= Self::LEAST && size <= MOST && size % 8 == 0
    }

    /// The record in these bytes, of an older library or a newer one: what they lack is absent.
    #[inline]
    fn read(bytes: &[u8]) -> Option<Self> {
        let mut record = Self::default();
        let both = bytes.len().min(size_of::<Self>());
        if let (Some(to), Some(from)) = (record.as_bytes_mut().get_mut(..both), bytes.get(..both)) {
            to.copy_from_slice(from);
        }
        if bytes.len() < size_of::<Self>() {
            record.cut(bytes.len());
        }
        Self::fits(bytes.len()).then_some(record)
    }

    /// The record as bytes.
    #[inline]
    fn as_bytes(&self) -> &[u8] {
        // SAFETY: there is no padding, so all bytes are initialised; bytes need no alignment.
        unsafe { std::slice::from_raw_parts(std::ptr::from_ref(self).cast(), size_of::<Self>()) }
    }

    /// The record as bytes to write.
    #[inline]
    fn as_bytes_mut(&mut self) -> &mut [u8] {
        // SAFETY: as in `as_bytes`; and any bytes are a value of the record.
        unsafe {
            std::slice::from_raw_parts_mut(std::ptr::from_mut(self).cast(), size_of::<Self>())
        }
    }
}

/// What the public records have of [`Record`], in the `impl` of each.
macro_rules! bytes {
    () => {
        /// The record in these bytes, as [`as_bytes`](Self::as_bytes) gives them: those of an older
        /// library have fewer, those of a newer one more. `None` where they cannot be a record.
        #[must_use]
        pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
            Record::read(bytes)
        }

        /// The record as bytes, in the byte order of this machine.
        #[must_use]
        pub fn as_bytes(&self) -> &[u8] {
            Record::as_bytes(self)
        }
    };
}

pub(crate) use bytes;
