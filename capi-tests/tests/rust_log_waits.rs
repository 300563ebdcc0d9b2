//! What goes wrong with logged packets, and must not: losses, answers among packets, groups of others,
//! missing privileges, waits that end. Each is what a program met with other libraries.

mod logs;

use capi_tests::in_namespace;
use ctrs::{
    CopyMode, Error, ErrorKind, LogFlags, LogSettings, Logged, Loss, Options, OwnedPacket,
    PacketLog, Packets, XmlParts,
};
use logs::{LONG, all, log_output, packet, send};
use std::ops::ControlFlow;
use std::os::fd::AsRawFd;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

const SHORT: Duration = Duration::from_millis(20);

/// Each packet by itself, numbered.
fn numbered() -> LogSettings {
    LogSettings::new().threshold(1).flags(LogFlags::SEQ)
}

/// A log of group 5, of packets to port 9.
fn log(options: &Options) -> PacketLog {
    log_output("udp dport 9 log group 5");
    let mut log = PacketLog::open_with(options).unwrap();
    log.bind(5, &numbered()).unwrap();
    log
}

fn small() -> Options {
    Options::new().receive_buffer(8_000)
}

fn numbers(all: &[Result<OwnedPacket, Loss>]) -> Vec<u32> {
    all.iter().flatten().map(|packet| packet.packet().seq().unwrap()).collect()
}

fn losses(all: &[Result<OwnedPacket, Loss>]) -> Vec<Loss> {
    all.iter().filter_map(|one| one.as_ref().err().copied()).collect()
}

#[test]
fn an_overrun_is_told_with_the_number_of_packets_that_were_lost() {
    in_namespace(|| {
        let mut log = log(&small());
        send(9, b"x", 100);
        let before = all(&mut log);
        let got = numbers(&before);
        assert!(got.len() > 5 && got.len() < 90, "{}", got.len());
        assert_eq!(got, (0..got.len() as u32).collect::<Vec<_>>());
        assert!(matches!(before[0], Err(Loss::Overrun)), "before what the buffer held");
        send(9, b"x", 2);
        let (after, count) = (all(&mut log), 100 - got.len() as u32);
        assert_eq!(losses(&after), [Loss::Packets { group: 5, count }]);
        assert!(after[0].is_err() && numbers(&after) == [100, 101]);
        let losses = log.losses();
        assert_eq!((losses.overruns, losses.packets), (1, count.into()));
        assert_eq!(log.lost_datagrams().unwrap(), count, "of one packet each");
    });
}

#[test]
fn an_overrun_that_is_not_told_loses_only_what_does_not_fit() {
    in_namespace(|| {
        for told in [true, false] {
            let mut log = PacketLog::open_with(&small()).unwrap();
            if told {
                log_output("udp dport 9 log group 5");
            }
            log.set_overruns_told(told).unwrap();
            log.bind(5, &numbered()).unwrap();
            send(9, b"x", 100);
            for _ in 0..4 {
                log.try_next().unwrap();
            }
            send(9, b"x", 1);
            let rest = all(&mut log);
            assert_eq!(losses(&rest).is_empty(), told, "the last has come after a gap");
            assert_eq!(log.losses().overruns, u64::from(told));
        }
    });
}

#[test]
fn a_receive_buffer_grows_with_the_losses_as_far_as_it_may() {
    in_namespace(|| {
        let options = Options::new().receive_buffer(10_000).receive_buffer_limit(30_000);
        let mut log = log(&options);
        let mut sizes = vec![log.receive_buffer().unwrap()];
        for _ in 0..3 {
            send(9, b"x", 120);
            all(&mut log);
            sizes.push(log.receive_buffer().unwrap());
        }
        assert_eq!(sizes, [10_000, 20_000, 30_000, 30_000]);
        assert_eq!(log.set_receive_buffer(50_000).unwrap(), 50_000);
    });
}

#[test]
fn requests_get_their_own_answers_among_packets_and_none_is_lost() {
    in_namespace(|| {
        let mut log = log(&Options::new());
        for group in 100..120 {
            send(9, b"x", 3);
            log.bind(group, &numbered()).unwrap();
            log.change(group, &LogSettings::new().copy(CopyMode::Meta)).unwrap();
            send(9, b"x", 2);
            let taken = log.bind(group, &numbered()).unwrap_err();
            assert_eq!((taken.kind(), taken.log_group()), (ErrorKind::Busy, Some(group)));
            let nobody = log.change(7, &numbered()).unwrap_err();
            assert_eq!(nobody.errno(), Some(libc::ENODEV), "{nobody}");
            log.unbind(group).unwrap();
        }
        assert_eq!(numbers(&all(&mut log)), (0..100).collect::<Vec<_>>());
    });
}

#[test]
fn requests_are_answered_while_packets_overrun_the_buffer() {
    in_namespace(|| {
        let mut log = log(&small());
        for group in 100..110 {
            send(9, b"x", 100);
            log.bind(group, &numbered()).unwrap();
            assert_eq!(log.groups().collect::<Vec<_>>(), [5, group]);
            let refused = log.bind(group, &numbered()).unwrap_err();
            assert_eq!(refused.kind(), ErrorKind::Busy);
            send(9, b"x", 100);
            log.unbind(group).unwrap();
            assert_eq!(log.unbind(group).unwrap_err().errno(), Some(libc::ENODEV));
        }
        send(9, b"x", 1);
        let all = all(&mut log);
        assert_eq!(numbers(&all).last(), Some(&2000));
        let missing = 2001 - numbers(&all).len() as u64;
        assert_eq!(log.losses().packets, missing);
        assert!(missing > 100 && losses(&all).contains(&Loss::Overrun));
    });
}

#[test]
fn what_was_collected_comes_after_its_group_is_unbound_and_numbers_begin_again() {
    in_namespace(|| {
        let mut log = log(&Options::new());
        send(9, b"x", 2);
        assert_eq!(numbers(&all(&mut log)), [0, 1]);
        let collect = numbered().threshold(50).timeout(LONG);
        log.change(5, &collect).unwrap();
        send(9, b"x", 3);
        assert!(log.try_next().unwrap().is_none());
        log.unbind(5).unwrap();
        log.bind(5, &numbered()).unwrap();
        send(9, b"x", 2);
        let all = all(&mut log);
        assert_eq!((numbers(&all), losses(&all)), (vec![2, 3, 4, 0, 1], vec![]));
    });
}

/// Binds the group of a log that was closed. A child that another test starts has all descriptors of this
/// process open for a moment.
fn bind_closed(log: &mut PacketLog) {
    let begin = Instant::now();
    while let Err(error) = log.bind(5, &numbered()) {
        assert!(begin.elapsed() < LONG, "{error}");
        thread::sleep(Duration::from_millis(1));
    }
}

#[test]
fn who_has_a_group_is_told() {
    in_namespace(|| {
        let mut holder = log(&Options::new());
        // More than are read of the kernel's list at once.
        (1000..1200).for_each(|group| holder.bind(group, &numbered()).unwrap());
        let mut other = PacketLog::open().unwrap();
        for error in [
            other.bind(5, &numbered()).unwrap_err(),
            other.change(5, &numbered()).unwrap_err(),
            other.unbind(1199).unwrap_err(),
        ] {
            let text = error.to_string();
            assert_eq!(error.kind(), ErrorKind::Privilege, "{text}");
            let group = error.log_group().unwrap();
            assert!(text.contains(&format!(" NFLOG group {group}: another")), "{text}");
            let process = format!("of process {} (rust_log_waits", std::process::id());
            assert!(text.contains(&process), "{text}");
            assert!(text.contains("another socket has bound this group: that of port "), "{text}");
        }
        drop(holder);
        bind_closed(&mut other);
        assert_eq!(other.bind_family(200).unwrap_err().kind(), ErrorKind::Invalid);
        other.bind_family(libc::AF_INET as u8).unwrap();
        let logger = || std::fs::read_to_string("/proc/sys/net/netfilter/nf_log/2").unwrap();
        assert_eq!(logger().trim(), "nfnetlink_log");
        other.unbind_family(libc::AF_INET as u8).unwrap();
        assert_eq!(logger().trim(), "NONE");
    });
}

/// Takes all capabilities from this thread.
fn drop_privileges() {
    let header = [0x2008_0522_u32, 0];
    let none = [0_u32; 6];
    // SAFETY: the kernel reads a header of two numbers and two sets of three.
    let dropped = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
    assert_eq!(dropped, 0);
}

#[test]
fn without_privileges_packets_come_and_requests_say_what_is_missing() {
    in_namespace(|| {
        let mut log = log(&Options::new());
        thread::spawn(move || {
            drop_privileges();
            send(9, b"x", 1);
            packet(&mut log);
            for error in [
                log.unbind(5).unwrap_err(),
                log.bind(6, &numbered()).unwrap_err(),
                PacketLog::open().unwrap().bind(7, &numbered()).unwrap_err(),
                log.bind_family(2).unwrap_err(),
            ] {
                let text = error.to_string();
                assert_eq!(error.kind(), ErrorKind::Privilege, "{text}");
                assert!(text.contains("CAP_NET_ADMIN is needed"), "{text}");
                assert!(text.contains("this thread does not have it"), "{text}");
            }
        })
        .join()
        .unwrap();
        bind_closed(&mut PacketLog::open().unwrap());
    });
}

#[test]
fn a_loop_ends_by_its_function_by_a_stopper_and_by_an_error() {
    in_namespace(|| {
        let mut log = log(&Options::new().timeout(SHORT));
        let mut count = 0;
        send(9, b"x", 5);
        let enough = log.run(|_| {
            count += 1;
            if count == 3 { ControlFlow::Break("enough") } else { ControlFlow::Continue(()) }
        });
        assert_eq!((enough, count), (Ok(Some("enough")), 3));
        let ended: Result<Option<()>, Error> = log.run(|_| ControlFlow::Continue(()));
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(log.next_timeout(SHORT).unwrap().is_none());
        let panics =
            std::panic::AssertUnwindSafe(|| log.run(|_| -> ControlFlow<()> { panic!("on") }));
        send(9, b"x", 1);
        assert!(std::panic::catch_unwind(panics).is_err(), "it passes through");
        log.set_nonblocking(true).unwrap();
        assert_eq!(log.next_event().unwrap_err().kind(), ErrorKind::WouldBlock);
        log.set_nonblocking(false).unwrap();

        let mut log = PacketLog::open().unwrap();
        let stopper = log.stopper().unwrap();
        let stopped = thread::spawn(move || {
            let ended = log.run(|_| ControlFlow::<()>::Continue(()));
            (ended, log)
        });
        stopper.stop();
        let (ended, mut log) = stopped.join().unwrap();
        assert_eq!(ended, Ok(None));
        assert_eq!(log.next_event().unwrap_err().kind(), ErrorKind::Stopped);
        assert!(log.try_next().unwrap().is_none());
        let mut other = PacketLog::open().unwrap();
        other.stop_by(&stopper);
        assert_eq!(other.next_batch().unwrap_err().kind(), ErrorKind::Stopped);
    });
}

static HANDLED: AtomicUsize = AtomicUsize::new(0);

extern "C" fn on_signal(_: libc::c_int) {
    HANDLED.fetch_add(1, Ordering::SeqCst);
}

/// Whether a thread of this process sleeps in poll(2), where waits are.
fn is_waiting(thread: libc::pid_t) -> bool {
    #[cfg(any(target_arch = "aarch64", target_arch = "riscv64", target_arch = "loongarch64"))]
    const CALL: libc::c_long = libc::SYS_ppoll;
    #[cfg(not(any(
        target_arch = "aarch64",
        target_arch = "riscv64",
        target_arch = "loongarch64"
    )))]
    const CALL: libc::c_long = libc::SYS_poll;
    let call = std::fs::read_to_string(format!("/proc/self/task/{thread}/syscall"));
    call.is_ok_and(|call| call.split(' ').next() == Some(CALL.to_string().as_str()))
}

#[test]
fn a_signal_ends_a_wait_only_if_it_is_to() {
    in_namespace(|| {
        // SAFETY: all zero bytes and a function are an action without flags, so that calls are not begun
        // again.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = on_signal as *const () as usize;
            libc::sigaction(libc::SIGUSR2, &raw const action, std::ptr::null_mut());
        }
        for interruptible in [true, false] {
            let mut log = PacketLog::open().unwrap();
            log.set_interruptible(interruptible);
            let (stopper, handled) = (log.stopper().unwrap(), HANDLED.load(Ordering::SeqCst));
            let (begun, begins) = mpsc::channel();
            let waiter = thread::spawn(move || {
                // SAFETY: no pointer is involved.
                begun.send(unsafe { libc::gettid() }).unwrap();
                log.next_event().map(drop)
            });
            let thread = begins.recv().unwrap();
            let until = |happened: &dyn Fn() -> bool| {
                while !happened() && !waiter.is_finished() {
                    thread::sleep(Duration::from_millis(1));
                }
            };
            until(&|| is_waiting(thread));
            // SAFETY: no pointer is involved.
            unsafe { libc::syscall(libc::SYS_tgkill, libc::getpid(), thread, libc::SIGUSR2) };
            until(&|| HANDLED.load(Ordering::SeqCst) > handled);
            if !interruptible {
                until(&|| is_waiting(thread));
                assert!(!waiter.is_finished(), "it goes on");
                stopper.stop();
            }
            let kind = waiter.join().unwrap().unwrap_err().kind();
            let expected = if interruptible { ErrorKind::Interrupted } else { ErrorKind::Stopped };
            assert_eq!(kind, expected);
        }
    });
}

/// A message about a packet, with this attribute.
fn message(kind: u16, value: &[u8]) -> Vec<u8> {
    let size = 4 + value.len();
    let mut bytes = (20 + size as u32).to_ne_bytes().to_vec();
    bytes.extend([0x0400_u16, 0].map(u16::to_ne_bytes).concat());
    bytes.extend([0; 8]);
    bytes.extend([2, 0, 0, 5]);
    bytes.extend([size as u16, kind].map(u16::to_ne_bytes).concat());
    bytes.extend(value);
    bytes
}

#[test]
fn what_a_packet_lacks_is_none_and_what_it_claims_is_checked() {
    let bytes = message(8, &[&[0, 9, 0, 0][..], &[7; 8]].concat());
    let packet = Packets::of(&bytes).next().unwrap();
    assert_eq!(packet.hardware_address(), None, "9 bytes where there is room for 8");
    assert_eq!((packet.payload(), packet.prefix(), packet.protocol()), (None, None, None));
    assert_eq!((packet.hardware_header(), packet.timestamp()), (None, None));
}

#[test]
fn a_large_packet_is_printed_whole() {
    let bytes = message(9, &[0xab; 40_000]);
    let packet = Packets::of(&bytes).next().unwrap();
    let text = packet.xml(XmlParts::PAYLOAD).to_string();
    assert_eq!(text, format!("<log><payload>{}</payload></log>", "ab".repeat(40_000)));
}

#[test]
fn other_descriptors_are_waited_for_at_the_same_time() {
    in_namespace(|| {
        let mut log = log(&Options::new().nonblocking(true));
        let ready = |log: &PacketLog, time| {
            let mut fd = libc::pollfd { fd: log.as_raw_fd(), events: libc::POLLIN, revents: 0 };
            // SAFETY: one struct is alive during the call.
            (unsafe { libc::poll(&raw mut fd, 1, time) }) == 1
        };
        assert!(!ready(&log, 0));
        send(9, b"x", 1);
        assert!(ready(&log, 20_000));
        assert!(matches!(log.try_next(), Ok(Some(Logged::Packet { .. }))));
        assert!(log.try_next().unwrap().is_none() && !ready(&log, 0));
    });
}
