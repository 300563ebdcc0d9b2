//! Whether each list that misses flows or has some twice says so, while the kernel's hash table is
//! resized again and again: `make check-resize`, as root of the machine, which has one such table.

use capi_tests::buckets::Buckets;
use ctrs::{FlowRecord, FlowTable, List, NewFlow, Tuple};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

const FLOWS: u32 = 20_000;
const ROUNDS: u32 = 100;

/// Halves the table and doubles it again, within a list several times, once or not at all.
fn resize(buckets: &Buckets, done: &AtomicBool) {
    for pause in [20, 70, 150, 250, 400].into_iter().cycle() {
        for number in [buckets.0 / 2, buckets.0] {
            buckets.set(number);
            thread::sleep(Duration::from_millis(pause));
        }
        if done.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// How many of the flows a list lacks, and how many it has twice.
fn faults(list: &mut List) -> [usize; 2] {
    let mut seen = vec![0_u32; FLOWS as usize];
    let mut records = vec![FlowRecord::default(); 1000];
    loop {
        let filled = list.next_records(&mut records).expect("a list");
        records[..filled].iter().for_each(|record| seen[record.mark as usize] += 1);
        if filled == 0 {
            let count = |wanted: fn(&u32) -> bool| seen.iter().copied().filter(wanted).count();
            return [count(|times| *times == 0), count(|times| *times > 1)];
        }
    }
}

/// A namespace of this thread's own, with flows.
fn table() -> FlowTable {
    // SAFETY: no pointers are passed; no other thread changes its namespace.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0, "root");
    let mut table = FlowTable::open().expect("a table");
    let server = SocketAddr::from(([10, 200, 0, 1], 53));
    for mark in 0..FLOWS {
        let client = IpAddr::from(Ipv4Addr::from(0x0a00_0000 + mark));
        let tuple = Tuple::udp((client, 1000), server).expect("a tuple");
        table.create(&NewFlow::new(tuple).mark(mark)).expect("a flow");
    }
    table
}

/// Lists with faults, those of them that did not say so, and those without that said so all the same.
fn list_all() -> [u32; 3] {
    let table = table();
    let [mut wrong, mut untold, mut wary] = [0; 3];
    for _ in 0..ROUNDS {
        let mut list = table.list().expect("a list");
        match (faults(&mut list), list.is_consistent()) {
            ([0, 0], true) => {}
            ([0, 0], false) => wary += 1,
            (_, consistent) => {
                wrong += 1;
                untold += u32::from(consistent);
            }
        }
    }
    [wrong, untold, wary]
}

fn main() {
    let (buckets, done) = (Buckets::now(), AtomicBool::new(false));
    let [wrong, untold, wary] = thread::scope(|scope| {
        scope.spawn(|| resize(&buckets, &done));
        let listed = scope.spawn(list_all).join();
        done.store(true, Ordering::Relaxed);
        listed.expect("lists")
    });
    println!(
        "{ROUNDS} lists: {wrong} wrong, {untold} of them untold; {wary} right that said they may not be"
    );
    assert!(wrong > 0 && untold == 0);
}
