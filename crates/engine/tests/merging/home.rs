//! Two customers who are one person, and their households: one takes the other's place, or two households become one, and are parted again.

use super::{enrolled, merge, preview, rows, signed_up, undo};
use crate::club::{Club, club};
use crate::household::{SHARING, found, give, has, invite, join, leave, of, shared};
use domain::Code;
use domain::loyalty::household::Sharing;
use domain::merging::Part;
use domain::value::Id;
use domain::value::id::Customer;
use engine::loyalty::member::Member;
use sim::{TestShop, on_every_engine};

/// Somebody who takes part.
fn person(shop: &TestShop, club: &Club, name: &'static str) -> (Id<Customer>, Member) {
    let customer = signed_up(shop, name, &[]);
    (customer, enrolled(shop, club, customer))
}

/// A household of two, with points of each.
fn home(shop: &TestShop, head: &Member, other: &Member, points: i64) {
    found(shop, head).expect("a household");
    let code = invite(shop, head).expect("an invitation");
    join(shop, other, &code).expect("in it");
    give(shop, head, points);
    give(shop, other, points + 1);
}

fn four() -> Sharing {
    Sharing { members_max: 4, ..SHARING }
}

/// Who is in the household of a member, and who is its head.
fn people(shop: &TestShop, one: &Member) -> Vec<(Id<domain::value::id::Member>, bool)> {
    let pool = of(shop, one).pool.expect("a household");
    let parts = shop.read(move |tx| Ok(store::loyalty::household::parts(tx, pool)?)).expect("parts");
    parts.iter().map(|part| (part.member, part.is_head)).collect()
}

#[test]
fn two_households_become_one_and_are_two_again_row_for_row() {
    on_every_engine(|shop| {
        let club = club(shop, shared(four()));
        let (ada, bob) = (club.member.clone(), person(shop, &club, "bob").1);
        let ((also, eve), (_, carol)) = (person(shop, &club, "eve"), person(shop, &club, "carol"));
        home(shop, &ada, &bob, 10);
        home(shop, &eve, &carol, 100);
        shop.pass(60);
        let before = rows::all(shop);
        let seen = preview(shop, club.ada, also);
        assert_eq!((seen.refused, seen.moved[&Part::Household], seen.moved[&Part::Membership]), (None, 1, 1));
        rows::must_be_equal(&before, &rows::all(shop));
        let merged = merge(shop, club.ada, also).expect("merged");
        let mut there = people(shop, &ada);
        there.sort_unstable();
        let mut whole = vec![(ada.id, true), (bob.id, false), (carol.id, false)];
        whole.sort_unstable();
        assert_eq!(there, whole, "one household with the head of the customer who stays");
        assert_eq!(of(shop, &carol).pool, of(shop, &ada).pool);
        for one in [&ada, &bob, &carol] {
            assert_eq!(has(shop, one), (222, 0, 0), "all of it is everybody's");
        }
        let undone = undo(shop, &merged).expect("undone");
        assert_eq!(undone.missing, []);
        rows::must_be_equal(&before, &rows::all(shop));
    });
}

#[test]
fn who_is_in_none_takes_the_others_place() {
    on_every_engine(|shop| {
        let club = club(shop, shared(four()));
        let ((also, eve), (_, carol)) = (person(shop, &club, "eve"), person(shop, &club, "carol"));
        home(shop, &eve, &carol, 100);
        give(shop, &club.member, 7);
        shop.pass(60);
        let before = rows::all(shop);
        let merged = merge(shop, club.ada, also).expect("merged");
        assert!(people(shop, &carol).contains(&(club.member.id, true)), "the head is the head");
        assert_eq!(people(shop, &carol).len(), 2);
        assert_eq!((has(shop, &club.member), has(shop, &carol)), ((208, 0, 0), (208, 0, 0)));
        undo(shop, &merged).expect("undone");
        rows::must_be_equal(&before, &rows::all(shop));
        // And so does who takes no part at all.
        let nobody = signed_up(shop, "zoe", &[]);
        let before = rows::all(shop);
        let merged = merge(shop, nobody, also).expect("merged");
        assert_eq!((people(shop, &carol).len(), has(shop, &carol)), (2, (201, 0, 0)));
        undo(shop, &merged).expect("undone");
        rows::must_be_equal(&before, &rows::all(shop));
    });
}

#[test]
fn two_of_one_household_are_one_in_it() {
    on_every_engine(|shop| {
        let club = club(shop, shared(four()));
        let (also, eve) = person(shop, &club, "eve");
        home(shop, &eve, &club.member, 50);
        shop.pass(60);
        let before = rows::all(shop);
        let merged = merge(shop, club.ada, also).expect("merged");
        assert_eq!(
            (people(shop, &club.member), has(shop, &club.member)),
            (vec![(club.member.id, true)], (101, 0, 0))
        );
        undo(shop, &merged).expect("undone");
        rows::must_be_equal(&before, &rows::all(shop));
        assert_eq!(people(shop, &eve).len(), 2);
    });
}

#[test]
fn more_than_may_be_in_one_is_refused_and_said_before() {
    on_every_engine(|shop| {
        let club = club(shop, shared(Sharing { members_max: 2, ..SHARING }));
        let bob = person(shop, &club, "bob").1;
        let ((also, eve), (_, carol)) = (person(shop, &club, "eve"), person(shop, &club, "carol"));
        home(shop, &club.member, &bob, 10);
        home(shop, &eve, &carol, 100);
        let refused = preview(shop, club.ada, also).refused.expect("a refusal");
        assert_eq!(refused.code(), Code::WrongState);
        assert!(refused.message().contains("would have 3 members, and 2 may be"), "{}", refused.message());
        let failure = merge(shop, club.ada, also).unwrap_err();
        assert_eq!(failure.code(), Some(Code::WrongState));
        leave(shop, &carol).expect("left");
        merge(shop, club.ada, also).expect("two are in it");
    });
}

#[test]
fn what_happened_meanwhile_is_heeded() {
    on_every_engine(|shop| {
        let club = club(shop, shared(four()));
        let (ada, bob) = (club.member.clone(), person(shop, &club, "bob").1);
        let ((also, eve), (_, carol)) = (person(shop, &club, "eve"), person(shop, &club, "carol"));
        home(shop, &ada, &bob, 10);
        home(shop, &eve, &carol, 100);
        let merged = merge(shop, club.ada, also).expect("merged");
        shop.pass(60);
        give(shop, &carol, 5);
        give(shop, &ada, -20);
        let undone = undo(shop, &merged).expect("undone");
        assert_eq!(undone.missing, [], "what was spent was of the household that stays");
        assert_eq!((has(shop, &carol), has(shop, &eve)), ((206, 0, 0), (206, 0, 0)), "with what came since");
        assert_eq!(has(shop, &bob), (1, 0, 0));
        // More is spent than the one household had: what is missing of the other is named.
        let merged = merge(shop, club.ada, also).expect("merged");
        shop.pass(60);
        give(shop, &bob, -50);
        leave(shop, &carol).expect("left");
        let undone = undo(shop, &merged).expect("undone");
        assert!(undone.missing.iter().map(|one| one.amount).sum::<i64>() > 0, "{:?}", undone.missing);
        assert_eq!(people(shop, &eve), [(eve.id, true)], "who left meanwhile is in none");
        assert_eq!(of(shop, &carol).pool, None);
        let all = [&bob, &carol, &eve].map(|one| has(shop, one).0).iter().sum::<i64>();
        assert_eq!(all, 1 + 206 - 50, "nothing is lost and nothing is new");
    });
}
