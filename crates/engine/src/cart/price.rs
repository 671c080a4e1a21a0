//! What a cart costs now: prices, taxes and delivery, computed when asked and never stored.

use std::collections::{BTreeMap, BTreeSet};

use domain::delivery;
use domain::tax::{Area, Policy, Taxable, Taxed, apply};
use domain::value::id::{CartLine, DeliveryMethod, TaxClass, TaxZone, Variant as VariantKind};
use domain::value::{Currency, Id, Instant, Money, Rate};
use domain::{Code, Refusal};
use store::Tx;
use store::catalogue::Variant;
use store::market::{Channel, Market};

use super::{Cart, Line, channel_of};
use crate::delivery::{Offer, quote};
use crate::{Failure, customer, price, tax};

/// A cart with what everything in it costs at an instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedCart {
    /// The cart.
    pub cart: Cart,
    /// What all amounts are in.
    pub currency: Currency,
    /// Unit prices contain the tax.
    pub prices_include_tax: bool,
    /// The lines in the cart's order.
    pub lines: Vec<PricedLine>,
    /// The delivery chosen, with what it costs.
    pub delivery: Option<PricedDelivery>,
    /// Minor units without tax.
    pub net: i64,
    /// Minor units of tax.
    pub tax: i64,
    /// Minor units with tax: what is to be paid.
    pub gross: i64,
    /// The sums per tax rate, lowest rate first.
    pub rates: Vec<(Rate, Taxed)>,
}

/// A line with what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedLine {
    /// The line.
    pub line: Id<CartLine>,
    /// What.
    pub variant: Id<VariantKind>,
    /// The retailer's code of it.
    pub sku: String,
    /// What it is called.
    pub title: String,
    /// How many base units.
    pub quantity: i64,
    /// What one base unit costs, in minor units.
    pub unit_minor: i64,
    /// The line without tax.
    pub net_minor: i64,
    /// Its tax.
    pub tax_minor: i64,
    /// The line with tax.
    pub gross_minor: i64,
    /// Its tax rate.
    pub tax_rate: Rate,
    /// How it is taxed.
    pub tax_class: Id<TaxClass>,
    /// What one of it takes from shelves: itself, or a kit's components.
    pub takes: Vec<(Id<VariantKind>, i64)>,
}

/// The delivery chosen with what it costs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PricedDelivery {
    /// How.
    pub method: Id<DeliveryMethod>,
    /// How the goods get to the customer by it.
    pub kind: delivery::Kind,
    /// The charge without tax.
    pub net_minor: i64,
    /// Its tax.
    pub tax_minor: i64,
    /// The charge with tax.
    pub gross_minor: i64,
    /// Its tax rate.
    pub tax_rate: Rate,
}

/// Prices a cart at an instant.
///
/// # Errors
/// [`Code::NoPrice`] or [`Code::WrongState`] naming the line that cannot be bought, [`Code::NoTaxRate`], [`Code::NotDeliverable`] when the
/// delivery chosen does not serve the goods, [`Code::Invalid`] when the total is too large.
pub fn priced(tx: &mut Tx<'_>, now: Instant, cart: &Cart) -> Result<PricedCart, Failure> {
    let channel = channel_of(tx, cart)?;
    let market = market_of(tx, &channel)?;
    let group = match cart.customer {
        Some(customer) => customer::load(tx, customer)?.groups.into_iter().next(),
        None => None,
    };
    let zone = zone_of(tx, cart, &market)?;
    let variants = variants_of(tx, cart)?;
    let wanted: Vec<_> = cart.lines.iter().map(|line| (line.variant, line.quantity)).collect();
    let prices = price::prices(tx, &channel, group.as_deref(), &wanted, now)?;
    let rates = rates_of(tx, zone, variants.values(), now)?;
    let mut lines = Vec::with_capacity(cart.lines.len());
    let mut taxables = Vec::with_capacity(cart.lines.len());
    for (place, (line, price)) in cart.lines.iter().zip(prices).enumerate() {
        let variant =
            variants.get(&line.variant).ok_or_else(|| Refusal::not_found("variant", line.variant))?;
        let at = |refusal: Refusal| refusal.at(format!("lines.{place}"));
        if !variant.active {
            return Err(at(not_sold(variant)).into());
        }
        let listed = price.map(|price| price.minor);
        let unit_minor = line.agreed.or(listed).ok_or_else(|| at(no_price(variant, &channel)))?;
        let whole = Money::new(unit_minor, cart.currency).and_then(|unit| unit.times(line.quantity));
        let whole = whole.map_err(|error| Refusal::invalid(format!("lines.{place}.quantity"), error))?;
        let rate = rates.get(&variant.tax_class).copied().unwrap_or(Rate::ZERO);
        taxables.push(Taxable { minor: whole.minor(), rate });
        lines.push(unpriced(line, variant, unit_minor, rate));
    }
    let policy = Policy {
        prices_include_tax: market.prices_include_tax,
        level: market.rounding_level,
        rounding: market.rounding,
    };
    let offer = offer_for(tx, &channel, cart, &variants, taxables.iter().map(|line| line.minor).sum())?;
    if let Some(offer) = &offer {
        let rate = tax::rate_for(tx, zone, offer.method.tax_class, now)?;
        taxables.push(Taxable { minor: offer.price_minor, rate });
    }
    let document = apply(&taxables, policy);
    for (line, taxed) in lines.iter_mut().zip(&document.lines) {
        (line.net_minor, line.tax_minor, line.gross_minor) =
            (taxed.net_minor, taxed.tax_minor, taxed.gross_minor);
    }
    Money::new(document.total.gross_minor, cart.currency)
        .map_err(|error| Refusal::invalid("lines", error))?;
    Ok(PricedCart {
        cart: cart.clone(),
        currency: cart.currency,
        prices_include_tax: market.prices_include_tax,
        lines,
        delivery: offer
            .zip(taxables.last().zip(document.lines.last()))
            .map(|(offer, (taxable, taxed))| charged(&offer, taxable.rate, *taxed)),
        net: document.total.net_minor,
        tax: document.total.tax_minor,
        gross: document.total.gross_minor,
        rates: document.rates,
    })
}

/// What the chosen delivery costs for these goods.
fn offer_for(
    tx: &mut Tx<'_>,
    channel: &Channel,
    cart: &Cart,
    variants: &BTreeMap<Id<VariantKind>, Variant>,
    goods_minor: i64,
) -> Result<Option<Offer>, Failure> {
    let Some(method) = cart.method else { return Ok(None) };
    let weight_of = |line: &Line| {
        let each = variants.get(&line.variant).and_then(|variant| variant.weight_grams).unwrap_or(0);
        each.saturating_mul(line.quantity)
    };
    let destination = cart
        .destination
        .as_ref()
        .map(|to| delivery::Destination { country: to.country, postal_code: to.postal_area.clone() });
    let weight_grams = cart.lines.iter().map(weight_of).fold(0, i64::saturating_add);
    let goods = delivery::Delivery { destination, goods_minor, weight_grams };
    Ok(Some(quote(tx, channel, method, &goods)?))
}

fn charged(offer: &Offer, tax_rate: Rate, taxed: Taxed) -> PricedDelivery {
    PricedDelivery {
        method: offer.method.id,
        kind: offer.method.kind,
        net_minor: taxed.net_minor,
        tax_minor: taxed.tax_minor,
        gross_minor: taxed.gross_minor,
        tax_rate,
    }
}

/// A line whose sums are still to be written.
fn unpriced(line: &Line, variant: &Variant, unit_minor: i64, tax_rate: Rate) -> PricedLine {
    PricedLine {
        line: line.id,
        variant: line.variant,
        sku: variant.sku.clone(),
        title: variant.title.clone(),
        quantity: line.quantity,
        unit_minor,
        net_minor: 0,
        tax_minor: 0,
        gross_minor: 0,
        tax_rate,
        tax_class: variant.tax_class,
        takes: variant.takes(),
    }
}

/// What all lines of a cart take from shelves together.
///
/// # Errors
/// What the store says.
pub(super) fn demand(tx: &mut Tx<'_>, cart: &Cart) -> Result<BTreeMap<Id<VariantKind>, i64>, Failure> {
    let variants = variants_of(tx, cart)?;
    let wishes: Vec<_> = cart
        .lines
        .iter()
        .filter_map(|line| {
            let takes = variants.get(&line.variant)?.takes();
            Some(domain::stock::Wish { variant: line.variant, quantity: line.quantity, takes })
        })
        .collect();
    Ok(domain::stock::demand(&wishes))
}

fn variants_of(tx: &mut Tx<'_>, cart: &Cart) -> Result<BTreeMap<Id<VariantKind>, Variant>, Failure> {
    let ids: Vec<_> = cart.lines.iter().map(|line| line.variant).collect();
    Ok(store::catalogue::variants(tx, &ids)?.into_iter().map(|variant| (variant.id, variant)).collect())
}

/// The market a channel sells to.
///
/// # Errors
/// What the store says.
pub(super) fn market_of(tx: &mut Tx<'_>, channel: &Channel) -> Result<Market, Failure> {
    let found = store::market::find_market(tx, channel.market)?;
    Ok(found.ok_or_else(|| Refusal::not_found("market", channel.market))?)
}

/// The tax rate of each class of the variants in a zone.
fn rates_of<'a>(
    tx: &mut Tx<'_>,
    zone: Option<Id<TaxZone>>,
    variants: impl Iterator<Item = &'a Variant>,
    now: Instant,
) -> Result<BTreeMap<Id<TaxClass>, Rate>, Failure> {
    let classes: BTreeSet<Id<TaxClass>> = variants.map(|variant| variant.tax_class).collect();
    classes.into_iter().map(|class| Ok((class, tax::rate_for(tx, zone, class, now)?))).collect()
}

/// Where a cart is taxed: at its destination, else where the market says.
pub(crate) fn zone_of(tx: &mut Tx<'_>, cart: &Cart, market: &Market) -> Result<Option<Id<TaxZone>>, Failure> {
    let Some(to) = cart.destination.as_ref().filter(|_| cart.pickup_location.is_none()) else {
        return Ok(market.tax_zone);
    };
    let area = Area { country: to.country, region: to.region.clone().unwrap_or_default() };
    Ok(store::tax::zone_of(tx, &area)?.or(market.tax_zone))
}

/// That a variant is not sold any more.
pub(super) fn not_sold(variant: &Variant) -> Refusal {
    Refusal::new(Code::WrongState, format!("sku {} is not sold any more; take it out", variant.sku))
}

fn no_price(variant: &Variant, channel: &Channel) -> Refusal {
    let message =
        format!("sku {} has no price in channel \"{}\" now; take it out", variant.sku, channel.code);
    Refusal::new(Code::NoPrice, message)
}
