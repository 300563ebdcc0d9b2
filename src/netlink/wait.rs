//! Waiting for a socket, and ending that from elsewhere.

use super::error::Error;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Ends a wait, from another thread or from a signal handler.
///
/// ```
/// use ctrs::{Error, EventKind, Events, Stopper};
/// use std::time::Duration;
///
/// fn count(time: Duration) -> Result<usize, Error> {
///     let mut events = Events::open(EventKind::ALL)?;
///     let stopper: Stopper = events.stopper()?;
///     std::thread::spawn(move || {
///         std::thread::sleep(time);
///         stopper.stop();
///     });
///     Ok(events.by_ref().flatten().count())
/// }
///
/// match count(Duration::from_millis(10)) {
///     Ok(count) => println!("{count} in that time"),
///     Err(error) => println!("{error}"),
/// }
/// ```
#[derive(Debug, Clone)]
pub struct Stopper {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    stopped: AtomicBool,
    /// An eventfd, readable once stopped.
    wakes: OwnedFd,
}

impl Stopper {
    /// A stopper that has not stopped anything yet.
    ///
    /// # Errors
    /// [`Error::System`], as `EMFILE`.
    pub(crate) fn new() -> Result<Self, Error> {
        // SAFETY: no pointer is involved.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(Error::last_os("eventfd"));
        }
        // SAFETY: the descriptor is new and nobody else's.
        let wakes = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self { shared: Arc::new(Shared { stopped: AtomicBool::new(false), wakes }) })
    }

    /// Ends the wait, and every later one. A signal handler may call this: it is an atomic store and
    /// a write(2), and leaves `errno` alone.
    pub fn stop(&self) {
        if self.shared.stopped.swap(true, Ordering::AcqRel) {
            return;
        }
        let one = 1_u64;
        // SAFETY: the number is alive during the call and of the size given; errno is this thread's.
        unsafe {
            let errno = *libc::__errno_location();
            libc::write(self.shared.wakes.as_raw_fd(), (&raw const one).cast(), size_of::<u64>());
            *libc::__errno_location() = errno;
        }
    }

    /// Whether [`stop`](Self::stop) was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Acquire)
    }
}

/// Waits until there is something to receive, or an error to be told.
///
/// # Errors
/// [`Error::Stopped`], [`Error::TimedOut`], [`Error::System`].
pub(crate) fn wait(
    socket: BorrowedFd<'_>,
    stopper: Option<&Stopper>,
    deadline: Option<Instant>,
) -> Result<(), Error> {
    let readable = |fd: RawFd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // A negative descriptor is left alone.
    let wakes = stopper.map_or(-1, |stopper| stopper.shared.wakes.as_raw_fd());
    let mut fds = [readable(socket.as_raw_fd()), readable(wakes)];
    loop {
        // SAFETY: the array is alive during the call and of the length given.
        let ready = unsafe { libc::poll(fds.as_mut_ptr(), fds.len() as _, until(deadline)) };
        if ready < 0 {
            match Error::last_os("poll") {
                Error::System { errno: libc::EINTR, .. } => continue,
                error => return Err(error),
            }
        }
        return match (ready, stopper) {
            (_, Some(stopper)) if stopper.is_stopped() => Err(Error::Stopped),
            (0, _) if deadline.is_some_and(|deadline| Instant::now() < deadline) => continue,
            (0, _) => Err(Error::TimedOut),
            _ => Ok(()),
        };
    }
}

/// Milliseconds for poll(2), rounded up; -1 without end.
fn until(deadline: Option<Instant>) -> libc::c_int {
    let Some(deadline) = deadline else { return -1 };
    let left = deadline.saturating_duration_since(Instant::now());
    let rounded = left.saturating_add(Duration::from_nanos(999_999));
    libc::c_int::try_from(rounded.as_millis()).unwrap_or(libc::c_int::MAX)
}
