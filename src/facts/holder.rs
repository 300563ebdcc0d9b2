//! Which other process has a socket open.

#![forbid(unsafe_code)]

use super::folder::{Folder, Identity};
use super::read;
use std::ffi::CStr;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

/// A process that has a socket open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holder {
    /// Its number.
    pub pid: u32,
    name: [u8; 16],
}

impl Holder {
    /// The name of its program, as far as the kernel keeps it.
    #[must_use]
    pub fn name(&self) -> &str {
        let end = self.name.iter().position(|byte| *byte == 0).unwrap_or(self.name.len());
        std::str::from_utf8(self.name.get(..end).unwrap_or_default()).unwrap_or_default()
    }
}

/// Another process than this one that has a socket open, if this one may see it.
#[must_use]
pub fn other(socket: BorrowedFd<'_>) -> Option<Holder> {
    find(Identity::of(socket.as_raw_fd(), c"")?, Some(std::process::id()))
}

/// A process that has another socket than this one open: the one with an inode.
#[must_use]
pub fn of_inode(socket: BorrowedFd<'_>, inode: u64) -> Option<Holder> {
    let Identity { device, .. } = Identity::of(socket.as_raw_fd(), c"")?;
    find(Identity { device, inode }, None)
}

/// A process that has a file open; one of them is left out.
fn find(file: Identity, but: Option<u32>) -> Option<Holder> {
    let mut processes = Folder::open(libc::AT_FDCWD, c"/proc")?;
    while let Some((at, name)) = processes.next() {
        let pid = name.to_str().ok().and_then(|name| name.parse().ok());
        let Some(pid) = pid.filter(|pid| Some(*pid) != but) else { continue };
        if holds(at, name, file) {
            return Some(Holder { pid, name: program(name).unwrap_or_default() });
        }
    }
    None
}

/// Whether the process with this folder below `/proc` has a file open.
fn holds(proc: RawFd, pid: &CStr, file: Identity) -> bool {
    let Some(process) = Folder::open(proc, pid) else { return false };
    let Some(mut open) = Folder::open(process.fd(), c"fd") else { return false };
    while let Some((at, name)) = open.next() {
        if Identity::of(at, name) == Some(file) {
            return true;
        }
    }
    false
}

/// The name of a process's program.
fn program(pid: &CStr) -> Option<[u8; 16]> {
    let mut path = [0; 40];
    let mut length = 0;
    for part in [&b"/proc/"[..], pid.to_bytes(), b"/comm"] {
        path.get_mut(length..length + part.len())?.copy_from_slice(part);
        length += part.len();
    }
    let mut room = [0; 17];
    let text = read(std::str::from_utf8(path.get(..length)?).ok()?, &mut room)?;
    let mut name = [0; 16];
    name.iter_mut().zip(text.trim_end().bytes()).for_each(|(room, byte)| *room = byte);
    Some(name)
}

#[cfg(test)]
#[cfg(not(miri))]
mod tests {
    use super::*;
    use std::net::UdpSocket;
    use std::os::fd::AsFd;
    use std::process::{Command, Stdio};

    #[test]
    fn a_process_that_has_a_socket_open_is_found() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        assert_eq!(other(socket.as_fd()), None);
        let copy = socket.try_clone().unwrap();
        let mut child = Command::new("sleep")
            .arg("60")
            .stdin(Stdio::from(std::os::fd::OwnedFd::from(copy)))
            .spawn()
            .unwrap();
        let holder = other(socket.as_fd());
        child.kill().unwrap();
        child.wait().unwrap();
        let holder = holder.expect("the child has it as its standard input");
        assert_eq!((holder.pid, holder.name()), (child.id(), "sleep"));
    }
}
