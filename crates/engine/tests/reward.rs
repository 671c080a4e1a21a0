//! The story of rewards: points exchanged for coupons, gift cards and store credit, once however many ask, taken back unused only.

use crate::club;
use crate::counter;
use std::thread;

use crate::club::{Club, club, terms};
use crate::counter::{DAY, cash, filled, pounds};
use domain::Code;
use domain::loyalty::programme::Terms as ProgrammeTerms;
use domain::loyalty::reward::{Gives, State, Terms};
use domain::loyalty::tier::{Downgrade, Ladder, Mark, Measure, Span, Tier};
use domain::promotion::State as Stage;
use domain::promotion::limit::Period;
use domain::value::id;
use domain::value::{Id, Money, Rate};
use engine::loyalty::reward::{self, Redemption, Reward};
use engine::loyalty::{gift_card, store_credit};
use engine::promotion::{self, NewPromotion};
use engine::{Failure, cart, loyalty};
use sim::{TestShop, on_every_engine};

/// How often a race is run.
const ROUNDS: i64 = 8;

pub fn five_pounds() -> Money {
    Money::new(500, pounds()).expect("money")
}

pub fn offer(gives: Gives) -> Terms {
    Terms {
        name: "Five pounds".into(),
        gives,
        points: 100,
        given_max: None,
        member_max: None,
        period: Period::Ever,
        tier: None,
        active: true,
    }
}

pub fn offered(shop: &TestShop, club: &Club, terms: Terms) -> Reward {
    let (programme, code) = (club.programme.id, format!("reward-{}", shop.shop.source.now().micros()));
    shop.pass(1);
    shop.run(move |tx, actor, world| {
        reward::create(tx, actor, world, (programme, code.clone()), terms.clone())
    })
    .expect("a reward")
}

pub fn redeem(shop: &TestShop, club: &Club, reward: &Reward) -> Result<Redemption, Failure> {
    let (member, id) = (club.member.clone(), reward.id);
    shop.run(move |tx, actor, world| reward::redeem(tx, actor, world, &member, id))
}

fn take_back(shop: &TestShop, club: &Club, id: Id<id::Redemption>) -> Result<Redemption, Failure> {
    let member = club.member.clone();
    shop.run(move |tx, actor, world| reward::take_back(tx, actor, world, &member, id))
}

/// A promotion by coupon that is in force: a mug for nothing.
fn a_free_mug(shop: &TestShop, club: &Club) -> Id<id::Promotion> {
    let gift = format!(
        r#"{{"needs_coupon": true, "benefit": {{"gift": {{"variant": "{}", "pieces": 1}}}}}}"#,
        club.mug
    );
    let new = NewPromotion {
        name: domain::value::Name::new("name", "a free mug").expect("a name"),
        terms: serde_json::from_str(&gift).expect("terms"),
        limits: Vec::new(),
    };
    let made = shop.run(move |tx, actor, world| {
        let made = promotion::create(tx, actor, world, new.clone())?;
        promotion::step(tx, actor, world, (made.promotion.id, None), Stage::Active)
    });
    made.expect("a promotion").promotion.id
}

fn code_of(shop: &TestShop, one: &Redemption) -> String {
    let one = one.clone();
    shop.read(move |tx| reward::with_code(tx, one.clone())).expect("a code").1.expect("a coupon")
}

/// A cart with a mug and the coupon of a redemption.
fn a_cart(shop: &TestShop, club: &Club, code: &str) -> Id<id::Cart> {
    let (cart, code) = (filled(shop, &club.till, &[(club.mug, 1)], Some(club.ada)), code.to_owned());
    shop.run(move |tx, actor, world| cart::coupon::give(tx, actor, world, cart, &code).map(drop))
        .expect("given");
    cart
}

#[test]
fn a_crowd_with_points_for_one_reward_has_one() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        club.adjust(shop, 150).unwrap();
        let reward = offered(shop, &club, offer(Gives::StoreCredit(five_pounds())));
        let (club, reward) = (&club, &reward);
        let given = thread::scope(|scope| {
            let tries: Vec<_> = (0..20).map(|_| scope.spawn(move || redeem(shop, club, reward))).collect();
            tries.into_iter().map(|one| one.join().expect("an answer")).collect::<Vec<_>>()
        });
        let (won, lost): (Vec<_>, Vec<_>) = given.into_iter().partition(Result::is_ok);
        assert_eq!((won.len(), club.has(shop)), (1, (50, 0, 0, 0)));
        assert!(lost.into_iter().all(|one| one.unwrap_err().code() == Some(Code::AmountExceeded)));
    });
}

#[test]
fn the_last_one_of_a_reward_is_given_once() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        club.adjust(shop, 1000).unwrap();
        let last = Terms { given_max: Some(1), ..offer(Gives::GiftCard(five_pounds())) };
        let reward = offered(shop, &club, last);
        let (club, reward) = (&club, &reward);
        let given = thread::scope(|scope| {
            let tries: Vec<_> = (0..6).map(|_| scope.spawn(move || redeem(shop, club, reward))).collect();
            tries.into_iter().filter_map(|one| one.join().expect("an answer").ok()).collect::<Vec<_>>()
        });
        assert_eq!((given.len(), club.has(shop).0), (1, 900));
        let refused = redeem(shop, club, reward).unwrap_err().to_string();
        assert!(refused.starts_with("amount_exceeded: reward: none is left of reward"), "{refused}");
        let taken = take_back(shop, club, given[0].id).unwrap();
        assert_eq!((taken.state, club.has(shop).0), (State::TakenBack, 1000));
        take_back(shop, club, given[0].id).unwrap();
        assert_eq!(club.has(shop).0, 1000, "twice is once");
        redeem(shop, club, reward).unwrap();
    });
}

#[test]
fn a_coupon_is_used_or_taken_back_but_not_both() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        club.adjust(shop, 300).unwrap();
        let reward = offered(shop, &club, offer(Gives::Coupon(a_free_mug(shop, &club))));
        let first = redeem(shop, &club, &reward).unwrap();
        let cart = a_cart(shop, &club, &code_of(shop, &first));
        let bought = club::order_as(shop, &domain::actor::Actor::system(), cart, Vec::new()).unwrap();
        assert_eq!(bought.order.gross, 0, "a mug for nothing");
        let refused = take_back(shop, &club, first.id).unwrap_err().to_string();
        assert_eq!(refused, "wrong_state: the coupon was used, or is set aside; it stays given");
        let second = redeem(shop, &club, &reward).unwrap();
        let cart = a_cart(shop, &club, &code_of(shop, &second));
        take_back(shop, &club, second.id).unwrap();
        let late = club::order_as(shop, &domain::actor::Actor::system(), cart, Vec::new());
        assert!(late.is_err() || late.unwrap().order.gross == 500);
        let third = redeem(shop, &club, &reward).unwrap();
        let cart = a_cart(shop, &club, &code_of(shop, &third));
        let club = &club;
        let (used, taken) = thread::scope(|scope| {
            let used =
                scope.spawn(move || club::order_as(shop, &domain::actor::Actor::system(), cart, Vec::new()));
            let taken = scope.spawn(move || take_back(shop, club, third.id));
            (used.join().expect("an answer"), taken.join().expect("an answer"))
        });
        let used = used.is_ok_and(|whole| whole.order.gross == 0);
        assert!(used != taken.is_ok(), "one of both");
    });
}

#[test]
fn what_was_used_of_a_card_or_credit_stays_given() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        club.adjust(shop, 200).unwrap();
        let card = offered(shop, &club, offer(Gives::GiftCard(five_pounds())));
        let credit = offered(shop, &club, offer(Gives::StoreCredit(five_pounds())));
        let (card, credit) = (redeem(shop, &club, &card).unwrap(), redeem(shop, &club, &credit).unwrap());
        shop.run(move |tx, actor, world| {
            let card = gift_card::credit(&gift_card::find(tx, Id::from_bytes(card.outcome))?);
            let credit = store_credit::credit(&store_credit::find(tx, Id::from_bytes(credit.outcome))?);
            loyalty::adjust(tx, actor, world, &card, (-1, "lost".into()))?;
            loyalty::adjust(tx, actor, world, &credit, (-1, "lost".into()))
        })
        .unwrap();
        for id in [card.id, credit.id] {
            assert_eq!(take_back(shop, &club, id).unwrap_err().code(), Some(Code::WrongState));
        }
        assert_eq!(club.has(shop).0, 0);
    });
}

#[test]
fn money_is_offered_and_given_by_who_may_give_credit() {
    use domain::actor::Permission::{EditLoyalty, GiveCredit, GivePoints};
    on_every_engine(|shop| {
        let club = club(shop, terms());
        club.adjust(shop, 300).unwrap();
        let (programme, coupon) = (club.programme.id, Gives::Coupon(a_free_mug(shop, &club)));
        let money = Gives::StoreCredit(five_pounds());
        let write = |permissions: &[domain::actor::Permission], code: &'static str, gives| {
            let terms = offer(gives);
            shop.run_as(&counter::only(permissions), move |tx, actor, world| {
                reward::create(tx, actor, world, (programme, code.to_owned()), terms.clone())
            })
        };
        assert_eq!(write(&[EditLoyalty], "money", money).unwrap_err().code(), Some(Code::Forbidden));
        let mug = write(&[EditLoyalty], "mug", coupon).expect("a coupon is no money");
        let money = write(&[EditLoyalty, GiveCredit], "money", money).expect("who may give credit");
        let terms = Terms { gives: money.terms.gives, ..mug.terms.clone() };
        let (id, version) = (mug.id, mug.version);
        let changed = shop.run_as(&counter::only(&[EditLoyalty]), move |tx, actor, world| {
            reward::change(tx, actor, world, (id, Some(version)), terms.clone())
        });
        assert_eq!(changed.unwrap_err().code(), Some(Code::Forbidden), "nor later");
        let redeem_as = |actor: &domain::actor::Actor, reward: Id<id::Reward>| {
            let member = club.member.clone();
            shop.run_as(actor, move |tx, actor, world| reward::redeem(tx, actor, world, &member, reward))
        };
        let cashier = counter::only(&[GivePoints]);
        redeem_as(&cashier, mug.id).expect("a coupon");
        assert_eq!(redeem_as(&cashier, money.id).unwrap_err().code(), Some(Code::Forbidden));
        redeem_as(&counter::only(&[GivePoints, GiveCredit]), money.id).expect("money");
        let ada = domain::actor::Actor {
            who: domain::actor::Who::Customer(club.ada),
            channel: None,
            grants: Vec::new(),
        };
        redeem_as(&ada, money.id).expect("a member has what is offered");
        assert_eq!(club.has(shop).0, 0);
    });
}

#[test]
fn taking_back_and_paying_with_the_same_credit_wait_for_each_other() {
    on_every_engine(|shop| {
        let club = club(shop, terms());
        club.adjust(shop, 100 * ROUNDS).unwrap();
        let reward = offered(shop, &club, offer(Gives::StoreCredit(five_pounds())));
        for _ in 0..ROUNDS {
            let given = redeem(shop, &club, &reward).unwrap();
            let club = &club;
            let (bought, taken) = thread::scope(|scope| {
                let means = vec![counter::tender(domain::market::PaymentKind::StoreCredit, Some(500))];
                let cart = filled(shop, &club.till, &[(club.mug, 1)], Some(club.ada));
                let system = domain::actor::Actor::system();
                let bought = scope.spawn(move || club::order_as(shop, &system, cart, means));
                let taken = scope.spawn(move || take_back(shop, club, given.id));
                (bought.join().expect("an answer"), taken.join().expect("an answer"))
            });
            assert!(bought.is_ok() != taken.is_ok(), "spent or taken back: {bought:?} {taken:?}");
        }
    });
}

#[test]
fn limits_and_tiers_say_who_has_a_reward() {
    on_every_engine(|shop| {
        let entry = Mark { measure: Measure::Visits, currency: None, at_least: 2, span: Span::Year };
        let rate = Rate::from_parts_per_million(Rate::WHOLE).unwrap();
        let (code, name) = ("gold".to_owned(), "Gold".to_owned());
        let gold = Tier { code, name, entry, keep: entry, rate, group: None, return_days: 0 };
        let ladder = Ladder { tiers: vec![gold], grace_days: 0, downgrade: Downgrade::Earned, floor: None };
        let club = club(shop, ProgrammeTerms { ladder: Some(ladder), ..terms() });
        club.adjust(shop, 1000).unwrap();
        let credit = offer(Gives::StoreCredit(five_pounds()));
        let limited = Terms { member_max: Some(1), period: Period::Day, ..credit.clone() };
        let limited = offered(shop, &club, limited);
        let first = redeem(shop, &club, &limited).unwrap();
        assert_eq!(redeem(shop, &club, &limited).unwrap_err().code(), Some(Code::WrongState));
        take_back(shop, &club, first.id).unwrap();
        redeem(shop, &club, &limited).unwrap();
        shop.pass(DAY);
        redeem(shop, &club, &limited).unwrap();
        let golden = offered(shop, &club, Terms { tier: Some("gold".into()), ..credit });
        let refused = redeem(shop, &club, &golden).unwrap_err().to_string();
        assert!(refused.ends_with("is given from tier \"gold\" on"), "{refused}");
        club.buy(shop, 1, cash());
        club.buy(shop, 1, cash());
        redeem(shop, &club, &golden).unwrap();
        let (id, version) = (golden.id, golden.version);
        let over = Terms { active: false, ..golden.terms.clone() };
        shop.run(move |tx, actor, world| reward::change(tx, actor, world, (id, Some(version)), over.clone()))
            .unwrap();
        assert_eq!(redeem(shop, &club, &golden).unwrap_err().code(), Some(Code::WrongState));
        let stranger = counter::only(&[domain::actor::Permission::Shop]);
        let member = club.member.clone();
        let refused =
            shop.run_as(&stranger, move |tx, actor, world| reward::redeem(tx, actor, world, &member, id));
        assert_eq!(refused.unwrap_err().code(), Some(Code::Forbidden));
    });
}
