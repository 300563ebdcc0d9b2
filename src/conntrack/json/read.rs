//! JSON to an entry. Members may come in any order; unknown ones are passed over, for a newer writer
//! may know more.
#![forbid(unsafe_code)]

use super::members::{FLOW, Member, Shape};
use super::{tuple, value};
use crate::conntrack::error::Error;
use crate::conntrack::heap::Text;
use crate::conntrack::labels::bitmask::{Bitmask, MAX_BIT};
use crate::conntrack::labels::map::LabelMap;
use crate::conntrack::object::attr::{Attr, Presence};
use crate::conntrack::object::entry::{Conntrack, Flat};
use crate::conntrack::object::tuple::TupleAttrs;
use crate::text::json::{self, Kind, Reader};

/// Bytes of a helper's name, without its NUL.
const NAME: usize = 15;

/// Reads an entry as the writer beside this one writes it: all that is there becomes present, and nothing else.
/// Numbers may be strings, times numbers of nanoseconds, labels names that `labels` has or numbers.
///
/// # Errors
/// [`Error::Syntax`]; [`Error::OutOfMemory`].
pub fn conntrack(text: &[u8], labels: Option<&LabelMap>) -> Result<Conntrack, Error> {
    let mut reader = Reader::new(text);
    let mut filler = Filler { ct: Conntrack::new(), labels, reply_has_icmp: false };
    let all = || FLOW.iter().flat_map(|part| part.members);
    filler.object(&mut reader, &|key| all().find(|member| key.is(member.key.name())))?;
    reader.end()?;
    if !filler.reply_has_icmp {
        tuple::answer_icmp(&mut filler.ct.flat);
    }
    Ok(filler.ct)
}

/// Finds the member of a key.
type Find<'f> = &'f dyn Fn(&json::Text<'_>) -> Option<&'static Member>;

struct Filler<'m> {
    ct: Conntrack,
    labels: Option<&'m LabelMap>,
    /// Whether the reply tuple told what of ICMP it has.
    reply_has_icmp: bool,
}

impl Filler<'_> {
    fn object(&mut self, reader: &mut Reader<'_>, find: Find<'_>) -> Result<(), Error> {
        reader.begin_object()?;
        while let Some(key) = reader.key()? {
            match find(&key) {
                Some(member) => self.member(reader, &member.shape)?,
                None => reader.skip()?,
            }
        }
        Ok(())
    }

    fn member(&mut self, reader: &mut Reader<'_>, shape: &Shape) -> Result<(), Error> {
        let flat = &mut self.ct.flat;
        match shape {
            Shape::Number(attr) => store(flat, *attr, value::number(reader, largest(*attr))?),
            Shape::Name(attr, words) => store(flat, *attr, value::named(reader, words)?.into()),
            Shape::Bits(attr, words) => store(flat, *attr, value::bits(reader, words)?.into()),
            Shape::Time(attr) => store(flat, *attr, value::time(reader)?),
            Shape::Port(attr) => {
                let [high, low] = (value::number(reader, u16::MAX.into())? as u16).to_be_bytes();
                self.ct.set_value(attr.row(), u16::from_le_bytes([high, low]).into());
            }
            Shape::Address([ipv4, ipv6]) => {
                let (address, is_ipv6) = value::address(reader)?;
                self.ct.flat.present.remove(Presence::of(&[*ipv4, *ipv6]));
                self.ct.set(if is_ipv6 { *ipv6 } else { *ipv4 }, address);
            }
            Shape::Tuple(attrs) => self.tuple(reader, attrs)?,
            Shape::Bytes(attr) => self.bytes(reader, *attr)?,
            Shape::Labels(attr) => {
                let labels = self.labels(reader)?;
                self.ct.set_labels(labels, *attr == Attr::ConnlabelsMask);
            }
            Shape::Object(members) | Shape::Usual(members, _) => {
                self.object(reader, &|key| members.iter().find(|member| key.is(member.key.name())))?
            }
        }
        Ok(())
    }

    fn tuple(&mut self, reader: &mut Reader<'_>, attrs: &TupleAttrs) -> Result<(), json::Error> {
        let Flat { orig, reply, master, present, .. } = &mut self.ct.flat;
        match attrs.l3proto {
            Attr::OrigL3Proto => tuple::read(reader, present, orig, attrs).map(drop),
            Attr::ReplL3Proto => {
                self.reply_has_icmp = tuple::read(reader, present, reply, attrs)?;
                Ok(())
            }
            _ => tuple::read(reader, present, master, attrs).map(drop),
        }
    }

    fn bytes(&mut self, reader: &mut Reader<'_>, attr: Attr) -> Result<(), Error> {
        match attr {
            Attr::HelperInfo => {
                let info = value::bytes(reader, usize::MAX)?;
                self.ct.set_helper_info(&info)?;
            }
            Attr::HelperName => self.ct.set_helper_name(&value::name_of_c(reader, NAME)?),
            _ => {
                let context = value::name_of_c(reader, usize::MAX)?;
                self.ct.heap.secctx = Some(Text::new(&context)?);
                self.ct.flat.present.set(Attr::Secctx);
            }
        }
        Ok(())
    }

    /// An array of labels, by number or by name.
    fn labels(&self, reader: &mut Reader<'_>) -> Result<Bitmask, Error> {
        reader.kind()?;
        let mut highest = 127;
        self.each_label(&mut reader.clone(), |label| highest = label.max(highest))?;
        let mut labels = Bitmask::new(highest)?.ok_or(Error::OutOfMemory)?;
        self.each_label(reader, |label| labels.set(label))?;
        Ok(labels)
    }

    fn each_label(
        &self,
        reader: &mut Reader<'_>,
        mut each: impl FnMut(u32),
    ) -> Result<(), json::Error> {
        reader.begin_array()?;
        while reader.element()? {
            each(match reader.kind()? {
                Kind::String => self.label(reader)?,
                _ => value::number(reader, MAX_BIT.into())? as u32,
            });
        }
        Ok(())
    }

    fn label(&self, reader: &mut Reader<'_>) -> Result<u32, json::Error> {
        let before = reader.clone();
        let Some(map) = self.labels else {
            return Err(before.error("a label by name, and there are no names"));
        };
        let mut room = [0; LabelMap::LONGEST];
        let name = reader.text()?.copy_to(&mut room).and_then(|name| map.bit(name));
        name.ok_or(before.error("no label has this name"))
    }
}

/// The largest number that an attribute has room for.
fn largest(attr: Attr) -> u64 {
    match attr.row().storage.width() {
        1 => u8::MAX.into(),
        2 => u16::MAX.into(),
        4 => u32::MAX.into(),
        _ => u64::MAX,
    }
}

/// Stores a number in host order, for which the attribute has room.
fn store(flat: &mut Flat, attr: Attr, value: u64) {
    let row = attr.row();
    let offset = row.offset.into();
    match row.storage.width() {
        1 => flat.store_bytes(offset, (value as u8).to_ne_bytes()),
        2 => flat.store_bytes(offset, (value as u16).to_ne_bytes()),
        4 => flat.store_bytes(offset, (value as u32).to_ne_bytes()),
        _ => flat.store_bytes(offset, value.to_ne_bytes()),
    }
    flat.present.set(attr);
}
