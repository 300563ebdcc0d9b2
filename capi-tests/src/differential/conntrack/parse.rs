//! Calls that parse conntrack messages.

use super::api::ffi;
use super::messages::{event_time, helper_info};
use super::schema::body;
use super::world::{World, number};
use crate::differential::record::{Outcome, hex};
use crate::differential::rng::Rng;
use capi_tests::corpus::message_kind;

/// Parses a message inside what the reference defines, into an object that may hold something.
pub fn conntrack(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.cts.len());
    let message = w.messages.conntrack(rng);
    let mask = rng.pick(&[0, 1, 2, 4, 7, 3]);
    let family = u16::from_le_bytes([message[16], message[17]]);
    let attributes = body(&message).to_vec();
    let how = rng.below(4);
    let whole = if how == 1 { attributes.as_slice() } else { message.as_slice() };
    let data = w.guarded.place(whole);
    let (api, ct, mend) = (&w.api, w.cts[at].ptr, w.mend);
    let mut parsed = false;
    w.out.call(format!("parse how {how} (mask {mask}, {}, ct{at})", hex(whole)), || {
        let (value, errno) = match how {
            0 => ffi!(api, nfct_parse_conntrack(mask, data, ct)),
            1 => ffi!(api, nfct_payload_parse(data, attributes.len(), family, ct)),
            _ => ffi!(api, nfct_nlmsg_parse(data, ct)),
        };
        parsed = how != 0 || value > 0;
        Outcome {
            result: number((value, errno)),
            mended: mend.then(|| ("errno-after-success", number((value, 0)))),
        }
    });
    if parsed {
        remember(w, at, &attributes);
    }
}

/// Keeps track of what only a parser can bring.
fn remember(w: &mut World, at: usize, attributes: &[u8]) {
    if let Some(info) = helper_info(attributes) {
        w.cts[at].info = Some(info);
    }
    if let Some(time) = event_time(attributes) {
        w.cts[at].event = time;
        w.cts[at].has_event = true;
    }
}

/// Parses what a kernel would never send. Only for ctrs: the reference may end the process.
pub fn wild(w: &mut World, rng: &mut Rng) {
    let at = rng.index(w.cts.len());
    let message = w.messages.wild(rng);
    let data = w.guarded.place(&message);
    let (api, ct, exp) = (&w.api, w.cts[at].ptr, w.exps[0]);
    // What is held now is hard to tell; nothing must be read of it.
    w.cts[at].info = Some(Vec::new());
    w.out.call(format!("parse wild ({}, ct{at})", hex(&message)), || {
        let how = message_kind(&message)[0] == 2;
        number(if how {
            ffi!(api, nfexp_nlmsg_parse(data, exp))
        } else {
            ffi!(api, nfct_nlmsg_parse(data, ct))
        })
    });
}
