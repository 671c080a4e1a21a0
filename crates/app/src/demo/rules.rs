//! The named rules by which each line of the source finds where it belongs: what is sold, what comes back, what only moves
//! stock, and what is bookkeeping that no shop counter ever sees. Every line falls under exactly one.

use std::fmt;

use super::amount::Exact;
use super::class::Class;

/// What a stock code stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meaning {
    /// Something on a shelf: every code not named below.
    Goods,
    /// `POST`, `DOT`, `C2`.
    Delivery,
    /// `M`.
    Manual,
    /// `gift_…`.
    GiftCard,
    /// `D`.
    Discount,
    /// A cost or income of the office; always under this class.
    Office(Class),
}

/// What a stock code stands for, whatever its letter case.
#[must_use]
pub fn meaning(stock_code: &str) -> Meaning {
    match stock_code.to_ascii_uppercase().as_str() {
        "POST" | "DOT" | "C2" => Meaning::Delivery,
        "M" => Meaning::Manual,
        "D" => Meaning::Discount,
        "S" => Meaning::Office(Class::Samples),
        "B" => Meaning::Office(Class::BadDebt),
        "AMAZONFEE" => Meaning::Office(Class::MarketplaceFee),
        "BANK CHARGES" => Meaning::Office(Class::BankCharge),
        "CRUK" => Meaning::Office(Class::CharityCommission),
        code if code.starts_with("GIFT_") => Meaning::GiftCard,
        _ => Meaning::Goods,
    }
}

/// What the rules must know of the invoice a line stands on.
#[derive(Clone, Copy, Debug)]
pub struct Heading {
    /// `C` for a cancellation, `A` for an adjustment of debts.
    pub letter: Option<char>,
    /// Whether there is no customer number.
    pub guest: bool,
    /// Whether any line has a price.
    pub priced: bool,
}

/// What the rules must know of a line.
#[derive(Clone, Copy, Debug)]
pub struct Entry<'a> {
    /// What its stock code stands for.
    pub meaning: Meaning,
    /// The description, which is a remark where stock is corrected.
    pub remark: &'a str,
    /// Pieces.
    pub quantity: i64,
    /// Per piece.
    pub unit_price: Exact,
}

/// A line none of the rules was made for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NoRule(&'static str);

impl fmt::Display for NoRule {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}; no rule covers this, add one before replaying such a file", self.0)
    }
}

/// The rule a line falls under, read from top to bottom: the first that fits. Goods coming back are all
/// [`Class::ReturnWithoutKnownSale`] and the like here; [`super::matching`] then looks for their sales.
///
/// # Errors
/// The line is of a kind the source does not have, so that nobody has decided what to do with it.
pub fn classify(heading: Heading, entry: Entry<'_>) -> Result<Class, NoRule> {
    if entry.quantity == 0 {
        return Err(NoRule("quantity is 0"));
    }
    if let Meaning::Office(class) = entry.meaning {
        return Ok(class);
    }
    if entry.unit_price < Exact::default() {
        return Err(NoRule("unit price is negative"));
    }
    match heading.letter {
        None if heading.guest && !heading.priced => Ok(one_sided(entry)),
        None if entry.quantity < 0 => {
            Err(NoRule("quantity is negative on an invoice that is no cancellation"))
        }
        None => sold(heading, entry),
        Some('C') if entry.quantity < 0 => Ok(taken_back(heading, entry)),
        Some('C') => Err(NoRule("quantity is positive on a cancellation")),
        Some(_) => Err(NoRule("invoice begins with a letter other than C or A")),
    }
}

fn one_sided(entry: Entry<'_>) -> Class {
    match entry.meaning {
        Meaning::Goods if entry.quantity > 0 => Class::StockFound,
        Meaning::Goods if speaks_of_damage(entry.remark) => Class::StockDamaged,
        Meaning::Goods => Class::StockCorrectedDown,
        _ => Class::NoEffect,
    }
}

fn sold(heading: Heading, entry: Entry<'_>) -> Result<Class, NoRule> {
    match entry.meaning {
        Meaning::Goods if entry.unit_price == Exact::default() => Ok(Class::FreeOfCharge),
        Meaning::Goods if entry.unit_price != Exact::from_minor(entry.unit_price.to_minor_half_up()) => {
            Ok(Class::SubPenny)
        }
        Meaning::Goods if heading.guest => Ok(Class::GoodsSoldToGuest),
        Meaning::Goods => Ok(Class::GoodsSold),
        Meaning::Delivery => Ok(Class::DeliveryCharged),
        Meaning::Manual => Ok(Class::ServiceSold),
        Meaning::GiftCard => Ok(Class::GiftCardSold),
        Meaning::Discount => Err(NoRule("discount outside a cancellation")),
        Meaning::Office(class) => Ok(class),
    }
}

fn taken_back(heading: Heading, entry: Entry<'_>) -> Class {
    match entry.meaning {
        Meaning::Goods if heading.guest => Class::ReturnByGuest,
        Meaning::Goods => Class::ReturnWithoutKnownSale,
        Meaning::Delivery => Class::DeliveryCredited,
        Meaning::Manual | Meaning::GiftCard => Class::ServiceCredited,
        Meaning::Discount => Class::DiscountAfterwards,
        Meaning::Office(class) => class,
    }
}

/// Parts of words as the warehouse wrote them, misspellings included.
const DAMAGE: [&str; 17] = [
    "dama", "dagam", "broken", "breakage", "crack", "crush", "smash", "wet", "water", "rust", "mould",
    "faulty", "throw", "destroy", "unsale", "dispos", "rotting",
];

fn speaks_of_damage(remark: &str) -> bool {
    // Remarks are written by hand; a product's own name in capitals ("RUSTIC …", "WATERING CAN") is not a remark.
    let by_hand = remark.chars().any(|letter| letter.is_ascii_lowercase());
    let remark = remark.to_ascii_lowercase();
    (by_hand || !remark.contains(' ')) && DAMAGE.iter().any(|part| remark.contains(part))
}

#[cfg(test)]
mod tests {
    use super::{Entry, Heading, Meaning, classify, meaning};
    use crate::demo::amount::Exact;
    use crate::demo::class::Class;

    const ORDER: Heading = Heading { letter: None, guest: false, priced: true };
    const GUEST_ORDER: Heading = Heading { guest: true, ..ORDER };
    const STOCK_ENTRY: Heading = Heading { letter: None, guest: true, priced: false };
    const BACK: Heading = Heading { letter: Some('C'), guest: false, priced: true };

    fn line(heading: Heading, code: &str, quantity: i64, ten_thousandths: i64) -> Result<Class, String> {
        remarked(heading, code, quantity, ten_thousandths, "CREAM MUG")
    }

    fn remarked(
        heading: Heading,
        code: &str,
        quantity: i64,
        price: i64,
        remark: &str,
    ) -> Result<Class, String> {
        let entry = Entry {
            meaning: meaning(code),
            remark,
            quantity,
            unit_price: Exact::from_ten_thousandths(price),
        };
        classify(heading, entry).map_err(|refused| refused.to_string())
    }

    #[test]
    fn sales_fall_under_the_rule_of_their_code_and_price() {
        assert_eq!(line(ORDER, "85123A", 6, 25_500), Ok(Class::GoodsSold));
        assert_eq!(line(GUEST_ORDER, "85123A", 6, 25_500), Ok(Class::GoodsSoldToGuest));
        assert_eq!(line(GUEST_ORDER, "85123A", 6, 0), Ok(Class::FreeOfCharge));
        assert_eq!(line(ORDER, "PADS", 1, 10), Ok(Class::SubPenny));
        assert_eq!(line(ORDER, "m", 1, 25_500), Ok(Class::ServiceSold));
        assert_eq!(line(GUEST_ORDER, "gift_0001_20", 1, 166_700), Ok(Class::GiftCardSold));
        assert_eq!(line(ORDER, "POST", 3, 180_000), Ok(Class::DeliveryCharged));
        assert_eq!(meaning("DCGSSBOY"), Meaning::Goods);
    }

    #[test]
    fn what_comes_back_is_told_from_what_is_only_credited() {
        assert_eq!(line(BACK, "85123A", -6, 25_500), Ok(Class::ReturnWithoutKnownSale));
        assert_eq!(line(Heading { guest: true, ..BACK }, "85123A", -6, 25_500), Ok(Class::ReturnByGuest));
        assert_eq!(line(BACK, "D", -1, 275_000), Ok(Class::DiscountAfterwards));
        assert_eq!(line(BACK, "POST", -1, 180_000), Ok(Class::DeliveryCredited));
        assert_eq!(line(BACK, "M", -1, 180_000), Ok(Class::ServiceCredited));
    }

    #[test]
    fn entries_without_price_and_customer_move_only_stock() {
        assert_eq!(remarked(STOCK_ENTRY, "22139", 50, 0, "found"), Ok(Class::StockFound));
        assert_eq!(remarked(STOCK_ENTRY, "22139", -9, 0, "wet damaged"), Ok(Class::StockDamaged));
        assert_eq!(
            remarked(STOCK_ENTRY, "22139", -9, 0, "sold as set on dotcom"),
            Ok(Class::StockCorrectedDown)
        );
        assert_eq!(
            remarked(STOCK_ENTRY, "46000", -9, 0, "ENAMEL WATERING CAN CREAM"),
            Ok(Class::StockCorrectedDown)
        );
        assert_eq!(remarked(STOCK_ENTRY, "DOT", 1, 0, ""), Ok(Class::NoEffect));
    }

    #[test]
    fn the_office_keeps_its_own_lines_whatever_the_invoice() {
        let debts = Heading { letter: Some('A'), ..GUEST_ORDER };
        assert_eq!(line(debts, "B", 1, -110_620_600), Ok(Class::BadDebt));
        assert_eq!(line(BACK, "AMAZONFEE", -1, 50_000), Ok(Class::MarketplaceFee));
        assert_eq!(line(ORDER, "BANK CHARGES", 1, 150_000), Ok(Class::BankCharge));
        assert_eq!(line(BACK, "CRUK", -1, 150_000), Ok(Class::CharityCommission));
        assert_eq!(line(BACK, "S", -1, 150_000), Ok(Class::Samples));
    }

    #[test]
    fn what_the_source_never_has_is_refused() {
        let refused =
            |heading, quantity, price| line(heading, "85123A", quantity, price).expect_err("no rule");
        assert!(refused(ORDER, 0, 100).starts_with("quantity is 0;"));
        assert!(
            refused(ORDER, -1, 100)
                .starts_with("quantity is negative on an invoice that is no cancellation;")
        );
        assert!(refused(BACK, 1, 100).starts_with("quantity is positive on a cancellation;"));
        assert!(refused(ORDER, 1, -100).starts_with("unit price is negative;"));
        assert!(
            refused(Heading { letter: Some('X'), ..ORDER }, 1, 100)
                .starts_with("invoice begins with a letter")
        );
        assert!(line(ORDER, "D", 1, 100).expect_err("no rule").starts_with("discount outside"));
    }
}
