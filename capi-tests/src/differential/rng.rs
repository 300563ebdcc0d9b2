//! A small generator of numbers: the same seed gives the same calls in both processes.

/// SplitMix64.
#[derive(Debug, Clone)]
pub struct Rng(u64);

/// A seed made of two numbers.
#[must_use]
pub fn mix(a: u64, b: u64) -> u64 {
    Rng(a ^ b.wrapping_mul(0x9e37_79b9_7f4a_7c15)).next()
}

impl Rng {
    /// A generator that starts from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`, which is above zero.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// An index into something `len` long.
    pub fn index(&mut self, len: usize) -> usize {
        self.below(len as u64) as usize
    }

    /// A number from `low` to `high`, both included.
    pub fn range(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// True once in `n` times.
    pub fn one_in(&mut self, n: u64) -> bool {
        self.below(n) == 0
    }

    /// One of `items`.
    pub fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.index(items.len())]
    }

    /// `len` bytes.
    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    /// A number that is often small, all ones, or one seen before, so that objects agree at times.
    pub fn value(&mut self) -> u64 {
        match self.below(6) {
            0 => 0,
            1 => self.below(4),
            2 => u64::MAX,
            3 => self.pick(&[0x1122_3344_5566_7788, 0x8000_0000, 0xffff, 300, 0x0102_0304]),
            4 => self.next() >> 32,
            _ => self.next(),
        }
    }

    /// A C string of up to `max` bytes, without its NUL: mostly letters, at times any bytes.
    pub fn text(&mut self, max: u64) -> Vec<u8> {
        const WORDS: [&str; 9] =
            ["ftp", "sip", "", "a", "nat-follow-master", "sip ", "<&>", "h.323", "q931"];
        match self.below(4) {
            0 => self.bytes(max as usize).iter().map(|byte| byte | 1).collect(),
            1 => {
                let len = self.below(max + 1);
                (0..len).map(|_| b'a' + self.below(26) as u8).collect()
            }
            _ => self.pick(&WORDS).bytes().take(max as usize).collect(),
        }
    }
}
