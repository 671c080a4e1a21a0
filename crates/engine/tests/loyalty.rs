//! The story of money that customers have with us: given, found by its code, held, spent once, given back, corrected.

use std::thread;

use domain::Code;
use domain::actor::{Actor, Permission};
use domain::value::id::{Customer, GiftCard as CardKind, Hold};
use domain::value::{Currency, Id, Money};
use engine::customer::NewCustomer;
use engine::loyalty::gift_card::{self, GiftCard};
use engine::loyalty::{self, store_credit};
use engine::{Failure, customer, erasure};
use sim::{TestShop, on_every_engine};

fn pounds(minor: i64) -> Money {
    Money::new(minor, Currency::parse("GBP").expect("a currency")).expect("an amount")
}

fn a_card(shop: &TestShop, minor: i64) -> GiftCard {
    shop.run(move |tx, actor, world| gift_card::issue(tx, actor, world, pounds(minor), None)).expect("a card")
}

fn on(shop: &TestShop, card: Id<CardKind>) -> (i64, i64) {
    let read = shop.read(move |tx| {
        let card = gift_card::find(tx, card)?;
        loyalty::balance(tx, &gift_card::credit(&card))
    });
    read.expect("a balance")
}

fn hold(shop: &TestShop, card: Id<CardKind>, amount: i64) -> Result<Id<Hold>, Failure> {
    shop.run(move |tx, actor, world| {
        let card = gift_card::find(tx, card)?;
        let until = world.now().plus_seconds(60);
        loyalty::hold(
            tx,
            actor,
            world,
            &gift_card::credit(&card),
            (amount, Some(until)),
            ("cart", "cart_1".into()),
        )
    })
}

fn spend(shop: &TestShop, card: Id<CardKind>, hold: Id<Hold>, amount: i64) -> Result<(), Failure> {
    shop.run(move |tx, actor, world| {
        let card = gift_card::find(tx, card)?;
        loyalty::spend(tx, actor, world, &gift_card::credit(&card), (hold, amount))
    })
}

fn a_customer(shop: &TestShop) -> Id<Customer> {
    let made = shop.run(|tx, actor, world| {
        let draft = domain::contact::Draft { name: Some("Ada".into()), ..domain::contact::Draft::default() };
        let card = domain::contact::Card::new(&draft).expect("a card");
        let new = NewCustomer { external_id: Some("CRM-1".into()), card, groups: Vec::new() };
        customer::create(tx, actor, world, new)
    });
    made.expect("a customer").id
}

#[test]
fn a_gift_card_is_issued_shown_once_and_found_by_its_code() {
    on_every_engine(|shop| {
        let card = a_card(shop, 2500);
        let show = || shop.run(move |tx, actor, world| gift_card::show_code(tx, actor, world, card.id));
        let code = show().unwrap();
        assert_eq!(&code[15..], card.last_four);
        let again = show().unwrap_err();
        assert_eq!(
            again.to_string(),
            "wrong_state: the code was shown before; block this gift card and issue another"
        );
        let find = |typed: String| {
            shop.run(move |tx, actor, world| Ok(gift_card::by_code(tx, actor, world, &typed)?.id))
        };
        assert_eq!(find(code.to_lowercase().replace('-', " ")).unwrap(), card.id);
        assert_eq!(find("AAAA-AAAA-AAAA-AAAA".into()).unwrap_err().code(), Some(Code::NotFound));
        assert_eq!(on(shop, card.id), (2500, 0));
        let nobody = Actor { grants: Vec::new(), ..Actor::system() };
        let refused = shop
            .run_as(&nobody, |tx, actor, world| gift_card::issue(tx, actor, world, pounds(1), None))
            .unwrap_err();
        assert!(refused.to_string().contains(Permission::GiveCredit.text()), "{refused}");
        let kept =
            shop.read(move |tx| Ok::<_, Failure>(store::event::of_subject(tx, &card.id.to_string(), 0, 9)?));
        assert!(kept.unwrap().iter().all(|entry| !entry.body.contains(&code)), "no event names the code");
    });
}

#[test]
fn money_is_held_then_spent_in_part_or_given_back() {
    on_every_engine(|shop| {
        let card = a_card(shop, 1000).id;
        let first = hold(shop, card, 700).unwrap();
        assert_eq!(on(shop, card), (300, 700));
        let refused = hold(shop, card, 301).unwrap_err();
        assert_eq!(refused.to_string(), "amount_exceeded: amount: GBP 3.00 can still be spent; ask for less");
        assert_eq!(spend(shop, card, first, 701).unwrap_err().code(), Some(Code::Invalid));
        spend(shop, card, first, 600).unwrap();
        assert_eq!(spend(shop, card, first, 600).unwrap_err().code(), Some(Code::HoldNotOpen));
        assert_eq!(on(shop, card), (400, 0));
        let second = hold(shop, card, 400).unwrap();
        let release = || {
            shop.run(move |tx, actor, world| {
                let card = gift_card::find(tx, card)?;
                loyalty::release(tx, actor, world, &gift_card::credit(&card), second)
            })
        };
        release().unwrap();
        assert_eq!(release().unwrap_err().code(), Some(Code::HoldNotOpen));
        hold(shop, card, 250).unwrap();
        shop.pass(61);
        for _ in 0..2 {
            assert!(!shop.run(loyalty::expire_holds).unwrap());
        }
        assert_eq!(on(shop, card), (400, 0), "what nobody paid with is free again");
        assert!(!shop.run(engine::stock::hold::expire_due).unwrap());
    });
}

#[test]
fn twenty_who_spend_the_same_money_at_once_are_one() {
    on_every_engine(|shop| {
        let card = a_card(shop, 1000).id;
        let outcomes: Vec<_> = thread::scope(|scope| {
            let one = |_| {
                scope.spawn(move || hold(shop, card, 1000).and_then(|held| spend(shop, card, held, 1000)))
            };
            let all: Vec<_> = (0..20).map(one).collect();
            all.into_iter().map(|one| one.join().expect("a thread")).collect()
        });
        let spent = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
        assert_eq!(spent, 1, "{outcomes:?}");
        let others = outcomes.iter().filter_map(|outcome| outcome.as_ref().err());
        assert!(others.clone().all(|failure| failure.code() == Some(Code::AmountExceeded)));
        assert_eq!(on(shop, card), (0, 0));
    });
}

#[test]
fn a_customer_has_one_store_credit_for_each_currency() {
    on_every_engine(|shop| {
        let ada = a_customer(shop);
        let give = |minor| {
            shop.pass(1);
            shop.run(move |tx, actor, world| store_credit::issue(tx, actor, world, ada, pounds(minor)))
        };
        let one = give(500).unwrap();
        assert_eq!(give(250).unwrap(), one, "the same credit has more on it");
        let correct = |change: i64| {
            let one = one.clone();
            shop.pass(1);
            shop.run(move |tx, actor, world| {
                loyalty::adjust(tx, actor, world, &store_credit::credit(&one), (change, "counted".into()))
            })
        };
        correct(-50).unwrap();
        assert_eq!(correct(-701).unwrap_err().code(), Some(Code::AmountExceeded));
        assert_eq!(correct(0).unwrap_err().to_string(), "invalid: change: give 1 to 1000000000 minor units");
        let (book, lines) = shop
            .read(move |tx| {
                let one = store_credit::of_customer(tx, &Actor::system(), ada)?.remove(0);
                let credit = store_credit::credit(&one);
                let end = (domain::value::Instant::from_micros(i64::MAX), Id::from_bytes([255; 16]));
                let lines = loyalty::statement(tx, &Actor::system(), &credit, end, 10)?;
                Ok::<_, Failure>((loyalty::balance(tx, &credit)?, lines))
            })
            .unwrap();
        assert_eq!(book, (700, 0));
        let told: Vec<_> =
            lines.iter().map(|line| (line.reason.as_str(), line.amount, line.balance)).collect();
        assert_eq!(told, [("adjusted", -50, 700), ("issued", 250, 750), ("issued", 500, 500)]);
        let unknown = Id::from_bytes([9; 16]);
        let refused = shop
            .run(move |tx, actor, world| store_credit::issue(tx, actor, world, unknown, pounds(1)))
            .unwrap_err();
        assert_eq!(refused.code(), Some(Code::NotFound));
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, ada).map(drop)).unwrap();
        assert_eq!(give(1).unwrap(), one, "what is owed stays owed, to an id that names nobody");
    });
}
