//! Chance with a seed: the same seed tells the same story. Not for secrets.

use std::fmt::Write as _;

use sha2::{Digest, Sha256};

/// A stream of numbers from a seed (`SplitMix64`, whose constants these are).
#[derive(Debug, Clone)]
pub(crate) struct Chance(u64);

const STRIDE: u64 = 0x9e37_79b9_7f4a_7c15;

/// Letters and digits of ids; no vowels in the ones that people read aloud.
const ID_LETTERS: &[u8] = b"0123456789abcdefghijklmnopqrstuvwxyz";
const POD_LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
const HEX_LETTERS: &[u8] = b"0123456789abcdef";

impl Chance {
    /// The stream of `seed` for whatever is called `name`.
    pub(crate) fn named(seed: u64, name: &str) -> Self {
        let mut state = seed ^ STRIDE;
        for byte in name.bytes() {
            state = mix(state ^ u64::from(byte));
        }
        Self(state)
    }

    /// The next number.
    pub(crate) const fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(STRIDE);
        mix(self.0)
    }

    /// A number below `end`; 0 when there is none.
    pub(crate) const fn below(&mut self, end: u64) -> u64 {
        if end == 0 { 0 } else { self.next() % end }
    }

    /// A number from `low` to `high`, both included.
    pub(crate) const fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.below(high - low + 1)
    }

    /// A duration in milliseconds, from `low` to `high`, for arithmetic with timestamps.
    pub(crate) fn millis(&mut self, low: u64, high: u64) -> i64 {
        i64::try_from(self.between(low, high)).unwrap_or(i64::MAX)
    }

    /// True once in `times`.
    pub(crate) const fn one_in(&mut self, times: u64) -> bool {
        self.below(times) == 0
    }

    /// One of `choices`.
    pub(crate) fn pick<'a, T>(&mut self, choices: &'a [T]) -> Option<&'a T> {
        let end = u64::try_from(choices.len()).unwrap_or(0);
        choices.get(usize::try_from(self.below(end)).unwrap_or(0))
    }

    /// One of `words`, empty when there are none.
    pub(crate) fn word(&mut self, words: &[&'static str]) -> &'static str {
        self.pick(words).copied().unwrap_or_default()
    }

    /// An id as Docker writes them: 25 letters and digits.
    pub(crate) fn docker_id(&mut self) -> String {
        self.letters(ID_LETTERS, 25)
    }

    /// What Kubernetes puts behind the name of a pod.
    pub(crate) fn pod_suffix(&mut self) -> String {
        self.letters(POD_LETTERS, 5)
    }

    /// What Kubernetes puts behind the name of a `ReplicaSet`.
    pub(crate) fn template_hash(&mut self) -> String {
        self.letters(POD_LETTERS, 9)
    }

    /// This many hex digits.
    pub(crate) fn hex(&mut self, digits: usize) -> String {
        self.letters(HEX_LETTERS, digits)
    }

    fn letters(&mut self, alphabet: &[u8], count: usize) -> String {
        (0..count).filter_map(|_| self.pick(alphabet).map(|letter| char::from(*letter))).collect()
    }
}

/// The digest of build `number` of `application`: `sha256:` and 64 hex digits.
pub(crate) fn digest(seed: u64, application: &str, number: u32) -> String {
    let hash = Sha256::digest(format!("{seed}/{application}/{number}"));
    hash.iter().fold(String::from("sha256:"), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

const fn mix(state: u64) -> u64 {
    let state = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let state = (state ^ (state >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    state ^ (state >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_tells_the_same_story() {
        let (mut a, mut b) = (Chance::named(7, "auth"), Chance::named(7, "auth"));
        assert_eq!((a.next(), a.docker_id(), a.hex(4)), (b.next(), b.docker_id(), b.hex(4)));
        assert_ne!(Chance::named(7, "auth").next(), Chance::named(8, "auth").next());
        assert_ne!(digest(7, "auth", 1), digest(7, "auth", 2));
        assert_eq!(digest(7, "auth", 1).len(), "sha256:".len() + 64);
    }

    #[test]
    fn chance_stays_between_its_bounds() {
        let mut chance = Chance::named(3, "bounds");
        assert!((0..1000).all(|_| (5..=9).contains(&chance.between(5, 9))));
        assert_eq!(chance.below(0), 0);
    }
}
