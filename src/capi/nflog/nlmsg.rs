//! Messages built, parsed and printed without a handle.

use super::data::pointed;
use super::print::print;
use super::types::RawLogOutput;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::nlmsg::{append, begin, message};
use crate::capi::ffi::ptr;
use crate::netlink;
use crate::netlink::builder::{Builder, Header};
use crate::netlink::message::{ATTRIBUTE_HEADER_SIZE, Attributes};
use crate::nflog::config::Setting;
use crate::nflog::shape::{Flaw, flaw};
use crate::uapi::nful;
use libc::{c_char, c_int, nlattr, nlmsghdr, size_t};

/// Begins a message at `buf`, which has room for its 20 bytes: of type `type` (NFULNL_MSG_*),
/// with the flag NLM_F_REQUEST, for address family `family` and group `gnum`, without attributes.
///
/// Returns `buf`; NULL with EINVAL for NULL.
///
/// # Safety
/// `buf` is NULL or points to 20 writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_nlmsg_put_header(
    buf: *mut c_char,
    r#type: u8,
    family: u8,
    gnum: u16,
) -> *mut nlmsghdr {
    let header = Header::of(nful::SUBSYS_ULOG, r#type, 0, 0);
    let header = Header { family, resource: gnum, ..header };
    // SAFETY: `buf` is NULL or has room for the headers.
    boundary(std::ptr::null_mut(), || unsafe { begin(buf, header) })
}

/// Appends the copy mode of a group to a message: `mode` is one of NFULNL_COPY_*, `range` how
/// many bytes of the packet are copied, 0 for all. The buffer must have room for 12 bytes, and
/// for what aligns the message to 4.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `nlh` is NULL or points to a message with room behind it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_attr_put_cfg_mode(
    nlh: *mut nlmsghdr,
    mode: u8,
    range: u32,
) -> c_int {
    // SAFETY: `nlh` is NULL or a message, which has room for what is appended.
    boundary(-1, || unsafe { put(nlh, |to| Setting::Mode { mode, range }.put(to)) })
}

/// Appends a command to a message: `cmd` is one of NFULNL_CFG_CMD_*. The buffer must have room
/// for 8 bytes, and for what aligns the message to 4.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `nlh` is NULL or points to a message with room behind it.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_attr_put_cfg_cmd(nlh: *mut nlmsghdr, cmd: u8) -> c_int {
    // SAFETY: `nlh` is NULL or a message, which has room for what is appended.
    boundary(-1, || unsafe { put(nlh, |to| to.put_u8(nful::CFG_CMD, cmd)) })
}

/// Appends to a message what cannot fail.
///
/// # Safety
/// `nlh` is NULL or points to a message with room behind it.
unsafe fn put(nlh: *mut nlmsghdr, put: impl Fn(&mut Builder<'_>)) -> Result<c_int, Error> {
    // SAFETY: `nlh` is NULL or a message, which has room for what is appended.
    unsafe {
        append(nlh, |to| {
            put(to);
            Ok::<(), netlink::Error>(())
        })
    }
}

/// Stores pointers to the attributes of a packet's message by their number (NFULA_*): the last of
/// equal ones. `attr` has 20 places (NFULA_MAX + 1), which are NULL before; those of attributes
/// that are missing are left alone, and newer attributes are passed over.
///
/// Returns 1; -1 with ERANGE for an attribute of a length that it cannot have, with EINVAL for a
/// prefix without NUL at its end, and for NULL; what came before is stored.
///
/// # Safety
/// `nlh` is NULL or points to a message of the length it says; `attr` is NULL or points to 20
/// places.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_nlmsg_parse(nlh: *const nlmsghdr, attr: *mut *mut nlattr) -> c_int {
    boundary(-1, || {
        ptr::not_null(attr)?;
        // SAFETY: the message is as long as it says.
        let message = unsafe { message(nlh) }?;
        let attributes = message.map(|message| message.attributes()).unwrap_or_default();
        let base = attributes.as_ptr();
        for attribute in Attributes::new(attributes).filter(|it| it.kind <= nful::CT_INFO) {
            match flaw(attribute.kind, attribute.value) {
                None => {}
                Some(Flaw::Length) => return Err(Error::of(libc::ERANGE)),
                Some(Flaw::Unended) => return Err(Error::of(libc::EINVAL)),
            }
            let header = attribute.value.as_ptr() as usize - ATTRIBUTE_HEADER_SIZE - base as usize;
            let place = base.wrapping_add(header).cast_mut().cast();
            // SAFETY: there is a place for each of these numbers.
            unsafe { attr.add(attribute.kind.into()).write_unaligned(place) };
        }
        Ok(1)
    })
}

/// Prints a packet of the attributes that nflog_nlmsg_parse() has stored in `attr`, into a buffer
/// of `bufsiz` bytes. `type` is NFLOG_OUTPUT_XML, `flags` are NFLOG_XML_*; `nlh` is ignored.
///
/// Returns as nflog_snprintf_xml(); -1 with EOPNOTSUPP for another type.
///
/// # Safety
/// `buf` is NULL or points to `bufsiz` bytes; `attr` is NULL or points to 20 places, each NULL or
/// a pointer to an attribute.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nflog_nlmsg_snprintf(
    buf: *mut c_char,
    bufsiz: size_t,
    nlh: *const nlmsghdr,
    attr: *mut *mut nlattr,
    r#type: RawLogOutput,
    flags: u32,
) -> c_int {
    let _ = nlh;
    boundary(-1, || {
        if r#type != 0 {
            return Err(Error::of(libc::EOPNOTSUPP));
        }
        ptr::not_null(attr)?;
        // SAFETY: behind the place of number 0 there are those of a packet; `buf` is NULL or has
        // `bufsiz` bytes.
        unsafe { print(buf, bufsiz, &pointed(attr.add(1).cast())?, flags) }
    })
}
