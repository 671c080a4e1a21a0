//! Ground for stories about consents and messages: Ada, what she says, and what is handed over to who carries mail.

use domain::Code;
use domain::actor::Actor;
use domain::catalogue::Wording;
use domain::consent::{Basis, Cell, Medium, Source, Status};
use domain::contact::{Card, Draft};
use domain::message::{State, Template};
use domain::value::id::{Customer, Message as MessageKind};
use domain::value::{Email, Id};
use engine::consent::purpose::{self, Purpose, Topic};
use engine::consent::{self, Evidence, Said, link};
use engine::customer::NewCustomer;
use engine::job::{self, Registry};
use engine::message::send::{self, Letter, Outcome};
use engine::message::sign_up::{self, SignUp};
use engine::message::{self, Message, NewMessage};
use engine::{Failure, customer};
use serde_json::json;
use sim::TestShop;

pub const DAY: i64 = 86_400;

pub fn cell(medium: Medium, topic: &str) -> Cell {
    Cell { purpose: "marketing".into(), medium, topic: topic.into() }
}

pub fn said(medium: Medium, topic: &str, status: Status) -> Said {
    Said { cell: cell(medium, topic), status }
}

pub fn told() -> Evidence {
    Evidence {
        address: Some("203.0.113.7".into()),
        agent: Some("Firefox".into()),
        ..Evidence::of(Source::Told)
    }
}

/// The first purposes, two topics, and Ada.
pub fn lay(shop: &TestShop) -> Id<Customer> {
    shop.run(|tx, actor, world| {
        purpose::lay(tx)?;
        for code in ["shoes", "hats"] {
            let wording = Wording::stored(code.into(), Vec::new());
            purpose::set_topic(tx, actor, world, Topic { code: code.into(), wording, active: true })?;
        }
        Ok(())
    })
    .expect("the ground is laid");
    made(shop, "ada@example.com")
}

pub fn made(shop: &TestShop, email: &str) -> Id<Customer> {
    let draft = Draft { name: Some("Ada".into()), email: Some(email.into()), ..Draft::default() };
    let card = Card::new(&draft).expect("a card");
    shop.run(move |tx, actor, world| {
        let new = NewCustomer { external_id: None, card: card.clone(), groups: Vec::new() };
        Ok(customer::create(tx, actor, world, new)?.id)
    })
    .expect("a customer")
}

/// A purpose on which nobody is asked first, and its mails.
pub fn of_service(shop: &TestShop) -> Cell {
    let service = Purpose {
        code: "service".into(),
        wording: Wording::stored("How to care for it".into(), Vec::new()),
        basis: Basis::LegitimateInterest,
        double_opt_in: false,
        days: None,
        active: true,
    };
    let code = service.code.clone();
    shop.run(move |tx, actor, world| purpose::set(tx, actor, world, service.clone())).expect("a purpose");
    Cell { purpose: code, medium: Medium::Mail, topic: String::new() }
}

pub fn say(shop: &TestShop, id: Id<Customer>, what: Said) -> Result<(), Failure> {
    shop.run(move |tx, actor, world| {
        consent::say(tx, actor, world, id, std::slice::from_ref(&what), &told()).map(drop)
    })
}

/// How a customer stands to a cell.
pub fn stands(shop: &TestShop, id: Id<Customer>, cell: Cell) -> Option<Status> {
    let now = shop.shop.source.now();
    shop.read(move |tx| Ok(consent::of(tx, id.shared_with(), now)?.to(&cell))).expect("a read")
}

pub fn offer(shop: &TestShop, id: Id<Customer>, topic: &str) -> Result<Message, Failure> {
    let cell = cell(Medium::Mail, topic);
    shop.pass(1);
    shop.run(move |tx, actor, world| {
        let new = NewMessage {
            to: id.shared_with(),
            contact: None,
            template: Template::Product,
            parameters: json!({}),
            cell: Some(cell.clone()),
            link: None,
            due_at: None,
            language: None,
        };
        message::to_customer(tx, actor, world, id, new)
    })
}

pub fn messages(shop: &TestShop, id: Id<Customer>) -> Vec<Message> {
    let before = Id::<MessageKind>::from_bytes([255; 16]);
    shop.read(move |tx| message::list(tx, &Actor::system(), id, (before, 100))).expect("a list")
}

pub fn states(shop: &TestShop, id: Id<Customer>) -> Vec<State> {
    messages(shop, id).iter().map(|one| one.state).collect()
}

/// Does what is done inside, then hands over what has left: what was handed over, each answered so.
pub fn deliver(shop: &TestShop, outcome: Outcome) -> Vec<Letter> {
    let registry = Registry::default().on(message::SEND, send::leave);
    while job::turn(&shop.shop, &registry).expect("a turn") > 0 {}
    let jobs = job::due(&shop.shop, &[send::MAIL.to_owned()], 64).expect("jobs");
    let mut letters = Vec::new();
    for one in jobs {
        let asked = one.clone();
        let letter = shop.read(move |tx| send::letter(tx, &asked)).expect("a read");
        let told = letter.clone();
        shop.run(move |tx, actor, world| {
            assert!(job::take(tx, &one)?);
            told.as_ref().map_or(Ok(()), |letter| send::record(tx, actor, world, letter, outcome))
        })
        .expect("noted");
        letters.extend(letter);
    }
    letters
}

pub fn refused(outcome: Result<Message, Failure>) -> Code {
    match outcome {
        Err(Failure::Refused(refusal)) => refusal.code(),
        other => panic!("not refused: {other:?}"),
    }
}

pub fn sign_up(shop: &TestShop, email: &str) -> Result<(), Failure> {
    let email = Email::parse(email).expect("an address");
    shop.run(move |tx, actor, world| {
        let new = SignUp { email: email.clone(), cells: vec![cell(Medium::Mail, "")], language: None };
        sign_up::sign_up(tx, actor, world, &new, &Evidence::of(Source::Form)).map(drop)
    })
}

/// The token of the link in a letter.
pub fn token(shop: &TestShop, letter: &Letter) -> String {
    link::token(&shop.shop.keyring, letter.message.link.expect("a link"))
}

pub fn confirm(shop: &TestShop, token: &str) -> Result<(), Failure> {
    let token = token.to_owned();
    shop.run(move |tx, _, world| link::confirm(tx, world, &token, &Evidence::of(Source::Link)))
}
