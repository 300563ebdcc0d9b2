//! Requests and receive loops: queries, sends, catches.

use super::boundary::boundary;
use super::callback;
use super::nfnl::Callback;
use super::ptr;
use super::state::State;
use super::types::{RawQuery, nf_conntrack, nf_expect, nfct_filter_dump, nfct_handle};
use crate::error::Error;
use crate::handle::{Goal, Receiver};
use crate::netlink::message::{ATTRIBUTE_HEADER_SIZE, Attributes, Message};
use crate::wire::cta;
use crate::wire::query::{Fill, Query, Request};
use libc::{c_int, c_void};

/// What a query of conntrack is filled with: the object, family or filter behind `data`.
///
/// # Safety
/// `data` is NULL or points to what the query needs, which outlives the request.
pub(super) unsafe fn request<'a>(
    number: RawQuery,
    data: *const c_void,
) -> Result<Request<'a>, Error> {
    ptr::not_null(data, "the data")?;
    let query = Query::try_from(number)?;
    // SAFETY: this function's contract. Of a family programs pass one, two or four bytes: the first
    // one counts.
    Ok(unsafe {
        match query.fill() {
            Fill::Object => Request::Entry(query, ptr::shared(data.cast::<nf_conntrack>())?),
            Fill::Family => Request::Entries(query, ptr::read(data)?),
            Fill::Filter => Request::Filtered(query, ptr::shared(data.cast::<nfct_filter_dump>())?),
        }
    })
}

/// What a query of expectations is filled with.
///
/// # Safety
/// `data` is NULL or points to what the query needs, which outlives the request.
pub(super) unsafe fn expect_request<'a>(
    number: RawQuery,
    data: *const c_void,
) -> Result<Request<'a>, Error> {
    ptr::not_null(data, "the data")?;
    let query = Query::try_from(number)?.for_expectations()?;
    // SAFETY: this function's contract.
    Ok(unsafe {
        match query.fill() {
            Fill::Object => Request::Expectation(query, ptr::shared(data.cast::<nf_expect>())?),
            _ => Request::Expectations(query, ptr::read(data)?),
        }
    })
}

/// Receive loops of one call, which keep the handle from being freed and end when this is dropped,
/// by an exception of a callback too.
struct Loop {
    state: *mut State,
    receiver: Option<Receiver>,
}

impl Loop {
    /// Begins.
    ///
    /// # Safety
    /// `h` is NULL or a live handle.
    unsafe fn enter(h: *mut nfct_handle) -> Result<Self, Error> {
        let state: *mut State = h.cast();
        // SAFETY: this function's contract.
        unsafe { state.as_mut() }.ok_or(Error::Null("the handle"))?.enter();
        Ok(Self { state, receiver: None })
    }

    /// The handle. The reference must end before a callback runs.
    fn state(&mut self) -> &mut State {
        // SAFETY: `enter` keeps the handle from being freed.
        unsafe { &mut *self.state }
    }

    /// Sends a request and returns once its answer is complete, or a callback ends the loop.
    fn query(&mut self, request: &Request<'_>) -> c_int {
        if request.query().is_dump() {
            // The kernel runs one dump at a time: one that was given up has to end first.
            let given_up = boundary(Err(-1), || {
                self.begin(|state| {
                    let core = &mut state.core;
                    core.abandoned_dump().map(|seq| core.receiver(Goal::EndOfDump(seq))).transpose()
                })
                .map(Ok)
            });
            match given_up {
                Err(result) => return result,
                Ok(false) => {}
                Ok(true) => {
                    let result = self.run();
                    if self.state().core.abandoned_dump().is_some() {
                        return result;
                    }
                }
            }
        }
        let begun = boundary(false, || {
            self.begin(|state| {
                let receiver = state.core.query(request);
                state.write_block();
                receiver.map(Some)
            })
        });
        if begun { self.run() } else { -1 }
    }

    /// Begins a loop with the receiver that `f` makes of the handle, if it makes one.
    fn begin(
        &mut self,
        f: impl FnOnce(&mut State) -> Result<Option<Receiver>, Error>,
    ) -> Result<bool, Error> {
        let state = self.state();
        state.read_block();
        self.receiver = f(state)?;
        Ok(self.receiver.is_some())
    }

    /// Receives until the goal is met or a callback ends the loop, and returns what C is told.
    fn run(&mut self) -> c_int {
        let result = loop {
            let target = boundary(Err(-1), || self.step().map(Ok));
            let verdict = match (target, self.receiver.as_ref().and_then(Receiver::message)) {
                // SAFETY: the handle is kept alive and no reference into it is held; the message
                // is in the loop's own buffer.
                (Ok(Some(target)), Some(message)) => unsafe {
                    deliver(self.state, target, &message)
                },
                (Err(result), _) => break result,
                _ => break 0,
            };
            if verdict <= 0 {
                break verdict;
            }
        };
        self.end();
        result
    }

    /// Goes to the next message that has somewhere to go.
    fn step(&mut self) -> Result<Option<Callback>, Error> {
        // SAFETY: as in `state`, which would borrow the receiver too.
        let state = unsafe { &mut *self.state };
        let Some(receiver) = &mut self.receiver else { return Ok(None) };
        loop {
            if state.is_closing() {
                return Err(Error::Closed);
            }
            state.read_block();
            if !state.core.next(receiver)? {
                return Ok(None);
            }
            let Some(message) = receiver.message() else { return Ok(None) };
            let target = state.block().callback(message.subsystem(), message.number());
            let target = target.ok_or(Error::ForeignMessage)?;
            if target.call.is_some() && target.attr_count > 0 {
                return Ok(Some(target));
            }
        }
    }

    fn end(&mut self) {
        if let Some(receiver) = self.receiver.take() {
            self.state().core.end(receiver);
        }
    }
}

impl Drop for Loop {
    fn drop(&mut self) {
        self.end();
        // SAFETY: `enter` kept the handle from being freed until here.
        unsafe { State::leave(self.state) };
    }
}

/// Hands a message to what it goes to.
///
/// # Safety
/// `state` is a live handle that is kept from being freed.
unsafe fn deliver(state: *mut State, target: Callback, message: &Message<'_>) -> c_int {
    let ours = std::ptr::eq(target.data.cast(), state);
    // SAFETY: this function's contract.
    unsafe {
        match message.subsystem() {
            cta::SUBSYS_CT if ours => callback::hand::<nf_conntrack>(state, message),
            cta::SUBSYS_EXP if ours => callback::hand::<nf_expect>(state, message),
            _ => foreign(target, message),
        }
    }
}

/// Hands a message to a function registered with libnfnetlink: with its attributes, by number - 1.
///
/// # Safety
/// `target` is from an open subsystem.
unsafe fn foreign(target: Callback, message: &Message<'_>) -> c_int {
    let count = usize::from(target.attr_count);
    let table = boundary(None, || {
        let mut table: Vec<*mut c_void> = Vec::new();
        table.try_reserve_exact(count)?;
        table.resize(count, std::ptr::null_mut());
        for attribute in Attributes::new(message.attributes()) {
            let slot = usize::from(attribute.kind).checked_sub(1).and_then(|at| table.get_mut(at));
            if let Some(slot) = slot {
                let value = attribute.value.as_ptr().cast_mut();
                *slot = value.wrapping_sub(ATTRIBUTE_HEADER_SIZE).cast();
            }
        }
        Ok(Some(table))
    });
    let (Some(mut table), Some(call)) = (table, target.call) else { return -1 };
    let nlh = message.bytes().as_ptr().cast_mut().cast();
    // SAFETY: the function is what the program registered for such messages.
    unsafe { call(nlh, table.as_mut_ptr(), target.data) }
}

/// Sends a query and hands the answer, and the events that come before it, to the callbacks.
///
/// `data` is a `struct nf_conntrack` for CREATE, UPDATE, DESTROY, GET and CREATE_UPDATE; the address
/// family (AF_UNSPEC is all), of which the first byte counts, for FLUSH (which ignores it), DUMP and
/// DUMP_RESET; a `struct nfct_filter_dump` for the filtered ones. A query gets its own answer also
/// after a callback stopped an earlier one. A dump holds one datagram in memory, whatever its length.
///
/// Returns 0 when the answer is complete or a callback stopped it, a callback's negative verdict, or
/// -1 with errno: that of the kernel's refusal (EPERM without CAP_NET_ADMIN, ENOENT, EEXIST, EBUSY,
/// ...), of sending or receiving (ENOBUFS: messages were lost), EINVAL for NULL and for an object
/// without a usable layer 3 protocol, ENOTSUP for an unknown query or a tuple in FLUSH_FILTER, ENOSPC
/// for an object that does not fit a request, ENOMEM.
///
/// # Safety
/// `h` is NULL or a live handle; `data` is NULL or points to what the query needs.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfct_query(
    h: *mut nfct_handle,
    query: RawQuery,
    data: *const c_void,
) -> c_int {
    // SAFETY: this function's contract.
    let begun = boundary(None, || unsafe { Ok(Some((Loop::enter(h)?, request(query, data)?))) });
    begun.map_or(-1, |(mut this, request)| this.query(&request))
}

/// Sends a query and does not wait for its answer, which nfct_catch() receives.
///
/// Returns the number of bytes sent; -1 with errno as nfct_query().
///
/// # Safety
/// `h` is NULL or a live handle; `data` is NULL or points to what the query needs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_send(
    h: *mut nfct_handle,
    query: RawQuery,
    data: *const c_void,
) -> c_int {
    // SAFETY: this function's contract.
    boundary(-1, || unsafe {
        let state = h.cast::<State>().as_mut().ok_or(Error::Null("the handle"))?;
        state.core.send(&request(query, data)?).map(|sent| sent as c_int)
    })
}

/// Receives messages and hands them to the callbacks, until an answer is complete, a callback ends
/// the loop, or receiving fails. Signals do not end it.
///
/// A datagram that is not from the kernel (ENOMSG), holds no whole message (EBADMSG), has no netlink
/// address (EINVAL) or was larger than the buffer, which grows (ENOBUFS), is dropped: call again.
///
/// Returns 0 at the end of an answer or when a callback stopped the loop, a callback's negative
/// verdict, or -1 with errno: EAGAIN when a non-blocking descriptor has nothing more, ENOBUFS when
/// messages were lost (call again), ENOENT for a message of a subsystem that is not open, EBADF when
/// the descriptor was closed, that of a refusal by the kernel, ENOMEM, EINVAL for NULL.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfct_catch(h: *mut nfct_handle) -> c_int {
    // SAFETY: the same contract.
    unsafe { catch(h) }
}

/// Receives whatever comes, until an answer is complete.
///
/// # Safety
/// `h` is NULL or a live handle.
unsafe fn catch(h: *mut nfct_handle) -> c_int {
    let begun = boundary(None, || {
        // SAFETY: this function's contract.
        let mut this = unsafe { Loop::enter(h) }?;
        this.begin(|state| state.core.receiver(Goal::Anything).map(Some))?;
        Ok(Some(this))
    });
    begun.map_or(-1, |mut this| this.run())
}

/// Sends a query about expectations and hands the answer to the callbacks, as nfct_query() does.
///
/// `data` is a `struct nf_expect` for CREATE, CREATE_UPDATE, GET and DESTROY; the address family for
/// FLUSH and DUMP. The other queries give -1 with ENOTSUP. Returns as nfct_query().
///
/// # Safety
/// `h` is NULL or a live handle; `data` is NULL or points to what the query needs.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfexp_query(
    h: *mut nfct_handle,
    qt: RawQuery,
    data: *const c_void,
) -> c_int {
    // SAFETY: this function's contract.
    let begun =
        boundary(None, || unsafe { Ok(Some((Loop::enter(h)?, expect_request(qt, data)?))) });
    begun.map_or(-1, |(mut this, request)| this.query(&request))
}

/// Sends a query about expectations and does not wait for its answer.
///
/// Returns the number of bytes sent; -1 with errno as nfexp_query().
///
/// # Safety
/// `h` is NULL or a live handle; `data` is NULL or points to what the query needs.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_send(
    h: *mut nfct_handle,
    qt: RawQuery,
    data: *const c_void,
) -> c_int {
    // SAFETY: this function's contract.
    boundary(-1, || unsafe {
        let state = h.cast::<State>().as_mut().ok_or(Error::Null("the handle"))?;
        state.core.send(&expect_request(qt, data)?).map(|sent| sent as c_int)
    })
}

/// Receives messages and hands them to the callbacks: the same as nfct_catch().
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfexp_catch(h: *mut nfct_handle) -> c_int {
    // SAFETY: the same contract.
    unsafe { catch(h) }
}
