//! The story of goods sent to where they are collected: another store sends what the pickup store lacks, and the customer comes once.

use std::thread;

use domain::Code;
use domain::actor::Actor;
use domain::fulfilment::State;
use domain::order::{CancelReason, State as OrderState};
use domain::stock::State as Stock;
use domain::stock::selling::{Later, Rule, WhenOut};
use domain::transfer::{Shortage, State as Transfer};
use domain::value::id;
use domain::value::{Id, OpeningHours, Reference};
use engine::checkout::{self, Cancel};
use engine::count::tally::{self, Piece};
use engine::count::{self, NewCount, Scope};
use engine::delivery::sending;
use engine::fulfilment::visit::Proof;
use engine::fulfilment::{counted, inbound, visit};
use engine::promise::answer::{self, Asked, Ready, Source};
use engine::stock::selling;
use engine::transfer::TransferOrder;
use engine::transfer::receive::Received;
use engine::transfer::send::{self, Shipping};
use engine::{Failure, external};
use sim::{TestShop, on_every_engine};

use super::ground::{Ground, code_of};

/// Stores with so many mugs that send each other what is collected, within two days.
fn ground(shop: &TestShop, stock: [i64; 3]) -> Ground<'_> {
    let ground = Ground::open(shop, stock);
    ground.retailer.sending(shop, 2);
    ground
}

fn ship(ground: &Ground<'_>, id: Id<id::TransferOrder>) {
    ground
        .shop
        .run(move |tx, actor, world| send::ship(tx, actor, world, id, Shipping::default()))
        .expect("sent");
}

fn receive(
    ground: &Ground<'_>,
    id: Id<id::TransferOrder>,
    pieces: i64,
    state: Stock,
) -> Result<TransferOrder, Failure> {
    let got = [Received { variant: ground.mug, pieces, state }];
    ground.shop.run(move |tx, actor, world| inbound::receive(tx, actor, world, id, &got))
}

fn cancel(ground: &Ground<'_>, order: Id<id::Order>) -> OrderState {
    let cancel = Cancel { order, lines: None, part: None, reason: CancelReason::Customer };
    let ended = ground.shop.run(move |tx, actor, world| checkout::cancel(tx, actor, world, cancel.clone()));
    ended.expect("cancelled").order.state
}

#[test]
fn what_the_store_lacks_is_sent_there_and_the_customer_comes_once() {
    on_every_engine(|shop| {
        let ground = ground(shop, [5, 1, 0]);
        let whole = ground.order(3, Some(1));
        let parts = &whole.fulfilment_orders;
        assert_eq!((parts.len(), parts[0].state), (1, State::AwaitingTransfer), "they are kept together");
        assert_eq!(parts[0].expected_at, Some(whole.order.placed_at.plus_seconds(2 * 86_400)));
        let which = (whole.order.id, parts[0].id);
        assert_eq!((ground.counts(0), ground.counts(1)), ([3, 2, 0, 0], [0, 1, 0, 0]));
        let early = shop.run(move |tx, actor, world| visit::ready(tx, actor, world, which));
        assert_eq!(code_of(early), Some(Code::WrongState), "two are still to come");
        let transfer = ground.retailer.coming(shop, 1)[0].id;
        ship(&ground, transfer);
        receive(&ground, transfer, 1, Stock::Available).unwrap();
        assert_eq!(ground.parts(which.0)[0].state, State::AwaitingTransfer);
        assert_eq!(ground.counts(1), [0, 2, 0, 0], "nobody else can buy it");
        assert_eq!(receive(&ground, transfer, 1, Stock::Available).unwrap().state, Transfer::Received);
        assert_eq!((ground.parts(which.0)[0].state, ground.counts(1)), (State::Open, [0, 3, 0, 0]));
        shop.run(move |tx, actor, world| visit::ready(tx, actor, world, which)).unwrap();
        let code = shop.read(move |tx| visit::read(tx, &Actor::system(), which)).unwrap().code;
        let left = ground.leave(which.0, which.1, code.map(Proof::Code)).unwrap();
        assert_eq!((left.order.state, ground.counts(1)), (OrderState::Completed, [0, 0, 0, 0]));
    });
}

#[test]
fn what_the_sender_misses_another_store_sends() {
    on_every_engine(|shop| {
        let ground = ground(shop, [2, 0, 2]);
        let whole = ground.order(2, Some(1));
        let (order, first) = (whole.order.id, ground.retailer.coming(shop, 1)[0].id);
        assert_eq!(ground.counts(0), [0, 2, 0, 0]);
        let mug = ground.mug;
        let short =
            shop.run(move |tx, actor, world| inbound::short(tx, actor, world, first, &vec![(mug, 2)]));
        assert!(short.unwrap().lines[0].progress.quantity == 0);
        assert_eq!((ground.counts(0), ground.counts(2)), ([0, 0, 0, 2], [0, 2, 0, 0]));
        let open = ground.open_parts(order);
        assert_eq!((open.len(), open[0].state), (1, State::AwaitingTransfer));
        let second = ground.retailer.coming(shop, 1).into_iter().find(|one| one.id != first).unwrap();
        assert_eq!(second.waiting, Some((order, open[0].id)));
        ship(&ground, second.id);
        let closed =
            shop.run(move |tx, actor, world| inbound::close(tx, actor, world, second.id, Shortage::Lost));
        assert_eq!(closed.unwrap().state, Transfer::ClosedShort);
        let waiting = ground.open_parts(order);
        assert_eq!((waiting.len(), waiting[0].state), (1, State::Unrouted), "nobody has one any more");
        ground.retailer.stock(shop, mug, 1, 2);
        shop.run(engine::fulfilment::pool::route_waiting).unwrap();
        assert_eq!((ground.open_parts(order)[0].state, ground.counts(1)), (State::Open, [0, 2, 0, 0]));
    });
}

#[test]
fn an_order_that_is_cancelled_lets_its_goods_go_wherever_they_are() {
    on_every_engine(|shop| {
        let ground = ground(shop, [9, 1, 0]);
        let first = ground.order(3, Some(1)).order.id;
        assert_eq!(cancel(&ground, first), OrderState::Cancelled);
        assert_eq!((ground.counts(0), ground.counts(1)), ([9, 0, 0, 0], [1, 0, 0, 0]));
        assert!(ground.retailer.coming(shop, 1).is_empty(), "nothing is sent for nobody");
        let second = ground.order(3, Some(1)).order.id;
        let transfer = ground.retailer.coming(shop, 1)[0].id;
        ship(&ground, transfer);
        assert_eq!(cancel(&ground, second), OrderState::Cancelled);
        assert_eq!(ground.counts(1), [1, 0, 0, 0]);
        receive(&ground, transfer, 2, Stock::Available).unwrap();
        assert_eq!(ground.counts(1), [3, 0, 0, 0], "it arrived for everybody");
    });
}

#[test]
fn what_arrives_damaged_is_sent_again() {
    on_every_engine(|shop| {
        let ground = ground(shop, [4, 0, 0]);
        let order = ground.order(2, Some(1)).order.id;
        let transfer = ground.retailer.coming(shop, 1)[0].id;
        ship(&ground, transfer);
        receive(&ground, transfer, 1, Stock::Available).unwrap();
        receive(&ground, transfer, 1, Stock::Damaged).unwrap();
        let mut states: Vec<_> = ground.open_parts(order).iter().map(|one| one.state.text()).collect();
        states.sort_unstable();
        assert_eq!(states, ["awaiting_transfer", "open"]);
        assert_eq!((ground.counts(0), ground.counts(1)), ([1, 1, 0, 0], [0, 1, 0, 0]));
    });
}

/// A count finds no mug at the location of this place.
fn count_none(ground: &Ground<'_>, place: usize) {
    ground.shop.pass(60);
    let (location, mug) = (ground.retailer.locations[place], ground.mug);
    let counted = ground.shop.run(move |tx, actor, world| {
        let scope = Scope::Variants(vec![mug]);
        let new = NewCount { location, scope, blind: true, note: None };
        let id = count::request(tx, actor, world, new)?.count.id;
        let none = [Piece { variant: mug, pieces: 0, place: String::new(), at: None }];
        tally::add(tx, actor, world, id, &none)?;
        tally::finish(tx, actor, world, id, false)?;
        Ok(id)
    });
    let id = counted.expect("counted");
    ground.shop.run(move |tx, actor, world| counted::post(tx, actor, world, id)).expect("posted");
}

#[test]
fn a_count_takes_promised_goods_away_and_the_order_gets_others() {
    on_every_engine(|shop| {
        let ground = ground(shop, [3, 0, 3]);
        let parcel = ground.order(2, None);
        let collected = ground.order(1, Some(1));
        assert_eq!(ground.counts(0), [0, 3, 0, 0]);
        count_none(&ground, 0);
        assert_eq!((ground.counts(0), ground.counts(2)), ([0; 4], [0, 3, 0, 0]), "hull has them all");
        assert_eq!(ground.open_parts(parcel.order.id)[0].location, Some(ground.retailer.locations[2]));
        assert_eq!(ground.retailer.coming(shop, 1).len(), 2, "leeds sends none, hull one");
        let open = ground.open_parts(collected.order.id);
        assert_eq!((open.len(), open[0].state), (1, State::AwaitingTransfer));
    });
}

#[test]
fn a_count_takes_away_what_lies_promised_beside_goods_that_are_coming() {
    on_every_engine(|shop| {
        let ground = ground(shop, [5, 1, 0]);
        let order = ground.order(3, Some(1)).order.id;
        assert_eq!((ground.counts(0), ground.counts(1)), ([3, 2, 0, 0], [0, 1, 0, 0]));
        count_none(&ground, 1);
        assert_eq!((ground.counts(0), ground.counts(1)), ([2, 3, 0, 0], [0; 4]), "leeds sends one more");
        let open = ground.open_parts(order);
        let wanted: Vec<_> = open.iter().map(|one| (one.state, one.lines[0].quantity)).collect();
        assert_eq!(wanted, [(State::AwaitingTransfer, 2), (State::AwaitingTransfer, 1)]);
        for transfer in ground.retailer.coming(shop, 1) {
            ship(&ground, transfer.id);
            receive(&ground, transfer.id, transfer.lines[0].progress.quantity, Stock::Available).unwrap();
        }
        assert!(ground.open_parts(order).iter().all(|one| one.state == State::Open));
        assert_eq!(ground.counts(1), [0, 3, 0, 0]);
    });
}

#[test]
fn what_comes_is_sent_to_who_waited_longest_whoever_waits_behind() {
    on_every_engine(|shop| {
        let ground = ground(shop, [6, 0, 0]);
        let [first, second] = [3, 3].map(|mugs| ground.order(mugs, Some(1)).order.id);
        for transfer in ground.retailer.coming(shop, 1).into_iter().rev() {
            ship(&ground, transfer.id);
            let lost = shop
                .run(move |tx, actor, world| inbound::close(tx, actor, world, transfer.id, Shortage::Lost));
            assert_eq!(lost.unwrap().state, Transfer::ClosedShort);
            shop.pass(1);
        }
        ground.retailer.stock(shop, ground.mug, 2, 3);
        shop.run(engine::fulfilment::pool::route_waiting).unwrap();
        let states = [first, second].map(|order| ground.open_parts(order)[0].state);
        assert_eq!(states, [State::AwaitingTransfer, State::Unrouted]);
        assert_eq!(ground.counts(2), [0, 3, 0, 0], "hull sends what it has to the first");
    });
}

#[test]
fn the_last_pieces_are_sent_to_one_customer_only() {
    on_every_engine(|shop| {
        let ground = ground(shop, [4, 0, 0]);
        thread::scope(|scope| {
            for _ in 0..2 {
                scope.spawn(|| ground.order(2, Some(1)));
            }
        });
        assert_eq!((ground.counts(0), ground.retailer.coming(shop, 1).len()), ([0, 4, 0, 0], 2));
        let transfers: Vec<_> = ground.retailer.coming(shop, 1).iter().map(|one| one.id).collect();
        transfers.iter().for_each(|id| ship(&ground, *id));
        let orders: Vec<_> = ground.retailer.coming(shop, 1).iter().filter_map(|one| one.waiting).collect();
        thread::scope(|scope| {
            let ground = &ground;
            for id in &transfers {
                scope.spawn(move || receive(ground, *id, 2, Stock::Available).map(drop));
            }
            let first = orders[0].0;
            scope.spawn(move || cancel(ground, first));
        });
        let kept: Vec<_> = orders.iter().flat_map(|(order, _)| ground.open_parts(*order)).collect();
        assert_eq!((kept.len(), kept[0].state), (1, State::Open));
        assert_eq!(ground.counts(1), [2, 2, 0, 0], "one customer's are free again, wherever they were");
    });
}

/// What is promised of so many mugs at York, which opens at nine.
fn ready_at_york(ground: &Ground<'_>, mugs: i64) -> Option<Ready> {
    let asked = Asked {
        channel: Reference::Id(ground.web.id),
        lines: vec![(ground.mug, mugs)],
        destination: None,
        point: None,
        stores: 3,
        store: None,
        cart: None,
        at: ground.shop.shop.source.now(),
    };
    let answer = ground.shop.read(move |tx| answer::answer(tx, &Actor::system(), &asked)).expect("an answer");
    let york = ground.retailer.locations[1];
    answer.stores.into_iter().find(|store| store.location.id == york).expect("york").ready
}

#[test]
fn what_a_store_lacks_is_promised_for_when_it_is_sent_or_has_come() {
    on_every_engine(|shop| {
        let ground = ground(shop, [5, 1, 0]);
        let york = ground.retailer.locations[1];
        shop.run(move |tx, _, _| {
            let mut store = store::location::find(tx, york)?.expect("york");
            store.hours = Some(OpeningHours::parse("mo-su 09:00-18:00").expect("hours"));
            Ok::<_, Failure>(store::location::update(tx, &store)?)
        })
        .expect("hours");
        let source = |mugs| ready_at_york(&ground, mugs).map(|ready| ready.source);
        assert_eq!((source(1), source(3), source(7)), (Some(Source::Shelf), Some(Source::Sent), None));
        let promised = ready_at_york(&ground, 3).unwrap();
        let order = ground.order(3, Some(1));
        assert_eq!(order.fulfilment_orders[0].promised.by, Some(promised.at), "as it was promised");

        // Nobody sends any more: what York lacks is sold all the same.
        let (web, mug) = (Reference::Id(ground.web.id), Reference::Id(ground.mug));
        shop.run(move |tx, actor, world| {
            let method = external::resolve(tx, &Reference::External("collect".into()))?;
            sending::set(tx, actor, world, method, None)?;
            let rule =
                Rule { when_out: WhenOut::BackOrder, cap: Some(2), lead_days: Some(10), releases_at: None };
            selling::set(tx, actor, world, (&web, Some(&mug)), rule)
        })
        .expect("a rule");
        assert_eq!((source(2), source(3)), (Some(Source::Later(Later::BackOrder)), None));
        let promised = ready_at_york(&ground, 2).unwrap();
        let order = ground.order(2, Some(1));
        assert_eq!(order.fulfilment_orders[0].later, Some(Later::BackOrder));
        assert_eq!(order.fulfilment_orders[0].promised.by, Some(promised.at), "as it was promised");
    });
}
