//! What a socket can be told to do otherwise, and what it tells of itself.

use super::datagrams::NETLINK_LISTEN_ALL_NSID;
use super::error::Error;
use super::socket::{Socket, set_option};
use std::os::fd::RawFd;

const NETLINK_NO_ENOBUFS: libc::c_int = 5;

/// `SO_MEMINFO`, since Linux 4.12, and of its numbers that of bytes to be read, that of dropped
/// messages, and of all.
const SO_MEMINFO: libc::c_int = 55;
const SK_MEMINFO_RMEM_ALLOC: usize = 0;
const SK_MEMINFO_DROPS: usize = 8;
const SK_MEMINFO_VARS: usize = 9;

/// Bytes of the send buffer that the kernel keeps for itself.
const DATAGRAM_OVERHEAD: usize = 32;

/// Reads an option of any socket.
fn option<T: Copy>(fd: RawFd, option: libc::c_int, zero: T) -> Result<T, Error> {
    option_of(fd, libc::SOL_SOCKET, option, zero)
}

/// Reads an option of a socket.
fn option_of<T: Copy>(
    fd: RawFd,
    level: libc::c_int,
    option: libc::c_int,
    zero: T,
) -> Result<T, Error> {
    let mut value = zero;
    let mut size = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `size` bytes of the value, both alive during the call; what
    // it leaves is as the caller made it.
    let result =
        unsafe { libc::getsockopt(fd, level, option, (&raw mut value).cast(), &raw mut size) };
    if result == 0 { Ok(value) } else { Err(Error::last_os("getsockopt")) }
}

fn status_flags(fd: RawFd) -> Result<libc::c_int, Error> {
    // SAFETY: no pointer is involved.
    let flags = unsafe { libc::fcntl(fd, libc::F_GETFL) };
    if flags < 0 { Err(Error::last_os("fcntl")) } else { Ok(flags) }
}

/// Whether a descriptor is non-blocking.
///
/// # Errors
/// [`Error::System`].
pub(crate) fn is_nonblocking(fd: RawFd) -> Result<bool, Error> {
    Ok(status_flags(fd)? & libc::O_NONBLOCK != 0)
}

impl Socket {
    /// Whether the descriptor is non-blocking.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn is_nonblocking(&self) -> Result<bool, Error> {
        is_nonblocking(self.fd())
    }

    /// Makes the descriptor non-blocking, or blocking again.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn set_nonblocking(&self, on: bool) -> Result<(), Error> {
        let others = status_flags(self.fd())? & !libc::O_NONBLOCK;
        let flags = if on { others | libc::O_NONBLOCK } else { others };
        // SAFETY: no pointer is involved.
        let result = unsafe { libc::fcntl(self.fd(), libc::F_SETFL, flags) };
        if result < 0 { Err(Error::last_os("fcntl")) } else { Ok(()) }
    }

    /// Has the kernel say what is wrong with a request, and not repeat the request. Before Linux 4.12,
    /// and 4.3, it cannot, and this does nothing.
    pub fn ask_for_reasons(&self) {
        const NETLINK_CAP_ACK: libc::c_int = 10;
        const NETLINK_EXT_ACK: libc::c_int = 11;
        for option in [NETLINK_CAP_ACK, NETLINK_EXT_ACK] {
            let _ = set_option(self.fd(), libc::SOL_NETLINK, option, &1);
        }
    }

    /// Bytes of messages that the receive buffer holds, as the kernel counts them.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn receive_buffer(&self) -> Result<usize, Error> {
        // The kernel doubles what is asked for, as its own records count too.
        Ok(option::<libc::c_int>(self.fd(), libc::SO_RCVBUF, 0)? as usize / 2)
    }

    /// Bytes that a datagram may have which is sent.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn longest_datagram(&self) -> Result<usize, Error> {
        let bytes = option::<libc::c_int>(self.fd(), libc::SO_SNDBUF, 0)?;
        Ok((bytes as usize).saturating_sub(DATAGRAM_OVERHEAD))
    }

    /// Makes the receive buffer that large, or with less than `CAP_NET_ADMIN` in the first user
    /// namespace at most `net.core.rmem_max`. How large it is then.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn set_receive_buffer(&self, bytes: usize) -> Result<usize, Error> {
        let bytes = libc::c_int::try_from(bytes).unwrap_or(libc::c_int::MAX);
        let set = |option| set_option(self.fd(), libc::SOL_SOCKET, option, &bytes);
        set(libc::SO_RCVBUFFORCE).or_else(|_| set(libc::SO_RCVBUF))?;
        self.receive_buffer()
    }

    /// Receives events of all network namespaces that have an id in the socket's own.
    ///
    /// # Errors
    /// [`Error::System`], with `EPERM` without `CAP_NET_BROADCAST`.
    pub fn listen_to_all_namespaces(&self) -> Result<(), Error> {
        set_option(self.fd(), libc::SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &1)
    }

    /// Has the kernel be told of events that did not fit the receive buffer: it tells the end of a flow
    /// again, and no longer says here that messages were lost.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn be_told_again(&self) -> Result<(), Error> {
        const NETLINK_BROADCAST_ERROR: libc::c_int = 4;
        set_option(self.fd(), libc::SOL_NETLINK, NETLINK_BROADCAST_ERROR, &1)?;
        self.set_overruns_told(false)
    }

    /// Has the kernel say, or not, that messages were lost because the receive buffer was full.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn set_overruns_told(&self, on: bool) -> Result<(), Error> {
        set_option(self.fd(), libc::SOL_NETLINK, NETLINK_NO_ENOBUFS, &libc::c_int::from(!on))
    }

    /// Whether the kernel says that messages were lost.
    ///
    /// # Errors
    /// [`Error::System`] before Linux 4.2.
    pub fn are_overruns_told(&self) -> Result<bool, Error> {
        Ok(option_of::<libc::c_int>(self.fd(), libc::SOL_NETLINK, NETLINK_NO_ENOBUFS, 0)? == 0)
    }

    /// The multicast groups that it listens to, a bit each from group 1 on.
    ///
    /// # Errors
    /// [`Error::System`] before Linux 4.2.
    pub fn groups(&self) -> Result<u32, Error> {
        const NETLINK_LIST_MEMBERSHIPS: libc::c_int = 9;
        option_of(self.fd(), libc::SOL_NETLINK, NETLINK_LIST_MEMBERSHIPS, 0)
    }

    /// Messages that were dropped since the socket was opened, because its buffer was full.
    ///
    /// # Errors
    /// [`Error::System`], before Linux 4.12.
    pub fn dropped(&self) -> Result<u32, Error> {
        self.memory_number(SK_MEMINFO_DROPS)
    }

    /// Bytes, as the kernel counts them, of messages that wait to be received.
    ///
    /// # Errors
    /// [`Error::System`], before Linux 4.12.
    pub fn waiting(&self) -> Result<u32, Error> {
        self.memory_number(SK_MEMINFO_RMEM_ALLOC)
    }

    fn memory_number(&self, which: usize) -> Result<u32, Error> {
        let numbers = option(self.fd(), SO_MEMINFO, [0_u32; SK_MEMINFO_VARS])?;
        Ok(numbers.get(which).copied().unwrap_or(0))
    }
}

#[cfg(test)]
#[cfg(not(miri))]
mod tests {
    use super::*;

    #[test]
    fn a_receive_buffer_is_as_large_as_the_kernel_says() {
        let socket = Socket::open().unwrap();
        let got = socket.set_receive_buffer(100_000).unwrap();
        assert_eq!((got, socket.receive_buffer().unwrap()), (100_000, 100_000));
        assert!(socket.longest_datagram().unwrap() > 4096);
        assert!(socket.set_receive_buffer(usize::MAX).unwrap() > 100_000);
    }

    #[test]
    fn a_descriptor_waits_or_does_not() {
        let socket = Socket::open().unwrap();
        let mut datagram = Vec::with_capacity(64);
        assert!(!socket.is_nonblocking().unwrap());
        socket.set_nonblocking(true).unwrap();
        assert!(socket.is_nonblocking().unwrap());
        socket.set_nonblocking(false).unwrap();
        assert_eq!(socket.receive(&mut datagram), Ok(false));
        assert_eq!(socket.dropped(), Ok(0));
    }
}
