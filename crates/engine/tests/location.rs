//! The story of the places a shop has: a store in Leeds, a warehouse, and the network they form.

use domain::Code;
use domain::location::Kind;
use domain::value::hours::CutOffs;
use domain::value::{
    Address, AddressDraft, Coordinates, Country, Id, Instant, OpeningHours, Reference, Zone, id,
};
use engine::Failure;
use engine::location::area::PostalArea;
use engine::location::{self, Filter, Location, LocationChange, NetworkChange, NewLocation, NewNetwork};
use sim::TestShop;

const ALL: Filter = Filter { kind: None, active: None };

fn leeds() -> NewLocation {
    let address = AddressDraft {
        names: Vec::new(),
        company: None,
        street: vec!["Unit 4".into(), "1 Briggate".into()],
        city: Some("Leeds".into()),
        region: None,
        postal_code: Some("LS1 4DY".into()),
        country: "GB".into(),
    };
    NewLocation {
        code: "leeds".into(),
        name: "Leeds, Briggate".into(),
        external_id: Some("STORE-7".into()),
        kind: Kind::Store,
        can_ship: true,
        can_pick_up: true,
        can_receive: true,
        can_return: true,
        zone: Zone::parse("Europe/London").expect("a sound value"),
        hours: Some(OpeningHours::parse("mo-sa 09:00-18:00; 2026-12-25 closed").expect("a sound value")),
        address: Address::new(&address).ok(),
        coordinates: Coordinates::parse("53.800755", "-1.549077").ok(),
        cut_off: Some(CutOffs::parse("mo-fr 15:00; sa 12:00").expect("a sound value")),
        capacity: Some(40),
        preparation_minutes: 30,
    }
}

fn warehouse() -> NewLocation {
    NewLocation {
        code: "daventry".into(),
        name: "Daventry".into(),
        external_id: None,
        kind: Kind::Warehouse,
        can_pick_up: false,
        hours: None,
        address: None,
        coordinates: Coordinates::parse("52.257", "-1.164").ok(),
        cut_off: None,
        capacity: None,
        ..leeds()
    }
}

fn create(shop: &TestShop, new: NewLocation) -> Result<Location, Failure> {
    shop.pass(1);
    shop.run(move |tx, actor, world| location::create(tx, actor, world, new.clone()))
}

fn update(
    shop: &TestShop,
    (id, version): (Id<id::Location>, Option<i64>),
    change: LocationChange,
) -> Result<Location, Failure> {
    shop.run(move |tx, actor, world| {
        location::update(tx, actor, world, (&Reference::Id(id), version), change.clone())
    })
}

fn refusal<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> String {
    outcome.expect_err("a refusal").to_string()
}

#[test]
fn a_location_is_made_found_changed_and_deactivated() {
    sim::on_every_engine(|shop| {
        let made = create(shop, leeds()).unwrap();
        for reference in [Reference::Id(made.id), Reference::External("STORE-7".into())] {
            let found = shop.read(move |tx| location::find(tx, &shop_keeper(), &reference)).unwrap();
            assert_eq!(found, made);
        }
        let again = refusal(create(shop, leeds()));
        assert_eq!(again, "already_exists: code: a location \"leeds\" exists already; choose another code");
        let other = NewLocation { code: "york".into(), ..leeds() };
        let message = "another location has the external id \"STORE-7\"; choose another";
        assert_eq!(refusal(create(shop, other)), format!("already_exists: external_id: {message}"));

        let change = LocationChange {
            name: Some("Leeds".into()),
            cut_off: Some(None),
            active: Some(false),
            capacity: Some(Some(60)),
            ..LocationChange::default()
        };
        let changed = update(shop, (made.id, Some(1)), change.clone()).unwrap();
        let expected = Location {
            name: "Leeds".into(),
            cut_off: None,
            active: false,
            capacity: Some(60),
            version: 2,
            ..made.clone()
        };
        assert_eq!(changed, expected);
        let reference = Reference::Id(made.id);
        assert_eq!(shop.read(move |tx| location::find(tx, &shop_keeper(), &reference)).unwrap(), expected);

        let stale = refusal(update(shop, (made.id, Some(1)), change.clone()));
        let message =
            format!("the location {} was changed meanwhile; read it again and repeat the change", made.id);
        assert_eq!(stale, format!("stale: {message}"));
        let unread = update(shop, (made.id, None), change.clone()).unwrap_err();
        assert_eq!(unread.code(), Some(Code::Stale));
        let nowhere = update(shop, (Id::from_bytes([7; 16]), Some(1)), change).unwrap_err();
        assert_eq!(nowhere.code(), Some(Code::NotFound));
        let too_many = LocationChange { capacity: Some(Some(-1)), ..LocationChange::default() };
        let message = "invalid: capacity: give 0 to 1000000 orders a day, or nothing for no limit";
        assert_eq!(refusal(update(shop, (made.id, Some(2)), too_many)), message);
    });
}

fn shop_keeper() -> domain::actor::Actor {
    domain::actor::Actor::system()
}

#[test]
fn locations_are_listed_by_kind_and_by_distance() {
    sim::on_every_engine(|shop| {
        let store = create(shop, leeds()).unwrap();
        let warehouse = create(shop, warehouse()).unwrap();
        let unmapped = NewLocation {
            code: "cloud".into(),
            kind: Kind::Virtual,
            coordinates: None,
            external_id: None,
            ..leeds()
        };
        let unmapped = create(shop, unmapped).unwrap();

        let list = |filter, after, limit| {
            shop.read(move |tx| location::list(tx, &shop_keeper(), filter, after, limit)).unwrap()
        };
        let start = Id::from_bytes([0; 16]);
        assert_eq!(list(ALL, start, 10), [store.clone(), warehouse.clone(), unmapped.clone()]);
        assert_eq!(list(ALL, store.id, 1), std::slice::from_ref(&warehouse));
        assert_eq!(list(Filter { kind: Some(Kind::Virtual), active: None }, start, 10), [unmapped]);
        assert!(list(Filter { kind: None, active: Some(false) }, start, 10).is_empty());

        let london = Coordinates::parse("51.507351", "-0.127758").unwrap();
        let near = shop.read(move |tx| location::nearest(tx, &shop_keeper(), ALL, london, 5)).unwrap();
        let near: Vec<_> = near.into_iter().map(|(one, metres)| (one.id, metres / 1000)).collect();
        assert_eq!(near, [(warehouse.id, 109), (store.id, 272)]);
        let nearest = shop.read(move |tx| location::nearest(tx, &shop_keeper(), ALL, london, 1)).unwrap();
        assert_eq!(nearest[0].0, warehouse);
    });
}

#[test]
fn the_door_opens_and_closes() {
    sim::on_every_engine(|shop| {
        let store = create(shop, leeds()).unwrap();
        let warehouse = create(shop, warehouse()).unwrap();
        let opening = |id, at: &str| {
            let at = Instant::parse(at).unwrap();
            shop.read(move |tx| location::opening(tx, &shop_keeper(), &Reference::Id(id), at)).unwrap()
        };
        let text = |at: Option<Instant>| at.map(|at| at.to_string()).unwrap_or_default();
        let saturday = opening(store.id, "2026-06-06T11:30:00Z");
        assert!(saturday.open);
        assert_eq!(text(saturday.next_closing), "2026-06-06T17:00:00Z");
        assert_eq!(text(saturday.next_opening), "2026-06-08T08:00:00Z");
        assert_eq!(text(saturday.next_cut_off), "2026-06-08T14:00:00Z");
        let never = opening(warehouse.id, "2026-06-06T11:30:00Z");
        assert!(!never.open && never.next_opening.is_none() && never.next_cut_off.is_none());
    });
}

#[test]
fn a_network_orders_its_locations_by_rank() {
    sim::on_every_engine(|shop| {
        let store = create(shop, leeds()).unwrap();
        let warehouse = create(shop, warehouse()).unwrap();
        let new = NewNetwork {
            code: "uk".into(),
            name: "United Kingdom".into(),
            external_id: Some("NET-UK".into()),
            members: vec![(Reference::External("STORE-7".into()), 2), (Reference::Id(warehouse.id), 1)],
        };
        let create_network = |new: NewNetwork| {
            shop.run(move |tx, actor, world| location::create_network(tx, actor, world, new.clone()))
        };
        let network = create_network(new.clone()).unwrap();
        assert_eq!(network.members, [(warehouse.id, 1), (store.id, 2)]);
        let reference = Reference::External("NET-UK".into());
        let found = shop.read(move |tx| location::find_network(tx, &shop_keeper(), &reference)).unwrap();
        assert_eq!(found, network);
        let id = network.id;
        let members = shop.read(move |tx| Ok(store::location::network_members(tx, id)?)).unwrap();
        assert_eq!(members, [(warehouse.clone(), 1), (store.clone(), 2)]);

        let message = "already_exists: code: a network \"uk\" exists already; choose another code";
        assert_eq!(refusal(create_network(new.clone())), message);
        let unknown = NewNetwork { members: vec![(Reference::External("X".into()), 0)], ..new.clone() };
        assert_eq!(refusal(create_network(unknown)), "invalid: members.0.location: no location \"X\"");
        let gone = Id::from_bytes([9; 16]);
        let unknown = NewNetwork { members: vec![(Reference::Id(gone), 0)], ..new };
        assert_eq!(
            refusal(create_network(unknown)),
            format!("invalid: members.0.location: no location \"{gone}\"")
        );

        let deactivate = LocationChange { active: Some(false), ..LocationChange::default() };
        update(shop, (warehouse.id, Some(1)), deactivate).unwrap();
        let members = shop.read(move |tx| Ok(store::location::network_members(tx, id)?)).unwrap();
        assert_eq!(members.len(), 1, "a location that takes no part is not asked");

        let change = NetworkChange { name: None, members: Some(vec![(Reference::Id(store.id), 0)]) };
        let update_network = move |shop: &TestShop, version| {
            let change = change.clone();
            shop.run(move |tx, actor, world| {
                location::update_network(tx, actor, world, (&Reference::Id(id), version), change.clone())
            })
        };
        let changed = update_network(shop, Some(1)).unwrap();
        assert_eq!((changed.members, changed.version), (vec![(store.id, 0)], 2));
        assert_eq!(update_network(shop, Some(1)).unwrap_err().code(), Some(Code::Stale));
        let listed =
            shop.read(|tx| location::list_networks(tx, &shop_keeper(), Id::from_bytes([0; 16]), 10)).unwrap();
        assert_eq!(listed[0].members, [(store.id, 0)]);
    });
}

fn area(country: &str, prefix: &str, (latitude, longitude): (&str, &str)) -> PostalArea {
    PostalArea {
        country: Country::parse(country).expect("a country"),
        prefix: prefix.into(),
        place: None,
        coordinates: Coordinates::parse(latitude, longitude).expect("a point"),
    }
}

#[test]
fn a_postal_code_leads_to_the_nearest_area_that_is_known() {
    sim::on_every_engine(|shop| {
        let (britain, leeds) = (area("GB", "", ("54", "-2")), area("GB", "LS", ("53.7965", "-1.5478")));
        let briggate = area("GB", "LS1", ("53.797", "-1.5437"));
        let named = PostalArea { place: Some("Leeds".into()), ..leeds.clone() };
        for (one, before) in [
            (&britain, None),
            (&leeds, None),
            (&briggate, None),
            (&leeds, Some(&leeds)),
            (&named, Some(&leeds)),
            (&leeds, Some(&named)),
        ] {
            let one = one.clone();
            let set = shop.run(move |tx, actor, world| location::area::set(tx, actor, world, &one));
            assert_eq!(set.unwrap().as_ref(), before);
        }
        let find = |code: &'static str, country: &str| {
            let country = Country::parse(country).expect("a country");
            shop.read(move |tx| location::area::find(tx, &shop_keeper(), (country, code)))
        };
        assert_eq!(find("ls1 4dy", "GB").unwrap(), briggate);
        assert_eq!(find("LS27 0AA", "GB").unwrap(), leeds);
        assert_eq!(find("YO1 7HH", "GB").unwrap(), britain);
        assert_eq!(refusal(find("75001", "FR")), "not_found: no postal area \"FR-75001\"");
        let first = shop.read(|tx| location::area::list(tx, &shop_keeper(), ("", ""), 2)).unwrap();
        assert_eq!(first, [britain.clone(), leeds.clone()]);
        let next = shop.read(|tx| location::area::list(tx, &shop_keeper(), ("GB", "LS"), 2)).unwrap();
        assert_eq!(next, [briggate]);
        let remove = || {
            let gone = (Country::parse("GB").expect("a country"), "LS1");
            shop.run(move |tx, actor, world| location::area::remove(tx, actor, world, gone))
        };
        remove().unwrap();
        assert_eq!(refusal(remove()), "not_found: no postal area \"GB-LS1\"");
        assert_eq!(find("LS1 4DY", "GB").unwrap(), leeds);
    });
}
