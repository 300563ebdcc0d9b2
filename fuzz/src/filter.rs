//! Event filters become programs that the kernel takes; dump filters become requests.
#![allow(deprecated, reason = "programs use all of the functions")]

use super::bpf;
use super::input::Input;
use super::kernel;
use super::objects::{Ct, built};
use ctrs::capi::conntrack::dump_filter::{
    nfct_filter_dump_create, nfct_filter_dump_destroy, nfct_filter_dump_set_attr,
    nfct_filter_dump_set_attr_u8, nfct_filter_dump_set_attr_u16,
};
use ctrs::capi::conntrack::event_filter::{
    nfct_filter_add_attr, nfct_filter_add_attr_u32, nfct_filter_attach, nfct_filter_create,
    nfct_filter_destroy, nfct_filter_set_logic,
};
use ctrs::capi::conntrack::nlmsg::{nfct_build_query, nfct_nlmsg_build_filter, nfct_payload_parse};
use ctrs::capi::conntrack::types::{nfct_filter, nfct_filter_dump};
use libc::sock_filter;

/// Instructions of a program that the kernel takes.
const LONGEST: usize = 4096;
/// Bytes of the value of each `NFCT_FILTER_*`, and of one that does not exist.
const WIDTHS: [usize; 9] = [4, 4, 8, 8, 32, 32, 8, 2, 0];

/// Input: how many operations make the event filter and how many the dump filter, the operations,
/// and a datagram.
pub fn filter(data: &[u8]) {
    let mut input = Input(data);
    let (events, dumps) = (input.u16() % 1500, input.u8() % 16);
    let taken = event_filter(events, &mut input);
    let datagram = input.0;
    dump_filter(dumps, &mut input);
    let program = kernel::attached();
    if !taken {
        return assert!(program.is_empty(), "half a filter is attached");
    }
    check(&program);
    let verdict = bpf::accepts(&program, datagram);
    if datagram.get(5).is_some_and(|subsystem| *subsystem != 1) {
        assert!(verdict, "what is not of conntrack passes");
    }
}

/// Whether it is attached: a program may be too long for the kernel.
fn event_filter(operations: u16, input: &mut Input<'_>) -> bool {
    // SAFETY: the filter is new, used by the operations, and destroyed once.
    unsafe {
        let filter = nfct_filter_create();
        for _ in 0..operations {
            if input.is_empty() {
                break;
            }
            add(filter, input);
        }
        let attached = nfct_filter_attach(-1, filter) == 0;
        assert!(attached || *libc::__errno_location() == libc::E2BIG);
        nfct_filter_destroy(filter);
        attached
    }
}

/// One operation; several values in a row with one byte of input, as limits are far away.
///
/// # Safety
/// `filter` is live.
unsafe fn add(filter: *mut nfct_filter, input: &mut Input<'_>) {
    let operation = input.u8();
    let attr = u32::from(operation & 15);
    // SAFETY: the filter is live, a value has the width of its criterion.
    unsafe {
        match operation >> 4 {
            0..=1 => {
                nfct_filter_set_logic(filter, attr, (operation >> 4).into());
            }
            2 => {
                nfct_filter_set_logic(filter, attr, input.u32());
            }
            3..=5 => nfct_filter_add_attr_u32(filter, attr, input.u32()),
            repeat => {
                let width = WIDTHS[(attr as usize).min(8)];
                let mut value = input.filled(width);
                for number in 0..1u32 << (repeat - 6) {
                    nfct_filter_add_attr(filter, attr, value.as_ptr().cast());
                    for (byte, add) in value.iter_mut().zip(number.to_le_bytes()) {
                        *byte = byte.wrapping_add(add);
                    }
                }
            }
        }
    }
}

/// What the kernel demands of a program: its length, its jumps, its end.
fn check(program: &[sock_filter]) {
    assert!((1..=LONGEST).contains(&program.len()), "{} instructions", program.len());
    for (at, instruction) in program.iter().enumerate() {
        let reach = match instruction.code {
            0x05 => instruction.k as usize,
            0x15 => usize::from(instruction.jt.max(instruction.jf)),
            _ => 0,
        };
        let is_end = instruction.code == 0x06;
        assert!(is_end || at + 1 + reach < program.len(), "{at} jumps out");
    }
}

fn dump_filter(operations: u8, input: &mut Input<'_>) {
    // SAFETY: the filter is new, used by the operations, and destroyed once.
    unsafe {
        let filter = nfct_filter_dump_create();
        for _ in 0..operations {
            set(filter, input);
        }
        built(600, |message| nfct_nlmsg_build_filter(message.cast(), filter));
        for (query, size) in [(8, 16), (8, 64), (9, 600), (10, usize::from(input.u8()))] {
            let mut buffer = vec![0xa5u8; size];
            let data = filter.cast::<libc::c_void>();
            let result = nfct_build_query(
                std::ptr::null_mut(),
                query,
                data,
                buffer.as_mut_ptr().cast(),
                size as u32,
            );
            assert!(
                result == 1 || buffer.iter().all(|byte| *byte == 0),
                "{query} {size} {result} {buffer:x?}"
            );
        }
        nfct_filter_dump_destroy(filter);
    }
}

/// # Safety
/// `filter` is live.
unsafe fn set(filter: *mut nfct_filter_dump, input: &mut Input<'_>) {
    let operation = input.u8();
    let attr = u32::from(operation & 7);
    // SAFETY: the filter is live, a value has the width of its criterion, which copies an object.
    unsafe {
        match (operation >> 3 & 3, attr) {
            (0, _) => nfct_filter_dump_set_attr_u8(filter, attr, input.u8()),
            (1, _) => nfct_filter_dump_set_attr_u16(filter, attr, input.u16()),
            (_, 4) => {
                let (ct, length) = (Ct::new(), input.u8());
                let tuple = input.bytes(length.into());
                let family = u16::from(2 + (operation >> 7) * 8);
                nfct_payload_parse(tuple.as_ptr().cast(), tuple.len(), family, ct.0);
                nfct_filter_dump_set_attr(filter, attr, ct.0.cast());
            }
            _ => {
                let width = [8, 1, 8, 2, 0, 0, 0, 0][attr as usize];
                let value = input.filled(width);
                nfct_filter_dump_set_attr(filter, attr, value.as_ptr().cast());
            }
        }
    }
}
