//! How a socket is opened.
#![forbid(unsafe_code)]

use crate::error::Error;
#[cfg(doc)]
use crate::error::ErrorKind;
use crate::netlink;
use crate::netlink::bpf::Instruction;
use crate::netlink::socket::{Socket, attach_filter};
use crate::netlink::wait::Patience;
use crate::shared::Shared;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

/// How a file that should be a network namespace is opened: one that is none, as a FIFO, is not waited
/// for, and no terminal is taken.
pub(crate) const NAMESPACE_FLAGS: libc::c_int = libc::O_NONBLOCK | libc::O_NOCTTY;

/// How a table or a listener is opened: in which network namespace, with how much room, and how
/// long it waits.
///
/// ```no_run
/// use ctrs::{FlowTable, Options};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), ctrs::Error> {
/// let options = Options::new().netns("/run/netns/blue")?.timeout(Duration::from_secs(2));
/// let table = FlowTable::open_with(&options)?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Default)]
#[must_use]
pub struct Options {
    namespace: Option<Shared<OwnedFd>>,
    receive_buffer: Option<usize>,
    receive_buffer_limit: usize,
    timeout: Option<Duration>,
    nonblocking: bool,
    all_namespaces: bool,
    reliable: bool,
}

impl Options {
    /// The network namespace of the thread that opens, the kernel's default of room, and as long as
    /// it takes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens in the network namespace of a file, as `/run/netns/blue`. No thread of the program
    /// changes its own.
    ///
    /// # Errors
    /// [`ErrorKind::NotFound`], [`ErrorKind::Privilege`]; what is no namespace is found when it is
    /// opened.
    pub fn netns(self, path: impl AsRef<Path>) -> Result<Self, Error> {
        let file = File::options().read(true).custom_flags(NAMESPACE_FLAGS).open(path);
        self.netns_owned(file.map_err(|error| system("open", &error))?.into())
    }

    /// Opens in the network namespace of a process, as of a container's.
    ///
    /// # Errors
    /// Those of [`netns`](Self::netns).
    pub fn netns_of_pid(self, pid: u32) -> Result<Self, Error> {
        self.netns(format!("/proc/{pid}/ns/net"))
    }

    /// Opens in the network namespace of a descriptor, of which a copy is kept.
    ///
    /// # Errors
    /// [`ErrorKind::System`], as from `EMFILE`.
    pub fn netns_fd(self, fd: impl AsFd) -> Result<Self, Error> {
        let copy = fd.as_fd().try_clone_to_owned().map_err(|error| system("fcntl", &error))?;
        self.netns_owned(copy)
    }

    /// Opens in the network namespace of a descriptor.
    pub(crate) fn netns_owned(self, fd: OwnedFd) -> Result<Self, Error> {
        let namespace = Shared::new(fd).ok_or(netlink::Error::OutOfMemory)?;
        Ok(Self { namespace: Some(namespace), ..self })
    }

    /// Asks for a receive buffer of that many bytes. Beyond `net.core.rmem_max` it takes
    /// `CAP_NET_ADMIN` in the first user namespace; without, it is as large as that allows.
    pub fn receive_buffer(self, bytes: usize) -> Self {
        Self { receive_buffer: Some(bytes), ..self }
    }

    /// Doubles the receive buffer of a listener each time events were lost, up to this many bytes.
    pub fn receive_buffer_limit(self, bytes: usize) -> Self {
        Self { receive_buffer_limit: bytes, ..self }
    }

    /// Misses no end of a flow: the kernel tells one that did not fit the receive buffer again, after
    /// a second or more, and keeps the flow in memory until then, so a listener that is not read fills
    /// its table. Other events may still be lost: an error of the kind [`ErrorKind::Lost`] tells how
    /// often one did not fit, whether it comes again or not.
    pub fn reliable(self, on: bool) -> Self {
        Self { reliable: on, ..self }
    }

    /// Waits no longer than that for the kernel's answer to a request, or for an event.
    pub fn timeout(self, time: Duration) -> Self {
        Self { timeout: Some(time), ..self }
    }

    /// Makes the descriptor non-blocking: where nothing has come yet, that is an error of the kind
    /// [`ErrorKind::WouldBlock`].
    pub fn nonblocking(self, on: bool) -> Self {
        Self { nonblocking: on, ..self }
    }

    /// Listens to the events of all network namespaces that have an id in the one it is opened in,
    /// as `ip netns set` gives. Requests are not concerned.
    pub fn all_namespaces(self, on: bool) -> Self {
        Self { all_namespaces: on, ..self }
    }

    pub(crate) fn is_reliable(&self) -> bool {
        self.reliable
    }

    /// What is left to know once a socket of events was opened.
    pub(crate) fn once_open(self) -> Self {
        Self { namespace: None, receive_buffer: None, nonblocking: false, ..self }
    }

    /// Those of a mirror's sockets: of events, with as much room as a busy table takes where nothing
    /// else is said, and of requests.
    pub(crate) fn of_mirror(&self) -> [Self; 2] {
        const ROOM: usize = 4 << 20;
        const MOST: usize = 32 << 20;
        let requests = Self { receive_buffer: None, nonblocking: false, ..self.clone() };
        let events = match self.receive_buffer {
            None if self.receive_buffer_limit == 0 => {
                self.clone().receive_buffer(ROOM).receive_buffer_limit(MOST)
            }
            None => self.clone().receive_buffer(ROOM.min(self.receive_buffer_limit)),
            Some(_) => self.clone(),
        };
        [events, requests]
    }

    /// Whether events of other namespaces are wanted, too.
    pub(crate) fn is_for_all_namespaces(&self) -> bool {
        self.all_namespaces
    }

    /// How waits of the timeout are.
    pub(crate) fn patience(&self) -> Patience {
        Patience { time: self.timeout, ..Patience::default() }
    }

    pub(crate) fn is_nonblocking(&self) -> bool {
        self.nonblocking
    }

    /// Opens a socket.
    #[inline(never)]
    pub(crate) fn open(&self) -> Result<Socket, Error> {
        let socket = match &self.namespace {
            Some(namespace) => Socket::open_in(namespace.as_fd())?,
            None => Socket::open()?,
        };
        self.apply(&socket)?;
        Ok(socket)
    }

    /// Opens a socket for events of all namespaces.
    fn open_for_all_namespaces(&self) -> Result<Socket, Error> {
        let socket = match &self.namespace {
            Some(namespace) => Socket::open_at_own_port_in(namespace.as_fd())?,
            None => Socket::open_at_own_port()?,
        };
        self.apply(&socket)?;
        socket.listen_to_all_namespaces()?;
        Ok(socket)
    }

    /// Opens a socket that receives events: those of these groups.
    #[inline(never)]
    pub(crate) fn listen(&self, groups: u32) -> Result<Socket, Error> {
        self.listen_through(groups, None)
    }

    /// The same, of which a program lets some pass from the first one on.
    #[inline(never)]
    pub(crate) fn listen_through(
        &self,
        groups: u32,
        program: Option<&[Instruction]>,
    ) -> Result<Socket, Error> {
        let socket =
            if self.all_namespaces { self.open_for_all_namespaces()? } else { self.open()? };
        if self.reliable {
            socket.be_told_again()?;
        }
        program.map_or(Ok(()), |program| attach_filter(socket.fd(), program))?;
        socket.bind(socket.port()?, groups)?;
        Ok(socket)
    }

    /// Makes the receive buffer larger, as messages did not fit it.
    #[inline(never)]
    pub(crate) fn grow_buffer(&self, socket: &Socket) {
        let Ok(size) = socket.receive_buffer() else { return };
        if size < self.receive_buffer_limit {
            // Where it cannot grow, messages are lost as before.
            let _ =
                socket.set_receive_buffer(size.saturating_mul(2).min(self.receive_buffer_limit));
        }
    }

    /// Sets what is set on a socket that is open.
    #[inline(never)]
    pub(crate) fn apply(&self, socket: &Socket) -> Result<(), Error> {
        if let Some(bytes) = self.receive_buffer {
            socket.set_receive_buffer(bytes)?;
        }
        if self.nonblocking {
            socket.set_nonblocking(true)?;
        }
        Ok(())
    }
}

/// An error of the standard library, as one of ours.
fn system(call: &'static str, error: &io::Error) -> Error {
    let errno = error.raw_os_error().unwrap_or(libc::EINVAL);
    netlink::Error::System { call, errno }.into()
}
