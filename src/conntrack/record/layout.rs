//! How records lie in memory: the same wherever the byte order is.
//!
//! Their comments are those of the C header.

use crate::record::Record;
use std::mem::offset_of;

pub use crate::record::TextByte;

/// A tuple of a record: one direction of a flow. Addresses are bytes in network order, an IPv4
/// address the first four and the rest zero; all numbers are in host order. What is not there is
/// zero.
///
/// # Examples
///
/// ```
/// let mut tuple = ctrs::TupleRecord::default();
/// tuple.src[..4].copy_from_slice(&[192, 0, 2, 1]);
/// tuple.sport = 40_000;
/// assert_eq!(size_of_val(&tuple), 44);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
#[non_exhaustive]
pub struct TupleRecord {
    /// Source address.
    pub src: [u8; 16],
    /// Destination address.
    pub dst: [u8; 16],
    /// Source port, or source key of GRE.
    pub sport: u16,
    /// Destination port, or destination key of GRE.
    pub dport: u16,
    /// AF_INET or AF_INET6.
    pub l3proto: u8,
    /// IPPROTO_TCP and its like.
    pub l4proto: u8,
    /// Type of ICMP or ICMPv6.
    pub icmp_type: u8,
    /// Code of ICMP or ICMPv6.
    pub icmp_code: u8,
    /// Id of ICMP or ICMPv6.
    pub icmp_id: u16,
    /// Zone of this direction alone.
    pub zone: u16,
}

/// What NAT is to choose from: addresses as in a tuple, ports in host order.
///
/// # Examples
///
/// ```
/// let mut nat = ctrs::NatRecord::default();
/// (nat.min_port, nat.max_port) = (1024, 2047);
/// assert_eq!(nat.min, [0; 16]);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
#[non_exhaustive]
pub struct NatRecord {
    /// Lowest address.
    pub min: [u8; 16],
    /// Highest address.
    pub max: [u8; 16],
    /// Lowest port.
    pub min_port: u16,
    /// Highest port.
    pub max_port: u16,
}

/// How the sequence numbers of a direction are adjusted.
///
/// # Examples
///
/// ```
/// let flow = ctrs::FlowRecord::default();
/// assert_eq!(flow.seq_adjust, [ctrs::SeqAdjustRecord::default(); 2]);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
#[non_exhaustive]
pub struct SeqAdjustRecord {
    /// Where in the stream the offset changes.
    pub correction_pos: u32,
    /// What is added before that place.
    pub offset_before: u32,
    /// What is added behind it.
    pub offset_after: u32,
}

/// What the SYN proxy knows of a connection.
///
/// # Examples
///
/// ```
/// let mut flow = ctrs::FlowRecord::default();
/// flow.synproxy.isn = 7;
/// assert_ne!(flow.synproxy, ctrs::SynproxyRecord::default());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
#[non_exhaustive]
pub struct SynproxyRecord {
    /// Initial sequence number.
    pub isn: u32,
    /// Initial timestamp.
    pub its: u32,
    /// Timestamp offset.
    pub tsoff: u32,
}

/// A flow as plain data, without a pointer: every attribute of fixed size.
///
/// Attribute n is there if bit n % 64 of present[n / 64] is set, with n of enum nf_conntrack_attr;
/// the fields of those that are not are zero. Not in a record are ATTR_SECCTX, ATTR_HELPER_INFO,
/// and labels above 127; their bits are never set. Of two directions the original is first. All
/// numbers are in host order; addresses are bytes in network order, an IPv4 address the first four
/// of 16.
///
/// The layout is that of every architecture of the same byte order, 32 bits or 64. It only grows,
/// at the end: each call is told the size that its program was compiled with.
///
/// # Examples
///
/// ```
/// use ctrs::{Attribute, Flow, FlowRecord};
///
/// /// Bytes of a flow in both directions, if the kernel counts.
/// fn bytes(flow: &Flow) -> Option<u64> {
///     let record = FlowRecord::from(flow);
///     record.has(Attribute::OrigCounterBytes).then(|| record.bytes.iter().sum())
/// }
///
/// assert_eq!(bytes(&Flow::default()), None);
///
/// // Into a file and back.
/// let mut record = FlowRecord::default();
/// record.mark = 7;
/// assert_eq!(FlowRecord::from_bytes(record.as_bytes()), Some(record));
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
#[non_exhaustive]
pub struct FlowRecord {
    /// Which attributes are there.
    pub present: [u64; 2],
    /// Packets of both directions.
    pub packets: [u64; 2],
    /// Bytes of both directions.
    pub bytes: [u64; 2],
    /// When the flow began, nanoseconds since 1970.
    pub start: u64,
    /// When it ended, nanoseconds since 1970.
    pub stop: u64,
    /// When the event happened that told it, nanoseconds since 1970.
    pub event_time: u64,
    /// DCCP: sequence number of the handshake.
    pub dccp_handshake_seq: u64,
    /// The original direction.
    pub orig: TupleRecord,
    /// The reply direction. It has its part of ICMP if the original has one, and reply.l4proto; an
    /// entry made of a record without that gets what answers the original.
    pub reply: TupleRecord,
    /// Status: IPS_* bits.
    pub status: u32,
    /// Seconds until the flow expires.
    pub timeout: u32,
    /// Mark.
    pub mark: u32,
    /// What tells this flow from another one with the same tuples.
    pub id: u32,
    /// Reference count.
    pub use_count: u32,
    /// Security mark.
    pub secmark: u32,
    /// Zone of both directions.
    pub zone: u16,
    /// TCP: enum tcp_state.
    pub tcp_state: u8,
    /// TCP: IP_CT_TCP_FLAG_* of both directions.
    pub tcp_flags: [u8; 2],
    /// TCP: which flags an update changes, of both directions.
    pub tcp_mask: [u8; 2],
    /// TCP: window scale of both directions.
    pub tcp_wscale: [u8; 2],
    /// SCTP: enum sctp_state.
    pub sctp_state: u8,
    /// DCCP: enum dccp_state.
    pub dccp_state: u8,
    /// DCCP: enum dccp_roles, of the originator.
    pub dccp_role: u8,
    /// SCTP: verification tags of both directions.
    pub sctp_vtag: [u32; 2],
    /// Labels: label n is bit n % 8 of byte n / 8.
    pub labels: [u8; 16],
    /// Which labels an update changes, in the same order.
    pub labels_mask: [u8; 16],
    /// Name of the helper: a C string, zero bytes behind it.
    pub helper_name: [TextByte; 16],
    /// The original tuple of the flow that this one belongs to.
    pub master: TupleRecord,
    /// Source NAT to set up.
    pub snat: NatRecord,
    /// Destination NAT to set up.
    pub dnat: NatRecord,
    /// Sequence adjustment of both directions.
    pub seq_adjust: [SeqAdjustRecord; 2],
    /// SYN proxy.
    pub synproxy: SynproxyRecord,
    /// Some of enum ctrs_flow_flags: of what a mirror looks up; zero elsewhere.
    pub flags: u32,
}

/// An expectation as plain data, without a pointer: every attribute.
///
/// Attribute n is there if bit n of present is set, with n of enum nf_expect_attr; the fields of
/// those that are not are zero. Bit 63 says that id is there, which is no attribute. Which parts
/// of a tuple are there, two words of its own tell with the bits of the original tuple, as present
/// of a flow does: ATTR_ORIG_IPV4_SRC, ATTR_ORIG_PORT_DST and their like. Layout, growth and byte
/// order are as in a flow.
///
/// # Examples
///
/// ```
/// use ctrs::{Expectation, ExpectationRecord};
///
/// let record = ExpectationRecord::from(&Expectation::default());
/// assert_eq!(record, ExpectationRecord::default());
/// assert!(record.to_expectation().expected().is_none());
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
#[non_exhaustive]
pub struct ExpectationRecord {
    /// Which attributes are there.
    pub present: u64,
    /// Which parts of master are there.
    pub master_present: [u64; 2],
    /// Which parts of expected are there.
    pub expected_present: [u64; 2],
    /// Which parts of mask are there.
    pub mask_present: [u64; 2],
    /// Which parts of nat are there.
    pub nat_present: [u64; 2],
    /// The flow whose helper expects.
    pub master: TupleRecord,
    /// The expected flow.
    pub expected: TupleRecord,
    /// Which bits of the expected tuple count.
    pub mask: TupleRecord,
    /// What NAT makes of the expected flow.
    pub nat: TupleRecord,
    /// Seconds until the expectation expires.
    pub timeout: u32,
    /// NF_CT_EXPECT_* bits.
    pub flags: u32,
    /// Class of the helper's policy.
    pub helper_class: u32,
    /// Direction that NAT applies to.
    pub nat_dir: u32,
    /// What tells this expectation from another one with the same tuples.
    pub id: u32,
    /// Zone.
    pub zone: u16,
    /// Zero.
    pub(crate) reserved: u16,
    /// Name of the helper: a C string, zero bytes behind it.
    pub helper_name: [TextByte; 16],
    /// Name of the function called for the flow: a C string, zero bytes behind it.
    pub function: [TextByte; 24],
}

// No padding anywhere: where one field ends the next begins. The bytes below rely on it.
const _: () = {
    let (flow, expectation) = (size_of::<FlowRecord>(), size_of::<ExpectationRecord>());
    assert!(size_of::<TupleRecord>() == 44 && size_of::<NatRecord>() == 36);
    assert!(offset_of!(FlowRecord, orig) == 10 * 8);
    assert!(offset_of!(FlowRecord, status) == 10 * 8 + 2 * 44);
    assert!(offset_of!(FlowRecord, sctp_vtag) == offset_of!(FlowRecord, status) + 24 + 12);
    assert!(offset_of!(FlowRecord, master) == offset_of!(FlowRecord, sctp_vtag) + 8 + 3 * 16);
    assert!(offset_of!(FlowRecord, seq_adjust) == offset_of!(FlowRecord, master) + 44 + 2 * 36);
    assert!(flow == offset_of!(FlowRecord, seq_adjust) + 24 + 12 + 4 && flow % 8 == 0);
    assert!(offset_of!(ExpectationRecord, master) == 9 * 8);
    assert!(offset_of!(ExpectationRecord, timeout) == 9 * 8 + 4 * 44);
    assert!(offset_of!(ExpectationRecord, helper_name) == 9 * 8 + 4 * 44 + 20 + 4);
    assert!(expectation == 9 * 8 + 4 * 44 + 24 + 16 + 24 && expectation % 8 == 0);
};

// SAFETY: integers and arrays of them, without padding, as asserted above.
unsafe impl Record for FlowRecord {
    const LEAST: usize = size_of::<[u64; 2]>();

    fn cut(&mut self, size: usize) {
        self.cut_to(size);
    }
}

// SAFETY: as above.
unsafe impl Record for ExpectationRecord {
    const LEAST: usize = size_of::<u64>();

    fn cut(&mut self, size: usize) {
        self.cut_to(size);
    }
}
