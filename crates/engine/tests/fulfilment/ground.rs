//! Ground for stories about goods on their way: three stores that send mugs and let customers collect them.

use domain::Code;
use domain::actor::Actor;
use domain::contact::{Card, Draft};
use domain::market::{CapturePolicy, PaymentKind};
use domain::order::CancelReason;
use domain::stock::State as Stock;
use domain::value::id::{self, Variant};
use domain::value::{Id, Quantity, Reference};
use engine::Failure;
use engine::cart::{self, Choice, Details, Named, NewCart, NewLine};
use engine::checkout::{self, Cancel, Checkout, Leaving, Tender, Whole};
use engine::fulfilment::visit::Proof;
use engine::fulfilment::{FulfilmentOrder, pick, visit};
use engine::market::{Channel, NewChannel};
use sim::retailer::a_channel;
use sim::{Retailer, TestShop};

/// A retailer with a web channel that sends parcels from three stores and lets customers collect.
pub struct Ground<'a> {
    pub shop: &'a TestShop,
    pub retailer: Retailer,
    pub web: Channel,
    pub mug: Id<Variant>,
}

impl<'a> Ground<'a> {
    /// The retailer, with so many mugs at each location.
    pub fn open(shop: &'a TestShop, stock: [i64; 3]) -> Ground<'a> {
        Ground::open_taking(shop, stock, CapturePolicy::AtOrder)
    }

    /// The same, whose web channel takes the money at this time.
    pub fn open_taking(shop: &'a TestShop, stock: [i64; 3], capture_policy: CapturePolicy) -> Ground<'a> {
        let retailer = Retailer::open(shop, &["leeds", "york", "hull"]);
        let web = NewChannel { capture_policy, ..a_channel("web", retailer.market, retailer.network) };
        let web = retailer.channel(shop, web);
        retailer.parcel(shop, 399, &["web"]);
        retailer.collecting(shop, &["web"]);
        let mug = retailer.sell(shop, "MUG", 500);
        for (place, pieces) in stock.into_iter().enumerate().filter(|(_, pieces)| *pieces > 0) {
            retailer.stock(shop, mug, place, pieces);
        }
        Ground { shop, retailer, web, mug }
    }

    /// An order of mugs, paid in full: sent by parcel, or collected at the location of this place.
    pub fn order(&self, mugs: i64, collected_at: Option<usize>) -> Whole {
        self.order_of(&[(self.mug, mugs)], collected_at)
    }

    /// An order of these goods, paid in full.
    pub fn order_of(&self, goods: &[(Id<Variant>, i64)], collected_at: Option<usize>) -> Whole {
        let cash = Tender {
            kind: PaymentKind::Cash,
            amount: None,
            provider_token: None,
            card: None,
            gift_card: None,
        };
        self.order_by(goods, collected_at, cash)
    }

    /// An order of these goods, paid by this means.
    pub fn order_by(
        &self,
        goods: &[(Id<Variant>, i64)],
        collected_at: Option<usize>,
        tender: Tender,
    ) -> Whole {
        let draft = Draft {
            name: Some("Ada Quince".into()),
            street: vec!["1 Kirkgate".into()],
            city: Some("Leeds".into()),
            postal_code: Some("LS1 4DY".into()),
            country: Some("GB".into()),
            ..Draft::default()
        };
        let card = Card::new(&draft).expect("a contact");
        let location = collected_at.map(|place| Reference::Id(self.retailer.locations[place]));
        let method = if collected_at.is_some() { "collect" } else { "parcel" };
        let choice = Choice { method: Reference::External(method.into()), location };
        let details = Details { contact: Some(card), delivery: Some(Some(choice)), ..Details::default() };
        let line = |(variant, quantity): &(Id<Variant>, i64)| NewLine {
            variant: Named::Reference(Reference::Id(*variant)),
            quantity: Quantity::new(*quantity).expect("a quantity"),
            unit_price: None,
        };
        let lines = goods.iter().map(line).collect();
        let new = NewCart { channel: Reference::Id(self.web.id), currency: None, lines, details };
        let placed = self.shop.run(move |tx, actor, world| {
            let cart = cart::create(tx, actor, world, new.clone())?.id;
            let input = Checkout {
                cart,
                expected_total: None,
                tenders: vec![tender.clone()],
                serve_from: None,
                placed_at: None,
                external_id: None,
            };
            checkout::place(tx, actor, world, input)
        });
        // Ids are in the order of time: the next thing is made a second later.
        self.shop.pass(1);
        placed.expect("an order")
    }

    /// What has not left of an order is cancelled.
    pub fn cancel(&self, order: Id<id::Order>, reason: CancelReason) -> Whole {
        let cancel = Cancel { order, lines: None, part: None, reason };
        self.shop
            .run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone()))
            .expect("cancelled")
    }

    /// The fulfilment orders of an order.
    pub fn parts(&self, order: Id<id::Order>) -> Vec<FulfilmentOrder> {
        self.shop
            .read(move |tx| checkout::read(tx, &Actor::system(), order))
            .expect("the order")
            .fulfilment_orders
    }

    /// Those of which something is still to leave.
    pub fn open_parts(&self, order: Id<id::Order>) -> Vec<FulfilmentOrder> {
        self.parts(order).into_iter().filter(|one| one.state.is_open()).collect()
    }

    /// The mugs at the location of this place: available, committed, picked, missing.
    pub fn counts(&self, place: usize) -> [i64; 4] {
        [Stock::Available, Stock::Committed, Stock::Picked, Stock::Missing]
            .map(|state| self.retailer.count(self.shop, self.mug, place, state))
    }

    /// Goods leave, with this proof when they were waited for.
    pub fn leave(
        &self,
        order: Id<id::Order>,
        part: Id<id::FulfilmentOrder>,
        proof: Option<Proof>,
    ) -> Result<Whole, Failure> {
        let leaving = Leaving { tracking: Some("JD1".into()), proof: (proof, None), ..Leaving::default() };
        self.shop
            .run(move |tx, actor, world| checkout::fulfil(tx, actor, world, order, part, leaving.clone()))
    }

    /// Goods leave in this way.
    pub fn leave_as(&self, (order, part): pick::Which, leaving: Leaving) -> Result<Whole, Failure> {
        let leaving = Leaving { tracking: Some("JD1".into()), ..leaving };
        self.shop
            .run(move |tx, actor, world| checkout::fulfil(tx, actor, world, order, part, leaving.clone()))
    }

    /// An order that waits for its customer at the location of this place.
    pub fn waiting(&self, mugs: i64, place: usize) -> pick::Which {
        let whole = self.order(mugs, Some(place));
        let which = (whole.order.id, whole.fulfilment_orders[0].id);
        self.shop.run(move |tx, actor, world| visit::ready(tx, actor, world, which)).expect("ready");
        which
    }

    /// How often events of a kind were told of an order.
    pub fn told(&self, order: Id<id::Order>, kind: &str) -> usize {
        let subject = order.to_string();
        let read =
            move |tx: &mut store::Tx<'_>| Ok::<_, Failure>(store::event::of_subject(tx, &subject, 0, 100)?);
        self.shop.read(read).expect("events").iter().filter(|entry| entry.kind == kind).count()
    }

    /// Mugs are taken from the shelf.
    pub fn pick(&self, which: pick::Which, pieces: i64) -> Result<FulfilmentOrder, Failure> {
        let mug = self.mug;
        self.shop.run(move |tx, actor, world| pick::pick(tx, actor, world, which, &vec![(mug, pieces)]))
    }

    /// Mugs are not found.
    pub fn short(&self, which: pick::Which, pieces: i64) -> Result<Vec<FulfilmentOrder>, Failure> {
        let mug = self.mug;
        self.shop.run(move |tx, actor, world| pick::short(tx, actor, world, which, &vec![(mug, pieces)]))
    }
}

/// The code of a refusal.
pub fn code_of(outcome: Result<impl Sized, Failure>) -> Option<Code> {
    outcome.err().and_then(|failure| failure.code())
}
