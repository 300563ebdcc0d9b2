//! Any bytes as JSON, and any message as an object whose JSON is right.

use super::input::Input;
use super::objects::{Ct, Exp};
use ctrs::capi::conntrack::nlmsg::nfct_payload_parse;
use ctrs::capi::ctrs::json::{
    ctrs_expect_parse_json, ctrs_expect_snprintf_json, ctrs_parse_json, ctrs_snprintf_json,
};
use ctrs::text::json::Reader;
use ctrs::{ErrorKind, Flow};
use std::ptr::{null, null_mut};

/// Input: what it is and how to write, then a text, or a family and the attributes of a message.
pub fn json(data: &[u8]) {
    let mut input = Input(data);
    let how = input.u8();
    let strings = u32::from(how >> 1 & 1);
    if how & 1 == 0 {
        text(input.0, strings);
    } else {
        let family = input.u8();
        message(input.0, family, strings);
    }
}

fn parse(ct: &Ct, text: &[u8]) -> bool {
    let (start, length) = (text.as_ptr().cast(), text.len());
    // SAFETY: the text has the length, the object is live.
    unsafe { ctrs_parse_json(ct.0, start, length, null(), null_mut()) == 0 }
}

fn written(ct: &Ct, strings: u32) -> Vec<u8> {
    let print = |buffer: &mut [u8]| {
        // SAFETY: the buffer has the size, the object is live.
        unsafe {
            ctrs_snprintf_json(buffer.as_mut_ptr().cast(), buffer.len(), ct.0, 2, strings, null())
        }
    };
    let length = usize::try_from(print(&mut [])).unwrap();
    let mut buffer = vec![0xee; length + 2];
    assert_eq!(print(&mut buffer[..length + 1]) as usize, length);
    assert_eq!(buffer[length..], [0, 0xee]);
    buffer.truncate(length);
    valid(&buffer);
    buffer
}

fn valid(text: &[u8]) {
    std::str::from_utf8(text).unwrap();
    let mut reader = Reader::new(text);
    reader.skip().unwrap();
    reader.end().unwrap();
}

/// An expectation that can be read is written, and reads back as the same.
fn expectation(text: &[u8]) {
    let exp = Exp::new();
    let parse = |text: &[u8]| {
        let (start, length) = (text.as_ptr().cast(), text.len());
        // SAFETY: the text has the length, the object is live.
        unsafe { ctrs_expect_parse_json(exp.0, start, length, null_mut()) == 0 }
    };
    let written = || {
        let mut buffer = vec![0; 8192];
        let (start, size) = (buffer.as_mut_ptr().cast(), buffer.len());
        // SAFETY: the buffer has the size, the object is live.
        let length = unsafe { ctrs_expect_snprintf_json(start, size, exp.0, 1, 0) };
        buffer.truncate(usize::try_from(length).unwrap());
        valid(&buffer);
        buffer
    };
    if parse(text) {
        let once = written();
        assert!(parse(&once));
        assert_eq!(written(), once);
    }
}

fn text(text: &[u8], strings: u32) {
    expectation(text);
    let ct = Ct::new();
    let flow = match Flow::from_json(text) {
        Ok(flow) => flow,
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::Syntax);
            assert!(error.offset().unwrap() <= text.len());
            return assert!(!parse(&ct, text));
        }
    };
    valid(text);
    let again = flow.json().to_string();
    assert_eq!(Flow::from_json(&again).unwrap().json().to_string(), again);
    // What is made ready to be created stays so.
    assert!(parse(&ct, text));
    let once = written(&ct, strings);
    assert!(parse(&ct, &once));
    assert_eq!(written(&ct, strings), once);
}

fn message(attributes: &[u8], family: u8, strings: u32) {
    let ct = Ct::new();
    // SAFETY: the attributes have the length, the object is live.
    unsafe {
        nfct_payload_parse(attributes.as_ptr().cast(), attributes.len(), family.into(), ct.0)
    };
    let told = written(&ct, strings);
    if let Ok(flow) = Flow::from_json(&told) {
        let flow = flow.json().wide_numbers_as_strings().to_string();
        assert!(Flow::from_json(flow).is_ok());
    }
}
