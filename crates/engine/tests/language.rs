//! In which language somebody is written to: as the person said, else as it was asked for, else as the retailer's first market speaks.

use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::consent::{Medium, Status};
use domain::merging::Cause;
use domain::value::id::Customer;
use domain::value::{Email, Id, Language};
use engine::detail::preference::Said;
use engine::merging::{self, Wish};
use engine::segment::Named;
use engine::sign_in;
use serde_json::json;
use sim::{Retailer, TestShop, on_every_engine};

use crate::{agreed, detail, segment};

fn language(text: &str) -> Language {
    Language::parse(text).expect("a language")
}

fn prefers(shop: &TestShop, who: Id<Customer>, text: Option<&str>) {
    shop.pass(1);
    detail::say(shop, who, Said { language: Some(text.map(language)), ..Said::default() }).expect("said");
}

/// The language of an offer that is written now.
fn offered(shop: &TestShop, who: Id<Customer>) -> String {
    agreed::offer(shop, who, "").expect("an offer").language.to_string()
}

/// The language of a code to sign in by, asked for in one.
fn coded(shop: &TestShop, who: Id<Customer>, asked: Option<&str>) -> String {
    let permissions = Permissions::of(&[Permission::Shop]);
    let guest = Actor { who: Who::Guest, channel: None, grants: vec![Grant { location: None, permissions }] };
    let (email, asked) = (Email::parse("ada@example.com").expect("an address"), asked.map(language));
    shop.pass(600);
    shop.run_as(&guest, move |tx, actor, world| sign_in::ask(tx, actor, world, (&email, asked)))
        .expect("a code");
    agreed::messages(shop, who).first().expect("a message").language.to_string()
}

#[test]
fn a_customer_is_written_to_in_the_language_that_was_said() {
    on_every_engine(|shop| {
        Retailer::open(shop, &["leeds"]);
        let ada = agreed::lay(shop);
        agreed::say(shop, ada, agreed::said(Medium::Mail, "", Status::Granted)).expect("a yes");
        assert_eq!(offered(shop, ada), "en-GB", "as the first market speaks");
        assert_eq!(coded(shop, ada, Some("de")), "de", "as it was asked for");
        prefers(shop, ada, Some("de-AT"));
        assert_eq!(offered(shop, ada), "de-AT");
        assert_eq!(coded(shop, ada, Some("en")), "de-AT", "what the person said goes before");
        prefers(shop, ada, None);
        assert_eq!(offered(shop, ada), "en-GB", "said no longer");
    });
}

#[test]
fn what_was_said_last_counts_for_all_who_are_one() {
    on_every_engine(|shop| {
        Retailer::open(shop, &["leeds"]);
        let ada = agreed::lay(shop);
        let also = agreed::made(shop, "also@example.com");
        agreed::say(shop, ada, agreed::said(Medium::Mail, "", Status::Granted)).expect("a yes");
        let german = segment::made(shop, "german", &json!({ "languages": ["de"] }));
        let austrian = segment::made(shop, "austrian", &json!({ "languages": ["de-AT"] }));
        prefers(shop, ada, Some("en"));
        prefers(shop, also, Some("de-AT"));
        let within =
            |who: Id<Customer>| [german, austrian].map(|of| segment::is_in(shop, of, Named::Customer(who)));
        assert_eq!((within(ada), within(also)), ([false, false], [true, true]));
        let wish = Wish { winner: ada, loser: also, cause: Cause::Staff, why: "the same".into() };
        let merged = shop
            .run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone()))
            .expect("merged")
            .id;
        assert_eq!((offered(shop, ada), within(ada)), ("de-AT".into(), [true, true]));
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, merged)).expect("undone");
        assert_eq!((offered(shop, ada), within(ada)), ("en".into(), [false, false]));
    });
}
