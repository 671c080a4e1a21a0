//! The story of what customers write of themselves: it joins nobody without a look, however sure the model is. And of pairs that wait: scored anew when
//! a contact changes, left to a colleague when they cannot be merged, and found all at once while the shop is open.

use crate::club::club;
use crate::counter::work;
use crate::household::{SHARING, found, invite, join, shared};
use crate::matching::{A_STRANGER, AT_THE_TILL, CHARLOTTE, Written, card, listed, moved, set, signed_up};
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::contact::{Card, Draft};
use domain::customer::matching::Band;
use domain::customer::matching::review::{Held, ReviewState};
use domain::loyalty::household::Sharing;
use domain::merging::{Cause, Task, TrainingState};
use domain::value::id::Customer;
use domain::value::{Email, Id, Reference};
use engine::customer::{self, Change, NewCustomer};
use engine::loyalty::member::{self, Member};
use engine::merging::review::Review;
use engine::merging::{self, review, training};
use engine::sign_in::{self, SignIn};
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

/// Charlotte as the till knows her: the same name, street and phone, and no address for mail.
const THE_SAME: Written = (CHARLOTTE.0, CHARLOTTE.1, CHARLOTTE.2, "");
const OWN_ADDRESS: &str = "charlotte@own.example";

/// Somebody signs in on the storefront with an address of her own.
fn came(shop: &TestShop) -> Id<Customer> {
    let retailer = Retailer::open(shop, &["leeds"]);
    let channel = retailer.channel(shop, a_channel("web", retailer.market, retailer.network)).id;
    let permissions = Permissions::of(&[Permission::Shop, Permission::ReadCatalogue]);
    let grants = vec![Grant { location: None, permissions }];
    let storefront = Actor { who: Who::Guest, channel: Some(channel), grants };
    let email = Email::parse(OWN_ADDRESS).expect("an address");
    let to = email.clone();
    shop.run_as(&storefront, move |tx, actor, world| sign_in::ask(tx, actor, world, (&to, None)).map(drop))
        .expect("a code");
    let (keyring, since) = (shop.shop.keyring.clone(), shop.shop.source.now().plus_seconds(-60));
    let hash = keyring.lookup_hash("email", &email.lookup_form());
    let codes = shop.read(move |tx| Ok(store::sign_in::codes(tx, &hash, since, 1)?)).expect("codes");
    let code = keyring.one_time_code(&codes[0].id.bytes());
    let (channel, name) = (Reference::Id(channel), Some("Charlotte Winterbourne".into()));
    let asked = SignIn { email, code, channel, cart: None, name };
    let opened = shop.run_as(&storefront, move |tx, actor, world| sign_in::open(tx, actor, world, &asked));
    opened.expect("an answer").expect("signed in").customer
}

/// A customer writes a contact of herself.
fn wrote(shop: &TestShop, id: Id<Customer>, written: Written) {
    let version = shop.read(move |tx| customer::load(tx, id)).expect("a customer").version;
    let herself = Actor { who: Who::Customer(id), channel: None, grants: Vec::new() };
    let changed = shop.run_as(&herself, move |tx, actor, world| {
        let change = Change { card: Some(card(written)), groups: None, if_match: Some(version), shown: None };
        customer::update(tx, actor, world, id, change)
    });
    changed.expect("a change");
    shop.pass(1);
}

fn has_own_word(shop: &TestShop, id: Id<Customer>) -> bool {
    let own = shop.read(move |tx| Ok(store::customer::matching::own_words(tx, &[id])?));
    !own.expect("an answer").is_empty()
}

fn became(shop: &TestShop, id: Id<Customer>) -> Option<Id<Customer>> {
    shop.read(move |tx| customer::load(tx, id)).expect("a customer").merged_into
}

/// The pair that waits.
fn the_open(shop: &TestShop) -> Review {
    let open = listed(shop, ReviewState::Open);
    assert_eq!(open.len(), 1, "{open:?}");
    open[0].clone()
}

#[test]
fn who_writes_anothers_name_into_his_own_contact_becomes_nobody_else() {
    on_every_engine(|shop| {
        set(shop, None, true).expect("a rule");
        let victim = signed_up(shop, THE_SAME);
        shop.pass(1);
        let attacker = came(shop);
        assert!(has_own_word(shop, attacker), "who comes by herself says her name herself");
        let (name, street, phone, _) = CHARLOTTE;
        let stolen = (name, street, phone, OWN_ADDRESS);
        wrote(shop, attacker, stolen);
        work(shop);
        let waits = the_open(shop);
        assert_eq!((waits.one, waits.other, waits.band), (victim, attacker, Band::Automatic));
        let why = format!("the contact of customer {attacker} is what the customer wrote; nobody checked it");
        assert_eq!(waits.held, Some((Held::OwnWord, why)));
        assert_eq!((became(shop, attacker), became(shop, victim)), (None, None));
        // Neither when all are compared, nor when the victim's contact changes.
        compared(shop);
        moved(shop, victim, THE_SAME);
        work(shop);
        assert_eq!((the_open(shop).id, became(shop, attacker)), (waits.id, None));
        // A colleague who saw her papers writes the contact.
        moved(shop, attacker, stolen);
        assert!(!has_own_word(shop, attacker));
        work(shop);
        assert_eq!(became(shop, attacker), Some(victim));
        assert_eq!(listed(shop, ReviewState::Accepted)[0].id, waits.id);
    });
}

#[test]
fn who_waits_is_scored_anew_when_a_contact_changes() {
    on_every_engine(|shop| {
        let one = signed_up(shop, CHARLOTTE);
        shop.pass(1);
        let other = signed_up(shop, AT_THE_TILL);
        work(shop);
        let first = the_open(shop);
        shop.pass(1);
        moved(shop, other, (A_STRANGER.0, A_STRANGER.1, A_STRANGER.2, AT_THE_TILL.3));
        work(shop);
        assert_eq!(listed(shop, ReviewState::Open), [], "two who are not alike");
        let gone = listed(shop, ReviewState::Withdrawn);
        assert_eq!((gone.len(), gone[0].id), (1, first.id));
        assert!(gone[0].score < first.score && gone[0].band == Band::None);
        moved(shop, other, AT_THE_TILL);
        work(shop);
        let again = the_open(shop);
        assert_eq!((again.id, again.score, &again.steps), (first.id, first.score, &first.steps));
        set(shop, None, true).expect("a rule");
        moved(shop, other, THE_SAME);
        work(shop);
        let joined = listed(shop, ReviewState::Accepted);
        assert_eq!((joined[0].id, became(shop, other)), (first.id, Some(one)), "surer, and joined");
        assert!(joined[0].score > first.score);
        // What a colleague decided is not asked again.
        shop.pass(1);
        let merge = joined[0].merge.expect("a merge");
        shop.run(move |tx, actor, world| merging::undo(tx, actor, world, merge)).expect("undone");
        moved(shop, other, THE_SAME);
        work(shop);
        assert_eq!((listed(shop, ReviewState::Open), became(shop, other)), (Vec::new(), None));
    });
}

#[test]
fn who_cannot_be_merged_is_left_to_a_colleague_with_the_reason() {
    on_every_engine(|shop| {
        let club = club(shop, shared(Sharing { members_max: 2, ..SHARING }));
        let enrolled = |customer| -> Member {
            let programme = club.programme.id;
            shop.run(move |tx, actor, world| member::enrol(tx, actor, world, programme, customer))
                .expect("a member")
        };
        let at_home = |one: Id<Customer>, with: Written| {
            let (head, other) = (enrolled(one), enrolled(signed_up(shop, with)));
            found(shop, &head).expect("a household");
            let code = invite(shop, &head).expect("an invitation");
            join(shop, &other, &code).expect("in it");
        };
        let one = signed_up(shop, CHARLOTTE);
        at_home(one, A_STRANGER);
        shop.pass(1);
        let other = signed_up(shop, ("Ottilie Marsh", "9 Foundry Row", None, ""));
        at_home(other, ("Percival Stone", "9 Foundry Row", None, ""));
        set(shop, None, true).expect("a rule");
        shop.pass(1);
        moved(shop, other, THE_SAME);
        work(shop);
        let waits = the_open(shop);
        let (by, why) = waits.held.expect("held");
        assert_eq!((waits.one, waits.other, by), (one, other, Held::Refused));
        assert!(why.contains("would have 3 members, and 2 may be"), "{why}");
        let last = Id::from_bytes([0; 16]);
        for dead in [false, true] {
            let left =
                shop.run(move |tx, actor, _| engine::job::list(tx, actor, dead, last, 50)).expect("jobs");
            assert!(left.iter().all(|job| !job.kind.starts_with("customer.")), "{left:?}");
        }
    });
}

/// All are compared while the shop is open.
fn compared(shop: &TestShop) -> serde_json::Value {
    let one = shop.run(|tx, actor, world| training::start(tx, actor, world, (Task::Compare, 0)));
    let id = one.expect("begun").id;
    assert!(training::work(&shop.shop).expect("worked"));
    let done = shop.run(move |tx, actor, _| training::read(tx, actor, (Task::Compare, id))).expect("it");
    assert_eq!(done.state, TrainingState::Done, "{done:?}");
    let unlike = shop.run(move |tx, actor, _| training::read(tx, actor, (Task::Learn, id)));
    assert!(unlike.is_err(), "it is no training");
    work(shop);
    serde_json::from_str(done.figures.as_deref().expect("figures")).expect("a document")
}

/// Many of other names, streets and numbers: among few people nobody's name is rare.
fn many_others(shop: &TestShop) {
    let word = |number: u64| -> String {
        (0..3)
            .map(|place| {
                ["ba", "ce", "di", "fo", "gu", "ha", "ke", "li", "mo", "nu"]
                    [(number / 10_u64.pow(place) % 10) as usize]
            })
            .collect()
    };
    let made = shop.run(move |tx, actor, world| {
        for number in 0..150 {
            let (given, family) = (word(number * 331 % 1_000), word(number * 577 % 1_000));
            let draft = Draft {
                name: Some(format!("{given} {family}")),
                street: vec![format!("{number} {family} road")],
                postal_code: Some(format!("M{} {}AB", number / 10, number % 10)),
                city: Some(word(number * 173 % 1_000)),
                country: Some("GB".into()),
                ..Draft::default()
            };
            let new = NewCustomer { external_id: None, card: Card::new(&draft)?, groups: Vec::new() };
            customer::create(tx, actor, world, new)?;
        }
        Ok(())
    });
    made.expect("customers");
}

#[test]
fn all_are_compared_while_the_shop_is_open_and_joined_as_the_retailer_says() {
    on_every_engine(|shop| {
        many_others(shop);
        let one = signed_up(shop, CHARLOTTE);
        let stranger = signed_up(shop, A_STRANGER);
        shop.pass(1);
        let other = signed_up(shop, THE_SAME);
        let own = signed_up(shop, (A_STRANGER.0, A_STRANGER.1, A_STRANGER.2, ""));
        wrote(shop, own, (A_STRANGER.0, A_STRANGER.1, A_STRANGER.2, ""));
        let told = compared(shop);
        let counted = |told: &serde_json::Value| {
            ["automatic", "joining", "held"].map(|field| told[field].as_u64().expect("a number"))
        };
        assert_eq!(counted(&told), [2, 0, 0], "shown, as long as the retailer says nothing");
        assert_eq!((became(shop, other), became(shop, own)), (None, None));
        shop.pass(1);
        set(shop, None, true).expect("a rule");
        assert_eq!(counted(&compared(shop)), [2, 1, 1]);
        assert_eq!((became(shop, other), became(shop, own)), (Some(one), None));
        let waits = listed(shop, ReviewState::Open);
        let waits = waits.into_iter().find(|one| (one.one, one.other) == (stranger, own)).expect("the pair");
        assert_eq!(waits.held.map(|(by, _)| by), Some(Held::OwnWord));
        let merge = listed(shop, ReviewState::Accepted)[0].merge.expect("a merge");
        let (merge, _) = shop.run(move |tx, actor, _| merging::read(tx, actor, merge)).expect("a merge");
        assert_eq!(merge.cause, Cause::System);
        let id = waits.id;
        shop.run(move |tx, actor, world| review::accept(tx, actor, world, id)).expect("a colleague may");
        shop.pass(1);
        assert_eq!(counted(&compared(shop)), [0, 0, 0], "nobody is left");
    });
}
