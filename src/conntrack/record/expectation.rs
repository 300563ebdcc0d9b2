//! An expectation's record of an object, and the other way round.
#![forbid(unsafe_code)]

use super::layout::{ExpectationRecord, FlowRecord, TupleRecord};
use super::words::{Words, common, words_of};
use crate::conntrack::expectation::seen::Expectation;
use crate::conntrack::object::attr::{Attr, Storage};
use crate::conntrack::object::entry::Flat;
use crate::conntrack::object::expectation::{EXPECT_ATTR_COUNT, Expect, ExpectAttr};
use crate::netlink::name::copy_name;
use crate::record::Record;
use std::mem::offset_of;

/// The parts of a tuple: the attributes of the original one.
const PARTS: Words = {
    use Attr::*;
    words_of(&[
        OrigIpv4Src,
        OrigIpv4Dst,
        OrigIpv6Src,
        OrigIpv6Dst,
        OrigPortSrc,
        OrigPortDst,
        IcmpType,
        IcmpCode,
        IcmpId,
        OrigL3Proto,
        OrigL4Proto,
        OrigZone,
    ])
};

/// Bit of `present` that says that the record has an id. Objects have none.
const ID: u32 = 63;

/// The attributes of an expectation, by number.
fn all() -> impl Iterator<Item = ExpectAttr> {
    (0..EXPECT_ATTR_COUNT).filter_map(|number| ExpectAttr::try_from(number).ok())
}

/// Where the attribute ends in a record.
fn end(attr: ExpectAttr) -> usize {
    use ExpectAttr::*;
    let offset = match attr {
        Master => offset_of!(ExpectationRecord, master),
        Expected => offset_of!(ExpectationRecord, expected),
        Mask => offset_of!(ExpectationRecord, mask),
        NatTuple => offset_of!(ExpectationRecord, nat),
        Timeout => offset_of!(ExpectationRecord, timeout),
        Flags => offset_of!(ExpectationRecord, flags),
        Class => offset_of!(ExpectationRecord, helper_class),
        NatDir => offset_of!(ExpectationRecord, nat_dir),
        Zone => offset_of!(ExpectationRecord, zone),
        HelperName => offset_of!(ExpectationRecord, helper_name),
        Function => offset_of!(ExpectationRecord, function),
    };
    offset
        + if attr.row().storage == Storage::Tuple {
            size_of::<TupleRecord>()
        } else {
            attr.row().storage.width()
        }
}

/// The plain part of an object that is this tuple.
fn tuple_of(present: Words, orig: TupleRecord) -> Flat {
    let mut flat = Flat::default();
    FlowRecord { present: common(present, PARTS), orig, ..FlowRecord::default() }
        .put_flat(&mut flat);
    flat
}

impl From<&Expectation> for ExpectationRecord {
    fn from(expectation: &Expectation) -> Self {
        let mut record = Self::of(&expectation.object);
        if let Some(id) = expectation.id {
            record.set_id(id);
        }
        record
    }
}

impl ExpectationRecord {
    crate::record::bytes!();

    /// The expectation that the record says.
    #[must_use]
    pub fn to_expectation(&self) -> Expectation {
        let mut expectation = Expectation::default();
        self.to(&mut expectation.object);
        expectation.id = (self.present & (1 << ID) != 0).then_some(self.id);
        expectation
    }

    /// Says which expectation it is, which an object does not tell.
    pub(crate) fn set_id(&mut self, id: u32) {
        self.present |= 1 << ID;
        self.id = id;
    }

    /// Whether the attribute is there.
    #[must_use]
    pub(crate) fn has(&self, attr: ExpectAttr) -> bool {
        self.present & (1 << attr as u32) != 0
    }

    /// The record of an object, which has no id.
    #[must_use]
    pub(crate) fn of(expect: &Expect) -> Self {
        let mut record = Self::default();
        for attr in all().filter(|attr| expect.has(*attr)) {
            record.present |= 1 << attr as u32;
            match attr {
                ExpectAttr::HelperName => copy_name(&mut record.helper_name, expect.helper_name()),
                ExpectAttr::Function => copy_name(&mut record.function, expect.function()),
                _ => record.take(expect, attr),
            }
        }
        record
    }

    fn take(&mut self, expect: &Expect, attr: ExpectAttr) {
        if let (Some(tuple), Some((parts, to))) = (expect.tuple(attr), self.tuple_mut(attr)) {
            let flow = FlowRecord::of(tuple);
            (*parts, *to) = (common(flow.present, PARTS), flow.orig);
        } else if let Some(number) = expect.number(attr) {
            self.put_number(attr, number);
        }
    }

    /// Makes an object what the record says; what the record does not say it has no more.
    pub(crate) fn to(&self, expect: &mut Expect) {
        *expect = Expect::new();
        for attr in all().filter(|attr| self.has(*attr)) {
            match attr {
                ExpectAttr::HelperName => expect.store_name(attr, &self.helper_name),
                ExpectAttr::Function => expect.store_name(attr, &self.function),
                _ => match self.tuple(attr) {
                    Some((present, orig)) => expect.set_flat(attr, &tuple_of(present, orig)),
                    None => expect.store_number(attr, self.number(attr)),
                },
            }
        }
    }

    fn tuple(&self, attr: ExpectAttr) -> Option<(Words, TupleRecord)> {
        match attr {
            ExpectAttr::Master => Some((self.master_present, self.master)),
            ExpectAttr::Expected => Some((self.expected_present, self.expected)),
            ExpectAttr::Mask => Some((self.mask_present, self.mask)),
            ExpectAttr::NatTuple => Some((self.nat_present, self.nat)),
            _ => None,
        }
    }

    fn tuple_mut(&mut self, attr: ExpectAttr) -> Option<(&mut Words, &mut TupleRecord)> {
        match attr {
            ExpectAttr::Master => Some((&mut self.master_present, &mut self.master)),
            ExpectAttr::Expected => Some((&mut self.expected_present, &mut self.expected)),
            ExpectAttr::Mask => Some((&mut self.mask_present, &mut self.mask)),
            ExpectAttr::NatTuple => Some((&mut self.nat_present, &mut self.nat)),
            _ => None,
        }
    }

    fn number(&self, attr: ExpectAttr) -> u32 {
        match attr {
            ExpectAttr::Timeout => self.timeout,
            ExpectAttr::Flags => self.flags,
            ExpectAttr::Class => self.helper_class,
            ExpectAttr::NatDir => self.nat_dir,
            _ => self.zone.into(),
        }
    }

    fn put_number(&mut self, attr: ExpectAttr, value: u32) {
        match attr {
            ExpectAttr::Timeout => self.timeout = value,
            ExpectAttr::Flags => self.flags = value,
            ExpectAttr::Class => self.helper_class = value,
            ExpectAttr::NatDir => self.nat_dir = value,
            _ => self.zone = value as u16,
        }
    }

    /// Marks as absent what does not lie whole in the first `size` bytes.
    pub(super) fn cut_to(&mut self, size: usize) {
        for attr in all().filter(|attr| end(*attr) > size) {
            self.present &= !(1 << attr as u32);
        }
        if offset_of!(Self, id) + size_of::<u32>() > size {
            self.present &= !(1 << ID);
        }
    }
}
