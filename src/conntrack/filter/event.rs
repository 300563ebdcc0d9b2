//! Filters for the events of a socket: criteria that become a classic BPF program.
//!
//! The program looks at the first message of a datagram. What is not of conntrack, such as
//! acknowledgements and expectation events, passes. A conntrack message must pass the check of every
//! attribute that has entries; entries of one attribute are alternatives:
//!
//! | logic    | an entry matches | none matches | the message lacks the field |
//! |----------|------------------|--------------|-----------------------------|
//! | positive | pass             | drop         | pass                        |
//! | negative | drop             | pass         | pass                        |
//!
//! A message without mark or zone counts as one with mark or zone 0. Addresses and protocol are
//! those of the original direction; the zone is that of both directions or of the one that has one.
#![forbid(unsafe_code)]

pub use super::field::FilterAttr;
use super::field::{
    Absent, DST_IPV4, DST_IPV6, Field, MARK, Masked, PROTOCOL, SRC_IPV4, SRC_IPV6, STATE_FIELDS,
    ZONE,
};
use crate::conntrack::error::Error;
use crate::conntrack::heap::List;
use crate::netlink;
use crate::netlink::bpf::{Instruction, Place, Program, Width};

/// The offset of the high byte of `nlmsg_type`, which is in host order.
const SUBSYSTEM_OFFSET: u32 = if cfg!(target_endian = "little") { 5 } else { 4 };
/// What that byte is in messages about conntrack entries.
const NFNL_SUBSYS_CTNETLINK: u32 = 1;

/// One more than the highest protocol number: `IPPROTO_MAX`, which counts `IPPROTO_MPTCP`.
const PROTOCOLS: usize = 263;
/// The number of states a protocol can have.
const STATES: u16 = 16;

/// The criteria of a filter; all zero bytes are a filter that accepts everything.
#[repr(C)]
#[derive(Debug)]
pub struct EventFilter {
    /// By number of the attribute.
    negative: [bool; 8],
    protocols: [bool; PROTOCOLS],
    /// An entry found no memory.
    incomplete: bool,
    /// A set of states per row of [`STATE_FIELDS`].
    states: [u16; 3],
    src_ipv4: List<[Masked; 1]>,
    dst_ipv4: List<[Masked; 1]>,
    src_ipv6: List<[Masked; 4]>,
    dst_ipv6: List<[Masked; 4]>,
    marks: List<[Masked; 1]>,
    zones: List<[Masked; 1]>,
}

impl Default for EventFilter {
    fn default() -> Self {
        Self::new()
    }
}

impl EventFilter {
    /// A filter that accepts everything.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            negative: [false; 8],
            protocols: [false; PROTOCOLS],
            incomplete: false,
            states: [0; 3],
            src_ipv4: List::EMPTY,
            dst_ipv4: List::EMPTY,
            src_ipv6: List::EMPTY,
            dst_ipv6: List::EMPTY,
            marks: List::EMPTY,
            zones: List::EMPTY,
        }
    }

    /// Adds a protocol number. Numbers above 262 are ignored.
    pub fn add_protocol(&mut self, protocol: u32) {
        if let Some(wanted) = self.protocols.get_mut(protocol as usize) {
            *wanted = true;
        }
    }

    /// Adds a state of TCP, DCCP or SCTP. Other protocols and states above 15 are ignored.
    pub fn add_state(&mut self, protocol: u16, state: u16) {
        for (field, states) in STATE_FIELDS.iter().zip(&mut self.states) {
            if field.protocol == protocol && state < STATES {
                *states |= 1 << state;
            }
        }
    }

    /// Adds an IPv4 network, address and mask in host order. Ignored for an attribute that is no
    /// IPv4 address.
    pub fn add_ipv4(&mut self, attr: FilterAttr, addr: u32, mask: u32) {
        let list = match attr {
            FilterAttr::SrcIpv4 => &mut self.src_ipv4,
            FilterAttr::DstIpv4 => &mut self.dst_ipv4,
            _ => return,
        };
        self.incomplete |= list.push([Masked { value: addr, mask }]).is_err();
    }

    /// Adds an IPv6 network: words in network order, each in host order. Ignored for an attribute
    /// that is no IPv6 address.
    pub fn add_ipv6(&mut self, attr: FilterAttr, addr: [u32; 4], mask: [u32; 4]) {
        let list = match attr {
            FilterAttr::SrcIpv6 => &mut self.src_ipv6,
            FilterAttr::DstIpv6 => &mut self.dst_ipv6,
            _ => return,
        };
        let mut entry = [Masked::EMPTY; 4];
        for (word, (value, mask)) in entry.iter_mut().zip(addr.into_iter().zip(mask)) {
            *word = Masked { value, mask };
        }
        self.incomplete |= list.push(entry).is_err();
    }

    /// Adds a mark under a mask, both in host order.
    pub fn add_mark(&mut self, value: u32, mask: u32) {
        self.incomplete |= self.marks.push([Masked { value, mask }]).is_err();
    }

    /// Adds a zone, of both directions or of one.
    pub fn add_zone(&mut self, zone: u16) {
        self.incomplete |= self.zones.push([Masked::exactly(zone)]).is_err();
    }

    /// Adds a value as it lies in memory, of [`FilterAttr::value_size`] bytes: addresses, marks and
    /// states with what follows them, numbers in host order.
    #[cfg(feature = "capi")]
    pub(crate) fn add(&mut self, attr: FilterAttr, value: &[u8]) {
        let half = |at: usize| {
            let bytes = value.get(2 * at..).and_then(<[u8]>::first_chunk);
            u16::from_ne_bytes(bytes.copied().unwrap_or_default())
        };
        let word = |at: usize| {
            let bytes = value.get(4 * at..).and_then(<[u8]>::first_chunk);
            u32::from_ne_bytes(bytes.copied().unwrap_or_default())
        };
        match attr {
            FilterAttr::L4Proto => self.add_protocol(word(0)),
            FilterAttr::L4ProtoState => self.add_state(half(0), half(1)),
            FilterAttr::SrcIpv4 | FilterAttr::DstIpv4 => self.add_ipv4(attr, word(0), word(1)),
            FilterAttr::SrcIpv6 | FilterAttr::DstIpv6 => {
                let four = |from: usize| std::array::from_fn(|at| word(from + at));
                self.add_ipv6(attr, four(0), four(4));
            }
            FilterAttr::Mark => self.add_mark(word(0), word(1)),
            FilterAttr::Zone => self.add_zone(half(0)),
        }
    }

    /// Adds a number to an attribute that takes one: a protocol, a zone (the low half), or a
    /// protocol (the first half in memory) and its state (the other). Others are ignored.
    #[cfg(feature = "capi")]
    pub(crate) fn add_number(&mut self, attr: FilterAttr, value: u32) {
        match attr {
            FilterAttr::L4Proto => self.add_protocol(value),
            FilterAttr::L4ProtoState => {
                let [a, b, c, d] = value.to_ne_bytes();
                self.add_state(u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d]));
            }
            FilterAttr::Zone => self.add_zone(value as u16),
            _ => {}
        }
    }

    /// Sets the logic of an attribute: 0 is positive, 1 is negative. It can be set before or after
    /// entries are added.
    ///
    /// # Errors
    /// [`Error::LogicAlreadySet`] if it is negative already; [`Error::UnknownLogic`] if `logic` is
    /// neither 0 nor 1. The filter stays as it was.
    pub fn set_logic(&mut self, attr: FilterAttr, logic: u32) -> Result<(), Error> {
        let negative = self.negative.get_mut(attr as usize).ok_or(Error::UnknownFilter(logic))?;
        if *negative {
            return Err(Error::LogicAlreadySet);
        }
        *negative = match logic {
            0 => false,
            1 => true,
            _ => return Err(Error::UnknownLogic(logic)),
        };
        Ok(())
    }

    /// The program for `SO_ATTACH_FILTER`.
    ///
    /// # Errors
    /// [`netlink::Error::ProgramTooLong`]: the kernel takes no program of that length.
    /// [`netlink::Error::OutOfMemory`], also when there was none for an entry.
    pub fn program(&self) -> Result<Vec<Instruction>, netlink::Error> {
        if self.incomplete {
            return Err(netlink::Error::OutOfMemory);
        }
        let mut program = Program::default();
        program.load_at(Width::Byte, SUBSYSTEM_OFFSET)?;
        program.jump_unless(NFNL_SUBSYS_CTNETLINK, Place::Accept)?;
        self.checks(&mut program)?;
        program.here(Place::Accept)?;
        program.accept()?;
        program.here(Place::Drop)?;
        program.drop()?;
        program.assemble()
    }

    fn checks(&self, program: &mut Program) -> Result<(), netlink::Error> {
        self.check(program, &PROTOCOL, self.protocols())?;
        self.check(program, &SRC_IPV4, self.src_ipv4.get().iter().copied())?;
        self.check(program, &DST_IPV4, self.dst_ipv4.get().iter().copied())?;
        self.check(program, &SRC_IPV6, self.src_ipv6.get().iter().copied())?;
        self.check(program, &DST_IPV6, self.dst_ipv6.get().iter().copied())?;
        for (state, states) in STATE_FIELDS.iter().zip(self.states) {
            self.check(program, &state.field, members(states))?;
        }
        self.check(program, &MARK, self.marks.get().iter().copied())?;
        self.check(program, &ZONE, self.zones.get().iter().copied())
    }

    /// Goes to the next check if the field passes this one.
    fn check<const WORDS: usize>(
        &self,
        program: &mut Program,
        field: &Field,
        entries: impl Iterator<Item = [Masked; WORDS]> + Clone,
    ) -> Result<(), netlink::Error> {
        if entries.clone().next().is_none() {
            return Ok(());
        }
        let negative = self.negative.get(field.attr as usize).copied().unwrap_or(false);
        let (on_match, on_mismatch) = match negative {
            false => (Place::NextCheck, Place::Drop),
            true => (Place::Drop, Place::NextCheck),
        };
        let zero_matches = || entries.clone().any(|entry| entry.iter().all(|w| w.wanted() == 0));
        let if_absent = match field.absent {
            Absent::Passes => Place::NextCheck,
            Absent::IsZero if zero_matches() => on_match,
            Absent::IsZero => on_mismatch,
        };
        field.find(program, if_absent)?;
        field.compare(program, entries, on_match)?;
        if !negative {
            program.drop()?;
        }
        program.here(Place::NextCheck)
    }

    fn protocols(&self) -> impl Iterator<Item = [Masked; 1]> + Clone {
        let wanted = (0u32..).zip(&self.protocols).filter(|(_, wanted)| **wanted);
        wanted.map(|(protocol, _)| [Masked::exactly(protocol)])
    }
}

/// The members of a set of states.
fn members(set: u16) -> impl Iterator<Item = [Masked; 1]> + Clone {
    (0..STATES).filter(move |state| set & 1 << state != 0).map(|state| [Masked::exactly(state)])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::netlink;
    use crate::netlink::bpf::BPF_MAXINSNS;

    fn length(build: impl FnOnce(&mut EventFilter)) -> usize {
        let mut filter = EventFilter::new();
        build(&mut filter);
        filter.program().unwrap().len()
    }

    #[test]
    fn the_subsystem_is_the_high_byte_of_a_type() {
        let kind = 0x0100_u16.to_ne_bytes();
        assert_eq!(kind[SUBSYSTEM_OFFSET as usize - 4], 1);
    }

    #[test]
    #[cfg(feature = "capi")]
    fn a_state_as_a_number_lies_as_in_memory() {
        let [[a, b], [c, d]] = [6_u16, 3].map(u16::to_ne_bytes);
        let (mut number, mut wanted) = (EventFilter::new(), EventFilter::new());
        number.add_number(FilterAttr::L4ProtoState, u32::from_ne_bytes([a, b, c, d]));
        wanted.add_state(6, 3);
        assert_eq!(number.program(), wanted.program());
    }

    #[test]
    fn attribute_numbers_are_their_index() {
        for (number, attr) in (0..).zip(FilterAttr::ALL) {
            assert_eq!(FilterAttr::try_from(number).unwrap(), attr);
            assert_eq!(attr as u32, number);
        }
        assert_eq!(FilterAttr::try_from(8), Err(Error::UnknownFilter(8)));
    }

    #[test]
    fn what_cannot_match_is_ignored() {
        let empty = length(|_| ());
        assert_eq!(empty, 4);
        assert_eq!(length(|f| f.add_protocol(263)), empty);
        assert_eq!(length(|f| f.add_protocol(u32::MAX)), empty);
        assert_eq!(length(|f| f.add_state(6, 16)), empty);
        assert_eq!(length(|f| f.add_state(6, u16::MAX)), empty);
        assert_eq!(length(|f| f.add_state(17, 1)), empty);
        assert_eq!(length(|f| f.add_state(u16::MAX, 1)), empty);
        assert_eq!(length(|f| f.add_ipv4(FilterAttr::SrcIpv6, 1, 1)), empty);
        assert_eq!(length(|f| f.add_ipv6(FilterAttr::Mark, [1; 4], [1; 4])), empty);
    }

    #[test]
    #[cfg(feature = "capi")]
    fn values_are_read_as_they_lie_in_memory() {
        let words = |words: &[u32]| -> Vec<u8> {
            words.iter().flat_map(|word| word.to_ne_bytes()).collect()
        };
        let halves = |halves: [u16; 2]| halves.map(u16::to_ne_bytes).as_flattened().to_vec();
        let (four, masks) = ([1, 2, 3, 4], [5, 6, 7, 8]);
        type Add = Box<dyn Fn(&mut EventFilter)>;
        let same: [(FilterAttr, Vec<u8>, Add); 6] = [
            (FilterAttr::L4Proto, words(&[17]), Box::new(|f| f.add_protocol(17))),
            (FilterAttr::L4ProtoState, halves([6, 3]), Box::new(|f| f.add_state(6, 3))),
            (
                FilterAttr::DstIpv4,
                words(&[9, 0xff]),
                Box::new(|f| f.add_ipv4(FilterAttr::DstIpv4, 9, 0xff)),
            ),
            (
                FilterAttr::SrcIpv6,
                words(&[1, 2, 3, 4, 5, 6, 7, 8]),
                Box::new(move |f| f.add_ipv6(FilterAttr::SrcIpv6, four, masks)),
            ),
            (FilterAttr::Mark, words(&[7, 0xf]), Box::new(|f| f.add_mark(7, 0xf))),
            (FilterAttr::Zone, 9_u16.to_ne_bytes().to_vec(), Box::new(|f| f.add_zone(9))),
        ];
        for (attr, value, add) in same {
            assert_eq!(value.len(), attr.value_size());
            let (mut read, mut wanted) = (EventFilter::new(), EventFilter::new());
            read.add(attr, &value);
            add(&mut wanted);
            assert_eq!(read.program(), wanted.program(), "{attr:?}");
            assert_ne!(read.program(), EventFilter::new().program(), "{attr:?}");
        }
    }

    #[test]
    fn lists_take_what_a_program_has_room_for() {
        let filter = |n| {
            let mut filter = EventFilter::new();
            (0..n).for_each(|mark| filter.add_mark(mark, u32::MAX));
            filter.program().map(|program| program.len())
        };
        assert_eq!(filter(128).unwrap(), filter(1).unwrap() + 127);
        let most = (1..5000).find(|n| filter(n + 1).is_err()).unwrap();
        assert!((4000..=BPF_MAXINSNS).contains(&filter(most).unwrap()));
        assert_eq!(filter(most + 1), Err(netlink::Error::ProgramTooLong(BPF_MAXINSNS + 1)));
        let protocols = |n| length(|f| (0..n).for_each(|n| f.add_protocol(n % 256)));
        assert!(protocols(255) < protocols(256));
        assert_eq!(protocols(256), protocols(1000), "a protocol counts once");
    }

    #[test]
    fn an_entry_that_found_no_memory_is_not_forgotten() {
        let filter = EventFilter { incomplete: true, ..EventFilter::new() };
        assert_eq!(filter.program(), Err(netlink::Error::OutOfMemory));
    }

    #[test]
    fn negative_logic_stays() {
        let mut filter = EventFilter::new();
        assert_eq!(filter.set_logic(FilterAttr::Mark, 0), Ok(()));
        assert_eq!(filter.set_logic(FilterAttr::Mark, 2), Err(Error::UnknownLogic(2)));
        assert_eq!(filter.set_logic(FilterAttr::Mark, 1), Ok(()));
        for logic in [0, 1, 2] {
            assert_eq!(filter.set_logic(FilterAttr::Mark, logic), Err(Error::LogicAlreadySet));
        }
        assert_eq!(filter.set_logic(FilterAttr::Zone, 1), Ok(()));
    }

    #[test]
    fn plain_values_cost_one_instruction_and_networks_up_to_three() {
        let nets = |masks: &[u32]| {
            length(|f| masks.iter().for_each(|mask| f.add_ipv4(FilterAttr::SrcIpv4, 1, *mask)))
        };
        let one = nets(&[u32::MAX]);
        assert_eq!(nets(&[u32::MAX; 2]), one + 1);
        assert_eq!(nets(&[0xff00, u32::MAX]), one + 3);
        assert_eq!(nets(&[0xff00, 0xff00]), one + 2);
        assert_eq!(nets(&[0, 0xff00]), nets(&[0]), "nothing after an entry that always matches");
    }
}
