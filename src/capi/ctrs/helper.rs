//! Helpers in user space, as objects of libnetfilter_cthelper.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::answer::{self, with_answer};
use super::call::with_handle;
use crate::capi::conntrack::types::nfct_handle;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::without_cancellation;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::ctrs_error;
use crate::capi::ffi::ptr;
use crate::capi::helper::types::{nfct_helper, nfct_helper_policy};
use crate::error::{Error, Invalid};
use crate::helper::object::Helper;
use crate::helper::request::Request;
use crate::helper::wire;
use crate::netlink;
use crate::netlink::message::Message;
use libc::{c_char, c_int};

/// Flags of ctrs_helper_set().
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_helper_flags {
    /// There must be no helper of this name and these protocols.
    CTRS_HELPER_NEW = 1,
}

const NEW: u32 = ctrs_helper_flags::CTRS_HELPER_NEW as u32;

/// A list of helpers that is read.
///
/// Made by ctrs_helper_dump_begin(), released with ctrs_helper_dump_end(). It has a socket of its
/// own, in the network namespace of its handle.
pub struct ctrs_helper_dump {
    _private: [u8; 0],
}

/// The helper behind a pointer, which has a name.
///
/// # Safety
/// `helper` is NULL or a live helper.
unsafe fn named<'a>(helper: *const nfct_helper) -> Result<&'a Helper, Error> {
    // SAFETY: `helper` is NULL or live, and changed by nobody during the call.
    let helper = unsafe { ptr::shared(helper) };
    let helper = helper.ok().filter(|helper| helper.is_named());
    Ok(helper.ok_or(Invalid::Argument("NULL, or a helper without a name"))?)
}

/// The helper that a message tells.
fn told(message: &Message<'_>) -> Result<Helper, Error> {
    let mut helper = Helper::default();
    wire::parse(&mut helper, message.attributes())?;
    Ok(helper)
}

/// Creates a helper, or changes one: the queue, the status and the policies of that of its name and
/// protocols. What is set of `helper` is sent. `flags` is 0 or CTRS_HELPER_NEW.
///
/// It takes a kernel that was built with CONFIG_NF_CT_NETLINK_HELPER: others answer EINVAL to all
/// that is asked about helpers. Linux 3.6.
///
/// Returns 0; -1 with EINVAL from a kernel without helpers in user space, for NULL, a helper
/// without a name, unknown flags, and for a helper that is incomplete; with EEXIST for
/// CTRS_HELPER_NEW if there is such a helper, with EBUSY if the one that is there has another
/// length of private data or other policies, with EPERM without CAP_NET_ADMIN in the first user
/// namespace. ctrs_last_error() says more.
///
/// # Safety
/// `h` is NULL or a live handle; `helper` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_helper_set(
    h: *mut nfct_handle,
    helper: *const nfct_helper,
    flags: u32,
) -> c_int {
    // SAFETY: `h` and `helper` are NULL or live.
    unsafe {
        with_handle(h, -1, |extended| {
            let helper = named(helper)?;
            if flags & !NEW != 0 {
                return Err(Invalid::Argument("ctrs_helper_set() has no such flags").into());
            }
            let request = Request::Set { helper, new: flags & NEW != 0 };
            extended.connection()?.ask(&request, &mut |_| Ok(()))?;
            Ok(0)
        })
    }
}

/// Asks for the helper that has the name of `helper`, and its protocols if they are set, and reads
/// it into `helper`, in place of what that holds; its policies are freed.
///
/// Returns 0; -1 with ENOENT if there is no such helper, else as ctrs_helper_set(). The helper is
/// then as it was.
///
/// # Safety
/// `h` is NULL or a live handle; `helper` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_helper_get(
    h: *mut nfct_handle,
    helper: *mut nfct_helper,
) -> c_int {
    // SAFETY: `h` and `helper` are NULL or live, and used by nobody else during the call.
    unsafe {
        with_handle(h, -1, |extended| {
            let mut found = None;
            extended.connection()?.ask(&Request::Get(named(helper)?), &mut |message| {
                found = Some(told(message)?);
                Ok(())
            })?;
            let found = found.ok_or(netlink::Error::NoMessage)?;
            *ptr::unique(helper).map_err(|_| netlink::Error::NoMessage)? = found;
            Ok(0)
        })
    }
}

/// Deletes the helper that has the name of `helper`, and its protocols if they are set.
///
/// Returns 0; -1 with ENOENT if there is no such helper, with EBUSY if a rule or a flow uses it,
/// else as ctrs_helper_set().
///
/// # Safety
/// `h` is NULL or a live handle; `helper` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_helper_delete(
    h: *mut nfct_handle,
    helper: *const nfct_helper,
) -> c_int {
    // SAFETY: `h` and `helper` are NULL or live.
    unsafe {
        with_handle(h, -1, |extended| {
            let request = Request::Delete(named(helper)?);
            extended.connection()?.ask(&request, &mut |_| Ok(()))?;
            Ok(0)
        })
    }
}

/// Deletes all helpers in user space.
///
/// Returns 0; -1 with EBUSY if a helper is in use, else as ctrs_helper_set().
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_helper_flush(h: *mut nfct_handle) -> c_int {
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, -1, |extended| {
            extended.connection()?.ask(&Request::Flush, &mut |_| Ok(()))?;
            Ok(0)
        })
    }
}

/// Begins to list the helpers in user space.
///
/// Returns the list; NULL with EINVAL for NULL, with EMFILE, ENFILE or ENOMEM. What the kernel
/// refuses, reading the list tells.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_helper_dump_begin(
    h: *mut nfct_handle,
) -> *mut ctrs_helper_dump {
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, std::ptr::null_mut(), |extended| answer::begin(extended, &Request::List))
    }
}

/// Reads the next helper into `helper`, in place of what that holds; its policies are freed.
///
/// Returns 1 with a helper; 0 at the end; -1 with errno as ctrs_helper_set(). In both cases the
/// helper is as it was.
///
/// # Safety
/// `dump` is NULL or a live list; `helper` is NULL or a live helper.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_helper_dump_next(
    dump: *mut ctrs_helper_dump,
    helper: *mut nfct_helper,
) -> c_int {
    // SAFETY: `dump` and `helper` are NULL or live, and used by nobody else during the call.
    unsafe {
        with_answer(dump, -1, |list| {
            let helper =
                ptr::unique(helper).map_err(|_| Invalid::Argument("there is no helper: NULL"))?;
            let found = list.next(told)?;
            Ok(found.map(|found| *helper = found).map_or(0, |()| 1))
        })
    }
}

/// Ends a list, at its end or before, and releases it.
///
/// Returns as ctrs_timeout_dump_end().
///
/// # Safety
/// `dump` is NULL or a live list, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_helper_dump_end(dump: *mut ctrs_helper_dump) -> c_int {
    // SAFETY: `dump` is NULL or live, and not used again.
    without_cancellation(|| boundary(-1, || unsafe { answer::end(dump) }))
}

/// What went wrong in the last call on a list, as ctrs_timeout_dump_last_error().
///
/// Returns the error, which is the list's; NULL with EINVAL for NULL.
///
/// # Safety
/// `dump` is NULL or a live list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_helper_dump_last_error(
    dump: *const ctrs_helper_dump,
) -> *const ctrs_error {
    // SAFETY: `dump` is NULL or live.
    boundary(std::ptr::null(), || unsafe { answer::last_error(dump) })
}

/// The name of a policy, which libnetfilter_cthelper only sets.
///
/// Returns a string that is the policy's, and shows later changes; NULL with EINVAL for NULL.
///
/// # Safety
/// `policy` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_helper_policy_name(
    policy: *const nfct_helper_policy,
) -> *const c_char {
    boundary(std::ptr::null(), || {
        // SAFETY: `policy` is NULL or live, and changed by nobody during the call.
        let policy = unsafe { ptr::shared(policy) }?;
        Ok::<_, Errno>(policy.name_in_room().as_ptr().cast())
    })
}

/// How long the expectations of a policy are kept, in seconds.
///
/// Returns the timeout; 0 with EINVAL for NULL.
///
/// # Safety
/// `policy` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_helper_policy_timeout(policy: *const nfct_helper_policy) -> u32 {
    // SAFETY: `policy` is NULL or live, and changed by nobody during the call.
    boundary(0, || Ok(unsafe { ptr::shared(policy) }?.timeout))
}

/// How many expectations of a policy a flow may have at once.
///
/// Returns the number; 0 with EINVAL for NULL.
///
/// # Safety
/// `policy` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_helper_policy_max(policy: *const nfct_helper_policy) -> u32 {
    // SAFETY: `policy` is NULL or live, and changed by nobody during the call.
    boundary(0, || Ok(unsafe { ptr::shared(policy) }?.max))
}
