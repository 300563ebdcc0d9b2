//! The headers declare the interface in `capi-tests/abi`: no less and no more.
//!
//! The tables there are facts about libnetfilter_conntrack 1.1.1: its functions, the values of its
//! constants, the layout of its types.
#![forbid(unsafe_code)]

mod compilers;

use compilers::{
    C, CXX, HEADERS, Language, NFNETLINK_CASES, Nfnetlink, Unit, all_headers, check_in_both,
    compilers, here, include, include_dir, run,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The kernel's headers that programs include beside ours.
const UAPI: &str = "\
#include <linux/netlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
";

/// The one of them that fits our main header, but not the satellite with the TCP states.
const UAPI_TCP: &str = "#include <linux/netfilter/nf_conntrack_tcp.h>\n";

const DEPRECATED: [&str; 8] = [
    "nfct_build_conntrack",
    "nfct_build_query",
    "nfct_maxsize",
    "nfct_parse_conntrack",
    "nfct_sizeof",
    "nfexp_build_expect",
    "nfexp_build_query",
    "nfexp_parse_expect",
];

/// The rows of a table in `capi-tests/abi`.
fn rows(table: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(here().join("abi").join(table)).expect("a table");
    text.lines()
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split('\t').map(str::to_owned).collect())
        .collect()
}

#[test]
fn every_header_compiles_alone_and_twice() {
    for nfnetlink in NFNETLINK_CASES {
        for header in HEADERS {
            let source = include(header).repeat(2) + "int ctrs_unit;\n";
            let name = format!("alone-{}-{}", header.replace('/', "-"), nfnetlink as u8);
            let unit = Unit {
                name: &name,
                source: &source,
                language: Language::C,
                standard: "",
                nfnetlink,
            };
            C.iter().for_each(|standard| Unit { standard, ..unit }.check());
            CXX.iter().for_each(|standard| {
                Unit { standard, language: Language::Cxx, ..unit }.check();
            });
        }
    }
}

#[test]
fn absence_of_libnfnetlink_is_tested_without_it() {
    let source = "#if __has_include(<libnfnetlink/libnfnetlink.h>)\n#error\n#endif\nint unit;\n";
    let unit = Unit {
        name: "absent",
        source,
        language: Language::C,
        standard: "gnu17",
        nfnetlink: Nfnetlink::Absent,
    };
    unit.check();
}

#[test]
fn prototypes_are_those_of_the_table() {
    let prototypes: String = rows("symbols.txt").iter().map(|row| row[2].clone() + "\n").collect();
    let allow = "#pragma GCC diagnostic ignored \"-Wredundant-decls\"\n";
    let c = all_headers() + allow + &prototypes;
    let cxx = format!("{}{allow}extern \"C\" {{\n{prototypes}}}\n", all_headers());
    for nfnetlink in NFNETLINK_CASES {
        check_in_both("prototypes", nfnetlink, &c, &cxx);
    }
}

/// What programs use although they include nothing but the main header.
const TRANSITIVE: &str = "\
extern bool yes;
bool yes = true;
int use_transitive(struct nfgenmsg *, struct nlmsghdr *);
int use_transitive(struct nfgenmsg *body, struct nlmsghdr *head)
{
    uint32_t option = NETLINK_NO_ENOBUFS + SOL_NETLINK + IPPROTO_TCP + AF_INET6;
    ssize_t length = (ssize_t)sizeof(*head) + (ssize_t)sizeof(*body);
    return (int)option + (int)length + htons(1) + NFNL_SUBSYS_CTNETLINK_EXP + NFNETLINK_V0
        + NF_NETLINK_CONNTRACK_EXP_DESTROY + IPCTNL_MSG_CT_NEW + CTA_STATS_MAX + IPS_NAT_MASK;
}
";

/// The same, of libnfnetlink's own.
const TRANSITIVE_NFNETLINK: &str = "\
int use_nfnetlink(struct nfct_handle *, struct nlif_handle *);
int use_nfnetlink(struct nfct_handle *handle, struct nlif_handle *interfaces)
{
    unsigned int flags = NETLINK_BROADCAST_SEND_ERROR;
    nlif_get_ifflags(interfaces, 1, &flags);
    return nlif_fd(interfaces) + nlif_query(interfaces) + nlif_catch(interfaces)
        + (int)nfnl_portid(nfct_nfnlh(handle))
        + (int)nfnl_rcvbufsiz(nfct_nfnlh(handle), flags);
}
";

#[test]
fn main_header_brings_what_programs_count_on() {
    let source = include(HEADERS[1]) + TRANSITIVE;
    for nfnetlink in NFNETLINK_CASES {
        check_in_both("transitive", nfnetlink, &source, &source);
    }
    let source = source + TRANSITIVE_NFNETLINK;
    check_in_both("transitive-nfnetlink", Nfnetlink::Installed, &source, &source);
}

/// Whether a name comes from libnfnetlink.
fn is_foreign(header: &str) -> bool {
    header.contains("libnfnetlink")
}

/// Names that the kernel's header may lack. It has the guard of ours, and wins if it comes first.
fn is_newer_than_uapi(name: &str) -> bool {
    name.starts_with("CTA_FILTER_FLAG_")
        || ["CTA_TIMESTAMP_EVENT", "CTA_MAX", "__CTA_MAX"].contains(&name)
}

/// Assertions about the constants that `wanted` selects by name and header: the value, that macros
/// are macros and enumerators are not, and in C++ that an enumerator is of its enum.
fn constant_assertions(wanted: impl Fn(&str, &str) -> bool, language: Language) -> String {
    let mut source = String::new();
    for row in rows("constants.tsv") {
        let [name, value, kind, header] = &row[..] else { panic!("{row:?}") };
        if !wanted(name, header) || kind.contains("function-like") {
            continue;
        }
        let assert = if language == Language::C { "_Static_assert" } else { "static_assert" };
        source += &format!("{assert}({name} == {value}, \"{name}\");\n");
        if is_foreign(header) {
            continue;
        }
        let directive = if kind == "macro" { "ifndef" } else { "ifdef" };
        source += &format!("#{directive} {name}\n#error {name} is not a {kind}\n#endif\n");
        let tagged = kind.starts_with("enum ") && !kind.contains("anonymous");
        if language == Language::Cxx && tagged {
            source += &format!("static_assert(__is_same(decltype({name}), {kind}), \"{name}\");\n");
        }
    }
    source
}

/// Compiles the assertions behind `prelude` in both languages.
fn check_constants(
    name: &str,
    prelude: &str,
    nfnetlink: Nfnetlink,
    wanted: impl Fn(&str, &str) -> bool,
) {
    let c = prelude.to_owned() + &constant_assertions(&wanted, Language::C);
    let cxx = prelude.to_owned() + &constant_assertions(&wanted, Language::Cxx);
    check_in_both(name, nfnetlink, &c, &cxx);
}

#[test]
fn constants_have_the_values_of_the_table() {
    for nfnetlink in NFNETLINK_CASES {
        let name = format!("constants-{}", nfnetlink as u8);
        check_constants(&name, &all_headers(), nfnetlink, |_, header| {
            nfnetlink == Nfnetlink::Installed || !is_foreign(header)
        });
    }
}

#[test]
fn constants_agree_with_the_kernels_headers() {
    let main = include(HEADERS[1]);
    let of_main = |header: &str| {
        ["libnetfilter_conntrack.h", "linux_nf_conntrack_common.h", "linux_nfnetlink_conntrack.h"]
            .contains(&header)
    };
    for nfnetlink in NFNETLINK_CASES {
        let after = format!("{}{UAPI}", all_headers());
        let own = |_: &str, header: &str| !is_foreign(header);
        check_constants("uapi-after", &after, nfnetlink, own);
        let after = format!("{main}{UAPI}{UAPI_TCP}");
        check_constants("uapi-tcp-after", &after, nfnetlink, |_, header| of_main(header));
        let before = format!("{UAPI}{}", all_headers());
        let old = |name: &str, header: &str| !is_foreign(header) && !is_newer_than_uapi(name);
        check_constants("uapi-before", &before, nfnetlink, old);
        let before = format!("{UAPI}{UAPI_TCP}{main}");
        check_constants("uapi-tcp-before", &before, nfnetlink, |name, header| {
            of_main(header) && !is_newer_than_uapi(name)
        });
    }
}

#[test]
fn the_macro_with_an_argument_has_its_values() {
    let assertions: String = (0..6)
        .map(|info| {
            format!("_Static_assert(NF_CT_STATE_BIT({info}) == {}, \"\");\n", 2 << (info % 3))
        })
        .collect();
    let extra = "_Static_assert(NF_CT_STATE_BIT(3 + 2) == 8, \"its argument may be a sum\");\n";
    let c = include(HEADERS[9]) + &assertions + extra;
    let cxx = c.replace("_Static_assert", "static_assert");
    check_in_both("state-bit", Nfnetlink::Absent, &c, &cxx);
}

/// Assertions, in C++, about a row of the table of types.
fn layout_assertion(row: &[String]) -> String {
    let [record, of, field, offset, size, align, ctype, _] = row else { panic!("{row:?}") };
    let member = format!("{}::{field}", of.split(' ').next_back().unwrap());
    match record.as_str() {
        "type" => format!(
            "static_assert(sizeof({of}) == {size} && alignof({of}) == {align}, \"{of}\");\n"
        ),
        "field" => format!(
            "static_assert(__builtin_offsetof({of}, {field}) == {offset}, \"{member}\");\n\
             static_assert(__is_same(decltype({member}), {ctype}), \"{member}\");\n"
        ),
        "enum" => {
            format!("static_assert(__is_same(__underlying_type({of}), {ctype}), \"{of}\");\n")
        }
        // A type that the program could still define is one the header does not.
        "opaque" => format!("{of} {{ int defined_by_the_program; }};\n"),
        "shared" => String::new(),
        _ => panic!("{record}"),
    }
}

#[test]
fn types_have_the_layout_of_the_table() {
    for nfnetlink in NFNETLINK_CASES {
        let assertions: String = rows("structs.tsv")
            .iter()
            .filter(|row| nfnetlink == Nfnetlink::Installed || !is_foreign(&row[7]))
            .map(|row| layout_assertion(row))
            .collect();
        let source = all_headers() + &assertions;
        let language = Language::Cxx;
        Unit { name: "layout", source: &source, language, standard: "c++17", nfnetlink }.check();
    }
}

fn names_in_table() -> BTreeSet<String> {
    rows("symbols.txt").into_iter().map(|mut row| row.swap_remove(0)).collect()
}

/// The functions that our headers declare, as the compiler lists them.
fn declared_functions() -> BTreeSet<String> {
    let source = all_headers();
    let unit = Unit {
        name: "declared",
        source: &source,
        language: Language::C,
        standard: "gnu17",
        nfnetlink: Nfnetlink::Absent,
    };
    let list = Path::new(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("declared-{:?}.txt", std::thread::current().id()));
    run(unit.command("gcc").arg("-aux-info").arg(&list)).unwrap();
    let name = |line: &str| {
        let declaration = line.split_once("*/")?.1.split(" (").next()?;
        Some(declaration.rsplit([' ', '*']).next()?.to_owned())
    };
    let ours = include_dir();
    let text = std::fs::read_to_string(list).unwrap();
    text.lines().filter(|line| line.contains(ours.to_str().unwrap())).filter_map(name).collect()
}

#[test]
fn headers_declare_the_functions_of_the_table_and_extensions() {
    let (declared, table) = (declared_functions(), names_in_table());
    assert_eq!(table.len(), 105);
    let missing: Vec<_> = table.difference(&declared).collect();
    let (extensions, extra): (Vec<_>, Vec<_>) =
        declared.difference(&table).partition(|name| name.starts_with("ctrs_"));
    assert!(missing.is_empty() && extra.is_empty(), "missing: {missing:?}, extra: {extra:?}");
    assert!(extensions.contains(&&"ctrs_version".to_owned()));
}

/// Each constant is in the table, and is a macro or of the enum that the table says; an enum that
/// has no tag there has none here, for generators of bindings put the tag into the names. What ctrs.h
/// adds bears its prefix.
#[test]
fn headers_define_no_other_names() {
    let known: BTreeMap<_, _> =
        rows("constants.tsv").into_iter().map(|row| (row[0].clone(), row[2].clone())).collect();
    for header in HEADERS {
        let text = std::fs::read_to_string(include_dir().join(header)).unwrap();
        let guard = text.lines().find_map(|line| line.strip_prefix("#ifndef ")).unwrap();
        let mut tag = "";
        for line in text.lines().map(str::trim).filter(|line| !line.starts_with(['/', '*'])) {
            if let Some(head) = line.strip_suffix(" {").filter(|head| head.starts_with("enum")) {
                tag = if head == "enum" { "enum (anonymous)" } else { head };
            }
            let (name, kind) = match (line.strip_prefix("#define "), line.split_once(" = ")) {
                (Some(macro_), _) => (macro_.split([' ', '(']).next().unwrap(), "macro"),
                (None, Some((enumerator, _))) => (enumerator, tag),
                _ => continue,
            };
            if header == "ctrs.h" && name.starts_with("CTRS_") {
                continue;
            }
            let wanted = known.get(name).map(|kind| kind.trim_end_matches(" (function-like)"));
            assert!(name == guard || wanted == Some(kind), "{header}: {kind} {name}: {wanted:?}");
        }
    }
}

#[test]
fn eight_functions_are_deprecated() {
    let uses: String = names_in_table()
        .iter()
        .map(|name| format!("_Static_assert(sizeof(&{name}) > 0, \"a use\");\n"))
        .collect();
    let source = all_headers() + &uses;
    let unit = Unit {
        name: "deprecated",
        source: &source,
        language: Language::C,
        standard: "gnu17",
        nfnetlink: Nfnetlink::Absent,
    };
    for compiler in compilers(Language::C) {
        let mut command = unit.command(compiler);
        command.arg("-Wno-error=deprecated-declarations");
        let said = run(&mut command).unwrap();
        let mentioned: BTreeSet<_> = said
            .lines()
            .filter(|line| line.contains("is deprecated"))
            .filter_map(|line| line.split('\'').nth(1))
            .collect();
        assert_eq!(mentioned, BTreeSet::from(DEPRECATED), "{compiler}");
    }
}
