//! Callbacks: registered, and called for a message.

use super::beyond::Beyond;
use super::receive;
use super::state::{self, Held, State};
use super::types::{RawMsgType, nf_conntrack, nf_expect, nfct_handle};
use crate::capi::ffi::alloc::{Loan, Opaque};
use crate::capi::ffi::at_work::Frame;
use crate::capi::ffi::boundary::boundary;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::nfnl::{CallbackFunction, Registration};
use crate::capi::ffi::ptr;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::expectation::Expect;
use crate::conntrack::selection::{Judgement, Selections};
use crate::conntrack::wire::{Change, expect};
use crate::nested::Token;
use crate::netlink::message::Message;
use libc::{c_int, c_void, nlmsghdr};

/// `NFCT_CB_FAILURE`.
pub(super) const FAILURE: c_int = -1;
/// `NFCT_CB_STOP`: what a missing function stands for.
const STOP: c_int = 0;
/// `NFCT_CB_CONTINUE`.
pub(super) const CONTINUE: c_int = 1;
/// `NFCT_CB_STOLEN`: the callback keeps the object.
const STOLEN: c_int = 2;

/// The functions of one subsystem, and what both are called with.
pub(super) struct Functions<T> {
    /// Which changes are wanted, `NFCT_T_*`.
    pub(super) types: RawMsgType,
    pub(super) data: *mut c_void,
    pub(super) v1: Option<unsafe extern "C-unwind" fn(RawMsgType, *mut T, *mut c_void) -> c_int>,
    pub(super) v2: Option<
        unsafe extern "C-unwind" fn(*const nlmsghdr, RawMsgType, *mut T, *mut c_void) -> c_int,
    >,
}

impl<T> Clone for Functions<T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T> Copy for Functions<T> {}

impl<T> Default for Functions<T> {
    fn default() -> Self {
        Self { types: 0, data: std::ptr::null_mut(), v1: None, v2: None }
    }
}

/// What decides which objects are handed to callbacks.
pub(super) struct Judges<'a> {
    /// Those of dumps.
    pub dumps: &'a Selections,
    /// That of events.
    pub events: Option<&'a dyn Beyond>,
}

/// An opaque type whose objects callbacks are handed.
pub(super) trait Lendable: Opaque<Inner: Default> + Sized {
    /// The subsystem whose messages tell of them.
    const SUBSYSTEM: Registration;
    /// What libnfnetlink calls for such a message.
    const HOOK: CallbackFunction;

    /// The functions that are handed one.
    fn functions(state: &mut State) -> &mut Functions<Self>;

    /// Where the object for the next callback is kept.
    fn spare(state: &mut State) -> &mut Option<Loan<Self>>;

    /// What the callback of a call has on loan.
    fn lent(held: &mut Held) -> &mut Option<Loan<Self>>;

    /// Reads a message into an object without attributes, and tells what becomes of it.
    fn read(
        judges: &Judges<'_>,
        message: &Message<'_>,
        object: &mut Self::Inner,
    ) -> Result<Judgement, Error>;
}

impl Lendable for nf_conntrack {
    const SUBSYSTEM: Registration = state::CONNTRACK;
    const HOOK: CallbackFunction = hooked_conntrack;

    fn functions(state: &mut State) -> &mut Functions<Self> {
        &mut state.ct
    }

    fn spare(state: &mut State) -> &mut Option<Loan<Self>> {
        &mut state.spare_ct
    }

    fn lent(held: &mut Held) -> &mut Option<Loan<Self>> {
        &mut held.ct
    }

    fn read(
        judges: &Judges<'_>,
        message: &Message<'_>,
        object: &mut Conntrack,
    ) -> Result<Judgement, Error> {
        let judgement = judges.dumps.read(message, object)?;
        Ok(match judges.events {
            Some(events) if !events.lets_pass(message, object) => Judgement::Skip,
            _ => judgement,
        })
    }
}

impl Lendable for nf_expect {
    const SUBSYSTEM: Registration = state::EXPECTATIONS;
    const HOOK: CallbackFunction = hooked_expectation;

    fn functions(state: &mut State) -> &mut Functions<Self> {
        &mut state.exp
    }

    fn spare(state: &mut State) -> &mut Option<Loan<Self>> {
        &mut state.spare_exp
    }

    fn lent(held: &mut Held) -> &mut Option<Loan<Self>> {
        &mut held.exp
    }

    fn read(
        _: &Judges<'_>,
        message: &Message<'_>,
        object: &mut Expect,
    ) -> Result<Judgement, Error> {
        expect::decode(object, message.attributes(), message.family());
        Ok(Judgement::HandOut)
    }
}

/// What is done with a message.
enum Decision<C> {
    /// Nothing: it is of no type that the functions are registered for, or of an entry that the
    /// filter of the dump does not select.
    Unwanted,
    /// The functions are called with this object; or, if its counters are to be zeroed, with the
    /// entry in the answer to the request that does that.
    Call { zero: bool, functions: Functions<C>, change: RawMsgType, object: *mut C },
}

/// Hands a message to the functions of a handle and returns their verdict.
///
/// The functions may jump away or throw, and this frame then ends without running any code: it has
/// nothing to drop.
///
/// # Safety
/// `h` is a live handle, `token` a call at work on it.
pub(super) unsafe fn call_registered<C: Lendable>(
    h: *mut State,
    token: Token,
    message: &Message<'_>,
) -> c_int {
    let decision = boundary(None, || {
        // SAFETY: the handle is live, and the reference ends before the function is called.
        let state = unsafe { &mut *h };
        let functions = *C::functions(state);
        let Some(change) = Change::among(message, functions.types) else {
            return Ok(Some(Decision::Unwanted));
        };
        let (judgement, object) = state.lend::<C>(token, message)?;
        let zero = judgement == Judgement::Zero;
        Ok(Some(match judgement {
            Judgement::Skip => Decision::Unwanted,
            _ => Decision::Call { zero, functions, change: change as RawMsgType, object },
        }))
    });
    let Some(decision) = decision else { return FAILURE };
    let Decision::Call { zero, functions, change, object } = decision else { return CONTINUE };
    // SAFETY: the call at work has kept the handle from being freed, and has the object on loan; no
    // reference into the handle is held while a function runs; they are what C said they are.
    unsafe {
        let told = if zero { receive::read_and_zero(h, token, object.cast()) } else { None };
        let verdict = match (told, functions.v1, functions.v2) {
            (Some(verdict), _, _) => verdict,
            (_, Some(call), _) => call(change, object, functions.data),
            (_, _, Some(call)) => call(ptr::message(message), change, object, functions.data),
            _ => STOP,
        };
        (*h).take_back::<C>(token, verdict == STOLEN && told.is_none());
        verdict
    }
}

/// What libnfnetlink calls for a conntrack message, when a program receives with that library.
///
/// # Safety
/// `nlh` is a whole message; `data` is the handle that hooked it.
unsafe extern "C-unwind" fn hooked_conntrack(
    nlh: *mut nlmsghdr,
    _attributes: *mut *mut c_void,
    data: *mut c_void,
) -> c_int {
    // SAFETY: the message is whole, and `data` is the handle that hooked it, which is live while it
    // is hooked.
    unsafe { hooked::<nf_conntrack>(nlh, data.cast()) }
}

/// What libnfnetlink calls for an expectation message.
///
/// # Safety
/// `nlh` is a whole message; `data` is the handle that hooked it.
unsafe extern "C-unwind" fn hooked_expectation(
    nlh: *mut nlmsghdr,
    _attributes: *mut *mut c_void,
    data: *mut c_void,
) -> c_int {
    // SAFETY: the message is whole, and `data` is the handle that hooked it, which is live while it
    // is hooked.
    unsafe { hooked::<nf_expect>(nlh, data.cast()) }
}

/// Hands on a message that libnfnetlink received: a call at work like any other.
///
/// # Safety
/// `nlh` points to a whole message; `h` is a live handle.
unsafe fn hooked<C: Lendable>(nlh: *const nlmsghdr, h: *mut State) -> c_int {
    // SAFETY: the message is whole: it has as many bytes as its header says.
    let bytes = unsafe { std::slice::from_raw_parts(nlh.cast::<u8>(), (*nlh).nlmsg_len as usize) };
    let Some(message) = Message::first(bytes) else { return CONTINUE };
    let mark = 0u8;
    let frame = Frame::of(&raw const mark);
    let entered = boundary(None, || {
        // SAFETY: the handle is live, and the reference ends before a function of the program is
        // called.
        let state = unsafe { &mut *h };
        state.calls.receive_elsewhere();
        Ok(Some(state.calls.enter(&frame, frame)?))
    });
    let Some(token) = entered else { return FAILURE };
    // SAFETY: the call is at work until it leaves.
    unsafe {
        let verdict = call_registered::<C>(h, token, &message);
        State::leave(h, token);
        verdict
    }
}

/// Changes the functions of a subsystem that is open, and hooks its messages: which are wanted, and
/// what the functions are called with. `None` unhooks them.
///
/// # Safety
/// `h` is NULL or a live handle.
unsafe fn set_functions<C: Lendable>(
    h: *mut nfct_handle,
    wanted: Option<(RawMsgType, *mut c_void)>,
    change: impl FnOnce(&mut Functions<C>),
) -> c_int {
    boundary(-1, || {
        // SAFETY: `h` is NULL or live, and used by nobody else during the call.
        let state = unsafe { State::of(h) }?;
        state.block().hook(&C::SUBSYSTEM, wanted.map(|_| C::HOOK), h.cast())?;
        let functions = C::functions(state);
        (functions.types, functions.data) = wanted.unwrap_or((0, std::ptr::null_mut()));
        change(functions);
        Ok(0)
    })
}

/// Registers the function that messages about entries go to, in place of one registered before.
///
/// `type` says which: NFCT_T_NEW, NFCT_T_UPDATE (also answers to dumps and gets), NFCT_T_DESTROY,
/// several of these, or NFCT_T_ALL. `data` is handed on as it is.
///
/// The function returns NFCT_CB_CONTINUE, NFCT_CB_STOP, NFCT_CB_STOLEN (the entry is the program's
/// now, for nfct_destroy()), or a negative number, which ends the loop and is returned. The entry
/// is the function's to use until it returns; if the function destroys it, it is freed once,
/// whatever is returned. While a function of nfct_callback_register2() is registered too, this one
/// is called. It may call any function of this library, on the same handle too.
///
/// Returns 0; -1 with EINVAL for NULL or a handle opened without CONNTRACK.
///
/// # Safety
/// `h` is NULL or a live handle; `cb` may be called with `data` while it is registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_callback_register(
    h: *mut nfct_handle,
    r#type: RawMsgType,
    cb: Option<
        unsafe extern "C-unwind" fn(
            r#type: RawMsgType,
            ct: *mut nf_conntrack,
            data: *mut c_void,
        ) -> c_int,
    >,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `h` is NULL or live; the function may be called with `data` as long as it is
    // registered.
    unsafe { set_functions::<nf_conntrack>(h, Some((r#type, data)), |to| to.v1 = cb) }
}

/// Removes the function of nfct_callback_register(). Messages about entries go nowhere then, not
/// even to a function of nfct_callback_register2().
///
/// Sets errno to EINVAL for NULL or a handle opened without CONNTRACK.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_callback_unregister(h: *mut nfct_handle) {
    // SAFETY: `h` is NULL or live, and used by nobody else during the call.
    unsafe { set_functions::<nf_conntrack>(h, None, |to| to.v1 = None) };
}

/// Registers a function as nfct_callback_register() does, which is handed the message too. The
/// message is valid until the function returns.
///
/// Returns 0; -1 with EINVAL for NULL or a handle opened without CONNTRACK.
///
/// # Safety
/// `h` is NULL or a live handle; `cb` may be called with `data` while it is registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_callback_register2(
    h: *mut nfct_handle,
    r#type: RawMsgType,
    cb: Option<
        unsafe extern "C-unwind" fn(
            nlh: *const nlmsghdr,
            r#type: RawMsgType,
            ct: *mut nf_conntrack,
            data: *mut c_void,
        ) -> c_int,
    >,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `h` is NULL or live; the function may be called with `data` as long as it is
    // registered.
    unsafe { set_functions::<nf_conntrack>(h, Some((r#type, data)), |to| to.v2 = cb) }
}

/// Removes the function of nfct_callback_register2(). Messages about entries go nowhere then.
///
/// Sets errno to EINVAL for NULL or a handle opened without CONNTRACK.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_callback_unregister2(h: *mut nfct_handle) {
    // SAFETY: `h` is NULL or live, and used by nobody else during the call.
    unsafe { set_functions::<nf_conntrack>(h, None, |to| to.v2 = None) };
}

/// Registers the function that messages about expectations go to, as nfct_callback_register() does
/// for entries. A stolen expectation is released with nfexp_destroy(); one that the function
/// destroys is freed once, whatever is returned.
///
/// Returns 0; -1 with EINVAL for NULL or a handle opened without EXPECT.
///
/// # Safety
/// `h` is NULL or a live handle; `cb` may be called with `data` while it is registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_callback_register(
    h: *mut nfct_handle,
    r#type: RawMsgType,
    cb: Option<
        unsafe extern "C-unwind" fn(
            r#type: RawMsgType,
            exp: *mut nf_expect,
            data: *mut c_void,
        ) -> c_int,
    >,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `h` is NULL or live; the function may be called with `data` as long as it is
    // registered.
    unsafe { set_functions::<nf_expect>(h, Some((r#type, data)), |to| to.v1 = cb) }
}

/// Removes the function of nfexp_callback_register(). Messages about expectations go nowhere then.
///
/// Sets errno to EINVAL for NULL or a handle opened without EXPECT.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_callback_unregister(h: *mut nfct_handle) {
    // SAFETY: `h` is NULL or live, and used by nobody else during the call.
    unsafe { set_functions::<nf_expect>(h, None, |to| to.v1 = None) };
}

/// Registers a function as nfexp_callback_register() does, which is handed the message too. The
/// message is valid until the function returns.
///
/// Returns 0; -1 with EINVAL for NULL or a handle opened without EXPECT.
///
/// # Safety
/// `h` is NULL or a live handle; `cb` may be called with `data` while it is registered.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_callback_register2(
    h: *mut nfct_handle,
    r#type: RawMsgType,
    cb: Option<
        unsafe extern "C-unwind" fn(
            nlh: *const nlmsghdr,
            r#type: RawMsgType,
            exp: *mut nf_expect,
            data: *mut c_void,
        ) -> c_int,
    >,
    data: *mut c_void,
) -> c_int {
    // SAFETY: `h` is NULL or live; the function may be called with `data` as long as it is
    // registered.
    unsafe { set_functions::<nf_expect>(h, Some((r#type, data)), |to| to.v2 = cb) }
}

/// Removes the function of nfexp_callback_register2(). Messages about expectations go nowhere then.
///
/// Sets errno to EINVAL for NULL or a handle opened without EXPECT.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_callback_unregister2(h: *mut nfct_handle) {
    // SAFETY: `h` is NULL or live, and used by nobody else during the call.
    unsafe { set_functions::<nf_expect>(h, None, |to| to.v2 = None) };
}
