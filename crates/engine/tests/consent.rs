//! The story of consents: said, taken back in one channel and so in all, chosen by a link, and read by whoever hands data on.

use crate::agreed::{
    cell, confirm, deliver, lay, made, of_service, offer, refused, said, say, stands, states, token, told,
};
use crate::counter;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::consent::{Cell, Medium, SALE_OR_SHARE, Source, Status};
use domain::merging::Cause;
use domain::message::{Kind, State};
use domain::value::id::Customer;
use domain::value::{Email, Id, Instant};
use domain::{Code, Refusal};
use engine::consent::link::{self, Deed};
use engine::consent::{self, Evidence, Said, audience, choice, refusal, subscriber};
use engine::merging::{self, Wish};
use engine::message::send::Outcome;
use engine::message::sign_up::{self, SignUp};
use engine::segment::Named;
use engine::{Failure, message};
use serde_json::json;
use sim::{TestShop, on_every_engine};

#[test]
fn what_is_taken_back_in_one_channel_holds_in_all_and_stops_what_waits() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        assert_eq!(refused(offer(shop, ada, "")), Code::NoConsent);
        say(shop, ada, said(Medium::Mail, "", Status::Granted)).expect("a yes");
        let shoes = offer(shop, ada, "shoes").expect("a message");
        offer(shop, ada, "hats").expect("another");
        assert_eq!((shoes.kind, shoes.state), (Kind::Marketing, State::Queued));
        say(shop, ada, said(Medium::Every, "shoes", Status::Denied)).expect("a no to shoes");
        assert_eq!(states(shop, ada), [State::Queued, State::Withdrawn]);
        assert_eq!(stands(shop, ada, cell(Medium::Mail, "shoes")), Some(Status::Denied));
        assert_eq!(refused(offer(shop, ada, "shoes")), Code::NoConsent);
        say(shop, ada, said(Medium::Mail, "", Status::Granted)).expect("said again, the waiting one goes on");
        assert_eq!(deliver(shop, Outcome::Taken).len(), 1);
        offer(shop, ada, "hats").expect("one more");
        say(shop, ada, said(Medium::Every, "", Status::Withdrawn)).expect("no more at all");
        assert_eq!(states(shop, ada), [State::Withdrawn, State::Sent, State::Withdrawn]);
        assert!(deliver(shop, Outcome::Taken).is_empty(), "what was taken back does not leave");
    });
}

#[test]
fn a_customer_speaks_for_nobody_else() {
    on_every_engine(|shop| {
        let (ada, bob) = (lay(shop), made(shop, "bob@example.com"));
        let actor = Actor { who: Who::Customer(ada), channel: None, grants: Vec::new() };
        let yes = said(Medium::Web, "", Status::Granted);
        let (own, one) = (yes.clone(), yes);
        shop.run_as(&actor, move |tx, actor, world| {
            consent::say(tx, actor, world, ada, std::slice::from_ref(&own), &told())
        })
        .expect("her own");
        let other = shop.run_as(&actor, move |tx, actor, world| {
            consent::say(tx, actor, world, bob, std::slice::from_ref(&one), &told())
        });
        assert!(matches!(other, Err(Failure::Refused(refusal)) if refusal.code() == Code::Forbidden));
        let permissions = Permissions::of(&[Permission::EditCustomers]);
        let clerk = Actor { grants: vec![Grant { location: None, permissions }], ..actor };
        let seen = shop.read(move |tx| consent::read(tx, &clerk, bob, Instant::EPOCH).map(drop));
        assert!(matches!(seen, Err(Failure::Refused(refusal)) if refusal.code() == Code::Forbidden));
    });
}

/// Ada's address is signed up for her data to be handed on, by whoever it is.
fn signs_ada_up(shop: &TestShop, by: &Actor, cell: &Cell) -> Option<Status> {
    let new = SignUp {
        email: Email::parse("ada@example.com").expect("an address"),
        cells: vec![cell.clone()],
        language: None,
    };
    let one = shop.run_as(by, move |tx, actor, world| {
        sign_up::sign_up(tx, actor, world, &new, &Evidence::of(Source::Form))
    });
    let (one, cell, now) = (one.expect("taken").id, cell.clone(), shop.shop.source.now());
    shop.read(move |tx| Ok(consent::of(tx, one, now)?.to(&cell))).expect("a read")
}

#[test]
fn a_yes_that_anybody_may_have_said_waits_for_the_mailbox_whatever_the_purpose() {
    on_every_engine(|shop| {
        let (ada, bob) = (lay(shop), made(shop, "bob@example.com"));
        let sale = Cell { purpose: SALE_OR_SHARE.into(), ..cell(Medium::Mail, "") };
        let of_sale = |status| Said { cell: sale.clone(), status };
        let handed_on = || {
            let (cell, now, page) = (sale.clone(), shop.shop.source.now(), (Id::from_bytes([0; 16]), 10));
            let found = shop.read(move |tx| audience::list(tx, &Actor::system(), &cell, now, page));
            found.expect("an audience").len()
        };
        let page = counter::only(&[Permission::Shop]);
        let signed_in = |who| Actor { who: Who::Customer(who), ..page.clone() };
        for by in [&page, &signed_in(bob)] {
            assert_eq!(signs_ada_up(shop, by, &sale), Some(Status::Pending));
        }
        let letters = deliver(shop, Outcome::Taken);
        assert_eq!((letters.len(), handed_on()), (1, 0), "one message asks her");
        confirm(shop, &token(shop, &letters[0])).expect("from her mailbox");
        assert_eq!(handed_on(), 1);
        shop.pass(3_600);
        say(shop, ada, of_sale(Status::Withdrawn)).expect("taken back");
        assert_eq!(signs_ada_up(shop, &page, &sale), Some(Status::Withdrawn), "it lifts no no");
        assert_eq!(handed_on(), 0);
        let letters = deliver(shop, Outcome::Taken);
        confirm(shop, &token(shop, &letters[0])).expect("from her mailbox");
        assert_eq!(handed_on(), 1, "but she does");
        for by in [signed_in(ada), counter::only(&[Permission::EditConsents])] {
            say(shop, ada, of_sale(Status::Withdrawn)).expect("taken back");
            assert_eq!(
                signs_ada_up(shop, &by, &sale),
                Some(Status::Granted),
                "no double opt-in is asked for"
            );
        }
        let clerk = Actor {
            grants: vec![Grant {
                location: Some(Id::from_bytes([1; 16])),
                permissions: Permissions::EVERYTHING,
            }],
            ..page
        };
        let (cell, now) = (sale, shop.shop.source.now());
        let seen = shop
            .read(move |tx| audience::list(tx, &clerk, &cell, now, (Id::from_bytes([0; 16]), 10)).map(drop));
        assert!(
            matches!(seen, Err(Failure::Refused(refusal)) if refusal.code() == Code::Forbidden),
            "of one store"
        );
    });
}

#[test]
fn unknown_purposes_and_topics_are_named() {
    let shop = TestShop::on_sqlite(1);
    let ada = lay(&shop);
    let bad = [
        Said { cell: Cell { purpose: "nothing".into(), ..cell(Medium::Mail, "") }, status: Status::Granted },
        said(Medium::Mail, "boats", Status::Denied),
    ];
    let refusal =
        shop.run(move |tx, actor, world| consent::say(tx, actor, world, ada, &bad, &told())).unwrap_err();
    let Failure::Refused(refusal) = refusal else { panic!("not refused") };
    let fields: Vec<_> = refusal.each().filter_map(Refusal::field).collect();
    assert_eq!(fields, ["consents.0.purpose", "consents.1.topic"]);
}

fn chosen(shop: &TestShop, token: &str, wanted: &[Cell]) {
    let (token, wanted) = (token.to_owned(), wanted.to_vec());
    shop.pass(1);
    shop.run(move |tx, _, world| {
        choice::choose(tx, world, &token, &wanted, &Evidence::of(Source::Preferences))
    })
    .expect("chosen");
}

#[test]
fn a_person_chooses_by_the_link_and_only_what_differs_is_said() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        let made = shop.run(move |tx, actor, world| {
            let one = subscriber::of_customer(tx, actor, world, ada)?;
            link::make(tx, world, one.id, Deed::Choose, None)
        });
        let token = link::token(&shop.shop.keyring, made.expect("a link"));
        let (whole, shoes, hats) =
            (cell(Medium::Mail, ""), cell(Medium::Mail, "shoes"), cell(Medium::Mail, "hats"));
        let stand = |shop: &TestShop| {
            [&whole, &shoes, &hats].map(|cell| stands(shop, ada, cell.clone()) == Some(Status::Granted))
        };
        chosen(shop, &token, std::slice::from_ref(&shoes));
        assert_eq!(stand(shop), [false, true, false], "a topic alone");
        chosen(shop, &token, &[whole.clone(), shoes.clone()]);
        assert_eq!(
            stand(shop),
            [true, true, true],
            "who holds the link has shown that the address is theirs"
        );
        chosen(shop, &token, &[whole.clone(), hats.clone()]);
        assert_eq!(stand(shop), [true, false, true]);
        chosen(shop, &token, std::slice::from_ref(&hats));
        assert_eq!(
            stand(shop),
            [false, false, false],
            "the whole that is switched off takes its topics along"
        );
        chosen(shop, &token, std::slice::from_ref(&shoes));
        assert_eq!(
            stand(shop),
            [true, true, false],
            "a topic opens the whole for itself, and for what is new"
        );
        let count = |shop: &TestShop| {
            let page = (Id::from_bytes([255; 16]), 100);
            shop.read(move |tx| Ok(consent::history(tx, &Actor::system(), ada, page)?.len()))
                .expect("a history")
        };
        let before = count(shop);
        chosen(shop, &token, &[whole.clone(), shoes.clone()]);
        assert_eq!(count(shop), before, "nothing differs");
        offer(shop, ada, "shoes").expect("a message");
        let asked = token.clone();
        shop.run(move |tx, _, world| message::unsubscribe(tx, world, &asked, &Evidence::of(Source::Link)))
            .expect("unsubscribed");
        assert_eq!((stand(shop), states(shop, ada)), ([false; 3], vec![State::Withdrawn]));
    });
}

#[test]
fn the_signal_of_a_browser_is_a_no_said_once() {
    on_every_engine(|shop| {
        let ada = lay(shop);
        for is_news in [true, false] {
            let heeded = shop.run(move |tx, actor, world| {
                let one = subscriber::of_customer(tx, actor, world, ada)?;
                consent::heed_signal(tx, actor, world, &one, Some("Firefox".into()))
            });
            assert_eq!(heeded.expect("heeded"), is_news);
        }
        let cell = Cell { purpose: SALE_OR_SHARE.into(), medium: Medium::Every, topic: String::new() };
        assert_eq!(stands(shop, ada, cell.clone()), Some(Status::Denied));
        let now = shop.shop.source.now();
        let page = (Id::from_bytes([0; 16]), 10);
        let whom =
            shop.read(move |tx| audience::list(tx, &Actor::system(), &cell, now, page)).expect("an audience");
        assert!(whom.is_empty(), "nobody else agreed, and she did not");
    });
}

#[test]
fn an_audience_is_who_agreed_at_this_instant() {
    on_every_engine(|shop| {
        let (ada, bob) = (lay(shop), made(shop, "bob@example.com"));
        for id in [ada, bob] {
            say(shop, id, said(Medium::Mail, "", Status::Granted)).expect("a yes");
        }
        say(shop, bob, said(Medium::Every, "shoes", Status::Denied)).expect("a no to shoes");
        let of = |topic: &str| {
            let (cell, now) = (cell(Medium::Mail, topic), shop.shop.source.now());
            let page = (Id::from_bytes([0; 16]), 10);
            let found = shop.read(move |tx| audience::list(tx, &Actor::system(), &cell, now, page));
            found.expect("an audience").iter().map(|one| one.id).collect::<Vec<_>>()
        };
        assert_eq!((of("").len(), of("shoes")), (2, vec![ada]));
        say(shop, ada, said(Medium::Mail, "", Status::Withdrawn)).expect("taken back");
        assert_eq!((of(""), of("shoes")), (vec![bob], Vec::new()));
    });
}

#[test]
fn a_no_of_whoever_was_merged_counts_as_ones_own_until_they_are_two_again() {
    on_every_engine(|shop| {
        let (ada, bob) = (lay(shop), made(shop, "bob@example.com"));
        say(shop, ada, said(Medium::Mail, "", Status::Granted)).expect("a yes");
        say(shop, bob, said(Medium::Every, "shoes", Status::Denied)).expect("a no to shoes");
        say(shop, bob, said(Medium::Web, "", Status::Granted)).expect("a yes to pages");
        offer(shop, ada, "shoes").expect("a message that waits");
        let merge = shop.run(move |tx, actor, world| {
            let why = "they are one".to_owned();
            merging::merge(tx, actor, world, Wish { winner: ada, loser: bob, cause: Cause::Staff, why })
        });
        let merge = merge.expect("a merge").id;
        assert_eq!(stands(shop, ada, cell(Medium::Mail, "shoes")), Some(Status::Denied), "the stricter");
        assert_eq!(stands(shop, ada, cell(Medium::Mail, "hats")), Some(Status::Granted));
        assert_eq!(stands(shop, ada, cell(Medium::Web, "")), None, "a yes does not go along");
        assert_eq!(refused(offer(shop, ada, "shoes")), Code::NoConsent);
        assert!(deliver(shop, Outcome::Taken).is_empty(), "nor does what waited leave");
        assert_eq!(states(shop, ada), [State::Withdrawn]);
        let of = |topic: &str| {
            let (cell, now) = (cell(Medium::Mail, topic), shop.shop.source.now());
            let page = (Id::from_bytes([0; 16]), 10);
            let found = shop.read(move |tx| audience::list(tx, &Actor::system(), &cell, now, page));
            found.expect("an audience").iter().map(|one| one.id).collect::<Vec<_>>()
        };
        assert_eq!((of("shoes"), of("hats")), (Vec::new(), vec![ada]));
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, merge).map(drop))
            .expect("two again");
        assert_eq!(stands(shop, ada, cell(Medium::Mail, "shoes")), Some(Status::Granted), "as it was");
        assert_eq!(of("shoes"), vec![ada]);
        offer(shop, ada, "shoes").expect("a message");
    });
}

#[test]
fn a_no_said_from_an_address_counts_for_whoever_signs_up_with_it_until_a_yes_of_his_own() {
    on_every_engine(|shop| {
        lay(shop);
        let mail = of_service(shop);
        let no = Said { cell: mail.clone(), status: Status::Denied };
        shop.run(move |tx, actor, world| {
            let email = Email::parse("cyd@example.com").expect("an address");
            let (one, _) = subscriber::of_email(tx, actor, world, &email, None)?;
            consent::write(tx, actor, world, &one, std::slice::from_ref(&no), &told())
        })
        .expect("a no from an address");
        shop.pass(60);
        let (cyd, dan) = (made(shop, "cyd@example.com"), made(shop, "dan@example.com"));
        let reached = json!({ "consent": { "purpose": "service", "medium": "mail" } });
        let segment = crate::segment::made(shop, "reached", &reached);
        let may = |id: Id<Customer>| {
            let (mail, now) = (mail.clone(), shop.shop.source.now());
            let refusing = shop.read({
                let mail = mail.clone();
                move |tx| refusal::of_customers(tx, &[id].into(), &mail, now)
            });
            let member = shop.read(move |tx| {
                engine::segment::membership(tx, &Actor::system(), segment, (Named::Customer(id), now))
            });
            let member = member.expect("a verdict").verdict.is_in;
            let page = (Id::from_bytes([0; 16]), 10);
            let agreed = shop.read(move |tx| audience::list(tx, &Actor::system(), &mail, now, page));
            let agreed = agreed.expect("an audience").iter().any(|one| one.id == id);
            (refusing.expect("an answer").is_empty(), member, agreed)
        };
        assert_eq!(may(cyd), (false, Some(false), false), "what was said from the address");
        assert_eq!(may(dan), (true, Some(true), false), "nobody said no");
        let wide = Said { cell: Cell { medium: Medium::Every, ..mail.clone() }, status: Status::Granted };
        say(shop, cyd, wide).expect("a yes to the whole");
        assert_eq!(may(cyd), (false, Some(false), false), "the no to the part stands, as if it were her own");
        shop.pass(60);
        say(shop, cyd, Said { cell: mail.clone(), status: Status::Granted })
            .expect("a yes of her own, later");
        assert_eq!(may(cyd), (true, Some(true), true));
        let (winner, loser) = (dan, cyd);
        let wish = Wish { winner, loser, cause: Cause::Staff, why: "they are one".to_owned() };
        shop.run(move |tx, actor, world| merging::merge(tx, actor, world, wish.clone())).expect("a merge");
        assert_eq!(
            may(dan),
            (true, Some(true), false),
            "a no that was taken back is none for whom she became"
        );
    });
}
