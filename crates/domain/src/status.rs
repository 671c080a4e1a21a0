//! What a customer is told of an order: one stage for each part of it and one for the whole, and what the customer can do now.

use crate::delivery::Kind;
use crate::fulfilment::State as Part;
use crate::order::State as Order;
use crate::value::Language;
use crate::words;

words! {
    /// How far goods are, in a customer's eyes. A part of an order has one, and the whole order has one.
    Stage {
        /// The order waits for its payment.
        AwaitingPayment 1 "awaiting_payment";
        /// Sold; the place that serves it is being found.
        Waiting 2 "waiting";
        /// On its way to where the customer collects it.
        Coming 13 "on_its_way_to_pickup";
        /// A location has it to do.
        Accepted 3 "accepted";
        /// Being taken from the shelves.
        Picking 4 "picking";
        /// Packed.
        Packed 5 "packed";
        /// Somebody has to look at it first.
        Held 6 "held";
        /// Waits for the customer.
        Ready 7 "ready_for_pickup";
        /// Part of it has left, the rest has not.
        PartlyGone 8 "partly_on_its_way";
        /// With the carrier.
        Shipped 9 "shipped";
        /// The carrier handed it over.
        Delivered 10 "delivered";
        /// The customer has it.
        Collected 11 "collected";
        /// Will not come.
        Cancelled 12 "cancelled";
    }
}

words! {
    /// What a customer can do about an order now.
    Deed {
        /// Pay what is missing.
        Pay 1 "pay";
        /// Say that they have come for goods that wait.
        Arrive 2 "arrive";
        /// Bring or send goods back that they have.
        Return 3 "return";
        /// Have nothing of it after all.
        Cancel 4 "cancel";
        /// Have other things, or have it sent elsewhere.
        Change 5 "change";
    }
}

/// The stage of a part, `None` for one that came to nothing: its goods are in another part.
pub const fn stage_of(state: Part, held: bool) -> Option<Stage> {
    if held && state.is_open() {
        return Some(Stage::Held);
    }
    Some(match state {
        Part::Unrouted | Part::Offered => Stage::Waiting,
        Part::AwaitingTransfer => Stage::Coming,
        Part::Open | Part::Claimed => Stage::Accepted,
        Part::Picking => Stage::Picking,
        Part::Packed => Stage::Packed,
        Part::Ready => Stage::Ready,
        Part::Shipped => Stage::Shipped,
        Part::Delivered => Stage::Delivered,
        Part::Collected => Stage::Collected,
        Part::Cancelled => Stage::Cancelled,
        Part::Rejected => return None,
    })
}

/// The stage of the whole: what waits for the customer is said first; else what is on its way beside what is not; else the part that is
/// least far. An order without goods, such as one of services, is there as soon as it is placed.
pub fn stage_of_order(state: Order, kind: Kind, parts: &[Stage]) -> Stage {
    match state {
        Order::PendingPayment => return Stage::AwaitingPayment,
        Order::Cancelled => return Stage::Cancelled,
        Order::Placed | Order::Completed => {}
    }
    if parts.contains(&Stage::Ready) {
        return Stage::Ready;
    }
    let coming = || parts.iter().copied().filter(|stage| *stage != Stage::Cancelled);
    let gone = |stage: Stage| matches!(stage, Stage::Shipped | Stage::Delivered | Stage::Collected);
    if coming().any(gone) && !coming().all(gone) {
        return Stage::PartlyGone;
    }
    let least = coming().min();
    match (least, parts.is_empty()) {
        (Some(least), _) => least,
        (None, false) => Stage::Cancelled,
        (None, true) if kind == Kind::Ship => Stage::Delivered,
        (None, true) => Stage::Collected,
    }
}

/// What each stage and deed, and each state of parcels, returns and changes, is called in a customer's language: the word of the API, then the words in English and in German.
const WORDS: &[(&str, &str, &str)] = &[
    ("awaiting_payment", "Waiting for your payment", "Wir warten auf Ihre Zahlung"),
    (
        "waiting",
        "We are finding the best place to send it from",
        "Wir suchen den besten Ort für Ihre Bestellung",
    ),
    ("on_its_way_to_pickup", "On its way to where you collect it", "Unterwegs zu Ihrem Abholort"),
    ("accepted", "We have your order", "Wir haben Ihre Bestellung"),
    ("picking", "We are getting it ready", "Wir stellen sie zusammen"),
    ("packed", "Packed", "Gepackt"),
    ("held", "We are checking something and will be in touch", "Wir prüfen etwas und melden uns"),
    ("ready_for_pickup", "Ready for you to collect", "Bereit zur Abholung"),
    ("partly_on_its_way", "Partly on its way", "Zum Teil unterwegs"),
    ("shipped", "On its way to you", "Unterwegs zu Ihnen"),
    ("delivered", "Delivered", "Zugestellt"),
    ("collected", "In your hands", "In Ihren Händen"),
    ("cancelled", "Cancelled", "Storniert"),
    ("pay", "Pay", "Bezahlen"),
    ("arrive", "I have arrived", "Ich bin da"),
    ("return", "Return something", "Etwas zurückgeben"),
    ("cancel", "Cancel the order", "Bestellung stornieren"),
    ("change", "Change the order", "Bestellung ändern"),
    (
        "returned_to_sender",
        "It could not be delivered and came back to us",
        "Nicht zustellbar und wieder bei uns",
    ),
    ("requested", "We have your request", "Wir haben Ihre Anfrage"),
    ("approved", "You can send it or bring it", "Sie können es schicken oder bringen"),
    ("declined", "This is not possible", "Das ist nicht möglich"),
    ("received", "We have it back", "Wir haben es zurück"),
    ("inspected", "We have looked at it", "Wir haben es angesehen"),
    ("refunded", "Your money was given back", "Ihr Geld ist zurück"),
    ("closed", "Done", "Erledigt"),
    ("previewed", "Waits for your yes", "Wartet auf Ihr Ja"),
    ("confirmed", "Changed", "Geändert"),
    ("expired", "The time for it is over", "Die Zeit dafür ist um"),
];

/// What a stage, a deed or a state is called in this language; in English where the language has no words yet.
pub fn words_for(name: &'static str, language: Language) -> &'static str {
    let found = WORDS.iter().find(|(known, ..)| *known == name);
    found.map_or(name, |(_, english, german)| if language.code() == "de" { german } else { english })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::change::State as Change;
    use crate::fulfilment::parcel::State as Parcel;
    use crate::returns::State as Return;

    #[test]
    fn every_stage_deed_and_state_has_words() {
        let (english, german) = (Language::parse("en-GB").unwrap(), Language::parse("de-AT").unwrap());
        let names =
            Stage::ALL.iter().map(|stage| stage.text()).chain(Deed::ALL.iter().map(|deed| deed.text()));
        let states = Parcel::ALL.iter().filter(|state| **state != Parcel::Void).map(|state| state.text());
        let states = states.chain(Return::ALL.iter().map(|state| state.text()));
        let names = names.chain(states).chain(Change::ALL.iter().map(|state| state.text()));
        for name in names {
            assert!(
                words_for(name, english) != name && words_for(name, german) != words_for(name, english),
                "{name}"
            );
        }
        assert_eq!(words_for("packed", Language::parse("fr").unwrap()), "Packed");
    }

    #[test]
    fn what_waits_for_the_customer_is_said_first() {
        let of = |parts: &[Stage]| stage_of_order(Order::Placed, Kind::Pickup, parts);
        assert_eq!(of(&[Stage::Collected, Stage::Ready, Stage::Waiting]), Stage::Ready);
        assert_eq!(of(&[Stage::Shipped, Stage::Packed]), Stage::PartlyGone);
        assert_eq!(of(&[Stage::Shipped, Stage::Delivered, Stage::Cancelled]), Stage::Shipped);
        assert_eq!(of(&[Stage::Packed, Stage::Waiting]), Stage::Waiting);
        assert_eq!(of(&[Stage::Cancelled]), Stage::Cancelled);
        assert_eq!(of(&[]), Stage::Collected);
        assert_eq!(
            stage_of_order(Order::PendingPayment, Kind::Ship, &[Stage::Accepted]),
            Stage::AwaitingPayment
        );
    }

    #[test]
    fn only_what_came_to_nothing_has_no_stage() {
        for state in Part::ALL {
            assert_eq!(stage_of(*state, false).is_none(), *state == Part::Rejected);
        }
        assert_eq!(
            (stage_of(Part::Open, true), stage_of(Part::Shipped, true)),
            (Some(Stage::Held), Some(Stage::Shipped))
        );
    }
}
