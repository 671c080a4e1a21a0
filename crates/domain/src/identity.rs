//! What a person is known by in every channel: kinds of identifiers, their normal form, and how far a sender of them is trusted.

pub mod graph;
pub mod rule;

use std::fmt;

use crate::value::text::bounded;
use crate::value::{Email, Phone};
use crate::words;

/// The most characters of an identifier's value.
pub const VALUE_CHARS_MAX: usize = 255;
/// The most characters of the name of another system.
pub const SYSTEM_CHARS_MAX: usize = 60;

words! {
    /// What sort of thing a person is known by.
    Kind {
        /// A customer of this shop.
        Customer 1 "customer";
        /// The id under which somebody signs in; the same as a customer's external id.
        UserId 2 "user_id";
        /// The number on a loyalty card.
        LoyaltyNumber 3 "loyalty_number";
        /// An id of another system that is named.
        External 4 "external";
        /// What a payment provider calls a card.
        CardToken 5 "card_token";
        /// An e-mail address.
        Email 6 "email";
        /// A phone number.
        Phone 7 "phone";
        /// A device or an installed app.
        DeviceId 8 "device_id";
        /// A browser before anybody signed in.
        AnonymousId 9 "anonymous_id";
    }
}

words! {
    /// How far what somebody says of a person is believed.
    Trust {
        /// Anybody may have said it: the key to say so stands in a page.
        Public 1 "public";
        /// A program of the retailer's said it, with a secret key.
        Authenticated 2 "authenticated";
        /// Tandem knows it from its own books.
        Internal 3 "internal";
        /// Somebody decided it.
        Decided 4 "decided";
    }
}

words! {
    /// A part of what is known of a person, which is shown by itself.
    Part {
        /// Name, addresses, mail and phone.
        Contact 1 "contact";
        /// What files of other systems say.
        Records 2 "records";
        /// What the person is known by.
        Profile 3 "profile";
        /// What was agreed to.
        Consents 4 "consents";
        /// What the person prefers, and what fits.
        Preferences 5 "preferences";
        /// What colleagues noted.
        Notes 6 "notes";
        /// What was sent.
        Messages 7 "messages";
        /// What was done on pages and in apps.
        Behaviour 8 "behaviour";
        /// When somebody was there in one go.
        Visits 9 "visits";
        /// Everything that happened, in one line.
        Timeline 10 "timeline";
        /// The segments somebody belongs to.
        Segments 11 "segments";
        /// What was reckoned from what somebody did.
        Traits 12 "traits";
        /// Everything that is kept, in one document.
        Archive 13 "archive";
    }
}

impl Kind {
    /// Does it name a browser or device rather than a person?
    pub const fn is_anonymous(self) -> bool {
        matches!(self, Kind::AnonymousId | Kind::DeviceId)
    }

    /// May a sender with this trust say it of somebody? What stands in a page says nothing that a stranger may know of a person, such as a
    /// mail address; which customer it is says nobody but we.
    pub fn may_be_said(self, trust: Trust) -> bool {
        match self {
            Kind::Customer => trust >= Trust::Internal,
            Kind::UserId | Kind::DeviceId | Kind::AnonymousId => true,
            _ => trust >= Trust::Authenticated,
        }
    }
}

impl Trust {
    /// May a sender with this trust say that these two are one person? A public one may only tell whose a browser or device is.
    pub fn may_link(self, one: Kind, other: Kind) -> bool {
        self > Trust::Public || one.is_anonymous() || other.is_anonymous()
    }
}

/// What somebody is known by, in its normal form. Its debug form hides the value.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Identifier {
    kind: Kind,
    system: Option<String>,
    value: String,
}

impl Identifier {
    /// Brings a value into its normal form: addresses as mail is looked up, phone numbers in E.164, numbers without spaces and dashes.
    ///
    /// # Errors
    /// What is wrong with it, without repeating it.
    pub fn new(kind: Kind, system: Option<&str>, value: &str) -> Result<Identifier, String> {
        let text = bounded("value", value, 1, VALUE_CHARS_MAX).map_err(|error| error.to_string())?;
        let value = match kind {
            Kind::Email => Email::parse(&text).map_err(|error| error.to_string())?.lookup_form(),
            Kind::Phone => Phone::parse(&text, None).map_err(|error| error.to_string())?.as_str().to_owned(),
            Kind::LoyaltyNumber => {
                text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect::<String>().to_uppercase()
            }
            _ => text,
        };
        let system = match (kind, system) {
            (Kind::External, Some(name)) => {
                let name = bounded("system", name, 1, SYSTEM_CHARS_MAX).map_err(|error| error.to_string())?;
                Some(name.to_lowercase())
            }
            (Kind::External, None) => return Err("name the system whose id it is".into()),
            (_, Some(_)) => {
                return Err(format!("only an external id has a system, a {} has none", kind.text()));
            }
            (_, None) => None,
        };
        if is_nobody(&value) {
            return Err("this value stands for nobody".into());
        }
        Ok(Identifier { kind, system, value })
    }

    /// What sort of thing it is.
    pub const fn kind(&self) -> Kind {
        self.kind
    }

    /// The normal form.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Under which word its keyed hash is made, so that the same text means another thing in another kind or system.
    pub fn label(&self) -> String {
        self.system
            .as_ref()
            .map_or_else(|| self.kind.text().to_owned(), |system| format!("external:{system}"))
    }
}

impl fmt::Debug for Identifier {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Identifier({} hidden)", self.kind.text())
    }
}

/// Does a value stand for nobody, as programs send when they know no better?
fn is_nobody(value: &str) -> bool {
    const WORDS: [&str; 12] = [
        "-1",
        "null",
        "undefined",
        "none",
        "nil",
        "anonymous",
        "guest",
        "unknown",
        "n/a",
        "true",
        "false",
        "[object object]",
    ];
    value.is_empty()
        || value.chars().all(|character| matches!(character, '0' | '-'))
        || WORDS.contains(&value.to_lowercase().as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_take_their_normal_form() {
        let of = |kind, value| Identifier::new(kind, None, value).map(|one| one.value().to_owned());
        assert_eq!(of(Kind::Email, " Ada@Example.COM ").unwrap(), "ada@example.com");
        assert_eq!(of(Kind::Phone, "+44 20 7946 0958").unwrap(), "+442079460958");
        assert!(of(Kind::Phone, "020 7946 0958").is_err(), "of which country?");
        assert_eq!(of(Kind::LoyaltyNumber, "ab 12-34").unwrap(), "AB1234");
        assert!(of(Kind::UserId, &"x".repeat(VALUE_CHARS_MAX + 1)).is_err());
        let shopify = Identifier::new(Kind::External, Some("Shopify"), "77").unwrap();
        assert_eq!(
            (shopify.label().as_str(), format!("{shopify:?}").as_str()),
            ("external:shopify", "Identifier(external hidden)")
        );
        assert!(Identifier::new(Kind::External, None, "77").is_err());
        assert!(Identifier::new(Kind::UserId, Some("shopify"), "77").is_err());
    }

    #[test]
    fn who_is_nobody_is_nobody() {
        for value in
            ["0", "00000000-0000-0000-0000-000000000000", "NULL", "-1", "undefined", "[object Object]", " "]
        {
            assert!(Identifier::new(Kind::AnonymousId, None, value).is_err(), "{value}");
        }
    }

    #[test]
    fn a_page_tells_only_whose_a_browser_is() {
        assert!(!Kind::Email.may_be_said(Trust::Public) && Kind::Email.may_be_said(Trust::Authenticated));
        assert!(!Kind::Customer.may_be_said(Trust::Authenticated));
        assert!(Trust::Public.may_link(Kind::UserId, Kind::AnonymousId));
        assert!(!Trust::Public.may_link(Kind::UserId, Kind::UserId));
    }
}
