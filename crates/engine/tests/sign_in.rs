//! The story of customers who sign in: by a code that works once and for a while, known or new, however many ask at once; with the basket they
//! filled before.

use crate::counter;
use std::thread;

use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::cart::State;
use domain::merging::Cause;
use domain::sign_in::{CODE_SECONDS, IDLE_SECONDS, LIFE_SECONDS};
use domain::value::id::{self, Customer, Variant};
use domain::value::{Email, Id, Quantity, Reference};
use engine::cart::{self, Cart, Details, Named, NewCart, NewLine};
use engine::market::Channel;
use engine::merging::{self, Wish};
use engine::sign_in::{self, Opened, SignIn};
use engine::{Failure, erasure};
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

const ADA: &str = "Ada.Byron@example.com";

fn storefront(channel: &Channel) -> Actor {
    let permissions = Permissions::of(&[Permission::Shop, Permission::ReadCatalogue]);
    Actor { who: Who::Guest, channel: Some(channel.id), grants: vec![Grant { location: None, permissions }] }
}

pub fn web(shop: &TestShop) -> (Retailer, Channel, Id<Variant>) {
    let retailer = Retailer::open(shop, &["leeds"]);
    let channel = retailer.channel(shop, a_channel("web", retailer.market, retailer.network));
    let mug = retailer.sell(shop, "MUG", 500);
    retailer.stock(shop, mug, 0, 50);
    (retailer, channel, mug)
}

fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

pub fn asked(shop: &TestShop, channel: &Channel, to: &str) -> Result<(), Failure> {
    let to = email(to);
    shop.run_as(&storefront(channel), move |tx, actor, world| {
        sign_in::ask(tx, actor, world, (&to, None)).map(drop)
    })
}

/// The code that was mailed last.
pub fn mailed(shop: &TestShop, to: &str) -> u32 {
    let (keyring, since) = (shop.shop.keyring.clone(), shop.shop.source.now().plus_seconds(-86_400));
    let hash = keyring.lookup_hash("email", &email(to).lookup_form());
    let codes = shop.read(move |tx| Ok::<_, Failure>(store::sign_in::codes(tx, &hash, since, 1)?));
    keyring.one_time_code(&codes.expect("codes")[0].id.bytes())
}

pub fn opened(
    shop: &TestShop,
    channel: &Channel,
    (from, code): (&str, u32),
    cart: Option<Id<id::Cart>>,
) -> Option<Opened> {
    let (email, channel_of) = (email(from), Reference::Id(channel.id));
    let asked = SignIn { email, code, channel: channel_of, cart, name: Some("Ada Byron".into()) };
    shop.run_as(&storefront(channel), move |tx, actor, world| sign_in::open(tx, actor, world, &asked))
        .expect("an answer")
}

fn recognised(shop: &TestShop, token: &str) -> Result<Id<Customer>, Failure> {
    let (token, now) = (token.to_owned(), shop.shop.source.now());
    let (actor, _) = shop.read(move |tx| sign_in::recognise(tx, &token, now))?;
    let Who::Customer(customer) = actor.who else { panic!("not a customer: {actor:?}") };
    Ok(customer)
}

fn a_cart(
    shop: &TestShop,
    channel: &Channel,
    mug: Id<Variant>,
    pieces: i64,
    owner: Option<Id<Customer>>,
) -> Id<id::Cart> {
    let line = NewLine {
        variant: Named::Reference(Reference::Id(mug)),
        quantity: Quantity::new(pieces).expect("a quantity"),
        unit_price: None,
    };
    let details = Details { customer: owner.map(Reference::Id), ..Details::default() };
    let new = NewCart { channel: Reference::Id(channel.id), currency: None, lines: vec![line], details };
    shop.run(move |tx, actor, world| cart::create(tx, actor, world, new.clone())).expect("a cart").id
}

fn loaded(shop: &TestShop, cart: Id<id::Cart>) -> Cart {
    shop.read(move |tx| cart::load(tx, cart)).expect("a cart")
}

#[test]
fn a_code_works_once_for_a_while_and_not_for_guessing() {
    on_every_engine(|shop| {
        let (_, web, _) = web(shop);
        asked(shop, &web, ADA).unwrap();
        let first = mailed(shop, ADA);
        assert!(opened(shop, &web, ("other@example.com", first), None).is_none(), "another's address");
        asked(shop, &web, ADA).unwrap();
        let second = mailed(shop, ADA);
        assert!(first == second || opened(shop, &web, (ADA, first), None).is_none(), "only the newest");
        let ada = opened(shop, &web, ("ada.byron@EXAMPLE.com", second), None).expect("signed in");
        assert!(ada.is_new);
        assert_eq!(recognised(shop, &ada.token), Ok(ada.customer));
        assert!(opened(shop, &web, (ADA, second), None).is_none(), "it was used");

        asked(shop, &web, ADA).unwrap();
        let third = mailed(shop, ADA);
        for _ in 0..5 {
            assert!(opened(shop, &web, (ADA, (third + 1) % 1_000_000), None).is_none());
        }
        assert!(opened(shop, &web, (ADA, third), None).is_none(), "guessed at too often");

        asked(shop, &web, ADA).unwrap();
        let fourth = mailed(shop, ADA);
        shop.pass(CODE_SECONDS);
        assert!(opened(shop, &web, (ADA, fourth), None).is_none(), "too late");
        asked(shop, &web, ADA).unwrap();
        let too_many = asked(shop, &web, ADA).unwrap_err();
        assert_eq!(too_many.code(), Some(Code::WrongState), "five in an hour");
        let again = opened(shop, &web, (ADA, mailed(shop, ADA)), None).expect("signed in");
        assert_eq!((again.customer, again.is_new), (ada.customer, false));
        shop.pass(3600);
        asked(shop, &web, ADA).expect("an hour later");
    });
}

#[test]
fn fifty_sign_ups_at_once_make_one_customer() {
    on_every_engine(|shop| {
        let (_, web, _) = web(shop);
        thread::scope(|scope| {
            let all: Vec<_> = (0..50).map(|_| scope.spawn(|| asked(shop, &web, ADA).is_ok())).collect();
            let mailed =
                all.into_iter().map(|one| one.join().expect("an answer")).filter(|is_mailed| *is_mailed);
            assert_eq!(mailed.count(), 5, "no more than five mails");
        });
        let code = mailed(shop, ADA);
        let won = thread::scope(|scope| {
            let all: Vec<_> =
                (0..50).map(|_| scope.spawn(|| opened(shop, &web, (ADA, code), None))).collect();
            all.into_iter().filter_map(|one| one.join().expect("an answer")).count()
        });
        let customers = shop
            .run(|tx, actor, _| engine::customer::list(tx, actor, Id::from_bytes([0; 16]), 10))
            .expect("customers");
        assert_eq!((won, customers.len()), (1, 1));
    });
}

#[test]
fn a_cart_comes_along_and_no_line_is_lost() {
    on_every_engine(|shop| {
        let (_, web, mug) = web(shop);
        let sign_in = |cart| {
            asked(shop, &web, ADA).unwrap();
            opened(shop, &web, (ADA, mailed(shop, ADA)), cart).expect("signed in")
        };
        let on_the_phone = a_cart(shop, &web, mug, 2, None);
        let ada = sign_in(Some(on_the_phone));
        assert_eq!((ada.cart, loaded(shop, on_the_phone).customer), (Some(on_the_phone), Some(ada.customer)));

        let on_the_laptop = a_cart(shop, &web, mug, 3, None);
        let again = sign_in(Some(on_the_laptop));
        assert_eq!(again.cart, Some(on_the_phone), "the one she has goes on");
        assert_eq!(loaded(shop, on_the_phone).lines[0].quantity, 5, "with the lines of both");
        assert_eq!(loaded(shop, on_the_laptop).state, State::Merged);

        let bob = counter::ada(shop);
        let his = a_cart(shop, &web, mug, 1, Some(bob));
        assert_eq!(sign_in(Some(his)).cart, Some(on_the_phone), "somebody else's is left alone");
        assert_eq!((loaded(shop, his).customer, loaded(shop, his).state), (Some(bob), State::Active));
        assert_eq!(sign_in(None).cart, Some(on_the_phone));
    });
}

#[test]
fn a_session_ends_by_itself_by_signing_out_and_with_the_customer() {
    on_every_engine(|shop| {
        let (_, web, _) = web(shop);
        let sign_in = || {
            asked(shop, &web, ADA).unwrap();
            opened(shop, &web, (ADA, mailed(shop, ADA)), None).expect("signed in")
        };
        let ended = |token: &str| recognised(shop, token).unwrap_err().code() == Some(Code::SignInFailed);
        assert!(ended("not a token") && ended(&"0".repeat(64)));
        let ada = sign_in();
        let (token, herself) =
            (ada.token.clone(), Actor { who: Who::Customer(ada.customer), ..storefront(&web) });
        shop.run_as(&herself, move |tx, actor, world| sign_in::sign_out(tx, actor, world, &token)).unwrap();
        assert!(ended(&ada.token));

        let idle = sign_in();
        shop.pass(IDLE_SECONDS);
        assert!(ended(&idle.token));
        let long = sign_in();
        for _ in 0..LIFE_SECONDS / (IDLE_SECONDS / 2) {
            let (token, now) = (long.token.clone(), shop.shop.source.now());
            assert!(recognised(shop, &long.token).is_ok());
            shop.run(move |tx, _, _| sign_in::note_use(tx, &token, now)).unwrap();
            shop.pass(IDLE_SECONDS / 2);
        }
        shop.pass(IDLE_SECONDS / 2);
        assert!(ended(&long.token), "half a year is over");
        shop.run(sign_in::forget).unwrap();

        let (merged, bob) = (sign_in(), counter::ada(shop));
        let loser = merged.customer;
        let merge = shop.run(move |tx, actor, world| {
            let why = "they are one".to_owned();
            merging::merge(tx, actor, world, Wish { winner: bob, loser, cause: Cause::Staff, why })
        });
        assert_eq!(recognised(shop, &merged.token), Ok(bob), "she stays signed in as the one they are");
        let merge = merge.expect("a merge").id;
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, merge).map(drop)).unwrap();
        assert_eq!(recognised(shop, &merged.token), Ok(loser));

        let erased = sign_in();
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, erased.customer).map(drop))
            .unwrap();
        assert!(ended(&erased.token));
    });
}
