//! The netlink socket: open, bind, send, receive, attach filters.

use super::error::Error;
use super::{namespace, syscalls};
use std::mem::MaybeUninit;
use std::os::fd::{BorrowedFd, RawFd};

/// A netlink socket, of `NETLINK_NETFILTER` where nothing else is said, closed when dropped.
#[derive(Debug)]
pub struct Socket {
    fd: RawFd,
}

/// In place of a descriptor that was closed.
const CLOSED: RawFd = -1;

/// Bytes of `struct sockaddr_nl`.
const ADDRESS_SIZE: libc::socklen_t = size_of::<libc::sockaddr_nl>() as libc::socklen_t;

/// Turns the result of a system call into a number or its error.
pub(super) fn check<T: Into<i64> + Copy>(call: &'static str, result: T) -> Result<usize, Error> {
    usize::try_from(result.into()).map_err(|_| Error::last_os(call))
}

/// An address: the kernel's for port 0, ours for any other.
pub(super) fn address(port: u32, groups: u32) -> libc::sockaddr_nl {
    // SAFETY: all zero bytes is a value of this struct of integers.
    let mut address: libc::sockaddr_nl = unsafe { std::mem::zeroed() };
    address.nl_family = libc::AF_NETLINK as libc::sa_family_t;
    address.nl_pid = port;
    address.nl_groups = groups;
    address
}

/// The thread's `errno`, which a call that succeeds in the end leaves as it was.
pub(super) fn errno() -> libc::c_int {
    // SAFETY: the C library returns the address of this thread's errno.
    unsafe { *libc::__errno_location() }
}

/// Sets the thread's `errno`.
pub(super) fn set_errno(errno: libc::c_int) {
    // SAFETY: as above.
    unsafe { *libc::__errno_location() = errno };
}

impl Socket {
    /// Opens a socket and lets the kernel choose its port.
    ///
    /// # Errors
    /// [`Error::System`], as `EMFILE`, or `EPROTONOSUPPORT` from a kernel without netfilter netlink.
    pub fn open() -> Result<Self, Error> {
        Self::open_of(libc::NETLINK_NETFILTER)
    }

    /// Opens a socket of rtnetlink, which tells of network namespaces.
    ///
    /// # Errors
    /// [`Error::System`], as `EMFILE`.
    pub(super) fn open_route() -> Result<Self, Error> {
        Self::open_of(libc::NETLINK_ROUTE)
    }

    fn open_of(protocol: libc::c_int) -> Result<Self, Error> {
        let socket = Self::open_unbound(protocol)?;
        socket.bind(0, 0)?;
        Ok(socket)
    }

    /// Opens a socket at a port that the kernel chooses for none: what it chooses may be another
    /// socket's in another namespace, and the kernel then withholds from this one what a request of
    /// that one has made.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`Error::System`] with `EADDRINUSE`.
    pub fn open_at_own_port() -> Result<Self, Error> {
        const PORTS: std::ops::RangeInclusive<u32> = 0..=0xff;
        let socket = Self::open_unbound(libc::NETLINK_NETFILTER)?;
        // Ports of the kernel's choice are ids of processes, or above 0x80000000 at random.
        let first = 0x4000_0000 | std::process::id() << 8 & 0x3fff_ff00;
        let mut bound = Ok(());
        for port in PORTS.map(|number| first | number) {
            bound = socket.bind(port, 0);
            if !matches!(bound, Err(Error::System { errno: libc::EADDRINUSE, .. })) {
                break;
            }
        }
        bound.map(|()| socket)
    }

    fn open_unbound(protocol: libc::c_int) -> Result<Self, Error> {
        let kind = libc::SOCK_RAW | libc::SOCK_CLOEXEC;
        // SAFETY: no pointer is involved.
        let fd = unsafe { syscalls::socket(libc::AF_NETLINK, kind, protocol) };
        check("socket", fd).map(|_| Self { fd })
    }

    /// Opens a socket in a network namespace.
    ///
    /// # Errors
    /// Those of [`open`](Self::open); [`Error::System`] of `setns`, with `EPERM` without
    /// `CAP_SYS_ADMIN` there.
    pub fn open_in(namespace: BorrowedFd<'_>) -> Result<Self, Error> {
        namespace::open_in(namespace, Self::open)
    }

    /// As [`open_at_own_port`](Self::open_at_own_port), in a network namespace.
    ///
    /// # Errors
    /// Those of both.
    pub fn open_at_own_port_in(namespace: BorrowedFd<'_>) -> Result<Self, Error> {
        namespace::open_in(namespace, Self::open_at_own_port)
    }

    /// A socket that was closed, for tests of what needs one and does not use it.
    #[cfg(test)]
    pub(crate) fn closed() -> Self {
        Self { fd: CLOSED }
    }

    /// Takes over a descriptor that is already bound.
    ///
    /// # Safety
    /// `fd` is an open descriptor that nobody else closes.
    pub unsafe fn from_raw(fd: RawFd) -> Self {
        Self { fd }
    }

    /// The descriptor, which stays owned here.
    #[must_use]
    pub fn fd(&self) -> RawFd {
        self.fd
    }

    /// The descriptor, lent.
    #[must_use]
    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: the descriptor is open for as long as the socket, which only the C interface
        // closes before it is dropped; what it closes it does not lend.
        unsafe { BorrowedFd::borrow_raw(self.fd) }
    }

    /// Binds to a port and a mask of multicast groups.
    ///
    /// # Errors
    /// [`Error::System`] with `EPERM`: groups need `CAP_NET_ADMIN`.
    pub fn bind(&self, port: u32, groups: u32) -> Result<(), Error> {
        let address = address(port, groups);
        // SAFETY: the address is a `sockaddr_nl` of the size given, alive during the call.
        let result = unsafe { syscalls::bind(self.fd, (&raw const address).cast(), ADDRESS_SIZE) };
        check("bind", result).map(drop)
    }

    /// The port the kernel gave this socket.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn port(&self) -> Result<u32, Error> {
        let mut address = address(0, 0);
        let mut size = ADDRESS_SIZE;
        // SAFETY: the kernel writes at most `size` bytes of the address, both alive during the call.
        let result =
            unsafe { syscalls::getsockname(self.fd, (&raw mut address).cast(), &raw mut size) };
        check("getsockname", result)?;
        let netlink = libc::c_int::from(address.nl_family) == libc::AF_NETLINK;
        if size == ADDRESS_SIZE && netlink { Ok(address.nl_pid) } else { Err(Error::BadSender) }
    }

    /// Sends a datagram to the kernel and returns the number of bytes sent.
    ///
    /// # Errors
    /// [`Error::System`]; `EINTR` is not retried, as nothing was sent.
    pub fn send(&self, datagram: &[u8]) -> Result<usize, Error> {
        send(self.fd, datagram)
    }

    /// Receives a datagram from the kernel into `buffer`, in place of what it held; false if there
    /// is none. It does not wait.
    ///
    /// # Errors
    /// Those of [`receive`].
    pub fn receive(&self, buffer: &mut Vec<u8>) -> Result<bool, Error> {
        buffer.clear();
        let length = receive(self.fd, buffer.spare_capacity_mut(), false)?;
        // SAFETY: the kernel has written this many bytes, which fit the capacity.
        unsafe { buffer.set_len(length.unwrap_or(0)) };
        Ok(length.is_some())
    }

    /// Another socket, in the network namespace of this one, wherever this thread is now.
    ///
    /// # Errors
    /// [`Error::System`], as `EMFILE`; where the thread is in another namespace, also `EPERM`
    /// without `CAP_SYS_ADMIN` in this socket's.
    pub fn open_beside(&self) -> Result<Self, Error> {
        let here = Self::open()?;
        if namespace::of(here.fd)? == namespace::of(self.fd)? {
            return Ok(here);
        }
        drop(here);
        namespace::open_inside(self.fd)
    }

    /// Gives the descriptor back to whom [`from_raw`](Self::from_raw) took it from, still open.
    pub fn release(mut self) {
        self.fd = CLOSED;
    }

    /// Closes the socket; from now on every call on it fails with `EBADF`.
    ///
    /// # Errors
    /// [`Error::System`], with `EBADF` when it was closed behind our back.
    pub fn close(&mut self) -> Result<(), Error> {
        let fd = std::mem::replace(&mut self.fd, CLOSED);
        // SAFETY: the descriptor is ours and not used again.
        check("close", unsafe { syscalls::close(fd) }).map(drop)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        if self.fd != CLOSED {
            // A failure leaves nothing to undo.
            let _ = self.close();
        }
    }
}

/// Sends a datagram to the kernel and returns the number of bytes sent.
///
/// The calling thread may be cancelled here: what nobody has to drop is the caller's business.
///
/// # Errors
/// [`Error::System`].
pub fn send(fd: RawFd, datagram: &[u8]) -> Result<usize, Error> {
    let kernel = address(0, 0);
    // SAFETY: datagram and address are alive during the call, with the sizes given.
    let sent = unsafe {
        syscalls::sendto(
            fd,
            datagram.as_ptr().cast(),
            datagram.len(),
            0,
            (&raw const kernel).cast(),
            ADDRESS_SIZE,
        )
    };
    check("sendto", sent as i64)
}

/// Receives a datagram from the kernel at the beginning of `room` and returns its length; `None` if
/// there is none and `wait` is false.
///
/// The calling thread may be cancelled here, as in [`send`].
///
/// # Errors
/// [`Error::Overrun`]: messages were lost, the socket stays usable. [`Error::Truncated`]: the
/// datagram did not fit. [`Error::NotFromKernel`], [`Error::BadSender`]: dropped.
/// [`Error::System`], with `EAGAIN` from a non-blocking descriptor that has nothing to read, with
/// `EINTR` for a signal.
pub fn receive(
    fd: RawFd,
    room: &mut [MaybeUninit<u8>],
    wait: bool,
) -> Result<Option<usize>, Error> {
    let flags = libc::MSG_TRUNC | if wait { 0 } else { libc::MSG_DONTWAIT };
    let mut from = address(0, 0);
    let mut size = ADDRESS_SIZE;
    let before = errno();
    // SAFETY: the kernel writes at most `room.len()` bytes of the room and at most `size` bytes of
    // the address, all alive during the call.
    let received = unsafe {
        syscalls::recvfrom(
            fd,
            room.as_mut_ptr().cast(),
            room.len(),
            flags,
            (&raw mut from).cast(),
            &raw mut size,
        )
    };
    let received = check("recvfrom", received as i64);
    if received == Err(Error::WOULD_BLOCK) && !wait {
        set_errno(before);
        return Ok(None);
    }
    from_kernel(received?, room.len(), &from, size).map(Some)
}

/// The length of a datagram that was received, if it is the kernel's and whole.
pub(super) fn from_kernel(
    length: usize,
    room: usize,
    from: &libc::sockaddr_nl,
    size: libc::socklen_t,
) -> Result<usize, Error> {
    match length {
        _ if size != ADDRESS_SIZE => Err(Error::BadSender),
        _ if from.nl_pid != 0 => Err(Error::NotFromKernel),
        _ if length > room => Err(Error::Truncated(length)),
        _ => Ok(length),
    }
}

/// Sets an option of a socket.
pub(super) fn set_option<T>(
    fd: RawFd,
    level: libc::c_int,
    option: libc::c_int,
    value: &T,
) -> Result<(), Error> {
    let size = size_of::<T>() as libc::socklen_t;
    // SAFETY: the value is alive during the call and of the size given.
    let result =
        unsafe { syscalls::setsockopt(fd, level, option, std::ptr::from_ref(value).cast(), size) };
    check("setsockopt", result).map(drop)
}

/// Attaches a classic BPF program to a socket of any kind, in place of one attached before.
///
/// # Errors
/// [`Error::System`]; [`Error::OutOfMemory`] when the program is larger than
/// `net.core.optmem_max` allows.
pub fn attach_filter(fd: RawFd, program: &[libc::sock_filter]) -> Result<(), Error> {
    let Ok(len) = u16::try_from(program.len()) else {
        return Err(Error::TooLong { needed: program.len(), room: u16::MAX.into() });
    };
    let program = libc::sock_fprog { len, filter: program.as_ptr().cast_mut() };
    set_option(fd, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// Detaches the classic BPF program of a socket.
///
/// # Errors
/// [`Error::System`] with `ENOENT` if there is none.
pub fn detach_filter(fd: RawFd) -> Result<(), Error> {
    set_option(fd, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &0)
}

/// As [`detach_filter`], if there is one.
#[cfg(feature = "capi")]
pub(crate) fn detach_any_filter(fd: RawFd) -> Result<(), Error> {
    match detach_filter(fd) {
        Err(Error::System { errno: libc::ENOENT, .. }) => Ok(()),
        result => result,
    }
}
