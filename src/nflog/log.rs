//! Packets that rules log, as a program receives them.
#![forbid(unsafe_code)]

use super::logged::{Logged, LoggedBatch};
use super::losses::Losses;
use super::settings::LogSettings;
use super::source::Source;
use crate::error::{Error, ErrorKind};
use crate::netlink;
use crate::netlink::wait::{Patience, Stopper};
use crate::options::Options;
use std::ops::ControlFlow;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

/// The packets that rules of a network namespace log to groups that are bound here: with the target
/// `NFLOG` of iptables, `log group` of nft, `--nflog` of ebtables.
///
/// A group has one socket, which gets its packets. Closing the socket, as dropping this does, unbinds
/// its groups and throws away what the kernel has collected of them.
///
/// ```no_run
/// use ctrs::{LogFlags, LogSettings, Logged, PacketLog};
///
/// # fn main() -> Result<(), ctrs::Error> {
/// // nft add rule inet filter input log group 5 prefix '"in "'
/// let mut log = PacketLog::open()?;
/// log.bind(5, &LogSettings::new().flags(LogFlags::SEQ))?;
/// loop {
///     match log.next_event()? {
///         Logged::Packet { packet, received } => {
///             let when = packet.timestamp().unwrap_or(received);
///             let prefix = packet.prefix_lossy().unwrap_or_default();
///             println!("{when:?} {prefix}{} bytes", packet.payload().map_or(0, <[u8]>::len));
///         }
///         Logged::Lost(loss) => println!("lost: {loss}"),
///     }
/// }
/// # }
/// ```
///
/// # Overruns
///
/// Packets that do not fit the receive buffer are lost, and so are all that follow until the program has
/// received what the buffer holds. That is told, in its place, as [`Logged::Lost`], and no error; groups
/// with [`LogFlags::SEQ`](crate::LogFlags::SEQ) tell how many were lost. A larger
/// [buffer](Options::receive_buffer), larger batches ([`LogSettings::buffer`], [`LogSettings::threshold`])
/// and smaller copies help, in this order. Packets that come one a
/// datagram ([`threshold`](LogSettings::threshold) 1) take several times the time of a hundred at once.
///
/// # Time
///
/// The kernel stamps packets that come in, and only those: what this machine sends has no timestamp,
/// nor have packets at postrouting and inet ingress. `received` is when the program received the
/// datagram, up to the group's timeout after the packet.
///
/// # Runtimes
///
/// The descriptor is readable when [`try_next`](Self::try_next) has something to hand out, once that has
/// said that there is no more.
#[derive(Debug)]
pub struct PacketLog {
    source: Source,
    patience: Patience,
    stopper: OnceLock<Stopper>,
}

impl PacketLog {
    /// Opens a socket in the network namespace of the thread. It stays that one's, and has no groups yet.
    ///
    /// # Errors
    /// [`ErrorKind::Unsupported`] from a kernel without netfilter netlink; [`ErrorKind::System`].
    pub fn open() -> Result<Self, Error> {
        Self::open_with(&Options::new())
    }

    /// Opens a socket with these options. (`reliable` and `all_namespaces` are for the events of flows.)
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`ErrorKind::Privilege`] without `CAP_SYS_ADMIN` in another
    /// namespace.
    pub fn open_with(options: &Options) -> Result<Self, Error> {
        let (source, patience) = (Source::open(options)?, options.patience());
        Ok(Self { source, patience, stopper: OnceLock::new() })
    }

    /// Binds a group, with these settings: both or neither. The packets of its rules come here from now
    /// on.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`]: another socket has bound the group, of which the error tells, or
    /// `CAP_NET_ADMIN` is missing. [`ErrorKind::Busy`]: this one has. [`ErrorKind::Unsupported`]: the
    /// kernel has no data of connection tracking to add. [`ErrorKind::Invalid`]: a setting that the kernel
    /// would ignore. [`Error::log_group`] is the group.
    pub fn bind(&mut self, group: u16, settings: &LogSettings) -> Result<(), Error> {
        self.source.bind(group, settings)
    }

    /// Changes settings of a group that is bound here, all of these or none. What is not said stays.
    ///
    /// # Errors
    /// [`ErrorKind::System`] with `ENODEV`: nobody has bound the group. Those of [`bind`](Self::bind).
    pub fn change(&mut self, group: u16, settings: &LogSettings) -> Result<(), Error> {
        self.source.change(group, settings)
    }

    /// Unbinds a group. What the kernel has collected of it is handed out still.
    ///
    /// # Errors
    /// [`ErrorKind::System`] with `ENODEV`: nobody has bound the group. [`ErrorKind::Privilege`]: another
    /// socket has, or the program has given up `CAP_NET_ADMIN` meanwhile.
    pub fn unbind(&mut self, group: u16) -> Result<(), Error> {
        self.source.unbind(group)
    }

    /// The groups that are bound here, in their order.
    pub fn groups(&self) -> impl Iterator<Item = u16> + '_ {
        self.source.groups()
    }

    /// Makes group 0 the place where the kernel logs of itself what concerns an address family
    /// (`AF_INET`, `AF_INET6`, `AF_BRIDGE`, 0 to 10): invalid packets (`nf_conntrack_log_invalid`) and
    /// traced ones of iptables. Rules that log to a group need none of it. It outlives the socket, and
    /// is the sysctl `net.netfilter.nf_log.N` of the network namespace.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`]; [`ErrorKind::Invalid`]: there is no such family.
    pub fn bind_family(&mut self, family: u8) -> Result<(), Error> {
        self.source.set_family(family, true)
    }

    /// Leaves an address family without a logger, whichever it had.
    ///
    /// # Errors
    /// [`ErrorKind::Privilege`].
    pub fn unbind_family(&mut self, family: u8) -> Result<(), Error> {
        self.source.set_family(family, false)
    }

    /// What comes next, waiting for it.
    ///
    /// # Errors
    /// [`ErrorKind::WouldBlock`] if nothing has come and the descriptor is non-blocking,
    /// [`ErrorKind::TimedOut`] after the timeout of the options. [`ErrorKind::Stopped`].
    /// [`ErrorKind::OutOfMemory`], [`ErrorKind::System`].
    pub fn next_event(&mut self) -> Result<Logged<'_>, Error> {
        self.wait(self.patience.deadline(), false)?;
        self.source.next()?.ok_or(netlink::Error::WOULD_BLOCK.into())
    }

    /// What comes next, if it has come already, whatever the descriptor would do.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`], [`ErrorKind::System`].
    pub fn try_next(&mut self) -> Result<Option<Logged<'_>>, Error> {
        self.source.next()
    }

    /// What comes next, or `None` if nothing comes in this time.
    ///
    /// # Errors
    /// [`ErrorKind::Stopped`], and those of [`try_next`](Self::try_next).
    pub fn next_timeout(&mut self, time: Duration) -> Result<Option<Logged<'_>>, Error> {
        match self.wait(Instant::now().checked_add(time), true) {
            Err(error) if error.kind() == ErrorKind::TimedOut => Ok(None),
            waited => waited.and_then(|()| self.source.next()),
        }
    }

    /// What comes next, of one datagram, waiting for it: as many packets as the kernel has collected. Of
    /// what [`next_event`](Self::next_event) has begun with, the rest.
    ///
    /// ```no_run
    /// # fn main() -> Result<(), ctrs::Error> {
    /// # let mut log = ctrs::PacketLog::open()?;
    /// let packets = log.next_batch()?.filter_map(ctrs::Logged::packet);
    /// let bytes: usize = packets.map(|packet| packet.payload().map_or(0, <[u8]>::len)).sum();
    /// println!("{bytes} bytes at once");
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`next_event`](Self::next_event).
    pub fn next_batch(&mut self) -> Result<LoggedBatch<'_>, Error> {
        self.wait(self.patience.deadline(), false)?;
        self.source.next_batch()?.ok_or(netlink::Error::WOULD_BLOCK.into())
    }

    /// Hands out what comes, until the function says that it is enough; then what it said. `None` when a
    /// [`Stopper`] ended it.
    ///
    /// ```no_run
    /// use ctrs::{Logged, LogSettings, PacketLog};
    /// use std::ops::ControlFlow;
    ///
    /// # fn main() -> Result<(), ctrs::Error> {
    /// let mut log = PacketLog::open()?;
    /// log.bind(5, &LogSettings::new())?;
    /// let mut packets = 0;
    /// log.run(|logged| {
    ///     packets += usize::from(matches!(logged, Logged::Packet { .. }));
    ///     if packets < 100 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    /// })?;
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// Those of [`next_event`](Self::next_event), but for [`ErrorKind::Stopped`].
    pub fn run<B>(
        &mut self,
        mut each: impl FnMut(Logged<'_>) -> ControlFlow<B>,
    ) -> Result<Option<B>, Error> {
        loop {
            match self.next_event() {
                Ok(logged) => {
                    if let ControlFlow::Break(enough) = each(logged) {
                        return Ok(Some(enough));
                    }
                }
                Err(error) if error.kind() == ErrorKind::Stopped => return Ok(None),
                Err(error) => return Err(error),
            }
        }
    }

    /// What ends waits from another thread or from a signal handler, with [`ErrorKind::Stopped`] from
    /// then on. [`try_next`](Self::try_next) still hands out what has come.
    ///
    /// # Errors
    /// [`ErrorKind::System`], as from `EMFILE`.
    pub fn stopper(&self) -> Result<Stopper, Error> {
        if let Some(stopper) = self.stopper.get() {
            return Ok(stopper.clone());
        }
        let new = Stopper::new()?;
        Ok(self.stopper.get_or_init(|| new).clone())
    }

    /// Has waits end by the stopper of another log, too; not by one that this gave before.
    pub fn stop_by(&mut self, stopper: &Stopper) {
        self.stopper = OnceLock::from(stopper.clone());
    }

    /// Has waits end, with [`ErrorKind::Interrupted`], when a signal was handled in this thread; they go
    /// on otherwise.
    pub fn set_interruptible(&mut self, on: bool) {
        self.patience.ends_by_signals = on;
    }

    /// Makes the descriptor non-blocking, or blocking again.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn set_nonblocking(&self, on: bool) -> Result<(), Error> {
        Ok(self.source.socket().set_nonblocking(on)?)
    }

    /// Whether the kernel tells of overruns. If it does not, it also loses less: only what does not fit,
    /// and not all until the buffer is empty.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn set_overruns_told(&self, on: bool) -> Result<(), Error> {
        Ok(self.source.socket().set_overruns_told(on)?)
    }

    /// Makes the receive buffer hold that many bytes, beyond `net.core.rmem_max` only with
    /// `CAP_NET_ADMIN` in the first user namespace. How many it holds then.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn set_receive_buffer(&self, bytes: usize) -> Result<usize, Error> {
        Ok(self.source.socket().set_receive_buffer(bytes)?)
    }

    /// How many bytes of messages the receive buffer holds: what was obtained of what was asked for.
    ///
    /// # Errors
    /// [`ErrorKind::System`].
    pub fn receive_buffer(&self) -> Result<usize, Error> {
        Ok(self.source.socket().receive_buffer()?)
    }

    /// What was lost until now, as far as it was noticed.
    #[must_use]
    pub fn losses(&self) -> Losses {
        self.source.losses()
    }

    /// Datagrams, of one packet or many, that were lost since this was opened because the receive buffer
    /// was full. The kernel counts them even where it does not tell of overruns.
    ///
    /// # Errors
    /// [`ErrorKind::System`] before Linux 4.12.
    pub fn lost_datagrams(&self) -> Result<u32, Error> {
        Ok(self.source.socket().dropped()?)
    }

    /// Waits until there is something to hand out.
    fn wait(&mut self, deadline: Option<Instant>, waits: bool) -> Result<(), Error> {
        let stopper = self.stopper.get().cloned();
        if stopper.as_ref().is_some_and(Stopper::ends_wait) {
            return Err(netlink::Error::Stopped.into());
        }
        let patience = Patience { stopper, ..self.patience };
        while !self.source.has_next()? {
            if !waits && self.source.socket().is_nonblocking()? {
                return Err(netlink::Error::WOULD_BLOCK.into());
            }
            patience.wait(self.as_fd(), deadline)?;
        }
        Ok(())
    }
}

/// For poll(2) and for runtimes that do that; they want it non-blocking.
impl AsFd for PacketLog {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.source.socket().as_fd()
    }
}

impl AsRawFd for PacketLog {
    fn as_raw_fd(&self) -> RawFd {
        self.source.socket().fd()
    }
}
