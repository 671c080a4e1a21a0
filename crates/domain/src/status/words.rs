//! The words that customers read about their orders, in English and in German; in English where there are no others yet.

use crate::message::words::{Words, said};
use crate::value::Language;

pub use crate::message::words::language_of_words;

/// What each stage and deed is called, and each state of what belongs to an order.
const WORDS: &[Words] = &[
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
    ("lost", "Never arrived", "Nie angekommen"),
    ("damaged", "Arrived damaged", "Beschädigt angekommen"),
    ("wrong_goods", "Something else arrived", "Etwas anderes kam an"),
    ("missing_pieces", "Something was missing", "Etwas fehlte"),
    ("faulty", "Does not work as it should", "Funktioniert nicht, wie es soll"),
    ("refund", "Your money is given back", "Sie bekommen Ihr Geld zurück"),
    ("replacement", "We send it again", "Wir schicken es noch einmal"),
    (
        "send_back",
        "You send it back, then your money is given back",
        "Sie schicken es zurück, dann gibt es Ihr Geld zurück",
    ),
    ("claim_approved", "We will make it good", "Wir machen es wieder gut"),
    ("resolved", "Made good", "Wieder gutgemacht"),
    ("withdrawn", "Withdrawn", "Zurückgezogen"),
    ("in_transit", "Travelling", "Auf dem Weg"),
    ("out_for_delivery", "With the driver, coming today", "Beim Fahrer, kommt heute"),
    (
        "attempt_failed",
        "Nobody was at home; it will be tried again",
        "Niemand war da; wir versuchen es noch einmal",
    ),
    ("booked", "Waiting for you", "Wartet auf Sie"),
    ("on_the_way", "You said you are on your way", "Sie sind unterwegs zu uns"),
    ("arrived", "You said you are here; we are bringing it", "Sie sind da; wir bringen es Ihnen"),
    ("handed_over", "Handed over", "Übergeben"),
    ("no_show", "Not collected", "Nicht abgeholt"),
    ("cash", "Cash", "Bar"),
    ("manual", "Bank transfer", "Überweisung"),
    ("card_record", "Card", "Karte"),
    ("test", "Card", "Karte"),
    ("stripe", "Card", "Karte"),
    ("exchange", "Exchange", "Umtausch"),
    ("gift_card", "Gift card", "Geschenkkarte"),
    ("store_credit", "Store credit", "Guthaben"),
    ("points", "Points", "Punkte"),
];

/// What the page of an order says around them.
const PAGE: &[Words] = &[
    ("skip", "Skip to the order", "Zur Bestellung springen"),
    ("order", "Order", "Bestellung"),
    ("placed", "placed", "vom"),
    ("at", "Where", "Wo"),
    ("from", "From", "Von"),
    ("pay_by", "Please pay by", "Bitte zahlen Sie bis"),
    ("there_by", "Expected", "Erwartet"),
    ("ready_by", "Ready", "Bereit"),
    ("was_promised", "Was promised", "War zugesagt"),
    ("expected_at_store", "Expected at the store", "Wird im Laden erwartet"),
    ("left_at", "Left on", "Verschickt am"),
    ("tracking", "Tracking number", "Sendungsnummer"),
    ("follow_parcel", "Follow the parcel", "Sendung verfolgen"),
    ("parcel", "Parcel", "Paket"),
    ("attempts", "Delivery attempts", "Zustellversuche"),
    ("ended_at", "On", "Am"),
    ("pickup_code", "Your pickup code", "Ihr Abholcode"),
    ("show_code", "Show this at the counter", "Zeigen Sie dies an der Kasse"),
    ("collect_by", "Waits for you until", "Liegt bereit bis"),
    ("open", "Open", "Geöffnet"),
    (
        "bay",
        "Where are you? Bay or parking space (if there is one)",
        "Wo sind Sie? Platz oder Bucht (falls vorhanden)",
    ),
    ("your_bay", "Your place", "Ihr Platz"),
    ("coming", "I am on my way", "Ich bin unterwegs"),
    ("here", "I am here", "Ich bin da"),
    ("can_do", "What you can do", "Was Sie tun können"),
    (
        "cancel_all",
        "Everything is cancelled, and what you paid goes back to you. This cannot be undone.",
        "Alles wird storniert, und Sie bekommen Ihr Geld zurück. Das lässt sich nicht rückgängig machen.",
    ),
    ("cancel_yes", "Yes, cancel the order", "Ja, Bestellung stornieren"),
    (
        "change_how",
        "How many do you not want any more? We show you what changes before anything is done. To change anything else, ask us.",
        "Wie viele möchten Sie nicht mehr? Wir zeigen Ihnen, was sich ändert, bevor etwas geschieht. Alles andere ändern wir gern für Sie.",
    ),
    ("change_show", "Show what changes", "Zeigen, was sich ändert"),
    ("change_open", "You asked for a change", "Sie haben um eine Änderung gebeten"),
    (
        "change_waits",
        "It is done when you say yes. It waits until",
        "Sie geschieht, wenn Sie ja sagen. Sie wartet bis",
    ),
    ("change_less", "You get back", "Sie bekommen zurück"),
    ("change_more", "To be paid", "Zu zahlen"),
    (
        "change_ask",
        "There is something to be paid for it: please ask us.",
        "Dafür ist etwas zu zahlen: Bitte sprechen Sie uns an.",
    ),
    ("change_yes", "Yes, change it", "Ja, so ändern"),
    ("change_no", "No, leave it", "Nein, so lassen"),
    ("return_how", "How many of what do you want to give back?", "Wie viele wovon möchten Sie zurückgeben?"),
    ("return_way", "How does it come back?", "Wie kommt es zurück?"),
    ("way_post", "By post", "Per Post"),
    ("way_store", "I bring it to a store", "Ich bringe es in einen Laden"),
    ("return_why", "Why?", "Warum?"),
    ("return_send", "Ask to return it", "Rückgabe anfragen"),
    ("of", "of", "von"),
    ("ordered", "What you ordered", "Was Sie bestellt haben"),
    ("nothing", "There is nothing in this order.", "In dieser Bestellung ist nichts."),
    ("cancelled_units", "cancelled", "storniert"),
    ("returned_units", "returned", "zurückgegeben"),
    ("delivery", "Delivery", "Lieferung"),
    ("total", "Total", "Summe"),
    ("paid", "Paid", "Bezahlt"),
    ("refunded_sum", "Given back", "Zurückgezahlt"),
    ("missing", "Still to be paid", "Noch zu zahlen"),
    ("after", "What came after", "Was danach kam"),
    ("return", "Return", "Rückgabe"),
    ("claim", "Something was wrong", "Etwas stimmte nicht"),
    ("exchange", "Exchanged for other goods", "Gegen andere Ware getauscht"),
    ("change", "Change", "Änderung"),
    ("money_back", "Money back", "Geld zurück"),
    ("money_coming", "on its way", "unterwegs"),
    ("label", "Print the label", "Etikett drucken"),
    ("more_changes", "and older changes", "und ältere Änderungen"),
    ("did_arrive", "Thank you. We know that you are here.", "Danke. Wir wissen, dass Sie da sind."),
    ("did_come", "Thank you. See you soon.", "Danke. Bis gleich."),
    ("did_cancel", "Your order was cancelled.", "Ihre Bestellung wurde storniert."),
    ("did_return", "We have your request.", "Wir haben Ihre Anfrage."),
    ("did_change", "This is what would change.", "Das würde sich ändern."),
    ("did_confirm", "Your order was changed.", "Ihre Bestellung wurde geändert."),
    ("did_decline", "Nothing was changed.", "Es wurde nichts geändert."),
    (
        "refused_state",
        "This is not possible any more. What you see here is how it stands now.",
        "Das geht nicht mehr. Hier sehen Sie, wie es jetzt steht.",
    ),
    (
        "refused_policy",
        "This cannot be returned by our rules. Please ask us.",
        "Das kann nach unseren Regeln nicht zurückgegeben werden. Bitte sprechen Sie uns an.",
    ),
    ("refused_values", "Please say how many, and why.", "Bitte sagen Sie uns, wie viele und warum."),
    (
        "refused_other",
        "This did not work. Please try again in a while, or ask us.",
        "Das hat nicht geklappt. Bitte versuchen Sie es später noch einmal, oder sprechen Sie uns an.",
    ),
    ("news", "There is news of your order.", "Es gibt Neues zu Ihrer Bestellung."),
    ("news_show", "Show it", "Anzeigen"),
    ("gone_title", "This link leads nowhere any more", "Dieser Link führt nirgendwo mehr hin"),
    (
        "gone",
        "It may have expired, or a part of it is missing. Ask the shop you bought from for a new one.",
        "Er ist vielleicht abgelaufen, oder es fehlt ein Stück. Bitten Sie den Laden, in dem Sie gekauft haben, um einen neuen.",
    ),
    ("step_ordered", "Ordered", "Bestellt"),
    ("step_prepared", "Prepared", "Vorbereitet"),
    ("step_gone", "On its way", "Unterwegs"),
    ("step_there", "Delivered", "Zugestellt"),
    ("step_ready", "Ready", "Bereit"),
    ("step_collected", "Collected", "Abgeholt"),
];

/// What a stage, a deed or a state is called in this language; in English where the language has no words yet.
pub fn words_for(name: &'static str, language: Language) -> &'static str {
    WORDS.iter().find(|(known, ..)| *known == name).map_or(name, |words| said(words, language))
}

/// What the page of an order says in this language, each by a word of ours.
pub fn page_words(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.iter().map(move |words| (words.0, said(words, language)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::change::State as Change;
    use crate::fulfilment::Visit;
    use crate::fulfilment::parcel::{State as Parcel, Tracked};
    use crate::market::PaymentKind;
    use crate::returns::State as Return;
    use crate::returns::claim::{Kind as Claim, Remedy, State as Claimed};
    use crate::status::{Deed, Stage};

    #[test]
    fn everything_a_customer_is_told_has_words() {
        let (english, german) = (Language::parse("en-GB").unwrap(), Language::parse("de-AT").unwrap());
        let mut names: Vec<&str> = Stage::ALL.iter().map(|stage| stage.text()).collect();
        names.extend(Deed::ALL.iter().map(|deed| deed.text()));
        names.extend(Parcel::ALL.iter().filter(|state| **state != Parcel::Void).map(|state| state.text()));
        names.extend(Return::ALL.iter().map(|state| state.text()));
        names.extend(Change::ALL.iter().map(|state| state.text()));
        names.extend(Claim::ALL.iter().map(|kind| kind.text()));
        names.extend(Claimed::ALL.iter().map(|state| state.text()));
        names.extend(Remedy::ALL.iter().map(|remedy| remedy.text()));
        names.extend(Tracked::ALL.iter().map(|tracked| tracked.text()));
        names.extend(Visit::ALL.iter().map(|visit| visit.text()));
        names.extend(PaymentKind::ALL.iter().map(|kind| kind.text()));
        for name in names {
            assert!(
                words_for(name, english) != name && words_for(name, german) != words_for(name, english),
                "{name}"
            );
        }
        assert_eq!(words_for("packed", Language::parse("fr").unwrap()), "Packed");
    }

    #[test]
    fn each_word_stands_there_once() {
        for list in [WORDS, PAGE] {
            let names: BTreeSet<_> = list.iter().map(|(name, ..)| name).collect();
            assert_eq!(names.len(), list.len());
        }
        let german = Language::parse("de").unwrap();
        assert!(page_words(german).all(|(_, words)| !words.is_empty()));
        assert_eq!(
            (language_of_words(german), language_of_words(Language::parse("fr").unwrap())),
            ("de", "en")
        );
    }
}
