//! The demo retailer's places: its web shop, two warehouses and twelve stores, read from `demo/locations.csv`.

use serde::Deserialize;

use super::columns::Unreadable;

/// One line of `demo/locations.csv`, the table an ordinary import takes.
#[derive(Clone, Debug, Deserialize)]
pub struct Place {
    /// The name by which other tables speak of it.
    pub external_id: String,
    /// As customers see it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// Real for all but the web shop, which is nowhere.
    pub town: String,
    /// Empty for the web shop.
    pub postcode: String,
}

/// What a place is.
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

/// All places, in the order of the table.
#[derive(Debug)]
pub struct Places {
    all: Vec<Place>,
    warehouses: Vec<usize>,
    stores: Vec<usize>,
}

impl Places {
    /// Reads the table.
    ///
    /// # Errors
    /// A line is not of this form, or there is no warehouse or no store.
    pub fn read(table: &str) -> Result<Self, Unreadable> {
        let all = csv::Reader::from_reader(table.as_bytes())
            .deserialize()
            .collect::<Result<Vec<Place>, _>>()
            .map_err(|cause| Unreadable(format!("locations.csv: {cause}")))?;
        let of = |kind| {
            (0..all.len())
                .filter(|at| all[*at].kind == kind)
                .collect::<Vec<_>>()
        };
        let (warehouses, stores) = (of(Kind::Warehouse), of(Kind::Store));
        if warehouses.is_empty() || stores.is_empty() {
            return Err(Unreadable(
                "locations.csv: at least one warehouse and one store are needed".to_owned(),
            ));
        }
        Ok(Self {
            all,
            warehouses,
            stores,
        })
    }

    /// Every place.
    #[must_use]
    pub fn all(&self) -> &[Place] {
        &self.all
    }

    /// The place at a number found in [`Places::warehouses`] or [`Places::stores`].
    #[must_use]
    pub fn at(&self, place: usize) -> &Place {
        &self.all[place]
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
