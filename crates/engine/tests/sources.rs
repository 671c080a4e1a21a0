//! The story of three systems that know the same people: their files become one file of persons, tried first, taken in, taken in again.

use std::collections::BTreeMap;
use std::sync::Arc;

use domain::Code;
use domain::actor::Actor;
use domain::consent::{Cell, Medium, Status};
use domain::import::source::{Precedence, SameBy};
use domain::import::{Kind, Mapping, Mode, State};
use domain::value::id::{self, Customer};
use domain::value::{Id, Reference};
use engine::check::check;
use engine::consent;
use engine::customer::{self, Change, record};
use engine::import::source::{self, Finding, NewSource};
use engine::import::{self, File, Import, Origin};
use engine::merging::review;
use engine::{Failure, erasure, external};
use sim::{TestShop, on_every_engine};

use crate::counter::work;

const WEB: &str = "\
    external_id;name;street;city;postal_code;country;phone;email\n\
    1001;Charlotte Winterbourne;17 Larkspur Crescent;Leeds;LS7 3QD;GB;0113 249 6077;Charlotte@Web.example\n\
    1002;Omar Haddad;2 Mill Lane;Bedford;MK40 1AA;GB;01214 960001;omar@web.example\n\
    1003;Ines Duarte;4 Quay Street;Hull;HU1 2AB;GB;;ines@web.example\n";
const TILL: &str = "\
    external_id,given_name,family_name,phone,country,email\n\
    T-1,Winterbourne,Charlotte,00441132496077,GB,\n\
    \n\
    T-2,Omar,Haddad,,GB,OMAR@WEB.EXAMPLE\n\
    T-3,Zoe,Ashdown,01132 496 123,GB,zoe@till.example\n";
const NEWS: &str = "\
    email,name,changed_at\n\
    CHARLOTTE@WEB.EXAMPLE,C. Winterbourne,2026-01-01\n\
    zoe@till.example,Zoe Ashdown-Blythe,2026-01-01\n\
    new@news.example,,2026-01-01\n";

pub fn name(shop: &TestShop, code: &'static str, trust: i64, precedence: Precedence) {
    let set = shop.run(move |tx, actor, world| {
        let (code, name) = (code.to_owned(), code.to_uppercase());
        source::set(tx, actor, world, &NewSource { code, name, trust, precedence, mappings: BTreeMap::new() })
    });
    set.expect("a source");
}

pub fn file(source: &str, text: &str) -> Arc<File> {
    let origin = Some(Origin { source: source.into(), precedence: None });
    let read = import::read_from(Kind::Customers, &Mapping::default(), origin, text.as_bytes());
    Arc::new(read.expect("a file that can be read"))
}

fn begun(shop: &TestShop, file: &Arc<File>, mode: Mode) -> Import {
    let file = file.clone();
    shop.run(move |tx, actor, world| import::begin(tx, actor, world, &file, mode)).expect("an import")
}

fn gone_on(shop: &TestShop, file: &Arc<File>, id: Id<id::Import>) -> Import {
    let file = file.clone();
    shop.run(move |tx, actor, world| import::go_on(tx, actor, world, id, &file)).expect("the next rows")
}

pub fn taken(shop: &TestShop, file: &Arc<File>, mode: Mode) -> Import {
    let mut import = begun(shop, file, mode);
    while import.state == State::Running {
        import = gone_on(shop, file, import.id);
    }
    shop.pass(1);
    import
}

/// Made, changed, the same, joined, to be looked at, refused.
fn counts(import: &Import) -> [i64; 6] {
    [import.made, import.changed, import.same, import.joined, import.review, import.refused]
}

fn findings(shop: &TestShop, import: &Import) -> Vec<Finding> {
    let id = import.id;
    let found = shop.read(move |tx| source::findings(tx, &Actor::system(), id, 0, 100)).expect("findings");
    found.into_iter().map(|(_, finding)| finding).collect()
}

/// Tries a file, takes it in, and takes it in again: the trial said what happens, and the second time nothing does.
fn in_all(shop: &TestShop, source: &str, text: &str) -> Import {
    let file = file(source, text);
    let tried = taken(shop, &file, Mode::DryRun);
    let real = taken(shop, &file, Mode::RowsThatPass);
    assert_eq!(counts(&tried), counts(&real), "{source}: the trial says what happens");
    let again = taken(shop, &file, Mode::RowsThatPass);
    let rows = real.rows_total - real.refused;
    assert_eq!(counts(&again), [0, 0, rows, 0, 0, real.refused], "{source}: the same again changes nothing");
    real
}

fn who(shop: &TestShop, number: &'static str) -> Id<Customer> {
    shop.read(move |tx| external::resolve(tx, &Reference::read(number))).expect("somebody")
}

/// Name, e-mail and phone as they are known.
fn known(shop: &TestShop, number: &'static str) -> [String; 3] {
    let id = who(shop, number);
    let card =
        shop.run(move |tx, actor, world| customer::read_contact(tx, actor, world, id)).expect("a card");
    let text = card.text();
    [&text.name, &text.email, &text.phone].map(|part| part.clone().unwrap_or_default())
}

fn all(shop: &TestShop) -> usize {
    shop.run(|tx, actor, _| customer::list(tx, actor, Id::from_bytes([0; 16]), 1_000)).expect("all").len()
}

fn three(shop: &TestShop, precedence: Precedence) {
    name(shop, "web", 60, precedence);
    name(shop, "till", 80, precedence);
    name(shop, "news", 20, precedence);
}

#[test]
fn three_files_become_one_file_of_persons() {
    on_every_engine(|shop| {
        three(shop, Precedence::FillGaps);
        assert_eq!(counts(&in_all(shop, "web", WEB)), [3, 0, 0, 0, 0, 0]);
        let till = in_all(shop, "till", TILL);
        assert_eq!(counts(&till), [1, 0, 0, 2, 0, 0]);
        let told: Vec<_> =
            findings(shop, &till).iter().map(|one| (one.line, one.same_by, one.customer)).collect();
        let (charlotte, omar) = (who(shop, "web:1001"), who(shop, "web:1002"));
        assert_eq!(told, [(2, SameBy::Phone, Some(charlotte)), (4, SameBy::Email, Some(omar))]);
        assert_eq!(counts(&in_all(shop, "news", NEWS)), [1, 0, 0, 2, 0, 0]);
        assert_eq!(all(shop), 5, "Charlotte, Omar, Ines, Zoe and one who only left an address");
        assert_eq!((who(shop, "till:T-1"), who(shop, "till:T-2")), (charlotte, omar));
        let records = shop.read(move |tx| record::list(tx, &Actor::system(), charlotte)).expect("records");
        let known_by: Vec<_> =
            records.iter().map(|one| (one.source.as_str(), one.external_id.as_deref())).collect();
        assert_eq!(known_by, [("news", None), ("till", Some("T-1")), ("web", Some("1001"))]);
        let as_the_web_said = ["Charlotte Winterbourne", "Charlotte@Web.example", "+441132496077"];
        assert_eq!(
            known(shop, "till:T-1").map(|text| text.to_lowercase()),
            as_the_web_said.map(str::to_lowercase)
        );
        work(shop);
        shop.must_tally();
    });
}

#[test]
fn who_is_right_is_as_the_import_says() {
    let ends = |precedence: Precedence| {
        let ends = std::sync::Mutex::new(Vec::new());
        on_every_engine(|shop| {
            three(shop, precedence);
            taken(shop, &file("till", TILL), Mode::RowsThatPass);
            taken(shop, &file("news", NEWS), Mode::RowsThatPass);
            let first = known(shop, "till:T-3")[0].clone();
            let renamed = TILL.replace("Zoe,Ashdown", "Zoe,Ashton");
            assert_eq!(counts(&taken(shop, &file("till", &renamed), Mode::RowsThatPass))[1], 1);
            let id = who(shop, "till:T-3");
            let version = shop.read(move |tx| customer::load(tx, id)).expect("a customer").version;
            let written = shop.run(move |tx, actor, world| {
                let mut draft = customer::read_contact(tx, actor, world, id)?.text().clone();
                draft.name = Some("Zoe A. Ashton".into());
                let card = Some(domain::contact::Card::new(&draft)?);
                customer::update(
                    tx,
                    actor,
                    world,
                    id,
                    Change { card, groups: None, if_match: Some(version), shown: None },
                )
            });
            written.expect("a colleague writes");
            shop.pass(60);
            taken(shop, &file("till", TILL), Mode::RowsThatPass);
            ends.lock().unwrap().push([first, known(shop, "till:T-3")[0].clone()]);
        });
        let ends = ends.into_inner().unwrap();
        assert!(ends.windows(2).all(|two| two[0] == two[1]), "every engine the same");
        ends[0].clone()
    };
    let (till, colleague) = ("Zoe Ashdown".to_owned(), "Zoe A. Ashton".to_owned());
    assert_eq!(ends(Precedence::FillGaps), [till.clone(), colleague.clone()]);
    assert_eq!(ends(Precedence::Trust), [till.clone(), colleague.clone()], "the till is trusted more");
    assert_eq!(ends(Precedence::Never), [till.clone(), colleague]);
    assert_eq!(
        ends(Precedence::Newer),
        [till.clone(), till],
        "the newsletter's is older, the till's file newer"
    );
}

#[test]
fn keys_that_lead_to_two_are_looked_at_and_whoever_is_alike() {
    on_every_engine(|shop| {
        three(shop, Precedence::FillGaps);
        in_all(shop, "web", WEB);
        let both =
            "external_id,name,phone,email\nT-9,Charlotte Winterbourne,+441132496077,ines@web.example\n";
        let joined = in_all(shop, "till", both);
        assert_eq!(counts(&joined), [0, 0, 0, 1, 1, 0]);
        let told: Vec<_> = findings(shop, &joined).iter().map(|one| (one.is_joined, one.same_by)).collect();
        assert_eq!(told, [(true, SameBy::Email), (false, SameBy::Phone)]);
        assert_eq!(who(shop, "till:T-9"), who(shop, "web:1003"));
        let alike = "external_id,name,street,city,postal_code,country\n\
            T-10,Charlote Winterbourn,17 Larkspur Cresent,Leeds,LS7 3QD,GB\n";
        let made = in_all(shop, "till", alike);
        assert_eq!(
            counts(&made),
            [1, 0, 0, 0, 1, 0],
            "made, and left for a colleague: never merged silently"
        );
        assert!(findings(shop, &made)[0].score != 0);
        work(shop);
        let (open, last) = (domain::customer::matching::review::ReviewState::Open, Id::from_bytes([255; 16]));
        let open = shop.run(move |tx, actor, _| review::list(tx, actor, open, (last, 50))).expect("matches");
        assert_eq!(open.len(), 2, "each pair once, also after the jobs");
        shop.must_tally();
    });
}

#[test]
fn a_trial_sees_the_rows_further_up_and_a_cut_is_gone_on_with() {
    let mut text = String::from("external_id,name,street,city,postal_code,country,phone,email\n");
    let mail = |n: u32| format!("{:08x}@x.example", n.wrapping_mul(2_654_435_761));
    for n in 0..499 {
        text += &format!("{n},,,,,,,{}\n", mail(n));
    }
    text += "499,Quentin Merriweather,9 Elm Row,York,YO1 7HH,GB,+441904555123,q@one.example\n";
    // The same by mail, by phone, and probably, all of them in another batch than whom they are.
    text += &format!("500,,,,,,,{}\n", mail(3).to_uppercase());
    text += "501,Merriweather Quentin,,,,,00441904555123,q@two.example\n";
    text += "502,Quentin Meriweather,9 Elm Row,York,YO1 7HH,GB,,\n";
    on_every_engine(|shop| {
        three(shop, Precedence::FillGaps);
        let file = file("web", &text);
        let tried = taken(shop, &file, Mode::DryRun);
        assert_eq!(all(shop), 0);
        let begun = begun(shop, &file, Mode::RowsThatPass);
        gone_on(shop, &file, begun.id);
        assert!(all(shop) <= 500, "the program is killed here, and somebody goes on with the same file");
        let mut real = gone_on(shop, &file, begun.id);
        while real.state == State::Running {
            real = gone_on(shop, &file, begun.id);
        }
        assert_eq!(counts(&tried), counts(&real));
        assert_eq!((real.made, real.joined, real.review), (501, 2, 1));
        let lines = |import: &Import| -> Vec<_> {
            findings(shop, import).iter().map(|one| (one.line, one.is_joined, one.same_by)).collect()
        };
        assert_eq!(lines(&tried), lines(&real));
        let further_up: Vec<_> = findings(shop, &tried).iter().map(|one| one.other_line).collect();
        assert_eq!(further_up, [Some(5), Some(501), Some(501)]);
    });
}

#[test]
fn whoever_was_erased_is_not_brought_back_by_an_old_file() {
    on_every_engine(|shop| {
        three(shop, Precedence::FillGaps);
        in_all(shop, "web", WEB);
        let id = who(shop, "web:1001");
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, id)).expect("erased");
        let gone = shop.read(move |tx| external::resolve(tx, &Reference::<Customer>::read("web:1001")));
        assert_eq!(gone.unwrap_err().code(), Some(Code::NotFound));
        let again = taken(shop, &file("web", WEB), Mode::RowsThatPass);
        assert_eq!(counts(&again), [0, 0, 2, 0, 0, 1]);
        let errors =
            shop.read(move |tx| import::errors(tx, &Actor::system(), again.id, 0, 9)).expect("errors");
        assert_eq!((errors[0].line, errors[0].code.as_str()), (2, "wrong_state"));
        shop.must_tally();
    });
}

#[test]
fn what_only_sources_have_is_for_files_from_a_source_and_lost_numbers_are_found() {
    on_every_engine(|shop| {
        let text = b"external_id,changed_at\n1,2026-01-01\n";
        let refused = import::read(Kind::Customers, &Mapping::default(), text).unwrap_err();
        assert_eq!(refused.field(), Some("changed_at"));
        let unknown = file("nowhere", WEB);
        let refused =
            shop.run(move |tx, actor, world| import::begin(tx, actor, world, &unknown, Mode::DryRun));
        assert_eq!(refused.unwrap_err().code(), Some(Code::Invalid));
        three(shop, Precedence::FillGaps);
        in_all(shop, "web", WEB);
        let named = "external_id,name,customer\nT-7,O. Haddad,web:1002\nT-8,Nobody,web:9999\n";
        assert_eq!(counts(&taken(shop, &file("till", named), Mode::RowsThatPass)), [0, 0, 0, 1, 0, 1]);
        let (teller, told) = std::sync::mpsc::channel();
        let outcome: Result<(), Failure> = shop.run(move |tx, _, _| {
            store::external::remove::<Customer>(tx, "till:T-7")?;
            let report = check(tx, [9; 32], &mut |_, _| ())?;
            let _ = teller.send(report.differences.iter().map(|one| one.check).collect::<Vec<_>>());
            Err(domain::Refusal::invalid("tampering", "taken back").into())
        });
        assert_eq!(outcome.expect_err("taken back").code(), Some(Code::Invalid));
        assert_eq!(told.try_iter().last().expect("a report"), ["source numbers"]);
    });
}

#[test]
fn consents_come_in_with_their_instants_and_no_later_no_is_taken_back() {
    on_every_engine(|shop| {
        shop.run(|tx, _, _| consent::purpose::lay(tx)).expect("purposes");
        three(shop, Precedence::FillGaps);
        in_all(shop, "web", WEB);
        // The newsletter knows Omar by another address, which the customer does not have.
        let news = "email,name,phone\nomar@other.example,Omar Haddad,+441214960001\n";
        assert_eq!(counts(&in_all(shop, "news", news))[3], 1);
        let text = "purpose,medium,status,said_at,wording,customer,email\n\
            marketing,mail,yes,2026-01-02T10:00:00Z,v3,web:1001,\n\
            marketing,mail,no,2026-01-02T10:00:00Z,,,CHARLOTTE@WEB.EXAMPLE\n\
            marketing,mail,granted,2026-01-01T10:00:00Z,v2,web:1003,\n\
            marketing,mail,withdrawn,2025-12-01T10:00:00Z,,web:1003,\n\
            marketing,mail,no,2026-01-01T10:00:00Z,,,omar@other.example\n\
            marketing,mail,no,2026-01-01T10:00:00Z,,,stranger@nowhere.example\n\
            telepathy,mail,yes,2026-01-01T10:00:00Z,,web:1001,\n\
            marketing,mail,yes,2099-01-01T10:00:00Z,,web:1001,\n\
            marketing,pigeon,maybe,2026-01-01T10:00:00Z,,web:1001,\n";
        let origin = Some(Origin { source: "news".into(), precedence: None });
        let read = import::read_from(Kind::Consents, &Mapping::default(), origin, text.as_bytes());
        let file = Arc::new(read.expect("a file"));
        let tried = taken(shop, &file, Mode::DryRun);
        let first = taken(shop, &file, Mode::RowsThatPass);
        assert_eq!((counts(&tried), counts(&first)), ([6, 0, 0, 0, 0, 3], [6, 0, 0, 0, 0, 3]));
        assert_eq!(counts(&taken(shop, &file, Mode::RowsThatPass)), [0, 0, 6, 0, 0, 3]);
        let errors =
            shop.read(move |tx| import::errors(tx, &Actor::system(), first.id, 0, 9)).expect("errors");
        let told: Vec<_> =
            errors.iter().map(|one| (one.line, one.column.as_deref().unwrap_or_default())).collect();
        assert_eq!(told, [(8, "purpose"), (9, "said_at"), (10, "status"), (10, "medium")]);
        let cell = Cell { purpose: "marketing".into(), medium: Medium::Mail, topic: String::new() };
        let stands = |number: &'static str| {
            let (id, cell) = (who(shop, number), cell.clone());
            shop.run(move |tx, actor, world| Ok(consent::read(tx, actor, id, world.now())?.to(&cell)))
                .expect("told")
        };
        assert_eq!(stands("web:1001"), Some(Status::Denied), "of one instant the stricter");
        assert_eq!(stands("web:1003"), Some(Status::Granted), "an older no does not take a later yes back");
        assert_eq!(stands("web:1002"), Some(Status::Denied), "a no to an address that only a source knows");
        let late =
            "purpose,medium,status,said_at,email\nmarketing,mail,yes,2026-01-01T10:00:00Z,omar@web.example\n";
        let read = import::read(Kind::Consents, &Mapping::default(), late.as_bytes());
        assert_eq!(counts(&taken(shop, &Arc::new(read.expect("a file")), Mode::RowsThatPass))[0], 1);
        assert_eq!(stands("web:1002"), Some(Status::Denied));
        let signed_up = "external_id,email\n1004,stranger@nowhere.example\n";
        in_all(shop, "web", signed_up);
        shop.must_tally();
    });
}
