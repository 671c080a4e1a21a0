//! Invented people for the customers of the source, which knows only numbers: names nobody bears, mail addresses in
//! domains reserved for examples, phone numbers reserved for drama. The same number is always the same person.

use super::assignment::{home_store, scattered};
use super::countries::Country;
use super::locations::Locations;

/// A person who does not exist.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// First name.
    pub given_name: String,
    /// Last name; occurs in no product, location or street of the demo, so a search for it finds only the person.
    pub family_name: String,
    /// Unique per customer and per guest invoice.
    pub email: String,
    /// One of the thousand numbers behind each of [`DRAMA`]; a few people share one.
    pub phone: String,
    /// House and street.
    pub street: String,
    /// A real town of the country.
    pub city: String,
    /// May be empty where a country has none.
    pub postal_code: String,
    /// ISO 3166-1 alpha-2.
    pub country: &'static str,
}

/// The person behind a customer number, at their address in the country of an invoice.
#[must_use]
pub fn customer(number: u32, country: &'static Country, locations: &Locations) -> Person {
    let (city, postal_code) = if country.is_home() {
        let store = locations.at(home_store(number, locations));
        (store.city.clone(), store.postal_code.replace("9ZZ", "8ZZ"))
    } else {
        (country.city.to_owned(), country.postal_code.to_owned())
    };
    // The stride has no divisor in common with the number of names, so as many neighbours all differ.
    invented(&number.to_string(), u64::from(number) * 3_559, country.code, city, postal_code)
}

/// The person behind an invoice without customer, when a parcel needs a name.
#[must_use]
pub fn guest(invoice: &str, country: &'static Country) -> Person {
    let seed = scattered(invoice, "guest");
    invented(
        &format!("guest{invoice}"),
        seed,
        country.code,
        country.city.to_owned(),
        country.postal_code.to_owned(),
    )
}

fn invented(mark: &str, seed: u64, country: &'static str, city: String, postal_code: String) -> Person {
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
        email: format!("{}.{}.{mark}@{domain}", given_name.to_lowercase(), family_name.to_lowercase()),
        phone: format!("+44{}{:03}", DRAMA[(dice / 5 % DRAMA.len() as u64) as usize], dice / 2 % 1_000),
        street: format!(
            "{} {}",
            dice / 2_000 % 180 + 1,
            STREETS[(dice / 360_000 % STREETS.len() as u64) as usize]
        ),
        given_name,
        family_name,
        city,
        postal_code,
        country,
    }
}

const NAMES: u64 = (GIVEN.len() * FAMILY_BEGINS.len() * FAMILY_ENDS.len()) as u64;

/// The numbers Ofcom keeps free for drama, but for their last three digits: London, Leeds, Sheffield,
/// Leicester, Bristol, Birmingham, Edinburgh, Glasgow, Liverpool, Manchester. (Those for mobile phones, 07700 900…, do
/// not pass as diallable.)
pub const DRAMA: [&str; 10] = [
    "2079460", "1134960", "1144960", "1164960", "1174960", "1214960", "1314960", "1414960", "1514960",
    "1614960",
];

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
    "Brindle", "Cumble", "Drizzen", "Fettle", "Grimple", "Hobbern", "Maudle", "Nettern", "Pottle", "Quillen",
    "Thrumble", "Wimble",
];

const FAMILY_ENDS: [&str; 10] =
    ["acre", "bourne", "combe", "dyke", "fell", "garth", "holme", "mere", "thwaite", "wick"];

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

    use super::{DRAMA, customer, guest};
    use crate::demo::countries;
    use crate::demo::locations::Locations;

    const TABLE: &str = "external_id,name,kind,city,postal_code\nwh,Dock,warehouse,Rugby,CV21 9ZZ\nyork,York,store,York,YO1 9ZZ\n";

    #[test]
    fn every_customer_number_is_one_person_for_ever() {
        let locations = Locations::read(TABLE).expect("a good table");
        let home = countries::named("United Kingdom").expect("known");
        let people: Vec<_> = (12_346..=18_287).map(|number| customer(number, home, &locations)).collect();
        let names: HashSet<_> =
            people.iter().map(|person| (&person.given_name, &person.family_name)).collect();
        let mails: HashSet<_> = people.iter().map(|person| &person.email).collect();
        assert_eq!((names.len(), mails.len()), (5_942, 5_942));
        assert_eq!(people[0], customer(12_346, home, &locations));
        assert_eq!((people[0].city.as_str(), people[0].postal_code.as_str()), ("York", "YO1 8ZZ"));
        let is_drama = |phone: &str| {
            DRAMA.iter().any(|begin| phone.strip_prefix("+44").is_some_and(|rest| rest.starts_with(begin)))
        };
        assert!(people.iter().all(|person| person.phone.len() == 13 && is_drama(&person.phone)));
    }

    #[test]
    fn guests_and_customers_abroad_live_where_the_invoice_says() {
        let locations = Locations::read(TABLE).expect("a good table");
        let eire = countries::named("EIRE").expect("known");
        assert_eq!(customer(14_911, eire, &locations).country, "IE");
        let stranger = guest("536414", eire);
        assert_eq!(stranger.city, "Dublin");
        assert!(stranger.email.contains(".guest536414@example."));
    }
}
