//! Invented people for the customers of the source, which knows only numbers: names nobody bears, mail addresses in
//! domains reserved for examples, phone numbers reserved for drama. The same number is always the same person.

use super::assignment::{home_store, scattered};
use super::countries::Country;
use super::places::Places;

/// A person who does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// First name.
    pub given_name: String,
    /// Last name; occurs in no product, place or street of the demo, so a search for it finds only the person.
    pub family_name: String,
    /// Unique per customer and per guest invoice.
    pub email: String,
    /// From +44 7700 900000 to 900999, which Ofcom keeps free for drama; shared by several people.
    pub phone: String,
    /// House and street.
    pub line1: String,
    /// A real town of the country.
    pub town: String,
    /// May be empty where a country has none.
    pub postcode: String,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
}

/// The person behind a customer number, at their address in the country of an invoice.
#[must_use]
pub fn customer(number: u32, country: &'static Country, places: &Places) -> Person {
    let (town, postcode) = if country.is_home() {
        let store = places.at(home_store(number, places));
        (store.town.clone(), store.postcode.replace("9ZZ", "8ZZ"))
    } else {
        (country.town.to_owned(), country.postcode.to_owned())
    };
    // The stride has no divisor in common with the number of names, so as many neighbours all differ.
    invented(
        &number.to_string(),
        u64::from(number) * 3_559,
        country.code,
        town,
        postcode,
    )
}

/// The person behind an invoice without customer, when a parcel needs a name.
#[must_use]
pub fn guest(invoice: &str, country: &'static Country) -> Person {
    let seed = scattered(invoice, "guest");
    invented(
        &format!("guest{invoice}"),
        seed,
        country.code,
        country.town.to_owned(),
        country.postcode.to_owned(),
    )
}

fn invented(
    mark: &str,
    seed: u64,
    country: &'static str,
    town: String,
    postcode: String,
) -> Person {
    let name = (seed % NAMES) as usize;
    let given_name = GIVEN[name % GIVEN.len()].to_owned();
    let family = name / GIVEN.len();
    let family_name = format!(
        "{}{}",
        FAMILY_BEGINS[family % FAMILY_BEGINS.len()],
        FAMILY_ENDS[family / FAMILY_BEGINS.len()]
    );
    let dice = scattered(mark, "address");
    let domain = ["example.com", "example.org"][(dice % 2) as usize];
    Person {
        email: format!(
            "{}.{}.{mark}@{domain}",
            given_name.to_lowercase(),
            family_name.to_lowercase()
        ),
        phone: format!("+447700900{:03}", dice / 2 % 1_000),
        line1: format!(
            "{} {}",
            dice / 2_000 % 180 + 1,
            STREETS[(dice / 360_000 % STREETS.len() as u64) as usize]
        ),
        given_name,
        family_name,
        town,
        postcode,
        country,
    }
}

const NAMES: u64 = (GIVEN.len() * FAMILY_BEGINS.len() * FAMILY_ENDS.len()) as u64;

const GIVEN: [&str; 50] = [
    "Abelia",
    "Alder",
    "Anwen",
    "Bartle",
    "Benedetta",
    "Berwyn",
    "Calla",
    "Caspian",
    "Cerys",
    "Corin",
    "Delphie",
    "Dorrit",
    "Eldred",
    "Elowen",
    "Emrys",
    "Fabian",
    "Fenella",
    "Florian",
    "Gethin",
    "Ginevra",
    "Gwilym",
    "Hesper",
    "Idris",
    "Ilsa",
    "Isolde",
    "Jago",
    "Jessamy",
    "Kerensa",
    "Kester",
    "Lowell",
    "Lucasta",
    "Maelle",
    "Merrick",
    "Morwenna",
    "Nerys",
    "Osric",
    "Ottilie",
    "Perran",
    "Petra",
    "Quentin",
    "Rhoswen",
    "Rowan",
    "Sabra",
    "Senara",
    "Tamsin",
    "Tegan",
    "Ulric",
    "Verity",
    "Wilmot",
    "Zennor",
];

const FAMILY_BEGINS: [&str; 12] = [
    "Brindle", "Cumble", "Drizzen", "Fettle", "Grimple", "Hobbern", "Maudle", "Nettern", "Pottle",
    "Quillen", "Thrumble", "Wimble",
];

const FAMILY_ENDS: [&str; 10] = [
    "acre", "bourne", "combe", "dyke", "fell", "garth", "holme", "mere", "thwaite", "wick",
];

const STREETS: [&str; 12] = [
    "Acornmoor Road",
    "Barleymow Terrace",
    "Curlewfield Close",
    "Dapplegate",
    "Elderstile Lane",
    "Fernhollow Rise",
    "Goosefoot Green",
    "Hollybank Mews",
    "Inkwell Yard",
    "Juniperside Avenue",
    "Kingfisher Wharf",
    "Larkspur Bank",
];

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{customer, guest};
    use crate::demo::countries;
    use crate::demo::places::Places;

    const TABLE: &str = "external_id,name,kind,town,postcode\nwh,Dock,warehouse,Rugby,CV21 9ZZ\nyork,York,store,York,YO1 9ZZ\n";

    #[test]
    fn every_customer_number_is_one_person_for_ever() {
        let places = Places::read(TABLE).expect("a good table");
        let home = countries::named("United Kingdom").expect("known");
        let people: Vec<_> = (12_346..=18_287)
            .map(|number| customer(number, home, &places))
            .collect();
        let names: HashSet<_> = people
            .iter()
            .map(|person| (&person.given_name, &person.family_name))
            .collect();
        let mails: HashSet<_> = people.iter().map(|person| &person.email).collect();
        assert_eq!((names.len(), mails.len()), (5_942, 5_942));
        assert_eq!(people[0], customer(12_346, home, &places));
        assert_eq!(
            (people[0].town.as_str(), people[0].postcode.as_str()),
            ("York", "YO1 8ZZ")
        );
        assert!(
            people
                .iter()
                .all(|person| person.phone.len() == 13 && person.phone.starts_with("+447700900"))
        );
    }

    #[test]
    fn guests_and_customers_abroad_live_where_the_invoice_says() {
        let places = Places::read(TABLE).expect("a good table");
        let eire = countries::named("EIRE").expect("known");
        assert_eq!(customer(14_911, eire, &places).country, "IE");
        let stranger = guest("536414", eire);
        assert_eq!(stranger.town, "Dublin");
        assert!(stranger.email.contains(".guest536414@example."));
    }
}
