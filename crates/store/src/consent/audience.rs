//! Who may be handed on or written to for a purpose: read from the yes that holds, never from a list that could be older.

use domain::consent::Cell;
use domain::value::id::Customer;
use domain::value::{Id, Instant};

use crate::{StoreError, Tx, params};

/// The customers who agreed to what a cell asks and took nothing back, nor anybody merged into them, nor anybody known by their address only
/// unless they said yes after that, after one, at most `limit`.
///
/// # Errors
/// What the store says.
pub fn agreed(
    tx: &mut Tx<'_>,
    cell: &Cell,
    now: Instant,
    (after, limit): (Id<Customer>, i64),
) -> Result<Vec<Id<Customer>>, StoreError> {
    tx.rows(
        "select distinct s.subscriber_id from consent_now g join subscriber s on s.subscriber_id = g.subscriber_id
         where g.purpose = $1 and g.status = 1 and g.subscriber_id > $5 and g.medium in (1, $2) and g.topic in ('', $3)
           and (g.expires_at is null or g.expires_at > $4) and s.customer_id is not null and s.erased_at is null
           and not exists (select 1 from consent_now d
               where d.subscriber_id = g.subscriber_id and d.purpose = $1 and d.medium in (1, $2) and d.topic in ('', $3)
                 and d.status <> 1 and (d.expires_at is null or d.expires_at > $4))
           and not exists (select 1 from customer c join consent_now d on d.subscriber_id = c.customer_id
               where c.merged_into = g.subscriber_id and d.purpose = $1 and d.medium in (1, $2) and d.topic in ('', $3)
                 and d.status <> 1 and (d.expires_at is null or d.expires_at > $4))
           and not exists (select 1 from customer u join contact_lookup l on l.person_id = u.person_id
               join subscriber_by_address b on b.hash = l.hash
               join consent_now d on d.subscriber_id = b.subscriber_id
               join consent c on c.subscriber_id = d.subscriber_id and c.consent_id = d.consent_id
               where (u.customer_id = g.subscriber_id or u.merged_into = g.subscriber_id)
                 and d.purpose = $1 and d.medium in (1, $2) and d.topic in ('', $3) and d.status in (3, 4)
                 and (d.expires_at is null or d.expires_at > $4)
                 and not exists (select 1 from consent_now y
                     join consent o on o.subscriber_id = y.subscriber_id and o.consent_id = y.consent_id
                     where y.subscriber_id = u.customer_id and y.purpose = d.purpose and y.medium = d.medium and y.topic = d.topic
                       and y.status = 1 and o.at > c.at))
           and not exists (select 1 from customer c where c.customer_id = g.subscriber_id and c.merged_into is not null)
         order by s.subscriber_id limit $6",
        params![&cell.purpose, cell.medium.code(), &cell.topic, now, after, limit],
        |row| row.id(),
    )
}
