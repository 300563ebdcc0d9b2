//! The kernel's side of a netlink socket, played by the input.
//!
//! The functions below stand in for those of the C library in the whole program: nothing a body
//! does reaches the real kernel's flow table, and an input does the same whenever it is run.

use libc::{c_int, c_void, sockaddr, socklen_t, ssize_t};
use std::cell::RefCell;
use std::collections::VecDeque;

/// What a receive call finds.
pub enum Arrival {
    /// A datagram and the port it comes from, 0 for the kernel's.
    Datagram(Vec<u8>, u32),
    /// An address that is not one of netlink.
    ShortAddress,
    /// More than the buffer holds.
    TooLong,
    /// An error of the call.
    Failure(c_int),
}

thread_local! {
    static ARRIVALS: RefCell<VecDeque<Arrival>> = const { RefCell::new(VecDeque::new()) };
    static PROGRAM: RefCell<Vec<libc::sock_filter>> = const { RefCell::new(Vec::new()) };
}

/// Replaces what the following receive calls find; behind it there is nothing, `EAGAIN`.
pub fn arrive(arrivals: impl Iterator<Item = Arrival>) {
    ARRIVALS.with_borrow_mut(|queue| {
        queue.clear();
        queue.extend(arrivals);
    });
}

/// The filter program that was attached last.
pub fn attached() -> Vec<libc::sock_filter> {
    PROGRAM.take()
}

fn fail(errno: c_int) -> ssize_t {
    // SAFETY: the location of errno is valid.
    unsafe { *libc::__errno_location() = errno };
    -1
}

/// Stands in for `recvfrom`.
///
/// # Safety
/// As for `recvfrom`, of a netlink socket.
#[cfg_attr(not(miri), unsafe(no_mangle))]
#[cfg_attr(miri, unsafe(export_name = "played_recvfrom"))]
pub unsafe extern "C-unwind" fn recvfrom(
    _fd: c_int,
    buffer: *mut c_void,
    size: usize,
    flags: c_int,
    from: *mut sockaddr,
    from_size: *mut socklen_t,
) -> ssize_t {
    assert!(flags & libc::MSG_TRUNC != 0, "the whole length is asked for");
    let arrival = ARRIVALS.with_borrow_mut(VecDeque::pop_front);
    let (bytes, port) = match arrival {
        Some(Arrival::Datagram(bytes, port)) => (bytes, port),
        Some(Arrival::ShortAddress) => {
            // SAFETY: the caller's size is writable.
            unsafe { *from_size = 2 };
            return 0;
        }
        Some(Arrival::TooLong) => return size as ssize_t + 16,
        Some(Arrival::Failure(errno)) => return fail(errno),
        None => return fail(libc::EAGAIN),
    };
    // SAFETY: the caller has `size` bytes of buffer, and an address of netlink's size.
    unsafe {
        std::ptr::copy_nonoverlapping(bytes.as_ptr(), buffer.cast(), bytes.len().min(size));
        let address: *mut libc::sockaddr_nl = from.cast();
        (*address).nl_family = libc::AF_NETLINK as libc::sa_family_t;
        (*address).nl_pid = port;
        *from_size = size_of::<libc::sockaddr_nl>() as socklen_t;
    }
    bytes.len() as ssize_t
}

/// Stands in for `sendto`: everything is sent, to nobody.
///
/// # Safety
/// As for `sendto`.
#[cfg_attr(not(miri), unsafe(no_mangle))]
#[cfg_attr(miri, unsafe(export_name = "played_sendto"))]
pub unsafe extern "C-unwind" fn sendto(
    _fd: c_int,
    buffer: *const c_void,
    size: usize,
    _flags: c_int,
    _to: *const sockaddr,
    _to_size: socklen_t,
) -> ssize_t {
    // SAFETY: the caller sends `size` bytes.
    let sent = unsafe { std::slice::from_raw_parts(buffer.cast::<u8>(), size) };
    let length = sent.first_chunk().copied().map(u32::from_ne_bytes);
    assert_eq!(length.map(|length| length as usize), Some(size), "one whole message");
    size as ssize_t
}

/// Stands in for `setsockopt`: keeps the filter program.
///
/// # Safety
/// As for `setsockopt`; only filters are attached.
#[cfg_attr(not(miri), unsafe(no_mangle))]
#[cfg_attr(miri, unsafe(export_name = "played_setsockopt"))]
pub unsafe extern "C" fn setsockopt(
    _fd: c_int,
    level: c_int,
    option: c_int,
    value: *const c_void,
    size: socklen_t,
) -> c_int {
    assert_eq!((level, option), (libc::SOL_SOCKET, libc::SO_ATTACH_FILTER));
    assert_eq!(size as usize, size_of::<libc::sock_fprog>());
    // SAFETY: the value is a program of the length it says.
    let program = unsafe {
        let program: libc::sock_fprog = value.cast::<libc::sock_fprog>().read();
        std::slice::from_raw_parts(program.filter, program.len.into()).to_vec()
    };
    PROGRAM.set(program);
    0
}

/// Stands in for `time`: it is always the same second.
///
/// # Safety
/// `seconds` is NULL.
#[unsafe(no_mangle)]
#[allow(deprecated, reason = "musl's time_t, which has 64 bits now")]
pub unsafe extern "C" fn time(seconds: *mut libc::time_t) -> libc::time_t {
    assert!(seconds.is_null());
    1_700_000_000
}

/// What else Miri lacks.
#[cfg(miri)]
mod played {
    use super::{c_int, sockaddr, socklen_t};

    /// Stands in for `tzset`.
    #[unsafe(no_mangle)]
    extern "C" fn tzset() {}

    /// Stands in for `strnlen`.
    ///
    /// # Safety
    /// As for `strnlen`.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn strnlen(text: *const libc::c_char, limit: usize) -> usize {
        // SAFETY: this function's contract.
        (0..limit).take_while(|at| unsafe { *text.add(*at) } != 0).count()
    }

    /// Stands in for `socket`.
    #[unsafe(export_name = "played_socket")]
    extern "C" fn socket(_family: c_int, _kind: c_int, _protocol: c_int) -> c_int {
        1000
    }

    /// Stands in for `bind`.
    #[unsafe(export_name = "played_bind")]
    extern "C" fn bind(_fd: c_int, _address: *const sockaddr, _size: socklen_t) -> c_int {
        0
    }

    /// Stands in for `getsockname`.
    ///
    /// # Safety
    /// The address has room for one of netlink.
    #[unsafe(export_name = "played_getsockname")]
    unsafe extern "C" fn getsockname(
        _fd: c_int,
        address: *mut sockaddr,
        _size: *mut socklen_t,
    ) -> c_int {
        let address: *mut libc::sockaddr_nl = address.cast();
        // SAFETY: this function's contract.
        unsafe {
            (*address).nl_family = libc::AF_NETLINK as libc::sa_family_t;
            (*address).nl_pid = 77;
        }
        0
    }

    /// Stands in for `close`.
    #[unsafe(export_name = "played_close")]
    extern "C" fn close(_fd: c_int) -> c_int {
        0
    }
}
