//! The states of layer 4 protocols.
#![forbid(unsafe_code)]

use crate::protocol::numbers;
use std::fmt;

numbers! {
    /// How far a TCP connection has come.
    ///
    /// ```
    /// use ctrs::TcpState;
    /// assert_eq!(TcpState::SynSent.to_string(), "SYN_SENT");
    /// assert_eq!(TcpState::from(3), TcpState::Established);
    /// assert!(TcpState::FinWait > TcpState::Established);
    /// ```
    TcpState {
        /// Nothing is known.
        None = 0 "NONE",
        /// SYN was sent.
        SynSent = 1 "SYN_SENT",
        /// SYN was answered.
        SynRecv = 2 "SYN_RECV",
        /// The connection is open.
        Established = 3 "ESTABLISHED",
        /// The first FIN was sent.
        FinWait = 4 "FIN_WAIT",
        /// The first FIN was acknowledged.
        CloseWait = 5 "CLOSE_WAIT",
        /// The second FIN was sent.
        LastAck = 6 "LAST_ACK",
        /// The second FIN was acknowledged.
        TimeWait = 7 "TIME_WAIT",
        /// The connection was reset.
        Close = 8 "CLOSE",
        /// Both sides have sent SYN.
        SynSent2 = 9 "SYN_SENT2",
    }
}

numbers! {
    /// How far an SCTP association has come.
    ///
    /// ```
    /// use ctrs::SctpState;
    /// assert_eq!(SctpState::CookieWait.to_string(), "COOKIE_WAIT");
    /// assert_eq!(SctpState::from(4), SctpState::Established);
    /// ```
    SctpState {
        /// Nothing is known.
        None = 0 "NONE",
        /// It is closed.
        Closed = 1 "CLOSED",
        /// INIT was sent.
        CookieWait = 2 "COOKIE_WAIT",
        /// COOKIE ECHO was sent.
        CookieEchoed = 3 "COOKIE_ECHOED",
        /// The association is open.
        Established = 4 "ESTABLISHED",
        /// SHUTDOWN was sent.
        ShutdownSent = 5 "SHUTDOWN_SENT",
        /// SHUTDOWN came from the other side.
        ShutdownReceived = 6 "SHUTDOWN_RECD",
        /// SHUTDOWN ACK was sent.
        ShutdownAckSent = 7 "SHUTDOWN_ACK_SENT",
        /// HEARTBEAT was sent on another path.
        HeartbeatSent = 8 "HEARTBEAT_SENT",
        /// HEARTBEAT was acknowledged.
        HeartbeatAcked = 9 "HEARTBEAT_ACKED",
    }
}

numbers! {
    /// How far a DCCP connection has come.
    ///
    /// ```
    /// use ctrs::DccpState;
    /// assert_eq!(DccpState::PartOpen.to_string(), "PARTOPEN");
    /// assert_eq!(DccpState::from(4).number(), DccpState::Open.number());
    /// ```
    DccpState {
        /// Nothing is known.
        None = 0 "NONE",
        /// A request was sent.
        Request = 1 "REQUEST",
        /// The request was answered.
        Respond = 2 "RESPOND",
        /// The answer was acknowledged.
        PartOpen = 3 "PARTOPEN",
        /// The connection is open.
        Open = 4 "OPEN",
        /// The server asked to close.
        CloseReq = 5 "CLOSEREQ",
        /// A close was sent.
        Closing = 6 "CLOSING",
        /// The connection was reset.
        TimeWait = 7 "TIMEWAIT",
        /// Packets are ignored.
        Ignore = 8 "IGNORE",
        /// Packets are invalid.
        Invalid = 9 "INVALID",
    }
}

/// How far a flow has come, by its protocol.
///
/// ```
/// use ctrs::{Flow, State, TcpState};
///
/// /// Whether both sides have agreed to speak and none has closed.
/// fn is_open(flow: &Flow) -> bool {
///     flow.state() == Some(State::Tcp(TcpState::Established))
/// }
///
/// assert!(!is_open(&Flow::default()));
/// assert_eq!(State::Tcp(TcpState::TimeWait).to_string(), "TIME_WAIT");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(rename_all = "lowercase"))]
#[non_exhaustive]
pub enum State {
    /// Of TCP.
    Tcp(TcpState),
    /// Of SCTP.
    Sctp(SctpState),
    /// Of DCCP.
    Dccp(DccpState),
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(state) => state.fmt(f),
            Self::Sctp(state) => state.fmt(f),
            Self::Dccp(state) => state.fmt(f),
        }
    }
}

bitflags::bitflags! {
    /// What is known of one side of a TCP connection, `IP_CT_TCP_FLAG_*`.
    ///
    /// ```
    /// use ctrs::{Changes, Direction, TcpFlags};
    ///
    /// let flags = TcpFlags::WINDOW_SCALE | TcpFlags::SACK_PERMITTED;
    /// assert!(flags.contains(TcpFlags::SACK_PERMITTED) && flags.bits() == 3);
    /// // Packets of the client are let through though they are out of the window.
    /// let liberal = TcpFlags::BE_LIBERAL;
    /// let changes = Changes::new().tcp_flags(Direction::Original, liberal, liberal);
    /// ```
    #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
    pub struct TcpFlags: u8 {
        /// It scales windows.
        const WINDOW_SCALE = 0x01;
        /// It takes selective acknowledgements.
        const SACK_PERMITTED = 0x02;
        /// It was the first to close.
        const CLOSE_INIT = 0x04;
        /// Its packets may be out of the window.
        const BE_LIBERAL = 0x08;
        /// Data it sent is unacknowledged.
        const DATA_UNACKNOWLEDGED = 0x10;
        // Newer kernels may set others.
        const _ = !0;
    }
}

/// One side of a TCP connection.
///
/// ```
/// use ctrs::{TcpFlags, TcpSide};
///
/// let side = TcpSide { flags: TcpFlags::WINDOW_SCALE, window_scale: 7 };
/// assert_eq!(TcpSide::default(), TcpSide { flags: TcpFlags::empty(), window_scale: 0 });
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TcpSide {
    /// What is known of it.
    pub flags: TcpFlags,
    /// By how many bits its windows are scaled. The kernel scales where both sides have
    /// [`TcpFlags::WINDOW_SCALE`].
    pub window_scale: u8,
}

/// What the kernel knows of a TCP connection.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{Flow, TcpFlags, TcpInfo, TcpSide, TcpState};
/// use std::net::SocketAddr;
///
/// let (client, server): (SocketAddr, SocketAddr) =
///     ("192.0.2.1:40000".parse()?, "198.51.100.7:443".parse()?);
/// let side = TcpSide { flags: TcpFlags::WINDOW_SCALE, window_scale: 7 };
/// let info = TcpInfo { state: TcpState::Established, original: side, reply: side };
/// let flow = Flow::tcp(client, server)?.tcp_info(info);
/// assert!(flow.to_string().contains(" ESTABLISHED "));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct TcpInfo {
    /// How far it has come.
    pub state: TcpState,
    /// The side that opened it.
    pub original: TcpSide,
    /// The other side.
    pub reply: TcpSide,
}

/// What the kernel knows of an SCTP association.
///
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use ctrs::{Flow, SctpInfo, SctpState};
/// use std::net::SocketAddr;
///
/// let (client, server): (SocketAddr, SocketAddr) =
///     ("192.0.2.1:40000".parse()?, "198.51.100.7:3868".parse()?);
/// let info = SctpInfo { state: SctpState::Established, tags: [0x1234, 0x5678] };
/// let flow = Flow::sctp(client, server)?.sctp_info(info);
/// assert!(flow.to_string().contains(" ESTABLISHED "));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SctpInfo {
    /// How far it has come.
    pub state: SctpState,
    /// The verification tags of packets in the original and in the reply direction.
    pub tags: [u32; 2],
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_are_printed_as_the_kernel_does() {
        assert_eq!(State::Tcp(TcpState::SynSent2).to_string(), "SYN_SENT2");
        assert_eq!(State::Sctp(6.into()).to_string(), "SHUTDOWN_RECD");
        assert_eq!(State::Dccp(77.into()).to_string(), "77");
    }
}
