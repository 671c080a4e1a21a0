//! Jobs and duties: work that follows from an event or from time. A job is noted with the command that causes it and done after the commit.
//!
//! Two classes of jobs exist. Those that only change the books are done here, each in one transaction that also strikes the job out.
//! Those that call the outside are done in `connect`, which claims them by [`due`], calls, and records the outcome with [`take`].
//! A duty is done again and again, by one node at a time.

use std::collections::BTreeMap;
use std::sync::mpsc;

use domain::Refusal;
use domain::actor::{Actor, Permission};
use domain::value::id::Job as JobKind;
use domain::value::{Id, Instant};
use serde_json::Value;
use store::{StoreError, Tx, idempotency, job as rows};

pub use store::job::Job;

use crate::{
    Failure, Shop, World, behaviour, cart, change, checkout, count, customer, fulfilment, insight, loyalty,
    merging, payment, privacy, promise, returns, routing, seal, segment, sign_in, stock, webhook,
};

/// How long a claimed job is ours; longer than any call to the outside may take.
const CLAIM_SECONDS: i64 = 60;
/// How often a job is tried before a person must look at it: about an hour and a quarter.
pub const ATTEMPTS_MAX: i64 = 12;
/// The longest wait between two tries.
const WAIT_SECONDS_MAX: i64 = 3600;
/// The most jobs done in one turn, and the most rows one round of a duty touches.
pub const BATCH_MAX: i64 = 64;
/// The most characters kept of why a job failed.
const ERROR_LENGTH_MAX: usize = 500;
/// How long answers are remembered under their idempotency keys.
const ANSWERS_KEPT_SECONDS: i64 = 7 * 24 * 3600;

/// What is done for a job of one kind, inside the transaction that strikes it out.
pub type Handler = fn(&mut Tx<'_>, &Actor, &mut World, &Job) -> Result<(), Failure>;
/// One round of a duty; true when more waits, so that it comes again at once.
pub type Round = fn(&mut Tx<'_>, &Actor, &mut World) -> Result<bool, Failure>;
/// What a duty looks for before each round, outside its transaction, because it takes long.
pub type Before = fn(&Shop) -> Result<(), Failure>;

/// Something done again and again.
#[derive(Clone, Copy)]
pub struct Duty {
    name: &'static str,
    every_seconds: i64,
    before: Option<Before>,
    round: Round,
}

impl Duty {
    /// The same duty that looks for something before each round. Two nodes may do so at once.
    #[must_use]
    pub const fn before(self, before: Before) -> Duty {
        Duty { before: Some(before), ..self }
    }
}

/// A duty: its name, how often it comes, and one round of it.
pub const fn duty(name: &'static str, every_seconds: i64, round: Round) -> Duty {
    Duty { name, every_seconds, before: None, round }
}

/// Which jobs can be done inside a transaction, and which duties there are.
#[derive(Clone, Default)]
pub struct Registry {
    handlers: BTreeMap<&'static str, Handler>,
    duties: Vec<Duty>,
}

impl Registry {
    /// The same registry that also does jobs of this kind.
    #[must_use]
    pub fn on(mut self, kind: &'static str, handler: Handler) -> Registry {
        assert!(self.handlers.insert(kind, handler).is_none(), "one handler for each kind of job");
        self
    }

    /// The same registry with one more duty.
    #[must_use]
    pub fn every(mut self, duty: Duty) -> Registry {
        assert!(self.duties.iter().all(|known| known.name != duty.name), "duties have names of their own");
        self.duties.push(duty);
        self
    }

    /// The kinds of jobs it does.
    pub fn kinds(&self) -> Vec<String> {
        self.handlers.keys().map(|kind| (*kind).to_owned()).collect()
    }
}

/// All jobs that are done inside a transaction, and all duties.
pub fn registry() -> Registry {
    Registry::default()
        .every(duty("answers.forget", 3600, forget_answers))
        .every(duty("behaviour.follow_journal", 5, behaviour::commerce::round))
        .every(duty("behaviour.forget_quarantined", 3600, behaviour::quarantine::forget))
        .every(duty("cart.expire", 30, cart::expire_due))
        .every(duty("change.expire", 15, change::expire_due))
        .every(duty("change.give_up_unpaid", 15, change::money::give_up_unpaid))
        .every(duty("count.propose", 600, count::rule::propose))
        .every(duty("credit.expire_holds", 10, loyalty::expire_holds))
        .every(duty("gift_card.expire", 600, loyalty::gift_card::expire_due))
        .every(duty("journal.seal", 60, seal::round))
        .every(duty("fulfilment.cancel_unplaced", 300, checkout::cancel_unplaced))
        .every(duty("fulfilment.outflow", 600, fulfilment::outflow::slide))
        .every(duty("fulfilment.run", 15, fulfilment::run::run_due))
        .every(duty("fulfilment.route_waiting", 15, fulfilment::pool::route_waiting))
        .every(duty("order.expire_unpaid", 15, checkout::expire_unpaid))
        .every(duty("points.expire", 60, loyalty::points::expire_due))
        .every(duty("points.release", 60, loyalty::points::release_due))
        .every(duty("pickup.expire_uncollected", 60, checkout::expire_uncollected))
        .every(duty("pickup.remind", 60, fulfilment::visit::remind))
        .every(duty("payment.expire", 15, payment::expire))
        .every(duty("payment.reconcile", 600, payment::reconciliation::propose))
        .every(duty("privacy.forget", 600, privacy::retention::forget))
        .every(duty("privacy.remind", 600, privacy::remind))
        .every(duty("referral.review", 15, checkout::referral::review_due))
        .every(duty("return.claim_back", 3600, returns::overdue::claim_back))
        .every(duty("routing.forget_decisions", 3600, routing::decision::forget))
        .every(duty("segment.draw_fifths", 86_400, segment::life::draw))
        .every(duty(segment::follow::DUTY, 1, segment::follow::round).before(segment::build::prepare))
        .every(duty("sign_in.forget", 3600, sign_in::forget))
        .every(duty("stock.end_exclusions", 60, stock::end_exclusions))
        .every(duty("stock.expire_holds", 10, stock::hold::expire_due))
        .every(duty("tier.review", 15, loyalty::tier::review_due))
        .every(duty("webhook.forget_messages", 600, webhook::message::forget))
        .on(customer::matching::JOB, merging::review::on_changed)
        .on(merging::review::JOIN, merging::review::on_sure)
        .on("location.review", fulfilment::review::review)
        .on(insight::promotion::JOB, insight::promotion::step)
        .on("routing.simulate", routing::simulation::step)
        .on("order.payment_changed", change::money::on_payment_changed)
        .on("parcel.returned", returns::to_sender::on_returned)
        .on("parcel.found", returns::claim::found::on_found)
        .on(promise::waiting::RENEW, promise::waiting::on_renew)
        .on(promise::waiting::SERVE, promise::waiting::on_serve)
}

fn forget_answers(tx: &mut Tx<'_>, _: &Actor, world: &mut World) -> Result<bool, Failure> {
    let before = world.now().plus_seconds(-ANSWERS_KEPT_SECONDS);
    Ok(idempotency::forget_before(tx, before, BATCH_MAX)? >= BATCH_MAX.unsigned_abs())
}

/// Notes a job, to be done not before `run_at`. The body names ids and numbers, never personal data.
///
/// # Errors
/// What the store says.
pub fn enqueue(
    tx: &mut Tx<'_>,
    world: &mut World,
    kind: &str,
    subject: impl ToString,
    body: Value,
    run_at: Instant,
) -> Result<(), Failure> {
    let job = Job {
        id: world.id(),
        kind: kind.to_owned(),
        subject: subject.to_string(),
        body: body.to_string(),
        run_at,
        attempts: 0,
        last_error: None,
        dead: false,
    };
    Ok(rows::add(tx, &job, world.now())?)
}

/// Claims jobs of these kinds that are due, at most `limit`; looks first, so that nothing is written when nothing is due.
///
/// # Errors
/// What the store says.
pub fn due(shop: &Shop, kinds: &[String], limit: i64) -> Result<Vec<Job>, Failure> {
    let (now, looked_for) = (shop.source.now(), kinds.to_vec());
    let first = shop.db.read(move |tx| Ok::<_, Failure>(rows::next_due(tx, &looked_for)?))?;
    if first.is_none_or(|at| at > now) || limit < 1 {
        return Ok(Vec::new());
    }
    let kinds = kinds.to_vec();
    shop.db.write(move |tx| Ok(rows::claim(tx, &kinds, now, now.plus_seconds(CLAIM_SECONDS), limit)?))
}

/// Strikes a claimed job out, as the first thing of the transaction with its effect; false when the claim was lost, and nothing must be done.
///
/// # Errors
/// What the store says.
pub fn take(tx: &mut Tx<'_>, job: &Job) -> Result<bool, Failure> {
    Ok(rows::done(tx, job)?)
}

/// Puts a claimed job that failed back, to be tried again later; after [`ATTEMPTS_MAX`] tries it is dead.
///
/// # Errors
/// What the store says.
fn put_back(tx: &mut Tx<'_>, world: &mut World, job: &Job, why: &str) -> Result<(), Failure> {
    let again_at = again_at(world.now(), job.attempts, u64::from_be_bytes(world.bytes()));
    if again_at.is_none() {
        tracing::error!(job = %job.id, kind = job.kind, subject = job.subject, why, "a job was given up");
    }
    Ok(rows::failed(tx, job, &shortened(why), again_at)?)
}

/// When a job is tried again: one second after its first failure, twice as long after each further one, at most an hour, and up to half
/// less by chance, so that what failed together does not come back together.
fn again_at(now: Instant, attempts: i64, chance: u64) -> Option<Instant> {
    if attempts >= ATTEMPTS_MAX {
        return None;
    }
    let doublings = u32::try_from(attempts - 1).unwrap_or(0);
    let wait_micros = (1_000_000i64 << doublings).min(WAIT_SECONDS_MAX * 1_000_000);
    let less = i64::try_from(chance % wait_micros.unsigned_abs()).unwrap_or(0) / 2;
    Some(Instant::from_micros(now.micros() + wait_micros - less))
}

fn shortened(why: &str) -> String {
    why.chars().take(ERROR_LENGTH_MAX).collect()
}

/// One turn: does the registry's jobs and duties that are due; answers how many were done, or tried.
///
/// # Errors
/// When the books cannot be used. A job that fails is put back and is no error.
pub fn turn(shop: &Shop, registry: &Registry) -> Result<usize, Failure> {
    let jobs = due(shop, &registry.kinds(), BATCH_MAX)?;
    let mut done = jobs.len();
    let (teller, outcomes) = mpsc::channel();
    for job in jobs {
        let Some(handler) = registry.handlers.get(job.kind.as_str()).copied() else { continue };
        let (teller, told, world_of) = (teller.clone(), job.clone(), shop.clone());
        let work = move |tx: &mut Tx<'_>| {
            if take(tx, &job)? { handler(tx, &Actor::system(), &mut world_of.world(), &job) } else { Ok(()) }
        };
        shop.db.write_then(work, move |outcome: Result<(), Failure>| drop(teller.send((told, outcome))));
    }
    drop(teller);
    for (job, outcome) in outcomes {
        if let Err(failure) = outcome {
            put_back_after(shop, job, failure.to_string())?;
        }
    }
    for duty in duties_due(shop, registry)? {
        done += usize::from(run(shop, duty)?);
    }
    Ok(done)
}

/// Puts a job that failed back, in a transaction of its own.
///
/// # Errors
/// When the books cannot be used; the claim then runs out by itself.
pub fn put_back_after(shop: &Shop, job: Job, why: String) -> Result<(), Failure> {
    let world_of = shop.clone();
    shop.db.write(move |tx| put_back(tx, &mut world_of.world(), &job, &why))
}

fn duties_due(shop: &Shop, registry: &Registry) -> Result<Vec<Duty>, Failure> {
    let now = shop.source.now();
    let known = shop.db.read(|tx| Ok::<_, Failure>(rows::duties(tx)?))?;
    let waits = |duty: &Duty| known.iter().any(|(name, next_at, _)| name == duty.name && *next_at > now);
    Ok(registry.duties.iter().filter(|duty| !waits(duty)).copied().collect())
}

/// One round of a duty; false when another node did it meanwhile.
fn run(shop: &Shop, duty: Duty) -> Result<bool, Failure> {
    let world_of = shop.clone();
    let round = move |tx: &mut Tx<'_>| {
        let mut world = world_of.world();
        let now = world.now();
        if !rows::claim_duty(tx, duty.name, now, now.plus_seconds(duty.every_seconds))? {
            return Ok(false);
        }
        if (duty.round)(tx, &Actor::system(), &mut world)? {
            rows::put_off_duty(tx, duty.name, now, None)?;
        }
        Ok(true)
    };
    let looked = duty.before.map_or(Ok(()), |before| before(shop));
    match looked.and_then(|()| shop.db.write(round)) {
        Err(Failure::Store(StoreError::Closed)) => Err(StoreError::Closed.into()),
        Err(failure) => {
            tracing::error!(duty = duty.name, %failure, "a duty failed and is put off");
            let (why, next_at) =
                (shortened(&failure.to_string()), shop.source.now().plus_seconds(duty.every_seconds));
            shop.db
                .write(move |tx| Ok::<_, Failure>(rows::put_off_duty(tx, duty.name, next_at, Some(&why))?))?;
            Ok(true)
        }
        done => done,
    }
}

/// Lets a duty come at once instead of at its time.
///
/// # Errors
/// What the store says.
pub fn hasten(tx: &mut Tx<'_>, duty: &str) -> Result<(), Failure> {
    Ok(rows::put_off_duty(tx, duty, Instant::EPOCH, None)?)
}

/// The jobs that wait, or those that were given up, after one, the oldest first.
///
/// # Errors
/// [`domain::Code::Forbidden`], or what the store says.
pub fn list(
    tx: &mut Tx<'_>,
    actor: &Actor,
    dead: bool,
    after: Id<JobKind>,
    limit: i64,
) -> Result<Vec<Job>, Failure> {
    actor.may(Permission::Operate, None)?;
    Ok(rows::list(tx, dead, after, limit)?)
}

/// Lets a job that was given up be tried again, from the start.
///
/// # Errors
/// [`domain::Code::NotFound`] when it is not among those given up.
pub fn revive(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, id: Id<JobKind>) -> Result<(), Failure> {
    actor.may(Permission::Operate, None)?;
    if rows::revive(tx, id, world.now())? {
        return Ok(());
    }
    Err(Refusal::not_found("job that was given up", id).into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_vary_by_chance_and_end() {
        let wait = |attempts, chance| again_at(Instant::EPOCH, attempts, chance).map(Instant::micros);
        assert_eq!(
            (wait(1, 0), wait(2, 0), wait(11, 0)),
            (Some(1_000_000), Some(2_000_000), Some(1_024_000_000))
        );
        assert_eq!(wait(1, 999_999), Some(500_001));
        assert_eq!(wait(12, 0), None);
    }
}
