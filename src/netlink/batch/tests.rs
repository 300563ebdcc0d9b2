//! Batches, without a kernel.
#![forbid(unsafe_code)]

use super::*;

const ROOMY: Limits = Limits { send: 1 << 20, receive: 1 << 20 };
const DATA: u16 = 0x0100;

fn message(kind: u16, flags: u16, seq: u32, payload: &[u8]) -> Vec<u8> {
    let length = (HEADER_SIZE + payload.len()) as u32;
    let [kind, flags] = [kind, flags].map(u16::to_ne_bytes);
    let seq = seq.to_ne_bytes();
    [&length.to_ne_bytes()[..], &kind, &flags, &seq, &[0; 4], payload].concat()
}

fn request(payload: &[u8]) -> Vec<u8> {
    message(DATA, ACK | 1, 0, &[&[2, 0, 0, 0], payload].concat())
}

fn data(seq: u32, tag: u8) -> Vec<u8> {
    message(DATA, 0, seq, &[2, 0, 0, 0, tag, 0, 0, 0])
}

fn answer(seq: u32, errno: i32) -> Vec<u8> {
    message(NLMSG_ERROR, 0, seq, &[&(-errno).to_ne_bytes()[..], &[0; 16]].concat())
}

/// Adds a message as it is.
fn add(batch: &mut Batch, answer: Answer, bytes: &[u8]) -> Result<usize, Error> {
    batch.add(bytes.len(), answer, |room| {
        room[..bytes.len()].copy_from_slice(bytes);
        Ok(bytes.len())
    })
}

fn batch(answers: &[Answer]) -> Batch {
    let mut batch = Batch::default();
    for (index, answer) in answers.iter().enumerate() {
        assert_eq!(add(&mut batch, *answer, &request(&[index as u8; 4])), Ok(index));
    }
    batch
}

/// Sends what the batch wants to, numbered from 1 on, and returns what its requests ask for.
fn send(batch: &mut Batch, limits: Limits) -> Vec<(u32, u16)> {
    let Step::Send(count) = batch.step(limits) else { panic!("nothing to send") };
    let sent: Vec<_> =
        Messages::new(batch.datagram(1)).map(|message| (message.seq, message.flags)).collect();
    assert_eq!(sent.len(), count);
    batch.sent(Ok(0)).unwrap();
    assert_eq!(batch.step(limits), Step::Receive);
    sent
}

fn receive(batch: &mut Batch, parts: &[Vec<u8>]) {
    batch.received(Ok(Some(&parts.concat()))).unwrap();
}

fn outcomes(batch: &Batch) -> Vec<Outcome> {
    (0..batch.len()).map(|index| batch.outcome(index).unwrap()).collect()
}

/// The byte that tells answers apart.
fn tag(batch: &Batch, index: usize) -> Option<u8> {
    batch.answer(index).map(|message| message.attributes()[0])
}

use Answer::{Data, Echo, Silent};
use Outcome::{Done, NotSent, Refused, Unknown};

#[test]
fn what_is_not_refused_before_the_last_acknowledgement_is_done() {
    let mut batch = batch(&[Silent; 4]);
    assert_eq!(send(&mut batch, ROOMY), [(1, 1), (2, 1), (3, 1), (4, ACK | 1)]);
    receive(&mut batch, &[answer(2, libc::EEXIST)]);
    assert_eq!(batch.step(ROOMY), Step::Receive);
    receive(&mut batch, &[answer(4, 0)]);
    assert_eq!(batch.step(ROOMY), Step::End);
    assert_eq!(outcomes(&batch), [Done, Refused(libc::EEXIST), Done, Done]);
    assert!(batch.answer(0).is_none());
    let kept = batch.answer(1).unwrap();
    assert_eq!((kept.kind, kept.seq), (NLMSG_ERROR, 2), "the refusal, to be explained");
    assert_eq!(batch.outcome(4), None);
}

#[test]
fn a_refusal_of_the_last_one_ends_it_too() {
    let mut batch = batch(&[Silent; 2]);
    send(&mut batch, ROOMY);
    receive(&mut batch, &[answer(2, libc::ENOENT)]);
    assert_eq!(batch.step(ROOMY), Step::End);
    assert_eq!(outcomes(&batch), [Done, Refused(libc::ENOENT)]);
}

#[test]
fn data_goes_to_the_request_with_its_number() {
    let mut batch = batch(&[Data, Silent, Data, Data]);
    assert_eq!(send(&mut batch, ROOMY), [(1, 1), (2, 1), (3, 1), (4, 1)]);
    receive(&mut batch, &[data(1, 11), data(9, 99), answer(3, libc::ENOENT), data(4, 44)]);
    assert_eq!(batch.step(ROOMY), Step::End);
    assert_eq!(outcomes(&batch), [Done, Done, Refused(libc::ENOENT), Done]);
    assert_eq!([0, 1, 3].map(|index| tag(&batch, index)), [Some(11), None, Some(44)]);
}

#[test]
fn an_event_is_that_of_the_next_request_that_asks_for_one() {
    let mut batch = batch(&[Echo, Silent, Echo, Echo, Echo]);
    let asks = ECHO | ACK | 1;
    assert_eq!(send(&mut batch, ROOMY), [(1, asks), (2, 1), (3, asks), (4, asks), (5, asks)]);
    // The third one's flow tells nothing, the fourth is refused.
    receive(&mut batch, &[data(0, 1), answer(1, 0), answer(3, 0), answer(4, libc::EEXIST)]);
    receive(&mut batch, &[data(0, 5), data(0, 6), answer(5, 0)]);
    assert_eq!(batch.step(ROOMY), Step::End);
    assert_eq!(outcomes(&batch), [Done, Done, Done, Refused(libc::EEXIST), Done]);
    assert_eq!([0, 2, 4].map(|index| tag(&batch, index)), [Some(1), None, Some(5)]);
}

#[test]
fn many_go_in_several_datagrams() {
    let mut batch = batch(&[Silent; MOST + 1]);
    for count in [MOST, 1] {
        let sent = send(&mut batch, ROOMY);
        assert_eq!((sent.len(), sent.last()), (count, Some(&(count as u32, ACK | 1))));
        receive(&mut batch, &[answer(count as u32, 0)]);
    }
    assert_eq!(batch.step(ROOMY), Step::End);
    assert_eq!(outcomes(&batch), [Done; MOST + 1]);
    // More can be added, and only they are sent.
    add(&mut batch, Silent, &request(&[])).unwrap();
    assert_eq!(batch.step(ROOMY), Step::Send(1));
}

#[test]
fn a_datagram_and_its_answers_fit_the_buffers() {
    for (answer, limits, count) in [
        (Silent, Limits { receive: 10 * REFUSAL_COST, ..ROOMY }, 10),
        (Silent, Limits { receive: 1, send: 1 }, 1),
        (Data, Limits { receive: 3 * DATA_COST, ..ROOMY }, 3),
        (Echo, Limits { receive: 3 * (DATA_COST + REFUSAL_COST), ..ROOMY }, 3),
        (Silent, Limits { send: 7 * 24, ..ROOMY }, 7),
        (Silent, Limits { send: 7 * 24 - 1, ..ROOMY }, 6),
    ] {
        let mut batch = batch(&[answer; 12]);
        assert_eq!(batch.step(limits), Step::Send(count), "{answer:?} {limits:?}");
    }
}

#[test]
fn what_would_hide_others_is_not_added() {
    let mut batch = batch(&[Silent]);
    let whole = request(&[1; 4]);
    for length in [0, 15, 16, 19, 23, 25, u32::MAX] {
        let bad = [&length.to_ne_bytes()[..], &whole[4..]].concat();
        assert!(add(&mut batch, Silent, &bad).is_err(), "{length}");
    }
    assert!(add(&mut batch, Silent, &[]).is_err());
    let refused = batch.add(64, Silent, |_| Err(Error::BadStatus));
    assert_eq!((refused, batch.len()), (Err(Error::BadStatus), 1));
    // One that ends inside a word is padded.
    add(&mut batch, Silent, &request(&[1])).unwrap();
    add(&mut batch, Silent, &whole).unwrap();
    assert_eq!(send(&mut batch, ROOMY).len(), 3);
    let sent = batch.request(2).unwrap();
    assert_eq!(sent.bytes()[16..], whole[16..]);
}

#[test]
fn after_an_overrun_what_precedes_the_last_answer_is_known() {
    let mut batch = batch(&[Silent, Silent, Silent, Data, Silent, Silent]);
    send(&mut batch, ROOMY);
    batch.received(Err(Error::Overrun)).unwrap();
    assert_eq!(batch.step(ROOMY), Step::Receive);
    receive(&mut batch, &[answer(2, libc::EEXIST), data(4, 4)]);
    assert_eq!(batch.step(ROOMY), Step::Receive);
    batch.received(Ok(None)).unwrap();
    assert_eq!(batch.step(ROOMY), Step::End);
    let lost = Unknown(Error::Overrun);
    assert_eq!(outcomes(&batch), [Done, Refused(libc::EEXIST), Done, Done, lost, lost]);
}

#[test]
fn an_answer_lost_in_the_middle_leaves_all_silence_unknown() {
    let mut batch = batch(&[Silent; 4]);
    send(&mut batch, ROOMY);
    batch.received(Err(Error::Overrun)).unwrap();
    receive(&mut batch, &[answer(2, libc::EEXIST), answer(4, 0)]);
    assert_eq!(batch.step(ROOMY), Step::End);
    let lost = Unknown(Error::Overrun);
    assert_eq!(outcomes(&batch), [lost, Refused(libc::EEXIST), lost, Done]);
}

#[test]
fn after_an_overrun_datagrams_are_shorter() {
    let mut batch = batch(&[Silent; 3 * MOST]);
    for expected in [MOST, MOST / 2, MOST / 4] {
        assert_eq!(send(&mut batch, ROOMY).len(), expected);
        batch.received(Err(Error::Overrun)).unwrap();
        batch.received(Ok(None)).unwrap();
    }
    batch.clear();
    assert_eq!((batch.is_empty(), batch.step(ROOMY)), (true, Step::End));
}

#[test]
fn an_event_alone_proves_that_its_request_was_done() {
    let mut batch = batch(&[Echo, Echo]);
    send(&mut batch, ROOMY);
    receive(&mut batch, &[data(0, 7)]);
    batch.received(Err(Error::Overrun)).unwrap();
    batch.received(Ok(None)).unwrap();
    assert_eq!(outcomes(&batch), [Done, Unknown(Error::Overrun)]);
    assert_eq!(tag(&batch, 0), Some(7));
}

#[test]
fn a_connection_that_fails_leaves_what_is_known() {
    let mut batch = batch(&[Silent; MOST + 2]);
    send(&mut batch, ROOMY);
    receive(&mut batch, &[answer(2, libc::ENOENT)]);
    let failure = Error::System { call: "recvfrom", errno: libc::EBADF };
    assert_eq!(batch.received(Err(failure)), Err(failure));
    let all = outcomes(&batch);
    assert_eq!(all[..3], [Done, Refused(libc::ENOENT), Unknown(failure)]);
    assert_eq!(all[MOST - 1..], [Unknown(failure), NotSent, NotSent]);
    // The rest can still be sent, and fail to be.
    let failure = Error::System { call: "sendto", errno: libc::EMSGSIZE };
    assert_eq!(batch.step(ROOMY), Step::Send(2));
    assert_eq!(batch.sent(Err(failure)), Err(failure));
    assert_eq!(outcomes(&batch)[MOST..], [NotSent; 2]);
    assert_eq!(send(&mut batch, ROOMY).len(), 2);
    // Answers to what was given up mean nothing any more.
    receive(&mut batch, &[answer(90, libc::EPERM), answer(2, 0)]);
    assert_eq!((batch.step(ROOMY), &outcomes(&batch)[MOST..]), (Step::End, &[Done; 2][..]));
}

#[test]
fn datagrams_of_others_are_passed_over() {
    let mut batch = batch(&[Silent]);
    send(&mut batch, ROOMY);
    for error in [Error::NotFromKernel, Error::BadSender] {
        assert_eq!(batch.received(Err(error)), Ok(()));
        assert_eq!(batch.step(ROOMY), Step::Receive);
    }
}

#[test]
fn what_does_not_come_is_not_waited_for() {
    let mut batch = batch(&[Silent; 3]);
    send(&mut batch, ROOMY);
    receive(&mut batch, &[answer(2, libc::ENOENT)]);
    batch.received(Ok(None)).unwrap();
    assert_eq!(batch.step(ROOMY), Step::End);
    assert_eq!(outcomes(&batch), [Done, Refused(libc::ENOENT), Unknown(Error::TimedOut)]);
}

#[test]
fn who_lacks_the_privilege_is_told_so_for_each() {
    let mut batch = batch(&[Silent, Data, Echo]);
    send(&mut batch, ROOMY);
    receive(&mut batch, &[answer(1, libc::EPERM)]);
    batch.received(Ok(None)).unwrap();
    assert_eq!(batch.step(ROOMY), Step::End);
    assert_eq!(outcomes(&batch), [Refused(libc::EPERM); 3]);
    assert!((0..3).all(|index| batch.answer(index).is_some()));
}

#[test]
fn a_refusal_of_one_is_not_that_of_all() {
    let mut batch = batch(&[Silent; 3]);
    send(&mut batch, ROOMY);
    receive(&mut batch, &[answer(1, libc::EPERM), answer(3, 0)]);
    assert_eq!(batch.step(ROOMY), Step::End);
    assert_eq!(outcomes(&batch), [Refused(libc::EPERM), Done, Done]);
}
