//! Opening balances from files: points, store credit and gift cards of the system before, each taken in once; and what customers have with us
//! into files.

use std::collections::BTreeMap;

use domain::Refusal;
use domain::actor::Actor;
use domain::import::Outcome;
use domain::loyalty::{self as rules, BalanceKind, OLD_CODE_CHARS_MAX, OLD_CODE_CHARS_MIN};
use domain::value::id::{Book, Customer};
use domain::value::{Id, Instant, Money, Reference, text};
use store::Tx;

use super::export::{Read, amount, or_empty};
use super::file::{Entry, Input};
use super::row::{CellError, Cells};
use crate::loyalty::gift_card::Known;
use crate::loyalty::opening::{self, Held, Holder, Opening};
use crate::loyalty::programme;
use crate::{Failure, World, external};

/// The most characters of a number of the other system, or of what a customer or a programme is known by.
const NAME_CHARS_MAX: usize = 64;

/// A row of a file of balances.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub reference: String,
    what: What,
    expires_at: Option<Instant>,
}

/// Whose balance it is, and how much.
#[derive(Clone, Debug)]
enum What {
    Points { customer: String, programme: String, points: i64 },
    StoreCredit { customer: String, money: Money },
    GiftCard { code: Option<Known>, money: Money },
}

/// Reads a row.
pub(super) fn read(mut row: Cells<'_>) -> Result<Row, Vec<CellError>> {
    let reference = row.need("reference", |said| text::bounded("reference", said, 1, NAME_CHARS_MAX));
    let kind = row.need("kind", BalanceKind::parse);
    let expires_at = row.instant("expires_at");
    let what = match kind {
        Some(BalanceKind::Points) => points(&mut row),
        Some(BalanceKind::StoreCredit) => {
            let (customer, money) = (customer(&mut row), money(&mut row));
            customer.zip(money).map(|(customer, money)| What::StoreCredit { customer, money })
        }
        Some(BalanceKind::GiftCard) => {
            let (code, money) = (code(&mut row), money(&mut row));
            code.zip(money).map(|(code, money)| What::GiftCard { code, money })
        }
        None => None,
    };
    let read = (|| Some(Row { reference: reference?, what: what?, expires_at: expires_at? }))();
    row.done(read)
}

fn customer(row: &mut Cells<'_>) -> Option<String> {
    row.need("customer", |said| text::bounded("customer", said, 1, NAME_CHARS_MAX))
}

fn points(row: &mut Cells<'_>) -> Option<What> {
    let customer = customer(row);
    let programme = row.need("programme", |said| text::bounded("programme", said, 1, NAME_CHARS_MAX));
    let points = match row.whole("points") {
        Some(None) => row.need("points", |_| Ok::<i64, String>(0)),
        other => other.flatten(),
    };
    Some(What::Points { customer: customer?, programme: programme?, points: points? })
}

fn money(row: &mut Cells<'_>) -> Option<Money> {
    let (written, currency) = (row.amount("amount", "amount_minor"), row.currency());
    let currency = match currency? {
        Some(currency) => currency,
        None => {
            row.refuse("currency", "is empty; give three letters of iso 4217");
            return None;
        }
    };
    let Some(written) = written? else {
        row.refuse("amount", "is empty; give how much it is, such as 25.00");
        return None;
    };
    let money = written.minor("amount", currency).map_err(|refusal| refusal.message().to_owned());
    let money = money.and_then(|minor| Money::new(minor, currency).map_err(|error| error.to_string()));
    money.map_err(|message| row.refuse("amount", message)).ok()
}

/// What the row knows of a card's code; nothing where the card is one of ours.
fn code(row: &mut Cells<'_>) -> Option<Option<Known>> {
    let plain = row.may("code", |said| {
        let bounds = format!("give {OLD_CODE_CHARS_MIN} to {OLD_CODE_CHARS_MAX} letters and digits");
        rules::old_code(said).map(|code| Known::code(&code)).ok_or(bounds)
    })?;
    let last_four = row.may("last_four", |said| text::bounded("last_four", said, 1, 4))?.unwrap_or_default();
    let hashed = row.may("code_sha256", |said| {
        let sha256 = said.to_lowercase();
        let is_hash = sha256.len() == 64 && sha256.bytes().all(|digit| digit.is_ascii_hexdigit());
        is_hash.then_some(Known { sha256, last_four }).ok_or("give 64 digits, 0 to 9 and a to f")
    })?;
    if plain.is_some() && hashed.is_some() {
        row.refuse("code", "give either code or code_sha256");
        return None;
    }
    Some(plain.or(hashed))
}

/// Takes the balance in.
pub(super) fn take(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, row: &Row) -> Result<Outcome, Failure> {
    let holder = match &row.what {
        What::Points { customer, programme, points } => {
            let found = programme::joined(tx, programme)?;
            let missing =
                || Refusal::invalid("programme", "no loyalty programme has this code; make it first");
            Holder::Points(found.ok_or_else(missing)?.id, customer_of(tx, customer)?, *points)
        }
        What::StoreCredit { customer, money } => Holder::StoreCredit(customer_of(tx, customer)?, *money),
        What::GiftCard { code, money } => Holder::GiftCard(code.clone(), *money),
    };
    let one = Opening { reference: &row.reference, holder, expires_at: row.expires_at };
    Ok(if opening::take(tx, actor, world, one)? { Outcome::Made } else { Outcome::Same })
}

fn customer_of(tx: &mut Tx<'_>, named: &str) -> Result<Id<Customer>, Failure> {
    external::resolve_at(tx, "customer", &Reference::read(named))
}

/// The rows of the balances of books after one: what can be spent now, each lot of points by itself.
pub(super) fn given_out(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    (after, limit): (Id<Book>, i64),
) -> Result<Read, Failure> {
    let mut rows = Vec::new();
    let books = opening::books(tx, actor, after, limit)?;
    for book in &books {
        for one in opening::given_out(tx, world, *book)? {
            let name = |id: Id<Customer>| {
                let external = store::import::external_ids::<Customer>(tx, &[id.bytes()])?.pop();
                Ok::<_, Failure>(external.map_or_else(|| id.to_string(), |(_, external)| external))
            };
            let mut row =
                BTreeMap::from([("reference", one.reference), ("expires_at", or_empty(one.expires_at))]);
            row.extend(cells(one.holder, name)?);
            rows.push(row);
        }
    }
    Ok((books.len(), rows, books.last().map(|book| book.bytes())))
}

fn cells(
    holder: Held,
    mut name: impl FnMut(Id<Customer>) -> Result<String, Failure>,
) -> Result<Vec<(&'static str, String)>, Failure> {
    let money = |kind: BalanceKind, money: Money| {
        let amount = amount(money.minor(), money.currency());
        vec![
            ("kind", kind.text().to_owned()),
            ("amount", amount),
            ("currency", money.currency().code().to_owned()),
        ]
    };
    Ok(match holder {
        Held::Points(programme, customer, points) => vec![
            ("kind", BalanceKind::Points.text().to_owned()),
            ("customer", name(customer)?),
            ("programme", programme),
            ("points", points.to_string()),
        ],
        Held::StoreCredit(customer, credit) => {
            let mut cells = money(BalanceKind::StoreCredit, credit);
            cells.push(("customer", name(customer)?));
            cells
        }
        Held::GiftCard(known, last_four, on_it) => {
            let mut cells = money(BalanceKind::GiftCard, on_it);
            cells.push(("code_sha256", known.map(|known| known.sha256).unwrap_or_default()));
            cells.push(("last_four", last_four));
            cells
        }
    })
}

/// What the readable rows of a file come to, in words.
pub(super) fn sums(entries: &[Entry]) -> Vec<String> {
    let mut sums: BTreeMap<(&str, &str), (Option<Money>, i128, i64)> = BTreeMap::new();
    for entry in entries {
        let Ok(Input::Balance(row)) = &entry.read else { continue };
        let (kind, money, count) = match &row.what {
            What::Points { points, .. } => ("points", None, *points),
            What::StoreCredit { money, .. } => ("of store credit", Some(*money), money.minor()),
            What::GiftCard { money, .. } => ("on gift cards", Some(*money), money.minor()),
        };
        let unit = money.map_or("", |money| money.currency().code());
        let sum = sums.entry((kind, unit)).or_insert((money, 0, 0));
        (sum.1, sum.2) = (sum.1 + i128::from(count), sum.2 + 1);
    }
    let tell = |((kind, _), (money, sum, rows)): ((&str, &str), (Option<Money>, i128, i64))| {
        let amount = money.and_then(|money| Money::new(i64::try_from(sum).ok()?, money.currency()).ok());
        let amount = amount.map_or_else(|| sum.to_string(), |money| money.to_string());
        format!("{amount} {kind} in {rows} rows that can be read")
    };
    sums.into_iter().map(tell).collect()
}
