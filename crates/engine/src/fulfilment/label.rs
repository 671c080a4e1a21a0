//! What is printed for a parcel: the label, and the packing slip. Both are drawn anew each time, so no name or address is kept with them.

use domain::actor::{Actor, Permission};
use domain::delivery::Kind;
use domain::fulfilment::label::Label;
use domain::fulfilment::parcel::{Label as State, State as Standing};
use domain::value::{Address, Id, LocalDay};
use domain::{Code, Refusal};
use store::Tx;
use store::fulfilment::parcel as rows;
use store::location::Location;

use super::carrier;
use super::parcel::{Parcel, Which, find_one};
use super::pick::Which as PartOf;
use crate::order::{self, Order};
use crate::{Failure, World, contact};

/// A packing slip.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Slip {
    /// The order's number, and which parcel of it this is.
    pub reference: String,
    /// Who sends, line by line.
    pub from: Vec<String>,
    /// Who receives, line by line; empty for who may not read contacts.
    pub to: Vec<String>,
    /// The tracking number.
    pub tracking: Option<String>,
    /// What is in it: SKU, title, how many.
    pub lines: Vec<(String, String, i64)>,
}

/// The label of a parcel. Reading whom it goes to is noted in the audit trail.
///
/// # Errors
/// [`Code::WrongState`] without a label; [`Code::Forbidden`] for who may not read contacts.
pub fn label(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, which: Which) -> Result<Label, Failure> {
    let printed = begin(tx, actor, which)?;
    let parcel = &printed.parcel;
    let tracking = parcel.tracking.clone().filter(|_| parcel.label == State::Ready);
    let tracking = tracking.ok_or_else(|| {
        let message = format!("parcel {} has no label: it is {}", parcel.id, parcel.label.text());
        Refusal::new(Code::WrongState, message)
    })?;
    let contact = printed.order.contact.ok_or_else(|| {
        Refusal::new(Code::WrongState, format!("order {} goes to nobody in particular", printed.order.number))
    })?;
    let card = contact::read(tx, actor, world, contact)?;
    let home = printed.place.address.as_ref().map(Address::country);
    let to = card.address().map_or_else(
        || card.text().name.clone().into_iter().collect(),
        |address| address.label(home.unwrap_or(address.country())),
    );
    let carrier = match parcel.carrier {
        Some(id) => carrier::load(tx, id)?.name,
        None => String::new(),
    };
    let carrier = [carrier, parcel.service.clone().unwrap_or_default()].join(" ").trim().to_owned();
    let weight = format!("{}.{:03} kg", parcel.size.weight_grams / 1000, parcel.size.weight_grams % 1000);
    Ok(Label { from: from(&printed.place), to, carrier, reference: printed.reference(), weight, tracking })
}

/// The packing slip of a parcel; with the name and address only for who may read contacts.
///
/// # Errors
/// [`Code::NotFound`], [`Code::Forbidden`]; [`Code::WrongState`] for a parcel that was unpacked.
pub fn slip(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, which: Which) -> Result<Slip, Failure> {
    let printed = begin(tx, actor, which)?;
    if printed.parcel.state == Standing::Void {
        let message = format!("parcel {} was unpacked: nothing goes along with it", printed.parcel.id);
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let mut to = Vec::new();
    if let Some(contact) =
        printed.order.contact.filter(|_| actor.may_somewhere(Permission::ReadContacts).is_ok())
    {
        let card = contact::read(tx, actor, world, contact)?;
        let address = card.address().map(|address| address.label(address.country()));
        to = address.unwrap_or_else(|| card.text().name.clone().into_iter().collect());
    }
    let variants: Vec<_> = printed.parcel.lines.iter().map(|line| line.variant).collect();
    let variants = store::catalogue::variants(tx, &variants)?;
    let line = |line: &rows::Line| {
        let known = variants.iter().find(|variant| variant.id == line.variant);
        let (sku, title) =
            known.map_or_else(Default::default, |known| (known.sku.clone(), known.title.clone()));
        (sku, title, line.quantity)
    };
    let lines = printed.parcel.lines.iter().map(line).collect();
    Ok(Slip {
        reference: printed.reference(),
        from: from(&printed.place),
        to,
        tracking: printed.parcel.tracking.clone(),
        lines,
    })
}

/// What is stuck on goods that wait for their customer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bag {
    /// The order's number, which is also the barcode.
    pub number: String,
    /// Whose they are; nobody for who may not read contacts.
    pub name: Option<String>,
    /// Where they wait.
    pub place: String,
    /// How many pieces there are.
    pub pieces: i64,
    /// The last day on which they wait, once they are ready.
    pub collect_by: Option<LocalDay>,
}

/// The label for goods that are collected. The pickup code does not stand on it: that is the customer's to show.
///
/// # Errors
/// [`Code::WrongState`] unless the goods are at the location where they are collected.
pub fn bag(tx: &mut Tx<'_>, actor: &Actor, world: &mut World, which: PartOf) -> Result<Bag, Failure> {
    let order = order::find(tx, which.0)?;
    let part = super::find(tx, actor, &order, which.1)?;
    if part.kind != Kind::Pickup || !part.state.is_at_location() {
        let message =
            format!("fulfilment order {} is {} and waits for nobody here", part.id, part.state.text());
        return Err(Refusal::new(Code::WrongState, message).into());
    }
    let location = super::location_of(&part)?;
    let place =
        store::location::find(tx, location)?.ok_or_else(|| Refusal::not_found("location", location))?;
    let name = match order.contact.filter(|_| actor.may_somewhere(Permission::ReadContacts).is_ok()) {
        Some(contact) => contact::read(tx, actor, world, contact)?.text().name.clone(),
        None => None,
    };
    Ok(Bag {
        number: order.number,
        name,
        pieces: part.lines.iter().map(|line| line.quantity).sum(),
        collect_by: part.collect_by.map(|at| LocalDay::of(at, &place.zone)),
        place: place.name,
    })
}

/// What is needed for whatever is printed.
struct Printed {
    order: Order,
    parcel: Parcel,
    place: Location,
    number: usize,
    of: usize,
}

impl Printed {
    fn reference(&self) -> String {
        format!("{} · {}/{}", self.order.number, self.number, self.of)
    }
}

fn begin(tx: &mut Tx<'_>, actor: &Actor, (order, id): Which) -> Result<Printed, Failure> {
    let order = order::find(tx, order)?;
    let (parcel, _) = find_one(tx, actor, &order, id)?;
    let place = store::location::find(tx, parcel.location)?
        .ok_or_else(|| Refusal::not_found("location", parcel.location))?;
    let ids: Vec<Id<_>> = rows::of_order(tx, order.id)?
        .into_iter()
        .filter(|one| one.state != Standing::Void || one.id == id)
        .map(|one| one.id)
        .collect();
    let number = ids.iter().position(|one| *one == id).map_or(1, |place| place + 1);
    Ok(Printed { order, parcel, place, number, of: ids.len() })
}

/// A location as it stands on labels, line by line.
pub(crate) fn from(place: &Location) -> Vec<String> {
    let mut lines = vec![place.name.clone()];
    lines.extend(place.address.iter().flat_map(|address| address.label(address.country())));
    lines
}
