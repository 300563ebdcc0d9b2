//! Answers told apart, without a kernel.
#![forbid(unsafe_code)]

use super::*;

const DATA: u16 = 0x0100;
const MULTI: u16 = NLM_F_MULTI;

fn message(kind: u16, flags: u16, seq: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(((16 + payload.len()) as u32).to_ne_bytes());
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend(seq.to_ne_bytes());
    bytes.extend([0; 4]);
    bytes.extend(payload);
    bytes
}

fn data(seq: u32) -> Vec<u8> {
    message(DATA, 0, seq, &[2, 0, 0, 0])
}

fn entry(seq: u32) -> Vec<u8> {
    message(DATA, MULTI, seq, &[2, 0, 0, 0])
}

fn done(seq: u32) -> Vec<u8> {
    message(NLMSG_DONE, MULTI, seq, &[0; 4])
}

fn answer(seq: u32, errno: i32) -> Vec<u8> {
    let mut payload = (-errno).to_ne_bytes().to_vec();
    payload.extend([0; 16]);
    message(NLMSG_ERROR, 0, seq, &payload)
}

/// An exchange whose requests are numbered from 101 on, without a kernel.
fn exchange() -> Exchange {
    Exchange::new(Socket::closed(), 100)
}

/// What a loop is told to do with a datagram that it received, until it wants another.
fn steps(exchange: &mut Exchange, cursor: &mut Cursor, parts: &[Vec<u8>]) -> Vec<Step> {
    let datagram = parts.concat();
    exchange.received(cursor, Ok(Some(&datagram))).unwrap();
    let mut all = Vec::new();
    loop {
        let step = exchange.step(cursor, &datagram);
        all.push(step);
        if !matches!(step, Step::Message(_)) {
            return all;
        }
    }
}

fn seqs(steps: &[Step]) -> Vec<u32> {
    let seq = |step: &Step| match step {
        Step::Message(place) => Some(place.seq),
        _ => None,
    };
    steps.iter().filter_map(seq).collect()
}

/// Begins a query and sends it.
fn ask(exchange: &mut Exchange, dump: bool) -> Cursor {
    let mut cursor = exchange.begin(dump);
    assert_eq!(exchange.step(&mut cursor, &[]), Step::Send);
    exchange.sent(&mut cursor, Ok(20)).unwrap();
    assert_eq!(exchange.step(&mut cursor, &[]), Step::Receive { wait: true });
    cursor
}

#[test]
fn requests_are_numbered() {
    let mut exchange = exchange();
    assert_eq!(exchange.next_seq(), 101);
    ask(&mut exchange, false);
    assert_eq!((exchange.last_seq(), exchange.next_seq()), (101, 102));
    exchange.set_last_seq(u32::MAX);
    assert_eq!(exchange.next_seq(), 1);
}

#[test]
fn a_query_gets_its_own_answer_and_events() {
    let mut exchange = exchange();
    ask(&mut exchange, false); // given up
    let mut cursor = ask(&mut exchange, false);
    let found = steps(&mut exchange, &mut cursor, &[data(101), answer(101, 2), data(0)]);
    assert_eq!((seqs(&found), found.last()), (vec![0], Some(&Step::Receive { wait: true })));
    let found = steps(&mut exchange, &mut cursor, &[data(102), answer(102, 0)]);
    assert_eq!((seqs(&found), found.last()), (vec![102], Some(&Step::End(Ok(())))));
    let mut cursor = ask(&mut exchange, false);
    let found = steps(&mut exchange, &mut cursor, &[answer(103, libc::EEXIST)]);
    assert_eq!(found, [Step::End(Err(Error::Refused(libc::EEXIST)))]);
}

#[test]
fn a_dump_that_was_given_up_ends_before_the_next_one_is_sent() {
    let mut exchange = exchange();
    let mut cursor = ask(&mut exchange, true);
    let found = steps(&mut exchange, &mut cursor, &[entry(101), entry(101)]);
    assert_eq!(seqs(&found), [101, 101]);
    let mut cursor = exchange.begin(true);
    assert_eq!(exchange.step(&mut cursor, &[]), Step::Receive { wait: false });
    let found = steps(&mut exchange, &mut cursor, &[entry(101), data(0)]);
    assert_eq!((seqs(&found), found.last()), (vec![0], Some(&Step::Receive { wait: false })));
    let found = steps(&mut exchange, &mut cursor, &[entry(101), done(101)]);
    assert_eq!(found, [Step::Send]);
    exchange.sent(&mut cursor, Ok(20)).unwrap();
    let found = steps(&mut exchange, &mut cursor, &[entry(102), done(102)]);
    assert_eq!((seqs(&found), found.last()), (vec![102], Some(&Step::End(Ok(())))));
}

#[test]
fn the_kernel_may_say_that_a_dump_was_interrupted() {
    const INTERRUPTED: u16 = MULTI | NLM_F_DUMP_INTR;
    for told in [
        message(DATA, INTERRUPTED, 101, &[2, 0, 0, 0]),
        message(NLMSG_DONE, INTERRUPTED, 101, &[0; 4]),
    ] {
        let mut exchange = exchange();
        let mut cursor = ask(&mut exchange, true);
        steps(&mut exchange, &mut cursor, &[entry(101)]);
        assert!(!exchange.is_interrupted());
        steps(&mut exchange, &mut cursor, &[told, done(101)]);
        assert!(exchange.is_interrupted());
        ask(&mut exchange, true);
        assert!(!exchange.is_interrupted(), "the next one was not");
    }
}

#[test]
fn the_end_of_a_dump_may_have_been_lost() {
    let mut exchange = exchange();
    ask(&mut exchange, true);
    let mut cursor = exchange.begin(true);
    assert_eq!(exchange.step(&mut cursor, &[]), Step::Receive { wait: false });
    exchange.received(&mut cursor, Ok(None)).unwrap();
    assert_eq!(exchange.step(&mut cursor, &[]), Step::Send);
    // A query that is no dump need not wait for it.
    ask(&mut exchange, true);
    let mut cursor = exchange.begin(false);
    assert_eq!(exchange.step(&mut cursor, &[]), Step::Send);
}

#[test]
fn a_loop_inside_another_leaves_word_of_its_end() {
    let mut exchange = exchange();
    let mut outer = ask(&mut exchange, false);
    let mut inner = Exchange::listen();
    let found = steps(&mut exchange, &mut inner, &[answer(101, 0)]);
    assert_eq!(found, [Step::End(Ok(()))]);
    assert_eq!(exchange.step(&mut outer, &[]), Step::End(Ok(())));
}

#[test]
fn an_answer_without_a_number_waits_for_who_listens() {
    let mut exchange = exchange();
    let mut cursor = ask(&mut exchange, false);
    let found = steps(&mut exchange, &mut cursor, &[answer(0, libc::ENOENT), answer(101, 0)]);
    assert_eq!(found, [Step::End(Ok(()))]);
    let mut listener = Exchange::listen();
    let unclaimed = Step::End(Err(Error::Refused(libc::ENOENT)));
    assert_eq!(exchange.step(&mut listener, &[]), unclaimed);
    assert_eq!(exchange.step(&mut listener, &[]), Step::Receive { wait: true });
}

#[test]
fn what_the_kernel_does_not_send() {
    for (part, error) in [
        (data(7), Error::BadSequence),
        (message(DATA, 0, 101, &[]), Error::ShortMessage),
        (message(NLMSG_ERROR, 0, 101, &[0; 2]), Error::BadStatus),
    ] {
        let mut exchange = exchange();
        let mut cursor = ask(&mut exchange, false);
        assert_eq!(steps(&mut exchange, &mut cursor, &[part]), [Step::End(Err(error))]);
    }
    let mut cursor = ask(&mut exchange(), false);
    let nothing = exchange().received(&mut cursor, Ok(Some(&[0; 3])));
    assert_eq!(nothing, Err(Error::NoMessage));
}

#[test]
fn room_grows_with_what_did_not_fit() {
    let mut exchange = exchange();
    let mut cursor = ask(&mut exchange, false);
    exchange.ask_room(8192);
    assert_eq!(exchange.room(), 8192);
    let cut = Err(Error::Truncated(40_000));
    assert_eq!(exchange.received(&mut cursor, cut), Err(Error::Truncated(40_000)));
    exchange.ask_room(0);
    assert_eq!(exchange.room(), 40_000);
}

#[test]
fn a_request_that_was_not_sent_runs_no_dump() {
    let mut exchange = exchange();
    let mut cursor = exchange.begin(true);
    assert_eq!(exchange.step(&mut cursor, &[]), Step::Send);
    let failed = Error::System { call: "sendto", errno: libc::EPERM };
    assert_eq!(exchange.sent(&mut cursor, Err(failed)), Err(failed));
    let mut cursor = exchange.begin(true);
    assert_eq!(exchange.step(&mut cursor, &[]), Step::Send);
}

/// An answer with words, as the kernel sends them to sockets that ask for that.
fn answer_with_words(seq: u32, errno: i32) -> Vec<u8> {
    let mut payload = (-errno).to_ne_bytes().to_vec();
    payload.extend([0; 16]);
    payload.extend([7_u16, 1].map(u16::to_ne_bytes).as_flattened());
    payload.extend(*b"no\0\0");
    message(NLMSG_ERROR, 0x300, seq, &payload)
}

#[test]
fn what_the_kernel_says_is_kept_until_the_next_query() {
    for errno in [0, libc::ERANGE] {
        let mut exchange = exchange();
        let mut cursor = ask(&mut exchange, false);
        steps(&mut exchange, &mut cursor, &[answer_with_words(101, errno)]);
        assert_eq!(exchange.said().map(Said::text), Some("no"));
        let mut cursor = ask(&mut exchange, false);
        assert_eq!(exchange.said(), None);
        // An answer to another request is none of this one's.
        let words = answer_with_words(101, errno);
        steps(&mut exchange, &mut cursor, &[words, answer(102, libc::EEXIST)]);
        assert_eq!(exchange.said(), None);
    }
}
