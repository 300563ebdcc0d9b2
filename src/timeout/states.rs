//! The one table of timeouts: which states of a protocol have one, and what they are called.
#![forbid(unsafe_code)]

use std::ffi::CStr;

/// The most states of a protocol that libnetfilter_cttimeout knows.
pub const MOST: usize = 11;

/// The timeouts of a protocol.
#[derive(Debug)]
pub struct Row {
    /// `IPPROTO_*`; generic, which stands for all without a tracker of their own, is `IPPROTO_RAW`.
    pub protocol: u8,
    /// The names, by number: state `n` is attribute `n` + 1 of the kernel.
    pub states: &'static [&'static CStr],
    /// How many of them libnetfilter_cttimeout knows: the first.
    pub original: usize,
}

impl Row {
    const fn new(protocol: i32, states: &'static [&'static CStr]) -> Self {
        Self { protocol: protocol as u8, states, original: states.len() }
    }
}

const PACKETS: &[&CStr] = &[c"UNREPLIED", c"REPLIED"];
const ONE: &[&CStr] = &[c"TIMEOUT"];

/// What is printed of a protocol without timeouts.
static GENERIC: Row = Row::new(libc::IPPROTO_RAW, ONE);

static TABLE: [Row; 9] = [
    Row::new(
        libc::IPPROTO_TCP,
        &[
            c"SYN_SENT",
            c"SYN_RECV",
            c"ESTABLISHED",
            c"FIN_WAIT",
            c"CLOSE_WAIT",
            c"LAST_ACK",
            c"TIME_WAIT",
            c"CLOSE",
            c"SYN_SENT2",
            c"RETRANS",
            c"UNACKNOWLEDGED",
        ],
    ),
    Row::new(libc::IPPROTO_UDP, PACKETS),
    Row::new(libc::IPPROTO_UDPLITE, PACKETS),
    Row::new(libc::IPPROTO_GRE, PACKETS),
    Row {
        protocol: libc::IPPROTO_SCTP as u8,
        states: &[
            c"CLOSED",
            c"COOKIE_WAIT",
            c"COOKIE_ECHOED",
            c"ESTABLISHED",
            c"SHUTDOWN_SENT",
            c"SHUTDOWN_RECD",
            c"SHUTDOWN_ACK_SENT",
            c"HEARTBEAT_SENT",
            c"HEARTBEAT_ACKED",
        ],
        original: 7,
    },
    Row::new(
        libc::IPPROTO_DCCP,
        &[c"REQUEST", c"RESPOND", c"PARTOPEN", c"OPEN", c"CLOSEREQ", c"CLOSING", c"TIMEWAIT"],
    ),
    Row::new(libc::IPPROTO_ICMP, ONE),
    Row::new(libc::IPPROTO_ICMPV6, ONE),
    Row::new(libc::IPPROTO_RAW, ONE),
];

/// The timeouts of a protocol; `None` if it has none.
#[must_use]
pub fn of(protocol: u8) -> Option<&'static Row> {
    TABLE.iter().find(|row| row.protocol == protocol)
}

/// What is printed of a protocol, as libnetfilter_cttimeout does: its own, or the one of generic.
#[must_use]
pub fn printed(protocol: u8) -> &'static Row {
    of(protocol).unwrap_or(&GENERIC)
}

/// The number of the state of this name, in upper or lower case.
#[must_use]
pub fn by_name(protocol: u8, name: &[u8]) -> Option<usize> {
    of(protocol)?.states.iter().position(|state| state.to_bytes().eq_ignore_ascii_case(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_for_the_states_of_any_protocol() {
        assert_eq!(TABLE.iter().map(|row| row.states.len()).max(), Some(MOST));
        assert!(TABLE.iter().all(|row| row.states.len() - row.original <= 2));
    }

    #[test]
    fn states_are_found_by_their_names() {
        assert_eq!(by_name(6, b"unacknowledged"), Some(10));
        assert_eq!(by_name(132, b"Heartbeat_Sent"), Some(7));
        assert_eq!((by_name(17, b"CLOSE"), by_name(50, b"TIMEOUT")), (None, None));
        assert_eq!(printed(50).states, [c"TIMEOUT"]);
    }
}
