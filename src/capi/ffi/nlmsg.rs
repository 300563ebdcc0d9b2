//! Messages behind the pointers of C, read and appended to.

use super::error::Error;
use super::ptr;
use crate::netlink::builder::{Builder, Header, REQUEST};
use crate::netlink::message::{FAMILY_HEADER_SIZE, HEADER_SIZE, Message, align};
use libc::{c_char, c_int, nlmsghdr};

/// The message behind a pointer; `None` if its length is less than a header's.
///
/// # Safety
/// `nlh` is NULL or points to a message of the length it says.
pub(in crate::capi) unsafe fn message<'a>(
    nlh: *const nlmsghdr,
) -> Result<Option<Message<'a>>, Error> {
    ptr::not_null(nlh)?;
    // SAFETY: the message is not NULL, so it has as many bytes as it says; its header may be at any
    // address.
    let bytes = unsafe {
        let length = std::ptr::read_unaligned(&raw const (*nlh).nlmsg_len) as usize;
        ptr::bytes(nlh.cast(), length)
    };
    Ok(Message::first(bytes))
}

/// Appends to the message behind a pointer, which has room for all that `append` writes.
///
/// # Safety
/// `nlh` is NULL or points to a message with room behind it.
pub(in crate::capi) unsafe fn append<E>(
    nlh: *mut nlmsghdr,
    append: impl Fn(&mut Builder<'_>) -> Result<(), E>,
) -> Result<c_int, Error>
where
    Error: From<E>,
{
    ptr::not_null(nlh)?;
    // SAFETY: the message is not NULL, so it has a header, which may be at any address.
    let length = align(unsafe { std::ptr::read_unaligned(&raw const (*nlh).nlmsg_len) } as usize);
    // C tells no size of its buffer: measure first, then touch no byte more than that.
    let mut measure = Builder::new(&mut [], length);
    append(&mut measure)?;
    // SAFETY: the buffer has room for the whole message.
    let buffer = unsafe { ptr::bytes_mut(nlh.cast(), measure.len()) };
    let mut builder = Builder::new(buffer, length);
    append(&mut builder)?;
    builder.finish()?;
    Ok(0)
}

/// Begins a request in a buffer of C's, which has room for its header: 20 bytes and no more are
/// written.
///
/// # Safety
/// `buf` is NULL or points to 20 writable bytes.
pub(in crate::capi) unsafe fn begin(
    buf: *mut c_char,
    header: Header,
) -> Result<*mut nlmsghdr, Error> {
    ptr::not_null(buf)?;
    // SAFETY: the buffer is not NULL, so it has room for the header.
    let buffer = unsafe { ptr::bytes_mut(buf.cast(), HEADER_SIZE + FAMILY_HEADER_SIZE) };
    Builder::message(buffer, Header { flags: REQUEST | header.flags, ..header }).finish()?;
    Ok(buf.cast())
}
