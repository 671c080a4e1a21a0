-- What is done with all customers while the shop is open: models learnt, or all of them compared. Who asked, how far it is, what came of it; and which one is
-- under way, of which there is one at most.
create table if not exists match_training (
    training_id {bytes} primary key,
    task {int} not null,
    seed {int} not null,
    state {int} not null,
    customers {int} not null,
    number {int},
    figures {json},
    why text,
    asked_by text not null,
    tries {int} not null,
    claimed_until {int} not null,
    made_at {int} not null,
    began_at {int},
    ended_at {int}
) {strict};
create table if not exists match_training_now (
    place {int} primary key check (place = 1),
    training_id {bytes} not null
) {strict};
