//! The names of protocols, states and events, and what of a tuple layer 4 protocols tell.
#![forbid(unsafe_code)]

/// Bytes of a name in the first columns of a plain line, with the blank behind it.
const COLUMN: usize = 9;

/// A name as it is, and as a column of a plain line.
pub(super) struct Name {
    pub(super) text: &'static str,
    pub(super) column: [u8; COLUMN],
}

impl Name {
    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    const fn new(text: &'static str) -> Self {
        let mut column = [b' '; COLUMN];
        let mut at = 0;
        while at < text.len() {
            column[at] = text.as_bytes()[at];
            at += 1;
        }
        Self { text, column }
    }
}

/// Defines a function from numbers to names; numbers without a name are `unknown`.
macro_rules! names {
    ($(#[$doc:meta])* $function:ident: $($number:literal $name:literal),*) => {
        $(#[$doc])*
        #[inline(always)]
        pub(super) fn $function(number: u8) -> &'static Name {
            match number {
                $($number => const { &Name::new($name) },)*
                _ => const { &Name::new("unknown") },
            }
        }
    };
}

names! {
    /// The name of a layer 3 protocol.
    layer3: 2 "ipv4", 10 "ipv6"
}

names! {
    /// The name of a layer 4 protocol.
    layer4: 1 "icmp", 6 "tcp", 17 "udp", 33 "dccp", 47 "gre", 58 "icmpv6", 132 "sctp", 136 "udplite"
}

/// The states of a protocol by number; higher numbers are as the first.
pub(super) struct States([&'static str; 10]);

impl States {
    /// The name of a state.
    #[inline(always)]
    pub(super) fn name(&self, state: u8) -> &'static [u8] {
        self.0.get(usize::from(state)).unwrap_or(&"NONE").as_bytes()
    }
}

/// States of TCP.
pub(super) static TCP: States = States([
    "NONE",
    "SYN_SENT",
    "SYN_RECV",
    "ESTABLISHED",
    "FIN_WAIT",
    "CLOSE_WAIT",
    "LAST_ACK",
    "TIME_WAIT",
    "CLOSE",
    "SYN_SENT2",
]);
/// States of SCTP.
pub(super) static SCTP: States = States([
    "NONE",
    "CLOSED",
    "COOKIE_WAIT",
    "COOKIE_ECHOED",
    "ESTABLISHED",
    "SHUTDOWN_SENT",
    "SHUTDOWN_RECD",
    "SHUTDOWN_ACK_SENT",
    "HEARTBEAT_SENT",
    "HEARTBEAT_ACKED",
]);
/// States of DCCP.
pub(super) static DCCP: States = States([
    "NONE", "REQUEST", "RESPOND", "PARTOPEN", "OPEN", "CLOSEREQ", "CLOSING", "TIMEWAIT", "IGNORE",
    "INVALID",
]);

/// What to print for a security context that is marked present but was never filled.
pub(super) const NO_STRING: &[u8] = b"(null)";

/// Message type: an entry is new.
pub(super) const NEW: u32 = 1;
/// Message type: an entry changed.
pub(super) const UPDATE: u32 = 2;
/// Message type: an entry is gone.
pub(super) const DESTROY: u32 = 4;
