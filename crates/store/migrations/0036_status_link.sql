-- Links by which a customer follows an order without signing in. Who holds the token sees it, until it expires or is withdrawn.
create table if not exists status_link (
    token_hash {bytes} primary key,
    order_id {bytes} not null,
    made_at {int} not null,
    expires_at {int} not null
) {strict};
create index if not exists status_link_by_order on status_link (order_id, expires_at);
