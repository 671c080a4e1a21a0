-- What may take the place of a variant when it is not there, the best first: the retailer's rules.
create table if not exists substitute (
    variant_id {bytes} not null,
    rank {int} not null,
    substitute_id {bytes} not null,
    primary key (variant_id, rank)
) {strict};

-- What the customer of an order allows: for a variant, or (where the variant is all zeroes) for everything else.
create table if not exists substitution_consent (
    order_id {bytes} not null,
    variant_id {bytes} not null,
    allowed {int} not null,
    named {json} not null,
    primary key (order_id, variant_id)
) {strict};
