//! Where each attribute lies in a record; what there is to know of it else the attribute table
//! says.
#![forbid(unsafe_code)]

use super::layout::{FlowRecord, NatRecord, SeqAdjustRecord, SynproxyRecord, TupleRecord};
use crate::conntrack::object::attr::{ATTR_COUNT, Attr, ROWS, Row, Storage};
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

/// Where an attribute lies in a flow's record.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) offset: u16,
    pub(super) form: Form,
}

macro_rules! places {
    ($($name:ident = $offset:expr, $form:ident;)*) => {
        const LISTED: &[(Attr, Place)] = &[$(
            (Attr::$name, Place { offset: ($offset) as u16, form: Form::$form }),
        )*];
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
    OrigIpv4Src = ORIG + SRC, Same;
    OrigIpv4Dst = ORIG + DST, Same;
    ReplIpv4Src = REPLY + SRC, Same;
    ReplIpv4Dst = REPLY + DST, Same;
    OrigIpv6Src = ORIG + SRC, Same;
    OrigIpv6Dst = ORIG + DST, Same;
    ReplIpv6Src = REPLY + SRC, Same;
    ReplIpv6Dst = REPLY + DST, Same;
    OrigPortSrc = ORIG + SPORT, Port;
    OrigPortDst = ORIG + DPORT, Port;
    ReplPortSrc = REPLY + SPORT, Port;
    ReplPortDst = REPLY + DPORT, Port;
    IcmpType = ORIG + offset_of!(TupleRecord, icmp_type), Same;
    IcmpCode = ORIG + offset_of!(TupleRecord, icmp_code), Same;
    IcmpId = ORIG + offset_of!(TupleRecord, icmp_id), Port;
    OrigL3Proto = ORIG + L3, Same;
    ReplL3Proto = REPLY + L3, Same;
    OrigL4Proto = ORIG + L4, Same;
    ReplL4Proto = REPLY + L4, Same;
    TcpState = offset_of!(FlowRecord, tcp_state), Same;
    SnatIpv4 = SNAT + MIN, Same;
    DnatIpv4 = DNAT + MIN, Same;
    SnatPort = SNAT + MIN_PORT, Port;
    DnatPort = DNAT + MIN_PORT, Port;
    Timeout = offset_of!(FlowRecord, timeout), Same;
    Mark = offset_of!(FlowRecord, mark), Same;
    OrigCounterPackets = offset_of!(FlowRecord, packets), Same;
    ReplCounterPackets = offset_of!(FlowRecord, packets) + 8, Same;
    OrigCounterBytes = offset_of!(FlowRecord, bytes), Same;
    ReplCounterBytes = offset_of!(FlowRecord, bytes) + 8, Same;
    Use = offset_of!(FlowRecord, use_count), Same;
    Id = offset_of!(FlowRecord, id), Same;
    Status = offset_of!(FlowRecord, status), Same;
    TcpFlagsOrig = offset_of!(FlowRecord, tcp_flags), Same;
    TcpFlagsRepl = offset_of!(FlowRecord, tcp_flags) + 1, Same;
    TcpMaskOrig = offset_of!(FlowRecord, tcp_mask), Same;
    TcpMaskRepl = offset_of!(FlowRecord, tcp_mask) + 1, Same;
    MasterIpv4Src = MASTER + SRC, Same;
    MasterIpv4Dst = MASTER + DST, Same;
    MasterIpv6Src = MASTER + SRC, Same;
    MasterIpv6Dst = MASTER + DST, Same;
    MasterPortSrc = MASTER + SPORT, Port;
    MasterPortDst = MASTER + DPORT, Port;
    MasterL3Proto = MASTER + L3, Same;
    MasterL4Proto = MASTER + L4, Same;
    Secmark = offset_of!(FlowRecord, secmark), Same;
    OrigNatSeqCorrectionPos = SEQ + POS, Same;
    OrigNatSeqOffsetBefore = SEQ + BEFORE, Same;
    OrigNatSeqOffsetAfter = SEQ + AFTER, Same;
    ReplNatSeqCorrectionPos = SEQ_REPLY + POS, Same;
    ReplNatSeqOffsetBefore = SEQ_REPLY + BEFORE, Same;
    ReplNatSeqOffsetAfter = SEQ_REPLY + AFTER, Same;
    SctpState = offset_of!(FlowRecord, sctp_state), Same;
    SctpVtagOrig = offset_of!(FlowRecord, sctp_vtag), Same;
    SctpVtagRepl = offset_of!(FlowRecord, sctp_vtag) + 4, Same;
    HelperName = offset_of!(FlowRecord, helper_name), Name;
    DccpState = offset_of!(FlowRecord, dccp_state), Same;
    DccpRole = offset_of!(FlowRecord, dccp_role), Same;
    DccpHandshakeSeq = offset_of!(FlowRecord, dccp_handshake_seq), Same;
    TcpWscaleOrig = offset_of!(FlowRecord, tcp_wscale), Same;
    TcpWscaleRepl = offset_of!(FlowRecord, tcp_wscale) + 1, Same;
    Zone = offset_of!(FlowRecord, zone), Same;
    Secctx = 0, Nowhere;
    TimestampStart = offset_of!(FlowRecord, start), Same;
    TimestampStop = offset_of!(FlowRecord, stop), Same;
    HelperInfo = 0, Nowhere;
    Connlabels = offset_of!(FlowRecord, labels), Labels;
    ConnlabelsMask = offset_of!(FlowRecord, labels_mask), Labels;
    OrigZone = ORIG + offset_of!(TupleRecord, zone), Same;
    ReplZone = REPLY + offset_of!(TupleRecord, zone), Same;
    SnatIpv6 = SNAT + MIN, Same;
    DnatIpv6 = DNAT + MIN, Same;
    SynproxyIsn = SYNPROXY + offset_of!(SynproxyRecord, isn), Same;
    SynproxyIts = SYNPROXY + offset_of!(SynproxyRecord, its), Same;
    SynproxyTsoff = SYNPROXY + offset_of!(SynproxyRecord, tsoff), Same;
    TimestampEvent = offset_of!(FlowRecord, event_time), Same;
}

/// The table, by number.
pub(super) const PLACES: [Place; ATTR_COUNT] = {
    let mut places = [Place { offset: 0, form: Form::Nowhere }; ATTR_COUNT];
    let mut number = 0;
    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while number < ATTR_COUNT {
        let (attr, place) = LISTED[number];
        assert!(attr as usize == number, "the table is sorted by number");
        assert!(matches!(place.form, Form::Nowhere) || fits(&ROWS[number], place));
        places[number] = place;
        number += 1;
    }
    places
};

static TABLE: [Place; ATTR_COUNT] = PLACES;

/// Whether the form is one for an attribute that is stored like this.
const fn fits(row: &Row, place: Place) -> bool {
    let kind = match row.storage {
        Storage::Name(16) => matches!(place.form, Form::Name),
        Storage::Labels => matches!(place.form, Form::Labels),
        Storage::Tuple | Storage::Context | Storage::HelperInfo | Storage::Name(_) => false,
        storage => match place.form {
            Form::Port => storage.width() == 2,
            form => matches!(form, Form::Same),
        },
    };
    kind && place.end(row) <= size_of::<FlowRecord>()
}

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
