//! Flows to try the Rust interface with, and what the kernel has of them.
#![allow(dead_code, reason = "each test program uses some")]

use ctrs::{Error, ErrorKind, NewFlow, Tuple};
use std::net::{IpAddr, SocketAddr};

/// The table of this thread's namespace, as the kernel prints it.
pub fn proc_table() -> String {
    std::fs::read_to_string("/proc/thread-self/net/nf_conntrack").expect("the kernel has conntrack")
}

pub fn end(text: &str) -> SocketAddr {
    text.parse().unwrap()
}

pub fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub fn udp(port: u16) -> NewFlow {
    NewFlow::new(Tuple::udp((ip("10.9.0.1"), port), end("10.9.0.2:53")).unwrap())
}

/// A tuple of every protocol that has something of its own, in both families.
pub fn tuples() -> Vec<Tuple> {
    let mut tuples = Vec::new();
    for (client, server) in [("10.9.0.1", "10.9.0.2"), ("fc00::1", "fc00::2")] {
        let (client, server) = (ip(client), ip(server));
        let to = |port| ((client, 1000), (server, port));
        let with_ports = [
            Tuple::tcp(to(80).0, to(80).1),
            Tuple::udp(to(53).0, to(53).1),
            Tuple::sctp(to(7).0, to(7).1),
            Tuple::udp_lite(to(9).0, to(9).1),
        ];
        let without = [
            Tuple::gre(client, server, (1000, 0)),
            Tuple::other(50, client, server),
            Tuple::ping(client, server, 1000),
        ];
        tuples.extend(with_ports.into_iter().chain(without).map(Result::unwrap));
    }
    tuples
}

/// What kind of error a request had.
pub fn kind<T>(result: Result<T, Error>) -> Option<ErrorKind> {
    result.err().map(|error| error.kind())
}
