//! The system calls of a netlink socket.

#[cfg(not(miri))]
pub(super) use libc::{bind, close, getsockname, recvfrom, sendto, setsockopt, socket};

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
        #[link_name = "played_close"]
        pub fn close(fd: c_int) -> c_int;
    }
}
#[cfg(miri)]
pub(super) use played::{bind, close, getsockname, recvfrom, sendto, setsockopt, socket};
