//! The calls at work on a handle of C: one inside a callback of another, each with what passes
//! through its socket.
//!
//! What a call must release is here and not on its stack: a jump or a cancellation leaves the stack
//! without running any of its code.
#![forbid(unsafe_code)]

use crate::conntrack::error::Error;
use crate::conntrack::selection::{Selection, Selections};
use crate::conntrack::wire::query::Request;
use crate::netlink;
use crate::netlink::exchange::{Cursor, Exchange, Step};
use crate::netlink::socket::Socket;
use std::mem::MaybeUninit;

/// Where a call is at work, from which it may never come back.
pub(crate) trait AtWork: Copy {
    /// Whether a call at work here is known to be over at `now`.
    fn is_over(&self, now: &Self) -> bool;
}

/// Names a call at work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Token(u64);

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

/// A call at work.
struct Call<W, H> {
    token: Token,
    place: W,
    /// A socket of its own, for a query inside another call: on one socket their answers would mix.
    own: Option<FilteredExchange>,
    /// The call that reads and zeroes the entries that this one hands out.
    zeroing: Option<Token>,
    /// Room for datagrams that the stack has none for.
    large: Vec<MaybeUninit<u8>>,
    held: H,
}

/// The calls at work on a handle, and its socket. `W` is where a call is at work, `H` what it holds
/// until it is over.
pub(crate) struct Calls<W, H> {
    main: FilteredExchange,
    /// The innermost one is last.
    calls: Vec<Call<W, H>>,
    last_token: u64,
}

impl<W: AtWork, H: Default> Calls<W, H> {
    /// None, on a socket whose requests are numbered from `seq` + 1 on.
    pub(crate) fn new(socket: Socket, seq: u32) -> Self {
        Self { main: FilteredExchange::new(socket, seq), calls: Vec::new(), last_token: 0 }
    }

    /// What passes through the handle's socket.
    pub(crate) fn main(&mut self) -> &mut Exchange {
        &mut self.main.exchange
    }

    /// The handle's socket, without the rest.
    pub(crate) fn into_socket(self) -> Socket {
        self.main.exchange.into_socket()
    }

    /// Notes that a call begins its work at `place`, from where `now` is: calls that are over then
    /// are forgotten.
    pub(crate) fn enter(&mut self, now: &W, place: W) -> Result<Token, Error> {
        self.forget_what_is_over(now);
        self.add(place)
    }

    fn add(&mut self, place: W) -> Result<Token, Error> {
        self.calls.try_reserve(1)?;
        self.last_token += 1;
        let token = Token(self.last_token);
        let (own, zeroing, large, held) = (None, None, Vec::new(), H::default());
        self.calls.push(Call { token, place, own, zeroing, large, held });
        Ok(token)
    }

    fn forget_what_is_over(&mut self, now: &W) {
        while self.calls.last().is_some_and(|call| call.place.is_over(now)) {
            self.calls.pop();
        }
    }

    /// Notes that a call is over, and what it called.
    pub(crate) fn leave(&mut self, token: Token) {
        if let Some(at) = self.position(token) {
            self.calls.truncate(at);
        }
    }

    /// Whether no call is at work at `now`.
    pub(crate) fn are_over(&mut self, now: &W) -> bool {
        self.forget_what_is_over(now);
        self.is_empty()
    }

    /// Whether no call is at work.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    fn position(&self, token: Token) -> Option<usize> {
        self.calls.iter().rposition(|call| call.token == token)
    }

    fn call(&mut self, token: Token) -> Result<&mut Call<W, H>, Error> {
        self.calls.iter_mut().rev().find(|call| call.token == token).ok_or(Error::Closed)
    }

    /// What a call holds.
    pub(crate) fn held(&mut self, token: Token) -> Result<&mut H, Error> {
        self.call(token).map(|call| &mut call.held)
    }

    /// What passes through that, and what is handed out of it.
    fn filtered(&mut self, token: Token) -> Result<&mut FilteredExchange, Error> {
        let at = self.position(token).ok_or(Error::Closed)?;
        let own = self.calls.get_mut(at).and_then(|call| call.own.as_mut());
        Ok(own.unwrap_or(&mut self.main))
    }

    fn exchange(&mut self, token: Token) -> Result<&mut Exchange, Error> {
        self.filtered(token).map(|filtered| &mut filtered.exchange)
    }

    /// What the answers to a call's dumps are checked against.
    pub(crate) fn selections(&mut self, token: Token) -> Result<&mut Selections, Error> {
        self.filtered(token).map(|filtered| &mut filtered.selections)
    }

    /// What a call sends and receives through.
    pub(crate) fn socket(&mut self, token: Token) -> Result<&Socket, Error> {
        self.exchange(token).map(|exchange| exchange.socket())
    }

    /// Its descriptor.
    pub(crate) fn fd(&mut self, token: Token) -> Result<libc::c_int, Error> {
        self.socket(token).map(Socket::fd)
    }

    /// The call inside this one that reads and zeroes entries, one after another.
    pub(crate) fn zeroing(&mut self, token: Token) -> Result<Token, Error> {
        let call = self.call(token)?;
        if let Some(inner) = call.zeroing {
            return Ok(inner);
        }
        let place = call.place;
        let inner = self.add(place)?;
        self.call(token)?.zeroing = Some(inner);
        Ok(inner)
    }

    /// Notes that a request is about to be sent without a number.
    pub(crate) fn prepare(&mut self, request: &Request<'_>) -> Result<(), Error> {
        self.main.selections.prepare(Selection::of(request)?)
    }

    /// Notes that it was sent, a dump.
    pub(crate) fn dump_sent(&mut self) {
        self.main.selections.sent();
    }

    /// Notes that the program receives with libnfnetlink, where the end of a dump goes unseen.
    pub(crate) fn receive_elsewhere(&mut self) {
        self.main.selections.forget_but_last();
    }

    /// Whether the query of a call needs a socket of its own first, as it is inside another call.
    pub(crate) fn lacks_socket(&mut self, token: Token) -> Result<bool, Error> {
        let nested = self.calls.first().is_some_and(|outermost| outermost.token != token);
        Ok(nested && self.call(token)?.own.is_none())
    }

    /// Gives a call a socket of its own.
    pub(crate) fn open_socket(&mut self, token: Token) -> Result<(), Error> {
        let socket = self.main.exchange.socket().open_beside()?;
        self.call(token)?.own = Some(FilteredExchange::new(socket, 0));
        Ok(())
    }

    /// Begins the query of a call; `build` makes the message of the request with this number.
    pub(crate) fn begin<E: From<Error>>(
        &mut self,
        token: Token,
        request: &Request<'_>,
        build: impl FnOnce(u32) -> Result<(), E>,
    ) -> Result<Cursor, E> {
        let dump = request.query().is_dump();
        let selection = Selection::of(request)?;
        let FilteredExchange { exchange, selections } = self.filtered(token)?;
        build(exchange.next_seq())?;
        let cursor = exchange.begin(dump);
        if dump {
            selections.ask(exchange.last_seq(), selection);
        }
        Ok(cursor)
    }

    /// What the loop of a call does next.
    pub(crate) fn step(
        &mut self,
        token: Token,
        cursor: &mut Cursor,
        datagram: &[u8],
    ) -> Result<Step, Error> {
        let FilteredExchange { exchange, selections } = self.filtered(token)?;
        let step = exchange.step(cursor, datagram);
        selections.ended(exchange.take_ended());
        Ok(step)
    }

    /// Tells what sending came to.
    pub(crate) fn sent(
        &mut self,
        token: Token,
        cursor: &mut Cursor,
        result: Result<usize, netlink::Error>,
    ) -> Result<(), Error> {
        Ok(self.exchange(token)?.sent(cursor, result)?)
    }

    /// Tells what was received.
    pub(crate) fn received(
        &mut self,
        token: Token,
        cursor: &mut Cursor,
        result: Result<Option<&[u8]>, netlink::Error>,
    ) -> Result<(), Error> {
        Ok(self.exchange(token)?.received(cursor, result)?)
    }

    /// Room for a datagram, where `small` bytes are known to be too few.
    pub(crate) fn large_room(
        &mut self,
        token: Token,
        small: usize,
    ) -> Result<Option<&mut [MaybeUninit<u8>]>, Error> {
        let needed = self.exchange(token)?.room();
        if needed <= small {
            return Ok(None);
        }
        let large = &mut self.call(token)?.large;
        if needed > large.len() {
            large.clear();
            large.try_reserve_exact(needed)?;
            large.resize(needed, MaybeUninit::uninit());
        }
        Ok(Some(large))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::rc::Rc;

    /// A place on a stack that grows down: it is over where the stack ends above it.
    #[derive(Clone, Copy)]
    struct Depth(u32);

    impl AtWork for Depth {
        fn is_over(&self, now: &Self) -> bool {
            now.0 <= self.0
        }
    }

    fn none<H: Default>() -> Calls<Depth, H> {
        Calls::new(Socket::closed(), 0)
    }

    #[test]
    fn calls_that_never_came_back_are_forgotten_with_what_they_hold() {
        let mut calls = none::<Option<Rc<()>>>();
        let outer = calls.enter(&Depth(0), Depth(1)).unwrap();
        let kept = Rc::new(());
        for depth in [4, 7] {
            let inner = calls.enter(&Depth(depth - 1), Depth(depth)).unwrap();
            *calls.held(inner).unwrap() = Some(kept.clone());
        }
        assert_eq!(Rc::strong_count(&kept), 3);
        let next = calls.enter(&Depth(3), Depth(4)).unwrap();
        assert_eq!(Rc::strong_count(&kept), 1);
        assert!(calls.held(outer).is_ok() && calls.held(next).is_ok());
        assert!(!calls.are_over(&Depth(2)) && calls.are_over(&Depth(0)));
        assert_eq!(calls.held(outer), Err(Error::Closed));
    }

    #[test]
    fn a_call_takes_those_inside_it_along() {
        let mut calls = none::<()>();
        let outer = calls.enter(&Depth(0), Depth(1)).unwrap();
        let middle = calls.enter(&Depth(3), Depth(4)).unwrap();
        let inner = calls.zeroing(middle).unwrap();
        assert_eq!(calls.zeroing(middle), Ok(inner));
        calls.leave(middle);
        assert!(calls.held(inner).is_err() && calls.held(middle).is_err());
        calls.leave(middle);
        assert!(calls.held(outer).is_ok() && !calls.is_empty());
        calls.leave(outer);
        assert!(calls.is_empty());
    }

    #[test]
    fn only_a_query_inside_another_call_needs_a_socket() {
        let mut calls = none::<()>();
        let outer = calls.enter(&Depth(0), Depth(1)).unwrap();
        let inner = calls.enter(&Depth(3), Depth(4)).unwrap();
        assert_eq!((calls.lacks_socket(outer), calls.lacks_socket(inner)), (Ok(false), Ok(true)));
        calls.call(inner).unwrap().own = Some(FilteredExchange::new(Socket::closed(), 0));
        assert_eq!(calls.lacks_socket(inner), Ok(false));
    }

    #[test]
    fn room_grows_where_a_datagram_did_not_fit() {
        let mut calls = none::<()>();
        let token = calls.enter(&Depth(0), Depth(1)).unwrap();
        assert!(calls.large_room(token, 100).unwrap().is_none());
        let mut cursor = Exchange::listen();
        let cut = netlink::Error::Truncated(300);
        assert_eq!(calls.received(token, &mut cursor, Err(cut)), Err(cut.into()));
        assert_eq!(calls.large_room(token, 100).unwrap().unwrap().len(), 300);
        assert!(calls.large_room(token, 300).unwrap().is_none());
        calls.main().ask_room(500);
        assert_eq!(calls.large_room(token, 300).unwrap().unwrap().len(), 500);
    }
}
