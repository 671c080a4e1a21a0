//! Working out a change: every action in order, then what all of them together cost.

use std::collections::{BTreeMap, BTreeSet};

use domain::actor::{Actor, Permission};
use domain::cart as cart_rules;
use domain::change::{self as rules, ACTIONS_MAX, AddedAt, NOTHING, REASON_CHARS_MAX, State, What};
use domain::delivery::{Delivery, Destination as Goal, Kind};
use domain::order::Sums;
use domain::tax::{Policy, Taxable, Taxed, apply};
use domain::value::id::{OrderLine, TaxZone, Variant};
use domain::value::{Id, Money, Quantity, Rate};
use domain::{Code, Refusal};
use store::Tx;
use store::change::{After, Change, Line, Way};

use super::{Action, Asked, Ground, frozen};
use crate::cart::{self, Cart, NewLine, details, price};
use crate::checkout::cancel::cancellable;
use crate::contact::{self, NewContact};
use crate::delivery::quote;
use crate::order;
use crate::{Failure, World, customer, tax};

/// What is known of a change after some of its actions.
struct Sheet<'a> {
    ground: &'a Ground,
    /// The order as a cart: where it goes and how, and what is put in.
    cart: Cart,
    /// How many units of which line are taken out.
    removed: BTreeMap<Id<OrderLine>, i64>,
    /// Which lines get which price of one.
    corrected: BTreeMap<Id<OrderLine>, i64>,
    readdressed: bool,
}

/// Works out a change of an order that is locked.
pub(super) fn plan(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    ground: &Ground,
    asked: Asked,
) -> Result<Change, Failure> {
    let reason = reason(&asked)?;
    let cart = ground.cart(tx)?;
    let mut sheet =
        Sheet { ground, cart, removed: BTreeMap::new(), corrected: BTreeMap::new(), readdressed: false };
    for (number, action) in asked.actions.into_iter().enumerate() {
        let path = format!("actions.{number}.{}", action.text());
        sheet.act(tx, actor, world, action).map_err(|failure| failure.within(&path))?;
    }
    sheet.must_leave_something()?;
    let mut lines = sheet.taken_out()?;
    lines.extend(sheet.corrections()?);
    lines.extend(sheet.put_in(tx, world)?);
    let (after, served_anew) = sheet.after(tx, world, &lines)?;
    let before = way_of(&ground.order);
    let delivery = rules::beyond(after.way.charge, before.charge);
    let difference = lines.iter().fold(delivery, |sum, line| rules::together(sum, line.amounts));
    must_fit(ground, difference)?;
    let sums = order::sums(tx, &ground.order)?;
    let sums = Sums { gross: sums.gross + difference.gross_minor, ..sums };
    Ok(Change {
        order: ground.order.id,
        id: world.id(),
        state: State::Previewed,
        reason,
        actor: actor.who.label(),
        served_anew,
        before,
        after,
        difference,
        to_pay: sums.missing(),
        to_refund: sums.to_refund(),
        made_at: world.now(),
        expires_at: world.now().plus_seconds(ground.rule.preview_minutes * 60),
        ended_at: None,
        paid_by: None,
        lines,
    })
}

/// The reason, checked with the number of actions. Another price needs one.
fn reason(asked: &Asked) -> Result<Option<String>, Refusal> {
    if asked.actions.is_empty() || asked.actions.len() > ACTIONS_MAX {
        return Err(Refusal::invalid("actions", format!("give 1 to {ACTIONS_MAX} actions")));
    }
    let reason = asked.reason.as_deref().map(str::trim).filter(|reason| !reason.is_empty());
    if reason.is_some_and(|reason| reason.chars().count() > REASON_CHARS_MAX) {
        return Err(Refusal::invalid("reason", format!("say why in at most {REASON_CHARS_MAX} characters")));
    }
    let corrects = asked.actions.iter().any(|action| matches!(action, Action::CorrectPrice(..)));
    if corrects && reason.is_none() {
        return Err(Refusal::invalid("reason", "say why a price is corrected"));
    }
    Ok(reason.map(str::to_owned))
}

/// The delivery charge of an order.
pub(super) fn charge_of(order: &order::Order) -> Taxed {
    Taxed { net_minor: order.delivery_net, tax_minor: order.delivery_tax, gross_minor: order.delivery_gross }
}

/// How an order is delivered.
fn way_of(order: &order::Order) -> Way {
    Way {
        kind: order.kind,
        location: order.location,
        method: order.delivery_method,
        charge: charge_of(order),
        charge_rate: order.delivery_rate,
    }
}

/// What is owed stays at nothing or more, and within the bounds of money.
fn must_fit(ground: &Ground, difference: Taxed) -> Result<(), Refusal> {
    let order = &ground.order;
    let owed = order.gross - order.cancelled - order.returned + difference.gross_minor;
    if owed < 0 {
        let message =
            "more would be given back than the order still comes to; part of it was given back already";
        return Err(Refusal::new(Code::AmountExceeded, message).at("actions"));
    }
    Money::new(order.gross + difference.gross_minor, order.currency)
        .map_err(|error| Refusal::invalid("actions", error))?;
    Ok(())
}

impl Sheet<'_> {
    fn act(
        &mut self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        action: Action,
    ) -> Result<(), Failure> {
        match action {
            Action::Add(line) => self.add(tx, actor, world, line)?,
            Action::Remove(line, quantity) => self.remove(line, quantity)?,
            Action::Swap(line, quantity, with) => {
                self.remove(line, quantity)?;
                self.add(tx, actor, world, with).map_err(|failure| failure.within("with"))?;
            }
            Action::CorrectPrice(line, price) => self.correct(actor, line, price)?,
            Action::Address(card) => self.send_to(tx, actor, world, card)?,
            Action::Delivery(choice) => {
                details::choose(tx, &mut self.cart, &choice).map_err(|failure| match failure {
                    Failure::Refused(refusal) => unprefixed(refusal, "delivery.").into(),
                    store => store,
                })?;
            }
            Action::Note(note) => self.cart.note = note,
        }
        Ok(())
    }

    fn add(
        &mut self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        line: NewLine,
    ) -> Result<(), Failure> {
        cart::think_of(tx, actor, world, (&self.ground.channel, &mut self.cart), &line)?;
        cart_rules::check_lines(self.ground.lines.len() + self.cart.lines.len())?;
        let Some(added) = self.cart.lines.last_mut() else { return Ok(()) };
        if self.ground.rule.added_at == AddedAt::Original && added.agreed.is_none() {
            let same = self.ground.lines.iter().find(|line| line.variant == added.variant);
            added.agreed = same.map(|line| line.unit);
        }
        Ok(())
    }

    fn remove(&mut self, id: Id<OrderLine>, quantity: Quantity) -> Result<(), Refusal> {
        let line = self.ground.line(id)?;
        let taken = self.removed.entry(id).or_insert(0);
        let (open, units) = (cancellable(line, &self.ground.parts) - *taken, quantity.units());
        if units > open {
            let message = format!("{open} of sku {} have not left, {units} asked", line.sku);
            return Err(Refusal::new(Code::WrongState, message).at("quantity"));
        }
        *taken += units;
        if self.corrected.contains_key(&id) {
            return Err(Refusal::invalid("line", "correct its price or take of it, not both in one change"));
        }
        Ok(())
    }

    fn correct(&mut self, actor: &Actor, id: Id<OrderLine>, price: Money) -> Result<(), Refusal> {
        actor.may(Permission::AgreePrices, self.ground.channel.location)?;
        let line = self.ground.line(id)?;
        if price.currency() != self.ground.order.currency {
            let message = format!("the order is in {}", self.ground.order.currency);
            return Err(Refusal::new(Code::CurrencyMismatch, message).at("unit_price"));
        }
        if self.removed.contains_key(&id) || self.corrected.contains_key(&id) {
            return Err(Refusal::invalid("line", "do one thing with a line in one change"));
        }
        rules::may_correct(&frozen(line), price.minor(), &self.ground.rule)?;
        self.corrected.insert(id, price.minor());
        Ok(())
    }

    fn send_to(
        &mut self,
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        card: domain::contact::Card,
    ) -> Result<(), Failure> {
        let order = &self.ground.order;
        let person = match (order.customer, order.contact) {
            (Some(customer), _) => Some(customer::load(tx, customer)?.person),
            (None, Some(contact)) => Some(contact::person_of(tx, contact)?),
            (None, None) => None,
        };
        self.cart.destination = details::destination(&card);
        self.cart.contact = Some(contact::save(tx, actor, world, NewContact { person, card })?);
        self.readdressed = true;
        Ok(())
    }

    /// Whoever wants nothing of an order any more cancels it.
    fn must_leave_something(&self) -> Result<(), Refusal> {
        let stays = |line: &order::Line| line.quantity - line.cancelled - self.taken(line.id) > 0;
        if !self.cart.lines.is_empty() || self.ground.lines.iter().any(stays) {
            return Ok(());
        }
        let message = "nothing of the order would be left; cancel it instead";
        Err(Refusal::new(Code::WrongState, message).at("actions"))
    }

    /// Goods that nobody hands over a counter need a way to their customer.
    fn must_reach_the_customer(&self, lines: &[Line]) -> Result<(), Refusal> {
        let moves = |line: &Line| line.what == What::Add && !line.takes.is_empty();
        if self.cart.method.is_some() || self.ground.channel.location.is_some() || !lines.iter().any(moves) {
            return Ok(());
        }
        let message = "the order has no delivery; choose a delivery method with what is put in";
        Err(Refusal::new(Code::NotDeliverable, message).at("actions"))
    }

    fn taken(&self, line: Id<OrderLine>) -> i64 {
        self.removed.get(&line).copied().unwrap_or(0)
    }

    fn taken_out(&self) -> Result<Vec<Line>, Failure> {
        let one = |(id, units): (&Id<OrderLine>, &i64)| {
            let line = self.ground.line(*id)?;
            let amounts = rules::beyond(NOTHING, rules::removed(&frozen(line), *units));
            Ok(Line { quantity: *units, ..line_of(What::Remove, line, amounts) })
        };
        self.removed.iter().map(one).collect()
    }

    fn corrections(&self) -> Result<Vec<Line>, Failure> {
        let one = |(id, unit): (&Id<OrderLine>, &i64)| {
            let line = self.ground.line(*id)?;
            let whole =
                Money::new(*unit, self.ground.order.currency).and_then(|unit| unit.times(line.quantity));
            let minor = whole.map_err(|error| Refusal::invalid("actions", error))?.minor();
            let taxed = apply(&[Taxable { minor, rate: line.tax_rate }], self.policy());
            let amounts = rules::beyond(taxed.total, frozen(line).amounts);
            Ok(Line { unit: *unit, ..line_of(What::Correct, line, amounts) })
        };
        self.corrected.iter().map(one).collect()
    }

    /// What is put in, priced as a cart of its own: every change is a document of its own to the tax.
    fn put_in(&self, tx: &mut Tx<'_>, world: &mut World) -> Result<Vec<Line>, Failure> {
        if self.cart.lines.is_empty() {
            return Ok(Vec::new());
        }
        let cart = Cart { method: None, ..self.cart.clone() };
        let priced = cart::priced(tx, world.now(), &cart).map_err(|failure| match failure {
            Failure::Refused(refusal) => refusal.at("actions").into(),
            store => store,
        })?;
        let one = |line: &cart::PricedLine| Line {
            what: What::Add,
            line: world.id(),
            variant: line.variant,
            sku: line.sku.clone(),
            title: line.title.clone(),
            quantity: line.quantity,
            unit: line.unit_minor,
            amounts: Taxed {
                net_minor: line.net_minor,
                tax_minor: line.tax_minor,
                gross_minor: line.gross_minor,
            },
            tax_rate: line.tax_rate,
            takes: line.takes.clone(),
        };
        Ok(priced.lines.iter().map(one).collect())
    }

    fn policy(&self) -> Policy {
        Policy {
            prices_include_tax: self.ground.order.prices_include_tax,
            level: self.ground.market.rounding_level,
            rounding: self.ground.market.rounding,
        }
    }

    /// How the order is afterwards, and whether its goods are served anew.
    fn after(&self, tx: &mut Tx<'_>, world: &World, lines: &[Line]) -> Result<(After, bool), Failure> {
        let (order, cart) = (&self.ground.order, &self.cart);
        self.must_reach_the_customer(lines)?;
        let other_method = cart.method != order.delivery_method;
        let pickup = order.location.filter(|_| order.kind == Kind::Pickup);
        let redirected = other_method || cart.pickup_location != pickup;
        let mut way = Way { method: cart.method, ..way_of(order) };
        if redirected || self.readdressed {
            self.must_be_taxed_alike(tx)?;
        }
        if let (Some(method), true) =
            (cart.method, redirected || self.readdressed || self.ground.rule.delivery_anew)
        {
            let goods = self.goods(tx, lines)?;
            let offer = quote(tx, &self.ground.channel, method, &goods)
                .map_err(|failure| failure.within("actions"))?;
            if redirected {
                way.kind = offer.method.kind;
                way.location = cart.pickup_location.or(self.ground.channel.location);
            }
            if other_method || self.ground.rule.delivery_anew {
                let zone = price::zone_of(tx, cart, &self.ground.market)?;
                let rate = tax::rate_for(tx, zone, offer.method.tax_class, world.now())?;
                let anew = apply(&[Taxable { minor: offer.price_minor, rate }], self.policy()).total;
                let left = other_method && self.ground.parts.iter().any(|part| part.state.has_left());
                (way.charge, way.charge_rate) =
                    rules::delivery_charge((way.charge, way.charge_rate), (anew, rate), left)?;
            }
        }
        let served_anew = redirected || (self.readdressed && way.kind == Kind::Ship);
        let after = After {
            way,
            expected_at: None,
            contact: cart.contact,
            destination: cart.destination.clone(),
            note: cart.note.clone(),
        };
        Ok((after, served_anew))
    }

    /// The goods that are delivered afterwards, as delivery methods see them.
    fn goods(&self, tx: &mut Tx<'_>, lines: &[Line]) -> Result<Delivery, Failure> {
        let mut wanted: Vec<(Id<Variant>, i64, i64)> = Vec::new();
        for line in &self.ground.lines {
            let units = line.quantity - line.cancelled - line.returned - self.taken(line.id);
            wanted.push((line.variant, units, self.corrected.get(&line.id).copied().unwrap_or(line.unit)));
        }
        let added = lines.iter().filter(|line| line.what == What::Add);
        wanted.extend(added.map(|line| (line.variant, line.quantity, line.unit)));
        let ids: BTreeSet<Id<Variant>> = wanted.iter().map(|(variant, ..)| *variant).collect();
        let known = store::catalogue::variants(tx, &ids.into_iter().collect::<Vec<_>>())?;
        let weight_of = |variant: Id<Variant>| {
            known.iter().find(|one| one.id == variant).and_then(|one| one.weight_grams).unwrap_or(0)
        };
        let to = self.cart.destination.as_ref();
        Ok(Delivery {
            destination: to.map(|to| Goal { country: to.country, postal_code: to.postal_area.clone() }),
            goods_minor: wanted
                .iter()
                .map(|(_, units, unit)| units.saturating_mul(*unit))
                .fold(0, i64::saturating_add),
            weight_grams: wanted
                .iter()
                .map(|(variant, units, _)| units.saturating_mul(weight_of(*variant)))
                .fold(0, i64::saturating_add),
        })
    }

    /// Lines that stay keep their frozen tax, so an order cannot move to where they are taxed at another rate.
    fn must_be_taxed_alike(&self, tx: &mut Tx<'_>) -> Result<(), Failure> {
        let before = self.ground.cart(tx)?;
        let zone = price::zone_of(tx, &self.cart, &self.ground.market)?;
        if zone == price::zone_of(tx, &before, &self.ground.market)? {
            return Ok(());
        }
        for line in &self.ground.lines {
            if cancellable(line, &self.ground.parts) > self.taken(line.id)
                && self.rate_in(tx, zone, line)? != line.tax_rate
            {
                let message =
                    format!("sku {} is taxed at another rate there; cancel it and order it anew", line.sku);
                return Err(Refusal::new(Code::NotDeliverable, message).at("actions").into());
            }
        }
        Ok(())
    }

    /// At which rate a line would have been taxed in a zone when it was sold.
    fn rate_in(
        &self,
        tx: &mut Tx<'_>,
        zone: Option<Id<TaxZone>>,
        line: &order::Line,
    ) -> Result<Rate, Failure> {
        let known = store::catalogue::variants(tx, &[line.variant])?;
        let Some(variant) = known.first() else { return Ok(line.tax_rate) };
        tax::rate_for(tx, zone, variant.tax_class, self.ground.order.placed_at)
    }
}

fn line_of(what: What, line: &order::Line, amounts: Taxed) -> Line {
    Line {
        what,
        line: line.id,
        variant: line.variant,
        sku: line.sku.clone(),
        title: line.title.clone(),
        quantity: line.quantity,
        unit: line.unit,
        amounts,
        tax_rate: line.tax_rate,
        takes: line.takes.clone(),
    }
}

/// The same refusal with the field named as this part of the request calls it.
fn unprefixed(refusal: Refusal, prefix: &str) -> Refusal {
    match refusal.field().and_then(|field| field.strip_prefix(prefix)).map(str::to_owned) {
        Some(field) => refusal.at(field),
        None => refusal,
    }
}
