//! The demo retailer's locations: its web shop, two warehouses and twelve stores, read from `demo/locations.csv`.

use serde::Deserialize;

use super::columns::Unreadable;

/// One line of `demo/locations.csv`, the table an ordinary import takes.
#[derive(Clone, Debug, Deserialize)]
pub struct Location {
    /// The name by which other tables speak of it.
    pub external_id: String,
    /// As customers see it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Real for all but the web shop, which is nowhere.
    pub city: String,
    /// Empty for the web shop.
    pub postal_code: String,
    /// House and street.
    #[serde(default)]
    pub street: String,
    /// ISO 3166-1 alpha-2.
    #[serde(default)]
    pub country: String,
    /// Degrees north, WGS 84; none for the web shop.
    #[serde(default)]
    pub latitude: Option<f64>,
    /// Degrees east.
    #[serde(default)]
    pub longitude: Option<f64>,
    /// Of the IANA database.
    #[serde(default)]
    pub time_zone: String,
    /// When its door is open.
    #[serde(default)]
    pub opening_hours: String,
    /// What it does, in words: ship, pickup, receive, return.
    #[serde(default)]
    pub capabilities: String,
}

/// What a location is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Sells without shelves.
    Virtual,
    /// Ships what web and phone sell.
    Warehouse,
    /// Has tills.
    Store,
}

/// All locations, in the order of the table.
#[derive(Debug)]
pub struct Locations {
    all: Vec<Location>,
    warehouses: Vec<usize>,
    stores: Vec<usize>,
}

impl Locations {
    /// Reads the table.
    ///
    /// # Errors
    /// A line is not of this form, or there is no warehouse or no store.
    pub fn read(table: &str) -> Result<Self, Unreadable> {
        let all = csv::Reader::from_reader(table.as_bytes())
            .deserialize()
            .collect::<Result<Vec<Location>, _>>()
            .map_err(|cause| Unreadable(format!("locations.csv: {cause}")))?;
        let of = |kind| (0..all.len()).filter(|at| all[*at].kind == kind).collect::<Vec<_>>();
        let (warehouses, stores) = (of(Kind::Warehouse), of(Kind::Store));
        if warehouses.is_empty() || stores.is_empty() {
            return Err(Unreadable(
                "locations.csv: at least one warehouse and one store are needed".to_owned(),
            ));
        }
        Ok(Self { all, warehouses, stores })
    }

    /// Every location.
    #[must_use]
    pub fn all(&self) -> &[Location] {
        &self.all
    }

    /// The location at a number found in [`Locations::warehouses`] or [`Locations::stores`].
    #[must_use]
    pub fn at(&self, location: usize) -> &Location {
        &self.all[location]
    }

    /// Numbers of the warehouses, at least one.
    #[must_use]
    pub fn warehouses(&self) -> &[usize] {
        &self.warehouses
    }

    /// Numbers of the stores, at least one.
    #[must_use]
    pub fn stores(&self) -> &[usize] {
        &self.stores
    }
}
