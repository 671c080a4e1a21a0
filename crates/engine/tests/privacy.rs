//! The story of requests about data: noted with their time, answered only to who has shown to be the person; holds, retention, and who read
//! what.

use domain::Code;
use domain::actor::role::built_in;
use domain::actor::{Actor, Grant, Permission};
use domain::consent::{Cell, Medium, Source, Status};
use domain::contact::{Card, Draft};
use domain::identity::Part;
use domain::privacy::{Class, Kind, Proof, State};
use domain::value::id::{Customer, Event, PrivacyRequest as RequestKind};
use domain::value::{Country, Email, Id};
use engine::consent::{Evidence, Said, link, purpose};
use engine::contact::Sought;
use engine::customer::NewCustomer;
use engine::job::{self, Registry};
use engine::message::send::{self, Letter, Outcome};
use engine::message::sign_up::{self, SignUp};
use engine::privacy::retention::{self, Rule};
use engine::privacy::{self, Asker, Closing, NewRequest, Request, hold, reading};
use engine::{Failure, archive, customer, erasure, message};
use sim::{TestShop, on_every_engine};

use crate::company::herself;
use crate::counter::only;

const DAY: i64 = 86_400;

pub fn lay(shop: &TestShop) -> Id<Customer> {
    let draft = Draft {
        name: Some("Ada Lovelace".into()),
        email: Some("ada@example.com".into()),
        phone: Some("+442079460958".into()),
        ..Draft::default()
    };
    let card = Card::new(&draft).expect("a card");
    shop.run(move |tx, actor, world| {
        purpose::lay(tx)?;
        let new =
            NewCustomer { external_id: Some("ADA".into()), card: card.clone(), groups: vec!["trade".into()] };
        Ok(customer::create(tx, actor, world, new)?.id)
    })
    .expect("a customer")
}

pub fn ask(shop: &TestShop, ada: Id<Customer>, kind: Kind) -> Request {
    let country = Country::parse("DE").ok();
    shop.run(move |tx, actor, world| {
        let note = Some("asked by letter".into());
        privacy::open(tx, actor, world, NewRequest { asker: Asker::Customer(ada), kind, country, note })
    })
    .expect("noted")
}

fn finish(shop: &TestShop, one: &Request) -> Result<Request, Failure> {
    let id = one.id;
    shop.run(move |tx, actor, world| privacy::finish(tx, actor, world, id))
}

pub fn verify(shop: &TestShop, one: &Request) {
    let id = one.id;
    shop.run(move |tx, actor, world| privacy::verify(tx, actor, world, id, Proof::Document))
        .expect("verified");
}

fn code<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Code {
    match outcome {
        Err(Failure::Refused(refusal)) => refusal.code(),
        other => panic!("not refused: {other:?}"),
    }
}

/// The token of the link in the one letter that leaves now.
fn linked(shop: &TestShop) -> String {
    let letter = letter(shop);
    link::token(&shop.shop.keyring, letter.message.link.expect("a link"))
}

/// The one letter that leaves now.
fn letter(shop: &TestShop) -> Letter {
    let registry = Registry::default().on(message::SEND, send::leave);
    while job::turn(&shop.shop, &registry).expect("a turn") > 0 {}
    let due = job::due(&shop.shop, &[send::MAIL.to_owned()], 64).expect("jobs");
    assert_eq!(due.len(), 1, "one letter");
    let one = due[0].clone();
    let asked = one.clone();
    let letter = shop.read(move |tx| send::letter(tx, &asked)).expect("a read").expect("a letter");
    let told = letter.clone();
    shop.run(move |tx, actor, world| {
        assert!(job::take(tx, &one)?);
        send::record(tx, actor, world, &told, Outcome::Taken)
    })
    .expect("noted");
    letter
}

#[test]
fn an_archive_is_only_for_who_has_shown_to_be_the_person() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        let request = ask(shop, ada, Kind::Access);
        assert_eq!(
            (request.state, request.due_at),
            (State::Received, request.made_at.plus_seconds(28 * DAY))
        );
        let id = request.id;
        let archive =
            |shop: &TestShop| shop.run(move |tx, actor, world| archive::of_request(tx, actor, world, id));
        assert_eq!((code(archive(shop)), code(finish(shop, &request))), (Code::WrongState, Code::WrongState));
        let token = linked(shop);
        for _ in 0..2 {
            let token = token.clone();
            shop.run(move |tx, _, world| privacy::verify_by_link(tx, world, &token)).expect("twice is once");
        }
        let kept = archive(shop).expect("an archive");
        assert_eq!(kept["contacts"][0]["name"], "Ada Lovelace");
        assert_eq!(
            (&kept["customer"]["groups"][0], &kept["requests"][0]["state"]),
            (&"trade".into(), &"verified".into())
        );
        let done = finish(shop, &request).expect("done");
        assert_eq!(done.state, State::Done);
        let page = (Id::<Event>::from_bytes([255; 16]), 10);
        let readings = shop.read(move |tx| reading::list(tx, &Actor::system(), ada, page)).expect("readings");
        assert!(!readings.is_empty() && readings.iter().all(|one| one.actor == "system"));
        let parts: Vec<Part> = readings.iter().map(|one| one.part).collect();
        assert!(
            [Part::Archive, Part::Contact, Part::Notes].iter().all(|one| parts.contains(one)),
            "{parts:?}"
        );
    });
}

#[test]
fn a_cashier_serves_customers_and_forgets_none() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        let role = built_in().into_iter().find(|role| role.code == "cashier").expect("a cashier");
        let grants = vec![Grant { location: None, permissions: role.permissions }];
        let cashier = Actor { grants, ..only(&[]) };
        let found = shop.run_as(&cashier, move |tx, actor, world| {
            let email = Email::parse("ada@example.com").expect("an address").lookup_form();
            let found = customer::find(tx, actor, world, &Sought::Email(email))?;
            let card = customer::read_contact(tx, actor, world, found[0].id)?;
            let no = Said {
                cell: Cell { purpose: "marketing".into(), medium: Medium::Every, topic: String::new() },
                status: Status::Withdrawn,
            };
            sign_up::say(tx, actor, world, ada, &[no], &Evidence::of(Source::Told))?;
            let card_of_bob = Card::new(&Draft { name: Some("Bob".into()), ..Draft::default() })?;
            let new = NewCustomer { external_id: None, card: card_of_bob, groups: Vec::new() };
            customer::create(tx, actor, world, new)?;
            Ok(card.text().name.clone())
        });
        assert_eq!(found.expect("served").as_deref(), Some("Ada Lovelace"));
        let by_contact = shop.read(move |tx| customer::load(tx, ada)).expect("a customer").contact;
        let erased = [
            shop.run_as(&cashier, move |tx, actor, world| erasure::erase(tx, actor, world, ada).map(drop)),
            shop.run_as(&cashier, move |tx, actor, world| {
                erasure::erase_contact(tx, actor, world, by_contact)
            }),
        ];
        for outcome in erased {
            assert_eq!(code(outcome), Code::Forbidden);
        }
        let officer = only(&[Permission::AnswerPrivacy]);
        shop.run_as(&officer, move |tx, actor, world| erasure::erase(tx, actor, world, ada)).expect("erased");
    });
}

#[test]
fn what_colleagues_note_is_for_colleagues() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        let herself = herself(ada);
        let note = |shop: &TestShop, actor: &Actor, id| {
            let read = shop.run_as(actor, move |tx, actor, world| {
                let request = privacy::read(tx, actor, id)?;
                privacy::note_for(tx, actor, world, &request)
            });
            read.expect("a read")
        };
        let theirs = ask(shop, ada, Kind::Access);
        verify(shop, &theirs);
        let theirs = theirs.id;
        assert_eq!(note(shop, &herself, theirs), None);
        assert_eq!(note(shop, &Actor::system(), theirs).as_deref(), Some("asked by letter"));
        let asks = move |kind| NewRequest {
            asker: Asker::Customer(ada),
            kind,
            country: None,
            note: Some("my name is King".into()),
        };
        let own = shop
            .run_as(&herself, move |tx, actor, world| privacy::open(tx, actor, world, asks(Kind::Correction)))
            .expect("hers to ask")
            .id;
        assert_eq!(note(shop, &herself, own).as_deref(), Some("my name is King"), "her own words");
        let note_of_hers = || Some("it is not".to_owned());
        let reason = Some("send us your passport's page with that name".into());
        close(shop, own, Closing { state: State::Refused, note: note_of_hers(), reason }).expect("refused");
        assert_eq!(note(shop, &herself, own), None);
        assert_eq!(note(shop, &Actor::system(), own), note_of_hers());
    });
}

fn close(shop: &TestShop, id: Id<RequestKind>, closing: Closing) -> Result<Request, Failure> {
    shop.run(move |tx, actor, world| privacy::close(tx, actor, world, id, closing.clone()))
}

/// The field that is refused.
fn at<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> String {
    match outcome {
        Err(Failure::Refused(refusal)) => refusal.field().unwrap_or_default().to_owned(),
        other => panic!("not refused: {other:?}"),
    }
}

/// What the one letter that leaves now says, its paragraphs in one.
fn read_letter(shop: &TestShop) -> String {
    letter(shop).in_full(&shop.shop.keyring).paragraphs.join(" ")
}

#[test]
fn who_is_refused_or_must_wait_is_told_why() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        let request = ask(shop, ada, Kind::Access);
        linked(shop);
        let id = request.id;
        let why = "your letters are in three archives";
        let extended =
            shop.run(move |tx, actor, world| privacy::extend(tx, actor, world, (id, why))).expect("extended");
        let letter = read_letter(shop);
        let day = extended.due_at.to_string().chars().take(10).collect::<String>();
        assert!(letter.contains(why) && letter.contains(&day) && letter.contains("authority"), "{letter}");

        let closing =
            |state, reason: Option<&str>| Closing { state, note: None, reason: reason.map(str::to_owned) };
        assert_eq!(at(close(shop, id, closing(State::Refused, None))), "reason");
        assert_eq!(at(close(shop, id, closing(State::TakenBack, Some("no")))), "reason");
        close(shop, id, closing(State::Refused, Some("nobody showed who asks"))).expect("refused");
        let letter = read_letter(shop);
        assert!(letter.contains("nobody showed who asks") && letter.contains("authority"), "{letter}");

        let told = move |shop: &TestShop| {
            let read = shop.run_as(&herself(ada), move |tx, actor, world| {
                let request = privacy::read(tx, actor, id)?;
                privacy::reason::told(tx, world, &request)
            });
            read.expect("hers to read")
        };
        assert_eq!(told(shop), (Some("nobody showed who asks".into()), Some(why.into())));
        let other = ask(shop, ada, Kind::Access);
        verify(shop, &other);
        let kept = shop.run(move |tx, actor, world| archive::of_request(tx, actor, world, other.id));
        let kept = kept.expect("an archive")["requests"].to_string();
        assert!(kept.contains("nobody showed who asks") && kept.contains(why), "{kept}");
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, ada)).expect("erased");
        assert_eq!(told(shop), (None, None), "it went with the key");
        close(shop, other.id, closing(State::Refused, Some("she is gone")))
            .expect("nobody is left to write to");
        assert_eq!(told(shop), (None, None));
    });
}

#[test]
fn a_request_is_reminded_of_before_its_time_is_over_and_after() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        let request = ask(shop, ada, Kind::Correction);
        let subject = request.id.to_string();
        let told = |shop: &TestShop| {
            let subject = subject.clone();
            shop.run(privacy::remind).expect("a round");
            let entries =
                shop.read(move |tx| Ok(store::event::of_subject(tx, &subject, 0, 100)?)).expect("events");
            entries.last().expect("an event").kind.clone()
        };
        assert_eq!(told(shop), "privacy_request.opened");
        shop.pass(22 * DAY);
        assert_eq!(told(shop), "privacy_request.due_soon");
        assert_eq!(told(shop), "privacy_request.due_soon", "once");
        shop.pass(7 * DAY);
        assert_eq!(told(shop), "privacy_request.overdue");
        let id = request.id;
        let extend = move |shop: &TestShop| {
            shop.run(move |tx, actor, world| privacy::extend(tx, actor, world, (id, "it is a lot")))
        };
        assert_eq!(extend(shop).expect("extended").due_at, request.due_at.plus_seconds(59 * DAY));
        assert_eq!(code(extend(shop)), Code::WrongState, "once");
    });
}

#[test]
fn nobody_is_forgotten_under_a_legal_hold() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        let request = ask(shop, ada, Kind::Erasure);
        verify(shop, &request);
        shop.run(move |tx, actor, world| hold::set(tx, actor, world, ada, "case 17")).expect("held");
        assert_eq!(code(finish(shop, &request)), Code::PolicyRefuses);
        let plain = shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, ada));
        assert_eq!(code(plain), Code::PolicyRefuses, "by no way");
        shop.run(move |tx, actor, world| hold::lift(tx, actor, world, ada)).expect("lifted");
        finish(shop, &request).expect("erased");
        let known = shop.read(move |tx| customer::load(tx, ada)).expect("the customer's row stays");
        assert!(known.erased_at.is_some());
        let found = request.id;
        let note = shop.run(move |tx, actor, world| {
            let request = privacy::read(tx, actor, found)?;
            privacy::note_of(tx, world, &request)
        });
        assert_eq!(note.expect("a read"), None, "what was noted went with the key");
    });
}

fn sign_up(shop: &TestShop, email: &str) {
    let email = Email::parse(email).expect("an address");
    let cell = Cell { purpose: "marketing".into(), medium: Medium::Mail, topic: String::new() };
    shop.run(move |tx, actor, world| {
        let new = SignUp { email: email.clone(), cells: vec![cell.clone()], language: None };
        sign_up::sign_up(tx, actor, world, &new, &Evidence::of(Source::Form)).map(drop)
    })
    .expect("signed up");
}

#[test]
fn what_is_older_is_forgotten_once_the_retailer_says_so() {
    on_every_engine(|shop| {
        lay(shop);
        sign_up(shop, "eve@example.com");
        let count = |shop: &TestShop, class: Class| {
            let now = shop.shop.source.now();
            let counted =
                shop.read(move |tx| retention::preview(tx, &Actor::system(), now)).expect("a preview");
            counted.iter().find(|(rule, _)| rule.class == class).map(|(_, count)| *count)
        };
        assert_eq!(count(shop, Class::Unconfirmed), Some(0));
        shop.pass(31 * DAY);
        assert_eq!(count(shop, Class::Unconfirmed), Some(1));
        shop.run(retention::forget).expect("a round");
        assert_eq!(count(shop, Class::Unconfirmed), Some(1), "nothing is forgotten until it is turned on");
        shop.run(|tx, actor, world| {
            retention::set(tx, actor, world, Rule { class: Class::Unconfirmed, days: 30, active: true })
        })
        .expect("turned on");
        shop.run(retention::forget).expect("a round");
        assert_eq!(count(shop, Class::Unconfirmed), Some(0));
        let email = Email::parse("eve@example.com").expect("an address");
        let found = shop.run(move |tx, actor, world| {
            engine::consent::subscriber::by_email(tx, actor, world, &email).map(|found| found.len())
        });
        assert_eq!(found.expect("a read"), 0);
    });
}
