//! Statistics: messages with numbers alone.
#![forbid(unsafe_code)]

use crate::conntrack::error::Error;
use crate::conntrack::stats::Counts;
use crate::netlink::message::{Attributes, Message};
use crate::netlink::number::{be32, be64};
use crate::uapi::cta;

/// The kinds of messages that statistics come in, those about expectations with the subsystem of
/// flows too.
const KINDS: [u8; 3] = [cta::MSG_GET_STATS, cta::MSG_GET_STATS_CPU, cta::MSG_EXP_GET_STATS_CPU];

/// The numbers in a message, and the CPU that it is about.
///
/// # Errors
/// [`Error::ForeignMessage`].
pub fn decode(message: &Message<'_>) -> Result<(u16, Counts), Error> {
    if message.subsystem() != cta::SUBSYS_CT || !KINDS.contains(&message.number()) {
        return Err(Error::ForeignMessage);
    }
    let mut counts = Counts::default();
    for attribute in Attributes::new(message.attributes()) {
        let value = be32(attribute.value).map(u64::from).or_else(|| be64(attribute.value));
        if let Some(value) = value {
            counts.put(attribute.kind, value);
        }
    }
    Ok((message.resource(), counts))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conntrack::stats::{Counter, CpuStatistics, ExpectationStatistics, Statistics};
    use crate::conntrack::wire::query::{Request, Statistics as Of};

    /// Answers of a kernel: about the table, about two CPUs, about expectations on a CPU.
    const RECORDED: [&str; 4] = [
        "2400000005010200087200002611000000000000080001000000000008000200003d0900",
        "640000000401020009720000261100000000000008000200000000000800040000000009\
         0800080000000003080009000000000108000a000000000108000b000000000008000c00\
         0000000008000d000000000008000e000000000008000f0000000000",
        "640000000401020009720000261100000000000108000200000000000800040000000009\
         0800080000000007080009000000000008000a000000000008000b000000000008000c00\
         0000000108000d000000000008000e000000000008000f0000000000",
        "2c000000030102000a720000261100000000000108000100000000010800020000000005\
         0800030000000005",
    ];

    fn bytes(hex: &str) -> Vec<u8> {
        let digits = |at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap();
        native((0..hex.len()).step_by(2).map(digits).collect())
    }

    /// A message that a machine of little endian recorded, as the kernel of this one sends it.
    fn native(mut message: Vec<u8>) -> Vec<u8> {
        if cfg!(target_endian = "big") {
            let numbers = [0..4, 4..6, 6..8, 8..12, 12..16];
            numbers.into_iter().for_each(|number| message[number].reverse());
            let mut at = 20;
            while at < message.len() {
                let length = usize::from(message[at]);
                [at..at + 2, at + 2..at + 4].into_iter().for_each(|half| message[half].reverse());
                at += length.next_multiple_of(4);
            }
        }
        message
    }

    fn recorded(at: usize) -> (u16, Counts) {
        decode(&Message::first(&bytes(RECORDED[at])).unwrap()).unwrap()
    }

    #[test]
    fn recorded_statistics_are_read() {
        let table = Statistics::of(&recorded(0).1);
        assert_eq!(table, Statistics { entries: 0, maximum: Some(4_000_000) });
        let (cpu, counts) = recorded(1);
        let cpu = CpuStatistics::new(cpu, counts);
        let told = Counter::ALL.map(|counter| cpu.get(counter).unwrap());
        assert_eq!((cpu.cpu(), told), (0, [0, 9, 3, 1, 1, 0, 0, 0, 0, 0]));
        assert_eq!(cpu.others().count(), 0);
        let (cpu, counts) = recorded(2);
        let cpu = CpuStatistics::new(cpu, counts);
        assert_eq!((cpu.cpu(), cpu.get(Counter::Error)), (1, Some(1)));
        let (cpu, counts) = recorded(3);
        let wanted = ExpectationStatistics { cpu: 1, expected: 1, created: 5, deleted: 5 };
        assert_eq!(ExpectationStatistics::new(cpu, &counts), wanted);
    }

    #[test]
    fn other_messages_are_none() {
        for kind in [0x0100_u16, 0x0106, 0x0203] {
            let mut other = bytes(RECORDED[0]);
            other[4..6].copy_from_slice(&kind.to_ne_bytes());
            let foreign = decode(&Message::first(&other).unwrap());
            assert_eq!(foreign.unwrap_err(), Error::ForeignMessage);
        }
    }

    #[test]
    fn numbers_of_other_kernels_are_kept_and_odd_sizes_skipped() {
        let told = bytes(
            "34000000040102000000000000000000\
             00000007\
             0800010000000005\
             06000200000a0000\
             0c001f000000000100000002\
             08002000000000ff",
        );
        let (cpu, counts) = decode(&Message::first(&told).unwrap()).unwrap();
        let cpu = CpuStatistics::new(cpu, counts);
        assert_eq!((cpu.cpu(), cpu.get(Counter::Found)), (7, None));
        assert_eq!(cpu.others().collect::<Vec<_>>(), [(1, 5), (31, 0x1_0000_0002)]);
    }

    #[test]
    fn requests_are_those_that_are_answered() {
        let built = |of, seq| {
            let mut buffer = [0; 64];
            let length = Request::Statistics(of).build(&mut buffer, seq).unwrap();
            buffer[..length].to_vec()
        };
        // With an acknowledgement; the others as dumps, for which the kernel answers at all.
        assert_eq!(built(Of::Table, 0x21), bytes("1400000005010500210000000000000000000000"));
        assert_eq!(built(Of::Cpus, 0x24), bytes("1400000004010103240000000000000000000000"));
        assert_eq!(
            built(Of::Expectations, 0x27),
            bytes("1400000003020103270000000000000000000000")
        );
        let mut buffer = [0; 64];
        let length = Request::Dying.build(&mut buffer, 0x29).unwrap();
        assert_eq!(buffer[..length], bytes("1400000006010103290000000000000000000000"));
    }
}
