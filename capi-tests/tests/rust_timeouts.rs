//! Timeout policies of Rust programs, against the running kernel, its rules and flows.

use capi_tests::in_namespace;
use ctrs::{
    Error, ErrorKind, Family, FlowTable, Options, Protocol, RequestKind, TimeoutPolicies,
    TimeoutPolicy, TimeoutState, Timeouts, UserHelper, UserHelpers,
};
use std::fs;
use std::net::UdpSocket;
use std::process::Command;
use std::thread;
use std::time::Duration;

const UDP: &str = "/proc/sys/net/netfilter/nf_conntrack_udp_timeout";

fn seconds(time: u64) -> Duration {
    Duration::from_secs(time)
}

fn udp(name: &str, family: Family, unreplied: u64) -> TimeoutPolicy {
    let timeouts = Timeouts::of(Protocol::Udp).unwrap();
    let timeouts = timeouts.with(TimeoutState::UDP_UNREPLIED, seconds(unreplied)).unwrap();
    TimeoutPolicy::new(name, family, timeouts).unwrap()
}

fn open() -> TimeoutPolicies {
    TimeoutPolicies::open().unwrap()
}

fn listed(policies: &TimeoutPolicies) -> Vec<String> {
    policies.list().unwrap().map(|policy| policy.unwrap().to_string()).collect()
}

/// Runs a command of words, which must succeed.
fn run(command: &str) {
    let mut words = command.split(' ');
    let mut program = Command::new(words.next().unwrap());
    // The usual lock is root's, and of all namespaces.
    let lock = std::env::temp_dir().join(format!("ctrs-xtables-{}", std::process::id()));
    let output = program.args(words).env("XTABLES_LOCKFILE", &lock).output().unwrap();
    let _ = fs::remove_file(lock);
    assert!(output.status.success(), "{command}: {}", String::from_utf8_lossy(&output.stderr));
}

fn sysctl(path: &str) -> String {
    // Of this thread's namespace, not of the process's.
    fs::read_to_string(path).unwrap().trim().to_owned()
}

fn refused<T: std::fmt::Debug>(
    result: Result<T, Error>,
    kind: ErrorKind,
    of: RequestKind,
    says: &str,
) {
    let error = result.unwrap_err();
    assert_eq!((error.kind(), error.request()), (kind, Some(of)), "{error}");
    assert!(error.to_string().contains(says), "{error}");
}

#[test]
fn policies_are_created_replaced_listed_and_deleted() {
    in_namespace(|| {
        let mut policies = open();
        assert_eq!(listed(&policies), Vec::<String>::new());
        let (first, second) = (udp("one", Family::Ipv4, 11), udp("two", Family::Ipv6, 22));
        policies.create(&first).unwrap();
        policies.replace(&second).unwrap(); // there was none
        let exists = policies.create(&udp("one", Family::Ipv4, 99));
        refused(exists, ErrorKind::Exists, RequestKind::CreateTimeoutPolicy, "already");
        assert_eq!(
            listed(&policies),
            ["one ipv4 udp UNREPLIED=11 REPLIED=120", "two ipv6 udp UNREPLIED=22 REPLIED=120"]
        );
        policies.replace(&udp("one", Family::Ipv4, 12)).unwrap();
        let one = policies.get("one").unwrap().unwrap();
        assert_eq!(
            (one.to_string().as_str(), one.rules()),
            ("one ipv4 udp UNREPLIED=12 REPLIED=120", Some(0))
        );
        let other = policies.replace(&udp("one", Family::Ipv6, 12));
        refused(other, ErrorKind::Invalid, RequestKind::ReplaceTimeoutPolicy, "another family");
        policies.delete("one").unwrap();
        assert_eq!(policies.get("one").unwrap(), None);
        let gone = policies.delete("one");
        refused(
            gone,
            ErrorKind::NotFound,
            RequestKind::DeleteTimeoutPolicy,
            "no policy of this name",
        );
        policies.flush().unwrap();
        assert_eq!(policies.list().unwrap().count(), 0);
    });
}

#[test]
fn every_protocol_of_the_kernel_has_its_states() {
    in_namespace(|| {
        let mut policies = open();
        let protocols = [1, 6, 17, 47, 58, 132, 136, 255].map(Protocol::from);
        for protocol in protocols {
            let mut timeouts = Timeouts::of(protocol).unwrap();
            for (state, time) in TimeoutState::all(protocol).zip(100..) {
                timeouts = timeouts.with(state, seconds(time)).unwrap();
            }
            let name = format!("p{}", protocol.number());
            policies.create(&TimeoutPolicy::new(&name, Family::Ipv4, timeouts).unwrap()).unwrap();
            let told = policies.get(&name).unwrap().unwrap().timeouts();
            assert_eq!(told, timeouts, "heartbeats of SCTP too");
        }
        let generic = policies.get("p255").unwrap().unwrap();
        assert_eq!(generic.to_string(), "p255 ipv4 generic TIMEOUT=100");
        let none = TimeoutPolicy::new("d", Family::Ipv4, Timeouts::of(Protocol::Dccp).unwrap());
        match policies.create(&none.unwrap()) {
            Ok(()) => println!("this kernel tracks DCCP"),
            error => {
                refused(error, ErrorKind::Unsupported, RequestKind::CreateTimeoutPolicy, "generic")
            }
        }
    });
}

#[test]
fn defaults_are_the_sysctls_and_those_of_new_policies() {
    in_namespace(|| {
        let mut policies = open();
        let udp_defaults = policies.defaults(Protocol::Udp).unwrap();
        assert_eq!(udp_defaults.to_string(), "udp UNREPLIED=30 REPLIED=120");
        let timeouts = Timeouts::of(Protocol::UdpLite).unwrap();
        let timeouts = timeouts.with(TimeoutState::UDPLITE_UNREPLIED, seconds(33)).unwrap();
        policies.set_defaults(&timeouts).unwrap();
        assert_eq!(sysctl(UDP), "33", "UDP-Lite has those of UDP");
        let policy = TimeoutPolicy::new("new", Family::Ipv4, Timeouts::of(Protocol::Udp).unwrap());
        policies.create(&policy.unwrap()).unwrap();
        policies.set_defaults(&udp_defaults).unwrap();
        assert_eq!(sysctl(UDP), "30");
        assert_eq!(listed(&policies), ["new ipv4 udp UNREPLIED=33 REPLIED=120"], "as it was made");
        let sctp = policies.defaults(Protocol::Sctp).unwrap();
        assert_eq!(sctp.get(TimeoutState::SCTP_HEARTBEAT_SENT), Some(seconds(30)));
        let none = policies.defaults(Protocol::Esp);
        refused(none, ErrorKind::Unsupported, RequestKind::GetDefaultTimeouts, "generic");
    });
}

#[test]
fn a_timeout_that_the_kernel_would_shorten_is_refused() {
    in_namespace(|| {
        let mut policies = open();
        let error = policies.create(&udp("long", Family::Ipv4, u64::from(u32::MAX))).unwrap_err();
        let text = error.to_string();
        let words: Vec<_> = text.split(' ').collect();
        let most = words.iter().find_map(|word| word.parse().ok()).unwrap();
        assert_eq!(error.kind(), ErrorKind::Invalid);
        assert_eq!(policies.get("long").unwrap(), None);
        policies.create(&udp("long", Family::Ipv4, most)).unwrap();
        let told = policies.get("long").unwrap().unwrap().timeouts();
        assert_eq!(told.get(TimeoutState::UDP_UNREPLIED), Some(seconds(most)), "the longest");
        assert!(policies.create(&udp("longer", Family::Ipv4, most + 1)).is_err());
    });
}

/// Sends a packet to a port of this machine; the seconds that its flow has left.
fn send(address: &str) -> u64 {
    let mut table = FlowTable::open().unwrap();
    // A port may come again, and a flow with it.
    table.flush().unwrap();
    let from = UdpSocket::bind((address, 0)).unwrap();
    from.send_to(b"x", (address, 9)).unwrap();
    let port = from.local_addr().unwrap().port();
    let mut flows = table.list().unwrap().map(Result::unwrap);
    let mine = |flow: &ctrs::Flow| flow.tuple().and_then(|tuple| tuple.source_port()) == Some(port);
    let timeout = flows.find(mine).unwrap().timeout().unwrap();
    timeout.as_secs()
}

#[test]
fn rules_give_policies_to_flows() {
    in_namespace(|| {
        run("ip link set lo up");
        // Flows are tracked as long as a rule asks for them.
        for tool in ["iptables-nft", "ip6tables-nft"] {
            run(&format!("{tool} -w -A INPUT -m conntrack --ctstate NEW"));
        }
        let mut policies = open();
        // So far from each other that they are told apart however long all of it takes.
        policies.set_defaults(&udp("default", Family::Ipv4, 3000).timeouts()).unwrap();
        let cases = [
            ("iptables-nft", "four", Family::Ipv4, "127.0.0.1"),
            ("iptables-legacy", "legacy4", Family::Ipv4, "127.0.0.1"),
            ("ip6tables-nft", "six", Family::Ipv6, "::1"),
            ("ip6tables-legacy", "legacy6", Family::Ipv6, "::1"),
        ];
        for (tool, name, family, address) in cases {
            policies.create(&udp(name, family, 9000)).unwrap();
            run(&format!("{tool} -w -t raw -A OUTPUT -p udp -j CT --timeout {name}"));
            assert!((6001..=9000).contains(&send(address)), "{tool}");
            let told = policies.get(name).unwrap().unwrap();
            assert_eq!(told.rules(), Some(1), "{tool}");
            refused(
                policies.delete(name),
                ErrorKind::Busy,
                RequestKind::DeleteTimeoutPolicy,
                "a rule uses",
            );
            policies.flush().unwrap(); // those in use stay
            policies.replace(&udp(name, family, 6000)).unwrap();
            assert!((3001..=6000).contains(&send(address)), "{tool}");
            run(&format!("{tool} -w -t raw -F"));
            // Flows do not keep it.
            policies.delete(name).unwrap();
            assert!((31..=3000).contains(&send(address)), "{tool}");
        }
    });
}

#[test]
fn timeouts_of_nftables_are_a_world_of_their_own() {
    in_namespace(|| {
        let mut policies = open();
        run("nft add table ip t");
        run("nft add ct timeout ip t same { protocol udp; policy = { unreplied: 7 }; }");
        assert_eq!(policies.get("same").unwrap(), None);
        assert_eq!(policies.list().unwrap().count(), 0);
        policies.create(&udp("same", Family::Ipv4, 8)).unwrap();
        policies.flush().unwrap();
        let output =
            Command::new("nft").args(["list", "ct", "timeout", "ip", "t", "same"]).output();
        let text = String::from_utf8(output.unwrap().stdout).unwrap();
        assert!(text.contains("unreplied"), "{text}");
    });
}

#[test]
fn namespaces_have_policies_and_defaults_of_their_own() {
    in_namespace(|| {
        let outer = fs::File::open("/proc/thread-self/ns/net").unwrap();
        let mut policies = open();
        policies.create(&udp("outer", Family::Ipv4, 5)).unwrap();
        let elsewhere = thread::spawn(move || {
            // SAFETY: no pointers are passed; the thread is this test's.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
            let mut inner = open();
            assert_eq!(inner.get("outer").unwrap(), None);
            let timeouts = Timeouts::of(Protocol::Udp).unwrap();
            inner
                .set_defaults(&timeouts.with(TimeoutState::UDP_REPLIED, seconds(9)).unwrap())
                .unwrap();
            let options = Options::new().netns_fd(&outer).unwrap();
            let mut there = TimeoutPolicies::open_with(&options).unwrap();
            assert_eq!(there.get("outer").unwrap().unwrap().name(), b"outer");
            assert_eq!(
                there.defaults(Protocol::Udp).unwrap().to_string(),
                "udp UNREPLIED=30 REPLIED=120"
            );
        });
        elsewhere.join().unwrap();
        assert_eq!(listed(&policies).len(), 1);
    });
}

#[test]
fn ten_thousand_policies_are_listed_in_order_while_they_change() {
    in_namespace(|| {
        let mut policies = open();
        let name = |number: usize| format!("policy-{number:05}");
        for number in 0..10_000 {
            policies.create(&udp(&name(number), Family::Ipv4, number as u64)).unwrap();
        }
        let mut seen = 0;
        for policy in policies.list().unwrap() {
            assert_eq!(policy.unwrap().name(), name(seen).as_bytes());
            seen += 1;
        }
        assert_eq!(seen, 10_000);
        let mut list = policies.list().unwrap();
        assert!(list.next().unwrap().is_ok());
        policies.flush().unwrap();
        assert!(list.all(|policy| policy.is_ok()), "a list goes on");
        assert_eq!(policies.list().unwrap().count(), 0);
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
fn without_privileges_every_request_says_what_is_missing() {
    in_namespace(|| {
        let unprivileged = thread::spawn(|| {
            drop_privileges();
            let mut policies = open();
            let policy = udp("x", Family::Ipv4, 1);
            let errors = [
                policies.create(&policy).unwrap_err(),
                policies.replace(&policy).unwrap_err(),
                policies.get("x").unwrap_err(),
                policies.delete("x").unwrap_err(),
                policies.flush().unwrap_err(),
                policies.list().unwrap().next().unwrap().unwrap_err(),
                policies.defaults(Protocol::Tcp).unwrap_err(),
                policies.set_defaults(&policy.timeouts()).unwrap_err(),
            ];
            for error in errors {
                let text = error.to_string();
                assert_eq!(error.kind(), ErrorKind::Privilege, "{text}");
                assert!(text.contains("CAP_NET_ADMIN is needed"), "{text}");
            }
        });
        unprivileged.join().unwrap();
    });
}

/// Few kernels have them: all others say that of everything, and the error which option is missing.
#[test]
fn helpers_in_user_space_are_there_or_the_kernel_says_why_not() {
    in_namespace(|| {
        let mut helpers = UserHelpers::open().unwrap();
        let helper = UserHelper::new("ctrs-test", Family::Ipv4, Protocol::Tcp, 3).unwrap();
        let helper = helper.policy("data", 1, seconds(300)).unwrap();
        let error = match helpers.create(&helper) {
            Ok(()) => return helpers.delete("ctrs-test", Family::Ipv4, Protocol::Tcp).unwrap(),
            Err(error) => error,
        };
        let errors = [
            error,
            helpers.set(&helper).unwrap_err(),
            helpers.get("ctrs-test", Family::Ipv4, Protocol::Tcp).unwrap_err(),
            helpers.delete("ctrs-test", Family::Ipv4, Protocol::Tcp).unwrap_err(),
            helpers.flush().unwrap_err(),
            helpers.list().unwrap().next().unwrap().unwrap_err(),
        ];
        for error in errors {
            let text = error.to_string();
            let missing = text.contains("CONFIG_NF_CT_NETLINK_HELPER");
            // In a user namespace the kernel does not come to say it.
            assert!(missing || text.contains("first user namespace"), "{text}");
        }
    });
}
