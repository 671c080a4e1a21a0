//! The story of who wants to be forgotten: by whatever way they came, nothing finds them afterwards, and no old file brings back what they
//! agreed to. Whoever shares something with them stays.

use std::fs;

use crate::changing::{address, tender, units};
use crate::segment::{did, web as source};
use crate::{agreed, counter, import, sign_in};
use domain::consent::{Medium, Status};
use domain::contact::{Card, Draft};
use domain::identity::{Identifier, Kind as Known};
use domain::import::{Kind as FileKind, Mode};
use domain::market::PaymentKind;
use domain::message::Suppressed;
use domain::privacy::{Kind, Proof};
use domain::value::id::{Contact, Customer, Person, Profile};
use domain::value::{Email, Id, Instant, Reference};
use engine::cart::{self, Choice, Details, Named, NewCart, NewLine};
use engine::consent::subscriber;
use engine::contact::{self, NewContact, Sought};
use engine::customer::{self, Change, NewCustomer};
use engine::message::suppression;
use engine::privacy::{self, Asker, NewRequest};
use engine::{archive, erasure, identity};
use serde_json::{Value, json};
use sim::scratch::Scratch;
use sim::{TestShop, on_every_engine};

const ADA: &str = "ada@example.com";
const PHONE: &str = "+442079460958";

fn card(email: Option<&str>, phone: Option<&str>) -> Card {
    let name = Some("Ada Lovelace".into());
    let (email, phone) = (email.map(str::to_owned), phone.map(str::to_owned));
    Card::new(&Draft { name, email, phone, ..Draft::default() }).expect("a card")
}

fn made(shop: &TestShop, external_id: &str, card: &Card) -> Id<Customer> {
    let new = NewCustomer { external_id: Some(external_id.into()), card: card.clone(), groups: Vec::new() };
    shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone())).expect("a customer").id
}

fn erase(shop: &TestShop, id: Id<Customer>) {
    shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, id)).expect("erased");
}

fn email(text: &str) -> Email {
    Email::parse(text).expect("an address")
}

/// Everybody who is found by a mail address.
fn found(shop: &TestShop, address: &str) -> Vec<Id<Contact>> {
    let sought = Sought::Email(email(address).lookup_form());
    let found = shop.run(move |tx, actor, world| {
        contact::find(tx, actor, world, &sought, (Id::<Person>::from_bytes([0; 16]), 10))
    });
    found.expect("a search").iter().map(|known| known.contact).collect()
}

fn can_read(shop: &TestShop, id: Id<Contact>) -> bool {
    shop.run(move |tx, actor, world| contact::read(tx, actor, world, id)).is_ok()
}

/// The profile of who is known by this.
fn profile(shop: &TestShop, kind: Known, value: &str) -> Option<Id<Profile>> {
    let identifier = Identifier::new(kind, None, value).expect("an identifier");
    shop.run(move |tx, actor, world| identity::find(tx, actor, world, &identifier)).ok()
}

/// The customer behind what somebody is known by.
fn customer_by(shop: &TestShop, kind: Known, value: &str) -> Option<Id<Customer>> {
    let profile = profile(shop, kind, value)?;
    shop.run(move |tx, actor, _| identity::read(tx, actor, profile)).expect("a profile").customer
}

/// The profiles of a whole person.
fn profiles(shop: &TestShop, kind: Known, value: &str) -> Vec<[u8; 16]> {
    let root = profile(shop, kind, value).expect("a profile");
    let all = shop.read(move |tx| Ok::<_, engine::Failure>(store::identity::profiles_of(tx, root, 10)?));
    all.expect("profiles").iter().map(|id| id.bytes()).collect()
}

/// Has every key to what was collected under profiles been destroyed?
fn are_sealed_for_ever(shop: &TestShop, profiles: &[[u8; 16]]) -> bool {
    let profiles = profiles.to_vec();
    let keys = shop
        .read(move |tx| Ok::<_, engine::Failure>(store::identity::persons(tx, &profiles)?))
        .expect("keys");
    keys.iter().any(|(_, person, _)| person.is_some()) && keys.iter().all(|(.., key)| key.is_none())
}

/// A customer's address is another one from now on.
fn moves(shop: &TestShop, id: Id<Customer>, to: &str) {
    let card = card(Some(to), None);
    let moved = shop.run(move |tx, actor, world| {
        let if_match = Some(customer::load(tx, id)?.version);
        customer::update(
            tx,
            actor,
            world,
            id,
            Change { card: Some(card.clone()), groups: None, if_match, shown: None },
        )
    });
    moved.expect("changed");
}

fn viewed(shop: &TestShop, message: &str, of: &[(Known, &str)]) {
    let of: Vec<(Known, String)> = of.iter().map(|(kind, value)| (*kind, (*value).to_owned())).collect();
    let source = source(shop);
    did(shop, &source, message, &of, "Product Viewed", &json!({ "email": ADA, "sku": "MUG" }));
}

fn archived(shop: &TestShop, asker: Asker) -> Value {
    let kept = shop.run(move |tx, actor, world| {
        let new = NewRequest { asker: asker.clone(), kind: Kind::Access, country: None, note: None };
        let request = privacy::open(tx, actor, world, new)?;
        privacy::verify(tx, actor, world, request.id, Proof::Document)?;
        archive::of_request(tx, actor, world, request.id)
    });
    kept.expect("an archive")
}

fn count(archive: &Value, section: &str) -> usize {
    archive[section].as_array().map_or(0, Vec::len)
}

#[test]
fn who_came_by_a_code_is_told_everything_and_forgotten_as_a_whole() {
    on_every_engine(|shop| {
        let (_, channel, _) = sign_in::web(shop);
        sign_in::asked(shop, &channel, ADA).expect("a code is mailed");
        let code = sign_in::mailed(shop, ADA);
        let ada = sign_in::opened(shop, &channel, (ADA, code), None).expect("she is in").customer;
        let contacts = found(shop, ADA);
        assert_eq!(contacts.len(), 2, "the address, and the customer");
        let kept = archived(shop, Asker::Customer(ada));
        assert_eq!((count(&kept, "contacts"), kept["there_is_more"].is_null()), (2, true));
        assert!(kept["messages"].to_string().contains("sign_in_code"), "what was mailed to the address");

        erase(shop, ada);
        assert_eq!(found(shop, ADA), []);
        assert!(contacts.iter().all(|id| !can_read(shop, *id)), "every key is destroyed");
        let address = email(ADA);
        let known = shop.run(move |tx, actor, world| subscriber::by_email(tx, actor, world, &address));
        assert!(known.expect("a search").is_empty());
        shop.must_tally();
    });
}

#[test]
fn what_was_collected_before_the_customer_was_made_is_forgotten_too() {
    on_every_engine(|shop| {
        viewed(shop, "1", &[(Known::UserId, "CRM-1"), (Known::Email, ADA), (Known::AnonymousId, "b1")]);
        let before = profiles(shop, Known::Email, ADA);
        let ada = made(shop, "CRM-1", &card(Some(ADA), None));
        assert_eq!(count(&archived(shop, Asker::Customer(ada)), "behaviour"), 1);
        let other = made(shop, "CRM-2", &card(Some("grace@example.com"), None));
        viewed(shop, "2", &[(Known::UserId, "CRM-2"), (Known::AnonymousId, "b2")]);
        // An address she had once.
        moves(shop, ada, "byron@example.com");
        viewed(shop, "3", &[(Known::Email, ADA)]);

        erase(shop, ada);
        erase(shop, ada);
        for (kind, value) in [
            (Known::UserId, "CRM-1"),
            (Known::Email, ADA),
            (Known::Email, "byron@example.com"),
            (Known::AnonymousId, "b1"),
        ] {
            assert_eq!(profile(shop, kind, value), None, "{} {value}", kind.text());
        }
        assert!(are_sealed_for_ever(shop, &before));
        assert_eq!(customer_by(shop, Known::AnonymousId, "b2"), Some(other));
        shop.must_tally();
    });
}

#[test]
fn whoever_shares_something_with_who_is_erased_stays() {
    on_every_engine(|shop| {
        let ada = made(shop, "CRM-1", &card(Some(ADA), Some(PHONE)));
        let grace = made(shop, "CRM-2", &card(Some("grace@example.com"), Some(PHONE)));
        viewed(shop, "1", &[(Known::UserId, "CRM-1"), (Known::Phone, PHONE), (Known::AnonymousId, "b1")]);
        viewed(shop, "2", &[(Known::UserId, "CRM-2"), (Known::Phone, PHONE), (Known::AnonymousId, "b2")]);
        viewed(shop, "3", &[(Known::Phone, PHONE)]);
        // An address that was hers once is another's now, who left it before.
        let left = agreed::made(shop, "shared@example.com");
        for (who, to) in [
            (left, "left@example.com"),
            (ada, "shared@example.com"),
            (ada, ADA),
            (left, "shared@example.com"),
        ] {
            moves(shop, who, to);
        }
        viewed(shop, "4", &[(Known::Email, "shared@example.com"), (Known::AnonymousId, "b4")]);
        erase(shop, ada);
        for (kind, value) in [(Known::UserId, "CRM-1"), (Known::AnonymousId, "b1"), (Known::Email, ADA)] {
            assert_eq!(profile(shop, kind, value), None, "{} {value}", kind.text());
        }
        assert_eq!(customer_by(shop, Known::AnonymousId, "b2"), Some(grace));
        assert!(profile(shop, Known::Phone, PHONE).is_some(), "the number is also hers");
        assert_eq!(customer_by(shop, Known::AnonymousId, "b4"), Some(left));
        for one in [grace, left] {
            assert!(shop.run(move |tx, actor, world| customer::read_contact(tx, actor, world, one)).is_ok());
        }
        shop.must_tally();
    });
}

#[test]
fn a_guest_is_told_and_forgotten_with_what_was_collected() {
    on_every_engine(|shop| {
        let card = card(Some(ADA), None);
        let guest = shop
            .run(move |tx, actor, world| {
                contact::save(tx, actor, world, NewContact { person: None, card: card.clone() })
            })
            .expect("a guest");
        viewed(shop, "1", &[(Known::Email, ADA), (Known::AnonymousId, "b1")]);
        let before = profiles(shop, Known::Email, ADA);
        let kept = archived(shop, Asker::Email(email(ADA)));
        assert_eq!(kept["behaviour"][0]["name"], "Product Viewed");
        assert_eq!((count(&kept, "known_by"), count(&kept, "visits")), (2, 1));
        shop.run(move |tx, actor, world| erasure::erase_contact(tx, actor, world, guest)).expect("erased");
        assert_eq!(profile(shop, Known::Email, ADA), None);
        assert_eq!((profile(shop, Known::AnonymousId, "b1"), found(shop, ADA)), (None, Vec::new()));
        assert!(are_sealed_for_ever(shop, &before) && !can_read(shop, guest));
        shop.must_tally();
    });
}

#[test]
fn no_old_file_brings_a_yes_back() {
    on_every_engine(|shop| {
        shop.run(|tx, _, _| engine::consent::purpose::lay(tx)).expect("purposes");
        let ada = made(shop, "CRM-1", &card(Some(ADA), Some(PHONE)));
        let grace = made(shop, "CRM-2", &card(Some("grace@example.com"), Some(PHONE)));
        shop.pass(60);
        // That the address bounced once does not hide that somebody was erased.
        let bounced = email(ADA);
        shop.run(move |tx, actor, world| suppression::add(tx, actor, world, &bounced, Suppressed::Bounced))
            .expect("noted");
        erase(shop, ada);
        let erased_at = shop.shop.source.now();
        shop.pass(60);
        let address = email(ADA);
        let reason = shop.run(move |tx, actor, world| suppression::find(tx, actor, world, &address));
        assert_eq!(reason.expect("listed").0, Suppressed::Bounced);

        let customers =
            import::file(FileKind::Customers, "external_id,name,email\nCRM-1,Ada Lovelace,ada@example.com\n");
        let told = "lines 2: whoever had this address was erased";
        for mode in [Mode::DryRun, Mode::RowsThatPass] {
            let run = import::take(shop, &customers, mode);
            assert_eq!(import::counts(&run), [1, 0, 0, 0], "she may buy again");
            assert!(run.notes.contains(told), "{}", run.notes);
        }
        shop.pass(60);
        let after = shop.shop.source.now();
        shop.pass(60);
        let consents = import::file(
            FileKind::Consents,
            &format!(
                "customer,email,purpose,medium,status,said_at\n\
                 CRM-1,,marketing,mail,yes,2020-01-01T00:00:00Z\n\
                 ,ada@example.com,marketing,sms,yes,{erased_at}\n\
                 CRM-2,,marketing,sms,yes,{erased_at}\n\
                 CRM-1,,marketing,phone,no,2020-01-01T00:00:00Z\n\
                 CRM-1,,marketing,post,yes,{after}\n"
            ),
        );
        let tried = import::take(shop, &consents, Mode::DryRun);
        let words = import::told(shop, &tried);
        assert_eq!((import::counts(&tried), words.len()), ([3, 0, 0, 2], 2), "{words:?}");
        assert!(
            words[0].starts_with("2 customer \"CRM-1\": the person with this address was erased at "),
            "{words:?}"
        );
        assert!(words[1].starts_with("3 email \"\": ") && words[1].contains("take the row out"), "{words:?}");
        assert_eq!(import::counts(&import::take(shop, &consents, Mode::RowsThatPass)), [3, 0, 0, 2]);
        let again = shop
            .read(|tx| Ok::<_, engine::Failure>(store::external::find::<Customer>(tx, "CRM-1")?))
            .expect("a search")
            .expect("made again");
        let stands = |who, medium| agreed::stands(shop, who, agreed::cell(medium, ""));
        assert_eq!(stands(again, Medium::Mail), None);
        assert_eq!(stands(again, Medium::Post), Some(Status::Granted), "she said so afterwards");
        assert_eq!(
            stands(grace, Medium::Sms),
            Some(Status::Granted),
            "who has the same number was not erased"
        );
        shop.must_tally();
    });
}

/// Words that name her.
const WORDS: [&str; 6] =
    ["Lovelace", "ada@example.com", "byron@example.com", "442079460958", "Kirkgate", "beware of her dog"];

/// She is collected, asks for a code, buys with a note, and is in a file; then she is erased.
fn whole_life(shop: &TestShop) {
    let (retailer, channel, mug) = sign_in::web(shop);
    retailer.parcel(shop, 399, &["web"]);
    shop.run(|tx, _, _| engine::consent::purpose::lay(tx)).expect("purposes");
    viewed(
        shop,
        "1",
        &[(Known::UserId, "CRM-1"), (Known::Email, "byron@example.com"), (Known::AnonymousId, "b1")],
    );
    sign_in::asked(shop, &channel, ADA).expect("a code is mailed");
    let code = sign_in::mailed(shop, ADA);
    let ada = sign_in::opened(shop, &channel, (ADA, code), None).expect("she is in").customer;
    let customers = import::file(
        FileKind::Customers,
        "external_id,name,email,phone\nCRM-1,Ada Lovelace,byron@example.com,+442079460958\n",
    );
    assert_eq!(import::counts(&import::take(shop, &customers, Mode::RowsThatPass)), [1, 0, 0, 0]);
    let other = shop
        .read(|tx| Ok::<_, engine::Failure>(store::external::find::<Customer>(tx, "CRM-1")?))
        .expect("a search")
        .expect("she is there twice");
    let details = Details {
        customer: Some(Reference::Id(ada)),
        contact: Some(address("1 Kirkgate", "LS1 4DY")),
        delivery: Some(Some(Choice { method: Reference::External("parcel".into()), location: None })),
        note: Some(Some("beware of her dog".into())),
        ..Details::default()
    };
    let line =
        NewLine { variant: Named::Reference(Reference::Id(mug)), quantity: units(1), unit_price: None };
    let new = NewCart { channel: Reference::Id(channel.id), currency: None, lines: vec![line], details };
    let cart =
        shop.run(move |tx, actor, world| cart::create(tx, actor, world, new.clone())).expect("a cart").id;
    counter::order_of(shop, cart, vec![tender(PaymentKind::Cash)]);
    erase(shop, ada);
    erase(shop, other);
}

fn must_name_nobody(text: &[u8], what: &str) {
    let text = String::from_utf8_lossy(text).to_lowercase();
    let named: Vec<_> = WORDS.iter().filter(|word| text.contains(&word.to_lowercase())).collect();
    assert!(named.is_empty(), "{what} names {named:?}");
    assert!(text.contains("mug"), "what is no secret is found in {what}");
}

#[test]
fn no_backup_and_no_file_names_who_was_erased() {
    on_every_engine(|shop| {
        whole_life(shop);
        let backup = shop.read(|tx| {
            let mut text = Vec::new();
            let written = store::backup::write(tx, Instant::EPOCH, &mut text, &mut |_| ());
            assert!(written.is_ok());
            Ok::<_, engine::Failure>(text)
        });
        must_name_nobody(&backup.expect("a backup"), "the backup");
        shop.must_tally();
    });
    let shop = TestShop::on_sqlite(1);
    whole_life(&shop);
    let kept = Scratch::new("kept").expect("a directory");
    let (books, link) = (shop.directory().expect("books").join("shop.db"), kept.path().join("shop.db"));
    fs::hard_link(books, &link).expect("another name of the file");
    // Closed, everything that was written ahead is in the file.
    drop(shop);
    must_name_nobody(&fs::read(link).expect("the books"), "the file");
}
