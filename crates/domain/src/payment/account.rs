//! Payment accounts: where the retailer has payments taken, and which account takes a payment.

use crate::market::PaymentKind;
use crate::value::id::Channel;
use crate::value::{Currency, Id};
use crate::words;

words! {
    /// Whose account it is.
    Kind {
        /// Stripe's.
        Stripe 1 "stripe";
    }
}

impl Kind {
    /// The means of payment it takes.
    pub const fn takes(self) -> PaymentKind {
        match self {
            Kind::Stripe => PaymentKind::Stripe,
        }
    }

    /// Where it is asked when the retailer names no other address.
    pub const fn url(self) -> &'static str {
        match self {
            Kind::Stripe => "https://api.stripe.com",
        }
    }
}

/// What an account takes; nothing named means everything.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Scope {
    /// Only payments of this channel.
    pub channel: Option<Id<Channel>>,
    /// Only payments in this currency.
    pub currency: Option<Currency>,
}

impl Scope {
    /// How particular the account is about a payment: the most particular takes it; `None` when it does not.
    pub fn fit(&self, channel: Id<Channel>, currency: Currency) -> Option<u8> {
        let of_channel = self.channel.is_none_or(|own| own == channel);
        let of_currency = self.currency.is_none_or(|own| own == currency);
        let particular = 2 * u8::from(self.channel.is_some()) + u8::from(self.currency.is_some());
        (of_channel && of_currency).then_some(particular)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_most_particular_account_fits_best() {
        let (web, till) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        let (pounds, euros) = (Currency::parse("GBP").unwrap(), Currency::parse("EUR").unwrap());
        let scope = |channel, currency| Scope { channel, currency };
        assert_eq!(scope(None, None).fit(web, pounds), Some(0));
        assert_eq!(scope(None, Some(pounds)).fit(web, pounds), Some(1));
        assert_eq!(scope(Some(web), None).fit(web, pounds), Some(2));
        assert_eq!(scope(Some(web), Some(pounds)).fit(web, pounds), Some(3));
        assert_eq!(scope(Some(till), None).fit(web, pounds), None);
        assert_eq!(scope(Some(web), Some(euros)).fit(web, pounds), None);
    }
}
