//! Jobs and duties, told as stories: done once, tried again with patience, given up in plain sight.

use std::sync::atomic::{AtomicUsize, Ordering};

use domain::Refusal;
use domain::actor::Actor;
use domain::value::Id;
use domain::value::id::TaxClass;
use engine::job::{self, Job, Registry};
use engine::{Failure, World, tax};
use serde_json::json;
use sim::shop::{TestShop, on_every_engine};
use store::Tx;

/// Makes a tax class named by the job's subject: an effect that shows if it happened twice.
fn make_class(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    let new = tax::NewClass { code: job.subject.clone(), name: "Made by a job".into() };
    tax::create_class(tx, actor, world, new).map(drop)
}

fn refuse(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, job: &Job) -> Result<(), Failure> {
    make_class(tx, actor, world, job)?;
    Err(Refusal::not_found("printer", "tray 2").into())
}

fn enqueue(shop: &TestShop, kind: &'static str, subject: &'static str, seconds: i64) {
    let note = move |tx: &mut Tx<'_>, _: &Actor, world: &mut World| {
        let run_at = world.now().plus_seconds(seconds);
        job::enqueue(tx, world, kind, subject, json!({}), run_at)
    };
    shop.run(note).unwrap();
}

fn classes(shop: &TestShop) -> usize {
    let start: Id<TaxClass> = Id::from_bytes([0; 16]);
    shop.read(move |tx| tax::list_classes(tx, &Actor::system(), start, 100)).unwrap().len()
}

fn jobs(shop: &TestShop, dead: bool) -> Vec<Job> {
    shop.read(move |tx| job::list(tx, &Actor::system(), dead, Id::from_bytes([0; 16]), 100)).unwrap()
}

#[test]
fn a_job_is_done_once_and_not_before_its_time() {
    on_every_engine(|shop| {
        let registry = Registry::default().on("class.make", make_class);
        enqueue(shop, "class.make", "standard", 60);
        enqueue(shop, "another.kind", "x", 0);
        assert_eq!(job::turn(&shop.shop, &registry), Ok(0));
        shop.pass(60);
        let nodes: Vec<usize> = std::thread::scope(|scope| {
            let nodes: Vec<_> =
                (0..4).map(|_| scope.spawn(|| job::turn(&shop.shop, &registry).unwrap())).collect();
            nodes.into_iter().map(|node| node.join().unwrap()).collect()
        });
        assert_eq!((nodes.iter().sum::<usize>(), classes(shop)), (1, 1));
        assert_eq!(jobs(shop, false).len(), 1, "a job nobody here knows waits for who does");
    });
}

#[test]
fn what_fails_leaves_nothing_and_is_given_up_in_plain_sight() {
    on_every_engine(|shop| {
        let registry = Registry::default().on("class.make", refuse);
        enqueue(shop, "class.make", "standard", 0);
        for attempt in 1..=job::ATTEMPTS_MAX {
            assert_eq!(job::turn(&shop.shop, &registry), Ok(1), "attempt {attempt}");
            assert_eq!(job::turn(&shop.shop, &registry), Ok(0), "it waits after attempt {attempt}");
            shop.pass(3600);
        }
        let dead = jobs(shop, true);
        assert_eq!((dead.len(), classes(shop)), (1, 0));
        assert_eq!(dead[0].last_error.as_deref(), Some("not_found: no printer \"tray 2\""));

        let id = dead[0].id;
        let revive = || shop.run(move |tx, actor, world| job::revive(tx, actor, world, id));
        revive().unwrap();
        assert_eq!(
            revive().unwrap_err().to_string(),
            format!("not_found: no job that was given up \"{id}\"")
        );
        let mended = Registry::default().on("class.make", make_class);
        assert_eq!((job::turn(&shop.shop, &mended), classes(shop)), (Ok(1), 1));
    });
}

#[test]
fn a_claim_that_ran_out_is_worth_nothing() {
    on_every_engine(|shop| {
        enqueue(shop, "class.make", "standard", 0);
        let kinds = ["class.make".to_owned()];
        let slow = job::due(&shop.shop, &kinds, 10).unwrap().remove(0);
        assert_eq!(job::due(&shop.shop, &kinds, 10), Ok(vec![]), "claimed by somebody");
        shop.pass(61);
        let quick = job::due(&shop.shop, &kinds, 10).unwrap().remove(0);
        assert_eq!((slow.id, slow.attempts, quick.attempts), (quick.id, 1, 2));
        job::put_back_after(&shop.shop, slow.clone(), "too late".into()).unwrap();
        assert_eq!(shop.run(move |tx, _, _| job::take(tx, &slow)), Ok(false));
        assert_eq!(shop.run(move |tx, _, _| job::take(tx, &quick)), Ok(true));
        assert!(jobs(shop, false).is_empty());
    });
}

#[test]
fn a_duty_comes_when_due_at_one_node_and_again_while_more_waits() {
    static ROUNDS: AtomicUsize = AtomicUsize::new(0);
    fn round(_: &mut Tx<'_>, _: &Actor, _: &mut World) -> Result<bool, Failure> {
        Ok(ROUNDS.fetch_add(1, Ordering::SeqCst) == 0)
    }
    fn broken(_: &mut Tx<'_>, _: &Actor, _: &mut World) -> Result<bool, Failure> {
        Err(Refusal::not_found("key", "seal").into())
    }
    on_every_engine(|shop| {
        ROUNDS.store(0, Ordering::SeqCst);
        let registry = Registry::default().every(job::duty("round", 60, round));
        assert_eq!((job::turn(&shop.shop, &registry), job::turn(&shop.shop, &registry)), (Ok(1), Ok(1)));
        assert_eq!(job::turn(&shop.shop, &registry), Ok(0));
        shop.pass(60);
        let nodes = std::thread::scope(|scope| {
            let nodes: Vec<_> =
                (0..4).map(|_| scope.spawn(|| job::turn(&shop.shop, &registry).unwrap())).collect();
            nodes.into_iter().map(|node| node.join().unwrap()).sum::<usize>()
        });
        assert_eq!((nodes, ROUNDS.load(Ordering::SeqCst)), (1, 3));

        let broken = Registry::default().every(job::duty("broken", 60, broken));
        assert_eq!((job::turn(&shop.shop, &broken), job::turn(&shop.shop, &broken)), (Ok(1), Ok(0)));
        shop.pass(60);
        assert_eq!(job::turn(&shop.shop, &broken), Ok(1));
    });
}

#[test]
fn the_shop_s_own_duties_run_on_an_empty_shop() {
    on_every_engine(|shop| {
        let registry = job::registry();
        assert!(job::turn(&shop.shop, &registry).unwrap() >= 2);
        assert_eq!(job::turn(&shop.shop, &registry), Ok(0));
    });
}
