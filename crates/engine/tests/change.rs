//! The story of changes: shown first with what they cost, confirmed exactly so, declined or forgotten; with goods and money following.

use std::sync::Arc;

use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::change::{AddedAt, Rule, State};
use domain::contact::{Card, Draft};
use domain::fulfilment::State as Part;
use domain::market::{CapturePolicy, PaymentKind};
use domain::order::{CancelReason, State as OrderState};
use domain::stock::State as Stock;
use domain::value::id::{self, OrderLine, Variant};
use domain::value::{Currency, Id, Money, Quantity, Reference};
use engine::cart::{self, Choice, Details, Named, NewCart, NewLine};
use engine::change::{self, Action, Asked, Change, Confirm};
use engine::checkout::{self, Cancel, Checkout, Leaving, Tender, Whole};
use engine::fulfilment::{pick, visit};
use engine::market::{Channel, NewChannel};
use engine::{Failure, payment};
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

/// A web shop with three stores, parcels at 3.99, collecting for nothing, mugs at 5.00 and lamps at 12.00.
struct Ground<'a> {
    shop: &'a TestShop,
    retailer: Retailer,
    web: Channel,
    mug: Id<Variant>,
    lamp: Id<Variant>,
}

impl<'a> Ground<'a> {
    fn open(shop: &'a TestShop) -> Ground<'a> {
        Ground::with(shop, CapturePolicy::AtOrder)
    }

    fn with(shop: &'a TestShop, capture_policy: CapturePolicy) -> Ground<'a> {
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

    fn order(&self, mugs: i64, collected_at: Option<usize>) -> Whole {
        self.order_paid(mugs, collected_at, Some(PaymentKind::Cash))
    }

    fn order_paid(&self, mugs: i64, collected_at: Option<usize>, kind: Option<PaymentKind>) -> Whole {
        let delivery = self.choice(collected_at);
        let details = Details {
            contact: Some(address("1 Kirkgate", "LS1 4DY")),
            delivery: Some(Some(delivery)),
            ..Details::default()
        };
        let lines = vec![self.line(self.mug, mugs)];
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

    fn choice(&self, collected_at: Option<usize>) -> Choice {
        let location = collected_at.map(|place| Reference::Id(self.retailer.locations[place]));
        let method = if collected_at.is_some() { "collect" } else { "parcel" };
        Choice { method: Reference::External(method.into()), location }
    }

    fn line(&self, variant: Id<Variant>, quantity: i64) -> NewLine {
        NewLine {
            variant: Named::Reference(Reference::Id(variant)),
            quantity: units(quantity),
            unit_price: None,
        }
    }

    fn preview(&self, order: Id<id::Order>, actions: Vec<Action>) -> Result<Change, Failure> {
        self.preview_as(&Actor::system(), order, actions)
    }

    fn preview_as(
        &self,
        actor: &Actor,
        order: Id<id::Order>,
        actions: Vec<Action>,
    ) -> Result<Change, Failure> {
        let asked = Asked { order, actions, reason: Some("the customer called".into()) };
        self.shop.run_as(actor, move |tx, actor, world| change::preview(tx, actor, world, asked.clone()))
    }

    fn confirm(&self, change: &Change, tenders: Vec<Tender>) -> Result<(Whole, Change), Failure> {
        let input = Confirm {
            which: (change.order, change.id),
            expected_difference: change.difference.gross_minor,
            tenders,
        };
        self.shop.run(move |tx, actor, world| change::confirm(tx, actor, world, input.clone()))
    }

    fn read(&self, order: Id<id::Order>) -> Whole {
        self.shop.read(move |tx| checkout::read(tx, &Actor::system(), order)).expect("the order")
    }

    fn pick(&self, whole: &Whole, pieces: i64) {
        let (which, mug) = ((whole.order.id, whole.fulfilment_orders[0].id), self.mug);
        self.shop
            .run(move |tx, actor, world| pick::pick(tx, actor, world, which, &vec![(mug, pieces)]))
            .expect("picked");
    }

    fn ship(&self, order: Id<id::Order>, part: Id<id::FulfilmentOrder>) -> Result<Whole, Failure> {
        let leaving = Leaving { tracking: Some("JD1".into()), ..Leaving::default() };
        self.shop
            .run(move |tx, actor, world| checkout::fulfil(tx, actor, world, order, part, leaving.clone()))
    }

    fn cancel(
        &self,
        order: Id<id::Order>,
        lines: Option<Vec<(Id<OrderLine>, i64)>>,
    ) -> Result<Whole, Failure> {
        let cancel = Cancel { order, lines, part: None, reason: CancelReason::Customer };
        self.shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone()))
    }

    /// Available, committed and picked of a variant at a place.
    fn counts(&self, variant: Id<Variant>, place: usize) -> [i64; 3] {
        [Stock::Available, Stock::Committed, Stock::Picked]
            .map(|state| self.retailer.count(self.shop, variant, place, state))
    }

    /// How many of a variant the web shop may promise.
    fn promisable(&self, variant: Id<Variant>) -> i64 {
        let web = self.web.clone();
        let asked = move |tx: &mut store::Tx<'_>| {
            engine::stock::availability::availability(tx, &Actor::system(), &web, &[variant])
        };
        self.shop.read(asked).expect("a promise")[0].promisable
    }

    fn open_parts(&self, order: Id<id::Order>) -> Vec<engine::fulfilment::FulfilmentOrder> {
        self.read(order).fulfilment_orders.into_iter().filter(|one| one.state.is_open()).collect()
    }

    /// Whoever shops in the web channel with a storefront key.
    fn customer(&self) -> Actor {
        let grant = Grant { location: None, permissions: Permissions::of(&[Permission::Shop]) };
        Actor { who: Who::Key(Id::from_bytes([7; 16])), channel: Some(self.web.id), grants: vec![grant] }
    }
}

fn units(quantity: i64) -> Quantity {
    Quantity::new(quantity).expect("a quantity")
}

fn pounds(minor: i64) -> Money {
    Money::new(minor, Currency::parse("GBP").expect("a currency")).expect("money")
}

fn tender(kind: PaymentKind) -> Tender {
    let provider_token = kind.has_provider().then(|| "tok_ok".to_owned());
    Tender { kind, amount: None, provider_token, card: None }
}

fn address(street: &str, postal_code: &str) -> Card {
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

fn code_of(outcome: Result<impl Sized, Failure>) -> Option<Code> {
    outcome.err().and_then(|failure| failure.code())
}

fn told(outcome: Result<impl Sized, Failure>) -> String {
    outcome.err().map(|failure| failure.to_string()).unwrap_or_default()
}

#[test]
fn a_preview_shows_and_keeps_and_changes_nothing_else() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let whole = ground.order(3, None);
        let (order, line) = (whole.order.id, whole.lines[0].id);
        assert_eq!(whole.order.gross, 1899);
        let actions = vec![Action::Swap(line, units(2), ground.line(ground.lamp, 1))];
        let shown = ground.preview(order, actions.clone()).unwrap();
        assert_eq!((shown.difference.gross_minor, shown.lines.len()), (200, 2));
        assert_eq!(ground.promisable(ground.lamp), 3, "one of four is kept for the change");
        let meanwhile = ground.read(order);
        assert_eq!((meanwhile.order.gross, &meanwhile.lines), (1899, &whole.lines));
        assert_eq!(meanwhile.order.open_change, Some(shown.id));
        let again = ground.preview(order, actions.clone());
        assert!(told(again).contains("confirm or decline it first"));

        let wrong = Confirm { which: (order, shown.id), expected_difference: 199, tenders: Vec::new() };
        let refused = shop.run(move |tx, actor, world| change::confirm(tx, actor, world, wrong.clone()));
        assert_eq!(
            told(refused),
            "total_changed: expected_difference: the difference is 200 minor units, 199 was expected"
        );
        for _ in 0..2 {
            let which = (order, shown.id);
            let declined =
                shop.run(move |tx, actor, world| change::decline(tx, actor, world, which)).unwrap();
            assert_eq!(declined.state, State::Declined, "declining twice is the same as once");
        }
        assert_eq!(ground.promisable(ground.lamp), 4);
        assert_eq!(code_of(ground.confirm(&shown, Vec::new())), Some(Code::WrongState));

        let shown = ground.preview(order, actions.clone()).unwrap();
        shop.pass(15 * 60);
        assert!(told(ground.confirm(&shown, Vec::new())).contains("has expired"));
        for _ in 0..2 {
            shop.run(change::expire_due).unwrap();
        }
        assert_eq!((ground.promisable(ground.lamp), ground.read(order).order.open_change), (4, None));
        let shown = ground.preview(order, actions.clone()).unwrap();
        shop.pass(3600);
        let next = ground.preview(order, actions).unwrap();
        assert_ne!(next.id, shown.id, "one whose time is over makes room at once");
    });
}

#[test]
fn a_swap_moves_goods_and_money_exactly() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let whole = ground.order(3, None);
        let (order, line) = (whole.order.id, whole.lines[0].id);
        ground.pick(&whole, 2);
        let shown =
            ground.preview(order, vec![Action::Swap(line, units(2), ground.line(ground.lamp, 1))]).unwrap();
        let cash = vec![tender(PaymentKind::Cash)];
        let (changed, done) = ground.confirm(&shown, cash.clone()).unwrap();
        assert_eq!(done.state, State::Confirmed);
        assert_eq!(code_of(ground.confirm(&shown, cash)), Some(Code::WrongState), "twice is once");
        assert_eq!((changed.order.gross, changed.order.cancelled), (1899 + 1200, 1000));
        assert_eq!((changed.sums.owed(), changed.sums.kept(), changed.sums.missing()), (2099, 2099, 0));
        assert_eq!(changed.lines[0].gross, 1500, "what was frozen stays");
        assert_eq!(ground.counts(ground.mug, 0), [4, 0, 1], "a picked piece went back to the shelf");
        assert_eq!(ground.counts(ground.lamp, 0), [1, 1, 0]);
        let subject = order.to_string();
        let kinds = shop.read(move |tx| Ok::<_, Failure>(store::event::of_subject(tx, &subject, 0, 100)?));
        let kinds: Vec<_> = kinds.unwrap().into_iter().map(|entry| entry.kind).collect();
        for kind in ["order.change_previewed", "fulfilment.put_back", "order.changed"] {
            assert!(kinds.iter().any(|told| told == kind), "{kind} in {kinds:?}");
        }
        for part in ground.open_parts(order) {
            ground.ship(order, part.id).unwrap();
        }
        let done = ground.read(order);
        assert_eq!((done.order.state, done.sums.kept()), (OrderState::Completed, 2099));
        assert_eq!(code_of(ground.preview(order, vec![Action::Note(None)])), Some(Code::WrongState));
    });
}

#[test]
fn what_is_less_is_given_back_to_the_first_means_once() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let whole = ground.order(3, None);
        let (order, line) = (whole.order.id, whole.lines[0].id);
        let shown = ground.preview(order, vec![Action::Remove(line, units(1))]).unwrap();
        assert_eq!(shown.difference.gross_minor, -500);
        let (changed, _) = ground.confirm(&shown, Vec::new()).unwrap();
        assert_eq!((changed.sums.refunded, changed.sums.kept(), changed.sums.to_refund()), (500, 1399, 0));
        assert_eq!(ground.counts(ground.mug, 0), [3, 2, 0]);
        let too_many = ground.preview(order, vec![Action::Remove(line, units(3))]);
        assert_eq!(
            told(too_many),
            "wrong_state: actions.0.remove.quantity: 2 of sku MUG have not left, 3 asked"
        );
        let all = ground.preview(order, vec![Action::Remove(line, units(2))]);
        assert_eq!(told(all), "wrong_state: actions: nothing of the order would be left; cancel it instead");
        let ended = ground.cancel(order, None).unwrap();
        assert_eq!(
            (ended.order.state, ended.sums.kept()),
            (OrderState::Cancelled, 0),
            "all that was paid went back"
        );
    });
}

#[test]
fn what_a_change_puts_in_waits_for_its_money() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let whole = ground.order(1, None);
        let order = whole.order.id;
        let add = || vec![Action::Add(ground.line(ground.lamp, 1))];
        let shown = ground.preview(order, add()).unwrap();
        let (changed, done) = ground.confirm(&shown, Vec::new()).unwrap();
        assert_eq!((changed.sums.missing(), done.paid_by.is_some()), (1200, true));
        let waiting: Vec<_> =
            ground.open_parts(order).into_iter().filter(|part| part.on_hold.is_some()).collect();
        assert_eq!(waiting.len(), 1, "what was there before goes on");
        assert_eq!(code_of(ground.ship(order, waiting[0].id)), Some(Code::WrongState));
        let cash = tender(PaymentKind::Cash);
        shop.run(move |tx, actor, world| checkout::pay(tx, actor, world, order, cash.clone())).unwrap();
        while engine::job::turn(&shop.shop, &engine::job::registry()).unwrap() > 0 {}
        assert!(ground.open_parts(order).iter().all(|part| part.on_hold.is_none()));

        let shown = ground.preview(order, add()).unwrap();
        ground.confirm(&shown, vec![tender(PaymentKind::Manual)]).unwrap();
        shop.pass(30 * 60);
        for _ in 0..2 {
            shop.run(change::money::give_up_unpaid).unwrap();
        }
        let after = ground.read(order);
        assert_eq!((after.order.cancelled, after.sums.missing()), (1200, 0), "nobody paid: it is out again");
        assert!(after.payments.iter().any(|one| one.state == domain::payment::State::Voided));
        assert_eq!(ground.counts(ground.lamp, 0), [1, 1, 0]);
        assert!(ground.open_parts(order).iter().all(|part| part.on_hold.is_none()));
    });
}

#[test]
fn a_provider_s_yes_lets_the_goods_go_on() {
    on_every_engine(|shop| {
        let ground = Ground::with(shop, CapturePolicy::AtFulfilment);
        let whole = ground.order_paid(2, None, Some(PaymentKind::Test));
        let (order, line) = (whole.order.id, whole.lines[0].id);
        let answer = |whole: &Whole| {
            let asked = whole.payments.iter().find(|one| one.state == domain::payment::State::Created);
            let payment = asked.expect("a payment that was asked for").id;
            let verdict = payment::Verdict::Done { reference: Some(format!("ref-{payment}")) };
            shop.run(move |tx, actor, world| {
                payment::outcome(tx, actor, world, payment, payment::Operation::Authorise, &verdict)
            })
            .unwrap();
            while engine::job::turn(&shop.shop, &engine::job::registry()).unwrap() > 0 {}
        };
        answer(&whole);
        let less = ground.preview(order, vec![Action::Remove(line, units(1))]).unwrap();
        let (less, _) = ground.confirm(&less, Vec::new()).unwrap();
        assert_eq!((less.sums.owed(), less.sums.authorised, less.sums.refunded), (899, 1399, 0));
        let within = ground.preview(order, vec![Action::Add(ground.line(ground.mug, 1))]).unwrap();
        let (within, done) = ground.confirm(&within, vec![tender(PaymentKind::Test)]).unwrap();
        assert_eq!((within.payments.len(), done.paid_by), (1, None), "what was promised before covers it");
        let more = ground.preview(order, vec![Action::Add(ground.line(ground.lamp, 1))]).unwrap();
        let (more, done) = ground.confirm(&more, vec![tender(PaymentKind::Test)]).unwrap();
        assert!(done.paid_by.is_some());
        answer(&more);
        assert!(ground.open_parts(order).iter().all(|part| part.on_hold.is_none()));
    });
}

#[test]
fn collected_becomes_sent_and_the_other_way_round() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let whole = ground.order(2, Some(1));
        let order = whole.order.id;
        let which = (order, whole.fulfilment_orders[0].id);
        shop.run(move |tx, actor, world| visit::ready(tx, actor, world, which)).unwrap();
        assert_eq!(ground.counts(ground.mug, 1), [3, 0, 2]);
        let shown = ground.preview(order, vec![Action::Delivery(ground.choice(None))]).unwrap();
        assert_eq!((shown.difference.gross_minor, shown.served_anew), (399, true));
        let (sent, _) = ground.confirm(&shown, vec![tender(PaymentKind::Cash)]).unwrap();
        assert_eq!((sent.order.kind.text(), sent.order.gross, sent.sums.kept()), ("ship", 1399, 1399));
        assert_eq!((ground.counts(ground.mug, 1), ground.counts(ground.mug, 0)), ([5, 0, 0], [3, 2, 0]));
        let open = ground.open_parts(order);
        assert_eq!((open.len(), open[0].kind.text(), open[0].state), (1, "ship", Part::Open));

        let shown = ground.preview(order, vec![Action::Delivery(ground.choice(Some(1)))]).unwrap();
        assert_eq!(shown.difference.gross_minor, -399);
        let (back, _) = ground.confirm(&shown, Vec::new()).unwrap();
        assert_eq!((back.order.gross, back.sums.kept(), back.sums.refunded), (1000, 1000, 399));
        assert_eq!(back.order.location, Some(ground.retailer.locations[1]));
        let nowhere = ground.preview(order, vec![Action::Delivery(ground.choice(Some(2)))]);
        assert_eq!(told(nowhere), "out_of_stock: actions: 0 of sku MUG can be had, 2 asked");
        let shown = ground.preview(order, vec![Action::Delivery(ground.choice(Some(0)))]).unwrap();
        assert_eq!(shown.difference.gross_minor, 0, "collecting elsewhere costs nothing more");
        assert_eq!(ground.counts(ground.mug, 0), [3, 0, 0], "two are kept at the other store");
        ground.confirm(&shown, Vec::new()).unwrap();
        assert_eq!(ground.counts(ground.mug, 0), [3, 2, 0]);
        let open = ground.open_parts(order);
        ground.ship(order, open[0].id).unwrap();
    });
}

#[test]
fn another_address_another_price_and_a_note() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let whole = ground.order(3, None);
        let (order, line) = (whole.order.id, whole.lines[0].id);
        let actions = vec![
            Action::Address(address("9 Coney Street", "YO1 9QL")),
            Action::CorrectPrice(line, pounds(450)),
            Action::Note(Some("ring twice".into())),
        ];
        let shown = ground.preview(order, actions).unwrap();
        assert_eq!(shown.difference.gross_minor, -150);
        let (changed, _) = ground.confirm(&shown, Vec::new()).unwrap();
        assert_ne!(changed.order.contact, whole.order.contact);
        assert_eq!(changed.order.note.as_deref(), Some("ring twice"));
        assert_eq!((changed.order.gross, changed.lines[0].gross, changed.sums.refunded), (1749, 1350, 150));
        let cart = changed.order.cart;
        let kept = shop.read(move |tx| Ok::<_, Failure>(store::cart::find(tx, cart)?)).unwrap().unwrap();
        assert_eq!(kept.destination.and_then(|to| to.postal_area).as_deref(), Some("YO19Q"));

        let too_low = ground.preview(order, vec![Action::CorrectPrice(line, pounds(1))]);
        assert_eq!(told(too_low), "invalid: actions.0.correct_price.unit_price: give 225 to 675 minor units");
        ground.cancel(order, Some(vec![(line, 1)])).unwrap();
        let late = ground.preview(order, vec![Action::CorrectPrice(line, pounds(400))]);
        assert_eq!(code_of(late), Some(Code::WrongState));
        let asked = Asked { order, actions: vec![Action::CorrectPrice(line, pounds(400))], reason: None };
        let silent = shop.run(move |tx, actor, world| change::preview(tx, actor, world, asked.clone()));
        assert_eq!(told(silent), "invalid: reason: say why a price is corrected");
        assert_eq!(code_of(ground.preview(order, Vec::new())), Some(Code::Invalid));
    });
}

#[test]
fn the_customer_may_until_picking_begins_and_as_the_channel_says() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let whole = ground.order(3, None);
        let (order, line, customer) = (whole.order.id, whole.lines[0].id, ground.customer());
        let cheaper = ground.preview_as(&customer, order, vec![Action::CorrectPrice(line, pounds(400))]);
        assert_eq!(code_of(cheaper), Some(Code::Forbidden));
        let agreed = NewLine { unit_price: Some(pounds(1)), ..ground.line(ground.lamp, 1) };
        let agreed = ground.preview_as(&customer, order, vec![Action::Add(agreed)]);
        assert_eq!(code_of(agreed), Some(Code::Forbidden));
        let stranger = Actor { channel: None, ..customer.clone() };
        let hidden = ground.preview_as(&stranger, order, vec![Action::Remove(line, units(1))]);
        assert_eq!(code_of(hidden), Some(Code::NotFound));
        let shown = ground.preview_as(&customer, order, vec![Action::Remove(line, units(1))]).unwrap();
        let input = Confirm { which: (order, shown.id), expected_difference: -500, tenders: Vec::new() };
        shop.run_as(&customer, move |tx, actor, world| change::confirm(tx, actor, world, input.clone()))
            .unwrap();
        ground.pick(&whole, 1);
        let late = ground.preview_as(&customer, order, vec![Action::Remove(line, units(1))]);
        assert!(told(late).contains("is being prepared; ask the shop"));

        let other = ground.order(1, None);
        let (web, rule) =
            (ground.web.id, Rule { customers: false, added_at: AddedAt::Original, ..Rule::usual() });
        for _ in 0..2 {
            shop.run(move |tx, actor, world| change::rule::set(tx, actor, world, (web, rule))).unwrap();
        }
        let line = other.lines[0].id;
        let closed = ground.preview_as(&customer, other.order.id, vec![Action::Remove(line, units(1))]);
        assert_eq!(code_of(closed), Some(Code::Forbidden));
        let wrong = Rule { preview_minutes: 0, ..rule };
        let refused = shop.run(move |tx, actor, world| change::rule::set(tx, actor, world, (web, wrong)));
        assert_eq!(told(refused), "invalid: preview_minutes: give 1 to 1440 minutes");
    });
}

#[test]
fn what_happened_meanwhile_refuses_the_yes() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let whole = ground.order(3, None);
        let (order, line) = (whole.order.id, whole.lines[0].id);
        let shown = ground.preview(order, vec![Action::Remove(line, units(2))]).unwrap();
        ground.cancel(order, Some(vec![(line, 2)])).unwrap();
        assert_eq!(code_of(ground.confirm(&shown, Vec::new())), Some(Code::WrongState), "one is left");
        let which = (order, shown.id);
        shop.run(move |tx, actor, world| change::decline(tx, actor, world, which)).unwrap();
        let added = ground.preview(order, vec![Action::Add(ground.line(ground.lamp, 1))]).unwrap();
        ground.ship(order, whole.fulfilment_orders[0].id).unwrap();
        assert_eq!(
            code_of(ground.confirm(&added, Vec::new())),
            Some(Code::WrongState),
            "everything has left: the order is over"
        );
        let gone = ground.order(2, None);
        let shown = ground.preview(gone.order.id, vec![Action::Add(ground.line(ground.lamp, 1))]).unwrap();
        ground.cancel(gone.order.id, None).unwrap();
        assert_eq!(code_of(ground.confirm(&shown, Vec::new())), Some(Code::WrongState));
        shop.pass(3600);
        shop.run(change::expire_due).unwrap();
        assert_eq!(ground.promisable(ground.lamp), 4);
    });
}

#[test]
fn of_two_at_once_exactly_one_is_open_and_of_two_yeses_one_counts() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let whole = ground.order(3, None);
        let (order, line) = (whole.order.id, whole.lines[0].id);
        let ground = Arc::new(ground);
        let at_once = |count: usize, what: &(dyn Fn() -> bool + Sync)| {
            std::thread::scope(|scope| {
                let all: Vec<_> = (0..count).map(|_| scope.spawn(what)).collect();
                all.into_iter().filter_map(|one| one.join().ok()).filter(|done| *done).count()
            })
        };
        let swap = || vec![Action::Swap(line, units(1), ground.line(ground.lamp, 1))];
        assert_eq!(at_once(4, &|| ground.preview(order, swap()).is_ok()), 1);
        let open = ground.read(order).order.open_change.expect("an open change");
        let shown = shop.read(move |tx| change::read(tx, &Actor::system(), (order, open))).unwrap().1;
        assert_eq!(at_once(4, &|| ground.confirm(&shown, vec![tender(PaymentKind::Cash)]).is_ok()), 1);
        let after = ground.read(order);
        assert_eq!((after.order.cancelled, after.sums.kept(), after.lines.len()), (500, 2599, 2));

        let shown = ground.preview(order, vec![Action::Remove(line, units(2))]).unwrap();
        let part = whole.fulfilment_orders[0].id;
        let outcomes = std::thread::scope(|scope| {
            let yes = scope.spawn(|| ground.confirm(&shown, Vec::new()).is_ok());
            let left = scope.spawn(|| ground.ship(order, part).is_ok());
            let gone = scope.spawn(|| ground.cancel(order, None).is_ok());
            [yes, left, gone].map(|one| one.join().unwrap_or(false))
        });
        assert!(outcomes.contains(&true));
        let after = ground.read(order);
        assert_eq!(after.sums.kept(), after.sums.owed(), "{outcomes:?}");
        shop.pass(3600);
        shop.run(change::expire_due).unwrap();
    });
}

#[test]
fn a_check_finds_what_does_not_agree() {
    let shop = TestShop::on_sqlite(1);
    let ground = Ground::open(&shop);
    let whole = ground.order(3, None);
    let (order, line) = (whole.order.id, whole.lines[0].id);
    ground.preview(order, vec![Action::Swap(line, units(1), ground.line(ground.lamp, 1))]).unwrap();
    let found = |shop: &TestShop| {
        let report = shop.read(|tx| engine::check::check(tx, [7; 32], &mut |_, _| {})).expect("a report");
        report.differences.iter().map(|one| one.check).collect::<Vec<_>>()
    };
    assert!(found(&shop).is_empty());
    shop.run(move |tx, _, _| {
        let mut lost = store::order::find(tx, order)?.expect("the order");
        lost.open_change = None;
        store::order::change(tx, &mut lost)?;
        let mut forgotten = store::change::of_order(tx, order, Id::from_bytes([255; 16]), 1)?.remove(0);
        forgotten.state = State::Confirmed;
        Ok(store::change::update(tx, &forgotten)?)
    })
    .unwrap();
    let differences = found(&shop);
    assert!(differences.contains(&"changes") && differences.contains(&"kept for changes"), "{differences:?}");
}
