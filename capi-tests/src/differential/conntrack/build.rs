//! Calls that build messages from objects, and from dump filters.

use super::api::{ConstPtr, Ptr, ffi};
use super::repair;
use super::schema::{HEADER, attribute};
use super::world::{World, errno_of};
use crate::differential::record::{Outcome, hex};
use crate::differential::rng::Rng;

/// Bytes that a message may take.
const MESSAGE: usize = 8192;

const DUMP_FILTER: u32 = 8;
const FLUSH_FILTER: u32 = 10;

/// What a builder returned and the message it left.
pub struct Built {
    /// The return value.
    pub ret: i32,
    /// `errno`.
    pub errno: i32,
    /// The message up to its length.
    pub message: Vec<u8>,
}

impl Built {
    /// The message counts only if building it succeeded.
    #[must_use]
    pub fn show(&self) -> String {
        let message = if self.ret < 0 { String::new() } else { hex(&self.message) };
        format!("{} errno={} {message}", self.ret, self.errno)
    }

    /// Like [`Self::show`], but a failure shows what it left in the message, too.
    fn show_all(&self) -> String {
        format!("{} errno={} {}", self.ret, self.errno, hex(&self.message))
    }

    /// What ctrs says of an object whose tuples cannot be built.
    fn refused(header: &[u8]) -> Self {
        Self { ret: -1, errno: libc::EINVAL, message: header.to_vec() }
    }
}

/// Calls a builder with a cleared buffer that starts with `header`.
pub fn built(w: &mut World, header: &[u8], build: impl FnOnce(&World, Ptr) -> (i32, i32)) -> Built {
    w.buffer[..2 * MESSAGE].fill(0);
    w.buffer[..header.len()].copy_from_slice(header);
    let pointer = w.buffer.as_mut_ptr().cast();
    let (ret, errno) = build(w, pointer);
    let len = u32::from_ne_bytes(*w.buffer.first_chunk().expect("4 bytes")) as usize;
    assert!(len <= MESSAGE, "a message of {len} bytes");
    let mut message = w.buffer[..len].to_vec();
    if w.mend && len > HEADER && zero_padding(&mut message[HEADER..]) {
        w.out.met("padding");
    }
    Built { ret, errno, message }
}

/// Clears what lies between attributes: the reference leaves there what a tuple it gave up wrote.
/// Says whether there was something.
fn zero_padding(mut attributes: &mut [u8]) -> bool {
    let mut found = false;
    while let Some([a, b, c, d]) = attributes.first_chunk().copied() {
        let len = usize::from(u16::from_ne_bytes([a, b]));
        let end = len.next_multiple_of(4).min(attributes.len());
        if len < 4 || len > end {
            break;
        }
        let (attribute, rest) = attributes.split_at_mut(end);
        let (content, padding) = attribute.split_at_mut(len);
        found |= padding.iter().any(|byte| *byte != 0);
        padding.fill(0);
        if u16::from_ne_bytes([c, d]) & 0x8000 != 0 {
            found |= zero_padding(&mut content[4..]);
        }
        attributes = rest;
    }
    found
}

/// A netlink header as a caller prepares it; at times with an attribute behind it.
fn any_header(rng: &mut Rng, subsystem: u8) -> Vec<u8> {
    let mut header = vec![0; HEADER];
    let kind = u16::from_be_bytes([subsystem, rng.below(3) as u8]);
    header[4..6].copy_from_slice(&kind.to_ne_bytes());
    header[6..16].copy_from_slice(&rng.bytes(10));
    header[16..20].copy_from_slice(&rng.bytes(4));
    if rng.one_in(4) {
        header.extend(attribute(77, &[1, 2, 3, 4]));
    }
    let len = header.len() as u32;
    header[..4].copy_from_slice(&len.to_ne_bytes());
    header
}

/// Builds from an object behind a header of the caller's.
pub fn conntrack(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.cts.len());
    let header = any_header(rng, 1);
    append(w, at, &header);
}

/// A header of a type, and nothing else.
pub fn plain_header(kind: u16) -> Vec<u8> {
    let mut header = vec![0; HEADER];
    header[..4].copy_from_slice(&(HEADER as u32).to_ne_bytes());
    header[4..6].copy_from_slice(&kind.to_ne_bytes());
    header
}

/// Builds from an object behind a plain header.
pub fn plain(w: &mut World, at: usize) {
    append(w, at, &plain_header(0));
}

fn append(w: &mut World, at: usize, header: &[u8]) {
    let ct = w.cts[at].ptr;
    let mut result = built(w, header, |w, to| ffi!(w.api, nfct_nlmsg_build(to, ct)));
    repair::message(w, ct, &mut result.message);
    let mended =
        (w.mend && result.ret < 0).then(|| ("build-refusal", Built::refused(header).show_all()));
    w.out.call(format!("nfct_nlmsg_build({}, ct{at})", hex(header)), || Outcome {
        result: result.show_all(),
        mended,
    });
}

/// Builds a whole request: the deprecated functions.
pub fn request(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.cts.len());
    let ct = w.cts[at].ptr;
    let buildable =
        built(w, &plain_header(0), |w, to| ffi!(w.api, nfct_nlmsg_build(to, ct))).ret == 0;
    let (kind, flags) = (rng.below(8) as u16, rng.next() as u16);
    let query = rng.pick(&[0, 1, 2, 3, 7]);
    let deprecated = rng.one_in(3);
    let mut ssh = [0_u64; 4];
    let unused: Ptr = ssh.as_mut_ptr().cast();
    let mut result = built(w, &[], |w, to| match deprecated {
        true => ffi!(w.api, nfct_build_conntrack(unused, to, MESSAGE, kind, flags, ct)),
        false => ffi!(w.api, nfct_build_query(unused, query, ct, to, MESSAGE as u32)),
    });
    repair::message(w, ct, &mut result.message);
    let call = match deprecated {
        true => format!("nfct_build_conntrack({kind}, {flags}, ct{at})"),
        false => format!("nfct_build_query({query}, ct{at})"),
    };
    let id = if deprecated { "build-refusal" } else { "incomplete-request" };
    let mended = (w.mend && !buildable).then(|| (id, Built::refused(&[]).show()));
    w.out.call(call, || Outcome { result: result.show(), mended });
}

/// Builds requests that name a family only, or that do not exist.
pub fn family_request(w: &mut World, rng: &mut Rng) {
    let family: u32 = rng.pick(&[0, 2, 10, 7, 0x0102, 0xffff_ff0a]);
    let expect = rng.one_in(2);
    let queries: &[u32] =
        if expect { &[4, 5, 1, 6, 8, 9, 10, 11, 77] } else { &[4, 5, 6, 11, 12, 0xffff_ffff] };
    let query = rng.pick(queries);
    let mut ssh = [0_u64; 4];
    let unused: Ptr = ssh.as_mut_ptr().cast();
    let data: ConstPtr = (&raw const family).cast();
    let result = built(w, &[], |w, to| match expect {
        true => ffi!(w.api, nfexp_build_query(unused, query, data, to, MESSAGE as u32)),
        false => ffi!(w.api, nfct_build_query(unused, query, data, to, MESSAGE as u32)),
    });
    let name = if expect { "nfexp_build_query" } else { "nfct_build_query" };
    let first_byte_only =
        w.mend && expect && [4, 5].contains(&query) && cfg!(target_endian = "big");
    w.out.call(format!("{name}({query}, family {family})"), || {
        let mut meant =
            Built { ret: result.ret, errno: result.errno, message: result.message.clone() };
        meant.message.get_mut(16).into_iter().for_each(|byte| *byte = family as u8);
        let mended = first_byte_only.then(|| ("expect-query-family", meant.show()));
        Outcome { result: result.show(), mended }
    });
}

/// Sets an attribute of the dump filter.
pub fn set_dump_filter(w: &mut World, rng: &mut Rng) {
    let (api, filter) = (&w.api, w.dump);
    let kind = rng.pick(&[0, 1, 1, 2, 5, 77]); // 3 and 4 came after 1.0.9
    let value = rng.bytes(8);
    w.out.call(format!("nfct_filter_dump_set_attr({kind}, {})", hex(&value)), || match kind {
        1 => errno_of(ffi!(api, nfct_filter_dump_set_attr_u8(filter, kind, value[0] % 11))),
        _ => errno_of(ffi!(api, nfct_filter_dump_set_attr(filter, kind, value.as_ptr().cast()))),
    });
}

/// Builds from the dump filter.
pub fn dump_filter(w: &mut World, rng: &mut Rng) {
    let filter = w.dump;
    if rng.one_in(3) {
        let header = any_header(rng, 1);
        let result = built(w, &header, |w, to| ffi!(w.api, nfct_nlmsg_build_filter(to, filter)));
        w.out.call(format!("nfct_nlmsg_build_filter({})", hex(&header)), || result.show_all());
        return;
    }
    let query = rng.pick(&[DUMP_FILTER, 9, FLUSH_FILTER]);
    let mut ssh = [0_u64; 4];
    let unused: Ptr = ssh.as_mut_ptr().cast();
    let mut of = |query| {
        built(w, &[], |w, to| {
            ffi!(w.api, nfct_build_query(unused, query, filter, to, MESSAGE as u32))
        })
    };
    let result = of(query);
    let mut meant = of(DUMP_FILTER);
    let mended = (w.mend && query == FLUSH_FILTER).then(|| {
        // 1.0.9 leaves the filter out. As 1.1.1: the attributes of a dump, a DELETE of version 1.
        let (kind, flags) = (0x0102_u16.to_ne_bytes(), 5_u16.to_ne_bytes());
        meant.message[4..8].copy_from_slice([kind, flags].as_flattened());
        meant.message[17] = 1;
        ("flush-filter", meant.show())
    });
    w.out.call(format!("nfct_build_query({query}, filter)"), || Outcome {
        result: result.show(),
        mended,
    });
}
