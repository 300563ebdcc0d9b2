//! Layer 3 and layer 4 protocols, by name and number.
#![forbid(unsafe_code)]

use crate::invalid::Invalid;
use std::fmt;
use std::str::FromStr;

/// Defines names for some of the numbers of a byte. Values are equal that have the same number.
macro_rules! numbers {
    ($(#[$doc:meta])* $name:ident { $($(#[$of:meta])* $variant:ident = $number:literal $text:literal,)* }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy)]
        #[non_exhaustive]
        pub enum $name {
            $($(#[$of])* $variant,)*
            /// Any other, by its number.
            Other(u8),
        }

        impl $name {
            /// The kernel's number.
            #[must_use]
            pub const fn number(self) -> u8 {
                match self {
                    $(Self::$variant => $number,)*
                    Self::Other(number) => number,
                }
            }

            pub(crate) const fn name(self) -> Option<&'static str> {
                match self.number() {
                    $($number => Some($text),)*
                    _ => None,
                }
            }
        }

        impl From<u8> for $name {
            fn from(number: u8) -> Self {
                match number {
                    $($number => Self::$variant,)*
                    _ => Self::Other(number),
                }
            }
        }

        impl From<$name> for u8 {
            fn from(value: $name) -> Self {
                value.number()
            }
        }

        impl PartialEq for $name {
            fn eq(&self, other: &Self) -> bool {
                self.number() == other.number()
            }
        }

        impl Eq for $name {}

        impl PartialOrd for $name {
            fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
                Some(self.cmp(other))
            }
        }

        impl Ord for $name {
            fn cmp(&self, other: &Self) -> std::cmp::Ordering {
                self.number().cmp(&other.number())
            }
        }

        impl std::hash::Hash for $name {
            fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
                self.number().hash(state);
            }
        }

        impl std::fmt::Display for $name {
            /// The name, or the number of one that has none.
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                match self.name() {
                    Some(name) => f.pad(name),
                    None => std::fmt::Display::fmt(&self.number(), f),
                }
            }
        }
    };
}

numbers! {
    /// A layer 4 protocol. Equal by number: `Protocol::Other(6)` is `Protocol::Tcp`.
    ///
    /// ```
    /// use ctrs::Protocol;
    /// assert_eq!("tcp".parse(), Ok(Protocol::Tcp));
    /// assert_eq!("89".parse(), Ok(Protocol::from(89)));
    /// assert_eq!(Protocol::UdpLite.to_string(), "udplite");
    /// ```
    Protocol {
        /// ICMP, of IPv4.
        Icmp = 1 "icmp",
        /// TCP.
        Tcp = 6 "tcp",
        /// UDP.
        Udp = 17 "udp",
        /// DCCP.
        Dccp = 33 "dccp",
        /// GRE: tunnels, those of PPTP told apart by their keys.
        Gre = 47 "gre",
        /// ESP of IPsec.
        Esp = 50 "esp",
        /// AH of IPsec.
        Ah = 51 "ah",
        /// ICMP of IPv6.
        Icmpv6 = 58 "icmpv6",
        /// SCTP.
        Sctp = 132 "sctp",
        /// UDP-Lite.
        UdpLite = 136 "udplite",
    }
}

impl FromStr for Protocol {
    type Err = Invalid;

    /// A name as the protocol is printed, or a number.
    fn from_str(text: &str) -> Result<Self, Invalid> {
        let named = (0..=u8::MAX).map(Self::from).find(|protocol| protocol.name() == Some(text));
        named.or_else(|| text.parse().ok().map(u8::into)).ok_or(Invalid::Protocol)
    }
}

pub(crate) use numbers;

/// A layer 3 protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// `AF_INET` or `AF_INET6`.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Ipv4 => libc::AF_INET as u8,
            Self::Ipv6 => libc::AF_INET6 as u8,
        }
    }

    pub(crate) const ALL: [Self; 2] = [Self::Ipv4, Self::Ipv6];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ipv4 => "ipv4",
            Self::Ipv6 => "ipv6",
        }
    }

    /// The family of a number, if it is one of these.
    pub(crate) fn of(number: impl Into<u64>) -> Option<Self> {
        match libc::c_int::try_from(number.into()).ok()? {
            libc::AF_INET => Some(Self::Ipv4),
            libc::AF_INET6 => Some(Self::Ipv6),
            _ => None,
        }
    }

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|family| family.name() == name)
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn a_protocol_is_its_number() {
        let mut numbers = HashSet::new();
        for number in 0..=u8::MAX {
            let protocol = Protocol::from(number);
            assert_eq!((u8::from(protocol), protocol), (number, Protocol::Other(number)));
            assert_eq!(protocol.to_string().parse(), Ok(protocol));
            assert_eq!(number.to_string().parse(), Ok(protocol));
            assert!(numbers.insert(protocol) && !numbers.insert(Protocol::Other(number)));
        }
        assert!(Protocol::Tcp < Protocol::Other(7));
    }

    #[test]
    fn a_family_has_one_number_and_one_name() {
        for family in Family::ALL {
            assert_eq!(Family::of(family.number()), Some(family));
            assert_eq!(Family::named(&family.to_string()), Some(family));
        }
        assert_eq!([0, 256 + 2, 1_u64 << 32 | 2].map(Family::of), [None; 3]);
        assert_eq!(Family::named("IPv4"), None);
    }

    #[test]
    fn other_words_are_no_protocol() {
        for text in ["", "TCP", "tcp ", "256", "-1", "ip"] {
            assert_eq!(text.parse::<Protocol>(), Err(Invalid::Protocol), "{text}");
        }
    }
}
