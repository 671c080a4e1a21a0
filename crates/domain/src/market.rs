//! Markets, with their countries, currency, tax treatment and language, and channels: the ways in which customers meet the shop.

pub mod origin;

use crate::refusal::Refusal;
use crate::value::Country;

/// The most countries in one market: all there are.
pub const COUNTRIES_MAX: usize = 249;
/// The coarsest rounding of cash, in minor units.
pub const CASH_ROUNDING_MINOR_MAX: i64 = 10_000;
/// The longest time stock is held, in minutes: thirty days.
pub const HOLD_MINUTES_MAX: i64 = 30 * 24 * 60;
/// The longest life of an untouched cart, in minutes: a year.
pub const CART_EXPIRY_MINUTES_MAX: i64 = 365 * 24 * 60;
/// The longest time an unpaid order waits for its payment, in minutes: ninety days.
pub const PAYMENT_MINUTES_MAX: i64 = 90 * 24 * 60;
/// The longest time goods wait for their customer at the counter, in days.
pub const COLLECT_DAYS_MAX: i64 = 365;
/// The most pieces a channel keeps out of its promise.
pub const STOCK_THRESHOLD_MAX: i64 = 1_000_000;

crate::words! {
    /// On what tax is rounded.
    RoundingLevel {
        /// On each line; the order's tax is their sum.
        Line 1 "line";
        /// On the order; the lines' tax is allocated from it.
        Order 2 "order";
    }
}

crate::words! {
    /// How the customer meets the shop.
    Kind {
        /// A web shop.
        Web 1 "web";
        /// An app on the customer's own device.
        App 2 "app";
        /// A counter in a store.
        Till 3 "till";
        /// Orders taken by telephone.
        Phone 4 "phone";
        /// Orders taken in social networks and messengers.
        Social 5 "social";
        /// Somebody else's market place.
        Marketplace 6 "marketplace";
        /// A program that buys for a person.
        Agent 7 "agent";
        /// Anything else.
        Other 8 "other";
    }
}

crate::words! {
    /// When a channel holds stock for a customer.
    HoldPolicy {
        /// Never: the order takes it from what is there.
        None 1 "none";
        /// When the order is placed, until it is paid.
        AtOrder 2 "at_order";
        /// As soon as it is in the cart, for a time.
        AtCart 3 "at_basket";
    }
}

crate::words! {
    /// When authorised money is taken.
    CapturePolicy {
        /// When the order is placed.
        AtOrder 1 "at_order";
        /// As goods leave.
        AtFulfilment 2 "at_fulfilment";
    }
}

crate::words! {
    /// A means of payment a channel can allow.
    PaymentKind {
        /// Notes and coins.
        Cash 1 "cash";
        /// Money that arrives by a way we only note, such as a bank transfer.
        Manual 2 "manual";
        /// A card taken by a terminal beside us, noted with its reference.
        CardRecord 3 "card_record";
        /// The provider to try things with.
        Test 4 "test";
        /// What was paid for other goods that come back against these; made by exchanges only.
        Exchange 5 "exchange";
        /// A gift card of ours, by its code.
        GiftCard 6 "gift_card";
        /// What we owe the customer who buys.
        StoreCredit 7 "store_credit";
        /// Points of the customer who buys.
        Points 8 "points";
        /// Cards, by Stripe.
        Stripe 9 "stripe";
    }
}

impl PaymentKind {
    /// Is a provider outside asked for it?
    pub const fn has_provider(self) -> bool {
        matches!(self, PaymentKind::Test | PaymentKind::Stripe)
    }

    /// Has the money been taken when the payment is noted?
    pub const fn is_taken_at_once(self) -> bool {
        matches!(self, PaymentKind::Cash | PaymentKind::CardRecord | PaymentKind::Exchange)
    }

    /// Does the money, or what stands for it, lie in a book of ours, where it is set aside at once and spent when it is asked for?
    pub const fn has_book(self) -> bool {
        matches!(self, PaymentKind::GiftCard | PaymentKind::StoreCredit | PaymentKind::Points)
    }

    /// May a channel allow it and a customer choose it?
    pub const fn is_offered(self) -> bool {
        !matches!(self, PaymentKind::Exchange)
    }
}

/// Checks a market's countries, and puts them in order.
///
/// # Errors
/// When there is none, or one is named twice.
pub fn countries(mut countries: Vec<Country>) -> Result<Vec<Country>, Refusal> {
    countries.sort_unstable();
    if countries.is_empty() {
        return Err(Refusal::invalid("countries", "name at least one country"));
    }
    match countries.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => {
            Err(Refusal::invalid("countries", format!("{} is named twice; name each once", pair[0].code())))
        }
        None => Ok(countries),
    }
}

/// Checks that a number is within its bounds, for the field named in the refusal.
///
/// # Errors
/// When it is less than `least` or more than `most`.
pub fn within(field: &'static str, number: i64, least: i64, most: i64) -> Result<i64, Refusal> {
    if (least..=most).contains(&number) {
        return Ok(number);
    }
    Err(Refusal::invalid(field, format!("give {least} to {most}, not {number}")))
}

/// Checks the means of payment of a channel, and puts them in order.
///
/// # Errors
/// When one is named twice.
pub fn payment_kinds(mut kinds: Vec<PaymentKind>) -> Result<Vec<PaymentKind>, Refusal> {
    kinds.sort_unstable();
    if let Some(kind) = kinds.iter().find(|kind| !kind.is_offered()) {
        let message = format!("{} is no means a customer chooses; leave it out", kind.text());
        return Err(Refusal::invalid("payment_kinds", message));
    }
    match kinds.windows(2).find(|pair| pair[0] == pair[1]) {
        Some(pair) => Err(Refusal::invalid(
            "payment_kinds",
            format!("{} is named twice; name each once", pair[0].text()),
        )),
        None => Ok(kinds),
    }
}

/// A till stands somewhere: a channel of that kind needs a location.
///
/// # Errors
/// When it has none.
pub fn till_stands_somewhere(kind: Kind, has_location: bool) -> Result<(), Refusal> {
    if kind == Kind::Till && !has_location {
        return Err(Refusal::invalid("location", "a till stands somewhere; name its location"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_country_and_means_of_payment_once() {
        let (britain, ireland) = (Country::parse("GB").unwrap(), Country::parse("IE").unwrap());
        assert_eq!(countries(vec![ireland, britain]), Ok(vec![britain, ireland]));
        assert_eq!(
            countries(vec![britain, britain]).unwrap_err().message(),
            "GB is named twice; name each once"
        );
        assert!(countries(Vec::new()).is_err());
        assert_eq!(payment_kinds(vec![PaymentKind::Test, PaymentKind::Cash]).unwrap()[0], PaymentKind::Cash);
        assert!(payment_kinds(vec![PaymentKind::Cash; 2]).is_err());
        assert_eq!(
            within("hold_minutes", 0, 1, 9).unwrap_err().to_string(),
            "invalid: hold_minutes: give 1 to 9, not 0"
        );
    }

    #[test]
    fn a_till_has_a_location() {
        assert!(till_stands_somewhere(Kind::Till, false).is_err());
        assert!(till_stands_somewhere(Kind::Till, true).is_ok());
        assert!(till_stands_somewhere(Kind::Web, false).is_ok());
    }
}
