-- Products and their variants, what they are found by, categories, attributes, media and kits.
create table if not exists product (
    product_id {bytes} primary key,
    status {int} not null,
    title {json} not null,
    title_key {bytes} not null,
    description {json} not null,
    brand text,
    supplier text,
    tax_class_id {bytes} not null,
    options {json} not null,
    attributes {json} not null,
    external_id text,
    version {int} not null,
    made_at {int} not null,
    changed_at {int} not null
) {strict};
create index if not exists product_by_title on product (title_key);
create index if not exists product_by_status on product (status, product_id);

create table if not exists variant (
    variant_id {bytes} primary key,
    product_id {bytes} not null,
    sku text not null,
    sku_key {bytes} not null,
    title text not null,
    options {json} not null,
    unit text not null,
    weight_grams {int},
    tax_class_id {bytes} not null,
    barcodes {json} not null,
    kit {int} not null,
    service {int} not null,
    archived {int} not null,
    on_sale {int} not null,
    attributes {json} not null,
    external_id text,
    version {int} not null,
    made_at {int} not null,
    changed_at {int} not null
) {strict};
create index if not exists variant_by_product on variant (product_id, variant_id);
create index if not exists variant_by_sku_prefix on variant (sku_key);

-- Found by what is printed on it: homed on that, written with the variant.
create table if not exists sku (
    sku text primary key,
    variant_id {bytes} not null
) {strict};

create table if not exists barcode (
    code text primary key,
    variant_id {bytes} not null
) {strict};

-- How the shop's scales lay out the codes they print.
create table if not exists label_layout (
    prefix text primary key,
    item_digits {int} not null,
    value_digits {int} not null,
    measure {int} not null,
    verified {int} not null
) {strict};

create table if not exists kit_component (
    kit_id {bytes} not null,
    component_id {bytes} not null,
    quantity {int} not null check (quantity > 0),
    primary key (kit_id, component_id)
) {strict};

create table if not exists media (
    product_id {bytes} not null,
    media_id {bytes} not null,
    place {int} not null,
    kind {int} not null,
    address text not null,
    alt {json} not null,
    variant_id {bytes},
    primary key (product_id, media_id)
) {strict};

create table if not exists category_tree (
    tree_id {bytes} primary key,
    code text not null unique,
    name text not null,
    version {int} not null
) {strict};

create table if not exists category (
    category_id {bytes} primary key,
    tree_id {bytes} not null,
    parent_id {bytes},
    title {json} not null,
    place {int} not null,
    external_id text,
    version {int} not null
) {strict};
create index if not exists category_by_tree on category (tree_id, category_id);

create table if not exists product_category (
    product_id {bytes} not null,
    category_id {bytes} not null,
    primary key (product_id, category_id)
) {strict};
create index if not exists product_by_category on product_category (category_id, product_id);

create table if not exists attribute (
    attribute_id {bytes} primary key,
    code text not null unique,
    name text not null,
    kind {int} not null,
    scope {int} not null,
    choices {json} not null,
    exponent {int} not null,
    version {int} not null
) {strict};
