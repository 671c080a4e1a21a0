//! Bodies as Stripe reads them: fields of a form, percent-encoded.

use std::fmt::{Display, Write};

/// The fields of one body, in the order they were put in.
#[derive(Default)]
pub struct Form(String);

impl Form {
    /// The form with one more field.
    pub fn with(mut self, name: &str, value: impl Display) -> Form {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        encode(&mut self.0, name);
        self.0.push('=');
        encode(&mut self.0, &value.to_string());
        self
    }

    /// The form with one more field, if it has a value.
    pub fn with_some(self, name: &str, value: Option<impl Display>) -> Form {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// The body.
    pub fn text(self) -> String {
        self.0
    }
}

fn encode(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._*".contains(&byte) {
            out.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(out, "%{byte:02X}");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_has_a_meaning_in_forms_is_encoded() {
        let form = Form::default().with("metadata[key]", "a&b=ü +").with_some("amount", Some(5));
        assert_eq!(
            form.with_some("none", None::<i64>).text(),
            "metadata%5Bkey%5D=a%26b%3D%C3%BC%20%2B&amount=5"
        );
    }
}
