//! The story of balances of the system before: tried, taken in once, and spent by the codes people have.

use crate::club;
use crate::counter;
use std::sync::Arc;
use std::thread;

use crate::club::{club, terms};
use crate::counter::tender;
use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::import::{Kind, Mapping, Mode, State};
use domain::market::PaymentKind;
use domain::value::Money;
use engine::import::{self, File, Import, export};
use engine::loyalty::{self, gift_card, store_credit};
use engine::{Failure, World, external};
use sha2::{Digest, Sha256};
use sim::{TestShop, on_every_engine};
use store::Tx;

const BALANCES: &str = "reference,kind,customer,programme,points,amount,currency,code,code_sha256,last_four\n\
    1,points,ada,club,120,,,,,\n\
    2,store_credit,ada,,,12.50,GBP,,,\n\
    3,gift_card,,,,5.00,GBP,6006 4912-abcd,,\n\
    4,gift_card,,,,7.00,GBP,,0ad7f16ed36cd1f60ad7f16ed36cd1f60ad7f16ed36cd1f60ad7f16ed36cd1f6,0111\n";

fn read(text: &str) -> Arc<File> {
    Arc::new(
        import::read(Kind::Balances, &Mapping::default(), text.as_bytes()).expect("a file that can be read"),
    )
}

fn take(shop: &TestShop, text: &str, mode: Mode) -> Import {
    let file = read(text);
    let begun = file.clone();
    let mut one =
        shop.run(move |tx, actor, world| import::begin(tx, actor, world, &begun, mode)).expect("an import");
    while one.state == State::Running {
        let (id, file) = (one.id, file.clone());
        one = shop
            .run(move |tx, actor, world| import::go_on(tx, actor, world, id, &file))
            .expect("the next rows");
    }
    one
}

fn told(shop: &TestShop, one: &Import) -> Vec<String> {
    let id = one.id;
    let errors = shop.read(move |tx| import::errors(tx, &Actor::system(), id, 0, 100)).expect("errors");
    let tell = |error: &import::RowError| {
        let value = error.value.as_deref().unwrap_or_default();
        format!("{} {} {value:?}: {}", error.line, error.column.as_deref().unwrap_or("-"), error.message)
    };
    errors.iter().map(tell).collect()
}

#[test]
fn balances_are_taken_in_once_and_spent() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let ada = club.ada;
        shop.run(move |tx, _, _| external::give(tx, ada, Some("ada"))).unwrap();
        let tried = take(shop, BALANCES, Mode::DryRun);
        assert_eq!((tried.made, tried.refused, club.has(shop).0), (4, 0, 0), "{:?}", told(shop, &tried));
        for sum in [
            "120 points in 1 rows that can be read",
            "GBP 12.50 of store credit in 1 rows",
            "GBP 12.00 on gift cards in 2 rows",
        ] {
            assert!(tried.notes.contains(sum), "{}", tried.notes);
        }
        let taken = take(shop, BALANCES, Mode::AllOrNothing);
        assert_eq!((taken.made, taken.same, club.has(shop).0), (4, 0, 120));
        let again = take(shop, BALANCES, Mode::RowsThatPass);
        assert_eq!((again.made, again.same, club.has(shop).0), (0, 4, 120), "twice is once");
        let card = |typed: &'static str| {
            let found = shop.run(move |tx, actor, world| {
                let card = gift_card::by_code(tx, actor, world, typed)?;
                Ok::<_, Failure>((loyalty::balance(tx, &gift_card::credit(&card))?, card))
            });
            found.expect("a card")
        };
        let (has, known) = card("60064912ABCD");
        assert_eq!((has, known.last_four.as_str()), ((500, 0), "ABCD"));
        let shown = shop.run(move |tx, actor, world| gift_card::show_code(tx, actor, world, known.id));
        assert!(shown.is_err(), "its code is not ours to show");
        let has = shop.read(move |tx| {
            let one = store_credit::of_customer(tx, &Actor::system(), ada)?.remove(0);
            loyalty::balance(tx, &store_credit::credit(&one))
        });
        assert_eq!(has.unwrap(), (1250, 0));
        let mut by_card = tender(PaymentKind::GiftCard, None);
        by_card.gift_card = Some("6006-4912-ABCD".into());
        club.buy(shop, 1, vec![by_card]);
        assert_eq!(card("6006 4912 abcd").0, (0, 0));
    });
}

#[test]
fn a_code_known_by_its_hash_is_found_by_the_code() {
    on_every_engine(|shop| {
        let hash = "52c86cb5ed699a5428fc14bab8191e6b87b9726fa220189c520868bcf8d8170f";
        let text = format!(
            "reference,kind,amount_minor,currency,code_sha256,last_four\n9,gift_card,700,GBP,{hash},WXYZ\n"
        );
        assert_eq!(take(shop, &text, Mode::AllOrNothing).made, 1);
        let found =
            shop.run(|tx, actor, world| gift_card::by_code(tx, actor, world, "old-card wxyz")).unwrap();
        assert_eq!(found.last_four, "WXYZ");
    });
}

/// The rows of what customers have, as a file.
fn given_out(shop: &TestShop) -> String {
    let page = shop.run(|tx, actor, world| {
        export::page(tx, actor, world, Kind::Balances, (export::start(Kind::Balances), 100))
    });
    let rows = page.expect("a page").rows.into_iter().map(|row| row.join(","));
    [export::header(Kind::Balances).join(",")].into_iter().chain(rows).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_is_given_out_is_what_can_be_spent_and_is_known_again() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let ada = club.ada;
        shop.run(move |tx, _, _| external::give(tx, ada, Some("ada"))).unwrap();
        let lots = "reference,kind,customer,programme,points,expires_at\n\
            a,points,ada,club,30,2027-03-01T00:00:00Z\nb,points,ada,club,20,2027-02-01T00:00:00Z\n";
        take(shop, lots, Mode::AllOrNothing);
        club.buy(shop, 1, club::by_points(Some(125)));
        let made = shop.run(|tx, actor, world| {
            let card = gift_card::issue(tx, actor, world, Money::new(900, counter::pounds()).unwrap(), None)?;
            let code = gift_card::show_code(tx, actor, world, card.id)?;
            Ok::<_, Failure>((card, code))
        });
        let (card, code) = made.unwrap();
        let text = given_out(shop);
        let plain = code.replace('-', "");
        let sha256: String =
            Sha256::digest(plain.as_bytes()).iter().map(|byte| format!("{byte:02x}")).collect();
        for part in [
            "points,ada,club,25,,,,,2027-03-01T00:00:00Z".to_owned(),
            format!("{},gift_card,,,,9.00,GBP,{sha256},{}", card.id, card.last_four),
        ] {
            assert!(text.contains(&part), "{part}\n{text}");
        }
        assert!(!text.contains("2027-02-01"), "the lot that expires first was spent: {text}");
        let again = take(shop, &text, Mode::AllOrNothing);
        assert_eq!((again.made, again.same, club.has(shop).0), (0, 2, 25), "{:?}", told(shop, &again));
    });
}

#[test]
fn the_same_file_at_once_is_taken_in_once() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let ada = club.ada;
        shop.run(move |tx, _, _| external::give(tx, ada, Some("ada"))).unwrap();
        let made: i64 = thread::scope(|scope| {
            let tries: Vec<_> =
                (0..4).map(|_| scope.spawn(|| take(shop, BALANCES, Mode::RowsThatPass))).collect();
            tries.into_iter().map(|one| one.join().expect("an import").made).sum()
        });
        assert_eq!((made, club.has(shop).0), (4, 120));
        // Taken in again when its time is over, a row is still known.
        let soon =
            "reference,kind,customer,programme,points,expires_at\nc,points,ada,club,5,2027-01-31T00:00:00Z\n";
        assert_eq!(take(shop, soon, Mode::AllOrNothing).made, 1);
        shop.pass(500 * counter::DAY);
        assert_eq!(take(shop, soon, Mode::AllOrNothing).same, 1);
        let late = take(shop, &soon.replace("\nc", "\nd"), Mode::RowsThatPass);
        assert!(told(shop, &late)[0].starts_with("2 expires_at"), "{:?}", told(shop, &late));
    });
}

#[test]
fn who_gives_no_credit_takes_none_in() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let ada = club.ada;
        shop.run(move |tx, _, _| external::give(tx, ada, Some("ada"))).unwrap();
        let grants = vec![Grant {
            location: None,
            permissions: Permissions::of(&[Permission::Import, Permission::GivePoints]),
        }];
        let clerk = Actor { who: Who::System, channel: None, grants };
        let file = read(BALANCES);
        let begun = file.clone();
        let begin = move |tx: &mut Tx<'_>, actor: &Actor, world: &mut World| {
            import::begin(tx, actor, world, &begun, Mode::RowsThatPass)
        };
        let one = shop.run_as(&clerk, begin).expect("an import");
        let go = move |tx: &mut Tx<'_>, actor: &Actor, world: &mut World| {
            import::go_on(tx, actor, world, one.id, &file)
        };
        let done = shop.run_as(&clerk, go).expect("the rows");
        assert_eq!((done.made, done.refused, club.has(shop).0), (1, 3, 120), "points only");
        let page = shop.run_as(&clerk, |tx, actor, world| {
            export::page(tx, actor, world, Kind::Balances, (export::start(Kind::Balances), 100))
        });
        assert_eq!(page.unwrap_err().code(), Some(Code::Forbidden));
    });
}

#[test]
fn what_came_in_must_be_what_was_noted() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let member = club.member.id;
        // Whatever is planted is taken back by the refusal that tells what was found.
        let found = shop.run(move |tx, _, world| {
            store::loyalty::opening::add(tx, "planted", (member.shared_with(), 7), world.now())?;
            let found =
                engine::check::CROSS_CHECKS.iter().find(|(name, _)| *name == "opening").expect("a check").1(
                    tx,
                )?;
            let told: Vec<String> = found.iter().map(ToString::to_string).collect();
            Err::<(), Failure>(domain::Refusal::new(Code::Invalid, told.join("; ")).into())
        });
        let told = found.unwrap_err().to_string();
        assert!(told.contains("7 taken in from the system before, found 0"), "{told}");
    });
}

#[test]
fn rows_that_cannot_be_taken_are_named_and_codes_never_repeated() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let ada = club.ada;
        shop.run(move |tx, _, _| external::give(tx, ada, Some("ada"))).unwrap();
        take(shop, BALANCES, Mode::AllOrNothing);
        let bad = "reference,kind,customer,programme,points,amount,currency,code\n\
            1,points,ada,club,121,,,\n\
            5,points,eve,club,5,,,\n\
            6,points,ada,guild,5,,,\n\
            7,gift_card,,,,5.00,GBP,60064912ABCD\n\
            8,gift_card,,,,5.00,GBP,secret\n\
            9,store_credit,ada,,,5.00,,\n\
            10,coins,ada,,,,,\n\
            11,points,ada,club,0,,,\n";
        let refused = take(shop, bad, Mode::RowsThatPass);
        assert_eq!((refused.made, refused.refused, club.has(shop).0), (0, 8, 120));
        let told = told(shop, &refused).join("\n");
        assert!(!told.contains("60064912") && !told.contains("secret"), "{told}");
        for start in [
            "2 reference",
            "3 customer",
            "4 programme",
            "5 code",
            "6 code",
            "7 currency",
            "8 kind",
            "9 points",
        ] {
            assert!(told.lines().any(|line| line.starts_with(start)), "{start}: {told}");
        }
    });
}
