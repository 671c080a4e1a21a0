//! What the page behind a status link shows beside the status: who sells, by whose clock, and what its holder can leave out or bring back;
//! and who that holder is: whoever was given the link is the order's customer to us.

use domain::Refusal;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::fulfilment::label::Label;
use domain::returns::Purpose;
use domain::status::Deed;
use domain::value::id::{self, OrderLine};
use domain::value::{Id, Instant, Language, Zone};
use store::Tx;

use super::{Status, by_link, order_of_link};
use crate::checkout::cancel::cancellable;
use crate::returns::{judge, label, reason};
use crate::{Failure, World};

/// So many units of an order line.
pub type Units = (Id<OrderLine>, i64);

/// An order as the page behind a link shows it.
#[derive(Clone, Debug)]
pub struct Page {
    /// How the order stands.
    pub status: Status,
    /// What the channel it was placed in is called.
    pub shop: String,
    /// The clock of its market.
    pub zone: Zone,
    /// How many of which lines can be left out.
    pub removable: Vec<Units>,
    /// How many of which lines can come back.
    pub returnable: Vec<Units>,
    /// Why things come back: each reason's code and its words.
    pub reasons: Vec<(String, String)>,
}

/// The page of the order a link leads to.
///
/// # Errors
/// [`domain::Code::NotFound`] when the link expired, was withdrawn or never was.
pub fn page(tx: &mut Tx<'_>, token: &str, now: Instant, language: Option<Language>) -> Result<Page, Failure> {
    let status = by_link(tx, token, now, language)?;
    let order = &status.order;
    let channel = store::market::find_channel(tx, order.channel)?;
    let channel = channel.ok_or_else(|| Refusal::not_found("channel", order.channel))?;
    let market = store::market::find_market(tx, order.market)?;
    let market = market.ok_or_else(|| Refusal::not_found("market", order.market))?;
    let removable = if status.deeds.contains(&Deed::Change) {
        let all = store::fulfilment::of_order(tx, order.id)?;
        status.lines.iter().map(|line| (line.id, cancellable(line, &all))).collect()
    } else {
        Vec::new()
    };
    let returnable = if status.deeds.contains(&Deed::Return) {
        judge::free(tx, order, &status.lines)?
    } else {
        Vec::new()
    };
    let is_there = |units: Vec<Units>| units.into_iter().filter(|(_, units)| *units > 0).collect::<Vec<_>>();
    let (removable, returnable) = (is_there(removable), is_there(returnable));
    let reasons = if returnable.is_empty() { Vec::new() } else { reason::list(tx)? };
    let asked = reasons.into_iter().filter(|one| one.active && one.purposes.contains(&Purpose::Return));
    let reasons = asked.map(|one| {
        let words = one.wording.in_language(status.language).to_owned();
        (one.code, words)
    });
    Ok(Page {
        shop: channel.name,
        zone: market.zone,
        removable,
        returnable,
        reasons: reasons.collect(),
        status,
    })
}

/// The order a link leads to, and its holder, who may do with it what a guest may who placed it.
///
/// # Errors
/// [`domain::Code::NotFound`] when the link expired, was withdrawn or never was.
pub fn holder(tx: &mut Tx<'_>, token: &str, now: Instant) -> Result<(Id<id::Order>, Actor), Failure> {
    let order = order_of_link(tx, token, now)?;
    let shopping = Grant { location: None, permissions: Permissions::of(&[Permission::Shop]) };
    Ok((order.id, Actor { who: Who::Guest, channel: Some(order.channel), grants: vec![shopping] }))
}

/// The label of one of its returns by post, for the holder of a link.
///
/// # Errors
/// [`domain::Code::NotFound`] for another order's, and what [`label::label`] says.
pub fn return_label(
    tx: &mut Tx<'_>,
    world: &mut World,
    token: &str,
    id: Id<id::Return>,
) -> Result<Label, Failure> {
    let (order, holder) = holder(tx, token, world.now())?;
    if !store::returns::of_order(tx, order)?.contains(&id) {
        return Err(Refusal::not_found("return", id).into());
    }
    label::label(tx, &holder, world, id)
}
