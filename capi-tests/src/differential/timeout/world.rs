//! Policies, and the calls about them, inside what the reference defines.

use super::api::{Api, Ptr, ffi};
use crate::differential::guard::Guarded;
use crate::differential::record::{Outcome, Transcript, hex, quoted};
use crate::differential::rng::Rng;
use crate::differential::wire::{attribute, broken, built, headers, message};
use std::ffi::CStr;

const NAME: u32 = 0;
const L3PROTO: u32 = 1;
const L4PROTO: u32 = 2;
/// Protocols with timeouts, and how many the reference knows.
const PROTOCOLS: [(u8, u32); 9] =
    [(6, 11), (17, 2), (136, 2), (47, 2), (132, 7), (33, 7), (1, 1), (58, 1), (255, 1)];
const ROOM: usize = 4096;

/// A policy, and what must be known of it to stay where the reference is right.
#[derive(Clone, Copy)]
pub struct Policy {
    ptr: Ptr,
    /// The protocol that was set last.
    protocol: Option<u8>,
    /// Whether that is marked as set.
    has_protocol: bool,
    /// For how many states the reference has made room; another protocol must not have more.
    room: Option<u32>,
}

impl Policy {
    /// After a call that makes room if there was none yet.
    fn may_make_room(&mut self) {
        let known = self.protocol.filter(|_| self.has_protocol).map(states);
        self.room =
            known.map(|known| self.room.map_or(known, |room| room.min(known))).or(self.room);
    }
}

/// One worker: a library, the policies made with it, and the transcript.
pub struct World {
    api: Api,
    pub out: Transcript,
    mend: bool,
    pub policies: [Policy; 3],
    guarded: Guarded,
}

fn states(protocol: u8) -> u32 {
    PROTOCOLS.iter().find(|row| row.0 == protocol).map_or(0, |row| row.1)
}

fn number((value, errno): (i32, i32)) -> String {
    format!("{value} errno {errno}")
}

impl World {
    pub fn new(api: Api, out: Transcript, mend: bool) -> Self {
        let none =
            Policy { ptr: std::ptr::null_mut(), protocol: None, has_protocol: false, room: None };
        Self { api, out, mend, policies: [none; 3], guarded: Guarded::new() }
    }

    pub fn make_objects(&mut self) {
        for policy in &mut self.policies {
            let ptr = ffi!(self.api, nfct_timeout_alloc()).0;
            *policy = Policy { ptr, protocol: None, has_protocol: false, room: None };
        }
    }

    pub fn free_objects(&mut self) {
        for policy in &self.policies {
            ffi!(self.api, nfct_timeout_free(policy.ptr));
        }
    }

    /// A protocol that the reference has room for in this policy.
    fn any_protocol(&self, at: usize, rng: &mut Rng) -> u8 {
        let protocol = rng.pick(&PROTOCOLS).0;
        match self.policies[at].room {
            Some(room) if states(protocol) > room => self.policies[at].protocol.unwrap_or(1),
            _ => protocol,
        }
    }

    pub fn set(&mut self, rng: &mut Rng) {
        let at = rng.index(self.policies.len());
        let attr = rng.below(3) as u32;
        let (mut name, l3proto) = (rng.text(40), rng.value() as u16);
        name.push(0);
        let l4proto = self.any_protocol(at, rng);
        let by_pointer = rng.one_in(2);
        let Self { api, policies, .. } = self;
        let policy = &mut policies[at];
        if attr == L4PROTO {
            (policy.protocol, policy.has_protocol) = (Some(l4proto), true);
        }
        let ptr = policy.ptr;
        let call =
            format!("set(p{at}, {attr}, {}, {l3proto}, {l4proto}, {by_pointer})", hex(&name));
        self.out.call(call, || {
            number(match attr {
                NAME => ffi!(api, nfct_timeout_attr_set(ptr, attr, name.as_ptr().cast())),
                L3PROTO if by_pointer => {
                    ffi!(api, nfct_timeout_attr_set(ptr, attr, (&raw const l3proto).cast()))
                }
                L3PROTO => ffi!(api, nfct_timeout_attr_set_u16(ptr, attr, l3proto)),
                _ if by_pointer => {
                    ffi!(api, nfct_timeout_attr_set(ptr, attr, (&raw const l4proto).cast()))
                }
                _ => ffi!(api, nfct_timeout_attr_set_u8(ptr, attr, l4proto)),
            })
        });
    }

    pub fn unset(&mut self, rng: &mut Rng) {
        let (at, attr) = (rng.index(self.policies.len()), rng.below(4) as u32);
        let Self { api, policies, .. } = self;
        policies[at].has_protocol &= attr != L4PROTO;
        let ptr = policies[at].ptr;
        self.out.call(format!("unset(p{at}, {attr})"), || {
            format!("errno {}", ffi!(api, nfct_timeout_attr_unset(ptr, attr)).1)
        });
    }

    /// Sets a timeout, at times of a state far outside: the one behind the last is where the reference
    /// writes past its list.
    pub fn set_state(&mut self, rng: &mut Rng) {
        let at = rng.index(self.policies.len());
        let policy = &mut self.policies[at];
        let known = policy.protocol.map_or(0, states);
        let outside = !policy.has_protocol || rng.one_in(12);
        let state = match known {
            _ if outside => known + 1 + rng.below(100) as u32,
            known => rng.below(known.into()) as u32,
        };
        policy.may_make_room();
        let (api, ptr, mend, value) = (&self.api, policy.ptr, self.mend, rng.value() as u32);
        self.out.call(format!("set_state(p{at}, {state}, {value})"), || {
            let (ret, errno) = ffi!(api, nfct_timeout_policy_attr_set_u32(ptr, state, value));
            let expected = if ret == -1 { libc::EINVAL } else { errno };
            Outcome {
                result: number((ret, errno)),
                mended: mend.then(|| ("timeout-errno", number((ret, expected)))),
            }
        });
    }

    pub fn name(&mut self, rng: &mut Rng) {
        let (protocol, states) = rng.pick(&PROTOCOLS);
        let (api, state) = (&self.api, rng.below(states.into()) as u32);
        self.out.call(format!("name({protocol}, {state})"), || {
            let (name, errno) = ffi!(api, nfct_timeout_policy_attr_to_name(protocol, state));
            assert!(!name.is_null(), "the name of state {state} of {protocol}");
            // SAFETY: a name that is there is a C string.
            format!("{} errno {errno}", quoted(unsafe { CStr::from_ptr(name) }.to_bytes()))
        });
    }

    pub fn headers(&mut self, rng: &mut Rng) {
        let (command, flags, seq) = (rng.next() as u8, rng.next() as u16, rng.next() as u32);
        let api = &self.api;
        self.out.call(format!("headers({command}, {flags}, {seq})"), || {
            headers(|at| ffi!(api, nfct_timeout_nlmsg_build_hdr(at.cast(), command, flags, seq)).0)
        });
    }

    pub fn build(&mut self, rng: &mut Rng) {
        let at = rng.index(self.policies.len());
        self.build_one(at, [rng.below(5), rng.below(0x1000), rng.next()]);
    }

    pub fn build_one(&mut self, at: usize, [command, flags, seq]: [u64; 3]) {
        let (api, ptr) = (&self.api, self.policies[at].ptr);
        self.out.call(format!("build(p{at}, {command}, {flags}, {seq})"), || {
            let (command, flags, seq) = (command as u8, flags as u16, seq as u32);
            built(|at| {
                let at = ffi!(api, nfct_timeout_nlmsg_build_hdr(at.cast(), command, flags, seq)).0;
                ffi!(api, nfct_timeout_nlmsg_build_payload(at, ptr)).1
            })
        });
    }

    pub fn print(&mut self, rng: &mut Rng) {
        let at = rng.index(self.policies.len());
        self.print_one(at, if rng.one_in(10) { rng.next() as u32 } else { 0 });
    }

    /// Prints a policy into a buffer that is large enough: the reference writes past others.
    pub fn print_one(&mut self, at: usize, kind: u32) {
        let (api, ptr, mend) = (&self.api, self.policies[at].ptr, self.mend);
        self.out.call(format!("print(p{at}, {kind})"), || {
            let mut buffer = vec![0xa5_u8; ROOM];
            let start = buffer.as_mut_ptr().cast();
            let (ret, errno) = ffi!(api, nfct_timeout_snprintf(start, ROOM, ptr, kind, 0));
            let end = buffer.iter().position(|byte| *byte == 0);
            let text = end.map(|end| quoted(&buffer[..end]));
            let shown = |ret: i32| format!("{ret} errno {errno} {text:?}");
            let whole = end.map_or(ret, |end| end as i32);
            Outcome { result: shown(ret), mended: mend.then(|| ("timeout-snprintf", shown(whole))) }
        });
    }

    /// A message about a policy; of its states none is the one behind the last.
    fn any_message(&self, at: usize, rng: &mut Rng) -> (Vec<u8>, Option<u8>, bool) {
        let protocol = rng.one_in(2).then(|| self.any_protocol(at, rng));
        let policy = self.policies[at];
        let of = protocol.or(policy.protocol.filter(|_| policy.has_protocol));
        let mut attributes = Vec::new();
        if rng.one_in(2) {
            let mut name = rng.text(31);
            name.push(0);
            attributes.extend(attribute(1, &name));
        }
        if rng.one_in(2) {
            attributes.extend(attribute(2, &(rng.value() as u16).to_be_bytes()));
        }
        attributes.extend(protocol.map(|number| attribute(3, &[number])).unwrap_or_default());
        let data = any_data(of, rng);
        let states = !data.is_empty() && of.is_some();
        attributes.extend(attribute(if rng.one_in(9) { 4 } else { 0x8004 }, &data));
        if rng.one_in(3) {
            attributes.extend(attribute(rng.pick(&[5, 6, 7, 0]), &rng.next().to_ne_bytes()));
        }
        (message(0x800, &attributes), protocol, states)
    }

    pub fn parse(&mut self, rng: &mut Rng) {
        let at = rng.index(self.policies.len());
        let (message, protocol, has_states) = self.any_message(at, rng);
        let data = self.guarded.place(&message);
        let policy = &mut self.policies[at];
        if protocol.is_some() {
            (policy.protocol, policy.has_protocol) = (protocol, true);
        }
        if has_states {
            policy.may_make_room();
        }
        let (api, ptr, mend) = (&self.api, policy.ptr, self.mend);
        self.out.call(format!("parse(p{at}, {})", hex(&message)), || {
            let (ret, errno) = ffi!(api, nfct_timeout_nlmsg_parse_payload(data, ptr));
            Outcome {
                result: number((ret, errno)),
                mended: mend.then(|| ("errno-after-success", number((ret, 0)))),
            }
        });
    }

    /// What only ctrs survives: broken messages, numbers out of range, small buffers.
    pub fn survive(&mut self, rng: &mut Rng) {
        let at = rng.index(self.policies.len());
        let message = broken(self.any_message(at, rng).0, rng);
        let data = self.guarded.place(&message);
        let (api, ptr) = (&self.api, self.policies[at].ptr);
        let (state, attr, protocol) = (rng.value() as u32, rng.value() as u32, rng.next() as u8);
        let size = rng.below(80) as usize;
        self.out.call(format!("wild(p{at}, {}, {state}, {attr}, {size})", hex(&message)), || {
            let mut buffer = vec![0xa5_u8; size];
            ffi!(api, nfct_timeout_attr_set_u8(ptr, attr, protocol));
            ffi!(api, nfct_timeout_attr_set_u16(ptr, attr, protocol.into()));
            ffi!(api, nfct_timeout_attr_unset(ptr, attr));
            ffi!(api, nfct_timeout_policy_attr_set_u32(ptr, state, state));
            ffi!(api, nfct_timeout_policy_attr_to_name(protocol, state));
            ffi!(api, nfct_timeout_nlmsg_parse_payload(data, ptr));
            number(ffi!(api, nfct_timeout_snprintf(buffer.as_mut_ptr().cast(), size, ptr, 0, 0)))
        });
        // Whatever it holds now: the reference's rules do not matter any more.
        self.policies[at].room = Some(0);
    }
}

/// Members of the timeouts of a protocol.
fn any_data(protocol: Option<u8>, rng: &mut Rng) -> Vec<u8> {
    let known = protocol.map_or(0, states);
    let mut data = Vec::new();
    for _ in 0..rng.below(6) {
        let kind = if known == 0 || rng.one_in(9) {
            known + 2
        } else {
            rng.below(known.into()) as u32 + 1
        };
        data.extend(attribute(kind as u16, &(rng.value() as u32).to_be_bytes()));
    }
    data
}
