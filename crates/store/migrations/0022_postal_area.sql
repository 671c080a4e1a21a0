-- Where on the map the postal codes lie that begin alike; a small reference table, empty prefix for a whole country.
create table if not exists postal_area (
    country text not null,
    prefix text not null,
    place text,
    latitude_micro {int} not null,
    longitude_micro {int} not null,
    primary key (country, prefix)
) {strict};
