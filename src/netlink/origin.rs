//! Where a datagram is from: only the kernel's control messages tell.

use super::error::Error;
use super::socket::{Socket, address, check, from_kernel};
use std::mem::MaybeUninit;
use std::os::fd::RawFd;

/// Since Linux 4.2, `linux/netlink.h`: the number of a control message too.
pub(super) const NETLINK_LISTEN_ALL_NSID: libc::c_int = 8;

/// Where a datagram is from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Origin {
    /// The kernel's id of its network namespace; `None` for that of the socket.
    pub namespace: Option<i32>,
}

/// Room for control messages, aligned as they are.
#[repr(C)]
union Control {
    bytes: [u8; 128],
    _align: MaybeUninit<libc::cmsghdr>,
}

impl Socket {
    /// Receives as [`receive`](Self::receive) does, and tells where the datagram is from.
    ///
    /// # Errors
    /// Those of [`receive`](Self::receive).
    pub(super) fn receive_from(
        &self,
        buffer: &mut Vec<u8>,
        origin: &mut Origin,
    ) -> Result<bool, Error> {
        Self::receive_by(buffer, |room| receive(self.fd(), room, origin))
    }
}

fn receive(
    fd: RawFd,
    room: &mut [MaybeUninit<u8>],
    origin: &mut Origin,
) -> Result<Option<usize>, Error> {
    let mut from = address(0, 0);
    let mut control = Control { bytes: [0; 128] };
    let mut part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
    // SAFETY: all zero bytes are a value of this struct of integers and pointers.
    let mut header: libc::msghdr = unsafe { std::mem::zeroed() };
    header.msg_name = (&raw mut from).cast();
    header.msg_namelen = size_of_val(&from) as libc::socklen_t;
    header.msg_iov = &raw mut part;
    header.msg_iovlen = 1;
    header.msg_control = (&raw mut control).cast();
    header.msg_controllen = size_of_val(&control) as _;
    // SAFETY: the kernel writes at most the sizes given of the room, the address and the control
    // messages, all alive during the call.
    let received = check("recvfrom", unsafe {
        libc::recvmsg(fd, &raw mut header, libc::MSG_TRUNC | libc::MSG_DONTWAIT)
    } as i64);
    if received == Err(Error::WOULD_BLOCK) {
        return Ok(None);
    }
    let length = from_kernel(received?, room.len(), &from, header.msg_namelen)?;
    origin.namespace = namespace(&header);
    Ok(Some(length))
}

/// The id of a namespace that the control messages tell.
fn namespace(header: &libc::msghdr) -> Option<i32> {
    // SAFETY: the kernel has filled in the control messages and their length, and they are alive; it
    // writes whole ones, and this kind holds a number, of any alignment.
    unsafe {
        let mut message = libc::CMSG_FIRSTHDR(header);
        while let Some(one) = message.as_ref() {
            if (one.cmsg_level, one.cmsg_type) == (libc::SOL_NETLINK, NETLINK_LISTEN_ALL_NSID) {
                return Some(libc::CMSG_DATA(message).cast::<i32>().read_unaligned());
            }
            message = libc::CMSG_NXTHDR(header, message);
        }
    }
    None
}
