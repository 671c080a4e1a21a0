//! Ground for stories about changes of orders: a web shop with three stores, mugs and lamps.

use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::contact::{Card, Draft};
use domain::market::{CapturePolicy, PaymentKind};
use domain::order::CancelReason;
use domain::stock::State as Stock;
use domain::value::id::{self, OrderLine, Variant};
use domain::value::{Currency, Id, Money, Quantity, Reference};
use engine::Failure;
use engine::cart::{self, Choice, Details, Named, NewCart, NewLine};
use engine::catalogue::NewVariant;
use engine::change::{self, Action, Asked, Change, Confirm};
use engine::checkout::{self, Cancel, Checkout, Leaving, Tender, Whole};
use engine::fulfilment::pick;
use engine::market::{Channel, NewChannel};
use sim::retailer::{a_channel, a_variant};
use sim::{Retailer, TestShop};

/// A web shop with three stores, parcels at 3.99, collecting for nothing, mugs at 5.00 and lamps at 12.00.
pub struct Ground<'a> {
    pub shop: &'a TestShop,
    pub retailer: Retailer,
    pub web: Channel,
    pub mug: Id<Variant>,
    pub lamp: Id<Variant>,
}

impl<'a> Ground<'a> {
    pub fn open(shop: &'a TestShop) -> Ground<'a> {
        Ground::with(shop, CapturePolicy::AtOrder)
    }

    pub fn with(shop: &'a TestShop, capture_policy: CapturePolicy) -> Ground<'a> {
        let retailer = Retailer::open(shop, &["leeds", "york", "hull"]);
        let new = NewChannel { capture_policy, ..a_channel("web", retailer.market, retailer.network) };
        let web = retailer.channel(shop, new);
        retailer.parcel(shop, 399, &["web"]);
        retailer.collecting(shop, &["web"]);
        let (mug, lamp) = (retailer.sell(shop, "MUG", 500), retailer.sell(shop, "LAMP", 1200));
        for place in 0..2 {
            retailer.stock(shop, mug, place, 5);
            retailer.stock(shop, lamp, place, 2);
        }
        Ground { shop, retailer, web, mug, lamp }
    }

    pub fn order(&self, mugs: i64, collected_at: Option<usize>) -> Whole {
        self.order_paid(mugs, collected_at, Some(PaymentKind::Cash))
    }

    pub fn order_paid(&self, mugs: i64, collected_at: Option<usize>, kind: Option<PaymentKind>) -> Whole {
        self.order_of(vec![self.line(self.mug, mugs)], Some(self.choice(collected_at)), kind)
    }

    pub fn order_of(
        &self,
        lines: Vec<NewLine>,
        delivery: Option<Choice>,
        kind: Option<PaymentKind>,
    ) -> Whole {
        let details = Details {
            contact: Some(address("1 Kirkgate", "LS1 4DY")),
            delivery: Some(delivery),
            ..Details::default()
        };
        let new = NewCart { channel: Reference::Id(self.web.id), currency: None, lines, details };
        let placed = self.shop.run(move |tx, actor, world| {
            let cart = cart::create(tx, actor, world, new.clone())?.id;
            let tenders = kind.map(tender).into_iter().collect();
            let input = Checkout {
                cart,
                expected_total: None,
                tenders,
                serve_from: None,
                placed_at: None,
                external_id: None,
            };
            checkout::place(tx, actor, world, input)
        });
        placed.expect("an order")
    }

    /// Wrapping at 2.50, a service.
    pub fn wrapping(&self) -> Id<Variant> {
        let wrapping = NewVariant { service: true, ..a_variant("WRAP") };
        self.retailer.sell_variant(self.shop, wrapping, 250)
    }

    pub fn choice(&self, collected_at: Option<usize>) -> Choice {
        let location = collected_at.map(|place| Reference::Id(self.retailer.locations[place]));
        let method = if collected_at.is_some() { "collect" } else { "parcel" };
        Choice { method: Reference::External(method.into()), location }
    }

    pub fn line(&self, variant: Id<Variant>, quantity: i64) -> NewLine {
        NewLine {
            variant: Named::Reference(Reference::Id(variant)),
            quantity: units(quantity),
            unit_price: None,
        }
    }

    pub fn preview(&self, order: Id<id::Order>, actions: Vec<Action>) -> Result<Change, Failure> {
        self.preview_as(&Actor::system(), order, actions)
    }

    pub fn preview_as(
        &self,
        actor: &Actor,
        order: Id<id::Order>,
        actions: Vec<Action>,
    ) -> Result<Change, Failure> {
        let asked = Asked { order, actions, reason: Some("the customer called".into()) };
        self.shop.run_as(actor, move |tx, actor, world| change::preview(tx, actor, world, asked.clone()))
    }

    pub fn confirm(&self, change: &Change, tenders: Vec<Tender>) -> Result<(Whole, Change), Failure> {
        let input = Confirm {
            which: (change.order, change.id),
            expected_difference: change.difference.gross_minor,
            tenders,
        };
        self.shop.run(move |tx, actor, world| change::confirm(tx, actor, world, input.clone()))
    }

    pub fn read(&self, order: Id<id::Order>) -> Whole {
        self.shop.read(move |tx| checkout::read(tx, &Actor::system(), order)).expect("the order")
    }

    pub fn pick(&self, whole: &Whole, pieces: i64) {
        let (which, mug) = ((whole.order.id, whole.fulfilment_orders[0].id), self.mug);
        self.shop
            .run(move |tx, actor, world| pick::pick(tx, actor, world, which, &vec![(mug, pieces)]))
            .expect("picked");
    }

    pub fn ship(&self, order: Id<id::Order>, part: Id<id::FulfilmentOrder>) -> Result<Whole, Failure> {
        let leaving = Leaving { tracking: Some("JD1".into()), ..Leaving::default() };
        self.shop
            .run(move |tx, actor, world| checkout::fulfil(tx, actor, world, order, part, leaving.clone()))
    }

    pub fn cancel(
        &self,
        order: Id<id::Order>,
        lines: Option<Vec<(Id<OrderLine>, i64)>>,
    ) -> Result<Whole, Failure> {
        let cancel = Cancel { order, lines, part: None, reason: CancelReason::Customer };
        self.shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone()))
    }

    /// Available, committed and picked of a variant at a place.
    pub fn counts(&self, variant: Id<Variant>, place: usize) -> [i64; 3] {
        [Stock::Available, Stock::Committed, Stock::Picked]
            .map(|state| self.retailer.count(self.shop, variant, place, state))
    }

    /// How many of a variant the web shop may promise.
    pub fn promisable(&self, variant: Id<Variant>) -> i64 {
        let web = self.web.clone();
        let asked = move |tx: &mut store::Tx<'_>| {
            engine::stock::availability::availability(tx, &Actor::system(), &web, &[variant])
        };
        self.shop.read(asked).expect("a promise")[0].promisable
    }

    pub fn open_parts(&self, order: Id<id::Order>) -> Vec<engine::fulfilment::FulfilmentOrder> {
        self.read(order).fulfilment_orders.into_iter().filter(|one| one.state.is_open()).collect()
    }

    /// Whoever shops in the web channel with a storefront key.
    pub fn customer(&self) -> Actor {
        let grant = Grant { location: None, permissions: Permissions::of(&[Permission::Shop]) };
        Actor { who: Who::Key(Id::from_bytes([7; 16])), channel: Some(self.web.id), grants: vec![grant] }
    }
}

pub fn units(quantity: i64) -> Quantity {
    Quantity::new(quantity).expect("a quantity")
}

pub fn pounds(minor: i64) -> Money {
    Money::new(minor, Currency::parse("GBP").expect("a currency")).expect("money")
}

pub fn tender(kind: PaymentKind) -> Tender {
    let provider_token = kind.has_provider().then(|| "tok_ok".to_owned());
    Tender { kind, amount: None, provider_token, card: None, gift_card: None }
}

pub fn address(street: &str, postal_code: &str) -> Card {
    let draft = Draft {
        name: Some("Ada Quince".into()),
        street: vec![street.into()],
        city: Some("Leeds".into()),
        postal_code: Some(postal_code.into()),
        country: Some("GB".into()),
        ..Draft::default()
    };
    Card::new(&draft).expect("a contact")
}

pub fn code_of(outcome: Result<impl Sized, Failure>) -> Option<Code> {
    outcome.err().and_then(|failure| failure.code())
}

pub fn told(outcome: Result<impl Sized, Failure>) -> String {
    outcome.err().map(|failure| failure.to_string()).unwrap_or_default()
}
