//! Expressions: any text is read or refused at a place in it; what is read prints as an equal one; and
//! the kernel's program lets every event pass of which it is true.

use super::bpf;
use super::input::Input;
use super::objects::{Ct, text as printed};
use ctrs::Expression;
use ctrs::capi::conntrack::nlmsg::nfct_nlmsg_parse;
use ctrs::capi::ctrs::filter::{
    ctrs_filter, ctrs_filter_compile, ctrs_filter_explain, ctrs_filter_free, ctrs_filter_match,
    ctrs_filter_print,
};
use ctrs::conntrack::expression::Decides;
use std::ffi::CString;

/// Terms of every field, true of some events and false of others; and those that a program cannot
/// decide.
const TERMS: [&str; 42] = [
    "all",
    "ipv4",
    "ipv6",
    "family {ipv4, ipv6}",
    "tcp",
    "udp",
    "gre",
    "icmp",
    "icmpv6",
    "proto {6, 99}",
    "proto != 17",
    "src 10.0.0.1",
    "dst 10.0.0.0/30",
    "host {10.0.0.2, fc00::1, ::/0}",
    "reply src fc00::2",
    "any host 10.0.0.3",
    "reply dst != 0.0.0.0/0",
    "sport 1",
    "dport {1, 2-3, 65535}",
    "port < 2",
    "reply port >= 3",
    "any port != 1",
    "icmp type 1",
    "icmp code {0, 2}",
    "icmp id > 2",
    "gre key 1",
    "any gre key 2-3",
    "mark 1",
    "mark {1/1, 2-3, 0/2, 3}",
    "mark < 2",
    "zone 0",
    "orig zone 1",
    "reply zone != 2",
    "tcp state syn_sent",
    "sctp state != closed",
    "assured",
    "natted",
    "timeout 1-2",
    "id {1, 4294967295}",
    "label 3",
    "helper \"ftp\"",
    "not bytes > 1",
];
/// The first one that a program cannot decide.
const UNDECIDED: usize = 39;

/// Input: a byte of what follows: a text; or steps that make an expression, and an event.
pub fn expression(data: &[u8]) {
    let mut input = Input(data);
    if input.u8() % 2 == 0 {
        let _ = read(input.0);
        return;
    }
    let (text, decided) = made(&mut input);
    let Some(expression) = read(text.as_bytes()) else { panic!("{text} is refused") };
    event(&expression, &text, decided, &mut input);
}

/// Reads a text in both ways.
fn read(text: &[u8]) -> Option<Expression> {
    let text = text.split(|byte| *byte == 0).next()?;
    let expression = std::str::from_utf8(text).ok().and_then(|text| match text.parse() {
        Ok(expression) => Some(expression),
        Err(error) => {
            let error: ctrs::Error = error;
            assert!(error.offset().is_some_and(|at| at <= text.len()), "{text}: {error}");
            None
        }
    });
    let c = CString::new(text).ok()?;
    // SAFETY: the text is a C string; without a map and an error to tell.
    let filter = unsafe { ctrs_filter_compile(c.as_ptr(), std::ptr::null(), std::ptr::null_mut()) };
    assert_eq!(filter.is_null(), expression.is_none());
    if let Some(expression) = &expression {
        same(filter, expression);
    }
    // SAFETY: the filter is live or NULL, and not used again.
    unsafe { ctrs_filter_free(filter) };
    expression
}

fn same(filter: *const ctrs_filter, expression: &Expression) {
    // SAFETY: the filter is live, the buffer has the size.
    let told = printed(|buffer, size| unsafe { ctrs_filter_print(filter, buffer, size as usize) });
    let told = String::from_utf8(told.unwrap()).unwrap();
    assert_eq!(told, expression.to_string());
    assert_eq!(told.parse::<Expression>().as_ref(), Ok(expression), "{told}");
    // SAFETY: as above.
    printed(|buffer, size| unsafe { ctrs_filter_explain(filter, buffer, size as usize) });
}

/// An expression made of terms as a stack has them, and whether a program can decide all of it.
fn made(input: &mut Input<'_>) -> (String, bool) {
    let (mut stack, mut decided) = (vec!["all".to_owned()], true);
    for _ in 0..input.u8() % 24 {
        let step = usize::from(input.u8());
        let top = stack.pop().unwrap();
        match (step, stack.pop()) {
            (200..220, Some(below)) => stack.push(format!("({below} and {top})")),
            (220..240, Some(below)) => stack.push(format!("({below} or {top})")),
            (240.., below) => {
                stack.extend(below);
                stack.push(format!("not {top}"));
            }
            (_, below) => {
                stack.extend(below);
                stack.push(top);
                stack.push(TERMS[step % TERMS.len()].to_owned());
                decided &= step % TERMS.len() < UNDECIDED;
            }
        }
    }
    let word = if input.u8() % 2 == 0 { " and " } else { " or " };
    (stack.join(word), decided)
}

/// A message in the making.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn put(&mut self, kind: u16, value: &[u8]) {
        self.0.extend((value.len() as u16 + 4).to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    fn nest(&mut self, kind: u16, fill: impl FnOnce(&mut Self)) {
        let mut inner = Self::default();
        fill(&mut inner);
        self.put(kind | 0x8000, &inner.0);
    }
}

fn address(ipv6: bool, host: u8) -> Vec<u8> {
    let mut bytes = if ipv6 { vec![0; 16] } else { vec![10, 0, 0, 0] };
    bytes[0] = if ipv6 { 0xfc } else { 10 };
    *bytes.last_mut().unwrap() = host % 4;
    bytes
}

/// A tuple as the kernel tells it.
fn tuple(
    message: &mut Message,
    direction: u16,
    ipv6: bool,
    protocol: u8,
    input: &mut Input<'_>,
    zone: bool,
) {
    let [src, dst, a, b, c] = std::array::from_fn(|_| input.u8());
    message.nest(direction, |tuple| {
        tuple.nest(1, |ip| {
            ip.put(if ipv6 { 3 } else { 1 }, &address(ipv6, src));
            ip.put(if ipv6 { 4 } else { 2 }, &address(ipv6, dst));
        });
        tuple.nest(2, |layer4| {
            layer4.put(1, &[protocol]);
            match protocol {
                1 | 58 => {
                    let first = if protocol == 1 { 4 } else { 7 };
                    layer4.put(first, &[0, a % 4]);
                    layer4.put(first + 1, &[b % 3]);
                    layer4.put(first + 2, &[c % 3]);
                }
                6 | 17 | 47 | 132 | 136 => {
                    layer4.put(2, &[0, a % 4]);
                    layer4.put(3, &[0, b % 4]);
                }
                _ => {}
            }
        });
        if zone {
            tuple.put(3, &[0, c % 3]);
        }
    });
}

/// Whether the programs do what the expression says of an event.
fn event(expression: &Expression, text: &str, decided: bool, input: &mut Input<'_>) {
    let (kind, flags) =
        [(0x100_u16, 0x600_u16), (0x100, 0), (0x102, 0)][usize::from(input.u8() % 3)];
    let message = message(kind, flags, input);
    let ct = Ct::new();
    // SAFETY: the message is whole, the object live.
    assert_eq!(unsafe { nfct_nlmsg_parse(message.as_ptr().cast(), ct.0) }, 0);
    let change = if kind == 0x102 {
        4
    } else if flags == 0 {
        2
    } else {
        1
    };
    let c = CString::new(text).unwrap();
    // SAFETY: the text is a C string, the filter used as long as it is live.
    let truth = unsafe {
        let filter = ctrs_filter_compile(c.as_ptr(), std::ptr::null(), std::ptr::null_mut());
        let truth = ctrs_filter_match(filter, ct.0, change);
        ctrs_filter_free(filter);
        truth
    };
    assert!((0..=2).contains(&truth));
    let passes = |decides| {
        let program = expression.program(decides).unwrap();
        assert!(program.len() <= 4096);
        bpf::accepts(&program, &message)
    };
    let (all, fixed) = (passes(Decides::All), passes(Decides::Fixed));
    assert!(truth != 1 || all, "{text}: its program drops {message:x?}");
    assert!(!all || fixed, "{text}: the program of what does not change drops {message:x?}");
    assert!(!decided || all == (truth == 1), "{text}: its program accepts {message:x?}");
}

fn message(kind: u16, flags: u16, input: &mut Input<'_>) -> Vec<u8> {
    let choices = input.u16();
    let has = |bit: u16| choices & 1 << bit != 0;
    let protocol = [6, 17, 136, 132, 47, 1, 58, 99][usize::from(input.u8() % 8)];
    let (ipv6, zoned) = (has(0), input.u8() % 4);
    let mut message = Message(Vec::new());
    tuple(&mut message, 1, ipv6, protocol, input, zoned == 1);
    tuple(&mut message, 2, ipv6, protocol, input, zoned == 2);
    if zoned == 3 {
        message.put(18, &[0, input.u8() % 3]);
    }
    message.put(12, &[[0, 0, 0, 1], [0xff; 4]][usize::from(has(1))]);
    message.put(3, &u32::from(input.u16()).to_be_bytes());
    if has(2) {
        message.put(7, &[0, 0, 0, input.u8() % 4]);
    }
    if has(3) {
        message.put(8, &[0, 0, 0, input.u8() % 4]);
    }
    let nest = match protocol {
        6 => 1,
        132 => 3,
        _ => 0,
    };
    if has(4) && nest != 0 {
        let state = input.u8() % 4;
        message.nest(4, |info| info.nest(nest, |of| of.put(1, &[state])));
    }
    let mut bytes = ((20 + message.0.len()) as u32).to_ne_bytes().to_vec();
    bytes.extend(kind.to_ne_bytes());
    bytes.extend(flags.to_ne_bytes());
    bytes.extend([0; 8]);
    bytes.extend([if ipv6 { 10 } else { 2 }, 0, 0, 0]);
    bytes.extend(message.0);
    bytes
}
