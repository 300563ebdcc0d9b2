//! Where packets come from: a socket, what was received through it, and requests about its groups.
#![forbid(unsafe_code)]

use super::config::{CONFIG_SIZE, Command, Config};
use super::datagram::{DATAGRAM_SIZE, Found, Kept};
use super::logged::{Logged, LoggedBatch, Packets, Reading};
use super::losses::{Loss, Losses};
#[cfg(feature = "capi")]
use super::record::{PacketField, PacketRecord};
use super::request::{Asking, Requests, Step};
use super::settings::LogSettings;
use crate::error::asked::Asked;
use crate::error::{Error, Invalid, RequestKind};
use crate::netlink;
use crate::netlink::socket::Socket;
use crate::options::Options;

/// A socket to which groups are bound. It never waits.
///
/// Packets that come while a request is made are kept, and handed out in their turn.
#[derive(Debug)]
pub(crate) struct Source {
    socket: Socket,
    /// Of these, only how large the receive buffer may become counts from now on.
    options: Options,
    requests: Requests,
    /// What is handed out, from where the reading has come to.
    datagram: Vec<u8>,
    reading: Reading,
    /// What comes behind that.
    kept: Kept,
    /// What is received during a request.
    answer: Vec<u8>,
}

impl Source {
    /// Opens a socket without groups.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`](crate::ErrorKind::Unsupported),
    /// [`ErrorKind::Privilege`](crate::ErrorKind::Privilege) in another namespace,
    /// [`ErrorKind::System`](crate::ErrorKind::System).
    pub fn open(options: &Options) -> Result<Self, Error> {
        let socket = options.open()?;
        let (datagram, answer) = (Vec::new(), Vec::new());
        Ok(Self {
            socket,
            options: options.clone().once_open(),
            requests: Requests::new(0),
            datagram,
            reading: Reading::default(),
            kept: Kept::default(),
            answer,
        })
    }

    /// The socket.
    pub fn socket(&self) -> &Socket {
        &self.socket
    }

    /// What was lost until now.
    pub fn losses(&self) -> Losses {
        self.reading.losses
    }

    /// The groups that are bound, in their order.
    pub fn groups(&self) -> impl Iterator<Item = u16> + '_ {
        self.reading.numbers.groups()
    }

    /// What comes next; `None` if nothing has come.
    pub fn next(&mut self) -> Result<Option<Logged<'_>>, Error> {
        Ok(if self.has_next()? { self.reading.take(&self.datagram) } else { None })
    }

    /// Makes an empty record what comes next, and puts the message at a place of the buffer. Where that
    /// ends; `None` if nothing has come.
    ///
    /// # Errors
    /// [`netlink::Error::TooLong`]: it does not fit there, and comes still.
    #[cfg(feature = "capi")]
    pub fn next_record(
        &mut self,
        record: &mut PacketRecord,
        (buffer, at): (&mut [u8], usize),
    ) -> Result<Option<usize>, Error> {
        loop {
            let found = self.reading.next_record(&self.datagram, record, (&mut *buffer, at))?;
            if found.is_some() || !self.next_datagram()? {
                if record.has(PacketField::Overrun) {
                    record.overrun = self.socket.dropped().unwrap_or(0).into();
                }
                return Ok(found);
            }
        }
    }

    /// What comes next, of one datagram; `None` if nothing has come.
    pub fn next_batch(&mut self) -> Result<Option<LoggedBatch<'_>>, Error> {
        let found = self.has_next()?;
        let Self { datagram, reading, .. } = self;
        Ok(found.then_some(LoggedBatch { datagram, reading }))
    }

    /// Whether there is something to hand out: if not of what was received before, of what is
    /// received now.
    pub fn has_next(&mut self) -> Result<bool, Error> {
        while !self.reading.has_next(&self.datagram) {
            if !self.next_datagram()? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Goes on to what was kept or is received now; false if there is nothing.
    fn next_datagram(&mut self) -> Result<bool, Error> {
        if !self.kept.is_empty() {
            self.datagram = self.kept.take();
        } else if !self.receive()? {
            return Ok(false);
        }
        self.reading.begin();
        Ok(true)
    }

    /// Receives a datagram; false if there is none. What was lost counts as one without packets.
    fn receive(&mut self) -> Result<bool, Error> {
        match receive(&self.socket, &mut self.datagram) {
            Err(error) if self.is_loss(error) => Ok(true),
            result => Ok(result?),
        }
    }

    /// Whether an error is about what did not come, of which note is taken.
    fn is_loss(&mut self, error: netlink::Error) -> bool {
        match error {
            netlink::Error::Overrun => {
                self.options.grow_buffer(&self.socket);
                self.reading.lose(Loss::Overrun);
            }
            netlink::Error::Truncated(_) => self.reading.lose(Loss::Datagram),
            // Another process may send to the socket.
            netlink::Error::NotFromKernel | netlink::Error::BadSender => {}
            _ => return false,
        }
        true
    }

    /// Binds a group with its settings, in one request: both or neither.
    pub fn bind(&mut self, group: u16, settings: &LogSettings) -> Result<(), Error> {
        let of = |error: Error| error.of_log_group(RequestKind::BindLogGroup, group);
        let told = settings.told().map_err(|error| of(error.into()))?;
        self.reading.numbers.reserve().map_err(|error| of(error.into()))?;
        self.ask(
            RequestKind::BindLogGroup,
            &Config { settings: &told, ..Config::command(group, Command::Bind) },
        )?;
        // Those that came before the answer are of a time when the group was bound before.
        let [unread, kept] =
            [Packets::behind(&self.datagram, self.reading.walk), Packets::of(self.kept.bytes())];
        let older = unread.chain(kept).filter(|packet| packet.group() == group).count();
        self.reading.numbers.begin(group, older);
        Ok(())
    }

    /// Changes the settings of a group, all or none of them.
    pub fn change(&mut self, group: u16, settings: &LogSettings) -> Result<(), Error> {
        let kind = RequestKind::ChangeLogGroup;
        let told = match settings.told() {
            Ok(told) if told.is_empty() => Err(Invalid::NothingToChange),
            told => told,
        };
        let told = told.map_err(|error| Error::from(error).of_log_group(kind, group))?;
        self.ask(kind, &Config::settings(group, &told))
    }

    /// Unbinds a group. What the kernel had collected comes still.
    pub fn unbind(&mut self, group: u16) -> Result<(), Error> {
        self.ask(RequestKind::UnbindLogGroup, &Config::command(group, Command::Unbind))?;
        self.reading.numbers.end(group);
        Ok(())
    }

    /// Makes the subsystem the logger of an address family, or leaves the family without one.
    pub fn set_family(&mut self, family: u8, bound: bool) -> Result<(), Error> {
        let (kind, command) = if bound {
            (RequestKind::BindLogFamily, Command::BindFamily)
        } else {
            (RequestKind::UnbindLogFamily, Command::UnbindFamily)
        };
        self.ask(kind, &Config::of_family(family, command))
    }

    /// Makes a request.
    fn ask(&mut self, kind: RequestKind, config: &Config<'_>) -> Result<(), Error> {
        let mut asking = self.requests.begin(config.command);
        let mut room = [0; CONFIG_SIZE];
        let built = config.build(&mut room, asking.seq());
        let request = built.map(|length| room.get(..length).unwrap_or_default());
        let (request, done) = match request {
            Ok(request) => (request, self.exchange(&mut asking, request)),
            Err(error) => (&[][..], Err(error)),
        };
        done.map_err(|error| {
            let asked = Asked { request, said: None, socket: Some(&self.socket) };
            Error::from(error).explained(kind, &asked).of_log_group(kind, config.group)
        })
    }

    fn exchange(&mut self, asking: &mut Asking, request: &[u8]) -> Result<(), netlink::Error> {
        self.answer.clear();
        loop {
            match self.requests.step(asking, &self.answer) {
                Step::Send => asking.sent(self.socket.send(request))?,
                Step::Receive => {
                    let received = receive(&self.socket, &mut self.answer);
                    received.err().map(|error| self.is_loss(error));
                    asking.received(received)?;
                }
                Step::Message(Found::Packet(packet)) => {
                    if self.kept.keep(&packet).is_err() {
                        self.reading.lose(Loss::Overrun);
                    }
                }
                Step::Message(_) => {}
                Step::End(result) => return result,
            }
        }
    }
}

/// Receives what has come, if anything has, into a buffer that holds whatever the kernel sends.
fn receive(socket: &Socket, datagram: &mut Vec<u8>) -> Result<bool, netlink::Error> {
    datagram.clear();
    datagram.try_reserve_exact(DATAGRAM_SIZE)?;
    socket.receive(datagram)
}
