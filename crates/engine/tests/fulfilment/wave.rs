//! Many orders picked in one walk: shelf by shelf, scanned into totes, with pieces that are missing, cancelled or wrong on the way.

use domain::Code;
use domain::actor::Actor;
use domain::fulfilment::State;
use domain::order::CancelReason;
use domain::value::Id;
use domain::value::id::{PickWave, Variant};
use engine::Failure;
use engine::fulfilment::hold;
use engine::fulfilment::wave::{self, NewWave, Whole};
use engine::stock::{LevelSetting, set_level};
use sim::on_every_engine;

use super::ground::{Ground, code_of};

/// Two walks of the same ground: teas on the shelf before the mugs.
struct Walk<'g> {
    ground: Ground<'g>,
    tea: Id<Variant>,
}

impl<'g> Walk<'g> {
    fn open(shop: &'g sim::TestShop, mugs: i64) -> Walk<'g> {
        let ground = Ground::open(shop, [mugs, 0, 5]);
        let tea = ground.retailer.sell(shop, "TEA", 300);
        ground.retailer.stock(shop, tea, 0, 10);
        for (variant, shelf) in [(ground.mug, "A-10"), (tea, "A-2")] {
            let location = ground.retailer.locations[0];
            shop.run(move |tx, actor, world| {
                let level =
                    LevelSetting { shelf: Some(shelf.into()), ..LevelSetting::unset(variant, location) };
                set_level(tx, actor, world, level)
            })
            .unwrap();
        }
        Walk { ground, tea }
    }

    fn make(&self, most: i64) -> Result<Whole, Failure> {
        let location = self.ground.retailer.locations[0];
        let new = NewWave { kind: None, made_before: None, most, colleague: None };
        self.ground.shop.run(move |tx, actor, world| wave::make(tx, actor, world, location, &new))
    }

    fn start(&self, id: Id<PickWave>) -> Result<Whole, Failure> {
        self.ground.shop.run(move |tx, actor, world| wave::start(tx, actor, world, id))
    }

    fn scan(&self, id: Id<PickWave>, code: &str, quantity: i64) -> Result<Vec<(i64, i64)>, Failure> {
        let code = code.to_owned();
        let scan = move |tx: &mut store::Tx<'_>, actor: &Actor, world: &mut engine::World| {
            wave::scan(tx, actor, world, id, (&code, Some(quantity)))
        };
        let (_, placed) = self.ground.shop.run(scan)?;
        Ok(placed.iter().map(|placed| (placed.tote, placed.quantity)).collect())
    }

    fn finish(&self, id: Id<PickWave>) -> Result<Whole, Failure> {
        self.ground.shop.run(move |tx, actor, world| wave::finish(tx, actor, world, id))
    }

    fn read(&self, id: Id<PickWave>) -> Whole {
        self.ground.shop.read(move |tx| wave::read(tx, &Actor::system(), id)).unwrap()
    }
}

#[test]
fn many_orders_are_picked_in_one_walk_past_the_shelves() {
    on_every_engine(|shop| {
        let walk = Walk::open(shop, 9);
        assert_eq!(code_of(walk.make(50)), Some(Code::WrongState), "nothing waits");
        let (mug, tea) = (walk.ground.mug, walk.tea);
        let first = walk.ground.order_of(&[(mug, 2), (tea, 1)], None);
        let second = walk.ground.order_of(&[(mug, 1)], None);
        let made = walk.make(50).unwrap();
        assert_eq!(code_of(walk.make(50)), Some(Code::WrongState), "no order is in two waves");
        let told: Vec<_> = made.stops.iter().map(|stop| (stop.sku.as_str(), stop.open())).collect();
        assert_eq!(told, [("TEA", 1), ("MUG", 3)], "shelf A-2 comes before A-10");
        let id = made.wave.id;
        assert_eq!(code_of(walk.scan(id, "MUG", 1)), Some(Code::WrongState), "nobody walks yet");
        walk.start(id).unwrap();
        assert_eq!(code_of(walk.start(id)), Some(Code::WrongState), "somebody walks");
        walk.ground.retailer.sell(shop, "PLATE", 400);
        let wrong = walk.scan(id, "PLATE", 1).unwrap_err();
        assert_eq!(
            wrong.to_string(),
            "invalid: code: this is \"PLATE\", which is not wanted here; next are 1 of \"TEA\" on shelf \"A-2\""
        );
        assert_eq!(code_of(walk.scan(id, "MUG", 4)), Some(Code::WrongState), "three are wanted");
        assert_eq!(walk.scan(id, "MUG", 3).unwrap(), [(1, 2), (2, 1)]);
        assert_eq!(walk.scan(id, "TEA", 1).unwrap(), [(1, 1)]);
        assert_eq!(code_of(walk.scan(id, "TEA", 1)), Some(Code::WrongState), "one was wanted");
        assert_eq!(walk.ground.counts(0), [6, 0, 3, 0]);
        walk.finish(id).unwrap();
        assert_eq!(code_of(walk.finish(id)), Some(Code::WrongState));
        for whole in [first, second] {
            let part = walk.ground.parts(whole.order.id)[0].id;
            walk.ground.leave(whole.order.id, part, None).unwrap();
        }
        assert_eq!(walk.ground.counts(0), [6, 0, 0, 0]);
    });
}

#[test]
fn what_is_missing_in_the_walk_comes_from_elsewhere_for_the_youngest() {
    on_every_engine(|shop| {
        let walk = Walk::open(shop, 3);
        let mug = walk.ground.mug;
        let [first, second] = [2, 1].map(|mugs| walk.ground.order(mugs, None).order.id);
        let id = walk.make(50).unwrap().wave.id;
        walk.start(id).unwrap();
        let short =
            |pieces| shop.run(move |tx, actor, world| wave::short(tx, actor, world, id, (mug, pieces)));
        assert_eq!(code_of(short(4)), Some(Code::WrongState), "three are wanted");
        let left = short(2).unwrap();
        assert_eq!(left.stops[0].open(), 1);
        assert_eq!(walk.ground.counts(0), [0, 1, 0, 2]);
        assert_eq!(walk.ground.counts(2)[1], 2, "hull serves what is missing");
        let states = |order| walk.ground.parts(order).iter().map(|one| one.state).collect::<Vec<_>>();
        assert_eq!(states(second), [State::Rejected, State::Open], "the youngest lost all");
        assert_eq!(states(first), [State::Picking, State::Open], "the oldest keeps what is there");
        walk.scan(id, "MUG", 1).unwrap();
        walk.finish(id).unwrap();
    });
}

#[test]
fn what_is_cancelled_or_held_during_the_walk_is_put_back_or_left() {
    on_every_engine(|shop| {
        let walk = Walk::open(shop, 9);
        let orders = [2, 1, 1].map(|mugs| walk.ground.order(mugs, None).order.id);
        let id = walk.make(50).unwrap().wave.id;
        walk.start(id).unwrap();
        walk.scan(id, "MUG", 2).unwrap();
        walk.ground.cancel(orders[0], CancelReason::Customer);
        let totes = walk.read(id).stops[0].totes.clone();
        assert_eq!((totes[0].open, totes[0].picked, totes[0].put_back), (0, 0, 2));
        let held = (orders[1], walk.ground.parts(orders[1])[0].id);
        shop.run(move |tx, actor, world| hold::put(tx, actor, world, held, "a question")).unwrap();
        assert_eq!(walk.scan(id, "MUG", 1).unwrap(), [(3, 1)], "what is held is passed by");
        walk.finish(id).unwrap();
        shop.run(move |tx, actor, world| hold::release(tx, actor, world, held)).unwrap();
        assert_eq!(walk.make(50).unwrap().parts.len(), 1, "what was begun is finished by itself");
        assert_eq!(walk.ground.counts(0), [7, 1, 1, 0]);
    });
}

#[test]
fn what_the_walk_did_not_reach_is_in_the_next_one() {
    on_every_engine(|shop| {
        let walk = Walk::open(shop, 9);
        for _ in 0..3 {
            walk.ground.order(1, None);
        }
        let first = walk.make(2).unwrap();
        assert_eq!(first.parts.len(), 2, "the oldest two");
        walk.start(first.wave.id).unwrap();
        walk.scan(first.wave.id, "MUG", 1).unwrap();
        walk.finish(first.wave.id).unwrap();
        let second = walk.make(50).unwrap();
        assert_eq!((second.parts.len(), second.stops[0].open()), (2, 2));
    });
}

#[test]
fn a_single_order_is_scanned_too() {
    on_every_engine(|shop| {
        let walk = Walk::open(shop, 9);
        let order = walk.ground.order(2, None);
        let which = (order.order.id, order.fulfilment_orders[0].id);
        let scan = |code: &'static str, quantity| {
            shop.run(move |tx, actor, world| wave::scan_alone(tx, actor, world, which, (code, quantity)))
        };
        let wrong = scan("TEA", None).unwrap_err().to_string();
        assert_eq!(wrong, "invalid: code: this is \"TEA\", which is not wanted here; next are 2 of \"MUG\"");
        assert_eq!(code_of(scan("MUG", Some(3))), Some(Code::WrongState));
        assert_eq!(code_of(scan("MUG", Some(0))), Some(Code::Invalid));
        assert_eq!(code_of(scan("NOTHING", None)), Some(Code::NotFound));
        for picked in 1..=2 {
            assert_eq!(scan("MUG", None).unwrap().lines[0].picked, picked);
        }
    });
}
