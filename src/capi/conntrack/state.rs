//! What is behind a `struct nfct_handle`.

use super::callback::{Functions, Lendable};
use super::closed;
use super::request::Built;
use super::types::{nf_conntrack, nf_expect, nfct_handle};
use crate::capi::ffi::alloc::{Object, place, unplace};
use crate::capi::ffi::at_work::Frame;
use crate::capi::ffi::cancel::without_cancellation;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::nfnl::{Block, Callback, Registration};
use crate::conntrack::selection::{Judgement, Selection, Selections};
use crate::conntrack::wire::query::Request;
use crate::netlink;
use crate::netlink::exchange::{Cursor, Exchange, Place, Step};
use crate::netlink::message::Message;
use crate::netlink::socket::Socket;
use crate::uapi::cta;
use libc::c_void;
use std::mem::MaybeUninit;

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

/// The requests and answers on a socket, and which entries of filtered dumps are handed out.
struct FilteredExchange {
    exchange: Exchange,
    selections: Selections,
}

impl FilteredExchange {
    fn new(socket: Socket, seq: u32) -> Self {
        Self { exchange: Exchange::new(socket, seq), selections: Selections::default() }
    }
}

/// A handle: a socket, its callbacks, and the calls at work on it.
pub(super) struct State {
    main: FilteredExchange,
    block: *mut Block,
    pub(super) ct: Functions<nf_conntrack>,
    pub(super) exp: Functions<nf_expect>,
    /// An object to lend to the next callback.
    pub(super) spare_ct: Option<*mut Object<nf_conntrack>>,
    /// The same for expectations.
    pub(super) spare_exp: Option<*mut Object<nf_expect>>,
    /// The innermost one is last. What a call must release is here and not on its stack: a jump or
    /// a cancellation leaves the stack without running any of its code.
    calls: Vec<Call>,
    last_token: u64,
    /// Where the handle was closed while calls were at work on it. They end, and the last one frees
    /// it.
    pub(super) closed_at: Option<Frame>,
    /// The next handle in the list of those that were closed in this way.
    pub(super) next_closed: *mut Self,
}

/// Names a call at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token(u64);

/// A call at work.
struct Call {
    token: Token,
    frame: Frame,
    /// A socket of its own, for a query inside another call: on one socket their answers would mix.
    own: Option<FilteredExchange>,
    /// The call that reads and zeroes the entries that this one hands out.
    zeroing: Option<Token>,
    /// Room for datagrams that the stack has none for.
    large: Vec<MaybeUninit<u8>>,
    /// The attributes that a function registered with libnfnetlink is handed.
    table: Vec<*mut c_void>,
    /// What its callback has on loan.
    lent_ct: Option<*mut Object<nf_conntrack>>,
    lent_exp: Option<*mut Object<nf_expect>>,
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
            main: FilteredExchange::new(socket, this.seq),
            block,
            ct: Functions::default(),
            exp: Functions::default(),
            spare_ct: None,
            spare_exp: None,
            calls: Vec::new(),
            last_token: 0,
            closed_at: None,
            next_closed: std::ptr::null_mut(),
        };
        place(state).map_err(|(state, error)| {
            wanted.iter().for_each(|one| this.close(one.id));
            (state.main.exchange.into_socket(), error)
        })
    }

    /// The state behind a handle, or [`Error::NULL`].
    ///
    /// # Safety
    /// `h` is NULL or a live handle, which nobody else uses while the reference is used.
    pub(super) unsafe fn of<'a>(h: *mut nfct_handle) -> Result<&'a mut Self, Error> {
        // SAFETY: `h` is NULL or live, and a live handle is a state that `new` made.
        unsafe { h.cast::<Self>().as_mut() }.ok_or(Error::NULL)
    }

    /// The block of libnfnetlink.
    pub(super) fn block(&mut self) -> &mut Block {
        // SAFETY: the block lives as long as the handle, which owns it.
        unsafe { &mut *self.block }
    }

    /// The descriptor of the handle's own socket.
    pub(super) fn fd(&self) -> libc::c_int {
        self.main.exchange.socket().fd()
    }

    /// Takes over what programs changed in the block by calling libnfnetlink.
    fn read_block(&mut self) {
        let (seq, size) = (self.block().seq, self.block().rcv_buffer_size);
        self.main.exchange.set_last_seq(seq);
        self.main.exchange.ask_room(size as usize);
    }

    /// Notes that a call begins its work in `frame`, from where `now` is: calls that are over then
    /// are forgotten.
    pub(super) fn enter(&mut self, now: &Frame, frame: Frame) -> Result<Token, Error> {
        self.forget_what_is_over(now);
        self.add_call(frame)
    }

    fn add_call(&mut self, frame: Frame) -> Result<Token, Error> {
        self.calls.try_reserve(1)?;
        self.last_token += 1;
        let token = Token(self.last_token);
        self.calls.push(Call {
            token,
            frame,
            own: None,
            zeroing: None,
            large: Vec::new(),
            table: Vec::new(),
            lent_ct: None,
            lent_exp: None,
        });
        Ok(token)
    }

    fn forget_what_is_over(&mut self, now: &Frame) {
        while self.calls.last().is_some_and(|call| call.frame.is_over(now)) {
            self.drop_last();
        }
    }

    /// Forgets the innermost call, with its socket and what it has on loan.
    fn drop_last(&mut self) {
        let Some(call) = self.calls.pop() else { return };
        if let Some(object) = call.lent_ct {
            self.keep(object);
        }
        if let Some(object) = call.lent_exp {
            self.keep(object);
        }
    }

    /// Keeps an object that came back for the next loan.
    fn keep<C: Lendable>(&mut self, object: *mut Object<C>) {
        match C::spare(self) {
            // SAFETY: the object was lent by this handle and came back.
            Some(_) => unsafe { Object::free(object) },
            spare => *spare = Some(object),
        }
    }

    fn call(&mut self, token: Token) -> Result<&mut Call, Error> {
        self.calls.iter_mut().rev().find(|call| call.token == token).ok_or(Error::CLOSED)
    }

    /// What a call sends and receives through.
    fn filtered_exchange(&mut self, token: Token) -> Result<&mut FilteredExchange, Error> {
        let at = self.calls.iter().rposition(|call| call.token == token).ok_or(Error::CLOSED)?;
        let own = self.calls.get_mut(at).and_then(|call| call.own.as_mut());
        Ok(own.unwrap_or(&mut self.main))
    }

    fn exchange(&mut self, token: Token) -> Result<&mut Exchange, Error> {
        self.filtered_exchange(token).map(|filtered| &mut filtered.exchange)
    }

    /// The call inside this one that reads and zeroes entries, one after another.
    pub(super) fn zeroing(&mut self, token: Token) -> Result<Token, Error> {
        let call = self.call(token)?;
        if let Some(inner) = call.zeroing {
            return Ok(inner);
        }
        let frame = call.frame;
        let inner = self.add_call(frame)?;
        self.call(token)?.zeroing = Some(inner);
        Ok(inner)
    }

    /// Notes that the program receives with libnfnetlink, where the end of a dump goes unseen.
    pub(super) fn receives_elsewhere(&mut self) {
        self.main.selections.forget_but_last();
    }

    /// Notes that a request is about to be sent without a number.
    pub(super) fn prepare(&mut self, request: &Request<'_>) -> Result<(), Error> {
        Ok(self.main.selections.prepare(Selection::of(request)?)?)
    }

    /// Notes that it was sent, a dump.
    pub(super) fn dump_sent(&mut self) {
        self.main.selections.sent();
    }

    /// The descriptor that a call sends and receives through.
    pub(super) fn fd_of(&mut self, token: Token) -> Result<libc::c_int, Error> {
        self.exchange(token).map(|exchange| exchange.socket().fd())
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
        let nested = self.calls.first().is_some_and(|outermost| outermost.token != token);
        if nested && self.call(token)?.own.is_none() {
            let main = self.main.exchange.socket();
            let socket = without_cancellation(|| main.open_beside())?;
            self.call(token)?.own = Some(FilteredExchange::new(socket, 0));
        }
        let dump = request.query().is_dump();
        let selection = Selection::of(request)?;
        let FilteredExchange { exchange, selections } = self.filtered_exchange(token)?;
        built.build(request, exchange.next_seq())?;
        let cursor = exchange.begin(dump);
        if dump {
            selections.ask(exchange.last_seq(), selection);
        }
        self.block().seq = self.main.exchange.last_seq();
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
            if self.closed_at.is_some() {
                return Err(Error::CLOSED);
            }
            self.read_block();
            let FilteredExchange { exchange, selections } = self.filtered_exchange(token)?;
            let step = exchange.step(cursor, datagram);
            selections.ended(exchange.take_ended());
            let place = match step {
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

    /// Tells what sending came to.
    pub(super) fn sent(
        &mut self,
        token: Token,
        cursor: &mut Cursor,
        result: Result<usize, netlink::Error>,
    ) -> Result<(), Error> {
        Ok(self.exchange(token)?.sent(cursor, result)?)
    }

    /// Tells what was received.
    pub(super) fn received(
        &mut self,
        token: Token,
        cursor: &mut Cursor,
        result: Result<Option<&[u8]>, netlink::Error>,
    ) -> Result<(), Error> {
        Ok(self.exchange(token)?.received(cursor, result)?)
    }

    /// Room for a datagram: `small`, unless it is known to be too small.
    pub(super) fn room(
        &mut self,
        token: Token,
        small: *mut [MaybeUninit<u8>],
    ) -> Result<*mut [MaybeUninit<u8>], Error> {
        let needed = self.exchange(token)?.room();
        if needed <= small.len() {
            return Ok(small);
        }
        let large = &mut self.call(token)?.large;
        if needed > large.len() {
            large.clear();
            large.try_reserve_exact(needed)?;
            large.resize(needed, MaybeUninit::uninit());
        }
        Ok(large.as_mut_slice())
    }

    /// The table of a call, of `count` null pointers.
    pub(super) fn table(
        &mut self,
        token: Token,
        count: usize,
    ) -> Result<&mut [*mut c_void], Error> {
        let table = &mut self.call(token)?.table;
        table.clear();
        table.try_reserve_exact(count)?;
        table.resize(count, std::ptr::null_mut());
        Ok(table)
    }

    /// Reads a message into an object and lends it to the callback of a call, if it was asked for.
    pub(super) fn lend<C: Lendable>(
        &mut self,
        token: Token,
        message: &Message<'_>,
    ) -> Result<(Judgement, *mut C), Error> {
        let object = match C::spare(self).take() {
            Some(object) => object,
            None => Object::<C>::create()?,
        };
        // SAFETY: nobody else holds the object yet.
        let inner = unsafe { &mut *object }.lend();
        let judgement = C::decode(inner, message).and_then(|()| {
            Ok(C::judge(&self.filtered_exchange(token)?.selections, message, inner))
        });
        match judgement {
            Ok(Judgement::HandOut | Judgement::Zero) => {
                *C::lent(self.call(token)?.lent()) = Some(object);
            }
            _ => self.keep(object),
        }
        judgement.map(|judgement| (judgement, object.cast()))
    }

    /// Takes back what a callback had on loan, unless it keeps it.
    pub(super) fn take_back<C: Lendable>(&mut self, token: Token, stolen: bool) {
        let lent = self.call(token).ok().and_then(|call| C::lent(call.lent()).take());
        // SAFETY: the object is on loan.
        if let Some(object) = lent.filter(|object| !stolen || unsafe { Object::give(*object) }) {
            self.keep(object);
        }
    }

    /// Notes that a call, and what it called, is over; the last one of a closed handle frees it.
    ///
    /// # Safety
    /// `state` is live, and not used again by this call.
    pub(super) unsafe fn leave(state: *mut Self, token: Token) {
        // SAFETY: the handle is live, as this call is at work on it; the reference ends before it
        // is freed.
        let this = unsafe { &mut *state };
        while this.calls.iter().any(|call| call.token == token) {
            this.drop_last();
        }
        if let Some(closed_at) = this.closed_at.filter(|_| this.calls.is_empty()) {
            closed::sweep(&closed_at);
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
        closed::sweep(&now);
        // SAFETY: the handle is live; the reference ends before it is freed.
        let this = unsafe { &mut *state };
        let closed = this.main.exchange.close();
        // SAFETY: the caller gave the handle up; only calls at work use it.
        unsafe {
            if this.is_idle(&now) {
                Self::free(state);
            } else {
                this.closed_at = Some(now);
                closed::add(state);
            }
        }
        Ok(closed?)
    }

    /// Whether no call is at work at `now`.
    pub(super) fn is_idle(&mut self, now: &Frame) -> bool {
        self.forget_what_is_over(now);
        self.calls.is_empty()
    }

    /// Frees a handle.
    ///
    /// # Safety
    /// `state` is live and not used again; its socket is closed.
    pub(super) unsafe fn free(state: *mut Self) {
        // SAFETY: the handle is live and used by nobody else; its objects on loan came back, and
        // the block is its own.
        unsafe {
            if let Some(object) = (*state).spare_ct.take() {
                Object::free(object);
            }
            if let Some(object) = (*state).spare_exp.take() {
                Object::free(object);
            }
            Block::free((*state).block);
            unplace(state);
        }
    }
}

/// What the callback of a call has on loan.
pub(super) struct Loans<'a> {
    pub(super) ct: &'a mut Option<*mut Object<nf_conntrack>>,
    pub(super) exp: &'a mut Option<*mut Object<nf_expect>>,
}

impl Call {
    fn lent(&mut self) -> Loans<'_> {
        Loans { ct: &mut self.lent_ct, exp: &mut self.lent_exp }
    }
}
