//! The example for tokio, against the running kernel.

#[path = "../examples/tokio.rs"]
mod example;
mod flows;
mod logs;

use capi_tests::in_namespace;
use ctrs::{
    ErrorKind, Event, EventKind, Events, FlowTable, LogFlags, LogSettings, Options, PacketLog,
};
use example::{next_event, register};
use flows::udp;
use std::time::Duration;
use tokio::io::unix::AsyncFd;
use tokio::time::timeout;

const SOON: Duration = Duration::from_millis(50);
const LONG: Duration = Duration::from_secs(20);

fn port(event: &Event) -> u16 {
    event.flow.tuple().and_then(|tuple| tuple.source_port()).unwrap_or(0)
}

/// The source ports of flows that a listener is told of, until nothing comes for a while.
async fn ports(events: &mut AsyncFd<Events>) -> Vec<u16> {
    let mut ports = Vec::new();
    while let Ok(event) = timeout(SOON, next_event(events)).await {
        ports.push(port(&event.unwrap()));
    }
    ports
}

#[test]
fn a_runtime_waits_for_events() {
    in_namespace(|| {
        let events = Events::open(EventKind::NEW).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut events = register(events).unwrap();
            assert!(timeout(SOON, next_event(&mut events)).await.is_err(), "there is none yet");
            let create = async {
                tokio::time::sleep(SOON).await;
                let mut table = FlowTable::open().unwrap();
                (1..=100).for_each(|port| table.create(&udp(port)).unwrap());
            };
            let (first, ()) = tokio::join!(timeout(LONG, next_event(&mut events)), create);
            assert_eq!(port(&first.unwrap().unwrap()), 1);
            assert_eq!(ports(&mut events).await, (2..=100).collect::<Vec<_>>());
        });
    });
}

#[test]
fn a_runtime_is_told_of_lost_events() {
    in_namespace(|| {
        let events = Events::open(EventKind::NEW).unwrap();
        let mut table = FlowTable::open().unwrap();
        (1..=5000).for_each(|port| table.create(&udp(port)).unwrap());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut events = register(events).unwrap();
            let error = loop {
                // What is older than the gap comes before it.
                if let Err(error) = next_event(&mut events).await {
                    break error;
                }
            };
            let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<ctrs::Error>());
            assert_eq!(inner.map(ctrs::Error::kind), Some(ErrorKind::Lost));
            table.create(&udp(5001)).unwrap();
            assert_eq!(ports(&mut events).await, [5001]);
        });
    });
}

/// The number of the next packet.
async fn number(log: &mut AsyncFd<PacketLog>) -> Option<u32> {
    loop {
        let mut ready = log.readable_mut().await.unwrap();
        match ready.get_inner_mut().try_next().unwrap() {
            Some(logged) => return logged.packet().and_then(|packet| packet.seq()),
            None => ready.clear_ready(),
        }
    }
}

#[test]
#[allow(deprecated, reason = "as in the example: the descriptor stays the same")]
fn a_runtime_waits_for_logged_packets() {
    in_namespace(|| {
        logs::log_output("udp dport 9 log group 5");
        let mut log = PacketLog::open_with(&Options::new().nonblocking(true)).unwrap();
        log.bind(5, &LogSettings::new().threshold(2).flags(LogFlags::SEQ)).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let mut log = AsyncFd::new(log).unwrap();
            assert!(timeout(SOON, number(&mut log)).await.is_err(), "there is none yet");
            let send = async { logs::send(9, b"x", 4) };
            let (first, ()) = tokio::join!(timeout(LONG, number(&mut log)), send);
            assert_eq!(first, Ok(Some(0)));
            for expected in 1..4 {
                assert_eq!(timeout(LONG, number(&mut log)).await, Ok(Some(expected)));
            }
        });
    });
}
