//! Asking payment providers what moved on a day, to hold it against the books.

use domain::actor::Actor;
use domain::payment::reconcile::Theirs;
use engine::job::Job;
use engine::payment::reconciliation::{self, Asked};
use engine::{Failure, World};
use store::Tx;

use super::Provider;
use crate::call::Unanswered;
use crate::job::Outside;

/// The most movements of one day and account that are compared.
pub const MOVEMENTS_MAX: usize = 200_000;

/// The jobs that compare days with a provider.
pub struct Reconciliations<P> {
    provider: P,
}

impl<P: Provider> Reconciliations<P> {
    /// Jobs that ask this provider.
    pub fn new(provider: P) -> Reconciliations<P> {
        Reconciliations { provider }
    }
}

impl<P: Provider> Outside for Reconciliations<P> {
    type Ask = Asked;
    type Answer = Vec<Theirs>;

    fn kinds(&self) -> &'static [&'static str] {
        reconciliation::jobs(P::KIND)
    }

    fn ask(tx: &mut Tx<'_>, job: &Job) -> Result<Option<Asked>, Failure> {
        reconciliation::question(tx, job).map(Some)
    }

    async fn call(&self, asked: Asked) -> Result<Vec<Theirs>, String> {
        self.provider.movements(&asked).await.map_err(|Unanswered(why)| why)
    }

    fn record(
        tx: &mut Tx<'_>,
        actor: &Actor,
        world: &mut World,
        asked: &Asked,
        theirs: &Vec<Theirs>,
    ) -> Result<(), Failure> {
        reconciliation::answered(tx, actor, world, asked, theirs).map(drop)
    }
}

/// Refuses to go on when there are more movements than are compared.
pub(crate) fn bounded(found: &[Theirs]) -> Result<(), Unanswered> {
    if found.len() > MOVEMENTS_MAX {
        return Err(Unanswered(format!(
            "more than {MOVEMENTS_MAX} movements on one day; they are not compared"
        )));
    }
    Ok(())
}
