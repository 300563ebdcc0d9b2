//! Waiting for a socket, and ending that from elsewhere.

use super::error::Error;
use super::socket::{check, errno, set_errno};
use super::syscalls;
use crate::shared::Shared;
use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
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
    shared: Shared<Stop>,
}

#[derive(Debug)]
struct Stop {
    stopped: AtomicBool,
    /// An eventfd, readable once stopped.
    wakes: OwnedFd,
    lasts: Lasts,
}

/// Which waits are ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Lasts {
    /// The wait, and every later one.
    Forever,
    /// The wait, or the next one: it uses the stop up.
    #[cfg(feature = "capi")]
    OneWait,
}

impl Stopper {
    /// A stopper that has not stopped anything yet.
    ///
    /// # Errors
    /// [`Error::System`], as `EMFILE`; [`Error::OutOfMemory`].
    pub(crate) fn new() -> Result<Self, Error> {
        Self::lasting(Lasts::Forever)
    }

    /// One that ends a single wait each time it is told to: that of now, or else the next.
    ///
    /// # Errors
    /// Those of [`new`](Self::new).
    #[cfg(feature = "capi")]
    pub(crate) fn of_one_wait() -> Result<Self, Error> {
        Self::lasting(Lasts::OneWait)
    }

    fn lasting(lasts: Lasts) -> Result<Self, Error> {
        // SAFETY: no pointer is involved.
        let fd = unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) };
        if fd < 0 {
            return Err(Error::last_os("eventfd"));
        }
        // SAFETY: the descriptor is new and nobody else's.
        let wakes = unsafe { OwnedFd::from_raw_fd(fd) };
        let stop = Stop { stopped: AtomicBool::new(false), wakes, lasts };
        Ok(Self { shared: Shared::new(stop).ok_or(Error::OutOfMemory)? })
    }

    /// Ends the wait, and every later one. A signal handler may call this: it is an atomic store and
    /// a write(2), and leaves `errno` alone.
    pub fn stop(&self) {
        let (one, before) = (1_u64, errno());
        // SAFETY: the number is alive during the call and of the size given.
        unsafe { syscalls::write(self.fd(), (&raw const one).cast(), size_of::<u64>()) };
        set_errno(before);
        // After the write: who sees it finds something to read.
        self.shared.stopped.store(true, Ordering::Release);
    }

    /// Whether [`stop`](Self::stop) was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        self.shared.stopped.load(Ordering::Acquire)
    }

    /// Whether the wait of a caller ends here, which is cheap to ask.
    pub(crate) fn ends_wait(&self) -> bool {
        self.is_stopped() && self.is_still_to_end_one()
    }

    /// Whether a stop is left to end a wait, which uses it up if it is of one wait.
    fn is_still_to_end_one(&self) -> bool {
        if self.shared.lasts == Lasts::Forever {
            return true;
        }
        // Before the read: a stop that comes between is seen again.
        self.shared.stopped.store(false, Ordering::Release);
        let (mut count, before) = (0_u64, errno());
        // SAFETY: the kernel writes a number of the size given, alive during the call.
        let read = unsafe { syscalls::read(self.fd(), (&raw mut count).cast(), size_of::<u64>()) };
        // That the wait has used it up before is no error of the call.
        set_errno(before);
        read == size_of::<u64>() as isize
    }

    fn fd(&self) -> RawFd {
        self.shared.wakes.as_raw_fd()
    }
}

/// What ends a wait, beside something to receive.
#[derive(Debug, Clone, Default)]
pub(crate) struct Patience {
    /// Who may end it from elsewhere.
    pub stopper: Option<Stopper>,
    /// How long it lasts; `None` is without end.
    pub time: Option<Duration>,
    /// Whether it ends when a signal was handled: then with `EINTR`.
    pub ends_by_signals: bool,
}

impl Patience {
    /// When a wait that begins now is over; never, if that is beyond what the clock counts.
    pub fn deadline(&self) -> Option<Instant> {
        Instant::now().checked_add(self.time?)
    }

    /// Waits until there is something to receive, or an error to be told.
    ///
    /// # Errors
    /// [`Error::Stopped`], [`Error::TimedOut`], [`Error::System`].
    pub fn wait(&self, socket: BorrowedFd<'_>, deadline: Option<Instant>) -> Result<(), Error> {
        wait_until(socket, self.stopper.as_ref(), deadline, self.ends_by_signals)
    }
}

/// Waits until there is something to receive, or an error to be told; the calling thread may be cancelled
/// here.
///
/// # Errors
/// As [`Patience::wait`].
pub(crate) fn wait_until(
    socket: BorrowedFd<'_>,
    stopper: Option<&Stopper>,
    deadline: Option<Instant>,
    ends_by_signals: bool,
) -> Result<(), Error> {
    loop {
        match poll(socket.as_raw_fd(), stopper, until(deadline)) {
            Ok(true) => return Ok(()),
            Ok(false) if deadline.is_some_and(|deadline| Instant::now() >= deadline) => {
                return Err(Error::TimedOut);
            }
            Ok(false) => {}
            Err(Error::System { errno: libc::EINTR, .. }) if !ends_by_signals => {}
            Err(error) => return Err(error),
        }
    }
}

/// Waits so many milliseconds, or without end if they are negative; false if nothing came. A signal
/// that is handled ends it, and the calling thread may be cancelled here.
///
/// # Errors
/// [`Error::Stopped`]; [`Error::System`], with `EINTR`.
pub(crate) fn poll(
    socket: RawFd,
    stopper: Option<&Stopper>,
    milliseconds: libc::c_int,
) -> Result<bool, Error> {
    let readable = |fd: RawFd| libc::pollfd { fd, events: libc::POLLIN, revents: 0 };
    // A negative descriptor is left alone.
    let mut fds = [readable(socket), readable(stopper.map_or(-1, Stopper::fd))];
    loop {
        // SAFETY: the array is alive during the call and of the length given.
        let ready = unsafe { syscalls::poll(fds.as_mut_ptr(), fds.len() as _, milliseconds) };
        let ready = check("poll", ready)?;
        let [libc::pollfd { revents: comes, .. }, libc::pollfd { revents: stops, .. }] = fds;
        if stops != 0 && stopper.is_some_and(Stopper::is_still_to_end_one) {
            return Err(Error::Stopped);
        }
        // Else somebody else was stopped by it.
        if ready == 0 || comes != 0 {
            return Ok(comes != 0);
        }
    }
}

/// Milliseconds for poll(2), rounded up; -1 without end.
fn until(deadline: Option<Instant>) -> libc::c_int {
    let Some(deadline) = deadline else { return -1 };
    let left = deadline.saturating_duration_since(Instant::now());
    milliseconds(left.saturating_add(Duration::from_nanos(999_999)))
}

/// Whole milliseconds, as poll(2) is told.
pub(crate) fn milliseconds(time: Duration) -> libc::c_int {
    libc::c_int::try_from(time.as_millis()).unwrap_or(libc::c_int::MAX)
}

#[cfg(test)]
#[cfg(not(miri))]
mod tests {
    use super::super::socket::Socket;
    use super::*;

    fn patience(stopper: &Stopper) -> Patience {
        let time = Some(Duration::from_millis(1));
        Patience { stopper: Some(stopper.clone()), time, ends_by_signals: false }
    }

    fn waits(socket: &Socket, patience: &Patience) -> Result<(), Error> {
        patience.wait(socket.as_fd(), patience.deadline())
    }

    #[test]
    fn a_stopper_ends_the_wait_and_all_later_ones() {
        let (socket, stopper) = (Socket::open().unwrap(), Stopper::new().unwrap());
        let patience = patience(&stopper);
        assert_eq!(waits(&socket, &patience), Err(Error::TimedOut));
        assert!(!stopper.ends_wait());
        stopper.stop();
        for _ in 0..3 {
            assert_eq!(waits(&socket, &patience), Err(Error::Stopped));
            assert!(stopper.ends_wait());
        }
    }

    #[cfg(feature = "capi")]
    #[test]
    fn a_stopper_of_one_wait_ends_one() {
        let (socket, stopper) = (Socket::open().unwrap(), Stopper::of_one_wait().unwrap());
        let patience = patience(&stopper);
        for stops in 1..3 {
            (0..stops).for_each(|_| stopper.stop());
            assert_eq!(waits(&socket, &patience), Err(Error::Stopped));
            assert_eq!(waits(&socket, &patience), Err(Error::TimedOut));
            assert!(!stopper.ends_wait(), "the wait has used it up");
            (0..stops).for_each(|_| stopper.stop());
            assert!(stopper.ends_wait());
            assert_eq!(waits(&socket, &patience), Err(Error::TimedOut), "and the other way round");
        }
    }

    #[cfg(feature = "capi")]
    #[test]
    fn a_stop_that_was_used_up_while_it_was_made_leaves_errno_alone() {
        let stopper = Stopper::of_one_wait().unwrap();
        stopper.stop();
        assert!(stopper.ends_wait());
        stopper.shared.stopped.store(true, Ordering::Release); // what stop() does last
        set_errno(7);
        assert!(!stopper.ends_wait());
        assert_eq!(errno(), 7);
    }
}
