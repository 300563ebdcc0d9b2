//! What selects the entries of a dump or a flush inside the kernel.
#![forbid(unsafe_code)]

use crate::ct::conntrack::Conntrack;
use crate::ct::copy;
use crate::ct::flow::ORIGINAL_TUPLE;
use crate::error::Error;

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

/// Selects entries inside the kernel. Criteria are ANDed; none selects all. All zero bytes is an
/// empty filter.
///
/// A kernel ignores criteria that it does not know: status needs Linux 5.15, zone 6.8, the
/// tuple 5.8. An ignored criterion makes a dump answer more, and a **flush delete more**.
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ct::attr::Attr;

    #[test]
    fn a_tuple_selects_by_nothing_but_the_tuple() {
        let (src, dst) = ("10.0.0.1:1".parse().unwrap(), "10.0.0.2:2".parse().unwrap());
        let mut ct = Conntrack::flow(6, src, dst).unwrap();
        let tuple = |attr: &Attr| format!("{attr:?}").starts_with("Orig");
        for attr in Attr::all().filter(|attr| !tuple(attr)) {
            ct.set(attr, [1; 16]);
        }
        ct.set_u16(Attr::OrigZone, 3).unwrap();
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
