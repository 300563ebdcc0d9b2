//! Mirrors of the Rust interface, against the running kernel.

mod flows;

use capi_tests::in_namespace;
use ctrs::{
    Changes, Error, ErrorKind, Expression, Flow, FlowTable, Happened, Key, Mirror, MirrorChange,
    MirrorReader, Options,
};
use flows::{ip, udp};
use std::collections::BTreeMap;
use std::fs::File;
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// Whether flows of the namespace report, even if nobody listened when they began.
fn set_reporting(on: bool) {
    let value = if on { "1" } else { "0" };
    std::fs::write("/proc/sys/net/netfilter/nf_conntrack_events", value).unwrap();
}

const LONG: Duration = Duration::from_secs(20);

fn next(mirror: &mut Mirror) -> MirrorChange {
    mirror.next_timeout(LONG).unwrap().expect("a change comes")
}

/// What comes until all is settled.
fn until_settled(mirror: &mut Mirror) -> Vec<MirrorChange> {
    let mut changes = Vec::new();
    loop {
        let change = next(mirror);
        let is_settled = change.happened == Happened::Settled;
        changes.push(change);
        if is_settled {
            return changes;
        }
    }
}

fn port(flow: Option<&Flow>) -> Option<u16> {
    flow?.tuple()?.source_port()
}

fn what(change: &MirrorChange) -> (Happened, bool, Option<u16>, Option<u16>) {
    let MirrorChange { happened, synthesised, before, after, .. } = change;
    (*happened, *synthesised, port(before.as_ref()), port(after.as_ref()))
}

/// What flows are compared by: all that is printed but the timeout, which goes down, and the uses.
fn known(flow: &Flow) -> (String, String) {
    let line = flow.to_string();
    let words = line.split_whitespace().enumerate();
    let lasting = words.filter(|(at, word)| *at != 4 && !word.starts_with("use="));
    let line: Vec<_> = lasting.map(|(_, word)| word).collect();
    (format!("{:?}", flow.key().any_life()), format!("{} {:?}", line.join(" "), flow.id()))
}

type Known = BTreeMap<String, String>;

fn listed(table: &FlowTable) -> Known {
    table.list().unwrap().map(|flow| known(&flow.unwrap())).collect()
}

fn kept(reader: &MirrorReader) -> Known {
    reader.flows().map(|flow| known(&flow.unwrap())).collect()
}

/// Reads until nothing comes.
fn read_all(mirror: &mut Mirror) {
    while mirror.next_timeout(Duration::from_millis(50)).unwrap().is_some() {}
    assert!(mirror.info().is_settled(), "{:?}", mirror.info());
}

#[test]
fn it_begins_with_what_is_there_and_follows() {
    in_namespace(|| {
        set_reporting(true);
        let mut table = FlowTable::open().unwrap();
        table.create(&udp(1)).unwrap();
        let mut mirror = Mirror::open().unwrap();
        let first: Vec<_> = until_settled(&mut mirror).iter().map(what).collect();
        let of = |happened, after| (happened, true, None, after);
        let settled =
            [(Happened::Resyncing, None), (Happened::New, Some(1)), (Happened::Settled, None)];
        assert_eq!(first, settled.map(|(happened, after)| of(happened, after)));

        table.create(&udp(2).mark(5)).unwrap();
        assert_eq!(what(&next(&mut mirror)), (Happened::New, false, None, Some(2)));
        table.update(&udp(2), &Changes::new().mark(6)).unwrap();
        let updated = next(&mut mirror);
        assert_eq!(what(&updated), (Happened::Updated, false, Some(2), Some(2)));
        let marks = [updated.before, updated.after].map(|flow| flow.unwrap().mark());
        assert_eq!(marks, [5, 6]);
        table.delete(&udp(1)).unwrap();
        assert_eq!(what(&next(&mut mirror)), (Happened::Destroyed, false, Some(1), None));
        assert!(mirror.next_timeout(Duration::from_millis(1)).unwrap().is_none());
        assert_eq!(kept(&mirror), listed(&table));
    });
}

#[test]
fn flows_are_found_by_either_tuple_and_by_id() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        let nat = udp(7).source_nat(ip("192.0.2.1"));
        table.create(&nat).unwrap();
        table.create(&udp(8)).unwrap();
        let mut mirror = Mirror::open().unwrap();
        until_settled(&mut mirror);
        let seen = table.get(&nat).unwrap().unwrap();
        let reply = Key::reply(seen.reply().unwrap());
        let found = [
            mirror.find(&nat).unwrap(),
            mirror.find(reply).unwrap(),
            mirror.find_id(seen.id().unwrap()).unwrap(),
            mirror.find(seen.key()).unwrap(),
        ];
        assert_eq!(found.map(|flow| known(&flow.unwrap())), [0; 4].map(|_| known(&seen)));
        let elsewhere =
            [Key::original(seen.reply().unwrap()), reply.in_zone(3), Key::from(&udp(9))];
        for key in elsewhere {
            assert!(mirror.find(key).unwrap().is_none(), "{key:?}");
        }
        let some: Expression = "sport 8".parse().unwrap();
        let some: Vec<_> = mirror.flows_where(&some).unwrap().map(Result::unwrap).collect();
        assert_eq!(some.iter().map(|flow| port(Some(flow))).collect::<Vec<_>>(), [Some(8)]);
        assert_eq!((mirror.info().flows, mirror.info().unheard, mirror.info().dumps), (2, 2, 1));
    });
}

#[test]
fn it_finds_out_what_was_lost() {
    in_namespace(|| {
        set_reporting(true);
        let mut table = FlowTable::open().unwrap();
        (1..=50).for_each(|port| table.create(&udp(port)).unwrap());
        let options = Options::new().receive_buffer(20_000).receive_buffer_limit(80_000);
        let mut mirror = Mirror::open_with(&options).unwrap();
        until_settled(&mut mirror);
        assert_eq!(mirror.info().receive_buffer, 20_000);
        for port in 51..=600 {
            table.create(&udp(port)).unwrap();
        }
        for port in 1..=50 {
            table.delete(&udp(port)).unwrap();
        }
        let changes = until_settled(&mut mirror);
        let lost = changes.iter().find_map(|change| match change.happened {
            Happened::Overrun(lost) => Some(lost),
            _ => None,
        });
        let info = mirror.info();
        assert_eq!((info.overruns, info.dumps, info.receive_buffer), (1, 2, 40_000));
        assert_eq!(Some(info.lost), lost.map(u64::from));
        assert!(changes.iter().any(|change| change.happened == Happened::Resyncing));
        let synthesised = |happened| {
            let found = |it: &&MirrorChange| it.happened == happened && it.synthesised;
            changes.iter().filter(found).count()
        };
        assert_eq!(synthesised(Happened::Destroyed), 50);
        // What came before the loss is told as ever.
        let news = changes.iter().filter(|it| it.happened == Happened::New).count();
        assert_eq!((news, synthesised(Happened::New) + info.events as usize), (550, 550));
        assert_eq!(kept(&mirror), listed(&table));
    });
}

#[test]
fn a_loss_is_told_in_its_place() {
    in_namespace(|| {
        set_reporting(true);
        let mut table = FlowTable::open().unwrap();
        let options = Options::new().receive_buffer(20_000);
        let mut mirror = Mirror::open_with(&options).unwrap();
        until_settled(&mut mirror);
        (1..=100).for_each(|port| table.create(&udp(port)).unwrap());
        // What the buffer held is read then, and the next one comes behind the gap.
        assert_eq!(what(&next(&mut mirror)), (Happened::New, false, None, Some(1)));
        table.create(&udp(101)).unwrap();
        let changes = until_settled(&mut mirror);
        let older = changes.iter().take_while(|it| it.happened == Happened::New).count();
        assert_eq!(changes[older].happened, Happened::Overrun(99 - older as u32));
        let told = changes.iter().filter(|it| it.happened == Happened::New && !it.synthesised);
        assert_eq!(told.count(), older + 1);
        assert_eq!(kept(&mirror), listed(&table));
    });
}

#[test]
fn events_that_keep_coming_put_off_no_verification() {
    in_namespace(|| {
        set_reporting(true);
        let mut table = FlowTable::open().unwrap();
        let mut mirror = Mirror::open().unwrap();
        until_settled(&mut mirror);
        mirror.verify().unwrap();
        for port in 1..=100 {
            table.create(&udp(port)).unwrap();
            assert_eq!(next(&mut mirror).happened, Happened::New);
        }
        assert_eq!((mirror.info().dumps, mirror.info().is_verifying()), (2, false));
    });
}

#[test]
fn a_filter_lets_flows_enter_and_leave() {
    in_namespace(|| {
        set_reporting(true);
        let mut table = FlowTable::open().unwrap();
        table.create(&udp(1)).unwrap();
        let filter: Expression = "udp and sport < 100 and mark 1".parse().unwrap();
        let mut mirror = Mirror::open_where(&Options::new(), &filter).unwrap();
        assert_eq!(until_settled(&mut mirror).len(), 2);
        table.create(&udp(200).mark(1)).unwrap();
        table.create(&udp(2).mark(1)).unwrap();
        table.update(&udp(1), &Changes::new().mark(1)).unwrap();
        table.update(&udp(2), &Changes::new().mark(3)).unwrap();
        table.delete(&udp(2)).unwrap();
        let told = [0; 3].map(|_| what(&next(&mut mirror)));
        assert_eq!(
            told,
            [
                (Happened::New, false, None, Some(2)),
                (Happened::Entered, false, Some(1), Some(1)),
                (Happened::Left, false, Some(2), Some(2)),
            ]
        );
        assert!(mirror.next_timeout(Duration::from_millis(1)).unwrap().is_none());
        assert!(
            mirror.find(&udp(200)).unwrap().is_none() && mirror.find(&udp(2)).unwrap().is_none()
        );
        assert_eq!(kept(&mirror).len(), 1);
    });
}

#[test]
fn silent_flows_are_put_right_by_a_verification() {
    in_namespace(|| {
        let mut table = FlowTable::open().unwrap();
        set_reporting(false);
        (1..=3).for_each(|port| table.create(&udp(port)).unwrap());
        let mut mirror = Mirror::open().unwrap();
        until_settled(&mut mirror);
        table.delete(&udp(1)).unwrap();
        table.update(&udp(2), &Changes::new().mark(9)).unwrap();
        table.create(&udp(4)).unwrap();
        assert!(mirror.next_timeout(Duration::from_millis(1)).unwrap().is_none());
        mirror.verify().unwrap();
        assert!(mirror.info().is_verifying());
        let mut told = [0; 3].map(|_| what(&next(&mut mirror)));
        told.sort_by_key(|(_, _, before, _)| before.unwrap_or(0));
        assert_eq!(
            told,
            [
                (Happened::New, true, None, Some(4)),
                (Happened::Destroyed, true, Some(1), None),
                (Happened::Updated, true, Some(2), Some(2)),
            ]
        );
        let info = mirror.info();
        assert!(info.is_settled() && !info.is_verifying(), "{info:?}");
        assert_eq!((info.flows, info.unheard, info.dumps), (3, 3, 2));
        let unheard = |mirror: &Mirror| -> Vec<_> {
            let flows = mirror.unheard_flows().map(Result::unwrap);
            let mut ports: Vec<_> = flows.map(|flow| port(Some(&flow))).collect();
            ports.sort_unstable();
            ports
        };
        assert_eq!(unheard(&mirror), [Some(2), Some(3), Some(4)]);
        set_reporting(true);
        table.create(&udp(5)).unwrap();
        assert_eq!(what(&next(&mut mirror)), (Happened::New, false, None, Some(5)));
        assert_eq!((unheard(&mirror).len(), mirror.info().flows), (3, 4));
        // At an interval, too.
        table.delete(&udp(2)).unwrap();
        mirror.verify_every(Some(Duration::from_millis(5))).unwrap();
        assert_eq!(what(&next(&mut mirror)), (Happened::Destroyed, true, Some(2), None));
        mirror.verify_every(None).unwrap();
        read_all(&mut mirror);
        assert_eq!(kept(&mirror), listed(&table));
    });
}

/// Creates, changes and deletes flows, some thousand times in a row.
fn churn(table: &mut FlowTable, random: &mut u64) -> Result<(), Error> {
    for _ in 0..4_000 {
        *random = random.wrapping_mul(0x5851_f42d_4c95_7f2d).wrapping_add(1);
        let port = 1 + (*random >> 40) as u16 % 700;
        let mark = (*random >> 60) as u32;
        let done = match *random >> 33 & 3 {
            0 => table.delete(&udp(port)),
            1 => table.update(&udp(port), &Changes::new().mark(mark)),
            _ => table.create(&udp(port).source_nat(ip("192.0.2.9")).mark(mark)),
        };
        match done {
            Err(error) if [ErrorKind::NotFound, ErrorKind::Exists].contains(&error.kind()) => {}
            done => done?,
        }
    }
    Ok(())
}

#[test]
fn after_churn_that_overruns_it_is_exact_while_other_threads_look() {
    in_namespace(|| {
        let options = Options::new().receive_buffer(10_000);
        let mut mirror = Mirror::open_with(&options).unwrap();
        let stopper = mirror.stopper().unwrap();
        let reader = mirror.reader().clone();
        let (follower, churner) = std::thread::scope(|scope| {
            let follower = scope.spawn(|| {
                loop {
                    match mirror.next_change() {
                        Err(error) if error.kind() == ErrorKind::Stopped => return,
                        change => drop(change.unwrap()),
                    }
                }
            });
            let churner = scope.spawn(|| {
                let (mut table, mut random) = (FlowTable::open().unwrap(), 17);
                (0..3).for_each(|_| churn(&mut table, &mut random).unwrap());
            });
            while !churner.is_finished() {
                let flows = reader.flows().map(Result::unwrap).count();
                assert!(flows <= 700 && reader.info().flows <= 700);
                assert!(
                    reader.find(&udp(1)).unwrap().is_none_or(|flow| port(Some(&flow)) == Some(1))
                );
            }
            stopper.stop();
            (follower.join(), churner.join())
        });
        assert!(follower.is_ok() && churner.is_ok());
        // Nobody reads this.
        let mut table = FlowTable::open().unwrap();
        churn(&mut table, &mut 18).unwrap();
        let deadline = Instant::now() + LONG;
        while mirror.try_next().unwrap().is_some() || !mirror.info().is_settled() {
            assert!(Instant::now() < deadline, "{:?}", mirror.info());
        }
        assert!(mirror.info().overruns > 0, "{:?}", mirror.info());
        assert_eq!(kept(&mirror), listed(&table));
    });
}

#[test]
fn waits_end_and_what_cannot_be_is_said() {
    in_namespace(|| {
        let options = Options::new().timeout(Duration::from_millis(1));
        let mut mirror = Mirror::open_with(&options).unwrap();
        until_settled(&mut mirror);
        assert_eq!(mirror.next_change().unwrap_err().kind(), ErrorKind::TimedOut);
        mirror.stopper().unwrap().stop();
        assert_eq!(mirror.next_change().unwrap_err().kind(), ErrorKind::Stopped);
        assert!(mirror.try_next().unwrap().is_none());
        assert_eq!(mirror.info().receive_buffer, 4 << 20);
        let everywhere = Mirror::open_with(&Options::new().all_namespaces(true)).unwrap_err();
        assert_eq!(everywhere.kind(), ErrorKind::Unsupported, "{everywhere}");
    });
}

#[test]
fn it_is_of_another_namespace() {
    in_namespace(|| {
        // A thread stays where it went; the mirror is kept up to date by this one.
        let ((tell, told), (stay, leave)) = (mpsc::channel(), mpsc::channel::<()>());
        let there = std::thread::spawn(move || {
            // SAFETY: no pointer is involved.
            assert_eq!(unsafe { libc::unshare(libc::CLONE_NEWNET) }, 0);
            set_reporting(true);
            let mut table = FlowTable::open().unwrap();
            table.create(&udp(1)).unwrap();
            tell.send(File::open("/proc/thread-self/ns/net").unwrap()).unwrap();
            leave.recv().unwrap();
            table.create(&udp(2)).unwrap();
        });
        let namespace = told.recv().unwrap();
        let options = Options::new().netns_fd(&namespace).unwrap();
        let mut mirror = Mirror::open_with(&options).unwrap();
        FlowTable::open().unwrap().create(&udp(9)).unwrap();
        until_settled(&mut mirror);
        stay.send(()).unwrap();
        assert_eq!(what(&next(&mut mirror)), (Happened::New, false, None, Some(2)));
        there.join().unwrap();
        let table = FlowTable::open_with(&options).unwrap();
        assert_eq!(kept(&mirror), listed(&table));
        // Many at a time, and of one the id too.
        let reader = mirror.reader();
        let mut keys: Vec<Key> = (0..700).map(|port| (&udp(port)).into()).collect();
        let found = reader.find_all(&keys).unwrap();
        let each = keys.iter().map(|key| reader.find(key).unwrap().map(|flow| flow.id()));
        assert!(found.iter().map(|flow| flow.as_ref().map(Flow::id)).eq(each));
        let first = found.iter().position(Option::is_some).expect("a flow that is there");
        let other = found.iter().flatten().next_back().and_then(Flow::id);
        assert_ne!(found[first].as_ref().and_then(Flow::id), other);
        keys[first] = keys[first].with_id(other);
        let again = reader.find_all(&keys).unwrap();
        assert!(again[first].is_none());
        assert_eq!(again.iter().flatten().count() + 1, found.iter().flatten().count());
        assert_eq!(kept(&mirror).len(), 2);
    });
}

#[test]
fn it_takes_privileges_and_one_namespace() {
    in_namespace(|| {
        let all = Options::new().all_namespaces(true);
        let error = Mirror::open_with(&all).unwrap_err();
        assert_eq!((error.kind(), error.errno()), (ErrorKind::Unsupported, Some(libc::EOPNOTSUPP)));
        let own = Options::new().netns("/proc/thread-self/ns/net").unwrap();
        std::thread::spawn(move || {
            // Of this thread alone. The third version of the call, no capabilities.
            let (header, none) = ([0x2008_0522_u32, 0], [0_u32; 6]);
            // SAFETY: both are as large as this version says, and alive during the call.
            let left = unsafe { libc::syscall(libc::SYS_capset, header.as_ptr(), none.as_ptr()) };
            assert_eq!(left, 0);
            for (options, word) in [(Options::new(), "CAP_NET_ADMIN"), (own, "CAP_SYS_ADMIN")] {
                let error = Mirror::open_with(&options).unwrap_err();
                assert_eq!(
                    (error.kind(), error.errno()),
                    (ErrorKind::Privilege, Some(libc::EPERM))
                );
                assert!(error.to_string().contains(word), "{error}");
            }
        })
        .join()
        .unwrap();
    });
}
