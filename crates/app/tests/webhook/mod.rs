//! Events sent to other programs, told as stories over real connections: in order, signed, again and again until they are taken, and
//! without anybody waiting for somebody else.

mod crash;
mod street;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use connect::call::Reach;
use domain::Code;
use domain::actor::Actor;
use domain::value::Instant;
use domain::webhook::{Because, Kind, Outcome, State, WAITS_SECONDS};
use engine::event::{self, Filter};
use engine::webhook::{self, EndpointChange, PINGED, message};
use sim::shop::{TestShop, on_every_engine};
use store::event::PARTITIONS;
use street::{HANGS, Heard, Receiver, Street};

/// How often something of a kind stands in the journal.
fn told(shop: &TestShop, kind: &str) -> usize {
    let filter = Filter { kind: Some(kind.into()), subject: None };
    let read = move |tx: &mut store::Tx<'_>| event::read(tx, &Actor::system(), [0; PARTITIONS], &filter, 200);
    shop.read(read).unwrap().events.len()
}

fn state(state: State) -> EndpointChange {
    EndpointChange { state: Some(state), ..EndpointChange::default() }
}

#[test]
fn every_event_that_is_wanted_arrives_once_signed_and_in_its_order() {
    on_every_engine(|shop| {
        let street = Street::open(shop, 2, Reach::Anywhere);
        let (some, all) = (Receiver::open(&street.running.runtime), Receiver::open(&street.running.runtime));
        street.happens("shelf-1", "test.counted", -1);
        let (_, secret) = street.endpoint(&some, &["test.counted", "other."]);
        let (every, _) = street.endpoint(&all, &[]);
        for number in 0..30 {
            for subject in ["shelf-1", "shelf-2", "shelf-3"] {
                street.happens(subject, "test.counted", number);
            }
            street.happens("shelf-1", "test.looked_at", number);
        }
        street.wait(0, "90 arrive", || some.heard().len() >= 90);
        // The second endpoint is told of itself too, and so is the one of the other.
        street.wait(0, "all arrive", || all.heard().len() >= 121);
        street.rest(300);
        let heard = some.heard();
        let ids: BTreeSet<&str> = heard.iter().map(|one| one.id.as_str()).collect();
        assert_eq!((heard.len(), ids.len(), all.heard().len()), (90, 90, 121), "each once, by two nodes");
        for one in &heard {
            let event = one.event();
            assert!(one.is_signed_by(&secret));
            assert_eq!((&event["id"], &event["type"]), (&one.id.clone().into(), &"test.counted".into()));
            assert_eq!((&event["specversion"], &event["source"]), (&"1.0".into(), &"/tandem".into()));
        }
        for subject in ["shelf-1", "shelf-2", "shelf-3"] {
            let of = heard.iter().filter(|one| one.event()["subject"] == subject);
            assert_eq!(of.map(Heard::number).collect::<Vec<_>>(), (0..30).collect::<Vec<_>>());
        }
        let messages = street.messages(every, false);
        assert!(messages.iter().all(|one| one.outcome == Outcome::Taken && one.attempts == 1));
        assert_eq!(
            (messages.len(), messages[0].status, messages[0].said.as_str()),
            (121, Some(200), "heard")
        );
    });
}

#[test]
fn who_is_slow_or_fails_keeps_nobody_else_waiting() {
    on_every_engine(|shop| {
        let street = Street::open(shop, 1, Reach::Anywhere);
        let open = || Receiver::open(&street.running.runtime);
        let (failing, dead, well) = (open(), open(), open());
        dead.answer(|_| HANGS);
        let failed = Arc::new(AtomicUsize::new(0));
        let count = failed.clone();
        failing.answer(move |heard| {
            if heard.number() == 2 && count.fetch_add(1, Ordering::SeqCst) < 2 { 503 } else { 204 }
        });
        let endpoints: Vec<_> =
            [&dead, &failing, &well].map(|one| street.endpoint(one, &["test."]).0).to_vec();
        for number in 0..5 {
            street.happens("shelf", "test.counted", number);
        }
        street.wait(0, "who is well has all, at once", || well.numbers() == [0, 1, 2, 3, 4]);
        street.wait(0, "the failure is noted", || street.read(endpoints[1]).failing_since.is_some());
        let standing = street.read(endpoints[1]);
        let wait = standing.again_at.unwrap().micros() - shop.shop.source.now().micros();
        assert!((5_000_000..=6_000_000).contains(&wait), "{wait}");
        street.rest(700);
        assert_eq!(failing.numbers(), [0, 1, 2], "what follows waits, and nothing is tried too early");
        street.wait(1, "who fails has all in the end", || failing.numbers() == [0, 1, 2, 2, 2, 3, 4]);
        let heard = failing.heard();
        assert!(heard[2].id == heard[3].id && heard[3].body == heard[4].body, "the same message again");
        street.wait(0, "it is noted", || street.read(endpoints[1]).failing_since.is_none());
        let messages = street.messages(endpoints[1], false);
        let tried: Vec<_> = messages.iter().filter(|one| one.attempts > 1).collect();
        let found = (tried.len(), tried[0].attempts, tried[0].outcome, tried[0].status);
        assert_eq!(found, (1, 3, Outcome::Taken, Some(204)));
        let untaken = street.messages(endpoints[0], true);
        assert_eq!((untaken.len(), untaken[0].outcome, untaken[0].status), (1, Outcome::Failing, None));
        assert_eq!(untaken[0].said, "no answer within 400 ms");
        assert!(dead.numbers().iter().all(|number| *number == 0), "the first of it waits still");
    });
}

#[test]
fn who_is_gone_or_fails_for_days_is_disabled_and_loses_nothing() {
    on_every_engine(|shop| {
        let street = Street::open(shop, 1, Reach::Anywhere);
        let receiver = Receiver::open(&street.running.runtime);
        let (id, _) = street.endpoint(&receiver, &["test."]);
        receiver.answer(|_| 410);
        street.happens("shelf", "test.counted", 0);
        street.wait(0, "it is disabled", || street.read(id).endpoint.state == State::Disabled);
        assert_eq!(street.read(id).endpoint.because, Some(Because::Gone));
        street.happens("shelf", "test.counted", 1);
        street.rest(700);
        assert_eq!((receiver.numbers(), told(shop, "webhook_endpoint.disabled")), (vec![0], 1));

        receiver.answer(|_| 500);
        street.change(id, state(State::Enabled));
        let began = shop.shop.source.now();
        street.wait(0, "it is disabled after days", || {
            let standing = street.read(id);
            let ahead = standing.again_at.map_or(0, |at| at.micros() - shop.shop.source.now().micros());
            shop.pass(if ahead > 0 { ahead / 1_000_000 + 1 } else { 0 });
            standing.endpoint.state == State::Disabled
        });
        let days = (shop.shop.source.now().micros() - began.micros()) / 86_400_000_000;
        assert_eq!(days, 3);
        assert_eq!(street.read(id).endpoint.because, Some(Because::Failing));
        assert_eq!(told(shop, "webhook_endpoint.disabled"), 2);
        let message = &street.messages(id, true)[0];
        assert_eq!(message.attempts, WAITS_SECONDS.len() as i64 + 2, "once gone, then as often as planned");

        receiver.answer(|_| 200);
        let before = receiver.heard().len();
        street.change(id, state(State::Enabled));
        street.wait(0, "what waited arrives", || receiver.heard().len() == before + 2);
        assert_eq!(receiver.numbers()[before..], [0, 1]);
        street.wait(0, "all is well", || street.messages(id, true).is_empty());
        assert_eq!(street.read(id).endpoint.because, None);
    });
}

#[test]
fn a_secret_is_changed_while_events_are_sent() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, 1, Reach::Anywhere);
    let receiver = Receiver::open(&street.running.runtime);
    let (id, first) = street.endpoint(&receiver, &["test."]);
    let rotate = |at_once: bool| {
        shop.run(move |tx, actor, world| webhook::rotate(tx, actor, world, id, at_once)).unwrap().1
    };
    let next = |number: i64| {
        let before = receiver.heard().len();
        street.happens("shelf", "test.counted", number);
        street.wait(0, "it arrives", || receiver.heard().len() > before);
        receiver.heard()[before].clone()
    };
    let second = rotate(false);
    let both = next(0);
    assert!(both.is_signed_by(&first) && both.is_signed_by(&second));
    assert_eq!(both.signature.split(' ').count(), 2);
    shop.pass(24 * 3600);
    let later = next(1);
    assert!(!later.is_signed_by(&first) && later.is_signed_by(&second));
    let third = rotate(true);
    let at_once = next(2);
    assert!(!at_once.is_signed_by(&second) && at_once.is_signed_by(&third));
    shop.must_tally();
}

#[test]
fn the_past_is_sent_again_whole_or_singly_and_what_is_not_taken_is_passed_over() {
    on_every_engine(|shop| {
        let street = Street::open(shop, 1, Reach::Anywhere);
        for number in 0..10 {
            street.happens("shelf", "test.counted", number);
            shop.pass(60);
        }
        let receiver = Receiver::open(&street.running.runtime);
        let (id, _) = street.endpoint(&receiver, &["test."]);
        let from = Instant::from_micros(shop.shop.source.now().micros() - 5 * 60_000_000);
        let replay = move |from: Instant| {
            shop.run(move |tx, actor, world| webhook::replay(tx, actor, world, id, from)).map(drop)
        };
        replay(from).unwrap();
        street.wait(0, "the last five arrive", || receiver.numbers() == [5, 6, 7, 8, 9]);
        replay(from).unwrap();
        street.wait(0, "and again", || receiver.numbers().len() == 10);
        let heard = receiver.heard();
        assert!(heard[..5].iter().zip(&heard[5..]).all(|(one, again)| one.id == again.id));
        replay(Instant::EPOCH).unwrap();
        street.wait(0, "all of the past", || receiver.numbers().len() == 20);
        let future = shop.shop.source.now().plus_seconds(1);
        assert!(replay(future).unwrap_err().to_string().contains("from: is still to come"));

        street.wait(0, "all is noted", || street.messages(id, false).len() == 10);
        let ninth = street.messages(id, false)[0].event;
        let send_again =
            || shop.run(move |tx, actor, world| message::send_again(tx, actor, world, (id, ninth))).map(drop);
        receiver.answer(|heard| if heard.number() == 9 { 500 } else { 200 });
        send_again().unwrap();
        let outcome =
            || shop.read(move |tx| message::read(tx, &Actor::system(), (id, ninth))).unwrap().outcome;
        street.wait(0, "it fails once", || outcome() == Outcome::Failed);
        street.happens("shelf", "test.counted", 10);
        street.wait(0, "nobody waits for it", || receiver.numbers().last() == Some(&10));
        receiver.answer(|heard| if heard.number() == 11 { 500 } else { 200 });
        send_again().unwrap();
        street.wait(0, "then it is taken", || outcome() == Outcome::Taken);

        street.happens("shelf", "test.counted", 11);
        street.happens("shelf", "test.counted", 12);
        street.wait(0, "it fails", || street.messages(id, true).len() == 1);
        let which = (id, street.messages(id, true)[0].event);
        let pass_over = || shop.run(move |tx, actor, world| message::pass_over(tx, actor, world, which));
        assert_eq!(pass_over().unwrap().outcome, Outcome::PassedOver);
        street.wait(0, "what follows is sent", || receiver.numbers().last() == Some(&12));
        let refused = pass_over().unwrap_err().to_string();
        assert!(refused.starts_with(Code::WrongState.text()), "{refused}");
    });
}

#[test]
fn a_try_out_reaches_its_own_endpoint_only_and_hurries_what_waits() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, 1, Reach::Anywhere);
    let (one, other) = (Receiver::open(&street.running.runtime), Receiver::open(&street.running.runtime));
    let (id, _) = street.endpoint(&one, &["test."]);
    street.endpoint(&other, &[]);
    let ping = || shop.run(move |tx, actor, world| webhook::ping(tx, actor, world, id));
    one.answer(|_| 500);
    street.happens("shelf", "test.counted", 0);
    street.wait(0, "it fails", || street.read(id).failing_since.is_some());
    one.answer(|_| 200);
    let event = ping().unwrap();
    street.wait(0, "both arrive", || one.heard().len() == 3);
    let pinged = one.heard().into_iter().find(|heard| heard.event()["type"] == PINGED).unwrap();
    // Which of the two comes first is open: the try-out waits for nobody.
    let mut numbers = one.numbers();
    numbers.sort_unstable();
    assert_eq!((pinged.id, numbers), (event.to_string(), vec![-1, 0, 0]));
    street.change(id, state(State::Disabled));
    assert!(ping().unwrap_err().to_string().contains("is disabled; enable it first"));
    street.rest(300);
    assert!(other.heard().iter().all(|heard| heard.event()["type"] != PINGED));
}

#[test]
fn other_kinds_are_sent_from_the_change_on() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, 1, Reach::Anywhere);
    let receiver = Receiver::open(&street.running.runtime);
    let (id, _) = street.endpoint(&receiver, &["test."]);
    (0..5).for_each(|number| street.happens("shelf", "other.counted", number));
    let kinds = Some(vec![Kind::parse("other.").unwrap()]);
    street.change(id, EndpointChange { kinds, ..EndpointChange::default() });
    street.happens("shelf", "other.counted", 5);
    street.happens("shelf", "test.counted", 6);
    street.happens("shelf", "other.counted", 7);
    street.wait(0, "they arrive", || receiver.numbers() == [5, 7]);
    shop.run(move |tx, actor, world| webhook::remove(tx, actor, world, id)).unwrap();
    street.happens("shelf", "other.counted", 8);
    street.rest(700);
    assert_eq!(receiver.numbers(), [5, 7], "nothing is sent to who was removed");
    shop.must_tally();
}

#[test]
fn a_name_that_leads_into_the_house_is_not_called() {
    let shop = TestShop::on_sqlite(1);
    let street = Street::open(&shop, 1, Reach::Public);
    let receiver = Receiver::open(&street.running.runtime);
    let (id, _) = street.endpoint(&receiver, &["test."]);
    street.happens("shelf", "test.counted", 0);
    street.wait(0, "it fails", || street.read(id).failing_since.is_some());
    let message = &street.messages(id, true)[0];
    assert!(message.said.contains("a private network, which the operator does not allow"), "{message:?}");
    assert!(receiver.heard().is_empty());
}
