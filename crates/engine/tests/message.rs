//! The story of messages: asked for once, sent at most once, never without a yes, and not to who was erased or does not want them.

use std::thread;

use crate::agreed::{
    DAY, cell, confirm, deliver, lay, made, messages, offer, refused, said, say, sign_up, stands, states,
    token,
};
use domain::Code;
use domain::actor::Actor;
use domain::catalogue::Wording;
use domain::consent::{Basis, Medium, Source, Status};
use domain::message::{Failed, State, Suppressed};
use domain::value::{Email, Id};
use engine::consent::link::{self, Deed};
use engine::consent::purpose::{self, Purpose};
use engine::consent::{self, Evidence, subscriber};
use engine::message::send::Outcome;
use engine::message::{self, suppression};
use engine::{Failure, erasure};
use sim::{TestShop, on_every_engine};

#[test]
fn what_was_not_taken_waits_and_what_may_have_been_is_not_sent_twice() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        say(shop, ada, said(Medium::Mail, "", Status::Granted)).expect("a yes");
        offer(shop, ada, "").expect("a message");
        assert_eq!(deliver(shop, Outcome::Later).len(), 1);
        assert!(deliver(shop, Outcome::Taken).is_empty(), "it waits a minute");
        shop.pass(61);
        assert_eq!(deliver(shop, Outcome::Interrupted).len(), 1);
        let failed = &messages(shop, ada)[0];
        assert_eq!(
            (failed.state, failed.failed, failed.tries),
            (State::Failed, Some(Failed::Interrupted), 2)
        );
        shop.pass(DAY);
        assert!(deliver(shop, Outcome::Taken).is_empty());
        let id = failed.id;
        shop.run(move |tx, actor, world| message::send_again(tx, actor, world, (ada, id)))
            .expect("a person decides");
        assert_eq!(deliver(shop, Outcome::Taken).len(), 1);
        offer(shop, ada, "").expect("a message");
        assert_eq!(deliver(shop, Outcome::NoSuchAddress).len(), 1);
        offer(shop, ada, "").expect("another one");
        assert!(deliver(shop, Outcome::Taken).is_empty(), "the address came back");
        assert_eq!(messages(shop, ada)[0].failed, Some(Failed::Suppressed));
    });
}

#[test]
fn nothing_that_advertises_leaves_in_a_pause() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        say(shop, ada, said(Medium::Mail, "", Status::Granted)).expect("a yes");
        offer(shop, ada, "").expect("written before the pause");
        let until = shop.shop.source.now().plus_seconds(3 * DAY);
        shop.run(move |tx, _, _| subscriber::pause(tx, ada.shared_with(), Some(until))).expect("a pause");
        assert_eq!(offer(shop, ada, "").expect("written in the pause").due_at, until);
        assert!(deliver(shop, Outcome::Taken).is_empty());
        shop.pass(3 * DAY + 1);
        assert_eq!(deliver(shop, Outcome::Taken).len(), 2);
    });
}

#[test]
fn who_complains_has_taken_everything_back() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        say(shop, ada, said(Medium::Mail, "hats", Status::Granted)).expect("a yes");
        offer(shop, ada, "hats").expect("a message");
        let email = Email::parse("ada@example.com").expect("an address");
        shop.run(move |tx, actor, world| suppression::add(tx, actor, world, &email, Suppressed::Complained))
            .expect("noted");
        assert_eq!(states(shop, ada), [State::Withdrawn]);
        assert_eq!(stands(shop, ada, cell(Medium::Mail, "hats")), Some(Status::Withdrawn));
        sign_up(shop, "ada@example.com").expect("is taken");
        assert!(deliver(shop, Outcome::Taken).is_empty(), "and nobody is written to");
    });
}

#[test]
fn whoever_is_erased_is_not_written_to_and_leaves_no_evidence() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        say(shop, ada, said(Medium::Mail, "", Status::Granted)).expect("a yes");
        offer(shop, ada, "").expect("a message");
        shop.run(move |tx, _, world| link::make(tx, world, ada.shared_with(), Deed::Choose, None))
            .expect("a link");
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, ada).map(drop)).expect("erased");
        assert_eq!(states(shop, ada), [State::Withdrawn]);
        assert!(deliver(shop, Outcome::Taken).is_empty());
        let history = shop
            .read(move |tx| consent::history(tx, &Actor::system(), ada, (Id::from_bytes([255; 16]), 10)))
            .expect("a history");
        assert!(history.len() == 1 && history[0].evidence.is_none(), "that it was said stays");
        let again = say(shop, ada, said(Medium::Mail, "", Status::Granted));
        assert!(matches!(again, Err(Failure::Refused(refusal)) if refusal.code() == Code::WrongState));
        let email = Email::parse("ada@example.com").expect("an address");
        let listed = shop.run(move |tx, actor, world| suppression::find(tx, actor, world, &email));
        assert_eq!(listed.expect("listed").0, Suppressed::Erased);
    });
}

#[test]
fn one_click_in_a_mail_takes_back_what_it_advertised_for() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        say(shop, ada, said(Medium::Every, "", Status::Granted)).expect("a yes");
        offer(shop, ada, "shoes").expect("a message");
        let letters = deliver(shop, Outcome::Taken);
        let token = token(shop, &letters[0]);
        for _ in 0..2 {
            let token = token.clone();
            shop.run(move |tx, _, world| {
                message::unsubscribe(tx, world, &token, &Evidence::of(Source::Link))
            })
            .expect("twice is once");
        }
        assert_eq!(stands(shop, ada, cell(Medium::Mail, "hats")), Some(Status::Withdrawn));
        assert_eq!(
            stands(shop, ada, cell(Medium::Phone, "")),
            Some(Status::Granted),
            "of another medium nothing was said"
        );
    });
}

#[test]
fn an_expired_yes_is_none() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        shop.run(|tx, actor, world| {
            let wording = Wording::stored("News".into(), Vec::new());
            let (code, basis) = ("marketing".into(), Basis::Consent);
            let one = Purpose { code, wording, basis, double_opt_in: false, days: Some(30), active: true };
            purpose::set(tx, actor, world, one)
        })
        .expect("a purpose that ends");
        say(shop, ada, said(Medium::Mail, "", Status::Granted)).expect("a yes");
        shop.pass(29 * DAY);
        offer(shop, ada, "").expect("it holds");
        shop.pass(2 * DAY);
        assert_eq!(refused(offer(shop, ada, "")), Code::NoConsent);
        assert!(deliver(shop, Outcome::Taken).is_empty());
        assert_eq!(states(shop, ada), [State::Withdrawn], "looked at again when it was to leave");
    });
}

#[test]
fn an_address_that_signs_up_fifty_times_at_once_is_asked_once() {
    on_every_engine(|shop| {
        lay(shop);
        thread::scope(|scope| {
            let tries: Vec<_> = (0..50).map(|_| scope.spawn(|| sign_up(shop, "Eve@Example.com"))).collect();
            for one in tries {
                one.join().expect("a thread").expect("signed up");
            }
        });
        let letters = deliver(shop, Outcome::Taken);
        assert_eq!(letters.len(), 1);
        let now = shop.shop.source.now();
        let to = letters[0].message.subscriber;
        let standing = move |shop: &TestShop| {
            shop.read(move |tx| Ok(consent::of(tx, to, now)?.to(&cell(Medium::Mail, "")))).expect("a read")
        };
        assert_eq!(standing(shop), Some(Status::Pending));
        let token = token(shop, &letters[0]);
        confirm(shop, &token).expect("confirmed");
        confirm(shop, &token).expect("twice is once");
        assert_eq!(standing(shop), Some(Status::Granted));
        sign_up(shop, "eve@example.com").expect("signed up again");
        assert!(deliver(shop, Outcome::Taken).is_empty(), "who has confirmed is not asked again");
    });
}

#[test]
fn who_never_confirms_has_said_nothing_and_a_no_outlives_a_new_sign_up() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        say(shop, ada, said(Medium::Mail, "", Status::Denied)).expect("a no");
        sign_up(shop, "ada@example.com").expect("somebody types the address");
        let letters = deliver(shop, Outcome::Taken);
        assert_eq!(letters.len(), 1, "it is the customer who is asked");
        assert_eq!(letters[0].message.subscriber, ada.shared_with());
        assert_eq!(
            stands(shop, ada, cell(Medium::Mail, "")),
            Some(Status::Denied),
            "as long as it is not confirmed"
        );
        shop.pass(8 * DAY);
        let late = confirm(shop, &token(shop, &letters[0]));
        assert!(matches!(late, Err(Failure::Refused(refusal)) if refusal.code() == Code::NotFound));
        assert_eq!(stands(shop, ada, cell(Medium::Mail, "")), Some(Status::Denied));
        sign_up(shop, "ada@example.com").expect("again");
        let letters = deliver(shop, Outcome::Taken);
        confirm(shop, &token(shop, &letters[0])).expect("confirmed this time");
        assert_eq!(stands(shop, ada, cell(Medium::Mail, "")), Some(Status::Granted));
    });
}

#[test]
fn a_no_holds_for_everybody_with_the_same_address() {
    on_every_engine(|shop| {
        lay(shop);
        sign_up(shop, "bob@example.com").expect("signed up before being a customer");
        let letters = deliver(shop, Outcome::Taken);
        confirm(shop, &token(shop, &letters[0])).expect("confirmed");
        let bob = made(shop, "bob@example.com");
        say(shop, bob, said(Medium::Mail, "", Status::Withdrawn)).expect("told at the till");
        let (now, to) = (shop.shop.source.now(), letters[0].message.subscriber);
        let stands = shop.read(move |tx| Ok(consent::of(tx, to, now)?.to(&cell(Medium::Mail, ""))));
        assert_eq!(stands.expect("a read"), Some(Status::Withdrawn));
    });
}
