//! The headers declare the interface in `capi-tests/abi`: no less and no more.
//!
//! The tables there are facts about the originals: their functions, the values of their constants, the
//! layout of their types.
#![forbid(unsafe_code)]

mod compilers;

use capi_tests::libraries::{LIBRARIES, Library, Symbol};
use compilers::{
    C, CXX, Language, NFNETLINK_CASES, Nfnetlink, Unit, all_headers, check_in_both, compilers,
    headers, include, include_dir, run,
};
use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

/// The kernel's headers that programs include beside ours.
fn uapi() -> String {
    LIBRARIES.iter().flat_map(|library| library.kernel).map(|header| include(header)).collect()
}

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

/// The main header of libnetfilter_conntrack.
const MAIN: &str = "libnetfilter_conntrack/libnetfilter_conntrack.h";

/// Whether a header includes libnfnetlink's where these are installed.
fn has_nfnetlink(header: &str) -> bool {
    let source = include(header);
    let name = format!("has-{}", header.replace('/', "-"));
    let unit = Unit {
        name: &name,
        source: &source,
        language: Language::C,
        standard: "gnu17",
        nfnetlink: Nfnetlink::Installed,
    };
    run(unit.command("gcc").arg("-M")).unwrap().contains("/libnfnetlink/")
}

#[test]
fn every_header_compiles_alone_and_twice() {
    for header in headers() {
        let cases =
            if has_nfnetlink(&header) { &NFNETLINK_CASES[..] } else { &NFNETLINK_CASES[..1] };
        for &nfnetlink in cases {
            let source = include(&header).repeat(2) + "int ctrs_unit;\n";
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
    let declared = declared_functions();
    let prototypes: String = LIBRARIES
        .iter()
        .flat_map(Library::symbols)
        .filter(|symbol| declared.contains(&symbol.name) || !symbol.is_function())
        .map(|symbol| symbol.prototype + "\n")
        .collect();
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
    let source = include(MAIN) + TRANSITIVE;
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

/// A row of a table of constants.
struct Constant {
    library: &'static Library,
    name: String,
    value: String,
    /// `macro`, or the enum that it is of.
    kind: String,
    /// Below the include folder.
    header: String,
}

impl Constant {
    /// Whether our headers bring it, though that of libnfnetlink may be absent.
    fn is_own(&self) -> bool {
        self.header.starts_with(self.library.name)
    }

    /// Whether it has the same value where the kernel's headers come first.
    fn agrees_with_kernel(&self) -> bool {
        !is_foreign(&self.header) && self.library.agrees_with_kernel(&self.name)
    }
}

fn constants() -> Vec<Constant> {
    let of = |library: &'static Library| {
        library.rows("constants.tsv").into_iter().map(move |row| {
            let [name, value, kind, header] = row.try_into().expect("four columns");
            Constant { library, name, value, kind, header }
        })
    };
    LIBRARIES.iter().flat_map(of).collect()
}

/// Assertions about the constants that `wanted` selects: the value, that macros
/// are macros and enumerators are not, and in C++ that an enumerator is of its enum.
fn constant_assertions(wanted: impl Fn(&Constant) -> bool, language: Language) -> String {
    let mut source = String::new();
    for constant in constants() {
        let Constant { name, value, kind, header, .. } = &constant;
        if !wanted(&constant) || kind.contains("function-like") {
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
    wanted: impl Fn(&Constant) -> bool,
) {
    let c = prelude.to_owned() + &constant_assertions(&wanted, Language::C);
    let cxx = prelude.to_owned() + &constant_assertions(&wanted, Language::Cxx);
    check_in_both(name, nfnetlink, &c, &cxx);
}

#[test]
fn constants_have_the_values_of_the_table() {
    for nfnetlink in NFNETLINK_CASES {
        let name = format!("constants-{}", nfnetlink as u8);
        check_constants(&name, &all_headers(), nfnetlink, |constant| {
            let foreign = is_foreign(&constant.header) && nfnetlink == Nfnetlink::Installed;
            constant.is_own() || foreign
        });
    }
}

#[test]
fn constants_agree_with_the_kernels_headers() {
    let main = include(MAIN);
    let of_main = |constant: &Constant| {
        [MAIN, "linux_nf_conntrack_common.h", "linux_nfnetlink_conntrack.h"]
            .iter()
            .any(|header| constant.header.ends_with(header))
    };
    let uapi = uapi();
    for nfnetlink in NFNETLINK_CASES {
        let after = format!("{}{uapi}", all_headers());
        let all = |constant: &Constant| !is_foreign(&constant.header);
        check_constants("uapi-after", &after, nfnetlink, all);
        let after = format!("{main}{uapi}{UAPI_TCP}");
        check_constants("uapi-tcp-after", &after, nfnetlink, of_main);
        let before = format!("{uapi}{}", all_headers());
        check_constants("uapi-before", &before, nfnetlink, Constant::agrees_with_kernel);
        let before = format!("{uapi}{UAPI_TCP}{main}");
        check_constants("uapi-tcp-before", &before, nfnetlink, |constant| {
            of_main(constant) && constant.agrees_with_kernel()
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
    let c = include("libnetfilter_conntrack/linux_nf_conntrack_common.h") + &assertions + extra;
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
        let assertions: String = LIBRARIES
            .iter()
            .flat_map(|library| library.rows("structs.tsv"))
            .filter(|row| nfnetlink == Nfnetlink::Installed || !is_foreign(&row[7]))
            .map(|row| layout_assertion(&row))
            .collect();
        let source = all_headers() + &assertions;
        let language = Language::Cxx;
        Unit { name: "layout", source: &source, language, standard: "c++17", nfnetlink }.check();
    }
}

fn names(library: &Library) -> BTreeSet<String> {
    let functions = library.symbols().into_iter().filter(Symbol::is_function);
    functions.map(|symbol| symbol.name).collect()
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
    let mut declared = declared_functions();
    for library in &LIBRARIES {
        let table = names(library);
        let missing: Vec<_> = table.difference(&declared).cloned().collect();
        assert!(missing.is_empty() || library.unfinished, "{} lacks {missing:?}", library.name);
        declared.retain(|name| !table.contains(name));
    }
    let (extensions, extra): (Vec<_>, Vec<_>) =
        declared.iter().partition(|name| name.starts_with("ctrs_"));
    assert!(extra.is_empty(), "extra: {extra:?}");
    assert!(extensions.contains(&&"ctrs_version".to_owned()));
}

/// Each constant is in the table, and is a macro or of the enum that the table says; an enum that
/// has no tag there has none here, for generators of bindings put the tag into the names. What ctrs.h
/// adds bears its prefix.
#[test]
fn headers_define_no_other_names() {
    let known: BTreeMap<_, _> =
        constants().into_iter().map(|constant| (constant.name, constant.kind)).collect();
    for header in headers() {
        let text = std::fs::read_to_string(include_dir().join(&header)).unwrap();
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
            let added = || LIBRARIES.iter().flat_map(|library| library.added);
            if header == "ctrs.h" && name.starts_with("CTRS_")
                || added().any(|function| line.ends_with(&format!(" {function}")))
            {
                continue;
            }
            let wanted = known.get(name).map(|kind| kind.trim_end_matches(" (function-like)"));
            assert!(name == guard || wanted == Some(kind), "{header}: {kind} {name}: {wanted:?}");
        }
    }
}

#[test]
fn eight_functions_are_deprecated() {
    let uses: String = names(&LIBRARIES[0])
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
