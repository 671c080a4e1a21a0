-- Promotions in versions, the words they are found by, their coupons, and what was used of them.
create table if not exists promotion (
    promotion_id {bytes} primary key,
    name text not null,
    state {int} not null,
    terms {json} not null,
    version {int} not null,
    made_at {int} not null,
    changed_at {int} not null
) {strict};
create index if not exists promotion_by_state on promotion (state, promotion_id);

create table if not exists promotion_version (
    promotion_id {bytes} not null,
    version {int} not null,
    name text not null,
    state {int} not null,
    terms {json} not null,
    changed_at {int} not null,
    primary key (promotion_id, version)
) {strict};

create table if not exists promotion_limit (
    promotion_id {bytes} not null,
    scope {int} not null,
    period {int} not null,
    uses_max {int},
    minor_max {int},
    primary key (promotion_id, scope, period)
) {strict};

-- Only those in force: homed on the word.
create table if not exists promotion_word (
    word text not null,
    promotion_id {bytes} not null,
    primary key (word, promotion_id)
) {strict};

-- Homed on its code.
create table if not exists coupon (
    code text primary key,
    coupon_id {bytes} not null,
    promotion_id {bytes} not null,
    batch_id {bytes},
    uses_max {int},
    active {int} not null,
    made_at {int} not null
) {strict};

create index if not exists coupon_by_id on coupon (coupon_id);

create table if not exists coupon_of_promotion (
    promotion_id {bytes} not null,
    coupon_id {bytes} not null,
    code text not null,
    primary key (promotion_id, coupon_id)
) {strict};

-- What was used of each limit: changed by guarded updates only.
create table if not exists promotion_used (
    promotion_id {bytes} not null,
    scope {int} not null,
    period {int} not null,
    holder {bytes} not null,
    begins {int} not null,
    uses {int} not null,
    minor {int} not null,
    primary key (promotion_id, scope, period, holder, begins),
    check (uses >= 0 and minor >= 0)
) {strict};

-- By which order, and whether it gave it back.
create table if not exists promotion_use (
    promotion_id {bytes} not null,
    order_id {bytes} not null,
    scope {int} not null,
    period {int} not null,
    holder {bytes} not null,
    begins {int} not null,
    minor {int} not null,
    released {int} not null,
    primary key (promotion_id, order_id, scope, period)
) {strict};
-- Of customers (scope 3) only: who is merged takes them along.
create index if not exists promotion_use_by_customer on promotion_use (holder) where scope = 3;

create table if not exists cart_coupon (
    cart_id {bytes} not null,
    code text not null,
    coupon_id {bytes} not null,
    promotion_id {bytes} not null,
    place {int} not null,
    primary key (cart_id, code)
) {strict};

-- Who lowered an order's lines and delivery, frozen with them.
create table if not exists order_discount (
    order_id {bytes} not null,
    place {int} not null,
    line_id {bytes},
    promotion_id {bytes} not null,
    coupon_id {bytes},
    quantity {int} not null,
    minor {int} not null check (minor > 0),
    primary key (order_id, place)
) {strict};
