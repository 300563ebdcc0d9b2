//! Timeout policies and the timeouts of flows without one.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::answer::{self, with_answer};
use super::call::{with_handle, without_handle};
use super::reading::array;
use super::record::{checked_size, put, take};
use crate::capi::conntrack::extension::Extended;
use crate::capi::conntrack::types::nfct_handle;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::cancel::without_cancellation;
use crate::capi::ffi::error::Error as Errno;
use crate::capi::ffi::explained::ctrs_error;
use crate::capi::ffi::ptr;
use crate::capi::ffi::text::print;
use crate::capi::timeout::types::nfct_timeout;
use crate::error::{Error, Invalid};
use crate::netlink;
use crate::timeout::object::{NAME_SIZE, Timeout};
use crate::timeout::policies::policy;
use crate::timeout::record::TimeoutRecord;
use crate::timeout::request::Request;
use crate::timeout::value::{Timeouts, checked_name};
use crate::timeout::{json, states};
use libc::{c_char, c_int, size_t, ssize_t};

/// States of SCTP that nfct_timeout_policy_attr_set_u32() does not know: numbers of timeouts in a
/// struct ctrs_timeout.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_timeout_state {
    /// A heartbeat was sent on a path that has no flow yet.
    CTRS_TIMEOUT_SCTP_HEARTBEAT_SENT = 7,
    /// It was answered. Linux 6.18 has no such state, and tells 0.
    CTRS_TIMEOUT_SCTP_HEARTBEAT_ACKED = 8,
}

/// Flags of ctrs_timeout_set().
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_timeout_flags {
    /// The policy takes the place of the one that has its name, family and protocol.
    CTRS_TIMEOUT_REPLACE = 1,
}

const REPLACE: u32 = ctrs_timeout_flags::CTRS_TIMEOUT_REPLACE as u32;

/// A list of timeout policies that is read.
///
/// Made by ctrs_timeout_dump_begin(), released with ctrs_timeout_dump_end(). It has a socket of its
/// own, in the network namespace of its handle.
pub struct ctrs_timeout_dump {
    _private: [u8; 0],
}

/// The policy of a record.
///
/// # Safety
/// `from` is NULL or points to `size` readable bytes.
unsafe fn given(from: *const TimeoutRecord, size: size_t) -> Result<Timeout, Error> {
    // SAFETY: `from` is NULL or has `size` bytes.
    let record = unsafe { take(from, size) };
    let record =
        record.map_err(|_| Invalid::Argument("NULL, or no size of a struct ctrs_timeout"))?;
    states::of(record.l4proto).ok_or(Invalid::NoTimeouts)?;
    if record.gives_too_much() {
        return Err(Invalid::State.into());
    }
    Ok(record.policy())
}

/// The name of a policy.
///
/// # Safety
/// `name` is NULL or a C string.
unsafe fn named<'a>(name: *const c_char) -> Result<&'a [u8], Error> {
    if name.is_null() {
        return Err(Invalid::PolicyName.into());
    }
    // SAFETY: `name` is not NULL, so it is a C string.
    Ok(checked_name(unsafe { ptr::text(name, NAME_SIZE) })?)
}

/// Asks for one record.
///
/// # Safety
/// `to` is NULL or points to `size` writable bytes.
unsafe fn ask(
    extended: &mut Extended<'_>,
    request: &Request<'_>,
    to: *mut TimeoutRecord,
    size: size_t,
) -> Result<c_int, Error> {
    let size = array(to, size)?;
    let mut found = None;
    extended.connection()?.ask(request, &mut |message| {
        found = Some(policy(message).record());
        Ok(())
    })?;
    let record = found.ok_or(netlink::Error::NoMessage)?;
    // SAFETY: `to` is not NULL, and `size` is checked.
    unsafe { put(to, size, record) };
    Ok(0)
}

/// Creates a timeout policy in the handle's network namespace, for rules to use: -j CT --timeout of
/// iptables and ip6tables. It must have a name, an address family and a protocol; states that are
/// not given get the defaults that the network namespace has then. `flags` is 0, and there must be
/// none of this name, or CTRS_TIMEOUT_REPLACE: flows of rules that use the one that was there see
/// the new timeouts from their next packet on. `size` is sizeof(struct ctrs_timeout) as the program
/// was compiled.
///
/// The kernel counts ticks in 32 bits, and makes timeouts shorter that do not fit: of those (at 250
/// ticks in a second, above 17,179,869 seconds) nothing is sent. Linux 3.4.
///
/// Returns 0; -1 with EEXIST if there is one of this name, with EINVAL for NULL, a name or family
/// that is missing, states that the protocol does not have, timeouts that are too long, unknown
/// flags, or to replace one of another family or protocol, with EOPNOTSUPP if this kernel keeps no
/// timeouts of the protocol, with EPERM without CAP_NET_ADMIN. ctrs_last_error() says more.
///
/// # Safety
/// `h` is NULL or a live handle; `policy` is NULL or points to `size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_timeout_set(
    h: *mut nfct_handle,
    policy: *const TimeoutRecord,
    size: size_t,
    flags: u32,
) -> c_int {
    // SAFETY: `h` is NULL or live; `policy` is NULL or has `size` bytes.
    unsafe {
        with_handle(h, -1, |extended| {
            let policy = given(policy, size)?;
            if policy.name().is_empty() {
                return Err(Invalid::PolicyName.into());
            }
            if policy.l3proto() == 0 {
                return Err(Invalid::Argument("the policy has no address family").into());
            }
            let request = match flags {
                0 => Request::Create(&policy),
                REPLACE => Request::Replace(&policy),
                _ => return Err(Invalid::Argument("ctrs_timeout_set() has no such flags").into()),
            };
            extended.connection()?.ask(&request, &mut |_| Ok(()))?;
            Ok(0)
        })
    }
}

/// Asks for the timeout policy of a name.
///
/// Returns 0; -1 with ENOENT if there is no such policy, with EINVAL for NULL, for a name that no
/// policy can have, and for a wrong `size`, with EPERM without CAP_NET_ADMIN.
///
/// # Safety
/// `h` is NULL or a live handle; `name` is NULL or a C string; `policy` is NULL or points to `size`
/// writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_timeout_get(
    h: *mut nfct_handle,
    name: *const c_char,
    policy: *mut TimeoutRecord,
    size: size_t,
) -> c_int {
    // SAFETY: `h` is NULL or live, `name` is NULL or a C string, `policy` is NULL or has `size`
    // bytes.
    unsafe {
        with_handle(h, -1, |extended| ask(extended, &Request::Get(named(name)?), policy, size))
    }
}

/// Deletes the timeout policy of a name. Flows that have it keep their timer, and get the defaults
/// at their next packet.
///
/// Returns 0; -1 with EBUSY if a rule uses the policy, else as ctrs_timeout_get().
///
/// # Safety
/// `h` is NULL or a live handle; `name` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_timeout_delete(
    h: *mut nfct_handle,
    name: *const c_char,
) -> c_int {
    // SAFETY: `h` is NULL or live, `name` is NULL or a C string.
    unsafe {
        with_handle(h, -1, |extended| {
            let request = Request::Delete(named(name)?);
            extended.connection()?.ask(&request, &mut |_| Ok(()))?;
            Ok(0)
        })
    }
}

/// Deletes all timeout policies that no rule uses.
///
/// Returns 0; -1 with EPERM without CAP_NET_ADMIN, with EINVAL for NULL.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_timeout_flush(h: *mut nfct_handle) -> c_int {
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, -1, |extended| {
            extended.connection()?.ask(&Request::Flush, &mut |_| Ok(()))?;
            Ok(0)
        })
    }
}

/// Asks for the timeouts of flows that have no policy, of a protocol: all are given. The record has
/// no name. Linux 3.13.
///
/// Returns 0; -1 with EOPNOTSUPP if this kernel keeps no timeouts of the protocol, with EINVAL for
/// NULL and for a wrong `size`, with EPERM without CAP_NET_ADMIN.
///
/// # Safety
/// `h` is NULL or a live handle; `defaults` is NULL or points to `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_timeout_get_defaults(
    h: *mut nfct_handle,
    l4proto: u8,
    defaults: *mut TimeoutRecord,
    size: size_t,
) -> c_int {
    let request = Request::GetDefaults(l4proto);
    // SAFETY: `h` is NULL or live, `defaults` is NULL or has `size` bytes.
    unsafe { with_handle(h, -1, |extended| ask(extended, &request, defaults, size)) }
}

/// Sets timeouts of flows that have no policy, those that are given: the sysctls
/// net.netfilter.nf_conntrack_PROTOCOL_timeout_STATE. Name and family do not matter. UDP-Lite has
/// the defaults of UDP. Linux 3.13.
///
/// Returns as ctrs_timeout_set().
///
/// # Safety
/// `h` is NULL or a live handle; `defaults` is NULL or points to `size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_timeout_set_defaults(
    h: *mut nfct_handle,
    defaults: *const TimeoutRecord,
    size: size_t,
) -> c_int {
    // SAFETY: `h` is NULL or live; `defaults` is NULL or has `size` bytes.
    unsafe {
        with_handle(h, -1, |extended| {
            let defaults = *Timeouts::read(&given(defaults, size)?).object();
            extended.connection()?.ask(&Request::SetDefaults(&defaults), &mut |_| Ok(()))?;
            Ok(0)
        })
    }
}

/// Begins to list the timeout policies of the handle's network namespace, in the order in which
/// they were created. The timeout objects of nftables are not among them.
///
/// Returns the list; NULL with EINVAL for NULL, with EMFILE, ENFILE or ENOMEM. What the kernel
/// refuses, reading the list tells.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_timeout_dump_begin(
    h: *mut nfct_handle,
) -> *mut ctrs_timeout_dump {
    // SAFETY: `h` is NULL or live.
    unsafe {
        with_handle(h, std::ptr::null_mut(), |extended| answer::begin(extended, &Request::List))
    }
}

/// Reads the next policies into an array of `n` records. `size` is sizeof(struct ctrs_timeout) as
/// the program was compiled.
///
/// Returns how many records it has filled: fewer than `n` at the end, and before an error, which
/// the next call tells; 0 when there are no more. -1 with EINVAL for NULL, for an `n` of 0, and for
/// a wrong `size`, with EPERM without CAP_NET_ADMIN, with ENOBUFS if the receive buffer was too
/// small for the kernel's answer, with ENOMEM.
///
/// # Safety
/// `dump` is NULL or a live list; `policies` is NULL or points to `n` times `size` writable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_timeout_dump_read(
    dump: *mut ctrs_timeout_dump,
    policies: *mut TimeoutRecord,
    n: size_t,
    size: size_t,
) -> ssize_t {
    // SAFETY: `dump` is NULL or live, and used by nobody else during the call; the array is as
    // large as `n` and `size` say.
    unsafe {
        with_answer(dump, -1, |list| {
            let size = array(policies, size)?;
            if n == 0 {
                return Err(Invalid::Argument("an array of no records looks like the end").into());
            }
            let mut filled = 0;
            while filled < n {
                match list.next(|message| Ok(policy(message).record())) {
                    Ok(Some(record)) => put(policies.byte_add(filled * size), size, record),
                    Ok(None) => break,
                    Err(_) if filled > 0 => break,
                    Err(error) => return Err(error),
                }
                filled += 1;
            }
            Ok(ssize_t::try_from(filled).unwrap_or(ssize_t::MAX))
        })
    }
}

/// Ends a list, at its end or before, and releases it.
///
/// Returns CTRS_CONSISTENT, or CTRS_INCONSISTENT if policies came or went meanwhile so that the
/// kernel says that some may be missing; -1 with EINVAL for NULL, with errno of the call that
/// failed if the list ended by that. The list is gone whatever is returned.
///
/// # Safety
/// `dump` is NULL or a live list, which is not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_timeout_dump_end(dump: *mut ctrs_timeout_dump) -> c_int {
    // SAFETY: `dump` is NULL or live, and not used again.
    without_cancellation(|| boundary(-1, || unsafe { answer::end(dump) }))
}

/// What went wrong in the last call on a list.
///
/// Returns the error, which is the list's and stays until the next call on it: with an err of 0
/// and empty texts if that call succeeded. NULL with EINVAL for NULL.
///
/// # Safety
/// `dump` is NULL or a live list.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_timeout_dump_last_error(
    dump: *const ctrs_timeout_dump,
) -> *const ctrs_error {
    // SAFETY: `dump` is NULL or live.
    boundary(std::ptr::null(), || unsafe { answer::last_error(dump) })
}

/// The name of a state, heartbeats of SCTP too, in upper case.
///
/// Returns a string that stays; NULL with EINVAL if the protocol has no such state, or no timeouts.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_timeout_state_name(l4proto: u8, state: u32) -> *const c_char {
    boundary(std::ptr::null(), || {
        let name = states::of(l4proto).and_then(|row| row.states.get(state as usize));
        name.map(|name| name.as_ptr()).ok_or(Errno::of(libc::EINVAL))
    })
}

/// The number of the state of this name, in upper or lower case.
///
/// Returns the number; -1 with EINVAL if the protocol has no such state, and for NULL.
///
/// # Safety
/// `name` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_timeout_state_by_name(l4proto: u8, name: *const c_char) -> c_int {
    boundary(-1, || {
        ptr::not_null(name)?;
        // SAFETY: `name` is not NULL, so it is a C string; no state has a name as long.
        let state = states::by_name(l4proto, unsafe { ptr::text(name, 32) });
        state.map(|state| state as c_int).ok_or(Errno::of(libc::EINVAL))
    })
}

/// Writes a policy of libnetfilter_cttimeout into a record: also the heartbeats of SCTP, which that
/// library does not show. What was not set is zero.
///
/// Returns 0; -1 with EINVAL for NULL, and for a wrong `size`.
///
/// # Safety
/// `policy` is NULL or points to `size` writable bytes; `t` is NULL or a live policy.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_timeout_from(
    policy: *mut TimeoutRecord,
    size: size_t,
    t: *const nfct_timeout,
) -> c_int {
    boundary(-1, || {
        ptr::not_null(policy)?;
        let size = checked_size::<TimeoutRecord>(size)?;
        // SAFETY: `t` is NULL or live; `policy` is not NULL, so it points to `size` writable bytes.
        unsafe { put(policy, size, TimeoutRecord::of(ptr::shared(t)?, None)) };
        Ok(0)
    })
}

/// Makes a policy of libnetfilter_cttimeout what a record says; what the record lacks, it has no
/// more.
///
/// Returns 0; -1 with EINVAL for NULL, for a wrong `size`, and for states that the protocol does
/// not have; the policy is then as it was.
///
/// # Safety
/// `t` is NULL or a live policy; `policy` is NULL or points to `size` readable bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_timeout_to(
    t: *mut nfct_timeout,
    policy: *const TimeoutRecord,
    size: size_t,
) -> c_int {
    boundary(-1, || {
        // SAFETY: `t` is NULL or live, and used by nobody else; `policy` is NULL or has `size`
        // bytes.
        let (to, policy) = unsafe { (ptr::unique(t)?, given(policy, size)) };
        *to = policy.map_err(|_| Errno::of(libc::EINVAL))?;
        Ok(0)
    })
}

/// Writes a policy, or timeouts without a name, as JSON into a buffer of `size` bytes: one object
/// on one line, as {"name":"long","family":"ipv4","protocol":"udp","timeouts":{"replied":300}}. How
/// many rules use it is not written. A name that is no UTF-8 is an array of its bytes. The text is
/// cut to fit and always ends with a NUL. With a `size` of 0 it is only measured, and `buf` may be
/// NULL.
///
/// Returns the length of the whole text in bytes, without its NUL: it was cut if that is `size` or
/// more; -1 with EINVAL for NULL, for a wrong `policy_size`, and for states that the protocol does
/// not have.
///
/// # Safety
/// `buf` is NULL or points to `size` bytes; `policy` is NULL or points to `policy_size` readable
/// bytes.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_timeout_snprintf_json(
    buf: *mut c_char,
    size: size_t,
    policy: *const TimeoutRecord,
    policy_size: size_t,
) -> c_int {
    // SAFETY: `policy` is NULL or has `policy_size` bytes, `buf` has `size` bytes.
    boundary(-1, || unsafe {
        let policy = given(policy, policy_size).map_err(|_| Errno::of(libc::EINVAL))?;
        print(buf, size, |out| {
            json::write(out, &policy, None);
            Ok::<_, Errno>(())
        })
    })
}

/// Reads a policy, or timeouts without a name, from `size` bytes of JSON, as
/// ctrs_timeout_snprintf_json() writes it. Unknown members are passed over.
///
/// Returns 0; -1 with EINVAL for NULL, for a wrong `policy_size`, and for what cannot be read, then
/// with the byte that it is about in the offset of `error`, which may be NULL.
///
/// # Safety
/// `policy` is NULL or points to `policy_size` writable bytes; `text` is NULL or points to `size`
/// readable bytes; `error` is NULL or points to as many writable bytes as its size says.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn ctrs_timeout_parse_json(
    policy: *mut TimeoutRecord,
    policy_size: size_t,
    text: *const c_char,
    size: size_t,
    error: *mut ctrs_error,
) -> c_int {
    // SAFETY: `error` is NULL or the caller's. Within, `policy` is NULL or has `policy_size` bytes,
    // `text` is NULL or has `size` bytes.
    unsafe {
        without_handle(error, -1, || {
            let policy_size = array(policy, policy_size)?;
            if text.is_null() {
                return Err(Invalid::Argument("there is no text: NULL was passed").into());
            }
            let read = json::read(ptr::bytes(text.cast(), size))?;
            put(policy, policy_size, TimeoutRecord::of(&read, None));
            Ok(0)
        })
    }
}
