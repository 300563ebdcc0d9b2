//! Sysctls, which each network namespace has its own of.
#![forbid(unsafe_code)]

use super::read;
use crate::netlink::socket::Socket;

/// A sysctl that is a number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sysctl(&'static str);

/// Whether flows tell what happens to them: 0 never, 1 all, 2 those born while somebody listens.
pub const EVENTS: Sysctl = Sysctl("/proc/sys/net/netfilter/nf_conntrack_events");
/// Whether flows count their packets.
pub const ACCT: Sysctl = Sysctl("/proc/sys/net/netfilter/nf_conntrack_acct");
/// Whether flows know when they began.
pub const TIMESTAMP: Sysctl = Sysctl("/proc/sys/net/netfilter/nf_conntrack_timestamp");
/// Whether helpers are given to flows by their ports; gone since Linux 6.0.
pub const HELPER: Sysctl = Sysctl("/proc/sys/net/netfilter/nf_conntrack_helper");
/// The most flows of the table.
pub const MAX: Sysctl = Sysctl("/proc/sys/net/netfilter/nf_conntrack_max");
/// The flows of the table.
pub const COUNT: Sysctl = Sysctl("/proc/sys/net/netfilter/nf_conntrack_count");
/// The buckets of the table.
pub const BUCKETS: Sysctl = Sysctl("/proc/sys/net/netfilter/nf_conntrack_buckets");
/// The most expectations.
pub const EXPECT_MAX: Sysctl = Sysctl("/proc/sys/net/netfilter/nf_conntrack_expect_max");

impl Sysctl {
    /// Its value in the network namespace of this thread.
    #[must_use]
    pub fn here(self) -> Option<u64> {
        read(self.0, &mut [0; 32])?.trim().parse().ok()
    }
}

/// The values of sysctls in the network namespace of a socket; `None` for those that are not there.
pub fn of<const N: usize>(socket: &Socket, sysctls: [Sysctl; N]) -> [Option<u64>; N] {
    let mut values = [None; N];
    // Not to get there is to know nothing.
    let _ = socket.inside(&mut || values = sysctls.map(Sysctl::here));
    values
}
