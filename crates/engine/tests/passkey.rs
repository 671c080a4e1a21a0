//! The story of passkeys: registered by their owner, answered once and in time, from the retailer's own pages only; and what becomes of them when
//! customers are merged or erased.

use std::thread;

use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::contact::{Card, Draft};
use domain::market::origin::Origin;
use domain::merging::Cause;
use domain::sign_in::passkey::CHALLENGE_SECONDS;
use domain::value::id::Customer;
use domain::value::{Id, Reference};
use engine::customer::{self, NewCustomer};
use engine::market::{Channel, origin};
use engine::merging::{self, Wish};
use engine::sign_in::passkey::{self, Assertion, Passkey, Registration};
use engine::sign_in::{Entrance, Opened};
use engine::{Failure, erasure};
use sim::authenticator::{Answer, Authenticator};
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

use crate::counter;

pub const PAGE: &str = "https://www.shop.example";
const OTHER_PAGE: &str = "https://app.shop.example";
pub const HOST: &str = "www.shop.example";

pub fn web(shop: &TestShop) -> Channel {
    let retailer = Retailer::open(shop, &["leeds"]);
    let channel = retailer.channel(shop, a_channel("web", retailer.market, retailer.network));
    let (at, version) = (Reference::Id(channel.id), Some(channel.version));
    let origins: Vec<Origin> = [PAGE, OTHER_PAGE].iter().map(|text| Origin::parse(text).unwrap()).collect();
    shop.run(move |tx, actor, world| {
        origin::replace(tx, actor, world, (&at, version), origins.clone()).map(drop)
    })
    .expect("origins");
    channel
}

pub fn acting(channel: &Channel, who: Who) -> Actor {
    let permissions = Permissions::of(&[Permission::Shop, Permission::ReadCatalogue]);
    Actor { who, channel: Some(channel.id), grants: vec![Grant { location: None, permissions }] }
}

pub fn invited(
    shop: &TestShop,
    actor: &Actor,
    who: Id<Customer>,
    page: &str,
) -> Result<passkey::Invitation, Failure> {
    let page = Origin::parse(page).unwrap();
    shop.run_as(actor, move |tx, actor, world| passkey::invite(tx, actor, world, who, (&page, None)))
}

pub fn registered(
    shop: &TestShop,
    actor: &Actor,
    who: Id<Customer>,
    answer: &Answer,
) -> Result<Option<Passkey>, Failure> {
    let given = Registration {
        client_data: answer.client_data.clone(),
        attestation: answer.said.clone(),
        name: "Ada's phone".into(),
    };
    shop.run_as(actor, move |tx, actor, world| passkey::register(tx, actor, world, who, &given))
}

fn asked(shop: &TestShop, channel: &Channel, page: &str) -> Result<passkey::Challenge, Failure> {
    let page = Origin::parse(page).unwrap();
    shop.run_as(&acting(channel, Who::Guest), move |tx, actor, world| {
        passkey::ask(tx, actor, world, (&page, None))
    })
}

fn opened(shop: &TestShop, channel: &Channel, answer: &Answer) -> Option<Opened> {
    let given = Assertion {
        credential: answer.credential.clone(),
        client_data: answer.client_data.clone(),
        said: answer.said.clone(),
        signature: answer.signature.clone(),
        owner: Some(answer.owner.clone()),
    };
    let entrance = Entrance { channel: Reference::Id(channel.id), cart: None };
    shop.run_as(&acting(channel, Who::Guest), move |tx, actor, world| {
        passkey::open(tx, actor, world, (&given, &entrance))
    })
    .expect("an answer")
}

pub fn signed(shop: &TestShop, channel: &Channel, phone: &mut Authenticator) -> Option<Opened> {
    let challenge = asked(shop, channel, PAGE).expect("a challenge");
    let answer = phone.sign(&challenge.domain, &challenge.bytes).expect("a passkey");
    opened(shop, channel, &answer)
}

pub fn bob(shop: &TestShop) -> Id<Customer> {
    let draft = Draft { name: Some("Bob".into()), email: Some("bob@example.com".into()), ..Draft::default() };
    let new = NewCustomer { external_id: None, card: Card::new(&draft).expect("a card"), groups: Vec::new() };
    shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone())).expect("a customer").id
}

/// A customer with a phone that was registered.
fn with_phone(shop: &TestShop, channel: &Channel) -> (Id<Customer>, Authenticator, Passkey) {
    let ada = counter::ada(shop);
    let herself = acting(channel, Who::Customer(ada));
    let mut phone = Authenticator::at(PAGE);
    let invitation = invited(shop, &herself, ada, PAGE).expect("an invitation");
    assert_eq!(invitation.challenge.domain, HOST);
    let answer = phone.make(HOST, &invitation.challenge.bytes, &invitation.customer.bytes());
    let made = registered(shop, &herself, ada, &answer).expect("an answer").expect("registered");
    (ada, phone, made)
}

#[test]
fn a_passkey_opens_once_for_each_question_and_only_for_its_owner() {
    on_every_engine(|shop| {
        let web = web(shop);
        let (ada, mut phone, made) = with_phone(shop, &web);
        assert_eq!((made.name.as_str(), made.domain.as_str()), ("Ada's phone", HOST));
        let challenge = asked(shop, &web, PAGE).unwrap();
        let answer = phone.sign(HOST, &challenge.bytes).unwrap();
        let session = opened(shop, &web, &answer).expect("signed in");
        assert_eq!((session.customer, session.is_new), (ada, false));
        assert!(opened(shop, &web, &answer).is_none(), "the question was answered");

        let late = asked(shop, &web, PAGE).unwrap();
        let answer = phone.sign(HOST, &late.bytes).unwrap();
        shop.pass(CHALLENGE_SECONDS);
        assert!(opened(shop, &web, &answer).is_none(), "too late");

        let spoil = |shop: &TestShop, phone: &mut Authenticator, spoil: &dyn Fn(&mut Answer)| {
            let challenge = asked(shop, &web, PAGE).unwrap();
            let mut answer = phone.sign(HOST, &challenge.bytes).unwrap();
            spoil(&mut answer);
            opened(shop, &web, &answer)
        };
        assert!(spoil(shop, &mut phone, &|answer| answer.signature[9] ^= 1).is_none(), "another signature");
        assert!(spoil(shop, &mut phone, &|answer| answer.credential[0] ^= 1).is_none(), "another passkey");
        assert!(spoil(shop, &mut phone, &|answer| answer.owner[0] ^= 1).is_none(), "another owner");
        assert!(spoil(shop, &mut phone, &|answer| answer.said.truncate(36)).is_none(), "cut off");
        assert!(spoil(shop, &mut phone, &|answer| answer.client_data.clear()).is_none(), "nothing said");
        assert!(spoil(shop, &mut phone, &|_| ()).is_some());
        phone.verifies = false;
        assert!(signed(shop, &web, &mut phone).is_none(), "nobody looked who is there");
        phone.verifies = true;
        phone.origin = "https://evil.example".into();
        assert!(signed(shop, &web, &mut phone).is_none(), "another page");
        phone.origin = OTHER_PAGE.into();
        assert!(signed(shop, &web, &mut phone).is_none(), "not the page that asked");
    });
}

#[test]
fn one_question_is_answered_by_one_of_many() {
    on_every_engine(|shop| {
        let web = web(shop);
        let (_, mut phone, _) = with_phone(shop, &web);
        let challenge = asked(shop, &web, PAGE).unwrap();
        let answer = phone.sign(HOST, &challenge.bytes).unwrap();
        let won = thread::scope(|scope| {
            let all: Vec<_> = (0..20).map(|_| scope.spawn(|| opened(shop, &web, &answer))).collect();
            all.into_iter().filter_map(|one| one.join().expect("an answer")).count()
        });
        assert_eq!(won, 1);
    });
}

#[test]
fn a_copied_key_is_noticed_where_it_counts() {
    on_every_engine(|shop| {
        let web = web(shop);
        let (_, mut phone, _) = with_phone(shop, &web);
        assert!(signed(shop, &web, &mut phone).is_some() && signed(shop, &web, &mut phone).is_some());
        phone.set_back();
        assert!(signed(shop, &web, &mut phone).is_none(), "it signed less often than it did");

        let bob = bob(shop);
        let himself = acting(&web, Who::Customer(bob));
        let mut without = Authenticator::at(PAGE);
        without.counts = false;
        let invitation = invited(shop, &himself, bob, PAGE).unwrap();
        let answer = without.make(HOST, &invitation.challenge.bytes, &bob.bytes());
        assert!(registered(shop, &himself, bob, &answer).unwrap().is_some());
        assert!(signed(shop, &web, &mut without).is_some() && signed(shop, &web, &mut without).is_some());
    });
}

#[test]
fn a_customer_registers_only_for_himself_and_from_the_shops_pages() {
    on_every_engine(|shop| {
        let web = web(shop);
        let (ada, mut phone, first) = with_phone(shop, &web);
        let bob = bob(shop);
        let (herself, himself) = (acting(&web, Who::Customer(ada)), acting(&web, Who::Customer(bob)));
        let refused = |outcome: Result<passkey::Invitation, Failure>| outcome.unwrap_err().code();
        assert_eq!(refused(invited(shop, &himself, ada, PAGE)), Some(Code::Forbidden));
        assert_eq!(refused(invited(shop, &herself, ada, "https://evil.example")), Some(Code::Invalid));
        let again = invited(shop, &herself, ada, PAGE).unwrap();
        assert_eq!(again.known.len(), 1, "the one she has shall not be made again");
        assert!(again.label.contains('@'));

        let taken = phone.make(HOST, &again.challenge.bytes, &ada.bytes());
        assert_eq!(registered(shop, &himself, bob, &taken), Ok(None), "it was her question");
        let again = invited(shop, &himself, bob, PAGE).unwrap();
        let answer = phone.sign(HOST, &again.challenge.bytes).unwrap();
        assert_eq!(registered(shop, &himself, bob, &answer), Ok(None), "that is a sign-in");
        for _ in 0..10 {
            let _ = invited(shop, &himself, bob, PAGE);
        }
        assert_eq!(refused(invited(shop, &himself, bob, PAGE)), Some(Code::WrongState), "too many are open");

        let named = shop.run_as(&herself, move |tx, actor, world| {
            passkey::rename(tx, actor, world, (ada, first.id), " Tablet ")
        });
        assert_eq!(named.unwrap().name, "Tablet");
        let list = |actor: &Actor, who| {
            shop.run_as(actor, move |tx, actor, world| passkey::list(tx, actor, world, who))
        };
        assert_eq!(list(&herself, ada).unwrap()[0].name, "Tablet");
        assert_eq!(list(&himself, ada).unwrap_err().code(), Some(Code::Forbidden));
        let remove = |actor: &Actor| {
            shop.run_as(actor, move |tx, actor, world| passkey::remove(tx, actor, world, (ada, first.id)))
        };
        assert_eq!(remove(&himself).unwrap_err().code(), Some(Code::Forbidden));
        assert_eq!((remove(&herself), remove(&herself).unwrap_err().code()), (Ok(()), Some(Code::NotFound)));
        phone.set_back();
        let mut old = phone;
        assert!(signed(shop, &web, &mut old).is_none(), "neither key is known any more");
    });
}

#[test]
fn one_domain_holds_for_all_pages_below_it() {
    on_every_engine(|shop| {
        let web = web(shop);
        let set = |domain: Option<&str>, read: i64| {
            let domain = domain.map(str::to_owned);
            shop.run(move |tx, actor, world| {
                passkey::set_domain(tx, actor, world, (domain.clone(), Some(read)))
            })
        };
        for bad in ["https://shop.example", "shop", ".example", "shop.example:443", "192.0.2.1", ""] {
            assert_eq!(set(Some(bad), 0).unwrap_err().code(), Some(Code::Invalid), "{bad}");
        }
        assert_eq!(set(Some("Shop.Example"), 0), Ok((Some("shop.example".into()), 1)));
        assert_eq!(set(None, 0).unwrap_err().code(), Some(Code::Stale));
        for page in [PAGE, OTHER_PAGE] {
            assert_eq!(asked(shop, &web, page).unwrap().domain, "shop.example");
        }
        let app = format!("android:apk-key-hash:{}", "k".repeat(43));
        assert_eq!(asked(shop, &web, &app).unwrap_err().code(), Some(Code::Invalid), "no app of the shop's");
        let (at, apps) =
            (Reference::Id(web.id), vec![Origin::parse(&app).unwrap(), Origin::parse(PAGE).unwrap()]);
        shop.run(move |tx, actor, world| {
            origin::replace(tx, actor, world, (&at, Some(web.version + 1)), apps.clone()).map(drop)
        })
        .unwrap();
        assert_eq!(asked(shop, &web, &app).unwrap().domain, "shop.example");
        assert_eq!(set(Some("other.example"), 1).unwrap().1, 2);
        assert_eq!(asked(shop, &web, PAGE).unwrap_err().code(), Some(Code::Invalid), "not within it");
        assert_eq!(set(None, 2), Ok((None, 3)));
        assert_eq!(
            asked(shop, &web, &app).unwrap_err().code(),
            Some(Code::Invalid),
            "an app has no domain of its own"
        );
        assert_eq!(asked(shop, &web, PAGE).unwrap().domain, HOST);
    });
}

#[test]
fn who_was_merged_keeps_his_passkeys_and_who_is_erased_has_none() {
    on_every_engine(|shop| {
        let web = web(shop);
        let (ada, mut phone, made) = with_phone(shop, &web);
        let bob = bob(shop);
        let merged = shop.run(move |tx, actor, world| {
            let why = "they are one".to_owned();
            merging::merge(tx, actor, world, Wish { winner: bob, loser: ada, cause: Cause::Staff, why })
        });
        assert_eq!(signed(shop, &web, &mut phone).expect("signed in").customer, bob);
        let himself = acting(&web, Who::Customer(bob));
        let list = |who| {
            shop.run_as(&acting(&web, Who::Customer(who)), move |tx, actor, world| {
                passkey::list(tx, actor, world, who)
            })
        };
        assert_eq!(list(bob).unwrap()[0].id, made.id);
        let merge = merged.expect("a merge").id;
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, merge).map(drop)).unwrap();
        assert_eq!(signed(shop, &web, &mut phone).expect("signed in").customer, ada);
        assert!(list(bob).unwrap().is_empty());
        assert_eq!(invited(shop, &himself, bob, PAGE).unwrap().known.len(), 0);
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, ada).map(drop)).unwrap();
        assert!(signed(shop, &web, &mut phone).is_none());
        assert_eq!(list(ada), Ok(Vec::new()));
        shop.pass(CHALLENGE_SECONDS + 1);
        shop.run(engine::sign_in::forget).unwrap();
    });
}
