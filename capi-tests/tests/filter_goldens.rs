//! Event filters accept and drop what they should: every golden verdict, filters at their limits
//! and random ones, with the programs run by an interpreter.

mod filter;

use capi_tests::bpf;
use capi_tests::corpus::message_kind;
use ctrs::netlink::bpf::Instruction;
use serde_json::{Value, json};

fn program(ops: &[Value]) -> Vec<Instruction> {
    filter::build(ops).program().unwrap()
}

#[test]
fn goldens() {
    let (messages, cases) = filter::goldens();
    let mut checked = 0;
    for (case, _) in cases {
        let program = program(&case.ops);
        for (message, verdict) in messages.iter().zip(&case.verdicts) {
            let Some(verdict) = *verdict else { continue };
            let got = bpf::accepts(&program, &message.bytes);
            assert_eq!(got, verdict, "filter {:?}, message {:?}", case.desc, message.desc);
            checked += 1;
        }
    }
    assert_eq!(checked, 17274);
}

#[test]
fn the_model_agrees_with_the_goldens() {
    let (messages, cases) = filter::goldens();
    for (case, _) in cases {
        for (message, verdict) in messages.iter().zip(&case.verdicts) {
            let Some(verdict) = *verdict else { continue };
            let got = filter::intended(&case.ops, &message.bytes);
            assert_eq!(got, verdict, "filter {:?}, message {:?}", case.desc, message.desc);
        }
    }
}

#[test]
fn mended_filters_agree_with_the_model() {
    let (messages, cases) = filter::goldens();
    let (mut checked, mut accepted) = (0, 0);
    for (case, _) in cases {
        let program = program(&case.ops);
        for (message, verdict) in messages.iter().zip(&case.verdicts) {
            if verdict.is_none() && !message.malformed {
                let expected = filter::intended(&case.ops, &message.bytes);
                let got = bpf::accepts(&program, &message.bytes);
                assert_eq!(got, expected, "filter {:?}, message {:?}", case.desc, message.desc);
                (checked, accepted) = (checked + 1, accepted + usize::from(expected));
            }
        }
    }
    assert!(accepted > 100 && checked - accepted > 100, "{accepted} of {checked}");
}

#[test]
fn programs_are_no_longer_than_those_of_the_reference() {
    for (case, reference) in filter::goldens().1 {
        // It ignores the last entries of long lists, and does not look for zones in the tuples.
        let looks_for_less =
            filter::is_over_limits(&case.ops) || case.ops.iter().any(|op| op[1] == "ZONE");
        if !looks_for_less {
            assert!(program(&case.ops).len() <= reference, "filter {:?}", case.desc);
        }
    }
}

#[test]
fn full_filters_work_and_fit() {
    let messages = filter::goldens().0;
    for (at, whole) in [(0, false), (60, true), (126, false), (126, true)] {
        let (mut accepted, mut longest) = (0, 0);
        for case in filter::maximal(at, whole) {
            let program = program(&case.ops);
            longest = longest.max(program.len());
            for message in messages.iter().filter(|message| !message.malformed) {
                let verdict = filter::intended(&case.ops, &message.bytes);
                assert_eq!(
                    bpf::accepts(&program, &message.bytes),
                    verdict,
                    "{}: {}",
                    case.desc,
                    message.desc
                );
                accepted += usize::from(verdict && message_kind(&message.bytes)[0] == 1);
            }
        }
        println!(
            "entry {at}, whole addresses {whole}: {longest} instructions, {accepted} accepted"
        );
        assert!(longest < libc::BPF_MAXINSNS as usize);
        assert!(accepted > 40, "the filters must differ in what they accept");
    }
}

#[test]
fn random_filters_agree_with_the_model() {
    let messages = filter::goldens().0;
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    for _ in 0..6000 {
        let ops: Vec<_> = (0..random.below(12)).map(|_| random.op()).collect();
        let program = program(&ops);
        for message in messages.iter().filter(|message| !message.malformed) {
            let verdict = filter::intended(&ops, &message.bytes);
            assert_eq!(
                bpf::accepts(&program, &message.bytes),
                verdict,
                "{ops:?}: {}",
                message.desc
            );
        }
    }
}

/// A xorshift generator of filter operations.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn one_of<const N: usize>(&mut self, choices: [u32; N]) -> u32 {
        choices[self.below(N as u64) as usize]
    }

    fn mask(&mut self) -> u32 {
        self.one_of([0, 1, 3, 0xff00_0000, 0xffff_ff00, 0xff00_ff00, u32::MAX, u32::MAX])
    }

    fn op(&mut self) -> Value {
        let attr = self.below(8) as usize;
        if self.below(4) == 0 {
            return json!(["logic", filter::NAMES[attr], 1]);
        }
        let value = match attr {
            0 => json!(self.one_of([0, 1, 6, 17, 33, 47, 58, 132, 255, 262, 263])),
            1 => json!([self.one_of([6, 17, 33, 132]), self.below(17)]),
            2 | 3 => json!([
                self.one_of([0, 0x0a00_0001, 0x0a00_0002, 0x7f00_0001, 0x0500_0100]),
                self.mask()
            ]),
            4 | 5 => {
                let last = self.one_of([0, 1, 2]);
                let masks = [(); 4].map(|()| self.one_of([0, 0, 0xffff_fffe, u32::MAX]));
                json!([[self.one_of([0, 0x2001_0db8]), 0, 0, last], masks])
            }
            6 => json!([self.one_of([0, 1, 2, 3, 0xff00, 0xdead_beef]), self.mask()]),
            _ => json!(self.one_of([0, 1, 5, 65535])),
        };
        json!(["add", filter::NAMES[attr], value])
    }
}
