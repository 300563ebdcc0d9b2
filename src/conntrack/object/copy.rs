//! Copying an object, or the attributes of one into another.
#![forbid(unsafe_code)]

use super::attr::{Attr, Class, Presence, ROWS, Storage};
use super::entry::{Conntrack, Flat, Heap};
use super::layer4::Layer4;
use crate::conntrack::error::Error;
use crate::conntrack::heap::{Bytes, Text};
use crate::conntrack::labels::bitmask::Bitmask;
use crate::netlink::name::copy_name;
use std::alloc::{Layout, handle_alloc_error};
use std::mem::offset_of;

/// What [`Conntrack::copy_from`] copies.
pub mod flags {
    /// Every attribute.
    pub const ALL: u32 = 0;
    /// The original tuple.
    pub const ORIGINAL: u32 = 1;
    /// The reply tuple.
    pub const REPLY: u32 = 2;
    /// All that is in neither tuple.
    pub const META: u32 = 4;
    /// The whole object, in place of what was there; the other flags do not count then.
    pub const OVERRIDE: u32 = 8;
}

impl Conntrack {
    /// Copies attributes that `src` has, those of the classes in `flags`; the rest of this object
    /// stays. With [`flags::OVERRIDE`] this object becomes a copy of `src` instead.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; the object is unchanged.
    pub fn copy_from(&mut self, src: &Self, flags: u32) -> Result<(), Error> {
        if flags & flags::OVERRIDE != 0 {
            if !(self.heap.is_empty() && src.heap.is_empty()) {
                self.heap = src.heap.try_clone()?;
            }
            self.flat = src.flat;
            return Ok(());
        }
        let mut attrs = src.flat.present;
        if flags != flags::ALL {
            let chosen = flags & (flags::ORIGINAL | flags::REPLY | flags::META);
            attrs.remove(NOT_CHOSEN.get(chosen as usize).copied().unwrap_or_default());
        }
        if attrs.has_any(ON_HEAP) {
            self.heap.copy_from(&src.heap, attrs)?;
        }
        self.flat.copy_values(&src.flat, attrs);
        self.flat.present.insert(attrs);
        Ok(())
    }

    /// Copies one attribute, if `src` has it.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; the object is unchanged.
    pub fn copy_attr(&mut self, src: &Self, attr: Attr) -> Result<(), Error> {
        if !src.has(attr) {
            return Ok(());
        }
        if ON_HEAP.has(attr) {
            self.heap.copy_from(&src.heap, Presence::of(&[attr]))?;
        }
        self.flat.copy_value(&src.flat, attr);
        self.flat.present.set(attr);
        Ok(())
    }

    /// Makes these attributes what they are in `src`, absent ones too, and takes what of them lies on the
    /// heap from it.
    pub(crate) fn take_attrs(&mut self, src: &mut Self, attrs: Presence) {
        let there = src.flat.present.among(attrs);
        self.flat.present.remove(attrs);
        self.flat.copy_values(&src.flat, there);
        self.flat.present.insert(there);
        // A master of ICMP has a part that is no attribute.
        if attrs.has(Attr::MasterL4Proto) {
            self.flat.master = src.flat.master;
        }
        if attrs.has_any(ON_HEAP) && !(self.heap.is_empty() && src.heap.is_empty()) {
            self.heap.take(&mut src.heap, attrs);
        }
    }

    /// An independent copy of the whole object.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`].
    #[inline(always)]
    pub fn try_clone(&self) -> Result<Self, Error> {
        Ok(Self { heap: self.heap.try_clone()?, flat: self.flat })
    }
}

/// As Rust has it: without memory the program ends. [`Conntrack::try_clone`] says so instead.
impl Clone for Conntrack {
    fn clone(&self) -> Self {
        self.try_clone().unwrap_or_else(|_| handle_alloc_error(Layout::new::<Self>()))
    }
}

/// By the flags of a copy, the attributes that these do not choose.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const NOT_CHOSEN: [Presence; 8] = {
    let classes = [
        Presence::of_class(Class::Original),
        Presence::of_class(Class::Reply),
        Presence::of_class(Class::Meta),
    ];
    let mut table = [Presence::of(&[]); 8];
    let mut flags = 0;
    while flags < 8 {
        let mut class = 0;
        while class < 3 {
            if flags & (1 << class) == 0 {
                table[flags] = table[flags].with(classes[class]);
            }
            class += 1;
        }
        flags += 1;
    }
    table
};

/// What [`Heap::copy_from`] copies.
const ON_HEAP: Presence =
    Presence::of(&[Attr::Secctx, Attr::HelperInfo, Attr::Connlabels, Attr::ConnlabelsMask]);

impl Heap {
    /// Takes the parts in `attrs`, or that there are none; with labels those that an update changes.
    fn take(&mut self, src: &mut Self, attrs: Presence) {
        if attrs.has(Attr::Secctx) {
            self.secctx = src.secctx.take();
        }
        if attrs.has(Attr::HelperInfo) {
            self.helper_info = std::mem::take(&mut src.helper_info);
        }
        if attrs.has(Attr::Connlabels) {
            self.labels = std::mem::take(&mut src.labels);
        }
    }

    /// Copies the parts in `attrs`, or none if there is no memory for all of them. Of those that
    /// `src` has no value for, the security context vanishes here too, the others stay.
    fn copy_from(&mut self, src: &Self, attrs: Presence) -> Result<(), Error> {
        let labels = |attr, mask| {
            let labels = src.labels.get(mask).filter(|_| attrs.has(attr));
            labels.map(Bitmask::try_clone).transpose()
        };
        let info = src.helper_info.get().filter(|_| attrs.has(Attr::HelperInfo));
        let secctx = src.secctx.as_ref().filter(|_| attrs.has(Attr::Secctx));
        let secctx = secctx.map(|text| Text::new(text.as_bytes())).transpose()?;
        let info = info.map(Bytes::new).transpose()?;
        let both = [labels(Attr::Connlabels, false)?, labels(Attr::ConnlabelsMask, true)?];
        if attrs.has(Attr::Secctx) {
            self.secctx = secctx;
        }
        if let Some(info) = info {
            self.helper_info = info;
        }
        for (mask, labels) in [false, true].into_iter().zip(both) {
            if let Some(labels) = labels {
                self.labels.put(mask, labels);
            }
        }
        Ok(())
    }
}

/// The attributes that are just one slot, of this width.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
const fn slots(width: usize) -> Presence {
    let mut slots = Presence::of(&[]);
    let mut at = 0;
    while at < ROWS.len() {
        match ROWS[at].storage {
            Storage::Plain(this) | Storage::FromKernel(this) | Storage::Unsettable(this)
                if this as usize == width =>
            {
                slots.set(ROWS[at].attr);
            }
            _ => {}
        }
        at += 1;
    }
    slots
}

/// All the others.
const UNLIKE_SLOT: Presence =
    Presence::all().without(slots(1).with(slots(2)).with(slots(4)).with(slots(8)).with(slots(16)));

/// From a slot of the original tuple to that of the reply tuple.
const TO_REPLY: usize = offset_of!(Flat, reply) - offset_of!(Flat, orig);

impl Flat {
    /// Copies what `src` holds of attributes, width by width: compiled to be small, a match on the width
    /// of each takes twice the time.
    #[inline(always)]
    fn copy_values(&mut self, src: &Self, attrs: Presence) {
        self.copy_slots::<1>(src, attrs);
        self.copy_slots::<2>(src, attrs);
        self.copy_slots::<4>(src, attrs);
        self.copy_slots::<8>(src, attrs);
        self.copy_slots::<16>(src, attrs);
        attrs.among(UNLIKE_SLOT).iter().for_each(|attr| self.copy_unlike_slot(src, attr));
    }

    #[inline(always)]
    fn copy_slots<const WIDTH: usize>(&mut self, src: &Self, attrs: Presence) {
        for attr in attrs.among(const { slots(WIDTH) }).iter() {
            self.copy_bytes::<WIDTH>(src, attr.row().offset.into());
        }
    }

    /// Copies what `src` holds of an attribute.
    #[inline(always)]
    fn copy_value(&mut self, src: &Self, attr: Attr) {
        let row = attr.row();
        match row.storage {
            Storage::Plain(width) | Storage::FromKernel(width) | Storage::Unsettable(width) => {
                self.copy_slot(src, row.offset.into(), width);
            }
            _ => self.copy_unlike_slot(src, attr),
        }
    }

    /// As `copy_value`, for attributes that are not just one slot.
    fn copy_unlike_slot(&mut self, src: &Self, attr: Attr) {
        let row = attr.row();
        let (width, twin) = match row.storage {
            Storage::Icmp(width) => {
                let taken =
                    src.is_icmp() && !src.has_reply_port(attr) && !self.has_reply_port(attr);
                (width, Some(TO_REPLY).filter(|_| taken))
            }
            Storage::Range { width, stride } => (width, Some(stride.into())),
            Storage::Name(_) => return copy_name(&mut self.helper_name, &src.helper_name),
            _ => return,
        };
        self.copy_slot(src, row.offset.into(), width);
        if let Some(distance) = twin {
            self.copy_slot(src, usize::from(row.offset) + distance, width);
        }
    }

    /// Whether this is a flow of ICMP or ICMPv6. ICMP attributes alone do not say so: deriving one
    /// tuple from the other marks them present whatever the protocol.
    fn is_icmp(&self) -> bool {
        self.present.has(Attr::OrigL4Proto) && Layer4::of(self.orig.l4proto) == Layer4::Icmp
    }

    /// Whether the bytes of the reply's copy of an ICMP attribute are a port, an attribute of its
    /// own: then they go where it goes, and nothing else is written over them.
    fn has_reply_port(&self, icmp: Attr) -> bool {
        let icmp_id = icmp == Attr::IcmpId;
        self.present.has(if icmp_id { Attr::ReplPortSrc } else { Attr::ReplPortDst })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An object with every attribute, and bytes that tell the slots apart.
    fn full(seed: u8) -> Conntrack {
        let mut ct = Conntrack::new();
        for (at, byte) in ct.flat.bytes_mut().iter_mut().enumerate() {
            *byte = (at as u8).wrapping_mul(7).wrapping_add(seed);
        }
        ct.flat.present = Attr::all().fold(Presence::default(), |mut all, attr| {
            all.set(attr);
            all
        });
        ct.set_helper_name(b"ftp");
        ct.heap.secctx = Some(Text::new(b"system_u:x").unwrap());
        ct.set_helper_info(&[seed, 2, 3]).unwrap();
        for mask in [false, true] {
            let mut labels = Bitmask::new(127).unwrap().unwrap();
            labels.set(seed.into());
            ct.set_labels(labels, mask);
        }
        ct
    }

    fn present(ct: &Conntrack) -> Vec<u32> {
        ct.flat.present.iter().map(|attr| attr as u32).collect()
    }

    #[test]
    fn classes_select_attributes() {
        let mut src = full(1);
        src.unset(Attr::TimestampEvent);
        let meta: Vec<u32> = (19..75).collect();
        for (flags, want) in [
            (flags::ORIGINAL, vec![0, 1, 4, 5, 8, 9, 12, 13, 14, 15, 17, 25]),
            (flags::REPLY, vec![2, 3, 6, 7, 10, 11, 16, 18, 25]),
            (flags::META, meta),
            (16, vec![25]),
            (flags::ALL, (0..75).collect()),
            (7, (0..75).collect()),
        ] {
            let mut dest = Conntrack::new();
            dest.set(Attr::Mark, [9; 16]);
            dest.copy_from(&src, flags).unwrap();
            assert_eq!(present(&dest), want, "flags {flags}");
        }
    }

    #[test]
    fn every_attribute_is_copied_alone_as_with_all() {
        let src = full(1);
        for attr in Attr::all() {
            let mut dest = Conntrack::new();
            dest.copy_attr(&src, attr).unwrap();
            assert_eq!(present(&dest), [attr as u32]);
            assert_eq!(dest.get(attr), src.get(attr), "{attr:?}");
        }
        let mut dest = Conntrack::new();
        dest.copy_from(&src, flags::ALL).unwrap();
        assert!(Attr::all().all(|attr| dest.get(attr) == src.get(attr)));
        assert_eq!(dest.labels(), src.labels());
        assert_eq!(dest.labels_mask(), src.labels_mask());
    }

    #[test]
    fn absent_attributes_stay_as_they_are() {
        let mut src = Conntrack::new();
        src.set(Attr::Mark, [1; 16]);
        let mut dest = Conntrack::new();
        dest.set(Attr::Timeout, [2; 16]);
        dest.copy_from(&src, flags::ALL).unwrap();
        dest.copy_attr(&src, Attr::Timeout).unwrap();
        assert_eq!(present(&dest), [24, 25]);
        assert_eq!((dest.flat.timeout, dest.flat.mark), (0x0202_0202, 0x0101_0101));
    }

    #[test]
    fn ipv4_leaves_the_rest_of_the_slot() {
        let mut src = Conntrack::new();
        src.set(Attr::OrigIpv4Src, [9; 16]);
        let mut dest = Conntrack::new();
        dest.set(Attr::OrigIpv6Src, [1; 16]);
        dest.copy_attr(&src, Attr::OrigIpv4Src).unwrap();
        assert_eq!(dest.flat.orig.src, [9, 9, 9, 9, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1]);
    }

    #[test]
    fn nat_ranges_keep_both_ends() {
        let mut src = Conntrack::new();
        src.set(Attr::SnatIpv6, [5; 16]);
        src.set(Attr::DnatPort, [6; 16]);
        let mut dest = Conntrack::new();
        dest.copy_from(&src, flags::META).unwrap();
        assert_eq!((dest.flat.snat.min, dest.flat.snat.max), ([5; 16], [5; 16]));
        assert_eq!((dest.flat.dnat.min_port, dest.flat.dnat.max_port), ([6; 2], [6; 2]));
        assert_eq!(dest.flat.snat.max_port, [0; 2]);
    }

    #[test]
    fn icmp_takes_its_reply_along_unless_that_is_an_attribute() {
        let mut src = Conntrack::new();
        src.flat.orig.l3proto = 2;
        src.fill_u8(Attr::OrigL4Proto, 1);
        src.set(Attr::IcmpType, [8; 16]);
        src.set(Attr::IcmpCode, [7; 16]);
        src.set(Attr::IcmpId, [0x12; 16]);
        let mut dest = Conntrack::new();
        dest.flat.reply.l4dst = [0xff; 2];
        dest.copy_from(&src, flags::ORIGINAL).unwrap();
        assert_eq!((dest.flat.orig.l4dst, dest.flat.orig.l4src), ([8, 7], [0x12; 2]));
        assert_eq!((dest.flat.reply.l4dst, dest.flat.reply.l4src), ([0, 7], [0x12; 2]));
        src.set(Attr::ReplPortSrc, [0x55; 16]);
        src.set(Attr::ReplPortDst, [0x66; 16]);
        dest.copy_from(&src, flags::ORIGINAL).unwrap();
        assert_eq!((dest.flat.reply.l4dst, dest.flat.reply.l4src), ([0, 7], [0x12; 2]));
        dest.copy_from(&src, flags::REPLY).unwrap();
        assert_eq!((dest.flat.reply.l4dst, dest.flat.reply.l4src), ([0x66; 2], [0x55; 2]));
    }

    #[test]
    fn reply_ports_of_the_destination_stay() {
        for (protocol, icmp) in [(0, false), (1, true), (6, false), (58, true), (99, false)] {
            let mut src = Conntrack::new();
            src.flat.orig.l3proto = 2;
            src.set(Attr::IcmpType, [8; 16]);
            src.set(Attr::IcmpCode, [7; 16]);
            src.set(Attr::IcmpId, [0x12; 16]);
            if protocol != 0 {
                src.fill_u8(Attr::OrigL4Proto, protocol);
            }
            for (src_port, dst_port) in [(false, false), (true, false), (false, true), (true, true)]
            {
                let mut dest = Conntrack::new();
                (dest.flat.reply.l4src, dest.flat.reply.l4dst) = ([0x55; 2], [0x66; 2]);
                for (port, present) in
                    [(Attr::ReplPortSrc, src_port), (Attr::ReplPortDst, dst_port)]
                {
                    if present {
                        dest.flat.present.set(port);
                    }
                }
                let mut one_by_one = dest.try_clone().unwrap();
                dest.copy_from(&src, flags::ALL).unwrap();
                for attr in [Attr::IcmpType, Attr::IcmpCode, Attr::IcmpId] {
                    one_by_one.copy_attr(&src, attr).unwrap();
                }
                let id = if icmp && !src_port { [0x12; 2] } else { [0x55; 2] };
                let kind = if icmp && !dst_port { [0, 7] } else { [0x66; 2] };
                for copy in [dest, one_by_one] {
                    let reply = copy.flat.reply;
                    assert_eq!((reply.l4src, reply.l4dst), (id, kind), "protocol {protocol}");
                    assert_eq!((copy.flat.orig.l4src, copy.flat.orig.l4dst), ([0x12; 2], [8, 7]));
                }
            }
        }
    }

    #[test]
    fn without_a_value_only_the_context_is_taken_away() {
        let mut src = Conntrack::new();
        ON_HEAP.iter().for_each(|attr| src.flat.present.set(attr));
        let mut dest = full(3);
        dest.copy_from(&src, flags::ALL).unwrap();
        assert!(dest.has(Attr::Secctx) && dest.get(Attr::Secctx).is_none());
        assert_eq!(dest.get(Attr::HelperInfo), Some(&[3, 2, 3][..]));
        assert!(dest.labels().unwrap().has(3) && dest.labels_mask().unwrap().has(3));
    }

    #[test]
    fn a_copy_over_all_replaces_everything_and_shares_nothing() {
        let mut src = full(1);
        src.unset(Attr::Secctx);
        src.unset(Attr::Connlabels);
        let mut dest = full(2);
        dest.copy_from(&src, flags::OVERRIDE | flags::ORIGINAL).unwrap();
        let clone = src.try_clone().unwrap();
        drop(src);
        for mut copy in [dest, clone] {
            assert_eq!(copy.flat.bytes()[..40], full(1).flat.bytes()[..40]);
            assert_eq!((copy.get(Attr::Secctx), copy.labels()), (None, None));
            copy.set(Attr::Secctx, [0; 16]);
            assert_eq!(copy.get(Attr::Secctx), Some(&b"system_u:x"[..]));
            assert!(copy.heap.labels.get(false).unwrap().has(1));
        }
    }
}
