//! Refusals: the closed list of reasons for which the shop says no, each with a stable code and words a person can act on.

use std::fmt;

/// What kind of no it is; decides the HTTP status, nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A value in the request is wrong by itself.
    Invalid,
    /// Nobody is signed in, or the credential is not valid.
    Unauthenticated,
    /// Who asks may not do this.
    Forbidden,
    /// The thing does not exist, or may not be seen.
    NotFound,
    /// The thing is in a state in which this cannot be done.
    Conflict,
    /// Somebody changed the thing since it was read.
    Stale,
}

macro_rules! codes {
    ($($code:ident $text:literal $class:ident $meaning:literal;)*) => {
        /// The stable code of a refusal. Codes are never renamed or reused.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Code { $(#[doc = $meaning] $code),* }
        impl Code {
            /// Every code.
            pub const ALL: &'static [Code] = &[$(Code::$code),*];
            /// The code as programs read it.
            pub const fn text(self) -> &'static str { match self { $(Code::$code => $text),* } }
            /// What kind of no it is.
            pub const fn class(self) -> Class { match self { $(Code::$code => Class::$class),* } }
            /// What it means, in one sentence for the documentation.
            pub const fn meaning(self) -> &'static str { match self { $(Code::$code => $meaning),* } }
        }
    };
}

codes! {
    AlreadyExists "already_exists" Conflict "something with this key (number, SKU, e-mail, external id) exists already";
    AmountExceeded "amount_exceeded" Conflict "more money was asked for than is open on the payment or order";
    CartNotOpen "cart_not_open" Conflict "the cart is ordered, merged or expired and cannot change any more";
    CurrencyMismatch "currency_mismatch" Invalid "the currency is not the one of the market, cart or order";
    Forbidden "forbidden" Forbidden "who asks lacks the permission, or has it for another location";
    HoldNotOpen "hold_not_open" Conflict "the hold was posted, released or has expired";
    IdempotencyKeyReused "idempotency_key_reused" Conflict "the idempotency key was used before with another input";
    Invalid "invalid" Invalid "a value in the request cannot be accepted; the field and the reason are named";
    NoConsent "no_consent" Conflict "the person has not agreed to it, or took it back";
    NoPrice "no_price" Conflict "the variant has no price in this channel, market and currency at this instant";
    NoTaxRate "no_tax_rate" Conflict "the tax zone has no rate for the tax class at this instant";
    NotDeliverable "not_deliverable" Conflict "no delivery method serves this address, channel or cart";
    NotFound "not_found" NotFound "nothing with this id exists, or it may not be seen by who asks";
    OutOfStock "out_of_stock" Conflict "fewer pieces can be promised than were asked for";
    PaymentDeclined "payment_declined" Conflict "the payment provider declined";
    PolicyRefuses "policy_refuses" Conflict "the retailer's policy refuses it; who may override policies can allow it with a reason";
    PromotionUsedUp "promotion_used_up" Conflict "a promotion or coupon has not enough left of its limit or budget";
    Referenced "referenced" Conflict "something else still refers to it, so it cannot be removed";
    SignInFailed "sign_in_failed" Unauthenticated "the e-mail and password, session or key are not valid";
    SignInNeeded "sign_in_needed" Unauthenticated "nobody is signed in and no key was given";
    Stale "stale" Stale "it was changed since it was read; read it again and repeat the change";
    TotalChanged "total_changed" Conflict "the total is no longer the one that was shown; show the new one and ask again";
    WrongState "wrong_state" Conflict "the thing is in a state in which this cannot be done";
}

/// A no: its code, what to tell the person, the field at fault if one is, and more such fields if there are several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    code: Code,
    message: String,
    field: Option<String>,
    also: Vec<Refusal>,
}

impl Refusal {
    /// A refusal with words for a person: lower case, naming the thing and what to do.
    pub fn new(code: Code, message: impl Into<String>) -> Refusal {
        Refusal { code, message: message.into(), field: None, also: Vec::new() }
    }

    /// A value that cannot be accepted, with the path of its field, such as `lines.0.quantity`.
    pub fn invalid(field: impl Into<String>, message: impl fmt::Display) -> Refusal {
        Refusal::new(Code::Invalid, message.to_string()).at(field)
    }

    /// Nothing with this id, number or key exists.
    pub fn not_found(what: &str, key: impl fmt::Display) -> Refusal {
        Refusal::new(Code::NotFound, format!("no {what} \"{key}\""))
    }

    /// The same refusal, pointing at a field.
    #[must_use]
    pub fn at(mut self, field: impl Into<String>) -> Refusal {
        self.field = Some(field.into());
        self
    }

    /// The same refusal about a part, such as `items.3`: every field named gets its path; one without a field gets the path itself.
    #[must_use]
    pub fn within(mut self, path: &str) -> Refusal {
        self.field = Some(self.field.map_or_else(|| path.to_owned(), |field| format!("{path}.{field}")));
        self.also = self.also.into_iter().map(|refusal| refusal.within(path)).collect();
        self
    }

    /// One refusal that names every bad field; `None` when there is none.
    pub fn all(refusals: Vec<Refusal>) -> Option<Refusal> {
        let mut each = refusals.into_iter().flat_map(|mut refusal| {
            let also = std::mem::take(&mut refusal.also);
            std::iter::once(refusal).chain(also)
        });
        let mut first = each.next()?;
        first.also = each.collect();
        Some(first)
    }

    /// The stable code.
    pub const fn code(&self) -> Code {
        self.code
    }

    /// The words for a person.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The path of the field at fault.
    pub fn field(&self) -> Option<&str> {
        self.field.as_deref()
    }

    /// This refusal and the others named with it.
    pub fn each(&self) -> impl Iterator<Item = &Refusal> {
        std::iter::once(self).chain(self.also.iter())
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.field {
            Some(field) => write!(out, "{}: {field}: {}", self.code.text(), self.message),
            None => write!(out, "{}: {}", self.code.text(), self.message),
        }
    }
}
impl std::error::Error for Refusal {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_unique_and_in_order() {
        let texts: Vec<_> = Code::ALL.iter().map(|code| code.text()).collect();
        let mut sorted = texts.clone();
        sorted.sort_unstable();
        sorted.dedup();
        assert_eq!(texts, sorted);
    }

    #[test]
    fn every_bad_field_is_named() {
        let refusal = Refusal::all(vec![
            Refusal::invalid("name", "is empty"),
            Refusal::invalid("lines.0.quantity", "is 0"),
        ])
        .unwrap();
        let fields: Vec<_> = refusal.each().filter_map(Refusal::field).collect();
        assert_eq!(fields, ["name", "lines.0.quantity"]);
        assert!(Refusal::all(vec![]).is_none());
        let both = Refusal::all(vec![
            refusal.within("items.0"),
            Refusal::invalid("name", "is empty").within("items.1"),
        ]);
        let both = both.unwrap();
        let fields: Vec<_> = both.each().filter_map(Refusal::field).collect();
        assert_eq!(fields, ["items.0.name", "items.0.lines.0.quantity", "items.1.name"]);
    }
}
