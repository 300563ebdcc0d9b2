//! What selects the entries of a dump or a flush: sent to the kernel, and checked again.
#![forbid(unsafe_code)]

use super::tuple::{ORIGINAL, REPLY};
use crate::conntrack::error::Error;
use crate::conntrack::object::attr::Attr;
use crate::conntrack::object::copy;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::status::ORIGINAL_TUPLE;

/// A value with a mask: an entry is selected when `entry & mask == value`. Host order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[repr(C)]
pub struct Masked {
    /// The value.
    pub value: u32,
    /// The bits that count.
    pub mask: u32,
}

/// A criterion, numbered as `enum nfct_filter_dump_attr` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum DumpAttr {
    /// Mark with a mask.
    Mark = 0,
    /// Address family; 0 is all.
    Family = 1,
    /// Status bits with a mask.
    Status = 2,
    /// Zone.
    Zone = 3,
    /// The members of the original tuple that a conntrack object has.
    Tuple = 4,
}

impl TryFrom<u32> for DumpAttr {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        const ALL: [DumpAttr; 5] =
            [DumpAttr::Mark, DumpAttr::Family, DumpAttr::Status, DumpAttr::Zone, DumpAttr::Tuple];
        ALL.get(number as usize).copied().ok_or(Error::UnknownFilter(number))
    }
}

/// Selects entries. Criteria are ANDed; none selects all. All zero bytes is an empty filter.
///
/// What a dump hands out is checked again, so it is what the filter selects. A flush is the kernel's:
/// one that does not know a criterion ignores it and **deletes more**: status needs Linux 5.15,
/// zone 6.8.
#[derive(Debug, Default)]
#[repr(C)]
pub struct DumpFilter {
    tuple: Conntrack,
    mark: Masked,
    status: Masked,
    zone: u16,
    family: u8,
    set: u8,
}

impl DumpFilter {
    /// A filter that selects all entries.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    fn mark_set(&mut self, attr: DumpAttr) {
        self.set |= 1 << attr as u8;
    }

    fn is_set(&self, attr: DumpAttr) -> bool {
        self.set & (1 << attr as u8) != 0
    }

    /// Sets a criterion that is a plain number: the family, from the low byte, or the zone. Others
    /// are ignored.
    #[cfg(feature = "capi")]
    pub(crate) fn set_number(&mut self, attr: DumpAttr, value: u16) {
        match attr {
            DumpAttr::Family => self.set_family(value as u8),
            DumpAttr::Zone => self.set_zone(value),
            _ => {}
        }
    }

    /// Selects entries by mark.
    pub fn set_mark(&mut self, mark: Masked) {
        self.mark = mark;
        self.mark_set(DumpAttr::Mark);
    }

    /// Selects entries by status bits.
    pub fn set_status(&mut self, status: Masked) {
        self.status = status;
        self.mark_set(DumpAttr::Status);
    }

    /// Selects entries by address family: `AF_INET`, `AF_INET6`, or 0 for all.
    pub fn set_family(&mut self, family: u8) {
        self.family = family;
        self.mark_set(DumpAttr::Family);
    }

    /// Selects entries by zone, host order.
    pub fn set_zone(&mut self, zone: u16) {
        self.zone = zone;
        self.mark_set(DumpAttr::Zone);
    }

    /// Selects entries by the members of the original tuple that `ct` has, which are copied.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; the filter is unchanged.
    pub fn set_tuple(&mut self, ct: &Conntrack) -> Result<(), Error> {
        self.set_object(ct)?;
        self.tuple.flat.present.retain(ORIGINAL_TUPLE);
        Ok(())
    }

    /// As [`set_tuple`](Self::set_tuple), with all that the object has: C programs get its mark,
    /// status and zone sent too.
    pub(crate) fn set_object(&mut self, ct: &Conntrack) -> Result<(), Error> {
        self.tuple.copy_from(ct, copy::flags::OVERRIDE)?;
        self.mark_set(DumpAttr::Tuple);
        Ok(())
    }

    /// Whether an entry is selected, whatever the kernel knows of filters. Of the tuple's object only
    /// what is in its tuples counts.
    #[must_use]
    pub fn accepts(&self, ct: &Conntrack) -> bool {
        let zone = || number(ct, &[Attr::Zone, Attr::OrigZone, Attr::ReplZone]);
        let family = || number(ct, &[Attr::OrigL3Proto]);
        let masked = |attr, (value, mask)| number(ct, &[attr]) & mask == value;
        self.mark().is_none_or(|mark| masked(Attr::Mark, mark))
            && self.status().is_none_or(|status| masked(Attr::Status, status))
            && self.zone().is_none_or(|wanted| zone() == wanted.into())
            && self.family().is_none_or(|wanted| wanted == 0 || family() == wanted.into())
            && self.tuple().is_none_or(|wanted| {
                [&ORIGINAL, &REPLY].iter().all(|direction| direction.accepts(wanted, ct))
            })
    }

    /// Whether a kernel that knows all of the criteria decides them right. It does not compare IPv6
    /// addresses, ports of other protocols than TCP and UDP, GRE keys and zones of a tuple.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        let exact = |wanted| [&ORIGINAL, &REPLY].iter().all(|direction| direction.is_exact(wanted));
        self.tuple().is_none_or(exact)
    }

    /// A copy of its own.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    pub fn try_clone(&self) -> Result<Self, Error> {
        let Self { mark, status, zone, family, set, .. } = *self;
        Ok(Self { tuple: self.tuple.try_clone()?, mark, status, zone, family, set })
    }

    pub(crate) fn mark(&self) -> Option<(u32, u32)> {
        self.is_set(DumpAttr::Mark).then_some((self.mark.value, self.mark.mask))
    }

    pub(crate) fn status(&self) -> Option<(u32, u32)> {
        self.is_set(DumpAttr::Status).then_some((self.status.value, self.status.mask))
    }

    pub(crate) fn family(&self) -> Option<u8> {
        self.is_set(DumpAttr::Family).then_some(self.family)
    }

    pub(crate) fn zone(&self) -> Option<u16> {
        self.is_set(DumpAttr::Zone).then_some(self.zone)
    }

    pub(crate) fn tuple(&self) -> Option<&Conntrack> {
        self.is_set(DumpAttr::Tuple).then_some(&self.tuple)
    }
}

/// The number that the first of the attributes present has, or 0.
fn number(ct: &Conntrack, attrs: &[Attr]) -> u32 {
    match attrs.iter().find_map(|attr| ct.get(*attr)) {
        Some([a]) => (*a).into(),
        Some([a, b]) => u16::from_ne_bytes([*a, *b]).into(),
        Some([a, b, c, d]) => u32::from_ne_bytes([*a, *b, *c, *d]),
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 16 bytes that begin with these.
    fn slot(bytes: &[u8]) -> [u8; 16] {
        std::array::from_fn(|at| bytes.get(at).copied().unwrap_or(0))
    }

    /// An object with these attributes, as an entry is decoded or a filter is made.
    fn object(attrs: &[(Attr, &[u8])]) -> Conntrack {
        let mut ct = Conntrack::new();
        for (attr, bytes) in attrs {
            ct.set(*attr, slot(bytes));
        }
        ct
    }

    /// An entry of SCTP with everything that filters look at; the destination is translated.
    const ENTRY: [(Attr, &[u8]); 15] = [
        (Attr::OrigL3Proto, &[2]),
        (Attr::OrigIpv4Src, &[10, 0, 0, 1]),
        (Attr::OrigIpv4Dst, &[10, 0, 0, 2]),
        (Attr::OrigL4Proto, &[132]),
        (Attr::OrigPortSrc, &[1, 2]),
        (Attr::OrigPortDst, &[3, 4]),
        (Attr::ReplL3Proto, &[2]),
        (Attr::ReplIpv4Src, &[10, 9, 9, 9]),
        (Attr::ReplIpv4Dst, &[10, 0, 0, 1]),
        (Attr::ReplL4Proto, &[132]),
        (Attr::ReplPortSrc, &[9, 9]),
        (Attr::ReplPortDst, &[1, 2]),
        (Attr::Status, &8_u32.to_ne_bytes()),
        (Attr::Mark, &0x12_u32.to_ne_bytes()),
        (Attr::OrigZone, &7_u16.to_ne_bytes()),
    ];

    fn by_tuple(ct: &Conntrack) -> DumpFilter {
        let mut filter = DumpFilter::new();
        filter.set_object(ct).unwrap();
        filter
    }

    #[test]
    fn each_member_of_a_tuple_selects() {
        let entry = object(&ENTRY);
        for (attr, value) in ENTRY {
            let mut other = slot(value);
            other[1] ^= 1;
            if value.len() == 1 {
                other[0] ^= 8; // IPv6
            }
            let of_tuple = !matches!(attr, Attr::Status | Attr::Mark);
            let l3proto = (Attr::OrigL3Proto, &[2][..]);
            let mut wanted = object(&[l3proto, (attr, value)]);
            assert!(by_tuple(&wanted).accepts(&entry), "{attr:?}");
            wanted.set(attr, other);
            assert_eq!(by_tuple(&wanted).accepts(&entry), !of_tuple, "{attr:?}");
        }
        assert!(by_tuple(&entry).accepts(&entry));
        assert!(DumpFilter::new().accepts(&entry));
    }

    #[test]
    fn members_that_the_protocol_has_not_do_not_count() {
        let icmp: [(Attr, &[u8]); 6] = [
            (Attr::OrigL3Proto, &[10]),
            (Attr::OrigIpv6Src, &[1; 16]),
            (Attr::OrigL4Proto, &[58]),
            (Attr::IcmpType, &[128]),
            (Attr::IcmpCode, &[1]),
            (Attr::IcmpId, &[0, 9]),
        ];
        for attrs in [&ENTRY[..12], &icmp] {
            // As a program makes it that has the reply derived: all of both tuples is present.
            let mut all = object(attrs);
            all.set_option(crate::conntrack::object::nat::SETUP_REPLY).unwrap();
            let last = attrs.last().unwrap().0;
            let is_icmp = last == Attr::IcmpId;
            let mut entry = all.try_clone().unwrap();
            let foreign = if is_icmp { ["Ipv4", "Port"] } else { ["Ipv6", "Icmp"] };
            for attr in Attr::all() {
                let name = format!("{attr:?}");
                if foreign.iter().any(|part| name.contains(part)) {
                    entry.unset(attr);
                }
            }
            assert!(by_tuple(&all).accepts(&entry));
            all.set(if is_icmp { last } else { Attr::OrigPortDst }, [5; 16]);
            assert!(!by_tuple(&all).accepts(&entry));
        }
    }

    #[test]
    fn what_an_entry_lacks_is_zero() {
        let entry = object(&[(Attr::OrigL3Proto, &[2]), (Attr::OrigL4Proto, &[99])]);
        let with = |attr, value| {
            by_tuple(&object(&[
                (Attr::OrigL3Proto, &[2]),
                (Attr::OrigL4Proto, &[99]),
                (attr, &[value]),
            ]))
        };
        for attr in [Attr::OrigPortDst, Attr::ReplZone, Attr::ReplIpv4Src] {
            assert!(with(attr, 0).accepts(&entry) && !with(attr, 1).accepts(&entry), "{attr:?}");
        }
        let mut filter = DumpFilter::new();
        filter.set_mark(Masked { value: 0, mask: u32::MAX });
        filter.set_status(Masked { value: 0, mask: u32::MAX });
        filter.set_zone(0);
        assert!(filter.accepts(&entry));
    }

    #[test]
    fn masked_numbers() {
        let entry = object(&ENTRY);
        for (value, mask, selects) in [
            (0x12, u32::MAX, true),
            (2, 0xf, true),
            (0x12, 0xf, false),
            (0, 0, true),
            (3, 3, false),
        ] {
            let mut filter = DumpFilter::new();
            filter.set_mark(Masked { value, mask });
            assert_eq!(filter.accepts(&entry), selects, "{value:#x}/{mask:#x}");
        }
        for (value, mask, selects) in [(8, 8, true), (0, 6, true), (4, 4, false), (12, 8, false)] {
            let mut filter = DumpFilter::new();
            filter.set_status(Masked { value, mask });
            assert_eq!(filter.accepts(&entry), selects, "{value:#x}/{mask:#x}");
        }
    }

    #[test]
    fn zones_and_families() {
        for (attr, original, reply) in
            [(Attr::Zone, true, true), (Attr::OrigZone, true, false), (Attr::ReplZone, false, true)]
        {
            let entry = object(&[(Attr::OrigL3Proto, &[2]), (attr, &7_u16.to_ne_bytes())]);
            for zone in [0, 7] {
                let mut filter = DumpFilter::new();
                filter.set_zone(zone);
                assert_eq!(filter.accepts(&entry), zone == 7);
                for (direction, has) in [(Attr::OrigZone, original), (Attr::ReplZone, reply)] {
                    let l3proto = (Attr::OrigL3Proto, &[2][..]);
                    let wanted = object(&[l3proto, (direction, &zone.to_ne_bytes())]);
                    let selects = by_tuple(&wanted).accepts(&entry);
                    assert_eq!(selects, has == (zone == 7), "{attr:?}, {direction:?} {zone}");
                }
            }
        }
        for (family, selects) in [(0, true), (2, true), (10, false), (7, false)] {
            let mut filter = DumpFilter::new();
            filter.set_family(family);
            assert_eq!(filter.accepts(&object(&ENTRY)), selects, "{family}");
        }
    }

    #[test]
    fn what_the_kernel_decides() {
        let l3proto: [(Attr, &[u8]); 2] = [(Attr::OrigL3Proto, &[2]), (Attr::OrigL3Proto, &[10])];
        for (attrs, exact) in [
            (&[(Attr::OrigIpv4Src, &[1][..]), (Attr::ReplIpv4Dst, &[1])][..], [true, true]),
            (&[(Attr::OrigIpv6Src, &[1])], [true, false]),
            (&[(Attr::ReplL3Proto, &[10]), (Attr::ReplIpv6Dst, &[1])], [false, false]),
            (&[(Attr::OrigL4Proto, &[6]), (Attr::OrigPortSrc, &[1])], [true, true]),
            (&[(Attr::OrigL4Proto, &[132]), (Attr::OrigPortSrc, &[1])], [false, false]),
            (&[(Attr::ReplL4Proto, &[136]), (Attr::ReplPortSrc, &[1])], [false, false]),
            (&[(Attr::OrigL4Proto, &[47]), (Attr::IcmpId, &[1])], [true, true]),
            (&[(Attr::OrigL4Proto, &[1]), (Attr::IcmpId, &[1])], [true, true]),
            (&[(Attr::OrigZone, &[1])], [false, false]),
            (&[(Attr::ReplZone, &[1])], [false, false]),
            (&[(Attr::Zone, &[1])], [true, true]),
        ] {
            let of = l3proto.map(|l3proto| {
                let wanted = object(&[&[l3proto], attrs].concat());
                by_tuple(&wanted).is_exact()
            });
            assert_eq!(of, exact, "{attrs:?}");
        }
    }

    #[test]
    fn a_tuple_selects_by_nothing_but_the_tuple() {
        let mut ct = object(&ENTRY[..12]);
        let tuple = |attr: &Attr| format!("{attr:?}").starts_with("Orig");
        for attr in Attr::all().filter(|attr| !tuple(attr)) {
            ct.set(attr, [1; 16]);
        }
        ct.fill_u16(Attr::OrigZone, 3);
        let mut filter = DumpFilter::new();
        filter.set_tuple(&ct).unwrap();
        let left: Vec<_> = filter.tuple().unwrap().flat.present.iter().collect();
        assert_eq!(
            left,
            [
                Attr::OrigIpv4Src,
                Attr::OrigIpv4Dst,
                Attr::OrigPortSrc,
                Attr::OrigPortDst,
                Attr::IcmpType,
                Attr::IcmpCode,
                Attr::IcmpId,
                Attr::OrigL3Proto,
                Attr::OrigL4Proto,
                Attr::OrigZone,
            ]
        );
    }
}
