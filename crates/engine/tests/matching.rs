//! The story of customers who may be one person though no key is the same: found when one is new or changed, explained, decided once.

use crate::counter::work;
use domain::Code;
use domain::actor::Permission;
use domain::behaviour::plan::Plan;
use domain::behaviour::{Call, SchemaMode, SourceKind};
use domain::contact::{Card, Draft};
use domain::customer::matching::explain::Step;
use domain::customer::matching::review::{Found, ReviewState};
use domain::customer::matching::{self as rules, Band, Field};
use domain::identity::Kind;
use domain::merging::{Cause, Task, TrainingState};
use domain::value::Id;
use domain::value::id::Customer;
use engine::behaviour::source::{self, NewSource};
use engine::behaviour::{self, Incoming, Source, incoming};
use engine::customer::{self, Change, NewCustomer, matching};
use engine::merging::{self, bulk, review, training};
use engine::{Failure, erasure};
use sim::{TestShop, on_every_engine};
use store::merging::training as rows;

/// How a person is written: name, street, phone, e-mail.
pub type Written = (&'static str, &'static str, Option<&'static str>, &'static str);

pub const CHARLOTTE: Written =
    ("Charlotte Winterbourne", "17 Larkspur Crescent", Some("+441132496077"), "charlotte@web.example");
pub const AT_THE_TILL: Written =
    ("Charlote Winterbourne", "17 Larkspur Cresent", Some("+441132496077"), "c.winterbourne@till.example");
const HER_BROTHER: Written = ("Frederick Winterbourne", "17 Larkspur Crescent", None, "fred@web.example");
pub const A_STRANGER: Written = ("Omar Haddad", "2 Mill Lane", Some("+441214960001"), "omar@web.example");

pub fn card((name, street, phone, email): Written) -> Card {
    Card::new(&Draft {
        name: Some(name.into()),
        street: vec![street.into()],
        city: Some("Leeds".into()),
        postal_code: Some("LS7 3QD".into()),
        country: Some("GB".into()),
        phone: phone.map(str::to_owned),
        email: (!email.is_empty()).then(|| email.into()),
        ..Draft::default()
    })
    .expect("a card")
}

pub fn signed_up(shop: &TestShop, written: Written) -> Id<Customer> {
    let made = shop.run(move |tx, actor, world| {
        customer::create(
            tx,
            actor,
            world,
            NewCustomer { external_id: None, card: card(written), groups: Vec::new() },
        )
    });
    made.expect("a customer").id
}

pub fn moved(shop: &TestShop, id: Id<Customer>, written: Written) {
    let version = shop.read(move |tx| customer::load(tx, id)).expect("a customer").version;
    let changed = shop.run(move |tx, actor, world| {
        let change = Change { card: Some(card(written)), groups: None, if_match: Some(version), shown: None };
        customer::update(tx, actor, world, id, change)
    });
    changed.expect("a change");
    shop.pass(1);
}

pub fn listed(shop: &TestShop, state: ReviewState) -> Vec<review::Review> {
    let last = Id::from_bytes([255; 16]);
    shop.run(move |tx, actor, _| review::list(tx, actor, state, (last, 50))).expect("a list")
}

pub fn set(shop: &TestShop, model: Option<i64>, automatic: bool) -> Result<review::Rule, Failure> {
    shop.run(move |tx, actor, world| review::set_rule(tx, actor, world, (model, automatic)))
}

#[test]
fn who_is_alike_is_found_explained_and_decided_once() {
    on_every_engine(|shop| {
        let one = signed_up(shop, CHARLOTTE);
        signed_up(shop, HER_BROTHER);
        signed_up(shop, A_STRANGER);
        work(shop);
        assert_eq!(listed(shop, ReviewState::Open), [], "a household is not one person");
        shop.pass(1);
        let other = signed_up(shop, AT_THE_TILL);
        work(shop);
        let open = listed(shop, ReviewState::Open);
        assert_eq!(open.iter().map(|found| (found.one, found.other)).collect::<Vec<_>>(), [(one, other)]);
        assert_ne!(open[0].band, Band::None);
        let steps: Vec<(String, i32)> = serde_json::from_str(&open[0].steps).unwrap();
        assert_eq!(steps.iter().map(|(_, weight)| weight).sum::<i32>(), open[0].score, "each step is told");
        assert!(!open[0].steps.to_lowercase().contains("winterbourne"), "nothing personal is kept");
        let id = open[0].id;
        let accepted = shop.run(move |tx, actor, world| review::accept(tx, actor, world, id)).unwrap();
        let (merge, _) =
            shop.run(move |tx, actor, _| merging::read(tx, actor, accepted.merge.expect("a merge"))).unwrap();
        assert_eq!((merge.winner, merge.loser, merge.cause), (one, other, Cause::Review));
        let again = shop.run(move |tx, actor, world| review::reject(tx, actor, world, id));
        assert_eq!(again.unwrap_err().code(), Some(Code::WrongState));
        let undo = merge.id;
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, undo)).unwrap();
        moved(shop, other, AT_THE_TILL);
        work(shop);
        assert_eq!(listed(shop, ReviewState::Open), [], "what was decided is not asked again");
    });
}

#[test]
fn who_is_rejected_stays_two_and_who_is_erased_is_found_no_more() {
    on_every_engine(|shop| {
        let one = signed_up(shop, CHARLOTTE);
        let other = signed_up(shop, AT_THE_TILL);
        work(shop);
        let id = listed(shop, ReviewState::Open)[0].id;
        shop.run(move |tx, actor, world| review::reject(tx, actor, world, id)).unwrap();
        moved(shop, one, CHARLOTTE);
        work(shop);
        assert_eq!(listed(shop, ReviewState::Open), []);
        assert_eq!(listed(shop, ReviewState::Rejected).len(), 1);
        for id in [one, other] {
            shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, id)).unwrap();
        }
        let third = signed_up(
            shop,
            ("Charlotte Winterbourne", "17 Larkspur Crescent", Some("+441132496077"), "third@web.example"),
        );
        work(shop);
        assert_eq!(listed(shop, ReviewState::Open), [], "{third} is alone now");
    });
}

#[test]
fn what_the_model_is_sure_of_is_merged_once_the_retailer_says_so() {
    on_every_engine(|shop| {
        let rule = shop.run(|tx, actor, _| review::rule(tx, actor)).unwrap();
        assert!(!rule.automatic, "not before");
        assert_eq!(set(shop, Some(7), false).unwrap_err().code(), Some(Code::Invalid));
        assert!(set(shop, None, true).unwrap().automatic);
        let one = signed_up(shop, CHARLOTTE);
        let (name, street, phone, _) = CHARLOTTE;
        let other = signed_up(shop, (name, street, phone, ""));
        work(shop);
        let found = listed(shop, ReviewState::Accepted);
        assert_eq!(found.iter().map(|found| (found.one, found.other)).collect::<Vec<_>>(), [(one, other)]);
        let winner = shop.read(move |tx| customer::load(tx, other)).unwrap().merged_into;
        assert_eq!(winner, Some(one));
        shop.pass(1);
        signed_up(shop, (name, street, phone, "second@web.example"));
        work(shop);
        assert_eq!(
            listed(shop, ReviewState::Open).len(),
            1,
            "a mother and a daughter may be called the same"
        );
    });
}

#[test]
fn all_are_compared_at_once_and_a_model_is_learnt() {
    on_every_engine(|shop| {
        for written in [CHARLOTTE, AT_THE_TILL, HER_BROTHER, A_STRANGER] {
            signed_up(shop, written);
        }
        let actor = domain::actor::Actor::system();
        let clock = || shop.shop.source.now();
        let compare = |is_dry_run| {
            bulk::compare_all(&shop.shop, &actor, is_dry_run, (&clock, &mut |_| Ok(()))).expect("compared")
        };
        let tried = compare(true);
        assert_eq!((tried.customers, tried.automatic + tried.review, tried.noted), (4, 1, 0));
        assert_eq!(listed(shop, ReviewState::Open), [], "a dry run notes nothing");
        assert_eq!(compare(false).noted, 1);
        assert_eq!(compare(false).noted, 0, "and nothing twice");
        work(shop);
        assert_eq!(listed(shop, ReviewState::Open).len(), 1, "who is found by both is asked about once");
        let learnt = bulk::learn(&shop.shop, &actor, 1, (&clock, &mut |_| Ok(()))).expect("learnt");
        assert_eq!((learnt.learnt, learnt.customers), (Some(1), 4));
        assert_eq!(set(shop, Some(1), false).unwrap().model, Some(1));
        let id = signed_up(
            shop,
            ("Charlotte Winterbourn", "17 Larkspur Crescent", Some("+441132496077"), "third@web.example"),
        );
        work(shop);
        let models: Vec<i64> = listed(shop, ReviewState::Open)
            .iter()
            .filter(|found| found.other == id)
            .map(|found| found.model)
            .collect();
        assert!(models.iter().all(|number| *number == 1));
    });
}

#[test]
fn what_many_are_called_says_less_of_one_who_is_new() {
    on_every_engine(|shop| {
        let called = |given: &str, house: usize| {
            Card::new(&Draft {
                name: Some(format!("{given} {}", ["Ash", "Birch", "Cedar", "Elder"][house % 4])),
                street: vec![format!("{house} Mill Lane")],
                city: Some("Leeds".into()),
                country: Some("GB".into()),
                ..Draft::default()
            })
            .expect("a card")
        };
        for (given, houses) in [("Maria", 1..13), ("Ottilie", 13..16)] {
            for card in houses.map(|house| called(given, house)) {
                let new = NewCustomer { external_id: None, card, groups: Vec::new() };
                shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone()))
                    .expect("a customer");
            }
        }
        let weight = |given: &'static str| {
            let card = called(given, 40);
            let told = shop.run(move |tx, _, world| {
                let rule = matching::in_force(tx)?;
                let person = matching::person_of(&card);
                let counted = rule.common.counted(tx, (world.keyring(), rule.number), person.clone())?;
                Ok(rules::compare(&rule.model, &counted, &person).steps)
            });
            let steps = told.expect("told");
            let of_given = |step: &&(Step, i32)| matches!(step.0, Step::Compared { field: Field::Given, .. });
            *steps.iter().find(of_given).expect("compared")
        };
        let before = weight("Maria").1;
        assert_eq!(before, weight("Ottilie").1, "who never learnt knows of no name how frequent it is");
        let actor = domain::actor::Actor::system();
        let clock = || shop.shop.source.now();
        bulk::learn(&shop.shop, &actor, 1, (&clock, &mut |_| Ok(()))).expect("learnt");
        set(shop, Some(1), false).expect("in force");
        let reason = |given| weight(given).0.reason();
        assert_eq!(reason("Maria"), "given_name: the same, as one in 1 has it", "twelve of fifteen");
        assert_eq!(reason("Ottilie"), "given_name: the same, as one in 2 has it", "under ten are not kept");
    });
}

fn started(shop: &TestShop, seed: i64) -> Result<training::Training, Failure> {
    shop.run(move |tx, actor, world| training::start(tx, actor, world, (Task::Learn, seed)))
}

fn stopped(shop: &TestShop, one: &training::Training) -> Result<training::Training, Failure> {
    let id = one.id;
    shop.run(move |tx, actor, world| training::stop(tx, actor, world, (Task::Learn, id)))
}

fn became(shop: &TestShop, one: &training::Training) -> training::Training {
    let id = one.id;
    shop.run(move |tx, actor, _| training::read(tx, actor, (Task::Learn, id))).expect("a training")
}

#[test]
fn a_model_is_learnt_beside_the_business_put_into_force_and_taken_back() {
    on_every_engine(|shop| {
        for written in [CHARLOTTE, AT_THE_TILL, HER_BROTHER, A_STRANGER] {
            signed_up(shop, written);
        }
        let crowd = std::thread::scope(|scope| {
            let all: Vec<_> = (0..6).map(|_| scope.spawn(|| started(shop, 7))).collect();
            all.into_iter().map(|one| one.join().expect("an answer")).collect::<Vec<_>>()
        });
        let (begun, refused): (Vec<_>, Vec<_>) = crowd.into_iter().partition(Result::is_ok);
        assert_eq!((begun.len(), refused.len()), (1, 5), "one at a time");
        assert!(refused.into_iter().all(|no| no.unwrap_err().code() == Some(Code::WrongState)));
        let one = begun.into_iter().next().expect("one").expect("begun");
        assert!(training::work(&shop.shop).expect("worked") && !training::work(&shop.shop).expect("worked"));
        let done = became(shop, &one);
        assert_eq!((done.state, done.number, done.customers), (TrainingState::Done, Some(1), 4));
        let figures: serde_json::Value =
            serde_json::from_str(done.figures.as_deref().expect("figures")).unwrap();
        assert_eq!(
            (&figures["model"], figures["compared"].as_u64().is_some_and(|pairs| pairs > 0)),
            (&0.into(), true)
        );
        assert_eq!(stopped(shop, &one).unwrap_err().code(), Some(Code::WrongState), "it is over");

        shop.pass(1);
        let again = started(shop, 7).expect("begun");
        assert!(training::work(&shop.shop).expect("worked"));
        let models = shop.run(|tx, actor, _| review::models(tx, actor, i64::MAX, 10)).expect("models");
        assert_eq!((models.len(), &models[0].parts), (2, &models[1].parts), "the same seed learns the same");
        assert_eq!(became(shop, &again).number, Some(2));
        let forced = set(shop, Some(2), false).expect("in force");
        assert_eq!((forced.model, forced.before), (Some(2), 0));
        let back = set(shop, Some(forced.before), false).expect("back");
        assert_eq!((back.model, back.before), (None, 2), "and there again");
        let known = shop.run(|tx, actor, _| review::model(tx, actor, 2)).expect("a model");
        assert_eq!((known.learnt.expect("learnt").customers, known.in_force.number), (4, 0));
    });
}

#[test]
fn a_training_is_stopped_and_one_that_is_cut_off_is_begun_anew_but_not_for_ever() {
    on_every_engine(|shop| {
        signed_up(shop, CHARLOTTE);
        let one = started(shop, 1).expect("begun");
        assert_eq!(stopped(shop, &one).expect("stopped").state, TrainingState::Stopped);
        assert!(!training::work(&shop.shop).expect("worked"), "nothing is left to do");
        shop.pass(1);
        let one = started(shop, 1).expect("the next one may begin");
        for _ in 0..training::TRIES_MAX {
            // A node takes it, and is never heard of again.
            let (taken, now) = (became(shop, &one), shop.shop.source.now());
            let claim = move |tx: &mut store::Tx<'_>| {
                Ok::<_, Failure>(rows::claim(tx, &taken, now, now.plus_seconds(60))?)
            };
            assert!(shop.shop.db.write(claim).expect("claimed"));
            assert!(!training::work(&shop.shop).expect("worked"), "it is somebody's");
            shop.pass(61);
        }
        assert!(!training::work(&shop.shop).expect("worked"));
        let ended = became(shop, &one);
        assert_eq!((ended.state, ended.number), (TrainingState::Failed, None));
        assert_eq!(ended.why.as_deref(), Some("it was cut off 3 times"));
        let nobody = crate::counter::only(&[Permission::Shop]);
        let refused =
            shop.run_as(&nobody, |tx, actor, world| training::start(tx, actor, world, (Task::Learn, 1)));
        assert_eq!(refused.unwrap_err().code(), Some(Code::Forbidden));
    });
}

/// A till that is trusted says in one breath what two customers are known by.
fn told_by_the_till(shop: &TestShop, till: &Source, (one, mail): (Id<Customer>, &'static str)) {
    let till = till.clone();
    let collected = shop.run(move |tx, _, world| {
        let said = Incoming {
            call: Call::Identify,
            name: None,
            message: None,
            identifiers: vec![(Kind::UserId, None, one.to_string()), (Kind::Email, None, mail.to_owned())],
            at: world.now(),
            body: incoming::body(None, None, None),
            fault: None,
        };
        behaviour::collect(tx, world, &till, &[said])
    });
    assert_eq!(collected.expect("collected").accepted, 1);
    shop.pass(1);
}

#[test]
fn who_shares_a_key_is_looked_at_or_merged_as_the_retailer_says() {
    on_every_engine(|shop| {
        let one = signed_up(shop, CHARLOTTE);
        let other = signed_up(shop, A_STRANGER);
        let third = signed_up(shop, HER_BROTHER);
        let (till, _) = shop
            .run(|tx, actor, world| {
                let (name, plan) = ("Till".to_owned(), Plan::default());
                let new = NewSource {
                    name,
                    kind: SourceKind::Server,
                    mode: SchemaMode::Accept,
                    plan,
                    channel: None,
                    countable: Vec::new(),
                    purpose: None,
                };
                source::create(tx, actor, world, new)
            })
            .expect("a source");
        for _ in 0..2 {
            told_by_the_till(shop, &till, (one, "omar@web.example"));
            work(shop);
        }
        let open = listed(shop, ReviewState::Open);
        assert_eq!(open.iter().map(|found| (found.one, found.other)).collect::<Vec<_>>(), [(one, other)]);
        assert_eq!((open[0].found_by, open[0].score), (Found::Key, 0));
        let steps =
            "a trusted source says that the customer of the one and the email of the other are one person's";
        assert_eq!(open[0].steps, format!("[[\"{steps}\",0]]"));
        let id = open[0].id;
        shop.run(move |tx, actor, world| review::reject(tx, actor, world, id)).unwrap();
        set(shop, None, true).expect("a rule");
        told_by_the_till(shop, &till, (one, "omar@web.example"));
        told_by_the_till(shop, &till, (one, "fred@web.example"));
        work(shop);
        assert_eq!(listed(shop, ReviewState::Open), [], "what was rejected stays rejected");
        let accepted = listed(shop, ReviewState::Accepted);
        let merge = accepted[0].merge.expect("a merge");
        let (merge, _) = shop.run(move |tx, actor, _| merging::read(tx, actor, merge)).unwrap();
        assert_eq!((merge.winner, merge.loser, merge.cause), (one, third, Cause::Rule));
        assert_eq!(merge.why, format!("match {}: they share a key", accepted[0].id));
    });
}
