//! Logged packets, read as they are wanted.

use super::nflog::{State, ctrs_nflog, patience, work, wrong};
use super::reading::array;
use super::record::put_filled;
use crate::capi::ffi::cancel::point_of_cancellation;
use crate::capi::ffi::ptr;
use crate::error::Error;
use crate::netlink;
use crate::netlink::message::align;
use crate::netlink::wait::Stopper;
use crate::nflog::record::PacketRecord;
use libc::{c_int, c_void, size_t, ssize_t};
use std::os::fd::{BorrowedFd, RawFd};
use std::time::{Duration, Instant};

/// Where a caller has packets put.
#[derive(Clone, Copy)]
struct Room {
    packets: *mut PacketRecord,
    most: usize,
    /// Bytes of a record.
    size: usize,
    buffer: *mut c_void,
    length: usize,
}

impl Room {
    /// The same, if it is room at all.
    fn checked(self) -> Result<Self, Error> {
        if self.buffer.is_null() || self.most == 0 {
            return Err(wrong("there is no room for a packet: NULL, or an array of no records"));
        }
        // Places in it are told as numbers of 32 bits.
        let length = self.length.min(u32::MAX as usize);
        Ok(Self { size: array(self.packets, self.size)?, length, ..self })
    }

    /// Fills it with what has come, and tells how many records that takes.
    ///
    /// # Safety
    /// It is as large as it says, and nobody else uses it.
    unsafe fn fill(&self, state: &mut State) -> Result<usize, Error> {
        // SAFETY: the buffer is as long as that, and nobody else uses it.
        let buffer = unsafe { ptr::bytes_mut(self.buffer, self.length) };
        let (mut filled, mut used) = (0, 0);
        while filled < self.most {
            let mut found = Ok(None);
            // SAFETY: there is room for more than `filled` records of `size` bytes, which is checked.
            unsafe {
                put_filled(self.packets.byte_add(filled * self.size), self.size, |record| {
                    found = state.source.next_record(record, (&mut *buffer, align(used)));
                });
            }
            match found {
                Ok(Some(end)) => used = end,
                // What failed fails again in the next call.
                Err(error) if filled == 0 => return Err(error),
                _ => break,
            }
            filled += 1;
        }
        Ok(filled)
    }
}

/// Waits for something to read, at most until the deadline, which the first wait sets. The thread
/// may be cancelled here, so nothing on the way has anything to drop.
///
/// # Safety
/// `log` is a live log.
unsafe fn wait(
    log: *mut ctrs_nflog,
    fd: RawFd,
    timeout_ms: c_int,
    deadline: &mut Option<Instant>,
) -> Result<(), netlink::Error> {
    if let (None, Ok(milliseconds)) = (*deadline, u64::try_from(timeout_ms)) {
        *deadline = Instant::now().checked_add(Duration::from_millis(milliseconds));
    }
    // SAFETY: the log is live, and what it waits with nobody changes; its descriptor is open.
    let (patience, fd) = unsafe { (patience(log), BorrowedFd::borrow_raw(fd)) };
    patience.map_or(Ok(()), |patience| patience.wait(fd, *deadline))
}

/// Reads what has come, or waits for it.
///
/// # Safety
/// `log` is NULL or a live log; the room is as large as it says.
unsafe fn read(log: *mut ctrs_nflog, room: Room, timeout_ms: c_int) -> ssize_t {
    point_of_cancellation();
    // SAFETY: `log` is NULL or live.
    let stopper = unsafe { patience(log) }.and_then(|patience| patience.stopper.as_ref());
    let mut ended = stopper.is_some_and(Stopper::ends_wait).then_some(netlink::Error::Stopped);
    let mut deadline = None;
    loop {
        let mut nothing = None;
        // SAFETY: `log` is NULL or live, and the room as large as it says.
        let filled = unsafe {
            work(log, -1, |state| match ended {
                Some(netlink::Error::TimedOut) => Ok(0),
                Some(error) => Err(error.into()),
                None => {
                    let filled = room.checked()?.fill(state)?;
                    nothing = (filled == 0).then_some(state.source.socket().fd());
                    Ok(ssize_t::try_from(filled).unwrap_or(ssize_t::MAX))
                }
            })
        };
        let Some(fd) = nothing.filter(|_| timeout_ms != 0) else { return filled };
        // SAFETY: there is a log, which has said that nothing has come.
        ended = unsafe { wait(log, fd, timeout_ms, &mut deadline) }.err();
    }
}

/// Reads the next packet into a record, and its message into a buffer, in which the record tells
/// where its parts are. A record without CTRS_PACKET_MESSAGE is of no packet: it tells, in its
/// place among them, that packets were lost; how many, where the group has CTRS_NFLOG_SEQ.
///
/// `size` is sizeof(struct ctrs_packet) as the program was compiled, as in ctrs_packet_from().
/// `length` is that of the buffer: 131,072 bytes hold any packet. `timeout_ms` says how long it
/// waits: 0 not at all, negative without end, whatever the descriptor would do. A thread that waits
/// can be cancelled.
///
/// Returns 1 with a packet or a loss; 0 if none came in time; -1 with EINVAL for NULL, for a wrong
/// `size`, and for a buffer without room for the packet, which is read again then, with ECANCELED
/// when ctrs_nflog_wake() ended the wait, with EINTR when the handler of a signal ran, with ENOMEM.
///
/// # Safety
/// `log` is NULL or a live log; `packet` is NULL or points to `size` writable bytes, `buffer` is NULL or
/// points to `length`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_nflog_next(
    log: *mut ctrs_nflog,
    packet: *mut PacketRecord,
    size: size_t,
    buffer: *mut c_void,
    length: size_t,
    timeout_ms: c_int,
) -> c_int {
    let room = Room { packets: packet, most: 1, size, buffer, length };
    // SAFETY: `log` is NULL or live; the room is NULL or as large as it says.
    unsafe { read(log, room, timeout_ms) as c_int }
}

/// Reads the next packets into an array of `n` records, and their messages into one buffer: as many
/// as have come and both have room for. It waits only if nothing has come. All else is as in
/// ctrs_nflog_next(). A buffer of 262,144 bytes holds what the kernel hands out at once.
///
/// Returns how many records it has filled: at least one, unless none came in time: 0. -1 as
/// ctrs_nflog_next(), and with EINVAL for an `n` of 0.
///
/// # Safety
/// `log` is NULL or a live log; `packets` is NULL or points to `n` times `size` writable bytes, `buffer`
/// is NULL or points to `length`.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_nflog_read(
    log: *mut ctrs_nflog,
    packets: *mut PacketRecord,
    n: size_t,
    size: size_t,
    buffer: *mut c_void,
    length: size_t,
    timeout_ms: c_int,
) -> ssize_t {
    let room = Room { packets, most: n, size, buffer, length };
    // SAFETY: `log` is NULL or live; the room is NULL or as large as it says.
    unsafe { read(log, room, timeout_ms) }
}
