//! Events, waited for in every way, and through sockets opened with options.

mod flows;

use capi_tests::{in_namespace, skip};
use ctrs::conntrack::filter::event::{EventFilter, FilterAttr};
use ctrs::netlink::socket::Socket;
use ctrs::{
    Change, Changes, Error, ErrorKind, EventKind, Events, Filter, Flow, FlowTable, Net, Options,
    Protocol, RequestKind, Stopper,
};
use flows::{end, proc_table, udp};
use std::fs::File;
use std::io::Read;
use std::net::SocketAddr;
use std::os::fd::{AsFd, AsRawFd, IntoRawFd};
use std::os::unix::fs::MetadataExt;
use std::process::{Command, Stdio};
use std::sync::{OnceLock, mpsc};
use std::thread;
use std::time::{Duration, Instant};

const LONG: Duration = Duration::from_secs(20);
const SHORT: Duration = Duration::from_millis(30);

fn port(event: &ctrs::Event) -> u16 {
    event.flow.tuple().and_then(|tuple| tuple.source_port()).unwrap_or(0)
}

#[test]
fn events_tell_what_happens() {
    in_namespace(|| {
        let mut events = Events::open(EventKind::ALL).unwrap();
        let mut table = FlowTable::open().unwrap();
        let flow = udp(1000);
        table.create(&flow).unwrap();
        table.update(&flow, &Changes::new().mark(9)).unwrap();
        table.delete(&flow).unwrap();
        for change in [Change::New, Change::Update, Change::Destroy] {
            let event = events.next_event().unwrap();
            assert_eq!((event.change, event.flow.tuple()), (change, Some(flow.tuple())));
        }
        let mut filter = EventFilter::new();
        filter.add_mark(5, u32::MAX);
        filter.set_logic(FilterAttr::Mark, 0).unwrap();
        events.attach(&filter).unwrap();
        for mark in [4, 5, 6] {
            table.create(&udp(2000 + mark as u16).mark(mark)).unwrap();
        }
        assert_eq!(events.next_event().unwrap().flow.mark(), 5);
    });
}

#[test]
fn events_are_selected_by_the_kernel_and_checked_again() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let flows = |port| {
            let ends = [("10.9.0.1", "10.9.1.2"), ("10.8.0.1", "10.9.1.2"), ("fc00::1", "fc00::2")];
            let ends = ends.map(|(client, server)| {
                (
                    SocketAddr::new(client.parse().unwrap(), port),
                    SocketAddr::new(server.parse().unwrap(), 80),
                )
            });
            ends.map(|(client, server)| {
                [Flow::tcp(client, server).unwrap(), Flow::udp(client, server).unwrap().mark(7)]
            })
        };
        let net = |text: &str| text.parse::<Net>().unwrap();
        let new = Filter::new;
        for (port, filter, count) in [
            (1, new(), 6),
            (2, new().protocol(Protocol::Udp), 3),
            (3, new().source(net("10.9.0.0/16")), 2),
            (4, new().destination(net("10.9.0.0/16")).protocol(6), 2),
            (5, new().destination(net("fc00::2")), 2),
            (6, new().source(net("fc00::/120")).mark(7), 1),
            (7, new().ipv4().mark(7), 2),
            (8, new().source(net("10.9.0.1")).source(net("10.8.0.0/16")), 0),
        ] {
            let mut events = Events::open(EventKind::NEW).unwrap();
            events.only(&filter.clone().source_port(port)).unwrap();
            for flow in flows(port).as_flattened() {
                table.create(flow).unwrap();
            }
            let found: Vec<_> = std::iter::from_fn(|| events.try_next().unwrap()).collect();
            assert_eq!(found.len(), count, "{filter:?}");
            assert!(found.iter().all(|event| filter.matches(&event.flow)));
        }
    });
}

#[test]
fn what_the_kernel_drops_takes_no_room() {
    in_namespace(|| {
        let mut events = Events::open(EventKind::NEW).unwrap();
        events.only(&Filter::new().protocol(Protocol::Tcp)).unwrap();
        let mut table = FlowTable::open().unwrap();
        (1..=5000).for_each(|port| table.create(&udp(port)).unwrap());
        table.create(&Flow::tcp(end("10.0.0.1:9"), end("10.0.0.2:80")).unwrap()).unwrap();
        assert_eq!(events.next_event().map(|event| port(&event)), Ok(9));
        assert_eq!(events.lost(), Ok(0));
    });
}

#[test]
fn a_wait_for_events_has_an_end() {
    in_namespace(|| {
        let mut events = Events::open(EventKind::NEW).unwrap();
        let mut table = FlowTable::open().unwrap();
        assert!(events.try_next().unwrap().is_none(), "the descriptor waits, try_next does not");
        let before = Instant::now();
        assert!(events.next_timeout(SHORT).unwrap().is_none());
        assert!(before.elapsed() >= SHORT);
        table.create(&udp(1)).unwrap();
        table.create(&udp(2)).unwrap();
        assert_eq!(events.next_timeout(LONG).unwrap().as_ref().map(port), Some(1));
        assert_eq!(events.try_next().unwrap().as_ref().map(port), Some(2));
        events.set_nonblocking(true).unwrap();
        assert_eq!(events.next_event().unwrap_err().kind(), ErrorKind::WouldBlock);
        assert!(events.next_timeout(SHORT).unwrap().is_none(), "waits when it is told to");
    });
}

#[test]
fn a_timeout_of_the_options_ends_a_wait() {
    in_namespace(|| {
        let options = Options::new().timeout(SHORT);
        let mut events = Events::open_with(EventKind::NEW, &options).unwrap();
        assert_eq!(events.next_event().unwrap_err().kind(), ErrorKind::TimedOut);
        let mut table = FlowTable::open_with(&options).unwrap();
        table.create(&udp(1)).unwrap();
        assert_eq!(port(&events.next_event().unwrap()), 1);
        let nonblocking = options.nonblocking(true);
        let mut events = Events::open_with(EventKind::NEW, &nonblocking).unwrap();
        assert_eq!(events.next_event().unwrap_err().kind(), ErrorKind::WouldBlock);
        let table = FlowTable::open_with(&nonblocking).unwrap();
        assert_eq!(table.list().unwrap().count(), 1);
    });
}

/// An option of netlink that is on or off.
fn netlink_option(socket: &impl AsFd, option: libc::c_int) -> libc::c_int {
    let (mut value, mut size) = (-1, 4);
    // SAFETY: the kernel writes at most 4 bytes of the value.
    let result = unsafe {
        let fd = socket.as_fd().as_raw_fd();
        let value = (&raw mut value).cast();
        libc::getsockopt(fd, libc::SOL_NETLINK, option, value, &raw mut size)
    };
    assert_eq!(result, 0);
    value
}

#[test]
fn sockets_have_what_the_kernel_offers() {
    in_namespace(|| {
        let table = FlowTable::open().unwrap();
        let list = table.list().unwrap();
        for option in [libc::NETLINK_CAP_ACK, libc::NETLINK_EXT_ACK] {
            assert_eq!(netlink_option(&table, option), 1);
            assert_eq!(netlink_option(&list, option), 1);
        }
        for reliable in [false, true] {
            let options = Options::new().reliable(reliable);
            let events = Events::open_with(EventKind::ALL, &options).unwrap();
            for option in [libc::NETLINK_BROADCAST_ERROR, libc::NETLINK_NO_ENOBUFS] {
                assert_eq!(netlink_option(&events, option), reliable.into());
            }
        }
    });
}

#[test]
fn a_receive_buffer_grows_up_to_its_limit_when_events_were_lost() {
    in_namespace(|| {
        let options = Options::new().receive_buffer(8192).receive_buffer_limit(20_000);
        let mut events = Events::open_with(EventKind::ALL, &options).unwrap();
        let mut table = FlowTable::open().unwrap();
        for size in [16384, 20_000, 20_000] {
            (1..200).for_each(|port| table.create(&udp(port)).unwrap());
            table.flush().unwrap();
            let lost = events.by_ref().find_map(Result::err).unwrap();
            assert_eq!(lost.kind(), ErrorKind::Lost);
            let socket = events.as_fd().try_clone_to_owned().unwrap();
            // SAFETY: the descriptor is a copy, given away here.
            let socket = unsafe { Socket::from_raw(socket.into_raw_fd()) };
            assert_eq!(socket.receive_buffer(), Ok(size));
            while let Ok(Some(_)) = events.try_next() {}
        }
    });
}

/// From now on the socket lets nothing in: no answer comes.
fn be_deaf(socket: &impl AsFd) {
    let nothing = libc::sock_filter { code: 6, jt: 0, jf: 0, k: 0 }; // BPF_RET, 0 bytes
    ctrs::netlink::socket::attach_filter(socket.as_fd().as_raw_fd(), &[nothing]).unwrap();
}

#[test]
fn an_answer_that_does_not_come_is_not_waited_for_longer_than_wanted() {
    in_namespace(|| {
        let options = Options::new().timeout(SHORT);
        let mut table = FlowTable::open_with(&options).unwrap();
        be_deaf(&table);
        let start = Instant::now();
        let error = table.get(&udp(1)).unwrap_err();
        assert_eq!((error.kind(), error.request()), (ErrorKind::TimedOut, Some(RequestKind::Get)));
        assert!(start.elapsed() >= SHORT);
        let mut list = table.list().unwrap();
        be_deaf(&list);
        assert_eq!(list.next().unwrap().unwrap_err().kind(), ErrorKind::TimedOut);
        assert!(list.next().is_none());
        let mut table = FlowTable::open_with(&options.nonblocking(true)).unwrap();
        be_deaf(&table);
        assert_eq!(table.get(&udp(1)).unwrap_err().kind(), ErrorKind::WouldBlock);
    });
}

/// Events read until they were stopped: how many.
fn listen(mut events: Events) -> thread::JoinHandle<Result<usize, Error>> {
    thread::spawn(move || events.by_ref().try_fold(0, |seen, event| event.map(|_| seen + 1)))
}

#[test]
fn a_listener_is_told_to_stop() {
    in_namespace(|| {
        let mut events = Events::open(EventKind::NEW).unwrap();
        let stopper = events.stopper().unwrap();
        let mut table = FlowTable::open().unwrap();
        for port in 1..=100 {
            table.create(&udp(port)).unwrap();
        }
        assert_eq!(events.by_ref().take(99).map(Result::unwrap).count(), 99);
        stopper.clone().stop();
        assert!(stopper.is_stopped() && events.stopper().unwrap().is_stopped());
        assert_eq!(events.next_event().unwrap_err().kind(), ErrorKind::Stopped);
        assert_eq!(events.next_timeout(LONG).unwrap_err().kind(), ErrorKind::Stopped);
        assert_eq!(events.try_next().unwrap().as_ref().map(port), Some(100), "what has come stays");
        assert!(events.next().is_none());
    });
}

#[test]
fn a_listener_that_waits_is_woken_from_another_thread() {
    in_namespace(|| {
        let events = Events::open(EventKind::NEW).unwrap();
        let stopper = events.stopper().unwrap();
        let listener = listen(events);
        thread::sleep(SHORT);
        assert!(!listener.is_finished());
        stopper.stop();
        assert_eq!(listener.join().unwrap(), Ok(0));
    });
}

static ON_SIGNAL: OnceLock<Stopper> = OnceLock::new();

extern "C" fn on_signal(_: libc::c_int) {
    if let Some(stopper) = ON_SIGNAL.get() {
        stopper.stop();
    }
}

#[test]
fn a_listener_that_waits_is_woken_by_a_signal_handler() {
    in_namespace(|| {
        let events = Events::open(EventKind::NEW).unwrap();
        ON_SIGNAL.set(events.stopper().unwrap()).unwrap();
        let handler: extern "C" fn(libc::c_int) = on_signal;
        // SAFETY: the handler does what signal handlers may; no other test uses this signal.
        unsafe { libc::signal(libc::SIGUSR1, handler as libc::sighandler_t) };
        let listener = listen(events);
        thread::sleep(SHORT);
        // SAFETY: no pointer is involved.
        assert_eq!(unsafe { libc::raise(libc::SIGUSR1) }, 0);
        assert_eq!(listener.join().unwrap(), Ok(0));
    });
}

#[test]
fn a_runtime_polls_the_descriptor() {
    in_namespace(|| {
        let mut events = Events::open(EventKind::NEW).unwrap();
        let mut fd =
            libc::pollfd { fd: events.as_fd().as_raw_fd(), events: libc::POLLIN, revents: 0 };
        // SAFETY: the one descriptor is alive during the call.
        let mut poll = |time| unsafe { libc::poll(&raw mut fd, 1, time) };
        assert_eq!(poll(0), 0);
        FlowTable::open().unwrap().create(&udp(5)).unwrap();
        assert_eq!(poll(10_000), 1);
        assert_eq!(events.try_next().unwrap().as_ref().map(port), Some(5));
        assert_eq!(poll(0), 0);
    });
}

/// Puts this thread into a network namespace of its own, whoever it was started by.
fn leave_namespace() {
    // SAFETY: no pointer is involved; only this thread changes its namespace.
    assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
}

#[test]
fn a_table_stays_with_its_namespace_on_any_thread() {
    in_namespace(|| {
        let mut here = FlowTable::open().unwrap();
        let mut events = Events::open(EventKind::NEW).unwrap();
        let elsewhere = thread::spawn(move || {
            leave_namespace();
            here.create(&udp(1)).unwrap();
            assert_eq!(proc_table(), "", "this thread's table is another");
            let mut there = FlowTable::open().unwrap();
            there.create(&udp(2)).unwrap();
            assert_eq!(port(&events.next_event().unwrap()), 1);
            assert_eq!(here.list().unwrap().count(), 1);
            there.flush().unwrap();
            assert_eq!(here.list().unwrap().count(), 1);
        });
        elsewhere.join().unwrap();
        assert_eq!(proc_table().lines().count(), 1);
    });
}

/// A thread that lives in a namespace of its own until the sender is dropped, and that namespace's
/// file.
fn elsewhere() -> (mpsc::Sender<()>, String) {
    let ((entered, there), (stay, leave)) = (mpsc::channel(), mpsc::channel::<()>());
    thread::spawn(move || {
        leave_namespace();
        // SAFETY: no pointer is involved.
        entered.send(unsafe { libc::gettid() }).unwrap();
        let _ = leave.recv();
    });
    (stay, format!("/proc/{}/task/{}/ns/net", std::process::id(), there.recv().unwrap()))
}

#[test]
fn tables_and_events_are_opened_in_other_namespaces() {
    in_namespace(|| {
        let (_stay, path) = elsewhere();
        let by_path = Options::new().netns(&path).unwrap();
        let by_fd = Options::new().netns_fd(File::open(&path).unwrap()).unwrap();
        let mut events = Events::open_with(EventKind::NEW, &by_fd.clone()).unwrap();
        let mut there = FlowTable::open_with(&by_path).unwrap();
        there.create(&udp(1)).unwrap();
        assert_eq!(port(&events.next_event().unwrap()), 1);
        assert_eq!(FlowTable::open_with(&by_fd).unwrap().list().unwrap().count(), 1);
        assert_eq!(proc_table(), "", "the thread has not moved");
        assert_eq!(FlowTable::open().unwrap().list().unwrap().count(), 0);
    });
}

#[test]
fn a_namespace_is_found_by_a_process_in_it() {
    in_namespace(|| {
        let mut unshare = Command::new("unshare");
        unshare.args(["-n", "sh", "-c", "echo; read x"]);
        unshare.stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut child = unshare.spawn().expect("util-linux");
        let mut ready = [0];
        child.stdout.as_mut().unwrap().read_exact(&mut ready).unwrap();
        let options = Options::new().netns_of_pid(child.id()).unwrap();
        FlowTable::open_with(&options).unwrap().create(&udp(1)).unwrap();
        assert_eq!(proc_table(), "");
        assert_eq!(FlowTable::open_with(&options).unwrap().list().unwrap().count(), 1);
        drop(child.stdin.take());
        child.wait().unwrap();
    });
}

#[test]
fn what_is_no_namespace_is_refused() {
    let nothing = Options::new().netns("/run/netns/no-such-namespace").unwrap_err();
    assert_eq!((nothing.kind(), nothing.errno()), (ErrorKind::NotFound, Some(libc::ENOENT)));
    let other = Options::new().netns("/proc/self/ns/uts").unwrap();
    let refused = FlowTable::open_with(&other).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Invalid);
    assert!(refused.to_string().contains("no network namespace"), "{refused}");
}

#[test]
fn events_of_other_namespaces_are_read() {
    in_namespace(|| {
        let options = Options::new().all_namespaces(true);
        let mut events = Events::open_with(EventKind::NEW, &options).unwrap();
        let (_stay, path) = elsewhere();
        // The end of a veth pair gives the other namespace an id here.
        let peer = ["peer", "name", "v1", "netns", &path];
        let made =
            Command::new("ip").args(["link", "add", "v0", "type", "veth"]).args(peer).status();
        assert!(made.expect("iproute2").success());
        let there = Options::new().netns(&path).unwrap();
        let mut there = FlowTable::open_with(&there).unwrap();
        there.create(&Flow::udp(end("203.0.113.1:1"), end("203.0.113.2:2")).unwrap()).unwrap();
        FlowTable::open().unwrap().create(&udp(7)).unwrap();
        // What a request has returned that has the port of a first socket, as a listener has it else.
        there.create_returning(&udp(8)).unwrap();
        let told = [(); 3].map(|()| events.next_event().unwrap());
        assert_eq!(told.each_ref().map(port), [1, 7, 8]);
        assert_eq!(told.map(|event| event.namespace), [Some(0), None, Some(0)]);
        let (_too, deaf) = elsewhere();
        let list = events.namespaces().unwrap();
        let file = |path: &str| std::fs::metadata(path).unwrap().ino();
        let of = |path: &str| {
            let of = |namespace: &&ctrs::NetworkNamespace| namespace.inode == file(path);
            let found: Vec<_> = list.iter().filter(of).collect();
            found
                .first()
                .filter(|_| found.len() == 1)
                .map(|it| (it.is_own(), it.is_heard(), it.id()))
        };
        assert_eq!(list[0].inode, file("/proc/thread-self/ns/net"));
        assert!(of("/proc/thread-self/ns/net").is_some_and(|(own, heard, _)| own && heard));
        // Those of threads that are not where their process is are not looked for: an id tells of one.
        assert_eq!((of(&path), of(&deaf)), (None, None));
        let unseen = |namespace: &&ctrs::NetworkNamespace| namespace.inode == 0;
        let unseen: Vec<_> = list.iter().filter(unseen).collect();
        assert_eq!(
            unseen.iter().map(|it| (it.id(), it.path())).collect::<Vec<_>>(),
            [(Some(0), None)]
        );
    });
}

#[test]
fn lost_events_are_told_and_counted() {
    in_namespace(|| {
        let small = Options::new().receive_buffer(20_000);
        let mut events = Events::open_with(EventKind::NEW, &small).unwrap();
        assert_eq!(events.receive_buffer().unwrap(), 20_000);
        let mut table = FlowTable::open().unwrap();
        for port in 1..=5000 {
            table.create(&udp(port)).unwrap();
        }
        let mut gap = None;
        let next = || events.try_next().map_err(|error| gap = Some(error.kind())).ok().flatten();
        let read = std::iter::from_fn(next).count();
        assert_eq!(gap, Some(ErrorKind::Lost));
        assert_eq!(read + events.lost().unwrap() as usize, 5000);
        assert!(events.try_next().unwrap().is_none(), "what was lost is told once");
        if events.set_receive_buffer(1 << 20).unwrap() < 1 << 20 {
            return skip("a larger receive buffer takes root in the first user namespace");
        }
        table.flush().unwrap();
        for port in 1..=400 {
            table.create(&udp(port)).unwrap();
        }
        assert_eq!(std::iter::from_fn(|| events.try_next().unwrap()).count(), 400);
    });
}
