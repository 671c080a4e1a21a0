//! A till that sells mugs at 5.00, and a member of a loyalty programme, for stories about points.

use domain::actor::Actor;
use domain::loyalty::programme::{Earning, Occasion, Terms, Worth};
use domain::market::PaymentKind;
use domain::returns::{Condition, Means};
use domain::value::id::{self, Customer, Variant};
use domain::value::{Id, Rate, Zone};
use engine::Failure;
use engine::checkout::{self, Checkout, Tender, Whole};
use engine::customer::{self, NewCustomer};
use engine::loyalty::member::{self, Member};
use engine::loyalty::points::{self, Balance};
use engine::loyalty::programme::{self, Programme};
use engine::market::Channel;
use sim::{Retailer, TestShop};

use crate::counter::{self, ada, by, filled, pounds, tender};

/// One point for each pound, pending for fourteen days, good for twelve months; a point is worth five pence.
pub fn terms() -> Terms {
    Terms {
        zone: Zone::parse("Europe/London").expect("a zone"),
        earnings: vec![Earning { currency: pounds(), channel: None, points: 1, per_minor: 100 }],
        factors: Vec::new(),
        seasons: Vec::new(),
        counts_delivery: false,
        counts_tax: true,
        uncounted: vec![PaymentKind::GiftCard],
        pending_days: 14,
        receipt_days: 30,
        months: Some(12),
        worth: vec![Worth { currency: pounds(), points: 1, minor: 5 }],
        pays_min: 1,
        pays_max: Rate::from_parts_per_million(Rate::WHOLE).expect("a rate"),
        below_zero: false,
        occasions: vec![Occasion { code: "signed_up".into(), points: 20, times_max: Some(1) }],
        ladder: None,
        sharing: None,
        referral: None,
    }
}

/// A till that sells mugs at 5.00, and a member of a programme in force.
pub struct Club {
    pub retailer: Retailer,
    pub till: Channel,
    pub mug: Id<Variant>,
    pub programme: Programme,
    pub ada: Id<Customer>,
    pub member: Member,
}

pub fn club(shop: &TestShop, terms: Terms) -> Club {
    club_of(shop, terms, ada)
}

pub fn club_of(shop: &TestShop, terms: Terms, whose: fn(&TestShop) -> Id<Customer>) -> Club {
    let retailer = Retailer::open(shop, &["leeds"]);
    let till = retailer.till(shop, 0);
    let mug = retailer.sell(shop, "MUG", 500);
    retailer.stock(shop, mug, 0, 500);
    let ada = whose(shop);
    let made = shop.run(move |tx, actor, world| {
        let named = ("club".to_owned(), "The club".to_owned());
        let (programme, draft) = programme::create(tx, actor, world, named, terms.clone())?;
        programme::activate(tx, actor, world, (programme.id, draft.number), None)?;
        let member = member::enrol(tx, actor, world, programme.id, ada)?;
        Ok::<_, Failure>((programme, member))
    });
    let (programme, member) = made.expect("a club");
    Club { retailer, till, mug, programme, ada, member }
}

impl Club {
    pub fn buy(&self, shop: &TestShop, mugs: i64, tenders: Vec<Tender>) -> Whole {
        counter::buy_for(shop, &self.till, &[(self.mug, mugs)], tenders, Some(self.ada))
    }

    pub fn balance(&self, shop: &TestShop) -> Balance {
        let (member, now) = (self.member.clone(), shop.shop.source.now());
        shop.read(move |tx| points::balance(tx, &member, now)).expect("a balance")
    }

    /// Free, pending, held and owed.
    pub fn has(&self, shop: &TestShop) -> (i64, i64, i64, i64) {
        let balance = self.balance(shop);
        (balance.free, balance.pending, balance.held, balance.owed)
    }

    pub fn adjust(&self, shop: &TestShop, change: i64) -> Result<(), Failure> {
        let member = self.member.clone();
        shop.run(move |tx, actor, world| {
            points::adjust(tx, actor, world, &member, (change, "goodwill".to_owned()))
        })
    }

    pub fn order(
        &self,
        shop: &TestShop,
        actor: &Actor,
        channel: &Channel,
        tenders: Vec<Tender>,
    ) -> Result<Whole, Failure> {
        order_as(shop, actor, filled(shop, channel, &[(self.mug, 1)], Some(self.ada)), tenders)
    }
}

pub fn order_as(
    shop: &TestShop,
    actor: &Actor,
    cart: Id<id::Cart>,
    tenders: Vec<Tender>,
) -> Result<Whole, Failure> {
    shop.run_as(actor, move |tx, actor, world| {
        let (expected_total, serve_from, placed_at, external_id) = (None, None, None, None);
        let tenders = tenders.clone();
        checkout::place(
            tx,
            actor,
            world,
            Checkout { cart, expected_total, tenders, serve_from, placed_at, external_id },
        )
    })
}

pub fn by_points(amount: Option<i64>) -> Vec<Tender> {
    vec![tender(PaymentKind::Points, amount)]
}

pub fn release(shop: &TestShop) {
    shop.run(points::release_due).expect("released");
}

pub fn back(shop: &TestShop, club: &Club, order: &Whole, mugs: i64, means: Means) {
    let back = counter::a_back(&club.retailer, order, 0, (mugs, Condition::Resellable), by(means));
    counter::bring(shop, back).expect("a return");
}

/// Another customer who takes part.
pub fn another(shop: &TestShop, club: &Club, name: &'static str, phone: Option<&'static str>) -> Member {
    let programme = club.programme.id;
    let made = shop.run(move |tx, actor, world| {
        let draft = domain::contact::Draft {
            name: Some(name.into()),
            email: Some(format!("{name}@example.com")),
            phone: phone.map(str::to_owned),
            ..domain::contact::Draft::default()
        };
        let card = domain::contact::Card::new(&draft)?;
        let customer =
            customer::create(tx, actor, world, NewCustomer { external_id: None, card, groups: Vec::new() })?;
        member::enrol(tx, actor, world, programme, customer.id)
    });
    made.expect("a member")
}
