//! Messages built and parsed without a handle.

use super::request::{expect_request, request};
use super::types::{
    RawMsgType, RawQuery, nf_conntrack, nf_expect, nfct_filter_dump, nfnl_subsys_handle,
};
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::nlmsg::{append, message};
use crate::capi::ffi::ptr;
use crate::conntrack::error;
use crate::conntrack::wire::message::{Kind, of_entry, of_expectation};
use crate::conntrack::wire::{Change, decode, encode, expect};
use crate::netlink::builder::in_cleared;
use crate::netlink::message::Message;
use libc::{c_int, c_uint, c_void, nlmsghdr, size_t};

/// Appends all attributes that the kernel takes of `ct` to a message, and adjusts its length.
///
/// `nlh` is a message with a `struct nfgenmsg`, or one with an open nest at its end; what it holds
/// is left alone. The buffer must have room: 600 bytes, and labels and helper data twice over.
///
/// Returns 0; -1 with EINVAL for NULL or an entry without a usable layer 3 protocol, with ENOSPC if
/// an attribute is longer than an attribute can be; the message is then as it was.
///
/// # Safety
/// `nlh` is NULL or points to a message with room behind it; `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_nlmsg_build(nlh: *mut nlmsghdr, ct: *const nf_conntrack) -> c_int {
    boundary(-1, || {
        // SAFETY: `ct` and `nlh` are NULL or live, and the message has room for what is appended.
        unsafe {
            let ct = ptr::shared(ct)?;
            append(nlh, |to| encode::conntrack(to, ct))
        }
    })
}

/// Appends the criteria of a dump or flush filter to a message, and sets its address family.
///
/// A program that sends it itself gets the kernel's answer, which is not what was asked for in all
/// cases: of an IPv6 address all entries but those that have it, and of the reply tuple, ports of
/// other protocols than TCP and UDP, GRE keys and zones in a tuple whatever has the rest.
/// nfct_query() and nfct_send() check the answer again.
///
/// Returns 0; -1 with EINVAL for NULL, a tuple without a usable layer 3 protocol, or criteria of
/// two of them; the message is then as it was.
///
/// # Safety
/// `nlh` is NULL or points to a message with room behind it; `filter_dump` is NULL or a live filter.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_nlmsg_build_filter(
    nlh: *mut nlmsghdr,
    filter_dump: *const nfct_filter_dump,
) -> c_int {
    boundary(-1, || {
        // SAFETY: filter and message are NULL or live, and the message has room for what is
        // appended.
        unsafe {
            let filter = ptr::shared(filter_dump)?;
            append(nlh, |to| encode::dump_filter(to, filter))
        }
    })
}

/// Stores what a message about an entry says in `ct`; what it does not mention stays as it was.
/// Attributes that are unknown or of an impossible length are skipped.
///
/// Returns 0; -1 with EINVAL for NULL or labels of more than 8192 bytes, with ENOMEM when there is
/// no memory; what was stored before stays.
///
/// # Safety
/// `nlh` is NULL or points to a message of the length it says; `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_nlmsg_parse(nlh: *const nlmsghdr, ct: *mut nf_conntrack) -> c_int {
    boundary(-1, || {
        // SAFETY: the message is as long as it says; `ct` is NULL or live, and used by nobody else.
        let (message, ct) = unsafe { (message(nlh)?, ptr::unique(ct)?) };
        if let Some(message) = message {
            decode::conntrack(ct, message.attributes(), message.family())?;
        }
        Ok(0)
    })
}

/// Stores what a stream of `payload_len` bytes of conntrack attributes says in `ct`, as a packet of
/// nfnetlink_queue has one. `l3num` is the address family, AF_INET or AF_INET6; its low 8 bits
/// count.
///
/// Returns as nfct_nlmsg_parse().
///
/// # Safety
/// `payload` is NULL or points to `payload_len` bytes; `ct` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_payload_parse(
    payload: *const c_void,
    payload_len: size_t,
    l3num: u16,
    ct: *mut nf_conntrack,
) -> c_int {
    boundary(-1, || {
        if payload_len > 0 {
            ptr::not_null(payload)?;
        }
        // SAFETY: the payload has `payload_len` bytes; `ct` is NULL or live, and used by nobody
        // else.
        let (attributes, ct) = unsafe { (ptr::bytes(payload, payload_len), ptr::unique(ct)?) };
        decode::conntrack(ct, attributes, l3num as u8)?;
        Ok(0)
    })
}

/// Appends what the kernel is told of an expectation to a message, and adjusts its length. Class,
/// NAT and function of an expectation are never sent.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `nlh` is NULL or points to a message with room behind it; `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_nlmsg_build(nlh: *mut nlmsghdr, exp: *const nf_expect) -> c_int {
    boundary(-1, || {
        // SAFETY: `exp` and `nlh` are NULL or live, and the message has room for what is appended.
        unsafe {
            let object = ptr::shared(exp)?;
            append(nlh, |to| {
                expect::encode(to, object);
                Ok::<_, Error>(())
            })
        }
    })
}

/// Stores what a message about an expectation says in `exp`, as nfct_nlmsg_parse() does for an
/// entry.
///
/// Returns 0; -1 with EINVAL for NULL.
///
/// # Safety
/// `nlh` is NULL or points to a message of the length it says; `exp` is NULL or a live object.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_nlmsg_parse(nlh: *const nlmsghdr, exp: *mut nf_expect) -> c_int {
    boundary(-1, || {
        // SAFETY: the message is as long as it says; `exp` is NULL or live, and used by nobody
        // else.
        let (message, exp) = unsafe { (message(nlh)?, ptr::unique(exp)?) };
        if let Some(message) = message {
            expect::decode(exp, message.attributes(), message.family());
        }
        Ok(0)
    })
}

/// The message behind a pointer, and what it says, if `types` (`NFCT_T_*`) has that.
///
/// # Safety
/// `nlh` is NULL or points to a message of the length it says.
unsafe fn wanted<'a>(
    nlh: *const nlmsghdr,
    types: RawMsgType,
) -> Result<Option<(Message<'a>, Change)>, Error> {
    // SAFETY: the message is as long as it says.
    let message = unsafe { message(nlh) }?;
    Ok(message.and_then(|message| Some((message, Change::among(&message, types)?))))
}

/// Stores what a message about an entry says in `ct`, if it is of a type in `msg` (`NFCT_T_*`).
///
/// Returns the type, NFCT_T_NEW, NFCT_T_UPDATE or NFCT_T_DESTROY; 0, with `ct` untouched, for other
/// messages; -1 with EINVAL for NULL, with ENOMEM when there is no memory.
///
/// # Safety
/// `nlh` is NULL or points to a message of the length it says; `ct` is NULL or a live object.
#[deprecated]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_parse_conntrack(
    msg: RawMsgType,
    nlh: *const nlmsghdr,
    ct: *mut nf_conntrack,
) -> c_int {
    boundary(-1, || {
        // SAFETY: the message is as long as it says; `ct` is NULL or live, and used by nobody else.
        let (wanted, ct) = unsafe { (wanted(nlh, msg)?, ptr::unique(ct)?) };
        let Some((message, change)) = wanted else { return Ok(0) };
        decode::as_far_as_possible(ct, &message)?;
        Ok(change as c_int)
    })
}

/// Stores what a message about an expectation says in `exp`, if it is of a type in `type`
/// (`NFCT_T_*`).
///
/// Returns the type, NFCT_T_NEW, NFCT_T_UPDATE or NFCT_T_DESTROY; 0, with `exp` untouched, for
/// other messages; -1 with EINVAL for NULL.
///
/// # Safety
/// `nlh` is NULL or points to a message of the length it says; `exp` is NULL or a live object.
#[deprecated]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_parse_expect(
    r#type: RawMsgType,
    nlh: *const nlmsghdr,
    exp: *mut nf_expect,
) -> c_int {
    boundary(-1, || {
        // SAFETY: the message is as long as it says; `exp` is NULL or live, and used by nobody
        // else.
        let (wanted, exp) = unsafe { (wanted(nlh, r#type)?, ptr::unique(exp)?) };
        let Some((message, change)) = wanted else { return Ok(0) };
        expect::decode(exp, message.attributes(), message.family());
        Ok(change as c_int)
    })
}

/// Builds a message in a buffer of C's, which is cleared first.
///
/// # Safety
/// `req` is NULL or points to `size` writable bytes.
unsafe fn build(
    req: *mut c_void,
    size: usize,
    build: impl FnOnce(&mut [u8]) -> Result<usize, error::Error>,
) -> Result<(), Error> {
    ptr::not_null(req)?;
    // SAFETY: the buffer is not NULL, so it has `size` writable bytes.
    in_cleared(unsafe { ptr::bytes_mut(req, size) }, build)?;
    Ok(())
}

/// Builds the message of a query in a buffer of `size` bytes, filled as nfct_query() says. With a
/// filter the answer is the kernel's, as nfct_nlmsg_build_filter() says. `ssh` is ignored.
///
/// Returns 1; -1 with errno as nfct_query(), with ENOSPC if the buffer is too small; it is then all
/// zero.
///
/// # Safety
/// `data` is NULL or points to what the query needs; `req` is NULL or points to `size` bytes.
#[deprecated]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_build_query(
    ssh: *mut nfnl_subsys_handle,
    query: RawQuery,
    data: *const c_void,
    req: *mut c_void,
    size: c_uint,
) -> c_int {
    let _ = ssh;
    boundary(-1, || {
        // SAFETY: the buffer has `size` bytes; `data` is what the query is filled with.
        unsafe {
            let request = request(query, data)?;
            build(req, size as usize, |buffer| request.build(buffer, 0))?;
        }
        Ok(1)
    })
}

/// Builds the message of a query about expectations in a buffer of `size` bytes, filled as
/// nfexp_query() says. `ssh` is ignored.
///
/// Returns 1; -1 with errno as nfexp_query(), with ENOSPC if the buffer is too small; it is then
/// all zero.
///
/// # Safety
/// `data` is NULL or points to what the query needs; `buffer` is NULL or points to `size` bytes.
#[deprecated]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_build_query(
    ssh: *mut nfnl_subsys_handle,
    qt: RawQuery,
    data: *const c_void,
    buffer: *mut c_void,
    size: c_uint,
) -> c_int {
    let _ = ssh;
    boundary(-1, || {
        // SAFETY: the buffer has `size` bytes; `data` is what the query is filled with.
        unsafe {
            let request = expect_request(qt, data)?;
            build(buffer, size as usize, |buffer| request.build(buffer, 0))?;
        }
        Ok(1)
    })
}

/// Builds a message about an entry in a buffer of `size` bytes: message number `type`
/// (IPCTNL_MSG_CT_*), `flags` (NLM_F_*) as they are, all attributes that the kernel takes of `ct`.
/// `ssh` is ignored, but must not be NULL.
///
/// Returns 0; -1 with EINVAL for NULL or an entry without a usable layer 3 protocol, with ENOSPC if
/// the buffer is too small; it is then all zero.
///
/// # Safety
/// `req` is NULL or points to `size` bytes; `ct` is NULL or a live object.
#[deprecated]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_build_conntrack(
    ssh: *mut nfnl_subsys_handle,
    req: *mut c_void,
    size: size_t,
    r#type: u16,
    flags: u16,
    ct: *const nf_conntrack,
) -> c_int {
    boundary(-1, || {
        ptr::not_null(ssh)?;
        // SAFETY: `ct` is NULL or live; `req` is NULL or has `size` bytes.
        unsafe {
            let ct = ptr::shared(ct)?;
            let kind = Kind { number: r#type, flags };
            build(req, size, |buffer| of_entry(buffer, kind, ct))?;
        }
        Ok(0)
    })
}

/// Builds a message about an expectation in a buffer of `size` bytes, as nfct_build_conntrack()
/// does for an entry; `type` is one of IPCTNL_MSG_EXP_*. `ssh` is ignored, but must not be NULL.
///
/// Returns 0; -1 with EINVAL for NULL or an expectation without a layer 3 protocol, with ENOSPC if
/// the buffer is too small; it is then all zero.
///
/// # Safety
/// `req` is NULL or points to `size` bytes; `exp` is NULL or a live object.
#[deprecated]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_build_expect(
    ssh: *mut nfnl_subsys_handle,
    req: *mut c_void,
    size: size_t,
    r#type: u16,
    flags: u16,
    exp: *const nf_expect,
) -> c_int {
    boundary(-1, || {
        ptr::not_null(ssh)?;
        // SAFETY: `exp` is NULL or live; `req` is NULL or has `size` bytes.
        unsafe {
            let exp = ptr::shared(exp)?;
            let (kind, family) = (Kind { number: r#type, flags }, expect::family(exp)?);
            build(req, size, |buffer| of_expectation(buffer, kind, family, exp))?;
        }
        Ok(0)
    })
}
