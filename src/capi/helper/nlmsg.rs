//! Messages about user-space helpers, built and parsed.

use super::types::nfct_helper;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::{nlmsg, ptr};
use crate::helper::wire;
use crate::netlink::builder::Header;
use crate::uapi::helper::SUBSYS;
use libc::{c_char, c_int, nlmsghdr};

/// Begins a message in a buffer: the 20 bytes of its headers are written, and nothing behind
/// them. `cmd` is one of NFNL_MSG_CTHELPER_*, `flags` are NLM_F_*, to which NLM_F_REQUEST is
/// added.
///
/// Returns the message, which is `buf`; NULL with EINVAL for NULL.
///
/// # Safety
/// `buf` is NULL or points to 20 writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_nlmsg_build_hdr(
    buf: *mut c_char,
    cmd: u8,
    flags: u16,
    seq: u32,
) -> *mut nlmsghdr {
    let header = Header::of(SUBSYS, cmd, flags, seq);
    // SAFETY: `buf` is NULL or has room for the headers.
    boundary(std::ptr::null_mut(), || unsafe { nlmsg::begin(buf, header) })
}

/// Appends what is set of a helper to a message, and adjusts its length: 256 bytes at most.
/// Each policy is sent whole, in the place it has.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `nlh` is NULL or points to a message with room behind it; `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_nlmsg_build_payload(nlh: *mut nlmsghdr, h: *mut nfct_helper) {
    boundary((), || {
        // SAFETY: `h` and `nlh` are NULL or live, and the message has room for what is appended.
        unsafe {
            let helper = ptr::shared(h)?;
            nlmsg::append(nlh, |to| {
                wire::build(to, helper);
                Ok::<_, Error>(())
            })?;
        }
        Ok(())
    });
}

/// Reads a message into a helper. Its policies take the place of those that the helper had,
/// which are freed. Attributes that are unknown or of an impossible length are skipped. What
/// kind of message it is is not looked at.
///
/// Returns 0; -1 with errno untouched, and the helper as it was, if the message lacks the
/// name, the queue, the tuple, the policies or the status; -1 with EINVAL for NULL, with
/// ENOMEM when there is no memory.
///
/// # Safety
/// `nlh` is NULL or points to a message of the length it says; `h` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_helper_nlmsg_parse_payload(
    nlh: *const nlmsghdr,
    h: *mut nfct_helper,
) -> c_int {
    boundary(-1, || {
        // SAFETY: the message is as long as it says; `h` is NULL or live, and used by nobody else.
        let (message, helper) = unsafe { (nlmsg::message(nlh)?, ptr::unique(h)?) };
        wire::parse(helper, message.map_or(&[][..], |message| message.attributes()))?;
        Ok(0)
    })
}
