//! Records of any bytes and any size make objects, and objects records, that say the same.

use super::input::Input;
use super::objects::{Ct, Exp};
use ctrs::Attribute;
use ctrs::capi::conntrack::attr::{nfct_attr_is_set, nfct_get_attr};
use ctrs::capi::conntrack::nlmsg::nfct_payload_parse;
use ctrs::capi::ctrs::record::{
    ctrs_expectation_from, ctrs_expectation_to, ctrs_flow_from, ctrs_flow_to,
};
use std::ffi::c_int;

const STYLE: [u32; 3] = [0, 0, 0x3f];

/// Input: what it is, then a family and the attributes of a message; or a size and a record.
pub fn record(data: &[u8]) {
    let mut input = Input(data);
    match input.u8() % 3 {
        0 => {
            let size = usize::from(input.u16() % 1200);
            flow(&input.filled(size));
        }
        1 => {
            let size = usize::from(input.u16() % 1200);
            expectation(&input.filled(size));
        }
        _ => {
            let family = input.u8();
            message(input.0, family);
        }
    }
}

/// The record of an object, of this size.
fn record_of(ct: &Ct, size: usize) -> Vec<u8> {
    let mut record = vec![0xee; size];
    // SAFETY: the record has the size, the object is live.
    let result = unsafe { ctrs_flow_from(record.as_mut_ptr().cast(), size, ct.0) };
    assert_eq!(result, 0);
    record
}

/// An object of a record, and what became of it.
fn of_record(record: &[u8]) -> (Ct, c_int) {
    let ct = Ct::new();
    // SAFETY: the record has the size, the object is live.
    let result = unsafe { ctrs_flow_to(ct.0, record.as_ptr().cast(), record.len()) };
    (ct, result)
}

fn flow(bytes: &[u8]) {
    let (ct, result) = of_record(bytes);
    let fits = bytes.len() >= 16 && bytes.len() % 8 == 0;
    assert_eq!(result, if fits { 0 } else { -1 });
    if fits {
        ct.text(STYLE);
        let record = record_of(&ct, bytes.len());
        let (again, _) = of_record(&record);
        assert_eq!(record_of(&again, bytes.len()), record);
        same_values(&ct, &again);
        assert_eq!(again.built(4096), ct.built(4096));
    }
}

/// All that records have is the same in both.
fn same_values(a: &Ct, b: &Ct) {
    let elsewhere = [Attribute::Secctx, Attribute::HelperInfo];
    for attribute in Attribute::all().filter(|attribute| !elsewhere.contains(attribute)) {
        let number = attribute as u32;
        // SAFETY: the objects are live, and a value has its size.
        unsafe {
            let set = nfct_attr_is_set(a.0, number);
            assert_eq!(set, nfct_attr_is_set(b.0, number), "{attribute:?}");
            let size = if attribute == Attribute::HelperName { None } else { attribute.size() };
            if let Some(size) = size.filter(|_| set == 1) {
                let [a, b] = [a, b].map(|ct| {
                    std::slice::from_raw_parts(nfct_get_attr(ct.0, number).cast::<u8>(), size)
                });
                assert_eq!(a, b, "{attribute:?}");
            }
        }
    }
}

fn message(attributes: &[u8], family: u8) {
    let ct = Ct::new();
    // SAFETY: the attributes have the length, the object is live.
    unsafe {
        nfct_payload_parse(attributes.as_ptr().cast(), attributes.len(), family.into(), ct.0)
    };
    let record = record_of(&ct, size_of::<ctrs::FlowRecord>());
    let (again, result) = of_record(&record);
    assert_eq!(result, 0);
    same_values(&ct, &again);
    assert_eq!(record_of(&again, record.len()), record);
}

fn expectation(bytes: &[u8]) {
    let (exp, again) = (Exp::new(), Exp::new());
    let size = bytes.len();
    let (mut record, mut same) = (vec![0xee; size], vec![0xee; size]);
    // SAFETY: the records have the size, the objects are live.
    unsafe {
        let result = ctrs_expectation_to(exp.0, bytes.as_ptr().cast(), size);
        let fits = size >= 8 && size % 8 == 0;
        assert_eq!(result, if fits { 0 } else { -1 });
        if fits {
            assert_eq!(ctrs_expectation_from(record.as_mut_ptr().cast(), size, exp.0), 0);
            assert_eq!(ctrs_expectation_to(again.0, record.as_ptr().cast(), size), 0);
            assert_eq!(ctrs_expectation_from(same.as_mut_ptr().cast(), size, again.0), 0);
            assert_eq!(same, record);
            assert_eq!(exp.text(STYLE), again.text(STYLE));
            assert_eq!(exp.built(1024), again.built(1024));
        }
    }
}
