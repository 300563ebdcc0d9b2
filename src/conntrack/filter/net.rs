//! Networks: what an address may be in.
#![forbid(unsafe_code)]

use crate::conntrack::values::canonical;
use crate::invalid::Invalid;
use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A network: an address and how many of its first bits count. An address alone is all of its bits.
///
/// ```
/// use ctrs::Net;
/// let net: Net = "10.0.0.0/8".parse()?;
/// assert!(net.contains([10, 1, 2, 3].into()));
/// assert!("10.0.0.1/8".parse::<Net>().is_err(), "bits are set behind the prefix");
/// # Ok::<(), ctrs::Invalid>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Net {
    address: IpAddr,
    prefix: u8,
}

impl Net {
    /// The network of an address and the length of its prefix.
    ///
    /// # Errors
    /// [`Invalid::Net`]: the prefix is longer than the address, or bits behind it are set.
    pub fn new(address: IpAddr, prefix: u8) -> Result<Self, Invalid> {
        let whole = canonical(address);
        // Of an IPv4 address inside an IPv6 one, the first 96 bits are always the same.
        let inside = if whole.is_ipv4() && address.is_ipv6() { 96 } else { 0 };
        let prefix = prefix.checked_sub(inside).ok_or(Invalid::Net)?;
        let net = Self { address: whole, prefix };
        if prefix > width(whole) || net.masked(whole) != bits(whole) {
            return Err(Invalid::Net);
        }
        Ok(net)
    }

    /// The address.
    #[must_use]
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many bits of it count.
    #[must_use]
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether an address is in the network.
    #[must_use]
    pub fn contains(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        address.is_ipv4() == self.address.is_ipv4() && self.masked(address) == bits(self.address)
    }

    /// Whether it is one address.
    pub(crate) fn is_one(&self) -> bool {
        self.prefix == width(self.address)
    }

    /// Its address and its mask as 32-bit words, of IPv4 the last ones.
    pub(crate) fn words(&self) -> [[u32; 4]; 2] {
        [bits(self.address), self.mask()]
            .map(|bits| [96, 64, 32, 0].map(|behind| (bits >> behind) as u32))
    }

    fn mask(&self) -> u128 {
        let behind = u32::from(width(self.address).saturating_sub(self.prefix));
        u128::MAX.checked_shl(behind).unwrap_or(0)
    }

    fn masked(&self, address: IpAddr) -> u128 {
        bits(address) & self.mask()
    }
}

/// Bits of an address.
fn width(address: IpAddr) -> u8 {
    if address.is_ipv4() { 32 } else { 128 }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => address.to_bits().into(),
        IpAddr::V6(address) => address.to_bits(),
    }
}

impl From<IpAddr> for Net {
    fn from(address: IpAddr) -> Self {
        let address = canonical(address);
        Self { address, prefix: width(address) }
    }
}

impl From<Ipv4Addr> for Net {
    fn from(address: Ipv4Addr) -> Self {
        IpAddr::from(address).into()
    }
}

impl From<Ipv6Addr> for Net {
    fn from(address: Ipv6Addr) -> Self {
        IpAddr::from(address).into()
    }
}

impl FromStr for Net {
    type Err = Invalid;

    /// `10.0.0.0/8`, `fc00::/7`, or an address.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let address = |text: &str| text.parse::<IpAddr>().map_err(|_| Invalid::Net);
        match text.split_once('/') {
            None => address(text).map(Self::from),
            Some((net, prefix)) => {
                Self::new(address(net)?, prefix.parse().map_err(|_| Invalid::Net)?)
            }
        }
    }
}

impl fmt::Display for Net {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> Net {
        text.parse().unwrap()
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn networks_as_they_are_written() {
        for (text, whole) in [
            ("10.0.0.0/8", "10.0.0.0/8"),
            ("0.0.0.0/0", "0.0.0.0/0"),
            ("10.1.2.3", "10.1.2.3/32"),
            ("fc00::/7", "fc00::/7"),
            ("::/0", "::/0"),
            ("fc00::1", "fc00::1/128"),
            ("::ffff:10.0.0.0/104", "10.0.0.0/8"),
            ("::ffff:10.0.0.1", "10.0.0.1/32"),
        ] {
            assert_eq!(net(text).to_string(), whole);
            assert_eq!(net(whole), net(text));
        }
        for text in [
            "",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "::/129",
            "fc00::1/64",
            "10.0.0.0/",
            "10.0.0/8",
            "::ffff:0.0.0.0/95",
        ] {
            assert_eq!(text.parse::<Net>(), Err(Invalid::Net), "{text}");
        }
    }

    #[test]
    fn addresses_in_networks() {
        for (text, inside, outside) in [
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.0"),
            ("10.0.0.0/8", "::ffff:10.1.1.1", "::a00:1"),
            ("0.0.0.0/0", "255.255.255.255", "::"),
            ("10.0.0.1", "10.0.0.1", "10.0.0.0"),
            ("fc00::/7", "fdff::1", "fe00::"),
            ("::/0", "ffff::", "10.0.0.1"),
        ] {
            let net = net(text);
            assert!(net.contains(ip(inside)) && !net.contains(ip(outside)), "{text}");
            assert_eq!(net.is_one(), !text.contains('/'));
        }
    }
}
