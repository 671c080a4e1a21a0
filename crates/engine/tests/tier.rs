//! The story of tiers: reached by what counts, with what they bring, lost when it does not count any more, never by more than the terms say.

use crate::club;
use crate::club::{Club, back, club, terms};
use crate::counter;
use crate::counter::{DAY, cash};
use domain::Refusal;
use domain::actor::Actor;
use domain::loyalty::programme::Terms;
use domain::loyalty::tier::{Downgrade, Ladder, Mark, Measure, Span, Tier};
use domain::returns::Means;
use domain::returns::policy::{Scope, Terms as PolicyTerms};
use domain::value::Rate;
use domain::{Code, loyalty::tier::Why};
use engine::insight::trial;
use engine::loyalty::{points, programme, tier};
use engine::{Failure, check, erasure};
use sim::{TestShop, on_every_engine};
use store::loyalty::tier as rows;

fn a_tier(code: &str, at_least: i64, span: Span) -> Tier {
    let entry = Mark { measure: Measure::Points, currency: None, at_least, span };
    let rate = Rate::from_parts_per_million(2 * Rate::WHOLE).expect("a rate");
    Tier {
        code: code.into(),
        name: code.to_uppercase(),
        entry,
        keep: entry,
        rate,
        group: Some(code.into()),
        return_days: 5,
    }
}

/// Silver for 10 points, gold for 30, within six months; ten days of grace.
pub fn ladder() -> Ladder {
    let span = Span::Months(6);
    Ladder {
        tiers: vec![a_tier("silver", 10, span), a_tier("gold", 30, span)],
        grace_days: 10,
        downgrade: Downgrade::Earned,
        floor: None,
    }
}

fn with_tiers(ladder: Ladder) -> Terms {
    Terms { pending_days: 0, ladder: Some(ladder), ..terms() }
}

fn tier_of(shop: &TestShop, club: &Club) -> Option<String> {
    reached(shop, club).tier.map(|(code, _)| code)
}

fn reached(shop: &TestShop, club: &Club) -> tier::Reached {
    let (member, now) = (club.member.clone(), shop.shop.source.now());
    shop.read(move |tx| tier::reached(tx, &member, now)).expect("a tier")
}

/// What became of the tier, the first first.
fn history(shop: &TestShop, club: &Club) -> Vec<(Option<String>, Why)> {
    let member = club.member.clone();
    let found = shop.read(move |tx| tier::history(tx, &member, i64::MAX, 50)).expect("a history");
    found.into_iter().rev().map(|one| (one.after, one.why)).collect()
}

fn review(shop: &TestShop) {
    shop.run(tier::review_due).expect("reviewed");
}

fn some(code: &str) -> Option<String> {
    Some(code.to_owned())
}

#[test]
fn a_tier_is_reached_by_what_left_and_lost_by_what_comes_back_or_ages() {
    on_every_engine(|shop| {
        let club = club(shop, with_tiers(ladder()));
        let next = reached(shop, &club).next.unwrap();
        assert_eq!((next.code.as_str(), next.measured), ("silver", 0));
        club.buy(shop, 1, cash());
        assert_eq!(tier_of(shop, &club), None);
        let second = club.buy(shop, 1, cash());
        assert_eq!(tier_of(shop, &club), some("silver"));
        let third = club.buy(shop, 2, cash());
        assert_eq!(club.has(shop).0, 30, "silver earns twice: 5, 5, 20");
        assert_eq!((tier_of(shop, &club), reached(shop, &club).next), (some("gold"), None));
        back(shop, &club, &third, 1, Means::Original);
        let warned = reached(shop, &club);
        let falls_at = warned.falls_at.expect("ten days of grace");
        assert_eq!(warned.tier.map(|(code, _)| code), some("gold"));
        assert_eq!(falls_at.micros() - shop.shop.source.now().micros(), 10 * DAY * 1_000_000);
        shop.pass(10 * DAY - 1);
        review(shop);
        assert_eq!(tier_of(shop, &club), some("gold"));
        shop.pass(3 * DAY);
        review(shop);
        let fallen = reached(shop, &club);
        assert_eq!(
            (fallen.tier, fallen.since),
            (Some(("silver".into(), "SILVER".into())), Some(falls_at)),
            "to the instant"
        );
        back(shop, &club, &second, 1, Means::Original);
        assert_eq!(tier_of(shop, &club), some("silver"), "5 + 10 are enough");
        shop.pass(200 * DAY);
        review(shop);
        review(shop);
        assert_eq!(tier_of(shop, &club), None, "six months and the grace are over");
        let told = [
            (some("silver"), Why::Reached),
            (some("gold"), Why::Reached),
            (some("silver"), Why::Fell),
            (None, Why::Fell),
        ];
        assert_eq!(history(shop, &club), told);
    });
}

#[test]
fn what_is_given_and_taken_by_hand_counts_and_another_version_judges_again() {
    on_every_engine(|shop| {
        let club = club(shop, with_tiers(Ladder { grace_days: 0, ..ladder() }));
        let (member, id) = (club.member.clone(), club.programme.id);
        shop.run(move |tx, actor, world| points::give(tx, actor, world, &member, "signed_up")).unwrap();
        shop.pass(1);
        assert_eq!(tier_of(shop, &club), some("silver"));
        club.adjust(shop, 10).unwrap();
        assert_eq!(tier_of(shop, &club), some("gold"));
        shop.pass(1);
        club.adjust(shop, -1).unwrap();
        assert_eq!(tier_of(shop, &club), some("silver"));
        let easier = Ladder { tiers: vec![a_tier("gold", 25, Span::Year)], ..ladder() };
        let write = |ladder: Option<Ladder>| {
            let terms = Terms { ladder, ..terms() };
            let number = shop
                .run(move |tx, actor, world| programme::write(tx, actor, world, id, terms.clone()))
                .unwrap()
                .number;
            shop.run(move |tx, actor, world| programme::activate(tx, actor, world, (id, number), None))
                .unwrap();
            shop.pass(1);
            review(shop);
        };
        write(Some(easier));
        assert_eq!(tier_of(shop, &club), some("gold"));
        write(None);
        assert_eq!(tier_of(shop, &club), None);
        let told = [some("silver"), some("gold"), some("silver"), some("gold"), None];
        let why = [Why::Reached, Why::Reached, Why::Fell, Why::Rules, Why::Rules];
        assert_eq!(history(shop, &club), told.into_iter().zip(why).collect::<Vec<_>>());
    });
}

#[test]
fn a_tier_brings_its_group_and_longer_windows() {
    on_every_engine(|shop| {
        let club = club(shop, with_tiers(ladder()));
        let week = PolicyTerms { window_days: Some(7), ..PolicyTerms::open() };
        counter::written(shop, "week", Scope::default(), week);
        let bought = club.buy(shop, 2, cash());
        let (ada, now) = (club.ada, shop.shop.source.now());
        let brought = shop.read(move |tx| Ok(rows::brought(tx, ada, now)?)).unwrap();
        assert_eq!(brought, [(some("silver"), 5)]);
        shop.pass(11 * DAY);
        back(shop, &club, &bought, 1, Means::Original);
        shop.pass(2 * DAY);
        let late = counter::a_back(
            &club.retailer,
            &bought,
            0,
            (1, domain::returns::Condition::Resellable),
            counter::by(Means::Original),
        );
        assert_eq!(counter::bring(shop, late).unwrap_err().code(), Some(Code::PolicyRefuses));
    });
}

#[test]
fn who_is_erased_is_a_member_no_more_and_what_he_had_lapses() {
    on_every_engine(|shop| {
        let club = club(shop, Terms { pending_days: 14, ..with_tiers(ladder()) });
        club.adjust(shop, 140).unwrap();
        let paid = club.buy(shop, 1, club::by_points(None));
        club.buy(shop, 1, cash());
        let (ada, programme) = (club.ada, club.programme.id);
        let erase = || shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, ada).map(drop));
        erase().unwrap();
        erase().unwrap();
        assert_eq!(club.has(shop).0, 0);
        back(shop, &club, &paid, 1, Means::Original);
        shop.pass(14 * DAY);
        club::release(shop);
        shop.run(points::expire_due).unwrap();
        assert_eq!(club.has(shop), (0, 0, 0, 0), "what comes later lapses as it comes");
        let joins = shop
            .run(move |tx, actor, world| engine::loyalty::member::enrol(tx, actor, world, programme, ada));
        assert_eq!(joins.unwrap_err().code(), Some(Code::WrongState));
        let now = shop.shop.source.now();
        assert_eq!(shop.read(move |tx| Ok(rows::brought(tx, ada, now)?)).unwrap(), []);
    });
}

#[test]
fn a_tier_or_a_count_that_was_tampered_with_is_found() {
    on_every_engine(|shop| {
        let club = club(shop, with_tiers(ladder()));
        let order = club.buy(shop, 2, cash()).order.id;
        let of = club.member.id;
        // Whatever is planted is taken back by the refusal that tells what was found.
        let found = |plant: fn(&mut rows::Standing, &mut domain::loyalty::tier::Counted)| {
            let told = shop.run(move |tx, _: &Actor, _| -> Result<(), Failure> {
                let mut standing = rows::find(tx, of)?.expect("a standing");
                let mut counted = rows::find_counted(tx, of, order.bytes())?.expect("a count");
                plant(&mut standing, &mut counted);
                rows::put(tx, &standing)?;
                rows::set_counted(tx, of, (order.bytes(), None), &counted)?;
                let report = check::check(tx, [7; 32], &mut |_, _| {})?;
                let told: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
                Err(Refusal::new(Code::WrongState, told.join("; ")).into())
            });
            told.unwrap_err().to_string()
        };
        let told = found(|_, counted| counted.points += 1);
        let order =
            format!("counted: {order} of {of}: expected 10 points, 1000 minor units, 1 visits, found 11");
        assert!(told.contains(&order), "{told}");
        let told = found(|_, counted| counted.points = 30);
        assert!(
            told.contains(&format!("tiers: {of}: expected gold, which was earned, found silver")),
            "{told}"
        );
        let told = found(|standing, _| standing.tier = Some("gold".into()));
        assert!(
            told.contains("expected silver, found gold") && told.contains("expected a lower tier"),
            "{told}"
        );
    });
}

#[test]
fn a_draft_is_tried_on_past_orders_and_nothing_is_written() {
    on_every_engine(|shop| {
        let club = club(shop, with_tiers(ladder()));
        let from = shop.shop.source.now();
        club.buy(shop, 2, cash());
        let second = club.buy(shop, 1, cash());
        shop.pass(1);
        club.buy(shop, 1, cash());
        back(shop, &club, &second, 1, Means::Original);
        shop.pass(1);
        let (id, has) = (club.programme.id, club.has(shop));
        let mut draft = Terms { ladder: None, ..terms() };
        draft.earnings[0].points = 2;
        let number = shop
            .run(move |tx, actor, world| programme::write(tx, actor, world, id, draft.clone()))
            .unwrap()
            .number;
        let until = shop.shop.source.now();
        let tried = move |number: i64, until| {
            let now = shop.shop.source.now();
            shop.read(move |tx| {
                let asked = trial::Asked { programme: id, number, from, until };
                let mut trial = trial::begin(tx, &Actor::system(), now, asked)?;
                while trial::go_on(tx, &mut trial)? {}
                Ok(trial)
            })
        };
        let trial = tried(number, until).unwrap();
        assert_eq!((trial.orders, trial.is_whole), (3, true));
        assert_eq!(
            (trial.now.points(), trial.then.points()),
            (20, 30),
            "10 and 10 with silver; 20 and 10 without"
        );
        assert_eq!((trial.now.worth["GBP"], trial.then.worth["GBP"]), (100, 150));
        let tiers: Vec<_> =
            trial.now.tiers.iter().map(|(tier, share)| (tier.clone(), share.orders, share.points)).collect();
        assert_eq!(tiers, [(None, 1, 10), (some("silver"), 1, 10)]);
        assert_eq!(trial.now.points(), has.0, "as it was");
        assert_eq!(club.has(shop), has);
        assert_eq!(tried(number, from).unwrap_err().code(), Some(Code::Invalid));
        assert_eq!(tried(9, until).unwrap_err().code(), Some(Code::NotFound));
    });
}
