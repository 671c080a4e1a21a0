//! Matching: people who do not exist become customers in books of their own, and new ones are looked for among them; then all are compared.

use domain::actor::Actor;
use domain::contact::{Card, Draft};
use domain::customer::matching::train::Dice;
use engine::customer::{self, NewCustomer, matching};
use engine::merging::bulk;
use engine::{Failure, Shop};
use tandem::demo::report::signed;

use super::crowd::{micros_now, per_second};
use super::figure::{Amount, Figure};
use crate::fault::Fault;

const SYLLABLES: [&str; 24] = [
    "ba", "ben", "ca", "da", "del", "el", "fa", "gar", "ha", "is", "jo", "ka", "lin", "lo", "ma", "mer",
    "na", "nor", "pe", "ra", "rich", "sa", "ton", "wil",
];
/// How many different names there are of each sort.
const GIVEN: u32 = 4_000;
const FAMILIES: u32 = 60_000;
const STREETS: u32 = 20_000;
const TOWNS: u32 = 4_000;
/// One in so many is somebody who was there before, written differently.
const TWICE: u32 = 10;
/// So many are made in one transaction.
const BATCH: u32 = 500;
/// So many are looked for.
const LOOKED_FOR: usize = 500;

/// Makes so many customers and measures it.
///
/// # Errors
/// What the shop refuses.
pub fn measure(shop: &Shop, customers: u32) -> Result<Vec<Figure>, Fault> {
    let begun = micros_now();
    let mut dice = Dice(1);
    let mut before = somebody(&mut dice, 0);
    let mut made = 0;
    while made < customers {
        let batch: Vec<Card> = (made..customers.min(made + BATCH))
            .map(|number| {
                let draft = if dice.below(TWICE) == 0 {
                    again(&before, &mut dice, number)
                } else {
                    somebody(&mut dice, number)
                };
                before = draft.clone();
                Card::new(&draft)
            })
            .collect::<Result<_, _>>()
            .map_err(Failure::from)?;
        made += BATCH;
        let shop_of = shop.clone();
        shop.db.write(move |tx| {
            let mut world = shop_of.world();
            for card in &batch {
                let new = NewCustomer { external_id: None, card: card.clone(), groups: Vec::new() };
                customer::create(tx, &Actor::system(), &mut world, new)?;
            }
            Ok::<_, Failure>(())
        })?;
    }
    let among = format!("{} customers", signed(customers.into()));
    let rate = per_second(customers.into(), micros_now() - begun);
    let mut figures = vec![Figure::new("customers made, with their keys", rate, &among)];
    figures.extend(looked_for(shop, &among)?);
    let clock = || shop.source.now();
    let found = bulk::compare_all(shop, &Actor::system(), true, (&clock, &mut |_| Ok(())))?;
    let [read, compared] = found.took.map(|took| Amount::Micros(took.as_micros() as u64));
    let of = format!(
        "{among}, {} pairs compared, {} sure, {} to look at",
        found.compared, found.automatic, found.review
    );
    figures.push(Figure::new("all customers opened", read, among));
    figures.push(Figure::new("all customers compared", compared, of));
    Ok(figures)
}

/// How long it takes to look for one, and to score whom was found.
fn looked_for(shop: &Shop, among: &str) -> Result<Vec<Figure>, Fault> {
    let ids = shop.db.read(|tx| {
        let first = domain::value::Id::from_bytes([0; 16]);
        Ok::<_, Failure>(store::customer::list(tx, first, LOOKED_FOR as i64)?)
    })?;
    let mut micros = Vec::with_capacity(ids.len());
    for one in ids {
        let (id, shop_of) = (one.id, shop.clone());
        let begun = micros_now();
        shop.db.read(move |tx| {
            let rule = matching::in_force(tx)?;
            matching::alike(tx, &shop_of.world(), &rule, id).map(drop)
        })?;
        micros.push(micros_now() - begun);
    }
    micros.sort_unstable();
    let at = |per_mille: usize| Amount::Micros(micros[(micros.len() - 1) * per_mille / 1000]);
    let named =
        |name: &str, amount| Figure::new(format!("looking whom one customer may be: {name}"), amount, among);
    Ok(vec![named("median", at(500)), named("99 %", at(990)).under(Amount::Micros(10_000))])
}

/// A word made of two to four syllables; the same number makes the same word.
fn word(sort: u64, number: u32) -> String {
    let mut dice = Dice(sort << 32 | u64::from(number));
    (0..2 + dice.below(3)).map(|_| SYLLABLES[dice.below(SYLLABLES.len() as u32) as usize]).collect()
}

/// A number below the bound; low ones are common, as some names are.
fn common(dice: &mut Dice, bound: u32) -> u32 {
    let share = f64::from(dice.below(1 << 20)) / f64::from(1 << 20);
    (share.powi(3) * f64::from(bound)) as u32
}

fn somebody(dice: &mut Dice, number: u32) -> Draft {
    let (given, family) = (word(1, common(dice, GIVEN)), word(2, common(dice, FAMILIES)));
    let (town, house) = (dice.below(TOWNS), 1 + dice.below(200));
    Draft {
        email: Some(format!("{given}.{family}{number}@mail.example")),
        name: Some(format!("{given} {family}")),
        street: vec![format!("{house} {} Street", word(3, dice.below(STREETS)))],
        city: Some(word(4, town)),
        postal_code: Some(format!("{:05}", 10_000 + town * 20 + dice.below(20))),
        country: Some("GB".into()),
        phone: Some(format!("+4472{:08}", dice.below(100_000_000))),
        ..Draft::default()
    }
}

/// The same person, known by another mail address, with one letter less in the name, and at times without a phone.
fn again(before: &Draft, dice: &mut Dice, number: u32) -> Draft {
    let mut name = before.name.clone().unwrap_or_default();
    name.pop();
    Draft {
        email: Some(format!("again{number}@post.example")),
        name: Some(name),
        phone: before.phone.clone().filter(|_| dice.below(2) == 0),
        ..before.clone()
    }
}
