//! Brings an object of the reference to the state that ctrs gives it, where that differs on
//! purpose, so that everything after can be compared strictly. Does nothing for other libraries.

use super::api::{Api, Ptr, ffi};
use super::attrs::{
    CONNLABELS_MASK, HELPER_NAME, ICMP, ICMP_ID, NAT_PORTS, ORIG_L4PROTO, REPL_PORTS,
};
use super::schema::{HEADER, attribute, attributes, body, last};
use super::world::World;

/// The reference forgets the length of helper data that the caller set; a parser records it.
pub fn helper_info(w: &mut World, at: usize) {
    let (api, ct) = (&w.api, &w.cts[at]);
    let Some(info) = ct.info.as_ref().filter(|_| w.mend) else { return };
    let (name, _) = ffi!(api, nfct_get_attr(ct.ptr, HELPER_NAME));
    // SAFETY: the name is a C string inside the object.
    let name =
        (!name.is_null()).then(|| unsafe { std::ffi::CStr::from_ptr(name.cast()) }.to_owned());
    let payload = help_attribute(info);
    let pointer = payload.as_ptr().cast();
    let (parsed, _) = ffi!(api, nfct_payload_parse(pointer, payload.len(), 0, ct.ptr));
    assert_eq!(parsed, 0, "the helper's data was not taken");
    match name {
        Some(name) => ffi!(api, nfct_set_attr(ct.ptr, HELPER_NAME, name.as_ptr().cast())).0,
        None => assert_eq!(ffi!(api, nfct_attr_unset(ct.ptr, HELPER_NAME)).0, 0),
    }
    w.out.met("helper-info-length");
}

fn help_attribute(info: &[u8]) -> Vec<u8> {
    let padded = info.len().next_multiple_of(4);
    let header = |len: usize, kind: u16| [(len as u16).to_ne_bytes(), kind.to_ne_bytes()].concat();
    let mut bytes = [header(12 + 4 + padded, 0x8005), header(6, 1), b"x\0\0\0".to_vec()].concat();
    bytes.extend(header(4 + info.len(), 2));
    bytes.extend(info);
    bytes.resize(4 + 8 + 4 + padded, 0);
    bytes
}

/// The reference leaves parts behind when it copies these attributes one by one.
pub fn after_copy(w: &mut World, to: usize, from: usize, taken: &dyn Fn(u32) -> bool) {
    if !w.mend {
        return;
    }
    let (dest, src) = (w.cts[to].ptr, w.cts[from].ptr);
    let present =
        |api: &Api, attr: u32| taken(attr) && ffi!(api, nfct_attr_is_set(src, attr)).0 == 1;
    for attr in NAT_PORTS {
        if present(&w.api, attr) && highest_port_differs(&w.api, dest, attr) {
            w.out.met("copy-parts");
        }
    }
    // The ICMP attributes of other protocols are those of a derived tuple, and where a reply port
    // is present on either side, the bytes are that port's.
    let protocol = ffi!(w.api, nfct_get_attr_u8(src, ORIG_L4PROTO)).0;
    let icmp = ICMP.map(|attr| {
        let port = REPL_PORTS[usize::from(attr != ICMP_ID)];
        let is_port = |ct| ffi!(w.api, nfct_attr_is_set(ct, port)).0 == 1;
        present(&w.api, attr) && matches!(protocol, 1 | 58) && !is_port(src) && !is_port(dest)
    });
    if icmp != [false; 3] && copy_reply_icmp(&w.api, dest, src, icmp) {
        w.out.met("copy-parts");
    }
}

/// Adds what the reference leaves out of a message that it built from an object: the NAT ports of
/// other protocols than TCP and UDP, and a mask of another size than the labels.
pub fn message(w: &mut World, ct: Ptr, message: &mut Vec<u8>) {
    if !w.mend || message.len() < HEADER {
        return;
    }
    let (mut mended, mut rest) = (message[..HEADER].to_vec(), &message[HEADER..]);
    while let Some((kind, payload)) = attributes(rest).next() {
        let (whole, after) = rest.split_at((4 + payload.len()).next_multiple_of(4).min(rest.len()));
        rest = after;
        let (id, mend) = match kind {
            6 | 13 => ("nat-ports", nat(&w.api, ct, kind, payload, message)),
            22 => ("label-masks", labels(&w.api, ct, payload)),
            _ => ("", None),
        };
        if mend.is_some() {
            w.out.met(id);
        }
        mended.extend(mend.as_deref().unwrap_or(whole));
    }
    let len = mended.len() as u32;
    mended[..4].copy_from_slice(&len.to_ne_bytes());
    *message = mended;
}

/// `CTA_NAT_SRC` or `CTA_NAT_DST`, if its nest of ports is empty and should not be.
fn nat(api: &Api, ct: Ptr, kind: u16, payload: &[u8], message: &[u8]) -> Option<Vec<u8>> {
    let protocol = last(last(last(body(message), 1)?, 2)?, 1)?;
    let address = payload.strip_suffix(&*attribute(0x8003, &[]))?;
    if !matches!(protocol, [33 | 47 | 132 | 136]) {
        return None;
    }
    let (ports, _) = ffi!(api, nfct_get_attr_u32(ct, NAT_PORTS[usize::from(kind == 13)]));
    let bytes = ports.to_ne_bytes();
    let ports = [attribute(1, &bytes[..2]), attribute(2, &bytes[2..])].concat();
    Some(attribute(kind | 0x8000, &[address, &attribute(0x8003, &ports)].concat()))
}

/// `CTA_LABELS` and `CTA_LABELS_MASK`, if the mask has another size.
fn labels(api: &Api, ct: Ptr, payload: &[u8]) -> Option<Vec<u8>> {
    let (mask, _) = ffi!(api, nfct_get_attr(ct, CONNLABELS_MASK));
    if mask.is_null() {
        return None;
    }
    let bits = ffi!(api, nfct_bitmask_maxbit(mask)).0 + 1;
    let bit = |at: u32| u8::from(ffi!(api, nfct_bitmask_test_bit(mask, at)).0 != 0);
    let byte = |at: u32| (0..8).fold(0, |byte, n| byte | bit(8 * at + n) << n);
    let mut mask: Vec<u8> = (0..bits / 8).map(byte).collect();
    let (mut labels, size) = (payload.to_vec(), payload.len().max(mask.len()));
    if labels.len() == mask.len() {
        return None;
    }
    labels.resize(size, 0);
    mask.resize(size, 0);
    labels.iter_mut().zip(&mask).for_each(|(label, mask)| *label &= mask);
    Some([attribute(22, &labels), attribute(23, &mask)].concat())
}

/// Makes the highest port the lowest one, as after a set; says whether it was another.
fn highest_port_differs(api: &Api, ct: Ptr, attr: u32) -> bool {
    let (ports, _) = ffi!(api, nfct_get_attr_u32(ct, attr));
    let [a, b, c, d] = ports.to_ne_bytes();
    let [lowest, highest] = [[a, b], [c, d]].map(u16::from_ne_bytes);
    ffi!(api, nfct_set_attr_u16(ct, attr, lowest));
    lowest != highest
}

/// Copies the ICMP fields of the reply direction; says whether they changed.
fn copy_reply_icmp(api: &Api, dest: Ptr, src: Ptr, [kind, code, id]: [bool; 3]) -> bool {
    let (new, old) = (reply_l4(api, src), reply_l4(api, dest));
    let [mut id_now, kind_code] = old;
    let mut bytes = kind_code.to_ne_bytes();
    if kind {
        bytes[0] = new[1].to_ne_bytes()[0];
    }
    if code {
        bytes[1] = new[1].to_ne_bytes()[1];
    }
    if id {
        id_now = new[0];
    }
    let now = [id_now, u16::from_ne_bytes(bytes)];
    for (attr, value) in REPL_PORTS.into_iter().zip(now) {
        let (was_set, _) = ffi!(api, nfct_attr_is_set(dest, attr));
        ffi!(api, nfct_set_attr_u16(dest, attr, value));
        if was_set == 0 {
            ffi!(api, nfct_attr_unset(dest, attr));
        }
    }
    now != old
}

/// The bytes of the reply direction's layer 4, present or not: making a clone's original direction
/// from its reply marks all of them present and leaves the reply alone.
fn reply_l4(api: &Api, ct: Ptr) -> [u16; 2] {
    const SETUP_ORIGINAL: u32 = 4;
    let (clone, _) = ffi!(api, nfct_clone(ct));
    ffi!(api, nfct_setobjopt(clone, SETUP_ORIGINAL));
    let ports = REPL_PORTS.map(|attr| ffi!(api, nfct_get_attr_u16(clone, attr)).0);
    ffi!(api, nfct_destroy(clone));
    ports
}
