//! Languages that texts are written in, with the country whose usage they follow: `en`, `en-GB`, `pt-BR`.

use std::fmt;

use super::country::Country;

/// A language of ISO 639-1, with or without a country: the part of BCP 47 that shops use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Language {
    code: &'static str,
    country: Option<Country>,
}

impl Language {
    /// Reads a tag such as `en` or `pt-BR`; capitals do not matter and `pt_BR` is read as `pt-BR`.
    ///
    /// # Errors
    /// [`LanguageError`] that says which part is not known.
    pub fn parse(text: &str) -> Result<Language, LanguageError> {
        let tag = text.trim();
        let (code, country) = match tag.split_once(['-', '_']) {
            Some((code, country)) => (code, Some(country)),
            None => (tag, None),
        };
        let code = code.to_ascii_lowercase();
        let Some(code) = LANGUAGES.split(' ').find(|known| *known == code) else {
            return Err(LanguageError::Unknown(shorten(tag)));
        };
        let country = match country {
            None => None,
            Some(country) => Some(Country::parse(country).map_err(|_| LanguageError::Country(shorten(tag)))?),
        };
        Ok(Language { code, country })
    }

    /// The two letters of the language, such as `en`.
    pub fn code(self) -> &'static str {
        self.code
    }

    /// The country whose usage is meant, if one is named.
    pub fn country(self) -> Option<Country> {
        self.country
    }

    /// The language without the country: where to look when there is no text in `en-GB` itself.
    pub fn general(self) -> Language {
        Language { code: self.code, country: None }
    }
}

fn shorten(tag: &str) -> String {
    tag.chars().take(20).collect()
}

impl fmt::Display for Language {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.country {
            Some(country) => write!(out, "{}-{country}", self.code),
            None => out.write_str(self.code),
        }
    }
}

/// Why a language was refused; each keeps the tag, shortened to 20 characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LanguageError {
    /// The first part is no language.
    Unknown(String),
    /// The second part is no country.
    Country(String),
}

impl fmt::Display for LanguageError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LanguageError::Unknown(tag) => {
                write!(out, "language {tag:?} is unknown: give two letters of ISO 639-1, such as en or en-GB")
            }
            LanguageError::Country(tag) => {
                write!(out, "language {tag:?} names an unknown country: write it like en-GB, or only en")
            }
        }
    }
}
impl std::error::Error for LanguageError {}

/// The codes of ISO 639-1 in use, in order.
const LANGUAGES: &str = "aa ab ae af ak am an ar as av ay az ba be bg bi bm bn bo br bs ca ce ch co cr cs cu cv cy da \
    de dv dz ee el en eo es et eu fa ff fi fj fo fr fy ga gd gl gn gu gv ha he hi ho hr ht hu hy hz ia id ie ig ii ik \
    io is it iu ja jv ka kg ki kj kk kl km kn ko kr ks ku kv kw ky la lb lg li ln lo lt lu lv mg mh mi mk ml mn mr ms \
    mt my na nb nd ne ng nl nn no nr nv ny oc oj om or os pa pi pl ps pt qu rm rn ro ru rw sa sc sd se sg si sk sl sm \
    sn so sq sr ss st su sv sw ta te tg th ti tk tl tn to tr ts tt tw ty ug uk ur uz ve vi vo wa wo xh yi yo za zh zu";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn reads_tags() {
        for tag in ["en", "en-GB", "pt-BR", "zh-TW", "ar-AE"] {
            assert_eq!(Language::parse(tag).unwrap().to_string(), tag);
        }
        assert_eq!(Language::parse(" EN_gb ").unwrap().to_string(), "en-GB");
        let british = Language::parse("en-GB").unwrap();
        assert_eq!((british.code(), british.country()), ("en", Country::parse("GB").ok()));
        assert_eq!(british.general().to_string(), "en");
    }

    #[test]
    fn refusals() {
        let said = |tag: &str| Language::parse(tag).unwrap_err().to_string();
        assert_eq!(
            said("jp"),
            "language \"jp\" is unknown: give two letters of ISO 639-1, such as en or en-GB"
        );
        assert_eq!(
            said("en-UK"),
            "language \"en-UK\" names an unknown country: write it like en-GB, or only en"
        );
        assert!(
            Language::parse("").is_err()
                && Language::parse("en-").is_err()
                && Language::parse("en-GB-x").is_err()
        );
    }

    proptest! {
        #[test]
        fn text_and_back(language in 0usize..183, country in proptest::option::of(0usize..249)) {
            let code = LANGUAGES.split(' ').nth(language).unwrap();
            let made = Language { code, country: country.and_then(|index| Country::all().nth(index)) };
            prop_assert_eq!(Language::parse(&made.to_string()), Ok(made));
        }
    }
}
