//! The story of households: founded, joined by invitation, spent from by whom the programme lets, left, and taken apart.

use crate::club;
use crate::counter;
use std::thread;

use crate::club::{Club, another, by_points, club, release, terms};
use crate::counter::{DAY, cash, filled};
use domain::actor::Actor;
use domain::loyalty::household::{Leaving, Sharing, Spends, Tiers};
use domain::loyalty::programme::Terms;
use domain::loyalty::reward::{Gives, Terms as Reward};
use domain::loyalty::tier::{Downgrade, Ladder, Mark, Measure, Span, Tier};
use domain::promotion::limit::Period;
use domain::returns::Means;
use domain::timeline::Kind;
use domain::value::id::Customer;
use domain::value::{Id, Language, Money, Rate};
use domain::{Code, Refusal};
use engine::checkout::Tender;
use engine::loyalty::household::{self, Household};
use engine::loyalty::member::Member;
use engine::loyalty::{points, reward, tier};
use engine::timeline::{self, Asked};
use engine::{Failure, check, erasure};
use sim::{TestShop, on_every_engine};

pub const SHARING: Sharing = Sharing {
    members_max: 3,
    spends: Spends::Anyone,
    leaving: Leaving::Own,
    tiers: Tiers::Own,
    rejoin_days: 0,
};

pub fn shared(sharing: Sharing) -> Terms {
    Terms { pending_days: 0, sharing: Some(sharing), ..terms() }
}

pub fn of(shop: &TestShop, one: &Member) -> Member {
    let id = one.id;
    shop.read(move |tx| Ok(store::loyalty::member::find(tx, id)?)).expect("a read").expect("a member")
}

pub fn found(shop: &TestShop, one: &Member) -> Result<Household, Failure> {
    let one = one.clone();
    shop.run(move |tx, actor, world| household::found(tx, actor, world, &one))
}

pub fn invite(shop: &TestShop, head: &Member) -> Result<String, Failure> {
    let head = head.clone();
    shop.run(move |tx, actor, world| Ok(household::invite(tx, actor, world, &head)?.0))
}

pub fn join(shop: &TestShop, one: &Member, code: &str) -> Result<Household, Failure> {
    let (one, code) = (one.clone(), code.to_owned());
    shop.run(move |tx, actor, world| household::join(tx, actor, world, &one, &code))
}

pub fn leave(shop: &TestShop, one: &Member) -> Result<Household, Failure> {
    let one = one.clone();
    shop.run(move |tx, actor, world| household::leave(tx, actor, world, &one))
}

pub fn give(shop: &TestShop, one: &Member, points: i64) {
    let one = one.clone();
    shop.run(move |tx, actor, world| points::adjust(tx, actor, world, &one, (points, "goodwill".into())))
        .expect("given");
}

/// What a member can spend, has pending, and owes.
pub fn has(shop: &TestShop, one: &Member) -> (i64, i64, i64) {
    let (one, now) = (of(shop, one), shop.shop.source.now());
    let has = shop.read(move |tx| points::balance(tx, &one, now)).expect("a balance");
    (has.free, has.pending, has.owed)
}

/// Fifty points, and cash for the rest.
fn half_by_points() -> Vec<Tender> {
    by_points(Some(250)).into_iter().chain(cash()).collect()
}

/// Ada founds a household, and Bob joins it.
fn two(shop: &TestShop, club: &Club) -> Member {
    let bob = another(shop, club, "bob", None);
    found(shop, &club.member).expect("a household");
    let code = invite(shop, &club.member).expect("a code");
    join(shop, &bob, &code.to_lowercase()).expect("joined");
    bob
}

#[test]
fn members_earn_into_one_balance_and_spend_from_it() {
    on_every_engine(|shop| {
        let club = club(shop, shared(SHARING));
        give(shop, &club.member, 40);
        let bob = two(shop, &club);
        give(shop, &bob, 60);
        assert_eq!(
            (has(shop, &club.member).0, has(shop, &bob).0),
            (100, 100),
            "what both had is one balance"
        );
        let bought = counter::buy_for(shop, &club.till, &[(club.mug, 2)], cash(), Some(bob.customer));
        release(shop);
        assert_eq!(has(shop, &club.member), (110, 0, 0), "ten points for ten pounds");
        let paid = counter::buy_for(shop, &club.till, &[(club.mug, 1)], by_points(None), Some(club.ada));
        assert_eq!((paid.payments[0].points, has(shop, &bob).0), (Some(100), 10));
        // What earned points comes back: they were spent, so the household owes them.
        club::back(shop, &club, &bought, 2, Means::Original);
        assert_eq!(has(shop, &club.member), (0, 0, 0));
        club::back(shop, &club, &paid, 1, Means::Original);
        assert_eq!(
            (has(shop, &club.member).0, has(shop, &bob).0),
            (100, 100),
            "points come back to where they came from"
        );
        let one = bob.clone();
        let taken =
            shop.run(move |tx, actor, world| points::adjust(tx, actor, world, &one, (-30, "mistake".into())));
        taken.expect("taken from the household");
        assert_eq!(has(shop, &club.member).0, 70);
    });
}

#[test]
fn what_was_spent_and_earned_before_comes_back_to_the_household_as_a_debt() {
    on_every_engine(|shop| {
        let club = club(shop, shared(SHARING));
        let bought = counter::buy_for(shop, &club.till, &[(club.mug, 4)], cash(), Some(club.ada));
        let bob = two(shop, &club);
        assert_eq!(has(shop, &bob), (20, 0, 0));
        counter::buy_for(shop, &club.till, &[(club.mug, 1)], by_points(Some(100)), Some(bob.customer));
        assert_eq!(has(shop, &bob), (0, 0, 0));
        club::back(shop, &club, &bought, 4, Means::Original);
        assert_eq!(has(shop, &bob), (0, 0, 20), "Ada's debt is the household's");
        give(shop, &bob, 25);
        assert_eq!(has(shop, &club.member), (5, 0, 0));
    });
}

#[test]
fn two_who_spend_the_same_points_at_once_spend_them_once() {
    on_every_engine(|shop| {
        let club = club(shop, shared(SHARING));
        let bob = two(shop, &club);
        give(shop, &bob, 100);
        let both = [club.ada, bob.customer];
        let club = &club;
        let paid = thread::scope(|scope| {
            let tries: Vec<_> = (0..8)
                .map(|place| {
                    let whose = both[place % 2];
                    let cart = filled(shop, &club.till, &[(club.mug, 1)], Some(whose));
                    scope.spawn(move || club::order_as(shop, &Actor::system(), cart, by_points(Some(500))))
                })
                .collect();
            tries.into_iter().map(|one| one.join().expect("an answer")).collect::<Vec<_>>()
        });
        let (won, lost): (Vec<_>, Vec<_>) = paid.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), has(shop, &bob).0), (1, 0));
        assert!(lost.into_iter().all(|one| one.unwrap_err().code() == Some(Code::AmountExceeded)));
    });
}

#[test]
fn an_invitation_is_accepted_once_and_the_household_is_never_too_full() {
    on_every_engine(|shop| {
        let club = club(shop, shared(SHARING));
        found(shop, &club.member).unwrap();
        assert_eq!(found(shop, &club.member).unwrap_err().code(), Some(Code::WrongState), "one at a time");
        let codes = [invite(shop, &club.member).unwrap(), invite(shop, &club.member).unwrap()];
        let full = invite(shop, &club.member).unwrap_err().to_string();
        assert!(full.contains("1 members and 2 invitations"), "{full}");
        let others: Vec<Member> =
            ["bob", "cy", "di", "eve"].map(|name| another(shop, &club, name, None)).into();
        let (codes, all) = (&codes, &others);
        let joined = thread::scope(|scope| {
            let tries: Vec<_> = all
                .iter()
                .enumerate()
                .map(|(place, one)| scope.spawn(move || join(shop, one, &codes[place % 2])))
                .collect();
            tries.into_iter().map(|one| one.join().expect("an answer").is_ok()).collect::<Vec<_>>()
        });
        assert_eq!(joined.iter().filter(|joined| **joined).count(), 2, "{joined:?}");
        let late = others.iter().zip(&joined).find(|(_, joined)| !**joined).unwrap().0;
        let refused = join(shop, late, "H-NOBODY-HAS-THIS").unwrap_err();
        assert_eq!(refused.code(), Some(Code::NotFound));
        let inside = others.iter().zip(&joined).find(|(_, joined)| **joined).unwrap().0.clone();
        assert_eq!(invite(shop, &inside).unwrap_err().code(), Some(Code::Forbidden), "for the head");
        let (head, other) = (club.member.clone(), inside.id);
        shop.run(move |tx, actor, world| household::remove(tx, actor, world, (&head, other))).unwrap();
        let code = invite(shop, &club.member).unwrap();
        shop.pass(15 * DAY);
        assert_eq!(join(shop, late, &code).unwrap_err().code(), Some(Code::WrongState), "its time is over");
        let code = invite(shop, &club.member).unwrap();
        let head = club.member.clone();
        let ended =
            shop.run(move |tx, actor, world| household::end_invitations(tx, actor, world, &head)).unwrap();
        assert_eq!((ended.invitations, ended.parts.len()), (0, 2));
        assert!(join(shop, late, &code).is_err());
    });
}

#[test]
fn who_may_spend_is_said_by_the_programme_and_the_head() {
    on_every_engine(|shop| {
        let club = club(shop, shared(Sharing { spends: Spends::Chosen, ..SHARING }));
        let bob = two(shop, &club);
        give(shop, &bob, 300);
        let spend = |whose: Id<Customer>| {
            let cart = filled(shop, &club.till, &[(club.mug, 1)], Some(whose));
            club::order_as(shop, &Actor::system(), cart, by_points(Some(500)))
        };
        assert_eq!(spend(bob.customer).unwrap_err().code(), Some(Code::Forbidden));
        let (programme, gives) =
            (club.programme.id, Gives::StoreCredit(Money::new(500, counter::pounds()).unwrap()));
        let terms = Reward {
            name: "Five".into(),
            gives,
            points: 100,
            given_max: None,
            member_max: None,
            period: Period::Ever,
            tier: None,
            active: true,
        };
        let made = shop
            .run(move |tx, actor, world| {
                reward::create(tx, actor, world, (programme, "five".into()), terms.clone())
            })
            .unwrap();
        let redeem = |one: &Member| {
            let one = of(shop, one);
            shop.run(move |tx, actor, world| reward::redeem(tx, actor, world, &one, made.id))
        };
        assert_eq!(redeem(&bob).unwrap_err().code(), Some(Code::Forbidden));
        let allow = |may_spend: bool| {
            let (head, other) = (club.member.clone(), bob.id);
            shop.run(move |tx, actor, world| {
                household::let_spend(tx, actor, world, (&head, other), may_spend)
            })
            .unwrap()
        };
        assert!(allow(true).parts.iter().all(|part| part.may_spend));
        spend(bob.customer).unwrap();
        let given = redeem(&bob).unwrap();
        assert_eq!(has(shop, &club.member).0, 100);
        allow(false);
        assert_eq!(spend(bob.customer).unwrap_err().code(), Some(Code::Forbidden));
        leave(shop, &bob).unwrap();
        let one = of(shop, &bob);
        shop.run(move |tx, actor, world| reward::take_back(tx, actor, world, &one, given.id)).unwrap();
        assert_eq!(
            (has(shop, &club.member).0, has(shop, &bob).0),
            (100, 100),
            "to whose they were: what Bob brought in went with him"
        );
    });
}

#[test]
fn who_leaves_takes_what_the_programme_says_and_the_last_takes_all() {
    on_every_engine(|shop| {
        let club = club(shop, shared(Sharing { rejoin_days: 30, ..SHARING }));
        give(shop, &club.member, 100);
        let bob = two(shop, &club);
        shop.pass(DAY);
        give(shop, &bob, 60);
        // Ada's points expire first and are spent first.
        counter::buy_for(shop, &club.till, &[(club.mug, 1)], by_points(Some(500)), Some(bob.customer));
        let left = leave(shop, &club.member).unwrap();
        assert!(
            left.parts.len() == 1 && left.parts[0].member == bob.id && left.parts[0].is_head,
            "Bob is its head now"
        );
        assert_eq!((has(shop, &club.member).0, has(shop, &bob).0), (0, 60));
        let again = found(shop, &club.member).unwrap_err().to_string();
        assert!(again.contains("he may be in one again from"), "{again}");
        leave(shop, &bob).unwrap();
        assert_eq!(has(shop, &bob).0, 60, "the last takes all");
        assert_eq!(leave(shop, &bob).unwrap_err().code(), Some(Code::NotFound));
        shop.pass(31 * DAY);
        found(shop, &club.member).unwrap();
    });
}

#[test]
fn points_stay_where_the_programme_says_so_and_come_back_to_who_left_last() {
    on_every_engine(|shop| {
        let club = club(shop, shared(Sharing { leaving: Leaving::Stay, ..SHARING }));
        let bob = two(shop, &club);
        give(shop, &club.member, 100);
        let paid = counter::buy_for(shop, &club.till, &[(club.mug, 1)], half_by_points(), Some(club.ada));
        leave(shop, &club.member).unwrap();
        assert_eq!((has(shop, &club.member).0, has(shop, &bob).0), (0, 52), "with what the cash earned");
        leave(shop, &bob).unwrap();
        club::back(shop, &club, &paid, 1, Means::Original);
        assert_eq!(
            (has(shop, &club.member).0, has(shop, &bob).0),
            (0, 102),
            "the household is gone, Bob left it last"
        );
    });
}

#[test]
fn who_is_erased_leaves_the_points_to_the_others_and_alone_they_lapse() {
    on_every_engine(|shop| {
        let club = club(shop, shared(SHARING));
        let bob = two(shop, &club);
        give(shop, &club.member, 100);
        let paid = counter::buy_for(shop, &club.till, &[(club.mug, 1)], half_by_points(), Some(club.ada));
        let ada = club.ada;
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, ada).map(drop)).unwrap();
        assert_eq!(has(shop, &bob).0, 52, "what Ada brought in stays");
        let whose = bob.customer;
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, whose).map(drop)).unwrap();
        assert_eq!(has(shop, &bob).0, 0);
        club::back(shop, &club, &paid, 1, Means::Original);
        shop.run(points::expire_due).unwrap();
        assert_eq!(has(shop, &bob).0, 0, "what comes back lapses");
    });
}

#[test]
fn purchases_of_all_count_together_where_the_programme_says_so() {
    on_every_engine(|shop| {
        let entry = Mark { measure: Measure::Visits, currency: None, at_least: 3, span: Span::Year };
        let rate = Rate::from_parts_per_million(2 * Rate::WHOLE).unwrap();
        let (code, name, group) = ("gold".to_owned(), "Gold".to_owned(), Some("gold".to_owned()));
        let gold = Tier { code, name, entry, keep: entry, rate, group, return_days: 30 };
        let ladder = Ladder { tiers: vec![gold], grace_days: 0, downgrade: Downgrade::Earned, floor: None };
        let together = shared(Sharing { tiers: Tiers::Together, ..SHARING });
        let club = club(shop, Terms { ladder: Some(ladder), ..together });
        let bob = two(shop, &club);
        let buy = |whose| drop(counter::buy_for(shop, &club.till, &[(club.mug, 1)], cash(), Some(whose)));
        let reached = |one: &Member| {
            let (one, now) = (of(shop, one), shop.shop.source.now());
            shop.read(move |tx| tier::reached(tx, &one, now)).unwrap().tier.map(|(code, _)| code)
        };
        buy(club.ada);
        buy(bob.customer);
        assert_eq!(reached(&bob), None);
        buy(bob.customer);
        assert_eq!(
            (reached(&bob).as_deref(), reached(&club.member).as_deref()),
            (Some("gold"), Some("gold"))
        );
        let before = has(shop, &bob).0;
        buy(club.ada);
        assert_eq!(has(shop, &bob).0, before + 10, "twice as many points");
        let (now, ada) = (shop.shop.source.now(), club.ada);
        let brought = shop.read(move |tx| Ok(store::loyalty::tier::brought(tx, ada, now)?)).unwrap();
        assert!(brought.contains(&(Some("gold".into()), 30)), "{brought:?}");
        leave(shop, &bob).unwrap();
        assert_eq!((reached(&bob), reached(&club.member)), (None, None), "two visits each are not enough");
    });
}

#[test]
fn a_household_that_was_tampered_with_is_found() {
    on_every_engine(|shop| {
        let club = club(shop, shared(SHARING));
        let bob = two(shop, &club);
        give(shop, &bob, 10);
        // Whatever is planted is taken back by the refusal that tells what was found.
        let found = |plant: fn(Member) -> Member| {
            let bob = of(shop, &bob);
            let told = shop.run(move |tx, _, _| -> Result<(), Failure> {
                store::loyalty::member::update(tx, &plant(bob.clone()))?;
                let report = check::check(tx, [7; 32], &mut |_, _| {})?;
                let told: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
                Err(Refusal::new(Code::WrongState, told.join("; ")).into())
            });
            told.unwrap_err().to_string()
        };
        let told = found(|bob| Member { pool: None, ..bob });
        assert!(told.contains("found points that do not go into his household"), "{told}");
        let told = found(|bob| Member { pool: Some(bob.id), ..bob });
        assert!(told.contains("found points that go into a household he is not in"), "{told}");
    });
}

#[test]
fn what_happens_in_a_household_is_told_of_whoever_is_in_it() {
    on_every_engine(|shop| {
        let club = club(shop, shared(SHARING));
        let (bob, cleo) = (another(shop, &club, "bob", None), another(shop, &club, "cleo", None));
        found(shop, &club.member).expect("a household");
        shop.pass(60);
        let code = invite(shop, &club.member).expect("an invitation");
        join(shop, &bob, &code).expect("in it");
        shop.pass(60);
        leave(shop, &bob).expect("left");
        shop.pass(60);
        let code = invite(shop, &club.member).expect("an invitation");
        join(shop, &cleo, &code).expect("in it");
        let told = |of: &Member| {
            let id = of.customer;
            let asked = Asked {
                kinds: vec![Kind::Loyalty],
                channel: None,
                since: None,
                until: None,
                language: Language::parse("en").expect("a language"),
            };
            let found = shop.run(move |tx, actor, world| {
                timeline::read(tx, actor, world, (id, &asked), (timeline::NEWEST, 50))
            });
            let mut codes: Vec<String> = found.expect("a line").into_iter().map(|one| one.code).collect();
            codes.retain(|code| code.starts_with("household."));
            codes.reverse();
            codes.join(" ")
        };
        let (founded, joined, left) = ("household.founded", "household.joined", "household.left");
        assert_eq!(told(&club.member), [founded, joined, joined, left, joined].join(" "));
        assert_eq!(told(&bob), format!("{joined} {left}"), "what happened after he left is not his");
        assert_eq!(told(&cleo), joined);
    });
}
