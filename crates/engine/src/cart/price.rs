//! What a cart costs now: prices, taxes and delivery, computed when asked and never stored.

use std::collections::{BTreeMap, BTreeSet};

use domain::customer::COLLEAGUES;
use domain::delivery;
use domain::promotion::price::{Applied, Gift, PricedLine as Lowered};
use domain::promotion::rules::Why;
use domain::promotion::{self as rules, Charge, Goods, Occasion, Presented};
use domain::tax::{Area, Policy, Taxed};
use domain::value::id::{
    CartLine, Company, Customer, DeliveryMethod, TaxClass, TaxZone, Variant as VariantKind,
};
use domain::value::{Currency, Id, Instant, Money, Rate, Zone};
use domain::{Code, Refusal};
use store::Tx;
use store::cart::coupon::Given;
use store::catalogue::Variant;
use store::market::{Channel, Market};
use store::promotion::Promotion;

use super::{Cart, Line, channel_of};
use crate::delivery::{Offer, quote};
use crate::loyalty::tier;
use crate::promotion::apply::{self, Buyer};
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
    /// The coupons in the cart, each with the reason why it lowers nothing, if it does not.
    pub coupons: Vec<(Given, Option<Why>)>,
    /// What the customer may have for nothing.
    pub gifts: Vec<Gift>,
    /// What the price engine was asked, and what it said.
    pub(crate) worked: Worked,
}

impl PricedCart {
    /// By how many minor units another choice of promotions could lower the cart more at most; 0 when there is none.
    pub const fn slack_minor(&self) -> i64 {
        self.worked.priced.slack_minor
    }
}

/// What the price engine was asked, and what it said: for whoever takes from the promotions' limits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Worked {
    pub goods: Goods,
    pub occasion: Occasion,
    pub buyer: Buyer,
    pub priced: rules::Priced,
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
    /// What lowered it.
    pub discounts: Vec<Applied>,
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
    /// What lowered the charge.
    pub discounts: Vec<Applied>,
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
    priced_for(tx, (now, false), cart, None)
}

/// The groups of who buys: those the retailer put the company into in whose name it is, and the customer, then those the customer's tiers bring.
pub(crate) fn groups_of(
    tx: &mut Tx<'_>,
    (customer, company): (Option<Id<Customer>>, Option<Id<Company>>),
    now: Instant,
) -> Result<Vec<String>, Failure> {
    let company = company.map(|company| store::company::find(tx, company)).transpose()?.flatten();
    let mut groups = company.map(|company| company.groups).unwrap_or_default();
    let Some(customer) = customer else { return Ok(groups) };
    for group in customer::load(tx, customer)?.groups.into_iter().chain(tier::groups(tx, customer, now)?) {
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    Ok(groups)
}

/// As [`priced`], when it is known how the cart is to be paid. An instant that is past is priced by the prices and promotions of then.
///
/// # Errors
/// As [`priced`].
pub fn priced_for(
    tx: &mut Tx<'_>,
    (at, past): (Instant, bool),
    cart: &Cart,
    payment: Option<&'static str>,
) -> Result<PricedCart, Failure> {
    let given = store::cart::coupon::list(tx, cart.id)?;
    priced_under(tx, cart, Under { at, past, payment, given, groups: None, tried: Vec::new() })
}

/// Under what a cart is priced.
pub(super) struct Under {
    /// When.
    pub at: Instant,
    /// Do prices and promotions count as they stood then, and not as they stand now?
    pub past: bool,
    /// How it is to be paid, when that is known.
    pub payment: Option<&'static str>,
    /// The coupons.
    pub given: Vec<Given>,
    /// The groups of whoever buys, in place of the customer's own.
    pub groups: Option<Vec<String>>,
    /// Promotions that are tried as though they were in force; of every one that comes near is then said why it gives nothing.
    pub tried: Vec<Promotion>,
}

/// Prices a cart under these circumstances.
pub(super) fn priced_under(tx: &mut Tx<'_>, cart: &Cart, under: Under) -> Result<PricedCart, Failure> {
    let Under { at: now, past, payment, given, groups, tried } = under;
    let channel = channel_of(tx, cart)?;
    let market = market_of(tx, &channel)?;
    let groups = match groups {
        Some(groups) => groups,
        None => groups_of(tx, (cart.customer, cart.company), now)?,
    };
    let zone = zone_of(tx, cart, &market)?;
    let variants = variants_of(tx, cart)?;
    let wanted: Vec<_> = cart.lines.iter().map(|line| (line.variant, line.quantity)).collect();
    let group = groups.first().map(String::as_str);
    let prices = match past {
        true => price::prices_then(tx, &channel, group, &wanted, now)?,
        false => price::prices(tx, &channel, group, &wanted, now)?,
    };
    let rates = rates_of(tx, zone, variants.values(), now)?;
    let mut lines = Vec::with_capacity(cart.lines.len());
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
        whole.map_err(|error| Refusal::invalid(format!("lines.{place}.quantity"), error))?;
        let rate = rates.get(&variant.tax_class).copied().unwrap_or(Rate::ZERO);
        lines.push(unpriced(line, variant, unit_minor, rate));
    }
    let listed = lines.iter().map(|line| line.unit_minor * line.quantity).sum();
    let offer = offer_for(tx, &channel, cart, &variants, listed)?;
    let charge = match &offer {
        Some(offer) => Some(Charge {
            method: offer.method.id,
            minor: offer.price_minor,
            rate: tax::rate_for(tx, zone, offer.method.tax_class, now)?,
        }),
        None => None,
    };
    let any = past || !given.is_empty() || !tried.is_empty() || store::promotion::any(tx)?;
    let mut occasion = plain(now, (cart, &channel), groups, payment)?;
    if any {
        look_around(tx, cart, past, &mut occasion)?;
    }
    let asked =
        Asked { cart, lines: &lines, variants: &variants, charge, given: &given, tried: &tried, any, past };
    let worked = work(tx, asked, occasion, &market)?;
    Money::new(worked.priced.total.gross_minor, cart.currency)
        .map_err(|error| Refusal::invalid("lines", error))?;
    Ok(told(cart, &market, lines, offer, given, worked))
}

/// What is known of a cart before promotions.
struct Asked<'a> {
    cart: &'a Cart,
    lines: &'a [PricedLine],
    variants: &'a BTreeMap<Id<VariantKind>, Variant>,
    charge: Option<Charge>,
    given: &'a [Given],
    /// Promotions tried beside those in force.
    tried: &'a [Promotion],
    /// Is there any promotion it could meet?
    any: bool,
    past: bool,
}

/// Asks the price engine, with the promotions the goods may meet.
fn work(tx: &mut Tx<'_>, asked: Asked<'_>, occasion: Occasion, market: &Market) -> Result<Worked, Failure> {
    let products: BTreeSet<_> = asked.variants.values().map(|variant| variant.product).collect();
    let tags = if asked.any { apply::tags(tx, &products)? } else { BTreeMap::new() };
    let line = |(own, line): (&Line, &PricedLine)| {
        let variant = asked.variants.get(&own.variant);
        let tags = variant.and_then(|variant| tags.get(&variant.product)).cloned().unwrap_or_default();
        rules::Line {
            variant: own.variant,
            tags,
            quantity: own.quantity,
            unit: variant.map_or(domain::value::Unit::Piece, |variant| variant.unit),
            unit_minor: line.unit_minor,
            rate: line.tax_rate,
            agreed: own.agreed.is_some(),
            discount: None,
        }
    };
    let presented = |given: &Given| Presented { coupon: given.coupon, promotion: given.promotion };
    let goods = Goods {
        lines: asked.cart.lines.iter().zip(asked.lines).map(line).collect(),
        delivery: asked.charge,
        coupons: asked.given.iter().map(presented).collect(),
        discount: None,
    };
    let mut buyer = Buyer { customer: asked.cart.customer, ..Buyer::default() };
    for given in asked.given {
        let coupon = store::promotion::coupon::by_code(tx, &given.code)?;
        buyer.uses_max.extend(coupon.and_then(|own| Some((own.id, own.uses_max?))));
    }
    let rules = if asked.any {
        apply::rules_for(tx, &goods, &occasion, (&buyer, asked.tried, asked.past))?
    } else {
        rules::Rules::new(Vec::new(), &BTreeMap::new())
    };
    let policy = Policy {
        prices_include_tax: market.prices_include_tax,
        level: market.rounding_level,
        rounding: market.rounding,
    };
    let priced = rules::price(&goods, &rules, &occasion, policy);
    Ok(Worked { goods, occasion, buyer, priced })
}

/// Who buys, where and when, as far as the cart itself says it.
fn plain(
    now: Instant,
    (cart, channel): (&Cart, &Channel),
    groups: Vec<String>,
    payment: Option<&str>,
) -> Result<Occasion, Failure> {
    let colleague = groups.iter().any(|group| group == COLLEAGUES);
    Ok(Occasion {
        channel: channel.id,
        store: cart.pickup_location.or(channel.location),
        zone: Zone::parse("UTC").map_err(|error| Refusal::invalid("channel", error))?,
        at: now,
        currency: cart.currency,
        payment: payment.map(str::to_owned),
        customer: rules::Customer { groups, segments: Vec::new(), first_order: false, colleague },
    })
}

/// What only promotions want to know: the store's clock, whether the customer ordered before, and the segments the customer belongs to now; what
/// they were at an instant that is past is not kept.
fn look_around(tx: &mut Tx<'_>, cart: &Cart, past: bool, occasion: &mut Occasion) -> Result<(), Failure> {
    if let Some(store) = occasion.store
        && let Some(place) = store::location::find(tx, store)?
    {
        occasion.zone = place.zone;
    }
    if let Some(customer) = cart.customer {
        occasion.customer.first_order = match past {
            true => !store::customer::had_ordered(tx, customer, occasion.at)?,
            false => !store::customer::has_ordered(tx, customer)?,
        };
        if !past {
            occasion.customer.segments = store::customer::segments(tx, customer, occasion.at)?;
        }
    }
    Ok(())
}

/// The cart with what the price engine said.
fn told(
    cart: &Cart,
    market: &Market,
    mut lines: Vec<PricedLine>,
    offer: Option<Offer>,
    given: Vec<Given>,
    worked: Worked,
) -> PricedCart {
    let priced = &worked.priced;
    for (line, lowered) in lines.iter_mut().zip(&priced.lines) {
        (line.net_minor, line.tax_minor, line.gross_minor) =
            (lowered.taxed.net_minor, lowered.taxed.tax_minor, lowered.taxed.gross_minor);
        line.discounts = lowered.applied.clone();
    }
    let why = |given: &Given| {
        let used = priced.coupons.iter().any(|used| used.coupon == given.coupon);
        let why = priced.unused.iter().find(|(promotion, _)| *promotion == given.promotion);
        // What is not in force is found by nobody; a second coupon for the same promotion is outdone by the first.
        (!used).then(|| {
            let lowers = priced.coupons.iter().any(|other| other.promotion == given.promotion);
            why.map_or(if lowers { Why::Outdone } else { Why::Time }, |(_, why)| *why)
        })
    };
    let rate = worked.goods.delivery.map_or(Rate::ZERO, |charge| charge.rate);
    PricedCart {
        cart: cart.clone(),
        currency: cart.currency,
        prices_include_tax: market.prices_include_tax,
        lines,
        delivery: offer.zip(priced.delivery.as_ref()).map(|(offer, lowered)| charged(&offer, rate, lowered)),
        net: priced.total.net_minor,
        tax: priced.total.tax_minor,
        gross: priced.total.gross_minor,
        rates: priced.rates.clone(),
        coupons: given
            .into_iter()
            .map(|given| {
                let why = why(&given);
                (given, why)
            })
            .collect(),
        gifts: priced.gifts.clone(),
        worked,
    }
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

fn charged(offer: &Offer, tax_rate: Rate, lowered: &Lowered) -> PricedDelivery {
    PricedDelivery {
        method: offer.method.id,
        kind: offer.method.kind,
        discounts: lowered.applied.clone(),
        net_minor: lowered.taxed.net_minor,
        tax_minor: lowered.taxed.tax_minor,
        gross_minor: lowered.taxed.gross_minor,
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
        discounts: Vec::new(),
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
