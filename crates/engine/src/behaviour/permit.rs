//! Who said no to being watched is not: of what is told about them nothing is kept but how much it was. What the shop's own books tell of
//! orders and returns is none of this.

use std::collections::BTreeSet;

use domain::consent::{Cell, Medium};
use domain::identity::Trust;
use store::Tx;

use super::{Incoming, Source};
use crate::consent::refusal;
use crate::identity::look::{Meant, look};
use crate::{Failure, World};

/// Of each event whether it may be kept: not when anybody whom it names, believed or not, refuses the purpose of the source.
pub(super) fn permitted(
    tx: &mut Tx<'_>,
    world: &World,
    source: &Source,
    events: &[&Incoming],
) -> Result<Vec<bool>, Failure> {
    if !refusal::is_any(tx, &source.purpose)? {
        return Ok(vec![true; events.len()]);
    }
    let cell = Cell { purpose: source.purpose.clone(), medium: Medium::Web, topic: String::new() };
    let seen: Vec<_> = events.iter().map(|event| event.seen(Trust::Authenticated)).collect();
    let meant = look(tx, world, &seen)?;
    let customers: BTreeSet<_> = meant.iter().flat_map(|one| one.customers.iter().copied()).collect();
    let addresses: BTreeSet<_> = meant.iter().flat_map(|one| one.addresses.iter().copied()).collect();
    let customers = refusal::of_customers(tx, &customers, &cell, world.now())?;
    let addresses = refusal::of_addresses(tx, &addresses, &cell, world.now())?;
    let may = |one: &Meant| one.customers.is_disjoint(&customers) && one.addresses.is_disjoint(&addresses);
    Ok(meant.iter().map(may).collect())
}
