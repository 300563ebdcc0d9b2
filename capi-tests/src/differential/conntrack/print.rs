//! Calls that print conntrack objects and expectations.

use super::api::ffi;
use super::ct;
use super::world::{ROOM, World};
use crate::differential::record::{Outcome, quoted};
use crate::differential::rng::Rng;
use std::ffi::c_char;

const XML: u32 = 1;
const SHOW_TIME: u32 = 2;
const TIMESTAMP_START: u32 = 63;
const TIMESTAMP_STOP: u32 = 64;
const UNTOUCHED: u8 = 0xa5;

/// The arguments that choose what is printed.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    message: u32,
    output: u32,
    flags: u32,
    labels: bool,
    map: bool,
}

/// What a call left in the buffer.
struct Printed {
    ret: i32,
    errno: i32,
    text: Option<Vec<u8>>,
}

fn any_style(rng: &mut Rng) -> Style {
    let output = if rng.one_in(25) { rng.pick(&[2, 3, 0xffff_ffff]) } else { rng.below(2) as u32 };
    let flags = if rng.one_in(10) { rng.next() as u32 } else { rng.below(16) as u32 };
    Style {
        message: rng.pick(&[0, 0, 1, 2, 4, 3, 7, 0x8000_0000]),
        output,
        // What time it is now is not the same in both.
        flags: if output == XML { flags & !SHOW_TIME } else { flags },
        labels: rng.one_in(3),
        map: !rng.one_in(5),
    }
}

/// Prints an object, at times into a buffer that is too small.
pub fn conntrack(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.cts.len());
    let style = any_style(rng);
    let size = any_size(rng);
    without_clock(w, at);
    print_ct(w, at, style, size);
}

/// Prints an object in full in both formats.
pub fn all_formats(w: &mut World, at: usize) {
    without_clock(w, at);
    for (output, flags) in [(0, 13), (0, 0), (XML, 13), (XML, 0)] {
        print_ct(w, at, Style { message: 1, output, flags, labels: true, map: true }, ROOM as u32);
    }
}

fn any_size(rng: &mut Rng) -> u32 {
    match rng.below(4) {
        0 => rng.range(1, 60) as u32,
        1 => rng.range(1, 900) as u32,
        2 => rng.pick(&[1, 1024, 4096, 0x7fff_ffff, 0x8000_0000, 0xffff_ffff]),
        _ => ROOM as u32,
    }
}

/// The age of a flow without an end is counted from now: unset the start of such an object. Unset times,
/// too, that a `time_t` of 32 bits does not reach, or whose difference it does not: the reference tells others.
fn without_clock(w: &mut World, at: usize) {
    let ct = w.cts[at].ptr;
    let times = [TIMESTAMP_START, TIMESTAMP_STOP];
    let [start, stop] = times.map(|attr| ffi!(w.api, nfct_get_attr_u64(ct, attr)).0);
    let far = |time: &u64| libc::time_t::try_from(time / 1_000_000_000).is_err();
    if [start, stop, stop.wrapping_sub(start)].iter().any(far) {
        times.iter().for_each(|attr| ct::unset_attr(w, at, *attr));
    }
    let (start, _) = ffi!(w.api, nfct_attr_is_set(ct, TIMESTAMP_START));
    let (stop, _) = ffi!(w.api, nfct_get_attr_u64(ct, TIMESTAMP_STOP));
    if start == 1 && stop == 0 {
        ct::unset_attr(w, at, TIMESTAMP_START);
    }
}

fn print_ct(w: &mut World, at: usize, style: Style, size: u32) {
    let (api, ct, buffer, mend) = (&w.api, w.cts[at].ptr, &mut w.buffer, w.mend);
    let map = if style.map { w.map } else { std::ptr::null_mut() };
    let mut print = |size: u32| {
        let Style { message, output, flags, .. } = style;
        into_buffer(buffer, size, |text| match style.labels {
            true => ffi!(api, nfct_snprintf_labels(text, size, ct, message, output, flags, map)),
            false => ffi!(api, nfct_snprintf(text, size, ct, message, output, flags)),
        })
    };
    let call = format!("nfct_snprintf(ct{at}, {size}, {style:?})");
    w.out.call(call, || mended(print(size), mend, || print(ROOM as u32)));
}

/// Prints an expectation.
pub fn expect(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.exps.len());
    let style = any_style(rng);
    let size = any_size(rng);
    let (api, exp, buffer, mend) = (&w.api, w.exps[at], &mut w.buffer, w.mend);
    let mut print = |size: u32| {
        let Style { message, output, flags, .. } = style;
        into_buffer(buffer, size, |text| {
            ffi!(api, nfexp_snprintf(text, size, exp, message, output, flags))
        })
    };
    let call = format!("nfexp_snprintf(exp{at}, {size}, {style:?})");
    w.out.call(call, || mended(print(size), mend, || print(ROOM as u32)));
}

/// Calls with a buffer of which only `size` bytes may change, and reads the text out of it.
fn into_buffer(
    buffer: &mut [u8],
    size: u32,
    print: impl FnOnce(*mut c_char) -> (i32, i32),
) -> Printed {
    let size = (size as usize).min(ROOM);
    let watched = (size + 4096).min(ROOM);
    buffer[..watched].fill(UNTOUCHED);
    let (ret, errno) = print(buffer.as_mut_ptr().cast());
    let (inside, outside) = buffer[..watched].split_at(size);
    assert!(outside.iter().all(|byte| *byte == UNTOUCHED), "written behind the buffer");
    let end = inside.iter().position(|byte| *byte == 0);
    Printed { ret, errno, text: end.map(|end| inside[..end].to_vec()) }
}

/// Truncated text counts in full in ctrs.
fn mended(cut: Printed, mend: bool, full: impl FnOnce() -> Printed) -> Outcome {
    let result = cut.show(cut.ret);
    let full = (mend && cut.ret >= 0).then(|| cut.show(full().ret));
    Outcome { result, mended: full.map(|text| ("snprintf-length", text)) }
}

impl Printed {
    fn show(&self, ret: i32) -> String {
        let text = self.text.as_ref().map_or("nothing".to_string(), |text| quoted(text));
        format!("{ret} errno={} {text}", self.errno)
    }
}
