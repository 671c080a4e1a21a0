//! The database itself keeps messages to their consents, and what was planted into the books is found.

use domain::catalogue::Wording;
use domain::consent::{Basis, Cell, Medium, Source, Status};
use domain::contact::{Card, Draft};
use domain::message::Template;
use domain::value::Id;
use domain::value::id::{Customer, Message as MessageKind};
use engine::consent::purpose::{self, Purpose};
use engine::consent::{self, Evidence, Said};
use engine::customer::NewCustomer;
use engine::message::{self, Message, NewMessage};
use engine::{Failure, check, customer};
use serde_json::json;
use sim::{TestShop, on_every_engine};

/// Ada has agreed, and a message waits for her.
fn waiting(shop: &TestShop) -> (Id<Customer>, Message) {
    let draft = Draft { email: Some("ada@example.com".into()), ..Draft::default() };
    let card = Card::new(&draft).expect("a card");
    let cell = Cell { purpose: "news".into(), medium: Medium::Mail, topic: String::new() };
    shop.run(move |tx, actor, world| {
        let (code, wording) = ("news".to_owned(), Wording::stored("News".into(), Vec::new()));
        let basis = Basis::Consent;
        purpose::set(
            tx,
            actor,
            world,
            Purpose { code, wording, basis, double_opt_in: false, days: None, active: true },
        )?;
        let new = NewCustomer { external_id: None, card: card.clone(), groups: Vec::new() };
        let ada = customer::create(tx, actor, world, new)?.id;
        let said = Said { cell: cell.clone(), status: Status::Granted };
        consent::say(tx, actor, world, ada, &[said], &Evidence::of(Source::Told))?;
        let new = NewMessage {
            to: ada.shared_with(),
            contact: None,
            template: Template::Product,
            parameters: json!({}),
            cell: Some(cell.clone()),
            link: None,
            due_at: None,
            language: None,
        };
        Ok((ada, message::to_customer(tx, actor, world, ada, new)?))
    })
    .expect("a message")
}

/// A statement about the subscriber, against all rules.
fn forced(shop: &TestShop, one: &Message, sql: &'static str) -> Result<u64, Failure> {
    let subscriber = one.subscriber;
    shop.run(move |tx, _, _| Ok(tx.execute(sql, store::params![subscriber])?))
}

#[test]
fn the_database_refuses_a_message_without_its_yes() {
    on_every_engine(|shop| {
        let (_, waits) = waiting(shop);
        let forced = forced(shop, &waits, "update consent_now set status = 4 where subscriber_id = $1");
        assert!(matches!(forced, Err(Failure::Store(_))), "{forced:?}");
        let forged = shop.run(move |tx, _, world| {
            let sql = "insert into message (subscriber_id, message_id, medium, kind, purpose, consent_id, template, parameters, language, state, due_at,
                 tries, made_at, changed_at) values ($1, $2, 2, 2, 'news', $3, 2, '{}', 'en', 1, 0, 0, 0, 0)";
            let (id, consent) = (world.id::<MessageKind>(), waits.consent);
            Ok(tx.execute(sql, store::params![waits.subscriber, id, consent])?)
        });
        assert!(matches!(forged, Err(Failure::Store(_))), "{forged:?}");
    });
}

#[test]
fn planted_differences_are_found() {
    on_every_engine(|shop| {
        let (ada, waits) = waiting(shop);
        let plant = |sql: &'static str| assert_eq!(forced(shop, &waits, sql).expect("planted"), 1);
        let found = |check: &str| {
            let report = shop.read(|tx| check::check(tx, [7; 32], &mut |_, _| {})).expect("a report");
            report.differences.iter().filter(|one| one.check == check).count()
        };
        plant("update message set state = 3, grant_id = null, grant_status = null where subscriber_id = $1");
        plant("update consent_now set status = 4 where subscriber_id = $1");
        assert_eq!(found("consents"), 1, "what holds is not what was said");
        plant("update consent_now set status = 1 where subscriber_id = $1");
        plant("update consent set status = 3 where subscriber_id = $1");
        assert_eq!((found("consents"), found("messages")), (1, 1), "nobody agreed to what was sent");
        plant("update consent set status = 1 where subscriber_id = $1");
        let held = shop.read(move |tx| Ok(store::consent::now(tx, ada.shared_with())?.len()));
        assert_eq!(held.expect("a read"), 1);
    });
}
