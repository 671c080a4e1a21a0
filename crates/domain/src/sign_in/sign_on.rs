//! The retailer's own sign-on: another program says who somebody is, in a token that it signed. What is looked at before it is believed, as in
//! [OpenID Connect](https://openid.net/specs/openid-connect-core-1_0.html), section 3.1.3.7.

/// For how long somebody may be away at the sign-on, in seconds.
pub const AWAY_SECONDS: i64 = 600;
/// How far the sign-on's clock may be from ours, in seconds.
pub const CLOCK_SECONDS: i64 = 60;
/// The most characters of a subject.
pub const SUBJECT_CHARS_MAX: usize = 255;
/// The most sign-ons of a retailer.
pub const PROVIDERS_MAX: i64 = 50;

/// Whom a sign-on lets in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Customers; who is new becomes one.
    Customers,
    /// Members of staff who are known already.
    Staff,
}

impl Audience {
    /// The number it is kept as.
    pub const fn code(self) -> i64 {
        match self {
            Audience::Customers => 1,
            Audience::Staff => 2,
        }
    }

    /// The audience of a number.
    pub const fn coded(code: i64) -> Option<Audience> {
        match code {
            1 => Some(Audience::Customers),
            2 => Some(Audience::Staff),
            _ => None,
        }
    }

    /// As it is written.
    pub const fn text(self) -> &'static str {
        match self {
            Audience::Customers => "customers",
            Audience::Staff => "staff",
        }
    }

    /// The audience of a word.
    ///
    /// # Errors
    /// What there is.
    pub fn parse(text: &str) -> Result<Audience, &'static str> {
        let found = [Audience::Customers, Audience::Staff].into_iter().find(|one| one.text() == text);
        found.ok_or("give customers or staff")
    }
}

/// What a token says, once its signature was found right.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Claims {
    /// Who says it.
    pub issuer: String,
    /// For whom it is.
    pub audiences: Vec<String>,
    /// Who asked for it, where that is said.
    pub asked_by: Option<String>,
    /// Who signed in, in the issuer's own words.
    pub subject: String,
    /// When it ends, in seconds since 1970.
    pub expires_at: i64,
    /// When it was made, in seconds since 1970.
    pub issued_at: i64,
    /// What we gave along, so that no other token is put in its place.
    pub nonce: Option<String>,
    /// An e-mail address.
    pub email: Option<String>,
    /// Has the issuer seen that it is that person's?
    pub is_email_verified: bool,
    /// What to call the person.
    pub name: Option<String>,
}

/// What a token must say to be believed.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'e> {
    /// Who has to say it.
    pub issuer: &'e str,
    /// Who we are to the issuer.
    pub client_id: &'e str,
    /// What we gave along.
    pub nonce: &'e str,
    /// The time, in seconds since 1970.
    pub now: i64,
}

impl Claims {
    /// Why it is not believed; none when it is.
    pub fn doubt(&self, expected: &Expected<'_>) -> Option<&'static str> {
        let by_us = |asked_by: &String| asked_by == expected.client_id;
        if self.issuer != expected.issuer {
            return Some("another issuer made it");
        }
        if !self.audiences.iter().any(by_us) {
            return Some("it is for somebody else");
        }
        if !self.asked_by.as_ref().map_or(self.audiences.len() == 1, by_us) {
            return Some("somebody else asked for it");
        }
        if self.expires_at.saturating_add(CLOCK_SECONDS) <= expected.now {
            return Some("it has expired");
        }
        let age = expected.now.saturating_sub(self.issued_at);
        if !(-CLOCK_SECONDS..=AWAY_SECONDS + CLOCK_SECONDS).contains(&age) {
            return Some("it was not made just now");
        }
        if self.nonce.as_deref() != Some(expected.nonce) {
            return Some("it belongs to another sign-in");
        }
        let is_subject = (1..=SUBJECT_CHARS_MAX).contains(&self.subject.chars().count());
        (!is_subject).then_some("it does not say who signed in")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn good() -> Claims {
        Claims {
            issuer: "https://id.example".into(),
            audiences: vec!["shop".into()],
            subject: "42".into(),
            expires_at: 1_600,
            issued_at: 1_000,
            nonce: Some("n".into()),
            ..Claims::default()
        }
    }

    #[test]
    fn a_token_is_believed_only_as_a_whole() {
        let expected = Expected { issuer: "https://id.example", client_id: "shop", nonce: "n", now: 1_000 };
        assert_eq!(good().doubt(&expected), None);
        let two = vec!["shop".into(), "till".into()];
        assert_eq!(
            Claims { audiences: two.clone(), asked_by: Some("shop".into()), ..good() }.doubt(&expected),
            None
        );
        for (claims, why) in [
            (Claims { issuer: "https://id.example/".into(), ..good() }, "another issuer made it"),
            (Claims { audiences: vec!["till".into()], ..good() }, "it is for somebody else"),
            (Claims { audiences: Vec::new(), ..good() }, "it is for somebody else"),
            (Claims { audiences: two, ..good() }, "somebody else asked for it"),
            (Claims { asked_by: Some("till".into()), ..good() }, "somebody else asked for it"),
            (Claims { expires_at: 940, ..good() }, "it has expired"),
            (Claims { issued_at: 1_061, ..good() }, "it was not made just now"),
            (Claims { issued_at: 339, ..good() }, "it was not made just now"),
            (Claims { nonce: None, ..good() }, "it belongs to another sign-in"),
            (Claims { nonce: Some("m".into()), ..good() }, "it belongs to another sign-in"),
            (Claims { subject: String::new(), ..good() }, "it does not say who signed in"),
            (Claims { subject: "x".repeat(256), ..good() }, "it does not say who signed in"),
        ] {
            assert_eq!(claims.doubt(&expected), Some(why), "{claims:?}");
        }
    }
}
