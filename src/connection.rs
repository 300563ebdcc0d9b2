//! A connection to the kernel: requests of any subsystem and their answers, through a socket of its own.
#![forbid(unsafe_code)]

use crate::error::asked::Asked;
use crate::error::{Error, ErrorKind, RequestKind};
use crate::netlink;
use crate::netlink::builder::REQUEST_SIZE;
use crate::netlink::exchange::Exchange;
use crate::netlink::message::Message;
use crate::netlink::receiver::Receiver;
use crate::netlink::socket::Socket;
use crate::netlink::wait::Patience;
#[cfg(feature = "capi")]
use crate::netlink::wait::Stopper;
use crate::options::Options;
use std::os::fd::BorrowedFd;

/// A request that is asked.
pub(crate) trait Ask {
    /// What it asks of the kernel.
    fn kind(&self) -> RequestKind;

    /// Whether its answer ends with an end marker in place of an acknowledgement.
    fn is_dump(&self) -> bool;

    /// Builds its message at the start of `buffer`, with the number `seq`, and returns its length.
    fn build(&self, buffer: &mut [u8], seq: u32) -> Result<usize, Error>;
}

/// A socket for requests, on which the kernel says what is wrong with one.
#[derive(Debug)]
pub(crate) struct Connection {
    exchange: Exchange,
    options: Options,
    /// How long answers are waited for, and what ends that.
    patience: Patience,
    /// The loop of the last request, whose memory the next one takes.
    receiver: Receiver,
}

impl Connection {
    /// Connects to the network namespace of the options.
    #[inline(never)]
    pub fn open(options: &Options) -> Result<Self, Error> {
        Ok(Self::new(options.open()?, options.clone(), options.patience()))
    }

    /// Connects to the network namespace of an open socket.
    #[cfg(feature = "capi")]
    #[inline(never)]
    pub fn beside(socket: &Socket, options: &Options) -> Result<Self, Error> {
        let socket = socket.open_beside()?;
        options.apply(&socket)?;
        Ok(Self::new(socket, options.clone(), options.patience()))
    }

    /// Another connection to the same network namespace, of the same options, which the same stopper
    /// ends.
    #[inline(never)]
    pub fn another(&self) -> Result<Self, Error> {
        let socket = self.exchange.socket().open_beside()?;
        self.options.apply(&socket)?;
        Ok(Self::new(socket, self.options.clone(), self.patience.clone()))
    }

    fn new(socket: Socket, options: Options, patience: Patience) -> Self {
        socket.ask_for_reasons();
        let receiver = Receiver::default();
        Self { exchange: Exchange::new(socket, 0), options, patience, receiver }
    }

    /// Has waits end when a stopper says so, and when a signal was handled.
    #[cfg(feature = "capi")]
    pub fn ended_by(mut self, stopper: Stopper) -> Self {
        self.patience.stopper = Some(stopper);
        self.patience.ends_by_signals = true;
        self
    }

    /// Sends a request, and hands out the messages of its answer.
    #[inline(never)]
    pub fn ask(
        &mut self,
        request: &dyn Ask,
        take: &mut dyn FnMut(&Message<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let kind = request.kind();
        self.send(request).map_err(|error| error.of(kind))?;
        loop {
            match self.exchange.next(&mut self.receiver) {
                Ok(Some(message)) => take(&message).map_err(|error| error.of(kind))?,
                Ok(None) => return Ok(()),
                Err(error) => return Err(self.explained(error, kind)),
            }
        }
    }

    /// An error of the last request, with what the kernel said of it and what it shows itself.
    #[inline(never)]
    fn explained(&self, error: netlink::Error, of: RequestKind) -> Error {
        let Self { exchange, receiver, .. } = self;
        let (request, said, socket) =
            (receiver.request(), exchange.said(), Some(exchange.socket()));
        Error::from(error).explained(of, &Asked { request, said, socket })
    }

    /// Begins a dump on this connection, which is not used for anything else meanwhile; without a
    /// request the answer is empty.
    #[inline(never)]
    pub fn begin(mut self, request: Option<&dyn Ask>, of: RequestKind) -> Result<Answer, Error> {
        if let Some(request) = request {
            self.send(request).map_err(|error| error.of(of))?;
        }
        Ok(Answer { connection: self, of, ended: request.is_none() })
    }

    /// Begins a request: nothing is sent before its answer is asked for.
    #[inline(never)]
    fn send(&mut self, request: &dyn Ask) -> Result<(), Error> {
        let mut buffer = [0; REQUEST_SIZE];
        let length = request.build(&mut buffer, self.exchange.next_seq())?;
        let bytes = buffer.get(..length).unwrap_or_default();
        self.exchange.query_with(&mut self.receiver, bytes, request.is_dump())?;
        let patience = (!self.options.is_nonblocking()).then(|| self.patience.clone());
        self.receiver.set_patience(patience);
        Ok(())
    }

    /// The requests and answers of the socket, for who has a loop of their own.
    pub fn exchange(&mut self) -> &mut Exchange {
        &mut self.exchange
    }

    /// How long answers are waited for, and what ends that.
    pub fn patience(&self) -> &Patience {
        &self.patience
    }

    /// The socket.
    pub fn socket(&self) -> &Socket {
        self.exchange.socket()
    }

    /// The descriptor.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.exchange.socket().as_fd()
    }
}

/// The answer to a request, message by message: one datagram of it is in memory.
#[derive(Debug)]
pub(crate) struct Answer {
    connection: Connection,
    of: RequestKind,
    ended: bool,
}

impl Answer {
    /// The next message; `None` at the end, and after an error.
    pub fn next(&mut self) -> Result<Option<Message<'_>>, Error> {
        Ok(self.next_in_place()?.map(|(message, _)| message))
    }

    /// The same, with whether it is the first of a datagram, which was received just now.
    pub fn next_in_place(&mut self) -> Result<Option<(Message<'_>, bool)>, Error> {
        if self.ended {
            return Ok(None);
        }
        let Connection { exchange, receiver, .. } = &mut self.connection;
        let found = exchange.find(receiver);
        self.ended = !matches!(found, Ok(Some(_)));
        match found {
            Ok(place) => {
                Ok(place.map(|place| (self.connection.receiver.message(&place), place.is_first())))
            }
            Err(error) => Err(self.connection.explained(error, self.of)),
        }
    }

    /// Ends it before its end.
    pub fn end(&mut self) {
        self.ended = true;
    }

    /// What it answers.
    pub fn kind(&self) -> RequestKind {
        self.of
    }

    /// Whether there is nothing left of it.
    pub fn is_ended(&self) -> bool {
        self.ended
    }

    /// Whether the kernel said so far that what it lists changed meanwhile.
    pub fn is_interrupted(&self) -> bool {
        self.connection.exchange.is_interrupted()
    }

    /// The descriptor.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.connection.as_fd()
    }
}

/// Whether it is an error of this kind.
pub(crate) fn is<T>(result: &Result<T, Error>, kind: ErrorKind) -> bool {
    result.as_ref().is_err_and(|error| error.kind() == kind)
}
