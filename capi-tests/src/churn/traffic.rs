//! Real packets, over the loopback of a namespace of one's own: UDP both ways, and connections of TCP, some
//! translated, in zones, or marked by rules.

use super::random::Random;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::os::fd::AsRawFd;
use std::process::Command;

/// What the rules do, by port. Without one that names labels, flows have no room for them.
const RULES: &str = "
table inet churn {
    chain zones {
        type filter hook output priority -300;
        udp sport 3000-3009 ct zone set 5
        udp dport 3000-3009 ct zone set 5
        udp sport 3010-3019 ct original zone set 6
    }
    chain translated {
        type nat hook output priority -100;
        udp dport 8001 dnat ip to 127.0.0.2:8000
        tcp dport 8001 redirect to :8000
    }
    chain marked {
        type filter hook output priority 0;
        udp sport 3020-3039 ct mark set numgen random mod 4
        udp sport 3040-3049 ct label set 5
        tcp flags fin ct mark set 9
    }
    chain masqueraded {
        type nat hook postrouting priority 100;
        ip protocol udp udp sport 3050-3069 snat ip to 127.0.0.9
    }
}";

/// Sockets that talk to each other.
pub struct Traffic {
    server: UdpSocket,
    listener: TcpListener,
}

fn run(program: &str, arguments: &[&str]) {
    let output = Command::new(program).args(arguments).output().expect(program);
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
}

/// Loads the rules into the namespace of this thread.
pub fn prepare() {
    run("ip", &["link", "set", "lo", "up"]);
    run("nft", &[RULES]);
}

impl Traffic {
    /// In the namespace of this thread, where the rules are.
    pub fn new() -> Self {
        let server = UdpSocket::bind("0.0.0.0:8000").expect("a port");
        server.set_nonblocking(true).expect("a socket");
        let listener = TcpListener::bind("0.0.0.0:8000").expect("a port");
        Self { server, listener }
    }

    /// Some of it: how many datagrams and connections.
    pub fn some(&mut self, random: &mut Random) -> u64 {
        let datagrams = 1 + random.below(4);
        (0..datagrams).for_each(|_| self.ask(random));
        self.answer(random);
        let connected = random.one_in(2) && self.connect(random);
        u64::from(datagrams) + u64::from(connected)
    }

    fn to(random: &mut Random) -> SocketAddr {
        let port = 8000 + random.below(2) as u16;
        let host = if port == 8000 { 1 + random.below(3) as u8 } else { 1 };
        (Ipv4Addr::new(127, 0, 0, host), port).into()
    }

    fn ask(&self, random: &mut Random) {
        let port = 3000 + random.below(100) as u16;
        let client = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).expect("a port");
        client.send_to(b"?", Self::to(random)).expect("a datagram");
    }

    fn answer(&self, random: &mut Random) {
        let mut bytes = [0; 8];
        while let Ok((_, client)) = self.server.recv_from(&mut bytes) {
            if random.one_in(2) {
                self.server.send_to(b"!", client).expect("a datagram");
            }
        }
    }

    /// A connection, of which a few end orderly. False where all ports are taken by such.
    fn connect(&self, random: &mut Random) -> bool {
        let Ok(mut client) = TcpStream::connect(Self::to(random)) else { return false };
        let (mut server, _) = self.listener.accept().expect("the connection");
        client.write_all(b"?").expect("a connection");
        server.read_exact(&mut [0]).expect("a connection");
        if !random.one_in(8) {
            reset_when_closed(&client);
        }
        drop(client);
        drop(server);
        true
    }
}

impl Default for Traffic {
    fn default() -> Self {
        Self::new()
    }
}

fn reset_when_closed(stream: &TcpStream) {
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    let size = size_of_val(&linger) as libc::socklen_t;
    // SAFETY: a structure of that size, and a socket that is open.
    let done = unsafe {
        let value = (&raw const linger).cast();
        libc::setsockopt(stream.as_raw_fd(), libc::SOL_SOCKET, libc::SO_LINGER, value, size)
    };
    assert_eq!(done, 0);
}
