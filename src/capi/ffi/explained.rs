//! What went wrong, explained: the `struct ctrs_error` of C.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::error::Error as Errno;
use crate::error::{Error, ErrorKind};
use crate::text::writer::Writer;
use libc::c_char;
use std::fmt::Write;

/// What kind of failure it was: what a program can do about it.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_error_kind {
    /// Nothing failed.
    CTRS_ERROR_NONE = 0,
    /// A capability is missing.
    CTRS_ERROR_PRIVILEGE = 1,
    /// The kernel cannot do it: it is too old, or was built without.
    CTRS_ERROR_UNSUPPORTED = 2,
    /// Nothing has this name.
    CTRS_ERROR_NOT_FOUND = 3,
    /// Something has this name already.
    CTRS_ERROR_EXISTS = 4,
    /// The kernel refuses this change.
    CTRS_ERROR_BUSY = 5,
    /// The kernel's table is full.
    CTRS_ERROR_FULL = 6,
    /// Messages were lost because the socket's receive buffer was full.
    CTRS_ERROR_LOST = 7,
    /// Nothing has come yet, and the descriptor is non-blocking.
    CTRS_ERROR_WOULD_BLOCK = 8,
    /// The time is over.
    CTRS_ERROR_TIMED_OUT = 9,
    /// ctrs_wake() ended the wait.
    CTRS_ERROR_WOKEN = 10,
    /// The handler of a signal ran, and ended the wait.
    CTRS_ERROR_INTERRUPTED = 11,
    /// The call, or the request, cannot be made like that.
    CTRS_ERROR_INVALID = 12,
    /// A message that the kernel does not send.
    CTRS_ERROR_PROTOCOL = 13,
    /// No memory was left.
    CTRS_ERROR_OUT_OF_MEMORY = 14,
    /// A system call failed.
    CTRS_ERROR_SYSTEM = 15,
    /// A text cannot be read: the offset tells where.
    CTRS_ERROR_SYNTAX = 16,
    /// A request of a batch was not sent, as the connection failed before.
    CTRS_ERROR_NOT_SENT = 17,
}

/// In the attribute or the offset of an error: there is none to blame.
pub(in crate::capi) const CTRS_ERROR_NOWHERE: u32 = 0xffff_ffff;

/// A failure, explained.
///
/// Where a function takes one, its `size` is set before: to the caller's sizeof. What is beyond
/// that size is left out, and a text that is cut ends with a NUL all the same. What this version of
/// the library lacks is zero. Other sizes than that of some version give EINVAL.
#[repr(C)]
pub struct ctrs_error {
    /// Bytes of this structure.
    pub size: u32,
    /// The errno; 0: nothing failed.
    pub err: i32,
    /// One of enum ctrs_error_kind.
    pub kind: u32,
    /// The attribute that is to blame, or CTRS_ERROR_NOWHERE: one of enum nf_conntrack_attr, or of
    /// enum nf_expect_attr where expectations were asked about, enum nfct_timeout_attr where
    /// timeout policies were, enum nfct_helper_attr_type where helpers were. Of a tuple that is
    /// missing it is the first to be set, its layer 3 protocol.
    pub attribute: u32,
    /// Where in the text or the request the fault is, in bytes from its beginning, or
    /// CTRS_ERROR_NOWHERE.
    pub offset: u32,
    /// 0.
    pub reserved: u32,
    /// What the kernel said, in its own words; empty if it said nothing.
    pub kernel: [c_char; 128],
    /// A sentence for a person: what was asked, what went wrong, and what the cause may be.
    pub text: [c_char; 512],
}

const _: () = assert!(size_of::<ctrs_error>() == 664 && align_of::<ctrs_error>() == 4);

/// Bytes in front of the texts, the least of a caller's structure.
const LEAST: usize = std::mem::offset_of!(ctrs_error, kernel);
/// The most that a caller's structure is believed to have.
const MOST: usize = 64 * 1024;

impl ctrs_error {
    /// That nothing failed.
    pub(in crate::capi) const NONE: Self = Self {
        size: size_of::<Self>() as u32,
        err: 0,
        kind: ctrs_error_kind::CTRS_ERROR_NONE as u32,
        attribute: CTRS_ERROR_NOWHERE,
        offset: CTRS_ERROR_NOWHERE,
        reserved: 0,
        kernel: [0; 128],
        text: [0; 512],
    };

    /// One that is always the same.
    pub(in crate::capi) const fn fixed(err: i32, kind: ctrs_error_kind, sentence: &str) -> Self {
        let mut this = Self { err, kind: kind as u32, ..Self::NONE };
        let mut room: &mut [c_char] = &mut this.text;
        let mut text = sentence.as_bytes();
        while let (Some((to, behind)), Some((byte, rest))) =
            (room.split_first_mut(), text.split_first())
        {
            *to = *byte as c_char;
            (room, text) = (behind, rest);
        }
        this
    }

    /// Forgets what went wrong before; the texts become empty.
    pub(in crate::capi) fn clear(&mut self) {
        self.err = 0;
        self.kind = ctrs_error_kind::CTRS_ERROR_NONE as u32;
        (self.attribute, self.offset) = (CTRS_ERROR_NOWHERE, CTRS_ERROR_NOWHERE);
        (self.kernel[0], self.text[0]) = (0, 0);
    }

    /// Takes an error down.
    #[inline(never)]
    pub(in crate::capi) fn set(&mut self, error: &Error) {
        self.clear();
        self.err = errno_of(error);
        self.kind = kind_of(error.kind()) as u32;
        self.attribute = error.attribute_number().unwrap_or(CTRS_ERROR_NOWHERE);
        let offset = error.offset().and_then(|offset| u32::try_from(offset).ok());
        self.offset = offset.unwrap_or(CTRS_ERROR_NOWHERE);
        write_text(&mut self.kernel, format_args!("{}", error.kernel_text().unwrap_or_default()));
        write_text(&mut self.text, format_args!("{error}"));
    }
}

/// Writes a C string, as much of it as there is room for; it asks for no memory.
fn write_text(room: &mut [c_char], text: std::fmt::Arguments<'_>) {
    let length = room.len();
    // SAFETY: characters of C are bytes, and these are borrowed alone.
    let room = unsafe { std::slice::from_raw_parts_mut(room.as_mut_ptr().cast::<u8>(), length) };
    let mut writer = Writer::new(room);
    // The writer takes everything.
    let _ = writer.write_fmt(text);
    writer.finish();
}

fn kind_of(kind: ErrorKind) -> ctrs_error_kind {
    use ctrs_error_kind::*;
    match kind {
        ErrorKind::Privilege => CTRS_ERROR_PRIVILEGE,
        ErrorKind::Unsupported => CTRS_ERROR_UNSUPPORTED,
        ErrorKind::NotFound => CTRS_ERROR_NOT_FOUND,
        ErrorKind::Exists => CTRS_ERROR_EXISTS,
        ErrorKind::Busy => CTRS_ERROR_BUSY,
        ErrorKind::Full => CTRS_ERROR_FULL,
        ErrorKind::Lost => CTRS_ERROR_LOST,
        ErrorKind::WouldBlock => CTRS_ERROR_WOULD_BLOCK,
        ErrorKind::TimedOut => CTRS_ERROR_TIMED_OUT,
        ErrorKind::Stopped => CTRS_ERROR_WOKEN,
        ErrorKind::Interrupted => CTRS_ERROR_INTERRUPTED,
        ErrorKind::Invalid => CTRS_ERROR_INVALID,
        ErrorKind::Protocol => CTRS_ERROR_PROTOCOL,
        ErrorKind::OutOfMemory => CTRS_ERROR_OUT_OF_MEMORY,
        ErrorKind::System => CTRS_ERROR_SYSTEM,
        ErrorKind::Syntax => CTRS_ERROR_SYNTAX,
        ErrorKind::NotSent => CTRS_ERROR_NOT_SENT,
    }
}

/// The `errno` of an error: its own, or else that of its kind.
pub(in crate::capi) fn errno_of(error: &Error) -> i32 {
    error.errno().unwrap_or(match error.kind() {
        ErrorKind::Invalid | ErrorKind::Syntax => libc::EINVAL,
        ErrorKind::Protocol => libc::EBADMSG,
        ErrorKind::TimedOut => libc::ETIMEDOUT,
        ErrorKind::Stopped | ErrorKind::NotSent => libc::ECANCELED,
        ErrorKind::Interrupted => libc::EINTR,
        ErrorKind::Lost => libc::ENOBUFS,
        ErrorKind::OutOfMemory => libc::ENOMEM,
        _ => libc::EIO,
    })
}

/// A structure of the caller's that takes an error; the caller may not want one.
pub(in crate::capi) struct Taker {
    to: *mut ctrs_error,
    size: usize,
}

impl Taker {
    /// # Safety
    /// `to` is NULL or points to as many writable bytes as its first four say, which nobody else uses
    /// as long as this lives.
    pub unsafe fn of(to: *mut ctrs_error) -> Result<Self, Errno> {
        if to.is_null() {
            return Ok(Self { to, size: 0 });
        }
        // SAFETY: `to` is not NULL, so its size can be read.
        let size = unsafe { (&raw const (*to).size).read_unaligned() } as usize;
        let sane = (LEAST..=MOST).contains(&size);
        sane.then_some(Self { to, size }).ok_or(Errno::of(libc::EINVAL))
    }

    /// Says what went wrong, or that nothing did.
    #[inline(never)]
    pub fn tell(&mut self, error: Option<&Error>) {
        let Self { to, size } = *self;
        if to.is_null() {
            return;
        }
        let mut full = ctrs_error::NONE;
        if let Some(error) = error {
            full.set(error);
        }
        full.size = size as u32;
        let known = size.min(size_of::<ctrs_error>());
        // SAFETY: `to` has `size` writable bytes, of which `known` are copied from the full one and
        // the rest is zeroed.
        unsafe {
            let to = to.cast::<u8>();
            to.copy_from_nonoverlapping((&raw const full).cast(), known);
            to.add(known).write_bytes(0, size - known);
            if known < size_of::<ctrs_error>() && known > LEAST {
                to.add(known - 1).write(0);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::{Invalid, RequestKind};
    use crate::netlink;
    use std::ffi::CStr;

    fn text(of: &[c_char]) -> String {
        // SAFETY: these texts end with a NUL.
        unsafe { CStr::from_ptr(of.as_ptr()) }.to_str().unwrap().to_owned()
    }

    #[test]
    fn an_error_is_a_number_a_kind_and_a_sentence() {
        let mut told = ctrs_error::NONE;
        let error = Error::from(netlink::Error::Refused(libc::ENOENT)).of(RequestKind::Delete);
        told.set(&error);
        assert_eq!(told.err, libc::ENOENT);
        assert_eq!(told.kind, ctrs_error_kind::CTRS_ERROR_NOT_FOUND as u32);
        assert_eq!((told.attribute, told.offset), (CTRS_ERROR_NOWHERE, CTRS_ERROR_NOWHERE));
        assert_eq!(text(&told.text), error.to_string());
        told.clear();
        assert_eq!((told.err, told.kind, text(&told.text)), (0, 0, String::new()));
    }

    #[test]
    fn what_has_no_errno_gets_that_of_its_kind() {
        use netlink::Error::*;
        for (error, errno) in [
            (Error::from(Stopped), libc::ECANCELED),
            (Error::from(NotSent), libc::ECANCELED),
            (Error::from(TimedOut), libc::ETIMEDOUT),
            (Error::from(Overrun), libc::ENOBUFS),
            (Error::from(OutOfMemory), libc::ENOMEM),
            (Error::from(NoMessage), libc::EBADMSG),
            (Error::from(System { call: "poll", errno: libc::EINTR }), libc::EINTR),
            (Error::from(Invalid::Family), libc::EINVAL),
        ] {
            assert_eq!(errno_of(&error), errno, "{error:?}");
        }
    }

    #[test]
    fn a_caller_of_another_version_gets_what_fits() {
        let error = Error::from(Invalid::Argument("a sentence of some length"));
        for size in [0, 23, LEAST, LEAST + 1, 300, 663, 664, 665, 1000, MOST, MOST + 1] {
            let mut room = vec![0xa5_u8; MOST + 8];
            room[..4].copy_from_slice(&(size as u32).to_ne_bytes());
            // SAFETY: the room is larger than any size.
            let taker = unsafe { Taker::of(room.as_mut_ptr().cast()) };
            let Ok(mut taker) = taker else {
                assert!(!(LEAST..=MOST).contains(&size), "{size}");
                continue;
            };
            taker.tell(Some(&error));
            assert_eq!(room[..4], (size as u32).to_ne_bytes());
            assert_eq!(room[4..8], libc::EINVAL.to_ne_bytes());
            assert!(room[size..].iter().all(|byte| *byte == 0xa5), "{size}");
            assert!(room.iter().take(size).skip(664).all(|byte| *byte == 0), "{size}");
            assert!(size == LEAST || room[LEAST..size].contains(&0), "{size}");
        }
    }
}
