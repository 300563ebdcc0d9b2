//! What of a filter the kernel compares.
#![forbid(unsafe_code)]

use super::criteria::Term;
use super::dump::{DumpFilter, Masked};
use crate::conntrack::error::Error;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::status::REPLY_TUPLE;
use crate::conntrack::values::{Family, Protocol};
use std::net::IpAddr;

/// What the kernel can compare of criteria that all are to be met; `None` if no flow can meet them.
///
/// # Errors
/// [`Error::OutOfMemory`].
pub(crate) fn narrowing(terms: &[Term]) -> Result<Option<DumpFilter>, Error> {
    let Some(common) = Common::of(terms) else { return Ok(None) };
    let mut filter = DumpFilter::new();
    common.mark.into_iter().for_each(|mark| filter.set_mark(mark));
    common.zone.into_iter().for_each(|zone| filter.set_zone(zone));
    // The kernel refuses a status that asks for nothing.
    let status = common.status.filter(|status| status.mask != 0);
    status.into_iter().for_each(|status| filter.set_status(status));
    if let Some(family) = common.family {
        filter.set_family(family.number());
        if let Some(tuple) = tuple(terms, family, common.protocol) {
            filter.set_object(&tuple)?;
        }
    }
    Ok(Some(filter))
}

/// The criteria that a flow meets once at most.
#[derive(Debug, Default)]
pub(crate) struct Common {
    pub(crate) family: Option<Family>,
    pub(crate) protocol: Option<Protocol>,
    zone: Option<u16>,
    mark: Option<Masked>,
    status: Option<Masked>,
}

impl Common {
    /// Those of all terms; `None` if they contradict each other.
    pub(crate) fn of(terms: &[Term]) -> Option<Self> {
        let mut common = Self::default();
        terms.iter().try_for_each(|term| common.add(term))?;
        Some(common)
    }

    fn add(&mut self, term: &Term) -> Option<()> {
        match *term {
            Term::Family(family) => agree(&mut self.family, family),
            Term::Address(_, _, net) => agree(&mut self.family, family_of(net.address())),
            Term::Protocol(protocol) => agree(&mut self.protocol, protocol),
            Term::Zone(zone) => agree(&mut self.zone, zone),
            Term::Mark(mark) => {
                masked(&mut self.mark, Masked { value: mark.value(), mask: mark.mask() })
            }
            Term::Status { value, mask } => {
                masked(&mut self.status, Masked { value: value.bits(), mask: mask.bits() })
            }
            _ => Some(()),
        }
    }
}

/// Puts a value where there is none, or the same one.
fn agree<T: PartialEq>(to: &mut Option<T>, value: T) -> Option<()> {
    let same = to.as_ref().is_none_or(|held| *held == value);
    *to = Some(value);
    same.then_some(())
}

/// Adds the bits that count to others, unless the same bits are to be different.
fn masked(to: &mut Option<Masked>, Masked { value, mask }: Masked) -> Option<()> {
    let held = to.unwrap_or_default();
    *to = Some(Masked { value: held.value | value, mask: held.mask | mask });
    ((held.value ^ value) & held.mask & mask == 0).then_some(())
}

fn family_of(address: IpAddr) -> Family {
    if address.is_ipv4() { Family::Ipv4 } else { Family::Ipv6 }
}

/// The tuples that the kernel compares; `None` if it would compare nothing.
fn tuple(terms: &[Term], family: Family, protocol: Option<Protocol>) -> Option<Conntrack> {
    let mut ct = Conntrack::new();
    ct.fill_u8(Attr::OrigL3Proto, family.number());
    protocol.into_iter().for_each(|of| ct.fill_u8(Attr::OrigL4Proto, of.number()));
    terms.iter().for_each(|term| term.fill(&mut ct, protocol));
    if ct.flat.present.has_any(REPLY_TUPLE) {
        ct.fill_u8(Attr::ReplL3Proto, family.number());
        protocol.into_iter().for_each(|of| ct.fill_u8(Attr::ReplL4Proto, of.number()));
    }
    (ct.flat.present != Presence::of(&[Attr::OrigL3Proto])).then_some(ct)
}
