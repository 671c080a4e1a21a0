//! Taxes: zones and their rates, which change on a day that is known before.

use domain::Code;
use domain::tax::Area;
use domain::value::{Id, Instant, Rate, Reference};
use engine::Failure;
use engine::tax::{self, NewClass, NewRate, NewZone, Zone, ZoneChange};
use sim::{TestShop, on_every_engine};

fn zone(shop: &TestShop, code: &str, areas: &[&str]) -> Result<Zone, Failure> {
    let areas = areas.iter().map(|area| Area::parse(area).expect("an area")).collect();
    let new = NewZone { external_id: None, code: code.into(), name: code.into(), areas };
    shop.run(move |tx, actor, world| tax::create_zone(tx, actor, world, new.clone()))
}

fn rate(parts: i64, from: Instant, until: Option<Instant>) -> NewRate {
    NewRate {
        class: Reference::External("standard".into()),
        rate: Rate::from_parts_per_million(parts).expect("a rate"),
        exempt: false,
        valid_from: from,
        valid_until: until,
    }
}

fn set(shop: &TestShop, new: NewRate) -> Result<tax::Rate, Failure> {
    let zone = Reference::External("gb".into());
    shop.run(move |tx, actor, world| tax::set_rate(tx, actor, world, &zone, new.clone()))
}

#[test]
fn a_rate_changes_on_its_day() {
    on_every_engine(|shop| {
        let class = NewClass { code: "standard".into(), name: "Standard".into() };
        let class =
            shop.run(move |tx, actor, world| tax::create_class(tx, actor, world, class.clone())).unwrap();
        let gb = zone(shop, "gb", &["GB", "IM"]).unwrap();
        let (old, new) = (Instant::EPOCH, Instant::EPOCH.plus_seconds(1000));
        for _ in 0..2 {
            set(shop, rate(175_000, old, None)).unwrap();
            set(shop, rate(200_000, new, Some(new.plus_seconds(1000)))).unwrap();
        }
        let at = |zone, instant: Instant| {
            shop.read(move |tx| tax::rate_for(tx, zone, class.id, instant)).map(Rate::parts_per_million)
        };
        assert_eq!(at(Some(gb.id), new.plus_seconds(-1)).unwrap(), 175_000);
        assert_eq!(at(Some(gb.id), new).unwrap(), 200_000);
        assert_eq!(at(Some(gb.id), new.plus_seconds(1000)).unwrap(), 175_000, "it was for a time only");
        assert_eq!(at(None, new).unwrap(), 0);
        assert_eq!(at(Some(gb.id), old.plus_seconds(-1)).unwrap_err().code(), Some(Code::NoTaxRate));
        let backwards = set(shop, rate(1, new, Some(old))).unwrap_err();
        assert_eq!(backwards.to_string(), "invalid: valid_until: it must be later than valid_from");
        let exempt = set(shop, NewRate { exempt: true, ..rate(1, new, None) }).unwrap_err();
        assert_eq!(exempt.to_string(), "invalid: rate: what is exempt has the rate 0");
        let gb = Reference::Id(gb.id);
        assert_eq!(shop.run(move |tx, actor, _| tax::list_rates(tx, actor, &gb)).unwrap().len(), 2);
    });
}

#[test]
fn an_area_belongs_to_one_zone_and_a_region_goes_first() {
    on_every_engine(|shop| {
        let usa = zone(shop, "us", &["US"]).unwrap();
        let california = zone(shop, "us-ca", &["US-CA"]).unwrap();
        let twice = zone(shop, "again", &["US-CA"]).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "already_exists: areas.0: US-CA belongs to a tax zone already; take it out there first"
        );
        let of = |text: &str| {
            let area = Area::parse(text).unwrap();
            shop.read(move |tx| Ok(store::tax::zone_of(tx, &area)?)).unwrap()
        };
        assert_eq!((of("US-CA"), of("US-NY"), of("FR")), (Some(california.id), Some(usa.id), None));

        let change = |version| {
            let areas = vec![Area::parse("US-NY").unwrap()];
            let change = ZoneChange { name: "East".into(), areas, if_match: version };
            let zone = Reference::External("us-ca".into());
            shop.run(move |tx, actor, world| tax::update_zone(tx, actor, world, &zone, change.clone()))
        };
        assert_eq!(change(Some(1)).unwrap().version, 2);
        assert_eq!(change(Some(1)).unwrap_err().code(), Some(Code::Stale));
        assert_eq!((of("US-CA"), of("US-NY")), (Some(usa.id), Some(california.id)));
        let listed =
            shop.run(|tx, actor, _| tax::list_zones(tx, actor, Id::from_bytes([0; 16]), 10)).unwrap();
        assert_eq!(listed.iter().map(|zone| zone.code.as_str()).collect::<Vec<_>>(), ["us", "us-ca"]);
    });
}
