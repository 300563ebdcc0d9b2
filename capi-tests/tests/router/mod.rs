//! A router between two cables whose far ends the test holds: what it forwards, translates and logs.

pub mod packets;

use ctrs::{LogSettings, Logged, Options, OwnedPacket, PacketLog};
use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// The group that the rules log to.
const GROUP: u16 = 5;
/// Bytes of an Ethernet header.
const ETHERNET: usize = 14;

/// Names of chains, and their hooks: all log, on both sides of what translates.
const CHAINS: [(&str, &str, i32); 13] = [
    ("pieces", "prerouting", -450),
    ("raw", "prerouting", -250),
    ("before", "prerouting", -145),
    ("translated", "prerouting", -50),
    ("in", "input", 0),
    ("in-translated", "input", 150),
    ("forward", "forward", 0),
    ("out-raw", "output", -250),
    ("out", "output", -145),
    ("out-translated", "output", -50),
    ("out-late", "output", 150),
    ("leaves", "postrouting", 0),
    ("leaves-translated", "postrouting", 150),
];

/// In the mark of a packet, beside that of its flow: that it answers, that it is an ICMP error.
pub const REPLY: u32 = 1 << 24;
pub const ERROR: u32 = 1 << 25;

/// Every flow has a mark of its own, and every packet that of its flow, from there on.
const MARKS: &str = "
    ct state new,related ct mark 0 ct mark set numgen inc mod 1000000 offset 1
    ct mark != 0 meta mark set ct mark
    ct direction reply ct mark != 0 meta mark set meta mark | 0x1000000
    meta l4proto { icmp, icmpv6 } ct state related ct mark != 0 meta mark set meta mark | 0x2000000
";

/// Where translation is asked for by the destination, of the last number: 2 translates that, 3 the
/// source, 4 both, 5 sends to the router itself; what comes to it from client 3 is translated too. No
/// two flows look the same in between.
const TRANSLATION: &str = "
    chain dstnat { type nat hook prerouting priority -100;
        meta l4proto { tcp, udp, sctp, udplite } th dport 53 ip daddr 10.2.0.2 dnat ip to 10.2.1.2:7053
        meta l4proto { tcp, udp, sctp, udplite } th dport 53 ip daddr 10.2.0.4 dnat ip to 10.2.1.4:7053
        meta l4proto { tcp, udp, sctp, udplite } th dport 80 ip6 daddr fd02::2 dnat ip6 to [fd02::1:2]:7080
        ip daddr 10.2.0.2 dnat ip to 10.2.1.2
        ip daddr 10.2.0.4 dnat ip to 10.2.1.4
        ip daddr 10.2.0.5 dnat ip to 10.99.1.254
        ip6 daddr fd02::2 dnat ip6 to fd02::1:2
        ip6 daddr fd02::4 dnat ip6 to fd02::1:4
        ip6 daddr fd02::5 dnat ip6 to fd99:1::254
    }
    chain srcnat { type nat hook postrouting priority 100;
        ct original ip daddr { 10.2.0.3, 10.2.0.4 } snat ip to 10.3.0.1
        ct original ip6 daddr { fd02::3, fd02::4 } snat ip6 to fd03::1
        ip daddr 10.2.1.6 snat ip to 10.3.0.6
    }
    chain input { type nat hook input priority 100;
        ip saddr 10.1.0.3 snat ip to 10.1.0.77
        ip6 saddr fd01::3 snat ip6 to fd01::77
    }
    chain output { type nat hook output priority -100;
        ip daddr 10.2.0.6 udp dport 1-65535 dnat ip to 10.2.1.6:99
        ip daddr 127.0.0.1 udp dport 99 dnat ip to 127.0.0.1:5353
    }";

const CABLES: &str = "
ip link set lo up
for side in l r; do
    ip link add ${side}0 address 02:00:00:00:00:01 type veth peer name ${side}1
    sysctl -qw net.ipv6.conf.${side}1.disable_ipv6=1 net.ipv6.conf.${side}0.accept_dad=0
    ip link set ${side}0 addrgenmode none up
    ip link set ${side}1 addrgenmode none up
done
ip addr add 10.99.1.254/24 dev l0; ip addr add 10.99.2.254/24 dev r0
ip addr add fd99:1::254/64 nodad dev l0; ip addr add fd99:2::254/64 nodad dev r0
ip neigh add 10.99.1.1 lladdr 02:00:00:00:00:99 dev l0; ip neigh add 10.99.2.1 lladdr 02:00:00:00:00:99 dev r0
ip neigh add fd99:1::1 lladdr 02:00:00:00:00:99 dev l0; ip neigh add fd99:2::1 lladdr 02:00:00:00:00:99 dev r0
ip route add 10.1.0.0/16 via 10.99.1.1; ip route add 10.2.0.0/15 via 10.99.2.1
ip route add fd01::/64 via fd99:1::1; ip route add fd02::/64 via fd99:2::1; ip route add fd03::/64 via fd99:2::1
sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.netfilter.nf_conntrack_checksum=0 \\
    net.netfilter.nf_conntrack_tcp_be_liberal=1 net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 \\
    net.ipv4.conf.all.rp_filter=0
for flow in udp_timeout icmp_timeout icmpv6_timeout gre_timeout tcp_timeout_close sctp_timeout_closed; do
    sysctl -qw net.netfilter.nf_conntrack_$flow=600 # none ends while it is looked for
done
";

fn rules(more: &str) -> String {
    let log = format!("log group {GROUP} prefix");
    let mut text = String::from("table inet t {\n");
    for (name, hook, priority) in CHAINS {
        text += &format!(
            "chain {name} {{ type filter hook {hook} priority {priority}; {log} \"{name}\"; }}\n"
        );
    }
    for hook in ["prerouting", "output"] {
        text += &format!("chain m-{hook} {{ type filter hook {hook} priority -150; {MARKS} }}\n");
    }
    text += &format!("{TRANSLATION}\n{more}\n}}\ntable netdev n {{\n");
    for (device, hook) in [("l0", "ingress"), ("l0", "egress"), ("r0", "ingress"), ("r0", "egress")]
    {
        text += &format!(
            "chain {device}-{hook} {{ type filter hook {hook} device {device} priority 0; {log} \"{hook}\"; }}\n"
        );
    }
    text + "}\n"
}

fn run(program: &str, input: &str) -> bool {
    let mut child = Command::new(program);
    child.args(if program == "nft" { ["-f", "-"] } else { ["-e", "-s"] });
    let mut child = child.stdin(Stdio::piped()).spawn().unwrap();
    io::Write::write_all(&mut child.stdin.take().unwrap(), input.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

/// The far end of a cable, one socket for each family: such ones do not see what they send.
pub struct Cable([OwnedFd; 2]);

impl Cable {
    fn open(device: &str) -> io::Result<Self> {
        let kinds = [libc::ETH_P_IP, libc::ETH_P_IPV6];
        let [four, six] = kinds.map(|kind| raw_socket(device, kind as u16));
        Ok(Self([four?, six?]))
    }

    /// Puts an IP packet on the cable.
    pub fn send(&self, packet: &[u8]) {
        let (kind, socket) = match packet[0] >> 4 {
            4 => ([8, 0], &self.0[0]),
            _ => ([0x86, 0xdd], &self.0[1]),
        };
        let frame = [&[2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 0x99][..], &kind, packet].concat();
        // SAFETY: the bytes are alive during the call.
        let sent = unsafe { libc::send(socket.as_raw_fd(), frame.as_ptr().cast(), frame.len(), 0) };
        assert_eq!(sent, frame.len() as isize, "{}", io::Error::last_os_error());
    }

    /// The next IP packet that comes through the cable.
    pub fn wait(&self) -> Vec<u8> {
        let ends = Instant::now() + Duration::from_secs(5);
        loop {
            match self.receive() {
                Some(packet) => return packet,
                None => assert!(Instant::now() < ends, "nothing came through the cable"),
            }
            std::thread::yield_now();
        }
    }

    /// The next IP packet that came through the cable, if there is one.
    pub fn receive(&self) -> Option<Vec<u8>> {
        let mut room = vec![0; 4096];
        self.0.iter().find_map(|socket| {
            // SAFETY: there is room for as many bytes.
            let length = unsafe {
                libc::recv(socket.as_raw_fd(), room.as_mut_ptr().cast(), 4096, libc::MSG_DONTWAIT)
            };
            // The router tells its neighbours what it listens to.
            let packet = (length > 0).then(|| &room[ETHERNET..length as usize]);
            packet.filter(|packet| packet[0] >> 4 == 4 || packet[24] != 0xff).map(<[u8]>::to_vec)
        })
    }
}

fn raw_socket(device: &str, kind: u16) -> io::Result<OwnedFd> {
    let name = std::ffi::CString::new(device)?;
    // SAFETY: the name is alive, and so is the address, of the size given; the socket is new.
    unsafe {
        let index = libc::if_nametoindex(name.as_ptr());
        let kind = kind.to_be();
        let fd = libc::socket(libc::AF_PACKET, libc::SOCK_RAW | libc::SOCK_CLOEXEC, kind.into());
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        let socket = OwnedFd::from_raw_fd(fd);
        let mut address: libc::sockaddr_ll = std::mem::zeroed();
        address.sll_family = libc::AF_PACKET as u16;
        address.sll_protocol = kind;
        address.sll_ifindex = index as i32;
        match libc::bind(fd, (&raw const address).cast(), size_of_val(&address) as u32) {
            0 => Ok(socket),
            _ => Err(io::Error::last_os_error()),
        }
    }
}

/// Packets that this thread sends are routed in their order then.
fn stay_on_a_processor() {
    // SAFETY: the set is alive during the call, and of the size given.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(libc::sched_getcpu().max(0) as usize, &mut set);
        assert_eq!(libc::sched_setaffinity(0, size_of_val(&set), &set), 0);
    }
}

/// A router in this thread's namespace.
pub struct Router {
    pub left: Cable,
    pub right: Cable,
    log: PacketLog,
}

impl Router {
    /// With more chains than those that log; `None` where the machine cannot.
    pub fn new(more: &str) -> Option<Self> {
        stay_on_a_processor();
        if !run("sh", CABLES) || !run("nft", &rules(more)) {
            return None;
        }
        let mut log = PacketLog::open_with(&Options::new().receive_buffer(8 << 20)).unwrap();
        log.bind(GROUP, &LogSettings::new().threshold(1)).unwrap();
        Some(Self { left: Cable::open("l1").ok()?, right: Cable::open("r1").ok()?, log })
    }

    /// What was logged since.
    pub fn logged(&mut self) -> Vec<OwnedPacket> {
        let mut packets = Vec::new();
        while let Some(logged) = self.log.try_next().unwrap() {
            match logged {
                Logged::Packet { packet, .. } => packets.push(packet.copied().unwrap()),
                Logged::Lost(loss) => panic!("{loss:?}"),
            }
        }
        packets
    }
}
