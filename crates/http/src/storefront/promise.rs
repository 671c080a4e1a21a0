//! What is read with a page of where and when things can be had, and how it is asked for.

use domain::Refusal;
use domain::value::{Country, Quantity, Reference, text};
use engine::promise::answer::STORES_MAX;
use engine::storefront::promise::Near;
use serde::Deserialize;
use utoipa::IntoParams;

use crate::delivery::POSTAL_CODE_CHARS_MAX;
use crate::location::point;
use crate::promise::STORES;
use crate::shape::Fields;

/// Where the customer is, with `include=promise`.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct NearQuery {
    /// Where parcels go, with `include=promise`: two letters of ISO 3166-1. When absent, where the cart is sent, or else the first country of
    /// the channel's market.
    country: Option<String>,
    /// Where parcels go: the postal code, or its beginning, at most 16 characters. One that is not known still says who delivers there; stores
    /// then come in the order of the network.
    #[param(max_length = 16, example = "LS1 4DY")]
    postal_code: Option<String>,
    /// Where the customer is: latitude and longitude in degrees, such as `53.797,-1.5437`; when absent, where the postal code lies.
    near: Option<String>,
    /// Only this store: its id or external id.
    store: Option<String>,
    /// At most so many stores, 0 to 50; 10 when absent.
    #[param(minimum = 0, maximum = 50)]
    stores: Option<usize>,
}

impl NearQuery {
    pub(super) fn read(&self) -> Result<Near, Refusal> {
        let mut fields = Fields::new();
        let country = fields.take_if("country", self.country.as_deref(), Country::parse);
        let postal_code = fields.take_if("postal_code", self.postal_code.as_deref(), |code| {
            text::bounded("postal_code", code, 1, POSTAL_CODE_CHARS_MAX)
        });
        let near = fields.take_if("near", self.near.as_deref(), point);
        let stores = self.stores.unwrap_or(STORES);
        if stores > STORES_MAX {
            fields.refuse("stores", format!("give 0 to {STORES_MAX}"));
        }
        let store = self.store.as_deref().map(Reference::read);
        let read =
            || Some(Near { country: country?, postal_code: postal_code?, point: near?, store, stores });
        fields.done(read())
    }
}

/// How many somebody would buy: one when nothing is said.
pub(super) fn quantity(said: Option<i64>) -> Result<Quantity, Refusal> {
    Quantity::new(said.unwrap_or(1)).map_err(|error| Refusal::invalid("quantity", error))
}
