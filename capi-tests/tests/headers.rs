//! The headers in `include/` are what cbindgen makes of `src/capi`, today.
//!
//! `CTRS_UPDATE_HEADERS=1 cargo test --manifest-path capi-tests/Cargo.toml --test headers` writes them.
#![forbid(unsafe_code)]

use cbindgen::{Builder, Config};
use std::path::{Path, PathBuf};

/// One header: where it goes, its guard, the sources of its declarations below `src/capi`, and the
/// C text before them.
struct Header {
    path: &'static str,
    guard: &'static str,
    sources: &'static [&'static str],
    text: &'static str,
}

const HEADERS: [Header; 11] = [
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack.h",
        guard: "_LIBNETFILTER_CONNTRACK_H_",
        sources: &[
            "types.rs",
            "header/attr.rs",
            "header/api.rs",
            "handle.rs",
            "callback.rs",
            "query.rs",
            "entry.rs",
            "attr.rs",
            "group.rs",
            "bitmask.rs",
            "labelmap.rs",
            "print.rs",
            "filter.rs",
            "dump.rs",
            "nlmsg.rs",
            "expect.rs",
        ],
        text: MAIN,
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_tcp.h",
        guard: "_LIBNETFILTER_CONNTRACK_TCP_H_",
        sources: &["header/tcp.rs"],
        text: "",
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_sctp.h",
        guard: "_LIBNETFILTER_CONNTRACK_SCTP_H_",
        sources: &["header/sctp.rs"],
        text: "",
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_dccp.h",
        guard: "_LIBNETFILTER_CONNTRACK_DCCP_H_",
        sources: &["header/dccp.rs"],
        text: "",
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_udp.h",
        guard: "_LIBNETFILTER_CONNTRACK_UDP_H_",
        sources: &["header/udp.rs"],
        text: "",
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_icmp.h",
        guard: "_LIBNETFILTER_CONNTRACK_ICMP_H_",
        sources: &["header/icmp.rs"],
        text: "",
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_ipv4.h",
        guard: "_LIBNETFILTER_CONNTRACK_IPV4_H_",
        sources: &[],
        text: EMPTY,
    },
    Header {
        path: "libnetfilter_conntrack/libnetfilter_conntrack_ipv6.h",
        guard: "_LIBNETFILTER_CONNTRACK_IPV6_H_",
        sources: &[],
        text: EMPTY,
    },
    Header {
        path: "libnetfilter_conntrack/linux_nf_conntrack_common.h",
        guard: "_NF_CONNTRACK_COMMON_H",
        sources: &["header/linux_nf_conntrack_common.rs"],
        text: COMMON,
    },
    Header {
        path: "libnetfilter_conntrack/linux_nfnetlink_conntrack.h",
        guard: "_IPCONNTRACK_NETLINK_H",
        sources: &["header/linux_nfnetlink_conntrack.rs"],
        text: CTNETLINK,
    },
    Header { path: "ctrs.h", guard: "CTRS_H", sources: &["../ctrs/version.rs"], text: CTRS },
];

/// What comes before the declarations of the main header. Programs count on all of it.
///
/// libnfnetlink's functions and constants reach programs through this header alone. Where that
/// library is not installed, the kernel's headers have all but its functions. The four TCP flags
/// are spelled as in the kernel's `nf_conntrack_tcp.h`, which programs may include as well.
const MAIN: &str = "\
/* Threads: an object or a handle is used by one thread at a time; different ones by different
 * threads without any lock, for nothing is shared between them. Objects may be read (getters,
 * printing, comparison, copies of them) by several threads at once while none changes them, and
 * may be destroyed by another thread than the one that made them. A handle shared over fork() is
 * read by one of the two processes only.
 *
 * Callbacks may call any function, on their own handle too; a query inside a callback uses a socket
 * of its own in the handle's network namespace, so that nothing of the outer answer is missed.
 *
 * A callback may end its call by NFCT_CB_STOP, by an exception of C++ or by longjmp(), a handler of
 * a signal by siglongjmp(). The object it was handed is then the handle's again with the next call
 * on the handle, which goes on as before; what is unread of a dump stays to be read with
 * nfct_catch(), or is passed over by the next dump.
 *
 * A thread can be cancelled in nfct_query(), nfct_send(), nfct_catch(), their nfexp_ siblings,
 * nfct_close() and nfct_labelmap_new(), while it waits or before. Its cleanup handlers may use the
 * handle or close it. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <netinet/in.h>
#ifdef __has_include
#if __has_include(<libnfnetlink/libnfnetlink.h>)
#include <libnfnetlink/libnfnetlink.h>
#else
#include <linux/netlink.h>
#include <linux/netfilter/nfnetlink.h>
#endif
#else
#include <libnfnetlink/libnfnetlink.h>
#endif
#include \"linux_nfnetlink_conntrack.h\"
#include \"linux_nf_conntrack_common.h\"

/// Flag of `ATTR_TCP_FLAGS_*`: the sender advertises window scaling.
#define IP_CT_TCP_FLAG_WINDOW_SCALE 0x01
/// Flag of `ATTR_TCP_FLAGS_*`: the sender permits selective acknowledgements.
#define IP_CT_TCP_FLAG_SACK_PERM 0x02
/// Flag of `ATTR_TCP_FLAGS_*`: the sender has sent the first FIN.
#define IP_CT_TCP_FLAG_CLOSE_INIT 0x04
/// Flag of `ATTR_TCP_FLAGS_*`: packets outside the window are not invalid.
#define IP_CT_TCP_FLAG_BE_LIBERAL 0x08";

/// Before the declarations of the header that stands for the kernel's `nfnetlink_conntrack.h`.
const CTNETLINK: &str = "\
#ifdef __has_include
#if __has_include(<libnfnetlink/linux_nfnetlink.h>)
#include <libnfnetlink/linux_nfnetlink.h>
#else
#include <linux/netfilter/nfnetlink.h>
#endif
#else
#include <libnfnetlink/linux_nfnetlink.h>
#endif";

/// cbindgen has no macros with arguments.
const COMMON: &str = "\
/// State bit of packets with this `enum ip_conntrack_info`, in either direction.
#define NF_CT_STATE_BIT(ctinfo) (1 << ((ctinfo) % IP_CT_IS_REPLY + 1))";

/// A pragma, for `#warning` would break builds that make warnings errors.
const EMPTY: &str = "#pragma message(\"this header is empty: there is no need to include it\")";

const CTRS: &str = "\
/* What ctrs has beyond the interface of libnetfilter_conntrack. */

#include \"libnetfilter_conntrack/libnetfilter_conntrack.h\"";

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Whether the compiler never sees this source.
fn is_header_only(source: &Path) -> bool {
    source.parent().is_some_and(|directory| directory.ends_with("header"))
}

/// The types that a source declares: cbindgen has to be told about those no function mentions.
fn declared_types(source: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(source).unwrap_or_else(|e| panic!("{source:?}: {e}"));
    let name = |line: &str| {
        let rest = ["pub enum ", "pub struct ", "pub union "]
            .iter()
            .find_map(|keyword| line.strip_prefix(keyword))?;
        rest.split([' ', ';']).next().map(str::to_owned)
    };
    text.lines().filter_map(name).collect()
}

fn generate(header: &Header) -> String {
    let sources: Vec<_> =
        header.sources.iter().map(|name| root().join("src/capi/conntrack").join(name)).collect();
    let mut config = Config::from_file(root().join("cbindgen.toml")).expect("cbindgen.toml");
    config.include_guard = Some(header.guard.to_owned());
    config.autogen_warning =
        Some("/* Generated by cbindgen from src/capi: change it there. */".to_owned());
    config.after_includes = Some(header.text.to_owned()).filter(|text| !text.is_empty());
    let of_types = |path: &&PathBuf| path.ends_with("types.rs") || is_header_only(path);
    config.export.include =
        sources.iter().filter(of_types).flat_map(|path| declared_types(path)).collect();
    let builder = sources.iter().fold(Builder::new().with_config(config), Builder::with_src);
    let mut text = Vec::new();
    builder.generate().expect("cbindgen").write(&mut text);
    for_old_compilers(&String::from_utf8(text).expect("headers are ASCII"))
}

/// The enums that have no tag in C: a generator of bindings puts a tag before the constants' names.
const ANONYMOUS: [&str; 8] = [
    "nfct_callback_result",
    "nfct_compare_flags",
    "nfct_copy_flags",
    "nfct_get_option",
    "nfct_output_flags",
    "nfct_output_type",
    "nfct_set_option",
    "nfct_subsystem",
];

/// Declarations as C90 and C++98 have them: block comments, and no comma behind the last
/// enumerator. cbindgen writes neither: its own block comments take two lines more.
fn for_old_compilers(text: &str) -> String {
    let lines: Vec<&str> = text.lines().collect();
    let mut out = String::new();
    for (number, line) in lines.iter().enumerate() {
        let around = |at: Option<usize>| {
            at.and_then(|at| lines.get(at)).map_or("", |line| line.trim_start())
        };
        let next = around(Some(number + 1));
        if let Some((indent, comment)) = line.split_once("///").filter(|(i, _)| i.trim() == "") {
            let first = !around(number.checked_sub(1)).starts_with("///");
            out += &format!("{indent}{}{comment}", if first { "/**" } else { " *" });
            out += &match next.starts_with("///") {
                true => String::new(),
                false if line.len() > 97 => format!("\n{indent} */"),
                false => " */".to_owned(),
            };
        } else if let Some(tag) = ANONYMOUS.iter().find(|tag| *line == format!("enum {tag} {{")) {
            out += &line.replacen(&format!("{tag} "), "", 1);
        } else if let Some((code, comment)) = line.split_once("//") {
            out += &format!("{code}/*{comment} */");
        } else {
            out += if next == "};" { line.trim_end_matches(',') } else { line };
        }
        out.push('\n');
    }
    out
}

/// The first line that differs, for a message.
fn first_difference(old: &str, new: &str) -> String {
    let (mut old, mut new) = (old.lines(), new.lines());
    for number in 1.. {
        let (old, new) = (old.next(), new.next());
        if old != new {
            return format!("line {number}: {old:?} is to be {new:?}");
        }
        if old.is_none() {
            break;
        }
    }
    "line ends differ".to_owned()
}

#[test]
fn committed_headers_are_up_to_date() {
    let update = std::env::var_os("CTRS_UPDATE_HEADERS").is_some_and(|value| value == "1");
    let mut stale = Vec::new();
    for header in &HEADERS {
        let path = root().join("include").join(header.path);
        let new = generate(header);
        let old = std::fs::read_to_string(&path).unwrap_or_default();
        if old == new {
            continue;
        }
        if update {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(&path, new).unwrap();
        } else {
            stale.push(format!("{}: {}", header.path, first_difference(&old, &new)));
        }
    }
    assert!(
        stale.is_empty(),
        "include/ is not what src/capi says; write it with\n    \
         CTRS_UPDATE_HEADERS=1 cargo test --manifest-path capi-tests/Cargo.toml --test headers\n{}",
        stale.join("\n")
    );
}

#[test]
fn every_exporting_source_is_read() {
    let listed: Vec<_> = HEADERS.iter().flat_map(|header| header.sources).collect();
    for entry in std::fs::read_dir(root().join("src/capi/conntrack")).unwrap() {
        let path = entry.unwrap().path();
        let exports = path.is_file()
            && std::fs::read_to_string(&path).unwrap().contains("#[unsafe(no_mangle)]");
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            !exports || listed.contains(&&name),
            "src/capi/conntrack/{name} exports functions: add it to the sources of a header above"
        );
    }
}
