//! Something is not there, and the customer allows another in its place: swapped to the penny, never dearer, or not at all.

use domain::Code;
use domain::actor::Actor;
use domain::fulfilment::State;
use domain::fulfilment::substitute::Allowed;
use domain::order::State as OrderState;
use domain::stock::State as Stock;
use domain::value::Id;
use domain::value::id::{OrderLine, Variant};
use engine::Failure;
use engine::checkout::{self, Whole};
use engine::fulfilment::pick::Which;
use engine::fulfilment::substitute::{self, Consent, Swap};
use sim::on_every_engine;
use sim::retailer::a_variant;

use super::ground::{Ground, code_of};

fn set(ground: &Ground<'_>, variant: Id<Variant>, substitutes: &[Id<Variant>]) -> Result<(), Failure> {
    let substitutes = substitutes.to_vec();
    ground.shop.run(move |tx, actor, world| substitute::set(tx, actor, world, variant, &substitutes))
}

fn allow(
    ground: &Ground<'_>,
    which: Which,
    variant: Option<Id<Variant>>,
    allowed: Allowed,
    named: &[Id<Variant>],
) -> Result<(), Failure> {
    let consent = Consent { variant, allowed, named: named.to_vec() };
    ground.shop.run(move |tx, actor, world| {
        substitute::allow(tx, actor, world, which.0, std::slice::from_ref(&consent))
    })
}

fn swap(
    ground: &Ground<'_>,
    which: Which,
    line: Id<OrderLine>,
    by: Id<Variant>,
    quantity: i64,
) -> Result<Whole, Failure> {
    let swap = Swap { line, by, quantity, missing: true };
    ground.shop.run(move |tx, actor, world| checkout::substitute(tx, actor, world, which, &swap))
}

#[test]
fn a_cheaper_one_takes_its_place_and_the_difference_goes_back() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [3, 0, 0]);
        let (mug, retailer) = (ground.mug, &ground.retailer);
        let [plain, fine] = [("PLAIN", 400), ("FINE", 900)].map(|(sku, minor)| {
            let variant = retailer.sell(shop, sku, minor);
            retailer.stock(shop, variant, 0, 5);
            variant
        });
        set(&ground, mug, &[plain, fine]).unwrap();
        let whole = ground.order(3, None);
        let (which, line) = ((whole.order.id, whole.fulfilment_orders[0].id), whole.lines[0].id);
        assert_eq!(
            code_of(swap(&ground, which, line, plain, 1)),
            Some(Code::WrongState),
            "nothing is allowed yet"
        );
        allow(&ground, which, None, Allowed::Similar, &[]).unwrap();
        assert_eq!(code_of(swap(&ground, which, line, plain, 4)), Some(Code::WrongState), "three are wanted");
        assert_eq!(
            code_of(swap(&ground, which, line, mug, 1)),
            Some(Code::WrongState),
            "that is no substitute"
        );
        let first = swap(&ground, which, line, plain, 1).unwrap();
        assert_eq!((first.sums.refunded, first.sums.kept()), (100, 399 + 1400), "a pound less");
        let second = swap(&ground, which, line, fine, 1).unwrap();
        assert_eq!(second.sums.refunded, 100, "the finer one costs what was sold");
        let told: Vec<_> =
            second.lines.iter().map(|line| (line.sku.as_str(), line.gross, line.cancelled)).collect();
        assert_eq!(told, [("MUG", 1500, 2), ("PLAIN", 400, 0), ("FINE", 500, 0)]);
        assert_eq!(ground.counts(0), [0, 1, 0, 2]);
        assert_eq!([plain, fine].map(|variant| retailer.count(shop, variant, 0, Stock::Picked)), [1, 1]);
        let part = second.fulfilment_orders[0].clone();
        assert_eq!(
            (part.state, part.lines.iter().map(|line| line.quantity).sum::<i64>()),
            (State::Picking, 3)
        );
        let left = ground.leave(which.0, which.1, None).unwrap();
        assert_eq!((left.order.state, left.sums.kept()), (OrderState::Completed, left.sums.owed()));
    });
}

#[test]
fn only_what_the_customer_named_and_what_is_on_the_shelf() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [3, 0, 0]);
        let (mug, retailer) = (ground.mug, &ground.retailer);
        let [plain, fine] = ["PLAIN", "FINE"].map(|sku| retailer.sell(shop, sku, 400));
        retailer.stock(shop, plain, 0, 5);
        set(&ground, mug, &[fine, plain]).unwrap();
        let whole = ground.order(2, None);
        let (which, line) = ((whole.order.id, whole.fulfilment_orders[0].id), whole.lines[0].id);
        assert_eq!(
            code_of(allow(&ground, which, Some(mug), Allowed::Named, &[])),
            Some(Code::Invalid),
            "name one"
        );
        allow(&ground, which, None, Allowed::Similar, &[]).unwrap();
        allow(&ground, which, Some(mug), Allowed::Named, &[fine]).unwrap();
        assert_eq!(code_of(swap(&ground, which, line, plain, 1)), Some(Code::WrongState), "not named");
        assert_eq!(code_of(swap(&ground, which, line, fine, 1)), Some(Code::OutOfStock), "not there");
        allow(&ground, which, Some(mug), Allowed::None, &[]).unwrap();
        assert_eq!(
            code_of(swap(&ground, which, line, fine, 1)),
            Some(Code::WrongState),
            "the customer thought again"
        );
        assert_eq!(ground.counts(0), [1, 2, 0, 0], "nothing moved");
    });
}

#[test]
fn what_is_no_substitute_is_refused_each_by_its_place() {
    on_every_engine(|shop| {
        let ground = Ground::open(shop, [3, 0, 0]);
        let (mug, retailer) = (ground.mug, &ground.retailer);
        let kit = retailer.sell_kit(shop, "SET", &[(mug, 2)], 900);
        let grams = engine::catalogue::NewVariant { unit: domain::value::Unit::Gram, ..a_variant("TEA") };
        let tea = retailer.sell_variant(shop, grams, 1);
        let refused = set(&ground, mug, &[mug, kit, tea]).unwrap_err();
        assert_eq!(code_of(Err::<(), _>(refused)), Some(Code::Invalid));
        set(&ground, mug, &[]).unwrap();
        assert!(shop.read(move |tx| substitute::of_variant(tx, &Actor::system(), mug)).unwrap().is_empty());
    });
}
