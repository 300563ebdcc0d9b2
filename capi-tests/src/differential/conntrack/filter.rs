//! Calls on event filters. The programs may differ; their verdicts may not, over messages and
//! criteria that the reference judges right.

use super::api::{Api, ffi};
use super::schema::{attribute, attributes, body, last};
use super::world::{World, errno_of, number};
use crate::differential::is_emulated;
use crate::differential::record::{Outcome, Transcript, hex};
use crate::differential::rng::Rng;
use capi_tests::bpf;
use capi_tests::corpus::message_kind;
use libc::sock_filter;

const L4PROTO: u32 = 0;
const STATE: u32 = 1;
const SRC_IPV4: u32 = 2;
const DST_IPV4: u32 = 3;
const SRC_IPV6: u32 = 4;
const DST_IPV6: u32 = 5;
const MARK: u32 = 6;
const SO_GET_FILTER: i32 = 26;

/// Adds a criterion, as long as the reference gets it right.
pub fn add(w: &mut World, rng: &mut Rng) {
    let kind =
        rng.pick(&[L4PROTO, L4PROTO, STATE, SRC_IPV4, DST_IPV4, SRC_IPV6, DST_IPV6, MARK, 8, 99]);
    let most = match kind {
        SRC_IPV6 | DST_IPV6 => 1, // 1.0.9 is wrong about the second
        _ => 80,                  // from 82 on its jumps are too short
    };
    let burst = if rng.one_in(12) { 30 } else { 1 };
    for _ in 0..burst {
        if kind < 8 && w.filter_use.entries[kind as usize] >= most {
            return;
        }
        let Some(value) = any_value(w, rng, kind) else { return };
        if kind < 8 {
            w.filter_use.entries[kind as usize] += 1;
        }
        let (api, filter) = (&w.api, w.filter);
        let number = u32::from_ne_bytes(*value.first_chunk().expect("4 bytes"));
        let as_u32 = matches!(kind, L4PROTO | STATE) && rng.one_in(2);
        w.out.call(format!("nfct_filter_add_attr({kind}, {})", hex(&value)), || match as_u32 {
            true => errno_of(ffi!(api, nfct_filter_add_attr_u32(filter, kind, number))),
            false => errno_of(ffi!(api, nfct_filter_add_attr(filter, kind, value.as_ptr().cast()))),
        });
    }
}

/// A value that some of the messages have.
fn any_value(w: &mut World, rng: &mut Rng, kind: u32) -> Option<Vec<u8>> {
    let words = |words: &[u32]| words.iter().flat_map(|word| word.to_ne_bytes()).collect();
    let mask = rng.pick(&[u32::MAX, u32::MAX, 0xffff_ff00, 0xffff, 0, 0x00ff_00ff]);
    let v4 = rng.pick(&[0x0a01_0002, 0x0a02_0002, 0x7f00_0001, 0x0a01_0001, 0x0500_0100, 0]);
    Some(match kind {
        L4PROTO => words(&[rng.pick(&[6, 17, 1, 58, 132, 33, 136, 47, 0, 255])]),
        STATE => {
            let protocol = *w.filter_use.state_protocol.get_or_insert(rng.pick(&[6, 6, 33, 132]));
            [protocol, rng.below(18) as u16].iter().flat_map(|half| half.to_ne_bytes()).collect()
        }
        SRC_IPV4 | DST_IPV4 => words(&[v4, mask]),
        SRC_IPV6 | DST_IPV6 => {
            let masks = [rng.pick(&[u32::MAX, 0]), mask, mask, rng.pick(&[u32::MAX, 0, 0xff])];
            words(&[[0xfd00_0001, 0, 0, rng.pick(&[1, 2])], masks].concat())
        }
        MARK => words(&[rng.pick(&[0, 1, 7, 0xff, 0x1122_3344]), mask]),
        _ => words(&[0; 8]),
    })
}

/// Sets the logic of a criterion.
pub fn set_logic(w: &mut World, rng: &mut Rng) {
    let (api, filter) = (&w.api, w.filter);
    let kind = rng.pick(&[0, 1, 2, 3, 4, 5, 6, 8, 0xffff_ffff]); // 7 came after 1.0.9
    let logic = rng.below(2) as u32;
    w.out.call(format!("nfct_filter_set_logic({kind}, {logic})"), || {
        number(ffi!(api, nfct_filter_set_logic(filter, kind, logic)))
    });
}

/// Attaches the filter, and runs what got attached over messages.
pub fn attach(w: &mut World, rng: &mut Rng) {
    let (api, filter, mend) = (&w.api, w.filter, w.mend);
    let socket = if rng.one_in(20) { -1 } else { w.socket };
    let mut attached = false;
    w.out.call(format!("nfct_filter_attach({})", socket >= 0), || {
        let (value, errno) = ffi!(api, nfct_filter_attach(socket, filter));
        attached = value == 0;
        Outcome {
            result: number((value, errno)),
            mended: (mend && attached).then(|| ("errno-after-success", number((0, 0)))),
        }
    });
    if let Some(program) = attached.then(|| program_of(w.socket)).flatten() {
        let verdicts = verdicts(w, rng, &program);
        w.out.call("verdicts of the attached filter", || verdicts);
    }
    if rng.one_in(2) {
        detach(&mut w.out, &w.api, socket);
    }
    detach(&mut w.out, &w.api, w.socket);
}

fn detach(out: &mut Transcript, api: &Api, socket: i32) {
    out.call(format!("nfct_filter_detach({})", socket >= 0), || {
        number(ffi!(api, nfct_filter_detach(socket)))
    });
}

/// The program attached to a socket; `None` under qemu, which does not hand it out.
fn program_of(socket: i32) -> Option<Vec<sock_filter>> {
    if is_emulated() {
        return None;
    }
    let mut program = vec![sock_filter { code: 0, jt: 0, jf: 0, k: 0 }; 4096];
    let mut len = program.len() as libc::socklen_t;
    // SAFETY: the length counts instructions, and `program` has room for so many.
    let result = unsafe {
        let to = program.as_mut_ptr().cast();
        libc::getsockopt(socket, libc::SOL_SOCKET, SO_GET_FILTER, to, &raw mut len)
    };
    assert_eq!(result, 0, "the program cannot be read back");
    program.truncate(len as usize);
    Some(program)
}

/// The verdicts over the messages of the corpus and some made up, a digit each.
fn verdicts(w: &World, rng: &mut Rng, program: &[sock_filter]) -> String {
    let drawn: Vec<Vec<u8>> = (0..30).map(|_| one_flow(rng)).collect();
    let with_dst = w.filter_use.entries[DST_IPV4 as usize] > 0;
    let mut text = String::new();
    for message in
        w.messages.all.iter().chain(&drawn).filter(|message| judged_right(message, with_dst))
    {
        text.push(if bpf::accepts(program, message) { '1' } else { '0' });
    }
    text
}

/// Whether the reference finds the attributes of a message where they are: it takes siblings for
/// children where a nest lacks the one it looks for, as in IPv6 entries for the IPv4 destination.
fn judged_right(message: &[u8], with_dst: bool) -> bool {
    let [subsystem, kind] = message_kind(message);
    let entry = matches!(kind, 0 | 2);
    let v4 = |message| {
        let tuple = last(body(message), 1)?;
        last(last(tuple, 1)?, 2)
    };
    subsystem != 1 || entry && (!with_dst || v4(message).is_some())
}

/// An event as the kernel sends it, with what filters look at drawn at random.
fn one_flow(rng: &mut Rng) -> Vec<u8> {
    let protocol = rng.pick(&[6, 6, 17, 1, 132, 33, 47]);
    let v4 = !rng.one_in(3);
    let (source, destination) = (address(rng, v4), address(rng, v4));
    let ip = if v4 {
        [attribute(1, &source), attribute(2, &destination)].concat()
    } else {
        [attribute(3, &source), attribute(4, &destination)].concat()
    };
    let tuple = [attribute(0x8001, &ip), attribute(0x8002, &attribute(1, &[protocol]))].concat();
    let mut bytes = vec![0; 20];
    let [kind, subsystem] = [rng.pick(&[0, 2]), rng.pick(&[1, 1, 1, 1, 2, 0])];
    bytes[4..6].copy_from_slice(&u16::from_be_bytes([subsystem, kind]).to_ne_bytes());
    bytes.extend([attribute(0x8001, &tuple), attribute(0x8002, &tuple)].concat());
    let nest = match protocol {
        6 => Some(1),
        33 => Some(2),
        132 => Some(3),
        _ => None,
    };
    if let Some(nest) = nest.filter(|_| !rng.one_in(4)) {
        let state = attribute(1, &[rng.below(16) as u8]);
        bytes.extend(attribute(0x8004, &attribute(nest | 0x8000, &state)));
    }
    if rng.one_in(2) {
        bytes.extend(attribute(8, &rng.pick(&[0, 1, 7, 0xff, 0x1122_3344_u32]).to_be_bytes()));
    }
    let len = bytes.len() as u32;
    bytes[..4].copy_from_slice(&len.to_ne_bytes());
    debug_assert!(attributes(body(&bytes)).count() >= 2);
    bytes
}

fn address(rng: &mut Rng, v4: bool) -> Vec<u8> {
    if v4 {
        return rng
            .pick(&[[10, 1, 0, 2], [10, 2, 0, 2], [127, 0, 0, 1], [5, 0, 1, 0], [8, 8, 8, 8]])
            .to_vec();
    }
    let mut bytes = vec![0; 16];
    bytes[..4].copy_from_slice(&[0xfd, 0, 0, 1]);
    bytes[15] = rng.pick(&[1, 2, 3]);
    bytes[4] = rng.pick(&[0, 0, 0, 9]);
    bytes
}
