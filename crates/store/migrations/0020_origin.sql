-- The web pages of others that may ask the shop in a channel with a storefront key.
create table if not exists channel_origin (
    channel_id {bytes} not null,
    origin text not null,
    primary key (channel_id, origin)
) {strict};
create index if not exists channel_origin_by_origin on channel_origin (origin);
