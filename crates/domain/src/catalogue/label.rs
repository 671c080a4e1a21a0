//! Labels of the shop's own scales: which variant a printed code means, and the price or weight of the piece in hand.

use super::Barcode;
use crate::refusal::Refusal;
use crate::value::gtin::variable::{Measure, Measured, VariableMeasure};

/// How the scales lay out codes of one prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    /// The first two digits: `02`, or `20` to `29`.
    pub prefix: String,
    /// Digits of the shop's number of the goods.
    pub item_digits: i64,
    /// Digits of price or weight.
    pub value_digits: i64,
    /// What the value says.
    pub measure: Measure,
    /// Does a check digit of its own stand before the value?
    pub verified: bool,
}

/// What a code of a layout says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Weighed {
    /// The internal barcode under which the variant is known: prefix and item number, such as `281027`.
    pub barcode: Barcode,
    /// Price or weight, and how much.
    pub measured: Measured,
}

impl Layout {
    /// Checks the layout.
    ///
    /// # Errors
    /// The refusal says what does not fit together.
    pub fn checked(self) -> Result<Layout, Refusal> {
        self.measure()?;
        Ok(self)
    }

    fn measure(&self) -> Result<VariableMeasure, Refusal> {
        let digits = |field: &str, number: i64| {
            u8::try_from(number).map_err(|_| Refusal::invalid(field, "give 1 to 9 digits"))
        };
        let (item, value) =
            (digits("item_digits", self.item_digits)?, digits("value_digits", self.value_digits)?);
        VariableMeasure::new(&self.prefix, item, value, self.measure, self.verified)
            .map_err(|error| Refusal::invalid("prefix", error))
    }
}

/// What the code of a scale says; nothing when it is of no layout.
///
/// # Errors
/// The refusal says that the label was misread.
pub fn read(layouts: &[Layout], scanned: &Barcode) -> Result<Option<Weighed>, Refusal> {
    let Barcode::Gtin(gtin) = scanned else { return Ok(None) };
    for layout in layouts {
        let measured = layout.measure()?.read(*gtin).map_err(|error| Refusal::invalid("code", error))?;
        if let Some(measured) = measured {
            let width = usize::try_from(layout.item_digits).unwrap_or(0);
            let code = format!("{}{:0width$}", layout.prefix, measured.item);
            let barcode = Barcode::internal(&code).map_err(|error| Refusal::invalid("code", error))?;
            return Ok(Some(Weighed { barcode, measured }));
        }
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scales_label_names_the_goods_and_the_weight() {
        let layout = Layout {
            prefix: "28".into(),
            item_digits: 4,
            value_digits: 5,
            measure: Measure::Weight,
            verified: true,
        };
        let layouts = [layout.clone().checked().unwrap()];
        let weighed = read(&layouts, &Barcode::scanned("2810275005024").unwrap()).unwrap().unwrap();
        assert_eq!((weighed.barcode.key().as_str(), weighed.measured.value), ("281027", 502));
        assert_eq!(read(&layouts, &Barcode::scanned("4006381333931").unwrap()), Ok(None));
        assert!(Layout { item_digits: 3, ..layout.clone() }.checked().is_err());
        assert!(Layout { item_digits: -1, ..layout }.checked().is_err());
    }
}
