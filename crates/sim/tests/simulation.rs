//! Random trade on the real engine and on the model: what the one does the other does, what the one refuses the other refuses, and at
//! the end every piece and every penny is where it should be.
//!
//! By hand, longer: `TANDEM_SIM_SEED=7 TANDEM_SIM_COMMANDS=200000 cargo nextest run -p sim replay_random_trade`.

use std::env;

use sim::TestShop;
use sim::simulation::play;

/// The seeds of every run, and how many commands each plays.
const SEEDS: [u64; 4] = [1, 2, 3, 4];
const COMMANDS: u64 = 5_250;
/// The same on PostgreSQL, where each command costs more. This seed once met a check that only PostgreSQL could not read.
const SEEDS_ON_POSTGRES: [u64; 1] = [201];
const COMMANDS_ON_POSTGRES: u64 = 1_500;

fn setting(name: &str) -> Option<u64> {
    env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a whole number")))
}

fn trade(open: fn(u64) -> TestShop, seeds: &[u64], commands: u64) {
    let by_hand = setting("TANDEM_SIM_SEED");
    let seeds = by_hand.map_or(seeds.to_vec(), |seed| vec![seed]);
    let commands = setting("TANDEM_SIM_COMMANDS").unwrap_or(commands);
    for seed in seeds {
        let told = play(open(seed), seed, commands).unwrap_or_else(|recipe| panic!("{recipe}"));
        if by_hand.is_some() {
            eprintln!("{told:#?}");
        }
        let traded = told.orders as u64 >= commands / 120;
        assert!(traded || commands < 1000, "seed {seed} hardly traded: {told:#?}");
    }
}

#[test]
fn replay_random_trade() {
    trade(TestShop::in_memory, &SEEDS, COMMANDS);
}

#[test]
fn replay_random_trade_on_postgres() {
    trade(TestShop::on_postgres, &SEEDS_ON_POSTGRES, COMMANDS_ON_POSTGRES);
}
