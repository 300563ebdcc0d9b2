//! Which flows an expectation stands for.
#![forbid(unsafe_code)]

use crate::conntrack::object::entry;
use crate::conntrack::tuple::{Layer4, Tuple};
use crate::conntrack::values::Protocol;
use std::fmt;
use std::net::IpAddr;

/// Which flows an expectation stands for: those with one destination, and with one source or any.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{Pattern, Tuple};
/// use std::net::SocketAddr;
///
/// let (server, client): (SocketAddr, SocketAddr) =
///     ("192.0.2.1:20".parse()?, "198.51.100.7:40001".parse()?);
/// let data = Pattern::from(Tuple::tcp(server, client)?).any_source_port();
/// assert_eq!(data.to_string(), "tcp 192.0.2.1:* -> 198.51.100.7:40001");
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pattern {
    /// Zero where it does not count.
    tuple: Tuple,
    source: [u8; 16],
    source_port: [u8; 2],
}

/// Flows with exactly this original tuple.
impl From<Tuple> for Pattern {
    fn from(tuple: Tuple) -> Self {
        let mut source = [0xff; 16];
        if tuple.is_ipv4() {
            source.iter_mut().skip(4).for_each(|byte| *byte = 0);
        }
        Self { tuple, source, source_port: [0xff; 2] }
    }
}

impl Pattern {
    /// Whatever their source address is.
    #[must_use]
    pub fn any_source(self) -> Self {
        self.masked([0; 16], self.source_port)
    }

    /// Whatever their source port is.
    #[must_use]
    pub fn any_source_port(self) -> Self {
        self.masked(self.source, [0; 2])
    }

    /// As the kernel tells it: a tuple, and a mask of which the source alone counts.
    pub(crate) fn from_object(tuple: &entry::Tuple, mask: &entry::Tuple) -> Option<Self> {
        let exact = Self::from(Tuple::from_object(tuple)?);
        let mut source = mask.src;
        source.iter_mut().zip(exact.source).for_each(|(to, of)| *to &= of);
        Some(exact.masked(source, mask.l4src))
    }

    fn masked(self, source: [u8; 16], source_port: [u8; 2]) -> Self {
        let mut object = *self.tuple.object();
        object.src.iter_mut().zip(source).for_each(|(to, mask)| *to &= mask);
        object.l4src.iter_mut().zip(source_port).for_each(|(to, mask)| *to &= mask);
        Self { tuple: Tuple::from_object(&object).unwrap_or(self.tuple), source, source_port }
    }

    /// The mask as it is sent.
    pub(crate) fn mask(&self) -> entry::Tuple {
        let (src, l4src) = (self.source, self.source_port);
        entry::Tuple { src, l4src, dst: [0xff; 16], l4dst: [0xff; 2], ..*self.tuple.object() }
    }

    /// The tuple, whose source address and port are 0 where any do.
    #[must_use]
    pub fn tuple(&self) -> Tuple {
        self.tuple
    }

    /// The source address; `None` if any does.
    #[must_use]
    pub fn source(&self) -> Option<IpAddr> {
        (self.source != [0; 16]).then(|| self.tuple.source())
    }

    /// The source port; `None` if any does, or the protocol has none.
    #[must_use]
    pub fn source_port(&self) -> Option<u16> {
        self.tuple.source_port().filter(|_| self.source_port != [0; 2])
    }

    /// The destination address.
    #[must_use]
    pub fn destination(&self) -> IpAddr {
        self.tuple.destination()
    }

    /// The destination port, if the protocol has ports.
    #[must_use]
    pub fn destination_port(&self) -> Option<u16> {
        self.tuple.destination_port()
    }

    /// The layer 4 protocol.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.tuple.protocol()
    }

    /// Whether a flow with this original tuple meets the expectation.
    #[must_use]
    pub fn matches(&self, tuple: &Tuple) -> bool {
        Self::from(*tuple).masked(self.source, self.source_port).tuple == self.tuple
    }
}

/// As a tuple, with `*` for what may be anything.
impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.protocol())?;
        let any = |counts: bool, value: &dyn fmt::Display| {
            if counts { value.to_string() } else { "*".to_owned() }
        };
        let bracketed = |address: IpAddr| match address {
            IpAddr::V6(address) => format!("[{address}]"),
            IpAddr::V4(address) => address.to_string(),
        };
        let source = any(self.source().is_some(), &bracketed(self.tuple.source()));
        let destination = bracketed(self.destination());
        match self.tuple.layer4() {
            Layer4::Ports { source: port, destination: to }
            | Layer4::Keys { source: port, destination: to } => {
                let port = any(self.source_port != [0; 2], &port);
                write!(f, "{source}:{port} -> {destination}:{to}")
            }
            _ => write!(f, "{source} -> {destination}"),
        }
    }
}

impl fmt::Debug for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tuple(from: &str, to: &str) -> Tuple {
        let ends: [std::net::SocketAddr; 2] = [from, to].map(|end| end.parse().unwrap());
        Tuple::tcp(ends[0], ends[1]).unwrap()
    }

    #[test]
    fn a_pattern_says_what_counts() {
        let exact = Pattern::from(tuple("10.0.0.1:20", "10.0.0.2:2021"));
        assert_eq!(exact.to_string(), "tcp 10.0.0.1:20 -> 10.0.0.2:2021");
        let any_port = exact.any_source_port();
        assert_eq!((any_port.source_port(), any_port.destination_port()), (None, Some(2021)));
        assert_eq!(any_port.to_string(), "tcp 10.0.0.1:* -> 10.0.0.2:2021");
        let any = any_port.any_source();
        assert_eq!((any.source(), any.tuple().source_port()), (None, Some(0)));
        assert_eq!(any, exact.any_source().any_source_port());
        assert_eq!(any.to_string(), "tcp *:* -> 10.0.0.2:2021");
        let v6 = Pattern::from(tuple("[fc00::1]:20", "[fc00::2]:2021")).any_source_port();
        assert_eq!(v6.to_string(), "tcp [fc00::1]:* -> [fc00::2]:2021");
    }

    #[test]
    fn a_flow_meets_a_pattern_by_what_counts() {
        let exact = Pattern::from(tuple("10.0.0.1:20", "10.0.0.2:2021"));
        let other_port = tuple("10.0.0.1:21", "10.0.0.2:2021");
        let other_host = tuple("10.0.0.9:20", "10.0.0.2:2021");
        assert!(exact.matches(&exact.tuple()) && !exact.matches(&other_port));
        assert!(exact.any_source_port().matches(&other_port));
        assert!(!exact.any_source_port().matches(&other_host));
        assert!(exact.any_source().matches(&other_host));
        assert!(!exact.any_source().matches(&tuple("10.0.0.1:20", "10.0.0.2:2022")));
    }

    #[test]
    fn a_pattern_goes_to_the_kernel_and_back() {
        for from in ["10.0.0.1:20", "[fc00::1]:20"] {
            let to = if from.starts_with('[') { "[fc00::2]:2021" } else { "10.0.0.2:2021" };
            let exact = Pattern::from(tuple(from, to));
            for it in [exact, exact.any_source(), exact.any_source_port()] {
                assert_eq!(Pattern::from_object(it.tuple().object(), &it.mask()), Some(it));
            }
        }
    }
}
