//! Changes beside everything else that happens to an order at the same time: cancels, shipments, other changes; and what a check finds.

use crate::changing::{Ground, code_of, tender, units};
use domain::Code;
use domain::actor::Actor;
use domain::change::State;
use domain::market::PaymentKind;
use domain::value::Id;
use engine::change::{self, Action};
use engine::count::tally::{self, Piece};
use engine::count::{self, NewCount, Scope};
use engine::fulfilment::counted;
use sim::{TestShop, on_every_engine};

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

/// The shelf has fewer than the books say: what was kept for a change that nobody has confirmed goes first, and the yes is refused.
#[test]
fn a_count_takes_what_was_kept_for_a_change() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let whole = ground.order(3, Some(0));
        let shown = ground.preview(whole.order.id, vec![Action::Add(ground.line(ground.mug, 2))]).unwrap();
        assert_eq!(ground.counts(ground.mug, 0), [0, 3, 0], "two of five are kept for the change");
        let (location, mug) = (ground.retailer.locations[0], ground.mug);
        let scope = Scope::Variants(vec![mug]);
        let asked = NewCount { location, scope, blind: true, note: None };
        let count = shop
            .run(move |tx, actor, world| count::request(tx, actor, world, asked.clone()))
            .expect("a count")
            .count
            .id;
        let three = Piece { variant: mug, pieces: 3, place: "front".into(), at: None };
        shop.run(move |tx, actor, world| tally::add(tx, actor, world, count, std::slice::from_ref(&three)))
            .unwrap();
        shop.run(move |tx, actor, world| tally::finish(tx, actor, world, count, false)).unwrap();
        shop.run(move |tx, actor, world| counted::post(tx, actor, world, count)).unwrap();
        assert_eq!(ground.counts(mug, 0), [0, 3, 0], "the order keeps its three");
        assert_eq!(code_of(ground.confirm(&shown, vec![tender(PaymentKind::Cash)])), Some(Code::OutOfStock));
        let open = ground.read(whole.order.id).order.open_change;
        assert_eq!(open, Some(shown.id), "it may be declined, and the books agree with it open");
    });
}

#[test]
fn of_two_at_once_exactly_one_is_open_and_of_two_yeses_one_counts() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let whole = ground.order(3, None);
        let (order, line) = (whole.order.id, whole.lines[0].id);
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
