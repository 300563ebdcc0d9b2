//! Translation of addresses and ports, and of what follows from it in TCP.
#![forbid(unsafe_code)]

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

/// The address that packets have: an IPv4 address inside an IPv6 one, as sockets for both tell it,
/// is the IPv4 address. All addresses that are given to this library pass here.
#[must_use]
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// What one end of a flow is translated to: an address, a port (of GRE a key, of ICMP an id), or
/// both.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Nat {
    address: Option<IpAddr>,
    port: Option<u16>,
}

impl Nat {
    /// Another port at the same address.
    #[must_use]
    pub const fn to_port(port: u16) -> Self {
        Self { address: None, port: Some(port) }
    }

    /// The address, if that is translated.
    #[must_use]
    pub const fn address(&self) -> Option<IpAddr> {
        self.address
    }

    /// The port, if that is translated, or known.
    #[must_use]
    pub const fn port(&self) -> Option<u16> {
        self.port
    }

    /// An address, and a port if the protocol has any.
    pub(crate) fn of(address: IpAddr, port: Option<u16>) -> Self {
        Self { address: Some(canonical(address)), port }
    }
}

/// That address, and a port as the kernel chooses it: the same one, if it is free.
impl From<IpAddr> for Nat {
    fn from(address: IpAddr) -> Self {
        Self::of(address, None)
    }
}

impl From<Ipv4Addr> for Nat {
    fn from(address: Ipv4Addr) -> Self {
        Self::of(address.into(), None)
    }
}

impl From<Ipv6Addr> for Nat {
    fn from(address: Ipv6Addr) -> Self {
        Self::of(address.into(), None)
    }
}

impl From<SocketAddr> for Nat {
    fn from(to: SocketAddr) -> Self {
        Self::of(to.ip(), Some(to.port()))
    }
}

impl From<SocketAddrV4> for Nat {
    fn from(to: SocketAddrV4) -> Self {
        Self::from(SocketAddr::from(to))
    }
}

impl From<SocketAddrV6> for Nat {
    fn from(to: SocketAddrV6) -> Self {
        Self::from(SocketAddr::from(to))
    }
}

/// By how much the sequence numbers of one direction of TCP are shifted.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{Direction, Flow, SeqAdjust};
/// use std::net::SocketAddr;
///
/// let (client, server): (SocketAddr, SocketAddr) =
///     ("192.0.2.1:40000".parse()?, "198.51.100.7:21".parse()?);
/// // From 4000 on answers are 2 bytes longer than the server sent them.
/// let adjust = SeqAdjust { position: 4000, offset_before: 0, offset_after: 2 };
/// let flow = Flow::tcp(client, server)?.seq_adjust(Direction::Reply, adjust);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SeqAdjust {
    /// From where on the second offset counts.
    pub position: u32,
    /// The shift before that.
    pub offset_before: u32,
    /// The shift from there on.
    pub offset_after: u32,
}

/// What the SYN proxy keeps of a connection it has opened.
///
/// ```
/// use ctrs::{Changes, SynProxy};
///
/// let kept = SynProxy { initial_sequence: 1_000_000, ..SynProxy::default() };
/// assert_eq!((kept.initial_timestamp, kept.timestamp_offset), (0, 0));
/// let changes = Changes::new().synproxy(kept);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SynProxy {
    /// Initial sequence number.
    pub initial_sequence: u32,
    /// Initial timestamp.
    pub initial_timestamp: u32,
    /// By how much timestamps are shifted.
    pub timestamp_offset: u32,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mapped_address_is_the_ipv4_address() {
        let mapped: Ipv6Addr = "::ffff:10.0.0.1".parse().unwrap();
        let plain = Nat::from(Ipv4Addr::new(10, 0, 0, 1));
        assert_eq!(Nat::from(mapped), plain);
        assert_eq!(Nat::from(IpAddr::from(mapped)), plain);
        let end = Nat::from(SocketAddrV6::new(mapped, 7, 0, 0));
        assert_eq!(end, Nat::from(SocketAddrV4::new(Ipv4Addr::new(10, 0, 0, 1), 7)));
        assert_eq!((end.port(), Nat::to_port(7).address()), (Some(7), None));
    }
}
