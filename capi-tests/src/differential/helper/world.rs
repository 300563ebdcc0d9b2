//! Helpers, and the calls about them, inside what the reference defines.

use super::api::{Api, ConstPtr, Ptr, ffi};
use crate::differential::guard::Guarded;
use crate::differential::record::{Outcome, Transcript, hex, quoted};
use crate::differential::rng::Rng;
use crate::differential::wire::{attribute, broken, built, headers, message};
use std::ffi::CStr;

const NAME: u32 = 0;
/// The numbers and their bytes.
const NUMBERS: [(u32, usize); 5] = [(1, 4), (2, 2), (3, 1), (4, 4), (9, 4)];
const POLICY1: u32 = 5;
const ROOM: usize = 4096;

/// A helper, and which of its places have a policy: the reference leaks one that is replaced.
#[derive(Clone, Copy)]
pub struct Helper {
    ptr: Ptr,
    taken: [bool; 4],
}

/// One worker: a library, the helpers made with it, and the transcript.
pub struct World {
    api: Api,
    pub out: Transcript,
    mend: bool,
    pub helpers: [Helper; 2],
    guarded: Guarded,
}

impl World {
    pub fn new(api: Api, out: Transcript, mend: bool) -> Self {
        let none = Helper { ptr: std::ptr::null_mut(), taken: [false; 4] };
        Self { api, out, mend, helpers: [none; 2], guarded: Guarded::new() }
    }

    pub fn make_objects(&mut self) {
        for helper in &mut self.helpers {
            *helper = Helper { ptr: ffi!(self.api, nfct_helper_alloc()).0, taken: [false; 4] };
        }
    }

    pub fn free_objects(&mut self) {
        for helper in &self.helpers {
            ffi!(self.api, nfct_helper_free(helper.ptr));
        }
    }

    /// Sets the name or a number, by each setter that has all its bytes.
    pub fn set(&mut self, rng: &mut Rng) {
        let (at, value, how) = (rng.index(self.helpers.len()), rng.value() as u32, rng.below(3));
        let mut name = rng.text(20);
        name.push(0);
        let number = (!rng.one_in(4)).then(|| rng.pick(&NUMBERS));
        let (api, ptr) = (&self.api, self.helpers[at].ptr);
        self.out.call(format!("set(h{at}, {number:?}, {}, {value}, {how})", hex(&name)), || {
            let errno = match (number, how) {
                (None, 0) => ffi!(api, nfct_helper_attr_set_str(ptr, NAME, name.as_ptr().cast())).1,
                (None, _) => ffi!(api, nfct_helper_attr_set(ptr, NAME, name.as_ptr().cast())).1,
                (Some((attr, 1)), 0) => {
                    ffi!(api, nfct_helper_attr_set_u8(ptr, attr, value as u8)).1
                }
                (Some((attr, 1 | 2)), 1) => {
                    ffi!(api, nfct_helper_attr_set_u16(ptr, attr, value as u16)).1
                }
                (Some((attr, _)), 2) => {
                    ffi!(api, nfct_helper_attr_set(ptr, attr, (&raw const value).cast())).1
                }
                (Some((attr, _)), _) => ffi!(api, nfct_helper_attr_set_u32(ptr, attr, value)).1,
            };
            format!("errno {errno}")
        });
    }

    pub fn unset(&mut self, rng: &mut Rng) {
        let (at, attr) = (rng.index(self.helpers.len()), rng.below(12) as u32);
        let (api, ptr) = (&self.api, self.helpers[at].ptr);
        self.out.call(format!("unset(h{at}, {attr})"), || {
            format!("errno {}", ffi!(api, nfct_helper_attr_unset(ptr, attr)).1)
        });
    }

    /// Makes a policy and gives it to a place that is free, or frees it.
    pub fn set_policy(&mut self, rng: &mut Rng) {
        let (at, place) = (rng.index(self.helpers.len()), rng.index(4));
        let (timeout, max, how) = (rng.value() as u32, rng.value() as u32, rng.below(4));
        let mut name = rng.text(20);
        name.push(0);
        let helper = &mut self.helpers[at];
        let is_free = !std::mem::replace(&mut helper.taken[place], true);
        let (api, ptr) = (&self.api, helper.ptr);
        let call = format!("policy(h{at}, {place}, {}, {timeout}, {max}, {how})", hex(&name));
        self.out.call(call, || {
            let policy = ffi!(api, nfct_helper_policy_alloc()).0;
            let text = name.as_ptr();
            if how & 1 == 0 {
                ffi!(api, nfct_helper_policy_attr_set(policy, 0, text.cast()));
            } else {
                ffi!(api, nfct_helper_policy_attr_set_str(policy, 0, text.cast()));
            }
            ffi!(api, nfct_helper_policy_attr_set_u32(policy, 1, timeout));
            if how & 2 == 0 {
                ffi!(api, nfct_helper_policy_attr_set_u32(policy, 2, max));
            } else {
                ffi!(api, nfct_helper_policy_attr_set(policy, 2, (&raw const max).cast()));
            }
            ffi!(api, nfct_helper_policy_attr_set_u32(policy, 3 + max % 90, max));
            if is_free {
                ffi!(api, nfct_helper_attr_set(ptr, POLICY1 + place as u32, policy));
                let got = ffi!(api, nfct_helper_attr_get(ptr, POLICY1 + place as u32)).0;
                return format!("{}", std::ptr::eq(got, policy));
            }
            format!("errno {}", ffi!(api, nfct_helper_policy_free(policy)).1)
        });
    }

    pub fn get(&mut self, rng: &mut Rng) {
        let (at, attr) = (rng.index(self.helpers.len()), rng.below(14) as u32);
        self.get_one(at, attr);
    }

    pub fn look_at(&mut self, at: usize) {
        (0..12).for_each(|attr| self.get_one(at, attr));
    }

    /// The value of an attribute, by each getter that has no more bytes than it has. Of an unknown one,
    /// and of a policy that is not there, the reference reads nothing but for the pointer.
    fn get_one(&mut self, at: usize, attr: u32) {
        let (api, ptr, mend) = (&self.api, self.helpers[at].ptr, self.mend);
        let width = match attr {
            NAME => 16,
            _ => NUMBERS.iter().find(|row| row.0 == attr).map_or(0, |row| row.1),
        };
        self.out.call(format!("get(h{at}, {attr})"), || {
            let (value, errno) = ffi!(api, nfct_helper_attr_get(ptr, attr));
            let expected = if value.is_null() { libc::EINVAL } else { errno };
            let shown =
                |errno: i32| format!("{} errno {errno}", values(api, ptr, attr, value, width));
            Outcome {
                result: shown(errno),
                mended: mend.then(|| ("helper-getters", shown(expected))),
            }
        });
    }

    pub fn headers(&mut self, rng: &mut Rng) {
        let (command, flags, seq) = (rng.next() as u8, rng.next() as u16, rng.next() as u32);
        let api = &self.api;
        self.out.call(format!("headers({command}, {flags}, {seq})"), || {
            headers(|at| ffi!(api, nfct_helper_nlmsg_build_hdr(at.cast(), command, flags, seq)).0)
        });
    }

    pub fn build(&mut self, rng: &mut Rng) {
        let at = rng.index(self.helpers.len());
        self.build_one(at, [rng.below(3), rng.below(0x1000), rng.next()]);
    }

    pub fn build_one(&mut self, at: usize, [command, flags, seq]: [u64; 3]) {
        let (api, ptr) = (&self.api, self.helpers[at].ptr);
        self.out.call(format!("build(h{at}, {command}, {flags}, {seq})"), || {
            let (command, flags, seq) = (command as u8, flags as u16, seq as u32);
            built(|at| {
                let at = ffi!(api, nfct_helper_nlmsg_build_hdr(at.cast(), command, flags, seq)).0;
                ffi!(api, nfct_helper_nlmsg_build_payload(at, ptr)).1
            })
        });
    }

    pub fn print(&mut self, rng: &mut Rng) {
        let at = rng.index(self.helpers.len());
        self.print_one(at, if rng.one_in(2) { rng.below(160) as usize } else { ROOM });
    }

    pub fn print_one(&mut self, at: usize, size: usize) {
        let (api, ptr) = (&self.api, self.helpers[at].ptr);
        self.out.call(format!("print(h{at}, {size})"), || printed(api, ptr, size));
    }

    /// Parses into a new helper: the reference forgets to send what policies came, and a second message
    /// overflows it.
    pub fn parse(&mut self, rng: &mut Rng) {
        let message = any_message(rng);
        let data = self.guarded.place(&message);
        let (api, mend) = (&self.api, self.mend);
        self.out.call(format!("parse({})", hex(&message)), || {
            let helper = ffi!(api, nfct_helper_alloc()).0;
            let (ret, errno) = ffi!(api, nfct_helper_nlmsg_parse_payload(data, helper));
            let policies = (0..4)
                .map(|place| !ffi!(api, nfct_helper_attr_get(helper, POLICY1 + place)).0.is_null());
            let rest = format!("{:?} {}", policies.collect::<Vec<_>>(), printed(api, helper, ROOM));
            ffi!(api, nfct_helper_free(helper));
            Outcome {
                result: format!("{ret} errno {errno} {rest}"),
                mended: mend.then(|| ("errno-after-success", format!("{ret} errno 0 {rest}"))),
            }
        });
    }

    /// What only ctrs survives: broken messages, again and again into one helper, numbers out of range.
    pub fn survive(&mut self, rng: &mut Rng) {
        let at = rng.index(self.helpers.len());
        let message = broken(any_message(rng), rng);
        let data = self.guarded.place(&message);
        let (api, ptr) = (&self.api, self.helpers[at].ptr);
        let (attr, value) = (rng.value() as u32, rng.value() as u32);
        self.out.call(format!("wild(h{at}, {}, {attr}, {value})", hex(&message)), || {
            ffi!(api, nfct_helper_nlmsg_parse_payload(data, ptr));
            ffi!(api, nfct_helper_attr_set_u8(ptr, attr, value as u8));
            ffi!(api, nfct_helper_attr_set_u16(ptr, attr, value as u16));
            ffi!(api, nfct_helper_attr_set_u32(ptr, attr, value));
            ffi!(api, nfct_helper_attr_set_str(ptr, attr, c"x".as_ptr()));
            let value = ffi!(api, nfct_helper_attr_get_u32(ptr, attr)).0;
            format!("{value} {}", printed(api, ptr, 100))
        });
    }
}

/// What an attribute has, by all getters of at most `width` bytes.
fn values(api: &Api, ptr: Ptr, attr: u32, value: ConstPtr, width: usize) -> String {
    if attr == NAME {
        let name = ffi!(api, nfct_helper_attr_get_str(ptr, attr)).0;
        // SAFETY: the name of a helper is a C string.
        return quoted(unsafe { CStr::from_ptr(name) }.to_bytes());
    }
    let mut all = format!("{}", !value.is_null());
    if width >= 1 {
        all += &format!(" {}", ffi!(api, nfct_helper_attr_get_u8(ptr, attr)).0);
    }
    if width >= 2 {
        all += &format!(" {}", ffi!(api, nfct_helper_attr_get_u16(ptr, attr)).0);
    }
    if width >= 4 {
        all += &format!(" {}", ffi!(api, nfct_helper_attr_get_u32(ptr, attr)).0);
    }
    all
}

fn printed(api: &Api, ptr: Ptr, size: usize) -> String {
    let mut buffer = vec![0xa5_u8; size + 16];
    let start = buffer.as_mut_ptr().cast();
    let (ret, errno) = ffi!(api, nfct_helper_snprintf(start, size, ptr, 0, 0));
    let end = buffer.iter().position(|byte| matches!(byte, 0 | 0xa5)).unwrap_or(size);
    let beyond = buffer[size..].iter().all(|byte| *byte == 0xa5);
    format!("{ret} errno {errno} {} {beyond}", quoted(&buffer[..end]))
}

/// A message about a helper; each part of it is missing at times.
fn any_message(rng: &mut Rng) -> Vec<u8> {
    let mut attributes = Vec::new();
    let mut name = rng.text(15);
    name.push(0);
    let mut put = |rng: &mut Rng, kind: u16, value: &[u8]| {
        if !rng.one_in(12) {
            attributes.extend(attribute(kind, value));
        }
    };
    put(rng, 1, &name);
    for kind in [3, 5, 6] {
        let value = (rng.value() as u32).to_be_bytes();
        put(rng, kind, &value);
    }
    let mut tuple = attribute(1, &(rng.value() as u16).to_be_bytes());
    tuple.extend(attribute(2, &[rng.next() as u8]));
    if rng.one_in(8) {
        tuple.truncate(8);
    }
    put(rng, 0x8002, &tuple);
    let policies = any_policies(rng);
    put(rng, 0x8004, &policies);
    put(rng, 7, &[0; 4]);
    message(0x900, &attributes)
}

fn any_policies(rng: &mut Rng) -> Vec<u8> {
    let count = rng.below(5) as u32;
    let mut sets = Vec::new();
    if !rng.one_in(9) {
        sets.extend(attribute(1, &count.to_be_bytes()));
    }
    for set in 0..rng.below(5) as u16 {
        let mut name = rng.text(15);
        name.push(0);
        let mut members = attribute(1, &name);
        for kind in [2, 3] {
            members.extend(attribute(kind, &(rng.value() as u32).to_be_bytes()));
        }
        if !rng.one_in(6) {
            sets.extend(attribute(0x8002 + set, &members));
        }
    }
    sets
}
