//! Substitutes: what a picker may put in the place of something that is not there, if the customer allows it, and what it costs then.

use crate::order::share;
use crate::tax::Taxed;
use crate::value::Id;
use crate::value::id::Variant;
use crate::words;

words! {
    /// What a customer allows when something is not there.
    Allowed {
        /// Nothing else.
        None 1 "none";
        /// What the retailer holds to be similar.
        Similar 2 "similar";
        /// Only what the customer named.
        Named 3 "named";
    }
}

/// What may take the place of a variant, the best first: what the retailer's rules name, as far as the customer allows it.
pub fn choices(allowed: Allowed, named: &[Id<Variant>], rules: &[Id<Variant>]) -> Vec<Id<Variant>> {
    match allowed {
        Allowed::None => Vec::new(),
        Allowed::Similar => rules.to_vec(),
        Allowed::Named => rules.iter().filter(|variant| named.contains(variant)).copied().collect(),
    }
}

/// The amounts of a line of which units are replaced: `whole` units, of which `done` went another way before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replaced {
    /// The line's amounts.
    pub line: Taxed,
    /// Its units.
    pub whole: i64,
    /// Units that were cancelled or came back before.
    pub done: i64,
    /// Units that are replaced.
    pub units: i64,
}

impl Replaced {
    /// What the replaced units cost as they were sold.
    pub fn sold(&self) -> Taxed {
        let part = |amount| share(amount, self.whole, self.done, self.units);
        let (gross_minor, net_minor) = (part(self.line.gross_minor), part(self.line.net_minor));
        Taxed { net_minor, tax_minor: gross_minor - net_minor, gross_minor }
    }

    /// What the substitute costs in their place: never more than they did.
    pub fn charged(&self, listed: Option<Taxed>) -> Taxed {
        let sold = self.sold();
        listed.filter(|listed| listed.gross_minor < sold.gross_minor).unwrap_or(sold)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taxed(net_minor: i64, gross_minor: i64) -> Taxed {
        Taxed { net_minor, tax_minor: gross_minor - net_minor, gross_minor }
    }

    #[test]
    fn the_customer_decides_and_the_retailer_offers() {
        let [cup, jug, pot] = [1, 2, 3].map(|number| Id::from_bytes([number; 16]));
        assert_eq!(choices(Allowed::None, &[cup], &[cup, jug]), []);
        assert_eq!(choices(Allowed::Similar, &[], &[jug, cup]), [jug, cup]);
        assert_eq!(choices(Allowed::Named, &[pot, cup], &[jug, cup]), [cup], "in the retailer's order");
    }

    #[test]
    fn a_substitute_is_never_dearer() {
        let replaced = Replaced { line: taxed(833, 1000), whole: 3, done: 1, units: 2 };
        assert_eq!(replaced.sold(), taxed(555, 667), "the last two of three carry the rest");
        assert_eq!(replaced.charged(Some(taxed(800, 960))), taxed(555, 667));
        assert_eq!(replaced.charged(Some(taxed(417, 500))), taxed(417, 500));
        assert_eq!(replaced.charged(None), taxed(555, 667), "what has no price costs what was sold");
    }
}
