//! Asking payment providers. Each question goes out under a key of ours, so that asking again moves money once; when no answer comes,
//! the provider is asked what became of the key, and only if it knows nothing is the question asked again, under the same key.

pub mod reconciliation;

use domain::actor::Actor;
use domain::payment::Kind;
use domain::payment::reconcile::Theirs;
use engine::job::Job;
use engine::payment::provider::{self, Ask};
use engine::payment::reconciliation::Asked;
use engine::payment::{Operation, Verdict};
use engine::{Failure, World};
use store::Tx;

use crate::call::Unanswered;
use crate::job::Outside;

/// A payment provider. Every operation is done once per key, however often it is asked.
pub trait Provider: Send + Sync + 'static {
    /// The kind of payments it is asked for.
    const KIND: Kind;

    /// Reserves an amount from what `token` stands for.
    fn authorise(&self, ask: &Ask) -> impl Future<Output = Result<Verdict, Unanswered>> + Send;
    /// Takes part of what was reserved.
    fn capture(&self, ask: &Ask) -> impl Future<Output = Result<Verdict, Unanswered>> + Send;
    /// Gives part of what was taken back.
    fn refund(&self, ask: &Ask) -> impl Future<Output = Result<Verdict, Unanswered>> + Send;
    /// Lets go of what was reserved; also of what may yet be reserved under the payment's key.
    fn void(&self, ask: &Ask) -> impl Future<Output = Result<Verdict, Unanswered>> + Send;
    /// What became of the question; `None` when it never arrived.
    fn status(&self, ask: &Ask) -> impl Future<Output = Result<Option<Verdict>, Unanswered>> + Send;
    /// Everything that moved in the provider's own record, page by page.
    fn movements(&self, asked: &Asked) -> impl Future<Output = Result<Vec<Theirs>, Unanswered>> + Send;
}

/// The jobs that ask a provider.
pub struct Payments<P> {
    provider: P,
}

impl<P: Provider> Payments<P> {
    /// Jobs that ask this provider.
    pub fn new(provider: P) -> Payments<P> {
        Payments { provider }
    }

    async fn send(&self, ask: &Ask) -> Result<Verdict, Unanswered> {
        match ask.operation {
            Operation::Authorise => self.provider.authorise(ask).await,
            Operation::Capture(_) => self.provider.capture(ask).await,
            Operation::Refund(_) => self.provider.refund(ask).await,
            Operation::Void => self.provider.void(ask).await,
        }
    }
}

impl<P: Provider> Outside for Payments<P> {
    type Ask = Ask;
    type Answer = Verdict;

    fn kinds(&self) -> &'static [&'static str] {
        Operation::jobs(P::KIND)
    }

    fn ask(tx: &mut Tx<'_>, job: &Job) -> Result<Option<Ask>, Failure> {
        provider::question(tx, job)
    }

    async fn call(&self, ask: Ask) -> Result<Verdict, String> {
        if ask.asked_before
            && let Some(verdict) = self.provider.status(&ask).await.map_err(|error| error.0)?
        {
            return Ok(verdict);
        }
        let Unanswered(why) = match self.send(&ask).await {
            Ok(verdict) => return Ok(verdict),
            Err(unanswered) => unanswered,
        };
        let known = self.provider.status(&ask).await.map_err(|error| error.0)?;
        known.ok_or_else(|| format!("{why}; the provider knows nothing of it, so it is asked again"))
    }

    fn record(
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        ask: &Ask,
        verdict: &Verdict,
    ) -> Result<(), Failure> {
        provider::answered(tx, actor, world, ask, verdict)
    }
}
