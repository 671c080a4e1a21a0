-- Every state a price list was ever in: its priority, its dates, whether it was in use. A list made before this was kept has one line
-- from the beginning of time on, as it stands.
create table if not exists price_list_change (
    price_list_id {bytes} not null,
    change_id {bytes} not null,
    at {int} not null,
    actor text not null,
    priority {int} not null,
    starts_at {int},
    ends_at {int},
    active {int} not null,
    primary key (price_list_id, change_id)
) {strict};
insert into price_list_change (price_list_id, change_id, at, actor, priority, starts_at, ends_at, active)
select l.price_list_id, l.price_list_id, 0, 'system', l.priority, l.starts_at, l.ends_at, l.active from price_list l
where not exists (select 1 from price_list_change c where c.price_list_id = l.price_list_id);
