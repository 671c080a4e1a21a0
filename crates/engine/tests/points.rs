//! The story of points: earned by what is bought, taken back with what comes back, released, spent once, given back, expired.

use crate::counter;
use std::thread;

use crate::club::{back, by_points, club, order_as, release, terms};
use crate::counter::{DAY, by, cash, filled, pounds, read, tender};
use domain::actor::{Actor, Permission, Who};
use domain::loyalty::programme::{Factor, Goods, Season, State as Stage, Terms, Worth};
use domain::market::{CapturePolicy, PaymentKind};
use domain::order::{CancelReason, State};
use domain::returns::policy::{self, Scope, When};
use domain::returns::{Condition, Means, Way};
use domain::value::{Id, Instant, LocalDay, Rate, Reference, Zone};
use domain::{Code, payment::State as PaymentState};
use engine::checkout::{self, Cancel, Checkout, Leaving};
use engine::loyalty::{self, member, points, programme};
use engine::market::NewChannel;
use engine::returns::judge::Asked;
use engine::returns::policy::Draft;
use engine::returns::request::{self, Request};
use engine::returns::{self, Wish};
use sim::retailer::a_channel;
use sim::{TestShop, on_every_engine};

#[test]
fn points_wait_for_the_return_window_and_go_with_what_comes_back() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let bought = club.buy(shop, 3, cash());
        assert_eq!(club.has(shop), (0, 15, 0, 0));
        back(shop, &club, &bought, 1, Means::Original);
        assert_eq!(club.has(shop), (0, 10, 0, 0), "what came back earns nothing");
        shop.pass(14 * DAY - 1);
        release(shop);
        assert_eq!(club.has(shop), (0, 10, 0, 0));
        shop.pass(1);
        release(shop);
        release(shop);
        assert_eq!(club.has(shop), (10, 0, 0, 0));
        let (at, expiring) = club.balance(shop).next_expiry.unwrap();
        assert_eq!(expiring, 10);
        shop.pass((at.micros() - shop.shop.source.now().micros()) / 1_000_000);
        shop.run(points::expire_due).unwrap();
        shop.run(points::expire_due).unwrap();
        assert_eq!(club.has(shop), (0, 0, 0, 0));
    });
}

#[test]
fn what_was_spent_before_its_goods_came_back_is_owed_and_paid_by_new_points() {
    for below_zero in [false, true] {
        on_every_engine(move |shop| {
            let club = club(shop, Terms { pending_days: 0, below_zero, ..terms() });
            let bought = club.buy(shop, 4, cash());
            assert_eq!(club.has(shop), (20, 0, 0, 0), "no window, no wait");
            club.buy(shop, 1, vec![tender(PaymentKind::Points, Some(75)), tender(PaymentKind::Cash, None)]);
            assert_eq!(club.has(shop).0, 5 + 4, "15 spent, 4 earned by the 4.25 paid in cash");
            back(shop, &club, &bought, 4, Means::Original);
            let owed = if below_zero { (-11, 0, 0, 0) } else { (0, 0, 0, 11) };
            assert_eq!(club.has(shop), owed);
            club.buy(shop, 3, cash());
            assert_eq!(club.has(shop), (4, 0, 0, 0), "15 new points pay the 11");
        });
    }
}

#[test]
fn points_pay_and_come_back_as_points_with_their_old_expiry() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        club.adjust(shop, 60).unwrap();
        let first = club.balance(shop).next_expiry;
        shop.pass(40 * DAY);
        club.adjust(shop, 80).unwrap();
        let bought = club.buy(shop, 1, by_points(None));
        assert_eq!(bought.order.state, State::Completed);
        assert_eq!((bought.payments[0].points, bought.payments[0].amounts.captured), (Some(100), 500));
        assert_eq!(club.has(shop), (40, 0, 0, 0), "what points paid earns nothing");
        back(shop, &club, &bought, 1, Means::Original);
        assert_eq!(read(shop, bought.order.id).payments[0].state, PaymentState::Refunded);
        assert_eq!((club.has(shop), club.balance(shop).next_expiry), ((140, 0, 0, 0), first));
    });
}

#[test]
fn points_are_never_turned_into_other_money() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        club.adjust(shop, 60).unwrap();
        let mixed = vec![tender(PaymentKind::Points, None), tender(PaymentKind::Cash, None)];
        let bought = club.buy(shop, 1, mixed);
        let back = counter::a_back(&club.retailer, &bought, 0, (1, Condition::Resellable), by(Means::Cash));
        counter::bring(shop, back).unwrap();
        let refunded: Vec<_> =
            read(shop, bought.order.id).payments.iter().map(|one| (one.kind, one.amounts.refunded)).collect();
        assert_eq!(refunded, [(PaymentKind::Points, 300), (PaymentKind::Cash, 200)]);
        assert_eq!(club.has(shop), (60, 0, 0, 0));
    });
}

#[test]
fn points_are_held_at_the_order_and_spent_in_parts_as_goods_leave() {
    on_every_engine(|shop| {
        let worth = vec![Worth { currency: pounds(), points: 3, minor: 10 }];
        let club = club(shop, Terms { worth, ..terms() });
        let location = Some(Reference::Id(club.retailer.locations[0]));
        let capture_policy = CapturePolicy::AtFulfilment;
        let desk = a_channel("desk", club.retailer.market, club.retailer.network);
        let desk = club.retailer.channel(shop, NewChannel { location, capture_policy, ..desk });
        club.adjust(shop, 401).unwrap();
        let cart = filled(shop, &desk, &[(club.mug, 3)], Some(club.ada));
        let mixed = vec![tender(PaymentKind::Points, Some(1331)), tender(PaymentKind::Manual, None)];
        let placed = order_as(shop, &Actor::system(), cart, mixed).unwrap();
        assert_eq!(club.has(shop), (1, 0, 400, 0), "13.31 are 399.3 points");
        let (id, transfer) = (placed.order.id, placed.payments[1].id);
        shop.run(move |tx, actor, world| engine::payment::record_receipt(tx, actor, world, transfer, None))
            .unwrap();
        shop.run(move |tx, actor, world| checkout::payment_changed(tx, actor, world, id)).unwrap();
        assert_eq!(club.has(shop), (1, 1, 400, 0));
        let lines = Some(vec![(placed.lines[0].id, 1)]);
        let cancel = Cancel { order: id, lines, part: None, reason: CancelReason::Customer };
        shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone())).unwrap();
        let part = placed.fulfilment_orders[0].id;
        let gone = shop
            .run(move |tx, actor, world| checkout::fulfil(tx, actor, world, id, part, Leaving::default()))
            .unwrap();
        let sums = gone.sums;
        assert_eq!((gone.order.state, sums.owed(), sums.kept()), (State::Completed, 1000, 1000));
        let (free, pending, held, owed) = club.has(shop);
        let spent: i64 = 401 - free;
        assert_eq!((pending, held, owed), (1, 0, 0));
        let kept = gone.payments[0].amounts.captured - gone.payments[0].amounts.refunded;
        assert_eq!(spent, domain::loyalty::points::part(400, 1331, kept));
    });
}

#[test]
fn a_crowd_spends_points_once() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        club.adjust(shop, 100).unwrap();
        let carts: Vec<_> =
            (0..20).map(|_| filled(shop, &club.till, &[(club.mug, 1)], Some(club.ada))).collect();
        let sold = thread::scope(|scope| {
            let buy =
                |cart| scope.spawn(move || order_as(shop, &Actor::system(), cart, by_points(Some(500))));
            let buyers: Vec<_> = carts.into_iter().map(buy).collect();
            buyers.into_iter().map(|buyer| buyer.join().expect("an answer")).collect::<Vec<_>>()
        });
        let (won, lost): (Vec<_>, Vec<_>) = sold.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), club.has(shop)), (1, (0, 0, 0, 0)));
        assert!(lost.into_iter().all(|one| one.unwrap_err().code() == Some(Code::AmountExceeded)));
    });
}

#[test]
fn a_crowd_of_orders_and_returns_earns_exactly_what_stays() {
    on_every_engine(|shop| {
        let club = club(shop, Terms { pending_days: 0, ..terms() });
        let club = &club;
        thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(move || {
                    let bought = club.buy(shop, 2, cash());
                    back(shop, club, &bought, 1, Means::Original);
                });
            }
        });
        assert_eq!(club.has(shop), (40, 0, 0, 0));
    });
}

#[test]
fn goods_and_seasons_earn_more_or_nothing() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let (mug, programme) = (club.mug, club.programme.id);
        let rate = |times: i64| Rate::from_parts_per_million(times * Rate::WHOLE).expect("a rate");
        shop.run(move |tx, actor, world| {
            let product = store::catalogue::variants(tx, &[mug])?[0].product;
            let (from, until) = (world.now(), world.now().plus_seconds(DAY));
            let terms = Terms {
                factors: vec![Factor { of: Goods::Product(product), rate: rate(3) }],
                seasons: vec![Season { name: "double".into(), from, until, rate: rate(2) }],
                ..terms()
            };
            let draft = programme::write(tx, actor, world, programme, terms)?;
            assert_eq!((draft.number, draft.state), (2, Stage::Draft));
            programme::activate(tx, actor, world, (programme, 2), Some(world.now().plus_seconds(60)))
        })
        .unwrap();
        let plain = club.buy(shop, 1, cash());
        assert_eq!(club.has(shop).1, 5, "not in force yet");
        shop.pass(60);
        club.buy(shop, 1, cash());
        assert_eq!(club.has(shop).1, 5 + 30);
        shop.run(move |tx, actor, world| programme::retire(tx, actor, world, (programme, 2))).unwrap();
        back(shop, &club, &plain, 1, Means::Original);
        club.buy(shop, 1, cash());
        assert_eq!(club.has(shop).1, 30 + 5);
        let again = shop.run(move |tx, actor, world| programme::retire(tx, actor, world, (programme, 2)));
        assert_eq!(again.unwrap_err().code(), Some(Code::WrongState));
    });
}

#[test]
fn members_join_leave_and_are_given_points() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let (programme, ada, id) = (club.programme.id, club.ada, club.member.id);
        let enrol = move |shop: &TestShop| {
            shop.run(move |tx, actor, world| member::enrol(tx, actor, world, programme, ada))
        };
        assert_eq!(enrol(shop).unwrap().id, id, "twice is once");
        let member = club.member.clone();
        let give = move |code: &'static str| {
            let member = member.clone();
            move |tx: &mut store::Tx<'_>, actor: &Actor, world: &mut engine::World| {
                points::give(tx, actor, world, &member, code)
            }
        };
        shop.run(give("signed_up")).unwrap();
        let twice = shop.run(give("signed_up")).unwrap_err();
        assert_eq!(
            twice.to_string(),
            "wrong_state: occasion: the member had \"signed_up\" 1 times, as often as it is given"
        );
        assert_eq!(shop.run(give("wedding")).unwrap_err().code(), Some(Code::Invalid));
        assert_eq!(
            club.adjust(shop, -21).unwrap_err().to_string(),
            "amount_exceeded: change: 20 points can be taken; take fewer"
        );
        shop.pass(1);
        club.adjust(shop, -5).unwrap();
        assert_eq!(club.adjust(shop, 0).unwrap_err().code(), Some(Code::Invalid));
        shop.run(move |tx, actor, world| member::leave(tx, actor, world, id)).unwrap();
        shop.run(move |tx, actor, world| member::leave(tx, actor, world, id)).unwrap();
        club.buy(shop, 1, cash());
        assert_eq!(club.has(shop), (15, 0, 0, 0), "who left earns nothing and keeps what he has");
        shop.pass(1);
        assert_eq!(enrol(shop).unwrap().id, id);
        club.buy(shop, 1, cash());
        assert_eq!(club.has(shop), (15, 5, 0, 0));
        let member = club.member.clone();
        let lines = shop.read(move |tx| {
            let before = (Instant::from_micros(i64::MAX), Id::from_bytes([255; 16]));
            loyalty::statement(tx, &Actor::system(), &member::credit(&member), before, 10)
        });
        let lines: Vec<_> =
            lines.unwrap().into_iter().map(|line| (line.reason, line.amount, line.balance)).collect();
        assert_eq!(lines, [("adjusted".to_owned(), -5, 15), ("issued".to_owned(), 20, 20)]);
    });
}

#[test]
fn points_expire_with_the_day_of_the_market() {
    on_every_engine(|shop| {
        let club = club(
            shop,
            Terms { pending_days: 0, months: Some(1), zone: Zone::parse("Asia/Tokyo").unwrap(), ..terms() },
        );
        let market = club.retailer.market;
        let market = shop.read(move |tx| Ok(store::market::find_market(tx, market)?)).unwrap();
        let zone = market.unwrap().zone;
        club.buy(shop, 1, cash());
        let (at, _) = club.balance(shop).next_expiry.unwrap();
        let day = LocalDay::of(shop.shop.source.now(), &zone).plus_months(1).unwrap();
        assert_eq!(at, day.next().unwrap().first_instant(&zone));
        club.adjust(shop, 3).unwrap();
        let member = club.member.id;
        let zones = shop.read(move |tx| Ok(store::loyalty::points::spendable(tx, member)?)).unwrap();
        let zones: Vec<_> = zones.iter().map(|lot| lot.zone.name().to_owned()).collect();
        assert_eq!(zones.len(), 2);
        assert!(
            zones.contains(&zone.name().to_owned()) && zones.contains(&"Asia/Tokyo".to_owned()),
            "{zones:?}"
        );
    });
}

#[test]
fn goods_that_were_paid_back_and_never_came_earn_again() {
    on_every_engine(|shop| {
        let club = club(shop, Terms { pending_days: 0, ..terms() });
        let bought = club.buy(shop, 3, cash());
        assert_eq!(club.has(shop), (15, 0, 0, 0));
        let (order, line) = (bought.order.id, bought.lines[0].id);
        shop.run(move |tx, actor, world| {
            let terms = policy::Terms { when: When::BeforeReceipt, ..policy::Terms::open() };
            let (name, scope) = ("early".to_owned(), Scope::default());
            let draft = Draft { name, scope, active: true, terms };
            returns::policy::create(tx, actor, world, "early".into(), draft)?;
            let lines = vec![Asked { line, quantity: 2, condition: None }];
            let (reason, wish) = ("too small".to_owned(), Wish::default());
            let (location, external_id) = (None, None);
            let asked = Request { order, way: Way::Post, location, reason, lines, wish, external_id };
            request::request(tx, actor, world, asked)
        })
        .unwrap();
        assert_eq!(club.has(shop), (5, 0, 0, 0), "paid back before they came");
        shop.pass(31 * DAY);
        shop.run(returns::overdue::claim_back).unwrap();
        assert_eq!(club.has(shop), (15, 0, 0, 0), "they are owed for again");
    });
}

#[test]
fn what_points_may_not_pay_says_why() {
    on_every_engine(|shop| {
        let pays_max = Rate::from_parts_per_million(500_000).expect("a rate");
        let club = club(shop, Terms { pays_min: 10, pays_max, ..terms() });
        club.adjust(shop, 30).unwrap();
        let by = |amount| by_points(Some(amount));
        let refused =
            |actor: &Actor, tenders| club.order(shop, actor, &club.till, tenders).unwrap_err().to_string();
        let system = Actor::system();
        assert_eq!(
            refused(&system, by(260)),
            "amount_exceeded: payments.0.amount: points pay at most 250 minor units of this order, 260 asked"
        );
        assert_eq!(
            refused(&system, by(45)),
            "invalid: payments.0.amount: at least 10 points pay at once, 9 asked"
        );
        assert_eq!(
            refused(&system, by(155)),
            "amount_exceeded: payments.0.amount: 30 points can still be spent; ask for less"
        );
        let program = counter::only(&[Permission::Shop]);
        assert!(refused(&program, by(50)).starts_with("forbidden"));
        let herself = Actor { who: Who::Customer(club.ada), ..program };
        let mixed = vec![tender(PaymentKind::Points, Some(50)), tender(PaymentKind::Manual, None)];
        assert_eq!(club.order(shop, &herself, &club.till, mixed).unwrap().payments[0].points, Some(10));
        let nobody = filled(shop, &club.till, &[(club.mug, 1)], None);
        let refused = order_as(shop, &system, nobody, by(50)).unwrap_err();
        assert_eq!(refused.code(), Some(Code::Invalid));
    });
}

#[test]
fn a_programme_and_its_members_may_be_older_than_the_books() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let (ada, now) = (club.ada, shop.shop.source.now());
        let (began, sold) = (now.plus_seconds(-400 * DAY), now.plus_seconds(-100 * DAY));
        let old = shop.run(move |tx, actor, world| {
            let named = ("old".to_owned(), "The old club".to_owned());
            let (old, draft) = programme::create(tx, actor, world, named, terms())?;
            programme::activate(tx, actor, world, (old.id, draft.number), Some(began))?;
            member::enrol_since(tx, actor, world, (old.id, ada), Some(began))
        });
        let old = old.expect("a member");
        let cart = filled(shop, &club.till, &[(club.mug, 1)], Some(ada));
        shop.run(move |tx, actor, world| {
            let (expected_total, serve_from, external_id) = (None, None, None);
            let placed_at = Some(sold);
            let tenders = cash();
            checkout::place(
                tx,
                actor,
                world,
                Checkout { cart, expected_total, tenders, serve_from, placed_at, external_id },
            )
        })
        .expect("an order of long ago");
        let member = old.clone();
        let has = shop.read(move |tx| points::balance(tx, &member, now)).expect("a balance");
        assert_eq!((has.pending, club.has(shop).1), (5, 0), "who joined later earned nothing then");
        let programme = old.programme;
        let late = shop.run(move |tx, actor, world| {
            let draft = programme::write(tx, actor, world, programme, terms())?;
            programme::activate(tx, actor, world, (programme, draft.number), Some(began))
        });
        assert_eq!(late.unwrap_err().code(), Some(Code::Invalid), "what was earned is not turned over");
        let since = move |at| {
            move |tx: &mut store::Tx<'_>, actor: &Actor, world: &mut engine::World| {
                member::enrol_since(tx, actor, world, (programme, ada), Some(at))
            }
        };
        assert_eq!(shop.run(since(now.plus_seconds(1))).unwrap_err().code(), Some(Code::Invalid));
        let herself = Actor { who: Who::Customer(ada), channel: None, grants: Vec::new() };
        assert_eq!(shop.run_as(&herself, since(began)).unwrap_err().code(), Some(Code::Forbidden));
    });
}
