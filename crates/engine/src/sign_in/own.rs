//! What the shop's own pages show to whoever signs in, and who may ask from them.

use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::market::Kind;
use domain::status::Stage;
use domain::value::id::{self, Customer};
use domain::value::{Id, Instant, Language, Reference, Zone};
use domain::{Code, Refusal};
use store::Tx;
use store::market::{Channel, find_channel, find_market, list_channels};

use super::passkey::{self, Passkey};
use crate::company::invitation::{self, Offered};
use crate::company::member::{Membership, memberships};
use crate::loyalty::{member, points};
use crate::{Failure, World, customer, external, order, status};

/// The most channels that are looked at for the one whose pages these are.
const CHANNELS_MAX: i64 = 200;
/// The most orders of one's own page, the newest.
pub const ORDERS_MAX: i64 = 10;
/// How long a link from one's own page to an order works, in days.
const LINK_DAYS: i64 = 1;

/// Everything that stands on one's own page.
#[derive(Clone, Debug)]
pub struct Own {
    /// What the channel is called.
    pub shop: String,
    /// The clock of its market.
    pub zone: Zone,
    /// Who.
    pub customer: Id<Customer>,
    /// What to call him.
    pub name: Option<String>,
    /// The address he is written to at.
    pub email: Option<String>,
    /// The newest orders.
    pub orders: Vec<Ordered>,
    /// There are more.
    pub has_more: bool,
    /// Points that can be spent, and those that wait, in each programme he takes part in.
    pub points: Vec<(i64, i64)>,
    /// The companies he may buy for.
    pub companies: Vec<Membership>,
    /// The passkeys.
    pub passkeys: Vec<Passkey>,
}

/// What stands on the page of an invitation to buy for a company.
#[derive(Clone, Debug)]
pub struct Invited {
    /// What the channel is called.
    pub shop: String,
    /// The clock of its market.
    pub zone: Zone,
    /// The address of who would accept.
    pub email: Option<String>,
    /// What is offered.
    pub offered: Offered,
}

/// An order on one's own page.
#[derive(Clone, Debug)]
pub struct Ordered {
    /// Its id.
    pub id: Id<id::Order>,
    /// Its number.
    pub number: String,
    /// When it was placed.
    pub placed_at: Instant,
    /// How far it is.
    pub stage: Stage,
}

/// Who looks at the shop's pages and has not signed in.
pub fn visitor() -> Actor {
    let permissions = Permissions::of(&[Permission::Shop]);
    Actor { who: Who::Guest, channel: None, grants: vec![Grant { location: None, permissions }] }
}

/// The channel whose pages these are: the one named, else the first web channel that sells, else the first app.
///
/// # Errors
/// [`Code::NotFound`] when there is none.
pub fn channel(tx: &mut Tx<'_>, named: Option<&Reference<id::Channel>>) -> Result<Channel, Failure> {
    let none = || Refusal::new(Code::NotFound, "there is no such channel that sells");
    if let Some(named) = named {
        let found = external::resolve(tx, named)?;
        return Ok(find_channel(tx, found)?.filter(|one| one.active).ok_or_else(none)?);
    }
    let all = list_channels(tx, Id::from_bytes([0; 16]), CHANNELS_MAX)?;
    let first = |kind: Kind| all.iter().find(|one| one.active && one.kind == kind);
    Ok(first(Kind::Web).or_else(|| first(Kind::App)).cloned().ok_or_else(none)?)
}

/// One's own page.
///
/// # Errors
/// [`Code::SignInNeeded`] for anybody who is no customer.
pub fn page(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, language: Language) -> Result<Own, Failure> {
    let customer = customer_of(actor)?;
    let (shop, zone) = met(tx, actor)?;
    let card = customer::read_contact(tx, actor, world, customer)?;
    let all = store::order::owner::of_customer(tx, customer, Id::from_bytes([255; 16]), ORDERS_MAX + 1)?;
    let mut orders = Vec::new();
    for id in all.iter().take(ORDERS_MAX as usize) {
        let told = status::read(tx, actor, *id, Some(language))?;
        let (number, placed_at) = (told.order.number, told.order.placed_at);
        orders.push(Ordered { id: *id, number, placed_at, stage: told.stage });
    }
    let mut balances = Vec::new();
    for one in member::of_customer(tx, &actor.trusted(), customer)?.iter().filter(|one| one.left_at.is_none())
    {
        let balance = points::balance(tx, one, world.now())?;
        balances.push((balance.free, balance.pending));
    }
    Ok(Own {
        shop,
        zone,
        customer,
        name: card.text().name.clone(),
        email: card.text().email.clone(),
        orders,
        has_more: all.len() as i64 > ORDERS_MAX,
        points: balances,
        companies: memberships(tx, actor, world, customer)?,
        passkeys: passkey::list(tx, actor, world, customer)?,
    })
}

/// The page of the invitation to buy for a company that has this code.
///
/// # Errors
/// [`Code::SignInNeeded`] for anybody who is no customer; as [`invitation::offered`].
pub fn invited(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, code: &str) -> Result<Invited, Failure> {
    let customer = customer_of(actor)?;
    let offered = invitation::offered(tx, actor, world, (customer, code))?;
    let (shop, zone) = met(tx, actor)?;
    let card = customer::read_contact(tx, actor, world, customer)?;
    Ok(Invited { shop, zone, email: card.text().email.clone(), offered })
}

/// What the channel is called through which somebody came, and the clock of its market.
fn met(tx: &mut Tx<'_>, actor: &Actor) -> Result<(String, Zone), Failure> {
    let channel = actor.channel.map(|channel| find_channel(tx, channel)).transpose()?.flatten();
    let channel = channel.ok_or_else(|| Refusal::new(Code::NotFound, "the channel is gone"))?;
    let market =
        find_market(tx, channel.market)?.ok_or_else(|| Refusal::not_found("market", channel.market))?;
    Ok((channel.name, market.zone))
}

/// A link to the page of one of one's own orders: its token.
///
/// # Errors
/// [`Code::NotFound`] for anybody else's; [`Code::WrongState`] when too many links work already.
pub fn link_to(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<id::Order>,
) -> Result<String, Failure> {
    let customer = customer_of(actor)?;
    if order::lock(tx, id)?.customer != Some(customer) {
        return Err(Refusal::not_found("order", id).into());
    }
    Ok(status::make_link(tx, &actor.trusted(), world, id, LINK_DAYS)?.0)
}

/// The customer who is signed in.
///
/// # Errors
/// [`Code::SignInNeeded`] for anybody who is no customer.
pub fn customer_of(actor: &Actor) -> Result<Id<Customer>, Refusal> {
    match actor.who {
        Who::Customer(customer) => Ok(customer),
        _ => Err(Refusal::new(Code::SignInNeeded, "sign in as a customer; this is somebody else")),
    }
}
