//! Parcels: picked goods are packed into one or several, each with its label and tracking number; some may leave while the rest stays.

use domain::actor::Actor;
use domain::delivery::Kind;
use domain::fulfilment::State as Part;
use domain::fulfilment::parcel::{
    CarrierKind, EDGE_MM_MAX, Label, Size, State, WEIGHT_GRAMS_MAX, collected_on,
};
use domain::value::Id;
use domain::value::id::{self, Order as OrderKind};
use domain::{Code, Refusal, order::number};
use serde_json::json;
use store::Tx;
use store::fulfilment::parcel as rows;
use store::fulfilment::{self as parts, carrier as carriers};

pub use store::fulfilment::parcel::{Line, Parcel, Told, Which};

use super::carrier::{self, Carrier};
use super::pick::{Counted, Which as PartOf, begin};
use super::{FulfilmentOrder, find, go_to, location_of, tell, track};
use crate::event::emit;
use crate::{Failure, World, order};

/// The most parcels of one order.
const PARCELS_MAX: usize = 100;
/// How often a tracking number of our own is drawn again that is taken.
const DRAWS_MAX: usize = 8;

/// A parcel to be packed.
#[derive(Clone, Debug, Default)]
pub struct NewParcel {
    /// What goes into it; everything picked that is in no parcel yet when `None`.
    pub goods: Option<Counted>,
    /// What it weighs in grams; the sum of what its goods weigh when `None`.
    pub weight_grams: Option<i64>,
    /// Its edges in millimetres.
    pub edges_mm: Option<(i64, i64, i64)>,
    /// Who carries it.
    pub carrier: Option<Id<id::Carrier>>,
    /// By which service; the cheapest of the carrier's when `None`.
    pub service: Option<String>,
}

/// Packs picked goods into a parcel. A carrier is asked for its label after the commit.
///
/// # Errors
/// [`Code::WrongState`] unless the goods are picked, in no parcel yet, and leave by parcel; [`Code::Invalid`] for a size or service that
/// cannot be.
pub fn pack(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    which: PartOf,
    new: &NewParcel,
) -> Result<Parcel, Failure> {
    let (_, mut one) = begin(tx, actor, which)?;
    let location = location_of(&one)?;
    if one.kind != Kind::Ship || !one.state.is_at_location() || one.on_hold.is_some() {
        let message =
            format!("fulfilment order {} is {} and not to be packed into parcels", one.id, one.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let all = rows::of_order(tx, one.order)?;
    if all.len() >= PARCELS_MAX {
        return Err(
            Refusal::new(Code::WrongState, format!("an order has at most {PARCELS_MAX} parcels")).into()
        );
    }
    let lines = goods(&one, &all, new.goods.as_ref())?;
    let size = size(tx, new, &lines)?;
    let mut parcel = Parcel {
        order: one.order,
        id: world.id(),
        fulfilment_order: one.id,
        location,
        state: State::Packed,
        size,
        carrier: new.carrier,
        service: new.service.clone(),
        label: Label::None,
        tracking: None,
        reference: None,
        failure: None,
        collected_on: None,
        tracked: None,
        attempts: 0,
        manifest: None,
        made_at: world.now(),
        left_at: None,
        ended_at: None,
        lost_at: None,
        lines,
    };
    if let Some(carrier) = new.carrier {
        give_to(tx, world, &mut parcel, carrier)?;
    }
    rows::add(tx, &parcel)?;
    let body = json!({ "parcel": parcel.id.to_string(), "fulfilment_order": one.id.to_string(), "weight_grams": size.weight_grams, "tracking": parcel.tracking });
    emit(tx, actor, world, one.order, "parcel.packed", body);
    let packed = free(&one, &rows::of_order(tx, one.order)?).iter().all(|line| line.quantity == 0);
    let picked = one.lines.iter().all(|line| line.picked == line.quantity);
    if packed && picked && one.state.leads_to(Part::Packed) {
        go_to(&mut one, Part::Packed)?;
        parts::update(tx, &one)?;
        tell(tx, actor, world, &one, "fulfilment.packed");
    }
    Ok(parcel)
}

/// What of each line is picked and in no parcel yet.
fn free(one: &FulfilmentOrder, all: &[Parcel]) -> Vec<Line> {
    let packed = |line: &super::Line| -> i64 {
        let own = all.iter().filter(|parcel| parcel.fulfilment_order == one.id && parcel.state.holds_goods());
        let pieces = own.flat_map(|parcel| &parcel.lines);
        pieces
            .filter(|piece| (piece.line, piece.variant) == (line.line, line.variant))
            .map(|piece| piece.quantity)
            .sum()
    };
    let line = |line: &super::Line| Line {
        line: line.line,
        variant: line.variant,
        quantity: (line.picked - packed(line)).max(0),
    };
    one.lines.iter().map(line).collect()
}

/// The goods of a parcel, line by line.
fn goods(one: &FulfilmentOrder, all: &[Parcel], named: Option<&Counted>) -> Result<Vec<Line>, Refusal> {
    let mut free = free(one, all);
    let Some(named) = named else {
        free.retain(|line| line.quantity > 0);
        if free.is_empty() {
            let message = "nothing is picked that is in no parcel yet";
            return Err(Refusal::new(Code::WrongState, message));
        }
        return Ok(free);
    };
    let mut lines: Vec<Line> = Vec::new();
    for (place, (variant, quantity)) in named.iter().enumerate() {
        let mut left = *quantity;
        for line in free.iter_mut().filter(|line| line.variant == *variant && line.quantity > 0) {
            let part = line.quantity.min(left);
            if part > 0 {
                line.quantity -= part;
                left -= part;
                match lines.iter_mut().find(|known| (known.line, known.variant) == (line.line, line.variant))
                {
                    Some(known) => known.quantity += part,
                    None => lines.push(Line { quantity: part, ..*line }),
                }
            }
        }
        if *quantity < 1 || left > 0 {
            let message =
                format!("{} of {variant} are picked and in no parcel, {quantity} named", quantity - left);
            return Err(Refusal::new(Code::WrongState, message).at(format!("lines.{place}.quantity")));
        }
    }
    if lines.is_empty() { Err(Refusal::invalid("lines", "name what goes into it")) } else { Ok(lines) }
}

/// How heavy and large a parcel is; what its goods weigh when nobody weighed it.
fn size(tx: &mut Tx<'_>, new: &NewParcel, lines: &[Line]) -> Result<Size, Failure> {
    let mut refusals = Vec::new();
    if let Some((length, width, height)) = new.edges_mm {
        for (field, edge) in [("length_mm", length), ("width_mm", width), ("height_mm", height)] {
            if !(1..=EDGE_MM_MAX).contains(&edge) {
                refusals.push(Refusal::invalid(field, format!("give 1 to {EDGE_MM_MAX}")));
            }
        }
    }
    let weight_grams = match new.weight_grams {
        Some(grams) => Some(grams),
        None => {
            let ids: Vec<_> = lines.iter().map(|line| line.variant).collect();
            let variants = store::catalogue::variants(tx, &ids)?;
            let each = |line: &Line| {
                let variant = variants.iter().find(|variant| variant.id == line.variant);
                variant.and_then(|variant| variant.weight_grams)?.checked_mul(line.quantity)
            };
            lines.iter().map(each).sum::<Option<i64>>().filter(|grams| *grams > 0)
        }
    };
    match weight_grams {
        Some(grams) if (1..=WEIGHT_GRAMS_MAX).contains(&grams) => {}
        Some(_) => refusals.push(Refusal::invalid("weight_grams", format!("give 1 to {WEIGHT_GRAMS_MAX}"))),
        None => {
            refusals.push(Refusal::invalid("weight_grams", "weigh it: the weight of its goods is not known"))
        }
    }
    match (Refusal::all(refusals), weight_grams) {
        (None, Some(weight_grams)) => Ok(Size { weight_grams, edges_mm: new.edges_mm }),
        (Some(refusal), _) => Err(refusal.into()),
        (None, None) => unreachable!("an unknown weight is refused"),
    }
}

/// Gives a parcel to a carrier: our own van has a label at once, others are asked for it after the commit.
fn give_to(
    tx: &mut Tx<'_>,
    world: &mut World,
    parcel: &mut Parcel,
    id: Id<id::Carrier>,
) -> Result<(), Failure> {
    let carrier = carrier::load(tx, id)?;
    if !carrier.active {
        return Err(Refusal::invalid("carrier", format!("\"{}\" is not in use", carrier.code)).into());
    }
    if let Some(service) = parcel.service.as_ref().filter(|service| !carrier.services.contains(service)) {
        let message = format!(
            "\"{}\" has no service \"{service}\"; it has {}",
            carrier.code,
            carrier.services.join(", ")
        );
        return Err(Refusal::invalid("service", message).into());
    }
    let place = store::location::find(tx, parcel.location)?
        .ok_or_else(|| Refusal::not_found("location", parcel.location))?;
    parcel.collected_on = collected_on(&carrier.collections, world.now(), &place.zone);
    match carrier.kind {
        CarrierKind::OwnVan => {
            parcel.label = Label::Ready;
            parcel.tracking = Some(own_number(tx, world, &carrier, parcel)?);
        }
        CarrierKind::Test => {
            parcel.label = Label::Asked;
            track::ask_soon(tx, world, track::Operation::Label, (parcel.order, parcel.id))?;
        }
    }
    Ok(())
}

/// A tracking number of our own that no other parcel has.
fn own_number(
    tx: &mut Tx<'_>,
    world: &mut World,
    carrier: &Carrier,
    parcel: &Parcel,
) -> Result<String, Failure> {
    for _ in 0..DRAWS_MAX {
        let drawn = number(world.bytes());
        if carriers::add_tracking(tx, carrier.id, &drawn, (parcel.order, parcel.id))? {
            return Ok(drawn);
        }
    }
    Err(tx.begin_anew().into())
}

/// A parcel of an order, and the fulfilment order it belongs to, for who may work on it. The order is locked.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`].
pub fn find_one(
    tx: &mut Tx<'_>,
    actor: &Actor,
    order: &order::Order,
    id: Id<id::Parcel>,
) -> Result<(Parcel, FulfilmentOrder), Failure> {
    let found = rows::of_order(tx, order.id)?.into_iter().find(|one| one.id == id);
    let parcel = found.ok_or_else(|| Refusal::not_found("parcel", id))?;
    let one = find(tx, actor, order, parcel.fulfilment_order)?;
    Ok((parcel, one))
}

/// A parcel that has not left is unpacked: its goods are free for another one, and its label is given back.
///
/// # Errors
/// [`Code::WrongState`] when it has left.
pub fn unpack(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, id): Which,
) -> Result<Parcel, Failure> {
    let order = order::lock(tx, order)?;
    let (mut parcel, _) = find_one(tx, actor, &order, id)?;
    must_be(&parcel, State::Packed)?;
    void(tx, actor, world, &mut parcel)?;
    Ok(parcel)
}

fn void(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, parcel: &mut Parcel) -> Result<(), Failure> {
    parcel.state = State::Void;
    parcel.ended_at = Some(world.now());
    if parcel.label == Label::Ready {
        track::give_label_back(tx, world, parcel)?;
    }
    rows::update(tx, parcel)?;
    let body =
        json!({ "parcel": parcel.id.to_string(), "fulfilment_order": parcel.fulfilment_order.to_string() });
    emit(tx, actor, world, parcel.order, "parcel.voided", body);
    Ok(())
}

/// Asks the carrier again for the label of a parcel that it refused.
///
/// # Errors
/// [`Code::WrongState`] unless it refused and the parcel has not left.
pub fn ask_again(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    (order, id): Which,
) -> Result<Parcel, Failure> {
    let order = order::lock(tx, order)?;
    let (mut parcel, _) = find_one(tx, actor, &order, id)?;
    must_be(&parcel, State::Packed)?;
    if parcel.label != Label::Failed {
        let message =
            format!("the label is {}; only one that was refused is asked for again", parcel.label.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    parcel.label = Label::Asked;
    parcel.failure = None;
    rows::update(tx, &parcel)?;
    track::ask_soon(tx, world, track::Operation::Label, (parcel.order, parcel.id))?;
    Ok(parcel)
}

/// Refuses unless a parcel stands here.
pub(crate) fn must_be(parcel: &Parcel, state: State) -> Result<(), Refusal> {
    if parcel.state == state {
        return Ok(());
    }
    let message = format!("parcel {} is {}", parcel.id, parcel.state.text());
    Err(Refusal::new(Code::WrongState, message))
}

/// Unpacks the parcels of a fulfilment order that hold more than it still has, the last packed first: goods were cancelled or refused.
pub(super) fn fit(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    one: &FulfilmentOrder,
) -> Result<(), Failure> {
    let mut packed = rows::of_order(tx, one.order)?;
    packed.retain(|parcel| parcel.fulfilment_order == one.id && parcel.state == State::Packed);
    let has = |line: &Line| -> i64 {
        let own = one.lines.iter().find(|own| (own.line, own.variant) == (line.line, line.variant));
        own.filter(|_| one.state.is_at_location()).map_or(0, |own| own.picked)
    };
    while let Some(last) = packed.last() {
        let fits = last.lines.iter().all(|line| {
            let same = |piece: &&Line| (piece.line, piece.variant) == (line.line, line.variant);
            let held: i64 =
                packed.iter().flat_map(|parcel| &parcel.lines).filter(same).map(|piece| piece.quantity).sum();
            held <= has(line)
        });
        let Some(mut parcel) = packed.pop() else { break };
        if !fits {
            void(tx, actor, world, &mut parcel)?;
        }
    }
    Ok(())
}

/// Unpacks every parcel of an order that has not left: it goes to somebody or somewhere else, so what was packed needs another label.
pub(crate) fn unpack_all(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    order: Id<OrderKind>,
) -> Result<(), Failure> {
    for mut parcel in rows::of_order(tx, order)?.into_iter().filter(|one| one.state == State::Packed) {
        void(tx, actor, world, &mut parcel)?;
    }
    Ok(())
}

/// A parcel leaves with its fulfilment order, which has left. The order is locked.
pub(crate) fn left(
    tx: &mut Tx<'_>,
    actor: &Actor,
    world: &mut World,
    parcel: &mut Parcel,
    (part, tracking): (Id<id::FulfilmentOrder>, Option<&String>),
) -> Result<(), Failure> {
    must_be(parcel, State::Packed)?;
    if matches!(parcel.label, Label::Asked | Label::Failed) {
        let message = format!(
            "the label of parcel {} is {}: it cannot leave without one",
            parcel.id,
            parcel.label.text()
        );
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    parcel.state = State::Shipped;
    parcel.fulfilment_order = part;
    parcel.left_at = Some(world.now());
    parcel.tracking = parcel.tracking.take().or_else(|| tracking.cloned());
    rows::update(tx, parcel)?;
    let body = json!({ "parcel": parcel.id.to_string(), "fulfilment_order": part.to_string(), "tracking": parcel.tracking });
    emit(tx, actor, world, parcel.order, "parcel.shipped", body);
    track::follow(tx, actor, world, parcel)
}

/// The parcels of a fulfilment order that leaves as a whole; everything of it must be in one of them, if any is.
///
/// # Errors
/// [`Code::WrongState`] when goods are in no parcel.
pub(crate) fn of_whole(tx: &mut Tx<'_>, one: &FulfilmentOrder) -> Result<Vec<Parcel>, Failure> {
    let mut packed = rows::of_order(tx, one.order)?;
    packed.retain(|parcel| parcel.fulfilment_order == one.id && parcel.state == State::Packed);
    let held: i64 = packed.iter().flat_map(|parcel| &parcel.lines).map(|line| line.quantity).sum();
    let pieces: i64 = one.lines.iter().map(|line| line.quantity).sum();
    if !packed.is_empty() && held < pieces {
        let message =
            format!("{} pieces are in no parcel: pack them, or ship the parcels one by one", pieces - held);
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    Ok(packed)
}

/// Does a parcel hold everything of its fulfilment order?
pub(crate) fn holds_all(parcel: &Parcel, one: &FulfilmentOrder) -> bool {
    let held: i64 = parcel.lines.iter().map(|line| line.quantity).sum();
    held == one.lines.iter().map(|line| line.quantity).sum::<i64>()
}

/// The parcels of an order that the asker may see, in the order they were packed.
///
/// # Errors
/// [`Code::NotFound`].
pub fn list(tx: &mut Tx<'_>, actor: &Actor, order: Id<OrderKind>) -> Result<Vec<Parcel>, Failure> {
    let order = order::find(tx, order)?;
    order::may_see(tx, actor, &order)?;
    Ok(rows::of_order(tx, order.id)?)
}

/// A parcel with what was told of it on its way.
///
/// # Errors
/// [`Code::NotFound`].
pub fn read(tx: &mut Tx<'_>, actor: &Actor, (order, id): Which) -> Result<(Parcel, Vec<Told>), Failure> {
    let found = list(tx, actor, order)?.into_iter().find(|one| one.id == id);
    let parcel = found.ok_or_else(|| Refusal::not_found("parcel", id))?;
    let told = rows::told(tx, (order, id))?;
    Ok((parcel, told))
}
