//! The story of changes: shown first with what they cost, confirmed exactly so, declined or forgotten; with goods and money following.

use crate::changing::{Ground, address, code_of, pounds, tender, told, units};
use domain::Code;
use domain::actor::Actor;
use domain::change::{AddedAt, Rule, State};
use domain::delivery::Kind;
use domain::fulfilment::State as Part;
use domain::market::{CapturePolicy, PaymentKind};
use domain::order::State as OrderState;
use engine::cart::NewLine;
use engine::change::{self, Action, Asked, Confirm};
use engine::fulfilment::{hold, visit};
use engine::{Failure, checkout, payment};
use sim::on_every_engine;

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
fn what_nobody_paid_stays_on_an_order_that_has_ended_and_holds_nobody_up() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let wrapping = ground.wrapping();
        let orders = [wrapping, ground.lamp].map(|variant| {
            let order = ground.order(1, None).order.id;
            let shown = ground.preview(order, vec![Action::Add(ground.line(variant, 1))]).unwrap();
            assert!(ground.confirm(&shown, Vec::new()).unwrap().1.paid_by.is_some());
            shop.pass(1);
            order
        });
        let which = (orders[0], ground.open_parts(orders[0])[0].id);
        shop.run(move |tx, actor, world| hold::release(tx, actor, world, which)).unwrap();
        let left = ground.ship(which.0, which.1).unwrap();
        assert_eq!(
            (left.order.state, left.sums.missing()),
            (OrderState::Completed, 250),
            "a colleague trusts him"
        );
        shop.pass(30 * 60);
        shop.run(change::money::give_up_unpaid).unwrap();
        let missing = orders.map(|order| ground.read(order).sums.missing());
        assert_eq!(missing, [250, 0], "the lamp is out again, the wrapping was had");
    });
}

#[test]
fn goods_that_nobody_hands_over_need_a_way_to_the_customer() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let lines = vec![ground.line(ground.wrapping(), 2)];
        let order = ground.order_of(lines, None, None).order.id;
        let add = || Action::Add(ground.line(ground.mug, 1));
        let refused = told(ground.preview(order, vec![add()]));
        assert_eq!(
            refused,
            "not_deliverable: actions: the order has no delivery; choose a delivery method with what is put in"
        );
        let shown = ground.preview(order, vec![add(), Action::Delivery(ground.choice(None))]).unwrap();
        assert_eq!(shown.difference.gross_minor, 500 + 399);
        ground.confirm(&shown, Vec::new()).unwrap();
        assert_eq!(ground.open_parts(order)[0].kind, Kind::Ship);
    });
}

#[test]
fn a_provider_s_yes_lets_the_goods_go_on() {
    on_every_engine(|shop| {
        let ground = Ground::with(shop, CapturePolicy::AtFulfilment);
        let whole = ground.order_paid(2, None, Some(PaymentKind::Test));
        let (order, line) = (whole.order.id, whole.lines[0].id);
        let answer = |whole: &checkout::Whole| {
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
