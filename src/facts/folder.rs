//! Folders and files, looked at without allocating.

use libc::{c_char, c_int};
use std::ffi::CStr;
use std::os::fd::RawFd;

/// Device and inode of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity {
    pub device: u64,
    pub inode: u64,
}

impl Identity {
    /// Of the file with this name in a folder, or, without a name, of the descriptor itself.
    pub fn of(folder: RawFd, name: &CStr) -> Option<Self> {
        let flags = if name.is_empty() { libc::AT_EMPTY_PATH } else { 0 };
        // SAFETY: all zero bytes are a value of this struct of integers, which the call writes to;
        // the name ends with a NUL.
        let (result, status) = unsafe {
            let mut status: libc::stat = std::mem::zeroed();
            (libc::fstatat(folder, name.as_ptr(), &raw mut status, flags), status)
        };
        (result == 0).then_some(Self { device: wide(status.st_dev), inode: wide(status.st_ino) })
    }
}

/// Of 32 bits on some machines.
fn wide(number: impl Into<u64>) -> u64 {
    number.into()
}

/// A folder that is read; the standard library's allocates.
pub(crate) struct Folder(*mut libc::DIR);

impl Folder {
    pub fn open(at: RawFd, path: &CStr) -> Option<Self> {
        let flags = libc::O_RDONLY | libc::O_DIRECTORY | libc::O_CLOEXEC;
        // SAFETY: the path ends with a NUL; the descriptor is the stream's once there is one.
        unsafe {
            let fd = libc::openat(at, path.as_ptr(), flags);
            if fd < 0 {
                return None;
            }
            let stream = libc::fdopendir(fd);
            if stream.is_null() {
                libc::close(fd);
                return None;
            }
            Some(Self(stream))
        }
    }

    pub fn fd(&self) -> c_int {
        // SAFETY: the stream is open for as long as `self`.
        unsafe { libc::dirfd(self.0) }
    }

    /// The descriptor of the folder, and the name of its next entry.
    pub fn next(&mut self) -> Option<(c_int, &CStr)> {
        // SAFETY: the stream is open and only this thread's; an entry stands until the next is read,
        // for which `self` is borrowed, and its name ends with a NUL.
        unsafe {
            let entry = libc::readdir(self.0).as_ref()?;
            Some((self.fd(), CStr::from_ptr((&raw const entry.d_name).cast::<c_char>())))
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // SAFETY: the stream is open, and not used again.
        unsafe { libc::closedir(self.0) };
    }
}
