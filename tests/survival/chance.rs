//! Chance with a seed: the same seed tells the same story.

/// A stream of numbers from a seed (`SplitMix64`, whose constants these are).
#[derive(Debug, Clone)]
pub struct Chance(u64);

impl Chance {
    pub fn new(seed: u64) -> Self {
        // Neighbouring seeds begin far from each other.
        let mut chance = Self(seed.wrapping_mul(0xd134_2543_de82_ef95) ^ 0x5851_f42d_4c95_7f2d);
        chance.next();
        chance
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// True `times` in a hundred.
    pub fn percent(&mut self, times: u64) -> bool {
        self.between(1, 100) <= times
    }

    /// A number from 1 to `high` with as many small ones as large ones: most of what goes wrong does so early.
    pub fn early(&mut self, high: u64) -> u64 {
        let bits = u64::from(u64::BITS - high.leading_zeros());
        let scale = 1 << self.between(1, bits);
        self.between(1, high.min(scale))
    }
}
