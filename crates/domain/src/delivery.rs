//! Delivery: which ways of getting goods to the customer serve a destination, and what each costs.

use crate::location::area::letters_and_digits;
use crate::refusal::Refusal;
use crate::value::{Country, Money};

/// The most countries a method serves: all there are.
pub const AREAS_MAX: usize = 249;
/// The most postal prefixes of one country.
pub const PREFIXES_MAX: usize = 1000;
/// The most letters and digits of a postal prefix.
pub const PREFIX_CHARS_MAX: usize = 5;
/// The most bands of a method's rates.
pub const BANDS_MAX: usize = 100;
/// The longest lead time, in working days.
pub const LEAD_DAYS_MAX: i64 = 365;
/// The most channels a method is offered in.
pub const CHANNELS_MAX: usize = 200;

crate::words! {
    /// How goods get to the customer.
    Kind {
        /// A parcel goes to an address.
        Ship 1 "ship";
        /// The customer collects at a location later.
        Pickup 2 "pickup";
        /// The customer takes them along at once.
        HandOver 3 "hand_over";
    }
}

crate::words! {
    /// What the bands of a method's rates are measured by.
    Measure {
        /// The value of the goods, in minor units.
        Value 1 "value";
        /// The weight of the goods, in grams.
        Weight 2 "weight";
    }
}

/// A country a method serves, wholly or in part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Area {
    /// The country.
    pub country: Country,
    /// What postal codes there begin with, letters and digits in capitals; the whole country when empty.
    pub postal_prefixes: Vec<String>,
}

/// From this value or weight on it costs this much.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Band {
    /// The least value in minor units, or the least weight in grams.
    pub from: i64,
    /// What it costs, in minor units, with or without tax as the market's prices are.
    pub price_minor: i64,
}

/// What a method costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rates {
    /// What the bands are measured by.
    pub measure: Measure,
    /// The bands, the lowest first; what lies under the lowest is not delivered.
    pub bands: Vec<Band>,
    /// The most it takes, in the measure of the bands; none for no limit.
    pub most: Option<i64>,
    /// From this value of the goods on it costs nothing, in minor units.
    pub free_from_minor: Option<i64>,
}

/// Goods on their way to somebody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Where they go, once that is known.
    pub destination: Option<Destination>,
    /// What they are worth, in minor units of the market's currency.
    pub goods_minor: i64,
    /// What they weigh, in grams.
    pub weight_grams: i64,
}

/// The part of an address that decides who delivers there; it names nobody.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The country.
    pub country: Country,
    /// The postal code, or at least its first [`PREFIX_CHARS_MAX`] letters and digits.
    pub postal_code: Option<String>,
}

/// What goods cost to be delivered, in minor units; `None` when the method does not serve them.
///
/// Only parcels need a destination: what is collected or taken along serves everybody.
pub fn price(kind: Kind, zone: &[Area], rates: &Rates, delivery: &Delivery) -> Option<i64> {
    let served = match (kind, &delivery.destination) {
        (Kind::Ship, Some(destination)) => serves(zone, destination),
        (Kind::Ship, None) => false,
        (Kind::Pickup | Kind::HandOver, _) => true,
    };
    if served { cost(rates, delivery) } else { None }
}

/// Does a zone reach a destination?
pub fn serves(zone: &[Area], destination: &Destination) -> bool {
    let code = letters_and_digits(destination.postal_code.as_deref().unwrap_or_default());
    zone.iter().any(|area| {
        let begins = |prefix: &String| code.starts_with(prefix.as_str());
        area.country == destination.country
            && (area.postal_prefixes.is_empty() || area.postal_prefixes.iter().any(begins))
    })
}

fn cost(rates: &Rates, delivery: &Delivery) -> Option<i64> {
    let measured = match rates.measure {
        Measure::Value => delivery.goods_minor,
        Measure::Weight => delivery.weight_grams,
    };
    if rates.most.is_some_and(|most| measured > most) {
        return None;
    }
    let band = rates.bands.iter().rev().find(|band| band.from <= measured)?;
    let free = rates.free_from_minor.is_some_and(|least| delivery.goods_minor >= least);
    Some(if free { 0 } else { band.price_minor })
}

/// Checks a method's zone: a parcel goes somewhere, and only a parcel does.
///
/// # Errors
/// The refusal names the country or prefix at fault.
pub fn zone(kind: Kind, areas: Vec<Area>) -> Result<Vec<Area>, Refusal> {
    if (kind == Kind::Ship) == areas.is_empty() {
        let message = match kind {
            Kind::Ship => "name at least one country that parcels go to",
            Kind::Pickup | Kind::HandOver => "leave it out: only parcels go to a country",
        };
        return Err(Refusal::invalid("zone", message));
    }
    if areas.len() > AREAS_MAX {
        return Err(Refusal::invalid("zone", format!("give at most {AREAS_MAX} countries")));
    }
    let mut checked: Vec<Area> = Vec::with_capacity(areas.len());
    for (place, area) in areas.into_iter().enumerate() {
        if checked.iter().any(|earlier| earlier.country == area.country) {
            let message = format!("{} is named twice; name each country once", area.country.code());
            return Err(Refusal::invalid(format!("zone.{place}.country"), message));
        }
        checked.push(Area { postal_prefixes: prefixes(place, &area.postal_prefixes)?, ..area });
    }
    Ok(checked)
}

fn prefixes(place: usize, prefixes: &[String]) -> Result<Vec<String>, Refusal> {
    let field = format!("zone.{place}.postal_prefixes");
    if prefixes.len() > PREFIXES_MAX {
        return Err(Refusal::invalid(field, format!("give at most {PREFIXES_MAX} prefixes")));
    }
    let mut checked = Vec::with_capacity(prefixes.len());
    for (index, prefix) in prefixes.iter().enumerate() {
        let prefix = letters_and_digits(prefix);
        if prefix.is_empty() || prefix.chars().count() > PREFIX_CHARS_MAX {
            let message = format!("give 1 to {PREFIX_CHARS_MAX} letters and digits");
            return Err(Refusal::invalid(format!("{field}.{index}"), message));
        }
        checked.push(prefix);
    }
    checked.sort();
    checked.dedup();
    Ok(checked)
}

/// Checks a method's rates.
///
/// # Errors
/// The refusal names the band or limit at fault.
pub fn rates(rates: Rates) -> Result<Rates, Refusal> {
    if rates.bands.is_empty() || rates.bands.len() > BANDS_MAX {
        return Err(Refusal::invalid("bands", format!("give 1 to {BANDS_MAX} bands")));
    }
    let mut least = 0;
    for (place, band) in rates.bands.iter().enumerate() {
        if !(least..=Money::MAX).contains(&band.from) {
            let message = format!("bands rise: give {least} or more");
            return Err(Refusal::invalid(format!("bands.{place}.from"), message));
        }
        if !(0..=Money::MAX).contains(&band.price_minor) {
            return Err(Refusal::invalid(format!("bands.{place}.price"), "give 0 or more"));
        }
        least = band.from + 1;
    }
    if rates.most.is_some_and(|most| most < least - 1) {
        return Err(Refusal::invalid("most", "give at least where the last band begins"));
    }
    if rates.free_from_minor.is_some_and(|least| least < 0) {
        return Err(Refusal::invalid("free_from", "give 0 or more"));
    }
    Ok(rates)
}

/// Checks a lead time in working days.
///
/// # Errors
/// When it is not 0 to [`LEAD_DAYS_MAX`], or ends before it begins.
pub fn lead_days((least, most): (i64, i64)) -> Result<(i64, i64), Refusal> {
    if !(0..=LEAD_DAYS_MAX).contains(&least) {
        return Err(Refusal::invalid("lead_days_min", format!("give 0 to {LEAD_DAYS_MAX} working days")));
    }
    if !(least..=LEAD_DAYS_MAX).contains(&most) {
        return Err(Refusal::invalid(
            "lead_days_max",
            format!("give {least} to {LEAD_DAYS_MAX} working days"),
        ));
    }
    Ok((least, most))
}

/// Checks where goods are collected: a pickup names a network or locations, everything else neither.
///
/// # Errors
/// The refusal says which to give.
pub fn pickup_places(kind: Kind, has_network: bool, has_locations: bool) -> Result<(), Refusal> {
    match (kind, has_network, has_locations) {
        (Kind::Pickup, false, false) => {
            Err(Refusal::invalid("pickup_network", "name the network or the locations to collect at"))
        }
        (Kind::Pickup, true, true) => {
            Err(Refusal::invalid("pickup_locations", "give either a network or locations, not both"))
        }
        (Kind::Ship | Kind::HandOver, true, _) => {
            Err(Refusal::invalid("pickup_network", "leave it out: only a pickup has places to collect at"))
        }
        (Kind::Ship | Kind::HandOver, _, true) => {
            Err(Refusal::invalid("pickup_locations", "leave it out: only a pickup has places to collect at"))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn country(code: &str) -> Country {
        Country::parse(code).unwrap()
    }

    fn to(code: &str, postal_code: &str) -> Destination {
        Destination { country: country(code), postal_code: Some(postal_code.into()) }
    }

    fn by_weight() -> Rates {
        let bands = vec![Band { from: 0, price_minor: 399 }, Band { from: 2001, price_minor: 799 }];
        Rates { measure: Measure::Weight, bands, most: Some(30_000), free_from_minor: Some(5000) }
    }

    fn sent(goods_minor: i64, weight_grams: i64) -> Delivery {
        Delivery { destination: Some(to("GB", "LS1 4DY")), goods_minor, weight_grams }
    }

    #[test]
    fn a_zone_reaches_countries_and_postal_prefixes() {
        let areas = vec![
            Area { country: country("GB"), postal_prefixes: vec!["ls".into(), "YO-1".into()] },
            Area { country: country("IE"), postal_prefixes: Vec::new() },
        ];
        let zone = zone(Kind::Ship, areas).unwrap();
        assert!(serves(&zone, &to("GB", "Ls1 4dy")) && serves(&zone, &to("GB", "YO1 7HH")));
        assert!(!serves(&zone, &to("GB", "EC1A 1BB")) && !serves(&zone, &to("FR", "75001")));
        assert!(serves(&zone, &Destination { country: country("IE"), postal_code: None }));
        assert!(!serves(&zone, &Destination { country: country("GB"), postal_code: None }));
    }

    #[test]
    fn prices_by_band_free_from_and_limit() {
        let zone = [Area { country: country("GB"), postal_prefixes: Vec::new() }];
        let price = |goods, weight| price(Kind::Ship, &zone, &by_weight(), &sent(goods, weight));
        assert_eq!(price(1000, 2000), Some(399));
        assert_eq!(price(1000, 2001), Some(799));
        assert_eq!(price(5000, 2001), Some(0));
        assert_eq!(price(5000, 30_001), None);
        let nowhere = Delivery { destination: None, ..sent(1000, 10) };
        assert_eq!(super::price(Kind::Ship, &zone, &by_weight(), &nowhere), None);
        assert_eq!(super::price(Kind::Pickup, &[], &by_weight(), &nowhere), Some(399));
    }

    #[test]
    fn refusals_name_the_field() {
        let field = |refusal: Refusal| refusal.field().unwrap_or_default().to_owned();
        let britain = || Area { country: country("GB"), postal_prefixes: Vec::new() };
        assert_eq!(field(zone(Kind::Ship, Vec::new()).unwrap_err()), "zone");
        assert_eq!(field(zone(Kind::Pickup, vec![britain()]).unwrap_err()), "zone");
        assert_eq!(field(zone(Kind::Ship, vec![britain(), britain()]).unwrap_err()), "zone.1.country");
        let long = Area { postal_prefixes: vec!["LS".into(), "LS14DY".into()], ..britain() };
        assert_eq!(field(zone(Kind::Ship, vec![long]).unwrap_err()), "zone.0.postal_prefixes.1");
        let falling = Rates { bands: vec![Band { from: 5, price_minor: 1 }; 2], ..by_weight() };
        assert_eq!(field(rates(falling).unwrap_err()), "bands.1.from");
        let short = Rates { most: Some(2000), ..by_weight() };
        assert_eq!(field(rates(short).unwrap_err()), "most");
        assert_eq!(field(lead_days((3, 2)).unwrap_err()), "lead_days_max");
        assert_eq!(field(pickup_places(Kind::Pickup, false, false).unwrap_err()), "pickup_network");
        assert_eq!(field(pickup_places(Kind::Ship, false, true).unwrap_err()), "pickup_locations");
        assert!(pickup_places(Kind::HandOver, false, false).is_ok());
    }

    proptest! {
        #[test]
        fn what_is_heavier_is_never_cheaper(weight in 0i64..30_000, more in 0i64..30_000) {
            let rates = rates(by_weight()).unwrap();
            if let (Some(light), Some(heavy)) = (cost(&rates, &sent(0, weight)), cost(&rates, &sent(0, weight + more))) {
                prop_assert!(light <= heavy);
            }
        }
    }
}
