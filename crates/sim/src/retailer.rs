//! A small retailer made in the trade's verbs, for tests that need shelves, channels and something to sell.

use domain::actor::Actor;
use domain::catalogue::{Status, Wording};
use domain::delivery::{self, Area, Band, Measure, Rates};
use domain::market::{CapturePolicy, HoldPolicy, Kind as ChannelKind, PaymentKind, RoundingLevel};
use domain::stock::State;
use domain::value::id::{self, DeliveryMethod, Location, Market, Network, PriceList, TaxClass, Variant};
use domain::value::{Country, Currency, Id, Language, Quantity, Reference, Rounding, Unit, Zone};
use engine::catalogue::{self, NewProduct, NewVariant};
use engine::delivery::NewMethod;
use engine::delivery::sending::{self, Sending};
use engine::location::{self, NewLocation, NewNetwork};
use engine::market::{self, Channel, NewChannel, NewMarket};
use engine::price::{self, NewAudience, NewList, NewPrice};
use engine::stock::{self, Receive};
use engine::transfer::{self, Side, TransferOrder};
use engine::{Failure, tax};

use crate::TestShop;

/// A retailer in Britain who sells in pounds with the tax included.
pub struct Retailer {
    /// Its market.
    pub market: Id<Market>,
    /// Its one class of taxed goods.
    pub tax_class: Id<TaxClass>,
    /// Its one list of prices.
    pub prices: Id<PriceList>,
    /// Its locations, best first.
    pub locations: Vec<Id<Location>>,
    /// All of them.
    pub network: Id<Network>,
}

/// A location that does everything, known by its code.
pub fn a_location(code: &str) -> NewLocation {
    NewLocation {
        code: code.into(),
        name: code.into(),
        external_id: Some(code.into()),
        kind: domain::location::Kind::Store,
        can_ship: true,
        can_pick_up: true,
        can_receive: true,
        can_return: true,
        zone: Zone::parse("Europe/London").expect("a time zone"),
        hours: None,
        address: None,
        coordinates: None,
        cut_off: None,
        capacity: None,
        preparation_minutes: 30,
    }
}

/// A web channel that takes every means of payment, known by its code.
pub fn a_channel(code: &str, market: Id<Market>, network: Id<Network>) -> NewChannel {
    NewChannel {
        code: code.into(),
        name: code.into(),
        external_id: Some(code.into()),
        kind: ChannelKind::Web,
        market: Reference::Id(market),
        network: Reference::Id(network),
        location: None,
        hold_policy: HoldPolicy::None,
        hold_minutes: 20,
        cart_expiry_minutes: 60,
        payment_minutes: 30,
        collect_days: 7,
        stock_threshold: 0,
        category_tree: None,
        payment_kinds: vec![
            PaymentKind::Cash,
            PaymentKind::Manual,
            PaymentKind::CardRecord,
            PaymentKind::Test,
            PaymentKind::GiftCard,
            PaymentKind::StoreCredit,
            PaymentKind::Points,
        ],
        capture_policy: CapturePolicy::AtOrder,
    }
}

/// A variant sold by the piece.
pub fn a_variant(sku: &str) -> NewVariant {
    NewVariant {
        sku: sku.into(),
        options: Vec::new(),
        unit: Unit::Piece,
        weight_grams: Some(120),
        tax_class: None,
        barcodes: Vec::new(),
        components: Vec::new(),
        service: false,
        attributes: Vec::new(),
        external_id: Some(sku.into()),
    }
}

impl Retailer {
    /// A retailer with locations of these codes, the first the best.
    ///
    /// # Panics
    /// When the shop refuses: there is no test without it.
    pub fn open(shop: &TestShop, codes: &[&str]) -> Retailer {
        let codes: Vec<String> = codes.iter().map(|code| (*code).to_owned()).collect();
        let made = shop.run(move |tx, actor, world| {
            let class = tax::create_class(
                tx,
                actor,
                world,
                tax::NewClass { code: "standard".into(), name: "Standard".into() },
            )?;
            let market = market::create(tx, actor, world, britain())?;
            let mut locations = Vec::new();
            for code in &codes {
                locations.push(location::create(tx, actor, world, a_location(code))?.id);
            }
            let members =
                (1i64..).zip(&locations).map(|(rank, location)| (Reference::Id(*location), rank)).collect();
            let network = NewNetwork {
                code: "all".into(),
                name: "All".into(),
                external_id: Some("all".into()),
                members,
            };
            let network = location::create_network(tx, actor, world, network)?.id;
            let list = NewList {
                code: "retail".into(),
                name: "Retail".into(),
                currency: market.currency,
                audience: NewAudience::Market(Reference::Id(market.id)),
                customer_group: None,
                priority: 0,
                starts_at: None,
                ends_at: None,
                external_id: None,
            };
            let prices = price::create_list(tx, actor, world, list)?.rule.id;
            Ok(Retailer { market: market.id, tax_class: class.id, prices, locations, network })
        });
        made.expect("a retailer")
    }

    /// Opens a channel.
    ///
    /// # Panics
    /// When the shop refuses.
    pub fn channel(&self, shop: &TestShop, new: NewChannel) -> Channel {
        shop.run(move |tx, actor, world| market::create_channel(tx, actor, world, new.clone()))
            .expect("a channel")
    }

    /// A web channel that sells from everywhere.
    ///
    /// # Panics
    /// When the shop refuses.
    pub fn web(&self, shop: &TestShop) -> Channel {
        self.channel(shop, a_channel("web", self.market, self.network))
    }

    /// A till at the location of this place, from 0.
    ///
    /// # Panics
    /// When the shop refuses.
    pub fn till(&self, shop: &TestShop, place: usize) -> Channel {
        let location = Some(Reference::Id(self.locations[place]));
        let code = format!("till-{place}");
        self.channel(
            shop,
            NewChannel { kind: ChannelKind::Till, location, ..a_channel(&code, self.market, self.network) },
        )
    }

    /// A product of one variant at a price in minor.
    ///
    /// # Panics
    /// When the shop refuses.
    pub fn sell(&self, shop: &TestShop, sku: &str, minor: i64) -> Id<Variant> {
        self.sell_variant(shop, a_variant(sku), minor)
    }

    /// A kit of components at a price in minor.
    ///
    /// # Panics
    /// When the shop refuses.
    pub fn sell_kit(
        &self,
        shop: &TestShop,
        sku: &str,
        components: &[(Id<Variant>, i64)],
        minor: i64,
    ) -> Id<Variant> {
        let components = components.iter().map(|(variant, each)| (Reference::Id(*variant), *each)).collect();
        self.sell_variant(shop, NewVariant { components, ..a_variant(sku) }, minor)
    }

    /// A product of one variant of any kind.
    ///
    /// # Panics
    /// When the shop refuses.
    pub fn sell_variant(&self, shop: &TestShop, variant: NewVariant, minor: i64) -> Id<Variant> {
        let (class, list) = (self.tax_class, self.prices);
        let made = shop.run(move |tx, actor, world| {
            let product = catalogue::create_product(
                tx,
                actor,
                world,
                a_product(Reference::Id(class), variant.clone()),
            )?;
            let id = product.variants[0].id;
            let price = NewPrice {
                list: Reference::Id(list),
                variant: Reference::Id(id),
                minor: Some(minor),
                was_minor: None,
                minimum_quantity: 1,
                starts_at: None,
                ends_at: None,
            };
            price::set_price(tx, actor, world, price)?;
            Ok(id)
        });
        made.expect("a product")
    }

    /// Parcels within Britain at one price, for the channels of these codes.
    ///
    /// # Panics
    /// When the shop refuses.
    pub fn parcel(&self, shop: &TestShop, minor: i64, channels: &[&str]) -> Id<DeliveryMethod> {
        self.deliver(
            shop,
            NewMethod { kind: delivery::Kind::Ship, ..self.a_method("parcel", minor, channels) },
        )
    }

    /// Collecting for nothing at every location, for the channels of these codes.
    ///
    /// # Panics
    /// When the shop refuses.
    pub fn collecting(&self, shop: &TestShop, channels: &[&str]) -> Id<DeliveryMethod> {
        self.collecting_as(shop, "collect", channels)
    }

    /// The same by another name.
    ///
    /// # Panics
    /// When the shop refuses.
    pub fn collecting_as(&self, shop: &TestShop, code: &str, channels: &[&str]) -> Id<DeliveryMethod> {
        let method = NewMethod {
            kind: delivery::Kind::Pickup,
            zone: Vec::new(),
            pickup_network: Some(Reference::Id(self.network)),
            ..self.a_method(code, 0, channels)
        };
        self.deliver(shop, method)
    }

    /// Lets the locations send each other what is collected, within so many days.
    ///
    /// # Panics
    /// When the shop refuses.
    pub fn sending(&self, shop: &TestShop, days: i64) {
        let network = self.network;
        shop.run(move |tx, actor, world| {
            let method = engine::external::resolve(tx, &Reference::External("collect".into()))?;
            sending::set(tx, actor, world, method, Some(Sending { network, days }))
        })
        .expect("stores send each other");
    }

    /// The open transfer orders that come to the location of this place, from 0.
    ///
    /// # Panics
    /// When the books cannot be read.
    pub fn coming(&self, shop: &TestShop, place: usize) -> Vec<TransferOrder> {
        let which = (self.locations[place], Side::In, true);
        let last = Id::from_bytes([255; 16]);
        shop.read(move |tx| transfer::list(tx, &Actor::system(), which, last, 10)).expect("a list")
    }

    fn a_method(&self, code: &str, minor: i64, channels: &[&str]) -> NewMethod {
        let britain = Area { country: Country::parse("GB").expect("a country"), postal_prefixes: Vec::new() };
        NewMethod {
            code: code.into(),
            name: Wording::title(code, &[]).expect("a name"),
            external_id: Some(code.into()),
            kind: delivery::Kind::Ship,
            currency: Currency::parse("GBP").expect("a currency"),
            zone: vec![britain],
            rates: Rates {
                measure: Measure::Value,
                bands: vec![Band { from: 0, price_minor: minor }],
                most: None,
                free_from_minor: None,
            },
            tax_class: Reference::Id(self.tax_class),
            lead_days: (1, 3),
            delivery_hours: None,
            channels: channels.iter().map(|code| Reference::External((*code).to_owned())).collect(),
            pickup_network: None,
            pickup_locations: Vec::new(),
        }
    }

    fn deliver(&self, shop: &TestShop, new: NewMethod) -> Id<DeliveryMethod> {
        shop.run(move |tx, actor, world| engine::delivery::create(tx, actor, world, new.clone()))
            .expect("a delivery method")
            .id
    }

    /// Opening stock at the location of this place, from 0.
    ///
    /// # Panics
    /// When the shop refuses.
    pub fn stock(&self, shop: &TestShop, variant: Id<Variant>, place: usize, pieces: i64) {
        let input = Receive {
            variant,
            location: self.locations[place],
            quantity: Quantity::new(pieces).expect("a quantity"),
            state: State::Available,
            from: State::Opening,
            reference: None,
        };
        shop.run(move |tx, actor, world| stock::receive(tx, actor, world, input.clone())).expect("stock");
    }

    /// How many of a variant are in a state at the location of this place, from 0.
    ///
    /// # Panics
    /// When the books cannot be read.
    pub fn count(&self, shop: &TestShop, variant: Id<Variant>, place: usize, state: State) -> i64 {
        let location = self.locations[place];
        let read = shop.read(move |tx| {
            Ok::<_, Failure>(store::ledger::balance(
                tx,
                stock::book_of(variant),
                domain::stock::at(location, state),
            )?)
        });
        read.expect("a balance")
    }
}

/// Britain: pounds, with the tax included and rounded line by line.
pub fn britain() -> NewMarket {
    NewMarket {
        code: "gb".into(),
        name: "Britain".into(),
        external_id: Some("gb".into()),
        countries: vec![Country::parse("GB").expect("a country")],
        currency: Currency::parse("GBP").expect("a currency"),
        prices_include_tax: true,
        rounding_level: RoundingLevel::Line,
        rounding: Rounding::HalfUp,
        cash_rounding_minor: 1,
        language: Language::parse("en-GB").expect("a language"),
        zone: Zone::parse("Europe/London").expect("a time zone"),
        tax_zone: None,
    }
}

/// A product of one variant, on sale.
pub fn a_product(class: Reference<id::TaxClass>, variant: NewVariant) -> NewProduct {
    NewProduct {
        title: Wording::title(&format!("Product {}", variant.sku), &[]).expect("a title"),
        description: Wording::stored(String::new(), Vec::new()),
        status: Status::Active,
        brand: None,
        supplier: None,
        tax_class: class,
        options: Vec::new(),
        attributes: Vec::new(),
        categories: Vec::new(),
        media: Vec::new(),
        variants: vec![variant],
        external_id: None,
    }
}
