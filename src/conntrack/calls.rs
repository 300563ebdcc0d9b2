//! The calls at work on a handle of C, each with what passes through its socket.
#![forbid(unsafe_code)]

use crate::conntrack::error::Error;
use crate::conntrack::selection::{Selection, Selections};
use crate::conntrack::wire::query::Request;
use crate::nested::{AtWork, Nested, Token};
use crate::netlink;
use crate::netlink::exchange::{Cursor, Exchange, Step};
use crate::netlink::socket::Socket;
use std::mem::MaybeUninit;

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

/// What a call has while it is at work.
struct Call<H> {
    /// A socket of its own, for a query inside another call: on one socket their answers would mix.
    own: Option<FilteredExchange>,
    /// The call that reads and zeroes the entries that this one hands out.
    zeroing: Option<Token>,
    /// Room for datagrams that the stack has none for.
    large: Vec<MaybeUninit<u8>>,
    held: H,
}

impl<H: Default> Default for Call<H> {
    fn default() -> Self {
        Self { own: None, zeroing: None, large: Vec::new(), held: H::default() }
    }
}

/// The calls at work on a handle, and its socket. `W` is where a call is at work, `H` what it holds
/// until it is over.
pub(crate) struct Calls<W, H> {
    main: FilteredExchange,
    calls: Nested<W, Call<H>>,
}

impl<W: AtWork, H: Default> Calls<W, H> {
    /// None, on a socket whose requests are numbered from `seq` + 1 on.
    pub(crate) fn new(socket: Socket, seq: u32) -> Self {
        Self { main: FilteredExchange::new(socket, seq), calls: Nested::default() }
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
        Ok(self.calls.enter(now, place)?)
    }

    /// Notes that a call is over, and what it called.
    pub(crate) fn leave(&mut self, token: Token) {
        self.calls.leave(token);
    }

    /// Whether no call is at work at `now`.
    pub(crate) fn are_over(&mut self, now: &W) -> bool {
        self.calls.are_over(now)
    }

    /// Whether no call is at work.
    pub(crate) fn is_empty(&self) -> bool {
        self.calls.is_empty()
    }

    fn call(&mut self, token: Token) -> Result<&mut Call<H>, Error> {
        self.calls.held(token).ok_or(Error::Closed)
    }

    /// What a call holds.
    pub(crate) fn held(&mut self, token: Token) -> Result<&mut H, Error> {
        self.call(token).map(|call| &mut call.held)
    }

    /// What passes through that, and what is handed out of it.
    fn filtered(&mut self, token: Token) -> Result<&mut FilteredExchange, Error> {
        let call = self.calls.held(token).ok_or(Error::Closed)?;
        Ok(call.own.as_mut().unwrap_or(&mut self.main))
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
        if let Some(inner) = self.call(token)?.zeroing {
            return Ok(inner);
        }
        let place = self.calls.place(token).ok_or(Error::Closed)?;
        let inner = self.calls.add(place)?;
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
        Ok(self.calls.is_nested(token) && self.call(token)?.own.is_none())
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
    fn zeroing_is_a_call_inside_the_one_that_it_is_for() {
        let mut calls = none::<()>();
        let outer = calls.enter(&Depth(0), Depth(1)).unwrap();
        let inner = calls.zeroing(outer).unwrap();
        assert_eq!(calls.zeroing(outer), Ok(inner));
        calls.leave(outer);
        assert!(calls.held(inner).is_err() && calls.is_empty());
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
