//! Attributes that are set, read and tested together.
#![forbid(unsafe_code)]

use super::attr::{Attr, Presence, Storage};
use super::entry::{Conntrack, Slot};
use crate::conntrack::error::Error;

/// Bytes of the longest group.
pub const MAX: usize = 32;

/// A group of attributes, numbered as `enum nf_conntrack_attr_grp` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Group {
    /// Source and destination of the original direction, IPv4; 4 bytes each, network order.
    OrigIpv4 = 0,
    /// Source and destination of the reply direction, IPv4; 4 bytes each, network order.
    ReplIpv4 = 1,
    /// Source and destination of the original direction, IPv6; 16 bytes each, network order.
    OrigIpv6 = 2,
    /// Source and destination of the reply direction, IPv6; 16 bytes each, network order.
    ReplIpv6 = 3,
    /// Source and destination port of the original direction; 2 bytes each, network order.
    OrigPort = 4,
    /// Source and destination port of the reply direction; 2 bytes each, network order.
    ReplPort = 5,
    /// ICMP id, 2 bytes in network order, code and type.
    Icmp = 6,
    /// Source and destination of the master, IPv4; 4 bytes each, network order.
    MasterIpv4 = 7,
    /// Source and destination of the master, IPv6; 16 bytes each, network order.
    MasterIpv6 = 8,
    /// Source and destination port of the master; 2 bytes each, network order.
    MasterPort = 9,
    /// Packets and bytes of the original direction; 8 bytes each, host order.
    OrigCounters = 10,
    /// Packets and bytes of the reply direction; 8 bytes each, host order.
    ReplCounters = 11,
    /// Source address of the original direction, of either family; 16 bytes.
    OrigAddrSrc = 12,
    /// Destination address of the original direction, of either family; 16 bytes.
    OrigAddrDst = 13,
    /// Source address of the reply direction, of either family; 16 bytes.
    ReplAddrSrc = 14,
    /// Destination address of the reply direction, of either family; 16 bytes.
    ReplAddrDst = 15,
}

/// What setting a group writes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Write {
    /// Nothing: its members are only marked present.
    Nothing,
    /// The members that are its data.
    Data,
    /// Its data, and this layer 3 protocol into the attribute.
    DataAnd(Attr, u8),
}

/// A row of the table of groups.
struct Row {
    group: Group,
    /// What setting marks present and unsetting marks absent.
    members: Presence,
    /// Whether one member is enough for the group to be there.
    any: bool,
    /// The attributes whose slots, one behind the other, are the group's data.
    data: &'static [Attr],
    write: Write,
}

const IPV4: u8 = libc::AF_INET as u8;
const IPV6: u8 = libc::AF_INET6 as u8;

/// Addresses of one family, or ports: the data and the protocol that they are of.
const fn pair(group: Group, data: &'static [Attr; 2], proto: Attr, write: Write) -> Row {
    let [first, second] = *data;
    Row { group, members: Presence::of(&[first, second, proto]), any: false, data, write }
}

/// What the kernel alone fills.
const fn counters(group: Group, data: &'static [Attr; 2]) -> Row {
    Row { group, members: Presence::of(data), any: false, data, write: Write::Nothing }
}

/// An address whose slot is `data`, 16 bytes of either family.
const fn address(group: Group, ipv4: Attr, data: &'static [Attr; 1]) -> Row {
    let [ipv6] = *data;
    Row { group, members: Presence::of(&[ipv4, ipv6]), any: true, data, write: Write::Nothing }
}

const TABLE: [Row; 16] = {
    use Attr::*;
    use Write::{Data, DataAnd};
    const ICMP: &[Attr] = &[IcmpId, IcmpCode, IcmpType];
    let (orig, repl, master) = (OrigL3Proto, ReplL3Proto, MasterL3Proto);
    [
        pair(Group::OrigIpv4, &[OrigIpv4Src, OrigIpv4Dst], orig, DataAnd(orig, IPV4)),
        pair(Group::ReplIpv4, &[ReplIpv4Src, ReplIpv4Dst], repl, DataAnd(repl, IPV4)),
        pair(Group::OrigIpv6, &[OrigIpv6Src, OrigIpv6Dst], orig, DataAnd(orig, IPV6)),
        pair(Group::ReplIpv6, &[ReplIpv6Src, ReplIpv6Dst], repl, DataAnd(repl, IPV6)),
        pair(Group::OrigPort, &[OrigPortSrc, OrigPortDst], OrigL4Proto, Data),
        pair(Group::ReplPort, &[ReplPortSrc, ReplPortDst], ReplL4Proto, Data),
        Row {
            group: Group::Icmp,
            members: Presence::of(ICMP),
            any: false,
            data: ICMP,
            write: Data,
        },
        pair(Group::MasterIpv4, &[MasterIpv4Src, MasterIpv4Dst], master, DataAnd(master, IPV4)),
        pair(Group::MasterIpv6, &[MasterIpv6Src, MasterIpv6Dst], master, DataAnd(master, IPV6)),
        pair(Group::MasterPort, &[MasterPortSrc, MasterPortDst], MasterL4Proto, Data),
        counters(Group::OrigCounters, &[OrigCounterPackets, OrigCounterBytes]),
        counters(Group::ReplCounters, &[ReplCounterPackets, ReplCounterBytes]),
        address(Group::OrigAddrSrc, OrigIpv4Src, &[OrigIpv6Src]),
        address(Group::OrigAddrDst, OrigIpv4Dst, &[OrigIpv6Dst]),
        address(Group::ReplAddrSrc, ReplIpv4Src, &[ReplIpv6Src]),
        address(Group::ReplAddrDst, ReplIpv4Dst, &[ReplIpv6Dst]),
    ]
};

static ROWS: [Row; 16] = TABLE;

// Each row stands at its group's number, which `Group::row` counts on.
#[allow(clippy::indexing_slicing, reason = "checked at compile time")]
const _: () = {
    let mut at = 0;
    while at < TABLE.len() {
        assert!(TABLE[at].group as usize == at);
        at += 1;
    }
};

impl TryFrom<u32> for Group {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        ROWS.get(number as usize).map(|row| row.group).ok_or(Error::UnknownGroup(number))
    }
}

impl Group {
    #[allow(clippy::indexing_slicing, reason = "a Group is below 16, as asserted above")]
    fn row(self) -> &'static Row {
        &ROWS[self as usize]
    }

    /// Bytes of the group's data.
    #[must_use]
    pub fn size(self) -> usize {
        self.row().data.iter().map(|attr| width(*attr)).sum()
    }

    /// Whether setting the group reads its data; otherwise it only marks its members present.
    #[must_use]
    pub fn needs_data(self) -> bool {
        self.row().write != Write::Nothing
    }
}

/// Bytes of a member's slot.
fn width(attr: Attr) -> usize {
    match attr.row().storage {
        Storage::Plain(width) | Storage::Icmp(width) | Storage::FromKernel(width) => width.into(),
        _ => 0,
    }
}

impl Conntrack {
    /// Sets all members of a group from its data, [`Group::size`] bytes laid out as in memory.
    /// Shorter data is ignored, and so is data for a group that does not need it.
    pub fn set_group(&mut self, group: Group, data: &[u8]) {
        let row = group.row();
        if group.needs_data() {
            if data.len() < group.size() {
                return;
            }
            let mut rest = data;
            for attr in row.data {
                let (head, tail) = rest.split_at_checked(width(*attr)).unwrap_or_default();
                let mut slot = Slot::default();
                slot.iter_mut().zip(head).for_each(|(to, from)| *to = *from);
                self.set(*attr, slot);
                rest = tail;
            }
        }
        if let Write::DataAnd(attr, family) = row.write {
            self.set(attr, u128::from(family).to_le_bytes());
        }
        self.flat.present.insert(row.members);
    }

    /// Reads a group into `out` and tells how many bytes of it are the group's data. An IPv4
    /// address read as an address of either family is followed by what its slot holds behind it.
    ///
    /// # Errors
    /// [`Error::NotSet`] if the object lacks the group; `out` is unchanged.
    pub fn get_group(&self, group: Group, out: &mut [u8; MAX]) -> Result<usize, Error> {
        if !self.has_group(group) {
            return Err(Error::NotSet);
        }
        let mut used = 0;
        for attr in group.row().data {
            let slot = self.flat.bytes().iter().skip(attr.row().offset.into()).take(width(*attr));
            out.iter_mut().skip(used).zip(slot).for_each(|(to, from)| *to = *from);
            used += width(*attr);
        }
        Ok(used)
    }

    /// Whether all members of a group are present; of an address of either family, any.
    #[must_use]
    pub fn has_group(&self, group: Group) -> bool {
        let row = group.row();
        if row.any {
            self.flat.present.has_any(row.members)
        } else {
            self.flat.present.has_all(row.members)
        }
    }

    /// Marks all members of a group absent. Their values stay in place, unseen.
    pub fn unset_group(&mut self, group: Group) {
        self.flat.present.remove(group.row().members);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> impl Iterator<Item = Group> {
        (0..16).map(|number| Group::try_from(number).unwrap())
    }

    fn present(ct: &Conntrack) -> Vec<u32> {
        ct.flat.present.iter().map(|attr| attr as u32).collect()
    }

    #[test]
    fn numbers_and_sizes() {
        let sizes: Vec<usize> = all().map(Group::size).collect();
        assert_eq!(sizes, [8, 8, 32, 32, 4, 4, 4, 8, 32, 4, 16, 16, 16, 16, 16, 16]);
        assert!(all().all(|group| group.needs_data() == ((group as u32) < 10)));
        assert_eq!(Group::try_from(16), Err(Error::UnknownGroup(16)));
    }

    #[test]
    fn what_is_set_is_read_back() {
        let data: Vec<u8> = (1..=32).collect();
        for group in all() {
            let mut ct = Conntrack::new();
            let mut out = [0xee; MAX];
            assert_eq!(ct.get_group(group, &mut out), Err(Error::NotSet));
            assert_eq!(out, [0xee; MAX]);
            ct.set_group(group, &data);
            assert!(ct.has_group(group));
            let size = ct.get_group(group, &mut out).unwrap();
            assert_eq!(size, group.size());
            let zero = [0; MAX];
            let want = if group.needs_data() { &data } else { &zero[..] };
            assert_eq!(out[..size], want[..size], "{group:?}");
            assert!(out[size..].iter().all(|byte| *byte == 0xee));
            ct.unset_group(group);
            assert_eq!(present(&ct), []);
        }
    }

    #[test]
    fn members_and_families() {
        let row = |group: Group| {
            let mut ct = Conntrack::new();
            ct.set_group(group, &[7; 32]);
            let flat = &ct.flat;
            (present(&ct), [flat.orig.l3proto, flat.reply.l3proto, flat.master.l3proto])
        };
        let families = |group| row(group).1;
        assert_eq!(row(Group::OrigIpv4), (vec![0, 1, 15], [2, 0, 0]));
        assert_eq!(row(Group::ReplIpv6), (vec![6, 7, 16], [0, 10, 0]));
        assert_eq!(row(Group::MasterIpv4), (vec![37, 38, 43], [0, 0, 2]));
        assert_eq!((families(Group::ReplIpv4), families(Group::OrigIpv6)), ([0, 2, 0], [10, 0, 0]));
        assert_eq!(row(Group::MasterIpv6), (vec![39, 40, 43], [0, 0, 10]));
        assert_eq!(row(Group::OrigPort).0, [8, 9, 17]);
        assert_eq!(row(Group::ReplPort).0, [10, 11, 18]);
        assert_eq!(row(Group::MasterPort).0, [41, 42, 44]);
        assert_eq!(row(Group::OrigCounters).0, [26, 28]);
        assert_eq!(row(Group::ReplCounters).0, [27, 29]);
        assert_eq!(row(Group::OrigAddrDst).0, [1, 5]);
        assert_eq!(row(Group::ReplAddrDst).0, [3, 7]);
    }

    #[test]
    fn icmp_fills_the_reply_too() {
        for (l3proto, reply_type, bits) in
            [(2, 0, vec![12, 13, 14, 15]), (0, 0xff, vec![12, 13, 14])]
        {
            let mut ct = Conntrack::new();
            if l3proto != 0 {
                ct.set(Attr::OrigL3Proto, u128::from(l3proto as u8).to_le_bytes());
            }
            ct.set_group(Group::Icmp, &[0x34, 0x12, 5, 8]);
            assert_eq!((ct.flat.orig.l4src, ct.flat.orig.l4dst), ([0x34, 0x12], [8, 5]));
            assert_eq!((ct.flat.reply.l4src, ct.flat.reply.l4dst), ([0x34, 0x12], [reply_type, 5]));
            assert_eq!(present(&ct), bits);
        }
    }

    #[test]
    fn an_address_of_either_family() {
        let mut ct = Conntrack::new();
        let mut slot = [0; 16];
        slot.iter_mut().zip(1..).for_each(|(to, from)| *to = from);
        ct.set(Attr::OrigIpv6Src, slot);
        ct.set(Attr::OrigIpv4Src, [0xaa; 16]);
        let mut out = [0; MAX];
        assert_eq!(ct.get_group(Group::OrigAddrSrc, &mut out), Ok(16));
        assert_eq!(out[..6], [0xaa, 0xaa, 0xaa, 0xaa, 5, 6]);
        ct.unset(Attr::OrigIpv6Src);
        assert!(ct.has_group(Group::OrigAddrSrc));
    }

    #[test]
    fn the_family_counts_as_a_member_and_not_its_value() {
        let mut ct = Conntrack::new();
        ct.set(Attr::OrigIpv4Src, [1; 16]);
        ct.set(Attr::OrigIpv4Dst, [2; 16]);
        let mut out = [0; MAX];
        assert_eq!(ct.get_group(Group::OrigIpv4, &mut out), Err(Error::NotSet));
        ct.set(Attr::OrigL3Proto, [10; 16]);
        assert_eq!(ct.get_group(Group::OrigIpv4, &mut out), Ok(8));
        ct.unset_group(Group::OrigAddrSrc);
        assert_eq!(present(&ct), [1, 15]);
    }

    #[test]
    fn short_data_is_ignored() {
        let mut ct = Conntrack::new();
        ct.set_group(Group::OrigIpv4, &[1; 7]);
        assert_eq!(present(&ct), []);
    }
}
