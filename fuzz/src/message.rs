//! Arbitrary messages and payloads into objects.
#![allow(deprecated, reason = "programs use all of the functions")]

use super::input::Input;
use super::objects::{Ct, Exp};
use ctrs::capi::conntrack::nlmsg::{
    nfct_nlmsg_parse, nfct_parse_conntrack, nfct_payload_parse, nfexp_nlmsg_parse,
    nfexp_parse_expect,
};
use ctrs::capi::conntrack::print::{nfct_snprintf, nfexp_snprintf};

const ALL_TYPES: i32 = 7;

/// Input: a byte of options, and a message, whose length field is set right if it is too large.
pub fn message(data: &[u8]) {
    let mut input = Input(data);
    let options = input.u8();
    let payload = input.0;
    // An object may be at any address, and what is behind the message is not read.
    let shift = usize::from(options & 3);
    let mut memory = vec![0u8; shift];
    memory.extend_from_slice(payload);
    let Some(header) = payload.first_chunk().copied().map(u32::from_ne_bytes) else { return };
    if header as usize > payload.len() {
        memory[shift..shift + 4].copy_from_slice(&(payload.len() as u32).to_ne_bytes());
    }
    let nlh = memory[shift..].as_ptr().cast();
    let family = u16::from(payload.get(16).copied().unwrap_or(0));
    let attributes = payload.get(20..).unwrap_or_default();

    let (once, twice, typed, plain) = (Ct::new(), Ct::new(), Ct::new(), Ct::new());
    let (exp, typed_exp) = (Exp::new(), Exp::new());
    // SAFETY: the message has the length it says, the objects are live.
    unsafe {
        let result = nfct_nlmsg_parse(nlh, once.0);
        assert_eq!(nfct_nlmsg_parse(nlh, twice.0), result);
        assert_eq!(nfct_nlmsg_parse(nlh, twice.0), result);
        nfct_payload_parse(attributes.as_ptr().cast(), attributes.len(), family, plain.0);
        nfct_parse_conntrack(ALL_TYPES, nlh, typed.0);
        nfexp_nlmsg_parse(nlh, exp.0);
        nfexp_parse_expect(ALL_TYPES, nlh, typed_exp.0);
    }
    same_after_second(&once, &twice);
    print(&[once, twice, typed, plain], &[exp, typed_exp], options);
}

/// Parsing a message a second time into an object changes nothing.
fn same_after_second(once: &Ct, twice: &Ct) {
    for style in [[1, 0, 5], [4, 1, 5]] {
        assert_eq!(once.text(style), twice.text(style));
    }
}

fn print(objects: &[Ct], expectations: &[Exp], options: u8) {
    let mut buffer = [0; 512];
    let (size, flags) = (buffer.len() as u32, u32::from(options >> 4));
    let (kind, format) = (u32::from(options >> 1 & 7), u32::from(options & 1));
    // SAFETY: the buffer has the size, the objects are live.
    unsafe {
        for ct in objects {
            nfct_snprintf(buffer.as_mut_ptr(), size, ct.0, kind, format, flags);
        }
        for exp in expectations {
            nfexp_snprintf(buffer.as_mut_ptr(), size, exp.0, kind, format, flags);
        }
    }
}
