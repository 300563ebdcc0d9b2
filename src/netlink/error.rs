//! What goes wrong with a netlink socket, whatever subsystem is asked.
#![forbid(unsafe_code)]

use super::words::Words;

/// What went wrong between a program and the kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The kernel refused a request, with this `errno`.
    #[error("the kernel refused the request: {}", Words(*.0))]
    Refused(i32),
    /// A system call failed.
    #[error("{call} failed: {}", Words(*.errno))]
    System {
        /// The system call.
        call: &'static str,
        /// Its `errno`.
        errno: i32,
    },
    /// No memory was left; what the call was to change is unchanged.
    #[error("out of memory")]
    OutOfMemory,
    /// The kernel dropped messages because the socket's buffer was full.
    #[error("messages were lost: the receive buffer of the socket is too small for the rate")]
    Overrun,
    /// So many messages were lost, here among those that were received.
    #[error("{0} messages were lost: the receive buffer of the socket is too small for the rate")]
    Missed(u64),
    /// So many times a message did not fit the socket's buffer, of which the kernel tells some again.
    #[error("{0} times an event did not fit: ends of flows are told again, others may be lost")]
    Undelivered(u64),
    /// The kernel has not answered in the time that the socket was given.
    #[error("the kernel has not answered in time")]
    TimedOut,
    /// A wait was ended by its [`Stopper`](super::wait::Stopper).
    #[error("the wait was ended by its stopper")]
    Stopped,
    /// A request of a batch was not sent, as the connection failed before.
    #[error("the request was not sent: the connection failed before")]
    NotSent,
    /// A datagram was longer than the receive buffer; the buffer has grown since.
    #[error("a datagram of {0} bytes was cut short")]
    Truncated(usize),
    /// A datagram in which no message could be found.
    #[error("a datagram without a netlink message")]
    NoMessage,
    /// A datagram with a sender address of the wrong size.
    #[error("a datagram from an unexpected kind of address")]
    BadSender,
    /// A datagram that another process sent.
    #[error("a datagram that is not from the kernel")]
    NotFromKernel,
    /// An answer to a request that was not made through this socket.
    #[error("an answer to a request that was not made here")]
    BadSequence,
    /// An acknowledgement or end marker without its status.
    #[error("an acknowledgement without a status")]
    BadStatus,
    /// A message too short for its header.
    #[error("a message without its netfilter header")]
    ShortMessage,
    /// The message does not fit its buffer.
    #[error("the message needs {needed} bytes, the buffer has {room}")]
    TooLong {
        /// The length of the message.
        needed: usize,
        /// The length of the buffer.
        room: usize,
    },
    /// A filter program is longer than the kernel takes.
    #[error("the filter needs a program of {0} instructions, the kernel takes 4096")]
    ProgramTooLong(usize),
}

impl Error {
    /// There is nothing to receive, and nothing was waited for.
    pub(crate) const WOULD_BLOCK: Self = Self::System { call: "recvfrom", errno: libc::EAGAIN };

    /// Whether it says that messages were lost, as the receive buffer was full.
    pub(crate) fn is_of_loss(&self) -> bool {
        matches!(self, Self::Overrun | Self::Missed(_) | Self::Undelivered(_))
    }

    /// The error of a system call that just failed, from the thread's `errno`.
    pub(super) fn last_os(call: &'static str) -> Self {
        let errno = std::io::Error::last_os_error().raw_os_error().unwrap_or(libc::EIO);
        match (call, errno) {
            ("recvfrom", libc::ENOBUFS) => Self::Overrun,
            (_, libc::ENOMEM) => Self::OutOfMemory,
            _ => Self::System { call, errno },
        }
    }
}

impl From<std::collections::TryReserveError> for Error {
    fn from(_: std::collections::TryReserveError) -> Self {
        Self::OutOfMemory
    }
}
