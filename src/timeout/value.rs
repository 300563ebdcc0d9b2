//! Timeouts and policies as Rust programs have them.
#![forbid(unsafe_code)]

use super::object::{NAME_SIZE, Timeout};
use super::record::TimeoutRecord;
use super::states;
use crate::invalid::Invalid;
use crate::netlink::name::fits;
use crate::netlink::number::seconds;
use crate::protocol::{Family, Protocol};
use std::fmt::{self, Display, Formatter};
use std::time::Duration;

/// A state of a protocol that has a timeout.
///
/// Those of UDP, UDP-Lite and GRE have the same names, as have the one of ICMP, ICMPv6 and of all
/// protocols that have no tracker.
///
/// ```
/// use ctrs::{Protocol, TimeoutState};
///
/// let state = TimeoutState::named(Protocol::Sctp, "heartbeat_sent").unwrap();
/// assert_eq!(state, TimeoutState::SCTP_HEARTBEAT_SENT);
/// assert_eq!(TimeoutState::all(Protocol::Udp).count(), 2);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TimeoutState {
    protocol: u8,
    number: u8,
}

macro_rules! states {
    ($($protocol:ident: $($name:ident = $number:literal),*;)*) => {
        #[allow(missing_docs, reason = "the names are the kernel's, and say it")]
        impl TimeoutState {
            $($(pub const $name: Self =
                Self { protocol: libc::$protocol as u8, number: $number };)*)*
        }

        #[cfg(test)]
        const CONSTANTS: &[(&str, TimeoutState)] =
            &[$($((stringify!($name), TimeoutState::$name),)*)*];
    };
}

states! {
    IPPROTO_TCP: TCP_SYN_SENT = 0, TCP_SYN_RECV = 1, TCP_ESTABLISHED = 2, TCP_FIN_WAIT = 3,
        TCP_CLOSE_WAIT = 4, TCP_LAST_ACK = 5, TCP_TIME_WAIT = 6, TCP_CLOSE = 7, TCP_SYN_SENT2 = 8,
        TCP_RETRANS = 9, TCP_UNACKNOWLEDGED = 10;
    IPPROTO_UDP: UDP_UNREPLIED = 0, UDP_REPLIED = 1;
    IPPROTO_UDPLITE: UDPLITE_UNREPLIED = 0, UDPLITE_REPLIED = 1;
    IPPROTO_GRE: GRE_UNREPLIED = 0, GRE_REPLIED = 1;
    IPPROTO_SCTP: SCTP_CLOSED = 0, SCTP_COOKIE_WAIT = 1, SCTP_COOKIE_ECHOED = 2,
        SCTP_ESTABLISHED = 3, SCTP_SHUTDOWN_SENT = 4, SCTP_SHUTDOWN_RECD = 5,
        SCTP_SHUTDOWN_ACK_SENT = 6, SCTP_HEARTBEAT_SENT = 7, SCTP_HEARTBEAT_ACKED = 8;
    IPPROTO_DCCP: DCCP_REQUEST = 0, DCCP_RESPOND = 1, DCCP_PARTOPEN = 2, DCCP_OPEN = 3,
        DCCP_CLOSEREQ = 4, DCCP_CLOSING = 5, DCCP_TIMEWAIT = 6;
    IPPROTO_ICMP: ICMP_TIMEOUT = 0;
    IPPROTO_ICMPV6: ICMPV6_TIMEOUT = 0;
    IPPROTO_RAW: GENERIC_TIMEOUT = 0;
}

impl TimeoutState {
    /// The states of a protocol; none of one that has no timeouts.
    pub fn all(protocol: Protocol) -> impl Iterator<Item = Self> {
        let protocol = protocol.number();
        let count = states::of(protocol).map_or(0, |row| row.states.len());
        (0..count).map(move |number| Self { protocol, number: number as u8 })
    }

    /// The state of this name, in upper or lower case, as `established`.
    #[must_use]
    pub fn named(protocol: Protocol, name: &str) -> Option<Self> {
        let protocol = protocol.number();
        let number = states::by_name(protocol, name.as_bytes())? as u8;
        Some(Self { protocol, number })
    }

    /// The protocol.
    #[must_use]
    pub fn protocol(self) -> Protocol {
        self.protocol.into()
    }
}

/// The kernel's name, in upper case.
impl Display for TimeoutState {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let row = states::printed(self.protocol);
        let name = row.states.get(usize::from(self.number)).and_then(|name| name.to_str().ok());
        f.pad(name.unwrap_or_default())
    }
}

/// How long flows of a protocol stay in its states, of all or some of them.
///
/// ```
/// use ctrs::{Protocol, TimeoutState, Timeouts};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), ctrs::Invalid> {
/// let hour = Duration::from_secs(3600);
/// let timeouts = Timeouts::of(Protocol::Tcp)?.with(TimeoutState::TCP_ESTABLISHED, hour)?;
/// assert_eq!(timeouts.get(TimeoutState::TCP_ESTABLISHED), Some(hour));
/// assert_eq!(timeouts.get(TimeoutState::TCP_CLOSE), None);
/// assert!(timeouts.with(TimeoutState::UDP_REPLIED, hour).is_err());
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct Timeouts {
    object: Timeout,
}

impl Timeouts {
    /// The protocol that stands for all that have no tracker of their own, as ESP.
    pub const GENERIC: Protocol = Protocol::Other(libc::IPPROTO_RAW as u8);

    /// None yet of a protocol.
    ///
    /// # Errors
    /// [`Invalid::NoTimeouts`]: it has none.
    pub fn of(protocol: Protocol) -> Result<Self, Invalid> {
        states::of(protocol.number()).ok_or(Invalid::NoTimeouts)?;
        let mut object = Timeout::default();
        object.set_l4proto(protocol.number());
        Ok(Self { object })
    }

    /// Those of an object, of whatever policy it is.
    pub(crate) fn read(of: &Timeout) -> Self {
        let mut object = Timeout::default();
        object.set_l4proto(of.l4proto());
        for state in 0..states::of(of.l4proto()).map_or(0, |row| row.states.len()) {
            if let Some(seconds) = of.given(state) {
                // The protocol has it.
                let _ = object.set(state, seconds);
            }
        }
        Self { object }
    }

    pub(crate) fn object(&self) -> &Timeout {
        &self.object
    }

    /// With this timeout of a state, in whole seconds: a part of one counts as one.
    ///
    /// # Errors
    /// [`Invalid::State`]: the state is another protocol's.
    pub fn with(mut self, state: TimeoutState, time: Duration) -> Result<Self, Invalid> {
        if state.protocol != self.object.l4proto() {
            return Err(Invalid::State);
        }
        self.object.set(state.number.into(), seconds(time)).map_err(|_| Invalid::State)?;
        Ok(self)
    }

    /// The protocol.
    #[must_use]
    pub fn protocol(&self) -> Protocol {
        self.object.l4proto().into()
    }

    /// The timeout of a state, if there is one.
    #[must_use]
    pub fn get(&self, state: TimeoutState) -> Option<Duration> {
        let of_this = state.protocol == self.object.l4proto();
        let seconds = self.object.given(state.number.into()).filter(|_| of_this)?;
        Some(Duration::from_secs(seconds.into()))
    }

    /// The states that have a timeout, in order.
    pub fn iter(&self) -> impl Iterator<Item = (TimeoutState, Duration)> {
        TimeoutState::all(self.protocol()).filter_map(|state| Some((state, self.get(state)?)))
    }
}

/// A timeout policy: timeouts that have a name, for rules (`-j CT --timeout NAME`) to give to flows of one
/// family and protocol.
///
/// ```
/// use ctrs::{Family, Protocol, TimeoutPolicy, TimeoutState, Timeouts};
/// use std::time::Duration;
///
/// # fn main() -> Result<(), ctrs::Invalid> {
/// let timeouts = Timeouts::of(Protocol::Udp)?
///     .with(TimeoutState::UDP_REPLIED, Duration::from_secs(300))?;
/// let policy = TimeoutPolicy::new("long", Family::Ipv4, timeouts)?;
/// assert_eq!(policy.to_string(), "long ipv4 udp REPLIED=300");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub struct TimeoutPolicy {
    object: Timeout,
    rules: Option<u32>,
}

impl TimeoutPolicy {
    /// A policy for flows of this family. States that have no timeout here get the defaults that the
    /// network namespace has when the policy is made.
    ///
    /// # Errors
    /// [`Invalid::PolicyName`]: the name is empty, has more than 31 bytes, or a NUL.
    pub fn new(name: &str, family: Family, timeouts: Timeouts) -> Result<Self, Invalid> {
        let mut object = timeouts.object;
        object.set_name(checked_name(name.as_bytes())?);
        object.set_l3proto(family.number().into());
        Ok(Self { object, rules: None })
    }

    /// What the kernel tells: of its `uses` one is its own.
    pub(super) fn read(object: Timeout, uses: Option<u32>) -> Self {
        Self { object, rules: uses.map(|uses| uses.saturating_sub(1)) }
    }

    pub(crate) fn object(&self) -> &Timeout {
        &self.object
    }

    /// The name, as bytes: the kernel takes any.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        self.object.name()
    }

    /// The family; `None` of a number that is none, which no rule can use.
    #[must_use]
    pub fn family(&self) -> Option<Family> {
        Family::of(self.object.l3proto())
    }

    /// The timeouts. A policy that the kernel tells has all of its protocol.
    pub fn timeouts(&self) -> Timeouts {
        Timeouts::read(&self.object)
    }

    /// The policy as plain data.
    #[must_use]
    pub fn record(&self) -> TimeoutRecord {
        TimeoutRecord::of(&self.object, self.rules)
    }

    /// How many rules use it; `None` of a policy that does not come from the kernel.
    #[must_use]
    pub fn rules(&self) -> Option<u32> {
        self.rules
    }
}

/// A name that a policy can have.
pub(crate) fn checked_name(name: &[u8]) -> Result<&[u8], Invalid> {
    if fits(name, NAME_SIZE) { Ok(name) } else { Err(Invalid::PolicyName) }
}

impl Display for TimeoutPolicy {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{}", String::from_utf8_lossy(self.name()))?;
        match self.family() {
            Some(family) => write!(f, " {family}")?,
            None => write!(f, " {}", self.object.l3proto())?,
        }
        write!(f, " {}", self.timeouts())
    }
}

impl Display for Timeouts {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self.protocol() {
            protocol if protocol == Self::GENERIC => f.write_str("generic")?,
            protocol => write!(f, "{protocol}")?,
        }
        self.iter().try_for_each(|(state, time)| write!(f, " {state}={}", time.as_secs()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constants_have_the_names_of_their_states() {
        for (constant, state) in CONSTANTS {
            let (protocol, name) = constant.split_once('_').unwrap();
            let protocol = protocol.to_ascii_lowercase();
            let named = protocol.parse().unwrap_or(Timeouts::GENERIC);
            assert_eq!((state.protocol(), state.to_string().as_str()), (named, name));
            assert_eq!(TimeoutState::named(named, name), Some(*state));
        }
        let states = (0..=u8::MAX).flat_map(|protocol| TimeoutState::all(protocol.into()));
        assert_eq!(states.count(), CONSTANTS.len());
    }

    #[test]
    fn what_no_policy_can_have_is_refused() {
        assert_eq!(Timeouts::of(Protocol::Esp), Err(Invalid::NoTimeouts));
        let timeouts = Timeouts::of(Timeouts::GENERIC).unwrap();
        let second = Duration::from_secs(1);
        assert_eq!(timeouts.with(TimeoutState::ICMP_TIMEOUT, second), Err(Invalid::State));
        let long = "x".repeat(32);
        for name in ["", "a\0b", &long] {
            let policy = TimeoutPolicy::new(name, Family::Ipv6, timeouts);
            assert_eq!(policy, Err(Invalid::PolicyName), "{name:?}");
        }
        assert!(TimeoutPolicy::new(&long[1..], Family::Ipv6, timeouts).is_ok());
    }

    #[test]
    fn a_part_of_a_second_counts_as_one() {
        let timeouts = Timeouts::of(Protocol::Icmp).unwrap();
        let with = |time| timeouts.with(TimeoutState::ICMP_TIMEOUT, time).unwrap().to_string();
        assert_eq!(with(Duration::from_millis(1)), "icmp TIMEOUT=1");
        assert_eq!(with(Duration::ZERO), "icmp TIMEOUT=0");
        assert_eq!(with(Duration::MAX), "icmp TIMEOUT=4294967295");
    }
}
