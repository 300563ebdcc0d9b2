//! Who has bound a group of logged packets.
#![forbid(unsafe_code)]

use super::find_line;
use super::holder::{self, Holder};
use crate::netlink::socket::Socket;

/// Those of the network namespace of the thread that reads.
const GROUPS: &str = "/proc/thread-self/net/netfilter/nfnetlink_log";
const SOCKETS: &str = "/proc/thread-self/net/netlink";

/// The port of the socket that has bound a group in the network namespace of another socket, and a
/// process that has it open, if this one may see it.
#[must_use]
pub fn owner(socket: &Socket, group: u16) -> Option<(u32, Option<Holder>)> {
    let mut found = None;
    // Not to get there is to know nothing.
    let _ = socket.inside(&mut || found = port(group).map(|port| (port, inode(port))));
    let (port, inode) = found?;
    Some((port, inode.and_then(|inode| holder::of_inode(socket.as_fd(), inode))))
}

fn port(group: u16) -> Option<u32> {
    find_line(GROUPS, |line| {
        let mut columns = line.split_ascii_whitespace();
        let this: u16 = columns.next()?.parse().ok()?;
        if this == group { columns.next()?.parse().ok() } else { None }
    })
}

/// The inode of the netlink socket with a port.
fn inode(port: u32) -> Option<u64> {
    find_line(SOCKETS, |line| {
        let mut columns = line.split_ascii_whitespace().skip(1);
        let protocol: libc::c_int = columns.next()?.parse().ok()?;
        let this: u32 = columns.next()?.parse().ok()?;
        let same = protocol == libc::NETLINK_NETFILTER && this == port;
        if same { columns.last()?.parse().ok() } else { None }
    })
}
