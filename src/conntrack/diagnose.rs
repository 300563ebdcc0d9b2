//! Why nothing is heard, or counted: what of a network namespace is in the way.
#![forbid(unsafe_code)]

use crate::facts::privilege::{self, Held};
use crate::facts::sysctl::{self, Sysctl};
use crate::netlink::socket::Socket;
use std::fmt::{self, Display, Formatter};

/// What is looked at, in the network namespace of a table or a listener.
///
/// As text it says, a sentence a line, what is in the way of events, counters and new flows, and what
/// to change; and how full the table is.
///
/// ```
/// use ctrs::{Diagnosis, Error, Finding, FlowTable};
///
/// fn counts() -> Result<bool, Error> {
///     let diagnosis: Diagnosis = FlowTable::open()?.diagnose();
///     print!("{diagnosis}");
///     Ok(!diagnosis.findings().any(|finding| finding == Finding::NoCounters))
/// }
///
/// if let Err(error) = counts() {
///     println!("{error}");
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Diagnosis {
    privilege: Option<Held>,
    sysctls: [Option<u64>; SYSCTLS.len()],
    /// The event groups of the socket, and how many messages it has lost; of one for events only.
    listens: Option<(u32, u32)>,
}

const SYSCTLS: [Sysctl; 7] = [
    sysctl::MAX,
    sysctl::COUNT,
    sysctl::BUCKETS,
    sysctl::EVENTS,
    sysctl::ACCT,
    sysctl::TIMESTAMP,
    sysctl::HELPER,
];

/// Something that is in the way.
///
/// As text it is a sentence of what it means and what to change.
///
/// ```
/// let said = ctrs::Finding::NoCounters.to_string();
/// assert!(said.starts_with("nf_conntrack_acct is 0: flows have no counters"));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Finding {
    /// The thread lacks `CAP_NET_ADMIN` where it counts: it can neither ask nor listen.
    NoPrivilege,
    /// The sysctls of the namespace cannot be read: there is no connection tracking, no `/proc`, or
    /// the thread may not enter the namespace.
    Unreadable,
    /// The socket listens to no events.
    NotListening,
    /// As many messages were lost since the socket was opened.
    Lost(u32),
    /// `nf_conntrack_events` is 0.
    NoEvents,
    /// `nf_conntrack_events` is 2, and there are flows: some may have begun while nobody listened.
    MaybeSilent,
    /// `nf_conntrack_acct` is 0.
    NoCounters,
    /// `nf_conntrack_timestamp` is 0.
    NoTimes,
    /// `nf_conntrack_helper` is 0, in a kernel that has it.
    NoHelpers,
    /// There is no flow at all.
    NoFlows,
    /// The table is full: new flows are dropped, or put others out.
    TableFull,
    /// The table is full to nine tenths.
    TableNearlyFull,
    /// There are more than four flows to a bucket.
    FewBuckets,
}

impl Diagnosis {
    /// Of a namespace, through a socket for requests.
    pub(crate) fn of_requests(socket: &Socket) -> Self {
        let privilege = privilege::held_for(socket);
        Self { privilege, sysctls: sysctl::of(socket, SYSCTLS), listens: None }
    }

    /// Of a namespace, through a socket for events.
    pub(crate) fn of_listener(socket: &Socket) -> Self {
        let listens = socket.groups().ok().zip(socket.dropped().ok());
        Self { listens, ..Self::of_requests(socket) }
    }

    /// Flows in the table.
    #[must_use]
    pub fn flows(&self) -> Option<u64> {
        let [_, count, ..] = self.sysctls;
        count
    }

    /// The most flows that the table takes.
    #[must_use]
    pub fn max_flows(&self) -> Option<u64> {
        let [max, ..] = self.sysctls;
        max
    }

    /// The buckets of the table.
    #[must_use]
    pub fn buckets(&self) -> Option<u64> {
        let [_, _, buckets, ..] = self.sysctls;
        buckets
    }

    /// What is in the way.
    pub fn findings(&self) -> impl Iterator<Item = Finding> + use<> {
        let [max, count, buckets, events, acct, timestamp, helper] = self.sysctls;
        let flows = count.unwrap_or(0);
        let room = max.filter(|max| *max != 0).unwrap_or(u64::MAX);
        let (groups, lost) = self.listens.unwrap_or((u32::MAX, 0));
        let lacks_privilege = matches!(self.privilege, Some(Held::No | Held::Elsewhere));
        [
            (lacks_privilege, Finding::NoPrivilege),
            (max.is_none(), Finding::Unreadable),
            (groups == 0, Finding::NotListening),
            (lost != 0, Finding::Lost(lost)),
            (events == Some(0), Finding::NoEvents),
            (events == Some(2) && flows != 0, Finding::MaybeSilent),
            (acct == Some(0), Finding::NoCounters),
            (timestamp == Some(0), Finding::NoTimes),
            (helper == Some(0), Finding::NoHelpers),
            (count == Some(0), Finding::NoFlows),
            (flows >= room, Finding::TableFull),
            (flows < room && flows >= room / 10 * 9, Finding::TableNearlyFull),
            (buckets.is_some_and(|buckets| flows / 4 > buckets), Finding::FewBuckets),
        ]
        .into_iter()
        .filter_map(|(is_so, finding)| is_so.then_some(finding))
    }
}

impl Display for Diagnosis {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if let (Some(flows), Some(max), Some(buckets)) =
            (self.flows(), self.max_flows(), self.buckets())
        {
            writeln!(f, "The table holds {flows} of at most {max} flows, in {buckets} buckets.")?;
        }
        self.findings().try_for_each(|finding| writeln!(f, "{finding}"))
    }
}

impl Display for Finding {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoPrivilege => {
                "This thread lacks CAP_NET_ADMIN in the user namespace that owns the network \
                 namespace: it can neither read the table nor listen to events; run it as root \
                 there, or with that capability."
            }
            Self::Unreadable => {
                "The sysctls of connection tracking cannot be read: the network namespace has none \
                 (modprobe nf_conntrack), /proc is not there, or it is another namespace, which \
                 takes CAP_SYS_ADMIN to enter."
            }
            Self::NotListening => {
                "The socket listens to no events: it was opened without groups of them."
            }
            Self::Lost(lost) => {
                return write!(
                    f,
                    "Since the socket was opened, {lost} messages were lost, as its receive buffer \
                     was full: read faster, give it a larger one, or filter events."
                );
            }
            Self::NoEvents => {
                "nf_conntrack_events is 0: no flow tells what happens to it; sysctl -w \
                 net.netfilter.nf_conntrack_events=1; flows born before stay silent."
            }
            Self::MaybeSilent => {
                "nf_conntrack_events is 2: flows that began while nobody listened to events stay \
                 silent, even if somebody listens now; with 1, all that begin from then on tell \
                 (sysctl -w net.netfilter.nf_conntrack_events=1)."
            }
            Self::NoCounters => {
                "nf_conntrack_acct is 0: flows have no counters; sysctl -w \
                 net.netfilter.nf_conntrack_acct=1; flows born before stay without."
            }
            Self::NoTimes => {
                "nf_conntrack_timestamp is 0: flows do not tell when they began and ended; sysctl \
                 -w net.netfilter.nf_conntrack_timestamp=1; flows born before stay without."
            }
            Self::NoHelpers => {
                "nf_conntrack_helper is 0: flows get a helper from rules alone, and not by their \
                 port; give it by a rule (nft: ct helper set), or sysctl -w \
                 net.netfilter.nf_conntrack_helper=1."
            }
            Self::NoFlows => {
                "There is no flow: packets are tracked only where a rule of the namespace asks for \
                 it, as one with ct state or NAT does."
            }
            Self::TableFull => {
                "The table is full: new flows are dropped or put others out; raise \
                 net.netfilter.nf_conntrack_max in the first network namespace, or delete flows."
            }
            Self::TableNearlyFull => {
                "The table is nearly full, and drops new flows when it is: raise \
                 net.netfilter.nf_conntrack_max in the first network namespace, or delete flows."
            }
            Self::FewBuckets => {
                "The table has more than four flows to a bucket, which makes it slow: raise \
                 net.netfilter.nf_conntrack_buckets in the first network namespace."
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of a table with nothing in the way.
    const GOOD: Diagnosis = Diagnosis {
        privilege: Some(Held::Yes),
        sysctls: [Some(1000), Some(10), Some(1000), Some(1), Some(1), Some(1), None],
        listens: Some((7, 0)),
    };

    fn with(sysctl: usize, value: u64) -> Diagnosis {
        let mut changed = GOOD;
        changed.sysctls[sysctl] = Some(value);
        changed
    }

    #[test]
    fn what_is_in_the_way_is_found() {
        let unknown = Diagnosis { privilege: None, sysctls: [None; 7], listens: None };
        for (diagnosis, found) in [
            (GOOD, vec![]),
            (unknown, vec![Finding::Unreadable]),
            (Diagnosis { privilege: Some(Held::No), ..GOOD }, vec![Finding::NoPrivilege]),
            (Diagnosis { privilege: Some(Held::Elsewhere), ..GOOD }, vec![Finding::NoPrivilege]),
            (Diagnosis { listens: Some((0, 0)), ..GOOD }, vec![Finding::NotListening]),
            (Diagnosis { listens: Some((1, 3)), ..GOOD }, vec![Finding::Lost(3)]),
            (with(1, 0), vec![Finding::NoFlows]),
            (with(1, 899), vec![]),
            (with(1, 900), vec![Finding::TableNearlyFull]),
            (with(1, 1000), vec![Finding::TableFull]),
            (with(2, 2), vec![]),
            (with(2, 1), vec![Finding::FewBuckets]),
            (with(3, 0), vec![Finding::NoEvents]),
            (with(3, 2), vec![Finding::MaybeSilent]),
            (with(4, 0), vec![Finding::NoCounters]),
            (with(5, 0), vec![Finding::NoTimes]),
            (with(6, 0), vec![Finding::NoHelpers]),
            (with(6, 1), vec![]),
        ] {
            assert_eq!(diagnosis.findings().collect::<Vec<_>>(), found, "{diagnosis:?}");
        }
    }

    #[test]
    fn each_finding_is_a_line() {
        let text = with(4, 0).to_string();
        let lines: Vec<_> = text.lines().collect();
        assert_eq!(lines[0], "The table holds 10 of at most 1000 flows, in 1000 buckets.");
        assert!(lines[1].starts_with("nf_conntrack_acct is 0") && lines[1].ends_with('.'));
        assert_eq!((lines.len(), text.ends_with('\n')), (2, true));
    }
}
