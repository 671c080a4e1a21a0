//! What is done with all customers, on a thread of its own: models of who is one person are learnt, or all are compared. It takes minutes, so it waits for
//! nobody and nobody waits for it. When the program stops meanwhile, it is begun anew after the next start.

use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, Sender, bounded};
use engine::merging::training;
use engine::{Failure, Shop};
use store::StoreError;

/// How often it is looked whether somebody asked for one.
const LOOK_EACH: Duration = Duration::from_secs(2);

/// Looks after trainings until the answer is dropped.
///
/// # Errors
/// When the system gives no thread.
pub fn look_after(shop: Shop) -> std::io::Result<Sender<()>> {
    let (stop, stopped) = bounded(0);
    std::thread::Builder::new().name("tandem-training".into()).spawn(move || go_on(&shop, &stopped))?;
    Ok(stop)
}

fn go_on(shop: &Shop, stopped: &Receiver<()>) {
    while stopped.recv_timeout(LOOK_EACH) == Err(RecvTimeoutError::Timeout) {
        match training::work(shop) {
            Ok(_) => {}
            Err(Failure::Store(StoreError::Closed)) => return,
            Err(failure) => tracing::warn!(%failure, "a training waits until the books can be used"),
        }
    }
}
