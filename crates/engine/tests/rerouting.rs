//! The story of routing again: runs, closed doors, fewer hands, and how long stock lasts.

use crate::floor::{Floor, code_of, profile_of, strategy};
use domain::Code;
use domain::actor::Actor;
use domain::location::Kind;
use domain::routing::criterion::{Criterion, Effect, Measure};
use domain::routing::decision::Occasion;
use domain::routing::profile::{Strategy, Waits};
use domain::value::OpeningHours;
use engine::Failure;
use engine::fulfilment::{outflow, run};
use engine::job::{self, registry};
use engine::routing::simulation::{self, NewSimulation};
use sim::on_every_engine;

fn ranked(measure: Measure) -> Vec<Criterion> {
    vec![Criterion { measure, effect: Effect::Rank }]
}

#[test]
fn orders_wait_for_the_run_and_are_routed_together() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[4, 4, 0]);
        let every_hour = Strategy { batch_minutes: Some(60), ..strategy(ranked(Measure::Rank)) };
        floor.route_by(profile_of(every_hour));
        let orders: Vec<_> = (0..4).map(|_| floor.order(2)).collect();
        assert!(orders.iter().all(|whole| floor.from(whole).is_empty()), "none is routed at once");
        assert_eq!(floor.waiting(Some(Waits::Run)).len(), 4);
        floor.route_waiting();
        assert!(!shop.run(run::run_due).expect("a run"), "it is too early");
        assert_eq!(floor.waiting(Some(Waits::Run)).len(), 4);
        shop.pass(3600);
        for _ in 0..2 {
            shop.run(run::run_due).expect("a run");
        }
        assert!(floor.waiting(None).is_empty());
        let placed: Vec<_> = orders.iter().map(|whole| floor.read(whole.order.id)).collect();
        assert!(placed.iter().all(|whole| floor.from(whole).len() == 1), "nobody is split");
        assert_eq!((floor.counts(0), floor.counts(1)), ([0, 4], [0, 4]));
        assert_eq!(floor.decisions(orders[0].order.id)[0].occasion, Occasion::Batch);
    });
}

#[test]
fn a_closed_door_gives_away_what_nobody_picks_yet() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[9, 3, 0]);
        floor.route_by(profile_of(strategy(ranked(Measure::Rank))));
        let [first, second, third] = [2, 2, 1].map(|mugs| {
            shop.pass(1);
            floor.order(mugs)
        });
        assert_eq!(floor.counts(0), [4, 5]);
        let closed = || Some(Some(OpeningHours::parse("closed").expect("hours")));
        floor.change(0, |change| change.hours = closed());
        for _ in 0..3 {
            job::turn(&shop.shop, &registry()).expect("a turn");
        }
        let now = [&first, &second, &third].map(|whole| floor.from(&floor.read(whole.order.id)));
        assert_eq!(now, [vec![1], vec![0], vec![1]], "what no other place takes stays");
        assert_eq!((floor.counts(0), floor.counts(1)), ([7, 2], [0, 3]));
        let decided = floor.decisions(first.order.id);
        assert_eq!(decided.last().map(|kept| kept.occasion), Some(Occasion::Elsewhere));

        floor.restock(2, 5);
        floor.change(0, |change| change.active = Some(false));
        for _ in 0..3 {
            job::turn(&shop.shop, &registry()).expect("a turn");
        }
        assert_eq!(floor.from(&floor.read(second.order.id)), [2]);
        assert_eq!(floor.counts(0), [9, 0]);
    });
}

#[test]
fn fewer_hands_give_away_the_newest() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[9, 9, 0]);
        floor.route_by(profile_of(strategy(ranked(Measure::Rank))));
        floor.change(0, |change| change.capacity = Some(Some(3)));
        let one_more = |_| {
            shop.pass(1);
            floor.order(1)
        };
        let orders: Vec<_> = (0..3).map(one_more).collect();
        floor.change(0, |change| change.capacity = Some(Some(1)));
        for _ in 0..3 {
            job::turn(&shop.shop, &registry()).expect("a turn");
        }
        let now: Vec<_> = orders.iter().flat_map(|whole| floor.from(&floor.read(whole.order.id))).collect();
        assert_eq!(now, [0, 1, 1]);
        assert_eq!(floor.from(&floor.order(1)), [1], "leeds is full");
    });
}

#[test]
fn what_lasts_longest_is_sent_first() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[20, 20, 0]);
        floor.change(1, |change| change.kind = Some(Kind::Warehouse));
        for _ in 0..2 {
            floor.ship(&floor.order(3));
        }
        shop.pass(600);
        while shop.run(outflow::slide).expect("slid") {}
        floor.route_by(profile_of(strategy(ranked(Measure::DaysOfSupply))));
        assert_eq!(floor.from(&floor.order(1)), [1], "nobody buys at york");
        let mug = floor.mug;
        shop.pass(29 * 24 * 3600);
        while shop.run(outflow::slide).expect("slid") {}
        let kept = shop.read(move |tx| Ok::<_, Failure>(store::routing::outflow::of(tx, &[mug.bytes()])?));
        assert!(kept.expect("the window").iter().all(|(_, _, units)| *units == 0), "the window slid on");
    });
}

#[test]
fn a_simulation_tells_what_another_profile_would_have_done() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[4, 9, 0]);
        shop.pass(60);
        let from = floor.now();
        for _ in 0..12 {
            shop.pass(60);
            floor.order(1);
        }
        shop.pass(60);
        let only_leeds = vec![Criterion {
            measure: Measure::List(vec![floor.place(0)]),
            effect: Effect::Exclude { limit: 0 },
        }];
        let id = floor.create(profile_of(strategy(only_leeds)));
        let new = |version, orders_max, stock_percent| NewSimulation {
            profile: (id, version),
            period: (from, floor.now()),
            orders_max,
            stock_percent,
            late_after_hours: 48,
        };
        let begin = |new| shop.run(move |tx, actor, world| simulation::begin(tx, actor, world, new));
        assert_eq!(code_of(begin(new(2, 10, 100))), Some(Code::NotFound));
        assert_eq!(code_of(begin(new(1, 0, 0))), Some(Code::Invalid));
        let before = (floor.counts(0), floor.counts(1));
        let ids =
            [new(1, 100, 100), new(1, 3, 100), new(1, 100, 25)].map(|new| begin(new).expect("begun").id);
        for _ in 0..4 {
            job::turn(&shop.shop, &registry()).expect("a turn");
        }
        let told = ids.map(|id| {
            let found = shop.read(move |tx| simulation::find(tx, &Actor::system(), id)).expect("it is there");
            assert!(found.is_done);
            [found.now, found.then]
                .map(|sums| (sums.orders, sums.filled, sums.parts, sums.cost_minor, sums.late))
        });
        assert_eq!(told[0], [(12, 12, 12, 1200, 0), (12, 4, 4, 400, 8)], "only leeds has four");
        assert_eq!(told[1], [(3, 3, 3, 300, 0), (3, 3, 3, 300, 0)], "no more than three");
        assert_eq!(told[2], [(12, 3, 3, 300, 9), (12, 1, 1, 100, 11)], "a quarter of the stock");
        assert_eq!((floor.counts(0), floor.counts(1)), before, "nothing of the trade is touched");
    });
}
