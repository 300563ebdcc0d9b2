//! Numbers that look random, and are the same for the same seed.

/// A generator of such.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// One that begins with this seed.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Any number.
    pub fn any(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    /// One below this.
    pub fn below(&mut self, end: u32) -> u32 {
        ((u128::from(self.any()) * u128::from(end)) >> 64) as u32
    }

    /// Whether it is one of so many.
    pub fn one_in(&mut self, many: u32) -> bool {
        self.below(many) == 0
    }
}
