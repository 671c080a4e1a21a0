//! The countries as the source names them, with the ISO code and a town to which a parcel can be addressed.

/// A country of the source.
#[derive(Debug, PartialEq, Eq)]
pub struct Country {
    /// As written in the source.
    pub written: &'static str,
    /// ISO 3166-1 alpha-2.
    pub code: &'static str,
    /// A real town for the invented addresses there.
    pub city: &'static str,
    /// Invented, in the form used there; empty where there are none.
    pub postal_code: &'static str,
}

impl Country {
    /// Whether the country is served by the stores.
    #[must_use]
    pub fn is_home(&self) -> bool {
        self.written == "United Kingdom"
    }
}

/// The country the source means.
#[must_use]
pub fn named(written: &str) -> Option<&'static Country> {
    COUNTRIES.iter().find(|country| country.written == written)
}

const fn country(
    written: &'static str,
    code: &'static str,
    city: &'static str,
    postal_code: &'static str,
) -> Country {
    Country { written, code, city, postal_code }
}

/// Three names are no country; each is given the one a parcel would go to: "Unspecified" the United Kingdom, where
/// the retailer is, but never a store; "European Community" Belgium, where its seat is; "Channel Islands" Jersey.
const COUNTRIES: [Country; 38] = [
    country("Australia", "AU", "Sydney", "2999"),
    country("Austria", "AT", "Vienna", "1999"),
    country("Bahrain", "BH", "Manama", "999"),
    country("Belgium", "BE", "Antwerp", "2999"),
    country("Brazil", "BR", "São Paulo", "09999-999"),
    country("Canada", "CA", "Toronto", "M9Z 9Z9"),
    country("Channel Islands", "JE", "Saint Helier", "JE2 9ZZ"),
    country("Cyprus", "CY", "Nicosia", "1999"),
    country("Czech Republic", "CZ", "Prague", "199 99"),
    country("Denmark", "DK", "Copenhagen", "1999"),
    country("EIRE", "IE", "Dublin", "D01 Z9Z9"),
    country("European Community", "BE", "Brussels", "1999"),
    country("Finland", "FI", "Helsinki", "00999"),
    country("France", "FR", "Lyon", "69999"),
    country("Germany", "DE", "Hamburg", "20999"),
    country("Greece", "GR", "Athens", "109 99"),
    country("Hong Kong", "HK", "Hong Kong", ""),
    country("Iceland", "IS", "Reykjavik", "199"),
    country("Israel", "IL", "Tel Aviv", "6999999"),
    country("Italy", "IT", "Turin", "10199"),
    country("Japan", "JP", "Osaka", "599-9999"),
    country("Lebanon", "LB", "Beirut", "1199"),
    country("Lithuania", "LT", "Vilnius", "09999"),
    country("Malta", "MT", "Valletta", "VLT 1999"),
    country("Netherlands", "NL", "Utrecht", "3599 ZZ"),
    country("Norway", "NO", "Bergen", "5999"),
    country("Poland", "PL", "Warsaw", "00-999"),
    country("Portugal", "PT", "Porto", "4999-999"),
    country("RSA", "ZA", "Cape Town", "8099"),
    country("Saudi Arabia", "SA", "Riyadh", "11999"),
    country("Singapore", "SG", "Singapore", "999999"),
    country("Spain", "ES", "Valencia", "46999"),
    country("Sweden", "SE", "Gothenburg", "419 99"),
    country("Switzerland", "CH", "Zurich", "8099"),
    country("USA", "US", "Portland", "97299"),
    country("United Arab Emirates", "AE", "Dubai", ""),
    country("United Kingdom", "GB", "London", "EC1A 9ZZ"),
    country("Unspecified", "GB", "London", "EC1A 9ZZ"),
];
