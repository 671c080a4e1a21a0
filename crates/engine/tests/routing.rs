//! The story of routing: profiles written and used, orders that go where they say, what cannot be placed, and why it was so.

use crate::floor::{Floor, code_of, costs, profile_of, strategy};
use domain::actor::Actor;
use domain::delivery::Destination;
use domain::fulfilment::State;
use domain::location::Kind;
use domain::routing::condition::Condition;
use domain::routing::criterion::{Criterion, Effect, Measure};
use domain::routing::decision::{Exclusion, Occasion};
use domain::routing::profile::{Limits, Profile, Remainder, State as Version, Strategy, Waits};
use domain::value::{Country, Id, Name, OpeningHours, Reference};
use domain::{Code, Refusal};
use engine::Failure;
use engine::location::LocationChange;
use engine::promise::answer::{self, Asked};
use engine::routing::profile::{self, Place};
use sim::on_every_engine;

fn ranked(measure: Measure) -> Vec<Criterion> {
    vec![Criterion { measure, effect: Effect::Rank }]
}

fn excluded(measure: Measure, limit: i64) -> Criterion {
    Criterion { measure, effect: Effect::Exclude { limit } }
}

#[test]
fn a_profile_is_written_activated_used_and_followed_by_the_next_version() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[5, 5, 5]);
        let list = |first: usize| ranked(Measure::List(vec![floor.place(first)]));
        assert_eq!(floor.from(&floor.order(1)), [0], "by rank");
        let id = floor.create(profile_of(strategy(list(2))));
        floor.go_by(id);
        assert_eq!(floor.from(&floor.order(1)), [0], "a draft routes nothing");
        let activate = move |number, from| {
            shop.run(move |tx, actor, world| profile::activate(tx, actor, world, (id, number), from))
        };
        activate(1, None).expect("active");
        assert_eq!(floor.from(&floor.order(1)), [2]);
        assert_eq!(code_of(activate(1, None)), Some(Code::WrongState), "it is active already");

        let next = move || shop.run(move |tx, actor, world| profile::draft(tx, actor, world, (id, 1)));
        assert_eq!(next().expect("a draft").profile.version(), 2);
        assert_eq!(code_of(next()), Some(Code::WrongState), "there is a draft");
        let second = profile_of(strategy(list(1))).numbered(2);
        let rewrite = |revision| {
            let second = second.clone();
            shop.run(move |tx, actor, world| {
                profile::rewrite(tx, actor, world, ((id, 2), revision), second.clone())
            })
        };
        assert_eq!(rewrite(1).expect("written").revision, 2);
        assert_eq!(code_of(rewrite(1)), Some(Code::Stale));
        let tomorrow = floor.now().plus_seconds(24 * 3600);
        activate(2, Some(tomorrow)).expect("active from tomorrow");
        assert_eq!(floor.from(&floor.order(1)), [2]);
        shop.pass(24 * 3600);
        assert_eq!(floor.from(&floor.order(1)), [1], "the next version is in force");
        let retire = move || shop.run(move |tx, actor, world| profile::retire(tx, actor, world, (id, 2)));
        assert_eq!(retire().expect("retired").state, Version::Retired);
        assert_eq!(code_of(retire()), Some(Code::WrongState));
        assert_eq!(floor.from(&floor.order(1)), [2], "the version before is active still");

        let missing = Id::from_bytes([9; 16]);
        let nowhere = profile_of(strategy(ranked(Measure::List(vec![missing]))));
        let refused = shop.run(move |tx, actor, world| profile::create(tx, actor, world, nowhere.clone()));
        let Err(Failure::Refused(refusal)) = refused else { panic!("a list of nothing") };
        assert_eq!(
            refusal.each().filter_map(Refusal::field).collect::<Vec<_>>(),
            ["fallback.criteria.0.list.0"]
        );
        floor.go_by_none();
        assert_eq!(floor.from(&floor.order(1)), [0]);
    });
}

#[test]
fn each_criterion_changes_where_an_order_goes() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[40, 30, 30]);
        floor.change(1, |change| change.kind = Some(Kind::Warehouse));
        floor.change(2, |change| change.capacity = Some(Some(50)));
        floor.change(0, |change| change.capacity = Some(Some(20)));
        floor.change(1, |change| change.capacity = Some(Some(30)));
        floor.level(0, 40);
        floor.on_the_map();
        let cases = [
            (vec![excluded(Measure::SafetyStock, 0)], 1),
            (ranked(Measure::Kind(vec![Kind::Warehouse])), 1),
            (ranked(Measure::CapacityLeft), 2),
            (ranked(Measure::Distance), 1),
            (ranked(Measure::Rank), 0),
            (vec![excluded(Measure::Kind(vec![Kind::Warehouse]), 0)], 1),
            (vec![excluded(Measure::CapacityLeft, 31)], 2),
            (vec![excluded(Measure::Market, 0)], 2),
        ];
        for (criteria, expected) in cases {
            let told = format!("{criteria:?}");
            floor.route_by(profile_of(strategy(criteria)));
            assert_eq!(floor.from(&floor.order(1)), [expected], "{told}");
        }
        let dear = Strategy {
            conditions: vec![Condition::Value { from: 2000, below: None }],
            ..strategy(ranked(Measure::List(vec![floor.place(2)])))
        };
        let dear = Strategy { name: Name::new("name", "dear").expect("a name"), ..dear };
        let by_rank = strategy(ranked(Measure::Rank));
        let content = Profile::new(
            (Name::new("name", "by value").expect("a name"), 1),
            (costs(), 72),
            vec![dear],
            by_rank,
        );
        floor.route_by(content.expect("a profile"));
        assert_eq!((floor.from(&floor.order(1)), floor.from(&floor.order(4))), (vec![0], vec![2]));
        let kept = floor.decisions(floor.order(4).order.id);
        assert_eq!((kept.len(), kept[0].occasion), (1, Occasion::Placed));
        assert_eq!(kept[0].decision.strategy.as_str(), "dear");
        let why = floor.why(&kept[0], Some(2));
        assert!(why[0].starts_with("hull sends 4 of MUG"), "{why:?}");
        let why = floor.why(&kept[0], Some(0));
        assert!(why.iter().any(|reason| reason.contains("came out better")), "{why:?}");
    });
}

#[test]
fn what_is_promised_comes_from_where_the_profile_sends_it() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[9, 9, 9]);
        // Hull takes three days to prepare an order.
        floor.change(2, |change| change.preparation_minutes = Some(3 * 24 * 60));
        let promised = |mugs: i64| {
            let country = Country::parse("GB").expect("a country");
            let asked = Asked {
                channel: Reference::Id(floor.web),
                lines: vec![(floor.mug, mugs)],
                destination: Some(Destination { country, postal_code: Some("LS1 4DY".into()) }),
                point: None,
                stores: 0,
                store: None,
                cart: None,
                at: floor.now(),
            };
            let answer = shop.read(move |tx| answer::answer(tx, &Actor::system(), &asked));
            answer.expect("an answer").deliveries.remove(0)
        };
        let by_rank = promised(1);
        let dear = Strategy {
            conditions: vec![Condition::Value { from: 2000, below: None }],
            name: Name::new("name", "dear").expect("a name"),
            ..strategy(ranked(Measure::List(vec![floor.place(2)])))
        };
        let named = (Name::new("name", "by value").expect("a name"), 1);
        let content = Profile::new(named, (costs(), 72), vec![dear], strategy(ranked(Measure::Rank)));
        floor.route_by(content.expect("a profile"));
        assert_eq!(promised(1), by_rank);
        for (mugs, from) in [(1, 0), (4, 2)] {
            let promise = promised(mugs);
            let order = floor.order(mugs);
            assert_eq!(floor.from(&order), [from]);
            assert_eq!(order.fulfilment_orders[0].promised, promise.promised, "as it was promised");
        }
        assert!(promised(4).promised.by > by_rank.promised.by);
    });
}

#[test]
fn closed_doors_and_full_houses_are_given_nothing() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[9, 9, 9]);
        floor.route_by(profile_of(strategy(ranked(Measure::Rank))));
        floor.change(0, |change| {
            change.hours = Some(Some(OpeningHours::parse("closed").expect("hours")));
        });
        floor.change(1, |change| change.capacity = Some(Some(2)));
        let from: Vec<_> = (0..3).map(|_| floor.from(&floor.order(1))).collect();
        assert_eq!(from, [[1], [1], [2]], "york prepares two a day");
        let last = floor.order(1);
        let kept = floor.decisions(last.order.id);
        let excluded: Vec<_> = kept[0].decision.weighed.iter().map(|one| one.excluded).collect();
        assert_eq!(excluded, [Some(Exclusion::Closed), Some(Exclusion::NoCapacity), None]);
        shop.pass(24 * 3600);
        assert_eq!(floor.from(&floor.order(1)), [1], "tomorrow york prepares two again");
        let refused = floor.order(1);
        assert_eq!(floor.from(&refused), [1]);
        floor.reject(&refused);
        assert_eq!(floor.from(&floor.order(1)), [1], "what york refused is no work for it");
    });
}

#[test]
fn what_cannot_be_placed_waits_as_the_profile_says() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[2, 2, 0]);
        let one_part = |remainder| Strategy {
            limits: Limits { parts_max: 1, part_value_minor: 0, split_minor: 0 },
            remainder,
            ..strategy(ranked(Measure::Rank))
        };
        floor.route_by(profile_of(one_part(Remainder::Person)));
        let whole = floor.order(3);
        assert_eq!(floor.from(&whole), [0]);
        let waiting = floor.waiting(Some(Waits::Person));
        assert_eq!((waiting.len(), waiting[0].0.order), (1, whole.order.id));
        assert_eq!(waiting[0].0.lines[0].quantity, 1);
        floor.route_waiting();
        assert_eq!(floor.waiting(Some(Waits::Person)).len(), 1, "nobody but a person places it");
        let which = (whole.order.id, waiting[0].0.id);
        assert_eq!(code_of(floor.place_by_hand(which, 2)), Some(Code::OutOfStock));
        assert_eq!(floor.place_by_hand(which, 1).expect("placed").state, State::Open);
        assert_eq!(code_of(floor.place_by_hand(which, 1)), Some(Code::WrongState), "it is there");
        assert!(floor.waiting(None).is_empty());
        assert_eq!(floor.counts(1), [1, 1]);
        floor.restock(2, 5);
        assert_eq!(floor.place_by_hand(which, 2).expect("moved").location, Some(floor.place(2)));
        assert_eq!((floor.counts(1), floor.counts(2)), ([2, 0], [4, 1]));

        floor.route_by(profile_of(one_part(Remainder::Cancel { after_days: 3 })));
        let whole = floor.order(5);
        assert_eq!(floor.waiting(Some(Waits::Goods)).len(), 1);
        shop.pass(2 * 24 * 3600);
        floor.cancel_unplaced();
        assert_eq!(floor.waiting(None).len(), 1, "one day is left");
        shop.pass(24 * 3600);
        for _ in 0..2 {
            floor.cancel_unplaced();
        }
        let now = floor.read(whole.order.id);
        assert!(floor.waiting(None).is_empty());
        assert_eq!(now.lines[0].cancelled, 1);
    });
}

#[test]
fn the_plain_rule_says_why_too() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[1, 3, 0]);
        let whole = floor.order(2);
        assert_eq!(floor.from(&whole), [1]);
        let kept = floor.decisions(whole.order.id);
        assert_eq!((kept.len(), kept[0].profile), (1, None));
        let why = |place| floor.why(&kept[0], Some(place));
        assert!(why(1)[0].starts_with("york sends 2 of MUG"), "{:?}", why(1));
        assert!(why(0)[0].contains("has 1 of the 2 units wanted"), "{:?}", why(0));
        assert!(why(2)[0].contains("nothing free"), "{:?}", why(2));
        assert_eq!(floor.counts(1), [1, 2]);
        shop.pass(401 * 24 * 3600);
        shop.run(engine::routing::decision::forget).expect("forgotten");
        assert!(floor.decisions(whole.order.id).is_empty());
    });
}

#[test]
fn the_last_place_of_the_day_is_given_once() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[50, 50, 0]);
        floor.route_by(profile_of(strategy(ranked(Measure::Rank))));
        floor.change(0, |change: &mut LocationChange| change.capacity = Some(Some(3)));
        let orders: Vec<_> = std::thread::scope(|scope| {
            let order = || floor.order(1);
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(order)).collect();
            threads.into_iter().map(|thread| thread.join().expect("an order")).collect()
        });
        let mut places: Vec<_> = orders.iter().flat_map(|order| floor.from(order)).collect();
        places.sort_unstable();
        assert_eq!(places, [0, 0, 0, 1, 1, 1, 1, 1]);
    });
}

#[test]
fn who_goes_by_what_is_asked_and_refused() {
    on_every_engine(|shop| {
        let floor = Floor::open(shop, &[5, 5, 0]);
        let id = floor.route_by(profile_of(strategy(ranked(Measure::List(vec![floor.place(1)])))));
        let channel = Place::Channel(floor.web);
        let named = move || shop.read(move |tx| profile::named_by(tx, &Actor::system(), channel));
        assert_eq!(named().expect("none"), None);
        let own = floor.create(profile_of(strategy(ranked(Measure::Rank))));
        shop.run(move |tx, actor, world| {
            profile::activate(tx, actor, world, (own, 1), None)?;
            profile::name(tx, actor, world, channel, Some(own))
        })
        .expect("named");
        assert_eq!(named().expect("its own"), Some(own));
        assert_eq!(floor.from(&floor.order(1)), [0], "the channel's own goes first");
        let missing = Id::from_bytes([7; 16]);
        let name = |place, profile| {
            shop.run(move |tx, actor, world| profile::name(tx, actor, world, place, profile))
        };
        assert_eq!(code_of(name(channel, Some(missing))), Some(Code::Invalid));
        assert_eq!(code_of(name(Place::Channel(missing.shared_with()), Some(id))), Some(Code::NotFound));
        let guest = Actor { grants: Vec::new(), ..Actor::system() };
        let refused =
            shop.run_as(&guest, move |tx, actor, world| profile::name(tx, actor, world, channel, None));
        assert_eq!(code_of(refused), Some(Code::Forbidden));
    });
}
