//! Quantities: whole numbers of a base unit, because half a piece or a rounded gram is where stock goes wrong.

use std::fmt;

/// What a variant is counted in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Unit {
    /// Single pieces.
    Piece,
    /// Grams, for goods sold by weight.
    Gram,
    /// Millilitres, for goods sold by volume.
    Millilitre,
    /// Millimetres, for goods sold by length.
    Millimetre,
}

impl Unit {
    /// Every unit.
    pub const ALL: [Unit; 4] = [Unit::Piece, Unit::Gram, Unit::Millilitre, Unit::Millimetre];

    /// The unit's name in files and over the API.
    pub const fn name(self) -> &'static str {
        match self {
            Unit::Piece => "piece",
            Unit::Gram => "gram",
            Unit::Millilitre => "millilitre",
            Unit::Millimetre => "millimetre",
        }
    }

    /// The unit of that name.
    pub fn named(name: &str) -> Option<Unit> {
        Unit::ALL.into_iter().find(|unit| unit.name() == name)
    }
}

/// How much of something: whole base units of a [`Unit`], at least 1 and at most [`Quantity::MAX`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Quantity(i64);

impl Quantity {
    /// The largest quantity of one line: a thousand million base units, so that sums of many lines stay within 64 bits.
    pub const MAX: i64 = 1_000_000_000;

    /// A quantity of this many base units.
    ///
    /// # Errors
    /// [`QuantityError`] when it is not between 1 and [`Quantity::MAX`].
    pub const fn new(units: i64) -> Result<Quantity, QuantityError> {
        if units < 1 || units > Quantity::MAX { Err(QuantityError { units }) } else { Ok(Quantity(units)) }
    }

    /// The number of base units.
    pub const fn units(self) -> i64 {
        self.0
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.0)
    }
}

/// A number that is no quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuantityError {
    units: i64,
}

impl fmt::Display for QuantityError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} is no quantity: give a whole number from 1 to {}", self.units, Quantity::MAX)
    }
}
impl std::error::Error for QuantityError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_positive_bounded_quantities_exist() {
        assert!(Quantity::new(0).is_err());
        assert!(Quantity::new(-1).is_err());
        assert!(Quantity::new(Quantity::MAX + 1).is_err());
        assert_eq!(Quantity::new(Quantity::MAX).map(Quantity::units), Ok(Quantity::MAX));
    }

    #[test]
    fn unit_names_and_back() {
        for unit in Unit::ALL {
            assert_eq!(Unit::named(unit.name()), Some(unit));
        }
    }
}
