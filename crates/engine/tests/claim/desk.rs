//! The desk at which claims are made and decided.

use domain::actor::Actor;
use domain::market::CapturePolicy;
use domain::returns::claim::{Kind, Remedy};
use domain::returns::policy::{Scope, Terms};
use domain::returns::{Condition, State as ReturnState};
use domain::stock::{self, State as Stock};
use domain::value::Id;
use domain::value::id::{self, OrderLine};
use engine::Failure;
use engine::checkout::{self, Leaving, Whole};
use engine::fulfilment::visit;
use engine::fulfilment::visit::Proof;
use engine::returns::claim::resolve::{self, Resolve};
use engine::returns::claim::{self, Claim, Request};
use engine::returns::policy::{self, Draft};
use engine::returns::{self, Back, BackLine, Return, Wish};
use sim::TestShop;

use crate::changing::Ground;

pub struct Desk<'a> {
    pub ground: Ground<'a>,
}

impl<'a> Desk<'a> {
    pub fn open(shop: &'a TestShop) -> Desk<'a> {
        Desk::with(shop, CapturePolicy::AtOrder)
    }

    pub fn with(shop: &'a TestShop, capture_policy: CapturePolicy) -> Desk<'a> {
        Desk { ground: Ground::with(shop, capture_policy) }
    }

    /// So many mugs that were sent: the order and its line.
    pub fn shipped(&self, mugs: i64) -> (Id<id::Order>, Id<OrderLine>) {
        let whole = self.ground.order(mugs, None);
        for part in &whole.fulfilment_orders {
            self.ground.ship(whole.order.id, part.id).expect("shipped");
        }
        (whole.order.id, whole.lines[0].id)
    }

    /// What is collected is handed over.
    pub fn hand_over(&self, whole: &Whole) {
        let (order, part) = (whole.order.id, whole.fulfilment_orders[0].id);
        let done = self.ground.shop.run(move |tx, actor, world| {
            visit::ready(tx, actor, world, (order, part))?;
            let seen = Proof::Seen("driving licence".into());
            let leaving = Leaving { proof: (Some(seen), None), ..Leaving::default() };
            checkout::fulfil(tx, actor, world, order, part, leaving)
        });
        done.expect("handed over");
    }

    pub fn write(&self, terms: Terms) {
        let written = self.ground.shop.run(move |tx, actor, world| {
            let draft = Draft {
                name: "Standard".into(),
                scope: Scope::default(),
                active: true,
                terms: terms.clone(),
            };
            policy::create(tx, actor, world, "standard".into(), draft)
        });
        written.expect("a policy");
    }

    pub fn request(&self, order: Id<id::Order>, kind: Kind, lines: &[(Id<OrderLine>, i64)]) -> Request {
        Request {
            order,
            kind,
            parcel: None,
            reason: "damaged".into(),
            evidence: None,
            lines: lines.to_vec(),
            wished: None,
            override_reason: None,
            external_id: None,
        }
    }

    pub fn ask_as(&self, actor: &Actor, request: Request) -> Result<Claim, Failure> {
        self.ground
            .shop
            .run_as(actor, move |tx, actor, world| claim::request(tx, actor, world, request.clone()))
    }

    pub fn ask(&self, request: Request) -> Result<Claim, Failure> {
        self.ask_as(&Actor::system(), request)
    }

    pub fn claim(
        &self,
        order: Id<id::Order>,
        kind: Kind,
        lines: &[(Id<OrderLine>, i64)],
    ) -> Result<Claim, Failure> {
        self.ask(self.request(order, kind, lines))
    }

    pub fn resolve(&self, id: Id<id::Claim>, remedy: Remedy) -> Result<Claim, Failure> {
        self.resolve_with(id, remedy, Vec::new(), Wish::default())
    }

    pub fn resolve_with(
        &self,
        id: Id<id::Claim>,
        remedy: Remedy,
        amounts: Vec<(Id<OrderLine>, i64)>,
        wish: Wish,
    ) -> Result<Claim, Failure> {
        let how = Resolve { remedy, amounts, wish, location: None };
        self.ground.shop.run(move |tx, actor, world| resolve::resolve(tx, actor, world, (id, how.clone())))
    }

    pub fn decline(&self, id: Id<id::Claim>) -> Result<Claim, Failure> {
        let no = Some("no damage seen".to_owned());
        self.ground.shop.run(move |tx, actor, world| claim::decide(tx, actor, world, (id, no.clone())))
    }

    pub fn withdraw_as(&self, actor: &Actor, id: Id<id::Claim>) -> Result<Claim, Failure> {
        self.ground.shop.run_as(actor, move |tx, actor, world| claim::withdraw(tx, actor, world, id))
    }

    pub fn read(&self, id: Id<id::Claim>) -> Claim {
        self.ground.shop.read(move |tx| claim::read(tx, &Actor::system(), id)).expect("the claim")
    }

    /// Goods that are brought back over the counter.
    pub fn bring_back(
        &self,
        order: Id<id::Order>,
        line: Id<OrderLine>,
        quantity: i64,
    ) -> Result<Return, Failure> {
        let back = Back {
            order,
            location: self.ground.retailer.locations[0],
            reason: "changed_mind".into(),
            lines: vec![BackLine { line, quantity, condition: Condition::Resellable }],
            wish: Wish::default(),
            external_id: None,
        };
        let taken = self
            .ground
            .shop
            .run(move |tx, actor, world| returns::take_back(tx, actor, world, back.clone()))?;
        assert_eq!(taken.state, ReturnState::Refunded);
        Ok(taken)
    }

    pub fn taken(&self, id: Id<id::Return>) -> Return {
        self.ground.shop.read(move |tx| returns::read(tx, &Actor::system(), id)).expect("the return")
    }

    /// How many mugs the world's side of a state has.
    pub fn world(&self, state: Stock) -> i64 {
        let mug = self.ground.mug;
        let read = move |tx: &mut store::Tx<'_>| {
            Ok::<_, Failure>(store::ledger::balance(tx, engine::stock::book_of(mug), stock::world(state))?)
        };
        self.ground.shop.read(read).expect("a balance")
    }
}
