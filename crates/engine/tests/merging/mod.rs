//! The story of two customers who are one person: merged with all they have, seen as one everywhere, and parted again as if nothing had been.

mod home;
pub mod rows;

use crate::club::{Club, back, by_points, club, release, terms};
use crate::counter;
use crate::counter::{cash, filled, pounds, read};
use domain::Code;
use domain::actor::{Actor, Permission};
use domain::contact::{Card, Draft};
use domain::loyalty::programme::Terms;
use domain::loyalty::tier::{Downgrade, Ladder, Mark, Measure, Span, Tier};
use domain::market::PaymentKind;
use domain::merging::{Cause, Part};
use domain::promotion::limit::{Limit, Period, Scope};
use domain::returns::Means;
use domain::value::id::{self, Customer};
use domain::value::{Id, Money, Rate, Reference};
use engine::cart;
use engine::contact::Sought;
use engine::customer::{self, NewCustomer};
use engine::loyalty::member::{self, Member};
use engine::loyalty::{points, store_credit, tier};
use engine::merging::{self, Merge, Preview, Undone, Wish};
use engine::promotion::{self, NewPromotion};
use engine::{Failure, erasure, external};
use sim::{TestShop, on_every_engine};

const ONE_POUND_OFF_TWICE: &str = r#"{"lane": 1, "currency": "GBP", "benefit": {"whole": {"steps": [{"from": 500, "off": {"amount": 100}}]}}}"#;

/// Silver for 10 points, gold for 35, within six months.
fn with_tiers() -> Terms {
    let entry = |at_least| Mark { measure: Measure::Points, currency: None, at_least, span: Span::Months(6) };
    let tier = |code: &str, at_least| Tier {
        code: code.into(),
        name: code.to_uppercase(),
        entry: entry(at_least),
        keep: entry(at_least),
        rate: Rate::from_parts_per_million(Rate::WHOLE).expect("a rate"),
        group: Some(code.into()),
        return_days: 5,
    };
    let tiers = vec![tier("silver", 10), tier("gold", 35)];
    let ladder = Ladder { tiers, grace_days: 10, downgrade: Downgrade::Earned, floor: None };
    Terms { pending_days: 0, ladder: Some(ladder), ..terms() }
}

fn signed_up(shop: &TestShop, name: &'static str, groups: &[&'static str]) -> Id<Customer> {
    let groups: Vec<String> = groups.iter().map(|label| (*label).to_owned()).collect();
    let made = shop.run(move |tx, actor, world| {
        let draft = Draft {
            name: Some(name.into()),
            email: Some(format!("{name}@example.com")),
            phone: Some("+442079460958".into()),
            ..Draft::default()
        };
        let new = NewCustomer {
            external_id: Some(format!("CRM-{name}")),
            card: Card::new(&draft)?,
            groups: groups.clone(),
        };
        customer::create(tx, actor, world, new)
    });
    made.expect("a customer").id
}

fn enrolled(shop: &TestShop, club: &Club, customer: Id<Customer>) -> Member {
    let programme = club.programme.id;
    shop.run(move |tx, actor, world| member::enrol(tx, actor, world, programme, customer)).expect("a member")
}

fn wish(winner: Id<Customer>, loser: Id<Customer>) -> Wish {
    Wish { winner, loser, cause: Cause::Staff, why: "the same person".into() }
}

fn merge(shop: &TestShop, winner: Id<Customer>, loser: Id<Customer>) -> Result<Merge, Failure> {
    shop.run(move |tx, actor, world| merging::merge(tx, actor, world, wish(winner, loser)))
}

fn preview(shop: &TestShop, winner: Id<Customer>, loser: Id<Customer>) -> Preview {
    shop.run(move |tx, actor, world| merging::preview(tx, actor, world, wish(winner, loser)))
        .expect("a preview")
}

fn undo(shop: &TestShop, merge: &Merge) -> Result<Undone, Failure> {
    let id = merge.id;
    shop.run(move |tx, actor, world| merging::undo(tx, actor, world, id))
}

fn give_credit(shop: &TestShop, customer: Id<Customer>, minor: i64) {
    let amount = Money::new(minor, pounds()).expect("an amount");
    shop.run(move |tx, actor, world| store_credit::issue(tx, actor, world, customer, amount))
        .expect("credit");
}

fn credit_of(shop: &TestShop, customer: Id<Customer>) -> i64 {
    let found = shop.read(move |tx| {
        let all = store_credit::of_customer(tx, &Actor::system(), customer)?;
        let mut sum = 0;
        for one in &all {
            sum += engine::loyalty::balance(tx, &store_credit::credit(one))?.0;
        }
        Ok(sum)
    });
    found.expect("a balance")
}

/// Free, pending and held points of a customer.
fn points_of(shop: &TestShop, customer: Id<Customer>) -> (i64, i64, i64) {
    let now = shop.shop.source.now();
    let found = shop.read(move |tx| {
        let mut sum = (0, 0, 0);
        for one in member::of_customer(tx, &Actor::system(), customer)? {
            let balance = points::balance(tx, &one, now)?;
            sum = (sum.0 + balance.free - balance.owed, sum.1 + balance.pending, sum.2 + balance.held);
        }
        Ok(sum)
    });
    found.expect("points")
}

fn give_points(shop: &TestShop, member: &Member, change: i64) {
    let member = member.clone();
    shop.run(move |tx, actor, world| points::adjust(tx, actor, world, &member, (change, "given".into())))
        .expect("points");
}

fn tier_of(shop: &TestShop, member: &Member) -> Option<String> {
    let (member, now) = (member.clone(), shop.shop.source.now());
    shop.read(move |tx| tier::reached(tx, &member, now)).expect("a tier").tier.map(|(code, _)| code)
}

fn groups_of(shop: &TestShop, customer: Id<Customer>) -> Vec<String> {
    shop.read(move |tx| customer::load(tx, customer)).expect("a customer").groups
}

fn orders_of(shop: &TestShop, customer: Id<Customer>) -> usize {
    let last = Id::from_bytes([255; 16]);
    shop.read(move |tx| Ok(store::order::owner::of_customer(tx, customer, last, 50)?)).expect("orders").len()
}

/// Two customers, each with an open cart, orders, a return, store credit and points.
fn two(shop: &TestShop) -> (Club, Id<Customer>, Member) {
    let club = club(shop, with_tiers());
    let limit = Limit { scope: Scope::Customer, period: Period::Ever, uses_max: Some(3), minor_max: None };
    let new = NewPromotion {
        name: domain::value::Name::new("name", "welcome").expect("a name"),
        terms: serde_json::from_str(ONE_POUND_OFF_TWICE).expect("terms"),
        limits: vec![limit],
    };
    shop.run(move |tx, actor, world| {
        let made = promotion::create(tx, actor, world, new.clone())?;
        promotion::step(tx, actor, world, (made.promotion.id, None), domain::promotion::State::Active)
    })
    .expect("a promotion");
    let bea = signed_up(shop, "bea", &["trade", "press"]);
    let theirs = enrolled(shop, &club, bea);
    club.buy(shop, 2, cash());
    let bought = counter::buy_for(shop, &club.till, &[(club.mug, 6)], cash(), Some(bea));
    back(shop, &club, &bought, 1, Means::StoreCredit);
    give_credit(shop, club.ada, 1_000);
    give_points(shop, &theirs, 7);
    filled(shop, &club.till, &[(club.mug, 1)], Some(club.ada));
    filled(shop, &club.till, &[(club.mug, 2)], Some(bea));
    shop.pass(60);
    (club, bea, theirs)
}

#[test]
fn all_that_one_has_is_the_others_and_goes_back_row_for_row() {
    on_every_engine(|shop| {
        let (club, bea, theirs) = two(shop);
        let (credit, points) = (credit_of(shop, bea), points_of(shop, bea));
        assert!(credit > 0 && points.0 > 10, "{credit} {points:?}");
        assert_eq!((tier_of(shop, &theirs).as_deref(), tier_of(shop, &club.member)), (Some("silver"), None));
        let before = rows::all(shop);
        let own = (credit_of(shop, club.ada), points_of(shop, club.ada));
        let tried = preview(shop, club.ada, bea);
        rows::must_be_equal(&before, &rows::all(shop));
        shop.pass(60);
        let merged = merge(shop, club.ada, bea).unwrap();
        shop.must_tally();
        let all = shop.run(move |tx, actor, _| Ok(merging::read(tx, actor, merged.id)?.1)).unwrap();
        assert_eq!((&tried.moved, tried.refused), (&all, None), "what was shown is what was done");
        let moved = |part| all.get(&part).copied().unwrap_or(0);
        assert_eq!([Part::Cart, Part::Order, Part::Return, Part::UnitedCart].map(moved), [2, 1, 1, 1]);
        assert_eq!([Part::StoreCredit, Part::Membership, Part::Groups].map(moved), [1, 1, 1]);
        assert_eq!(credit_of(shop, club.ada), own.0 + credit);
        assert_eq!(points_of(shop, club.ada).0, own.1.0 + points.0);
        assert_eq!((orders_of(shop, club.ada), orders_of(shop, bea)), (2, 0));
        assert_eq!(groups_of(shop, club.ada), ["trade", "press"]);
        assert_eq!(tier_of(shop, &club.member).as_deref(), Some("gold"), "both together count");
        let first = Id::from_bytes([0; 16]);
        let ada = Reference::Id(club.ada);
        let carts = shop.run(move |tx, actor, _| cart::list_of_customer(tx, actor, &ada, first, 50)).unwrap();
        let open: Vec<_> = carts.iter().filter(|cart| cart.state.is_open()).map(|cart| cart.id).collect();
        let open = shop.read(move |tx| cart::load(tx, open[0])).unwrap();
        assert_eq!(open.lines.iter().map(|line| line.quantity).collect::<Vec<_>>(), [3], "nothing is lost");
        assert_eq!(undo(shop, &merged).unwrap().missing, []);
        rows::must_be_equal(&before, &rows::all(shop));
        assert_eq!(undo(shop, &merged).unwrap_err().code(), Some(Code::WrongState));
        shop.must_tally();
        let again = merge(shop, club.ada, bea).unwrap();
        undo(shop, &again).unwrap();
        rows::must_be_equal(&before, &rows::all(shop));
    });
}

#[test]
fn who_had_nothing_of_the_kind_has_it_and_gives_it_back() {
    on_every_engine(|shop| {
        let (club, bea, _) = two(shop);
        let cyd = signed_up(shop, "cyd", &[]);
        let before = rows::all(shop);
        let (credit, points) = (credit_of(shop, bea), points_of(shop, bea));
        let merged = merge(shop, cyd, bea).unwrap();
        assert_eq!((credit_of(shop, cyd), points_of(shop, cyd)), (credit, points));
        shop.must_tally();
        undo(shop, &merged).unwrap();
        rows::must_be_equal(&before, &rows::all(shop));
        assert_eq!(club.has(shop).0, 9);
    });
}

#[test]
fn who_takes_part_and_has_no_points_yet_leaves_no_book_behind() {
    on_every_engine(|shop| {
        let (club, ..) = two(shop);
        let (cyd, dan) = (signed_up(shop, "cyd", &[]), signed_up(shop, "dan", &[]));
        enrolled(shop, &club, dan);
        let before = rows::all(shop);
        let merged = merge(shop, cyd, dan).unwrap();
        shop.must_tally();
        undo(shop, &merged).unwrap();
        rows::must_be_equal(&before, &rows::all(shop));
        shop.must_tally();
    });
}

#[test]
fn who_was_merged_is_known_by_all_names_and_is_the_other() {
    on_every_engine(|shop| {
        let (club, bea, _) = two(shop);
        merge(shop, club.ada, bea).unwrap();
        let found = |sought: Sought| {
            let found = shop.run(move |tx, actor, world| customer::find(tx, actor, world, &sought)).unwrap();
            found.iter().map(|one| one.id).collect::<Vec<_>>()
        };
        assert_eq!(found(Sought::Email("bea@example.com".into())), [club.ada]);
        assert_eq!(found(Sought::Phone("+442079460958".into())), [club.ada], "once, though both have it");
        for named in [Reference::Id(bea), Reference::External("CRM-bea".into())] {
            let resolved = shop.read(move |tx| external::resolve(tx, &named)).unwrap();
            assert_eq!(resolved, club.ada);
        }
        let listed = shop.run(|tx, actor, _| customer::list(tx, actor, Id::from_bytes([0; 16]), 50)).unwrap();
        assert_eq!(listed.iter().map(|one| one.id).collect::<Vec<_>>(), [club.ada]);
        counter::buy_for(shop, &club.till, &[(club.mug, 1)], cash(), Some(bea));
        assert_eq!(orders_of(shop, club.ada), 3, "what is bought for the one is bought by the other");
        give_credit(shop, bea, 500);
        assert_eq!(credit_of(shop, bea), 0);
        let programme = club.programme.id;
        let again =
            shop.run(move |tx, actor, world| member::enrol(tx, actor, world, programme, bea)).unwrap();
        assert_eq!(again.id, club.member.id);
        let change = customer::Change {
            card: Some(
                Card::new(&Draft { email: Some("bea@example.com".into()), ..Draft::default() }).unwrap(),
            ),
            groups: None,
            if_match: shop.read(move |tx| customer::load(tx, club.ada)).ok().map(|one| one.version),
            shown: None,
        };
        let ada = club.ada;
        shop.run(move |tx, actor, world| customer::update(tx, actor, world, ada, change.clone())).unwrap();
    });
}

#[test]
fn limits_per_customer_count_both() {
    on_every_engine(|shop| {
        let (club, bea, _) = two(shop);
        let lowered = |whole: &engine::checkout::Whole| whole.order.gross % 500 != 0;
        assert!(lowered(&counter::buy_for(shop, &club.till, &[(club.mug, 1)], cash(), Some(bea))));
        let merged = merge(shop, club.ada, bea).unwrap();
        assert!(!lowered(&club.buy(shop, 1, cash())), "three uses of both together are all there are");
        shop.must_tally();
        undo(shop, &merged).unwrap();
        assert!(lowered(&club.buy(shop, 1, cash())), "by herself she used one");
    });
}

#[test]
fn what_was_spent_meanwhile_was_the_winners_own_first() {
    on_every_engine(|shop| {
        let (club, bea, theirs) = two(shop);
        let (credit, points) = (credit_of(shop, bea), points_of(shop, bea).0);
        let merged = merge(shop, club.ada, bea).unwrap();
        let by_credit = vec![counter::tender(PaymentKind::StoreCredit, None)];
        club.buy(shop, 2, by_credit);
        club.buy(
            shop,
            1,
            vec![counter::tender(PaymentKind::Points, Some(50)), counter::tender(PaymentKind::Cash, None)],
        );
        let undone = undo(shop, &merged).unwrap();
        assert_eq!(undone.missing, [], "she had enough of her own");
        assert_eq!((credit_of(shop, bea), points_of(shop, bea).0), (credit, points));
        shop.must_tally();
        let merged = merge(shop, club.ada, bea).unwrap();
        let left = credit_of(shop, club.ada);
        let most = (left / 500) * 500;
        club.buy(shop, most / 500, vec![counter::tender(PaymentKind::StoreCredit, None)]);
        let undone = undo(shop, &merged).unwrap();
        assert_eq!(credit_of(shop, bea) + undone.missing.iter().map(|one| one.amount).sum::<i64>(), credit);
        assert!(credit_of(shop, bea) >= 0 && credit_of(shop, club.ada) >= 0);
        assert_eq!(undone.missing.len(), 1, "{:?}", undone.missing);
        assert_ne!(theirs.id, club.member.id);
    });
}

#[test]
fn what_comes_later_goes_on() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        let bea = signed_up(shop, "bea", &[]);
        enrolled(shop, &club, bea);
        let bought = counter::buy_for(shop, &club.till, &[(club.mug, 4)], cash(), Some(bea));
        let merged = merge(shop, club.ada, bea).unwrap();
        assert_eq!(club.has(shop), (0, 20, 0, 0), "pending points are seen");
        shop.pass(14 * counter::DAY);
        release(shop);
        assert_eq!(club.has(shop), (20, 0, 0, 0));
        back(shop, &club, &bought, 1, Means::StoreCredit);
        assert_eq!((club.has(shop).0, credit_of(shop, club.ada)), (15, 500));
        club.buy(shop, 1, by_points(Some(50)).into_iter().chain(cash()).collect());
        shop.must_tally();
        let undone = undo(shop, &merged).unwrap();
        assert_eq!(undone.missing.iter().map(|one| one.amount).collect::<Vec<_>>(), [10]);
        assert_eq!(
            (points_of(shop, bea).0, credit_of(shop, bea)),
            (5, 0),
            "made after: it stays with who stays"
        );
        assert_eq!(credit_of(shop, club.ada), 500);
        assert_eq!(read(shop, bought.order.id).order.customer, Some(bea));
    });
}

#[test]
fn what_one_owes_the_other_pays() {
    on_every_engine(|shop| {
        let club = club(shop, Terms { pending_days: 0, ..terms() });
        let bea = signed_up(shop, "bea", &[]);
        enrolled(shop, &club, bea);
        let bought = counter::buy_for(shop, &club.till, &[(club.mug, 4)], cash(), Some(bea));
        let spent = by_points(Some(75)).into_iter().chain(cash()).collect();
        counter::buy_for(shop, &club.till, &[(club.mug, 1)], spent, Some(bea));
        back(shop, &club, &bought, 4, Means::Original);
        assert_eq!(points_of(shop, bea).0, -11);
        club.adjust(shop, 30).unwrap();
        let before = rows::all(shop);
        let merged = merge(shop, club.ada, bea).unwrap();
        assert_eq!(club.has(shop), (19, 0, 0, 0));
        shop.must_tally();
        undo(shop, &merged).unwrap();
        rows::must_be_equal(&before, &rows::all(shop));
    });
}

#[test]
fn a_chain_of_merges_leads_to_one_and_is_undone_from_its_end() {
    on_every_engine(|shop| {
        let (club, bea, _) = two(shop);
        let cyd = signed_up(shop, "cyd", &["vip"]);
        give_credit(shop, cyd, 300);
        let before = rows::all(shop);
        let first = merge(shop, bea, cyd).unwrap();
        let between = rows::all(shop);
        let second = merge(shop, club.ada, bea).unwrap();
        let resolved = shop.read(move |tx| external::resolve(tx, &Reference::Id(cyd))).unwrap();
        assert_eq!(resolved, club.ada);
        assert_eq!(undo(shop, &first).unwrap_err().code(), Some(Code::WrongState));
        assert_eq!(merge(shop, cyd, bea).unwrap_err().code(), Some(Code::WrongState), "they are one already");
        shop.must_tally();
        undo(shop, &second).unwrap();
        rows::must_be_equal(&between, &rows::all(shop));
        undo(shop, &first).unwrap();
        rows::must_be_equal(&before, &rows::all(shop));
    });
}

#[test]
fn who_is_erased_is_erased_under_every_name() {
    on_every_engine(|shop| {
        let (club, bea, _) = two(shop);
        let merged = merge(shop, club.ada, bea).unwrap();
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, bea)).unwrap();
        for id in [club.ada, bea] {
            let one = shop.read(move |tx| customer::load(tx, id)).unwrap();
            assert!(one.erased_at.is_some());
            let read = shop.run(move |tx, actor, world| engine::contact::read(tx, actor, world, one.contact));
            assert_eq!(read.unwrap_err().code(), Some(Code::NotFound));
        }
        assert_eq!(undo(shop, &merged).unwrap_err().code(), Some(Code::WrongState));
        let cyd = signed_up(shop, "cyd", &[]);
        assert_eq!(merge(shop, cyd, bea).unwrap_err().code(), Some(Code::WrongState));
        assert!(preview(shop, cyd, bea).refused.is_some());
        let missing = Id::<id::Customer>::from_bytes([3; 16]);
        assert_eq!(merge(shop, cyd, missing).unwrap_err().code(), Some(Code::NotFound));
        let nobody = counter::only(&[Permission::EditCustomers]);
        let refused =
            shop.run_as(&nobody, move |tx, actor, world| merging::merge(tx, actor, world, wish(cyd, bea)));
        assert_eq!(refused.unwrap_err().code(), Some(Code::Forbidden));
    });
}
