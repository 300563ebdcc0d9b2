//! Whether mirrors are exact, tried with the kernel: `mirror churn`, part of `make check`, and with
//! `mirror million` what `make check-mirror` runs. As root, or in a user namespace of its own.
//!
//! `CTRS_CHURN_SEED` is the seed, which is printed, `CTRS_CHURN_SECONDS` for how long. With
//! `CTRS_CHURN_RESIZES=1` the hash table of the machine is resized meanwhile, and put back. `CTRS_CHURN_BUFFER`
//! is how many bytes the receive buffer of the mirror of a million has.

use capi_tests::buckets::Buckets;
use capi_tests::churn::{self, AT_REST, million};
use std::io::Result;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// What a variable of the environment says.
fn variable(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().expect(name))
}

/// In a thread that has a network namespace of its own.
fn apart<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    let enter = || {
        // SAFETY: no pointers are passed; no other thread changes its namespace.
        assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "root, or unshare -Urn");
        test()
    };
    thread::scope(|scope| scope.spawn(enter).join().expect("a run that passes"))
}

/// Halves the hash table and doubles it again, within a list several times, once or not at all; but not
/// while lists are compared.
fn resize(done: &AtomicBool) {
    let buckets = Buckets::now();
    for pause in [20, 40, 90, 150, 280].into_iter().cycle() {
        for number in [buckets.0 / 2, buckets.0] {
            let still = AT_REST.lock().unwrap_or_else(PoisonError::into_inner);
            buckets.set(number);
            drop(still);
            thread::sleep(Duration::from_millis(pause));
        }
        if done.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// Ends the resizing, also when a run fails.
struct Ends<'a>(&'a AtomicBool);

impl Drop for Ends<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn churn(seed: u64, time: Duration) {
    let done = AtomicBool::new(false);
    let report = thread::scope(|scope| {
        let _ends = Ends(&done);
        if variable("CTRS_CHURN_RESIZES") == Some(1) {
            scope.spawn(|| resize(&done));
        }
        apart(|| churn::run(seed, time))
    });
    println!("exact: {report}");
    assert!(report.overruns > 0 && report.unaided > 0, "it has proven nothing");
}

fn main() -> Result<()> {
    let any = std::time::UNIX_EPOCH.elapsed().expect("a clock").as_nanos() as u64 % 1_000_000;
    let seed = variable("CTRS_CHURN_SEED").unwrap_or(any);
    let time = Duration::from_secs(variable("CTRS_CHURN_SECONDS").unwrap_or(20));
    let buffer = variable("CTRS_CHURN_BUFFER").unwrap_or(32 << 20);
    println!("CTRS_CHURN_SEED={seed} CTRS_CHURN_SECONDS={}", time.as_secs());
    match std::env::args().nth(1).as_deref() {
        Some("churn") => churn(seed, time),
        Some("million") => println!("{}", apart(|| million::run(seed, time, buffer as usize))),
        _ => panic!("churn or million"),
    }
    Ok(())
}
