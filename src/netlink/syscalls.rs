//! The system calls of a netlink socket.

//!
//! Those at which a thread can be cancelled are declared so that they may unwind: cancellation
//! does, through every frame up to where the thread began.

#[cfg(not(miri))]
mod real {
    pub(in super::super) use libc::{bind, getsockname, setsockopt, socket};
    use libc::{c_int, c_void, nfds_t, pollfd, sockaddr, socklen_t, ssize_t};

    unsafe extern "C-unwind" {
        pub fn sendto(
            fd: c_int,
            buffer: *const c_void,
            size: usize,
            flags: c_int,
            to: *const sockaddr,
            to_size: socklen_t,
        ) -> ssize_t;
        pub fn recvfrom(
            fd: c_int,
            buffer: *mut c_void,
            size: usize,
            flags: c_int,
            from: *mut sockaddr,
            from_size: *mut socklen_t,
        ) -> ssize_t;
        pub fn poll(fds: *mut pollfd, count: nfds_t, milliseconds: c_int) -> c_int;
    }

    /// Closes a descriptor. The C library's `close` may cancel the thread, which must not be where
    /// a socket is dropped.
    ///
    /// # Safety
    /// The descriptor is the caller's, and not used again.
    pub unsafe fn close(fd: c_int) -> c_int {
        // SAFETY: the caller gives the descriptor up; no pointer is involved.
        unsafe { libc::syscall(libc::SYS_close, fd) as c_int }
    }

    /// Reads, and does not cancel the thread.
    ///
    /// # Safety
    /// `buffer` has room for `size` bytes.
    pub unsafe fn read(fd: c_int, buffer: *mut c_void, size: usize) -> isize {
        // SAFETY: the kernel writes at most `size` bytes of the buffer.
        unsafe { libc::syscall(libc::SYS_read, fd, buffer, size) as isize }
    }

    /// Writes, and does not cancel the thread.
    ///
    /// # Safety
    /// `buffer` has `size` readable bytes.
    pub unsafe fn write(fd: c_int, buffer: *const c_void, size: usize) -> isize {
        // SAFETY: the kernel reads `size` bytes of the buffer.
        unsafe { libc::syscall(libc::SYS_write, fd, buffer, size) as isize }
    }
}
#[cfg(not(miri))]
pub(super) use real::{
    bind, close, getsockname, poll, read, recvfrom, sendto, setsockopt, socket, write,
};

/// Miri knows no netlink: there, the test that links this plays the kernel.
#[cfg(miri)]
mod played {
    use libc::{c_int, c_void, sockaddr, socklen_t, ssize_t};

    unsafe extern "C" {
        #[link_name = "played_socket"]
        pub fn socket(family: c_int, kind: c_int, protocol: c_int) -> c_int;
        #[link_name = "played_bind"]
        pub fn bind(fd: c_int, address: *const sockaddr, size: socklen_t) -> c_int;
        #[link_name = "played_getsockname"]
        pub fn getsockname(fd: c_int, address: *mut sockaddr, size: *mut socklen_t) -> c_int;
        #[link_name = "played_setsockopt"]
        pub fn setsockopt(
            fd: c_int,
            level: c_int,
            option: c_int,
            value: *const c_void,
            size: socklen_t,
        ) -> c_int;
        #[link_name = "played_close"]
        pub fn close(fd: c_int) -> c_int;
    }

    unsafe extern "C-unwind" {
        #[link_name = "played_sendto"]
        pub fn sendto(
            fd: c_int,
            buffer: *const c_void,
            size: usize,
            flags: c_int,
            to: *const sockaddr,
            to_size: socklen_t,
        ) -> ssize_t;
        #[link_name = "played_recvfrom"]
        pub fn recvfrom(
            fd: c_int,
            buffer: *mut c_void,
            size: usize,
            flags: c_int,
            from: *mut sockaddr,
            from_size: *mut socklen_t,
        ) -> ssize_t;
    }
}
#[cfg(miri)]
pub(super) use libc::{poll, read, write};
#[cfg(miri)]
pub(super) use played::{bind, close, getsockname, recvfrom, sendto, setsockopt, socket};
