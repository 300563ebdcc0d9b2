//! Callbacks: registered, and called for a message.

use super::alloc::{Object, Opaque};
use super::boundary::boundary;
use super::state::{Functions, State};
use super::types::{
    ConntrackCallback, ConntrackCallback2, ExpectCallback, ExpectCallback2, RawMsgType,
    nf_conntrack, nf_expect, nfct_handle,
};
use crate::ct::conntrack::Conntrack;
use crate::ct::expect::Expect;
use crate::error::Error;
use crate::netlink::message::Message;
use crate::wire::{cta, decode, expect};
use libc::{c_int, c_void, nlmsghdr};

/// `NFCT_CB_STOP`: what a missing function stands for.
const STOP: c_int = 0;
/// `NFCT_CB_CONTINUE`.
pub(super) const CONTINUE: c_int = 1;
/// `NFCT_CB_STOLEN`: the callback keeps the object.
const STOLEN: c_int = 2;

/// A message for the functions of a handle, so that nothing of the handle is held while they run.
struct Call<T> {
    functions: Functions<T>,
    nlh: *const nlmsghdr,
    change: RawMsgType,
    object: *mut T,
}

impl<T> Call<T> {
    fn new(functions: &Functions<T>, message: &Message<'_>, object: *mut T) -> Self {
        Self {
            functions: *functions,
            nlh: message.bytes().as_ptr().cast(),
            change: functions.wanted(message).unwrap_or(0),
            object,
        }
    }

    /// Calls the function of version 1, or that of version 2 if there is none.
    ///
    /// # Safety
    /// The message and the object are live, and the functions are what C said they are.
    unsafe fn run(&self) -> c_int {
        // SAFETY: this function's contract.
        unsafe {
            match (self.functions.v1, self.functions.v2) {
                (Some(call), _) => call(self.change, self.object, self.functions.data),
                (None, Some(call)) => call(self.nlh, self.change, self.object, self.functions.data),
                (None, None) => STOP,
            }
        }
    }
}

/// An opaque type whose objects callbacks are handed.
pub(super) trait Lendable: Opaque<Inner: Default> + Sized {
    /// The functions that are handed one.
    fn functions(state: &State) -> &Functions<Self>;

    /// Where the object for the next callback is kept.
    fn spare(state: &mut State) -> &mut Option<*mut Object<Self>>;

    /// Reads a message into an object without attributes.
    fn decode(object: &mut Self::Inner, message: &Message<'_>) -> Result<(), Error>;
}

impl Lendable for nf_conntrack {
    fn functions(state: &State) -> &Functions<Self> {
        &state.ct
    }

    fn spare(state: &mut State) -> &mut Option<*mut Object<Self>> {
        &mut state.spare_ct
    }

    fn decode(object: &mut Conntrack, message: &Message<'_>) -> Result<(), Error> {
        decode::as_far_as_possible(object, message)
    }
}

impl Lendable for nf_expect {
    fn functions(state: &State) -> &Functions<Self> {
        &state.exp
    }

    fn spare(state: &mut State) -> &mut Option<*mut Object<Self>> {
        &mut state.spare_exp
    }

    fn decode(object: &mut Expect, message: &Message<'_>) -> Result<(), Error> {
        expect::decode(object, message.attributes(), message.family());
        Ok(())
    }
}

/// Hands a message to the functions of a handle and returns their verdict.
///
/// # Safety
/// `h` is a live handle that is kept from being freed meanwhile.
pub(super) unsafe fn hand<C: Lendable>(h: *mut State, message: &Message<'_>) -> c_int {
    let call = boundary(Err(-1), || {
        // SAFETY: the handle is live, and the reference ends before the function is called.
        let state = unsafe { &mut *h };
        if C::functions(state).wanted(message).is_none() {
            return Ok(Err(CONTINUE));
        }
        let object = match C::spare(state).take() {
            Some(object) => object,
            None => Object::<C>::create()?,
        };
        // SAFETY: nobody else holds the object yet.
        if let Err(error) = C::decode(unsafe { &mut *object }.lend(), message) {
            *C::spare(state) = Some(object);
            return Err(error);
        }
        Ok(Ok(Call::new(C::functions(state), message, object.cast::<C>())))
    });
    let call = match call {
        Ok(call) => call,
        Err(verdict) => return verdict,
    };
    let lent = Lent::<C> { h, object: call.object.cast() };
    // SAFETY: the message is the loop's, the object was just made.
    let verdict = unsafe { call.run() };
    // SAFETY: the object is on loan.
    if verdict == STOLEN && !unsafe { Object::give(lent.object) } {
        std::mem::forget(lent);
    }
    verdict
}

/// An object on loan to a function, taken back when this is dropped, by an exception too.
struct Lent<C: Lendable> {
    h: *mut State,
    object: *mut Object<C>,
}

impl<C: Lendable> Drop for Lent<C> {
    fn drop(&mut self) {
        // SAFETY: the handle is kept from being freed, and the reference ends here.
        let spare = C::spare(unsafe { &mut *self.h });
        match spare {
            // SAFETY: the loop lent the object and has it back.
            Some(_) => unsafe { Object::free(self.object) },
            None => *spare = Some(self.object),
        }
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
    // SAFETY: this function's contract.
    unsafe { with_message(nlh, |message| hand::<nf_conntrack>(data.cast(), message)) }
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
    // SAFETY: this function's contract.
    unsafe { with_message(nlh, |message| hand::<nf_expect>(data.cast(), message)) }
}

/// Calls `f` with the message behind a pointer.
///
/// # Safety
/// `nlh` points to a whole message.
unsafe fn with_message(nlh: *const nlmsghdr, f: impl FnOnce(&Message<'_>) -> c_int) -> c_int {
    // SAFETY: this function's contract.
    let bytes = unsafe { std::slice::from_raw_parts(nlh.cast::<u8>(), (*nlh).nlmsg_len as usize) };
    Message::first(bytes).map_or(CONTINUE, |message| f(&message))
}

/// Changes the functions of a subsystem that is open, and hooks its messages, or unhooks them.
///
/// # Safety
/// `h` is NULL or a live handle.
unsafe fn change(
    h: *mut nfct_handle,
    subsystem: u8,
    hooked: bool,
    f: impl FnOnce(&mut State),
) -> Result<c_int, Error> {
    let call = if subsystem == cta::SUBSYS_CT { hooked_conntrack } else { hooked_expectation };
    // SAFETY: this function's contract.
    let state = unsafe { h.cast::<State>().as_mut() }.ok_or(Error::Null("the handle"))?;
    state.block().hook(subsystem, hooked.then_some(call), h.cast())?;
    f(state);
    Ok(0)
}

/// Registers the function that conntrack messages go to, in place of one registered before.
///
/// `type` says which: NFCT_T_NEW, NFCT_T_UPDATE (also answers to dumps and gets), NFCT_T_DESTROY,
/// or NFCT_T_ALL. The function returns NFCT_CB_CONTINUE, NFCT_CB_STOP, NFCT_CB_STOLEN (the object is
/// its own now, for nfct_destroy()), or a negative number, which ends the loop and is returned. The
/// object is the function's to use until it returns; if the function destroys it, it is freed once,
/// whatever is returned. While both versions are registered, this one is called. It may call any
/// function of this library, on the same handle too.
/// Returns 0; -1 with EINVAL for NULL or a handle opened without conntrack.
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
    let cb: ConntrackCallback = cb;
    boundary(-1, || {
        // SAFETY: this function's contract.
        unsafe {
            change(h, cta::SUBSYS_CT, true, |state| {
                state.ct = Functions { types: r#type, data, v1: cb, v2: state.ct.v2 };
            })
        }
    })
}

/// Removes the function registered with nfct_callback_register(); conntrack messages go nowhere
/// then, not even to one registered with nfct_callback_register2().
///
/// Sets errno to EINVAL for NULL or a handle opened without conntrack.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_callback_unregister(h: *mut nfct_handle) {
    boundary(0, || {
        // SAFETY: this function's contract.
        unsafe {
            change(h, cta::SUBSYS_CT, false, |state| {
                state.ct.v1 = None;
                state.ct.forget();
            })
        }
    });
}

/// Registers a function as nfct_callback_register() does, which is handed the message too.
///
/// The message is valid until the function returns.
/// Returns 0; -1 with EINVAL for NULL or a handle opened without conntrack.
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
    let cb: ConntrackCallback2 = cb;
    boundary(-1, || {
        // SAFETY: this function's contract.
        unsafe {
            change(h, cta::SUBSYS_CT, true, |state| {
                state.ct = Functions { types: r#type, data, v1: state.ct.v1, v2: cb };
            })
        }
    })
}

/// Removes the function registered with nfct_callback_register2(); conntrack messages go nowhere
/// then.
///
/// Sets errno to EINVAL for NULL or a handle opened without conntrack.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_callback_unregister2(h: *mut nfct_handle) {
    boundary(0, || {
        // SAFETY: this function's contract.
        unsafe {
            change(h, cta::SUBSYS_CT, false, |state| {
                state.ct.v2 = None;
                state.ct.forget();
            })
        }
    });
}

/// Registers the function that expectation messages go to, as nfct_callback_register() does for
/// conntrack messages. A stolen object is released with nfexp_destroy(); one that the function
/// destroys is freed once, whatever is returned.
///
/// Returns 0; -1 with EINVAL for NULL or a handle opened without expectations.
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
    let cb: ExpectCallback = cb;
    boundary(-1, || {
        // SAFETY: this function's contract.
        unsafe {
            change(h, cta::SUBSYS_EXP, true, |state| {
                state.exp = Functions { types: r#type, data, v1: cb, v2: state.exp.v2 };
            })
        }
    })
}

/// Removes the function registered with nfexp_callback_register(); expectation messages go nowhere
/// then.
///
/// Sets errno to EINVAL for NULL or a handle opened without expectations.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_callback_unregister(h: *mut nfct_handle) {
    boundary(0, || {
        // SAFETY: this function's contract.
        unsafe {
            change(h, cta::SUBSYS_EXP, false, |state| {
                state.exp.v1 = None;
                state.exp.forget();
            })
        }
    });
}

/// Registers a function as nfexp_callback_register() does, which is handed the message too.
///
/// Returns 0; -1 with EINVAL for NULL or a handle opened without expectations.
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
    let cb: ExpectCallback2 = cb;
    boundary(-1, || {
        // SAFETY: this function's contract.
        unsafe {
            change(h, cta::SUBSYS_EXP, true, |state| {
                state.exp = Functions { types: r#type, data, v1: state.exp.v1, v2: cb };
            })
        }
    })
}

/// Removes the function registered with nfexp_callback_register2(); expectation messages go nowhere
/// then.
///
/// Sets errno to EINVAL for NULL or a handle opened without expectations.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfexp_callback_unregister2(h: *mut nfct_handle) {
    boundary(0, || {
        // SAFETY: this function's contract.
        unsafe {
            change(h, cta::SUBSYS_EXP, false, |state| {
                state.exp.v2 = None;
                state.exp.forget();
            })
        }
    });
}
