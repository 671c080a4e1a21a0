//! Memberships and store credits of two customers who are one person: what the one has goes on to the other's, now and whenever more comes;
//! and back again, as far as it is still there.

mod shared;

use domain::actor::Actor;
use domain::ledger::BookKind;
use domain::loyalty::points::{self as rules, MemberKind as Kind, MemberState};
use domain::loyalty::{State, account};
use domain::value::id::{
    Customer, LoyaltyProgramme, Member as MemberKind, PointLot, StoreCredit as CreditKind,
};
use domain::value::{Id, Instant, Rate};
use serde_json::{Value, json};
use store::loyalty::member as members;
use store::loyalty::points::{self as lots, Lot};
use store::{StoreError, Tx, ledger as books};

use super::member::{self, Member};
use super::points;
use super::store_credit::{self, StoreCredit};
use super::tier::{self, Standing, Stood};
use crate::event::emit;
use crate::identity::customer as known;
use crate::{Failure, World};

pub(crate) use shared::{lock as lock_households, part as part_household};

/// Of a membership or store credit of the one: what is to be known to take it out again.
pub(crate) type Joined<K> = (Id<K>, Value);

/// What was missing when something was taken out again: of which membership or store credit, and how much in points or minor units.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missing {
    /// The membership or store credit.
    pub of: String,
    /// The currency; points when `None`.
    pub currency: Option<String>,
    /// How much of what it brought had been spent.
    pub amount: i64,
}

/// Memberships that went on to another's, and the places in households that went with them.
pub(crate) struct JoinedMembers {
    /// The memberships.
    pub(crate) members: Vec<Joined<MemberKind>>,
    /// The places, by the member who had it.
    pub(crate) households: Vec<Joined<MemberKind>>,
}

/// The memberships of one customer go on to those of another, and so do places in households: whoever was in one is in the other's.
///
/// # Errors
/// [`Code::WrongState`] when more would be in a household than may be.
pub(crate) fn join_members(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (from, into): (Id<Customer>, Id<Customer>),
) -> Result<JoinedMembers, Failure> {
    let mut joined = JoinedMembers { members: Vec::new(), households: Vec::new() };
    for theirs in members::of_customer(tx, from)? {
        let found = members::of_customer(tx, into)?.into_iter().find(|own| own.programme == theirs.programme);
        let (own, is_new) = match found {
            Some(own) => (own, false),
            None => (open_like(tx, actor, world, &theirs, into)?, true),
        };
        let flat = members::merged_with(tx, theirs.id)?;
        let mut all: Vec<_> = flat.iter().copied().chain([theirs.id, own.id]).chain(own.pool).collect();
        all.extend(shared::of(tx, theirs.pool)?);
        member::lock_all(tx, &all)?;
        let was = (theirs.pool, own.pool);
        let (theirs, own) = (member::lock(tx, theirs.id)?, member::lock(tx, own.id)?);
        if (theirs.pool, own.pool) != was || shared::of(tx, theirs.pool)?.iter().any(|one| !all.contains(one))
        {
            return Err(tx.begin_anew().into());
        }
        let (theirs, own) = match theirs.pool {
            None => (theirs, own),
            Some(home) => {
                let id = theirs.id;
                let (both, mut before) = shared::join(tx, actor, world, (theirs, own), home)?;
                before["new"] = is_new.into();
                joined.households.push((id, before));
                both
            }
        };
        joined.members.push((theirs.id, join(tx, actor, world, (theirs, own), (&flat, is_new))?));
    }
    Ok(joined)
}

/// A membership like another's, for who has none in its programme.
fn open_like(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    theirs: &Member,
    customer: Id<Customer>,
) -> Result<Member, Failure> {
    let one = Member { id: world.id(), customer, pool: None, ..theirs.clone() };
    if !members::add(tx, &one)? {
        return Err(tx.begin_anew().into());
    }
    super::open(tx, &member::credit(&one), BookKind::Points, world.now())?;
    let body = json!({ "programme": one.programme.to_string(), "customer": customer.to_string() });
    emit(tx, actor, world, one.id, "member.enrolled", body);
    known::give(tx, actor, world, (customer, &member::number_of(one.id)?))?;
    Ok(one)
}

fn join(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (theirs, own): (Member, Member),
    (flat, is_new): (&[Id<MemberKind>], bool),
) -> Result<Value, Failure> {
    for id in flat {
        let one = member::lock(tx, *id)?;
        members::update(tx, &Member { pool: Some(own.id), ..one })?;
    }
    let rests =
        |lots: Vec<Lot>| lots.iter().map(|lot| json!([lot.id.to_string(), lot.rest])).collect::<Vec<_>>();
    let before = json!({
        "into": own.id.to_string(), "new": is_new, "state": theirs.state.code(), "moved": moved_out(tx, theirs.id.shared_with())?,
        "flat": flat.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "lots": rests(lots::spendable(tx, theirs.id)?), "own_lots": rests(lots::spendable(tx, own.id)?),
        "own_state": own.state.code(), "own_left_at": own.left_at.map(Instant::micros),
    });
    members::update(tx, &Member { state: MemberState::Merged, pool: Some(own.id), ..theirs.clone() })?;
    if own.state == MemberState::Left && theirs.state == MemberState::Active {
        members::update(tx, &Member { state: MemberState::Active, left_at: None, ..own.clone() })?;
    }
    points::settle(tx, actor, world, theirs.id)?;
    let stood = tier::join(tx, actor, world, (theirs.id, own.id))?;
    let mut before = before;
    before["theirs"] = stood.theirs.as_ref().map_or(Value::Null, written);
    before["own"] = stood.own.as_ref().map_or(Value::Null, written);
    before["after"] = stood.after.map_or(Value::Null, |(changes, at)| json!([changes, at.micros()]));
    Ok(before)
}

/// What went from a book to others, less what came from them.
fn moved_out(tx: &mut Tx<'_>, book: Id<domain::value::id::Book>) -> Result<i64, Failure> {
    Ok(books::balance(tx, book, account(book, State::Moved))?)
}

/// A membership is its own customer's again, with what it brought and is still there. What was spent since was the other's own first.
/// Answers what is missing.
///
/// # Errors
/// What the store says.
pub(crate) fn part_member(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    ((id, before), since): (&Joined<MemberKind>, Instant),
) -> Result<Option<Missing>, Failure> {
    let read = Read(before);
    let (of, into): (_, Id<MemberKind>) = (*id, read.id("into")?);
    let flat: Vec<Id<MemberKind>> = read.ids("flat")?;
    let pool = member::find(tx, into)?.pool;
    let all: Vec<_> = flat.iter().copied().chain([of, into]).chain(pool).collect();
    member::lock_all(tx, &all)?;
    let (theirs, own) = (member::lock(tx, of)?, member::lock(tx, into)?);
    if own.pool != pool {
        return Err(tx.begin_anew().into());
    }
    let brought = moved_out(tx, of.shared_with())? - read.int("moved")?;
    let earners: Vec<_> = flat.iter().copied().chain([of]).chain(read.ids("earners")?).collect();
    let back = bring_back(tx, actor, world, (&own, of), (&earners, brought.max(0)))?;
    restore(tx, world, (of, theirs.kind == Kind::Household), &back, read.rests("lots")?)?;
    if brought < 0 {
        take_debt_back(tx, actor, world, (&own, of), (-brought, read.rests("own_lots")?))?;
    }
    for book in [Some(into), own.pool].into_iter().flatten() {
        for earner in &earners {
            lots::remove_empty(tx, (book, *earner), since)?;
        }
    }
    for id in &flat {
        let one = member::lock(tx, *id)?;
        members::update(tx, &Member { pool: Some(of), ..one })?;
    }
    let state = MemberState::coded(read.int("state")?).ok_or_else(unreadable)?;
    members::update(tx, &Member { state, pool: None, ..theirs })?;
    points::settle(tx, actor, world, of)?;
    tier::part(tx, actor, world, into, &read.stood()?)?;
    if read.is("new") && member::remove_unused(tx, actor, world, into)? {
        return Ok(missing(of, brought, &back));
    }
    let was = MemberState::coded(read.int("own_state")?).ok_or_else(unreadable)?;
    if was == MemberState::Left && own.state == MemberState::Active {
        let left_at = read.0["own_left_at"].as_i64().map(Instant::from_micros);
        members::update(tx, &Member { state: was, left_at, ..own })?;
    }
    Ok(missing(of, brought, &back))
}

fn missing(of: Id<MemberKind>, brought: i64, back: &[Lot]) -> Option<Missing> {
    let amount = brought - back.iter().map(|lot| lot.rest).sum::<i64>();
    (amount > 0).then(|| Missing { of: of.to_string(), currency: None, amount })
}

/// Takes points out of the books of a member and of his household: those that were brought in first, then the member's own.
fn bring_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (own, of): (&Member, Id<MemberKind>),
    (earners, most): (&[Id<MemberKind>], i64),
) -> Result<Vec<Lot>, Failure> {
    let mut back: Vec<Lot> = Vec::new();
    let mut open = most;
    for is_brought in [true, false] {
        for book in [Some(own.id), own.pool].into_iter().flatten() {
            let mut there = lots::spendable(tx, book)?;
            there.retain(|lot| match (is_brought, own.kind) {
                (true, _) => earners.contains(&lot.earner),
                (false, Kind::Person) => lot.earner == own.id,
                (false, Kind::Household) => !earners.contains(&lot.earner),
            });
            let (taken, _) = rules::taken(there.iter().map(|lot| (lot.id, lot.rest)), open);
            let mut points = 0;
            for (id, part) in taken {
                lots::change_rest(tx, (book, id), -part)?;
                let lot = there.iter().find(|lot| lot.id == id).ok_or_else(unreadable)?;
                back.push(Lot { rest: part, ..lot.clone() });
                points += part;
            }
            let cause = |id: Id<MemberKind>| Some(("member", id.to_string()));
            let out = [(State::Balance, -points), (State::Moved, points)];
            points::moved(tx, actor, world, book, ("moved", &out), cause(of))?;
            let into = [(State::Balance, points), (State::Moved, -points)];
            points::moved(tx, actor, world, of, ("moved", &into), cause(book))?;
            open -= points;
        }
    }
    Ok(back)
}

/// Puts points into the lots they were in, with the expiry they have; into new ones where there are none.
fn restore(
    tx: &mut Tx<'_>,
    world: &mut World,
    (of, keeps_earners): (Id<MemberKind>, bool),
    back: &[Lot],
    mut rests: Vec<(Id<PointLot>, i64)>,
) -> Result<(), Failure> {
    for lot in back {
        let mut open = lot.rest;
        for (id, rest) in rests.iter_mut().filter(|(_, rest)| *rest > 0) {
            let was = points::find_lot(tx, of, *id)?;
            if (was.number, &was.zone, was.expires_at) == (lot.number, &lot.zone, lot.expires_at) {
                let part = open.min(*rest);
                lots::change_rest(tx, (of, *id), part)?;
                (open, *rest) = (open - part, *rest - part);
            }
        }
        if open > 0 {
            let (id, made_at) = (world.id(), world.now());
            let earner = if keeps_earners { lot.earner } else { of };
            let (order, occasion, granted, rest, counted) = (None, None, open, open, 0);
            let fresh = Lot {
                member: of,
                id,
                order,
                occasion,
                granted,
                rest,
                counted,
                made_at,
                earner,
                ..lot.clone()
            };
            lots::add_lot(tx, &fresh)?;
        }
    }
    Ok(())
}

/// What the one owed when he came is his again; what the other paid of it comes back into the other's lots.
fn take_debt_back(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (own, of): (&Member, Id<MemberKind>),
    (debt, rests): (i64, Vec<(Id<PointLot>, i64)>),
) -> Result<(), Failure> {
    let owes = -books::balance(tx, own.id.shared_with(), account(own.id.shared_with(), State::Owed))?;
    let unpaid = owes.clamp(0, debt);
    let mut paid = debt - unpaid;
    let cause = |id: Id<MemberKind>| Some(("member", id.to_string()));
    let back = [(State::Owed, unpaid), (State::Balance, paid), (State::Moved, -debt)];
    points::moved(tx, actor, world, own.id, ("moved", &back), cause(of))?;
    points::moved(
        tx,
        actor,
        world,
        of,
        ("moved", &[(State::Owed, -debt), (State::Moved, debt)]),
        cause(own.id),
    )?;
    for (id, rest) in rests {
        let Some(lot) = lots::find_lot(tx, own.id, id)? else { continue };
        let part = (rest - lot.rest).clamp(0, paid);
        lots::change_rest(tx, (own.id, id), part)?;
        paid -= part;
    }
    if paid > 0 {
        let (number, terms) = points::in_force(tx, own, world.now())?;
        lots::add_lot(tx, &points::available(world, own.id, (paid, number), &terms))?;
    }
    points::settle(tx, actor, world, own.id)
}

/// The store credits of one customer go on to those of another.
///
/// # Errors
/// What the store says.
pub(crate) fn join_credits(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (from, into): (Id<Customer>, Id<Customer>),
) -> Result<Vec<Joined<CreditKind>>, Failure> {
    let mut joined = Vec::new();
    for theirs in store::loyalty::credits_of(tx, from)? {
        let found =
            store::loyalty::credits_of(tx, into)?.into_iter().find(|own| own.currency == theirs.currency);
        let (own, is_new) = match found {
            Some(own) => (own, false),
            None => (store_credit::open(tx, actor, world, into, theirs.currency)?, true),
        };
        books::lock_books(tx, &mut vec![theirs.id.shared_with(), own.id.shared_with()])?;
        let flat = store::loyalty::pooled(tx, theirs.id)?;
        let moved = moved_out(tx, theirs.id.shared_with())?;
        for id in flat.iter().chain([&theirs.id]) {
            store::loyalty::set_pool(tx, *id, Some(own.id))?;
        }
        let (from, into) = (store_credit::credit(&theirs), store_credit::credit(&own));
        store_credit::pour(tx, actor, world, (&from, &into), None)?;
        let flat: Vec<_> = flat.iter().map(ToString::to_string).collect();
        joined.push((
            theirs.id,
            json!({ "into": own.id.to_string(), "new": is_new, "moved": moved, "flat": flat }),
        ));
    }
    Ok(joined)
}

/// A store credit is its own customer's again, with what it brought and is still there. Answers what is missing.
///
/// # Errors
/// What the store says.
pub(crate) fn part_credit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, before): &Joined<CreditKind>,
) -> Result<Option<Missing>, Failure> {
    let read = Read(before);
    let find = |tx: &mut Tx<'_>, id| -> Result<StoreCredit, Failure> { store_credit::find(tx, id) };
    let (theirs, own) = (find(tx, *id)?, find(tx, read.id("into")?)?);
    books::lock_books(tx, &mut vec![theirs.id.shared_with(), own.id.shared_with()])?;
    store::loyalty::set_pool(tx, theirs.id, None)?;
    for flat in read.ids::<CreditKind>("flat")? {
        store::loyalty::set_pool(tx, flat, Some(theirs.id))?;
    }
    let brought = moved_out(tx, theirs.id.shared_with())? - read.int("moved")?;
    let (from, into) = (store_credit::credit(&own), store_credit::credit(&theirs));
    let back = store_credit::pour(tx, actor, world, (&from, &into), Some(brought))?;
    if read.is("new") {
        store::loyalty::remove_unused_credit(tx, own.id)?;
    }
    let currency = Some(theirs.currency.code().to_owned());
    Ok((brought > back).then(|| Missing { of: theirs.id.to_string(), currency, amount: brought - back }))
}

fn unreadable() -> Failure {
    StoreError::Corrupt("what a merge moved cannot be read".into()).into()
}

fn written(one: &Standing) -> Value {
    json!({
        "member": one.member.to_string(), "programme": one.programme.to_string(), "number": one.number, "tier": one.tier, "label": one.label,
        "rate": one.rate.parts_per_million(), "return_days": one.return_days, "since": one.since.micros(),
        "falls_at": one.falls_at.map(Instant::micros), "review_at": one.review_at.map(Instant::micros),
        "judged_at": one.judged_at.micros(), "changes": one.changes,
    })
}

/// What was written down when something was joined.
struct Read<'v>(&'v Value);

impl Read<'_> {
    fn int(&self, field: &str) -> Result<i64, Failure> {
        self.0[field].as_i64().ok_or_else(unreadable)
    }

    fn is(&self, field: &str) -> bool {
        self.0[field] == true
    }

    fn id<K: domain::value::Kind>(&self, field: &str) -> Result<Id<K>, Failure> {
        Id::parse(self.0[field].as_str().unwrap_or_default()).map_err(|_| unreadable())
    }

    fn ids<K: domain::value::Kind>(&self, field: &str) -> Result<Vec<Id<K>>, Failure> {
        let all = self.0[field].as_array().into_iter().flatten();
        all.map(|text| Id::parse(text.as_str().unwrap_or_default()).map_err(|_| unreadable())).collect()
    }

    fn rests(&self, field: &str) -> Result<Vec<(Id<PointLot>, i64)>, Failure> {
        let all = self.0[field].as_array().into_iter().flatten();
        let rest = |one: &Value| Some((Id::parse(one[0].as_str()?).ok()?, one[1].as_i64()?));
        all.map(|one| rest(one).ok_or_else(unreadable)).collect()
    }

    fn stood(&self) -> Result<Stood, Failure> {
        let after = self.0["after"].as_array();
        let after = after.and_then(|pair| Some((pair[0].as_i64()?, Instant::from_micros(pair[1].as_i64()?))));
        Ok(Stood { theirs: self.standing("theirs")?, own: self.standing("own")?, after })
    }

    fn standing(&self, field: &str) -> Result<Option<Standing>, Failure> {
        let read = Read(&self.0[field]);
        if read.0.is_null() {
            return Ok(None);
        }
        let text = |field: &str| read.0[field].as_str().map(str::to_owned);
        let at = |field: &str| read.0[field].as_i64().map(Instant::from_micros);
        Ok(Some(Standing {
            member: read.id("member")?,
            programme: read.id::<LoyaltyProgramme>("programme")?,
            number: read.int("number")?,
            tier: text("tier"),
            label: text("label"),
            rate: Rate::from_parts_per_million(read.int("rate")?).map_err(|_| unreadable())?,
            return_days: read.int("return_days")?,
            since: at("since").ok_or_else(unreadable)?,
            falls_at: at("falls_at"),
            review_at: at("review_at"),
            judged_at: at("judged_at").ok_or_else(unreadable)?,
            changes: read.int("changes")?,
        }))
    }
}
