//! Text that people type: trimmed, of bounded length, without invisible characters that could deceive a reader.

use std::fmt;

/// Most characters of a [`Name`].
pub const NAME_CHARS_MAX: usize = 255;
/// Most characters of a [`Line`].
pub const LINE_CHARS_MAX: usize = 100;

/// The text without the white space around it, if it is one line of `min` to `max` characters that all can be shown.
///
/// Characters are Unicode scalar values. Any script and emoji are welcome; control characters, line separators and
/// characters that override the reading direction are refused, because with them a text can look like another one.
///
/// # Errors
/// [`TextError`] that names the field and what is wrong.
pub fn bounded(field: &'static str, text: &str, min: usize, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    if text.chars().all(is_invisible) && min > 0 {
        return Err(TextError::Empty { field, min, max });
    }
    if let Some((place, character)) = text.chars().enumerate().find(|(_, character)| is_deceptive(*character))
    {
        return Err(TextError::Forbidden { field, character, place: place + 1 });
    }
    let has = text.chars().count();
    if has < min {
        return Err(TextError::TooShort { field, has, min });
    }
    if has > max {
        return Err(TextError::TooLong { field, has, max });
    }
    Ok(text.to_owned())
}

/// The text without the white space around it, of any number of lines, if it has at most `max` characters: control characters other than line
/// ends and tabs are refused.
///
/// # Errors
/// As [`bounded`].
pub fn lines(field: &'static str, text: &str, max: usize) -> Result<String, TextError> {
    let text = text.trim();
    let bad = |character: char| !matches!(character, '\n' | '\r' | '\t') && is_deceptive(character);
    if let Some((place, character)) = text.chars().enumerate().find(|(_, character)| bad(*character)) {
        return Err(TextError::Forbidden { field, character, place: place + 1 });
    }
    let has = text.chars().count();
    if has > max {
        return Err(TextError::TooLong { field, has, max });
    }
    Ok(text.to_owned())
}

/// Whether the character controls a screen or the reading direction instead of being read itself.
pub fn is_deceptive(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{2028}' | '\u{2029}' | '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}')
}

/// Whether the character leaves no ink: white space, joiners, direction marks.
pub fn is_invisible(character: char) -> bool {
    character.is_whitespace() || matches!(character, '\u{200B}'..='\u{200F}' | '\u{2060}' | '\u{FEFF}')
}

/// What a product, a place or a channel is called: one line of 1 to [`NAME_CHARS_MAX`] characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Name(String);

impl Name {
    /// The name, for the field named in the error.
    ///
    /// # Errors
    /// [`TextError`] when empty, too long or with a forbidden character.
    pub fn new(field: &'static str, text: &str) -> Result<Name, TextError> {
        bounded(field, text, 1, NAME_CHARS_MAX).map(Name)
    }

    /// The name as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// A line as it fits on a label: 1 to [`LINE_CHARS_MAX`] characters.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Line(String);

impl Line {
    /// The line, for the field named in the error.
    ///
    /// # Errors
    /// [`TextError`] when empty, too long or with a forbidden character.
    pub fn new(field: &'static str, text: &str) -> Result<Line, TextError> {
        bounded(field, text, 1, LINE_CHARS_MAX).map(Line)
    }

    /// The line as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Line {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Why a text was refused.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TextError {
    /// Nothing that can be seen was given.
    Empty {
        /// The field that was given.
        field: &'static str,
        /// Fewest characters.
        min: usize,
        /// Most characters.
        max: usize,
    },
    /// Fewer characters than asked for.
    TooShort {
        /// The field that was given.
        field: &'static str,
        /// Characters given.
        has: usize,
        /// Fewest characters.
        min: usize,
    },
    /// More characters than fit.
    TooLong {
        /// The field that was given.
        field: &'static str,
        /// Characters given.
        has: usize,
        /// Most characters.
        max: usize,
    },
    /// A character that is not for reading.
    Forbidden {
        /// The field that was given.
        field: &'static str,
        /// The character.
        character: char,
        /// Its place in the text, counted from 1.
        place: usize,
    },
}

impl TextError {
    /// The field that was given.
    pub fn field(&self) -> &'static str {
        match self {
            TextError::Empty { field, .. }
            | TextError::TooShort { field, .. }
            | TextError::TooLong { field, .. }
            | TextError::Forbidden { field, .. } => field,
        }
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            TextError::Empty { field, min, max } => {
                write!(out, "{field} is empty: give {min} to {max} characters")
            }
            TextError::TooShort { field, has, min } => {
                write!(out, "{field} has {has} characters: give at least {min}")
            }
            TextError::TooLong { field, has, max } => {
                write!(out, "{field} has {has} characters: give at most {max}")
            }
            TextError::Forbidden { field, character, place } => {
                let code = u32::from(*character);
                write!(out, "{field} has the control character U+{code:04X} at place {place}: remove it")
            }
        }
    }
}
impl std::error::Error for TextError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_script_and_emoji_is_welcome() {
        for text in ["Müller & Söhne", "متجر الزهور", "חנות", "株式会社", "Tea 🫖 for two 👩‍👩‍👧", "a"]
        {
            assert_eq!(Name::new("name", text).unwrap().as_str(), text);
        }
        assert_eq!(Line::new("line", "  1 High Street\t").unwrap().to_string(), "1 High Street");
    }

    #[test]
    fn refusals_name_the_field() {
        let said = |text: &str| bounded("city", text, 2, 5).unwrap_err().to_string();
        assert_eq!(said(" \u{200B} "), "city is empty: give 2 to 5 characters");
        assert_eq!(said("x"), "city has 1 characters: give at least 2");
        assert_eq!(said("London"), "city has 6 characters: give at most 5");
        assert_eq!(said("a\u{7}b"), "city has the control character U+0007 at place 2: remove it");
        assert_eq!(said("ab\u{202E}c"), "city has the control character U+202E at place 3: remove it");
        assert_eq!(said("a\nb"), "city has the control character U+000A at place 2: remove it");
        assert_eq!(bounded("note", "  ", 0, 5).unwrap(), "");
    }

    proptest! {
        #[test]
        fn what_is_accepted_stays_the_same(text in "\\PC{0,40}") {
            if let Ok(once) = bounded("text", &text, 1, 30) {
                prop_assert!(once.chars().count() <= 30 && !once.chars().any(is_deceptive));
                prop_assert_eq!(bounded("text", &once, 1, 30), Ok(once));
            }
        }

        #[test]
        fn length_counts_characters_not_bytes(count in 1usize..60) {
            let text = "ü".repeat(count);
            prop_assert_eq!(bounded("text", &text, 1, 30).is_ok(), count <= 30);
        }
    }
}
