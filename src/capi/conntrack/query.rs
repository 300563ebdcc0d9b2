//! Queries: asked, sent, answers caught.

use super::receive::{self, Task};
use super::request::{Built, expect_request, request};
use super::state::State;
use super::types::{RawQuery, nfct_handle};
use crate::capi::ffi::at_work::Frame;
use crate::capi::ffi::boundary::{boundary, set_errno};
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::conntrack::wire::query::Request;
use crate::netlink::socket;
use libc::{c_int, c_void};

/// Runs a query, which `request` makes.
///
/// # Safety
/// `h` is NULL or a live handle.
unsafe fn query_with<'a>(
    h: *mut nfct_handle,
    request: impl FnOnce() -> Result<Request<'a>, Error>,
) -> c_int {
    let mark = 0u8;
    let begun = boundary(None, || {
        ptr::not_null(h)?;
        Ok(Some((request()?, Frame::of(&raw const mark))))
    });
    let Some((request, now)) = begun else { return -1 };
    // SAFETY: the handle is not NULL, so it is live; `now` is in this function's frame.
    let result = unsafe { receive::run(h.cast(), &now, Task::Query(&request)) };
    if result == 0 {
        // As programs know it, whatever a callback that stopped the query left.
        set_errno(0);
    }
    result
}

/// Sends a query, which `request` makes, and does not wait for its answer.
///
/// # Safety
/// `h` is NULL or a live handle.
unsafe fn send_with<'a>(
    h: *mut nfct_handle,
    request: impl FnOnce() -> Result<Request<'a>, Error>,
) -> c_int {
    let mut built = Built::default();
    let begun = boundary(None, || {
        // SAFETY: `h` is NULL or live; the reference ends before the thread can be cancelled.
        let state = unsafe { State::of(h) }?;
        let request = request()?;
        built.build(&request, 0)?;
        let dump = request.query().is_dump();
        if dump {
            state.calls.prepare(&request)?;
        }
        Ok(Some((state.calls.main().socket().fd(), dump)))
    });
    let Some((fd, dump)) = begun else { return -1 };
    // Not inside the boundary: the thread may be cancelled here.
    let result = socket::send(fd, built.bytes());
    boundary(-1, || {
        let sent = result?;
        if dump {
            // SAFETY: `h` is live still: nobody closes it during the call.
            unsafe { State::of(h) }?.calls.dump_sent();
        }
        Ok(sent as c_int)
    })
}

/// Sends a query and hands the answer to the callbacks, and the events that come before it.
///
/// What `data` points to is said at enum nf_conntrack_query. A query gets its own answer also after
/// a callback stopped an earlier one. A dump holds one datagram in memory, whatever its length.
///
/// Of a filtered dump the callbacks get the entries that the filter selects and no others; events
/// pass. The filter is not needed once this returns or a callback runs. NFCT_Q_DUMP_FILTER_RESET
/// asks for each entry once more, by a socket of its own, where the kernel would zero others too.
///
/// NFCT_Q_UPDATE, NFCT_Q_DESTROY and NFCT_Q_GET name one flow by its whole tuple: both addresses,
/// the protocol, and the ports, or type, code and id of ICMP. With an address alone they find none
/// (ENOENT), and a flush cannot choose by it (ENOTSUP): ask for the flows of an address with
/// NFCT_Q_DUMP_FILTER and NFCT_FILTER_DUMP_TUPLE, and destroy each that comes, as
/// examples-c/delete-by-address.c does.
///
/// After ENOBUFS some messages are missing for good. If they were of a dump, dump again; on a
/// handle that receives events, read with nfct_catch() until EAGAIN first: see there.
///
/// Returns 0, with errno 0, when the answer is complete or a callback stopped it; a callback's
/// negative verdict; -1 with EPERM without CAP_NET_ADMIN, with ENOENT if there is no such entry,
/// with EEXIST if the one that is to be created is there, with EBUSY for a change that the entry
/// cannot have, with ENOBUFS when messages were lost, with errno of any other refusal by the
/// kernel, of sending or receiving, with EINVAL for NULL and for an entry without a usable layer 3
/// protocol, with ENOTSUP for an unknown query or a tuple in NFCT_Q_FLUSH_FILTER, with ENOSPC for
/// an entry that does not fit a request, with ENOMEM.
///
/// # Safety
/// `h` is NULL or a live handle; `data` is NULL or points to what the query needs.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfct_query(
    h: *mut nfct_handle,
    query: RawQuery,
    data: *const c_void,
) -> c_int {
    // SAFETY: `h` is NULL or live; `data` is what `request` asks for, until the answer is there.
    unsafe { query_with(h, || request(query, data).map(Request::narrowed)) }
}

/// Sends a query and does not wait for its answer, which nfct_catch() receives. What `data` points
/// to is not needed afterwards: a filter is copied, and selects the entries there too.
///
/// Returns the number of bytes sent; -1 with errno as nfct_query().
///
/// # Safety
/// `h` is NULL or a live handle; `data` is NULL or points to what the query needs.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfct_send(
    h: *mut nfct_handle,
    query: RawQuery,
    data: *const c_void,
) -> c_int {
    // SAFETY: `h` is NULL or live; `data` is what `request` asks for.
    unsafe { send_with(h, || request(query, data).map(Request::narrowed)) }
}

/// Receives messages and hands them to the callbacks, until an answer is complete, a callback ends
/// the loop, or receiving fails. Signals do not end it, but for a handle of ctrs_open(), which has
/// ends of its own: see there.
///
/// A datagram that is not from the kernel (ENOMSG), holds no whole message (EBADMSG), has no
/// netlink address (EINVAL) or was larger than the buffer, which grows (ENOBUFS), is dropped: call
/// again.
///
/// ENOBUFS says that events came faster than they were read, and that some are missing for good.
/// Who keeps a copy of the table calls again until nothing is left (EAGAIN of a non-blocking
/// descriptor), for until then the kernel may drop answers too, and then dumps the table, on
/// another handle or this one, and replaces the copy. A larger buffer (SO_RCVBUF of nfct_fd()) and
/// a filter make it rare.
///
/// Returns 0 at the end of an answer or when a callback stopped the loop; a callback's negative
/// verdict; -1 with EAGAIN when a non-blocking descriptor has nothing more, with ENOBUFS when
/// messages were lost, with ENOENT for a message of a subsystem that is not open, with EBADF when
/// the descriptor was closed, with errno of a refusal by the kernel, with ENOMEM, with EINVAL for
/// NULL.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfct_catch(h: *mut nfct_handle) -> c_int {
    // SAFETY: `h` is NULL or a live handle.
    unsafe { catch(h) }
}

/// Receives whatever comes, until an answer is complete.
///
/// # Safety
/// `h` is NULL or a live handle.
unsafe fn catch(h: *mut nfct_handle) -> c_int {
    let mark = 0u8;
    let begun = boundary(None, || {
        ptr::not_null(h)?;
        Ok(Some(Frame::of(&raw const mark)))
    });
    let Some(now) = begun else { return -1 };
    // SAFETY: the handle is not NULL, so it is live; `now` is in this function's frame.
    unsafe { receive::run(h.cast(), &now, Task::Catch) }
}

/// Sends a query about expectations and hands the answer to the callbacks, as nfct_query() does.
///
/// `data` is a `struct nf_expect` for NFCT_Q_CREATE, NFCT_Q_CREATE_UPDATE, NFCT_Q_GET and
/// NFCT_Q_DESTROY; the address family for NFCT_Q_FLUSH and NFCT_Q_DUMP.
///
/// Returns as nfct_query(); -1 with ENOTSUP for other queries.
///
/// # Safety
/// `h` is NULL or a live handle; `data` is NULL or points to what the query needs.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfexp_query(
    h: *mut nfct_handle,
    qt: RawQuery,
    data: *const c_void,
) -> c_int {
    // SAFETY: `h` is NULL or live; `data` is what `expect_request` asks for, until the answer is
    // there.
    unsafe { query_with(h, || expect_request(qt, data)) }
}

/// Sends a query about expectations and does not wait for its answer, which nfexp_catch() receives.
///
/// Returns the number of bytes sent; -1 with errno as nfexp_query().
///
/// # Safety
/// `h` is NULL or a live handle; `data` is NULL or points to what the query needs.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfexp_send(
    h: *mut nfct_handle,
    qt: RawQuery,
    data: *const c_void,
) -> c_int {
    // SAFETY: `h` is NULL or live; `data` is what `expect_request` asks for.
    unsafe { send_with(h, || expect_request(qt, data)) }
}

/// Receives messages and hands them to the callbacks: the same as nfct_catch().
///
/// Returns as nfct_catch().
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfexp_catch(h: *mut nfct_handle) -> c_int {
    // SAFETY: `h` is NULL or a live handle.
    unsafe { catch(h) }
}
