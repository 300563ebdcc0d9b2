//! Texts, and what is wrong with them.
#![forbid(unsafe_code)]

use super::*;
use crate::error::ErrorKind;

#[test]
fn what_is_printed() {
    for (text, printed) in [
        ("all", "all"),
        ("not not all", "all"),
        ("proto tcp", "tcp"),
        ("proto = 0x2f", "gre"),
        ("proto 99", "proto 99"),
        ("not proto 99", "proto != 99"),
        ("not tcp", "not tcp"),
        ("proto != tcp", "not tcp"),
        ("proto {tcp,  udp , 47}", "proto {tcp, udp, gre}"),
        ("family ipv6", "ipv6"),
        ("family {ipv4, ipv6}", "family {ipv4, ipv6}"),
        ("orig src 10.0.0.1", "src 10.0.0.1"),
        ("src 10.0.0.0/8", "src 10.0.0.0/8"),
        ("src 10.0.0.1/32", "src 10.0.0.1"),
        ("dst FC00::0/7", "dst fc00::/7"),
        ("host ::/0", "host ::/0"),
        ("any host 0.0.0.0/0", "any host 0.0.0.0/0"),
        ("reply dport=0x16", "reply dport 22"),
        ("port != 22", "port != 22"),
        ("not port != 22", "port 22"),
        ("not port {22, 80-443}", "port != {22, 80-443}"),
        ("sport {22}", "sport 22"),
        ("dport 7-7", "dport 7"),
        ("dport<1024", "dport < 1024"),
        ("not dport >= 1024", "not dport >= 1024"),
        ("icmp", "icmp"),
        ("icmp type 8 and icmp id 0", "icmp type 8 and icmp id 0"),
        ("icmp and id 5", "icmp and id 5"),
        ("reply gre key 1-2", "reply gre key 1-2"),
        ("mark 42", "mark 0x2a"),
        ("mark 42/0xff", "mark 0x2a/0xff"),
        ("mark 0/0", "mark 0x0/0x0"),
        ("mark 5/0xffffffff", "mark 0x5"),
        ("mark {1, 2/3, 4-5}", "mark {0x1, 0x2/0x3, 0x4-0x5}"),
        ("mark > 4", "mark > 0x4"),
        ("orig zone 3 or reply zone 4 or zone 0", "orig zone 3 or reply zone 4 or zone 0"),
        ("tcp state {established, syn_sent2}", "tcp state {established, syn_sent2}"),
        ("sctp state cookie_wait", "sctp state cookie_wait"),
        ("dccp state != partopen", "dccp state != partopen"),
        ("not fixed-timeout", "not fixed-timeout"),
        ("label {3, 127}", "label {3, 127}"),
        ("helper \"RAS\"", "helper \"RAS\""),
        ("helper != {\"ftp\", \"a b\"}", "helper != {\"ftp\", \"a b\"}"),
        ("timeout < 120", "timeout < 2m"),
        ("timeout 0-86400", "timeout 0s-1d"),
        ("age > 3601s", "age > 3601s"),
        ("bytes > 1000000", "bytes > 1M"),
        ("orig packets 1024", "orig packets 1Ki"),
        ("reply bytes 0", "reply bytes 0"),
        ("bytes <= 18446744073709551615", "bytes <= 18446744073709551615"),
        ("(tcp)", "tcp"),
        ("tcp and (udp and icmp)", "tcp and udp and icmp"),
        ("tcp and (udp or icmp)", "tcp and (udp or icmp)"),
        ("tcp or (udp and icmp)", "tcp or udp and icmp"),
        ("not (tcp or udp) and icmp", "not (tcp or udp) and icmp"),
        ("not (not (tcp or udp))", "tcp or udp"),
        ("tcp and not (udp and icmp)", "tcp and not (udp and icmp)"),
        ("\ttcp\nand\r\nudp ", "tcp and udp"),
    ] {
        let expression = parsed(text);
        assert_eq!(expression.to_string(), printed);
        assert_eq!(parsed(printed), expression, "{text}");
    }
}

/// Where the `^` stands, the text cannot be read.
#[test]
fn what_is_wrong_and_where() {
    for (text, what) in [
        ("^", "expected an expression; every flow is `all`"),
        ("  ^", "expected an expression"),
        ("tcp and^", "expected a term, as `tcp`"),
        ("^and tcp", "expected a term"),
        ("not^", "expected a term"),
        ("tcp ^udp", "two terms need `and` or `or` between them"),
        ("tcp ^(udp)", "two terms need"),
        ("dport 22 ^80", "two terms need"),
        ("tcp^)", "no `(` stands before"),
        ("(tcp^", "expected `and`, `or` or `)`"),
        ("(tcp ^udp)", "two terms need"),
        ("tcp ^\"x\"", "expected `and`, `or` or the end"),
        ("(^)", "expected a term"),
        ("tcp ^&& udp", "write `and`"),
        ("tcp ^|| udp", "write `or`"),
        ("^!tcp", "write `not`"),
        ("dport ^== 22", "write `=`"),
        ("mark ^& 1", "0x2a/0xff"),
        ("src fe80::1^%eth0", "no interface"),
        ("helper ^'ftp'", "quoted as \"name\""),
        ("tcp ^; udp", "no meaning"),
        ("^\u{e4}", "no meaning"),
        ("helper ^\"ftp", "not closed"),
        ("^state established", "`tcp state`, `sctp state` or `dccp state`; what firewalls"),
        ("^established", "`replied`"),
        ("tcp and ^saddr 10.0.0.1", "write `src`"),
        ("reply ^saddr 10.0.0.1", "write `src`"),
        ("^dprt 22", "is `dport` meant?"),
        ("^TCP", "is `tcp` meant?"),
        ("^Assured", "is `assured` meant?"),
        ("^frobnicate", "no field, flag, protocol or family"),
        ("^10.0.0.1", "a field stands before a value"),
        ("^any", "every flow is `all`"),
        ("reply^", "expected a field of that direction"),
        ("^reply tcp", "no direction"),
        ("^reply mark 1", "no direction"),
        ("^any zone 1", "both directions without a word"),
        ("^any bytes 1", "both directions without a word"),
        ("^orig assured", "no direction"),
        ("assured ^= 1", "stands alone"),
        ("assured ^1", "two terms need"),
        ("family ^ipv5", "is `ipv4` meant?"),
        ("family ^inet", "expected `ipv4` or `ipv6`"),
        ("proto ^tpc2", "expected a protocol"),
        ("proto ^udplit", "is `udplite` meant?"),
        ("proto ^256", "expected a protocol"),
        ("proto ^< tcp", "only `=` and `!=`"),
        ("src ^> 10.0.0.1", "only `=` and `!="),
        ("src^", "expected an address or a prefix"),
        ("src ^example.org", "expected an address"),
        ("src ^10.0.0", "expected an address"),
        ("src ^\"10.0.0.1\"", "without quotes"),
        ("src 10.0.0.0/^33", "longer than the address"),
        ("src fc00::/^129", "expected an address"),
        ("src 10.0.0.0/^", "expected an address"),
        ("src 10.0.0.^1/8", "bits behind its prefix"),
        ("src 10.^3.0.1/8", "bits behind its prefix"),
        ("src ^10.0.0.0/6", "bits behind its prefix"),
        ("src ^10.0.0.0/0", "bits behind its prefix"),
        ("dst fc00::^1/64", "bits behind its prefix"),
        ("dst fc00:0:^7::1/32", "bits behind its prefix"),
        ("dst ^fc00::/3", "bits behind its prefix"),
        ("dst 1:2:3:4:5:6:7:^8/112", "bits behind its prefix"),
        ("dst ::^1.2.3.4/96", "bits behind its prefix"),
        ("dst ^::ffff:10.0.0.1", "write the IPv4 address"),
        ("dport^", "expected a port"),
        ("dport ^http", "expected a port"),
        ("dport ^65536", "expected a port"),
        ("dport ^022", "no zeros in front"),
        ("dport 22^x", "expected a port"),
        ("dport 22^k", "expected a port"),
        ("dport ^0x", "expected a port"),
        ("dport ^0x-1", "expected a port"),
        ("dport 80-^79", "ends before it begins"),
        ("dport 80-^", "expected a port"),
        ("dport ^-80", "expected a port"),
        ("dport ^- 80", "expected a port"),
        ("dport > ^1-2", "one number"),
        ("dport < ^{1, 2}", "expected a port"),
        ("dport ^(22)", "expected a port"),
        ("dport {^}", "expected a port"),
        ("dport {22 ^80}", "expected `,` or `}`"),
        ("dport {22, ^}", "expected a port"),
        ("dport {22^", "expected `,` or `}`"),
        ("icmp type ^256", "0 to 255"),
        ("mark ^0x100/0xff", "bits outside of its mask"),
        ("mark ^4294967296", "expected a mark"),
        ("mark 1/^4294967296", "expected a mark"),
        ("mark > ^1/1", "without a mask"),
        ("zone ^65536", "0 to 65535"),
        ("tcp state ^ESTABLISHED", "in small letters"),
        ("tcp state ^3", "in small letters"),
        ("sctp state ^syn_sent", "in small letters"),
        ("label ^\"a\"", "no names of labels were given"),
        ("label ^a", "stands in quotes"),
        ("label ^128", "0 to 127"),
        ("helper ^ftp", "stands in quotes"),
        ("helper ^\"\"", "1 to 15 bytes"),
        ("helper ^\"sixteen-bytes-16\"", "1 to 15 bytes"),
        ("id ^4294967296", "0 to 4294967295"),
        ("timeout 5^M", "expected a time"),
        ("timeout 5^ms", "expected a time"),
        ("timeout 0x5^s", "expected a time"),
        ("timeout ^4294967296", "expected a time"),
        ("bytes 1^K", "expected a number"),
        ("bytes ^99999999999999999999", "expected a number"),
        ("bytes ^99999999999999G", "expected a number"),
    ] {
        let offset = text.find('^').unwrap();
        let error = text.replacen('^', "", 1).parse::<Expression>().unwrap_err();
        assert_eq!(error.offset(), Some(offset), "{text}: {error}");
        assert_eq!(error.kind(), ErrorKind::Syntax);
        let said = error.to_string();
        assert!(said.contains(what) && said.ends_with(&format!(" (at byte {offset})")), "{said}");
    }
}

#[test]
fn labels_have_names_where_a_map_is_given() {
    let names = LabelMap::parse(&b"3 eth0-in\n127 via isp\n200 beyond\n"[..]).unwrap().unwrap();
    let read = |text| Expression::parse_with_labels(text, &names);
    let two = read("label {\"eth0-in\", \"via isp\", 9}").unwrap();
    assert_eq!(two.to_string(), "label {3, 127, 9}");
    assert_eq!(parsed(&two.to_string()), two);
    for (text, offset, what) in [
        ("label \"eth1\"", 6, "no label has this name"),
        ("label != {3, \"beyond\"}", 13, "above 127"),
    ] {
        let error = read(text).unwrap_err();
        assert!(error.offset() == Some(offset) && error.to_string().contains(what), "{error}");
    }
}

#[test]
fn depth_is_limited_and_length_is_not() {
    let nested = |depth| format!("{}tcp{}", "(".repeat(depth), ")".repeat(depth));
    assert_eq!(parsed(&nested(64)).to_string(), "tcp");
    let error = nested(65).parse::<Expression>().unwrap_err();
    assert_eq!(error.offset(), Some(64));
    let (deep, long) = if cfg!(miri) { (1 << 8, 100) } else { (1 << 20, 50_000) };
    assert!("(".repeat(deep).parse::<Expression>().is_err());
    let mixed = |depth: usize| "not (tcp or udp and ".repeat(depth) + "icmp" + &")".repeat(depth);
    assert_eq!(parsed(&mixed(64)).to_string(), mixed(64));
    let text = "not ".repeat(2 * long + 1) + "tcp" + &" and udp".repeat(long);
    assert_eq!(parsed(&text).to_string(), text.replacen(&"not ".repeat(2 * long), "", 1));
}
