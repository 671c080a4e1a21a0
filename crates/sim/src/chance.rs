//! Chance that can be repeated: the same seed draws the same customers, baskets and accidents, so
//! a test that fails can be run again exactly as it was.

/// A generator of numbers from a seed.
///
/// `SplitMix64` by Sebastiano Vigna (public domain, <https://prng.di.unimi.it/splitmix64.c>), after
/// Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014.
#[derive(Clone, Debug)]
pub struct Chance {
    state: u64,
}

impl Chance {
    /// Chance that follows from `seed` alone.
    pub const fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub const fn draw(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number from 0 to `end` without `end`, each equally likely.
    ///
    /// Lemire, "Fast random integer generation in an interval", ACM TOMACS 2019.
    ///
    /// # Panics
    /// If `end` is 0: there is nothing to choose from.
    pub fn below(&mut self, end: u64) -> u64 {
        assert!(end > 0, "nothing to choose from below 0");
        let unfair_below = end.wrapping_neg() % end;
        loop {
            let wide = u128::from(self.draw()) * u128::from(end);
            let low = u64::try_from(wide & u128::from(u64::MAX)).unwrap_or(u64::MAX);
            if low >= unfair_below {
                return u64::try_from(wide >> 64).unwrap_or(u64::MAX);
            }
        }
    }

    /// True in `percent` of 100 cases.
    pub fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of `choices`, each equally likely.
    ///
    /// # Panics
    /// If there are no choices.
    pub fn one_of<'a, T>(&mut self, choices: &'a [T]) -> &'a T {
        let position = self.below(choices.len() as u64);
        &choices[usize::try_from(position).expect("a position in a slice fits usize")]
    }

    /// Chance for a part of the story, so that drawing more there changes nothing here.
    pub const fn fork(&mut self) -> Self {
        Self::new(self.draw())
    }
}

#[cfg(test)]
mod tests {
    use super::Chance;

    #[test]
    fn draws_what_the_published_source_draws() {
        let mut chance = Chance::new(1_234_567);
        let drawn: Vec<u64> = (0..5).map(|_| chance.draw()).collect();
        assert_eq!(
            drawn,
            [
                6_457_827_717_110_365_317,
                3_203_168_211_198_807_973,
                9_817_491_932_198_370_423,
                4_593_380_528_125_082_431,
                16_408_922_859_458_223_821,
            ]
        );
    }

    #[test]
    fn every_choice_comes_up_about_equally_often() {
        let mut chance = Chance::new(7);
        let mut seen = [0_u32; 6];
        for _ in 0..60_000 {
            seen[usize::try_from(chance.below(6)).unwrap()] += 1;
        }
        assert!(seen.iter().all(|times| (9_500..10_500).contains(times)), "{seen:?}");
        assert!(["web", "till"].contains(chance.one_of(&["web", "till"])));
    }

    #[test]
    fn percentages_hold_and_their_ends_are_certain() {
        let mut chance = Chance::new(11);
        assert!((0..1_000).all(|_| chance.happens(100)));
        assert!((0..1_000).all(|_| !chance.happens(0)));
        let happened = (0..10_000).filter(|_| chance.happens(30)).count();
        assert!((2_800..3_200).contains(&happened), "{happened}");
    }

    #[test]
    fn a_fork_goes_its_own_way() {
        let mut one = Chance::new(3);
        let mut other = Chance::new(3);
        let mut part = one.fork();
        other.fork();
        part.draw();
        assert_eq!(one.draw(), other.draw());
    }
}
