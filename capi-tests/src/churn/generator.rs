//! Makes flows come, change and go, as fast as one core can.

use super::population;
use super::random::Random;
use super::traffic::Traffic;
use ctrs::{Batch, Changes, Error, ErrorKind, Expression, FlowTable};
use std::time::{Duration, Instant};

/// Requests in a batch.
const BATCH: usize = 256;

/// How it goes about it, for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pace {
    /// As fast as it can.
    Full,
    /// With a pause after so many, so that who listens has time to.
    Gentle(usize),
}

/// What came of the requests.
#[derive(Debug, Default, Clone, Copy)]
pub struct Tally {
    pub created: u64,
    pub changed: u64,
    pub deleted: u64,
    /// Of flows that were there already, or were not.
    pub refused: u64,
    /// Datagrams and connections.
    pub sent: u64,
}

impl Tally {
    pub fn requests(&self) -> u64 {
        self.created + self.changed + self.deleted
    }
}

/// What is asked of a flow.
#[derive(Debug, Clone, Copy)]
enum Act {
    Create,
    Change,
    Delete,
}

/// The one who makes them.
pub struct Generator {
    table: FlowTable,
    batch: Batch,
    asked: Vec<(u32, Act)>,
    random: Random,
    /// Which flows it believes to be there.
    there: Vec<bool>,
    /// Whether some flows expire in seconds.
    fleeting: bool,
    traffic: Option<Traffic>,
    pub tally: Tally,
}

impl Generator {
    /// Of so many flows, 71 of 100 of which will be there. In the thread that it is made in, whose
    /// namespace its flows are of, it stays on one processor: two would report in any order what happens
    /// to a flow.
    pub fn new(flows: u32, fleeting: bool, traffic: Option<Traffic>, random: Random) -> Self {
        stay_here();
        Self {
            table: FlowTable::open().expect("a table"),
            batch: Batch::new(),
            asked: Vec::new(),
            random,
            there: vec![false; flows as usize],
            fleeting,
            traffic,
            tally: Tally::default(),
        }
    }

    /// The table, for who compares.
    pub fn table(&self) -> &FlowTable {
        &self.table
    }

    /// Makes the first flows, so many.
    pub fn fill(&mut self, flows: u32) {
        for number in 0..flows {
            self.ask(number, Act::Create);
            if self.batch.len() == BATCH {
                self.run();
            }
        }
        self.run();
    }

    /// Goes on for this time.
    pub fn go_on(&mut self, time: Duration, pace: Pace) {
        let end = Instant::now() + time;
        while Instant::now() < end {
            self.some(if let Pace::Gentle(many) = pace { many } else { BATCH });
            self.singly();
            if let Some(traffic) = self.traffic.as_mut().filter(|_| self.random.one_in(4)) {
                self.tally.sent += traffic.some(&mut self.random);
            }
            if pace != Pace::Full {
                std::thread::sleep(Duration::from_millis(1));
            }
        }
        if self.traffic.is_some() {
            // What TCP has put off, like acknowledgements, is sent before the table is looked at.
            std::thread::sleep(Duration::from_millis(250));
        }
    }

    /// So many requests at once.
    fn some(&mut self, many: usize) {
        for _ in 0..many {
            let number = self.random.below(self.there.len() as u32);
            let there = self.there[number as usize] ^ self.random.one_in(64);
            let act = match self.random.below(10) {
                _ if !there => Act::Create,
                0..4 => Act::Delete,
                _ => Act::Change,
            };
            self.ask(number, act);
        }
        self.run();
    }

    fn ask(&mut self, number: u32, act: Act) {
        let key = population::key(number);
        let asked = match act {
            Act::Create => {
                self.batch.create(&population::begin(number, self.fleeting, &mut self.random))
            }
            Act::Change => self.batch.update(key, &population::change(number, &mut self.random)),
            Act::Delete => self.batch.delete(key),
        };
        asked.expect("a request");
        self.there[number as usize] = !matches!(act, Act::Delete);
        self.asked.push((number, act));
    }

    fn run(&mut self) {
        let failed = self.table.run(&mut self.batch).expect("the kernel answers");
        for (index, (number, act)) in self.asked.drain(..).enumerate() {
            let result = if failed == 0 { None } else { self.batch.result(index) };
            match result {
                Some(Err(error)) => {
                    self.there[number as usize] = is_there(&error);
                    self.tally.refused += 1;
                }
                _ => self.tally.count(act),
            }
        }
        self.batch.clear();
    }

    /// What no batch does, now and then.
    fn singly(&mut self) {
        let number = self.random.below(self.there.len() as u32);
        let key = population::key(number);
        let done = match self.random.below(64) {
            0 => self.table.update(key, &Changes::new().assured()),
            1 => self.delete_seen(number),
            // Many at once.
            2 if self.fleeting && self.random.one_in(100) => self.delete_some(),
            _ => return,
        };
        self.tally.refused += u64::from(done.is_err_and(|error| !is_there(&error)));
    }

    /// By its reply tuple and id.
    fn delete_seen(&mut self, number: u32) -> Result<(), Error> {
        let Some(flow) = self.table.get(population::key(number))? else { return Ok(()) };
        let reply = flow.reply().expect("the kernel tells both");
        self.table.delete(ctrs::Key::reply(reply).in_zone(flow.zone()).with_id(flow.id()))
    }

    fn delete_some(&mut self) -> Result<(), Error> {
        let some: Expression = "zone 7 and mark 1".parse().expect("an expression");
        self.table.delete_where(&some).map(drop)
    }
}

impl Tally {
    fn count(&mut self, act: Act) {
        *match act {
            Act::Create => &mut self.created,
            Act::Change => &mut self.changed,
            Act::Delete => &mut self.deleted,
        } += 1;
    }
}

/// Whether a refusal says that the flow is there; others are of flows that are not, or cannot be made.
fn is_there(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Exists => true,
        ErrorKind::NotFound => false,
        _ => panic!("the kernel refuses what it should not: {error}"),
    }
}

/// Has this thread stay on one of the processors that it may run on: the last one.
fn stay_here() {
    // SAFETY: a set of bits that is the thread's own, of the size that is told.
    unsafe {
        let mut set: libc::cpu_set_t = std::mem::zeroed();
        let size = size_of_val(&set);
        assert_eq!(libc::sched_getaffinity(0, size, &mut set), 0);
        let mut all = 0..libc::CPU_SETSIZE as usize;
        let last = all.rfind(|cpu| libc::CPU_ISSET(*cpu, &set)).expect("a processor");
        libc::CPU_ZERO(&mut set);
        libc::CPU_SET(last, &mut set);
        assert_eq!(libc::sched_setaffinity(0, size, &set), 0);
    }
}
