//! The network namespace of a socket: it belongs for life to that of the thread that opened it.

use crate::error::Error;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};

/// Since Linux 5.14, `asm-generic/socket.h`.
const SO_NETNS_COOKIE: libc::c_int = 71;
/// `linux/sockios.h`: a descriptor of a socket's namespace.
const SIOCGSKNS: libc::Ioctl = 0x894c;

/// What tells namespaces apart.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Namespace {
    /// The kernel's number for it.
    Cookie(u64),
    /// Device and inode of the file that stands for it.
    File(libc::dev_t, libc::ino_t),
}

/// The namespace of a socket.
///
/// # Errors
/// [`Error::System`]; before Linux 5.14 with `EPERM` without `CAP_NET_ADMIN`.
pub(super) fn of(socket: RawFd) -> Result<Namespace, Error> {
    let mut cookie = 0_u64;
    let mut size = size_of::<u64>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `size` bytes of the cookie, both alive during the call.
    let result = unsafe {
        libc::getsockopt(
            socket,
            libc::SOL_SOCKET,
            SO_NETNS_COOKIE,
            (&raw mut cookie).cast(),
            &raw mut size,
        )
    };
    if result == 0 { Ok(Namespace::Cookie(cookie)) } else { file_of(socket) }
}

/// The namespace of a socket by its file, for kernels that do not number them.
fn file_of(socket: RawFd) -> Result<Namespace, Error> {
    let file = descriptor_of(socket)?;
    // SAFETY: all zero bytes are a value of this struct of integers, which the call writes to.
    let (result, status) = unsafe {
        let mut status: libc::stat = std::mem::zeroed();
        (libc::fstat(file.as_raw_fd(), &raw mut status), status)
    };
    if result == 0 {
        Ok(Namespace::File(status.st_dev, status.st_ino))
    } else {
        Err(Error::last_os("fstat"))
    }
}

fn descriptor_of(socket: RawFd) -> Result<OwnedFd, Error> {
    // SAFETY: this request takes no argument.
    let fd = unsafe { libc::ioctl(socket, SIOCGSKNS) };
    if fd < 0 {
        return Err(Error::last_os("ioctl"));
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Runs `f` in the namespace of a socket: in a thread of its own, so that the caller's stays where
/// it is whatever happens.
///
/// # Errors
/// That of `f`; [`Error::System`] with `EPERM` without `CAP_SYS_ADMIN` in that namespace.
pub(super) fn inside_of<T: Send + 'static>(
    socket: RawFd,
    f: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    let file = descriptor_of(socket)?;
    let thread = std::thread::Builder::new().spawn(move || {
        // SAFETY: no pointer is involved.
        if unsafe { libc::setns(file.as_raw_fd(), libc::CLONE_NEWNET) } != 0 {
            return Err(Error::last_os("setns"));
        }
        f()
    });
    let failed = |errno| Error::System { call: "clone", errno };
    let thread = thread.map_err(|error| failed(error.raw_os_error().unwrap_or(libc::EAGAIN)))?;
    thread.join().unwrap_or(Err(failed(libc::EAGAIN)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::UdpSocket;

    #[test]
    fn sockets_of_one_namespace_say_the_same() {
        let open = || UdpSocket::bind("127.0.0.1:0").unwrap();
        let (one, two) = (open(), open());
        assert_eq!(of(one.as_raw_fd()).unwrap(), of(two.as_raw_fd()).unwrap());
    }
}
