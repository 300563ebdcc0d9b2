//! The heap blocks of the objects.
//!
//! They come from the C allocator, because C programs own some of them too: a bitmask
//! made by `nfct_bitmask_new` moves into an object, an object from `calloc` is destroyed here.

use crate::conntrack::error::Error;
use std::ffi::CStr;
use std::ptr::NonNull;

/// Memory for `size` bytes, all zero; never empty, so that C sees a pointer that is not NULL.
fn allocate(size: usize) -> Result<NonNull<u8>, Error> {
    // SAFETY: calloc takes any size and returns NULL or a block of that size.
    NonNull::new(unsafe { libc::calloc(1, size.max(1)) }.cast()).ok_or(Error::OutOfMemory)
}

/// A C string on the heap.
#[derive(Debug)]
#[repr(transparent)]
pub struct Text(NonNull<u8>);

impl Text {
    /// A copy of `text` up to its first NUL.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn new(text: &[u8]) -> Result<Self, Error> {
        let length = text.iter().position(|byte| *byte == 0).unwrap_or(text.len());
        let block = allocate(length + 1)?;
        // SAFETY: the block has room for `length` bytes, `text` has as many, and they are apart.
        unsafe { std::ptr::copy_nonoverlapping(text.as_ptr(), block.as_ptr(), length) };
        Ok(Self(block))
    }

    /// The string without its NUL.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        // SAFETY: `new` is the only constructor and leaves a NUL at the end.
        unsafe { CStr::from_ptr(self.0.as_ptr().cast()) }.to_bytes()
    }

    /// The string as C sees it.
    #[cfg(feature = "capi")]
    pub(crate) fn as_ptr(&self) -> *const u8 {
        self.0.as_ptr()
    }
}

impl Drop for Text {
    fn drop(&mut self) {
        // SAFETY: the block came from calloc and is dropped once.
        unsafe { libc::free(self.0.as_ptr().cast()) };
    }
}

/// Bytes on the heap, with their length; all zero bits is "none".
#[derive(Debug, Default)]
#[repr(C)]
pub struct Bytes {
    block: Option<NonNull<u8>>,
    length: usize,
}

/// Bytes kept zero behind a [`Bytes`]: programs copy a helper's fixed data size from it, whatever
/// length the kernel sent. The kernel's own limit is 32.
const SLACK: usize = 32;

impl Bytes {
    /// A copy of `bytes`, which may be empty.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn new(bytes: &[u8]) -> Result<Self, Error> {
        let block = allocate(bytes.len() + SLACK)?;
        // SAFETY: the block has room for the bytes, which lie elsewhere.
        unsafe { std::ptr::copy_nonoverlapping(bytes.as_ptr(), block.as_ptr(), bytes.len()) };
        Ok(Self { block: Some(block), length: bytes.len() })
    }

    /// The bytes; `None` when there never were any.
    #[must_use]
    pub fn get(&self) -> Option<&[u8]> {
        // SAFETY: `new` allocated at least `length` bytes, which live as long as `self`.
        self.block.map(|block| unsafe { std::slice::from_raw_parts(block.as_ptr(), self.length) })
    }
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if let Some(block) = self.block {
            // SAFETY: the block came from calloc and is dropped once.
            unsafe { libc::free(block.as_ptr().cast()) };
        }
    }
}

/// 32-bit words on the heap behind their count, in one block: the layout of a label bitmask.
#[derive(Debug)]
#[repr(transparent)]
pub struct Words(NonNull<u32>);

impl Words {
    /// `count` words, all zero.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn zeroed(count: u32) -> Result<Self, Error> {
        let block = allocate((count as usize + 1) * size_of::<u32>())?.cast::<u32>();
        // SAFETY: the block begins with room for the count, and calloc aligns for any integer.
        unsafe { block.write(count) };
        Ok(Self(block))
    }

    /// The words.
    #[must_use]
    pub fn get(&self) -> &[u32] {
        // SAFETY: `zeroed` wrote the count and allocated as many words behind it.
        unsafe { std::slice::from_raw_parts(self.0.as_ptr().add(1), self.0.read() as usize) }
    }

    /// The words, to write.
    pub fn get_mut(&mut self) -> &mut [u32] {
        // SAFETY: as in `get`; the words are borrowed for as long as `self`.
        unsafe { std::slice::from_raw_parts_mut(self.0.as_ptr().add(1), self.0.read() as usize) }
    }

    /// The block, which the caller owns from now on.
    #[cfg(feature = "capi")]
    pub(crate) fn into_raw(self) -> *mut u32 {
        std::mem::ManuallyDrop::new(self).0.as_ptr()
    }

    /// The block, which stays owned here.
    pub(crate) fn as_ptr(&self) -> *mut u32 {
        self.0.as_ptr()
    }

    /// Takes a block over, or `None` for NULL.
    ///
    /// # Safety
    /// `block` is NULL or came from [`Words::into_raw`], or is used no longer than the block lives
    /// and never dropped.
    #[cfg(feature = "capi")]
    pub(crate) unsafe fn from_raw(block: *mut u32) -> Option<Self> {
        NonNull::new(block).map(Self)
    }
}

impl Drop for Words {
    fn drop(&mut self) {
        // SAFETY: the block came from calloc and is dropped once.
        unsafe { libc::free(self.0.as_ptr().cast()) };
    }
}

/// A list that grows; all zero bits is an empty one.
#[derive(Debug)]
#[repr(C)]
pub struct List<T: Copy> {
    block: Option<NonNull<T>>,
    length: usize,
    capacity: usize,
}

impl<T: Copy> List<T> {
    /// An empty list.
    pub const EMPTY: Self = Self { block: None, length: 0, capacity: 0 };

    /// Entries that a list has room for at first.
    const FIRST: usize = 4;

    /// Adds an entry at the end.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; the list is unchanged.
    pub fn push(&mut self, entry: T) -> Result<(), Error> {
        const { assert!(align_of::<T>() <= align_of::<u64>() && size_of::<T>() > 0) };
        if self.length == self.capacity {
            let capacity = self.capacity.saturating_mul(2).max(Self::FIRST);
            let size = capacity.checked_mul(size_of::<T>()).ok_or(Error::OutOfMemory)?;
            let old = self.block.map_or(std::ptr::null_mut(), NonNull::as_ptr);
            // SAFETY: `old` is NULL or this list's block, which is given up only if this succeeds.
            let block = NonNull::new(unsafe { libc::realloc(old.cast(), size) }.cast());
            self.block = Some(block.ok_or(Error::OutOfMemory)?);
            self.capacity = capacity;
        }
        if let Some(block) = self.block {
            // SAFETY: the block has room for more than `length` entries.
            unsafe { block.add(self.length).write(entry) };
            self.length += 1;
        }
        Ok(())
    }

    /// The entries, in the order they were added.
    #[must_use]
    pub fn get(&self) -> &[T] {
        // SAFETY: the first `length` entries of the block were written.
        self.block
            .map_or(&[], |block| unsafe { std::slice::from_raw_parts(block.as_ptr(), self.length) })
    }
}

impl<T: Copy> Drop for List<T> {
    fn drop(&mut self) {
        if let Some(block) = self.block {
            // SAFETY: the block came from realloc and is dropped once.
            unsafe { libc::free(block.as_ptr().cast()) };
        }
    }
}

// SAFETY: each of these owns its block alone; nothing in it is tied to a thread.
unsafe impl Send for Text {}
// SAFETY: shared access only reads.
unsafe impl Sync for Text {}
// SAFETY: as for `Text`.
unsafe impl Send for Bytes {}
// SAFETY: as for `Text`.
unsafe impl Sync for Bytes {}
// SAFETY: as for `Text`.
unsafe impl Send for Words {}
// SAFETY: as for `Text`; writing needs `&mut`.
unsafe impl Sync for Words {}
// SAFETY: as for `Text`, and the entries may go to another thread.
unsafe impl<T: Copy + Send> Send for List<T> {}
// SAFETY: as for `Words`, and the entries may be shared.
unsafe impl<T: Copy + Sync> Sync for List<T> {}
