//! The expectation object: a flow that a helper expects to see.
#![forbid(unsafe_code)]

use super::attr::{Class, Compared, Row, Storage};
use super::entry::{Conntrack, Flat};
use super::layout::ExpectFlat;
use super::status::ORIGINAL_TUPLE;
use crate::conntrack::error::Error;
use crate::netlink::name::{copy_name, until_nul};
use std::mem::offset_of;

/// Number of expectation attributes, and the first invalid number.
pub const EXPECT_ATTR_COUNT: u32 = 11;

/// An expectation attribute, numbered as `enum nf_expect_attr` is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum ExpectAttr {
    /// The entry whose helper expects the flow: a tuple.
    Master = 0,
    /// The expected flow: a tuple.
    Expected = 1,
    /// Which parts of the expected tuple count: a tuple.
    Mask = 2,
    /// Seconds until the expectation expires, host order.
    Timeout = 3,
    /// Zone, host order.
    Zone = 4,
    /// `NF_CT_EXPECT_*`, host order.
    Flags = 5,
    /// Name of the helper: a C string of at most 15 characters.
    HelperName = 6,
    /// Class of the helper's policy, host order.
    Class = 7,
    /// What NAT makes of the expected flow: a tuple.
    NatTuple = 8,
    /// Direction that NAT applies to, host order.
    NatDir = 9,
    /// Name of the function called for the flow: a C string of at most 23 characters.
    Function = 10,
}

/// What there is to know about an expectation attribute.
const fn row(attr: ExpectAttr, storage: Storage, offset: usize) -> Row<ExpectAttr> {
    let compared = match attr {
        ExpectAttr::Timeout => Compared::Never,
        _ => Compared::Value,
    };
    Row { attr, storage, offset: offset as u16, class: Class::Meta, compared }
}

/// The one table of expectation attributes, by number.
static TABLE: [Row<ExpectAttr>; EXPECT_ATTR_COUNT as usize] = ROWS;
/// The table, for what the compiler derives of it.
pub(super) const ROWS: [Row<ExpectAttr>; EXPECT_ATTR_COUNT as usize] = {
    use ExpectAttr::*;
    const FLAT: usize = offset_of!(Expect, flat);
    const U32: Storage = Storage::Plain(4);
    [
        row(Master, Storage::Tuple, offset_of!(Expect, master)),
        row(Expected, Storage::Tuple, offset_of!(Expect, expected)),
        row(Mask, Storage::Tuple, offset_of!(Expect, mask)),
        row(Timeout, U32, FLAT + offset_of!(ExpectFlat, timeout)),
        row(Zone, Storage::Plain(2), FLAT + offset_of!(ExpectFlat, zone)),
        row(Flags, U32, FLAT + offset_of!(ExpectFlat, flags)),
        row(HelperName, Storage::Name(16), FLAT + offset_of!(ExpectFlat, helper_name)),
        row(Class, U32, FLAT + offset_of!(ExpectFlat, class)),
        row(NatTuple, Storage::Tuple, offset_of!(Expect, nat)),
        row(NatDir, U32, FLAT + offset_of!(ExpectFlat, nat_dir)),
        row(Function, Storage::Name(24), FLAT + offset_of!(ExpectFlat, function)),
    ]
};

impl Row<ExpectAttr> {
    /// The row of the expectation attribute with this number.
    ///
    /// # Errors
    /// [`Error::UnknownAttribute`].
    pub fn of_expectation(number: u32) -> Result<&'static Self, Error> {
        TABLE.get(number as usize).ok_or(Error::UnknownAttribute(number))
    }

    /// Where a plain value begins in the plain part.
    pub(super) fn place(&self) -> usize {
        usize::from(self.offset).saturating_sub(offset_of!(Expect, flat))
    }
}

impl ExpectAttr {
    /// The attribute's row of the table.
    #[must_use]
    #[allow(clippy::indexing_slicing, reason = "there is a row for each attribute")]
    pub fn row(self) -> &'static Row<Self> {
        &TABLE[self as usize]
    }
}

impl TryFrom<u32> for ExpectAttr {
    type Error = Error;

    fn try_from(number: u32) -> Result<Self, Error> {
        Row::of_expectation(number).map(|row| row.attr)
    }
}

/// An expectation.
///
/// C programs copy it with `memcpy` and destroy both copies, so it owns nothing: the heap parts of
/// its four tuples, which are whole conntrack objects so that every function works on them, stay
/// empty. All zero bytes is a valid empty object.
#[derive(Debug, Clone, Default)]
#[repr(C)]
pub struct Expect {
    pub(crate) master: Conntrack,
    pub(crate) expected: Conntrack,
    pub(crate) mask: Conntrack,
    pub(crate) nat: Conntrack,
    pub(crate) flat: ExpectFlat,
}

impl Expect {
    /// An expectation without attributes.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Whether the attribute is present.
    #[must_use]
    pub fn has(&self, attr: ExpectAttr) -> bool {
        self.flat.present & (1 << attr as u32) != 0
    }

    /// Marks the attribute present.
    pub(crate) fn mark(&mut self, attr: ExpectAttr) {
        self.flat.present |= 1 << attr as u32;
    }

    /// Marks the attribute absent. Its value stays in place, unseen.
    pub fn unset(&mut self, attr: ExpectAttr) {
        self.flat.present &= !(1 << attr as u32);
    }

    /// The tuple of a tuple attribute, present or not; `None` for the others.
    #[must_use]
    pub fn tuple(&self, attr: ExpectAttr) -> Option<&Conntrack> {
        match attr {
            ExpectAttr::Master => Some(&self.master),
            ExpectAttr::Expected => Some(&self.expected),
            ExpectAttr::Mask => Some(&self.mask),
            ExpectAttr::NatTuple => Some(&self.nat),
            _ => None,
        }
    }

    /// Copies the original tuple of `ct`, as far as it has one, into a tuple attribute.
    ///
    /// # Errors
    /// [`Error::BadValue`]: the attribute is no tuple.
    pub fn set_tuple(&mut self, attr: ExpectAttr, ct: &Conntrack) -> Result<(), Error> {
        let mut flat = ct.flat;
        flat.present.retain(ORIGINAL_TUPLE);
        if self.tuple(attr).is_none() {
            return Err(Error::BadValue(attr as u32));
        }
        self.set_flat(attr, &flat);
        Ok(())
    }

    /// Copies the original tuple, and of all attributes whether they are present.
    pub(crate) fn set_flat(&mut self, attr: ExpectAttr, flat: &Flat) {
        let to = match attr {
            ExpectAttr::Master => &mut self.master,
            ExpectAttr::Expected => &mut self.expected,
            ExpectAttr::Mask => &mut self.mask,
            ExpectAttr::NatTuple => &mut self.nat,
            _ => return,
        };
        to.flat.orig = flat.orig;
        to.flat.present = flat.present;
        self.mark(attr);
    }

    /// Sets a numeric attribute.
    ///
    /// # Errors
    /// [`Error::BadValue`], with the object unchanged: the attribute is no number, or has no room
    /// for this one.
    pub fn set_number(&mut self, attr: ExpectAttr, value: u32) -> Result<(), Error> {
        let fits = match attr.row().storage {
            Storage::Plain(width) => value.checked_shr(8 * u32::from(width)).unwrap_or(0) == 0,
            _ => false,
        };
        if !fits {
            return Err(Error::BadValue(attr as u32));
        }
        self.store_number(attr, value);
        Ok(())
    }

    /// Stores a number, of which an attribute takes the low bits it has room for. Tuples and
    /// strings are left alone.
    pub(crate) fn store_number(&mut self, attr: ExpectAttr, value: u32) {
        match attr.row().storage {
            Storage::Plain(2) => {
                let [first, second] = (value as u16).to_ne_bytes();
                self.store_bytes(attr, [first, second, 0, 0]);
            }
            _ => self.store_bytes(attr, value.to_ne_bytes()),
        }
    }

    /// Stores a number that is in host order in the first of some bytes, as many as the attribute has.
    /// Tuples and strings are left alone.
    pub(crate) fn store_bytes(&mut self, attr: ExpectAttr, bytes: [u8; 4]) {
        let row = attr.row();
        match (row.storage, bytes) {
            (Storage::Plain(2), [first, second, ..]) => {
                self.flat.put(row.place(), [first, second]);
            }
            (Storage::Plain(_), _) => self.flat.put(row.place(), bytes),
            _ => return,
        }
        self.mark(attr);
    }

    /// The value of a numeric attribute that is present.
    #[must_use]
    pub fn number(&self, attr: ExpectAttr) -> Option<u32> {
        let row = attr.row();
        let value = match row.storage {
            Storage::Plain(2) => u16::from_ne_bytes(self.flat.slot(row.place())?).into(),
            Storage::Plain(_) => u32::from_ne_bytes(self.flat.slot(row.place())?),
            _ => return None,
        };
        self.has(attr).then_some(value)
    }

    /// Sets a name: at most 15 bytes of a helper, 23 of a function, none of them NUL.
    ///
    /// # Errors
    /// [`Error::BadValue`], with the object unchanged: the name is none, or the attribute.
    pub fn set_name(&mut self, attr: ExpectAttr, name: &[u8]) -> Result<(), Error> {
        let room = match attr.row().storage {
            Storage::Name(room) => usize::from(room),
            _ => 0,
        };
        if name.len() >= room || name.contains(&0) {
            return Err(Error::BadValue(attr as u32));
        }
        self.store_name(attr, name);
        Ok(())
    }

    /// Stores a name up to its first NUL, cut to what the attribute has room for.
    pub(crate) fn store_name(&mut self, attr: ExpectAttr, name: &[u8]) {
        match attr {
            ExpectAttr::HelperName => copy_name(&mut self.flat.helper_name, name),
            ExpectAttr::Function => copy_name(&mut self.flat.function, name),
            _ => return,
        }
        self.mark(attr);
    }

    /// The helper's name without its NUL, present or not.
    #[must_use]
    pub fn helper_name(&self) -> &[u8] {
        until_nul(&self.flat.helper_name)
    }

    /// The function's name without its NUL, present or not.
    #[must_use]
    pub fn function(&self) -> &[u8] {
        until_nul(&self.flat.function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::object::attr::Attr;

    #[test]
    fn attributes_take_what_they_have_room_for() {
        let mut expect = Expect::new();
        let refused = |attr| Err(Error::BadValue(attr as u32));
        for attr in (0..EXPECT_ATTR_COUNT).map(|number| ExpectAttr::try_from(number).unwrap()) {
            let tuple = expect.set_tuple(attr, &Conntrack::new()).is_ok();
            let name = expect.set_name(attr, b"fifteen-letters").is_ok();
            let number = expect.set_number(attr, 7).is_ok();
            assert_eq!([tuple, name, number].iter().filter(|taken| **taken).count(), 1, "{attr:?}");
            assert!(expect.has(attr), "{attr:?}");
        }
        assert_eq!(expect.set_number(ExpectAttr::Zone, 65_536), refused(ExpectAttr::Zone));
        assert_eq!(expect.number(ExpectAttr::Zone), Some(7));
        for name in [&b"sixteen-letters-"[..], b"a\0b"] {
            assert_eq!(
                expect.set_name(ExpectAttr::HelperName, name),
                refused(ExpectAttr::HelperName)
            );
        }
        assert_eq!(expect.helper_name(), b"fifteen-letters");
    }

    #[test]
    fn a_tuple_has_no_mark() {
        let mut ct = Conntrack::new();
        ct.fill_u8(Attr::OrigL4Proto, 6);
        ct.fill_u8(Attr::ReplL4Proto, 6);
        ct.fill_u32(Attr::Mark, 7);
        let mut expect = Expect::new();
        expect.set_tuple(ExpectAttr::Expected, &ct).unwrap();
        let tuple = expect.tuple(ExpectAttr::Expected).unwrap();
        assert_eq!(
            tuple.flat.present,
            crate::conntrack::object::attr::Presence::of(&[Attr::OrigL4Proto])
        );
        assert_eq!(tuple.flat.orig.l4proto, 6);
    }
}
