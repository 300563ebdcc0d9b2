//! A thread that keeps a mirror up to date, follows its changes beside, and comes to rest when asked to.

use super::compare::{lasting, name};
use ctrs::{FlowRecord, Happened, Key, Mirror, MirrorChange, MirrorInfo, MirrorReader, Options};
use std::collections::HashMap;
use std::os::fd::AsRawFd;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{Scope, ScopedJoinHandle};
use std::time::{Duration, Instant};

/// How long a mirror may take to come to rest, once nothing happens.
const PATIENCE: Duration = Duration::from_secs(120);

/// How a mirror is kept.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Bytes of its receive buffer, and how far that may grow.
    pub buffer: usize,
    pub limit: usize,
    /// How often it compares all with the table.
    pub verifies: Option<Duration>,
    /// Whether what its changes tell is followed.
    pub followed: bool,
}

impl Manner {
    /// Opens the mirror, which makes the flows of its namespace report.
    pub fn open(&self) -> Mirror {
        let Self { buffer, limit, .. } = *self;
        let options = Options::new().receive_buffer(buffer).receive_buffer_limit(limit);
        let mut mirror = Mirror::open_with(&options).expect("a mirror");
        mirror.verify_every(self.verifies).expect("a mirror");
        mirror
    }
}

/// What a mirror is asked: to come to rest, and say so; and to go on.
type Question = (Sender<Rest>, Receiver<()>);

/// At rest.
#[derive(Debug)]
pub struct Rest {
    pub info: MirrorInfo,
    /// Lists read when it was asked.
    pub dumps: u64,
    /// What the changes tell otherwise than the mirror.
    pub wrong: Vec<String>,
}

/// The thread.
pub struct Follower<'a> {
    pub reader: MirrorReader,
    questions: Sender<Question>,
    thread: ScopedJoinHandle<'a, (MirrorInfo, Told)>,
}

/// A mirror that waits to go on.
pub struct Paused {
    pub rest: Rest,
    _go: Sender<()>,
}

impl<'a> Follower<'a> {
    pub fn start(scope: &'a Scope<'a, '_>, mirror: Mirror, manner: Manner) -> Self {
        let (questions, asked) = channel();
        let reader = mirror.reader().clone();
        let thread = scope.spawn(move || follow(mirror, manner, &asked));
        Self { reader, questions, thread }
    }

    /// Has it come to rest. It goes on when what is returned is dropped.
    pub fn pause(&self) -> Paused {
        let ((rest, rested), (go, gone)) = (channel(), channel());
        self.questions.send((rest, gone)).expect("the mirror's thread");
        Paused { rest: rested.recv().expect("the mirror comes to rest"), _go: go }
    }

    /// Ends it.
    pub fn end(self) -> (MirrorInfo, Told) {
        drop(self.questions);
        self.thread.join().expect("the mirror's thread")
    }
}

fn follow(mut mirror: Mirror, manner: Manner, asked: &Receiver<Question>) -> (MirrorInfo, Told) {
    let mut told = Told { followed: manner.followed, ..Told::default() };
    loop {
        match asked.try_recv() {
            Ok((rest, go)) => {
                let dumps = mirror.info().dumps;
                mirror.verify_every(None).expect("a mirror");
                come_to_rest(&mut mirror, &mut told);
                let wrong = told.differences(&mirror);
                rest.send(Rest { info: mirror.info(), dumps, wrong }).expect("who asked");
                let _ = go.recv();
                mirror.verify_every(manner.verifies).expect("a mirror");
            }
            Err(std::sync::mpsc::TryRecvError::Disconnected) => return (mirror.info(), told),
            Err(std::sync::mpsc::TryRecvError::Empty) => {}
        }
        // Asked seldom, for there may be a million changes a second.
        for _ in 0..256 {
            match mirror.next_timeout(Duration::from_millis(5)).expect("a change") {
                Some(change) => told.note(change),
                None => break,
            }
        }
    }
}

/// Reads all that the kernel has told, and the list that it takes.
fn come_to_rest(mirror: &mut Mirror, told: &mut Told) {
    let begin = Instant::now();
    loop {
        while let Some(change) = mirror.try_next().expect("a change") {
            told.note(change);
        }
        let info = mirror.info();
        if !is_readable(mirror) && info.is_settled() && !info.is_verifying() {
            return;
        }
        assert!(begin.elapsed() < PATIENCE, "it comes to no rest: {info:?}");
        if let Some(change) = mirror.next_timeout(Duration::from_millis(5)).expect("a change") {
            told.note(change);
        }
    }
}

fn is_readable(mirror: &Mirror) -> bool {
    let mut descriptor = libc::pollfd { fd: mirror.as_raw_fd(), events: libc::POLLIN, revents: 0 };
    // SAFETY: one descriptor, which is open.
    unsafe { libc::poll(&mut descriptor, 1, 0) == 1 }
}

/// What changes have told.
#[derive(Debug, Default)]
pub struct Told {
    followed: bool,
    flows: HashMap<Key, FlowRecord>,
    wrong: Vec<String>,
    /// Changes so far.
    pub changes: u64,
    /// Times that it was told to be settled.
    pub settled: u64,
    /// How long it was not, and since when.
    pub unsettled: Duration,
    since: Option<Instant>,
}

impl Told {
    fn note(&mut self, change: MirrorChange) {
        self.changes += 1;
        match change.happened {
            Happened::Settled => {
                self.settled += 1;
                self.unsettled += self.since.take().map_or(Duration::ZERO, |since| since.elapsed());
            }
            Happened::Resyncing | Happened::Overrun(_) => {
                self.since.get_or_insert_with(Instant::now);
            }
            _ if self.followed => self.follow(&change),
            _ => {}
        }
    }

    fn follow(&mut self, change: &MirrorChange) {
        let flow = change.after.as_ref().or(change.before.as_ref());
        let Some(flow) = flow else { return };
        let expected = match change.happened {
            Happened::Destroyed => self.flows.remove(&name(flow)),
            _ => self.flows.insert(name(flow), lasting(flow)),
        };
        let before = change.before.as_ref().map(lasting);
        let right = match change.happened {
            Happened::New => expected.is_none(),
            Happened::Updated => expected.is_some() && expected == before,
            // Its end has told the last of it.
            Happened::Destroyed => expected.map(|it| it.id) == before.map(|it| it.id),
            _ => true,
        };
        if !right {
            self.wrong.push(format!("a change that cannot be: {change:?} after {expected:?}"));
        }
    }

    /// What is wrong with the changes, and where they tell otherwise than the mirror.
    fn differences(&mut self, mirror: &MirrorReader) -> Vec<String> {
        let mut wrong = std::mem::take(&mut self.wrong);
        if !self.followed {
            return wrong;
        }
        let mut kept = 0;
        for flow in mirror.flows() {
            let flow = flow.expect("memory");
            kept += 1;
            let told = self.flows.get(&name(&flow));
            if told != Some(&lasting(&flow)) {
                let kept = lasting(&flow);
                wrong.push(format!("changes tell otherwise of {flow}: {told:?}, kept is {kept:?}"));
            }
        }
        if kept != self.flows.len() {
            wrong.push(format!("changes tell of {} flows, kept are {kept}", self.flows.len()));
        }
        wrong
    }
}
