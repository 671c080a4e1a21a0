//! A plain reading of the raw facts of somebody, by other ways than segments read them.

use std::collections::{BTreeMap, BTreeSet};

use crate::counter::DAY;
use domain::consent::{Cell, Medium, Status};
use domain::loyalty::points::MemberState;
use domain::segment::Subject;
use domain::value::id::{self, Customer, Event as EventKind, Profile};
use domain::value::{Id, Instant, Language};
use engine::detail::preference;
use engine::loyalty::member::{self as takes_part, Member};
use engine::loyalty::points;
use engine::segment::list;
use engine::{behaviour, consent, customer, identity};
use serde_json::Value;

/// How a customer takes part in the club.
pub fn in_club(
    tx: &mut store::Tx<'_>,
    actor: &domain::actor::Actor,
    customer: Id<Customer>,
    club: Id<id::LoyaltyProgramme>,
) -> Result<Option<Member>, engine::Failure> {
    let all = takes_part::of_customer(tx, actor, customer)?;
    Ok(all.into_iter().find(|own| own.programme == club && own.state == MemberState::Active))
}

/// What is known of somebody, read by other ways than segments read it.
#[derive(Default)]
pub struct Raw {
    customer: bool,
    events: Vec<(i64, String, i64)>,
    orders: Vec<(i64, i64)>,
    may: bool,
    listed: bool,
    vip: bool,
    points: i64,
    language: Option<Language>,
}

impl Raw {
    pub fn read(
        tx: &mut store::Tx<'_>,
        actor: &domain::actor::Actor,
        world: &mut engine::World,
        who: Subject,
        (list, club): (Id<id::CustomerList>, Id<id::LoyaltyProgramme>),
        now: Instant,
    ) -> Result<Raw, engine::Failure> {
        let mut raw = Raw::default();
        let root: Id<Profile> = match who {
            Subject::Profile(root) => root,
            Subject::Customer(customer) => {
                let known = customer::load(tx, customer)?;
                (raw.customer, raw.vip) = (true, known.groups.contains(&"vip".to_owned()));
                for order in store::order::owner::of_customer(tx, customer, Id::from_bytes([255; 16]), 1_000)?
                {
                    let Some(order) = store::order::find(tx, order)? else { continue };
                    raw.orders
                        .push((order.placed_at.micros(), order.gross - order.cancelled - order.returned));
                }
                let cell = Cell { purpose: "marketing".into(), medium: Medium::Mail, topic: String::new() };
                raw.may = consent::read(tx, actor, customer, now)?.to(&cell) == Some(Status::Granted);
                raw.language = preference::read(tx, actor, customer)?.language;
                if let Some(own) = in_club(tx, actor, customer, club)? {
                    raw.points = points::balance(tx, &own, now)?.free;
                }
                identity::customer::of_customer(tx, actor, world, customer)?
            }
        };
        let entries = list::entries(tx, actor, list, ([0; 16], 1_000))?;
        raw.listed = entries.iter().any(|(_, subject, _)| *subject == who);
        let last = (Instant::from_micros(i64::MAX), Id::<EventKind>::from_bytes([255; 16]));
        for event in behaviour::of_person(tx, actor, root, last, 100_000)? {
            let body: Value = serde_json::from_str(&event.body).unwrap_or_default();
            let price = body["properties"]["price"].as_i64().unwrap_or(0);
            raw.events.push((event.at.micros(), event.name.unwrap_or_default(), price));
        }
        raw.events.reverse();
        raw.orders.sort_unstable();
        Ok(raw)
    }

    pub fn segments(&self, now: i64, free: i64) -> BTreeSet<&'static str> {
        let day = DAY * 1_000_000;
        let viewed = |days: i64| {
            self.events.iter().filter(move |(at, name, _)| name == "Product Viewed" && now - at < days * day)
        };
        let lookers = viewed(30).filter(|(_, _, price)| *price >= 3).count() >= 2;
        let follows = |place: usize, at: i64| {
            self.events[place + 1..].iter().any(|(then, name, _)| name == "Cart Viewed" && then - at <= day)
        };
        let first = |event: &(usize, &(i64, String, i64))| {
            event.1.1 == "Product Viewed" && now - event.1.0 < 60 * day
        };
        let firsts: Vec<(usize, i64)> =
            self.events.iter().enumerate().filter(first).map(|(place, event)| (place, event.0)).collect();
        let spent: i64 =
            self.orders.iter().filter(|(at, _)| now - at < 90 * day).map(|(_, worth)| worth).sum();
        let mut prices: BTreeMap<i64, (usize, usize)> = BTreeMap::new();
        for (place, (_, _, price)) in viewed(20).enumerate() {
            let known = prices.entry(*price).or_default();
            *known = (known.0 + 1, place);
        }
        let often = prices.into_iter().max_by_key(|(_, rank)| *rank).map(|(price, _)| price);
        let rich = spent >= 12_000;
        let held = [
            ("lookers", lookers),
            ("followed", firsts.iter().any(|(place, at)| follows(*place, *at))),
            ("left", firsts.iter().any(|(place, at)| now - at > day && !follows(*place, *at))),
            ("rich", rich),
            ("active", self.customer && self.is_active(now, day)),
            ("may", self.may),
            ("listed", self.listed),
            ("pointed", self.points >= 150),
            ("often", often == Some(5)),
            ("mixed", (lookers || self.vip) && !rich),
            ("german", self.language.is_some_and(|language| language.general().code() == "de")),
            ("near", !self.orders.is_empty()),
            ("live", lookers && free >= 40),
        ];
        held.into_iter().filter(|(_, holds)| *holds).map(|(code, _)| code).collect()
    }

    fn is_active(&self, now: i64, day: i64) -> bool {
        let times: Vec<i64> = self.orders.iter().map(|(at, _)| *at).collect();
        match times.as_slice() {
            [] => false,
            [.., last] if now - last >= 120 * day => false,
            [.., before, last] if last - before >= 365 * day => true,
            [first, ..] => now - first >= 30 * day,
        }
    }
}
