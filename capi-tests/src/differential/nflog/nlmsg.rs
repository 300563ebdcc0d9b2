//! Calls that build and parse messages.

use super::api::{ConstPtr, ffi};
use super::messages::found;
use super::world::{World, number};
use crate::differential::record::{Outcome, hex};
use crate::differential::rng::Rng;
use crate::differential::wire::HEADERS;

/// Places of the array, and some that must not be touched.
const PLACES: usize = 24;

/// Parses a message, at times one that is cut short.
pub fn parse(w: &mut World, rng: &mut Rng) {
    let (mut message, mut length) = w.messages.packet(rng);
    if rng.one_in(4) {
        length = rng.range(16, length as u64) as usize;
    }
    message.truncate(length);
    let end = found(&message).last().map_or(HEADERS, |last| last.at + 4 + last.value.len());
    let whole = if length < HEADERS { length } else { end.min(length).next_multiple_of(4) };
    let (api, mend, guarded) = (&w.api, w.mend, &mut w.guarded);
    w.out.call(format!("parse ({})", hex(&message)), || {
        let mut parse = |length: usize, errno: Option<i32>| {
            message[..4].copy_from_slice(&(length as u32).to_ne_bytes());
            let base = guarded.place(&message);
            let mut places: [ConstPtr; PLACES] = [std::ptr::null(); PLACES];
            let (value, left) = ffi!(api, nflog_nlmsg_parse(base, places.as_mut_ptr()));
            let offset = |place: &ConstPtr| (*place as usize).saturating_sub(base as usize);
            let offsets: Vec<_> = places.iter().map(offset).collect();
            let errno = errno.filter(|_| value > 0).unwrap_or(left);
            format!("{} {offsets:?}", number((value, errno)))
        };
        let result = parse(length, None);
        // The reference takes what aligns the message for a part of it.
        let id = if length % 4 == 0 { "errno-after-success" } else { "log-message-end" };
        Outcome { result, mended: mend.then(|| (id, parse(whole, Some(0)))) }
    });
}

/// Builds a message of some commands and modes.
pub fn build(w: &mut World, rng: &mut Rng) {
    let (kind, family, group) = (rng.value() as u8, rng.value() as u8, rng.value() as u16);
    let puts: Vec<(bool, u8, u32)> =
        (0..rng.below(9)).map(|_| (rng.one_in(2), rng.value() as u8, rng.value() as u32)).collect();
    let before = rng.bytes(256);
    let (api, mend, room) = (&w.api, w.mend, &mut w.buffer);
    w.out.call(format!("build ({kind}, {family}, {group}, {puts:?})"), || {
        room.clear();
        room.extend(&before);
        let start: *mut std::ffi::c_void = room.as_mut_ptr().cast();
        let (header, errno) = ffi!(api, nflog_nlmsg_put_header(start, kind, family, group));
        let mut results = vec![number((header == start, errno))];
        let (mut end, mut padding) = (HEADERS, Vec::new());
        for (is_mode, value, range) in &puts {
            let result = match is_mode {
                true => ffi!(api, nflog_attr_put_cfg_mode(start, *value, *range)),
                false => ffi!(api, nflog_attr_put_cfg_cmd(start, *value)),
            };
            results.push(number(result));
            let (used, size) = if *is_mode { (10, 12) } else { (5, 8) };
            padding.extend(end + used..end + size);
            end += size;
        }
        let result = format!("{results:?} {}", hex(room));
        padding.iter().for_each(|at| room[*at] = 0);
        let meant = format!("{results:?} {}", hex(room));
        room.resize(super::world::ROOM, 0);
        Outcome { result, mended: mend.then_some(("padding", meant)) }
    });
}
