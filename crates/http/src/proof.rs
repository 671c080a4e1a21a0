//! A code that was mailed to a new e-mail address, given beside the change by which a customer makes the address his own.

use axum::http::{Extensions, HeaderMap};
use domain::contact::Card;
use domain::sign_in as rules;
use domain::value::Email;
use engine::actor::staff::email_hash;
use engine::customer::Shown;
use engine::{Failure, World, sign_in};
use store::Tx;

use crate::App;
use crate::observe::address_of;
use crate::problem::Problem;
use crate::shape::Fields;

/// The code as it was given.
#[derive(Clone, Copy)]
pub(crate) struct Given(u32);

impl Given {
    /// Reads the field `email_code`.
    pub(crate) fn read(fields: &mut Fields, text: Option<&str>) -> Option<Option<Given>> {
        let read = |text: &str| rules::read_code(text).map_err(|refusal| refusal.message().to_owned());
        fields.take_if("email_code", text, read).map(|code| code.map(Given))
    }

    /// Counts it, and where it is wrong in a commit of its own, before the change that is refused for it and would undo the count.
    pub(crate) async fn count(
        self,
        app: &App,
        card: Card,
        (extensions, headers): (&Extensions, &HeaderMap),
    ) -> Result<(), Problem> {
        if let Some(Ok(email)) = card.text().email.as_deref().map(Email::parse) {
            let address = address_of(extensions, headers, app.edge.settings.behind_proxy);
            app.edge.limits.count_sign_in(email_hash(&app.shop.keyring, &email), address)?;
        }
        app.write(move |tx, world| sign_in::count_wrong(tx, world, &card, self.0)).await
    }

    /// Uses it up to show that the address of a card is one's own.
    pub(crate) fn show(self, tx: &mut Tx<'_>, world: &World, card: &Card) -> Result<Shown, Failure> {
        sign_in::show(tx, world, card, self.0)
    }
}
