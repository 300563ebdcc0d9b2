//! The network namespace of a socket: it belongs for life to that of the thread that opened it.

use super::error::Error;
use super::socket::Socket;
use libc::c_void;
use std::fs::File;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::fs::MetadataExt;

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
    File(u64, u64),
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
    let status = File::from(file).metadata().map_err(|_| Error::last_os("fstat"))?;
    Ok(Namespace::File(status.dev(), status.ino()))
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

/// Opens a socket in the namespace of another, as [`open_in`] does.
///
/// # Errors
/// Those of [`open_in`].
pub(super) fn open_inside(other: RawFd) -> Result<Socket, Error> {
    open_in(descriptor_of(other)?.as_fd(), Socket::open)
}

/// Opens a socket in a namespace: in a thread of its own, so that the caller's stays where it is
/// whatever happens.
///
/// # Errors
/// [`Error::System`], with `EPERM` without `CAP_SYS_ADMIN` in that namespace, with `EINVAL` if the
/// descriptor is of something else.
pub(super) fn open_in(
    namespace: BorrowedFd<'_>,
    open: fn() -> Result<Socket, Error>,
) -> Result<Socket, Error> {
    let mut opened = Err(Error::OutOfMemory);
    visit(namespace, &mut || opened = open())?;
    opened
}

impl Socket {
    /// Does something in the network namespace of this socket: in this thread if it is there, else in
    /// one of its own, which must not panic.
    ///
    /// # Errors
    /// Those of [`open_beside`](Self::open_beside); nothing was done.
    pub(crate) fn inside(&self, work: &mut (dyn FnMut() + Send)) -> Result<(), Error> {
        if of(Self::open()?.fd())? == of(self.fd())? {
            work();
            return Ok(());
        }
        visit(descriptor_of(self.fd())?.as_fd(), work)
    }

    /// Whether this thread has `CAP_NET_ADMIN` in the user namespace that owns the network namespace
    /// of this socket; `None` if the kernel does not tell.
    pub(crate) fn is_administered(&self) -> Option<bool> {
        match descriptor_of(self.fd()) {
            Ok(_) => Some(true),
            Err(Error::System { errno: libc::EPERM, .. }) => Some(false),
            Err(_) => None,
        }
    }
}

/// Does something in a network namespace, in a thread of its own.
fn visit(namespace: BorrowedFd<'_>, work: &mut (dyn FnMut() + Send)) -> Result<(), Error> {
    let mut visit = Visit { namespace: namespace.as_raw_fd(), work, moved: Ok(()) };
    // Not a thread of the standard library, which would be a tenth of this one.
    // SAFETY: all zero bytes are a value of a thread's name and of a set of signals, which the calls
    // write to; the visit is alive until the thread was joined, and meanwhile only the thread's, which
    // does what this one would while it waits.
    let failed = unsafe {
        let mut thread: libc::pthread_t = std::mem::zeroed();
        // No handler of the program's is to find itself in the other namespace.
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let data = (&raw mut visit).cast();
        let failed = libc::pthread_create(&raw mut thread, std::ptr::null(), go_and_work, data);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        if failed == 0 {
            libc::pthread_join(thread, std::ptr::null_mut());
        }
        failed
    };
    match failed {
        0 => visit.moved,
        // It stands for any lack of resources, of which memory is one.
        libc::EAGAIN => Err(Error::System { call: "pthread_create", errno: libc::ENOMEM }),
        errno => Err(Error::System { call: "pthread_create", errno }),
    }
}

/// What a thread that visits a namespace is told, and what it brings back.
struct Visit<'a> {
    namespace: RawFd,
    work: &'a mut (dyn FnMut() + Send),
    moved: Result<(), Error>,
}

extern "C" fn go_and_work(data: *mut c_void) -> *mut c_void {
    // SAFETY: `visit` passes one, which it leaves alone meanwhile.
    let visit = unsafe { &mut *data.cast::<Visit<'_>>() };
    // SAFETY: no pointer is involved.
    if unsafe { libc::setns(visit.namespace, libc::CLONE_NEWNET) } == 0 {
        (visit.work)();
    } else {
        visit.moved = Err(Error::last_os("setns"));
    }
    std::ptr::null_mut()
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

    #[test]
    #[cfg(not(miri))]
    fn work_in_the_own_namespace_is_done_by_this_thread() {
        let mut worker = None;
        let done =
            Socket::open().unwrap().inside(&mut || worker = Some(std::thread::current().id()));
        assert_eq!((done, worker), (Ok(()), Some(std::thread::current().id())));
    }
}
