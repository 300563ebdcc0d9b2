//! Handles, opened with options.
#![allow(non_camel_case_types, reason = "these are spelled as C spells them")]

use super::call::{with_handle, without_handle};
use crate::capi::conntrack::beyond::Kept;
use crate::capi::conntrack::extension::Extension;
use crate::capi::conntrack::handle;
use crate::capi::conntrack::state::State;
use crate::capi::conntrack::types::nfct_handle;
use crate::capi::ffi::at_work::Frame;
use crate::capi::ffi::boundary::errno;
use crate::capi::ffi::cancel::{self, point_of_cancellation};
use crate::capi::ffi::closed::Closable;
use crate::capi::ffi::explained::ctrs_error;
use crate::capi::ffi::ptr;
use crate::error::{Error, Invalid};
use crate::netlink;
use crate::options::{NAMESPACE_FLAGS, Options};
use crate::text::writer::Writer;
use libc::{c_char, c_int};
use std::os::fd::{BorrowedFd, FromRawFd, OwnedFd};
use std::time::Duration;

/// Flags of struct ctrs_open_options.
#[derive(Clone, Copy)]
#[repr(C)]
pub enum ctrs_open_flags {
    /// The descriptor does not block: nfct_catch() fails with EAGAIN where it would wait.
    CTRS_OPEN_NONBLOCK = 1,
    /// No end of a flow is missed: the kernel tells one that did not fit the receive buffer again,
    /// after a second or more, and keeps the flow in memory until then, so who does not read fills
    /// its table. Other events may still be lost, and ENOBUFS does not say so any more.
    CTRS_OPEN_RELIABLE = 2,
    /// Events of all network namespaces that have an id in that of the handle (`ip netns set`). It
    /// takes CAP_NET_BROADCAST there. Linux 4.2.
    CTRS_OPEN_ALL_NAMESPACES = 4,
    /// In the network namespace of the descriptor netns_fd, which stays the caller's.
    CTRS_OPEN_NETNS_FD = 8,
    /// In the network namespace of the process netns_pid.
    CTRS_OPEN_NETNS_PID = 16,
    /// The kernel does not say that messages were lost because the receive buffer was full. It then
    /// loses those that do not fit, and not all until the buffer is empty.
    CTRS_OPEN_NO_ENOBUFS = 32,
}

const NONBLOCK: u32 = ctrs_open_flags::CTRS_OPEN_NONBLOCK as u32;
const RELIABLE: u32 = ctrs_open_flags::CTRS_OPEN_RELIABLE as u32;
const ALL_NAMESPACES: u32 = ctrs_open_flags::CTRS_OPEN_ALL_NAMESPACES as u32;
const NETNS_FD: u32 = ctrs_open_flags::CTRS_OPEN_NETNS_FD as u32;
const NETNS_PID: u32 = ctrs_open_flags::CTRS_OPEN_NETNS_PID as u32;
const NO_ENOBUFS: u32 = ctrs_open_flags::CTRS_OPEN_NO_ENOBUFS as u32;

/// How a handle is opened. What is 0 is as nfct_open() has it; what the size leaves out is 0.
#[derive(Clone, Copy)]
#[repr(C)]
pub struct ctrs_open_options {
    /// Bytes of this structure: the caller's sizeof.
    pub size: u32,
    /// Some of enum ctrs_open_flags.
    pub flags: u32,
    /// CONNTRACK, EXPECT, or 0 for both.
    pub subsystems: u32,
    /// The events to receive: NFCT_ALL_CT_GROUPS, or some of NF_NETLINK_CONNTRACK_*.
    pub groups: u32,
    /// Bytes of messages that the receive buffer is to hold. Beyond net.core.rmem_max it takes
    /// CAP_NET_ADMIN in the first user namespace; without, it is as large as that allows: see
    /// ctrs_receive_buffer().
    pub receive_buffer: u32,
    /// Bytes that the receive buffer may grow to: it is doubled each time messages were lost.
    pub receive_buffer_limit: u32,
    /// With CTRS_OPEN_NETNS_FD.
    pub netns_fd: i32,
    /// With CTRS_OPEN_NETNS_PID.
    pub netns_pid: i32,
    /// Milliseconds that an answer is waited for, and in nfct_catch() any message; 0: without end.
    pub timeout_ms: u32,
    /// 0.
    pub reserved: u32,
    /// In the network namespace of this file, as /run/netns/blue or /proc/1/ns/net; or NULL.
    pub netns: *const c_char,
}

const DEFAULT: ctrs_open_options = ctrs_open_options {
    size: size_of::<ctrs_open_options>() as u32,
    flags: 0,
    subsystems: 0,
    groups: 0,
    receive_buffer: 0,
    receive_buffer_limit: 0,
    netns_fd: 0,
    netns_pid: 0,
    timeout_ms: 0,
    reserved: 0,
    netns: std::ptr::null(),
};

/// Bytes of the first version, without the pointer and with it.
const SIZES: [usize; 2] =
    [std::mem::offset_of!(ctrs_open_options, netns), size_of::<ctrs_open_options>()];
/// The most that the options of a later version are believed to have.
const MOST: usize = 4096;

fn wrong(sentence: &'static str) -> Error {
    Invalid::Argument(sentence).into()
}

impl ctrs_open_options {
    /// The caller's options, as far as this version knows them.
    ///
    /// # Safety
    /// `options` is NULL or points to as many readable bytes as its `size` says.
    pub(super) unsafe fn read(options: *const Self) -> Result<Self, Error> {
        if options.is_null() {
            return Ok(DEFAULT);
        }
        // SAFETY: the options are not NULL, so their size can be read.
        let size = unsafe { (&raw const (*options).size).read_unaligned() } as usize;
        let [without, whole] = SIZES;
        let cut = size > without && size < whole;
        if !(8..=MOST).contains(&size) || size % 4 != 0 || cut {
            return Err(wrong("the size of the options is that of no version: set it to sizeof"));
        }
        // SAFETY: the caller's has as many readable bytes.
        let bytes = unsafe { ptr::bytes(options.cast(), size) };
        if bytes.iter().skip(whole).any(|byte| *byte != 0) {
            return Err(wrong(
                "the options ask for what this version of the library does not have",
            ));
        }
        let mut known = DEFAULT;
        let to = (&raw mut known).cast::<u8>();
        // SAFETY: no more is copied than the options have; any bytes are a value of them.
        unsafe { to.copy_from_nonoverlapping(bytes.as_ptr(), size.min(whole)) };
        known.check()?;
        Ok(known)
    }

    /// Whether only that is asked for which any socket has.
    pub(super) fn are_of_any_socket(&self) -> bool {
        let special = self.flags & (RELIABLE | ALL_NAMESPACES) | self.subsystems | self.groups;
        special | self.timeout_ms == 0
    }

    /// Whether only that is asked for which a mirror has, or says that it has not.
    pub(super) fn are_of_a_mirror(&self) -> bool {
        self.flags & NO_ENOBUFS | self.subsystems | self.groups == 0
    }

    /// Sets what a socket is told after it was opened.
    pub(super) fn apply(&self, socket: &netlink::socket::Socket) -> Result<(), Error> {
        if self.flags & NO_ENOBUFS != 0 {
            socket.set_overruns_told(false)?;
        }
        Ok(())
    }

    fn check(&self) -> Result<(), Error> {
        let known = NONBLOCK | RELIABLE | ALL_NAMESPACES | NETNS_FD | NETNS_PID | NO_ENOBUFS;
        let places = (self.flags & (NETNS_FD | NETNS_PID)).count_ones();
        match self {
            _ if self.flags & !known != 0 => Err(wrong("a flag that there is not")),
            _ if self.subsystems > 2 => Err(wrong("subsystems are CONNTRACK, EXPECT or 0")),
            _ if self.groups & !ALL_GROUPS != 0 => Err(wrong("a group that there is not")),
            _ if self.reserved != 0 => Err(wrong("the reserved field of the options is not 0")),
            _ if places + u32::from(!self.netns.is_null()) > 1 => {
                Err(wrong("more than one network namespace"))
            }
            _ => Ok(()),
        }
    }

    /// The same, as the library says it.
    ///
    /// # Safety
    /// The path is NULL or a C string.
    pub(super) unsafe fn options(&self) -> Result<Options, Error> {
        let mut options = Options::new()
            .nonblocking(self.flags & NONBLOCK != 0)
            .reliable(self.flags & RELIABLE != 0)
            .all_namespaces(self.flags & ALL_NAMESPACES != 0)
            .receive_buffer_limit(self.receive_buffer_limit as usize);
        if self.receive_buffer != 0 {
            options = options.receive_buffer(self.receive_buffer as usize);
        }
        if self.timeout_ms != 0 {
            options = options.timeout(Duration::from_millis(self.timeout_ms.into()));
        }
        // SAFETY: the path is NULL or a C string.
        unsafe { self.namespace(options) }
    }

    /// Adds the network namespace.
    ///
    /// # Safety
    /// The path is NULL or a C string.
    unsafe fn namespace(&self, options: Options) -> Result<Options, Error> {
        if self.flags & NETNS_FD != 0 {
            if self.netns_fd < 0 {
                return Err(wrong("a negative descriptor"));
            }
            // SAFETY: it is not -1, and used during the caller's call; the kernel says what is wrong
            // with one that is not open.
            return options.netns_fd(unsafe { BorrowedFd::borrow_raw(self.netns_fd) });
        }
        if self.flags & NETNS_PID != 0 {
            let pid = u32::try_from(self.netns_pid).map_err(|_| wrong("a negative process id"))?;
            let mut path = [0; 32];
            let mut writer = Writer::new(&mut path);
            writer.text(b"/proc/");
            writer.decimal(pid.into());
            writer.text(b"/ns/net");
            writer.finish();
            // SAFETY: the path is a C string: it is shorter than its room.
            return options.netns_owned(unsafe { open_file(path.as_ptr().cast()) }?);
        }
        if self.netns.is_null() {
            return Ok(options);
        }
        // SAFETY: the path is not NULL, so it is a C string.
        options.netns_owned(unsafe { open_file(self.netns) }?)
    }
}

/// New, updated and destroyed entries, and the same of expectations.
const ALL_GROUPS: u32 = 0x3f;

/// Opens a file that stands for a network namespace.
///
/// # Safety
/// `path` is a C string.
unsafe fn open_file(path: *const c_char) -> Result<OwnedFd, Error> {
    let flags = libc::O_RDONLY | libc::O_CLOEXEC | NAMESPACE_FLAGS;
    // SAFETY: the path is a C string.
    let fd = unsafe { cancel::open(path, flags) };
    if fd < 0 {
        return Err(netlink::Error::System { call: "open", errno: errno() }.into());
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

/// Opens a handle as the options say; NULL stands for options that are all 0.
///
/// It is a handle as that of nfct_open(), for all functions that take one, and is released with
/// nfct_close(). On its sockets the kernel says what is wrong with a request. All waits on it end by
/// ctrs_wake() with ECANCELED, after timeout_ms with ETIMEDOUT, and when the handler of a signal ran
/// with EINTR: those of nfct_catch() too.
///
/// In another network namespace it takes CAP_SYS_ADMIN, there and in the caller's user namespace.
/// The calling thread stays where it is.
///
/// Returns the handle; NULL with EINVAL for options that make no sense, with EPERM without the
/// capability for groups (CAP_NET_ADMIN), namespaces or all namespaces, with ENOENT if there is no
/// such file or process, with EPROTONOSUPPORT if the kernel lacks netfilter netlink, with EBADF if
/// netns_fd is no descriptor, with EMFILE, ENFILE or ENOMEM. `error`, unless it is NULL, then says
/// more.
///
/// # Safety
/// `options` is NULL or points to as many readable bytes as its `size` says; `error` is NULL or points
/// to as many writable bytes as its `size` says.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_open(
    options: *const ctrs_open_options,
    error: *mut ctrs_error,
) -> *mut nfct_handle {
    point_of_cancellation();
    let mark = 0u8;
    // SAFETY: `error` is NULL or the caller's; so are the options, and their path is a C string.
    unsafe {
        without_handle(error, std::ptr::null_mut(), || {
            let wanted = ctrs_open_options::read(options)?;
            State::closed().sweep(&Frame::of(&raw const mark));
            let options = wanted.options()?;
            let socket = options.listen(wanted.groups)?;
            wanted.apply(&socket)?;
            socket.ask_for_reasons();
            let kept = Kept::new(Extension::with(options)?);
            let opened = kept.and_then(|kept| {
                let subsystem = wanted.subsystems as u8;
                let h = handle::open_on(socket, subsystem, wanted.groups)?;
                Extension::keep_with(h, kept).map(|()| h)
            });
            opened.map_err(|error| match error.errno() {
                Some(libc::ENOMEM) | None => netlink::Error::OutOfMemory.into(),
                Some(errno) => netlink::Error::System { call: "bind", errno }.into(),
            })
        })
    }
}

/// How many bytes of messages the receive buffer of a handle holds, as the kernel counts them.
///
/// Returns their number; -1 with EINVAL for NULL, with EBADF if the descriptor was closed.
///
/// # Safety
/// `h` is NULL or a live handle.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn ctrs_receive_buffer(h: *mut nfct_handle) -> c_int {
    // SAFETY: `h` is NULL or a live handle.
    unsafe {
        with_handle(h, -1, |extended| {
            let bytes = extended.socket().receive_buffer()?;
            Ok(c_int::try_from(bytes).unwrap_or(c_int::MAX))
        })
    }
}
