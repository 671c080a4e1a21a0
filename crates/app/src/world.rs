//! The real world: the machine's clock and the system's chance. Nothing else in the program reads either.

use std::time::{SystemTime, UNIX_EPOCH};

use domain::value::Instant;
use engine::{Source, Turns};

/// The machine's clock and the system's chance.
pub struct RealWorld;

impl Source for RealWorld {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
    fn now(&self) -> Instant {
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        Instant::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
    }

    /// # Panics
    /// When the system has no chance to give: nothing secret may be made then.
    #[expect(clippy::disallowed_methods, reason = "the one place that draws chance")]
    fn seed(&self) -> [u8; 32] {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).expect("the system gives no random bytes");
        seed
    }

    fn turns(&self) -> &Turns {
        static TURNS: Turns = Turns::new();
        &TURNS
    }
}
