//! Several datagrams, received by one system call, and of which network namespace each is: only the
//! kernel's control messages tell.

use super::error::Error;
use super::socket::{Socket, address, check, errno, from_kernel, set_errno};
use std::mem::MaybeUninit;

/// Since Linux 4.2, `linux/netlink.h`: the number of a control message too.
pub(super) const NETLINK_LISTEN_ALL_NSID: libc::c_int = 8;

/// The most datagrams of one call.
pub(crate) const MOST: usize = 16;
/// Bytes that there is room for of each: the most that the kernel allocates for an event.
const ROOM: usize = 8 * 1024;

/// Datagrams, as they were received.
#[derive(Debug, Default)]
pub(crate) struct Datagrams {
    room: Vec<MaybeUninit<u8>>,
    received: [Received; MOST],
    count: usize,
}

/// A datagram: how long it is, or why it is none.
#[derive(Debug, Clone, Copy)]
struct Received {
    length: Result<usize, Error>,
    namespace: Option<i32>,
}

impl Default for Received {
    fn default() -> Self {
        Self { length: Err(Error::NoMessage), namespace: None }
    }
}

/// Room for control messages, aligned as they are.
#[derive(Clone, Copy)]
#[repr(C)]
union Control {
    bytes: [u8; 64],
    _align: MaybeUninit<libc::cmsghdr>,
}

impl Datagrams {
    /// How many there are.
    pub fn count(&self) -> usize {
        self.count
    }

    /// One of them, and the kernel's id of the namespace that it is from; `None` for the socket's own.
    ///
    /// # Errors
    /// [`Error::Truncated`]: it did not fit. [`Error::NotFromKernel`], [`Error::BadSender`].
    pub fn get(&self, number: usize) -> Result<(&[u8], Option<i32>), Error> {
        let Received { length, namespace } = self.received.get(number).copied().unwrap_or_default();
        let room = self.room.get(number.saturating_mul(ROOM)..).unwrap_or_default();
        let bytes = room.get(..length?).unwrap_or_default();
        // SAFETY: the kernel has written that many bytes there.
        let bytes = unsafe { std::slice::from_raw_parts(bytes.as_ptr().cast(), bytes.len()) };
        Ok((bytes, namespace))
    }

    /// Receives what has come, at most so many, in place of what there is, and tells how many that
    /// are. It does not wait.
    ///
    /// # Errors
    /// [`Error::Overrun`]: messages were lost. [`Error::OutOfMemory`], [`Error::System`].
    pub fn receive(&mut self, socket: &Socket, most: usize) -> Result<usize, Error> {
        self.count = 0;
        if self.room.is_empty() {
            self.room.try_reserve_exact(MOST * ROOM)?;
            self.room.resize(MOST * ROOM, MaybeUninit::uninit());
        }
        let count = receive(socket, &mut self.room, &mut self.received, most.clamp(1, MOST))?;
        self.count = count;
        Ok(count)
    }
}

fn receive(
    socket: &Socket,
    room: &mut [MaybeUninit<u8>],
    received: &mut [Received; MOST],
    most: usize,
) -> Result<usize, Error> {
    let mut from = [address(0, 0); MOST];
    let mut control = [Control { bytes: [0; 64] }; MOST];
    // SAFETY: all zero bytes are values of these structs of integers and pointers.
    let (mut parts, mut headers): ([libc::iovec; MOST], [libc::mmsghdr; MOST]) =
        unsafe { std::mem::zeroed() };
    let places = room.chunks_exact_mut(ROOM).zip(&mut parts).zip(&mut from).zip(&mut control);
    for ((((room, part), from), control), header) in places.zip(&mut headers).take(most) {
        *part = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
        let header = &mut header.msg_hdr;
        header.msg_name = std::ptr::from_mut(from).cast();
        header.msg_namelen = size_of_val(from) as libc::socklen_t;
        header.msg_iov = part;
        header.msg_iovlen = 1;
        header.msg_control = std::ptr::from_mut(control).cast();
        header.msg_controllen = size_of_val(control) as _;
    }
    let before = errno();
    let flags = libc::MSG_TRUNC | libc::MSG_DONTWAIT;
    // SAFETY: the kernel writes at most the sizes given of each room, address and control, of `most`
    // headers, all alive during the call.
    let count = check("recvfrom", unsafe {
        libc::recvmmsg(
            socket.fd(),
            headers.as_mut_ptr(),
            most as libc::c_uint,
            flags as _,
            std::ptr::null_mut(),
        )
    });
    if count == Err(Error::WOULD_BLOCK) {
        set_errno(before);
        return Ok(0);
    }
    let count = count?;
    for ((received, header), from) in received.iter_mut().zip(&headers).zip(&from).take(count) {
        let size = header.msg_hdr.msg_namelen;
        let length = from_kernel(header.msg_len as usize, ROOM, from, size);
        *received = Received { length, namespace: namespace(&header.msg_hdr) };
    }
    Ok(count)
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
