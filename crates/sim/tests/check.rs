//! Somebody changes the books behind the program's back: the check finds it and says where. Books nobody touched are clean.

use domain::actor::Actor;
use domain::ledger::{AccountKey, BookKind, HoldEnd, NewTransfer, Posting};
use domain::loyalty::programme::{Earning, Terms, Worth};
use domain::market::{CapturePolicy, PaymentKind};
use domain::returns::{Condition, Means};
use domain::value::id::{Book, Cart, Channel, Customer, Hold, Location, Variant};
use domain::value::target::Target;
use domain::value::{Currency, Id, Money, Quantity, Rate, Reference, Zone};
use domain::{Code, Refusal};
use engine::cart::{self, Details, Named, NewCart, NewLine};
use engine::check::{Report, check};
use engine::checkout::{self, Checkout, Tender};
use engine::customer::NewCustomer;
use engine::ledger::{Ending, NewHold, Notice, Told, end_hold, hold, post};
use engine::loyalty::member::{self, Member};
use engine::loyalty::{gift_card, points, programme};
use engine::market::NewChannel;
use engine::returns::exchange::{self, Swap};
use engine::returns::{Back, BackLine, Wish};
use engine::webhook::{self, NewEndpoint};
use engine::{Failure, World, seal};
use sim::Retailer;
use sim::retailer::a_channel;
use sim::shop::{TestShop, on_every_engine};
use store::{Tx, params};

const BOOK: Id<Book> = Id::from_bytes([7; 16]);
const SHELF: AccountKey = AccountKey { place: [1; 16], state: 1 };
const HELD: AccountKey = AccountKey { place: [1; 16], state: 2 };
const SUPPLIER: AccountKey = AccountKey { place: AccountKey::WORLD, state: 40 };
const CUSTOMER: AccountKey = AccountKey { place: AccountKey::WORLD, state: 41 };

fn notice(number: i64) -> Notice {
    let body = serde_json::json!({ "number": number });
    Notice { subject: format!("subject {number}"), kind: "stock.moved", body }
}

fn too_little(_: store::ledger::Shortfall) -> Refusal {
    Refusal::new(Code::OutOfStock, "too little")
}

fn moved(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    number: i64,
    lines: [(AccountKey, i64); 2],
) -> Result<(), Failure> {
    let postings = lines.map(|(account, amount)| Posting {
        account,
        amount,
        floor: (account.place != AccountKey::WORLD).then_some(0),
    });
    let transfer =
        NewTransfer { id: world.id(), book: BOOK, reason: "moved", cause: None, postings: postings.to_vec() };
    post(tx, actor, world, Told { transfer, notice: notice(number) }, too_little).map(drop)
}

/// A day at the shop: goods come, some are held, some of those are sold, some given back; then the day is sealed.
fn trade(shop: &TestShop) -> Id<Hold> {
    for number in 0..40 {
        let lines =
            if number % 4 == 3 { [(SHELF, -5), (CUSTOMER, 5)] } else { [(SUPPLIER, -10), (SHELF, 10)] };
        shop.run(move |tx, actor, world| {
            store::ledger::open_book(tx, BOOK, BookKind::Stock, "piece", world.now())?;
            moved(tx, actor, world, number, lines)
        })
        .expect("goods move");
        shop.pass(i64::from(number % 3 == 0));
    }
    let held = |cause: &'static str| {
        let asked = move || NewHold {
            book: BOOK,
            from: (SHELF, Some(0)),
            held: HELD,
            amount: 3,
            expires_at: None,
            cause: ("cart", cause.into()),
            notice: notice(100),
        };
        shop.run(move |tx, actor, world| hold(tx, actor, world, asked(), too_little)).expect("held")
    };
    let (sold, kept, given_back) = (held("a"), held("b"), held("c"));
    for (id, end) in [(sold, HoldEnd::Post(2)), (given_back, HoldEnd::Void)] {
        shop.run(move |tx, actor, world| {
            let row = store::ledger::lock_hold(tx, BOOK, id)?.expect("the hold is there");
            let onward = [Posting { account: CUSTOMER, amount: 2, floor: None }];
            let onward = if matches!(end, HoldEnd::Post(_)) { &onward[..] } else { &[] };
            end_hold(tx, actor, world, &row, Ending { end, onward, notice: notice(101) }).map(drop)
        })
        .expect("the hold ends");
    }
    while shop.run(seal::round).expect("sealed") {}
    kept
}

fn looked(shop: &TestShop) -> Report {
    shop.read(|tx| check(tx, [9; 32], &mut |_, _| ())).expect("the check reads the books")
}

#[test]
fn books_nobody_touched_are_clean() {
    on_every_engine(|shop| {
        assert!(looked(shop).is_clean(), "empty books");
        trade(shop);
        let report = looked(shop);
        assert!(report.is_clean(), "{:#?}", report.differences);
        assert_eq!((report.accounts, report.postings, report.transfers, report.entries), (4, 91, 45, 45));
        assert!(report.seals > 0);
        let sealed = report.seals;
        shop.run(|tx, actor, world| moved(tx, actor, world, 1, [(SUPPLIER, -1), (SHELF, 1)]))
            .expect("more goods come");
        assert!(looked(shop).is_clean(), "an unsealed end is no difference");
        while shop.run(seal::round).expect("sealed") {}
        assert_eq!(looked(shop).seals, sealed + 1);
        assert!(looked(shop).is_clean());
    });
}

/// What somebody did, and which checks must find it.
type Tampering = (&'static str, &'static [&'static str]);

#[test]
fn what_was_changed_behind_the_books_back_is_found_and_named() {
    let tamperings: [Tampering; 9] = [
        ("update account set amount = amount + 1 where state = 1", &["balance"]),
        (
            "update posting set amount = amount + 1 where state = 1 and amount = 10",
            &["balance", "seal", "transfer"],
        ),
        (
            "update posting set balance = balance + 1 where state = 41 and amount = 2",
            &["running balance", "seal"],
        ),
        ("update transfer set reason = 'stolen' where reason = 'hold_posted'", &["seal"]),
        ("update event set body = 'x' where subject = 'subject 7'", &["seal"]),
        ("delete from event where subject = 'subject 7'", &["journal", "seal", "transfer"]),
        ("delete from transfer where reason = 'hold_posted'", &["event", "posting", "seal"]),
        (
            "update seal set hash = event_id from event where event.partition = seal.partition and event.sequence = 1",
            &["seal"],
        ),
        ("update hold set amount = 4 where state = 1", &["holds"]),
    ];
    on_every_engine(|shop| {
        trade(shop);
        for (sql, found_by) in tamperings {
            let report = tampered(shop, sql);
            let mut found: Vec<&str> = report.differences.iter().map(|difference| difference.check).collect();
            found.sort_unstable();
            found.dedup();
            assert_eq!(found, found_by, "{sql}: {:#?}", report.differences);
        }
        assert!(looked(shop).is_clean(), "each change was taken back");
    });
}

#[test]
fn a_difference_says_where_and_what() {
    on_every_engine(|shop| {
        let kept = trade(shop);
        let report = tampered(shop, "update hold set amount = 4 where state = 1");
        assert_eq!(
            report.differences[0].to_string(),
            format!(
                "holds: {BOOK}, place 01040g2081040g2081040g2081, state 2: expected 4 by its live holds, found 3"
            )
        );
        shop.run(move |tx, _, _| Ok(store::external::add(tx, "till-4", kept.shared_with::<Location>())?))
            .expect("noted");
        let report = looked(shop);
        assert_eq!(
            report.differences[0].to_string(),
            "external ids: loc \"till-4\": expected a thing of this kind, found none"
        );
        shop.run(|tx, _, _| Ok(store::external::remove::<Location>(tx, "till-4")?)).expect("forgotten");
    });
}

#[test]
fn money_of_nobody_is_found() {
    on_every_engine(|shop| {
        let pounds = Money::new(1000, Currency::parse("GBP").expect("a currency")).expect("an amount");
        let card = shop
            .run(move |tx, actor, world| gift_card::issue(tx, actor, world, pounds, None))
            .expect("a gift card");
        let report = tampered(shop, "update gift_card set currency = 'EUR'");
        let named: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
        let book = gift_card::credit(&card).book;
        let expected =
            format!("credit: {book}: expected a book and its gift card or store credit, found no gift card");
        assert_eq!(named, [expected]);
    });
}

#[test]
fn points_of_nothing_are_found() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let till = retailer.till(shop, 0);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 3);
        let member = a_member(shop);
        paid_by_points(shop, &member, (till.id, mug));
        let book = member.id.shared_with::<Book>();
        let found = |sql| {
            let report = tampered(shop, sql);
            report.differences.iter().map(ToString::to_string).collect::<Vec<_>>()
        };
        let lots = "update point_lot set rest = rest + 1 where rest > 0 and order_id is null";
        assert_eq!(found(lots), [format!("points: {book}: expected 21 free in lots, found 20")]);
        let earned = "update point_earning set points = points + 2";
        assert_eq!(found(earned), [format!("points: {book}: expected 3 earned by orders, found 1")]);
        let nobody = found("update member set member_id = customer_id");
        assert!(nobody.contains(&format!(
            "members: {book}: expected a book of points and its member, found no member"
        )));
    });
}

/// A customer in a programme in force, with a hundred points.
fn a_member(shop: &TestShop) -> Member {
    let made = shop.run(|tx, actor, world| {
        let pounds = Currency::parse("GBP").expect("a currency");
        let terms = Terms {
            zone: Zone::parse("UTC").expect("a zone"),
            ladder: None,
            sharing: None,
            referral: None,
            earnings: vec![Earning { currency: pounds, channel: None, points: 1, per_minor: 100 }],
            factors: Vec::new(),
            seasons: Vec::new(),
            counts_delivery: false,
            counts_tax: true,
            uncounted: Vec::new(),
            pending_days: 14,
            receipt_days: 30,
            months: None,
            worth: vec![Worth { currency: pounds, points: 1, minor: 5 }],
            pays_min: 1,
            pays_max: Rate::from_parts_per_million(Rate::WHOLE).expect("a rate"),
            below_zero: false,
            occasions: Vec::new(),
        };
        let named = ("club".to_owned(), "The club".to_owned());
        let (programme, _) = programme::create(tx, actor, world, named, terms)?;
        programme::activate(tx, actor, world, (programme.id, 1), None)?;
        let draft = domain::contact::Draft { email: Some("ada@example.com".into()), ..Default::default() };
        let card = domain::contact::Card::new(&draft).expect("a card");
        let new = NewCustomer { external_id: None, card, groups: Vec::new() };
        let customer = engine::customer::create(tx, actor, world, new)?.id;
        let member = member::enrol(tx, actor, world, programme.id, customer)?;
        points::adjust(tx, actor, world, &member, (100, "goodwill".to_owned()))?;
        Ok::<_, Failure>(member)
    });
    made.expect("a member")
}

/// The member buys a mug with points and the rest in cash.
fn paid_by_points(shop: &TestShop, member: &Member, (till, mug): (Id<Channel>, Id<Variant>)) {
    let customer = member.customer;
    let bought = shop.run(move |tx, actor, world| {
        let cart = one_piece(tx, actor, world, (till, mug), Some(customer))?;
        let tender =
            |kind, amount| Tender { kind, amount, provider_token: None, card: None, gift_card: None };
        let tenders = vec![tender(PaymentKind::Points, Some(400)), tender(PaymentKind::Cash, None)];
        let (expected_total, serve_from, placed_at, external_id) = (None, None, None, None);
        checkout::place(
            tx,
            actor,
            world,
            Checkout { cart, expected_total, tenders, serve_from, placed_at, external_id },
        )
    });
    bought.expect("an order");
}

#[test]
fn days_that_nobody_lived_are_found() {
    on_every_engine(|shop| {
        trade(shop);
        let report = tampered(
            shop,
            "insert into location_day (location_id, day, given) select book_id, 20260101, 2 from book",
        );
        let place = BOOK.shared_with::<Location>();
        let expected = format!("capacity: {place} on 20260101: expected 0 given, found 2");
        assert_eq!(report.differences[0].to_string(), expected);
        shop.run(|tx, _, world| Ok(store::routing::outflow::set_mark(tx, world.now())?)).expect("marked");
        let report = tampered(
            shop,
            "insert into outflow (variant_id, location_id, units) select book_id, book_id, 3 from book",
        );
        let variant = BOOK.shared_with::<Variant>();
        let expected = format!("outflow: {variant} at {place}: expected 0 left, found 3");
        assert_eq!(report.differences[0].to_string(), expected);
    });
}

/// A cart of one piece at the till.
fn one_piece(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (till, piece): (Id<Channel>, Id<Variant>),
    customer: Option<Id<Customer>>,
) -> Result<Id<Cart>, Failure> {
    let line = NewLine {
        variant: Named::Reference(Reference::Id(piece)),
        quantity: Quantity::new(1).expect("a quantity"),
        unit_price: None,
    };
    let details = Details { customer: customer.map(Reference::Id), ..Details::default() };
    let channel = Reference::Id(till);
    Ok(cart::create(tx, actor, world, NewCart { channel, currency: None, lines: vec![line], details })?.id)
}

/// A mug is bought for cash and exchanged for a cheaper cup; the rest goes onto a gift card.
fn exchanged(shop: &TestShop) {
    let retailer = Retailer::open(shop, &["leeds"]);
    let (till, location) = (retailer.till(shop, 0).id, retailer.locations[0]);
    let (mug, cup) = (retailer.sell(shop, "MUG", 500), retailer.sell(shop, "CUP", 200));
    [mug, cup].into_iter().for_each(|piece| retailer.stock(shop, piece, 0, 5));
    let made = shop.run(move |tx, actor, world| {
        let cash = Tender {
            kind: PaymentKind::Cash,
            amount: None,
            provider_token: None,
            card: None,
            gift_card: None,
        };
        let bought = Checkout {
            cart: one_piece(tx, actor, world, (till, mug), None)?,
            expected_total: None,
            tenders: vec![cash],
            serve_from: None,
            placed_at: None,
            external_id: None,
        };
        let bought = checkout::place(tx, actor, world, bought)?;
        let line = bought.lines[0].id;
        let back = Back {
            order: bought.order.id,
            location,
            reason: "gift".into(),
            lines: vec![BackLine { line, quantity: 1, condition: Condition::Resellable }],
            wish: Wish { means: Some(Means::GiftCard), override_reason: None },
            external_id: None,
        };
        let cart = one_piece(tx, actor, world, (till, cup), None)?;
        exchange::exchange(tx, actor, world, Swap { back, cart, expected_total: None, tenders: Vec::new() })
    });
    assert_eq!(made.expect("exchanged").0.carried, 200);
}

#[test]
fn what_went_back_is_worked_out_again() {
    let tamperings: [Tampering; 3] = [
        ("update order_head set returned = returned - 1 where returned > 0", &["returned"]),
        ("update return_refund set amount = amount + 1 where book_id is not null", &["refunds"]),
        ("update payment_carry set amount = amount + 1", &["carried"]),
    ];
    on_every_engine(|shop| {
        exchanged(shop);
        for (sql, found_by) in tamperings {
            let report = tampered(shop, sql);
            let found: Vec<&str> = report.differences.iter().map(|difference| difference.check).collect();
            assert_eq!(found, found_by, "{sql}: {:#?}", report.differences);
        }
    });
}

/// A mug is paid with a gift card, and another order waits for its money with the rest of the card set aside.
fn paid_by_card(shop: &TestShop) {
    let retailer = Retailer::open(shop, &["leeds"]);
    let desk = NewChannel {
        location: Some(Reference::Id(retailer.locations[0])),
        capture_policy: CapturePolicy::AtFulfilment,
        ..a_channel("desk", retailer.market, retailer.network)
    };
    let till = retailer.channel(shop, desk).id;
    let mug = retailer.sell(shop, "MUG", 500);
    retailer.stock(shop, mug, 0, 5);
    let sold = shop.run(move |tx, actor, world| {
        let amount = Money::new(900, Currency::parse("GBP").expect("a currency")).expect("an amount");
        let card = gift_card::issue(tx, actor, world, amount, None)?;
        let code = gift_card::show_code(tx, actor, world, card.id)?;
        for tenders in [vec![PaymentKind::GiftCard], vec![PaymentKind::GiftCard, PaymentKind::Test]] {
            let tender = |kind: PaymentKind| Tender {
                kind,
                amount: None,
                provider_token: kind.has_provider().then(|| "tok_ok".to_owned()),
                card: None,
                gift_card: (kind == PaymentKind::GiftCard).then(|| code.clone()),
            };
            let bought = Checkout {
                cart: one_piece(tx, actor, world, (till, mug), None)?,
                expected_total: None,
                tenders: tenders.into_iter().map(tender).collect(),
                serve_from: None,
                placed_at: None,
                external_id: None,
            };
            checkout::place(tx, actor, world, bought)?;
        }
        Ok(())
    });
    sold.expect("sold");
}

#[test]
fn what_cards_paid_is_worked_out_again() {
    let tamperings: [Tampering; 2] = [
        (
            "update payment set captured = captured - 1 where kind = 6 and captured = 500",
            &["credit payments"],
        ),
        (
            "update hold set cause_id = 'pay_0' where cause_kind = 'payment' and state = 1",
            &["credit payments"],
        ),
    ];
    on_every_engine(|shop| {
        paid_by_card(shop);
        for (sql, found_by) in tamperings {
            let report = tampered(shop, sql);
            let found: Vec<&str> = report.differences.iter().map(|difference| difference.check).collect();
            assert!(
                found.iter().all(|name| found_by.contains(name) || *name == "order sums" || *name == "money")
            );
            assert!(found.contains(&found_by[0]), "{sql}: {:#?}", report.differences);
        }
    });
}

#[test]
fn what_is_set_aside_on_cards_is_no_promise_of_goods() {
    on_every_engine(|shop| {
        paid_by_card(shop);
        let sql = "update account set state = 3 where amount > 0 and book_id in (select book_id from book where kind = 3)";
        let report = tampered(shop, sql);
        assert!(!report.is_clean(), "money in a state it cannot be in is found");
        assert!(report.differences.iter().all(|one| one.check != "commitments"), "{:#?}", report.differences);
    });
}

/// Looks at the books with a change made, then takes the change back.
fn tampered(shop: &TestShop, sql: &'static str) -> Report {
    let (teller, told) = std::sync::mpsc::channel();
    let outcome: Result<(), Failure> = shop.run(move |tx, _, _| {
        assert!(tx.execute(sql, params![])? > 0, "{sql} touches a row");
        let report = check(tx, [9; 32], &mut |_, _| ())?;
        let _ = teller.send(report);
        Err(Refusal::invalid("tampering", "taken back").into())
    });
    assert_eq!(outcome.expect_err("taken back").code(), Some(Code::Invalid));
    told.try_iter().last().expect("a report")
}

#[test]
fn an_endpoint_that_was_sent_what_never_happened_is_found() {
    let tamperings: [Tampering; 2] = [
        ("update webhook_lane set sequence = 1000 where lane = 3", &["webhooks"]),
        ("delete from webhook_lane where lane = 16", &["webhooks"]),
    ];
    on_every_engine(|shop| {
        let made = shop.run(|tx, actor, world| {
            let target = Target::parse("https://example.com/events").expect("an address");
            let new = NewEndpoint { target, kinds: Vec::new(), description: String::new() };
            webhook::create(tx, actor, world, new).map(drop)
        });
        made.expect("an endpoint");
        for (sql, found_by) in tamperings {
            let report = tampered(shop, sql);
            let found: Vec<&str> = report.differences.iter().map(|difference| difference.check).collect();
            assert_eq!(found, found_by, "{sql}: {:#?}", report.differences);
        }
    });
}
