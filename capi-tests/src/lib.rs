//! Tests of the C ABI of ctrs, and what they share.

pub mod attributes;
pub mod bpf;
pub mod buckets;
pub mod churn;
pub mod corpus;
pub mod libraries;

use std::io::Write;
use std::process::Command;
use std::{io, thread};

/// Tells the process that a test started where to run.
const INSIDE: &str = "CTRS_TEST_IN_NAMESPACE";

/// How `make check` knows what did not run.
const SKIP: &str = "SKIP: ";

/// Runs `test` in a network namespace of its own: on a new thread, as root; else in a process with a
/// user namespace that runs the calling test again, alone, because only a process of one thread may
/// enter a user namespace.
///
/// # Panics
///
/// When `test` does, or there is no such namespace.
pub fn in_namespace(test: impl FnOnce() + Send + 'static) {
    if std::env::var_os(INSIDE).is_some() {
        return test();
    }
    let done = thread::spawn(|| {
        let entered = unshare(libc::CLONE_NEWNET);
        if entered.is_ok() {
            test();
        }
        entered
    });
    match done.join() {
        Ok(Ok(())) => (),
        Ok(Err(_)) => again_in_user_namespace(),
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// The calling test is known by its thread.
fn again_in_user_namespace() {
    let current = thread::current();
    let test = current.name().filter(|name| *name != "main").expect("a thread for each test");
    // Root there: only root keeps its capabilities when it starts a program, as this one again. And
    // root first: what is in /proc/net belongs to whoever root is when the network is made.
    let mut again = Command::new("unshare");
    again.args(["--user", "--map-root-user", "unshare", "--net"]);
    again.arg(std::env::current_exe().expect("this program"));
    again.args(["--exact", test, "--nocapture"]).env(INSIDE, "1");
    let output = again.output().expect("a network namespace, as root or in a user namespace");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "in a user namespace: {said}");
    said.lines().filter_map(|line| line.strip_prefix(SKIP)).for_each(skip);
}

/// Says that a test did not run. Unlike what `eprintln!` prints this is seen though the test passes.
pub fn skip(why: &str) {
    let _ = writeln!(io::stderr(), "{SKIP}{why}");
}

fn unshare(flags: libc::c_int) -> io::Result<()> {
    // SAFETY: no pointers are passed; no other thread changes its namespace.
    match unsafe { libc::unshare(flags) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
