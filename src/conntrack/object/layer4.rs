//! What the layer 4 part of a tuple holds, by protocol.
#![forbid(unsafe_code)]

/// What the layer 4 part of a tuple holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Layer4 {
    /// Source and destination port.
    Ports,
    /// Keys of a GRE tunnel, where others have ports.
    Keys,
    /// ICMP or ICMPv6 type, code and id.
    Icmp,
    /// Nothing.
    Nothing,
}

impl Layer4 {
    /// What it holds for a protocol.
    #[must_use]
    #[inline(always)]
    pub fn of(protocol: u8) -> Self {
        match i32::from(protocol) {
            libc::IPPROTO_TCP
            | libc::IPPROTO_UDP
            | libc::IPPROTO_DCCP
            | libc::IPPROTO_SCTP
            | libc::IPPROTO_UDPLITE => Self::Ports,
            libc::IPPROTO_GRE => Self::Keys,
            libc::IPPROTO_ICMP | libc::IPPROTO_ICMPV6 => Self::Icmp,
            _ => Self::Nothing,
        }
    }

    /// Whether there is a source and a destination part that swap places in the reply.
    #[must_use]
    #[inline(always)]
    pub fn has_ends(self) -> bool {
        matches!(self, Self::Ports | Self::Keys)
    }
}
