//! Where and when what a page shows can be had: each variant of a product by itself, and everything in a cart together.

use domain::Refusal;
use domain::actor::Actor;
use domain::delivery::Destination;
use domain::value::id::{Channel as ChannelKind, Location, Variant as VariantKind};
use domain::value::{Coordinates, Country, Id, Instant, Quantity, Reference};
use store::Tx;
use store::market::{Channel, Market};

use super::channel;
use crate::cart::{self, Cart};
use crate::promise::answer::{self, Answer, Asked, LINES_MAX};
use crate::{Failure, external};

/// The most variants of a product that are answered at once.
pub const VARIANTS_MAX: usize = 20;

/// Where somebody is who looks at a page.
#[derive(Clone, Debug)]
pub struct Near {
    /// The country parcels go to; where the cart goes, or the market's first, when nothing is said.
    pub country: Option<Country>,
    /// The postal code parcels go to.
    pub postal_code: Option<String>,
    /// Where the customer is; about where parcels go, when nothing is said.
    pub point: Option<Coordinates>,
    /// Only this store.
    pub store: Option<Reference<Location>>,
    /// At most so many stores.
    pub stores: usize,
}

impl Near {
    /// A question without lines yet. A postal code without a country is one of the country that would be meant otherwise.
    fn asked(
        &self,
        tx: &mut Tx<'_>,
        (channel, market): &(Channel, Market),
        goes_to: Option<&cart::Destination>,
        now: Instant,
    ) -> Result<Asked, Failure> {
        let said = self.country.is_some() || self.postal_code.is_some();
        let own = goes_to.map(|to| to.country).or(market.countries.first().copied());
        let destination = self.country.or(own).map(|country| Destination {
            country,
            postal_code: match (said, goes_to) {
                (false, Some(to)) => to.postal_area.clone(),
                _ => self.postal_code.clone(),
            },
        });
        let store = self.store.as_ref().map(|store| external::resolve_at(tx, "store", store)).transpose()?;
        Ok(Asked {
            channel: Reference::Id(channel.id),
            lines: Vec::new(),
            destination,
            point: self.point,
            stores: if store.is_some() { 1 } else { self.stores },
            store,
            cart: None,
            at: now,
        })
    }
}

/// Where and when so many of each of these variants can be had, in their order: each for itself, because one of them is chosen.
///
/// # Errors
/// [`domain::Code::Invalid`] without a channel, and for more than [`VARIANTS_MAX`] variants; [`domain::Code::NotFound`] for the channel.
pub fn of_variants(
    tx: &mut Tx<'_>,
    actor: &Actor,
    (reference, near): (Option<&Reference<ChannelKind>>, &Near),
    (variants, quantity): (&[Id<VariantKind>], Quantity),
    now: Instant,
) -> Result<Vec<Answer>, Failure> {
    let bound = actor.channel.map(Reference::Id);
    let unsaid = || Refusal::invalid("channel", "say in which channel it would be bought");
    let channel = channel(tx, reference.or(bound.as_ref()).ok_or_else(unsaid)?)?;
    if variants.len() > VARIANTS_MAX {
        let message = format!(
            "the product has {} variants, {VARIANTS_MAX} are answered at once: name one",
            variants.len()
        );
        return Err(Refusal::invalid("variant", message).into());
    }
    let asked = near.asked(tx, &channel, None, now)?;
    let mut answers = Vec::with_capacity(variants.len());
    for variant in variants {
        let asked = Asked { lines: vec![(*variant, quantity.units())], ..asked.clone() };
        answers.push(answer::answer(tx, actor, &asked)?);
    }
    Ok(answers)
}

/// Where and when everything in a cart can be had, counting what the cart holds; none for an empty one.
///
/// # Errors
/// [`domain::Code::Invalid`] for a cart of more lines than are answered at once.
pub fn of_cart(
    tx: &mut Tx<'_>,
    actor: &Actor,
    cart: &Cart,
    near: &Near,
    now: Instant,
) -> Result<Option<Answer>, Failure> {
    if cart.lines.is_empty() {
        return Ok(None);
    }
    if cart.lines.len() > LINES_MAX {
        let message = format!(
            "the cart has {} lines, {LINES_MAX} are answered at once: read it without promise",
            cart.lines.len()
        );
        return Err(Refusal::invalid("include", message).into());
    }
    let channel = channel(tx, &Reference::Id(cart.channel))?;
    let asked = Asked {
        lines: cart.lines.iter().map(|line| (line.variant, line.quantity)).collect(),
        cart: Some(cart.id),
        ..near.asked(tx, &channel, cart.destination.as_ref(), now)?
    };
    answer::answer(tx, actor, &asked).map(Some)
}
