//! Text into a caller's buffer, with the contract of `snprintf`.
#![forbid(unsafe_code)]

use super::digits::{
    PIECE, decimal_length, dotted, fill_decimal, fill_hex, fill_piece, fill_short, hex_digits,
    hex_pair, pair,
};
use std::fmt;
use std::ops::Range;

/// Writes text into a buffer and, once that is full, only counts.
///
/// [`Writer::finish`] puts a NUL behind the text, in place of its last byte if the text fills the
/// buffer. Bytes beyond the text and its NUL keep their content.
#[derive(Debug)]
pub struct Writer<'a> {
    buf: &'a mut [u8],
    /// Bytes of the whole text so far. `buf` begins with as much of it as fits.
    len: usize,
    /// The last byte of the text that did not fit, if any.
    lost: u8,
}

impl<'a> Writer<'a> {
    /// A writer to the start of `buf`. With an empty buffer the text is only measured.
    #[must_use]
    pub fn new(buf: &'a mut [u8]) -> Self {
        Self { buf, len: 0, lost: 0 }
    }

    /// Bytes of the whole text so far, whether they fitted or not.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether nothing was written yet.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Ends the text with a NUL, unless the buffer is empty, and returns the length of the whole
    /// text without it: at least the length of the buffer if the text was cut.
    pub fn finish(self) -> usize {
        let end = self.len.min(self.buf.len().saturating_sub(1));
        if let Some(byte) = self.buf.get_mut(end) {
            *byte = 0;
        }
        self.len
    }

    /// Writes what `print` prints into `buf`, and returns the length of the whole text. Where it
    /// fails, what it printed before is there; the buffer is left alone if that is nothing.
    #[cfg(feature = "capi")]
    pub(crate) fn print<E>(
        buf: &mut [u8],
        print: impl FnOnce(&mut Writer<'_>) -> Result<(), E>,
    ) -> Result<usize, E> {
        let mut out = Writer::new(buf);
        let printed = print(&mut out);
        if printed.is_err() && out.is_empty() {
            return printed.map(|()| 0);
        }
        let length = out.finish();
        printed.map(|()| length)
    }

    /// Writes text as it is.
    #[inline(always)]
    pub fn text(&mut self, text: &[u8]) {
        match self.room(text.len()) {
            Some(room) => room.copy_from_slice(text),
            None => self.cut(text),
        }
    }

    /// Writes the first `length` bytes of a piece that the compiler has put into a fixed room, another
    /// byte in place of its first: quicker than copies of varying length.
    #[inline(always)]
    pub(super) fn piece(&mut self, piece: &[u8; PIECE], length: usize, first: u8) {
        match self.room(length) {
            Some(room) => fill_piece(room, piece, first),
            None => self.cut_piece(piece, length, first),
        }
    }

    /// Takes the last byte back if it is a blank.
    pub fn trim_blank(&mut self) {
        let Some(end) = self.len.checked_sub(1) else { return };
        if *self.buf.get(end).unwrap_or(&self.lost) == b' ' {
            self.len = end;
        }
    }

    /// Writes a number in decimal.
    #[inline(never)]
    pub fn decimal(&mut self, value: u64) {
        match self.room(decimal_length(value)) {
            Some(room) => fill_decimal(room, value),
            None => self.cut_decimal(value),
        }
    }

    /// Writes a number below 100 with two decimal digits.
    pub fn two_digits(&mut self, value: u8) {
        self.text(pair(value.into()));
    }

    /// Writes a number in lower-case hexadecimal, without leading zeros.
    #[inline(never)]
    pub fn hex(&mut self, value: u16) {
        let (digits, length) = hex_digits(value);
        self.short(digits.into(), length);
    }

    /// Writes bytes in lower-case hexadecimal, two digits for each.
    pub fn hex_bytes(&mut self, bytes: &[u8]) {
        match self.room(2 * bytes.len()) {
            Some(room) => fill_hex(room, bytes),
            None => self.cut_hex(bytes),
        }
    }

    /// Writes an IPv4 address, given in network order.
    #[inline(never)]
    pub fn ipv4(&mut self, address: [u8; 4]) {
        let (text, length) = dotted(address);
        self.short(text, length - 1);
    }

    /// Writes an IPv4 address, given in network order, and a byte behind it.
    #[inline(never)]
    pub(super) fn ipv4_before(&mut self, address: [u8; 4], behind: u8) {
        let (text, length) = dotted(address);
        let dot = u128::from(b'.' ^ behind) << (8 * (length - 1));
        self.short(text ^ dot, length);
    }

    /// Writes an IPv6 address, given in network order, as C's `inet_ntop` does: addresses that
    /// embed an IPv4 address end in its dotted form.
    pub fn ipv6(&mut self, address: &[u8; 16]) {
        let bits = u128::from_be_bytes(*address);
        let groups: [u16; 8] = std::array::from_fn(|at| (bits >> (112 - 16 * at)) as u16);
        let run = zero_run(groups);
        let dotted = run == (0..6) || bits >> 32 == 0xffff;
        for (at, group) in groups.into_iter().enumerate().take(if dotted { 6 } else { 8 }) {
            if at == run.start && !run.is_empty() {
                self.text(b":");
            }
            if !run.contains(&at) {
                self.group(at, group);
            }
        }
        if run.end == 8 {
            self.text(b":");
        }
        if dotted {
            self.text(b":");
            self.ipv4((bits as u32).to_be_bytes());
        }
    }

    /// A group of an IPv6 address, behind a colon but for the first.
    #[inline(always)]
    fn group(&mut self, at: usize, group: u16) {
        let (digits, length) = hex_digits(group);
        match at {
            0 => self.short(digits.into(), length),
            _ => self.short(u128::from(digits) << 8 | u128::from(b':'), length + 1),
        }
    }

    /// The next `length` bytes of the buffer, if it has as many left; they count as written.
    #[inline(always)]
    fn room(&mut self, length: usize) -> Option<&mut [u8]> {
        let room = self.buf.get_mut(self.len..self.len + length)?;
        self.len += length;
        Some(room)
    }

    /// Writes the lowest `length` bytes of `text`, at most 16, the lowest first.
    #[inline(always)]
    fn short(&mut self, text: u128, length: usize) {
        match self.room(length) {
            Some(room) => fill_short(room, text),
            None => self.cut(text.to_le_bytes().get(..length).unwrap_or_default()),
        }
    }

    /// Writes what fits of a text that does not.
    #[cold]
    fn cut(&mut self, text: &[u8]) {
        let room = self.buf.get_mut(self.len..).unwrap_or_default();
        room.iter_mut().zip(text).for_each(|(to, from)| *to = *from);
        self.len += text.len();
        self.lost = text.last().copied().unwrap_or(self.lost);
    }

    #[cold]
    fn cut_hex(&mut self, bytes: &[u8]) {
        let room = self.buf.get_mut(self.len..).unwrap_or_default();
        // The last byte that has room may have it for one digit only.
        let whole = bytes.len().min(room.len() / 2);
        let (begun, beyond) = bytes.split_at_checked(whole).unwrap_or_default();
        let (pairs, half) = room.split_at_mut_checked(2 * whole).unwrap_or_default();
        fill_hex(pairs, begun);
        if let ([half], [byte, ..]) = (half, beyond) {
            *half = hex_pair(*byte)[0];
        }
        self.len += 2 * bytes.len();
        self.lost = bytes.last().map_or(self.lost, |byte| hex_pair(*byte)[1]);
    }

    #[cold]
    fn cut_piece(&mut self, piece: &[u8; PIECE], length: usize, first: u8) {
        let mut piece = *piece;
        piece[0] = first;
        self.cut(piece.get(..length).unwrap_or_default());
    }

    #[cold]
    fn cut_decimal(&mut self, value: u64) {
        let mut digits = [0; 20];
        if let Some(digits) = digits.get_mut(..decimal_length(value)) {
            fill_decimal(digits, value);
            self.cut(digits);
        }
    }
}

/// Where the longest run of at least two groups of zero lies, the first of equals; empty if none.
fn zero_run(groups: [u16; 8]) -> Range<usize> {
    let mut longest = 0..0;
    let mut start = 0;
    for (at, group) in groups.into_iter().enumerate() {
        if group != 0 {
            start = at + 1;
        } else if at - start >= longest.len().max(1) {
            longest = start..at + 1;
        }
    }
    longest
}

/// What is displayed is written as it is.
impl fmt::Write for Writer<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.text(text.as_bytes());
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::Ipv6Addr;

    /// What `write` writes, checked for every size of the buffer.
    fn text(write: impl Fn(&mut Writer<'_>)) -> String {
        let mut whole = [0xaa; 256];
        let mut out = Writer::new(&mut whole);
        write(&mut out);
        let length = out.finish();
        assert_eq!(whole[length], 0);
        for size in 0..length + 3 {
            let mut buf = [0xaa; 256];
            let mut out = Writer::new(&mut buf[..size]);
            write(&mut out);
            assert_eq!(out.len(), length);
            assert_eq!(out.finish(), length);
            if size > 0 {
                let fits = length.min(size - 1);
                assert_eq!(buf[..fits], whole[..fits]);
                assert_eq!(buf[fits], 0);
            }
            assert!(buf[size..].iter().all(|byte| *byte == 0xaa), "beyond the buffer");
            assert!(buf[(length + 2).min(size)..].iter().all(|byte| *byte == 0xaa), "beyond it");
        }
        String::from_utf8(whole[..length].to_vec()).unwrap()
    }

    #[test]
    fn every_size_holds_a_prefix_and_counts_the_whole() {
        let mixed = text(|out| {
            out.text(b"mark=");
            out.decimal(1_234_567);
            out.text(b" src=");
            out.ipv4([10, 200, 3, 45]);
            out.text(b" dst=");
            out.ipv6(&Ipv6Addr::from([0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x53]).octets());
            out.text(b" key=0x");
            out.hex(0x8e26);
            out.text(b" ");
            out.trim_blank();
        });
        assert_eq!(mixed, "mark=1234567 src=10.200.3.45 dst=2001:db8::53 key=0x8e26");
        assert_eq!(text(|_| ()), "");
    }

    #[test]
    fn pieces_of_every_length() {
        let piece: [u8; PIECE] = std::array::from_fn(|at| b'A' + at as u8);
        for length in 1..=PIECE {
            let got = text(|out| {
                out.text(b"<");
                out.piece(&piece, length, b'-');
                out.text(b">");
            });
            assert_eq!(got, format!("<-{}>", String::from_utf8_lossy(&piece[1..length])));
        }
    }

    #[test]
    fn one_blank_is_trimmed_and_nothing_else() {
        for (full, trimmed) in [("a  ", "a "), (" ", ""), ("", ""), ("ab", "ab")] {
            let got = text(|out| {
                out.text(full.as_bytes());
                out.trim_blank();
            });
            assert_eq!(got, trimmed);
        }
    }

    #[test]
    fn decimal_numbers() {
        let mut values = vec![0, u64::MAX, u64::MAX - 1, u64::from(u32::MAX)];
        for power in 0..20 {
            let value = 10u64.pow(power);
            values.extend([value - 1, value, value + 1, 7 * (value / 9)]);
        }
        for power in 0..64 {
            values.extend([1 << power, (1 << power) - 1]);
        }
        for value in values {
            assert_eq!(text(|out| out.decimal(value)), value.to_string());
        }
        for value in 0..100 {
            assert_eq!(text(|out| out.two_digits(value)), format!("{value:02}"));
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many for an interpreter")]
    fn hexadecimal_numbers() {
        for value in 0..=u16::MAX {
            let mut buf = [0; 8];
            let mut out = Writer::new(&mut buf);
            out.hex(value);
            let length = out.finish();
            assert_eq!(buf[..length], *format!("{value:x}").as_bytes());
        }
    }

    #[test]
    fn bytes_in_hexadecimal() {
        let bytes: Vec<u8> = (0..=255).step_by(3).collect();
        for length in 0..bytes.len() {
            let bytes = &bytes[..length];
            let digits: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
            let got = text(|out| {
                out.text(b"<");
                out.hex_bytes(bytes);
                out.text(b">");
            });
            assert_eq!(got, format!("<{digits}>"));
            let mut out = Writer::new(&mut []);
            out.hex_bytes(b"\x00\x20 ");
            assert_eq!(out.lost, b'0');
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many for an interpreter")]
    fn every_octet() {
        for octet in 0..=255u8 {
            let address = [octet, octet.wrapping_add(77), 0, octet];
            let expected = std::net::Ipv4Addr::from(address).to_string();
            assert_eq!(text(|out| out.ipv4(address)), expected);
            assert_eq!(text(|out| out.ipv4_before(address, b'"')), format!("{expected}\""));
        }
    }

    #[test]
    fn ipv6_addresses_that_embed_ipv4() {
        for (address, expected) in [
            ("::", "::"),
            ("::1", "::1"),
            ("::1:0", "::0.1.0.0"),
            ("::102:304", "::1.2.3.4"),
            ("::ffff:102:304", "::ffff:1.2.3.4"),
            ("::ffff:0:0", "::ffff:0.0.0.0"),
            ("::fffe:102:304", "::fffe:102:304"),
            ("::ffff:0:102:304", "::ffff:0:102:304"),
            ("64:ff9b::102:304", "64:ff9b::102:304"),
            ("1:0:0:2:0:0:3:4", "1::2:0:0:3:4"),
            ("1:0:2:0:3:0:4:0", "1:0:2:0:3:0:4:0"),
            ("1::", "1::"),
            ("0:1:0:0:0:0:0:0", "0:1::"),
        ] {
            let address: Ipv6Addr = address.parse().unwrap();
            assert_eq!(text(|out| out.ipv6(&address.octets())), expected);
        }
    }

    #[test]
    #[cfg_attr(miri, ignore = "too many for an interpreter")]
    fn ipv6_addresses_are_those_of_std_but_for_one_case() {
        for pattern in 0..3u32.pow(8) {
            let groups: [u16; 8] = std::array::from_fn(|at| {
                [0, 1, 0xffff][(pattern / 3u32.pow(at as u32) % 3) as usize]
            });
            let address = Ipv6Addr::from(groups);
            let compatible = groups[..6] == [0; 6] && groups[6] != 0;
            let [.., a, b, c, d] = address.octets();
            let expected = match compatible {
                true => format!("::{a}.{b}.{c}.{d}"),
                false => address.to_string(),
            };
            let mut buf = [0; 64];
            let mut out = Writer::new(&mut buf);
            out.ipv6(&address.octets());
            let length = out.finish();
            assert_eq!(buf[..length], *expected.as_bytes());
        }
    }
}
