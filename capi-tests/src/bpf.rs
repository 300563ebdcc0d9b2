//! An interpreter of classic BPF as the kernel runs it on a netlink datagram: for the tests here, and
//! for the fuzz targets, which include this file.

use libc::sock_filter;

const EXTENSIONS: u32 = 0xffff_f000;
const FIND: u32 = EXTENSIONS + 12;
const FIND_IN_NEST: u32 = EXTENSIONS + 16;

/// Whether the program lets the datagram pass. A load from outside drops it.
///
/// # Panics
///
/// When the program goes on behind its end, or has an instruction that the kernel does not take.
#[must_use]
pub fn accepts(program: &[sock_filter], packet: &[u8]) -> bool {
    run(program, packet).is_some_and(|verdict| verdict != 0)
}

fn run(program: &[sock_filter], packet: &[u8]) -> Option<u32> {
    let (mut a, mut x, mut memory, mut at) = (0_u32, 0_u32, [0_u32; 16], 0_usize);
    loop {
        let insn = program.get(at).expect("a program that ends in a return");
        at += 1;
        let operand = if insn.code & 8 != 0 { x } else { insn.k };
        let slot = insn.k as usize & 15;
        match insn.code & 7 {
            0 => a = load(insn, packet, a, x, &memory)?,
            1 => x = load(insn, packet, a, x, &memory)?,
            2 => memory[slot] = a,
            3 => memory[slot] = x,
            4 => a = compute(insn.code, a, operand)?,
            5 => at += jump(insn, a, operand),
            6 => return Some(if insn.code & 0x18 == 0x10 { a } else { insn.k }),
            _ if insn.code & 0xf8 == 0x80 => a = x,
            _ => x = a,
        }
    }
}

fn load(insn: &sock_filter, packet: &[u8], a: u32, x: u32, memory: &[u32; 16]) -> Option<u32> {
    let width = match insn.code & 0x18 {
        0 => 4,
        8 => 2,
        _ => 1,
    };
    match insn.code & 0xe0 {
        0 => Some(insn.k),
        0x20 => match insn.k {
            FIND => Some(find(packet, a, packet.len(), x)),
            FIND_IN_NEST => Some(find_in_nest(packet, a, x)),
            offset => big_endian(packet, offset, width),
        },
        0x40 => big_endian(packet, x.wrapping_add(insn.k), width),
        0x60 => Some(memory[insn.k as usize & 15]),
        0x80 => Some(packet.len() as u32),
        other => panic!("load {other:#x}"),
    }
}

fn big_endian(packet: &[u8], offset: u32, width: usize) -> Option<u32> {
    let bytes = packet.get(offset as usize..)?.get(..width)?;
    Some(bytes.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}

fn compute(code: u16, a: u32, operand: u32) -> Option<u32> {
    Some(match code & 0xf0 {
        0x00 => a.wrapping_add(operand),
        0x10 => a.wrapping_sub(operand),
        0x20 => a.wrapping_mul(operand),
        0x30 => a.checked_div(operand)?,
        0x40 => a | operand,
        0x50 => a & operand,
        0x60 => a.checked_shl(operand).unwrap_or(0),
        0x70 => a.checked_shr(operand).unwrap_or(0),
        0x80 => a.wrapping_neg(),
        0xa0 => a ^ operand,
        other => panic!("operation {other:#x}"),
    })
}

fn jump(insn: &sock_filter, a: u32, operand: u32) -> usize {
    let holds = match insn.code & 0xf0 {
        0x00 => return insn.k as usize,
        0x10 => a == operand,
        0x20 => a > operand,
        0x30 => a >= operand,
        0x40 => a & operand != 0,
        other => panic!("jump {other:#x}"),
    };
    usize::from(if holds { insn.jt } else { insn.jf })
}

/// The offset of the first attribute of a type at or after an offset, or 0.
fn find(packet: &[u8], from: u32, end: usize, kind: u32) -> u32 {
    let mut at = from as usize;
    if packet.len() < 4 || at > packet.len() - 4 {
        return 0;
    }
    while let Some((len, of)) = header(packet, at, end) {
        if u32::from(of) == kind {
            return at as u32;
        }
        at += len.next_multiple_of(4);
    }
    0
}

fn find_in_nest(packet: &[u8], nest: u32, kind: u32) -> u32 {
    let at = nest as usize;
    if packet.len() < 4 || at > packet.len() - 4 {
        return 0;
    }
    match header(packet, at, packet.len()) {
        Some((len, _)) => find(packet, nest + 4, at + len, kind),
        None => 0,
    }
}

/// Length and type of the attribute at an offset, if it is whole.
fn header(packet: &[u8], at: usize, end: usize) -> Option<(usize, u16)> {
    let bytes: &[u8; 4] = packet.get(at..end)?.first_chunk()?;
    let len = usize::from(u16::from_ne_bytes([bytes[0], bytes[1]]));
    let kind = u16::from_ne_bytes([bytes[2], bytes[3]]) & 0x3fff;
    (len >= 4 && at + len <= end).then_some((len, kind))
}
