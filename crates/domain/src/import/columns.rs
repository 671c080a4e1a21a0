//! The columns of each kind of file: their names, whether they are needed, whether they speak of people, and what goes into them.

use super::Kind;

/// A column a file may have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name in the first line of a file, and in exports.
    pub name: &'static str,
    /// A file without it, and a row where it is empty, cannot be taken.
    pub needed: bool,
    /// It speaks of a person: its values are never repeated nor kept outside the contact.
    pub personal: bool,
    /// What goes into it, in words that follow "give".
    pub meaning: &'static str,
}

const fn needed(name: &'static str, meaning: &'static str) -> Column {
    Column { name, needed: true, personal: false, meaning }
}

const fn may(name: &'static str, meaning: &'static str) -> Column {
    Column { name, needed: false, personal: false, meaning }
}

const fn personal(name: &'static str, meaning: &'static str) -> Column {
    Column { name, needed: false, personal: true, meaning }
}

const LOCATIONS: &[Column] = &[
    may("external_id", "the id another system knows it by; rows with a known one change that location"),
    may("code", "the short word it goes by in files; the external id when empty"),
    needed("name", "what people call it"),
    needed("kind", "store, warehouse, supplier or virtual"),
    may("street", "street and house; lines are set apart by |"),
    may("city", "the town"),
    may("region", "state, county or province"),
    may("postal_code", "the postal code"),
    may("country", "two letters of iso 3166-1"),
    may("latitude", "degrees north, such as 53.797"),
    may("longitude", "degrees east, such as -1.5437"),
    needed("time_zone", "a name of the iana database, such as Europe/London"),
    may("opening_hours", "days and times, such as mo-fr 09:00-18:00; sa 10:00-16:00"),
    may("cut_off", "until when orders are prepared the same day, such as mo-fr 15:00"),
    may("capabilities", "any of ship, pickup, receive and return, set apart by spaces"),
    may("capacity", "the most orders it prepares in a day"),
    may("preparation_minutes", "how long it takes to prepare an order; 30 when empty"),
    may("active", "yes or no"),
];

const PRODUCTS: &[Column] = &[
    needed("sku", "the code of the variant; rows with a known one change that variant"),
    needed("name", "what the product is called"),
    may("product", "the external id of the product whose variant it is; the sku when empty"),
    may("option1_name", "what tells the variants apart, such as colour"),
    may("option1_value", "the variant's value of it, such as red"),
    may("option2_name", "a second thing that tells them apart"),
    may("option2_value", "the variant's value of it"),
    may("option3_name", "a third thing that tells them apart"),
    may("option3_value", "the variant's value of it"),
    may("kind", "goods, or service for what takes nothing from shelves; goods when empty"),
    may("unit", "what it is counted in: piece, gram, millilitre or millimetre; piece when empty"),
    may("weight_grams", "what one weighs, in whole grams"),
    may("barcodes", "article numbers and codes of the shop's own, set apart by | or spaces"),
    may("tax_class", "the code of the tax class; the only one when empty"),
    may("status", "draft, active or archived; active when empty"),
    may("brand", "whose name is on it"),
    may("supplier", "who it is bought from"),
    may("description", "what is said about it"),
    may("external_id", "the id another system knows the variant by"),
    may("price_list", "the code of the price list the price goes into"),
    may("price", "what one costs, such as 2.55"),
    may("price_minor", "what one costs in minor units, such as 255"),
    may("currency", "three letters of iso 4217; must be the price list's"),
];

const PRICES: &[Column] = &[
    needed("price_list", "the code or external id of the price list"),
    needed("sku", "the code of the variant"),
    may("price", "what one costs, such as 2.55"),
    may("price_minor", "what one costs in minor units, such as 255"),
    may("was", "the price to compare with, such as 3.25"),
    may("was_minor", "the price to compare with in minor units"),
    may("currency", "three letters of iso 4217; must be the price list's"),
    may("minimum_quantity", "from how many on it holds; 1 when empty"),
    may("starts_at", "from when it holds, such as 2026-11-21 or 2026-11-21T09:30:00Z"),
    may("ends_at", "until when it holds, not included"),
];

const STOCK: &[Column] = &[
    needed("location", "the code or external id of the location"),
    needed("sku", "the code of the variant"),
    needed("quantity", "how many are available there, a whole number of base units"),
];

const CUSTOMERS: &[Column] = &[
    may(
        "external_id",
        "the id another system knows the customer by; rows with a known one change that customer",
    ),
    personal("name", "the whole name, unless given_name and family_name are"),
    personal("given_name", "the given name"),
    personal("family_name", "the family name"),
    personal("company", "the firm"),
    personal("street", "street and house; lines are set apart by |"),
    personal("city", "the town"),
    personal("region", "state, county or province"),
    personal("postal_code", "the postal code as it is written in the country"),
    personal("country", "two letters of iso 3166-1"),
    personal("email", "an e-mail address; without an external id the customer is known by it"),
    personal("phone", "a phone number with its country code, or with a country in the row"),
    may("groups", "groups of customers, set apart by |; the first decides on prices"),
    may(
        "customer",
        "of files from a source: whom we know already, by our id or external id, or another source's number such as web:1017",
    ),
    may(
        "changed_at",
        "of files from a source: when the other system changed it last, such as 2026-11-21T09:30:00Z",
    ),
];

const CONSENTS: &[Column] = &[
    needed("purpose", "the code of the purpose"),
    may("medium", "mail, sms, whatsapp, push, phone, post, web or every; every when empty"),
    may("topic", "the code of the topic; the purpose as a whole when empty"),
    needed("status", "granted, denied or withdrawn; yes and no are taken too"),
    needed("said_at", "when it was said, such as 2026-11-21T09:30:00Z"),
    may("wording", "what was agreed to: its version, or its first words"),
    may("customer", "whose it is: our id or external id, or a source's number such as web:1017"),
    personal("email", "an e-mail address, where no customer is named; it need not be a customer's"),
];

const LISTS: &[Column] = &[
    needed("list", "the code of the list; one that is not there is made"),
    may("name", "what people read, of a list that is made; its code when empty"),
    may(
        "person",
        "who is on it: our id or external id of a customer, a source's number such as web:1017, or our id of a profile",
    ),
    personal("email", "a customer's e-mail address, where no person is named"),
];

const ORDERS: &[Column] = &[
    needed("external_id", "the order's number in the other system; its lines stand one below another"),
    needed("placed_at", "when it was placed, such as 2026-11-21T09:30:00Z"),
    needed("channel", "the code or external id of the channel"),
    needed("sku", "the code of the variant"),
    needed("quantity", "how many, a whole number of base units"),
    may("unit_price", "what one cost, such as 2.55"),
    may("unit_price_minor", "what one cost in minor units, such as 255"),
    may("currency", "three letters of iso 4217; must be the channel's"),
    may("customer", "the external id of the customer"),
    may("location", "the code or external id of the location it is served from, or collected at"),
    may("delivery_method", "the code or external id of the delivery method, where it is shipped"),
    may("payment", "how it was paid: cash or manual (any other way); manual when empty"),
    may("fulfilled", "yes when the goods have left, no when they are still to be sent; yes when empty"),
];

const POSTAL_AREAS: &[Column] = &[
    needed("country", "two letters of iso 3166-1"),
    may("prefix", "what the postal codes begin with, letters and digits; empty for the whole country"),
    may("place", "what people call the area"),
    needed("latitude", "degrees north, such as 53.797"),
    needed("longitude", "degrees east, such as -1.5437"),
];

const PRICE_LISTS: &[Column] = &[
    needed("code", "the short word it goes by; rows with a known one change that price list"),
    needed("name", "what people call it"),
    needed("currency", "three letters of iso 4217: that of its market"),
    may("market", "the market in which it holds: its id or external id"),
    may("channel", "the channel in which it holds, instead: its code, id or external id"),
    may("customer_group", "the group of customers it is for; everybody when empty"),
    may("priority", "which goes first among lists that are as specific, the higher; 0 when empty"),
    may("starts_at", "from when it holds, such as 2026-11-21 or 2026-11-21T09:30:00Z"),
    may("ends_at", "until when it holds, not included"),
    may("active", "yes or no"),
    may("external_id", "the id another system knows it by"),
];

const PROMOTIONS: &[Column] = &[
    needed("external_id", "the id another system knows it by; rows with a known one change that promotion"),
    needed("name", "what people call it"),
    may(
        "terms",
        "what it says, in json as the api takes it; leave out the columns from percent to ends_at then",
    ),
    may("percent", "a share that is off, such as 20 or 12.5"),
    may("off", "an amount that is off, such as 2.50"),
    may("off_minor", "the same in minor units"),
    may("new_price", "what one costs instead, such as 9.99"),
    may("new_price_minor", "the same in minor units"),
    may("on", "each piece, or the cart as a whole; each when empty"),
    may("skus", "the goods it is for, set apart by |; all goods when empty"),
    may("currency", "three letters of iso 4217; needed for amounts"),
    may("needs_coupon", "yes or no; no when empty"),
    may("customer_groups", "only for these groups, set apart by |"),
    may("channels", "only in these channels, by code, id or external id, set apart by |"),
    may("starts_at", "from when it holds, such as 2026-11-21 or 2026-11-21T09:30:00Z"),
    may("ends_at", "until when it holds, not included"),
    may("uses_max", "how many orders may use it in all"),
    may("uses_per_customer", "how many orders of one customer may use it"),
    may("budget", "how much it may give in all, such as 500.00"),
    may("budget_minor", "the same in minor units"),
    may("active", "yes puts it in force; a draft when no or empty"),
];

const COUPONS: &[Column] = &[
    needed("code", "the code that customers give"),
    needed("promotion", "the external id or id of the promotion it opens"),
    may("uses_max", "how many orders may use it; any number when empty"),
];

const BALANCES: &[Column] = &[
    needed("reference", "the number it had in the other system; what was taken in under it stays as it is"),
    needed("kind", "points, store_credit or gift_card"),
    may("customer", "the external id of the customer, for points and store credit"),
    may("programme", "the code of the loyalty programme, for points"),
    may("points", "how many points, a whole number"),
    may("amount", "how much money, such as 25.00"),
    may("amount_minor", "how much money in minor units, such as 2500"),
    may("currency", "three letters of iso 4217, for money"),
    personal("code", "the code of the gift card, 8 to 40 letters and digits"),
    personal(
        "code_sha256",
        "instead of the code its sha-256: of capitals without gaps and hyphens, 64 digits",
    ),
    may("last_four", "the last four of a code that is given by its hash"),
    may("expires_at", "until when it can be spent, not included"),
];

impl Kind {
    /// The columns a file of this kind may have, in the order in which they are written.
    pub const fn columns(self) -> &'static [Column] {
        match self {
            Kind::Locations => LOCATIONS,
            Kind::Products => PRODUCTS,
            Kind::Prices => PRICES,
            Kind::Stock => STOCK,
            Kind::Customers => CUSTOMERS,
            Kind::Orders => ORDERS,
            Kind::PostalAreas => POSTAL_AREAS,
            Kind::PriceLists => PRICE_LISTS,
            Kind::Promotions => PROMOTIONS,
            Kind::Coupons => COUPONS,
            Kind::Balances => BALANCES,
            Kind::Consents => CONSENTS,
            Kind::Lists => LISTS,
        }
    }

    /// The column of this name.
    pub fn column(self, name: &str) -> Option<&'static Column> {
        self.columns().iter().find(|column| column.name == name)
    }
}

/// The name that is most like a text, if one is close: one letter in four may differ.
pub fn closest<'a>(text: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let text = plain(text);
    let near = |name: &&str| distance(&text, &plain(name)) <= 1 + text.chars().count() / 4;
    names.into_iter().filter(near).min_by_key(|name| distance(&text, &plain(name)))
}

/// A name without capitals, spaces and marks: `E-Mail` and `email` are the same.
pub fn plain(name: &str) -> String {
    name.chars().filter(|character| character.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// How many letters must be put in, taken out or exchanged to make one text of the other (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let other: Vec<char> = other.chars().collect();
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (above, letter) in one.chars().enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], above + 1);
        for (place, known) in other.iter().enumerate() {
            let exchanged = diagonal + usize::from(*known != letter);
            diagonal = row[place + 1];
            row[place + 1] = exchanged.min(diagonal + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_slip_of_the_pen_is_recognised() {
        let names = || Kind::Locations.columns().iter().map(|column| column.name);
        assert_eq!(closest("opning_hours", names()), Some("opening_hours"));
        assert_eq!(closest("Timezone", names()), Some("time_zone"));
        assert_eq!(closest("colour", names()), None);
        assert_eq!((distance("kitten", "sitting"), distance("", "abc"), distance("abc", "")), (3, 3, 3));
    }

    #[test]
    fn names_of_columns_are_unique() {
        for kind in Kind::ALL {
            let mut names: Vec<_> = kind.columns().iter().map(|column| plain(column.name)).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), kind.columns().len(), "{}", kind.text());
        }
    }

    proptest! {
        #[test]
        fn distance_is_the_same_both_ways(one in "[abc]{0,8}", other in "[abc]{0,8}") {
            prop_assert_eq!(distance(&one, &other), distance(&other, &one));
            prop_assert_eq!(distance(&one, &other) == 0, one == other);
        }
    }
}
