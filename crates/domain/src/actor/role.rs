//! Roles: named sets of permissions. These come with the shop; the retailer changes them and makes others.

use super::{Permission, Permissions};

/// The short word of the role that may do everything and cannot be changed.
pub const OWNER: &str = "owner";

/// A role that comes with the shop.
pub struct BuiltIn {
    /// The short word it goes by.
    pub code: &'static str,
    /// What people call it.
    pub name: &'static str,
    /// What it allows.
    pub permissions: Permissions,
}

/// The roles that come with the shop.
pub fn built_in() -> Vec<BuiltIn> {
    use Permission::*;
    let role = |code, name, permissions: &[Permission]| BuiltIn {
        code,
        name,
        permissions: Permissions::of(permissions),
    };
    let manager: Vec<_> =
        Permission::ALL.iter().copied().filter(|one| !matches!(one, ManageAccess | Operate)).collect();
    vec![
        BuiltIn { code: OWNER, name: "Owner", permissions: Permissions::EVERYTHING },
        role("manager", "Manager", &manager),
        role(
            "cashier",
            "Cashier",
            &[
                ReadCatalogue,
                ReadPlaces,
                ReadStock,
                Shop,
                ReadOrders,
                EditOrders,
                TakePayments,
                ReadContacts,
                EditCustomers,
                CountStock,
                MoveTransfers,
                GivePoints,
                EditConsents,
            ],
        ),
        role(
            "picker",
            "Picker",
            &[ReadCatalogue, ReadPlaces, ReadStock, ReadOrders, EditOrders, CountStock, MoveTransfers],
        ),
        role(
            "service_agent",
            "Service agent",
            &[
                ReadCatalogue,
                ReadPlaces,
                ReadStock,
                Shop,
                ReadOrders,
                EditOrders,
                TakePayments,
                ReadContacts,
                EditCustomers,
                GiveCredit,
                GivePoints,
                EditConsents,
                ReadBehaviour,
            ],
        ),
    ]
}
