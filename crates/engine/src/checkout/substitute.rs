//! A substitute takes the place of what is not there: the line is cut, a new one is frozen that is never dearer, and the difference goes back.

use domain::actor::Actor;
use domain::fulfilment::State as Part;
use domain::fulfilment::substitute::Replaced;
use domain::tax::{Policy, Taxable, Taxed, apply};
use domain::value::Money;
use domain::{Code, Refusal};
use serde_json::json;
use store::{Tx, fulfilment as parts, order as rows};

use super::{Whole, settle, whole};
use crate::event::emit;
use crate::fulfilment::pick::Which;
use crate::fulfilment::substitute::{Swap, check, swap};
use crate::order::{Line, Order};
use crate::{Failure, World, price};

/// Puts a substitute in the place of units that are still to be picked, which the picker holds in the hand.
///
/// # Errors
/// [`Code::WrongState`] unless the customer and the retailer's rules allow it; [`Code::OutOfStock`] when there are too few of it.
pub fn substitute(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: Which,
    asked: &Swap,
) -> Result<Whole, Failure> {
    let (mut order, mut one, variant) = check(tx, actor, which, asked)?;
    let mut lines = rows::lines(tx, order.id)?;
    let position = lines.iter().map(|line| line.position + 1).max().unwrap_or(0);
    let found = lines.iter_mut().find(|line| line.id == asked.line);
    let line = found.ok_or_else(|| Refusal::not_found("order line", asked.line).at("line"))?;
    if line.takes != [(variant, 1)] {
        return Err(Refusal::new(Code::WrongState, "a part of a set has no substitute").at("line").into());
    }
    let by = store::catalogue::variants(tx, &[asked.by])?.pop();
    let by = by.ok_or_else(|| Refusal::not_found("variant", asked.by).at("variant"))?;
    let replaced = Replaced {
        line: Taxed { net_minor: line.net, tax_minor: line.tax, gross_minor: line.gross },
        whole: line.quantity,
        done: line.cancelled + line.returned,
        units: asked.quantity,
    };
    let listed = listed(tx, world, &order, line, asked)?;
    let (sold, charged) = (replaced.sold(), replaced.charged(listed.map(|(_, taxed)| taxed)));
    let new = Line {
        id: world.id(),
        position,
        variant: by.id,
        sku: by.sku.clone(),
        title: by.title.clone(),
        quantity: asked.quantity,
        unit: listed.map_or(line.unit, |(unit, _)| unit.min(line.unit)),
        net: charged.net_minor,
        tax: charged.tax_minor,
        gross: charged.gross_minor,
        tax_rate: line.tax_rate,
        cancelled: 0,
        returned: 0,
        handed: 0,
        takes: vec![(by.id, 1)],
    };
    line.cancelled += asked.quantity;
    rows::update_line(tx, order.id, line)?;
    rows::add_line(tx, order.id, &new)?;
    rows::grow(tx, &mut order, &new)?;
    order.cancelled += sold.gross_minor;
    rows::update(tx, &mut order)?;
    swap(tx, actor, world, &mut one, (asked, variant, new.id))?;
    if one.state.leads_to(Part::Picking) {
        one.state = Part::Picking;
        parts::update(tx, &one)?;
    }
    let body = json!({
        "fulfilment_order": one.id.to_string(), "line": asked.line.to_string(), "by": new.id.to_string(), "variant": variant.to_string(),
        "substitute": new.variant.to_string(), "quantity": asked.quantity, "sold": sold.gross_minor, "charged": charged.gross_minor,
        "missing": asked.missing
    });
    emit(tx, actor, world, order.id, "order.substituted", body);
    settle::give_back_too_much(tx, actor, world, &order)?;
    whole(tx, order)
}

/// What one unit, and all of them, would cost as listed now in the order's channel; none when it has no price there.
fn listed(
    tx: &mut Tx<'_>,
    world: &World,
    order: &Order,
    line: &Line,
    asked: &Swap,
) -> Result<Option<(i64, Taxed)>, Failure> {
    let channel = store::market::find_channel(tx, order.channel)?
        .ok_or_else(|| Refusal::not_found("channel", order.channel))?;
    let market = store::market::find_market(tx, order.market)?
        .ok_or_else(|| Refusal::not_found("market", order.market))?;
    let found =
        price::prices(tx, &channel, None, &[(asked.by, asked.quantity)], world.now())?.pop().flatten();
    let Some(unit) = found.map(|price| price.minor) else { return Ok(None) };
    let all = Money::new(unit, order.currency).and_then(|unit| unit.times(asked.quantity));
    let Ok(all) = all else { return Ok(None) };
    let policy = Policy {
        prices_include_tax: order.prices_include_tax,
        level: market.rounding_level,
        rounding: market.rounding,
    };
    let document = apply(&[Taxable { minor: all.minor(), rate: line.tax_rate }], policy);
    Ok(document.lines.first().map(|taxed| (unit, *taxed)))
}
