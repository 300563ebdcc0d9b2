//! The libraries that drop-in ones take the place of, as facts about the originals. What their headers
//! declare is in `abi/NAME/`: functions, constants and types.

use std::path::{Path, PathBuf};

/// A library, and what programs rely on beside its functions.
pub struct Library {
    /// Of its headers' folder, its package configuration and, with `.so`, its file.
    pub name: &'static str,
    pub soname: &'static str,
    /// The file that its SONAME is a link to.
    pub file: &'static str,
    /// What it brings to programs that do not name it, in order.
    pub needed: &'static [&'static str],
    /// What the header makes of one of its functions in programs whose times are wider than a `long`; the
    /// original has none.
    pub added: &'static [&'static str],
    /// The version that its package configuration says.
    pub version: &'static str,
    /// The kernel's headers that programs include beside its own.
    pub kernel: &'static [&'static str],
    /// Names that have another value, or are none, when the kernel's header of the same guard is first;
    /// `*` at the end stands for any rest.
    pub kernel_differs: &'static [&'static str],
    /// The most bytes of the drop-in library. It takes a place where nobody asked for more: what it was
    /// when all its functions were there, and a fiftieth.
    pub most: u64,
    /// Whether some of its functions are still to be made. What is there is tested; `tests/exports.rs`
    /// fails when this is said of a library that has them all.
    pub unfinished: bool,
}

pub const LIBRARIES: [Library; 4] = [
    Library {
        name: "libnetfilter_conntrack",
        soname: "libnetfilter_conntrack.so.3",
        file: "libnetfilter_conntrack.so.3.8.0",
        needed: &[],
        added: &[],
        version: "1.1.1",
        kernel: &[
            "linux/netlink.h",
            "linux/netfilter/nfnetlink.h",
            "linux/netfilter/nf_conntrack_common.h",
            "linux/netfilter/nfnetlink_conntrack.h",
        ],
        kernel_differs: &["CTA_FILTER_FLAG_*", "CTA_TIMESTAMP_EVENT", "CTA_MAX", "__CTA_MAX"],
        most: 446_896 * 102 / 100,
        unfinished: false,
    },
    Library {
        name: "libnetfilter_log",
        soname: "libnetfilter_log.so.1",
        file: "libnetfilter_log.so.1.2.0",
        needed: &["libnfnetlink.so.0", "libmnl.so.0"],
        added: &["nflog_get_timestamp_time64"],
        version: "1.0.2",
        kernel: &["linux/netfilter/nfnetlink.h", "linux/netfilter/nfnetlink_log.h"],
        kernel_differs: &["NFULA_MAX", "__NFULA_MAX"],
        most: 307_712 * 102 / 100,
        unfinished: false,
    },
    Library {
        name: "libnetfilter_cttimeout",
        soname: "libnetfilter_cttimeout.so.1",
        file: "libnetfilter_cttimeout.so.1.0.0",
        needed: &["libmnl.so.0"],
        added: &[],
        version: "1.0.1",
        kernel: &["linux/netfilter/nfnetlink_cttimeout.h"],
        kernel_differs: &[],
        most: 22_552 * 102 / 100,
        unfinished: false,
    },
    Library {
        name: "libnetfilter_cthelper",
        soname: "libnetfilter_cthelper.so.0",
        file: "libnetfilter_cthelper.so.0.0.0",
        needed: &["libmnl.so.0"],
        added: &[],
        version: "1.0.1",
        kernel: &["linux/netfilter/nfnetlink_cthelper.h"],
        kernel_differs: &[],
        most: 18_456 * 102 / 100,
        unfinished: false,
    },
];

/// A function, or the one object of data.
pub struct Symbol {
    pub name: String,
    pub prototype: String,
    /// The node that the original exports it in.
    pub node: Option<String>,
}

impl Symbol {
    /// As `nm` says it of the original: with its node, if it has one.
    pub fn exported(&self) -> String {
        match &self.node {
            Some(node) => format!("{}@@{node}", self.name),
            None => self.name.clone(),
        }
    }

    pub fn is_function(&self) -> bool {
        !self.prototype.starts_with("extern ")
    }
}

impl Library {
    /// The rows of a table of `abi/NAME`.
    ///
    /// # Panics
    ///
    /// When there is no such table.
    pub fn rows(&self, table: &str) -> Vec<Vec<String>> {
        let path = here().join("abi").join(self.name).join(table);
        let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        let rows = text.lines().filter(|line| !line.starts_with('#'));
        rows.map(|line| line.split('\t').map(str::to_owned).collect()).collect()
    }

    /// What it exports.
    pub fn symbols(&self) -> Vec<Symbol> {
        let symbol = |row: Vec<String>| {
            let mut fields = row.into_iter();
            let (name, prototype) = (fields.next(), fields.nth(1));
            Symbol {
                name: name.expect("a name"),
                prototype: prototype.expect("a prototype"),
                node: fields.next(),
            }
        };
        self.rows("symbols.txt").into_iter().map(symbol).collect()
    }

    /// Whether a name of its headers is the same where the kernel's come first.
    pub fn agrees_with_kernel(&self, name: &str) -> bool {
        !self.kernel_differs.iter().any(|differs| match differs.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == *differs,
        })
    }

    /// Its headers below `include/`, in order.
    ///
    /// # Panics
    ///
    /// When it has no folder there.
    pub fn headers(&self) -> Vec<String> {
        let folder = here().join("../include").join(self.name);
        let entries = std::fs::read_dir(&folder).unwrap_or_else(|e| panic!("{folder:?}: {e}"));
        let name = |entry: std::fs::DirEntry| entry.file_name().into_string().expect("a name");
        let mut headers: Vec<_> =
            entries.map(|entry| format!("{}/{}", self.name, name(entry.unwrap()))).collect();
        headers.sort();
        headers
    }
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}
