//! Rules that log, and packets that meet them, in the network namespace of the calling thread.
#![allow(dead_code, reason = "not each test uses all of it")]

use ctrs::{Logged, Loss, OwnedPacket, PacketLog};
use std::io::{self, Write};
use std::net::UdpSocket;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Longer than anything takes that comes.
pub const LONG: Duration = Duration::from_secs(20);

/// Runs a program, with this as its input.
fn run(program: &str, arguments: &[&str], input: &str) {
    let mut child = Command::new(program)
        .args(arguments)
        .stdin(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    assert!(child.wait().unwrap().success(), "{program} {arguments:?}: {input}");
}

/// Runs commands of `ip`, a line each.
pub fn ip(commands: &str) {
    run("ip", &["-batch", "-"], commands);
}

/// Adds a chain with rules, a line each: `family hook device`, as `inet output`.
pub fn rules(chain: &str, rules: &str) {
    let (family, hook) = chain.split_once(' ').unwrap();
    let (hook, device) = hook.split_once(' ').unwrap_or((hook, ""));
    let rules = rules.replace('\n', ";");
    let chain = format!("chain c {{ type filter hook {hook} {device} priority 0; {rules}; }}");
    run("nft", &["-f", "-"], &format!("table {family} {hook} {{ {chain}; }}\n"));
}

/// A pair of devices, `a0` and `a1`, of which the second is a port of the bridge `br0`.
pub fn bridge() {
    ip("link add br0 type bridge
        link add a0 type veth peer name a1
        link set a1 master br0
        link set br0 up
        link set a0 up
        link set a1 up");
    let begin = Instant::now();
    let forwards = || {
        let output = Command::new("ip").args(["-details", "link", "show", "dev", "a1"]).output();
        String::from_utf8(output.unwrap().stdout).unwrap().contains("bridge_slave state forwarding")
    };
    // The bridge learns of the other device some time later.
    while !forwards() {
        assert!(begin.elapsed() < LONG);
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Brings the loopback device up, and logs what is sent by these rules.
pub fn log_output(of: &str) {
    ip("link set lo up");
    rules("inet output", of);
}

/// Sends so many datagrams to a port of this machine.
pub fn send(port: u16, payload: &[u8], count: usize) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    for _ in 0..count {
        socket.send_to(payload, ("127.0.0.1", port)).unwrap();
    }
}

/// The index of a device.
pub fn index(device: &str) -> u32 {
    let name = std::ffi::CString::new(device).unwrap();
    // SAFETY: the name ends with a NUL.
    unsafe { libc::if_nametoindex(name.as_ptr()) }
}

/// Sends a frame through a device.
pub fn send_frame(device: &str, frame: &[u8]) {
    // SAFETY: the frame and the address are alive during the call, with the sizes given; all zero
    // bytes are an address.
    let sent = unsafe {
        let socket = libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, 0);
        let mut to: libc::sockaddr_ll = std::mem::zeroed();
        to.sll_family = libc::AF_PACKET as u16;
        to.sll_ifindex = index(device) as i32;
        let size = size_of_val(&to) as u32;
        let data = frame.as_ptr().cast();
        let sent = libc::sendto(socket, data, frame.len(), 0, (&raw const to).cast(), size);
        libc::close(socket);
        sent
    };
    assert_eq!(sent, frame.len() as isize, "{}", io::Error::last_os_error());
}

/// The next packet, which is not late.
pub fn packet(log: &mut PacketLog) -> OwnedPacket {
    match log.next_timeout(LONG).unwrap() {
        Some(Logged::Packet { packet, .. }) => packet.copied().unwrap(),
        other => panic!("{other:?}"),
    }
}

/// All that has come.
pub fn all(log: &mut PacketLog) -> Vec<Result<OwnedPacket, Loss>> {
    let mut all = Vec::new();
    while let Some(logged) = log.try_next().unwrap() {
        all.push(match logged {
            Logged::Packet { packet, .. } => Ok(packet.copied().unwrap()),
            Logged::Lost(loss) => Err(loss),
        });
    }
    all
}
