//! Many clients who do the same again and again for a time, each as soon as its last answer came, and what it cost.

use std::cell::RefCell;

use engine::Source as _;
use futures_util::{TryStreamExt, stream};
use tandem::demo::report::signed;

use super::figure::Amount;
use crate::fault::Fault;
use crate::replay::child::{Serving, cpu_ms_of};
use crate::world::RealWorld;

/// What a crowd did.
#[derive(Default)]
pub struct Load {
    /// How long each answer took that was as it should be, in microseconds, the shortest first.
    waits: Vec<u64>,
    /// Answers that were not as they should be.
    pub others: u64,
    /// From the first question to the last answer.
    micros: u64,
    /// The server's processor time.
    served_ms: Option<u64>,
    /// The clients' own.
    asked_ms: Option<u64>,
}

/// Lets `clients` do `one` for a time. It is told which client and how many it did before, and answers whether all was as it should be.
///
/// # Errors
/// The first fault of any.
pub async fn gather<D>(
    clients: usize,
    seconds: u64,
    serving: &Serving,
    one: impl Fn(usize, u64) -> D,
) -> Result<Load, Fault>
where
    D: Future<Output = Result<bool, Fault>>,
{
    let ourselves = || cpu_ms_of(std::process::id());
    let (served, asked) = (serving.cpu_ms(), ourselves());
    let began = micros_now();
    let until = began + seconds * 1_000_000;
    let load = RefCell::new(Load::default());
    let each = stream::iter((0..clients).map(Ok::<usize, Fault>));
    let done = each.try_for_each_concurrent(None, |client| {
        let (load, one) = (&load, &one);
        async move {
            for nth in 0.. {
                let from = micros_now();
                if from >= until {
                    break;
                }
                if one(client, nth).await? {
                    load.borrow_mut().waits.push(micros_now() - from);
                } else {
                    load.borrow_mut().others += 1;
                }
            }
            Ok(())
        }
    });
    done.await?;
    let spent = |before: Option<u64>, after: Option<u64>| Some(after?.saturating_sub(before?));
    let mut load = load.into_inner();
    load.waits.sort_unstable();
    load.micros = micros_now() - began;
    load.served_ms = spent(served, serving.cpu_ms());
    load.asked_ms = spent(asked, ourselves());
    Ok(load)
}

/// The instant now, in microseconds.
pub fn micros_now() -> u64 {
    RealWorld.now().micros().unsigned_abs()
}

/// So many clients, in words.
pub fn clients(clients: usize) -> String {
    if clients == 1 { "1 client".to_owned() } else { format!("{clients} clients") }
}

/// How often in a second, when so many took so long.
pub fn per_second(count: u64, micros: u64) -> Amount {
    Amount::PerSecond(count * 1_000_000 / micros.max(1))
}

impl Load {
    /// What was measured otherwise, in microseconds.
    pub fn of_waits(mut waits: Vec<u64>) -> Load {
        waits.sort_unstable();
        Load { waits, ..Load::default() }
    }

    /// How many answers were as they should be.
    pub fn done(&self) -> u64 {
        self.waits.len() as u64
    }

    /// The same in words, such as `5,120 checkouts`.
    pub fn of(&self, what: &str) -> String {
        let refused = match self.others {
            0 => String::new(),
            others => format!(", and {} refused", signed(others.cast_signed())),
        };
        format!("{} {what}{refused}", signed(self.done().cast_signed()))
    }

    /// How many in a second.
    pub fn per_second(&self) -> Amount {
        per_second(self.done(), self.micros)
    }

    /// So many of a hundred waited no longer than this.
    pub fn wait(&self, percent: usize) -> Amount {
        let place = (self.waits.len() * percent).div_ceil(100).saturating_sub(1);
        Amount::Micros(self.waits.get(place).copied().unwrap_or(0))
    }

    /// The server's processor time for one; none where the system does not tell or nothing was done.
    pub fn served_each(&self) -> Option<Amount> {
        self.each(self.served_ms)
    }

    /// The clients' own processor time for one.
    pub fn asked_each(&self) -> Option<Amount> {
        self.each(self.asked_ms)
    }

    fn each(&self, spent_ms: Option<u64>) -> Option<Amount> {
        spent_ms?.saturating_mul(1000).checked_div(self.done() + self.others).map(Amount::Micros)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_hundred_waits_the_99th_is_the_99th() {
        let load = Load { waits: (1..=100).collect(), micros: 2_000_000, ..Load::default() };
        assert_eq!((load.wait(50), load.wait(99)), (Amount::Micros(50), Amount::Micros(99)));
        assert_eq!(load.per_second(), Amount::PerSecond(50));
        assert_eq!(Load::default().wait(99), Amount::Micros(0));
        assert_eq!(Load { served_ms: Some(50), ..load }.served_each(), Some(Amount::Micros(500)));
    }
}
