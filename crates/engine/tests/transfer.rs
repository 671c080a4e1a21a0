//! The story of transfers: goods are asked for, approved, picked and sent at one store, and received, missed or found at another.

use std::thread;

use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::stock::{State as Stock, WriteOffReason, WriteOffState};
use domain::transfer::{Reason, Shortage, State};
use domain::value::id::{self, Location, Variant};
use domain::value::{Currency, Id, Money, Quantity};
use engine::Failure;
use engine::check::check;
use engine::fulfilment::inbound;
use engine::stock::rule::{self, Rule};
use engine::stock::write_off::{self, NewWriteOff, WriteOff};
use engine::stock::{self, Adjust, AdjustReason};
use engine::transfer::receive::Received;
use engine::transfer::send::{self, Shipping};
use engine::transfer::{self, NewTransfer, TransferOrder};
use sim::{Retailer, TestShop, on_every_engine};

/// Two stores, the first with mugs and cups.
struct Ground<'a> {
    shop: &'a TestShop,
    retailer: Retailer,
    mug: Id<Variant>,
    cup: Id<Variant>,
}

impl<'a> Ground<'a> {
    fn open(shop: &'a TestShop) -> Ground<'a> {
        let retailer = Retailer::open(shop, &["leeds", "york"]);
        let (mug, cup) = (retailer.sell(shop, "MUG", 500), retailer.sell(shop, "CUP", 300));
        retailer.stock(shop, mug, 0, 10);
        retailer.stock(shop, cup, 0, 4);
        Ground { shop, retailer, mug, cup }
    }

    fn at(&self, place: usize) -> Id<Location> {
        self.retailer.locations[place]
    }

    fn refill(&self, lines: &[(Id<Variant>, i64)]) -> NewTransfer {
        NewTransfer {
            source: self.at(0),
            destination: self.at(1),
            lines: lines.to_vec(),
            reason: Reason::Replenish,
            note: None,
            expected_at: None,
        }
    }

    fn ask_as(&self, who: &Actor, lines: &[(Id<Variant>, i64)]) -> Result<TransferOrder, Failure> {
        let new = self.refill(lines);
        self.shop.run_as(who, move |tx, actor, world| {
            let draft = transfer::draft(tx, actor, world, new.clone())?;
            transfer::request(tx, actor, world, draft.id)
        })
    }

    fn ask(&self, lines: &[(Id<Variant>, i64)]) -> Id<id::TransferOrder> {
        self.ask_as(&Actor::system(), lines).expect("a transfer order").id
    }

    fn ship(&self, id: Id<id::TransferOrder>) -> Result<TransferOrder, Failure> {
        let shipping = Shipping { reference: Some("SSCC 1".into()), expected_at: None };
        self.shop.run(move |tx, actor, world| send::ship(tx, actor, world, id, shipping.clone()))
    }

    fn receive(
        &self,
        id: Id<id::TransferOrder>,
        pieces: &[(Id<Variant>, i64, Stock)],
    ) -> Result<TransferOrder, Failure> {
        let received: Vec<_> = pieces
            .iter()
            .map(|(variant, pieces, state)| Received { variant: *variant, pieces: *pieces, state: *state })
            .collect();
        self.shop.run(move |tx, actor, world| inbound::receive(tx, actor, world, id, &received))
    }

    fn close(&self, id: Id<id::TransferOrder>, why: Shortage) -> Result<TransferOrder, Failure> {
        self.shop.run(move |tx, actor, world| inbound::close(tx, actor, world, id, why))
    }

    fn counts<const N: usize>(&self, place: usize, states: [Stock; N]) -> [i64; N] {
        states.map(|state| self.retailer.count(self.shop, self.mug, place, state))
    }
}

fn colleague(number: u8, location: Id<Location>, permissions: &[Permission]) -> Actor {
    let grant = Grant { location: Some(location), permissions: Permissions::of(permissions) };
    Actor { who: Who::Staff(Id::from_bytes([number; 16])), channel: None, grants: vec![grant] }
}

fn code_of(outcome: Result<impl Sized, Failure>) -> Option<Code> {
    outcome.err().and_then(|failure| failure.code())
}

fn pounds(minor: i64) -> Money {
    Money::new(minor, Currency::parse("GBP").expect("a currency")).expect("money")
}

#[test]
fn picked_sent_and_received_in_parts() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let (mug, cup) = (ground.mug, ground.cup);
        assert_eq!(code_of(ground.ask_as(&Actor::system(), &[(mug, 11)])), Some(Code::OutOfStock));
        let id = ground.ask(&[(mug, 6), (cup, 2)]);
        assert_eq!(ground.counts(0, [Stock::Available, Stock::Committed]), [4, 6]);
        let pick =
            |pieces| shop.run(move |tx, actor, world| send::pick(tx, actor, world, id, &vec![(mug, pieces)]));
        assert_eq!(pick(2).unwrap().state, State::Picking);
        assert_eq!(code_of(pick(5)), Some(Code::WrongState), "four are left to be picked");
        assert_eq!(code_of(ground.receive(id, &[(mug, 1, Stock::Available)])), Some(Code::WrongState));
        let short = shop.run(move |tx, actor, world| inbound::short(tx, actor, world, id, &vec![(mug, 1)]));
        assert_eq!(short.unwrap().lines.iter().map(|line| line.progress.quantity).sum::<i64>(), 7);
        assert_eq!(ground.counts(0, [Stock::Committed, Stock::Picked, Stock::Missing]), [3, 2, 1]);
        ground.ship(id).unwrap();
        assert_eq!(code_of(ground.ship(id)), Some(Code::WrongState), "sent once");
        assert_eq!(ground.counts(0, [Stock::Committed, Stock::Picked]), [0, 0]);
        assert_eq!(ground.counts(1, [Stock::InTransit, Stock::Available]), [5, 0]);
        let part = ground.receive(id, &[(mug, 2, Stock::Available), (mug, 1, Stock::Damaged)]).unwrap();
        assert_eq!(part.state, State::PartlyReceived);
        assert_eq!(ground.counts(1, [Stock::InTransit, Stock::Available, Stock::Damaged]), [2, 2, 1]);
        let all = ground.receive(id, &[(mug, 3, Stock::Available), (cup, 2, Stock::Available)]).unwrap();
        assert_eq!(all.state, State::Received, "one more than was sent is found");
        let mugs = all.lines.iter().find(|line| line.variant == mug).unwrap().progress;
        assert_eq!((mugs.arrived, mugs.damaged, mugs.over), (5, 1, 1));
        assert_eq!(ground.counts(1, [Stock::InTransit, Stock::Available]), [0, 5]);
        assert_eq!(code_of(ground.receive(id, &[(mug, 1, Stock::Available)])), Some(Code::WrongState));
    });
}

#[test]
fn what_never_arrives_is_lost_destroyed_or_was_never_sent() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        for (why, here) in [(Shortage::Lost, 0), (Shortage::Destroyed, 0), (Shortage::NotSent, 2)] {
            let before = ground.counts(0, [Stock::Available])[0];
            let id = ground.ask(&[(ground.mug, 3)]);
            assert_eq!(code_of(ground.close(id, why)), Some(Code::WrongState), "it has not left");
            ground.ship(id).unwrap();
            ground.receive(id, &[(ground.mug, 1, Stock::Available)]).unwrap();
            assert_eq!(ground.close(id, why).unwrap().state, State::ClosedShort);
            assert_eq!(ground.counts(0, [Stock::Available])[0], before - 3 + here, "{why:?}");
            assert_eq!(ground.counts(1, [Stock::InTransit]), [0]);
        }
        let id = ground.ask(&[(ground.mug, 1)]);
        let cancel = || shop.run(move |tx, actor, world| inbound::cancel(tx, actor, world, id));
        assert_eq!(cancel().unwrap().state, State::Cancelled);
        assert_eq!(code_of(cancel()), Some(Code::WrongState));
        assert_eq!(ground.counts(0, [Stock::Committed]), [0]);
    });
}

#[test]
fn each_end_does_its_own_and_much_needs_a_second_person() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let (leeds, york, mug) = (ground.at(0), ground.at(1), ground.mug);
        shop.run(move |tx, actor, world| {
            stock::set_value(tx, actor, world, mug, pounds(250))?;
            let bounds = Rule {
                location: leeds,
                currency: Currency::parse("GBP").expect("a currency"),
                write_off_minor: Some(500),
                transfer_minor: Some(500),
            };
            rule::set(tx, actor, world, bounds)
        })
        .unwrap();
        let receiver = colleague(1, york, &[Permission::MoveTransfers]);
        let sender = colleague(2, leeds, &[Permission::MoveTransfers, Permission::ApproveTransfers]);
        let small = ground.ask_as(&receiver, &[(mug, 2)]).unwrap();
        assert!(small.approved_at.is_some());
        let large = ground.ask_as(&sender, &[(mug, 3)]).unwrap();
        assert!(large.needs_approval && large.approved_at.is_none());
        assert_eq!(ground.counts(0, [Stock::Committed]), [2], "nothing is promised before it is approved");
        let unvalued = ground.ask_as(&receiver, &[(ground.cup, 1)]).unwrap();
        assert!(unvalued.needs_approval, "nobody said what a cup is worth");
        let ship = |who: &Actor, id| {
            shop.run_as(who, move |tx, actor, world| send::ship(tx, actor, world, id, Shipping::default()))
        };
        assert_eq!(code_of(ship(&sender, large.id)), Some(Code::WrongState), "not approved");
        assert_eq!(code_of(ship(&receiver, small.id)), Some(Code::Forbidden), "the sender sends");
        let approve = |who: &Actor| {
            let id = large.id;
            shop.run_as(who, move |tx, actor, world| transfer::approve(tx, actor, world, id))
        };
        assert_eq!(code_of(approve(&sender)), Some(Code::WrongState), "not one's own");
        assert_eq!(code_of(approve(&receiver)), Some(Code::Forbidden));
        approve(&Actor::system()).unwrap();
        assert_eq!(ground.counts(0, [Stock::Committed]), [5]);
        ship(&sender, small.id).unwrap();
        let got = [Received { variant: mug, pieces: 2, state: Stock::Available }];
        let id = small.id;
        let receive = |who: &Actor| {
            shop.run_as(who, move |tx, actor, world| inbound::receive(tx, actor, world, id, &got))
        };
        assert_eq!(code_of(receive(&sender)), Some(Code::Forbidden), "the receiver receives");
        receive(&receiver).unwrap();
    });
}

#[test]
fn what_is_written_off_needs_the_right_and_above_a_bound_a_second_person() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let (leeds, mug) = (ground.at(0), ground.mug);
        shop.run(move |tx, actor, world| {
            stock::set_value(tx, actor, world, mug, pounds(250))?;
            let currency = Currency::parse("GBP").expect("a currency");
            let bounds = Rule { location: leeds, currency, write_off_minor: Some(500), transfer_minor: None };
            rule::set(tx, actor, world, bounds)
        })
        .unwrap();
        let ada = colleague(1, leeds, &[Permission::WriteOff]);
        let bob = colleague(2, leeds, &[Permission::WriteOff]);
        let mover = colleague(3, leeds, &[Permission::MoveStock]);
        let off = |who: &Actor, pieces, from| {
            let new = NewWriteOff {
                variant: mug,
                location: leeds,
                from,
                quantity: Quantity::new(pieces).expect("a quantity"),
                reason: WriteOffReason::Scrapped,
                reference: None,
            };
            shop.run_as(who, move |tx, actor, world| write_off::ask(tx, actor, world, new.clone()))
        };
        let lose = |who: &Actor, pieces: i64| {
            let reason = AdjustReason::Lost;
            let input = Adjust { variant: mug, location: leeds, change: -pieces, reason, reference: None };
            shop.run_as(who, move |tx, actor, world| stock::adjust(tx, actor, world, input.clone()))
        };
        assert_eq!(code_of(off(&mover, 1, Stock::Available)), Some(Code::Forbidden));
        assert_eq!(code_of(lose(&mover, 1)), Some(Code::Forbidden));
        assert_eq!(code_of(off(&ada, 1, Stock::Committed)), Some(Code::Invalid), "promised goods stay");
        assert_eq!(off(&ada, 2, Stock::Available).unwrap().state, WriteOffState::Posted);
        lose(&ada, 2).unwrap();
        assert_eq!(code_of(lose(&ada, 3)), Some(Code::WrongState), "ask a second person");
        assert_eq!(ground.counts(0, [Stock::Available]), [6]);
        let asked = off(&ada, 3, Stock::Available).unwrap();
        assert_eq!((asked.state, ground.counts(0, [Stock::Available])), (WriteOffState::Asked, [6]));
        let id = asked.id;
        let agree = |who: &Actor| -> Result<WriteOff, Failure> {
            shop.run_as(who, move |tx, actor, world| write_off::approve(tx, actor, world, id))
        };
        assert_eq!(code_of(agree(&ada)), Some(Code::WrongState), "not one's own");
        assert_eq!(agree(&bob).unwrap().state, WriteOffState::Posted);
        assert_eq!(code_of(agree(&bob)), Some(Code::WrongState));
        assert_eq!(ground.counts(0, [Stock::Available]), [3]);
        let declined = off(&ada, 3, Stock::Available).unwrap().id;
        let end = shop.run_as(&bob, move |tx, actor, world| write_off::decline(tx, actor, world, declined));
        assert_eq!(
            (end.unwrap().state, ground.counts(0, [Stock::Available])),
            (WriteOffState::Declined, [3])
        );
        let waiting = shop.read(move |tx| {
            write_off::list(tx, &Actor::system(), (leeds, true), Id::from_bytes([255; 16]), 10)
        });
        assert!(waiting.unwrap().is_empty());
    });
}

#[test]
fn receiving_twice_at_once_receives_once_and_the_check_finds_what_is_not_so() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop);
        let id = ground.ask(&[(ground.mug, 4)]);
        ground.ship(id).unwrap();
        let received = thread::scope(|scope| {
            let tries: Vec<_> = (0..4)
                .map(|_| scope.spawn(|| ground.receive(id, &[(ground.mug, 4, Stock::Available)]).is_ok()))
                .collect();
            tries.into_iter().map(|one| one.join().expect("a colleague")).filter(|done| *done).count()
        });
        assert_eq!((received, ground.counts(1, [Stock::Available])), (1, [4]));
        let id = ground.ask(&[(ground.mug, 2)]);
        ground.ship(id).unwrap();
        let planted = shop.run(move |tx, _, _| {
            let mut one = store::transfer::find(tx, id)?.expect("the transfer order");
            one.lines[0].progress.arrived += 1;
            store::transfer::set_line(tx, id, &one.lines[0])?;
            let report = check(tx, [7; 32], &mut |_, _| ())?;
            one.lines[0].progress.arrived -= 1;
            store::transfer::set_line(tx, id, &one.lines[0])?;
            Ok::<_, Failure>(report.differences)
        });
        let found = planted.unwrap();
        assert_eq!((found.len(), found[0].check), (1, "commitments"), "{found:?}");
    });
}
