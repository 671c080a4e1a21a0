-- The segments a customer is told to belong to, by their codes: what prices are made by. Holds until the instant at which time alone may change it.
create table if not exists customer_segment (
    customer_id {bytes} not null,
    code text not null,
    until {int},
    primary key (customer_id, code)
) {strict};
