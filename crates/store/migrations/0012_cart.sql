-- Carts and their lines. Who it is for is named by id only; of the address no more than taxes and delivery need.
create table if not exists cart (
    cart_id {bytes} primary key,
    channel_id {bytes} not null,
    currency text not null,
    customer_id {bytes},
    company_id {bytes},
    person_id {bytes},
    contact_id {bytes},
    billing_contact_id {bytes},
    country text,
    region text,
    postal_area text,
    delivery_method_id {bytes},
    pickup_location_id {bytes},
    note text,
    state {int} not null,
    order_id {bytes},
    merged_into {bytes},
    made_at {int} not null,
    changed_at {int} not null,
    expires_at {int} not null,
    version {int} not null
) {strict};
create index if not exists cart_by_customer on cart (customer_id, cart_id);
create index if not exists cart_by_person on cart (person_id) where person_id is not null;
create index if not exists cart_by_expiry on cart (state, expires_at);

create table if not exists cart_line (
    cart_id {bytes} not null,
    variant_id {bytes} not null,
    line_id {bytes} not null,
    position {int} not null,
    quantity {int} not null check (quantity between 1 and 1000000000),
    agreed {int} not null,
    primary key (cart_id, variant_id, agreed)
) {strict};
