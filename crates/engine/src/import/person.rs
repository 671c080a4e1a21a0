//! Rows of people from a source: each is put to the person it is of, by a key that is the same, or makes somebody new; whom somebody new may
//! be, though no key is the same, is left for a colleague. What is known changes only as the precedence of the import says.

use std::collections::BTreeSet;

use domain::actor::Actor;
use domain::contact::{Card, Draft};
use domain::customer::matching::level::Level;
use domain::customer::matching::{self as rules, Band, Explanation, Field, Person};
use domain::import::Outcome;
use domain::import::source::{Part, SameBy, Voice, takes};
use domain::value::id::{Customer as CustomerKind, Member};
use domain::value::{Id, Instant, Reference};
use domain::{Code, Refusal};
use store::Tx;
use store::customer::{self as customers, record as records};
use store::import::source::Finding;

use super::customer::Row;
use super::{Batch, From, Taken};
use crate::contact::{email_hash, phone_hash};
use crate::customer::matching::{self, InForce};
use crate::customer::record::{self, NewRecord, Record, Said};
use crate::customer::{self, Change, Customer, NewCustomer};
use crate::event::emit;
use crate::merging::review;
use crate::{Failure, World, external};

/// The most customers who share a phone number and are looked at.
const SHARING_MAX: i64 = 50;
/// The most findings of one row.
const FINDINGS_MAX: usize = 20;
/// The most rows of a file that are followed to whom one of them is.
const FOLLOWED_MAX: usize = 8;

/// Whom a row is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    /// A customer.
    Known(Id<CustomerKind>),
    /// Whoever a row further up makes, once the file is really taken in.
    Row(usize),
}

/// A row's place among the others.
type Around<'a, 'f> = (&'a Batch<'f>, &'a From, usize);

/// Puts a row to whom it is of, or makes somebody of it.
pub(super) fn take(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    row: &Row,
    around: Around<'_, '_>,
) -> Result<Taken, Failure> {
    let (_, from, _) = around;
    let code = &from.source.code;
    let name = row.external_id.clone().or_else(|| row.card.email_lookup()).unwrap_or_default();
    let key = record::key(world.keyring(), code, &name);
    if let Some(known) = records::lock(tx, code, &key)? {
        return again(tx, actor, world, row, (around, &known));
    }
    let said = Said { card: row.card.clone(), groups: row.groups.clone().unwrap_or_default() };
    let new = NewRecord {
        source: code,
        key,
        external_id: row.external_id.as_deref(),
        said: &said,
        at: row.changed_at.unwrap_or(from.at).min(from.at),
    };
    let found = whose(tx, world, row, around, FOLLOWED_MAX)?;
    let Some((whom, same_by)) = found.first().copied() else {
        return make(tx, actor, world, row, (around, &new));
    };
    let mut findings = vec![joined(around, whom, same_by)];
    findings.extend(disagreeing(tx, actor, world, around, &found)?);
    if let Whom::Known(id) = whom {
        let id = customer::stay(tx, id)?.id;
        let customer = customer::load(tx, id)?;
        let others = records::of_customer(tx, id, record::RECORDS_MAX)?;
        record::put(tx, world, &customer, new, true)?;
        settle(
            tx,
            actor,
            world,
            &customer,
            &Saying { row, from, said: &said, before: None, at: new.at, others },
        )?;
        let body = serde_json::json!({ "source": code, "same_by": same_by.text() });
        emit(tx, actor, world, id, "customer.joined", body);
    }
    Ok(Taken { outcome: Outcome::Joined, findings, made: None, was_erased: false })
}

/// A row of somebody the source spoke of before.
fn again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    row: &Row,
    (around, known): (Around<'_, '_>, &Record),
) -> Result<Taken, Failure> {
    let (_, from, _) = around;
    let Some(before) = record::said(tx, world, known)? else {
        let why = "the person was erased; take the row out of the file";
        return Err(Refusal::new(Code::WrongState, why).into());
    };
    let card = Card::new(&super::customer::merged(before.card.text(), row))?;
    let groups = row.groups.clone().unwrap_or_else(|| before.groups.clone());
    let said = Said { card, groups };
    let hash = record::hash_of(world.keyring(), &said);
    if known.said_hash.as_deref() == Some(&hash[..]) {
        return Ok(Outcome::Same.into());
    }
    let id = customers::merged_into(tx, known.customer)?.unwrap_or(known.customer);
    let id = customer::stay(tx, id)?.id;
    let mut found = whose(tx, world, row, around, FOLLOWED_MAX)?;
    found.retain(|(whom, _)| *whom != Whom::Known(id));
    found.insert(0, (Whom::Known(id), SameBy::Customer));
    let findings = disagreeing(tx, actor, world, around, &found)?;
    let customer = customer::load(tx, id)?;
    let mut others = records::of_customer(tx, id, record::RECORDS_MAX)?;
    others.retain(|other| (&other.source, other.key) != (&known.source, known.key));
    let at = row.changed_at.unwrap_or(from.at).min(from.at);
    let new = NewRecord {
        source: &from.source.code,
        key: known.key,
        external_id: known.external_id.as_deref(),
        said: &said,
        at,
    };
    let own = customer::load(tx, known.customer)?;
    record::put(tx, world, &own, new, false)?;
    let saying = Saying { row, from, said: &said, before: Some(&before), at, others };
    settle(tx, actor, world, &customer, &saying)?;
    Ok(Taken { outcome: Outcome::Changed, findings, made: None, was_erased: false })
}

/// Somebody new, and whom he may be.
fn make(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    row: &Row,
    (around, new): (Around<'_, '_>, &NewRecord<'_>),
) -> Result<Taken, Failure> {
    let (batch, from, place) = around;
    let number = row.external_id.as_deref().map(|text| record::number(&from.source.code, text));
    let fresh = NewCustomer { external_id: number, card: row.card.clone(), groups: new.said.groups.clone() };
    let customer = customer::make(tx, actor, world, fresh)?;
    record::put(tx, world, &customer, *new, true)?;
    let rule = matching::in_force(tx)?;
    let mut findings: Vec<Finding> = Vec::new();
    for (other, review) in review::look(tx, actor, world, &rule, customer.id)? {
        let (score, steps) = (review.score, review.steps);
        findings.push(Finding { score, steps, ..maybe(around, Whom::Known(other), SameBy::Alike) });
    }
    for (other, explained) in alike_further_up(tx, world, row, around, &rule)? {
        let (score, steps) = (explained.score, matching::steps(&explained));
        findings.push(Finding { score, steps, ..maybe((batch, from, place), other, SameBy::Alike) });
    }
    findings.truncate(FINDINGS_MAX);
    Ok(Taken { outcome: Outcome::Made, findings, made: Some(customer.id), was_erased: false })
}

fn finding((batch, _, place): Around<'_, '_>, whom: Whom, same_by: SameBy, is_joined: bool) -> Finding {
    let line_of = |place| batch.file.person(place).map_or(0, |(line, _)| line);
    let further_up = match whom {
        Whom::Row(place) => Some(line_of(place)),
        Whom::Known(id) => batch.made.get(&id).copied(),
    };
    let kept = |line: u64| i64::try_from(line).unwrap_or(i64::MAX);
    Finding {
        line: kept(line_of(place)),
        is_joined,
        same_by,
        customer: match whom {
            Whom::Known(id) => Some(id),
            Whom::Row(_) => None,
        },
        other_line: further_up.map(kept),
        score: 0,
        steps: "[]".to_owned(),
    }
}

fn joined(around: Around<'_, '_>, whom: Whom, same_by: SameBy) -> Finding {
    finding(around, whom, same_by, true)
}

fn maybe(around: Around<'_, '_>, whom: Whom, same_by: SameBy) -> Finding {
    finding(around, whom, same_by, false)
}

/// Where the keys of one row lead to several customers, these share a key: a colleague looks whether they are one.
fn disagreeing(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    around: Around<'_, '_>,
    found: &[(Whom, SameBy)],
) -> Result<Vec<Finding>, Failure> {
    let Some(((whom, first), rest)) = found.split_first() else { return Ok(Vec::new()) };
    let mut findings = Vec::new();
    for (other, same_by) in rest.iter().take(FINDINGS_MAX) {
        let is_news = match (whom, other) {
            (Whom::Known(one), Whom::Known(two)) => {
                let is_told = [first, same_by].contains(&&SameBy::Phone);
                let (first, second) = (first.text(), same_by.text());
                let reason = format!(
                    "one row of source {} leads to the one by its {first}, to the other by its {second}",
                    around.1.source.code
                );
                review::share_a_key(tx, actor, world, (*one, *two), (&reason, is_told))?
            }
            _ => true,
        };
        findings.extend(is_news.then(|| maybe(around, *other, *same_by)));
    }
    Ok(findings)
}

/// Whom a row is of by a key that is the same, the surest first, each once.
fn whose(
    tx: &mut Tx<'_>,
    world: &World,
    row: &Row,
    around: Around<'_, '_>,
    follow: usize,
) -> Result<Vec<(Whom, SameBy)>, Failure> {
    let (batch, from, place) = around;
    let mut found: Vec<(Whom, SameBy)> = Vec::new();
    let mut add = |whom: Whom, same_by| {
        if !found.iter().any(|(known, _)| *known == whom) {
            found.push((whom, same_by));
        }
    };
    if let Some(text) = &row.customer {
        add(Whom::Known(named(tx, text)?), SameBy::Customer);
    }
    if let Some(text) = &row.external_id {
        let known = store::external::find(tx, &record::number(&from.source.code, text))?;
        if let Some(id) = known {
            add(Whom::Known(customers::merged_into(tx, id)?.unwrap_or(id)), SameBy::Customer);
        }
    }
    if let Some(hash) = email_hash(world.keyring(), &row.card) {
        let own = customers::by_email(tx, &hash)?;
        let said = records::by_email(tx, &hash, SHARING_MAX)?;
        own.into_iter().chain(said).for_each(|id| add(Whom::Known(id), SameBy::Email));
    }
    let person = matching::person_of(&row.card);
    let mut by_phone = Vec::new();
    if let Some(hash) = phone_hash(world.keyring(), &row.card) {
        let mut ids: BTreeSet<Id<CustomerKind>> =
            customers::by_phone(tx, &hash, SHARING_MAX)?.into_iter().collect();
        ids.extend(records::by_phone(tx, &hash, SHARING_MAX)?);
        let ids: Vec<_> = ids.into_iter().collect();
        let others = matching::opened(world.keyring(), customers::matching::contacts(tx, &ids)?);
        by_phone
            .extend(others.into_iter().find(|(_, other)| have_one_name(&person, other)).map(|(id, _)| id));
    }
    let upto = batch.tried_before.min(place);
    if upto > 0 && follow > 0 {
        if let Some(other) =
            row.card.email_lookup().and_then(|email| batch.file.index().with_email(&email, upto))
        {
            add(followed(tx, world, other, around, follow)?, SameBy::Email);
        }
        if let Some(phone) = row.card.phone_lookup().filter(|_| by_phone.is_empty()) {
            let shares = |other: &usize| {
                let known = batch.file.person(*other);
                known.is_some_and(|(_, known)| have_one_name(&person, &matching::person_of(&known.card)))
            };
            let other = batch.file.index().with_phone(&phone, upto).take(SHARING_MAX as usize).find(shares);
            if let Some(other) = other {
                add(followed(tx, world, other, around, follow)?, SameBy::Phone);
            }
        }
    }
    by_phone.into_iter().for_each(|id| add(Whom::Known(id), SameBy::Phone));
    Ok(found)
}

/// Whom a row further up is of, that was only tried.
fn followed(
    tx: &mut Tx<'_>,
    world: &World,
    place: usize,
    (batch, from, _): Around<'_, '_>,
    follow: usize,
) -> Result<Whom, Failure> {
    let Some((_, row)) = batch.file.person(place) else { return Ok(Whom::Row(place)) };
    let name = row.external_id.clone().or_else(|| row.card.email_lookup()).unwrap_or_default();
    let key = record::key(world.keyring(), &from.source.code, &name);
    if let Some(known) = records::lock(tx, &from.source.code, &key)? {
        return Ok(Whom::Known(customers::merged_into(tx, known.customer)?.unwrap_or(known.customer)));
    }
    let found = whose(tx, world, row, (batch, from, place), follow - 1)?;
    Ok(found.first().map_or(Whom::Row(place), |(whom, _)| *whom))
}

/// The customer a row names: by our id or that of a membership, an external id, or another source's number.
fn named(tx: &mut Tx<'_>, text: &str) -> Result<Id<CustomerKind>, Failure> {
    let unknown = || Refusal::invalid("customer", "nobody is known by this");
    let id = match Id::<Member>::parse(text) {
        Ok(id) => store::loyalty::member::find(tx, id)?.ok_or_else(unknown)?.customer,
        Err(_) => external::resolve_at(tx, "customer", &Reference::read(text))?,
    };
    let id = customers::merged_into(tx, id)?.unwrap_or(id);
    let known = customers::find(tx, id)?.filter(|known| known.erased_at.is_none());
    Ok(known.ok_or_else(unknown)?.id)
}

/// Are two called the same, be it with given and family name swapped or a slip?
fn have_one_name(one: &Person, other: &Person) -> bool {
    let pattern = rules::pattern(one, other);
    [Field::Given, Field::Family].into_iter().all(|field| {
        let level = pattern[field.place()].map(|agreement| agreement.level);
        matches!(level, Some(Level::Equal | Level::Close | Level::Swapped))
    })
}

/// Who further up in a file that is only tried may be the same person, though no key is the same.
fn alike_further_up(
    tx: &mut Tx<'_>,
    world: &World,
    row: &Row,
    around: Around<'_, '_>,
    rule: &InForce,
) -> Result<Vec<(Whom, Explanation)>, Failure> {
    let (batch, _, place) = around;
    let upto = batch.tried_before.min(place);
    if upto == 0 {
        return Ok(Vec::new());
    }
    let person = rule.common.counted(tx, (world.keyring(), rule.number), matching::person_of(&row.card))?;
    let mut alike = Vec::new();
    for other in batch.file.index().candidates(&person, upto) {
        let Some((_, known)) = batch.file.person(other) else { continue };
        let explained = rules::compare(&rule.model, &person, &matching::person_of(&known.card));
        if explained.band == Band::None {
            continue;
        }
        let whom = followed(tx, world, other, around, FOLLOWED_MAX)?;
        if whom == Whom::Row(other) {
            alike.push((whom, explained));
        }
    }
    alike.sort_by_key(|(_, explained)| std::cmp::Reverse(explained.score));
    Ok(alike)
}

/// What a source says of a customer, and what others say.
struct Saying<'a> {
    row: &'a Row,
    from: &'a From,
    said: &'a Said,
    /// What it said before.
    before: Option<&'a Said>,
    at: Instant,
    /// What is said of the customer otherwise.
    others: Vec<Record>,
}

/// Changes what is known of a customer as the precedence says.
fn settle(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    customer: &Customer,
    saying: &Saying<'_>,
) -> Result<(), Failure> {
    let card = customer::read_contact(tx, actor, world, customer.id)?;
    let known = Said { card, groups: customer.groups.clone() };
    let mut others = Vec::new();
    for other in &saying.others {
        if let Some(said) = record::said(tx, world, other)? {
            let trust = saying.from.trusts.get(&other.source).copied().unwrap_or(1);
            others.push((said, trust, other.said_at));
        }
    }
    let (mut draft, mut groups) = (known.card.text().clone(), known.groups.clone());
    for part in Part::ALL.iter().copied().filter(|part| has(saying.row, *part)) {
        let (new, now) = (part_of(saying.said, part), part_of(&known, part));
        if new == now || (new.is_empty() && saying.before.is_none()) {
            continue;
        }
        let is_own = saying.before.is_some_and(|before| part_of(before, part) == now);
        let others = others.iter().filter(|(said, ..)| part_of(said, part) == now);
        let said: Option<(i64, Instant)> =
            others.map(|(_, trust, at)| (*trust, *at)).reduce(|a, b| (a.0.max(b.0), a.1.max(b.1)));
        let voice = match said {
            _ if now.is_empty() => Voice::Nobody,
            _ if is_own => Voice::Own,
            Some((trust, at)) => Voice::Other { trust, at },
            None => Voice::Shop { at: customer.changed_at },
        };
        let may = takes(saying.from.precedence, (saying.from.source.trust, saying.at), voice);
        if !may || (new.is_empty() && voice != Voice::Own) {
            continue;
        }
        if part == Part::Email && is_anothers(tx, world, &saying.said.card, customer.id)? {
            continue;
        }
        put_part(&mut draft, &mut groups, saying.said, part);
    }
    let card = Card::new(&draft)?;
    let change = Change {
        card: Some(card).filter(|card| *card != known.card),
        groups: Some(groups).filter(|groups| *groups != known.groups),
        if_match: Some(customer.version),
        shown: None,
    };
    if change.card.is_some() || change.groups.is_some() {
        customer::fill(tx, actor, world, customer.id, (&saying.said.card, change))?;
    }
    Ok(())
}

fn is_anothers(tx: &mut Tx<'_>, world: &World, card: &Card, id: Id<CustomerKind>) -> Result<bool, Failure> {
    let Some(hash) = email_hash(world.keyring(), card) else { return Ok(false) };
    Ok(customers::by_email(tx, &hash)?.is_some_and(|other| other != id))
}

/// Has the file columns for a part?
fn has(row: &Row, part: Part) -> bool {
    let has = &row.has;
    match part {
        Part::Name => has.name,
        Part::Company => has.company,
        Part::Address => has.street || has.city || has.region || has.postal_code || has.country,
        Part::Email => has.email,
        Part::Phone => has.phone,
        Part::Groups => row.groups.is_some(),
    }
}

/// A part of what is said as texts that can be compared; nothing where nothing is said. A country alone is no address.
fn part_of(said: &Said, part: Part) -> Vec<String> {
    let text = said.card.text();
    let one = |text: &Option<String>| text.iter().cloned().collect();
    match part {
        Part::Name => one(&text.name),
        Part::Company => one(&text.company),
        Part::Email => said.card.email_lookup().into_iter().collect(),
        Part::Phone => one(&text.phone),
        Part::Groups => said.groups.clone(),
        Part::Address if text.street.is_empty() && text.city.is_none() && text.postal_code.is_none() => {
            Vec::new()
        }
        Part::Address => {
            let rest = [&text.city, &text.region, &text.postal_code, &text.country];
            text.street.iter().cloned().chain(rest.map(|part| part.clone().unwrap_or_default())).collect()
        }
    }
}

fn put_part(draft: &mut Draft, groups: &mut Vec<String>, said: &Said, part: Part) {
    let text = said.card.text().clone();
    match part {
        Part::Name => draft.name = text.name,
        Part::Company => draft.company = text.company,
        Part::Email => draft.email = text.email,
        Part::Phone => draft.phone = text.phone,
        Part::Groups => groups.clone_from(&said.groups),
        Part::Address => {
            (draft.street, draft.city, draft.region) = (text.street, text.city, text.region);
            (draft.postal_code, draft.country) = (text.postal_code, text.country);
        }
    }
}
