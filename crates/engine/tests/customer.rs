//! The customer file: one customer per e-mail address, found by mail and phone, changed and erased.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use domain::Code;
use domain::actor::{Actor, Who};
use domain::contact::{Card, Draft};
use engine::contact::Sought;
use engine::customer::{self, Change, Customer, NewCustomer};
use sim::shop::{TestShop, on_every_engine};

fn card(name: &str, email: &str, phone: Option<&str>) -> Card {
    Card::new(&Draft {
        name: Some(name.into()),
        email: Some(email.into()),
        phone: phone.map(str::to_owned),
        ..Draft::default()
    })
    .expect("a card")
}

fn sign_up(shop: &TestShop, new: NewCustomer) -> Result<Customer, engine::Failure> {
    shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone()))
}

fn ada() -> NewCustomer {
    NewCustomer {
        external_id: Some("CRM-1".into()),
        card: card("Ada", "Ada@example.com", Some("+442079460958")),
        groups: vec!["trade".into()],
    }
}

fn found(shop: &TestShop, sought: Sought) -> Vec<Customer> {
    shop.run(move |tx, actor, world| customer::find(tx, actor, world, &sought)).expect("the look-up works")
}

#[test]
fn a_customer_is_made_once_and_found() {
    on_every_engine(|shop| {
        let ada_made = sign_up(shop, ada()).unwrap();
        let again = sign_up(shop, NewCustomer { external_id: None, ..ada() }).unwrap_err();
        assert_eq!(
            again.to_string(),
            "already_exists: email: another customer has this e-mail address; find that customer instead"
        );
        let sibling =
            NewCustomer { card: card("Byron", "byron@example.com", Some("+442079460958")), ..ada() };
        assert_eq!(
            sign_up(shop, sibling.clone()).unwrap_err().code(),
            Some(Code::AlreadyExists),
            "external id"
        );
        let sibling =
            sign_up(shop, NewCustomer { external_id: None, groups: Vec::new(), ..sibling }).unwrap();
        assert_eq!(found(shop, Sought::Email("ada@example.com".into())).first(), Some(&ada_made));
        assert_eq!(found(shop, Sought::Phone("+442079460958".into())), [ada_made.clone(), sibling.clone()]);
        let first = domain::value::Id::from_bytes([0; 16]);
        let listed = shop.run(move |tx, actor, _| customer::list(tx, actor, first, 10)).unwrap();
        assert_eq!(listed, [ada_made, sibling]);
    });
}

#[test]
fn a_change_of_address_keeps_the_old_snapshot() {
    on_every_engine(|shop| {
        let before = sign_up(shop, ada()).unwrap();
        let id = before.id;
        let change = Change {
            card: Some(card("Ada", "new@example.com", None)),
            groups: None,
            if_match: Some(1),
            shown: None,
        };
        let update = |change: Change| {
            shop.run(move |tx, actor, world| customer::update(tx, actor, world, id, change.clone()))
        };
        let after = update(change.clone()).unwrap();
        assert_eq!((after.version, after.groups.clone()), (2, vec!["trade".to_owned()]));
        assert_eq!(update(change).unwrap_err().code(), Some(Code::Stale));
        assert!(found(shop, Sought::Email("ada@example.com".into())).is_empty());
        assert!(found(shop, Sought::Phone("+442079460958".into())).is_empty());
        assert_eq!(found(shop, Sought::Email("new@example.com".into())), [after]);
        let old = before.contact;
        let read = shop.run(move |tx, actor, world| engine::contact::read(tx, actor, world, old)).unwrap();
        assert_eq!(read.text().email.as_deref(), Some("Ada@example.com"));
    });
}

#[test]
fn a_customer_sees_only_itself() {
    on_every_engine(|shop| {
        let ada = sign_up(shop, ada()).unwrap();
        let other =
            NewCustomer { external_id: None, card: card("Eve", "eve@example.com", None), groups: Vec::new() };
        let eve = sign_up(shop, other).unwrap();
        let actor = Actor { who: Who::Customer(eve.id), channel: None, grants: Vec::new() };
        let read =
            |id| shop.run_as(&actor, move |tx, actor, world| customer::read_contact(tx, actor, world, id));
        assert!(read(eve.id).is_ok());
        assert_eq!(read(ada.id).unwrap_err().code(), Some(Code::Forbidden));
        let change =
            Change { card: None, groups: Some(vec!["staff".into()]), if_match: Some(1), shown: None };
        let promoted = shop.run_as(&actor, move |tx, actor, world| {
            customer::update(tx, actor, world, eve.id, change.clone())
        });
        assert_eq!(promoted.unwrap_err().code(), Some(Code::Forbidden), "groups decide on prices");
    });
}

#[test]
fn an_erased_customer_is_a_number_without_a_name() {
    on_every_engine(|shop| {
        let ada_made = sign_up(shop, ada()).unwrap();
        let id = ada_made.id;
        let erase = || {
            shop.run(move |tx, actor, world| {
                engine::erasure::erase_contact(tx, actor, world, ada_made.contact)
            })
        };
        erase().unwrap();
        erase().unwrap();
        let erased = shop.run(move |tx, actor, _| customer::read(tx, actor, id)).unwrap();
        assert!(erased.erased_at.is_some() && erased.groups.is_empty() && erased.external_id.is_none());
        assert!(found(shop, Sought::Email("ada@example.com".into())).is_empty());
        let read =
            shop.run(move |tx, actor, world| customer::read_contact(tx, actor, world, id)).unwrap_err();
        assert_eq!(read.code(), Some(Code::NotFound));
        assert!(sign_up(shop, ada()).is_ok(), "the address may be used by a new customer");
    });
}

#[test]
fn fifty_sign_ups_at_once_make_one_customer() {
    on_every_engine(|shop| {
        let made = Arc::new(AtomicUsize::new(0));
        std::thread::scope(|scope| {
            for _ in 0..50 {
                let made = made.clone();
                scope.spawn(move || match sign_up(shop, NewCustomer { external_id: None, ..ada() }) {
                    Ok(_) => drop(made.fetch_add(1, Ordering::SeqCst)),
                    Err(failure) => assert_eq!(failure.code(), Some(Code::AlreadyExists), "{failure}"),
                });
            }
        });
        assert_eq!(made.load(Ordering::SeqCst), 1);
        assert_eq!(found(shop, Sought::Email("ada@example.com".into())).len(), 1);
    });
}
