//! Pointers from C to references, slices and values: the only place that trusts them.

use super::alloc::Opaque;
use super::error::Error;
use crate::netlink::message::Message;
use crate::width::with_width;
use libc::nlmsghdr;
use std::ffi::{c_char, c_void};

/// A reference to an object, or [`Error::NULL`].
///
/// # Safety
/// `object` is NULL or a live object, which nobody changes while the reference is used.
#[inline]
pub(in crate::capi) unsafe fn shared<'a, T: Opaque>(
    object: *const T,
) -> Result<&'a T::Inner, Error> {
    // SAFETY: a live object is a `T::Inner`, which nobody changes as long as the caller uses the
    // reference.
    unsafe { object.cast::<T::Inner>().as_ref() }.ok_or(Error::NULL)
}

/// A reference to an object to change, or [`Error::NULL`].
///
/// # Safety
/// `object` is NULL or a live object, which nobody else uses while the reference is used.
#[inline]
pub(in crate::capi) unsafe fn unique<'a, T: Opaque>(
    object: *mut T,
) -> Result<&'a mut T::Inner, Error> {
    // SAFETY: a live object is a `T::Inner`, which nobody else uses as long as the caller uses the
    // reference.
    unsafe { object.cast::<T::Inner>().as_mut() }.ok_or(Error::NULL)
}

/// An error for NULL.
#[inline]
pub(in crate::capi) fn not_null<T>(pointer: *const T) -> Result<(), Error> {
    if pointer.is_null() { Err(Error::NULL) } else { Ok(()) }
}

/// The first `width` bytes behind `value`, which are 1, 2, 4, 8 or 16: the first is the lowest.
///
/// # Safety
/// `value` points to `width` readable bytes, of any alignment.
#[inline]
pub(in crate::capi) unsafe fn value(value: *const c_void, width: u8) -> u128 {
    let mut low = [0; 16];
    with_width!(width, N => {
        if let Some(low) = low.first_chunk_mut::<N>() {
            // SAFETY: no more than `width` bytes are read, as an array, which needs no alignment.
            *low = unsafe { value.cast::<[u8; N]>().read() };
        }
    });
    u128::from_le_bytes(low)
}

/// A value behind a pointer of any alignment, or [`Error::NULL`].
///
/// # Safety
/// `value` is NULL or points to a readable `T`, for which any bytes are a value.
#[inline]
pub(in crate::capi) unsafe fn read<T: Copy>(value: *const c_void) -> Result<T, Error> {
    not_null(value)?;
    // SAFETY: `value` is not NULL, so it points to a `T`, whatever its bytes; no alignment is asked
    // for.
    Ok(unsafe { value.cast::<T>().read_unaligned() })
}

/// A message as C functions are handed it, which do not write to it.
pub(in crate::capi) fn message(message: &Message<'_>) -> *mut nlmsghdr {
    message.bytes().as_ptr().cast_mut().cast()
}

/// The C string behind `text`, at most `limit` bytes of it, without its NUL.
///
/// # Safety
/// `text` points to bytes readable up to the first NUL or `limit`.
pub(in crate::capi) unsafe fn text<'a>(text: *const c_char, limit: usize) -> &'a [u8] {
    // SAFETY: strnlen looks no further than the first NUL or `limit`, and the slice ends there.
    unsafe { std::slice::from_raw_parts(text.cast(), libc::strnlen(text, limit)) }
}

/// The first bytes of the C string behind `text`, and zero behind its end.
///
/// # Safety
/// `text` points to bytes readable up to the first NUL or `N`.
pub(in crate::capi) unsafe fn padded<const N: usize>(text: *const c_char) -> [u8; N] {
    let mut bytes = [0; N];
    // SAFETY: nothing is read behind the first NUL or `N`.
    let text = unsafe { self::text(text, N) };
    bytes.iter_mut().zip(text).for_each(|(to, byte)| *to = *byte);
    bytes
}

/// `length` bytes behind `bytes`; none for NULL.
///
/// # Safety
/// `bytes` is NULL or points to `length` readable bytes that nobody changes meanwhile.
#[inline]
pub(in crate::capi) unsafe fn bytes<'a>(bytes: *const c_void, length: usize) -> &'a [u8] {
    if bytes.is_null() {
        return &[];
    }
    // SAFETY: `bytes` is not NULL, so it points to `length` readable bytes.
    unsafe { std::slice::from_raw_parts(bytes.cast(), length) }
}

/// `length` bytes behind `bytes` to write; none for NULL.
///
/// # Safety
/// `bytes` is NULL or points to `length` writable bytes that nobody uses meanwhile.
pub(in crate::capi) unsafe fn bytes_mut<'a>(bytes: *mut c_void, length: usize) -> &'a mut [u8] {
    if bytes.is_null() || length == 0 {
        return &mut [];
    }
    // SAFETY: `bytes` is not NULL, so it points to `length` writable bytes, the caller's alone.
    unsafe { std::slice::from_raw_parts_mut(bytes.cast(), length) }
}
