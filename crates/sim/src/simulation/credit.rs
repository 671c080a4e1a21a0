//! The real shop's gift cards and store credit: issued, corrected, stopped, and read again as the model has them.

use std::collections::BTreeMap;
use std::rc::Rc;

use domain::contact::{Card, Draft};
use domain::loyalty::points::LotState;
use domain::loyalty::programme::{Earning, Terms, Worth};
use domain::loyalty::{CardState, State, account};
use domain::value::id::{self, Customer, GiftCard};
use domain::value::{Id, Money, Rate, Zone};
use engine::Failure;
use engine::customer::{self, NewCustomer};
use engine::loyalty::member::{self, Member};
use engine::loyalty::{Credit, adjust, gift_card, points, programme, store_credit};
use store::ledger;
use store::loyalty::points as rows;

use super::compare::{self, Differences, differs};
use super::real::{Real, Work, pounds};
use crate::TestShop;
use crate::model::credit::Credit as Known;
use crate::model::points::{self as model, Lot};
use crate::model::{Command, Model, seconds};

/// In how many of a member's newest orders it is asked which of several lots is older.
const RANKED: usize = 12;

impl Real {
    /// What a command about gift cards and store credit does.
    pub fn credit_work(&self, command: Command) -> Work {
        let (credits, members) = (self.credits.clone(), self.members.clone());
        Box::new(move |tx, actor, world| {
            match command {
                Command::IssueCard { amount, days } => {
                    let expires_at = days.map(|days| world.now().plus_seconds(days * 86_400));
                    let amount = Money::new(amount, pounds()).expect("an amount");
                    let card = gift_card::issue(tx, actor, world, amount, expires_at)?;
                    let code = gift_card::show_code(tx, actor, world, card.id)?;
                    return Ok(format!("{} {code}", card.id));
                }
                Command::AdjustCredit { credit, change } => {
                    adjust(tx, actor, world, &credits[credit], (change, "by hand".into()))?;
                }
                Command::AdjustPoints { member, change } => {
                    points::adjust(tx, actor, world, &members[member], (change, "by hand".into()))?;
                }
                Command::BlockCard { card, blocked } => {
                    let id: Id<GiftCard> = credits[card].book.shared_with();
                    let state = if blocked { CardState::Blocked } else { CardState::Active };
                    gift_card::set_state(tx, actor, world, id, state)?;
                }
                ref other => unreachable!("{other:?} is not about a gift card or store credit"),
            }
            Ok(String::new())
        })
    }
}

/// The gift cards and store credits of these numbers.
pub fn credits(real: &Real, model: &Model, numbers: &[usize]) -> Result<Differences, Failure> {
    let mut differences = Vec::new();
    for number in numbers {
        let (credit, known) = (real.credits[*number].clone(), (*model.credits[*number]).clone());
        let customer = known.customer;
        let found = real.shop.read(move |tx| {
            let mut amounts = BTreeMap::new();
            for (key, amount) in ledger::balances(tx, credit.book)?.into_iter().filter(|one| one.1 != 0) {
                let state = State::coded(key.state).expect("a state of money");
                assert_eq!(key, account(credit.book, state), "an account of its own book");
                amounts.insert(state, amount);
            }
            let (mut blocked, mut expires_at) = (false, None);
            if customer.is_none() {
                let card = gift_card::find(tx, credit.book.shared_with())?;
                (blocked, expires_at) = (card.state == CardState::Blocked, card.expires_at.map(seconds));
            }
            Ok::<_, Failure>(Known { customer, blocked, expires_at, amounts })
        })?;
        differences.extend(differs(&format!("credit {number}"), &known, &found));
    }
    Ok(differences)
}

/// The lots that orders gave a member, the oldest first, and those given by hand from which something can be spent.
fn lots(real: &Real, number: usize, orders: &[usize]) -> Result<(Vec<Lot>, Vec<Lot>), Failure> {
    let (id, all) = (real.members[number].id, real.orders.clone());
    let ids: Vec<_> = orders.iter().map(|order| all[*order]).collect();
    let (mut by_orders, mut by_hand) = real.shop.read(move |tx| {
        let mut by_orders = Vec::new();
        for order in &ids {
            for earning in rows::earnings(tx, *order)?.into_iter().filter(|one| one.member == id) {
                by_orders.extend(rows::find_lot(tx, id, earning.lot)?);
            }
        }
        let by_hand = rows::spendable(tx, id)?.into_iter().filter(|lot| lot.order.is_none());
        Ok::<_, Failure>((by_orders, by_hand.collect::<Vec<_>>()))
    })?;
    by_orders.sort_by_key(|lot| lot.id);
    by_hand.sort_by_key(|lot| lot.id);
    let lot = |row: rows::Lot| Lot {
        order: row.order.map(|order| compare::number(&all, order)),
        state: row.state,
        granted: row.granted,
        rest: row.rest,
        available_at: row.available_at.map(seconds),
        expires_at: row.expires_at.map(seconds),
        rank: 0,
    };
    let listed = |rows: Vec<rows::Lot>| rows.into_iter().map(lot).collect();
    Ok((listed(by_orders), listed(by_hand)))
}

/// The newest orders of a member that were placed.
fn earning(model: &Model, number: usize, newest: usize) -> Vec<usize> {
    let own = |order: &usize| {
        let order = &model.orders[*order];
        order.customer == Some(number) && order.earning.is_some()
    };
    (0..model.orders.len()).rev().filter(own).take(newest).collect()
}

/// Of lots made in one instant the shop says which is older.
pub fn rank(real: &Real, model: &mut Model, members: &[usize]) -> Result<(), Failure> {
    for number in members.iter().copied() {
        let (by_orders, _) = lots(real, number, &earning(model, number, RANKED))?;
        let own = &mut Rc::make_mut(&mut model.members[number]).lots;
        let place = |lot: &Lot, own: &[Lot]| own.iter().position(|one| one.order == lot.order);
        let places: Vec<usize> = by_orders.iter().filter_map(|lot| place(lot, own)).collect();
        let mut ranks: Vec<usize> = places.iter().map(|place| own[*place].rank).collect();
        ranks.sort_unstable();
        places.into_iter().zip(ranks).for_each(|(place, rank)| own[place].rank = rank);
    }
    Ok(())
}

/// The members of these numbers: where their points are, and in which lots, those of the newest orders among them.
pub fn members(
    real: &Real,
    model: &Model,
    (numbers, newest): (&[usize], usize),
) -> Result<Differences, Failure> {
    let mut differences = Vec::new();
    for number in numbers {
        let book: Id<id::Book> = real.members[*number].id.shared_with();
        let balances = real.shop.read(move |tx| Ok::<_, Failure>(ledger::balances(tx, book)?))?;
        let amounts = balances.into_iter().filter(|one| one.1 != 0);
        let amounts: BTreeMap<State, i64> =
            amounts.map(|(key, amount)| (State::coded(key.state).expect("a state"), amount)).collect();
        let known = &model.members[*number];
        differences.extend(differs(&format!("points of member {number}"), &known.amounts, &amounts));
        let orders = earning(model, *number, newest);
        let found = lots(real, *number, &orders)?;
        let mut sorted: Vec<&Lot> = known.lots.iter().collect();
        sorted.sort_by_key(|lot| lot.rank);
        let is_listed = |lot: &&&Lot| lot.order.is_some_and(|order| orders.contains(&order));
        let by_hand = |lot: &&&Lot| lot.order.is_none() && lot.rest > 0 && lot.state == LotState::Available;
        let unranked = |lot: &&Lot| Lot { rank: 0, ..(*lot).clone() };
        let known = (
            sorted.iter().filter(is_listed).map(unranked).collect::<Vec<_>>(),
            sorted.iter().filter(by_hand).map(unranked).collect::<Vec<_>>(),
        );
        differences.extend(differs(&format!("lots of member {number}"), &known, &found));
    }
    Ok(differences)
}

/// A loyalty programme in force, and the first customers as its members.
pub fn club(shop: &TestShop, customers: &[Id<Customer>]) -> Vec<Member> {
    let customers = customers.to_vec();
    let made = shop.run(move |tx, actor, world| {
        let named = ("club".to_owned(), "The club".to_owned());
        let (programme, draft) = programme::create(tx, actor, world, named, terms())?;
        programme::activate(tx, actor, world, (programme.id, draft.number), None)?;
        let enrol = |customer: &Id<Customer>| member::enrol(tx, actor, world, programme.id, *customer);
        customers.iter().map(enrol).collect::<Result<Vec<_>, _>>()
    });
    made.expect("a club")
}

fn terms() -> Terms {
    let percent = |percent: i64| Rate::from_parts_per_million(percent * 10_000).expect("a rate");
    let (points, per_minor) = (model::POINTS_EARNED, model::EARNED_PER_MINOR);
    Terms {
        zone: Zone::parse("Europe/London").expect("a zone"),
        earnings: vec![Earning { currency: pounds(), channel: None, points, per_minor }],
        factors: Vec::new(),
        seasons: Vec::new(),
        counts_delivery: true,
        counts_tax: true,
        uncounted: Vec::new(),
        pending_days: model::PENDING_DAYS,
        receipt_days: 0,
        months: Some(model::MONTHS),
        worth: vec![Worth { currency: pounds(), points: model::WORTH_POINTS, minor: model::WORTH_MINOR }],
        pays_min: model::PAYS_MIN,
        pays_max: percent(model::PAYS_MAX_PERCENT),
        below_zero: false,
        occasions: Vec::new(),
        ladder: None,
        sharing: None,
        referral: None,
    }
}

/// Customers, and the store credit of all but the last.
pub fn customers(
    shop: &TestShop,
    names: &[&str],
    minor: i64,
) -> (Vec<Id<Customer>>, Vec<Credit>, Vec<Known>) {
    let (mut ids, mut credits, mut known) = (Vec::new(), Vec::new(), Vec::new());
    for (number, name) in names.iter().enumerate() {
        let new = NewCustomer { external_id: None, card: card(name), groups: Vec::new() };
        let has_credit = number + 1 < names.len();
        let made = shop.run(move |tx, actor, world| {
            let id = customer::create(tx, actor, world, new.clone())?.id;
            let amount = Money::new(minor, pounds()).expect("an amount");
            let credit =
                if has_credit { Some(store_credit::issue(tx, actor, world, id, amount)?) } else { None };
            Ok((id, credit))
        });
        let (id, credit) = made.expect("a customer");
        ids.push(id);
        if let Some(credit) = credit {
            credits.push(store_credit::credit(&credit));
            let amounts = BTreeMap::from([(State::Issued, -minor), (State::Balance, minor)]);
            known.push(Known { customer: Some(number), blocked: false, expires_at: None, amounts });
        }
    }
    (ids, credits, known)
}

fn card(name: &str) -> Card {
    let draft = Draft { name: Some(name.into()), country: Some("GB".into()), ..Draft::default() };
    Card::new(&draft).expect("a contact")
}
