//! Flows to try the Rust interface with, and what the kernel has of them.
#![allow(dead_code, reason = "each test program uses some")]

use ctrs::{Attr, Conntrack};

/// The table of this thread's namespace, as the kernel prints it.
pub fn proc_table() -> String {
    std::fs::read_to_string("/proc/thread-self/net/nf_conntrack").expect("the kernel has conntrack")
}

pub fn flow(protocol: u8, src: &str, dst: &str) -> Conntrack {
    let mut ct = Conntrack::flow(protocol, src.parse().unwrap(), dst.parse().unwrap()).unwrap();
    ct.set_u32(Attr::Timeout, 120).unwrap();
    ct
}

pub fn udp(port: u16) -> Conntrack {
    flow(17, &format!("10.9.0.1:{port}"), "10.9.0.2:53")
}

/// A flow of every protocol that has something of its own, in both families.
pub fn flows() -> Vec<Conntrack> {
    let mut flows = Vec::new();
    for (client, server) in [("10.9.0.1", "10.9.0.2"), ("[fc00::1]", "[fc00::2]")] {
        let (icmp, echo) = if client.starts_with('[') { (58, 128 << 8) } else { (1, 8 << 8) };
        for (protocol, port) in
            [(6, 80), (17, 53), (132, 7), (136, 9), (47, 0), (50, 0), (icmp, echo)]
        {
            let (src, dst) = (format!("{client}:1000"), format!("{server}:{port}"));
            flows.push(flow(protocol, &src, &dst));
        }
    }
    flows
}
