//! Who somebody is: the customer or profile that stands for a person now, and everything the person is known by.

use std::collections::BTreeMap;

use domain::Refusal;
use domain::segment::Subject;
use domain::value::Id;
use domain::value::id::{Customer, Profile};
use store::Tx;
use store::segment::{Segment, facts as rows};

use crate::Failure;

/// A person as named by a caller: any customer's or profile's id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Named {
    /// A customer, who may have been merged into another.
    Customer(Id<Customer>),
    /// Any of a person's profiles.
    Profile(Id<Profile>),
}

impl From<Subject> for Named {
    fn from(subject: Subject) -> Named {
        match subject {
            Subject::Customer(id) => Named::Customer(id),
            Subject::Profile(id) => Named::Profile(id),
        }
    }
}

impl Named {
    /// Reads an id in text.
    ///
    /// # Errors
    /// [`domain::Code::NotFound`] when it is neither a customer's nor a profile's.
    pub fn read(text: &str) -> Result<Named, Refusal> {
        let customer = Id::parse(text).map(Named::Customer);
        let named = customer.or_else(|_| Id::parse(text).map(Named::Profile));
        named.map_err(|_| Refusal::not_found("customer or profile", text))
    }
}

/// Who a person is now; whoever was merged is whom he was merged into, and a profile of a customer is that customer.
///
/// # Errors
/// [`domain::Code::NotFound`].
pub fn of(tx: &mut Tx<'_>, named: Named) -> Result<Subject, Failure> {
    Ok(find(tx, named)?.ok_or_else(|| unknown(named))?)
}

/// As [`of`], with what the person is made of, and these segments. Whoever is named mostly stands for himself, so all is read at once without
/// asking first who does.
///
/// # Errors
/// As [`of`].
pub(super) fn whole(
    tx: &mut Tx<'_>,
    named: Named,
    segments: &[rows::Key],
) -> Result<(Subject, Atoms, Vec<Segment>), Failure> {
    let himself = match named {
        Named::Customer(id) => Subject::Customer(id),
        Named::Profile(_) => of(tx, named)?,
    };
    let (found, segments) = atoms_and(tx, &[himself], segments)?;
    if !himself.is_customer() || found.standing == [himself] {
        return Ok((himself, found, segments));
    }
    let other = of(tx, named)?;
    Ok((other, atoms(tx, &[other])?, segments))
}

fn unknown(named: Named) -> Refusal {
    match named {
        Named::Customer(id) => Refusal::not_found("customer", id),
        Named::Profile(id) => Refusal::not_found("profile", id),
    }
}

/// As [`of`]; `None` when there is nobody.
///
/// # Errors
/// What the store says.
pub(super) fn find(tx: &mut Tx<'_>, named: Named) -> Result<Option<Subject>, Failure> {
    let customer = match named {
        Named::Customer(id) => id,
        Named::Profile(id) => match rows::roots(tx, &[id.bytes()])?.pop() {
            None => return Ok(None),
            Some((_, root, None)) => return Ok(Some(Subject::Profile(Id::from_bytes(root)))),
            Some((_, _, Some(customer))) => Id::from_bytes(customer),
        },
    };
    let now = store::customer::standing_for(tx, customer)?;
    Ok(now.map(Subject::Customer))
}

/// What people are made of: the ids of customers and profiles, each with the place of the person in the list given.
#[derive(Debug, Default)]
pub(super) struct Atoms {
    /// Customers: the id, the person's place, and whether it is the customer itself and not one merged into it.
    pub customers: Vec<(rows::Key, usize, bool)>,
    /// Profiles.
    pub profiles: Vec<(rows::Key, usize)>,
    /// Customers themselves: place, since when, and whether erased.
    pub made: Vec<(usize, domain::value::Instant, bool)>,
    /// Those of the customers who stand for themselves.
    pub standing: Vec<Subject>,
}

/// What these people are made of.
pub(super) fn atoms(tx: &mut Tx<'_>, subjects: &[Subject]) -> Result<Atoms, Failure> {
    Ok(atoms_and(tx, subjects, &[])?.0)
}

/// As [`atoms`], and these segments.
fn atoms_and(
    tx: &mut Tx<'_>,
    subjects: &[Subject],
    segments: &[rows::Key],
) -> Result<(Atoms, Vec<Segment>), Failure> {
    let mut atoms = Atoms::default();
    let parted = |customers: bool| -> Vec<rows::Key> {
        subjects.iter().filter(|one| one.is_customer() == customers).map(|one| one.bytes()).collect()
    };
    let (customers, roots) = (parted(true), parted(false));
    let index: BTreeMap<rows::Key, usize> =
        subjects.iter().enumerate().map(|(place, one)| (one.bytes(), place)).collect();
    let mut found = Vec::new();
    if !(customers.is_empty() && segments.is_empty()) {
        let (of_customers, named) = rows::customers(tx, &customers, segments)?;
        found = named;
        for (id, into, made_at, erased) in of_customers.people {
            if let Some(place) = index.get(&id) {
                atoms.customers.push((id, *place, true));
                atoms.made.push((*place, made_at, erased || into.is_some()));
                atoms.standing.extend(into.is_none().then(|| subjects[*place]));
            } else if let Some(place) = into.and_then(|into| index.get(&into)) {
                atoms.customers.push((id, *place, false));
            }
        }
        let whose: BTreeMap<rows::Key, usize> =
            atoms.customers.iter().map(|(id, place, _)| (*id, *place)).collect();
        let known = of_customers.profiles.into_iter();
        atoms
            .profiles
            .extend(known.filter_map(|(customer, profile)| Some((profile, *whose.get(&customer)?))));
    }
    if !roots.is_empty() {
        for (root, profile) in rows::profiles_of_roots(tx, &roots)? {
            atoms.profiles.push((profile, index[&root]));
        }
    }
    atoms.profiles.sort_unstable();
    atoms.profiles.dedup();
    Ok((atoms, found))
}
