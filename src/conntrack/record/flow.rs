//! A flow's record of an object, and the other way round.
#![forbid(unsafe_code)]

use super::layout::{FlowRecord, TupleRecord};
use super::places::{Form, PLACES, Place};
use super::words::{Words, common, has, numbers, unset, words_of};
use crate::conntrack::error::Error;
use crate::conntrack::flow::Flow;
use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::object::attr::{ATTR_COUNT, Attr, ROWS, Row, Storage};
use crate::conntrack::object::entry::{Conntrack, Flat, Tuple};
use crate::conntrack::object::icmp;
use crate::conntrack::object::layer4::Layer4;
use crate::error;
use crate::netlink::name::copy_name;
use crate::record::Record;
use crate::width::with_width;

/// Labels that a record has room for.
const LABELS: u32 = 128;

/// What records have: all of fixed size.
const STORED: Words = {
    let (mut words, mut number) = ([0; 2], 0);
    #[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
    while number < ATTR_COUNT {
        if !matches!(PLACES[number].form, Form::Nowhere) {
            words[number / 64] |= 1 << (number % 64);
        }
        number += 1;
    }
    words
};

/// What the layer 4 part of an ICMP tuple is.
const ICMP: Words = words_of(&[Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId]);

/// Copies the `N` bytes of a value, as its form asks.
#[inline(always)]
fn carry<const N: usize>(from: &[u8], at: usize, to: &mut [u8], place: usize, form: Form) {
    let value = from.get(at..).and_then(<[u8]>::first_chunk::<N>);
    let slot = to.get_mut(place..).and_then(<[u8]>::first_chunk_mut::<N>);
    if let (Some(value), Some(slot)) = (value, slot) {
        *slot = *value;
        if form == Form::Port && cfg!(target_endian = "little") {
            slot.reverse();
        }
    }
}

/// The attributes that most flows of a dump have. They are told apart by the compiler, the others
/// looked up in the tables: most of the time of a record goes into these.
macro_rules! usual {
    ($($attr:ident)*) => {
        const USUAL: Words = words_of(&[$(Attr::$attr),*]);

        #[inline]
        fn take_usual(from: &[u8], to: &mut [u8], present: Words) {
            $(take_known::<{ Attr::$attr as usize }>(from, to, present);)*
        }
    };
}

usual! {
    OrigIpv4Src OrigIpv4Dst OrigPortSrc OrigPortDst OrigL3Proto OrigL4Proto
    ReplIpv4Src ReplIpv4Dst ReplPortSrc ReplPortDst ReplL3Proto ReplL4Proto
    Status Timeout Mark Id Use
    OrigCounterPackets OrigCounterBytes ReplCounterPackets ReplCounterBytes TimestampStart
    TcpState TcpFlagsOrig TcpFlagsRepl TcpMaskOrig TcpMaskRepl TcpWscaleOrig TcpWscaleRepl
    OrigIpv6Src OrigIpv6Dst ReplIpv6Src ReplIpv6Dst
    SynproxyIsn SynproxyIts SynproxyTsoff
}

#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
fn take_known<const N: usize>(from: &[u8], to: &mut [u8], present: Words) {
    let (row, place) = const { (ROWS[N], PLACES[N]) };
    if has(present, N) {
        let (at, offset) = (row.offset.into(), place.offset.into());
        with_width!(row.storage.width(), W => carry::<W>(from, at, to, offset, place.form));
    }
}

/// Copies a value that lies in the object itself, of either into the other: `ends` are the offsets
/// of what is read and of what is written.
fn carry_row(row: &Row, form: Form, from: &[u8], to: &mut [u8], [at, place]: [usize; 2]) {
    let width = row.storage.width();
    with_width!(width, N => carry::<N>(from, at, to, place, form));
    if let Storage::Range { stride, .. } = row.storage {
        let stride = usize::from(stride);
        with_width!(width, N => carry::<N>(from, at + stride, to, place + stride, form));
    }
}

/// The labels as a record has them, as far as it has room.
fn labels_of(labels: &Bitmask) -> [u8; 16] {
    let mut bytes = [0; 16];
    for (to, word) in bytes.chunks_exact_mut(4).zip(labels.words()) {
        to.copy_from_slice(&word.to_le_bytes());
    }
    bytes
}

fn bitmask_of(labels: [u8; 16]) -> Result<Bitmask, Error> {
    let mut mask = Bitmask::new(LABELS - 1)?.ok_or(Error::OutOfMemory)?;
    for (word, bytes) in mask.0.get_mut().iter_mut().zip(labels.chunks_exact(4)) {
        *word = bytes.first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes));
    }
    Ok(mask)
}

fn is_icmp(protocol: u8) -> bool {
    Layer4::of(protocol) == Layer4::Icmp
}

impl From<&Flow> for FlowRecord {
    fn from(flow: &Flow) -> Self {
        Self::of(&flow.0)
    }
}

impl FlowRecord {
    crate::record::bytes!();

    /// The flow that the record says. It has neither a security context nor data of a helper.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`](error::ErrorKind::OutOfMemory).
    pub fn to_flow(&self) -> Result<Flow, error::Error> {
        let mut ct = Conntrack::new();
        self.to(&mut ct)?;
        Ok(Flow(ct))
    }

    /// Whether the attribute is there.
    #[must_use]
    #[inline]
    pub fn has(&self, attr: Attr) -> bool {
        has(self.present, attr as usize)
    }

    /// The record of an object. Of labels, those below 128 are in it.
    #[must_use]
    #[inline]
    pub(crate) fn of(ct: &Conntrack) -> Self {
        let mut record = Self::default();
        record.fill(ct);
        record
    }

    /// Makes a record that says nothing that of an object.
    #[inline]
    pub(crate) fn fill(&mut self, ct: &Conntrack) {
        let present = ct.flat.present.words();
        self.present = common(present, STORED);
        take_usual(ct.flat.bytes(), self.as_bytes_mut(), present);
        let rest = common(self.present, [!USUAL[0], !USUAL[1]]);
        if rest != [0; 2] {
            self.take_rest(ct, rest);
        }
    }

    #[inline(never)]
    fn take_rest(&mut self, ct: &Conntrack, rest: Words) {
        for attr in numbers(rest) {
            let (row, place) = (attr.row(), Place::of(attr));
            let ends = [row.offset.into(), place.offset.into()];
            match place.form {
                Form::Same | Form::Port => {
                    carry_row(row, place.form, ct.flat.bytes(), self.as_bytes_mut(), ends);
                }
                Form::Name => copy_name(&mut self.helper_name, ct.helper_name()),
                Form::Labels => self.take_labels(ct, attr),
                Form::Nowhere => {}
            }
        }
        if common(rest, ICMP) != [0; 2] {
            self.take_other_icmp(&ct.flat);
        }
    }

    fn take_labels(&mut self, ct: &Conntrack, attr: Attr) {
        let (labels, to) = match attr {
            Attr::Connlabels => (ct.labels(), &mut self.labels),
            _ => (ct.labels_mask(), &mut self.labels_mask),
        };
        match labels {
            Some(labels) => *to = labels_of(labels),
            None => unset(&mut self.present, attr as usize),
        }
    }

    /// The ICMP parts of the other tuples, which the original's attributes count for.
    fn take_other_icmp(&mut self, flat: &Flat) {
        let has = |attr| has(self.present, attr as usize);
        let tuples = [
            (&mut self.reply, &flat.reply, has(Attr::ReplL4Proto)),
            (&mut self.master, &flat.master, has(Attr::MasterL4Proto)),
        ];
        let [kind, code, id] = [Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId].map(has);
        for (to, from, _) in
            tuples.into_iter().filter(|(_, from, told)| *told && is_icmp(from.l4proto))
        {
            to.icmp_type = from.l4dst[0] * u8::from(kind);
            to.icmp_code = from.l4dst[1] * u8::from(code);
            to.icmp_id = u16::from_be_bytes(from.l4src) * u16::from(id);
        }
    }

    /// Makes an object what the record says; what the record does not say it has no more.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; the object is unchanged.
    pub(crate) fn to(&self, ct: &mut Conntrack) -> Result<(), Error> {
        let labels = |attr: Attr, bytes| self.has(attr).then(|| bitmask_of(bytes)).transpose();
        let mut made = Conntrack::new();
        if let Some(labels) = labels(Attr::Connlabels, self.labels)? {
            made.set_labels(labels, false);
        }
        if let Some(mask) = labels(Attr::ConnlabelsMask, self.labels_mask)? {
            made.set_labels(mask, true);
        }
        self.put_flat(&mut made.flat);
        *ct = made;
        Ok(())
    }

    pub(super) fn put_flat(&self, flat: &mut Flat) {
        self.put_icmp(flat);
        for attr in numbers(common(self.present, STORED)) {
            let (row, place) = (attr.row(), Place::of(attr));
            let ends = [place.offset.into(), row.offset.into()];
            match place.form {
                Form::Same | Form::Port => {
                    carry_row(row, place.form, self.as_bytes(), flat.bytes_mut(), ends);
                }
                Form::Name => copy_name(&mut flat.helper_name, &self.helper_name),
                Form::Labels | Form::Nowhere => continue,
            }
            flat.present.set(attr);
        }
    }

    /// The ICMP parts of the other tuples, before ports that share their storage. Without a protocol
    /// of its own, the reply is the answer to the original, as a setter makes it.
    fn put_icmp(&self, flat: &mut Flat) {
        let Self { orig, reply, master, present, .. } = *self;
        if common(present, ICMP) == [0; 2] {
            return;
        }
        let own = |attr, tuple: TupleRecord| self.has(attr) && is_icmp(tuple.l4proto);
        if own(Attr::ReplL4Proto, reply) {
            self.put_icmp_of(reply, &mut flat.reply);
        } else {
            let family = if self.has(Attr::OrigL3Proto) { orig.l3proto } else { 0 };
            let icmp_type = icmp::reply_type(family, orig.icmp_type);
            self.put_icmp_of(TupleRecord { icmp_type, ..orig }, &mut flat.reply);
        }
        if own(Attr::MasterL4Proto, master) {
            self.put_icmp_of(master, &mut flat.master);
        }
    }

    fn put_icmp_of(&self, from: TupleRecord, to: &mut Tuple) {
        let [kind, code, id] =
            [Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId].map(|attr| u8::from(self.has(attr)));
        to.l4src = (from.icmp_id * u16::from(id)).to_be_bytes();
        to.l4dst = [from.icmp_type * kind, from.icmp_code * code];
    }

    /// Marks as absent what does not lie whole in the first `size` bytes.
    pub(super) fn cut_to(&mut self, size: usize) {
        for attr in numbers(self.present) {
            if Place::of(attr).end(attr.row()) > size {
                unset(&mut self.present, attr as usize);
            }
        }
    }
}
