//! A waiting room: a retailer with one warehouse and a web channel, whose customers buy mugs that may not be there yet.

use domain::Code;
use domain::actor::Actor;
use domain::contact::{Card, Draft};
use domain::delivery::Destination;
use domain::market::PaymentKind;
use domain::order::CancelReason;
use domain::stock::expected::Arrival;
use domain::stock::selling::Rule;
use domain::stock::{self as places, State as Stock};
use domain::value::id::Variant;
use domain::value::{Coordinates, Country, Id, Instant, OpeningHours, Quantity, Reference};
use engine::cart::{self, Choice, Details, Named, NewCart, NewLine};
use engine::checkout::{self, Cancel, Checkout, Tender, Whole};
use engine::fulfilment::{FulfilmentOrder, pool};
use engine::location::Location;
use engine::location::area::{self, PostalArea};
use engine::market::Channel;
use engine::promise::answer::{self, Answer, Asked};
use engine::promise::expected::{self, ExpectedGoods, NewExpected};
use engine::stock::availability::{self, Availability};
use engine::stock::{self, Adjust, AdjustReason, Receive};
use engine::{Failure, event};
use serde_json::Value;
use sim::{Retailer, TestShop};

pub struct Room<'a> {
    pub shop: &'a TestShop,
    pub retailer: Retailer,
    pub web: Channel,
    pub mug: Id<Variant>,
}

pub fn code_of<T>(outcome: &Result<T, Failure>) -> Option<Code> {
    outcome.as_ref().err().and_then(Failure::code)
}

impl<'a> Room<'a> {
    /// So many mugs lie in the warehouse at Leeds.
    pub fn open(shop: &'a TestShop, mugs: i64) -> Room<'a> {
        let retailer = Retailer::open(shop, &["leeds"]);
        let web = retailer.web(shop);
        retailer.parcel(shop, 399, &["web"]);
        let mug = retailer.sell(shop, "MUG", 500);
        if mugs > 0 {
            retailer.stock(shop, mug, 0, mugs);
        }
        Room { shop, retailer, web, mug }
    }

    pub fn rule(&self, rule: Rule) {
        let (channel, variant) = (Reference::Id(self.web.id), Reference::Id(self.mug));
        let set = self.shop.run(move |tx, actor, world| {
            stock::selling::set(tx, actor, world, (&channel, Some(&variant)), rule)
        });
        set.expect("a rule");
    }

    /// An order of mugs by parcel, paid in full.
    pub fn order(&self, mugs: i64) -> Result<Whole, Failure> {
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
        let new = NewCart { channel: Reference::Id(self.web.id), currency: None, lines: vec![line], details };
        self.shop.pass(1);
        self.shop.run(move |tx, actor, world| {
            let cart = cart::create(tx, actor, world, new.clone())?.id;
            let cash = Tender {
                kind: PaymentKind::Cash,
                amount: None,
                provider_token: None,
                card: None,
                gift_card: None,
            };
            let input = Checkout {
                cart,
                expected_total: None,
                tenders: vec![cash],
                serve_from: None,
                placed_at: None,
                external_id: None,
            };
            checkout::place(tx, actor, world, input)
        })
    }

    pub fn parts(&self, order: &Whole) -> Vec<FulfilmentOrder> {
        let id = order.order.id;
        self.shop
            .read(move |tx| checkout::read(tx, &Actor::system(), id))
            .expect("the order")
            .fulfilment_orders
    }

    pub fn part(&self, order: &Whole, place: usize) -> FulfilmentOrder {
        self.parts(order).swap_remove(place)
    }

    /// How many pieces of an order still wait.
    pub fn waits(&self, order: &Whole) -> i64 {
        let parts = self.parts(order);
        let waiting = parts.iter().filter(|one| one.state.is_unplaced());
        waiting.flat_map(|one| &one.lines).map(|line| line.quantity).sum()
    }

    pub fn announce(&self, quantity: i64, due_at: &str) -> ExpectedGoods {
        let new = NewExpected {
            variant: self.mug,
            location: self.retailer.locations[0],
            quantity: Quantity::new(quantity).expect("a quantity"),
            due_at: Instant::parse(due_at).expect("an instant"),
            reference: Some("PO-1".into()),
            external_id: None,
        };
        let made = self.shop.run(move |tx, actor, world| expected::announce(tx, actor, world, new.clone()));
        made.expect("expected goods")
    }

    pub fn receive(
        &self,
        goods: &ExpectedGoods,
        arrival: Arrival,
        is_last: bool,
    ) -> Result<ExpectedGoods, Failure> {
        let named = Reference::Id(goods.id);
        self.shop.run(move |tx, actor, world| expected::receive(tx, actor, world, &named, (arrival, is_last)))
    }

    pub fn cancel(&self, goods: &ExpectedGoods) -> Result<ExpectedGoods, Failure> {
        let named = Reference::Id(goods.id);
        self.shop.run(move |tx, actor, world| expected::cancel(tx, actor, world, &named))
    }

    /// The customer does not want his order any more.
    pub fn give_up(&self, order: &Whole) {
        let cancel =
            Cancel { order: order.order.id, lines: None, part: None, reason: CancelReason::Customer };
        self.shop
            .run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone()))
            .expect("cancelled");
    }

    /// Mugs come back onto the shelf, from nobody who supplies them.
    pub fn bring(&self, mugs: i64) {
        let found = Adjust {
            variant: self.mug,
            location: self.retailer.locations[0],
            change: mugs,
            reason: AdjustReason::Found,
            reference: None,
        };
        self.shop.run(move |tx, actor, world| stock::adjust(tx, actor, world, found.clone())).expect("mugs");
    }

    pub fn receive_unannounced(&self, mugs: i64) {
        let receipt = Receive {
            variant: self.mug,
            location: self.retailer.locations[0],
            quantity: Quantity::new(mugs).expect("a quantity"),
            state: Stock::Available,
            from: Stock::Supplier,
            reference: None,
        };
        self.shop
            .run(move |tx, actor, world| stock::receive(tx, actor, world, receipt.clone()))
            .expect("mugs");
    }

    pub fn route(&self) {
        self.shop.run(pool::route_waiting).expect("a round");
    }

    /// How many mugs the web channel can promise from what is there.
    pub fn promisable(&self) -> i64 {
        let (web, mug) = (self.web.clone(), self.mug);
        let found = self.shop.read(move |tx| availability::availability(tx, &Actor::system(), &web, &[mug]));
        found.expect("availability").first().map_or(0, |one: &Availability| one.promisable)
    }

    /// Pool-committed, back-ordered, pre-ordered, incoming.
    pub fn pool(&self) -> [i64; 4] {
        let (mug, network, leeds) = (self.mug, self.retailer.network, self.retailer.locations[0]);
        self.shop
            .read(move |tx| {
                let mut balance = |account| store::ledger::balance(tx, stock::book_of(mug), account);
                Ok([
                    balance(places::on(network, Stock::PoolCommitted))?,
                    balance(places::on(network, Stock::Backordered))?,
                    balance(places::on(network, Stock::Preordered))?,
                    balance(places::at(leeds, Stock::Incoming))?,
                ])
            })
            .expect("balances")
    }

    /// Available, committed, damaged.
    pub fn counts(&self) -> [i64; 3] {
        [Stock::Available, Stock::Committed, Stock::Damaged]
            .map(|state| self.retailer.count(self.shop, self.mug, 0, state))
    }

    /// What was told of an order, of one kind.
    pub fn told(&self, order: &Whole, kind: &'static str) -> Vec<Value> {
        let filter = event::Filter { kind: Some(kind.into()), subject: Some(order.order.id.to_string()) };
        let found = self.shop.read(move |tx| event::read(tx, &Actor::system(), [0; 16], &filter, 100));
        let events = found.expect("events").events;
        events.iter().map(|(entry, _)| serde_json::from_str(&entry.body).expect("a body")).collect()
    }

    /// The store stands in the middle of Leeds, where customers collect, and its postal codes are known.
    pub fn put_on_the_map(&self) {
        let leeds = Coordinates::parse("53.797", "-1.5437").expect("a point");
        let country = Country::parse("GB").expect("a country");
        let area = PostalArea { country, prefix: "LS".into(), place: None, coordinates: leeds };
        let set = self.shop.run(move |tx, actor, world| area::set(tx, actor, world, &area));
        set.expect("an area");
        self.change_store(move |store| {
            store.coordinates = Some(leeds);
            store.can_pick_up = true;
            store.hours = Some(OpeningHours::parse("mo-sa 09:00-18:00").expect("hours"));
        });
    }

    /// The store prepares so many orders a day.
    pub fn capacity(&self, orders: i64) {
        self.change_store(move |store| store.capacity = Some(orders));
    }

    fn change_store(&self, change: impl Fn(&mut Location) + Send + 'static) {
        let id = self.retailer.locations[0];
        let changed = self.shop.run(move |tx, _, _| {
            let mut store = store::location::find(tx, id)?.expect("the store");
            change(&mut store);
            Ok(store::location::update(tx, &store)?)
        });
        assert!(changed.expect("a change"));
    }

    /// What is promised to somebody in Leeds who would buy so many mugs.
    pub fn asked(&self, mugs: i64) -> Result<Answer, Failure> {
        let destination = Destination {
            country: Country::parse("GB").expect("a country"),
            postal_code: Some("LS1 4DY".into()),
        };
        let asked = Asked {
            channel: Reference::Id(self.web.id),
            lines: vec![(self.mug, mugs)],
            destination: Some(destination),
            point: None,
            stores: 5,
            store: None,
            cart: None,
            at: self.shop.shop.source.now(),
        };
        self.shop.read(move |tx| answer::answer(tx, &Actor::system(), &asked))
    }
}
