//! Orders agree with the books: what is committed is what is open, lines sum to their orders, and nobody's money is kept beyond what is owed.

use store::Tx;

use super::{Difference, account_name};
use crate::Failure;

/// Committed, picked and pooled goods and those on their way are those of open fulfilment and transfer orders, and nothing else is.
pub fn commitments(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let unequal = store::fulfilment::unequal_promises(tx)?;
    let tell = |one: store::fulfilment::Unequal| {
        let place = account_name(one.variant.shared_with(), one.account);
        Difference::new(
            "commitments",
            place,
            format!("{} by open fulfilment and transfer orders", one.open),
            one.booked,
        )
    };
    Ok(unequal.into_iter().map(tell).collect())
}

/// Parcels hold no more than their fulfilment orders have.
pub fn parcels(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let overfull = store::fulfilment::parcel::overfull(tx)?;
    let tell =
        |(part, most, held)| Difference::new("parcels", part, format!("at most {most} in parcels"), held);
    Ok(overfull.into_iter().map(tell).collect())
}

/// Lines and delivery sum to their order, net and tax to its gross.
pub fn sums(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let unequal = store::order::unequal_sums(tx)?;
    Ok(unequal
        .into_iter()
        .map(|(order, gross, lines)| Difference::new("order sums", order, lines, gross))
        .collect())
}

/// An order that has ended has nothing open.
pub fn ended(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let open = store::order::ended_with_open_goods(tx)?;
    Ok(open
        .into_iter()
        .map(|order| Difference::new("ended orders", order, "nothing open", "goods still open"))
        .collect())
}

/// No order keeps more money than is owed for it, unless it is still to be told and will give it back then.
pub fn money(tx: &mut Tx<'_>) -> Result<Vec<Difference>, Failure> {
    let mut overpaid = Vec::new();
    for one in store::order::overpaid(tx)? {
        if !store::job::is_waiting(tx, "order.payment_changed", &one.0.to_string())? {
            overpaid.push(one);
        }
    }
    let tell = |(order, kept, owed)| Difference::new("money", order, format!("at most {owed} kept"), kept);
    Ok(overpaid.into_iter().map(tell).collect())
}
