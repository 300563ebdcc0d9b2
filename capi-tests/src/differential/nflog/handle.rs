//! Calls on the handle: settings of its groups, and datagrams.

use super::api::{Ptr, ffi};
use super::messages::{MOST, PACKET, pointers};
use super::world::{GROUPS, World, number};
use crate::differential::record::{Outcome, hex};
use crate::differential::rng::Rng;
use crate::differential::wire::{attribute, message};
use std::ffi::c_int;
use std::fmt::Write;

/// What the callbacks were called with, and what they return.
pub struct Heard {
    pub groups: [Ptr; GROUPS.len()],
    /// Where the datagram is.
    base: usize,
    returns: Vec<c_int>,
    calls: Vec<String>,
}

/// Pointers have no default before Rust 1.88.
impl Default for Heard {
    fn default() -> Self {
        let groups = [std::ptr::null_mut(); GROUPS.len()];
        Self { groups, base: 0, returns: Vec::new(), calls: Vec::new() }
    }
}

/// A call of a callback as text: the group, and where the message's head and its attributes are.
fn call(group: usize, head: usize, attributes: &[usize]) -> String {
    let mut text = format!("group {group} at {head}:");
    for (at, attribute) in attributes.iter().enumerate().filter(|(_, at)| **at > 0) {
        let _ = write!(text, " {}={attribute}", at + 1);
    }
    text
}

/// The callback of all groups.
pub extern "C" fn hear(group: Ptr, head: Ptr, packet: Ptr, heard: Ptr) -> c_int {
    // SAFETY: it was registered with this, of which nobody else has a reference meanwhile; the packet
    // begins with a pointer to its attributes.
    let (heard, pointers) =
        unsafe { (&mut *heard.cast::<Heard>(), **packet.cast::<*const [usize; MOST as usize]>()) };
    let group = heard.groups.iter().position(|it| *it == group).expect("a group");
    let offsets = pointers.map(|pointer| pointer.saturating_sub(heard.base));
    heard.calls.push(call(group, head as usize - heard.base, &offsets));
    heard.returns.get(heard.calls.len() - 1).copied().unwrap_or(0)
}

/// Hands a datagram to the library.
pub fn datagram(w: &mut World, rng: &mut Rng) {
    let datagram = any_datagram(w, rng);
    let returns: Vec<c_int> = (0..4).map(|_| rng.pick(&[0, 0, 0, 1, 7, -1, -19])).collect();
    let base = w.guarded.place(&datagram);
    *w.heard = Heard { base: base as usize, returns, groups: w.groups, ..Heard::default() };
    let (api, mend, handle) = (&w.api, w.mend, w.handle);
    let heard: *mut Heard = &raw mut *w.heard;
    let call = format!("datagram ({}, {:?})", hex(&datagram), w.heard.returns);
    w.out.call(call, || {
        let result = ffi!(api, nflog_handle_packet(handle, base, datagram.len() as c_int));
        // SAFETY: the callbacks are through with it.
        let heard = unsafe { &*heard };
        let result = format!("{} {:?}", number(result), heard.calls);
        Outcome {
            result,
            mended: mend.then(|| ("log-datagrams", meant(&datagram, &heard.returns))),
        }
    });
}

/// A few messages, at times cut short.
fn any_datagram(w: &World, rng: &mut Rng) -> Vec<u8> {
    let mut datagram: Vec<u8> = Vec::new();
    for _ in 0..rng.range(1, 5) {
        let mut one = any_message(w, rng);
        if rng.one_in(20) {
            one[0] = rng.value() as u8;
        }
        one.resize(one.len().next_multiple_of(4), 0);
        datagram.extend(one);
    }
    match rng.below(8) {
        0 => datagram.truncate(rng.index(datagram.len())),
        1 => datagram.extend(rng.bytes(7)),
        _ => {}
    }
    datagram
}

fn any_message(w: &World, rng: &mut Rng) -> Vec<u8> {
    let kind = if rng.one_in(4) {
        rng.pick(&[1, 2, 3, 4, 0x0401, 0x0402, 0x04ff, 0x0100, 0x0000, 0x1100, 0xff00])
    } else {
        PACKET
    };
    let (mut one, length) = w.messages.packet(rng);
    one.truncate(length);
    if kind == PACKET && rng.one_in(6) {
        one = message(PACKET, &attribute(2, &[1, 2, 3, 4]));
        let end = rng.range(16, one.len() as u64);
        one.truncate(end as usize);
    }
    if kind < 16 {
        one = message(kind, &[0; 8]);
        one[16..20].copy_from_slice(&rng.pick(&[0_i32, 0, -1, -16]).to_ne_bytes());
    } else if one.len() >= 20 {
        let unknown = rng.pick(&[1, 7, 301]);
        let group = if rng.one_in(8) { unknown } else { GROUPS[rng.index(GROUPS.len())] };
        one[18..20].copy_from_slice(&group.to_be_bytes());
    }
    let length = (one.len() as u32).to_ne_bytes();
    one[..4].copy_from_slice(&length);
    one[4..6].copy_from_slice(&kind.to_ne_bytes());
    one
}

/// What ctrs makes of a datagram: what tells nothing is passed over, and each failure has a reason.
fn meant(datagram: &[u8], returns: &[c_int]) -> String {
    let mut calls = Vec::new();
    let mut at = 0;
    let errno = loop {
        let rest = &datagram[at.min(datagram.len())..];
        let Some(header) = rest.first_chunk::<16>() else { break None };
        let length = u32::from_ne_bytes([header[0], header[1], header[2], header[3]]) as usize;
        let kind = u16::from_ne_bytes([header[4], header[5]]);
        let Some(message) = rest.get(..length).filter(|_| length >= 16) else {
            break Some(libc::EBADMSG);
        };
        let payload = message.get(16..).and_then(<[u8]>::first_chunk::<4>);
        match (kind, payload) {
            (1 | 3 | 4, _) => {}
            (2, None) => break Some(libc::EBADMSG),
            (2, Some(status)) => match i32::from_ne_bytes(*status) {
                0 => {}
                status => break Some(-status),
            },
            (_, None) => break Some(libc::ENOSPC),
            (0x0401, _) => {}
            (PACKET, Some([.., high, low])) => {
                let number = u16::from_be_bytes([*high, *low]);
                let group = GROUPS.iter().position(|it| *it == number);
                let Some(group) = group.filter(|at| at + 1 < GROUPS.len()) else {
                    break Some(libc::ENODEV);
                };
                calls.push(call(group, at + 16, &pointers(message, at, true)));
                if returns.get(calls.len() - 1).is_some_and(|verdict| *verdict < 0) {
                    break Some(0);
                }
            }
            _ => break Some(libc::ENOENT),
        }
        at += length.next_multiple_of(4);
    };
    let result = errno.map_or((0, 0), |errno| (-1, errno));
    format!("{} {calls:?}", number(result))
}

/// Changes a setting of a group; the kernel says whether it may be.
pub fn set(w: &mut World, rng: &mut Rng) {
    let at = rng.index(GROUPS.len());
    let (api, group) = (&w.api, w.groups[at]);
    let (which, value) = (rng.below(5), rng.value() as u32);
    let flags = if rng.one_in(2) { rng.below(8) as u16 } else { value as u16 };
    let buffer = rng.pick(&[0, 3_775, 3_776, 65_536, 131_072, 131_073, u32::MAX]);
    w.out.call(format!("set {which} of {at} ({value}, {flags}, {buffer})"), || {
        number(match which {
            0 => ffi!(api, nflog_set_mode(group, flags as u8, value)),
            1 => ffi!(api, nflog_set_timeout(group, value)),
            2 => ffi!(api, nflog_set_flags(group, flags)),
            3 => ffi!(api, nflog_set_qthresh(group, value)),
            _ => ffi!(api, nflog_set_nlbufsiz(group, buffer)),
        })
    });
}

/// Unbinds a group and binds it again, and binds one that is bound.
pub fn bind(w: &mut World, rng: &mut Rng) {
    let at = rng.index(GROUPS.len());
    let (api, handle, groups) = (&w.api, w.handle, &mut w.groups);
    let is_null = |(group, errno): (Ptr, i32)| number((group.is_null(), errno));
    w.out.call(format!("bind again {at}"), || {
        is_null(ffi!(api, nflog_bind_group(handle, GROUPS[at])))
    });
    w.out.call(format!("unbind {at}"), || number(ffi!(api, nflog_unbind_group(groups[at]))));
    w.out.call(format!("bind {at}"), || {
        let (group, errno) = ffi!(api, nflog_bind_group(handle, GROUPS[at]));
        groups[at] = group;
        is_null((group, errno))
    });
    assert!(!w.groups[at].is_null());
    w.register(at);
}

/// Makes the library the logger of a family, or takes it away.
pub fn family(w: &mut World, rng: &mut Rng) {
    let (api, handle) = (&w.api, w.handle);
    let (family, bind) = (rng.pick(&[0, 1, 2, 5, 7, 10, 11, 255, 258, 0xffff]), rng.one_in(2));
    w.out.call(format!("family {family} {bind}"), || {
        number(match bind {
            true => ffi!(api, nflog_bind_pf(handle, family)),
            false => ffi!(api, nflog_unbind_pf(handle, family)),
        })
    });
}

/// Hands over what no kernel sends, with a length that may be wrong. Only for ctrs: the reference may
/// end the process.
pub fn wild(w: &mut World, rng: &mut Rng) {
    let mut datagram = any_datagram(w, rng);
    for _ in 0..rng.below(6) {
        let at = rng.index(datagram.len() + 1);
        if let Some(byte) = datagram.get_mut(at) {
            *byte = rng.value() as u8;
        }
    }
    let base = w.guarded.place(&datagram);
    *w.heard = Heard { base: base as usize, groups: w.groups, ..Heard::default() };
    let length = if rng.one_in(10) { -(rng.below(9) as i32) } else { datagram.len() as i32 };
    let (api, handle) = (&w.api, w.handle);
    w.out.call(format!("wild datagram ({}, {length})", hex(&datagram)), || {
        number(ffi!(api, nflog_handle_packet(handle, base, length)))
    });
}
