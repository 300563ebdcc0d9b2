//! Objects as text: the lines and the XML that programs parse, to the byte.
#![forbid(unsafe_code)]

mod display;
mod expect;
mod names;
mod plain;
mod xml;

use crate::conntrack::error::Error;
use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::labels::map::LabelMap;
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::expectation::Expect;
use crate::text::time::Clock;
use crate::text::writer::Writer;

/// `NFCT_O_PLAIN`: a line of `key=value` fields.
pub const PLAIN: u32 = 0;
/// `NFCT_O_XML`: one XML element, nothing escaped.
pub const XML: u32 = 1;

/// `NFCT_OF_SHOW_LAYER3`: the plain line begins with the layer 3 protocol.
pub const SHOW_LAYER3: u32 = 1;
/// `NFCT_OF_TIME`: the XML tells the current local time.
pub const SHOW_NOW: u32 = 2;
/// `NFCT_OF_ID`: the plain line tells the identifier.
pub const SHOW_ID: u32 = 4;
/// `NFCT_OF_TIMESTAMP`: when the entry was made and when it ended.
pub const SHOW_TIMESTAMPS: u32 = 8;

/// How to print.
pub struct Style<'a> {
    /// The event to name, `NFCT_T_*`: new, update or destroy; any other value names none.
    pub message: u32,
    /// [`PLAIN`] or [`XML`].
    pub format: u32,
    /// What to show, `NFCT_OF_*`; unknown bits are ignored.
    pub flags: u32,
    /// The names of labels; without them no label is printed.
    pub labels: Option<&'a LabelMap>,
    /// Tells the current time and the local zone.
    pub clock: &'a dyn Clock,
}

impl Style<'_> {
    fn shows(&self, flag: u32) -> bool {
        self.flags & flag != 0
    }
}

/// Prints a conntrack entry.
///
/// # Errors
/// [`Error::UnknownFormat`], with nothing written. [`Error::Unprintable`] when the plain line lacks
/// a protocol it has to tell; what precedes that has been written.
pub fn conntrack(out: &mut Writer<'_>, ct: &Conntrack, style: &Style<'_>) -> Result<(), Error> {
    match style.format {
        PLAIN => plain::conntrack(out, ct, style),
        XML => {
            xml::conntrack(out, ct, style);
            Ok(())
        }
        format => Err(Error::UnknownFormat(format)),
    }
}

/// Prints an expectation.
///
/// # Errors
/// [`Error::UnknownFormat`], with nothing written.
pub fn expect(out: &mut Writer<'_>, expect: &Expect, style: &Style<'_>) -> Result<(), Error> {
    match style.format {
        PLAIN => expect::plain(out, expect, style),
        XML => expect::xml(out, expect, style),
        format => return Err(Error::UnknownFormat(format)),
    }
    Ok(())
}

/// The names of the labels that are set and have one, by number.
fn label_names<'a>(ct: &'a Conntrack, map: &'a LabelMap) -> impl Iterator<Item = &'a [u8]> {
    let words = ct.labels().map_or(&[][..], Bitmask::words);
    let used = words.iter().zip(0u32..).filter(|(word, _)| **word != 0);
    used.flat_map(|(word, at)| {
        (0..32).filter(move |bit| word >> bit & 1 != 0).map(move |bit| at * 32 + bit)
    })
    .filter_map(|label| map.name(label))
    .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::object::attr::Attr;
    use crate::conntrack::object::expectation::ExpectAttr;
    use crate::text::time::{CivilTime, Utc};

    /// A clock that stands still, and a calendar that may not reach that far.
    struct Fixed(i64, bool);

    impl Clock for Fixed {
        fn now(&self) -> i64 {
            self.0
        }

        fn local(&self, seconds: i64, reread_zone: bool) -> Option<CivilTime> {
            Utc.local(seconds, reread_zone).filter(|_| self.1)
        }
    }

    const NOW: Fixed = Fixed(1_700_000_107, true);

    fn style(format: u32, flags: u32, clock: &dyn Clock) -> Style<'_> {
        Style { message: 0, format, flags, labels: None, clock }
    }

    fn text(print: impl Fn(&mut Writer<'_>) -> Result<(), Error>) -> String {
        let mut buf = [0; 2048];
        let mut out = Writer::new(&mut buf);
        print(&mut out).unwrap();
        let length = out.finish();
        String::from_utf8(buf[..length].to_vec()).unwrap()
    }

    fn entry(attrs: &[Attr]) -> Conntrack {
        let mut ct = Conntrack::new();
        ct.set(Attr::OrigL4Proto, [50; 16]);
        ct.flat.start = 1_700_000_000_900_000_000;
        attrs.iter().for_each(|attr| ct.flat.present.set(*attr));
        ct
    }

    #[test]
    fn time_since_the_start_needs_the_clock_while_the_flow_lives() {
        let mut ct = entry(&[Attr::TimestampStart]);
        let plain = |ct: &Conntrack| text(|out| conntrack(out, ct, &style(PLAIN, 0, &NOW)));
        let xml = |ct: &Conntrack| text(|out| conntrack(out, ct, &style(XML, 0, &NOW)));
        assert_eq!(plain(&ct), "unknown  50 delta-time=107");
        assert!(xml(&ct).contains("<deltatime>107</deltatime>"));
        ct.flat.stop = 1_700_000_002_100_000_000;
        ct.flat.present.set(Attr::TimestampStop);
        assert_eq!(plain(&ct), "unknown  50 delta-time=2");
        assert!(xml(&ct).contains("<deltatime>1</deltatime>"));
        ct.flat.stop = ct.flat.start - 1_000_000_000;
        assert_eq!(plain(&ct), "unknown  50 delta-time=18446744073709551615");
        assert!(xml(&ct).contains("<deltatime>18446744072</deltatime>"));
        ct.flat.start = u64::MAX;
        ct.flat.present.unset(Attr::TimestampStop);
        let wrapped = (1_700_000_107u64).wrapping_sub(18_446_744_073);
        assert!(xml(&ct).contains(&format!("<deltatime>{wrapped}</deltatime>")));
    }

    #[test]
    fn the_current_time_stands_before_the_helper() {
        let ct = entry(&[Attr::HelperName]);
        let xml = |clock: &Fixed| text(|out| conntrack(out, &ct, &style(XML, SHOW_NOW, clock)));
        let end = "<when><hour>22</hour><min>15</min><sec>07</sec><wday>3</wday><day>14</day>\
                   <month>11</month><year>2023</year></when><helper></helper></flow>";
        assert!(xml(&NOW).ends_with(end));
        let sunday = "<when><hour>0</hour><min>00</min><sec>05</sec><wday>1</wday><day>7</day>\
                      <month>1</month><year>2024</year></when><helper></helper></flow>";
        assert!(xml(&Fixed(1_704_585_605, true)).ends_with(sunday));
        assert!(xml(&Fixed(0, false)).ends_with("</meta></flow>"));
    }

    #[test]
    fn an_expectation_without_a_time_keeps_the_rest() {
        let mut expected = Expect::new();
        expected.set_number(ExpectAttr::Zone, 7).unwrap();
        expected.set_number(ExpectAttr::Flags, 2).unwrap();
        let xml = |clock: &Fixed| text(|out| expect(out, &expected, &style(XML, SHOW_NOW, clock)));
        assert!(xml(&NOW).contains("<zone>7</zone><when><hour>22</hour>"));
        assert!(xml(&NOW).ends_with("</when><inactive/></meta></flow>"));
        assert!(xml(&Fixed(0, false)).ends_with("<zone>7</zone><inactive/></meta></flow>"));
    }

    #[test]
    fn failures_leave_what_was_written() {
        for (format, message, error, written) in [
            (2, 1, Error::UnknownFormat(2), 0),
            (PLAIN, 0, Error::Unprintable, 0),
            (PLAIN, 4, Error::Unprintable, "[DESTROY] ".len()),
        ] {
            let mut out = Writer::new(&mut []);
            let style = Style { message, ..style(format, 0, &NOW) };
            assert_eq!(conntrack(&mut out, &Conntrack::new(), &style), Err(error));
            assert_eq!(out.len(), written);
        }
    }
}
