-- What customers say was lost, damaged or wrong, how it was made good, and what we want of the carrier for it.
create table if not exists claim (
    claim_id {bytes} primary key,
    order_id {bytes} not null,
    customer_id {bytes},
    location_id {bytes} not null,
    parcel_id {bytes},
    kind {int} not null,
    state {int} not null,
    reason text not null,
    evidence text,
    wished {int},
    override_reason text,
    decline_reason text,
    currency text not null,
    value {int} not null check (value >= 0),
    remedy {int},
    refund {int} not null check (refund >= 0),
    means {int},
    return_id {bytes},
    carrier_state {int},
    carrier_amount {int} not null check (carrier_amount >= 0),
    carrier_paid {int} not null check (carrier_paid >= 0 and carrier_paid <= carrier_amount),
    carrier_reference text,
    found {int},
    found_at {int},
    whereabouts {int},
    external_id text,
    at {int} not null,
    ended_at {int}
) {strict};
create index if not exists claim_by_state on claim (state, claim_id);

create table if not exists claim_of_order (
    order_id {bytes} not null,
    claim_id {bytes} not null,
    primary key (order_id, claim_id)
) {strict};

create table if not exists claim_line (
    claim_id {bytes} not null,
    order_line_id {bytes} not null,
    variant_id {bytes} not null,
    quantity {int} not null check (quantity > 0),
    value {int} not null check (value >= 0),
    refund {int} not null check (refund >= 0 and refund <= value),
    policy_id {bytes},
    policy_version {int},
    primary key (claim_id, order_line_id)
) {strict};
