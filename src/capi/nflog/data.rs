//! What is behind `struct nflog_data`: programs make such objects, too, and read them without the getters.

use super::types::nflog_data;
use crate::capi::ffi::error::Error;
use crate::capi::ffi::ptr;
use crate::netlink::message::{ATTRIBUTE_HEADER_SIZE, Message};
use crate::nflog::attr::{Find, each};
use crate::nflog::packet::Packet;
use crate::uapi::nful;
use libc::nlattr;

/// How many attributes the array of a packet has: no later one may be looked for in it.
const COUNT: usize = nful::CT_INFO as usize;

/// Pointers to the attributes of a packet, by their number less 1; NULL for those that it lacks.
type Pointers = [*const nlattr; COUNT];

/// A `struct nflog_data`: a pointer to the pointers, and nothing else.
#[derive(Debug, Clone, Copy)]
#[repr(C)]
pub struct Data {
    pointers: *const Pointers,
}

impl Data {
    /// One of pointers that stay where they are as long as it is used.
    #[must_use]
    pub fn of(pointers: &Attributes) -> Self {
        Self { pointers: &raw const pointers.0 }
    }
}

/// The attributes of a packet as C programs have them.
#[derive(Debug)]
pub struct Attributes(Pointers);

impl Attributes {
    /// Those of a packet that has none.
    pub const NONE: Self = Self([std::ptr::null(); COUNT]);

    /// Those of a message about a packet.
    #[inline]
    #[must_use]
    pub fn of(message: &Message<'_>) -> Self {
        let mut all = Self::NONE;
        all.fill(message);
        all
    }

    /// Adds those of a message about a packet.
    #[inline(always)]
    pub fn fill(&mut self, message: &Message<'_>) {
        for (kind, rest) in each(message.attributes()) {
            if let Some(pointer) = self.0.get_mut(usize::from(kind).wrapping_sub(1)) {
                *pointer = rest.as_ptr().cast();
            }
        }
    }
}

/// The pointers that C handed over.
#[derive(Debug, Clone, Copy)]
pub struct Pointed<'a>(&'a Pointers);

/// A packet of which C has the attributes.
pub type Logged<'a> = Packet<'a, Pointed<'a>>;

/// The packet behind a pointer, or [`Error::NULL`].
///
/// # Safety
/// `data` is NULL or points to a pointer to the pointers of a packet.
#[inline]
pub(super) unsafe fn packet<'a>(data: *const nflog_data) -> Result<Logged<'a>, Error> {
    // SAFETY: whoever made it, the object begins with a pointer to as many pointers as there are
    // attributes, each NULL or to an attribute of the length that it says.
    unsafe {
        ptr::not_null(data)?;
        pointed((*data.cast::<Data>()).pointers)
    }
}

/// The packet of which C has these attributes, or [`Error::NULL`].
///
/// # Safety
/// `pointers` is NULL or points to the pointers of a packet, each NULL or to an attribute of the length
/// that it says.
#[inline]
pub(super) unsafe fn pointed<'a>(pointers: *const Pointers) -> Result<Logged<'a>, Error> {
    // SAFETY: the pointers are as many as there are attributes, and nobody changes them meanwhile.
    let pointers = unsafe { pointers.as_ref() }.ok_or(Error::NULL)?;
    Ok(Packet::on(Pointed(pointers)))
}

impl<'a> Find<'a> for Pointed<'a> {
    #[inline]
    fn find(&self, kind: u16) -> Option<&'a [u8]> {
        let attribute = *self.0.get(usize::from(kind).wrapping_sub(1))?;
        if attribute.is_null() {
            return None;
        }
        // SAFETY: a pointer that is not NULL is to an attribute, at any address.
        let length = unsafe { (&raw const (*attribute).nla_len).read_unaligned() };
        let length = usize::from(length).checked_sub(ATTRIBUTE_HEADER_SIZE)?;
        let value = attribute.cast::<u8>().wrapping_add(ATTRIBUTE_HEADER_SIZE);
        // SAFETY: the attribute has as many bytes behind its header as it says.
        Some(unsafe { std::slice::from_raw_parts(value, length) })
    }
}
