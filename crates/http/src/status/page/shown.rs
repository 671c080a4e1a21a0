//! What the page of an order shows, in the customer's words: everything is worked out here, so that the template only sets it.

use domain::delivery::Kind;
use domain::fulfilment::Visit as Step;
use domain::fulfilment::parcel::Tracked;
use domain::returns::State as Returned;
use domain::returns::Way;
use domain::returns::claim::State as Claimed;
use domain::status::writing::{date, hours, moment, money, span};
use domain::status::{Deed, Stage, words_for};
use domain::value::id::OrderLine;
use domain::value::{Address, Id, Instant, Language, Zone};
use engine::change::{Change, Line as ChangeLine};
use engine::fulfilment::carrier::Carrier;
use engine::fulfilment::parcel::Parcel;
use engine::fulfilment::visit::qr_text;
use engine::order::Line;
use engine::status::PartStatus;
use engine::status::page::{Page, Units};
use serde_json::{Value, json};
use store::fulfilment::visit::Visit;

use super::super::shape::followed_at;
use crate::qr::squares;

/// A page with the instant it is made at.
struct View<'p> {
    page: &'p Page,
    language: Language,
    now: Instant,
}

/// Everything a page shows but its own words.
pub(super) fn view(page: &Page, now: Instant) -> Value {
    let status = &page.status;
    let (order, sums) = (&status.order, &status.sums);
    let view = View { page, language: status.language, now };
    let pay_by = order.payment_due_at.filter(|_| status.stage == Stage::AwaitingPayment);
    let delivery = order.delivery_gross;
    json!({
        "shop": page.shop,
        "number": order.number,
        "stage": view.words(status.stage.text()),
        "is_cancelled": status.stage == Stage::Cancelled,
        "placed": date(order.placed_at, &page.zone, view.language),
        "pay_by": pay_by.map(|at| view.moment(at)),
        "steps": view.steps(),
        "parts": status.parts.iter().map(|part| view.part(part)).collect::<Vec<_>>(),
        "lines": status.lines.iter().map(|line| view.line(line)).collect::<Vec<_>>(),
        "delivery": (delivery != 0).then(|| view.money(delivery)),
        "total": view.money(order.gross - order.cancelled - order.returned),
        "paid": view.money(sums.captured),
        "refunded": (sums.refunded > 0).then(|| view.money(sums.refunded)),
        "missing": (sums.missing() > 0).then(|| view.money(sums.missing())),
        "change": view.open_change(),
        "deeds": view.deeds(),
        "after": view.after(),
    })
}

/// Steps of an order that is sent, and of one that is collected, each with the stage by which it is reached.
const SENT: [(&str, Stage); 4] = [
    ("step_ordered", Stage::Waiting),
    ("step_prepared", Stage::Packed),
    ("step_gone", Stage::Shipped),
    ("step_there", Stage::Delivered),
];
const COLLECTED: [(&str, Stage); 4] = [
    ("step_ordered", Stage::Waiting),
    ("step_prepared", Stage::Packed),
    ("step_ready", Stage::Ready),
    ("step_collected", Stage::Collected),
];

/// How many steps lie behind a stage.
const fn reached(stage: Stage) -> usize {
    match stage {
        Stage::AwaitingPayment | Stage::Cancelled => 0,
        Stage::Waiting | Stage::Coming | Stage::Accepted | Stage::Picking | Stage::Held => 1,
        Stage::Packed => 2,
        Stage::Ready | Stage::PartlyGone | Stage::Shipped => 3,
        Stage::Delivered | Stage::Collected => 4,
    }
}

impl View<'_> {
    fn words(&self, name: &'static str) -> &'static str {
        words_for(name, self.language)
    }

    fn money(&self, minor: i64) -> String {
        money(minor, self.page.status.order.currency, self.language)
    }

    fn moment(&self, at: Instant) -> String {
        moment(at, &self.page.zone, self.language)
    }

    fn date(&self, at: Instant) -> String {
        date(at, &self.page.zone, self.language)
    }

    /// The way an order goes, and how far it is; nothing for what was taken along, and for what goes no further.
    fn steps(&self) -> Vec<Value> {
        let status = &self.page.status;
        let steps = match status.order.kind {
            Kind::Ship => &SENT,
            Kind::Pickup => &COLLECTED,
            Kind::HandOver => return Vec::new(),
        };
        if status.stage == Stage::Cancelled {
            return Vec::new();
        }
        let done = reached(status.stage);
        let step = |(place, (name, _)): (usize, &(&str, Stage))| json!({ "word": name, "is_done": place < done, "is_now": place + 1 == done });
        steps.iter().enumerate().map(step).collect()
    }

    fn title_of(&self, line: Id<OrderLine>) -> Option<&Line> {
        self.page.status.lines.iter().find(|known| known.id == line)
    }

    /// What is in a part: order lines, with how many of each; of a set whose pieces are not all there only its name.
    fn goods(&self, part: &PartStatus) -> Vec<Value> {
        let mut goods: Vec<(&Line, Option<i64>)> = Vec::new();
        for piece in part.part.lines.iter().filter(|piece| piece.quantity > 0) {
            let Some(line) = self.title_of(piece.line) else { continue };
            let each =
                line.takes.iter().find(|(variant, _)| *variant == piece.variant).map_or(1, |takes| takes.1);
            let units = Some(piece.quantity / each.max(1)).filter(|units| *units > 0);
            match goods.iter_mut().find(|(known, _)| known.id == line.id) {
                Some((_, known)) => *known = known.zip(units).map(|(one, other)| one.min(other)),
                None => goods.push((line, units)),
            }
        }
        goods.iter().map(|(line, units)| json!({ "title": line.title, "quantity": units })).collect()
    }

    fn part(&self, status: &PartStatus) -> Value {
        let part = &status.part;
        let zone = status.location.as_ref().map_or(&self.page.zone, |location| &location.zone);
        let is_coming =
            !part.state.has_left() && status.stage != Stage::Cancelled && status.stage != Stage::Ready;
        let promised = part.promised.by.filter(|_| is_coming || status.stage == Stage::Shipped);
        let expected = part.expected_at.filter(|_| status.stage == Stage::Coming);
        let place = status.location.as_ref().map(|location| {
            let address = location.address.as_ref().filter(|_| part.kind == Kind::Pickup);
            json!({
                "name": location.name,
                "address": address.map(|address| Address::label(address, address.country())),
                "hours": location.hours.as_ref().filter(|_| part.kind == Kind::Pickup).map(|known| hours(&known.to_string(), self.language)),
            })
        });
        let own = self.page.status.parcels.iter().filter(|(parcel, _)| parcel.fulfilment_order == part.id);
        let parcels: Vec<_> = own.map(|parcel| self.parcel(parcel)).collect();
        json!({
            "id": part.id.to_string(),
            "stage": self.words(status.stage.text()),
            "is_pickup": part.kind == Kind::Pickup,
            "place": place,
            "goods": self.goods(status),
            "promised": promised.map(|by| span(part.promised.from, by, zone, self.language)),
            "expected": expected.map(|at| date(at, zone, self.language)),
            "left": part.left_at.filter(|_| part.kind == Kind::Ship).map(|at| date(at, zone, self.language)),
            "tracking": part.tracking.as_ref().filter(|_| parcels.is_empty()),
            "pickup": status.visit.as_ref().map(|visit| self.pickup(status, visit, zone)),
            "parcels": parcels,
        })
    }

    fn pickup(&self, status: &PartStatus, visit: &Visit, zone: &Zone) -> Value {
        let waits = status.stage == Stage::Ready;
        let code = status.code.as_ref().filter(|_| waits);
        let qr = code
            .and_then(|_| squares(&qr_text(visit)))
            .map(|(path, size)| json!({ "path": path, "size": size }));
        json!({
            "code": code,
            "qr": qr,
            "state": self.words(visit.state.text()),
            "bay": visit.bay.as_ref().filter(|_| waits),
            "collect_by": status.part.collect_by.filter(|_| waits).map(|at| date(at, zone, self.language)),
            "can_come": waits && visit.state == Step::Booked,
            "can_arrive": waits && matches!(visit.state, Step::Booked | Step::OnTheWay),
        })
    }

    fn parcel(&self, (parcel, carrier): &(Parcel, Option<Carrier>)) -> Value {
        // What the carrier tells at first says no more than that it has left.
        let says = |tracked: &Tracked| parcel.ended_at.is_none() && *tracked != Tracked::Accepted;
        let tracked = parcel.tracked.filter(says);
        let state = tracked.map_or(parcel.state.text(), |tracked| tracked.text());
        json!({
            "state": self.words(state),
            "carrier": carrier.as_ref().map(|carrier| &carrier.name),
            "tracking": parcel.tracking,
            "follow": followed_at(parcel, carrier.as_ref()),
            "attempts": (parcel.attempts > 0).then_some(parcel.attempts),
            "ended": parcel.ended_at.map(|at| self.date(at)),
        })
    }

    fn line(&self, line: &Line) -> Value {
        json!({
            "title": line.title,
            "quantity": line.quantity,
            "cancelled": (line.cancelled > 0).then_some(line.cancelled),
            "returned": (line.returned > 0).then_some(line.returned),
            "gross": self.money(line.gross),
        })
    }

    /// The change that waits for a yes.
    fn open_change(&self) -> Option<Value> {
        let status = &self.page.status;
        let open = status.changes.iter().find(|change| Some(change.id) == status.order.open_change)?;
        if open.expires_at <= self.now {
            return None;
        }
        let line = |line: &ChangeLine| json!({ "title": line.title, "quantity": line.quantity, "difference": self.money(line.amounts.gross_minor) });
        Some(json!({
            "id": open.id.to_string(),
            "difference": open.difference.gross_minor,
            "lines": open.lines.iter().map(line).collect::<Vec<_>>(),
            "to_pay": (open.to_pay > 0).then(|| self.money(open.to_pay)),
            "to_refund": (open.to_refund > 0).then(|| self.money(open.to_refund)),
            "waits_until": self.moment(open.expires_at),
            "can_confirm": open.to_pay == 0 && status.deeds.contains(&Deed::Change),
        }))
    }

    fn units(&self, units: &[Units]) -> Vec<Value> {
        let shown = |(id, most): &Units| {
            let line = self.title_of(*id)?;
            Some(json!({ "line": id.to_string(), "title": line.title, "most": most }))
        };
        units.iter().filter_map(shown).collect()
    }

    /// What the customer can do beside coming for what waits.
    fn deeds(&self) -> Value {
        let status = &self.page.status;
        let can = |deed: Deed| status.deeds.contains(&deed).then(|| self.words(deed.text()));
        let is_open = self.open_change().is_some();
        let removable = self.units(&self.page.removable);
        let returnable = self.units(&self.page.returnable);
        let reasons = &self.page.reasons;
        json!({
            "cancel": can(Deed::Cancel),
            "change": can(Deed::Change).filter(|_| !is_open && !removable.is_empty()),
            "return": can(Deed::Return).filter(|_| !returnable.is_empty()),
            "removable": removable,
            "returnable": returnable,
            "reasons": reasons.iter().map(|(code, words)| json!({ "code": code, "words": words })).collect::<Vec<_>>(),
        })
    }

    /// What happened after the order: returns, claims, exchanges, money that went back, changes; each with what it is, how it stands, when, and
    /// how much.
    fn after(&self) -> Vec<Value> {
        let status = &self.page.status;
        let mut after = Vec::new();
        for one in &status.returns {
            let label =
                one.label.as_ref().filter(|_| one.way == Way::Post && one.state == Returned::Approved);
            after.push(
                json!({ "word": "return", "state": self.words(one.state.text()), "at": self.date(one.at),
                "amount": self.money(one.refund), "label": label.map(|_| one.id.to_string()) }),
            );
        }
        for one in &status.claims {
            let remedy = one.remedy.map(|remedy| self.words(remedy.text()));
            after.push(json!({ "word": "claim", "about": self.words(one.kind.text()),
                "state": remedy.unwrap_or_else(|| self.words(claim_state(one.state))), "at": self.date(one.at),
                "amount": (one.refund > 0).then(|| self.money(one.refund)) }));
        }
        for one in &status.exchanges {
            after.push(
                json!({ "word": "exchange", "at": self.date(one.at), "amount": self.money(one.carried) }),
            );
        }
        for one in &status.payments {
            let (done, coming) = (one.amounts.refunded, one.amounts.refunding);
            if done + coming > 0 {
                after.push(json!({ "word": "money_back", "state": self.words(one.kind.text()), "amount": self.money(done + coming),
                    "is_coming": coming > 0 }));
            }
        }
        for one in &status.changes {
            after.push(
                json!({ "word": "change", "state": self.words(one.state.text()), "at": self.date(one.made_at),
                "amount": self.difference(one) }),
            );
        }
        after
    }

    fn difference(&self, change: &Change) -> Option<String> {
        let minor = change.difference.gross_minor;
        (minor != 0).then(|| self.money(minor))
    }
}

/// The word for where a claim stands: one that was approved asks nothing of the customer.
const fn claim_state(state: Claimed) -> &'static str {
    match state {
        Claimed::Approved => "claim_approved",
        other => other.text(),
    }
}
