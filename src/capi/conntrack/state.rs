//! What is behind a `struct nfct_handle`.

use super::beyond::{Beyond, Handle, Kept, Waker};
use super::callback::{Functions, Judges, Lendable};
use super::request::Built;
use super::types::{nf_conntrack, nf_expect, nfct_handle};
use crate::capi::ffi::alloc::{Loan, place, unplace};
use crate::capi::ffi::at_work::Frame;
use crate::capi::ffi::cancel::without_cancellation;
use crate::capi::ffi::closed::{self, Closable, Closed, End};
use crate::capi::ffi::error::Error;
use crate::capi::ffi::explained::{ctrs_error, ctrs_error_kind};
use crate::capi::ffi::nfnl::{Block, Callback, Registration};
use crate::conntrack::calls::Calls;
use crate::conntrack::selection::Judgement;
use crate::conntrack::wire::query::Request;
use crate::nested::Token;
use crate::netlink::exchange::{Cursor, Place, Step};
use crate::netlink::message::Message;
use crate::netlink::socket::Socket;
use crate::uapi::cta;
use libc::c_void;

const HEARD: &[u8] = &[cta::MSG_NEW, cta::MSG_DELETE];

/// Conntrack, as libnfnetlink knows it.
pub(super) const CONNTRACK: Registration = Registration {
    id: cta::SUBSYS_CT,
    messages: 8,
    attributes: cta::TIMESTAMP_EVENT,
    heard: HEARD,
};

/// Expectations, as libnfnetlink knows them.
pub(super) const EXPECTATIONS: Registration =
    Registration { id: cta::SUBSYS_EXP, messages: 4, attributes: cta::EXPECT_FN, heard: HEARD };

/// A socket, its callbacks, and the calls at work on it.
pub(in crate::capi) struct State {
    pub(super) calls: Calls<Frame, Held>,
    block: *mut Block,
    pub(super) ct: Functions<nf_conntrack>,
    pub(super) exp: Functions<nf_expect>,
    /// An object to lend to the next callback.
    pub(super) spare_ct: Option<Loan<nf_conntrack>>,
    /// The same for expectations.
    pub(super) spare_exp: Option<Loan<nf_expect>>,
    end: End<Self>,
    beyond: Option<Kept>,
    /// Whether there was no memory for that.
    lacked_memory: bool,
}

/// What a call holds.
#[derive(Default)]
pub(super) struct Held {
    /// The attributes that a function registered with libnfnetlink is handed.
    pub(super) table: Vec<*mut c_void>,
    /// What its callback has on loan.
    pub(super) ct: Option<Loan<nf_conntrack>>,
    /// The same for expectations.
    pub(super) exp: Option<Loan<nf_expect>>,
}

/// What a receive loop does next.
pub(super) enum NextStep {
    /// Send the request.
    Send,
    /// Receive a datagram, and wait for one or not.
    Receive(bool),
    /// Hand this message to what it goes to.
    Deliver(Callback, Place),
    /// The answer is complete.
    End,
}

impl State {
    /// A handle for the subsystems that `subsystem` stands for: 0 for both, 1 or 2 for one of
    /// them, any other number for none.
    ///
    /// # Safety
    /// `block` is a live block, which the handle takes over if this succeeds.
    pub(super) unsafe fn new(
        socket: Socket,
        block: *mut Block,
        subsystem: u8,
        groups: u32,
    ) -> Result<*mut Self, (Socket, Error)> {
        // SAFETY: the block is live, and used by nobody else while a handle is made of it.
        let this = unsafe { &mut *block };
        let wanted = match subsystem {
            0 => &[CONNTRACK, EXPECTATIONS][..],
            1 => &[CONNTRACK],
            2 => &[EXPECTATIONS],
            _ => &[],
        };
        for (at, one) in wanted.iter().enumerate() {
            if let Err(error) = this.open(&socket, one, groups) {
                wanted.iter().take(at).for_each(|one| this.close(one.id));
                return Err((socket, error));
            }
        }
        let state = Self {
            calls: Calls::new(socket, this.seq),
            block,
            ct: Functions::default(),
            exp: Functions::default(),
            spare_ct: None,
            spare_exp: None,
            end: End::default(),
            beyond: None,
            lacked_memory: false,
        };
        place(Handle { state, waker: Waker::default() }).map(<*mut Handle>::cast).map_err(
            |(handle, error)| {
                wanted.iter().for_each(|one| this.close(one.id));
                (handle.state.calls.into_socket(), error)
            },
        )
    }

    /// The state behind a handle, or [`Error::NULL`].
    ///
    /// # Safety
    /// `h` is NULL or a live handle, which nobody else uses while the reference is used.
    pub(super) unsafe fn of<'a>(h: *mut nfct_handle) -> Result<&'a mut Self, Error> {
        // SAFETY: `h` is NULL or live, and a live handle is a state that `new` made.
        unsafe { h.cast::<Self>().as_mut() }.ok_or(Error::NULL)
    }

    /// Keeps something with the handle.
    pub(super) fn keep(&mut self, beyond: Kept) {
        self.beyond = Some(beyond);
    }

    /// The handle's own socket, and what it has beyond it, which `make` makes if nothing did.
    pub(super) fn extended(
        &mut self,
        make: impl FnOnce() -> Result<Kept, Error>,
    ) -> Result<(&Socket, *mut dyn Beyond), Error> {
        if self.end.is_closed() {
            return Err(Error::CLOSED);
        }
        if self.beyond.is_none() {
            let made = make();
            self.lacked_memory = made.is_err();
            self.beyond = Some(made?);
        }
        let beyond = self.beyond.as_ref().map(Kept::as_ptr).ok_or(Error::OUT_OF_MEMORY)?;
        Ok((self.calls.main().socket(), beyond))
    }

    /// What ends the waits of the original's functions; `None` where they wait as they always did.
    pub(super) fn patience(&self) -> Option<*const dyn Beyond> {
        let beyond = self.beyond.as_ref()?;
        beyond.get().ends_waits().then(|| beyond.as_ptr().cast_const())
    }

    /// Notes that messages did not fit the receive buffer.
    pub(super) fn overrun(&mut self) {
        if let Some(beyond) = &self.beyond {
            beyond.get().overrun(self.calls.main().socket());
        }
    }

    /// What the last call of an extension said went wrong.
    ///
    /// # Safety
    /// `h` is a live handle.
    pub(in crate::capi) unsafe fn error(h: *const nfct_handle) -> *const ctrs_error {
        static NONE: ctrs_error = ctrs_error::NONE;
        static NO_MEMORY: ctrs_error = ctrs_error::fixed(
            libc::ENOMEM,
            ctrs_error_kind::CTRS_ERROR_OUT_OF_MEMORY,
            "out of memory",
        );
        // SAFETY: a live handle is a state that `new` made, which nobody changes during the call.
        let this = unsafe { &*h.cast::<Self>() };
        match &this.beyond {
            Some(beyond) => beyond.get().error(),
            None if this.lacked_memory => &raw const NO_MEMORY,
            None => &raw const NONE,
        }
    }

    /// The block of libnfnetlink.
    pub(super) fn block(&mut self) -> &mut Block {
        // SAFETY: the block lives as long as the handle, which owns it.
        unsafe { &mut *self.block }
    }

    /// Takes over what programs changed in the block by calling libnfnetlink.
    fn read_block(&mut self) {
        let (seq, size) = (self.block().seq, self.block().rcv_buffer_size);
        self.calls.main().set_last_seq(seq);
        self.calls.main().ask_room(size as usize);
    }

    /// Begins the query of a call, whose request is built. Inside another call it gets a socket of
    /// its own.
    pub(super) fn begin(
        &mut self,
        token: Token,
        request: &Request<'_>,
        built: &mut Built,
    ) -> Result<Cursor, Error> {
        self.read_block();
        if self.calls.lacks_socket(token)? {
            without_cancellation(|| self.calls.open_socket(token))?;
        }
        let cursor = self.calls.begin(token, request, |seq| built.build(request, seq))?;
        self.block().seq = self.calls.main().last_seq();
        Ok(cursor)
    }

    /// What the loop of a call does next.
    pub(super) fn step(
        &mut self,
        token: Token,
        cursor: &mut Cursor,
        datagram: &[u8],
    ) -> Result<NextStep, Error> {
        loop {
            if self.end.is_closed() {
                return Err(Error::CLOSED);
            }
            self.read_block();
            let place = match self.calls.step(token, cursor, datagram)? {
                Step::Send => return Ok(NextStep::Send),
                Step::Receive { wait } => return Ok(NextStep::Receive(wait)),
                Step::End(outcome) => return Ok(outcome.map(|()| NextStep::End)?),
                Step::Message(place) => place,
            };
            let message = place.message(datagram);
            let target = self.block().callback(message.subsystem(), message.number());
            let target = target.ok_or(Error::FOREIGN_MESSAGE)?;
            if target.call.is_some() && target.attr_count > 0 {
                return Ok(NextStep::Deliver(target, place));
            }
        }
    }

    /// Reads a message into an object and lends it to the callback of a call, if it was asked for.
    pub(super) fn lend<C: Lendable>(
        &mut self,
        token: Token,
        message: &Message<'_>,
    ) -> Result<(Judgement, *mut C), Error> {
        let mut loan = C::spare(self).take().map_or_else(Loan::create, Ok)?;
        let object = loan.lend();
        let dumps = self.calls.selections(token);
        let judgement = dumps.map_err(Error::from).and_then(|dumps| {
            let judges = Judges { dumps, events: self.beyond.as_ref().map(Kept::get) };
            C::read(&judges, message, object)
        });
        let pointer = loan.pointer();
        match judgement {
            Ok(Judgement::HandOut | Judgement::Zero) => {
                *C::lent(self.calls.held(token)?) = Some(loan);
            }
            _ => *C::spare(self) = Some(loan),
        }
        judgement.map(|judgement| (judgement, pointer))
    }

    /// Takes back what a callback had on loan, unless it keeps it.
    pub(super) fn take_back<C: Lendable>(&mut self, token: Token, stolen: bool) {
        let lent = self.calls.held(token).ok().and_then(|held| C::lent(held).take());
        let back = lent.and_then(|loan| if stolen { loan.give() } else { Some(loan) });
        let spare = C::spare(self);
        *spare = spare.take().or(back);
    }

    /// Notes that a call, and what it called, is over; the last one of a closed handle frees it.
    ///
    /// # Safety
    /// `state` is live, and not used again by this call.
    pub(super) unsafe fn leave(state: *mut Self, token: Token) {
        // SAFETY: the handle is live, as this call is at work on it.
        unsafe {
            (*state).calls.leave(token);
            closed::leave(state);
        }
    }

    /// Closes the socket and frees the handle, or leaves that to the last call at work.
    ///
    /// # Errors
    /// That of closing the socket; the handle is gone all the same.
    ///
    /// # Safety
    /// `state` is live, and not used again but by the calls at work.
    pub(super) unsafe fn close(state: *mut Self, now: Frame) -> Result<(), Error> {
        Self::closed().sweep(&now);
        // SAFETY: the handle is live; the reference ends before it is freed.
        let this = unsafe { &mut *state };
        let closed = this.calls.main().close();
        if let Some(beyond) = &this.beyond {
            // SAFETY: it is kept with this handle, and nothing else uses it now.
            unsafe { (*beyond.as_ptr()).close() };
        }
        // SAFETY: the caller gave the handle up; only calls at work use it.
        unsafe { closed::close(state, now) };
        Ok(closed?)
    }
}

static CLOSED: Closed<State> = Closed::none();

impl Closable for State {
    fn closed() -> &'static Closed<Self> {
        &CLOSED
    }

    fn end(&mut self) -> &mut End<Self> {
        &mut self.end
    }

    fn are_over(&mut self, now: &Frame) -> bool {
        self.calls.are_over(now)
    }

    fn is_idle(&self) -> bool {
        self.calls.is_empty()
    }

    unsafe fn free(state: *mut Self) {
        // SAFETY: the handle is live and used by nobody else, and the block is its own.
        unsafe {
            Block::free((*state).block);
            unplace(state.cast::<Handle>());
        }
    }
}
