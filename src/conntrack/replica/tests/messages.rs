//! A flow of the kernel's, and what its messages tell of it.
#![forbid(unsafe_code)]

use crate::conntrack::heap::Text;
use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::{Conntrack, Counters, Tuple};
use crate::uapi::ips;

/// Tuples that flows may have.
pub const KEYS: usize = 6;

/// A flow of the kernel's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Real {
    pub key: usize,
    pub id: u32,
    /// Where its answers go.
    pub reply: u8,
    pub status: u32,
    pub mark: u32,
    /// 0 is none.
    pub label: u32,
    pub helper: bool,
    pub context: bool,
    pub state: u8,
    /// Sequence numbers are adjusted by it; 0 is not at all.
    pub adjusted: u32,
    pub proxied: bool,
    pub master: bool,
    /// When it was made: no two have the same.
    pub start: u64,
    pub packets: u64,
    /// It reports nothing.
    pub silent: bool,
    /// Its end was told, and it is about to be removed.
    pub dying: bool,
    /// The next update is told as if it were new: a listener has missed that.
    pub renewed: bool,
    /// It was told so.
    pub again: bool,
}

/// What has changed, and is told so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    Mark,
    Label,
    State,
    Helper,
    Status,
    Adjusted,
}

fn tuple(ct: &mut Conntrack, key: usize, reply: Option<u8>) {
    let mut to = Tuple { l3proto: 2, l4proto: 6, ..Tuple::default() };
    // Those of two keys differ in their zone alone.
    let port = 100 + (key / 3) as u8;
    let ends = [([10, 0, 0, 1], [0, port]), ([10, 0, 0, 2], [0, 80])];
    let [(src, l4src), (dst, l4dst)] = match reply {
        None => ends,
        Some(last) => [ends[1], ([10, 1, 0, last], [last, port])],
    };
    (to.l4src, to.l4dst) = (l4src, l4dst);
    to.src[..4].copy_from_slice(&src);
    to.dst[..4].copy_from_slice(&dst);
    let zoned = key % 3 == 2 && reply.is_none();
    to.zone = if zoned { 8 } else { 0 };
    use Attr::*;
    if reply.is_none() {
        ct.flat.orig = to;
        ct.flat.present.insert(Presence::of(&[
            OrigIpv4Src,
            OrigIpv4Dst,
            OrigPortSrc,
            OrigPortDst,
            OrigL3Proto,
            OrigL4Proto,
        ]));
    } else {
        ct.flat.reply = to;
        ct.flat.present.insert(Presence::of(&[
            ReplIpv4Src,
            ReplIpv4Dst,
            ReplPortSrc,
            ReplPortDst,
            ReplL3Proto,
            ReplL4Proto,
        ]));
    }
    if zoned {
        ct.flat.present.set(OrigZone);
    }
}

/// Which of the tuples an object has.
pub fn key_of(ct: &Conntrack) -> usize {
    let zone = if ct.has(Attr::Zone) { 1 } else { 2 * usize::from(ct.has(Attr::OrigZone)) };
    usize::from(ct.flat.orig.l4src[1] - 100) * 3 + zone
}

impl Real {
    /// What every message has.
    fn base(&self) -> Conntrack {
        let mut ct = Conntrack::new();
        tuple(&mut ct, self.key, None);
        tuple(&mut ct, self.key, Some(self.reply));
        if self.key % 3 == 1 {
            ct.flat.zone = 7;
            ct.flat.present.set(Attr::Zone);
        }
        (ct.flat.id, ct.flat.status) = (self.id, self.status);
        ct.flat.present.insert(Presence::of(&[Attr::Id, Attr::Status]));
        if self.mark != 0 {
            ct.flat.mark = self.mark;
            ct.flat.present.set(Attr::Mark);
        }
        ct
    }

    fn put_timeout(&self, ct: &mut Conntrack) {
        ct.flat.timeout = self.packets as u32;
        ct.flat.present.set(Attr::Timeout);
    }

    fn put_helper(&self, ct: &mut Conntrack) {
        if self.helper {
            ct.set_helper_name(b"ftp");
            ct.set_helper_info(&[self.state]).unwrap();
        }
        if self.context {
            ct.heap.secctx = Some(Text::new(b"system_u").unwrap());
            ct.flat.present.set(Attr::Secctx);
        }
    }

    fn put_label(&self, ct: &mut Conntrack) {
        if self.label != 0 {
            let mut labels = Bitmask::new(127).unwrap().unwrap();
            labels.set(self.label);
            ct.set_labels(labels, false);
        }
    }

    fn put_state(&self, ct: &mut Conntrack) {
        // Flags change with every packet.
        ct.flat.protoinfo.0[..7].copy_from_slice(&[self.state, self.packets as u8, 0, 3, 0, 7, 7]);
        ct.flat.present.insert(Presence::of(&[
            Attr::TcpState,
            Attr::TcpFlagsOrig,
            Attr::TcpMaskOrig,
            Attr::TcpFlagsRepl,
            Attr::TcpMaskRepl,
            Attr::TcpWscaleOrig,
            Attr::TcpWscaleRepl,
        ]));
    }

    fn put_adjusted(&self, ct: &mut Conntrack) {
        if self.adjusted != 0 {
            ct.flat.seq_adjust[1] = self.adjusted;
            ct.flat.present.set(Attr::OrigNatSeqOffsetBefore);
        }
    }

    fn put_proxied(&self, ct: &mut Conntrack) {
        if self.proxied {
            ct.flat.synproxy[0] = 9;
            ct.flat.present.set(Attr::SynproxyIsn);
        }
    }

    fn put_master(&self, ct: &mut Conntrack) {
        if self.master {
            // Of ICMP: its id, type and code are no attributes of a master.
            let (l4src, l4dst) = ([1, self.key as u8], [8, 0]);
            ct.flat.master = Tuple { l3proto: 2, l4proto: 1, l4src, l4dst, ..Tuple::default() };
            ct.flat.present.insert(Presence::of(&[Attr::MasterL3Proto, Attr::MasterL4Proto]));
        }
    }

    fn put_counters(&self, ct: &mut Conntrack) {
        ct.flat.counters[0] = Counters { packets: self.packets, bytes: 60 * self.packets };
        ct.flat.start = self.start;
        ct.flat.present.insert(Presence::of(&[
            Attr::OrigCounterPackets,
            Attr::OrigCounterBytes,
            Attr::TimestampStart,
        ]));
    }

    /// The event of a new flow.
    pub fn begun(&self) -> Conntrack {
        let mut ct = self.base();
        let puts = [
            Self::put_timeout,
            Self::put_helper,
            Self::put_label,
            Self::put_state,
            Self::put_adjusted,
            Self::put_proxied,
            Self::put_master,
        ];
        puts.into_iter().for_each(|put| put(self, &mut ct));
        ct
    }

    /// The event of a change.
    pub fn update(&self, part: Part, by_request: bool) -> Conntrack {
        let mut ct = self.base();
        self.put_timeout(&mut ct);
        self.put_helper(&mut ct);
        if by_request || part == Part::Mark {
            ct.flat.mark = self.mark;
            ct.flat.present.set(Attr::Mark);
        }
        if by_request || part == Part::Label {
            self.put_label(&mut ct);
        }
        if by_request || part == Part::State {
            self.put_state(&mut ct);
        }
        if by_request || part == Part::Adjusted {
            self.put_adjusted(&mut ct);
        }
        if by_request {
            self.put_proxied(&mut ct);
        }
        ct
    }

    /// The event of its end.
    pub fn destroy(&self) -> Conntrack {
        let mut ct = self.base();
        ct.flat.status |= ips::DYING;
        self.put_counters(&mut ct);
        ct.flat.protoinfo.0[0] = self.state;
        ct.flat.stop = self.start + 1;
        ct.flat.present.insert(Presence::of(&[Attr::TcpState, Attr::TimestampStop]));
        ct
    }

    /// An entry of a list.
    pub fn entry(&self) -> Conntrack {
        let mut ct = self.begun();
        self.put_counters(&mut ct);
        ct.flat.use_count = 1;
        ct.flat.present.set(Attr::Use);
        if self.dying {
            ct.flat.status |= ips::DYING;
        }
        ct
    }
}
