//! Personal data: kept sealed, shown with an audit line, gone for good when the key is destroyed.

use std::path::Path;
use std::sync::Arc;

use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::contact::{Card, Draft};
use domain::value::Id;
use domain::value::id::Person;
use engine::contact::{self, NewContact, Sought};
use engine::{Failure, Keyring, World};
use sim::scratch::Scratch;
use sim::shop::{OPENING, TestShop, on_every_engine};
use store::{Db, Settings};

fn ada() -> Card {
    Card::new(&Draft {
        name: Some("Ada Lovelace-Quince".into()),
        company: Some("Analytical Engines".into()),
        street: vec!["17 Zebrafinch Lane".into()],
        city: Some("Leeds".into()),
        postal_code: Some("LS1 4DY".into()),
        country: Some("GB".into()),
        email: Some("ada.quince@example.com".into()),
        phone: Some("+44 20 7946 0958".into()),
        note: Some("ring twice at the purple door".into()),
        ..Draft::default()
    })
    .expect("a card")
}

fn at(permissions: &[Permission]) -> Actor {
    let grant = Grant { location: None, permissions: Permissions::of(permissions) };
    Actor { who: Who::Key(Id::from_bytes([9; 16])), channel: None, grants: vec![grant] }
}

/// The kinds of events so far, oldest first per subject.
pub fn kinds(shop: &TestShop, subject: String) -> Vec<String> {
    shop.read(move |tx| Ok(store::event::of_subject(tx, &subject, 0, 100)?))
        .expect("the journal can be read")
        .into_iter()
        .map(|event| event.kind)
        .collect()
}

#[test]
fn a_contact_is_kept_read_and_found() {
    on_every_engine(|shop| {
        let id = shop
            .run(|tx, actor, world| contact::save(tx, actor, world, NewContact { person: None, card: ada() }))
            .unwrap();
        let read = shop.run(move |tx, actor, world| contact::read(tx, actor, world, id)).unwrap();
        assert_eq!(read, ada());
        assert_eq!(kinds(shop, id.to_string()), ["contact.saved", "contact.read"]);

        let cashier = at(&[Permission::Shop, Permission::EditCustomers]);
        let refused =
            shop.run_as(&cashier, move |tx, actor, world| contact::read(tx, actor, world, id)).unwrap_err();
        assert_eq!(refused.code(), Some(Code::Forbidden));

        for sought in [Sought::Email("ada.quince@example.com".into()), Sought::Phone("+442079460958".into())]
        {
            let page = (Id::from_bytes([0; 16]), 10);
            let found =
                shop.run(move |tx, actor, world| contact::find(tx, actor, world, &sought, page)).unwrap();
            assert_eq!(found.iter().map(|known| known.contact).collect::<Vec<_>>(), [id]);
        }
    });
}

#[test]
fn an_erased_person_cannot_be_read_or_found_any_more() {
    on_every_engine(|shop| {
        let save = |person: Option<Id<Person>>| {
            shop.run(move |tx, actor, world| {
                contact::save(tx, actor, world, NewContact { person, card: ada() })
            })
        };
        let first = save(None).unwrap();
        let person = shop.read(move |tx| contact::person_of(tx, first)).unwrap();
        let second = save(Some(person)).unwrap();
        let stranger = save(None).unwrap();
        for _ in 0..2 {
            shop.run(move |tx, actor, world| contact::erase(tx, actor, world, person)).unwrap();
        }
        assert_eq!(kinds(shop, person.to_string()), ["person.erased"]);
        for id in [first, second] {
            let refused = shop.run(move |tx, actor, world| contact::read(tx, actor, world, id)).unwrap_err();
            assert_eq!(refused.to_string(), format!("not_found: no contact \"{id}\""));
        }
        assert_eq!(save(Some(person)).unwrap_err().code(), Some(Code::WrongState));
        let found = shop.run(|tx, actor, world| {
            let sought = Sought::Email("ada.quince@example.com".into());
            contact::find(tx, actor, world, &sought, (Id::from_bytes([0; 16]), 10))
        });
        assert_eq!(found.unwrap().len(), 1, "only the stranger who gave the same address is found");
        assert_eq!(
            shop.run(move |tx, actor, world| contact::read(tx, actor, world, stranger)).unwrap(),
            ada()
        );
    });
}

/// Everything in the directory of the books.
fn bytes_in(directory: &Path) -> Vec<u8> {
    let files = std::fs::read_dir(directory).expect("a directory");
    files.flat_map(|file| std::fs::read(file.expect("a file").path()).expect("its bytes")).collect()
}

fn holds(haystack: &[u8], needle: &[u8]) -> bool {
    haystack.windows(needle.len()).any(|window| window.eq_ignore_ascii_case(needle))
}

#[test]
fn the_file_names_nobody_and_forgets_the_key() {
    let scratch = Scratch::new("contacts").unwrap();
    let address = scratch.path().join("shop.db").display().to_string();
    let open = || Db::open(&Settings::new(address.clone())).unwrap();
    let world = || World::new((OPENING, 0), [7; 32], Arc::new(Keyring::new([42; 32])));
    let names = ["Quince", "Zebrafinch", "7946", "LS1 4DY", "ada.quince", "purple door", "Analytical"];
    let names_nobody = |bytes: &[u8]| names.iter().all(|name| !holds(bytes, name.as_bytes()));

    let books = open();
    let (id, row) = books
        .write(move |tx| {
            let (actor, mut world) = (Actor::system(), world());
            let id = contact::save(tx, &actor, &mut world, NewContact { person: None, card: ada() })?;
            contact::read(tx, &actor, &mut world, id)?;
            Ok::<_, Failure>((id, store::contact::find(tx, id)?.unwrap()))
        })
        .unwrap();
    let wrapped = row.wrapped_key.unwrap();
    assert!(names_nobody(&bytes_in(scratch.path())), "with the write-ahead log");
    drop(books);
    let before = bytes_in(scratch.path());
    assert!(names_nobody(&before));
    assert!(holds(&before, &row.sealed) && holds(&before, &wrapped), "the search finds what is there");

    let books = open();
    books.write(move |tx| contact::erase(tx, &Actor::system(), &mut world(), row.person)).unwrap();
    drop(books);
    let after = bytes_in(scratch.path());
    assert!(names_nobody(&after));
    assert!(!holds(&after, &wrapped), "the wrapped key of {id} is overwritten, not only unlinked");
}
