//! What this thread may do.
#![forbid(unsafe_code)]

use super::read;
use crate::netlink::socket::Socket;
use std::os::unix::fs::MetadataExt;

/// The inode of the first user namespace, `PROC_USER_INIT_INO`.
const FIRST_USER_NAMESPACE: u64 = 0xefff_fffd;

/// A capability, as a bit of the kernel's set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability(u32);

/// `CAP_NET_BROADCAST`.
pub const NET_BROADCAST: Capability = Capability(11);
/// `CAP_NET_ADMIN`.
pub const NET_ADMIN: Capability = Capability(12);
/// `CAP_SYS_ADMIN`.
pub const SYS_ADMIN: Capability = Capability(21);

/// Whether a thread has a capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// It has not.
    No,
    /// It has, but only in a user namespace that does not own the network namespace.
    Elsewhere,
    /// It has, in the first user namespace or where it counts.
    Yes,
}

/// Whether this thread has a capability; of a network namespace, `Yes` in a user namespace only if
/// that may own it.
#[must_use]
pub fn held(capability: Capability) -> Option<Held> {
    if !effective()?.contains(capability) {
        return Some(Held::No);
    }
    let namespace = std::fs::metadata("/proc/thread-self/ns/user").ok()?.ino();
    Some(if namespace == FIRST_USER_NAMESPACE { Held::Yes } else { Held::Elsewhere })
}

/// Whether this thread has `CAP_NET_ADMIN` where it counts for a socket.
#[must_use]
pub fn held_for(socket: &Socket) -> Option<Held> {
    match (socket.is_administered(), held(NET_ADMIN)) {
        (Some(true), _) => Some(Held::Yes),
        (Some(false), Some(Held::No)) => Some(Held::No),
        (Some(false), Some(_)) => Some(Held::Elsewhere),
        (Some(false), None) => Some(Held::No),
        (None, held) => held,
    }
}

/// A set of capabilities.
struct Capabilities(u64);

impl Capabilities {
    fn contains(&self, Capability(bit): Capability) -> bool {
        self.0 >> bit & 1 != 0
    }
}

fn effective() -> Option<Capabilities> {
    let mut room = [0; 4096];
    let status = read("/proc/thread-self/status", &mut room)?;
    let set = status.lines().find_map(|line| line.strip_prefix("CapEff:"))?;
    u64::from_str_radix(set.trim(), 16).ok().map(Capabilities)
}
