//! The conntrack object: an entry of the flow table, or what a request says about one.
#![forbid(unsafe_code)]

use super::attr::{Attr, Row, Storage};
use super::icmp;
use crate::conntrack::error::Error;
use crate::conntrack::heap::{Bytes, Text};
use crate::conntrack::labels::bitmask::{Bitmask, Labels};
use crate::netlink::name::{copy_name, until_nul};
use crate::width::with_width;
use std::mem::offset_of;

pub use super::layout::{Counters, Flat, NatRange, ProtoInfo, Tuple};

/// Bytes from the timeout to the zone.
const NUMBERS_SIZE: usize = offset_of!(Flat, helper_name) - offset_of!(Flat, timeout);

impl Flat {
    /// Stores the lowest `width` bytes of a value.
    #[inline(always)]
    pub(crate) fn store(&mut self, offset: usize, width: u8, value: u128) {
        match width {
            1 => self.store_bytes(offset, (value as u8).to_le_bytes()),
            2 => self.store_bytes(offset, (value as u16).to_le_bytes()),
            4 => self.store_bytes(offset, (value as u32).to_le_bytes()),
            8 => self.store_bytes(offset, (value as u64).to_le_bytes()),
            _ => self.store_bytes(offset, value.to_le_bytes()),
        }
    }

    /// Stores a value of a fixed width, which is one machine move where a slice is a call.
    #[inline(always)]
    pub(crate) fn store_bytes<const WIDTH: usize>(&mut self, offset: usize, value: [u8; WIDTH]) {
        if let Some(slot) = self.bytes_mut().get_mut(offset..).and_then(<[u8]>::first_chunk_mut) {
            *slot = value;
        }
    }

    /// The plain numbers, from the timeout to the zone, to be put back.
    #[inline(always)]
    pub(crate) fn numbers(&self) -> [u8; NUMBERS_SIZE] {
        let numbers = self.bytes().get(offset_of!(Self, timeout)..);
        numbers.and_then(<[u8]>::first_chunk).copied().unwrap_or([0; NUMBERS_SIZE])
    }

    /// Puts the plain numbers back.
    pub(crate) fn set_numbers(&mut self, numbers: [u8; NUMBERS_SIZE]) {
        self.store_bytes(offset_of!(Self, timeout), numbers);
    }

    /// Copies the slot of `width` bytes at `offset` from `src`.
    #[inline(always)]
    pub(crate) fn copy_slot(&mut self, src: &Self, offset: usize, width: u8) {
        with_width!(width, N => self.copy_bytes::<N>(src, offset));
    }

    #[inline(always)]
    pub(super) fn copy_bytes<const WIDTH: usize>(&mut self, src: &Self, offset: usize) {
        if let Some(value) = src.bytes().get(offset..).and_then(<[u8]>::first_chunk::<WIDTH>) {
            self.store_bytes(offset, *value);
        }
    }
}

/// The parts of an object that vary in length; all zero bits is "none".
#[derive(Debug, Default)]
#[repr(C)]
pub struct Heap {
    /// Security context.
    pub secctx: Option<Text>,
    /// Private data of the helper.
    pub helper_info: Bytes,
    /// Labels, and those that an update changes.
    pub labels: Labels,
}

impl Heap {
    /// Whether there is nothing.
    #[inline(always)]
    pub(crate) fn is_empty(&self) -> bool {
        self.secctx.is_none() && self.helper_info.get().is_none() && self.labels.is_empty()
    }

    /// An independent copy.
    #[inline(always)]
    pub(crate) fn try_clone(&self) -> Result<Self, Error> {
        if self.is_empty() { Ok(Self::default()) } else { self.clone_parts() }
    }

    #[inline(never)]
    fn clone_parts(&self) -> Result<Self, Error> {
        Ok(Self {
            secctx: self.secctx.as_ref().map(|text| Text::new(text.as_bytes())).transpose()?,
            helper_info: self.helper_info.get().map(Bytes::new).transpose()?.unwrap_or_default(),
            labels: self.labels.try_clone()?,
        })
    }
}

/// A conntrack entry, or what a request says about one: attributes, each present or not.
///
/// This is what C programs hold as `struct nf_conntrack`: fixed size, and all zero bytes is a
/// valid empty object.
#[derive(Debug, Default)]
#[repr(C)]
pub struct Conntrack {
    pub(crate) flat: Flat,
    pub(crate) heap: Heap,
}

/// The value of an attribute that is stored in the object, padded with zero bytes.
pub type Slot = [u8; 16];

impl Conntrack {
    /// An object without attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the attribute is present.
    #[must_use]
    #[inline(always)]
    pub fn has(&self, attr: Attr) -> bool {
        self.flat.present.has(attr)
    }

    /// Marks the attribute absent. Its value stays in place, unseen.
    #[inline(always)]
    pub fn unset(&mut self, attr: Attr) {
        self.flat.present.unset(attr);
    }

    /// The bytes of an attribute that is present: its slot, string, helper data, or the words of
    /// a bitmask behind their count.
    #[must_use]
    pub fn get(&self, attr: Attr) -> Option<&[u8]> {
        if !self.has(attr) {
            return None;
        }
        let row = attr.row();
        match row.storage {
            Storage::Plain(width)
            | Storage::FromKernel(width)
            | Storage::Unsettable(width)
            | Storage::Icmp(width)
            | Storage::Range { width, .. } => {
                self.flat.bytes().get(row.offset.into()..)?.get(..width.into())
            }
            Storage::Name(_) => Some(self.helper_name()),
            Storage::Context => self.heap.secctx.as_ref().map(Text::as_bytes),
            Storage::HelperInfo => self.heap.helper_info.get(),
            Storage::Labels | Storage::Tuple => None,
        }
    }

    /// Stores the value of an attribute kept in the object and marks it present. The value is
    /// taken as it lies in memory; what the slot is too short for is ignored.
    ///
    /// Attributes that only the kernel fills are marked present without a value, those on the heap
    /// have setters of their own and are left alone here.
    #[inline(always)]
    pub fn set(&mut self, attr: Attr, value: Slot) {
        self.set_value(attr.row(), u128::from_le_bytes(value));
    }

    /// As `set`, with the value in registers: its first byte is the lowest.
    #[inline(always)]
    pub(crate) fn set_value(&mut self, row: &Row, value: u128) {
        match row.storage {
            Storage::Plain(width) => {
                self.flat.store(row.offset.into(), width, value);
                self.flat.present.set(row.attr);
            }
            _ => self.set_other_storage(row, value),
        }
    }

    /// As `set_value`, for attributes that are not just one slot.
    #[inline(never)]
    fn set_other_storage(&mut self, row: &Row, value: u128) {
        let offset = usize::from(row.offset);
        match row.storage {
            Storage::Icmp(_) => self.set_icmp(row.attr, value.to_le_bytes()),
            Storage::Range { width, stride } => {
                self.flat.store(offset, width, value);
                self.flat.store(offset + usize::from(stride), width, value);
            }
            Storage::Name(_) => self.set_helper_name(&value.to_le_bytes()),
            Storage::Plain(_) | Storage::FromKernel(_) | Storage::Context => {}
            Storage::Unsettable(_) | Storage::HelperInfo | Storage::Labels | Storage::Tuple => {
                return;
            }
        }
        self.flat.present.set(row.attr);
    }

    fn set_icmp(&mut self, attr: Attr, value: Slot) {
        let [low, high, ..] = value;
        let Flat { orig, reply, .. } = &mut self.flat;
        match attr {
            Attr::IcmpType => {
                orig.l4dst[0] = low;
                reply.l4dst[0] = icmp::reply_type(orig.l3proto, low);
            }
            Attr::IcmpCode => {
                orig.l4dst[1] = low;
                reply.l4dst[1] = low;
            }
            _ => {
                orig.l4src = [low, high];
                reply.l4src = [low, high];
            }
        }
    }

    /// Stores the helper's name up to its first NUL, at most 15 bytes of it.
    pub(crate) fn set_helper_name(&mut self, name: &[u8]) {
        copy_name(&mut self.flat.helper_name, name);
        self.flat.present.set(Attr::HelperName);
    }

    /// Stores the private data of the helper.
    ///
    /// # Errors
    /// [`Error::OutOfMemory`]; the object is unchanged.
    pub fn set_helper_info(&mut self, info: &[u8]) -> Result<(), Error> {
        self.heap.helper_info = Bytes::new(info)?;
        self.flat.present.set(Attr::HelperInfo);
        Ok(())
    }

    /// Takes the labels over, or with `mask` the labels that an update changes.
    pub fn set_labels(&mut self, labels: Bitmask, mask: bool) {
        self.heap.labels.put(mask, labels);
        self.flat.present.set(if mask { Attr::ConnlabelsMask } else { Attr::Connlabels });
    }

    /// The helper's name without its NUL, present or not.
    #[must_use]
    pub fn helper_name(&self) -> &[u8] {
        until_nul(&self.flat.helper_name)
    }

    /// The labels, if present.
    #[must_use]
    pub fn labels(&self) -> Option<&Bitmask> {
        self.heap.labels.get(false).filter(|_| self.has(Attr::Connlabels))
    }

    /// The labels that an update changes, if present.
    #[must_use]
    pub fn labels_mask(&self) -> Option<&Bitmask> {
        self.heap.labels.get(true).filter(|_| self.has(Attr::ConnlabelsMask))
    }

    /// Makes the object empty again, as new.
    pub fn reset(&mut self) {
        *self = Self::default();
    }
}
