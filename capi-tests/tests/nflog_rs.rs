//! A Rust program on the crate nflog, built and run on either libnetfilter_log: the same is printed.
//!
//! The crate is in a workspace of its own, `nflog-rs`: it is under the GPL, and linked with neither ctrs
//! nor other tests.

mod logs;

use capi_tests::in_namespace;
use logs::{bridge, ip, rules, send_frame};
use std::io::{BufRead, BufReader, Read};
use std::net::UdpSocket;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The folder of the drop-in libraries.
fn drop_ins() -> PathBuf {
    let usual = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/stage/lib/ctrs/compat");
    let folder = std::env::var_os("CTRS_COMPAT_DIR").map_or(usual, PathBuf::from);
    folder.canonicalize().unwrap_or_else(|_| panic!("{folder:?} does not exist: run `make stage`"))
}

/// Builds the program on the library that pkg-config finds there, or else in the system's folders.
fn build(name: &str, library: &Path) -> PathBuf {
    let package = Path::new(env!("CARGO_MANIFEST_DIR")).join("nflog-rs");
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["build", "--quiet", "--locked", "--target-dir"]).arg(&target);
    cargo.env("PKG_CONFIG_PATH", library).current_dir(package);
    assert!(cargo.status().unwrap().success(), "the crate nflog comes through cargo's registry");
    target.join("debug/nflog-rs")
}

/// What a program prints of the packets of [`traffic`], and the library that it has loaded.
fn run(program: &Path, library: &Path, [at_once, range]: [&str; 2]) -> (String, String) {
    let mut child = Command::new("timeout")
        .arg("100")
        .arg(program)
        .args(["5", at_once, range])
        .env("LD_LIBRARY_PATH", library)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(child.stdout.take().unwrap());
    let (mut printed, mut line) = (String::new(), String::new());
    let loaded = loop {
        assert!(output.read_line(&mut line).unwrap() > 0, "{printed}");
        if let Some(library) = line.strip_prefix("ready with ") {
            break library.trim().to_owned();
        }
        printed += &line;
        line.clear();
    };
    traffic();
    output.read_to_string(&mut printed).unwrap();
    assert!(child.wait().unwrap().success(), "{printed}");
    (printed, loaded)
}

/// Two frames that are logged by a device and by its bridge, and a datagram of this machine's own.
fn traffic() {
    let ends = [[2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 8]].concat();
    for tag in [&[][..], &[0x81, 0, 0, 7]] {
        send_frame("a0", &[&ends[..], tag, &[0x12, 0x34], &[7; 46]].concat());
    }
    // From a port of its own, so that no byte of it is another the next time.
    UdpSocket::bind("[::1]:7").unwrap().send_to(b"abc", "[::1]:9").unwrap();
}

#[test]
fn a_program_on_the_crate_nflog_prints_the_same_on_both_libraries() {
    let ours = drop_ins();
    let programs = [("original", Path::new("")), ("drop-in", &ours)]
        .map(|(name, library)| (build(name, library), library.to_owned()));
    in_namespace(move || {
        ip("link set lo up");
        bridge();
        std::fs::write("/proc/sys/net/ipv6/auto_flowlabels", "0").unwrap();
        let frame = "ether saddr 2:0:0:0:0:8 log group 5 prefix";
        rules("netdev ingress device a1", &format!("meta mark set 9 {frame} \"device \""));
        rules("bridge prerouting", &format!("{frame} \"\u{fc}ber die br\u{fc}cke\""));
        rules("inet output", "udp dport 9 log group 5 prefix \"out\"");
        for settings in [["1", "65535"], ["5", "20"]] {
            let [(original, first), (printed, second)] =
                [0, 1].map(|at| run(&programs[at].0, &programs[at].1, settings));
            assert!(!first.starts_with(ours.to_str().unwrap()), "{first}");
            assert!(second.starts_with(ours.to_str().unwrap()), "{second}");
            assert_eq!(original.matches("payload ").count(), 5, "{original}");
            assert_eq!(printed, original);
        }
    });
}
