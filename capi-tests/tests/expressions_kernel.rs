//! Random expressions over a table of every protocol: what lists and events hand out, and what is
//! deleted, against an evaluator in Python over what Debian's `conntrack` prints.
//!
//! `CTRS_SEED` repeats a run.
#![forbid(unsafe_code)]

use capi_tests::in_namespace;
use ctrs::{
    Changes, Error, ErrorKind, EventKind, Events, Expression, Flow, FlowTable, Helper, Labels,
    NewFlow, SctpInfo, SctpState, TcpInfo, TcpSide, TcpState, Tuple, Zone,
};
use std::collections::BTreeSet;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

const FLOWS: u32 = 3000;
const OF_LISTS: usize = 150;
const OF_EVENTS: usize = 40;

struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 20) % limit
    }

    fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len() as u64) as usize]
    }
}

fn run(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().expect(program);
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{program} {arguments:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

fn set(name: &str, value: &str) {
    std::fs::write(format!("/proc/sys/net/netfilter/{name}"), value).expect(name);
}

fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

fn random_tuple(random: &mut Random) -> Tuple {
    let (sources, destinations) = match random.below(2) {
        0 => (["10.0.0.1", "10.0.0.2", "10.0.0.3"], ["10.1.0.4", "10.1.0.5"]),
        _ => (["fd00::1", "fd00::2", "fd00::3"], ["fd01::4", "fd01::5"]),
    };
    let (src, dst) = (ip(random.one_of(&sources)), ip(random.one_of(&destinations)));
    let from = SocketAddr::new(
        src,
        [80, 1000, 1001, 1000 + random.below(60) as u16][random.below(4) as usize],
    );
    let to = SocketAddr::new(dst, random.one_of(&[80, 81, 443, 21]));
    match random.below(9) {
        0 | 1 => Tuple::tcp(from, to),
        2 => Tuple::udp(from, to),
        3 => Tuple::udp_lite(from, to),
        4 => Tuple::sctp(from, to),
        5 => Tuple::gre(src, dst, (random.one_of(&[80, 1000, 0]), random.one_of(&[81, 80]))),
        6 => Tuple::ping(src, dst, random.one_of(&[1, 2, 80, 300])),
        7 => Tuple::dccp(from, to),
        _ => Tuple::other(random.one_of(&[50, 51, 99]), src, dst),
    }
    .unwrap()
}

/// The flow that others of its family belong to.
fn master(is_ipv4: bool) -> Tuple {
    let address = ip(if is_ipv4 { "10.9.0.1" } else { "fd09::1" });
    Tuple::tcp(SocketAddr::new(address, 9), SocketAddr::new(address, 99)).unwrap()
}

fn is_expected(mark: u32) -> bool {
    mark % 7 == 0
}

/// Its timeout is fixed once it is there, which a new flow cannot ask for.
fn is_fixed(mark: u32) -> bool {
    mark % 4 == 0
}

/// A flow whose mark names it, and tells its labels, whether it has a master, and whether its timeout is
/// fixed.
fn random_flow(random: &mut Random, mark: u32) -> NewFlow {
    let tuple = random_tuple(random);
    let protocol = tuple.protocol().number();
    let zone = random.below(4) as u16;
    let zone =
        [Zone::from(zone), Zone::original(zone), Zone::reply(zone)][random.below(3) as usize];
    let timeout = Duration::from_secs(random.one_of(&[600, 6000, 60_000]));
    let mut flow = NewFlow::new(tuple).mark(mark).zone(zone).timeout(timeout);
    if mark % 3 == 0 {
        flow = flow.labels([(mark % 5) as u8, 100].into_iter().collect::<Labels>());
    }
    if is_expected(mark) {
        flow = flow.zone(Zone::from(0)).master(master(tuple.source().is_ipv4()));
    }
    flow = match random.below(3) {
        0 => flow.seen_reply().assured(),
        1 => flow.seen_reply(),
        _ => flow,
    };
    let (to, back) = match tuple.source().is_ipv4() {
        true => (ip("203.0.113.1"), ip("192.0.2.1")),
        false => (ip("fd99::1"), ip("fd99::2")),
    };
    // Of ICMP the kernel may translate the id, too, which is the same of both tuples.
    flow = match random.below(5) {
        _ if matches!(protocol, 1 | 58) => flow,
        0 => flow.source_nat(to),
        1 => flow.destination_nat(back),
        _ => flow,
    };
    let side = TcpSide::default();
    match protocol {
        6 => flow.tcp_info(TcpInfo {
            state: TcpState::from(random.one_of(&[1, 2, 3, 4, 7])),
            original: side,
            reply: side,
        }),
        132 => flow.sctp_info(SctpInfo {
            state: SctpState::from(random.one_of(&[1, 2, 4, 7])),
            tags: [1, 2],
        }),
        _ => flow,
    }
}

/// Creates flows with marks from the first on, some with a helper; those whose tuple is taken are left
/// out.
fn create(
    table: &mut FlowTable,
    random: &mut Random,
    marks: std::ops::Range<u32>,
) -> Vec<(u32, NewFlow)> {
    let mut created = Vec::new();
    for mark in marks {
        let plain = random_flow(random, mark);
        let helped = plain.tuple().protocol().number() == 6 && random.below(4) == 0;
        let flow = match helped {
            true => plain.clone().helper(Helper::new("ftp").unwrap()),
            false => plain.clone(),
        };
        let tried: Result<NewFlow, Error> = match table.create(&flow) {
            // Without the module there are no helpers.
            Err(error) if helped && error.kind() == ErrorKind::Unsupported => {
                table.create(&plain).map(|()| plain)
            }
            result => result.map(|()| flow),
        };
        match tried {
            Ok(flow) => created.push((mark, flow)),
            Err(error) if error.kind() == ErrorKind::Exists => {}
            Err(error) => panic!("{error}"),
        }
    }
    created
}

/// Of ICMP with a code, which no query has.
fn create_with_code(table: &mut FlowTable, mark: u32) {
    let end = |from, to, kind| {
        format!(
            r#"{{"family":"ipv4","src":"10.0.0.{from}","dst":"10.0.0.{to}","protocol":"icmp","type":{kind},"code":1,"id":1}}"#
        )
    };
    let (original, reply) = (end(1, 2, 8), end(2, 1, 0));
    let text = format!(r#"{{"original":{original},"reply":{reply},"timeout":600,"mark":{mark}}}"#);
    table.restore(&Flow::from_json(text).unwrap()).unwrap();
}

/// Packets through the loopback interface, so that there is something to count.
fn traffic() {
    run("ip", &["link", "set", "lo", "up"]);
    let server = UdpSocket::bind("127.0.0.1:443").unwrap();
    for client in 0..20_u16 {
        let socket = UdpSocket::bind(("127.0.0.1", 5000 + client)).unwrap();
        for _ in 0..=client {
            socket.send_to(&vec![0; 100 * usize::from(client)], "127.0.0.1:443").unwrap();
        }
        if client % 2 == 0 {
            server.send_to(&[0; 64], ("127.0.0.1", 5000 + client)).unwrap();
        }
    }
}

/// A folder for what `conntrack` prints.
struct Folder(PathBuf);

impl Folder {
    fn new(what: &str) -> Self {
        let name = format!("ctrs-expressions-{}-{what}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.path(name);
        std::fs::write(&path, text).unwrap();
        path
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).to_str().unwrap().to_owned()
    }

    /// What the table is, as `conntrack` prints it.
    fn print_table(&self) -> [String; 2] {
        let both = |format: &str| {
            ["ipv4", "ipv6"]
                .map(|family| run("conntrack", &["-L", "-f", family, "-o", format]))
                .concat()
        };
        let xml = self.write("table.xml", &both("xml,id,ktimestamp"));
        [xml, self.write("table.txt", &both("id"))]
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn evaluate(arguments: &[&str]) -> String {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/expressions/evaluate.py");
    run("python3", &[&[script.to_str().unwrap()], arguments].concat())
}

/// Expressions with what they are true of, and how many flows they are unknown of.
fn judged(text: &str) -> impl Iterator<Item = (&str, usize, BTreeSet<String>)> {
    text.lines().map(|line| {
        let [text, unknown, names] = line.split('\t').collect::<Vec<_>>().try_into().unwrap();
        (text, unknown.parse().unwrap(), names.split_whitespace().map(str::to_owned).collect())
    })
}

fn set_up() -> (FlowTable, Random, u64) {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos() as u64;
    let seed = std::env::var("CTRS_SEED").map_or_else(|_| now(), |seed| seed.parse().unwrap());
    println!("CTRS_SEED={seed}");
    for (name, value) in
        [("nf_conntrack_udp_timeout", "600"), ("nf_conntrack_udp_timeout_stream", "600")]
    {
        set(name, value);
    }
    // Packets are tracked, and flows have room for labels, where a rule speaks of them.
    for program in ["iptables", "ip6tables"] {
        run(program, &["-A", "OUTPUT", "-m", "connlabel", "--label", "99"]);
    }
    let mut table = FlowTable::open().unwrap();
    for master in [master(true), master(false)] {
        table.create(&NewFlow::new(master).timeout(Duration::from_secs(60_000))).unwrap();
    }
    (table, Random(seed | 1), seed % (1 << 40))
}

#[test]
fn lists_are_what_an_evaluator_in_python_finds() {
    in_namespace(|| {
        let (mut table, mut random, seed) = set_up();
        for (on, marks) in [("1", 1..FLOWS / 2), ("0", FLOWS / 2..FLOWS)] {
            set("nf_conntrack_acct", on);
            set("nf_conntrack_timestamp", on);
            for (_, flow) in
                create(&mut table, &mut random, marks).iter().filter(|it| is_fixed(it.0))
            {
                table.update(flow, &Changes::new().fixed_timeout()).unwrap();
            }
            traffic_once(on);
        }
        create_with_code(&mut table, FLOWS + 1);
        let folder = Folder::new("lists");
        let [xml, text] = folder.print_table();
        let [seed, count] = [seed.to_string(), OF_LISTS.to_string()];
        let told = evaluate(&["table", &seed, &count, &xml, &text]);
        let (mut some, mut open, mut number) = (0, 0, 0);
        for (text, unknown, ids) in judged(&told) {
            let expression: Expression =
                text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
            let listed = ids_of(table.list_where(&expression).unwrap());
            let [more, less]: [Vec<_>; 2] = [
                listed.difference(&ids).take(3).collect(),
                ids.difference(&listed).take(3).collect(),
            ];
            assert!(more.is_empty() && less.is_empty(), "{text}: also {more:?}, not {less:?}");
            number += 1;
            some += usize::from(!ids.is_empty());
            open += usize::from(unknown > 0);
        }
        println!("{number} expressions, {some} select some, {open} are unknown of some");
        delete_one_after_the_other(&mut table, &told);
        // More of them: a term of each field with each operator.
        assert!(number > 2 * OF_LISTS && some > OF_LISTS / 3 && open > OF_LISTS / 8);
    });
}

/// What each expression deletes of what those before have left.
fn delete_one_after_the_other(table: &mut FlowTable, told: &str) {
    let mut left = ids_of(table.list().unwrap());
    for (text, _, matching) in judged(told).filter(|(_, _, ids)| !ids.is_empty()).take(20) {
        let expression: Expression = text.parse().unwrap();
        let deleted = table.delete_where(&expression).unwrap();
        let wanted = left.intersection(&matching).count() as u64;
        assert_eq!((deleted.matched, deleted.deleted), (wanted, wanted), "{text}");
        left = left.difference(&matching).cloned().collect();
        assert_eq!(ids_of(table.list().unwrap()), left, "{text}");
    }
}

fn ids_of(list: ctrs::List) -> BTreeSet<String> {
    list.map(|flow| flow.unwrap().id().unwrap().to_string()).collect()
}

fn traffic_once(on: &str) {
    if on == "1" {
        traffic();
    }
}

#[test]
fn events_are_what_an_evaluator_in_python_finds() {
    in_namespace(|| {
        let (mut table, mut random, seed) = set_up();
        set("nf_conntrack_acct", "1");
        set("nf_conntrack_timestamp", "1");
        let folder = Folder::new("events");
        let [seed, count] = [seed.to_string(), OF_EVENTS.to_string()];
        let texts = evaluate(&["texts", &seed, &count]);
        let mut printer = Printer::start(&folder, &mut table);
        let mut listeners: Vec<_> = texts.lines().map(listener).collect();
        let mut flows = Vec::new();
        for first in (1..300).step_by(20) {
            flows.extend(create(&mut table, &mut random, first..first + 20));
            printer.wait("\"new\"", flows.len());
        }
        let longer = Changes::new().timeout(Duration::from_secs(6000)).assured();
        let fixed = longer.clone().fixed_timeout();
        let changes = |mark| if is_fixed(mark) { &fixed } else { &longer };
        let updated: Vec<_> = flows.iter().step_by(2).collect();
        for (told, some) in (1..).zip(updated.chunks(20)) {
            some.iter().for_each(|(mark, flow)| table.update(flow, changes(*mark)).unwrap());
            printer.wait("\"update\"", updated.len().min(20 * told));
        }
        let [xml, text] = folder.print_table();
        let ids = ids_of(table.list().unwrap());
        for (told, some) in (1..).zip(flows.chunks(20)) {
            some.iter().for_each(|(_, flow)| table.delete(flow).unwrap());
            printer.wait("\"destroy\"", flows.len().min(20 * told));
        }
        printer.end();
        let told = evaluate(&["events", &seed, &count, &xml, &text, &folder.path("events.xml")]);
        let (mut some, mut number) = (0, 0);
        for ((text, _, events), listener) in judged(&told).zip(&mut listeners) {
            // Others are those that the printer was tried with.
            let known = |name: &String| ids.contains(name.split(':').nth(1).unwrap());
            let events: BTreeSet<_> = events.into_iter().filter(known).collect();
            let heard = heard(listener);
            let [more, less]: [Vec<_>; 2] = [
                heard.difference(&events).take(3).collect(),
                events.difference(&heard).take(3).collect(),
            ];
            assert!(more.is_empty() && less.is_empty(), "{text}: also {more:?}, not {less:?}");
            number += 1;
            some += usize::from(!events.is_empty());
        }
        println!("{number} expressions, {some} select some");
        assert!(number == OF_EVENTS && some > OF_EVENTS / 3);
    });
}

/// What only the flow has that the printer is tried with.
const TRIED: &str = "protonum=\"253\"";

/// `conntrack -E`, which looks for the process that has caused each event, and takes its time.
struct Printer {
    program: Child,
    path: String,
}

impl Printer {
    /// Starts it, and waits until it hears.
    fn start(folder: &Folder, table: &mut FlowTable) -> Self {
        let path = folder.path("events.xml");
        let program = Command::new("stdbuf")
            .args(["-oL", "conntrack", "-E", "-b", "16777216", "-o", "xml,id,ktimestamp"])
            .stdout(std::fs::File::create(&path).unwrap())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let this = Self { program, path };
        let tried = NewFlow::new(Tuple::other(253, ip("10.7.0.1"), ip("10.7.0.2")).unwrap());
        while !this.hears() {
            table.create(&tried).unwrap();
            table.delete(&tried).unwrap();
            std::thread::sleep(Duration::from_millis(50));
        }
        this
    }

    /// How many events of a kind it has told, but those that it was tried with.
    fn told(&self, kind: &str) -> usize {
        let text = std::fs::read_to_string(&self.path).unwrap();
        let whole = text.lines().filter(|line| line.contains("</flow>"));
        whole.filter(|line| line.contains(kind) && !line.contains(TRIED)).count()
    }

    fn hears(&self) -> bool {
        std::fs::read_to_string(&self.path).unwrap().contains(TRIED)
    }

    /// Waits until it has told of so many events of a kind: it loses some if it is not waited for.
    fn wait(&self, kind: &str, events: usize) {
        for _ in 0..500 {
            if self.told(kind) >= events {
                return;
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        panic!("conntrack -E has not told of {events} {kind} in time");
    }

    fn end(&mut self) {
        run("kill", &["-INT", &self.program.id().to_string()]);
        self.program.wait().unwrap();
    }
}

impl Drop for Printer {
    fn drop(&mut self) {
        let _ = self.program.kill();
    }
}

fn listener(text: &str) -> Events {
    let mut listener = Events::open(EventKind::ALL).unwrap();
    listener.set_receive_buffer(4 << 20).unwrap();
    listener.only_where(&text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))).unwrap();
    listener
}

/// What was heard, as kind:id.
fn heard(listener: &mut Events) -> BTreeSet<String> {
    let mut heard = BTreeSet::new();
    while let Some(event) = listener.try_next().unwrap() {
        let flow: &Flow = &event.flow;
        heard.insert(format!("{}:{}", event.change, flow.id().unwrap()));
    }
    heard
}
