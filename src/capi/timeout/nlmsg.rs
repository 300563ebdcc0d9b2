//! Messages about timeout policies, built and parsed.

use super::types::nfct_timeout;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::{nlmsg, ptr};
use crate::netlink::builder::Header;
use crate::timeout::wire::{self, Known};
use crate::uapi::timeout::SUBSYS;
use libc::{c_char, c_int, nlmsghdr};

/// Begins a message in a buffer: the 20 bytes of its headers are written, and nothing behind
/// them. `cmd` is one of IPCTNL_MSG_TIMEOUT_*, `flags` are NLM_F_*, to which NLM_F_REQUEST is
/// added.
///
/// Returns the message, which is `buf`; NULL with EINVAL for NULL.
///
/// # Safety
/// `buf` is NULL or points to 20 writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_nlmsg_build_hdr(
    buf: *mut c_char,
    cmd: u8,
    flags: u16,
    seq: u32,
) -> *mut nlmsghdr {
    let header = Header::of(SUBSYS, cmd, flags, seq);
    // SAFETY: `buf` is NULL or has room for the headers.
    boundary(std::ptr::null_mut(), || unsafe { nlmsg::begin(buf, header) })
}

/// Appends what is set of a policy to a message, and adjusts its length: 148 bytes at most. Of
/// the timeouts those are sent that were set, and that the protocol has.
///
/// Sets errno to EINVAL for NULL.
///
/// # Safety
/// `nlh` is NULL or points to a message with room behind it; `t` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_nlmsg_build_payload(
    nlh: *mut nlmsghdr,
    t: *const nfct_timeout,
) {
    boundary((), || {
        // SAFETY: `t` and `nlh` are NULL or live, and the message has room for what is appended.
        unsafe {
            let policy = ptr::shared(t)?;
            nlmsg::append(nlh, |to| {
                wire::build(to, policy, Known::Original);
                Ok::<_, Error>(())
            })?;
        }
        Ok(())
    });
}

/// Adds what a message says to a policy; what it does not mention stays as it was. Attributes
/// that are unknown or of an impossible length are skipped, and timeouts of a protocol that is
/// not known. What kind of message it is is not looked at.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `nlh` is NULL or points to a message of the length it says; `t` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_timeout_nlmsg_parse_payload(
    nlh: *const nlmsghdr,
    t: *mut nfct_timeout,
) -> c_int {
    boundary(-1, || {
        // SAFETY: the message is as long as it says; `t` is NULL or live, and used by nobody else.
        let (message, policy) = unsafe { (nlmsg::message(nlh)?, ptr::unique(t)?) };
        if let Some(message) = message {
            wire::parse(policy, message.attributes());
        }
        Ok(0)
    })
}
