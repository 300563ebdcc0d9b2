//! Where each attribute lies in a record; what there is to know of it else the attribute table
//! says.
#![forbid(unsafe_code)]

use super::layout::{FlowRecord, NatRecord, SeqAdjustRecord, SynproxyRecord, TupleRecord};
use crate::conntrack::object::attr::{ATTR_COUNT, Attr, KINDS, Kind, ROWS, Row, Storage};
use std::mem::offset_of;

/// How the value of an attribute becomes that of a record, and the other way round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// The bytes as they lie.
    Same,
    /// 16 bits, in network order in the object and in host order in the record.
    Port,
    /// A C string, zero bytes behind it in the record.
    Name,
    /// A set of labels.
    Labels,
    /// Of no fixed size: in no record.
    Nowhere,
}

impl Form {
    const fn of(row: &Row, kind: Kind) -> Self {
        match (row.storage, kind) {
            (Storage::Context | Storage::HelperInfo | Storage::Tuple, _) => Self::Nowhere,
            (_, Kind::Port) => Self::Port,
            (_, Kind::Text) => Self::Name,
            (_, Kind::Labels) => Self::Labels,
            _ => Self::Same,
        }
    }
}

/// Where an attribute lies in a flow's record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) offset: u16,
    pub(super) form: Form,
}

macro_rules! places {
    ($($name:ident = $offset:expr;)*) => {
        const LISTED: &[(Attr, usize)] = &[$((Attr::$name, $offset)),*];
    };
}

const ORIG: usize = offset_of!(FlowRecord, orig);
const REPLY: usize = offset_of!(FlowRecord, reply);
const MASTER: usize = offset_of!(FlowRecord, master);
const SRC: usize = offset_of!(TupleRecord, src);
const DST: usize = offset_of!(TupleRecord, dst);
const SPORT: usize = offset_of!(TupleRecord, sport);
const DPORT: usize = offset_of!(TupleRecord, dport);
const L3: usize = offset_of!(TupleRecord, l3proto);
const L4: usize = offset_of!(TupleRecord, l4proto);
const SNAT: usize = offset_of!(FlowRecord, snat);
const DNAT: usize = offset_of!(FlowRecord, dnat);
const MIN: usize = offset_of!(NatRecord, min);
const MIN_PORT: usize = offset_of!(NatRecord, min_port);
const SEQ: usize = offset_of!(FlowRecord, seq_adjust);
const SEQ_REPLY: usize = SEQ + size_of::<SeqAdjustRecord>();
const POS: usize = offset_of!(SeqAdjustRecord, correction_pos);
const BEFORE: usize = offset_of!(SeqAdjustRecord, offset_before);
const AFTER: usize = offset_of!(SeqAdjustRecord, offset_after);
const SYNPROXY: usize = offset_of!(FlowRecord, synproxy);

places! {
    OrigIpv4Src = ORIG + SRC;
    OrigIpv4Dst = ORIG + DST;
    ReplIpv4Src = REPLY + SRC;
    ReplIpv4Dst = REPLY + DST;
    OrigIpv6Src = ORIG + SRC;
    OrigIpv6Dst = ORIG + DST;
    ReplIpv6Src = REPLY + SRC;
    ReplIpv6Dst = REPLY + DST;
    OrigPortSrc = ORIG + SPORT;
    OrigPortDst = ORIG + DPORT;
    ReplPortSrc = REPLY + SPORT;
    ReplPortDst = REPLY + DPORT;
    IcmpType = ORIG + offset_of!(TupleRecord, icmp_type);
    IcmpCode = ORIG + offset_of!(TupleRecord, icmp_code);
    IcmpId = ORIG + offset_of!(TupleRecord, icmp_id);
    OrigL3Proto = ORIG + L3;
    ReplL3Proto = REPLY + L3;
    OrigL4Proto = ORIG + L4;
    ReplL4Proto = REPLY + L4;
    TcpState = offset_of!(FlowRecord, tcp_state);
    SnatIpv4 = SNAT + MIN;
    DnatIpv4 = DNAT + MIN;
    SnatPort = SNAT + MIN_PORT;
    DnatPort = DNAT + MIN_PORT;
    Timeout = offset_of!(FlowRecord, timeout);
    Mark = offset_of!(FlowRecord, mark);
    OrigCounterPackets = offset_of!(FlowRecord, packets);
    ReplCounterPackets = offset_of!(FlowRecord, packets) + 8;
    OrigCounterBytes = offset_of!(FlowRecord, bytes);
    ReplCounterBytes = offset_of!(FlowRecord, bytes) + 8;
    Use = offset_of!(FlowRecord, use_count);
    Id = offset_of!(FlowRecord, id);
    Status = offset_of!(FlowRecord, status);
    TcpFlagsOrig = offset_of!(FlowRecord, tcp_flags);
    TcpFlagsRepl = offset_of!(FlowRecord, tcp_flags) + 1;
    TcpMaskOrig = offset_of!(FlowRecord, tcp_mask);
    TcpMaskRepl = offset_of!(FlowRecord, tcp_mask) + 1;
    MasterIpv4Src = MASTER + SRC;
    MasterIpv4Dst = MASTER + DST;
    MasterIpv6Src = MASTER + SRC;
    MasterIpv6Dst = MASTER + DST;
    MasterPortSrc = MASTER + SPORT;
    MasterPortDst = MASTER + DPORT;
    MasterL3Proto = MASTER + L3;
    MasterL4Proto = MASTER + L4;
    Secmark = offset_of!(FlowRecord, secmark);
    OrigNatSeqCorrectionPos = SEQ + POS;
    OrigNatSeqOffsetBefore = SEQ + BEFORE;
    OrigNatSeqOffsetAfter = SEQ + AFTER;
    ReplNatSeqCorrectionPos = SEQ_REPLY + POS;
    ReplNatSeqOffsetBefore = SEQ_REPLY + BEFORE;
    ReplNatSeqOffsetAfter = SEQ_REPLY + AFTER;
    SctpState = offset_of!(FlowRecord, sctp_state);
    SctpVtagOrig = offset_of!(FlowRecord, sctp_vtag);
    SctpVtagRepl = offset_of!(FlowRecord, sctp_vtag) + 4;
    HelperName = offset_of!(FlowRecord, helper_name);
    DccpState = offset_of!(FlowRecord, dccp_state);
    DccpRole = offset_of!(FlowRecord, dccp_role);
    DccpHandshakeSeq = offset_of!(FlowRecord, dccp_handshake_seq);
    TcpWscaleOrig = offset_of!(FlowRecord, tcp_wscale);
    TcpWscaleRepl = offset_of!(FlowRecord, tcp_wscale) + 1;
    Zone = offset_of!(FlowRecord, zone);
    Secctx = 0;
    TimestampStart = offset_of!(FlowRecord, start);
    TimestampStop = offset_of!(FlowRecord, stop);
    HelperInfo = 0;
    Connlabels = offset_of!(FlowRecord, labels);
    ConnlabelsMask = offset_of!(FlowRecord, labels_mask);
    OrigZone = ORIG + offset_of!(TupleRecord, zone);
    ReplZone = REPLY + offset_of!(TupleRecord, zone);
    SnatIpv6 = SNAT + MIN;
    DnatIpv6 = DNAT + MIN;
    SynproxyIsn = SYNPROXY + offset_of!(SynproxyRecord, isn);
    SynproxyIts = SYNPROXY + offset_of!(SynproxyRecord, its);
    SynproxyTsoff = SYNPROXY + offset_of!(SynproxyRecord, tsoff);
    TimestampEvent = offset_of!(FlowRecord, event_time);
}

/// The table, by number.
pub(super) const PLACES: [Place; ATTR_COUNT] = {
    let mut places = [Place { offset: 0, form: Form::Nowhere }; ATTR_COUNT];
    let mut number = 0;
    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while number < ATTR_COUNT {
        let ((attr, offset), row) = (LISTED[number], &ROWS[number]);
        assert!(attr as usize == number, "the table is sorted by number");
        let place = Place { offset: offset as u16, form: Form::of(row, KINDS[number]) };
        assert!(place.end(row) <= size_of::<FlowRecord>());
        places[number] = place;
        number += 1;
    }
    places
};

static TABLE: [Place; ATTR_COUNT] = PLACES;

impl Place {
    /// The place of an attribute.
    #[inline]
    #[allow(clippy::indexing_slicing, reason = "an Attr is below ATTR_COUNT")]
    pub(super) fn of(attr: Attr) -> Self {
        TABLE[attr as usize]
    }

    /// Where in the record the attribute ends, with the maximum of a range.
    pub(super) const fn end(self, row: &Row) -> usize {
        let width = match (self.form, row.storage) {
            (Form::Labels, _) => 16,
            (_, Storage::Range { width, stride }) => (width + stride) as usize,
            (_, storage) => storage.width(),
        };
        self.offset as usize + width
    }
}
