//! Carts: what a customer means to buy. Adding commutes, everything else is done against the version that was read, and whoever comes
//! back in time finds the cart as it was left.

pub mod call_up;
pub mod coupon;
pub mod details;
pub(crate) mod joint;
pub mod preview;
pub mod price;
pub mod steps;

use domain::actor::{Actor, Permission, Who};
use domain::cart::{self as rules, State};
use domain::contact::Card;
use domain::market::HoldPolicy;
use domain::value::id::{Cart as CartKind, CartLine, Channel as ChannelKind, Customer, Variant};
use domain::value::{Currency, Id, Instant, Money, Quantity, Reference};
use domain::{Code, Refusal};
use serde_json::json;
use store::market::Channel;
use store::{Tx, cart as rows};

pub use details::{Choice, Details};
pub use price::{PricedCart, PricedDelivery, PricedLine, priced, priced_for};
pub use steps::{check_open, expire_due, mark_ordered, merge};
pub use store::cart::{Cart, Destination, Line};

use crate::contact;
use crate::event::emit;
use crate::{Failure, World, external, stock};

/// A cart to be made. It has no external id: whoever knows its id may use it, so nobody else's word may stand for it.
#[derive(Clone, Debug)]
pub struct NewCart {
    /// Through which channel it is filled.
    pub channel: Reference<ChannelKind>,
    /// The currency the customer was shown, if that is to be checked.
    pub currency: Option<Currency>,
    /// The first lines.
    pub lines: Vec<NewLine>,
    /// Whose it is and where it goes.
    pub details: Details,
}

/// A line to be added.
#[derive(Clone, Debug)]
pub struct NewLine {
    /// What.
    pub variant: Named,
    /// How many base units.
    pub quantity: Quantity,
    /// The price of one that was agreed, for who may agree prices; what the lists say when `None`.
    pub unit_price: Option<Money>,
}

/// How a variant is named in a line.
#[derive(Clone, Debug)]
pub enum Named {
    /// By id or external id.
    Reference(Reference<Variant>),
    /// By SKU.
    Sku(String),
}

/// Makes a cart, with its first lines and whatever else is known already.
///
/// # Errors
/// [`Code::WrongState`] for a channel that does not sell, and what [`add_line`] and [`change`] refuse.
pub fn create(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, new: NewCart) -> Result<Cart, Failure> {
    let channel = external::resolve_at(tx, "channel", &new.channel)?;
    let channel = store::market::find_channel(tx, channel)?
        .ok_or_else(|| Refusal::invalid("channel", format!("no channel \"{channel}\"")))?;
    may_use(actor, &channel, None)?;
    if !channel.active {
        let message = format!("channel \"{}\" does not sell now; choose another", channel.code);
        return Err(Refusal::new(Code::WrongState, message).at("channel").into());
    }
    let currency = price::market_of(tx, &channel)?.currency;
    if new.currency.is_some_and(|shown| shown != currency) {
        let message = format!("channel \"{}\" sells in {currency}", channel.code);
        return Err(Refusal::new(Code::CurrencyMismatch, message).at("currency").into());
    }
    let mut cart = empty(world, &channel, currency);
    details::apply(tx, actor, world, &mut cart, new.details)?;
    rows::add(tx, &cart)?;
    let field = |place: usize, field: &str| format!("lines.{place}.{field}");
    may_agree(actor, (&channel, &cart), &new.lines, field)?;
    fill(tx, world, &mut cart, &new.lines, field)?;
    hold(tx, actor, world, &channel, &cart)?;
    emit(
        tx,
        actor,
        world,
        cart.id,
        "cart.created",
        json!({ "channel": channel.id.to_string(), "lines": cart.lines.len() }),
    );
    Ok(cart)
}

fn empty(world: &mut World, channel: &Channel, currency: Currency) -> Cart {
    Cart {
        id: world.id(),
        channel: channel.id,
        currency,
        customer: None,
        company: None,
        person: None,
        contact: None,
        billing_contact: None,
        destination: None,
        method: None,
        pickup_location: None,
        note: None,
        state: State::Active,
        order: None,
        merged_into: None,
        made_at: world.now(),
        changed_at: world.now(),
        expires_at: expiry(world, channel),
        version: 1,
        lines: Vec::new(),
    }
}

/// Adds to a cart. Adding the same variant adds to its line, so that adds made at the same time all survive.
///
/// # Errors
/// [`Code::CartNotOpen`], [`Code::Invalid`] for an unknown variant, too many lines or too large a quantity, [`Code::WrongState`] for a
/// variant that is not sold any more, [`Code::OutOfStock`] where the channel holds stock for carts.
pub fn add_line(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CartKind>,
    line: NewLine,
) -> Result<Cart, Failure> {
    let (mut cart, channel) = begin(tx, actor, world, id, None)?;
    let (line, field) = ([line], |_, field: &str| field.to_owned());
    may_agree(actor, (&channel, &cart), &line, field)?;
    fill(tx, world, &mut cart, &line, field)?;
    finish(tx, actor, world, &channel, cart)
}

/// Sets how many of a line.
///
/// # Errors
/// [`Code::Stale`] when the cart is not at the version given, [`Code::NotFound`] for the line, and as [`add_line`].
pub fn set_quantity(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, line, version): (Id<CartKind>, Id<CartLine>, Option<i64>),
    quantity: Quantity,
) -> Result<Cart, Failure> {
    let (mut cart, channel) = begin(tx, actor, world, id, version)?;
    let found = cart.lines.iter_mut().find(|known| known.id == line);
    found.ok_or_else(|| Refusal::not_found("cart line", line))?.quantity = quantity.units();
    rows::set_quantity(tx, id, line, quantity.units())?;
    finish(tx, actor, world, &channel, cart)
}

/// Takes a line out of a cart.
///
/// # Errors
/// As [`set_quantity`].
pub fn remove_line(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, line, version): (Id<CartKind>, Id<CartLine>, Option<i64>),
) -> Result<Cart, Failure> {
    let (mut cart, channel) = begin(tx, actor, world, id, version)?;
    if !rows::remove_line(tx, id, line)? {
        return Err(Refusal::not_found("cart line", line).into());
    }
    cart.lines.retain(|known| known.id != line);
    finish(tx, actor, world, &channel, cart)
}

/// Changes whose a cart is, where it goes and its note.
///
/// # Errors
/// [`Code::CartNotOpen`], [`Code::Stale`], [`Code::Invalid`] for an unknown customer.
pub fn change(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (id, version): (Id<CartKind>, Option<i64>),
    details: Details,
) -> Result<Cart, Failure> {
    let (mut cart, channel) = begin(tx, actor, world, id, version)?;
    details::apply(tx, actor, world, &mut cart, details)?;
    finish(tx, actor, world, &channel, cart)
}

/// The cart with this id, for a caller that has asked for the permission.
///
/// # Errors
/// [`Code::NotFound`].
pub fn load(tx: &mut Tx<'_>, id: Id<CartKind>) -> Result<Cart, Failure> {
    Ok(rows::find(tx, id)?.ok_or_else(|| Refusal::not_found("cart", id))?)
}

/// As [`load`]; nobody else can change the cart until the commit.
///
/// # Errors
/// [`Code::NotFound`].
pub fn lock(tx: &mut Tx<'_>, id: Id<CartKind>) -> Result<Cart, Failure> {
    Ok(rows::lock(tx, id)?.ok_or_else(|| Refusal::not_found("cart", id))?)
}

/// The cart with this id, for whoever fills carts in its channel, reads orders at the channel's location, or owns it.
///
/// # Errors
/// [`Code::NotFound`], or [`Code::Forbidden`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, id: Id<CartKind>) -> Result<Cart, Failure> {
    let cart = load(tx, id)?;
    if actor.may(Permission::ReadOrders, None).is_err() {
        let channel = channel_of(tx, &cart)?;
        if actor.may(Permission::ReadOrders, channel.location).is_err() {
            may_use(actor, &channel, Some(&cart))?;
        }
    }
    Ok(cart)
}

/// The carts of a customer after one, in the order they were made, without their lines.
///
/// # Errors
/// [`Code::Forbidden`] for another customer's without the permission.
pub fn list_of_customer(
    tx: &mut Tx<'_>,
    actor: &Actor,
    customer: &Reference<Customer>,
    after: Id<CartKind>,
    limit: i64,
) -> Result<Vec<Cart>, Failure> {
    let customer = external::resolve(tx, customer)?;
    if actor.who != Who::Customer(customer) {
        actor.may_somewhere(Permission::ReadOrders)?;
    }
    Ok(rows::list_of_customer(tx, customer, after, limit)?)
}

/// The contacts of an open cart, who receives and who is billed, with a line in the audit trail for each.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`], or [`Code::CartNotOpen`] when the cart has ended: then the order shows them.
pub fn read_contacts(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    id: Id<CartKind>,
) -> Result<(Option<Card>, Option<Card>), Failure> {
    let cart = load(tx, id)?;
    may_use(actor, &channel_of(tx, &cart)?, Some(&cart))?;
    let state = standing(&cart, world.now());
    if state.has_ended() {
        return Err(rules::not_open(id, state).into());
    }
    let mut open = |contact| contact::open(tx, actor, world, contact);
    Ok((cart.contact.map(&mut open).transpose()?, cart.billing_contact.map(&mut open).transpose()?))
}

/// The state of a cart at an instant.
pub fn standing(cart: &Cart, now: Instant) -> State {
    rules::standing(cart.state, cart.expires_at, cart.customer.is_some() || cart.contact.is_some(), now)
}

/// Locks a cart that is to be changed and checks that it may be.
fn begin(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &World,
    id: Id<CartKind>,
    version: Option<i64>,
) -> Result<(Cart, Channel), Failure> {
    let mut cart = lock(tx, id)?;
    let channel = channel_of(tx, &cart)?;
    may_use(actor, &channel, Some(&cart))?;
    cart.state = rules::touched(id, standing(&cart, world.now()))?;
    match version {
        Some(version) if version != cart.version => Err(crate::edit::stale(id).into()),
        _ => Ok((cart, channel)),
    }
}

/// Writes a changed cart, holds stock for it where the channel does, and tells of it.
fn finish(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    channel: &Channel,
    mut cart: Cart,
) -> Result<Cart, Failure> {
    cart.version += 1;
    cart.changed_at = world.now();
    cart.expires_at = expiry(world, channel);
    rows::change(tx, &cart)?;
    hold(tx, actor, world, channel, &cart)?;
    emit(
        tx,
        actor,
        world,
        cart.id,
        "cart.changed",
        json!({ "version": cart.version, "lines": cart.lines.len() }),
    );
    Ok(cart)
}

fn expiry(world: &World, channel: &Channel) -> Instant {
    world.now().plus_seconds(channel.cart_expiry_minutes.saturating_mul(60))
}

fn channel_of(tx: &mut Tx<'_>, cart: &Cart) -> Result<Channel, Failure> {
    let found = store::market::find_channel(tx, cart.channel)?;
    Ok(found.ok_or_else(|| Refusal::not_found("channel", cart.channel))?)
}

/// Whoever may shop in the channel may use a cart whose id he knows; a customer's cart no other customer may.
fn may_use(actor: &Actor, channel: &Channel, cart: Option<&Cart>) -> Result<(), Failure> {
    actor.may(Permission::Shop, channel.location)?;
    if actor.channel.is_some_and(|bound| bound != channel.id) {
        let message = "the cart belongs to another channel than the one you come through";
        return Err(Refusal::new(Code::Forbidden, message).into());
    }
    let owner = cart.and_then(|cart| cart.customer);
    match (actor.who, cart, owner) {
        (Who::Customer(me), Some(cart), Some(owner)) if me != owner => {
            Err(Refusal::not_found("cart", cart.id).into())
        }
        _ => Ok(()),
    }
}

/// Puts one more line into a cart that is only thought of, as [`add_line`] would: for an order that gets more.
///
/// # Errors
/// As [`add_line`], naming the line's own fields.
pub(crate) fn think_of(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (channel, cart): (&Channel, &mut Cart),
    line: &NewLine,
) -> Result<(), Failure> {
    let (one, field): (_, Field) = (std::slice::from_ref(line), |_, field| field.to_owned());
    may_agree(actor, (channel, cart), one, field)?;
    for variant in sold(tx, one, field)? {
        let position = cart.lines.last().map_or(1, |last| last.position + 1);
        let (quantity, agreed) = (line.quantity.units(), line.unit_price.map(Money::minor));
        cart.lines.push(Line { id: world.id(), position, variant, quantity, agreed });
    }
    Ok(())
}

/// How a field of a line is called in the request.
type Field = fn(usize, &str) -> String;

/// Adds lines to a cart that is locked or new.
fn fill(
    tx: &mut Tx<'_>,
    world: &mut World,
    cart: &mut Cart,
    lines: &[NewLine],
    field: Field,
) -> Result<(), Failure> {
    let variants = sold(tx, lines, field)?;
    for (place, (line, variant)) in lines.iter().zip(variants).enumerate() {
        let agreed = line.unit_price.map(Money::minor);
        pour(tx, world, cart, (variant, agreed, line.quantity.units()))
            .map_err(|failure| failure.at(field(place, "quantity")))?;
    }
    Ok(rules::check_lines(cart.lines.len())?)
}

/// Agreed prices need their permission, the cart's currency and no sign.
fn may_agree(
    actor: &Actor,
    (channel, cart): (&Channel, &Cart),
    lines: &[NewLine],
    field: Field,
) -> Result<(), Failure> {
    for (place, line) in lines.iter().enumerate() {
        let Some(price) = line.unit_price else { continue };
        actor.may(Permission::AgreePrices, channel.location)?;
        if price.currency() != cart.currency {
            let message = format!("channel \"{}\" sells in {}", channel.code, cart.currency);
            return Err(Refusal::new(Code::CurrencyMismatch, message).at(field(place, "unit_price")).into());
        }
        if price.minor() < 0 {
            return Err(Refusal::invalid(field(place, "unit_price"), "give 0 or more minor units").into());
        }
    }
    Ok(())
}

/// Adds so many of a variant to what is in the cart: to its line, if there is one.
fn pour(
    tx: &mut Tx<'_>,
    world: &mut World,
    cart: &mut Cart,
    (variant, agreed, quantity): (Id<Variant>, Option<i64>, i64),
) -> Result<(), Failure> {
    let same = |known: &&mut Line| known.variant == variant && known.agreed == agreed;
    let added = match cart.lines.iter_mut().find(same) {
        Some(known) => {
            known.quantity = rules::add_up(known.quantity, quantity)?.units();
            Line { quantity, ..*known }
        }
        None => {
            let position = cart.lines.last().map_or(1, |last| last.position + 1);
            let fresh = Line { id: world.id(), position, variant, quantity, agreed };
            cart.lines.push(fresh);
            fresh
        }
    };
    Ok(rows::add_to_line(tx, cart.id, &added)?)
}

/// The variants that lines name, in their order; each must be on sale.
fn sold(tx: &mut Tx<'_>, lines: &[NewLine], field: Field) -> Result<Vec<Id<Variant>>, Failure> {
    let mut ids = Vec::with_capacity(lines.len());
    for (place, line) in lines.iter().enumerate() {
        let id = match &line.variant {
            Named::Reference(reference) => external::resolve_at(tx, &field(place, "variant"), reference)?,
            Named::Sku(sku) => {
                store::catalogue::variant_by_sku(tx, sku)?
                    .ok_or_else(|| {
                        Refusal::invalid(field(place, "sku"), format!("no variant with the sku \"{sku}\""))
                    })?
                    .id
            }
        };
        ids.push(id);
    }
    let known = store::catalogue::variants(tx, &ids)?;
    for (place, id) in ids.iter().enumerate() {
        let field = field(place, "variant");
        match known.iter().find(|variant| variant.id == *id) {
            None => return Err(Refusal::invalid(field, format!("no variant \"{id}\"")).into()),
            Some(variant) if !variant.active => return Err(price::not_sold(variant).at(field).into()),
            Some(_) => {}
        }
    }
    Ok(ids)
}

/// Holds exactly what is in the cart, where the channel holds stock for carts.
fn hold(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    channel: &Channel,
    cart: &Cart,
) -> Result<(), Failure> {
    if channel.hold_policy != HoldPolicy::AtCart {
        return Ok(());
    }
    let expires_at = world.now().plus_seconds(channel.hold_minutes.saturating_mul(60));
    let demand = price::demand(tx, cart)?;
    let outcome = stock::hold::hold_for_cart(tx, actor, world, (channel, cart.id), &demand, expires_at);
    stock::in_skus(tx, &demand.keys().copied().collect::<Vec<_>>(), outcome)
}
