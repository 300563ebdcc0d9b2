//! Label maps: the names of labels.

use super::types::nfct_labelmap;
use crate::capi::ffi::alloc::{place, unplace};
use crate::capi::ffi::boundary::{boundary, errno, set_errno};
use crate::capi::ffi::cancel::{open, read};
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::conntrack::labels::map::{DEFAULT_PATH, LabelMap, Parser};
use libc::{c_char, c_int, c_uint};
use std::ffi::CStr;
use std::mem::ManuallyDrop;

/// The label map behind a pointer, or [`Error::NULL`].
///
/// # Safety
/// `map` is NULL or a live label map.
unsafe fn borrow<'a>(map: *const nfct_labelmap) -> Result<&'a LabelMap, Error> {
    // SAFETY: `map` is NULL or what `nfct_labelmap_new` placed, and maps do not change.
    unsafe { map.cast::<LabelMap>().as_ref() }.ok_or(Error::NULL)
}

/// The label map behind a pointer for printing; `None` for NULL.
///
/// # Safety
/// `map` is NULL or a live label map.
pub(in crate::capi) unsafe fn optional<'a>(map: *const nfct_labelmap) -> Option<&'a LabelMap> {
    // SAFETY: `borrow` asks of the map what this function asks.
    unsafe { borrow(map) }.ok()
}

/// The path of the system's label file, /etc/xtables/connlabel.conf.
///
/// Returns a string that lives as long as the program; it does not fail.
///
/// # Safety
/// Always safe to call.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_labels_get_path() -> *const c_char {
    boundary(std::ptr::null(), || Ok(DEFAULT_PATH.as_ptr()))
}

/// Reads the names of labels from a file; NULL stands for the system's. Release the map with
/// nfct_labelmap_destroy().
///
/// A line is a number below 1024 and a name of letters, digits, blanks and hyphens; other lines are
/// skipped, and so are numbers and names that an earlier line has.
///
/// Returns the map; NULL with errno of open(), with ENOMEM when there is no memory; NULL with errno
/// 0 if no line could be used.
///
/// # Safety
/// `mapfile` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C-unwind" fn nfct_labelmap_new(mapfile: *const c_char) -> *mut nfct_labelmap {
    let path = if mapfile.is_null() { DEFAULT_PATH.as_ptr() } else { mapfile };
    // SAFETY: the path is a C string: the caller's, or the constant one.
    unsafe { load(path) }
}

/// Reads a label file. The thread may be cancelled in here, waiting for a pipe: nothing is in the
/// frames that would be dropped, and what was read and the descriptor are lost then.
///
/// # Safety
/// `path` is a C string.
unsafe fn load(path: *const c_char) -> *mut nfct_labelmap {
    let none = std::ptr::null_mut();
    let before = errno();
    // SAFETY: the path is a C string; without O_CREAT there is no third argument.
    let fd = unsafe { open(path, libc::O_RDONLY | libc::O_CLOEXEC | libc::O_LARGEFILE) };
    if fd < 0 {
        return none;
    }
    let mut parser = ManuallyDrop::new(Parser::default());
    let mut block = [0u8; 4096];
    let mut fed = true;
    while fed {
        // SAFETY: the block is alive and as long as said.
        let length = unsafe { read(fd, block.as_mut_ptr().cast(), block.len()) };
        match usize::try_from(length) {
            Err(_) if errno() == libc::EINTR => {}
            Err(_) | Ok(0) => break,
            Ok(length) => {
                let text = block.get(..length).unwrap_or_default();
                fed = boundary(false, || Ok(parser.feed(text).map(|()| true)?));
            }
        }
    }
    // Not the C library's close, which is a point of cancellation.
    // SAFETY: the descriptor is this function's.
    unsafe { libc::syscall(libc::SYS_close, fd) };
    boundary(none, || {
        let mut parser = ManuallyDrop::into_inner(parser);
        let map = if fed { parser.finish()? } else { None };
        match map {
            Some(map) => {
                set_errno(before);
                place(map).map(<*mut LabelMap>::cast).map_err(|(_, error)| error)
            }
            None => {
                // Programs tell an unusable file from a missing one by this 0.
                if fed {
                    set_errno(0);
                }
                Ok(none)
            }
        }
    })
}

/// Destroys a label map, and the names it handed out. NULL is ignored; errno is left alone.
///
/// # Safety
/// `map` is NULL or a live label map, and not used again.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_labelmap_destroy(map: *mut nfct_labelmap) {
    boundary((), || {
        if !map.is_null() {
            // SAFETY: the map is not NULL, so `nfct_labelmap_new` placed it, and the caller does
            // not use it again.
            unsafe { unplace(map.cast::<LabelMap>()) };
        }
        Ok(())
    });
}

/// The name of a label. It stays the map's, and is valid until the map is destroyed.
///
/// Returns the name, empty for a label without one; NULL with errno untouched beyond the highest
/// label that has one; NULL with EINVAL for NULL.
///
/// # Safety
/// `m` is NULL or a live label map.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_labelmap_get_name(
    m: *mut nfct_labelmap,
    bit: c_uint,
) -> *const c_char {
    boundary(std::ptr::null(), || {
        // SAFETY: `m` is NULL or a live label map.
        let map = unsafe { borrow(m) }?;
        Ok(map.name_c(bit).map_or(std::ptr::null(), <*const u8>::cast))
    })
}

/// The number of the label with this name.
///
/// Returns the number; -1 with errno untouched if there is none, or `m` is NULL; -1 with EINVAL if
/// only `name` is NULL.
///
/// # Safety
/// `m` is NULL or a live label map; `name` is NULL or a C string.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn nfct_labelmap_get_bit(
    m: *mut nfct_labelmap,
    name: *const c_char,
) -> c_int {
    boundary(-1, || {
        // SAFETY: `m` is NULL or a live label map.
        let Ok(map) = (unsafe { borrow(m) }) else { return Ok(-1) };
        ptr::not_null(name)?;
        // SAFETY: `name` is not NULL, so it is a C string.
        let name = unsafe { CStr::from_ptr(name) };
        Ok(map.bit(name.to_bytes()).map_or(-1, |bit| bit as c_int))
    })
}
