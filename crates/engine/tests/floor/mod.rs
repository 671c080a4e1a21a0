//! Ground for stories about routing: a retailer with three stores, a web channel, and mugs on their shelves.

use domain::Code;
use domain::actor::Actor;
use domain::contact::{Card, Draft};
use domain::market::PaymentKind;
use domain::routing::costs::Costs;
use domain::routing::criterion::Criterion;
use domain::routing::profile::{Limits, Objective, Profile, Remainder, Strategy, Waiting, Waits};
use domain::routing::wanted::Tariff;
use domain::stock::State as Stock;
use domain::value::id::{self, Channel, Location, RoutingProfile, Variant};
use domain::value::{
    Address, AddressDraft, Coordinates, Country, Currency, Id, Instant, Name, Quantity, Reference,
};
use engine::Failure;
use engine::cart::{self, Choice, Details, Named, NewCart, NewLine};
use engine::checkout::{self, Checkout, Leaving, Tender, Whole};
use engine::fulfilment::{FulfilmentOrder, by_hand, pick, pool};
use engine::location::LocationChange;
use engine::routing::decision::{self, Kept};
use engine::routing::profile::{self, Place};
use sim::{Retailer, TestShop};
use store::location::area::PostalArea;

/// The stores, best first.
pub const STORES: [&str; 3] = ["leeds", "york", "hull"];

/// The shop of the story.
pub struct Floor<'a> {
    shop: &'a TestShop,
    retailer: Retailer,
    /// The web channel.
    pub web: Id<Channel>,
    /// What is sold.
    pub mug: Id<Variant>,
}

/// The costs of a profile: a pound a parcel, whatever the way.
pub fn costs() -> Costs {
    let otherwise = Tariff { parcel_minor: 100, item_minor: 0, kilogram_minor: 0, kilometre_minor: 0 };
    Costs {
        currency: Currency::parse("GBP").expect("a currency"),
        tariffs: Vec::new(),
        otherwise,
        slow: None,
    }
}

/// A strategy that goes by these criteria.
pub fn strategy(criteria: Vec<Criterion>) -> Strategy {
    let ranks =
        criteria.iter().any(|one| !matches!(one.effect, domain::routing::criterion::Effect::Exclude { .. }));
    Strategy {
        name: Name::new("name", "all").expect("a name"),
        conditions: Vec::new(),
        criteria,
        limits: Limits { parts_max: 3, part_value_minor: 0, split_minor: 0 },
        objective: if ranks { Objective::Criteria } else { Objective::Cost },
        is_all_or_next: false,
        remainder: Remainder::BackOrder,
        batch_minutes: None,
    }
}

/// A profile with one strategy for all orders.
pub fn profile_of(fallback: Strategy) -> Profile {
    let name = Name::new("name", "story").expect("a name");
    Profile::new((name, 1), (costs(), 72), Vec::new(), fallback).expect("a profile")
}

/// The code of a refusal.
pub fn code_of(outcome: Result<impl Sized, Failure>) -> Option<Code> {
    outcome.err().and_then(|failure| failure.code())
}

impl<'a> Floor<'a> {
    /// Opens the stores with so many mugs each.
    pub fn open(shop: &'a TestShop, mugs: &[i64; 3]) -> Floor<'a> {
        let retailer = Retailer::open(shop, &STORES);
        let web = retailer.web(shop).id;
        retailer.parcel(shop, 399, &["web"]);
        let mug = retailer.sell(shop, "MUG", 500);
        for (place, pieces) in mugs.iter().enumerate().filter(|(_, pieces)| **pieces > 0) {
            retailer.stock(shop, mug, place, *pieces);
        }
        Floor { shop, retailer, web, mug }
    }

    /// The location at a place, from 0.
    pub fn place(&self, place: usize) -> Id<Location> {
        self.retailer.locations[place]
    }

    /// What the clock says.
    pub fn now(&self) -> Instant {
        use engine::world::Source;
        self.shop.simulated.now()
    }

    /// Mugs come to a place.
    pub fn restock(&self, place: usize, mugs: i64) {
        self.retailer.stock(self.shop, self.mug, place, mugs);
    }

    /// Something of a location changes.
    pub fn change(&self, place: usize, change: impl Fn(&mut LocationChange)) {
        let mut all = LocationChange::default();
        change(&mut all);
        let location = self.place(place);
        self.shop
            .run(move |tx, actor, world| {
                let version = store::location::find(tx, location)?.map(|found| found.version);
                engine::location::update(tx, actor, world, (&Reference::Id(location), version), all.clone())
            })
            .expect("changed");
    }

    /// So many mugs stay at a place.
    pub fn level(&self, place: usize, safety: i64) {
        let (variant, location) = (self.mug, self.place(place));
        self.shop
            .run(move |tx, _, _| {
                let level = store::stock::Level { safety, ..store::stock::Level::unset(variant, location) };
                Ok::<_, Failure>(store::stock::set_level(tx, &level)?)
            })
            .expect("a level");
    }

    /// Puts the stores on the map, York the nearest to where parcels go, and only Hull into the market's country.
    pub fn on_the_map(&self) {
        let point = |latitude| Coordinates::from_micro(latitude, -1_500_000).expect("a point");
        for (place, latitude) in [54_500_000, 53_810_000, 53_000_000].into_iter().enumerate() {
            self.change(place, |change| change.coordinates = Some(Some(point(latitude))));
        }
        for (place, country) in ["IE", "IE", "GB"].into_iter().enumerate() {
            let draft = AddressDraft {
                names: Vec::new(),
                company: None,
                street: vec!["1 High Street".into()],
                city: Some("Town".into()),
                region: None,
                postal_code: Some(if country == "GB" { "HU1 1AA" } else { "D01 F5P2" }.into()),
                country: country.into(),
            };
            let address = Address::new(&draft).expect("an address");
            self.change(place, |change| change.address = Some(Some(address.clone())));
        }
        let area = PostalArea {
            country: Country::parse("GB").expect("a country"),
            prefix: "LS".into(),
            place: None,
            coordinates: point(53_800_000),
        };
        self.shop
            .run(move |tx, actor, world| engine::location::area::set(tx, actor, world, &area))
            .expect("an area");
    }

    /// Makes a profile.
    pub fn create(&self, profile: Profile) -> Id<RoutingProfile> {
        self.shop
            .run(move |tx, actor, world| profile::create(tx, actor, world, profile.clone()))
            .expect("a profile")
            .id
    }

    /// The network goes by a profile.
    pub fn go_by(&self, id: Id<RoutingProfile>) {
        let place = Place::Network(self.retailer.network);
        self.shop
            .run(move |tx, actor, world| profile::name(tx, actor, world, place, Some(id)))
            .expect("named");
    }

    /// The network goes by none.
    pub fn go_by_none(&self) {
        let place = Place::Network(self.retailer.network);
        self.shop.run(move |tx, actor, world| profile::name(tx, actor, world, place, None)).expect("named");
    }

    /// Makes a profile, activates it, and lets the network go by it.
    pub fn route_by(&self, profile: Profile) -> Id<RoutingProfile> {
        let id = self.create(profile);
        self.shop
            .run(move |tx, actor, world| profile::activate(tx, actor, world, (id, 1), None))
            .expect("active");
        self.go_by(id);
        id
    }

    /// An order of mugs, sent by parcel and paid.
    pub fn order(&self, mugs: i64) -> Whole {
        let draft = Draft {
            name: Some("Ada Quince".into()),
            street: vec!["1 Kirkgate".into()],
            city: Some("Leeds".into()),
            postal_code: Some("LS1 4DY".into()),
            country: Some("GB".into()),
            ..Draft::default()
        };
        let card = Card::new(&draft).expect("a contact");
        let choice = Choice { method: Reference::External("parcel".into()), location: None };
        let details = Details { contact: Some(card), delivery: Some(Some(choice)), ..Details::default() };
        let line = NewLine {
            variant: Named::Reference(Reference::Id(self.mug)),
            quantity: Quantity::new(mugs).expect("a quantity"),
            unit_price: None,
        };
        let new = NewCart { channel: Reference::Id(self.web), currency: None, lines: vec![line], details };
        let cash = Tender {
            kind: PaymentKind::Cash,
            amount: None,
            provider_token: None,
            card: None,
            gift_card: None,
        };
        let placed = self.shop.run(move |tx, actor, world| {
            let cart = cart::create(tx, actor, world, new.clone())?.id;
            let input = Checkout {
                cart,
                expected_total: None,
                tenders: vec![cash.clone()],
                serve_from: None,
                placed_at: None,
                external_id: None,
            };
            checkout::place(tx, actor, world, input)
        });
        placed.expect("an order")
    }

    /// An order as it is now.
    pub fn read(&self, order: Id<id::Order>) -> Whole {
        self.shop.read(move |tx| checkout::read(tx, &Actor::system(), order)).expect("the order")
    }

    /// From which places, from 0, an order came when it was placed.
    pub fn from(&self, whole: &Whole) -> Vec<usize> {
        let at = |one: &FulfilmentOrder| {
            self.retailer.locations.iter().position(|location| Some(*location) == one.location)
        };
        whole.fulfilment_orders.iter().filter(|one| one.state.is_at_location()).filter_map(at).collect()
    }

    /// Mugs available and committed at a place.
    pub fn counts(&self, place: usize) -> [i64; 2] {
        [Stock::Available, Stock::Committed]
            .map(|state| self.retailer.count(self.shop, self.mug, place, state))
    }

    /// The decisions of an order.
    pub fn decisions(&self, order: Id<id::Order>) -> Vec<Kept> {
        let start = Id::from_bytes([0; 16]);
        self.shop
            .read(move |tx| decision::of_order(tx, &Actor::system(), order, start, 50))
            .expect("decisions")
    }

    /// Why a place sends what it sends.
    pub fn why(&self, kept: &Kept, place: Option<usize>) -> Vec<String> {
        let (which, location) = ((kept.order, kept.id), place.map(|place| self.place(place)));
        self.shop.read(move |tx| decision::why(tx, &Actor::system(), which, location)).expect("reasons")
    }

    /// The first part of an order is refused where it is.
    pub fn reject(&self, whole: &Whole) -> Vec<FulfilmentOrder> {
        let which = (whole.order.id, whole.fulfilment_orders[0].id);
        self.shop.run(move |tx, actor, world| pool::reject(tx, actor, world, which, "full")).expect("refused")
    }

    /// The first part of an order leaves.
    pub fn ship(&self, whole: &Whole) {
        let (order, part) = (whole.order.id, whole.fulfilment_orders[0].id);
        let leaving = Leaving::default();
        self.shop
            .run(move |tx, actor, world| checkout::fulfil(tx, actor, world, order, part, leaving.clone()))
            .expect("shipped");
    }

    /// What is at no location.
    pub fn waiting(&self, waits: Option<Waits>) -> Vec<(FulfilmentOrder, Waiting)> {
        let start = Id::from_bytes([0; 16]);
        self.shop.read(move |tx| by_hand::waiting(tx, &Actor::system(), waits, start, 50)).expect("a list")
    }

    /// A person places goods.
    pub fn place_by_hand(&self, which: pick::Which, place: usize) -> Result<FulfilmentOrder, Failure> {
        let location = self.place(place);
        self.shop.run(move |tx, actor, world| {
            by_hand::place(tx, actor, world, which, (location, Some("asked for")))
        })
    }

    /// What waits for goods is routed.
    pub fn route_waiting(&self) {
        self.shop.run(pool::route_waiting).expect("routed");
    }

    /// What waited too long is cancelled.
    pub fn cancel_unplaced(&self) {
        self.shop.run(checkout::cancel_unplaced).expect("cancelled");
    }
}
