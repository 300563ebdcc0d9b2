//! Both ways: what is written reads back, and what does not fit is refused where it stands.
#![forbid(unsafe_code)]

use super::{STRINGS, Style, read, write};
use crate::conntrack::heap::Text;
use crate::conntrack::labels::bitmask::Bitmask;
use crate::conntrack::labels::map::LabelMap;
use crate::conntrack::object::attr::{Attr, Presence, Storage};
use crate::conntrack::object::entry::Conntrack;
use crate::conntrack::object::expectation::Expect;
use crate::text::json::{self, Reader};
use crate::text::writer::Writer;

fn told(ct: &Conntrack, style: &Style<'_>) -> String {
    let mut buffer = vec![0; 1 << 20];
    let mut out = Writer::new(&mut buffer);
    write(&mut out, ct, style);
    let length = out.finish();
    String::from_utf8(buffer[..length].to_vec()).unwrap()
}

fn plain(ct: &Conntrack) -> String {
    told(ct, &Style::default())
}

fn names() -> LabelMap {
    LabelMap::parse(&b"0 eth0-in\n31 via isp\n"[..]).unwrap().unwrap()
}

/// Numbers that are the same each time.
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        self.0 >> 24 ^ self.0 << 40
    }

    fn below(&mut self, limit: u64) -> u64 {
        (self.next() >> 8) % limit
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        let length = self.below(most + 1);
        let ascii = self.below(2) == 0;
        (0..length)
            .map(|_| self.below(255) as u8 + 1)
            .map(|b| if ascii { b & 0x7f | 1 } else { b })
            .collect()
    }

    fn labels(&mut self) -> Bitmask {
        let mut labels = Bitmask::new(127).unwrap().unwrap();
        (0..self.below(5)).for_each(|_| labels.set(self.below(128) as u32));
        labels
    }

    /// An entry of attributes that go together, each there or not.
    fn entry(&mut self) -> Conntrack {
        let mut ct = Conntrack::new();
        let chance = 1 + self.below(8);
        let ipv6 = self.below(2) == 0;
        let family = if ipv6 { libc::AF_INET6 } else { libc::AF_INET } as u8;
        let protocol = [6, 17, 132, 33, 47, 1, 58, 50, 99][self.below(9) as usize];
        let icmp = matches!(protocol, 1 | 58);
        for attr in Attr::all() {
            let name = format!("{attr:?}");
            let foreign = if ipv6 { name.contains("Ipv4") } else { name.contains("Ipv6") };
            let other = if icmp {
                name.contains("Port") && !name.contains("nat")
            } else {
                name.contains("Icmp")
            };
            if self.below(8) < chance || foreign || other {
                continue;
            }
            let row = attr.row();
            match row.storage {
                Storage::Name(_) => ct.set_helper_name(&self.bytes(15)),
                Storage::Context => {
                    ct.heap.secctx = Some(Text::new(&self.bytes(60)).unwrap());
                    ct.flat.present.set(attr);
                }
                Storage::HelperInfo => ct.set_helper_info(&self.bytes(32)).unwrap(),
                Storage::Labels => ct.set_labels(self.labels(), attr == Attr::ConnlabelsMask),
                Storage::Range { width, stride } => {
                    let value =
                        (u128::from(self.next()) << 64 | u128::from(self.next())).to_le_bytes();
                    ct.flat.store(row.offset.into(), width, u128::from_le_bytes(value));
                    ct.flat.store(
                        (row.offset + u16::from(stride)).into(),
                        width,
                        u128::from_le_bytes(value),
                    );
                    ct.flat.present.set(attr);
                }
                storage => {
                    let shift = self.below(64);
                    let value = u128::from(self.next() >> shift) | u128::from(self.next()) << 64;
                    ct.flat.store(row.offset.into(), storage.width() as u8, value);
                    ct.flat.present.set(attr);
                }
            }
        }
        for tuple in [&mut ct.flat.orig, &mut ct.flat.reply, &mut ct.flat.master] {
            (tuple.l3proto, tuple.l4proto) = (family, protocol);
        }
        if icmp {
            // The protocol says whose bytes these are.
            ct.flat.present.insert(Presence::of(&[Attr::OrigL4Proto, Attr::ReplL4Proto]));
        }
        ct
    }
}

#[test]
fn everything_reads_back_as_it_was() {
    let (map, mut dice) = (names(), Dice(7));
    let rounds = if cfg!(miri) { 20 } else { 5000 };
    let mut seen = Presence::default();
    for _ in 0..rounds {
        let ct = dice.entry();
        seen.insert(ct.flat.present);
        for style in [
            Style::default(),
            Style { message: 2, flags: STRINGS, labels: Some(&map) },
            Style { message: 4, flags: STRINGS, labels: None },
        ] {
            let text = told(&ct, &style);
            let mut reader = Reader::new(text.as_bytes());
            reader.skip().and_then(|()| reader.end()).unwrap();
            let back =
                read(text.as_bytes(), style.labels).unwrap_or_else(|e| panic!("{e}: {text}"));
            assert_eq!(back.flat.present, ct.flat.present, "{text}");
            assert_eq!(told(&back, &style), text);
            for attr in Attr::all() {
                assert_eq!(back.get(attr), ct.get(attr), "{attr:?} {text}");
            }
            let labels = |ct: &Conntrack| {
                [ct.labels(), ct.labels_mask()].map(|it| it.map(|it| it.words().to_vec()))
            };
            assert_eq!(labels(&back), labels(&ct));
        }
    }
    assert!(cfg!(miri) || Attr::all().all(|attr| seen.has(attr)));
}

#[test]
fn an_entry_is_an_object_of_what_is_there() {
    assert_eq!(plain(&Conntrack::new()), "{}");
    let mut ct = Conntrack::new();
    ct.flat.orig.l4proto = 6;
    ct.flat.orig.src = [10; 16];
    ct.flat.orig.l4src = [0x9c, 0x40];
    ct.flat.status = 0x8000_100e;
    ct.flat.start = 1_764_000_000_123_456_789;
    ct.flat.counters[1].bytes = u64::MAX;
    ct.flat.protoinfo.0[0] = 3;
    ct.set_helper_name(b"ftp\xff");
    let mut labels = Bitmask::new(127).unwrap().unwrap();
    [0, 31, 64].into_iter().for_each(|label| labels.set(label));
    ct.set_labels(labels, false);
    for attr in [
        Attr::OrigL4Proto,
        Attr::OrigIpv4Src,
        Attr::OrigPortSrc,
        Attr::Status,
        Attr::TimestampStart,
        Attr::ReplCounterBytes,
        Attr::TcpState,
        Attr::Mark,
    ] {
        ct.flat.present.set(attr);
    }
    let map = names();
    let text = told(&ct, &Style { message: 1, flags: STRINGS, labels: Some(&map) });
    assert_eq!(
        text,
        "{\"event\":\"new\",\
         \"original\":{\"src\":\"10.10.10.10\",\"protocol\":\"tcp\",\"sport\":40000},\
         \"status\":[\"seen_reply\",\"assured\",\"confirmed\",4096,2147483648],\"mark\":0,\
         \"tcp\":{\"state\":\"ESTABLISHED\"},\"counters\":{\"reply\":{\"bytes\":\"18446744073709551615\"}},\
         \"start\":{\"sec\":1764000000,\"nsec\":123456789},\"labels\":[\"eth0-in\",\"via isp\",64],\
         \"helper\":{\"name\":[102,116,112,255]}}"
    );
    assert!(plain(&ct).contains("\"bytes\":18446744073709551615}"));
    assert!(plain(&ct).contains("\"labels\":[0,31,64]"));
}

#[test]
fn gre_has_keys_and_icmp_a_type() {
    let mut ct = Conntrack::new();
    for (protocol, attrs, tuple) in [
        (47, [Attr::OrigPortSrc, Attr::OrigPortDst], r#""gre","srckey":258,"dstkey":772"#),
        (1, [Attr::IcmpType, Attr::IcmpId], r#""icmp","type":3,"id":258"#),
        (50, [Attr::OrigPortSrc, Attr::OrigPortDst], r#""esp","sport":258,"dport":772"#),
    ] {
        ct.reset();
        (ct.flat.orig.l4src, ct.flat.orig.l4dst) = ([1, 2], [3, 4]);
        ct.flat.orig.l4proto = protocol;
        ct.flat.present.set(Attr::OrigL4Proto);
        attrs.into_iter().for_each(|attr| ct.flat.present.set(attr));
        assert_eq!(plain(&ct), format!("{{\"original\":{{\"protocol\":{tuple}}}}}"));
    }
}

#[test]
fn the_answer_of_icmp_follows_the_query() {
    let query = r#"{"original":{"family":"ipv4","protocol":"icmp","type":8,"code":0,"id":7},"reply":{"family":"ipv4","protocol":"icmp"}}"#;
    let ct = read(query.as_bytes(), None).unwrap();
    assert_eq!((ct.flat.reply.l4dst, ct.flat.reply.l4src), ([0, 0], [0, 7]));
    let both = query.replace("\"icmp\"}}", "\"icmp\",\"id\":9,\"type\":0}}");
    assert_eq!(read(both.as_bytes(), None).unwrap().flat.reply.l4src, [0, 9]);
}

#[test]
fn an_expectation_reads_back_as_it_was() {
    let whole = r#"{"expected":{"family":"ipv4","src":"10.0.0.1","dst":"10.0.0.2","protocol":"tcp","sport":0,"dport":2021},"mask":{"family":"ipv4","src":"255.255.255.255","dst":"255.255.255.255","protocol":"tcp","sport":0,"dport":65535},"master":{"family":"ipv4","src":"10.0.0.1","dst":"10.0.0.2","protocol":"tcp","sport":1000,"dport":21},"nat":{"family":"ipv4","src":"10.0.0.9"},"nat_direction":"reply","zone":3,"timeout":300,"flags":["permanent","inactive","userspace",64],"class":1,"helper":"ftp","function":"nat-follow-master"}"#;
    let back = |text: &str| {
        let mut expect = Expect::new();
        super::read_expect(text.as_bytes(), &mut expect).map(|()| {
            let mut buffer = [0; 2048];
            let mut out = Writer::new(&mut buffer);
            super::expect(&mut out, &expect, &Style::default());
            let length = out.finish();
            String::from_utf8(buffer[..length].to_vec()).unwrap()
        })
    };
    assert_eq!(back(whole).unwrap(), whole);
    assert_eq!(
        back(r#"{"new":[],"nat_direction":1,"flags":3}"#).unwrap(),
        r#"{"nat_direction":"reply","flags":["permanent","inactive"]}"#
    );
    for (text, offset, what) in [
        (r#"{"zone":65536}"#, 8, "the number is too large here"),
        (r#"{"helper":"sixteen-letters-"}"#, 10, "too long"),
        (r#"{"function":"a\u0000"}"#, 12, "no text of C has a NUL"),
        (r#"{"flags":["none"]}"#, 10, "no such name"),
        (r#"{"mask":{"src":1}}"#, 15, "a string is expected here"),
        ("{} 1", 3, "something follows the value"),
    ] {
        assert_eq!(back(text), Err(json::Error { what, offset }.into()), "{text}");
    }
}

#[test]
fn other_forms_are_read_too() {
    let same = [
        r#"{"mark":7,"counters":{"reply":{"bytes":9007199254740993}},"start":{"sec":1,"nsec":5},"status":["assured"]}"#,
        r#"{"status":4,"start":1000000005,"mark":"7","counters":{"reply":{"bytes":"9007199254740993"}}}"#,
        r#"{"new":{"member":[null,{}]},"start":"1000000005","status":["4"],"counters":{"new":1,"reply":{"bytes":9.007199254740993e15}},"mark":7e0}"#,
    ];
    let [first, ..] = same.map(|text| plain(&read(text.as_bytes(), None).unwrap()));
    for text in same {
        assert_eq!(plain(&read(text.as_bytes(), None).unwrap()), first);
    }
    let twice = read(br#"{"mark":1,"mark":2}"#, None).unwrap();
    assert_eq!(twice.flat.mark, 2, "the last counts");
    for twice in [
        r#"{"original":{"src":"10.0.0.1"},"original":{"src":"fd00::1"}}"#,
        r#"{"snat":{"address":"10.0.0.1"},"snat":{"address":"fd00::1"}}"#,
    ] {
        let text = plain(&read(twice.as_bytes(), None).unwrap());
        assert!(text.contains("fd00::1") && !text.contains("10."), "{text}");
    }
}

#[test]
fn errors_point_at_the_value() {
    let map = names();
    for (text, at, what) in [
        ("", "", "the text ends too early"),
        ("[]", "[]", "an object is expected here"),
        ("{} {}", "{}", "something follows the value"),
        (r#"{"mark":null}"#, "null", "a number is expected here"),
        (r#"{"mark":"x"}"#, "\"x", "a number is expected here"),
        (r#"{"mark":"7 "}"#, "\"7", "a number is expected here"),
        (r#"{"mark":4294967296}"#, "4294967296", "the number is too large here"),
        (r#"{"mark":-1}"#, "-1", "no whole number of 64 bits"),
        (r#"{"mark":1.5}"#, "1.5", "no whole number of 64 bits"),
        (r#"{"original":7}"#, "7", "an object is expected here"),
        (r#"{"original":{"sport":65536}}"#, "65536", "the number is too large here"),
        (r#"{"original":{"protocol":"nope"}}"#, "\"nope", "no such name"),
        (r#"{"original":{"protocol":"256"}}"#, "\"256", "the number is too large here"),
        (r#"{"original":{"protocol":256}}"#, "256", "the number is too large here"),
        (r#"{"original":{"src":"10.0.0"}}"#, "\"10.0.0", "no address"),
        (r#"{"original":{"src":7}}"#, "7", "a string is expected here"),
        (
            r#"{"original":{"family":"ipv6","src":"10.0.0.1"}}"#,
            r#"{"fam"#,
            "a tuple with addresses of another family",
        ),
        (
            r#"{"reply":{"src":"::","dst":"10.0.0.1"}}"#,
            r#"{"src"#,
            "a tuple with addresses of another family",
        ),
        (r#"{"reply":{"sport":1,"type":8}}"#, r#"{"sport"#, "a tuple with ports and what ICMP has"),
        (r#"{"status":["assured","nope"]}"#, "\"nope", "no such name"),
        (r#"{"status":"assured"}"#, "\"assured", "a number is expected here"),
        (r#"{"start":{"nsec":1}}"#, r#"{"nsec"#, "a time has seconds"),
        (r#"{"start":{"sec":1,"nsec":1000000000}}"#, "1000000000", "the number is too large here"),
        (r#"{"start":{"sec":18446744073,"nsec":999999999}}"#, r#"{"sec"#, "the time is too late"),
        (r#"{"labels":["nope"]}"#, "\"nope", "no label has this name"),
        (r#"{"labels":[65536]}"#, "65536", "the number is too large here"),
        (r#"{"labels":7}"#, "7", "an array is expected here"),
        (r#"{"helper":{"name":"sixteen-letters-"}}"#, "\"sixteen", "too long"),
        (r#"{"helper":{"name":"a\u0000b"}}"#, "\"a\\", "no text of C has a NUL"),
        (r#"{"helper":{"name":[1,256]}}"#, "256", "the number is too large here"),
        (r#"{"secctx":["a"]}"#, "\"a", "a number is expected here"),
        (r#"{"snat":{"address":"x"}}"#, "\"x", "no address"),
    ] {
        let error = read(text.as_bytes(), Some(&map)).unwrap_err();
        let offset = if what.contains("follows") { 3 } else { text.find(at).unwrap() };
        assert_eq!(error, json::Error { what, offset }.into(), "{text}");
    }
    let error = read(br#"{"labels":["eth0-in"]}"#, None).unwrap_err();
    assert_eq!(error.to_string(), "a label by name, and there are no names (at byte 11)");
    assert!(read(br#"{"labels":["eth0-in",300]}"#, Some(&map)).unwrap().labels().unwrap().has(300));
}
