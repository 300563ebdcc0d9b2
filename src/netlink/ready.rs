//! A descriptor that is readable while a socket is, or once a time has come: for loops that wait for
//! both.

use super::error::Error;
use super::socket::check;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::time::{Duration, Instant};

/// When there is something to do beside what comes through the socket.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum When {
    Never,
    Now,
    At(Instant),
}

impl When {
    fn time(self) -> Option<Instant> {
        if let Self::At(time) = self { Some(time) } else { None }
    }
}

/// An epoll of a socket, a timer, and an eventfd that is always readable and sometimes looked at: a timer
/// is not readable at once.
#[derive(Debug)]
pub(crate) struct Ready {
    epoll: OwnedFd,
    timer: OwnedFd,
    always: OwnedFd,
    /// When it is to be readable.
    set: When,
}

impl Ready {
    /// Readable while the socket is. That stays open as long as this is used.
    ///
    /// # Errors
    /// [`Error::System`], as `EMFILE`; [`Error::OutOfMemory`].
    pub fn of(socket: BorrowedFd<'_>) -> Result<Self, Error> {
        let flags = libc::TFD_CLOEXEC | libc::TFD_NONBLOCK;
        // SAFETY: no pointer is involved.
        let (epoll, timer, always) = unsafe {
            let epoll = owned("epoll_create1", libc::epoll_create1(libc::EPOLL_CLOEXEC))?;
            let timer = libc::timerfd_create(libc::CLOCK_MONOTONIC, flags);
            let timer = owned("timerfd_create", timer)?;
            (epoll, timer, owned("eventfd", libc::eventfd(1, libc::EFD_CLOEXEC))?)
        };
        let ready = Self { epoll, timer, always, set: When::Never };
        ready.look(libc::EPOLL_CTL_ADD, socket, true)?;
        ready.look(libc::EPOLL_CTL_ADD, ready.timer.as_fd(), true)?;
        ready.look(libc::EPOLL_CTL_ADD, ready.always.as_fd(), false)?;
        Ok(ready)
    }

    /// Has the epoll look whether a descriptor is readable, or not.
    fn look(&self, operation: libc::c_int, fd: BorrowedFd<'_>, on: bool) -> Result<(), Error> {
        let events = if on { libc::EPOLLIN as u32 } else { 0 };
        let mut event = libc::epoll_event { events, u64: 0 };
        let (epoll, fd) = (self.epoll.as_raw_fd(), fd.as_raw_fd());
        // SAFETY: the event is alive during the call.
        let done = unsafe { libc::epoll_ctl(epoll, operation, fd, &raw mut event) };
        check("epoll_ctl", done).map(drop)
    }

    /// Readable from then on, too.
    ///
    /// # Errors
    /// [`Error::System`].
    pub fn set(&mut self, when: When) -> Result<(), Error> {
        let [before, time] = [self.set, when].map(When::time);
        if before != time {
            self.set_timer(time)?;
        }
        let [before, now] = [self.set, when].map(|when| when == When::Now);
        if before != now {
            self.look(libc::EPOLL_CTL_MOD, self.always.as_fd(), now)?;
        }
        self.set = when;
        Ok(())
    }

    fn set_timer(&self, time: Option<Instant>) -> Result<(), Error> {
        // Zero stops it.
        let left = time.map_or(Duration::ZERO, |time| {
            time.saturating_duration_since(Instant::now()).max(Duration::from_nanos(1))
        });
        // SAFETY: all zero bytes are a value of this struct of integers.
        let mut time: libc::itimerspec = unsafe { std::mem::zeroed() };
        time.it_value.tv_sec = i32::try_from(left.as_secs()).unwrap_or(i32::MAX).into();
        time.it_value.tv_nsec = left.subsec_nanos() as _;
        let timer = self.timer.as_raw_fd();
        // SAFETY: the time is alive during the call; what it was is not wanted.
        let set = unsafe { libc::timerfd_settime(timer, 0, &raw const time, std::ptr::null_mut()) };
        check("timerfd_settime", set).map(drop)
    }

    /// The descriptor.
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

/// A descriptor that was made.
///
/// # Safety
/// It is nobody else's, or negative.
unsafe fn owned(call: &'static str, fd: libc::c_int) -> Result<OwnedFd, Error> {
    if fd < 0 {
        return Err(Error::last_os(call));
    }
    // SAFETY: the descriptor is nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

#[cfg(test)]
#[cfg(not(miri))]
mod tests {
    use super::super::socket::Socket;
    use super::super::wait::poll;
    use super::*;

    #[test]
    fn it_is_readable_at_the_time_and_until_it_is_set_again() {
        let socket = Socket::open().unwrap();
        let mut ready = Ready::of(socket.as_fd()).unwrap();
        let fd = ready.as_fd().as_raw_fd();
        let readable = |milliseconds| poll(fd, None, milliseconds).unwrap();
        assert!(!readable(0));
        for _ in 0..100 {
            ready.set(When::Now).unwrap();
            assert!(readable(0) && readable(0), "at once");
            ready.set(When::Never).unwrap();
            assert!(!readable(0));
        }
        let soon = Instant::now() + Duration::from_millis(20);
        ready.set(When::At(soon)).unwrap();
        assert!(readable(60_000) && Instant::now() >= soon);
        ready.set(When::At(soon)).unwrap();
        assert!(readable(0), "the time is over");
        ready.set(When::At(soon + Duration::from_secs(3600))).unwrap();
        assert!(!readable(0));
        ready.set(When::Now).unwrap();
        assert!(readable(0));
    }

    #[test]
    fn it_is_readable_while_the_socket_is() {
        let socket = Socket::open().unwrap();
        let ready = Ready::of(socket.as_fd()).unwrap();
        // A request to no subsystem, which is refused.
        let [kind, flags] = [0x7f01_u16, 5].map(u16::to_ne_bytes);
        let [length, seq, none] = [20_u32, 1, 0].map(u32::to_ne_bytes);
        let request = [&length[..], &kind, &flags, &seq, &none, &none].concat();
        socket.send(&request).unwrap();
        let fd = ready.as_fd().as_raw_fd();
        assert!(poll(fd, None, 1000).unwrap() && poll(fd, None, 0).unwrap());
        socket.receive(&mut Vec::with_capacity(256)).unwrap();
        assert!(!poll(fd, None, 0).unwrap());
    }
}
