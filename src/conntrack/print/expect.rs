//! An expectation as text. Output flags other than that for the current time have no effect.
#![forbid(unsafe_code)]

use super::plain::{self, field};
use super::xml;
use super::{SHOW_NOW, Style};
use crate::conntrack::object::entry::Tuple;
use crate::conntrack::object::expectation::{Expect, ExpectAttr};
use crate::text::writer::Writer;
use crate::text::xml::{number, string};

/// The flags that have a name: bit, plain text, XML.
const FLAGS: [(u32, &[u8], &[u8]); 3] = [
    (1, b"PERMANENT", b"<permanent/>"),
    (2, b"INACTIVE", b"<inactive/>"),
    (4, b"USERSPACE", b"<userspace/>"),
];

/// Prints one line.
pub(super) fn plain(out: &mut Writer<'_>, expect: &Expect, style: &Style<'_>) {
    plain::event(out, style.message);
    if expect.has(ExpectAttr::Timeout) {
        field(out, b"", expect.flat.timeout.into());
    }
    let [expected, mask, master] = tuples(expect);
    field(out, b"proto=", expected.l4proto.into());
    plain::addresses(out, expected, plain::ADDRESSES);
    plain::layer4(out, expected);
    plain::addresses(out, mask, [b"mask-src=", b" mask-dst="]);
    plain::layer4(out, mask);
    plain::addresses(out, master, [b"master-src=", b" master-dst="]);
    plain::layer4(out, master);
    if expect.has(ExpectAttr::Zone) {
        field(out, b"zone=", expect.flat.zone.into());
    }
    plain_flags(out, expect.flat.flags);
    if expect.has(ExpectAttr::Class) {
        field(out, b"class=", expect.flat.class.into());
    }
    if expect.has(ExpectAttr::HelperName) {
        string(out, b"helper=", expect.helper_name(), b"");
    }
    out.trim_blank();
}

/// Prints a `flow` element.
pub(super) fn xml(out: &mut Writer<'_>, expect: &Expect, style: &Style<'_>) {
    let tuples = tuples(expect);
    let [expected, ..] = tuples;
    xml::open(out, style.message);
    xml::open_layer3(out, expected.l3proto);
    each_tuple(out, tuples, xml::addresses);
    out.text(b"</layer3>");
    xml::open_layer4(out, expected.l4proto);
    each_tuple(out, tuples, xml::layer4);
    out.text(b"</layer4><meta>");
    meta(out, expect, style);
    out.text(b"</meta></flow>");
}

/// The tuples in the order in which they are printed.
fn tuples(expect: &Expect) -> [&Tuple; 3] {
    [&expect.expected, &expect.mask, &expect.master].map(|tuple| &tuple.flat.orig)
}

fn plain_flags(out: &mut Writer<'_>, flags: u32) {
    let mut separator: &[u8] = b"";
    for (_, name, _) in FLAGS.iter().filter(|(flag, ..)| flags & flag != 0) {
        out.text(separator);
        out.text(name);
        separator = b",";
    }
    // Flags without a name leave their blank.
    if flags != 0 {
        out.text(b" ");
    }
}

fn each_tuple(out: &mut Writer<'_>, tuples: [&Tuple; 3], print: fn(&mut Writer<'_>, &Tuple)) {
    let [expected, mask, master] = tuples;
    out.text(b"<expected>");
    print(out, expected);
    out.text(b"</expected><mask>");
    print(out, mask);
    out.text(b"</mask><master>");
    print(out, master);
    out.text(b"</master>");
}

fn meta(out: &mut Writer<'_>, expect: &Expect, style: &Style<'_>) {
    if expect.has(ExpectAttr::HelperName) {
        string(out, b"<helper-name>", expect.helper_name(), b"</helper-name>");
    }
    if expect.has(ExpectAttr::Timeout) {
        number(out, b"<timeout>", expect.flat.timeout.into(), b"</timeout>");
    }
    if expect.has(ExpectAttr::Class) {
        number(out, b"<class>", expect.flat.class.into(), b"</class>");
    }
    if expect.has(ExpectAttr::Zone) {
        number(out, b"<zone>", expect.flat.zone.into(), b"</zone>");
    }
    if style.shows(SHOW_NOW) {
        xml::now(out, style);
    }
    for (_, _, element) in FLAGS.iter().filter(|(flag, ..)| expect.flat.flags & flag != 0) {
        out.text(element);
    }
}
