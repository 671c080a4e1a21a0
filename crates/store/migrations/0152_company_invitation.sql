-- Who was asked by mail to be a member of a company. The code of an invitation follows from its id and the master key; only its hash is kept.
create table if not exists company_invitation (
    company_id {bytes} not null,
    invitation_id {bytes} not null,
    role {int} not null,
    limit_minor {int},
    limit_currency text,
    made_at {int} not null,
    expires_at {int} not null,
    customer_id {bytes},
    primary key (company_id, invitation_id),
    check ((limit_minor is null) = (limit_currency is null))
) {strict};

create table if not exists company_by_invitation (
    hash {bytes} primary key,
    company_id {bytes} not null,
    invitation_id {bytes} not null
) {strict};
