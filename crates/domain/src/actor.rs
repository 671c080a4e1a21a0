//! Who asks: a member of staff, a program with a key, a customer, a guest or the system itself; through which channel; and what they may do where.

pub mod key;
pub mod password;
pub mod role;

use crate::refusal::{Code, Refusal};
use crate::value::Id;
use crate::value::id::{ApiKey, Channel, Customer, Location, Staff};

macro_rules! permissions {
    ($($permission:ident $text:literal $meaning:literal;)*) => {
        /// One thing that may be allowed. The order is part of the stored form: new ones go last.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Permission { $(#[doc = $meaning] $permission),* }
        impl Permission {
            /// Every permission.
            pub const ALL: &'static [Permission] = &[$(Permission::$permission),*];
            /// The name in files and over the API.
            pub const fn text(self) -> &'static str { match self { $(Permission::$permission => $text),* } }
            /// What it allows, for screens and documents.
            pub const fn meaning(self) -> &'static str { match self { $(Permission::$permission => $meaning),* } }
        }
    };
}

permissions! {
    ReadCatalogue "catalogue:read" "see products, categories, prices and what can be had";
    EditCatalogue "catalogue:write" "create and change products, categories, media and prices";
    ReadPlaces "places:read" "see locations, networks, channels, markets, taxes and delivery methods";
    EditPlaces "places:write" "create and change locations, networks, channels, markets, taxes and delivery methods";
    ReadStock "stock:read" "see stock, its history and what can be promised";
    MoveStock "stock:write" "receive, adjust, set, move and hold stock";
    Shop "carts:write" "fill carts and place orders";
    ReadOrders "orders:read" "see orders, payments, fulfilments and returns";
    EditOrders "orders:write" "cancel, fulfil, hand over and take back";
    TakePayments "payments:write" "take, capture and refund payments";
    ReadContacts "contacts:read" "see names, addresses, mail and phone of customers";
    EditCustomers "customers:write" "create and change customers and their contacts";
    ReadEvents "events:read" "read the event journal";
    ManageAccess "access:write" "manage staff, roles and keys";
    Import "imports:write" "take in and give out files";
    Operate "operations:write" "see jobs, metrics and health in detail; run checks and backups";
    AgreePrices "prices:override" "agree another price for a line of a cart than the list says";
    EditRouting "routing:write" "write, activate, retire and simulate routing profiles";
    EditPolicies "policies:write" "change return policies and rules of selling and substitution";
    OverridePolicies "policies:override" "allow what a policy refuses";
    WriteOff "stock:write_off" "write goods off: lost, scrapped, used in the house";
    CountStock "counts:write" "count shelves";
    PostCounts "counts:post" "ask for counts, review them and post their differences";
    MoveTransfers "transfers:write" "request, pick, ship and receive transfer orders";
    ApproveTransfers "transfers:approve" "approve and close transfer orders";
    GiveCredit "credit:write" "issue store credit and gift cards, and see what is on them";
    EditPromotions "promotions:write" "write, start and end promotions, and make coupons";
    EditWebhooks "webhooks:write" "say where events are sent, see what was sent, and send it again";
    EditLoyalty "loyalty:write" "write, activate and retire loyalty programmes";
    GivePoints "points:write" "enrol members, give and correct points, and see what members have";
    Reconcile "payments:reconcile" "compare what payment providers say with the books, and clear what differs";
    EditConsents "consents:write" "say what customers agreed to, and write purposes and topics";
    AnswerPrivacy "privacy:write" "handle what people ask about their data, and say how long data is kept";
    EditIdentity "identity:write" "write the rules of identity, merge customers and take merges back";
    EditSources "sources:write" "say which pages, apps and programs send what people did";
    ReadSegments "segments:read" "see segments, traits and lists, and who is in them";
    EditSegments "segments:write" "write segments, traits and lists";
    ReadBehaviour "behaviour:read" "see what people did on pages and in apps, and what they are known by";
}

/// A set of permissions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Permissions(u64);

impl Permissions {
    /// Nothing is allowed.
    pub const NONE: Permissions = Permissions(0);
    /// Everything is allowed.
    pub const EVERYTHING: Permissions = Permissions(u64::MAX);

    /// Just these.
    pub fn of(permissions: &[Permission]) -> Permissions {
        Permissions(permissions.iter().fold(0, |set, permission| set | 1 << *permission as u64))
    }

    /// The number it is stored as.
    pub const fn bits(self) -> i64 {
        self.0.cast_signed()
    }

    /// The set stored as this number.
    pub const fn from_bits(bits: i64) -> Permissions {
        Permissions(bits.cast_unsigned())
    }

    /// Is this one among them?
    pub const fn allow(self, permission: Permission) -> bool {
        self.0 & (1 << permission as u64) != 0
    }

    /// Those among all that are in the set.
    pub fn each(self) -> impl Iterator<Item = Permission> {
        Permission::ALL.iter().copied().filter(move |permission| self.allow(*permission))
    }

    /// The permission of that name.
    pub fn named(name: &str) -> Option<Permission> {
        Permission::ALL.iter().copied().find(|permission| permission.text() == name)
    }

    /// The permissions of these names.
    ///
    /// # Errors
    /// The refusal names the first unknown one, or says that there is none.
    pub fn read(names: &[String]) -> Result<Permissions, Refusal> {
        let mut permissions = Vec::new();
        for (place, name) in names.iter().enumerate() {
            let unknown = || format!("no permission \"{name}\"; GET /v1/permissions lists them");
            let permission = Permissions::named(name);
            permissions
                .push(permission.ok_or_else(|| Refusal::invalid(format!("permissions.{place}"), unknown()))?);
        }
        if permissions.is_empty() {
            return Err(Refusal::invalid("permissions", "name at least one permission"));
        }
        Ok(Permissions::of(&permissions))
    }

    /// Are all of `other` among them?
    pub const fn contain(self, other: Permissions) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Permissions at one location, or everywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grant {
    /// Where it holds; everywhere when `None`.
    pub location: Option<Id<Location>>,
    /// What is allowed there.
    pub permissions: Permissions,
}

/// Who is behind a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Who {
    /// Tandem itself: jobs, the clock.
    System,
    /// A member of staff who signed in.
    Staff(Id<Staff>),
    /// A program with a key.
    Key(Id<ApiKey>),
    /// A customer who signed in.
    Customer(Id<Customer>),
    /// Nobody we know.
    Guest,
}

impl Who {
    /// Kind and id in text, as kept with every event: `staff:stf_…`.
    pub fn label(self) -> String {
        match self {
            Who::System => "system".into(),
            Who::Staff(id) => format!("staff:{id}"),
            Who::Key(id) => format!("key:{id}"),
            Who::Customer(id) => format!("customer:{id}"),
            Who::Guest => "guest".into(),
        }
    }
}

/// Who asks, through which channel, at which location, and what they may do. First argument of every command.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Actor {
    /// Who it is.
    pub who: Who,
    /// The sales channel the request comes through, if it is bound to one.
    pub channel: Option<Id<Channel>>,
    /// What is allowed, and where.
    pub grants: Vec<Grant>,
}

impl Actor {
    /// Tandem itself, which may do everything.
    pub fn system() -> Actor {
        Actor {
            who: Who::System,
            channel: None,
            grants: vec![Grant { location: None, permissions: Permissions::EVERYTHING }],
        }
    }

    /// The same person through the same channel, trusted with what follows by rule from what he was allowed to do: a refund from a cancellation.
    #[must_use]
    pub fn trusted(&self) -> Actor {
        Actor { grants: Actor::system().grants, ..self.clone() }
    }

    /// Refuses unless the permission is granted everywhere or at this location.
    ///
    /// # Errors
    /// [`Code::Forbidden`], naming the permission; [`Code::SignInNeeded`] for a guest.
    pub fn may(&self, permission: Permission, location: Option<Id<Location>>) -> Result<(), Refusal> {
        let holds_here =
            |grant: &Grant| grant.location.is_none() || (location.is_some() && grant.location == location);
        if self.grants.iter().any(|grant| grant.permissions.allow(permission) && holds_here(grant)) {
            return Ok(());
        }
        let place = location.map_or_else(|| "everywhere".to_owned(), |id| format!("at {id}"));
        Err(self.lacks(permission, &format!(" {place}")))
    }

    /// Refuses unless the permission is granted somewhere; for reads that are then narrowed to [`Actor::locations_for`].
    ///
    /// # Errors
    /// As [`Actor::may`].
    pub fn may_somewhere(&self, permission: Permission) -> Result<(), Refusal> {
        if self.grants.iter().any(|grant| grant.permissions.allow(permission)) {
            return Ok(());
        }
        Err(self.lacks(permission, ""))
    }

    /// Refuses unless everything in the grant is also granted to who asks: nobody gives what he does not have.
    ///
    /// # Errors
    /// As [`Actor::may`], naming the first permission that is missing.
    pub fn may_give(&self, given: Grant) -> Result<(), Refusal> {
        given.permissions.each().try_for_each(|permission| self.may(permission, given.location))
    }

    fn lacks(&self, permission: Permission, place: &str) -> Refusal {
        let permission = permission.text();
        if self.who == Who::Guest {
            return Refusal::new(
                Code::SignInNeeded,
                format!("this needs the permission \"{permission}\"; sign in or give a key"),
            );
        }
        Refusal::new(
            Code::Forbidden,
            format!("this needs the permission \"{permission}\"{place}; ask an owner for it"),
        )
    }

    /// The locations for which the permission is granted; `None` when it is granted everywhere.
    pub fn locations_for(&self, permission: Permission) -> Option<Vec<Id<Location>>> {
        let granted = || self.grants.iter().filter(|grant| grant.permissions.allow(permission));
        if granted().any(|grant| grant.location.is_none()) {
            return None;
        }
        Some(granted().filter_map(|grant| grant.location).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cashier(location: Id<Location>) -> Actor {
        let grant = Grant { location: Some(location), permissions: Permissions::of(&[Permission::Shop]) };
        Actor { who: Who::Staff(Id::from_bytes([9; 16])), channel: None, grants: vec![grant] }
    }

    #[test]
    fn a_guest_is_asked_to_sign_in() {
        let guest = Actor { who: Who::Guest, channel: None, grants: vec![] };
        assert_eq!(guest.may(Permission::Shop, None).unwrap_err().code(), Code::SignInNeeded);
    }

    #[test]
    fn nobody_gives_what_he_does_not_have() {
        let (leeds, york) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        let grant = |location, permissions: &[Permission]| Grant {
            location,
            permissions: Permissions::of(permissions),
        };
        let cashier = cashier(leeds);
        assert!(cashier.may_give(grant(Some(leeds), &[Permission::Shop])).is_ok());
        assert!(cashier.may_give(grant(Some(york), &[Permission::Shop])).is_err());
        assert!(cashier.may_give(grant(None, &[Permission::Shop])).is_err());
        assert!(cashier.may_give(grant(Some(leeds), &[Permission::Shop, Permission::Operate])).is_err());
        assert!(Actor::system().may_give(grant(None, Permission::ALL)).is_ok());
    }

    #[test]
    fn a_grant_holds_at_its_location_only() {
        let (leeds, york) = (Id::from_bytes([1; 16]), Id::from_bytes([2; 16]));
        let cashier = cashier(leeds);
        assert!(cashier.may(Permission::Shop, Some(leeds)).is_ok());
        assert_eq!(cashier.may(Permission::Shop, Some(york)).unwrap_err().code(), Code::Forbidden);
        assert!(cashier.may(Permission::Shop, None).is_err());
        assert!(cashier.may(Permission::MoveStock, Some(leeds)).is_err());
        assert_eq!(cashier.locations_for(Permission::Shop), Some(vec![leeds]));
        assert!(Actor::system().may(Permission::Operate, None).is_ok());
    }
}
