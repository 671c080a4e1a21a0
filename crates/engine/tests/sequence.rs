//! The story of several means on one order: taken and given back in the sequence their market says, part by part, and in the end exactly
//! what was paid to what it was paid with.

use crate::counter;
use crate::counter::{ada, by, only, pounds, read, tender, work};
use domain::Code;
use domain::actor::{Actor, Permission};
use domain::contact::{Card, Draft};
use domain::loyalty::programme::{Earning, Terms, Worth};
use domain::market::{CapturePolicy, PaymentKind};
use domain::payment::sequence::{Rest, Rule, Sequence};
use domain::payment::{PartState, State};
use domain::returns::{Condition, Means};
use domain::value::id::{self, Customer, Market, Variant};
use domain::value::{Id, Money, Quantity, Rate, Reference, Zone};
use engine::cart::{self, Choice, Details, Named, NewCart, NewLine};
use engine::checkout::{self, Checkout, Leaving, Tender, Whole};
use engine::loyalty::{gift_card, member, points, programme, store_credit};
use engine::market::{Channel, NewChannel};
use engine::payment::{self, Operation, Verdict, sequence};
use engine::{Failure, loyalty};
use sim::chance::Chance;
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

/// Mugs at 5.00 at each of three stores.
const AT_STORES: [i64; 3] = [2, 3, 5];
const MUG: i64 = 500;
const ALL: i64 = 10;
/// What Ada has of each.
const ENOUGH: i64 = 5_000;
/// A point is worth so many minor units.
const POINT: i64 = 5;

/// A web shop that takes the money as goods leave, and a customer who has a gift card, store credit and points.
struct Street<'s> {
    shop: &'s TestShop,
    retailer: Retailer,
    web: Channel,
    mug: Id<Variant>,
    ada: Id<Customer>,
    member: member::Member,
    card: gift_card::GiftCard,
    code: String,
    credit: store_credit::StoreCredit,
}

fn terms() -> Terms {
    Terms {
        zone: Zone::parse("Europe/London").expect("a zone"),
        earnings: vec![Earning { currency: pounds(), channel: None, points: 1, per_minor: 1_000_000 }],
        factors: Vec::new(),
        seasons: Vec::new(),
        counts_delivery: false,
        counts_tax: true,
        uncounted: Vec::new(),
        pending_days: 14,
        receipt_days: 30,
        months: Some(12),
        worth: vec![Worth { currency: pounds(), points: 1, minor: POINT }],
        pays_min: 1,
        pays_max: Rate::from_parts_per_million(Rate::WHOLE).expect("a rate"),
        below_zero: false,
        occasions: Vec::new(),
        ladder: None,
        sharing: None,
        referral: None,
    }
}

impl<'s> Street<'s> {
    fn open(shop: &'s TestShop) -> Street<'s> {
        let retailer = Retailer::open(shop, &["leeds", "york", "hull"]);
        let capture_policy = CapturePolicy::AtFulfilment;
        let new = NewChannel { capture_policy, ..a_channel("web", retailer.market, retailer.network) };
        let web = retailer.channel(shop, new);
        retailer.parcel(shop, 0, &["web"]);
        let mug = retailer.sell(shop, "MUG", MUG);
        let ada = ada(shop);
        let made = shop.run(move |tx, actor, world| {
            let named = ("club".to_owned(), "The club".to_owned());
            let (club, draft) = programme::create(tx, actor, world, named, terms())?;
            programme::activate(tx, actor, world, (club.id, draft.number), None)?;
            let member = member::enrol(tx, actor, world, club.id, ada)?;
            points::adjust(tx, actor, world, &member, (ENOUGH / POINT, "goodwill".to_owned()))?;
            let enough = Money::new(ENOUGH, pounds()).expect("an amount");
            let credit = store_credit::issue(tx, actor, world, ada, enough)?;
            let card = gift_card::issue(tx, actor, world, enough, None)?;
            let code = gift_card::show_code(tx, actor, world, card.id)?;
            Ok::<_, Failure>((member, credit, card, code))
        });
        let (member, credit, card, code) = made.expect("a customer");
        Street { shop, retailer, web, mug, ada, member, card, code, credit }
    }

    fn fill_the_shelves(&self) {
        for (place, pieces) in AT_STORES.into_iter().enumerate() {
            self.retailer.stock(self.shop, self.mug, place, pieces);
        }
    }

    fn set(&self, actor: &Actor, version: i64, rule: &Rule) -> Result<sequence::Version, Failure> {
        let (market, rule): (Id<Market>, _) = (self.market(), rule.clone());
        self.shop.run_as(actor, move |tx, actor, world| {
            sequence::set(tx, actor, world, (market, Some(version)), rule.clone())
        })
    }

    fn market(&self) -> Id<Market> {
        self.web.market
    }

    /// An order of all mugs there are, paid by these means, that is placed when the provider has said yes.
    fn order(&self, means: &[(PaymentKind, i64)]) -> Id<id::Order> {
        let choice = Choice { method: Reference::External("parcel".into()), location: None };
        let draft = Draft {
            name: Some("Ada Quince".into()),
            street: vec!["1 Kirkgate".into()],
            city: Some("Leeds".into()),
            postal_code: Some("LS1 4DY".into()),
            country: Some("GB".into()),
            ..Draft::default()
        };
        let details = Details {
            customer: Some(Reference::Id(self.ada)),
            contact: Some(Card::new(&draft).expect("a contact")),
            delivery: Some(Some(choice)),
            ..Details::default()
        };
        let line = NewLine {
            variant: Named::Reference(Reference::Id(self.mug)),
            quantity: Quantity::new(ALL).expect("a quantity"),
            unit_price: None,
        };
        let new = NewCart { channel: Reference::Id(self.web.id), currency: None, lines: vec![line], details };
        let tenders: Vec<Tender> = means
            .iter()
            .map(|(kind, amount)| Tender {
                provider_token: (*kind == PaymentKind::Test).then(|| "tok_ok".to_owned()),
                gift_card: (*kind == PaymentKind::GiftCard).then(|| self.code.clone()),
                ..tender(*kind, Some(*amount))
            })
            .collect();
        let placed = self.shop.run(move |tx, actor, world| {
            let cart = cart::create(tx, actor, world, new.clone())?.id;
            let (expected_total, serve_from, placed_at, external_id) = (None, None, None, None);
            let tenders = tenders.clone();
            checkout::place(
                tx,
                actor,
                world,
                Checkout { cart, expected_total, tenders, serve_from, placed_at, external_id },
            )
        });
        let id = placed.expect("an order").order.id;
        self.shop.pass(1);
        self.answer(id);
        id
    }

    /// The provider says yes to everything it is being asked.
    fn answer(&self, order: Id<id::Order>) {
        let asked = self.shop.read(move |tx| payment::list(tx, &Actor::system(), order)).expect("payments");
        for whole in asked.into_iter().filter(|whole| whole.payment.kind == PaymentKind::Test) {
            let id = whole.payment.id;
            let mut operations = Vec::new();
            if whole.payment.state == State::Created {
                operations.push(Operation::Authorise);
            }
            let captures = whole.captures.iter().filter(|part| part.state == PartState::Pending);
            operations.extend(captures.map(|part| Operation::Capture(part.id)));
            let refunds = whole.refunds.iter().filter(|part| part.state == PartState::Pending);
            operations.extend(refunds.map(|part| Operation::Refund(part.id)));
            for operation in operations {
                let done = Verdict::Done { reference: Some("tp_1".into()) };
                self.shop
                    .run(move |tx, actor, world| payment::outcome(tx, actor, world, id, operation, &done))
                    .expect("an outcome");
            }
        }
        work(self.shop);
    }

    /// What is free of the gift card, the store credit and the points.
    fn has(&self) -> [i64; 3] {
        let (card, credit, member) = (self.card.id, self.credit.id, self.member.clone());
        let now = self.shop.shop.source.now();
        let read = self.shop.read(move |tx| {
            let card = gift_card::credit(&gift_card::find(tx, card)?);
            let credit = store_credit::credit(&store_credit::find(tx, credit)?);
            let of = [loyalty::balance(tx, &card)?.0, loyalty::balance(tx, &credit)?.0];
            Ok::<_, Failure>([of[0], of[1], points::balance(tx, &member, now)?.free])
        });
        read.expect("balances")
    }

    fn leave(&self, order: Id<id::Order>, part: Id<id::FulfilmentOrder>) {
        let left = self
            .shop
            .run(move |tx, actor, world| checkout::fulfil(tx, actor, world, order, part, Leaving::default()));
        left.expect("goods leave");
        self.shop.pass(1);
        self.answer(order);
    }

    fn back(&self, order: &Whole, mugs: i64) {
        let back = counter::a_back(&self.retailer, order, 0, (mugs, Condition::Scrap), by(Means::Original));
        counter::bring(self.shop, back).expect("a return");
        self.shop.pass(1);
        self.answer(order.order.id);
    }
}

/// What was taken and given back by each means, worked out by hand.
struct Sheet {
    means: Vec<(PaymentKind, i64)>,
    /// What may be taken in all: what the order does not ask for any more is free again, but at the provider.
    allowed: Vec<i64>,
    taken: Vec<i64>,
    back: Vec<i64>,
    left: i64,
    returned: i64,
}

impl Sheet {
    fn new(means: Vec<(PaymentKind, i64)>) -> Sheet {
        let allowed = means.iter().map(|one| one.1).collect();
        let none = vec![0; means.len()];
        Sheet { means, allowed, taken: none.clone(), back: none, left: 0, returned: 0 }
    }

    fn kept(&self) -> i64 {
        self.taken.iter().sum::<i64>() - self.back.iter().sum::<i64>()
    }

    /// Goods leave: what they cost is taken, less what came back.
    fn leave(&mut self, rule: &Rule, worth: i64) {
        self.left += worth;
        let missing = self.left - self.returned - self.kept();
        self.take(rule, missing.max(0));
    }

    /// Goods come back: what was taken beyond what the order still costs is given back, and what will not be asked for is free.
    fn come_back(&mut self, rule: &Rule, worth: i64) {
        self.returned += worth;
        let owed = ALL * MUG - self.returned;
        self.give_back(rule, (self.kept() - owed).max(0));
        let open: i64 = (0..self.means.len()).map(|place| self.allowed[place] - self.taken[place]).sum();
        let mut excess = self.kept() + open - owed;
        for place in self.places(&rule.capture).into_iter().rev() {
            let part = (self.allowed[place] - self.taken[place]).min(excess).max(0);
            excess -= part;
            if self.means[place].0 != PaymentKind::Test {
                self.allowed[place] -= part;
            }
        }
    }

    /// The places of the means in a sequence.
    fn places(&self, sequence: &Sequence) -> Vec<usize> {
        let mut places: Vec<usize> = (0..self.means.len()).collect();
        let named = |place: &usize| sequence.kinds().iter().position(|kind| *kind == self.means[*place].0);
        places.sort_by_key(|place| {
            let given = if sequence.rest() == Rest::LatestFirst { self.means.len() - place } else { *place };
            (named(place).unwrap_or(usize::MAX), given)
        });
        places
    }

    fn take(&mut self, rule: &Rule, mut amount: i64) {
        for place in self.places(&rule.capture) {
            let part = (self.allowed[place] - self.taken[place]).min(amount);
            self.taken[place] += part;
            amount -= part;
        }
        assert_eq!(amount, 0, "more leaves than is paid");
    }

    fn give_back(&mut self, rule: &Rule, mut amount: i64) {
        for place in self.places(&rule.refund) {
            let part = (self.taken[place] - self.back[place]).min(amount);
            self.back[place] += part;
            amount -= part;
        }
        assert_eq!(amount, 0, "more comes back than was taken");
    }

    fn must_agree(&self, shop: &TestShop, order: Id<id::Order>) -> Whole {
        let whole = read(shop, order);
        let taken: Vec<_> = whole.payments.iter().map(|one| one.amounts.captured).collect();
        let back: Vec<_> = whole.payments.iter().map(|one| one.amounts.refunded).collect();
        assert_eq!((&taken, &back), (&self.taken, &self.back), "{:?}", self.means);
        whole
    }
}

fn shuffled<T: Clone>(chance: &mut Chance, things: &[T]) -> Vec<T> {
    let mut left = things.to_vec();
    let mut drawn = Vec::new();
    while !left.is_empty() {
        let place = usize::try_from(chance.below(left.len() as u64)).expect("a place");
        drawn.push(left.swap_remove(place));
    }
    drawn
}

fn a_sequence(chance: &mut Chance) -> Sequence {
    let all = [
        PaymentKind::Test,
        PaymentKind::GiftCard,
        PaymentKind::StoreCredit,
        PaymentKind::Points,
        PaymentKind::Cash,
    ];
    let mut kinds = shuffled(chance, &all);
    kinds.truncate(usize::try_from(chance.below(6)).expect("a length"));
    let rest = *chance.one_of(Rest::ALL);
    Sequence::new("kinds", kinds, rest).expect("a sequence")
}

/// Four means that pay all mugs together, in any order.
fn some_means(chance: &mut Chance) -> Vec<(PaymentKind, i64)> {
    let mut part = |end: u64| i64::try_from(1 + chance.below(end)).expect("an amount");
    let (gift, credit, points) = (part(1600), part(1600), POINT * part(300));
    let rest = ALL * MUG - gift - credit - points;
    let all = [
        (PaymentKind::GiftCard, gift),
        (PaymentKind::StoreCredit, credit),
        (PaymentKind::Points, points),
        (PaymentKind::Test, rest),
    ];
    shuffled(chance, &all)
}

fn one_order(street: &Street<'_>, chance: &mut Chance, version: &mut i64) {
    let shop = street.shop;
    let rule = Rule { capture: a_sequence(chance), refund: a_sequence(chance) };
    *version = street.set(&Actor::system(), *version, &rule).expect("a rule").number;
    let before = street.has();
    street.fill_the_shelves();
    let means = some_means(chance);
    let order = street.order(&means);
    let mut sheet = Sheet::new(means);
    let whole = sheet.must_agree(shop, order);
    assert_eq!(whole.fulfilment_orders.len(), AT_STORES.len());
    let mut with_ada = 0;
    for part in shuffled(chance, &whole.fulfilment_orders) {
        let pieces: i64 = part.lines.iter().map(|line| line.quantity).sum();
        street.leave(order, part.id);
        sheet.leave(&rule, pieces * MUG);
        with_ada += pieces;
        let whole = sheet.must_agree(shop, order);
        let some = i64::try_from(chance.below(3)).expect("mugs").min(with_ada);
        if some > 0 {
            street.back(&whole, some);
            sheet.come_back(&rule, some * MUG);
            with_ada -= some;
            sheet.must_agree(shop, order);
        }
    }
    while with_ada > 0 {
        let some = 1 + i64::try_from(chance.below(with_ada.unsigned_abs())).expect("mugs");
        let whole = read(shop, order);
        street.back(&whole, some);
        sheet.come_back(&rule, some * MUG);
        with_ada -= some;
        sheet.must_agree(shop, order);
    }
    // What was paid is back where it came from, and what was never asked for is free.
    assert_eq!(sheet.back, sheet.taken);
    assert_eq!(street.has(), before);
}

#[test]
fn parts_follow_the_sequence_of_the_market_whatever_it_is() {
    on_every_engine(|shop| {
        let street = Street::open(shop);
        let (mut chance, mut version) = (Chance::new(74), 0);
        for _ in 0..8 {
            one_order(&street, &mut chance, &mut version);
        }
    });
}

fn book_money_first() -> Rule {
    let kinds = vec![PaymentKind::Points, PaymentKind::GiftCard, PaymentKind::StoreCredit];
    let last = vec![PaymentKind::Test, PaymentKind::StoreCredit, PaymentKind::GiftCard];
    Rule {
        capture: Sequence::new("kinds", kinds, Rest::AsGiven).expect("a sequence"),
        refund: Sequence::new("kinds", last, Rest::LatestFirst).expect("a sequence"),
    }
}

#[test]
fn an_order_follows_the_version_in_force_when_it_was_placed() {
    on_every_engine(|shop| {
        let street = Street::open(shop);
        street.fill_the_shelves();
        let means = [(PaymentKind::Test, 4000), (PaymentKind::GiftCard, 1000)];
        let order = street.order(&means);
        shop.pass(1);
        street.set(&Actor::system(), 0, &book_money_first()).expect("a rule");
        let whole = read(shop, order);
        for part in &whole.fulfilment_orders[..2] {
            street.leave(order, part.id);
        }
        let left: i64 =
            whole.fulfilment_orders[..2].iter().flat_map(|part| &part.lines).map(|line| line.quantity).sum();
        let taken: Vec<_> = read(shop, order).payments.iter().map(|one| one.amounts.captured).collect();
        assert_eq!(taken, [(left * MUG).min(4000), (left * MUG - 4000).max(0)], "as they were given");
    });
}

#[test]
fn what_is_set_aside_too_much_is_what_would_be_taken_last() {
    on_every_engine(|shop| {
        let street = Street::open(shop);
        street.set(&Actor::system(), 0, &book_money_first()).expect("a rule");
        street.fill_the_shelves();
        shop.pass(1);
        let means =
            [(PaymentKind::StoreCredit, 3000), (PaymentKind::GiftCard, 1500), (PaymentKind::Points, 500)];
        let order = street.order(&means);
        let whole = read(shop, order);
        let lines = Some(vec![(whole.lines[0].id, 7)]);
        let reason = domain::order::CancelReason::Customer;
        let cancel = checkout::Cancel { order, lines, part: None, reason };
        shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone()))
            .expect("cancelled");
        assert_eq!(
            street.has(),
            [ENOUGH - 1000, ENOUGH, (ENOUGH - 500) / POINT],
            "credit first, then the card"
        );
    });
}

#[test]
fn who_may_set_it_and_when() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop);
    let (rule, usual) = (book_money_first(), Rule::usual());
    let code = |outcome: Result<sequence::Version, Failure>| outcome.err().and_then(|failure| failure.code());
    let refused = street.set(&only(&[Permission::EditPlaces]), 0, &rule);
    assert_eq!(code(refused), Some(Code::Forbidden));
    let editor = only(&[Permission::EditPolicies, Permission::ReadPlaces]);
    assert_eq!(code(street.set(&editor, 3, &rule)), Some(Code::Stale));
    assert_eq!(street.set(&editor, 0, &rule).expect("set").number, 1);
    assert_eq!(street.set(&editor, 1, &rule).expect("the same").number, 1);
    assert_eq!(code(street.set(&editor, 0, &usual)), Some(Code::Stale));
    assert_eq!(street.set(&editor, 1, &usual).expect("set").number, 2);
    let market = street.market();
    let versions = shop.read(move |tx| sequence::list(tx, &editor, market, i64::MAX, 9)).expect("versions");
    assert_eq!(versions.iter().map(|one| one.number).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(versions[1].rule, rule);
}
