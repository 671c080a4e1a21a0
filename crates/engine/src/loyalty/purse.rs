//! Points that pay: how many of a customer's may, held for a payment out of their lots, and back into them.

use domain::actor::Actor;
use domain::loyalty::points::{self as rules, MemberState};
use domain::loyalty::programme::{Terms, Worth};
use domain::value::id::{Customer, Member as MemberKind, Payment};
use domain::value::{Currency, Id, Instant};
use domain::{Code, Refusal};
use store::loyalty::points as rows;
use store::loyalty::{member as members, programme};
use store::{StoreError, Tx};

use super::points::settle;
use super::{Credit, household, member};
use crate::{Failure, World};

/// A member's points that can pay in a currency.
#[derive(Clone, Debug)]
pub(crate) struct Purse {
    /// The book.
    pub credit: Credit,
    /// What points are worth.
    pub worth: Worth,
    /// The terms of the programme.
    pub terms: Terms,
    /// How many points are free.
    pub free: i64,
}

/// The points of a customer that can pay in a currency: of the programme he joined first that gives them a worth there.
///
/// # Errors
/// [`Code::AmountExceeded`] when there are none.
pub(crate) fn to_spend(
    tx: &mut Tx<'_>,
    customer: Id<Customer>,
    currency: Currency,
    now: Instant,
) -> Result<Purse, Failure> {
    for member in members::of_customer(tx, customer)? {
        if member.state == MemberState::Ended {
            continue;
        }
        let Some(version) = programme::in_force(tx, member.programme, now)? else { continue };
        let Some(worth) = version.terms.worth(currency).cloned() else { continue };
        let shared = household::spends_from(tx, &member, version.terms.sharing.as_ref())?;
        let credit = member::credit_of(shared);
        let over: i64 = rows::spendable(tx, shared)?
            .iter()
            .filter(|lot| lot.expires_at.is_some_and(|at| at <= now))
            .map(|lot| lot.rest)
            .sum();
        let free = super::balance(tx, &credit)?.0 - over;
        return Ok(Purse { credit, worth, terms: version.terms, free });
    }
    let message =
        format!("the customer has no points that pay in {currency}; choose another means of payment");
    Err(Refusal::new(Code::AmountExceeded, message).into())
}

/// A payment holds points: they leave the lots they are taken from, the first to expire first. The account was asked before.
///
/// # Errors
/// [`Code::AmountExceeded`] when some of them have expired.
pub(crate) fn put_into(
    tx: &mut Tx<'_>,
    world: &World,
    of: Id<MemberKind>,
    (payment, points): (Id<Payment>, i64),
) -> Result<(), Failure> {
    let now = world.now();
    let lots = rows::spendable(tx, of)?.into_iter().filter(|lot| lot.expires_at.is_none_or(|at| at > now));
    let (taken, missing) = rules::taken(lots.map(|lot| (lot.id, lot.rest)), points);
    if missing > 0 {
        let message = format!("{} points can still be spent; ask for less", points - missing);
        return Err(Refusal::new(Code::AmountExceeded, message).at("amount").into());
    }
    for (lot, part) in taken {
        rows::change_rest(tx, (of, lot), -part)?;
        rows::use_lot(tx, (of, payment, lot), part)?;
    }
    Ok(())
}

impl Purse {
    /// The most money it pays, of so much that points may pay.
    pub(crate) fn most(&self, may_pay: i64) -> i64 {
        self.worth.of(self.free.max(0)).min(may_pay).max(0)
    }

    /// The points that pay this much money, of so much that points may pay.
    ///
    /// # Errors
    /// [`Code::AmountExceeded`] for more than points may pay of the order, [`Code::Invalid`] for fewer than the programme takes.
    pub(crate) fn points_for(&self, minor: i64, may_pay: i64) -> Result<i64, Refusal> {
        if minor > may_pay {
            let message = format!("points pay at most {may_pay} minor units of this order, {minor} asked");
            return Err(Refusal::new(Code::AmountExceeded, message).at("amount"));
        }
        let (points, least) = (self.worth.needed(minor), self.terms.pays_min);
        if points < least {
            let message = format!("at least {least} points pay at once, {points} asked");
            return Err(Refusal::invalid("amount", message));
        }
        Ok(points)
    }
}

/// Points of a payment go back into the lots they came from, with the expiry they had; what is owed is paid by them first. The account
/// was changed before.
///
/// # Errors
/// What the store says.
pub(crate) fn put_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    of: Id<MemberKind>,
    (payment, points): (Id<Payment>, i64),
) -> Result<(), Failure> {
    let (back, missing) = rules::taken(rows::used(tx, of, payment)?, points);
    if missing > 0 {
        return Err(StoreError::Corrupt(format!("payment {payment} took no such points")).into());
    }
    for (lot, part) in back {
        rows::unuse_lot(tx, (of, payment, lot), part)?;
    }
    settle(tx, actor, world, of)
}

/// Locks the member whose points a customer spends, his household after him, and insists that he may.
///
/// # Errors
/// [`Code::Forbidden`] when he left the household just now, or may not spend any more.
pub(crate) fn lock_spender(
    tx: &mut Tx<'_>,
    world: &World,
    customer: Id<Customer>,
    shared: Id<MemberKind>,
) -> Result<(), Failure> {
    for found in members::of_customer(tx, customer)? {
        if found.id != shared && found.pool != Some(shared) {
            continue;
        }
        let member = member::lock(tx, found.id)?;
        member::lock(tx, shared)?;
        let version = programme::in_force(tx, member.programme, world.now())?;
        let sharing = version.and_then(|version| version.terms.sharing);
        if household::spends_from(tx, &member, sharing.as_ref())? == shared {
            return Ok(());
        }
    }
    let why = "the points are not the customer's any more; ask for the payment again";
    Err(Refusal::new(Code::Forbidden, why).into())
}

/// Locks a member whose points pay.
///
/// # Errors
/// [`Code::NotFound`].
pub(crate) fn lock(tx: &mut Tx<'_>, of: Id<MemberKind>) -> Result<(), Failure> {
    member::lock(tx, of).map(drop)
}
