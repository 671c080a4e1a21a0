//! Stock's story: goods arrive, are corrected, held and released, and every number can be explained.

use std::collections::BTreeMap;

use domain::ledger::BookKind;
use domain::stock::State;
use domain::value::id::Variant;
use domain::value::{Id, Instant, Quantity};
use domain::{Code, Refusal};
use engine::Failure;
use engine::stock::availability::{Picture, availability, draw, known, picture, reach};
use engine::stock::hold::{self, SetAside};
use engine::stock::{self, Adjust, AdjustReason, LevelSetting, Move, Set, book_of};
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

fn code<T: std::fmt::Debug>(outcome: Result<T, Failure>) -> Code {
    outcome.expect_err("a refusal").code().expect("a refusal, not a failure")
}

fn promisable(shop: &TestShop, channel: &engine::market::Channel, variant: Id<Variant>) -> i64 {
    let channel = channel.clone();
    let actor = domain::actor::Actor::system();
    shop.read(move |tx| availability(tx, &actor, &channel, &[variant])).expect("an answer")[0].promisable
}

fn hold_for(
    shop: &TestShop,
    channel: &engine::market::Channel,
    cart: u8,
    wanted: &[(Id<Variant>, i64)],
) -> Result<(), Failure> {
    let (channel, demand) = (channel.clone(), wanted.iter().copied().collect::<BTreeMap<_, _>>());
    shop.run(move |tx, actor, world| {
        let until = world.now().plus_seconds(600);
        hold::hold_for_cart(tx, actor, world, (&channel, Id::from_bytes([cart; 16])), &demand, until)
    })
}

#[test]
fn what_arrives_is_there_and_a_shelf_never_gives_more_than_it_has() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 10);
        let leeds = retailer.locations[0];
        let take = move |pieces: i64| {
            shop.run(move |tx, actor, world| {
                let input = Adjust {
                    variant: mug,
                    location: leeds,
                    change: -pieces,
                    reason: AdjustReason::Lost,
                    reference: None,
                };
                stock::adjust(tx, actor, world, input)
            })
        };
        take(4).unwrap();
        assert_eq!(retailer.count(shop, mug, 0, State::Available), 6);
        let refused = take(7).unwrap_err();
        assert_eq!(refused.to_string(), "out_of_stock: 6 of sku MUG can be had, 7 asked");
        assert_eq!(retailer.count(shop, mug, 0, State::Available), 6);
        let nobody = Id::<Variant>::from_bytes([9; 16]);
        let unknown = shop.run(move |tx, actor, world| {
            let input = Adjust {
                variant: nobody,
                location: leeds,
                change: 1,
                reason: AdjustReason::Found,
                reference: None,
            };
            stock::adjust(tx, actor, world, input)
        });
        assert_eq!(code(unknown), Code::NotFound);
    });
}

#[test]
fn setting_compares_first() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 10);
        let location = retailer.locations[0];
        let set = |quantity, expected| {
            shop.run(move |tx, actor, world| {
                stock::set(tx, actor, world, Set { variant: mug, location, quantity, expected })
            })
        };
        assert_eq!(set(7, Some(10)).unwrap(), -3);
        let stale = set(9, Some(10)).unwrap_err();
        assert_eq!(
            stale,
            Failure::Refused(
                Refusal::new(Code::Stale, "7 are available now; read again and repeat").at("expected")
            )
        );
        assert_eq!(set(9, None).unwrap(), 2);
        assert_eq!(set(9, Some(9)).unwrap(), 0);
    });
}

#[test]
fn a_number_is_explained_and_known_as_of_any_instant() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 10);
        let morning = sim::shop::OPENING;
        shop.pass(3600);
        let location = retailer.locations[0];
        shop.run(move |tx, actor, world| {
            let quantity = Quantity::new(3).expect("a quantity");
            stock::move_state(
                tx,
                actor,
                world,
                Move { variant: mug, location, from: State::Available, to: State::Display, quantity },
            )
        })
        .unwrap();
        let actor = domain::actor::Actor::system();
        let lines = {
            let actor = actor.clone();
            shop.read(move |tx| {
                stock::history(
                    tx,
                    &actor,
                    (mug, location, State::Available),
                    (Instant::from_micros(i64::MAX), Id::from_bytes([255; 16])),
                    10,
                )
            })
            .unwrap()
        };
        let told: Vec<_> =
            lines.iter().map(|line| (line.reason.as_str(), line.amount, line.balance)).collect();
        assert_eq!(told, [("put_on_display", -3, 7), ("opening", 10, 10)]);
        let then = {
            let actor = actor.clone();
            shop.read(move |tx| stock::balances(tx, &actor, mug, Some(morning))).unwrap()
        };
        assert_eq!(then.iter().filter(|(.., amount)| *amount != 0).count(), 1);
        assert_eq!(then[0].2, 10);
        let now = shop.read(move |tx| stock::balances(tx, &actor, mug, None)).unwrap();
        assert_eq!(
            now.iter().map(|(_, state, amount)| (*state, *amount)).collect::<Vec<_>>(),
            [(State::Available, 7), (State::Display, 3)]
        );
        let books =
            shop.read(move |tx| Ok::<_, Failure>(store::ledger::balances(tx, book_of(mug))?)).unwrap();
        assert_eq!(books.iter().map(|(_, amount)| amount).sum::<i64>(), 0, "a book sums to nothing");
        assert_eq!(BookKind::Stock.code(), 1);
    });
}

#[test]
fn carts_hold_what_others_then_cannot_have_until_their_time_runs_out() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let web = retailer.web(shop);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 3);
        retailer.stock(shop, mug, 1, 2);
        hold_for(shop, &web, 1, &[(mug, 4)]).unwrap();
        assert_eq!(promisable(shop, &web, mug), 1);
        assert_eq!(code(hold_for(shop, &web, 2, &[(mug, 2)])), Code::OutOfStock);
        hold_for(shop, &web, 1, &[(mug, 4)]).unwrap();
        assert_eq!(promisable(shop, &web, mug), 1, "holding the same again changes nothing");
        hold_for(shop, &web, 1, &[(mug, 2)]).unwrap();
        assert_eq!(promisable(shop, &web, mug), 3);
        shop.pass(601);
        shop.run(hold::expire_due).unwrap();
        assert_eq!(promisable(shop, &web, mug), 5);
        shop.run(hold::expire_due).unwrap();
        assert_eq!(promisable(shop, &web, mug), 5);
    });
}

#[test]
fn safety_stock_and_thresholds_bind_the_network_and_not_the_counter() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 3);
        retailer.stock(shop, mug, 1, 2);
        let channel = engine::market::NewChannel {
            stock_threshold: 1,
            ..a_channel("web", retailer.market, retailer.network)
        };
        let web = retailer.channel(shop, channel);
        let location = retailer.locations[0];
        shop.run(move |tx, actor, world| {
            stock::set_level(
                tx,
                actor,
                world,
                LevelSetting { safety: 2, low_below: 3, ..LevelSetting::unset(mug, location) },
            )
        })
        .unwrap();
        assert_eq!(promisable(shop, &web, mug), 2, "(3 - 2) + 2 - 1");
        let till = retailer.till(shop, 0);
        assert_eq!(promisable(shop, &till, mug), 3);
    });
}

#[test]
fn a_kit_can_be_promised_as_often_as_its_scarcest_component() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let web = retailer.web(shop);
        let (cup, saucer) = (retailer.sell(shop, "CUP", 300), retailer.sell(shop, "SAUCER", 200));
        let set = retailer.sell_kit(shop, "SET", &[(cup, 2), (saucer, 1)], 700);
        retailer.stock(shop, cup, 0, 5);
        retailer.stock(shop, saucer, 0, 9);
        assert_eq!(promisable(shop, &web, set), 2);
    });
}

#[test]
fn goods_set_aside_come_back_by_hand_or_by_time() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 3);
        let location = retailer.locations[0];
        let aside = move |pieces| {
            shop.run(move |tx, actor, world| {
                let quantity = Quantity::new(pieces).expect("a quantity");
                let expires_at = world.now().plus_seconds(60);
                hold::set_aside(
                    tx,
                    actor,
                    world,
                    SetAside { variant: mug, location, quantity, expires_at, reference: "counter".into() },
                )
            })
        };
        let first = aside(2).unwrap();
        assert_eq!(code(aside(2)), Code::OutOfStock);
        let release = move || shop.run(move |tx, actor, world| hold::release(tx, actor, world, mug, first));
        release().unwrap();
        assert_eq!(code(release()), Code::HoldNotOpen);
        aside(3).unwrap();
        shop.pass(61);
        shop.run(hold::expire_due).unwrap();
        assert_eq!(retailer.count(shop, mug, 0, State::Available), 3);
        assert_eq!(retailer.count(shop, mug, 0, State::Held), 0);
    });
}

#[test]
fn many_takers_of_one_shelf_at_once_get_exactly_what_is_there() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let mug = retailer.sell(shop, "MUG", 500);
        retailer.stock(shop, mug, 0, 50);
        let location = retailer.locations[0];
        let (teller, outcomes) = std::sync::mpsc::channel();
        std::thread::scope(|crowd| {
            for _ in 0..8 {
                let teller = teller.clone();
                crowd.spawn(move || {
                    for _ in 0..20 {
                        let outcome = shop.run(move |tx, actor, world| {
                            let input = Adjust {
                                variant: mug,
                                location,
                                change: -1,
                                reason: AdjustReason::Lost,
                                reference: None,
                            };
                            stock::adjust(tx, actor, world, input)
                        });
                        let _ = teller.send(outcome.map_err(|failure| failure.code()));
                    }
                });
            }
        });
        drop(teller);
        let outcomes: Vec<_> = outcomes.iter().collect();
        assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 50);
        assert!(
            outcomes
                .iter()
                .filter_map(|outcome| outcome.as_ref().err())
                .all(|code| *code == Some(Code::OutOfStock))
        );
        assert_eq!(retailer.count(shop, mug, 0, State::Available), 0);
    });
}

#[test]
fn levels_that_are_crossed_are_told() {
    on_every_engine(|shop| {
        let retailer = Retailer::open(shop, &["leeds"]);
        let mug = retailer.sell(shop, "MUG", 500);
        let location = retailer.locations[0];
        shop.run(move |tx, actor, world| {
            stock::set_level(
                tx,
                actor,
                world,
                LevelSetting { safety: 0, low_below: 3, ..LevelSetting::unset(mug, location) },
            )
        })
        .unwrap();
        retailer.stock(shop, mug, 0, 4);
        let set = |quantity| {
            shop.run(move |tx, actor, world| {
                stock::set(tx, actor, world, Set { variant: mug, location, quantity, expected: None })
            })
            .map(drop)
        };
        set(2).unwrap();
        set(0).unwrap();
        set(1).unwrap();
        set(5).unwrap();
        let told = shop
            .read(move |tx| Ok::<_, Failure>(store::event::of_subject(tx, &mug.to_string(), 0, 100)?))
            .unwrap();
        let levels: Vec<_> = told
            .iter()
            .map(|entry| entry.kind.as_str())
            .filter(|kind| !matches!(*kind, "stock.moved" | "stock.level_set"))
            .filter(|kind| kind.starts_with("stock."))
            .collect();
        assert_eq!(
            levels,
            [
                "stock.back",
                "stock.back_in_stock",
                "stock.low",
                "stock.out",
                "stock.sold_out",
                "stock.back",
                "stock.back_in_stock",
                "stock.enough"
            ]
        );
    });
}

#[test]
fn whoever_reaches_few_of_many_places_sees_them_as_if_all_were_read() {
    on_every_engine(|shop| {
        let codes: Vec<String> = (0..30).map(|number| format!("store-{number:02}")).collect();
        let retailer = Retailer::open(shop, &codes.iter().map(String::as_str).collect::<Vec<_>>());
        let web = retailer.web(shop);
        let (mug, cup) = (retailer.sell(shop, "MUG", 500), retailer.sell(shop, "CUP", 300));
        for place in [0, 2, 4, 7, 29] {
            retailer.stock(shop, mug, place, 3);
        }
        retailer.stock(shop, cup, 1, 2);
        hold_for(shop, &web, 1, &[(mug, 4)]).unwrap();
        let seen = shop.read(move |tx| {
            let mut few = reach(tx, &web)?;
            few.locations.truncate(5);
            let variants = [mug, cup];
            let (asked, all) = (picture(tx, &few, &variants)?, draw(&few, &known(tx, &variants)?));
            let look = |picture: &Picture| {
                variants.map(|variant| {
                    let shelves: Vec<_> =
                        picture.shelves(variant).map(|shelf| (shelf.location, shelf.free())).collect();
                    (picture.promisable(variant), shelves)
                })
            };
            Ok((look(&asked), look(&all)))
        });
        let (asked, all) = seen.unwrap();
        assert_eq!(asked, all);
        assert_eq!((asked[0].0, asked[0].1.len(), asked[1].0), (3 * 3 - 4, 3, 2));
    });
}
