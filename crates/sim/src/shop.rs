//! A shop to try things on, without the network: real books on each engine, a clock that stands still until told, and chance that
//! can be repeated.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use domain::actor::Actor;
use domain::value::Instant;
use engine::{Failure, Keyring, Shop, Source, Turns, World};
use store::{Db, Settings, Tx};

use crate::chance::Chance;
use crate::postgres::Database;
use crate::scratch::Scratch;

/// Where simulated time begins: 1 June 2026, 10:00 UTC.
pub const OPENING: Instant = Instant::from_micros(1_780_308_000_000_000);

/// A simulated clock and chance. Time passes only by [`Simulated::pass`]; every seed follows from the first.
pub struct Simulated {
    now: AtomicI64,
    drawn: AtomicU64,
    turns: Turns,
    seed: u64,
}

impl Simulated {
    /// A world that begins at [`OPENING`].
    pub fn new(seed: u64) -> Simulated {
        Simulated {
            now: AtomicI64::new(OPENING.micros()),
            drawn: AtomicU64::new(0),
            turns: Turns::new(),
            seed,
        }
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: i64) {
        self.now.fetch_add(seconds * 1_000_000, Ordering::SeqCst);
    }
}

impl Source for Simulated {
    fn now(&self) -> Instant {
        Instant::from_micros(self.now.load(Ordering::SeqCst))
    }

    fn seed(&self) -> [u8; 32] {
        let drawn = self.drawn.fetch_add(1, Ordering::SeqCst);
        let mut chance = Chance::new(self.seed ^ drawn.wrapping_mul(0x9e37_79b9));
        let mut seed = [0; 32];
        for part in seed.chunks_mut(8) {
            part.copy_from_slice(&chance.draw().to_be_bytes());
        }
        seed
    }

    fn turns(&self) -> &Turns {
        &self.turns
    }
}

/// What keeps the books of a test on disk; gone with the test.
enum Ground {
    File(Scratch),
    Server(Database),
}

/// An open shop with simulated time.
pub struct TestShop {
    /// The shop, as the edge sees it.
    pub shop: Shop,
    /// Its clock.
    pub simulated: Arc<Simulated>,
    ground: Ground,
}

impl TestShop {
    /// A fresh shop on the embedded engine.
    ///
    /// # Panics
    /// When no file can be made: there is no test without it.
    pub fn on_sqlite(seed: u64) -> TestShop {
        TestShop::on_file(Scratch::new("books").expect("a directory for the books"), seed)
    }

    /// A fresh shop on the embedded engine that never waits for the disk.
    ///
    /// # Panics
    /// When no file can be made.
    pub fn in_memory(seed: u64) -> TestShop {
        TestShop::on_file(Scratch::in_memory("books").expect("a directory for the books"), seed)
    }

    fn on_file(scratch: Scratch, seed: u64) -> TestShop {
        let address = scratch.path().join("shop.db").display().to_string();
        TestShop::open(address, seed, Ground::File(scratch))
    }

    /// A fresh shop on PostgreSQL.
    ///
    /// # Panics
    /// When PostgreSQL is not installed: `make test` installs it.
    pub fn on_postgres(seed: u64) -> TestShop {
        TestShop::on_database(crate::postgres::database().expect("a PostgreSQL database"), seed)
    }

    /// A fresh shop on an empty database of a PostgreSQL server.
    ///
    /// # Panics
    /// When it cannot be reached.
    pub fn on_database(database: Database, seed: u64) -> TestShop {
        TestShop::open(database.url(), seed, Ground::Server(database))
    }

    fn open(address: String, seed: u64, ground: Ground) -> TestShop {
        let simulated = Arc::new(Simulated::new(seed));
        let db = Db::open(&Settings::new(address)).expect("the books open");
        let shop = Shop { db, source: simulated.clone(), keyring: Arc::new(Keyring::new([42; 32])) };
        TestShop { shop, simulated, ground }
    }

    /// The directory the books lie in, on the embedded engine.
    pub fn directory(&self) -> Option<&std::path::Path> {
        match &self.ground {
            Ground::File(scratch) => Some(scratch.path()),
            Ground::Server(_) => None,
        }
    }

    /// The address of the database server's database, on PostgreSQL.
    pub fn server_address(&self) -> Option<String> {
        match &self.ground {
            Ground::File(_) => None,
            Ground::Server(database) => Some(database.url()),
        }
    }

    /// Runs commands as the system itself, in one transaction.
    ///
    /// # Errors
    /// What the commands say.
    pub fn run<T: Send + 'static>(
        &self,
        command: impl FnMut(&mut Tx<'_>, &Actor, &mut World) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.run_as(&Actor::system(), command)
    }

    /// Runs commands as somebody, in one transaction.
    ///
    /// # Errors
    /// What the commands say.
    pub fn run_as<T: Send + 'static>(
        &self,
        actor: &Actor,
        mut command: impl FnMut(&mut Tx<'_>, &Actor, &mut World) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let (shop, actor) = (self.shop.clone(), actor.clone());
        self.shop.db.write(move |tx| command(tx, &actor, &mut shop.world()))
    }

    /// Reads.
    ///
    /// # Errors
    /// What the query says.
    pub fn read<T: Send + 'static>(
        &self,
        query: impl FnMut(&mut Tx<'_>) -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        self.shop.db.read(query)
    }

    /// Lets time pass.
    pub fn pass(&self, seconds: i64) {
        self.simulated.pass(seconds);
    }

    /// Checks all books and insists that they are clean.
    ///
    /// # Panics
    /// When they are not, naming every difference.
    pub fn must_tally(&self) {
        let report =
            self.read(|tx| engine::check::check(tx, [7; 32], &mut |_, _| {})).expect("the books are read");
        let named: Vec<String> = report.differences.iter().map(ToString::to_string).collect();
        assert!(report.is_clean(), "the books do not tally:\n{}", named.join("\n"));
    }
}

/// Tells the same story on a fresh shop of every engine; in the end all books must tally.
pub fn on_every_engine(story: impl Fn(&TestShop)) {
    for open in [TestShop::on_sqlite as fn(u64) -> TestShop, TestShop::on_postgres] {
        let shop = open(1);
        story(&shop);
        shop.must_tally();
    }
}
