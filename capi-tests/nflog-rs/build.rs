//! Finds libnetfilter_log as a C program does: `PKG_CONFIG_PATH` says which.

use std::process::Command;

fn main() {
    println!("cargo::rerun-if-env-changed=PKG_CONFIG_PATH");
    let output = Command::new("pkg-config")
        .args(["--libs-only-L", "--keep-system-libs", "libnetfilter_log"])
        .output()
        .expect("pkg-config");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let paths = String::from_utf8(output.stdout).expect("a path");
    for path in paths.split_whitespace().filter_map(|word| word.strip_prefix("-L")) {
        println!("cargo::rustc-link-search=native={path}");
    }
}
