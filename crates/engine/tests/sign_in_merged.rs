//! The story of who gets in where two customers were one: a mail goes to the mailbox that was typed, nobody takes an address whose mail he does
//! not read, and who was one by mistake opens nothing of the other afterwards.

use std::thread;

use domain::Code;
use domain::actor::Who;
use domain::consent::{Medium, Status};
use domain::contact::{Card, Draft};
use domain::merging::Cause;
use domain::message::Suppressed;
use domain::privacy::Kind;
use domain::sign_in::sign_on::Audience;
use domain::value::id::Customer;
use domain::value::{Email, Id};
use engine::customer::{self, Change, NewCustomer};
use engine::market::Channel;
use engine::merging::{self, Merge, Wish};
use engine::message::send::Outcome;
use engine::message::suppression;
use engine::privacy::{self, Asker, NewRequest};
use engine::{Failure, contact, readdress, sign_in};
use sim::authenticator::Authenticator;
use sim::{TestShop, on_every_engine};

use crate::agreed::{cell, confirm, deliver, lay, made, sign_up, stands, token};
use crate::contact::kinds;
use crate::passkey::{HOST, PAGE, acting, invited, registered, signed, web};
use crate::sign_in::{asked, mailed, opened, recognised};
use crate::sign_on;

const ADA: &str = "ada@example.com";
const DAN: &str = "dan@example.com";
const EVE: &str = "eve@example.com";

fn card(name: &str, email: Option<&str>) -> Card {
    let draft = Draft { name: Some(name.into()), email: email.map(str::to_owned), ..Draft::default() };
    Card::new(&draft).expect("a card")
}

/// A customer of a till, of whom no address is known.
fn at_the_till(shop: &TestShop) -> Id<Customer> {
    let new = NewCustomer { external_id: None, card: card("Cyd", None), groups: Vec::new() };
    shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone())).expect("a customer").id
}

fn merged(shop: &TestShop, winner: Id<Customer>, loser: Id<Customer>) -> Merge {
    shop.pass(60);
    let merged = shop.run(move |tx, actor, world| {
        let why = "they are one".to_owned();
        merging::merge(tx, actor, world, Wish { winner, loser, cause: Cause::Staff, why })
    });
    shop.pass(60);
    merged.expect("a merge")
}

fn undone(shop: &TestShop, merge: &Merge) {
    let id = merge.id;
    shop.run(move |tx, actor, world| merging::undo(tx, actor, world, id).map(drop)).expect("undone");
}

/// The mailboxes that are written to.
fn mailboxes(shop: &TestShop) -> Vec<String> {
    let address =
        |contact, sealed| contact::unsealed(&shop.shop.keyring, contact, sealed)?.text().email.clone();
    let letters = deliver(shop, Outcome::Taken);
    letters.iter().map(|one| address(one.contact, &one.sealed).expect("an address")).collect()
}

/// Who gets in by the code that is mailed to an address.
fn let_in(shop: &TestShop, web: &Channel, address: &str) -> Id<Customer> {
    asked(shop, web, address).expect("mailed");
    assert_eq!(mailboxes(shop), [address]);
    opened(shop, web, (address, mailed(shop, address)), None).expect("signed in").customer
}

/// What a customer, or a colleague, gives a customer as contact, with the code that was mailed to its address.
fn moved(
    shop: &TestShop,
    web: &Channel,
    (who, id): (Who, Id<Customer>),
    email: &str,
    code: Option<u32>,
) -> Result<(), Failure> {
    let card = card("Ada", Some(email));
    let change = move |tx: &mut store::Tx<'_>, actor: &domain::actor::Actor, world: &mut engine::World| {
        let shown = code.map(|code| sign_in::show(tx, world, &card, code)).transpose()?;
        let if_match = Some(customer::load(tx, id)?.version);
        let change = Change { card: Some(card.clone()), groups: None, if_match, shown };
        readdress::update(tx, actor, world, id, change).map(drop)
    };
    match who {
        Who::System => shop.run(change),
        who => shop.run_as(&acting(web, who), change),
    }
}

fn refused_at(outcome: Result<(), Failure>) -> (Code, Option<String>) {
    match outcome {
        Err(Failure::Refused(refusal)) => (refusal.code(), refusal.field().map(str::to_owned)),
        other => panic!("not refused: {other:?}"),
    }
}

#[test]
fn a_mail_goes_to_the_mailbox_that_was_typed() {
    on_every_engine(|shop| {
        let (web, ada) = (web(shop), lay(shop));
        let (cyd, bea) = (at_the_till(shop), made(shop, "bea@example.com"));
        merged(shop, cyd, bea);
        assert_eq!(let_in(shop, &web, "bea@example.com"), cyd, "whoever stays has no address of his own");
        merged(shop, ada, made(shop, DAN));
        assert_eq!(let_in(shop, &web, DAN), ada);
        assert_eq!(let_in(shop, &web, ADA), ada);

        sign_up(shop, DAN).expect("signed up");
        let letters = deliver(shop, Outcome::Taken);
        let [letter] = &letters[..] else { panic!("{letters:?}") };
        let to = contact::unsealed(&shop.shop.keyring, letter.contact, &letter.sealed).expect("a card");
        assert_eq!(to.text().email.as_deref(), Some(DAN));
        confirm(shop, &token(shop, letter)).expect("confirmed");
        assert_eq!(stands(shop, ada, cell(Medium::Mail, "")), Some(Status::Granted), "she is who they are");

        let asker = Asker::Email(Email::parse(DAN).expect("an address"));
        let new = NewRequest { asker, kind: Kind::Access, country: None, note: None };
        shop.run(move |tx, actor, world| privacy::open(tx, actor, world, new.clone())).expect("noted");
        assert_eq!(mailboxes(shop), [DAN]);

        let dan = Email::parse(DAN).expect("an address");
        shop.run(move |tx, actor, world| suppression::add(tx, actor, world, &dan, Suppressed::Bounced))
            .expect("listed");
        asked(shop, &web, DAN).expect("asked for");
        assert_eq!(mailboxes(shop), Vec::<String>::new(), "it is this address that comes back");
        assert_eq!(let_in(shop, &web, ADA), ada);
    });
}

#[test]
fn an_address_stays_with_whom_it_came_though_the_other_writes_it_into_his_contact() {
    on_every_engine(|shop| {
        let (web, ada, dan) = (web(shop), made(shop, ADA), made(shop, DAN));
        let merge = merged(shop, ada, dan);
        moved(shop, &web, (Who::System, ada), DAN, None).expect("changed");
        assert_eq!(mailboxes(shop), [ADA], "it opens nothing any more");
        assert_eq!(let_in(shop, &web, DAN), ada);
        moved(shop, &web, (Who::System, ada), "ada.b@example.com", None).expect("changed again");
        assert_eq!(let_in(shop, &web, DAN), ada, "it is not forgotten with hers, and heard of nothing");
        moved(shop, &web, (Who::Customer(ada), ada), DAN, None).expect("it leads to her already");
        assert_eq!(mailboxes(shop), ["ada.b@example.com"]);
        undone(shop, &merge);
        assert_eq!(let_in(shop, &web, DAN), dan);
    });
}

#[test]
fn nobody_takes_an_address_whose_mail_he_does_not_read() {
    on_every_engine(|shop| {
        let (web, eve) = (web(shop), made(shop, EVE));
        let herself = (Who::Customer(eve), eve);
        let at_the_code = (Code::Invalid, Some("email_code".to_owned()));
        assert_eq!(refused_at(moved(shop, &web, herself, DAN, None)), at_the_code);
        assert_eq!(moved(shop, &web, herself, EVE, None), Ok(()), "her own");
        asked(shop, &web, DAN).expect("mailed");
        let code = mailed(shop, DAN);
        let wrong = (code + 1) % 1_000_000;
        assert_eq!(refused_at(moved(shop, &web, herself, DAN, Some(wrong))), at_the_code);
        assert_eq!(
            refused_at(moved(shop, &web, herself, ADA, Some(code))),
            at_the_code,
            "of another address"
        );
        assert_eq!(mailboxes(shop), [DAN], "nothing was changed");
        moved(shop, &web, herself, DAN, Some(code)).expect("she reads its mail");
        assert_eq!(mailboxes(shop), [EVE], "it opens nothing any more");
        assert_eq!(let_in(shop, &web, DAN), eve);
        assert_eq!(refused_at(moved(shop, &web, herself, ADA, Some(code))), at_the_code, "it was used");

        asked(shop, &web, ADA).expect("mailed");
        let (code, of_ada) = (mailed(shop, ADA), card("Ada", Some(ADA)));
        for _ in 0..5 {
            let of_ada = of_ada.clone();
            shop.run(move |tx, _, world| sign_in::count_wrong(tx, world, &of_ada, (code + 1) % 1_000_000))
                .expect("counted");
        }
        assert_eq!(refused_at(moved(shop, &web, herself, ADA, Some(code))), at_the_code, "guessed too often");
        moved(shop, &web, (Who::System, eve), ADA, None).expect("a colleague may");
        let taken = moved(shop, &web, (Who::System, made(shop, "cyd@example.com")), ADA, None);
        assert_eq!(refused_at(taken), (Code::AlreadyExists, Some("email".to_owned())));
    });
}

#[test]
fn who_was_one_by_mistake_opens_nothing_of_the_other() {
    on_every_engine(|shop| {
        let (web, ada, dan) = (web(shop), made(shop, ADA), made(shop, DAN));
        let acme = sign_on::made(shop, sign_on::a_provider("acme", Audience::Customers));
        let session = |address: &str| {
            asked(shop, &web, address).expect("mailed");
            opened(shop, &web, (address, mailed(shop, address)), None).expect("signed in")
        };
        let phone_of = |id: Id<Customer>| {
            let mut phone = Authenticator::at(PAGE);
            let himself = acting(&web, Who::Customer(id));
            let invitation = invited(shop, &himself, id, PAGE).expect("an invitation");
            let answer = phone.make(HOST, &invitation.challenge.bytes, &invitation.customer.bytes());
            registered(shop, &himself, id, &answer).expect("an answer").expect("registered");
            phone
        };
        let vouched = |subject: &str, email: Option<&str>| {
            sign_on::opened(shop, &web, &acme, &sign_on::claims(subject, email, email.is_some())).customer
        };
        let before = (session(ADA), session(DAN), phone_of(ada), vouched("1", Some(ADA)));
        let merge = merged(shop, ada, dan);
        let since = (session(ADA), session(DAN));
        assert_eq!((since.0.customer, since.1.customer), (ada, ada));
        let mut phone = phone_of(ada);
        assert_eq!(signed(shop, &web, &mut phone).expect("signed in").customer, ada);
        assert_eq!((vouched("2", Some(ADA)), vouched("3", Some(DAN))), (ada, ada));
        let begun = invited(shop, &acting(&web, Who::Customer(ada)), ada, PAGE).expect("an invitation");

        undone(shop, &merge);
        let ended = |token: &str| recognised(shop, token).unwrap_err().code() == Some(Code::SignInFailed);
        assert!(ended(&since.0.token) && ended(&since.1.token));
        assert_eq!(
            (recognised(shop, &before.0.token), recognised(shop, &before.1.token)),
            (Ok(ada), Ok(dan)),
            "what was opened before is whose it was"
        );
        assert!(signed(shop, &web, &mut phone).is_none(), "nobody knows whose it was");
        let late = phone.make(HOST, &begun.challenge.bytes, &ada.bytes());
        assert_eq!(registered(shop, &acting(&web, Who::Customer(ada)), ada, &late), Ok(None));
        let mut first = before.2;
        assert_eq!(signed(shop, &web, &mut first).expect("signed in").customer, ada);
        assert_eq!((vouched("1", None), vouched("3", None)), (ada, dan), "vouched for by his own address");
        assert_ne!(vouched("2", None), ada, "said to be her while both were one");
        assert!(kinds(shop, ada.to_string()).contains(&"customer.sign_ins_ended".to_owned()));
        assert_eq!((let_in_again(shop, &web, ADA), let_in_again(shop, &web, DAN)), (ada, dan));
    });
}

fn let_in_again(shop: &TestShop, web: &Channel, address: &str) -> Id<Customer> {
    shop.pass(3600);
    asked(shop, web, address).expect("mailed");
    opened(shop, web, (address, mailed(shop, address)), None).expect("signed in").customer
}

#[test]
fn who_signs_in_while_a_colleague_makes_him_is_that_one() {
    on_every_engine(|shop| {
        let web = web(shop);
        for turn in 0..8 {
            let address = format!("new{turn}@example.com");
            asked(shop, &web, &address).expect("mailed");
            let code = mailed(shop, &address);
            let new =
                NewCustomer { external_id: None, card: card("New", Some(&address)), groups: Vec::new() };
            let (made, came) = thread::scope(|scope| {
                let made = scope.spawn(|| {
                    shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone()))
                });
                let came = scope.spawn(|| opened(shop, &web, (&address, code), None));
                (made.join().expect("an answer"), came.join().expect("an answer"))
            });
            let came = came.expect("signed in");
            assert_eq!(made.is_ok(), !came.is_new, "one of them made him");
            assert!(made.is_ok_and(|made| made.id == came.customer) || came.is_new);
        }
    });
}

#[test]
fn who_signs_in_while_a_merge_is_undone_is_whom_he_showed_to_be() {
    on_every_engine(|shop| {
        let web = web(shop);
        for turn in 0..6 {
            let (ada, address) =
                (made(shop, &format!("ada{turn}@example.com")), format!("dan{turn}@example.com"));
            let dan = made(shop, &address);
            let merge = merged(shop, ada, dan);
            asked(shop, &web, &address).expect("mailed");
            let code = mailed(shop, &address);
            let came = thread::scope(|scope| {
                let undoing = scope.spawn(|| undone(shop, &merge));
                let came = scope.spawn(|| opened(shop, &web, (&address, code), None));
                undoing.join().expect("an answer");
                came.join().expect("an answer")
            });
            match recognised(shop, &came.expect("signed in").token) {
                Ok(who) => assert_eq!(who, dan, "he came after"),
                Err(failure) => assert_eq!(failure.code(), Some(Code::SignInFailed), "he came before"),
            }
        }
    });
}
