//! Short pieces of text, made and copied without a loop where that is quicker.
#![forbid(unsafe_code)]

/// The numbers below 100 with two digits each.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
static PAIRS: [[u8; 2]; 100] = {
    let mut pairs = [[0; 2]; 100];
    let mut value = 0;
    while value < 100 {
        pairs[value] = [b'0' + value as u8 / 10, b'0' + value as u8 % 10];
        value += 1;
    }
    pairs
};

#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "a remainder of the table's length")]
pub(super) fn pair(value: u32) -> &'static [u8; 2] {
    &PAIRS[(value % 100) as usize]
}

/// Powers of ten, but 0 in place of 1: every number has a digit.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
static POWERS: [u64; 20] = {
    let mut powers = [0; 20];
    let mut at = 1;
    while at < 20 {
        powers[at] = 10u64.pow(at as u32);
        at += 1;
    }
    powers
};

/// How many decimal digits a number has.
#[inline(always)]
pub(super) fn decimal_length(value: u64) -> usize {
    // 1233 / 4096 is just above log10(2): the estimate is right or one too high.
    let bits = 64 - value.leading_zeros() as usize;
    let estimate = bits * 1233 / 4096;
    estimate + usize::from(POWERS.get(estimate).is_some_and(|power| value >= *power))
}

/// A number without its last two digits, and these. Machines of 32 bits have no instruction for it: on ARM
/// the compiler's function brings all that reports a panic.
#[inline(always)]
fn divided(value: u64) -> (u64, u32) {
    if cfg!(target_pointer_width = "64") {
        (value / 100, (value % 100) as u32)
    } else {
        divided_in_parts(value)
    }
}

/// The same, by 16 bits at a time.
fn divided_in_parts(value: u64) -> (u64, u32) {
    let (mut quotient, mut rest) = (0, 0);
    for shift in [48, 32, 16, 0] {
        let part = rest << 16 | u32::from((value >> shift) as u16);
        quotient |= u64::from(part / 100) << shift;
        rest = part % 100;
    }
    (quotient, rest)
}

/// Fills `room` with the last digits of a number.
#[inline(always)]
pub(super) fn fill_decimal(room: &mut [u8], mut value: u64) {
    let mut pairs = room.rchunks_exact_mut(2);
    for two in &mut pairs {
        let (rest, last) = divided(value);
        two.copy_from_slice(pair(last));
        value = rest;
    }
    if let [digit] = pairs.into_remainder() {
        *digit = b'0' + value as u8;
    }
}

/// Fills `room`, of at most 16 bytes, with the lowest bytes of `text`.
#[inline(always)]
pub(super) fn fill_short(room: &mut [u8], text: u128) {
    let last = |size: usize| text >> (8 * (room.len() - size));
    match room.len() {
        8.. => fill_ends(room, (text as u64).to_le_bytes(), (last(8) as u64).to_le_bytes()),
        4.. => fill_ends(room, (text as u32).to_le_bytes(), (last(4) as u32).to_le_bytes()),
        _ => room.iter_mut().zip(text.to_le_bytes()).for_each(|(to, from)| *to = from),
    }
}

/// The room of a piece of text that the compiler prepares.
pub(super) const PIECE: usize = 32;

/// Fills `room` with the beginning of a piece, and its first byte with another.
#[inline(always)]
pub(super) fn fill_piece(room: &mut [u8], piece: &[u8; PIECE], first: u8) {
    match room.len() {
        16.. => fill_from::<16>(room, piece),
        8.. => fill_from::<8>(room, piece),
        4.. => fill_from::<4>(room, piece),
        _ => room.iter_mut().zip(piece).for_each(|(to, from)| *to = *from),
    }
    if let [to, ..] = room {
        *to = first;
    }
}

/// Fills `room`, of at least `SIZE` bytes and at most twice as many, with the beginning of a piece.
#[inline(always)]
fn fill_from<const SIZE: usize>(room: &mut [u8], piece: &[u8; PIECE]) {
    let last = piece.get(room.len() - SIZE..).and_then(<[u8]>::first_chunk::<SIZE>);
    if let (Some(first), Some(last)) = (piece.first_chunk::<SIZE>(), last) {
        fill_ends(room, *first, *last);
    }
}

/// Fills `room` with two pieces that may overlap: quicker than a copy of varying length.
#[inline(always)]
fn fill_ends<const SIZE: usize>(room: &mut [u8], first: [u8; SIZE], last: [u8; SIZE]) {
    if let Some(to) = room.first_chunk_mut() {
        *to = first;
    }
    if let Some(to) = room.last_chunk_mut() {
        *to = last;
    }
}

/// A number's hexadecimal digits, the first in the lowest byte, and how many there are.
#[inline(always)]
pub(super) fn hex_digits(value: u16) -> (u32, usize) {
    let length = (16 - (value | 1).leading_zeros() as usize).div_ceil(4);
    let digits = [value >> 12, value >> 8, value >> 4, value].map(|digit| {
        let digit = (digit & 15) as u8;
        digit + if digit < 10 { b'0' } else { b'a' - 10 }
    });
    (u32::from_le_bytes(digits) >> (8 * (4 - length)), length)
}

/// The two hexadecimal digits of each byte.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
static HEX: [[u8; 2]; 256] = {
    let digits = b"0123456789abcdef";
    let mut pairs = [[0; 2]; 256];
    let mut byte = 0;
    while byte < 256 {
        pairs[byte] = [digits[byte >> 4], digits[byte & 15]];
        byte += 1;
    }
    pairs
};

#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "the table has a row for every byte")]
pub(super) fn hex_pair(byte: u8) -> [u8; 2] {
    HEX[usize::from(byte)]
}

/// Fills `room`, of twice as many bytes, with the hexadecimal digits of `bytes`.
#[inline(always)]
pub(super) fn fill_hex(room: &mut [u8], bytes: &[u8]) {
    for (two, byte) in room.chunks_exact_mut(2).zip(bytes) {
        two.copy_from_slice(&hex_pair(*byte));
    }
}

/// The octets in decimal with a dot behind each, the first digit in the lowest byte.
#[allow(clippy::indexing_slicing, reason = "evaluated by the compiler")]
static OCTETS: [u32; 256] = {
    let mut octets = [0; 256];
    let mut octet = 0;
    while octet < 256 {
        let mut text = b'.' as u32;
        let mut rest = octet as u32;
        while rest > 0 || text == b'.' as u32 {
            text = text << 8 | (b'0' as u32 + rest % 10);
            rest /= 10;
        }
        octets[octet] = text;
        octet += 1;
    }
    octets
};

/// An octet's decimal digits and a dot, the first in the lowest byte, and how many bytes they are.
#[inline(always)]
#[allow(clippy::indexing_slicing, reason = "the table has a row for every octet")]
fn dotted_octet(octet: u8) -> (u32, usize) {
    let text = OCTETS[usize::from(octet)];
    (text, 4 - text.leading_zeros() as usize / 8)
}

/// An IPv4 address with a dot behind each octet, the first digit in the lowest byte, and how many
/// bytes they are: 16 at most.
#[inline(always)]
pub(super) fn dotted(address: [u8; 4]) -> (u128, usize) {
    let mut text = 0;
    let mut length = 0;
    for octet in address {
        let (digits, size) = dotted_octet(octet);
        text |= u128::from(digits) << (length * 8);
        length += size;
    }
    (text, length)
}

#[cfg(test)]
mod tests {
    use super::divided_in_parts;

    #[test]
    fn numbers_are_divided_in_parts() {
        let edges = (0..64).map(|power| 1u64 << power).chain((0..20).map(|power| 10u64.pow(power)));
        let near = edges.flat_map(|edge| [edge - 1, edge, edge + 1, 99 * (edge / 100), !edge]);
        for value in near.chain((0..65_000).map(|part| part * 0x0001_0003_0007_000d)) {
            assert_eq!(divided_in_parts(value), (value / 100, (value % 100) as u32));
        }
    }
}
