//! Dates: from what is known of a location, its work today and the delivery method, when the customer has the goods.

use std::collections::HashSet;

use domain::delivery::Kind;
use domain::promise::{self as rules, Journey, Place};
use domain::value::id::Location as LocationKind;
use domain::value::{Id, Instant};
use store::delivery::Method;
use store::location::Location;
use store::routing::capacity;
use store::{Tx, fulfilment as rows};

use crate::fulfilment::{FulfilmentOrder, Promised};
use crate::order::Order;
use crate::{Failure, routing};

/// Which of these locations have as many orders today as they can prepare in a day.
///
/// # Errors
/// What the store says.
pub fn full_today(
    tx: &mut Tx<'_>,
    locations: &[Location],
    now: Instant,
) -> Result<HashSet<Id<LocationKind>>, Failure> {
    let limited = locations
        .iter()
        .filter_map(|location| Some((location.id, routing::day_of(now, &location.zone), location.capacity?)));
    let limited: Vec<_> = limited.collect();
    let keys: Vec<[u8; 16]> = limited.iter().map(|(location, ..)| location.bytes()).collect();
    let days = limited.iter().map(|(_, day, _)| *day);
    let Some(days) = days.clone().min().zip(days.max()) else { return Ok(HashSet::new()) };
    let given = capacity::given(tx, &keys, days)?;
    let given_to = |location: Id<LocationKind>, day: i64| {
        given.iter().find(|(at, on, _)| (*at, *on) == (location, day)).map_or(0, |(.., orders)| *orders)
    };
    let full = limited.iter().filter(|(location, day, most)| given_to(*location, *day) >= *most);
    Ok(full.map(|(location, ..)| *location).collect())
}

/// What of a location decides when its goods are ready.
pub fn place(location: &Location, full_today: bool) -> Place<'_> {
    Place {
        zone: &location.zone,
        hours: location.hours.as_ref(),
        cut_off: location.cut_off.as_ref(),
        preparation_minutes: location.preparation_minutes,
        full_today,
    }
}

/// From when on and by when the customer has goods that are at a location from an instant on. What the customer takes along is there.
pub fn of(
    kind: Kind,
    (location, full): (&Location, bool),
    method: Option<&Method>,
    from: Instant,
) -> Promised {
    let place = place(location, full);
    match (kind, method) {
        (Kind::Pickup, _) => {
            let ready_at = rules::ready_at(&place, from);
            Promised { from: ready_at, by: ready_at }
        }
        (Kind::Ship, Some(method)) => {
            let carrier = method.delivery_hours.as_ref();
            let journey = Journey { lead_days: method.lead_days, carrier, zone: &location.zone };
            let arrives = rules::leaves_on(&place, from).and_then(|day| journey.arrives(day));
            Promised { from: arrives.map(|(from, _)| from), by: arrives.map(|(_, by)| by) }
        }
        (Kind::Ship, None) | (Kind::HandOver, _) => Promised::default(),
    }
}

/// Notes with each fulfilment order that was just made at a location what its customer is promised.
///
/// # Errors
/// What the store says.
pub(crate) fn give(
    tx: &mut Tx<'_>,
    order: &Order,
    made: &[FulfilmentOrder],
    now: Instant,
) -> Result<(), Failure> {
    if order.kind == Kind::HandOver || made.is_empty() {
        return Ok(());
    }
    // What waits to be routed is promised as from the place that would be asked first.
    let home = match (order.location, made.iter().find(|one| one.location.is_none())) {
        (Some(location), _) => Some(location),
        (None, None) => None,
        (None, Some(one)) => {
            let sites = store::location::sites(tx, one.network)?;
            sites.iter().find(|site| site.can_ship).map(|site| site.id)
        }
    };
    let mut ids: Vec<_> = made.iter().filter_map(|one| one.location).collect();
    ids.extend(home);
    let locations = store::location::among(tx, &ids)?;
    // Those just made count as well, and the last that a day can take is still prepared on it.
    let earlier: Vec<Location> = locations
        .iter()
        .map(|one| Location { capacity: one.capacity.map(|capacity| capacity + 1), ..one.clone() })
        .collect();
    let full = full_today(tx, &earlier, now)?;
    let method = order.delivery_method.map(|method| store::delivery::find(tx, method)).transpose()?.flatten();
    for one in made {
        let Some(location) = locations.iter().find(|known| Some(known.id) == one.location.or(home)) else {
            continue;
        };
        let promised = of(
            one.kind,
            (location, full.contains(&location.id)),
            method.as_ref(),
            one.expected_at.unwrap_or(now),
        );
        rows::waiting::promise(tx, (one.order, one.id), promised)?;
    }
    Ok(())
}
