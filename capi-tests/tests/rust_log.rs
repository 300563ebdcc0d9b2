//! Logged packets: what is known of them, how many come at once, and when.

mod logs;

use capi_tests::in_namespace;
use ctrs::{CopyMode, LogFlags, LogSettings, Logged, Options, PacketLog, RequestKind};
use logs::{LONG, all, bridge, index, ip, log_output, packet, rules, send, send_frame};
use std::fs::File;
use std::net::UdpSocket;
use std::os::fd::AsRawFd;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Each packet by itself.
fn at_once() -> LogSettings {
    LogSettings::new().threshold(1)
}

/// What the kernel tells of a group: port, packets collected, mode, range, timeout.
fn state(group: u16) -> Option<[u32; 5]> {
    let text = std::fs::read_to_string("/proc/thread-self/net/netfilter/nfnetlink_log").unwrap();
    text.lines().find_map(|line| {
        let numbers: Vec<u32> =
            line.split_whitespace().map(|number| number.parse().unwrap()).collect();
        if numbers[0] != u32::from(group) {
            return None;
        }
        numbers[1..6].try_into().ok()
    })
}

#[test]
fn a_packet_of_this_machine_tells_what_is_known_of_it() {
    in_namespace(|| {
        log_output(
            "udp dport 9 meta mark set 7 log group 5 prefix \"nine \"
             udp dport 10 log group 65535",
        );
        let mut log = PacketLog::open().unwrap();
        let numbered = at_once().flags(LogFlags::SEQ | LogFlags::GLOBAL);
        log.bind(5, &numbered).unwrap();
        log.bind(65535, &numbered).unwrap();
        assert_eq!(log.groups().collect::<Vec<_>>(), [5, 65535]);
        let before = SystemTime::now();
        send(9, b"abc", 1);
        let socket = UdpSocket::bind("[::1]:0").unwrap();
        socket.send_to(b"defg", "[::1]:10").unwrap();
        let received = match log.next_event().unwrap() {
            Logged::Packet { received, .. } => received,
            Logged::Lost(loss) => panic!("{loss:?}"),
        };
        assert!(received >= before && received <= SystemTime::now());
        send(9, b"xyz", 1);
        let (v6, v4) = (packet(&mut log), packet(&mut log));
        let (v6, v4) = (v6.packet(), v4.packet());
        // SAFETY: there is nothing to be wrong with.
        let (uid, gid) = unsafe { (libc::geteuid(), libc::getegid()) };
        for (packet, family, protocol, header) in [(v4, 2, 0x0800, 28), (v6, 10, 0x86dd, 48)] {
            assert_eq!((packet.family(), packet.protocol()), (family, Some(protocol)));
            assert_eq!((packet.hook(), packet.outdev()), (Some(3), Some(index("lo"))));
            assert_eq!((packet.uid(), packet.gid()), (Some(uid), Some(gid)));
            assert_eq!((packet.indev(), packet.timestamp()), (None, None));
            assert_eq!((packet.hardware_header(), packet.vlan()), (None, None));
            let data: &[u8] = if family == 2 { b"xyz" } else { b"defg" };
            assert_eq!(&packet.payload().unwrap()[header..], data);
        }
        assert_eq!((v4.group(), v4.prefix(), v4.mark()), (5, Some(&b"nine "[..]), Some(7)));
        assert_eq!((v6.group(), v6.prefix(), v6.mark()), (65535, Some(&b""[..]), None));
        assert_eq!((v4.seq(), v4.seq_global()), (Some(1), Some(3)));
        assert_eq!((v6.seq(), v6.seq_global()), (Some(0), Some(2)));
    });
}

/// The test before, with privileges in a user namespace alone.
#[test]
fn all_that_works_in_a_user_namespace() {
    // SAFETY: there is nothing to be wrong with.
    if unsafe { libc::geteuid() } != 0 {
        return; // where all tests run in one
    }
    let test = "a_packet_of_this_machine_tells_what_is_known_of_it";
    let mut again = Command::new("unshare");
    again.args(["--user", "--map-root-user", "--net"]);
    again.arg(std::env::current_exe().unwrap());
    again.args(["--exact", test, "--nocapture"]).env("CTRS_TEST_IN_NAMESPACE", "1");
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

#[test]
fn modes_and_ranges_are_what_comes_and_a_change_is_of_all_or_nothing() {
    in_namespace(|| {
        log_output("udp dport 9 log group 5");
        let mut log = PacketLog::open().unwrap();
        log.bind(5, &at_once().copy(CopyMode::Meta)).unwrap();
        let length = |log: &mut PacketLog, mode| {
            log.change(5, &LogSettings::new().copy(mode)).unwrap();
            send(9, &[b'x'; 100], 1);
            packet(log).packet().payload().map(<[u8]>::len)
        };
        assert_eq!(length(&mut log, CopyMode::Meta), None);
        assert_eq!(length(&mut log, CopyMode::Packet), Some(128));
        assert_eq!(length(&mut log, CopyMode::Range(40)), Some(40));
        assert_eq!(length(&mut log, CopyMode::Range(u32::MAX)), Some(128));
        let all = LogSettings::new()
            .copy(CopyMode::Range(99))
            .timeout(Duration::from_millis(501))
            .buffer(4000)
            .flags(LogFlags::SEQ);
        log.change(5, &all).unwrap();
        assert_eq!(state(5).map(|state| state[2..].to_vec()), Some(vec![2, 99, 51]));
        let more = LogSettings::new().copy(CopyMode::Range(7)).flags(LogFlags::CONNTRACK);
        match log.change(5, &more) {
            Ok(()) => println!("this kernel has conntrack data"),
            Err(error) => {
                let text = error.to_string();
                assert!(text.contains("CONFIG_NETFILTER_NETLINK_GLUE_CT"), "{text}");
                assert_eq!(error.attribute(), Some("flags"));
                assert_eq!(state(5).unwrap()[3], 99);
                log.bind(6, &more).unwrap_err();
                assert_eq!(state(6), None, "nor is the group bound");
                assert_eq!(log.groups().collect::<Vec<_>>(), [5]);
            }
        }
        let nothing = log.change(5, &LogSettings::new()).unwrap_err();
        assert_eq!(
            nothing.to_string(),
            "cannot change the settings of NFLOG group 5: the update changes nothing"
        );
        assert_eq!(
            (nothing.request(), nothing.log_group()),
            (Some(RequestKind::ChangeLogGroup), Some(5))
        );
        assert!(log.change(5, &LogSettings::new().buffer(131_073)).is_err(), "would be ignored");
    });
}

#[test]
fn the_largest_packet_comes_whole_and_so_does_the_largest_batch() {
    in_namespace(|| {
        log_output("udp dport 9 log group 5 prefix \"large\"");
        let mut log = PacketLog::open_with(&Options::new().receive_buffer(2_000_000)).unwrap();
        log.bind(5, &at_once()).unwrap();
        ip("link set lo mtu 65535");
        let large = vec![7; 65_507];
        send(9, &large, 1);
        let one = packet(&mut log);
        let payload = one.packet().payload().unwrap();
        assert_eq!((payload.len(), &payload[28..40]), (65_531, &large[..12]));
        log.change(5, &LogSettings::new().threshold(9).buffer(131_072).timeout(LONG)).unwrap();
        send(9, &large, 3);
        log.unbind(5).unwrap();
        let sizes: Vec<usize> =
            all(&mut log).iter().flatten().map(|it| it.packet().payload().unwrap().len()).collect();
        assert_eq!(sizes, [65_531; 3]);
        assert_eq!(log.losses(), Default::default());
    });
}

#[test]
fn batches_are_as_large_as_said() {
    in_namespace(|| {
        log_output(
            "udp dport 9 log group 5
             udp dport 10 log group 5 queue-threshold 2",
        );
        let mut log = PacketLog::open().unwrap();
        let settings = LogSettings::new().threshold(300).buffer(65_536).timeout(LONG);
        log.bind(5, &settings).unwrap();
        send(9, b"x", 300);
        assert_eq!(log.next_batch().unwrap().count(), 300);
        assert!(log.try_next().unwrap().is_none());
        log.change(5, &LogSettings::new().threshold(3)).unwrap();
        send(9, b"x", 4);
        let mut batch = log.next_batch().unwrap();
        assert!(batch.next().is_some(), "and the rest is left");
        assert_eq!(log.next_batch().unwrap().count(), 2);
        assert_eq!(state(5).unwrap()[1], 1, "the fourth waits for others");
        send(10, b"y", 1);
        assert_eq!(log.next_batch().unwrap().count(), 2, "the rule wants no more at once");
        let begin = Instant::now();
        log.change(5, &LogSettings::new().timeout(Duration::from_millis(30))).unwrap();
        send(9, b"z", 1);
        packet(&mut log);
        assert!(begin.elapsed() < LONG / 2 && begin.elapsed() >= Duration::from_millis(20));
    });
}

#[test]
fn a_frame_tells_of_its_bridge_its_tag_and_its_headers() {
    in_namespace(|| {
        bridge();
        rules("bridge prerouting", "ether saddr 2:0:0:0:0:8 log group 5 prefix \"bridge\"");
        rules("netdev ingress device a1", "ether saddr 2:0:0:0:0:8 log group 6");
        let mut log = PacketLog::open().unwrap();
        log.bind(5, &at_once()).unwrap();
        log.bind(6, &at_once()).unwrap();
        let ends = [[2, 0, 0, 0, 0, 9], [2, 0, 0, 0, 0, 8]].concat();
        let tag = [0x81, 0, 0xb0, 100];
        let tagged = [&ends[..], &tag, &[0x12, 0x34], &[7; 46]].concat();
        let header = [&ends[..], &[0x12, 0x34]].concat();
        send_frame("a0", &tagged);
        let (device, bridge) = (packet(&mut log), packet(&mut log));
        let (device, bridge) = (device.packet(), bridge.packet());
        assert_eq!((device.group(), device.family(), device.hook()), (6, 5, Some(0)));
        assert_eq!((device.indev(), device.physindev()), (Some(index("a1")), None));
        assert_eq!((bridge.group(), bridge.family(), bridge.hook()), (5, 7, Some(0)));
        assert_eq!(bridge.prefix(), Some(&b"bridge"[..]));
        assert_eq!((bridge.indev(), bridge.physindev()), (Some(index("br0")), Some(index("a1"))));
        for packet in [device, bridge] {
            let vlan = packet.vlan().unwrap();
            assert_eq!((vlan.protocol, vlan.id(), vlan.priority()), (0x8100, 100, 5));
            assert!(vlan.drop_eligible());
            assert_eq!(
                (packet.link_header(), packet.protocol()),
                (Some(&header[..]), Some(0x1234))
            );
            assert_eq!(
                (packet.hardware_type(), packet.hardware_address()),
                (Some(1), Some(&ends[6..]))
            );
            assert_eq!(
                (packet.hardware_header(), packet.payload()),
                (Some(&header[..]), Some(&[7; 46][..]))
            );
            assert!(packet.timestamp().is_some_and(|at| at.elapsed().is_ok_and(|ago| ago < LONG)));
        }
        send_frame("a0", &[&header[..], &[7; 46]].concat());
        let plain = packet(&mut log);
        assert_eq!(
            (plain.packet().vlan(), plain.packet().link_header()),
            (None, Some(&header[..]))
        );
    });
}

#[test]
fn a_log_is_of_the_namespace_it_was_opened_in() {
    in_namespace(|| {
        log_output("udp dport 9 log group 5");
        let here = File::open("/proc/thread-self/ns/net").unwrap();
        let open = move || {
            let options = Options::new().netns_fd(here).unwrap();
            let mut log = PacketLog::open_with(&options).unwrap();
            log.bind(5, &at_once()).unwrap();
            log
        };
        let elsewhere = || {
            // SAFETY: no pointer is involved.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
            open()
        };
        let mut log = thread::spawn(elsewhere).join().unwrap();
        send(9, b"abc", 1);
        assert_eq!(packet(&mut log).packet().group(), 5);
        // SAFETY: no pointer is involved.
        let flags = unsafe { libc::fcntl(log.as_raw_fd(), libc::F_GETFD) };
        assert_eq!(flags & libc::FD_CLOEXEC, libc::FD_CLOEXEC, "no child keeps the group");
    });
}
