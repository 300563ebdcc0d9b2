//! What is parsed can be printed, built, copied, compared and cloned, and stays what it is.

use super::input::Input;
use super::objects::{Ct, Exp};
use ctrs::capi::conntrack::attr::{nfct_attr_is_set, nfct_get_attr, nfct_get_attr_u64};
use ctrs::capi::conntrack::entry::{nfct_cmp, nfct_compare, nfct_copy, nfct_copy_attr};
use ctrs::capi::conntrack::expect::{nfexp_clone, nfexp_cmp};
use ctrs::capi::conntrack::nlmsg::{nfct_payload_parse, nfexp_nlmsg_parse};
use ctrs::conntrack::object::attr::Attr;

const STRICT: u32 = 64;
const OVERRIDE: u32 = 8;
const STYLES: [[u32; 3]; 2] = [[1, 0, 5], [4, 1, 5]];

/// Input: the flags to compare with, the flags to copy with, a byte of style, the address family
/// and the attributes of a message.
pub fn roundtrip(data: &[u8]) {
    let mut input = Input(data);
    let (compare, copy, style) = (input.u8().into(), input.u8().into(), input.u8());
    let family = input.u8();
    let attributes = input.0;
    let style = [u32::from(style & 7), u32::from(style >> 3 & 3), u32::from(style >> 5) << 1 | 1];
    let ct = parsed(attributes, family);
    conntrack(&ct, family, compare, copy, style, attributes.len());
    expectation(attributes, family, compare, style);
}

fn parsed(attributes: &[u8], family: u8) -> Ct {
    let ct = Ct::new();
    // SAFETY: the attributes have the length, the object is live.
    unsafe {
        nfct_payload_parse(attributes.as_ptr().cast(), attributes.len(), family.into(), ct.0)
    };
    ct
}

fn conntrack(ct: &Ct, family: u8, compare: u32, copy: u32, style: [u32; 3], length: usize) {
    // As much as the documentation asks for.
    let room = 600 + 2 * length;
    let texts = texts(ct, style);
    let built = ct.built(room);

    let clone = ct.copy();
    assert_eq!(self::texts(&clone, style), texts);
    assert_eq!(clone.built(room), built);
    same_values(ct, &clone);
    equal(ct, &clone, compare);

    let over = parsed(&built.clone().unwrap_or_default(), family);
    // SAFETY: the objects are live.
    unsafe {
        nfct_copy(over.0, ct.0, OVERRIDE);
        nfct_copy(over.0, over.0, copy);
    }
    same_values(ct, &over);
    equal(ct, &over, compare);
    assert_eq!(over.built(room), built);

    copies(ct, copy, room);
    if let Some(built) = built {
        rebuilt(&built, family, room);
    }
}

fn texts(ct: &Ct, style: [u32; 3]) -> Vec<Option<Vec<u8>>> {
    STYLES.iter().chain([&style]).map(|style| ct.text(*style)).collect()
}

/// Every attribute is in both or in neither, with the same leading bytes.
fn same_values(a: &Ct, b: &Ct) {
    for attr in Attr::all().map(|attr| attr as u32) {
        // SAFETY: the objects are live.
        unsafe {
            assert_eq!(nfct_attr_is_set(a.0, attr), nfct_attr_is_set(b.0, attr), "{attr}");
            assert_eq!(nfct_get_attr_u64(a.0, attr), nfct_get_attr_u64(b.0, attr), "{attr}");
            assert_eq!(nfct_get_attr(a.0, attr).is_null(), nfct_get_attr(b.0, attr).is_null());
        }
    }
}

fn equal(a: &Ct, b: &Ct, flags: u32) {
    // SAFETY: the objects are live.
    unsafe {
        for flags in [0, STRICT, flags] {
            assert_eq!(nfct_cmp(a.0, a.0, flags), 1, "itself, {flags}");
            assert_eq!(nfct_cmp(a.0, b.0, flags), 1, "{flags}");
            assert_eq!(nfct_cmp(b.0, a.0, flags), 1, "{flags}");
        }
        assert_eq!(nfct_compare(a.0, b.0), 1);
    }
}

/// Partial copies into an empty object: what arrived can be used.
fn copies(ct: &Ct, flags: u32, room: usize) {
    let (part, all, single) = (Ct::new(), Ct::new(), Ct::new());
    // SAFETY: the objects are live.
    unsafe {
        nfct_copy(part.0, ct.0, flags);
        nfct_copy(all.0, ct.0, 0);
        for attr in Attr::all().map(|attr| attr as u32) {
            nfct_copy_attr(single.0, ct.0, attr);
            let set = nfct_attr_is_set(ct.0, attr);
            assert_eq!(nfct_attr_is_set(single.0, attr), set, "{attr}");
            assert_eq!(nfct_attr_is_set(all.0, attr), set, "{attr}");
            assert!(nfct_attr_is_set(part.0, attr) <= set, "{attr}");
        }
    }
    for copy in [part, all, single] {
        copy.text([1, 0, 1]);
        copy.built(room);
    }
}

/// What was built is parsed and built as it was.
fn rebuilt(built: &[u8], family: u8, room: usize) {
    let again = parsed(built, family).built(room);
    assert_eq!(again.as_deref(), Some(built));
}

fn expectation(attributes: &[u8], family: u8, compare: u32, style: [u32; 3]) {
    let mut message = (20 + attributes.len() as u32).to_ne_bytes().to_vec();
    message.extend([0; 12]);
    message.extend([family, 0, 0, 0]);
    message.extend_from_slice(attributes);
    let exp = Exp::new();
    // SAFETY: the message has the length it says, the object is live.
    let clone = unsafe {
        nfexp_nlmsg_parse(message.as_ptr().cast(), exp.0);
        Exp(nfexp_clone(exp.0))
    };
    assert_eq!(exp.text(style), clone.text(style));
    let built = exp.built(1024);
    assert_eq!(clone.built(1024), built);
    for flags in [0, STRICT, compare] {
        // SAFETY: the objects are live.
        let result = unsafe { nfexp_cmp(exp.0, clone.0, flags) };
        assert_eq!(result, 1, "{flags}");
    }
}
