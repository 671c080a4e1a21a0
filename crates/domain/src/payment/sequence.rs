//! In which sequence several means on one order are taken, and in which they are given back.

use crate::payment::Kind;
use crate::refusal::Refusal;
use crate::words;

words! {
    /// The sequence of means that are not named, and of several of one kind.
    Rest {
        /// As they were given.
        AsGiven 1 "as_given";
        /// The one given last first.
        LatestFirst 2 "latest_first";
    }
}

/// Which means come first, second, third; those that are not named come after them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sequence {
    kinds: Vec<Kind>,
    rest: Rest,
}

impl Sequence {
    /// A sequence of means, each named once.
    ///
    /// # Errors
    /// [`crate::Code::Invalid`] at `field` for one that is named twice.
    pub fn new(field: &str, kinds: Vec<Kind>, rest: Rest) -> Result<Sequence, Refusal> {
        let twice = |(place, kind): &(usize, &Kind)| kinds[..*place].contains(kind);
        if let Some((place, kind)) = kinds.iter().enumerate().find(twice) {
            let message = format!("{} is named before; name each means once", kind.text());
            return Err(Refusal::invalid(format!("{field}.{place}"), message));
        }
        Ok(Sequence { kinds, rest })
    }

    /// All as they were given.
    pub const fn as_given() -> Sequence {
        Sequence { kinds: Vec::new(), rest: Rest::AsGiven }
    }

    /// The means that come first.
    pub fn kinds(&self) -> &[Kind] {
        &self.kinds
    }

    /// The sequence of the rest.
    pub const fn rest(&self) -> Rest {
        self.rest
    }

    /// Brings means, which stand as they were given, into this sequence.
    pub fn arrange<T>(&self, means: &mut [T], kind: impl Fn(&T) -> Kind) {
        if self.rest == Rest::LatestFirst {
            means.reverse();
        }
        let place = |one: &T| {
            let own = kind(one);
            self.kinds.iter().position(|named| *named == own).unwrap_or(self.kinds.len())
        };
        means.sort_by_key(place);
    }
}

/// How the means of one order follow each other.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rule {
    /// When money is taken.
    pub capture: Sequence,
    /// When money is given back.
    pub refund: Sequence,
}

impl Rule {
    /// When nothing is set: taken and given back as they were given.
    pub const fn usual() -> Rule {
        Rule { capture: Sequence::as_given(), refund: Sequence::as_given() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn named_means_come_first_and_the_rest_as_it_was_given_or_reversed() {
        let given =
            [(1, Kind::GiftCard), (2, Kind::Test), (3, Kind::Points), (4, Kind::GiftCard), (5, Kind::Cash)];
        let arranged = |kinds: &[Kind], rest| {
            let mut means = given.to_vec();
            Sequence::new("kinds", kinds.to_vec(), rest).unwrap().arrange(&mut means, |one| one.1);
            means.iter().map(|one| one.0).collect::<Vec<_>>()
        };
        assert_eq!(arranged(&[], Rest::AsGiven), [1, 2, 3, 4, 5]);
        assert_eq!(arranged(&[], Rest::LatestFirst), [5, 4, 3, 2, 1]);
        assert_eq!(arranged(&[Kind::Points, Kind::GiftCard], Rest::AsGiven), [3, 1, 4, 2, 5]);
        assert_eq!(arranged(&[Kind::Test, Kind::GiftCard], Rest::LatestFirst), [2, 4, 1, 5, 3]);
        let twice = Sequence::new("capture.kinds", vec![Kind::Test, Kind::Cash, Kind::Test], Rest::AsGiven);
        assert_eq!(twice.unwrap_err().field(), Some("capture.kinds.2"));
    }
}
