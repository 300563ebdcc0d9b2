//! Where a call is at work, and whether it can still come back.
//!
//! A program may leave a callback or a waiting call by a jump, an exception or the cancellation of
//! its thread. Nothing tells the handle; it sees at the next call that the one before is over.

use super::boundary::{errno, set_errno};
use super::cancel::without_cancellation;
use crate::nested::AtWork;
use libc::{c_int, pid_t};
use std::io::Write;

unsafe extern "C" {
    fn pthread_getcpuclockid(thread: libc::pthread_t, clock: *mut libc::clockid_t) -> c_int;
}

/// A place in the stack of a thread.
#[derive(Debug, Clone, Copy)]
pub(in crate::capi) struct Frame {
    thread: usize, // of pthread_t, which is a pointer in musl
    task: pid_t,
    address: usize,
}

impl Frame {
    /// The frame of this thread that `local` is in.
    #[inline(always)]
    pub(in crate::capi) fn of<T>(local: *const T) -> Self {
        // SAFETY: the call takes no pointer and always succeeds.
        let thread = unsafe { libc::pthread_self() };
        // SAFETY: the thread is this one.
        let task = unsafe { task_of(thread) };
        Self { thread: thread as usize, task, address: local.addr() }
    }

    /// The same frame, further down, at `local`.
    pub(in crate::capi) fn down_to<T>(self, local: *const T) -> Self {
        Self { address: local.addr(), ..self }
    }

    /// Whether [`is_over`](Self::is_over) may be asked at `now` about the calls on a handle that was
    /// closed here: nobody else is at work on it.
    pub(in crate::capi) fn can_be_judged_at(&self, now: &Self) -> bool {
        (self.thread, self.task) == (now.thread, now.task) || !is_running(self.task)
    }
}

impl AtWork for Frame {
    /// Whether the call at work in this frame is known to be over at `now`; if in doubt it is not.
    fn is_over(&self, now: &Self) -> bool {
        if self.thread != now.thread {
            return !is_running(self.task);
        }
        if self.task != now.task && !is_first(now.task) {
            return true; // another thread that has the name now
        }
        // What was called from the frame is below it.
        now.address >= self.address
            && keeping_errno(own_stack)
                .is_some_and(|(low, high)| low <= self.address && now.address < high)
    }
}

/// The kernel's number of this thread, without a system call: the C library knows it, across `fork`
/// too, and names the thread's clock after it, as the kernel does.
///
/// # Safety
/// `this` is this thread.
#[inline(always)]
unsafe fn task_of(this: libc::pthread_t) -> pid_t {
    let mut clock = 0;
    // SAFETY: this thread is alive; its clock is written to a local.
    // Miri has no such clocks.
    if cfg!(miri) || unsafe { pthread_getcpuclockid(this, &raw mut clock) } != 0 {
        return asked_task();
    }
    !(clock >> 3)
}

/// The same, from the kernel.
#[cold]
#[inline(never)]
fn asked_task() -> pid_t {
    // SAFETY: the system call takes no pointer.
    unsafe { libc::syscall(libc::SYS_gettid) as pid_t }
}

/// Whether a thread is the first of its process. No other ever had its name of this process; but
/// after a `fork` it has another number than before, and is at work where it was.
fn is_first(task: pid_t) -> bool {
    // SAFETY: the call takes no pointer and always succeeds.
    task == unsafe { libc::getpid() }
}

/// Whether a thread of this process exists and has not begun to end.
fn is_running(task: pid_t) -> bool {
    // SAFETY: no pointer is involved, and signal 0 is never delivered.
    let exists = || unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), task, 0) == 0 };
    // It may vanish while it is looked at.
    keeping_errno(|| exists() && !is_ending(task) && exists())
}

/// Whether a thread of this process has begun to end: one that was joined may still exist.
fn is_ending(task: pid_t) -> bool {
    const PF_EXITING: u32 = 4; // proc_pid_stat(5): the ninth field, seven behind the name
    let mut path = [0; 64];
    let mut status = [0; 512];
    if write!(&mut path[..], "/proc/self/task/{task}/stat\0").is_err() {
        return false;
    }
    // SAFETY: the path ends with a zero byte; the kernel writes no more than fits the status; the
    // descriptor is this function's.
    let length = without_cancellation(|| unsafe {
        let fd = libc::open(path.as_ptr().cast(), libc::O_RDONLY | libc::O_CLOEXEC);
        let length = libc::read(fd, status.as_mut_ptr().cast(), status.len());
        libc::close(fd);
        length
    });
    let Ok(length) = usize::try_from(length) else { return false };
    let status = status.get(..length).unwrap_or_default();
    let after_name = status.rsplit(|byte| *byte == b')').next().unwrap_or_default();
    let flags = after_name.split(|byte| *byte == b' ').filter(|field| !field.is_empty()).nth(6);
    let flags = flags.and_then(|field| std::str::from_utf8(field).ok()?.parse().ok());
    flags.is_some_and(|flags: u32| flags & PF_EXITING != 0)
}

/// Runs `f`, and leaves `errno` as it was.
fn keeping_errno<T>(f: impl FnOnce() -> T) -> T {
    let before = errno();
    let result = f();
    set_errno(before);
    result
}

/// The bounds of the stack this thread runs on, if it is its own and not one for signals.
fn own_stack() -> Option<(usize, usize)> {
    // SAFETY: all zero bytes are values of these structs of integers and pointers. The calls write
    // to them and to the other locals, which are alive meanwhile; the attributes are destroyed
    // after they were made.
    unsafe {
        let mut signals: libc::stack_t = std::mem::zeroed();
        if libc::sigaltstack(std::ptr::null(), &raw mut signals) != 0
            || signals.ss_flags & libc::SS_ONSTACK != 0
        {
            return None;
        }
        // A signal's handler that jumps away from here would leave the C library's lock taken.
        let (mut all, mut before): (libc::sigset_t, libc::sigset_t) = std::mem::zeroed();
        libc::sigfillset(&raw mut all);
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const all, &raw mut before);
        let mut attributes: libc::pthread_attr_t = std::mem::zeroed();
        let (mut low, mut size) = (std::ptr::null_mut(), 0);
        let mut found = libc::pthread_getattr_np(libc::pthread_self(), &raw mut attributes);
        if found == 0 {
            found = libc::pthread_attr_getstack(&raw const attributes, &raw mut low, &raw mut size);
            libc::pthread_attr_destroy(&raw mut attributes);
        }
        libc::pthread_sigmask(libc::SIG_SETMASK, &raw const before, std::ptr::null_mut());
        (found == 0).then(|| (low.addr(), low.addr() + size))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::channel;

    #[inline(never)]
    fn deeper<R>(f: impl FnOnce() -> R) -> R {
        let room = std::hint::black_box([0u8; 4096]);
        let result = f();
        std::hint::black_box(&room);
        result
    }

    #[test]
    fn a_call_below_is_inside() {
        let mark = 0u8;
        let outer = Frame::of(&raw const mark);
        deeper(|| {
            let mark = 0u8;
            let inner = Frame::of(&raw const mark);
            assert!(!outer.is_over(&inner));
            assert!(inner.is_over(&outer));
        });
    }

    #[test]
    fn the_c_library_knows_the_number_of_a_thread() {
        // SAFETY: the call takes no pointer.
        let number = || unsafe { libc::syscall(libc::SYS_gettid) as pid_t };
        let told = || Frame::of(std::ptr::null::<u8>()).task;
        assert_eq!(told(), number());
        let there = std::thread::spawn(move || (told(), number())).join().unwrap();
        assert_eq!(there.0, there.1);
    }

    #[test]
    #[cfg_attr(miri, ignore = "an interpreter does not fork")]
    fn a_fork_is_at_work_where_its_parent_was() {
        let mark = 0u8;
        let outer = Frame::of(&raw const mark);
        assert!(in_a_fork(|| {
            let inside = deeper(|| {
                let mark = 0u8;
                let now = Frame::of(&raw const mark);
                now.task != outer.task && !outer.is_over(&now)
            });
            inside && outer.is_over(&Frame::of(&raw const mark))
        }));
    }

    /// What `f` says in a child process.
    fn in_a_fork(f: impl FnOnce() -> bool) -> bool {
        // SAFETY: the child runs `f` and ends; the status is a local.
        unsafe {
            let child = libc::fork();
            if child == 0 {
                libc::_exit(f().into());
            }
            let mut status = 0;
            libc::waitpid(child, &raw mut status, 0);
            libc::WIFEXITED(status) && libc::WEXITSTATUS(status) == 1
        }
    }

    #[test]
    fn a_stack_of_another_kind_tells_nothing() {
        let elsewhere = Box::new(0u8);
        let mark = 0u8;
        let (here, there) = (Frame::of(&raw const mark), Frame::of(&raw const *elsewhere));
        assert!(!here.is_over(&there) && !there.is_over(&here));
    }

    /// Calls `f` with a frame of another thread, then lets that thread end.
    fn with_a_thread(f: impl FnOnce(&Frame)) -> Frame {
        let (send, receive) = channel();
        let (end, wait) = channel::<()>();
        let thread = std::thread::spawn(move || {
            let mark = 0u8;
            send.send(Frame::of(&raw const mark)).unwrap();
            let _ = wait.recv();
        });
        let there = receive.recv().unwrap();
        f(&there);
        drop(end);
        thread.join().unwrap();
        there
    }

    #[test]
    fn the_calls_of_a_thread_are_over_when_it_has_ended() {
        let mark = 0u8;
        let here = Frame::of(&raw const mark);
        let there = with_a_thread(|there| assert!(!there.is_over(&here)));
        // Though the kernel may not have forgotten it yet.
        assert!(there.is_over(&here));
    }

    #[test]
    #[cfg_attr(miri, ignore = "an interpreter does not fork")]
    fn the_calls_of_other_threads_are_over_in_a_fork() {
        let mark = 0u8;
        with_a_thread(|there| {
            assert!(!there.is_over(&Frame::of(&raw const mark)));
            assert!(in_a_fork(|| there.is_over(&Frame::of(&raw const mark))));
        });
    }
}
