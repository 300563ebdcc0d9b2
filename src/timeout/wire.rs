//! Timeout policies in messages.
#![forbid(unsafe_code)]

use super::object::{Attr, Timeout};
use super::states::{self, Row};
use crate::netlink::builder::Builder;
use crate::netlink::message::Attributes;
use crate::netlink::number::{be16, be32};
use crate::uapi::timeout as cta;

/// Which states go into a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Known {
    /// Those that libnetfilter_cttimeout knows.
    Original,
    /// All that the kernel knows.
    All,
}

impl Known {
    fn states(self, row: &Row) -> usize {
        match self {
            Self::Original => row.original,
            Self::All => row.states.len(),
        }
    }
}

/// Appends what is set of a policy to a message.
pub fn build(to: &mut Builder<'_>, policy: &Timeout, known: Known) {
    if policy.has(Attr::Name) {
        to.put_text(cta::NAME, policy.name());
    }
    if policy.has(Attr::L3Proto) {
        to.put_be16(cta::L3PROTO, policy.l3proto());
    }
    if policy.has(Attr::L4Proto) {
        to.put_u8(cta::L4PROTO, policy.l4proto());
    }
    let states = states::of(policy.l4proto()).map_or(0, |row| known.states(row));
    let has_data = match known {
        Known::Original => policy.has(Attr::Policy) && policy.is_given_any(),
        // The kernel wants it, empty or not.
        Known::All => true,
    };
    if has_data {
        let nest = to.begin(cta::DATA);
        for (state, number) in (0..states).zip(1..) {
            if let Some(seconds) = policy.given(state) {
                to.put_be32(number, seconds);
            }
        }
        to.end(nest);
    }
}

/// What a message has, as it lies there; the last counts of what comes twice.
#[derive(Default)]
struct Told<'a> {
    name: Option<&'a [u8]>,
    l3proto: Option<u16>,
    l4proto: Option<u8>,
    data: Option<&'a [u8]>,
    uses: Option<u32>,
}

impl<'a> Told<'a> {
    /// Attributes of another length than theirs are passed over.
    fn read(attributes: &'a [u8]) -> Self {
        let mut told = Self::default();
        for attribute in Attributes::new(attributes) {
            let value = attribute.value;
            match (attribute.kind, value.len()) {
                (cta::NAME, 1..) => told.name = Some(value),
                (cta::L3PROTO, 2) => told.l3proto = be16(value),
                (cta::L4PROTO, 1) => told.l4proto = value.first().copied(),
                (cta::DATA, 0 | 4..) => told.data = Some(value),
                (cta::USE, 4) => told.uses = be32(value),
                _ => {}
            }
        }
        told
    }
}

/// Adds what the attributes of a message say to a policy. Timeouts are of the protocol that the
/// message or the policy has, in whatever order they come; those of no protocol are dropped.
///
/// Returns how many rules and others use the policy, as the kernel counts: 1 is nobody.
pub fn parse(policy: &mut Timeout, attributes: &[u8]) -> Option<u32> {
    let told = Told::read(attributes);
    if let Some(name) = told.name {
        policy.set_name(name);
    }
    if let Some(l3proto) = told.l3proto {
        policy.set_l3proto(l3proto);
    }
    if let Some(l4proto) = told.l4proto {
        policy.set_l4proto(l4proto);
    }
    if policy.has(Attr::L4Proto) {
        for member in Attributes::new(told.data.unwrap_or_default()) {
            let state = usize::from(member.kind).checked_sub(1);
            if let (Some(state), Some(seconds)) = (state, be32(member.value)) {
                // Another kernel's state is passed over.
                let _ = policy.set(state, seconds);
            }
        }
    }
    told.uses
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let mut bytes = [(value.len() as u16 + 4).to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    #[test]
    fn an_attribute_of_a_wrong_length_hides_none_behind_it() {
        let data = [attribute(1, &[0; 2]), attribute(2, &7_u32.to_be_bytes())].concat();
        let bytes = [
            attribute(cta::NAME, b""),
            attribute(cta::L3PROTO, &[2]),
            attribute(cta::L4PROTO, &[17]),
            attribute(cta::L4PROTO, &[6, 6]),
            attribute(cta::USE, &[1]),
            attribute(cta::DATA, &data),
        ]
        .concat();
        let mut policy = Timeout::default();
        assert_eq!(parse(&mut policy, &bytes), None);
        assert!(!policy.has(Attr::Name) && !policy.has(Attr::L3Proto));
        assert_eq!((policy.l4proto(), policy.given(0), policy.given(1)), (17, None, Some(7)));
    }

    #[test]
    fn heartbeats_of_sctp_alone_are_no_policy_to_the_original() {
        let data = attribute(9, &30_u32.to_be_bytes());
        let bytes = [attribute(cta::L4PROTO, &[132]), attribute(cta::DATA, &data)].concat();
        let mut policy = Timeout::default();
        parse(&mut policy, &bytes);
        assert!(!policy.has(Attr::Policy) && policy.given(8) == Some(30));
        let built = [Known::Original, Known::All].map(|known| {
            let mut buffer = [0; 64];
            let mut to = Builder::new(&mut buffer, 0);
            build(&mut to, &policy, known);
            to.len()
        });
        assert_eq!(built, [8, 8 + 4 + 8]);
    }

    #[test]
    fn heartbeats_of_sctp_are_kept_and_sent_where_they_are_known() {
        let members: Vec<u8> = (1..=10_u16)
            .flat_map(|number| attribute(number, &u32::from(number).to_be_bytes()))
            .collect();
        let bytes = [attribute(cta::L4PROTO, &[132]), attribute(cta::DATA, &members)].concat();
        let mut policy = Timeout::default();
        parse(&mut policy, &bytes);
        assert_eq!(
            [6, 7, 8, 9].map(|state| policy.given(state)),
            [Some(7), Some(8), Some(9), None]
        );
        for (known, members) in [(Known::Original, 7), (Known::All, 9)] {
            let mut buffer = [0; 256];
            let mut to = Builder::new(&mut buffer, 0);
            build(&mut to, &policy, known);
            assert_eq!(to.len(), 8 + 4 + 8 * members);
        }
    }

    #[test]
    fn a_name_without_an_end_is_its_attribute_and_no_more() {
        let mut policy = Timeout::default();
        parse(&mut policy, &attribute(cta::NAME, b"abc"));
        assert_eq!(policy.name(), b"abc");
    }
}
