//! What of an event may lie open, because it can name nobody: figures, yes and no, and texts under the trade's own names. All else is sealed
//! under the person's key, whatever it is called.

use std::borrow::Cow;

/// How a value may lie open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Open {
    /// A code of goods or orders, whatever its digits.
    Code,
    /// Words of the trade.
    Words,
    /// What goods are called; only beside goods, as people have names too.
    Title,
    /// The address of a page, without what stands behind its path.
    Address,
    /// Several values with names, each looked at by itself.
    Part,
    /// What the retailer says names nobody: words, or several values.
    Named,
}

use Open::{Address, Code, Part, Title, Words};

/// The most names that a retailer opens for a source.
pub const NAMED_MAX: usize = 200;
/// The longest name that is known, in small letters without signs.
const PLAIN_BYTES_MAX: usize = 32;
/// The most characters of words that lie open: what is longer is told, not chosen.
const WORDS_BYTES_MAX: usize = 200;
/// From so many digits on a number may be somebody's.
const DIGITS: usize = 7;

/// Names of properties: those of the e-commerce vocabulary, of pages, and of what goods commonly have. In order.
const PROPERTIES: &[(&str, Open)] = &[
    ("affiliation", Words),
    ("availability", Words),
    ("barcode", Code),
    ("brand", Words),
    ("browser", Words),
    ("campaign", Part),
    ("cart", Part),
    ("cartid", Code),
    ("category", Words),
    ("categoryid", Code),
    ("checkout", Part),
    ("checkoutid", Code),
    ("collection", Words),
    ("color", Words),
    ("colour", Words),
    ("condition", Words),
    ("country", Words),
    ("coupon", Words),
    ("couponid", Code),
    ("couponname", Words),
    ("creative", Words),
    ("currency", Words),
    ("currenturl", Address),
    ("department", Words),
    ("discount", Words),
    ("ean", Code),
    ("filters", Part),
    ("finish", Words),
    ("fit", Words),
    ("flavour", Words),
    ("gtin", Code),
    ("host", Address),
    ("imageurl", Address),
    ("items", Part),
    ("language", Words),
    ("lib", Words),
    ("listid", Code),
    ("locale", Words),
    ("locationid", Code),
    ("material", Words),
    ("medium", Words),
    ("method", Words),
    ("model", Words),
    ("name", Title),
    ("order", Part),
    ("orderid", Code),
    ("os", Words),
    ("path", Address),
    ("pathname", Address),
    ("pattern", Words),
    ("paymentmethod", Words),
    ("platform", Words),
    ("position", Words),
    ("price", Words),
    ("product", Part),
    ("productid", Code),
    ("products", Part),
    ("promotionid", Code),
    ("quantity", Words),
    ("referrer", Address),
    ("refund", Words),
    ("revenue", Words),
    ("reviewid", Code),
    ("season", Words),
    ("shipping", Words),
    ("shippingmethod", Words),
    ("size", Words),
    ("sku", Code),
    ("sorts", Part),
    ("source", Words),
    ("status", Words),
    ("step", Words),
    ("storeid", Code),
    ("style", Words),
    ("subtotal", Words),
    ("tax", Words),
    ("title", Title),
    ("total", Words),
    ("type", Words),
    ("upc", Code),
    ("url", Address),
    ("value", Words),
    ("variant", Code),
    ("variantid", Code),
    ("wishlistid", Code),
];

/// Names within the context that a library sends along. In order.
const CONTEXT: &[(&str, Open)] = &[
    ("app", Part),
    ("build", Code),
    ("campaign", Part),
    ("content", Words),
    ("library", Part),
    ("locale", Words),
    ("medium", Words),
    ("name", Words),
    ("namespace", Code),
    ("os", Part),
    ("page", Part),
    ("path", Address),
    ("referrer", Address),
    ("source", Words),
    ("term", Words),
    ("url", Address),
    ("version", Code),
];

/// What tells that a name beside it is that of goods.
const GOODS: &[&str] = &["price", "productid", "promotionid", "sku", "variant", "variantid"];

/// Parts of names under which even a small figure says who or where somebody is.
const TELLING: &[&str] = &["birth", "code", "customer", "member", "phone", "post", "user", "zip"];
/// The same, as whole names.
const TELLING_WHOLE: &[&str] =
    &["age", "day", "dob", "house", "lat", "lng", "lon", "month", "pin", "plz", "year"];

/// Where in an event a value stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// Among what was done.
    Properties,
    /// Among what the library sends along.
    Context,
}

/// How what stands under a name may lie open; `named` are the names that the retailer opens, as [`plain`] writes them, in order. Nothing
/// when it may not.
pub fn of(place: Place, name: &str, named: &[String]) -> Option<Open> {
    let mut letters = [0; PLAIN_BYTES_MAX];
    let name = plain_in(name, &mut letters)?;
    if place == Place::Properties && named.binary_search_by(|one| one.as_str().cmp(name)).is_ok() {
        return Some(Open::Named);
    }
    let known = if place == Place::Properties { PROPERTIES } else { CONTEXT };
    known.binary_search_by(|(one, _)| (*one).cmp(name)).ok().map(|found| known[found].1)
}

/// A name in small letters without signs, so that `product_id` and `productId` are one; nothing for what looks like no name of a value.
pub fn plain(name: &str) -> Option<String> {
    plain_in(name, &mut [0; PLAIN_BYTES_MAX]).map(str::to_owned)
}

fn plain_in<'a>(name: &str, letters: &'a mut [u8; PLAIN_BYTES_MAX]) -> Option<&'a str> {
    let mut length = 0;
    for byte in name.bytes() {
        if byte.is_ascii_alphanumeric() {
            *letters.get_mut(length)? = byte.to_ascii_lowercase();
            length += 1;
        } else if !matches!(byte, b'_' | b'-' | b'.' | b'$' | b' ') {
            return None;
        }
    }
    std::str::from_utf8(&letters[..length]).ok().filter(|plain| !plain.is_empty())
}

/// Is a name that of goods, so that a title beside it is theirs?
pub fn is_goods(name: &str) -> bool {
    plain_in(name, &mut [0; PLAIN_BYTES_MAX]).is_some_and(|name| GOODS.contains(&name))
}

/// May a yes or no lie open under a name that nobody knows? The name itself must name nobody.
pub fn flag(name: &str) -> bool {
    let digits = name.bytes().filter(u8::is_ascii_digit).count();
    !name.contains(' ') && digits < DIGITS && plain_in(name, &mut [0; PLAIN_BYTES_MAX]).is_some()
}

/// May a figure lie open under a name that nobody knows? A small one, with at most two decimals: no phone number and no place on a map.
pub fn figure(name: &str, number: &str) -> bool {
    let mut letters = [0; PLAIN_BYTES_MAX];
    let Some(plain) = plain_in(name, &mut letters).filter(|_| flag(name)) else { return false };
    let number = number.strip_prefix('-').unwrap_or(number);
    let (whole, decimals) = number.split_once('.').unwrap_or((number, ""));
    whole.len() <= 5
        && decimals.len() <= 2
        && number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
        && !TELLING_WHOLE.contains(&plain)
        && !TELLING.iter().any(|part| plain.contains(part))
}

/// May a text lie open as this? Not when it holds an address of mail or looks like a phone number.
pub fn text(open: Open, text: &str) -> bool {
    match open {
        Code => text.len() <= WORDS_BYTES_MAX && !holds_mail(text),
        Words | Title | Open::Named => {
            text.len() <= WORDS_BYTES_MAX && !holds_mail(text) && !holds_phone(text)
        }
        Address => !holds_mail(text),
        Part => false,
    }
}

/// The address of a page without what stands behind its path.
pub fn path_of(address: &str) -> &str {
    let end = address.find(['?', '#', ';']).unwrap_or(address.len());
    &address[..end]
}

/// The name of an event without what may name somebody in it: addresses of mail, phone numbers and what stands behind the path of a page.
pub fn name_of(name: &str) -> Cow<'_, str> {
    let phone = holds_phone(name);
    if !phone && !holds_mail(name) && !name.contains('?') {
        return Cow::Borrowed(name);
    }
    let shown = |word: &str| {
        let path = if word.contains('=') { path_of(word) } else { word };
        let hidden = holds_mail(path) || (phone && path.bytes().any(|byte| byte.is_ascii_digit()));
        if hidden { "…".to_owned() } else { path.to_owned() }
    };
    Cow::Owned(name.split(' ').map(shown).collect::<Vec<String>>().join(" "))
}

fn holds_mail(text: &str) -> bool {
    text.contains('@') || text.contains("%40")
}

/// Nothing but the digits and signs of a phone number, or nine digits in a row that begin as one.
fn holds_phone(text: &str) -> bool {
    if text.bytes().filter(u8::is_ascii_digit).count() < DIGITS {
        return false;
    }
    let is_sign = |byte: u8| matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')' | b'+');
    if text.bytes().all(|byte| byte.is_ascii_digit() || is_sign(byte)) {
        return true;
    }
    let (mut digits, mut begins, mut before) = (0, false, b' ');
    for byte in text.bytes() {
        if byte.is_ascii_digit() {
            begins = if digits == 0 { byte == b'0' || before == b'+' } else { begins };
            digits += 1;
        } else if !is_sign(byte) || byte == b'+' {
            digits = 0;
        }
        if begins && digits > DIGITS + 1 {
            return true;
        }
        before = byte;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_names_are_in_order_and_as_they_are_looked_for() {
        for known in [PROPERTIES, CONTEXT] {
            assert!(known.is_sorted_by(|one, next| one.0 < next.0));
            assert!(known.iter().all(|(name, _)| plain(name).as_deref() == Some(*name)));
        }
    }

    #[test]
    fn a_name_is_known_however_it_is_written() {
        for name in ["product_id", "productId", "Product ID", "$product-id"] {
            assert_eq!(of(Place::Properties, name, &[]), Some(Code), "{name}");
        }
        // What somebody types into a search may be somebody's name.
        for name in ["given_name", "surname", "shipping_address", "query", "ada@example.com", "größe", ""] {
            assert_eq!(of(Place::Properties, name, &[]), None, "{name}");
        }
        let named = ["fit".to_owned(), "heelheight".to_owned()];
        assert_eq!(of(Place::Properties, "Heel-Height", &named), Some(Open::Named));
        assert_eq!(of(Place::Context, "heel_height", &named), None);
    }

    #[test]
    fn what_looks_like_mail_or_a_phone_number_is_not_open() {
        for good in ["shoes", "Canon EOS 5D", "1234", "size 41.5", "2 x 500 g, 1000 pieces"] {
            assert!(text(Words, good), "{good}");
        }
        for bad in [
            "ada@example.com",
            "ada%40example.com",
            "07911 123456",
            "+44 (0)7911-123456",
            "call 07911 123456",
            "447911123456",
        ] {
            assert!(!text(Words, bad), "{bad}");
        }
        assert!(text(Code, "5012345678900") && !text(Code, "ada@example.com"));
        assert!(!text(Words, &"long ".repeat(50)));
    }

    #[test]
    fn small_figures_are_open_where_their_name_tells_nothing() {
        for (name, number) in [("nights", "3"), ("score", "-7.25"), ("stock_left", "99999")] {
            assert!(figure(name, number), "{name}");
        }
        for (name, number) in [
            ("ref", "447911123456"),
            ("whatever", "51.507351"),
            ("lat", "51.5"),
            ("zip_code", "9410"),
            ("customerNumber", "77"),
            ("birth_year", "1815"),
            ("Ada Lovelace", "1"),
            ("07911123456", "1"),
        ] {
            assert!(!figure(name, number), "{name}");
        }
    }

    #[test]
    fn names_of_events_and_addresses_lose_what_names_somebody() {
        assert_eq!(path_of("https://shop/p/1?mail=a#b"), "https://shop/p/1");
        assert_eq!(name_of("Order Completed"), "Order Completed");
        assert_eq!(name_of("Sure? Yes"), "Sure? Yes");
        assert_eq!(name_of("Mailed ada@example.com twice"), "Mailed … twice");
        assert_eq!(name_of("Called +44 7911 123456"), "Called … … …");
        assert_eq!(name_of("Viewed /reset?token=abc"), "Viewed /reset");
    }
}
