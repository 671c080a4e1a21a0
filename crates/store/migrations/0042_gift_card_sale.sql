-- Gift cards that are sold: which variants are gift cards, how long cards of a market are valid, and which cards an order's lines brought.
create table if not exists gift_card_variant (
    variant_id {bytes} primary key
) {strict};

create table if not exists gift_card_validity (
    market_id {bytes} primary key,
    months {int} not null check (months > 0),
    to_year_end {int} not null
) {strict};

create table if not exists gift_card_sold (
    order_id {bytes} not null,
    line_id {bytes} not null,
    number {int} not null,
    gift_card_id {bytes} not null,
    minor {int} not null,
    taken_back_at {int},
    primary key (order_id, line_id, number)
) {strict};
