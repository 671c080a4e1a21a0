//! One line of everything that happened between a customer and the shop, over every channel, in words that colleagues read.

use crate::status::language_of_words;
use crate::value::Language;
use crate::words;

words! {
    /// What an entry is about.
    Kind {
        /// Orders that were placed, changed, cancelled.
        Order 1 "order";
        /// Goods that were got ready, sent, handed over.
        Fulfilment 2 "fulfilment";
        /// Money that was paid or given back.
        Payment 3 "payment";
        /// Goods that came back, and exchanges.
        Return 4 "return";
        /// What was lost, damaged or wrong.
        Claim 5 "claim";
        /// Points, tiers, rewards and households.
        Loyalty 6 "loyalty";
        /// Gift cards and store credit.
        Credit 7 "credit";
        /// What was agreed to, and what was not.
        Consent 8 "consent";
        /// What was sent.
        Message 9 "message";
        /// Who the customer is: made, changed, merged.
        Profile 10 "profile";
        /// What colleagues noted.
        Note 11 "note";
        /// What was asked about data.
        Privacy 12 "privacy";
        /// Signing in and out.
        SignIn 13 "sign_in";
        /// What was done on pages and in apps.
        Behaviour 14 "behaviour";
    }
}

/// An event that is told, and the words for it in English and in German. `{number}` stands for the order's number, `{amount}` for money,
/// `{points}` for points, `{name}` for what a tracker calls it.
type Told = (&'static str, Kind, &'static str, &'static str);

/// Every event of the journal that is told, sorted by name.
const TOLD: &[Told] = &[
    ("claim.approved", Kind::Claim, "Claim agreed to", "Reklamation anerkannt"),
    ("claim.declined", Kind::Claim, "Claim declined", "Reklamation abgelehnt"),
    ("claim.parcel_found", Kind::Claim, "A lost parcel turned up", "Ein verlorenes Paket ist wieder da"),
    ("claim.requested", Kind::Claim, "Claim made", "Reklamation eingegangen"),
    ("claim.resolved", Kind::Claim, "Claim made good", "Reklamation wieder gutgemacht"),
    ("claim.withdrawn", Kind::Claim, "Claim withdrawn", "Reklamation zurückgezogen"),
    ("consent.asked", Kind::Consent, "Agreed, to be confirmed", "Zugestimmt, noch zu bestätigen"),
    ("consent.denied", Kind::Consent, "Did not agree", "Nicht zugestimmt"),
    ("consent.granted", Kind::Consent, "Agreed", "Zugestimmt"),
    ("consent.withdrawn", Kind::Consent, "Took consent back", "Zustimmung zurückgenommen"),
    ("credit.moved", Kind::Credit, "Store credit changed by {amount}", "Guthaben um {amount} geändert"),
    ("customer.address_added", Kind::Profile, "Address added", "Adresse hinzugefügt"),
    ("customer.address_changed", Kind::Profile, "Address changed", "Adresse geändert"),
    ("customer.address_removed", Kind::Profile, "Address removed", "Adresse entfernt"),
    ("customer.changed", Kind::Profile, "Customer changed", "Kundendaten geändert"),
    ("customer.created", Kind::Profile, "Became a customer", "Kunde geworden"),
    ("customer.erased", Kind::Profile, "Customer erased", "Kundendaten gelöscht"),
    ("customer.held", Kind::Privacy, "Legal hold begun", "Löschsperre gesetzt"),
    ("customer.joined_company", Kind::Profile, "May buy for a company", "Darf für eine Firma kaufen"),
    ("customer.left_company", Kind::Profile, "Buys for a company no more", "Kauft nicht mehr für eine Firma"),
    ("customer.merged", Kind::Profile, "Merged with another customer", "Mit anderem Kunden vereint"),
    ("customer.note_added", Kind::Note, "Note written", "Notiz geschrieben"),
    ("customer.note_changed", Kind::Note, "Note changed", "Notiz geändert"),
    ("customer.note_removed", Kind::Note, "Note removed", "Notiz entfernt"),
    ("customer.preferred", Kind::Profile, "Said what is preferred", "Vorlieben angegeben"),
    ("customer.released", Kind::Privacy, "Legal hold lifted", "Löschsperre aufgehoben"),
    ("customer.signed_in", Kind::SignIn, "Signed in", "Angemeldet"),
    ("customer.signed_out", Kind::SignIn, "Signed out", "Abgemeldet"),
    ("customer.unmerged", Kind::Profile, "Merge taken back", "Vereinigung zurückgenommen"),
    (
        "fulfilment.back_ordered",
        Kind::Fulfilment,
        "Order {number}: waits for goods",
        "Bestellung {number}: wartet auf Ware",
    ),
    (
        "fulfilment.cancelled",
        Kind::Fulfilment,
        "Order {number}: a part cancelled",
        "Bestellung {number}: ein Teil storniert",
    ),
    (
        "fulfilment.collected",
        Kind::Fulfilment,
        "Order {number}: handed over",
        "Bestellung {number}: übergeben",
    ),
    (
        "fulfilment.delivered",
        Kind::Fulfilment,
        "Order {number}: delivered",
        "Bestellung {number}: zugestellt",
    ),
    ("fulfilment.packed", Kind::Fulfilment, "Order {number}: packed", "Bestellung {number}: gepackt"),
    (
        "fulfilment.pre_ordered",
        Kind::Fulfilment,
        "Order {number}: waits for the release",
        "Bestellung {number}: wartet auf das Erscheinen",
    ),
    (
        "fulfilment.ready",
        Kind::Fulfilment,
        "Order {number}: ready to collect",
        "Bestellung {number}: abholbereit",
    ),
    ("fulfilment.shipped", Kind::Fulfilment, "Order {number}: on its way", "Bestellung {number}: unterwegs"),
    ("household.founded", Kind::Loyalty, "Household founded", "Haushalt gegründet"),
    ("household.joined", Kind::Loyalty, "Joined the household", "Haushalt beigetreten"),
    ("household.left", Kind::Loyalty, "Left the household", "Haushalt verlassen"),
    ("household.merged", Kind::Loyalty, "Two households became one", "Zwei Haushalte vereint"),
    ("household.parted", Kind::Loyalty, "The household became two again", "Haushalt wieder getrennt"),
    ("member.ended", Kind::Loyalty, "Membership ended", "Mitgliedschaft beendet"),
    ("member.enrolled", Kind::Loyalty, "Joined the loyalty programme", "Dem Treueprogramm beigetreten"),
    ("member.left", Kind::Loyalty, "Left the loyalty programme", "Treueprogramm verlassen"),
    ("member.tier_at_risk", Kind::Loyalty, "Tier may be lost", "Stufe in Gefahr"),
    ("member.tier_changed", Kind::Loyalty, "Tier changed", "Stufe geändert"),
    ("message.failed", Kind::Message, "Message could not be sent", "Nachricht nicht zugestellt"),
    ("message.queued", Kind::Message, "Message written", "Nachricht geschrieben"),
    ("message.sent", Kind::Message, "Message sent", "Nachricht gesendet"),
    ("message.withdrawn", Kind::Message, "Message taken back", "Nachricht zurückgezogen"),
    ("order.cancelled", Kind::Order, "Order {number} cancelled", "Bestellung {number} storniert"),
    ("order.changed", Kind::Order, "Order {number} changed", "Bestellung {number} geändert"),
    ("order.completed", Kind::Order, "Order {number} completed", "Bestellung {number} abgeschlossen"),
    (
        "order.created",
        Kind::Order,
        "Order {number} received, {amount}",
        "Bestellung {number} eingegangen, {amount}",
    ),
    (
        "order.gift_card_handed_out",
        Kind::Credit,
        "Gift card of {amount} from order {number}",
        "Geschenkkarte über {amount} aus Bestellung {number}",
    ),
    (
        "order.partly_cancelled",
        Kind::Order,
        "Order {number} partly cancelled",
        "Bestellung {number} zum Teil storniert",
    ),
    (
        "order.placed",
        Kind::Order,
        "Order {number} placed, {amount}",
        "Bestellung {number} aufgegeben, {amount}",
    ),
    (
        "order.substituted",
        Kind::Order,
        "Order {number}: something in place of another",
        "Bestellung {number}: Ersatz für etwas",
    ),
    ("order.taken_over", Kind::Order, "Order {number} taken over", "Bestellung {number} übernommen"),
    (
        "parcel.delivered",
        Kind::Fulfilment,
        "Order {number}: a parcel was delivered",
        "Bestellung {number}: ein Paket zugestellt",
    ),
    (
        "parcel.lost",
        Kind::Fulfilment,
        "Order {number}: a parcel was lost",
        "Bestellung {number}: ein Paket verloren",
    ),
    (
        "parcel.returned",
        Kind::Fulfilment,
        "Order {number}: a parcel came back",
        "Bestellung {number}: ein Paket kam zurück",
    ),
    (
        "parcel.shipped",
        Kind::Fulfilment,
        "Order {number}: a parcel left",
        "Bestellung {number}: ein Paket verschickt",
    ),
    (
        "payment.authorised",
        Kind::Payment,
        "Order {number}: payment authorised {amount}",
        "Bestellung {number}: Zahlung zugesagt {amount}",
    ),
    (
        "payment.captured",
        Kind::Payment,
        "Order {number}: paid {amount}",
        "Bestellung {number}: bezahlt {amount}",
    ),
    (
        "payment.expired",
        Kind::Payment,
        "Order {number}: payment expired",
        "Bestellung {number}: Zahlung verfallen",
    ),
    (
        "payment.failed",
        Kind::Payment,
        "Order {number}: payment failed",
        "Bestellung {number}: Zahlung fehlgeschlagen",
    ),
    (
        "payment.refunded",
        Kind::Payment,
        "Order {number}: given back {amount}",
        "Bestellung {number}: zurückgezahlt {amount}",
    ),
    (
        "payment.voided",
        Kind::Payment,
        "Order {number}: payment let go",
        "Bestellung {number}: Zahlung freigegeben",
    ),
    (
        "pickup.arrived",
        Kind::Fulfilment,
        "Order {number}: came to collect",
        "Bestellung {number}: zum Abholen da",
    ),
    (
        "pickup.no_show",
        Kind::Fulfilment,
        "Order {number}: not collected",
        "Bestellung {number}: nicht abgeholt",
    ),
    (
        "pickup.on_the_way",
        Kind::Fulfilment,
        "Order {number}: on the way to collect",
        "Bestellung {number}: auf dem Weg zur Abholung",
    ),
    (
        "pickup.reminded",
        Kind::Fulfilment,
        "Order {number}: reminded to collect",
        "Bestellung {number}: an die Abholung erinnert",
    ),
    ("points.moved", Kind::Loyalty, "{points} points", "{points} Punkte"),
    ("privacy_request.done", Kind::Privacy, "Request about data answered", "Anfrage zu Daten beantwortet"),
    ("privacy_request.opened", Kind::Privacy, "Request about data", "Anfrage zu Daten"),
    ("privacy_request.refused", Kind::Privacy, "Request about data refused", "Anfrage zu Daten abgelehnt"),
    (
        "privacy_request.taken_back",
        Kind::Privacy,
        "Request about data taken back",
        "Anfrage zu Daten zurückgenommen",
    ),
    ("return.approved", Kind::Return, "Return agreed to", "Rückgabe zugesagt"),
    ("return.closed", Kind::Return, "Return closed", "Rückgabe abgeschlossen"),
    ("return.declined", Kind::Return, "Return declined", "Rückgabe abgelehnt"),
    ("return.inspected", Kind::Return, "Return looked at", "Rückgabe geprüft"),
    ("return.received", Kind::Return, "Goods came back", "Ware zurückgekommen"),
    ("return.refunded", Kind::Return, "Return refunded", "Rückgabe erstattet"),
    ("return.requested", Kind::Return, "Asked to return something", "Rückgabe angefragt"),
    ("reward.given", Kind::Loyalty, "Reward given", "Prämie gegeben"),
    ("reward.taken_back", Kind::Loyalty, "Reward taken back", "Prämie zurückgenommen"),
    ("store_credit.opened", Kind::Credit, "Store credit opened", "Guthaben eröffnet"),
];

/// What trackers send under names that many of them share, and the words for it.
const DONE: &[(&str, &str, &str)] = &[
    ("Cart Viewed", "Looked at the basket", "Warenkorb angesehen"),
    ("Checkout Started", "Began to check out", "Kasse begonnen"),
    ("Product Added", "Put something into the basket", "Etwas in den Warenkorb gelegt"),
    ("Product Added to Wishlist", "Put something on the wish list", "Etwas auf die Wunschliste gesetzt"),
    ("Product List Viewed", "Looked through products", "Produkte durchgesehen"),
    ("Product Removed", "Took something out of the basket", "Etwas aus dem Warenkorb genommen"),
    ("Product Viewed", "Looked at a product", "Produkt angesehen"),
    ("Products Searched", "Searched", "Gesucht"),
];

/// What stands for the placeholders of an entry's words.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Parameters {
    /// The order's number.
    pub number: Option<String>,
    /// An amount as it is written in the language.
    pub amount: Option<String>,
    /// Points.
    pub points: Option<i64>,
}

/// What an event of the journal is about; `None` when it is not told.
pub fn kind_of(event: &str) -> Option<Kind> {
    TOLD.binary_search_by_key(&event, |told| told.0).ok().map(|place| TOLD[place].1)
}

/// The events of the journal that are told of these kinds; of all when none is named.
pub fn events_of(kinds: &[Kind]) -> impl Iterator<Item = &'static str> {
    TOLD.iter().filter(move |told| kinds.is_empty() || kinds.contains(&told.1)).map(|told| told.0)
}

/// One plain sentence for an event of the journal, in English or German; its own name when it is not told.
pub fn words_of(event: &str, with: &Parameters, language: Language) -> String {
    let Ok(place) = TOLD.binary_search_by_key(&event, |told| told.0) else { return event.to_owned() };
    let (_, _, english, german) = TOLD[place];
    let template = if language_of_words(language) == "de" { german } else { english };
    let mut said = template.to_owned();
    for (name, value) in [
        ("{number}", with.number.clone()),
        ("{amount}", with.amount.clone()),
        ("{points}", with.points.map(|points| format!("{points:+}"))),
    ] {
        said = said.replace(name, value.as_deref().unwrap_or_default());
    }
    let whole = said.split_whitespace().collect::<Vec<_>>().join(" ");
    whole.replace(" :", ":").trim_end_matches([',', ' ']).to_owned()
}

/// One plain sentence for what somebody did on a page or in an app: by what its tracker calls it.
pub fn words_of_behaviour(call: &str, name: Option<&str>, language: Language) -> String {
    let is_german = language_of_words(language) == "de";
    let known = name.and_then(|name| DONE.iter().find(|(known, ..)| *known == name));
    if let Some((_, english, german)) = known {
        return (if is_german { *german } else { *english }).to_owned();
    }
    let done = match (call, is_german) {
        ("page", true) => "Seite angesehen",
        ("page", false) => "Looked at a page",
        ("screen", true) => "In der App angesehen",
        ("screen", false) => "Looked at a screen",
        ("identify", true) => "Wiedererkannt",
        ("identify", false) => "Recognised",
        (_, true) => "Getan",
        (_, false) => "Did",
    };
    name.map_or_else(|| done.to_owned(), |name| format!("{done}: {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn language(tag: &str) -> Language {
        Language::parse(tag).unwrap()
    }

    #[test]
    fn what_is_told_is_sorted_and_in_both_languages() {
        assert!(TOLD.is_sorted_by(|one, other| one.0 < other.0), "found by halving");
        for (event, _, english, german) in TOLD {
            assert!(!english.is_empty() && !german.is_empty(), "{event}");
            for name in ["{number}", "{amount}", "{points}"] {
                assert_eq!(english.contains(name), german.contains(name), "{event} {name}");
            }
        }
        assert!(
            Kind::ALL.iter().all(|kind| *kind == Kind::Behaviour || events_of(&[*kind]).next().is_some())
        );
    }

    #[test]
    fn one_plain_sentence() {
        let with =
            Parameters { number: Some("1001".into()), amount: Some("£5.00".into()), points: Some(-20) };
        let en = language("en");
        assert_eq!(words_of("order.placed", &with, en), "Order 1001 placed, £5.00");
        assert_eq!(
            words_of("order.placed", &Parameters { amount: None, ..with.clone() }, en),
            "Order 1001 placed"
        );
        assert_eq!(words_of("parcel.shipped", &Parameters::default(), en), "Order: a parcel left");
        assert_eq!(words_of("points.moved", &with, language("de-AT")), "-20 Punkte");
        assert_eq!(words_of("stock.moved", &with, en), "stock.moved");
        assert_eq!((kind_of("stock.moved"), kind_of("consent.denied")), (None, Some(Kind::Consent)));
    }

    #[test]
    fn what_trackers_send_is_put_into_words() {
        let (en, de) = (language("en"), language("de"));
        assert_eq!(words_of_behaviour("track", Some("Product Viewed"), de), "Produkt angesehen");
        assert_eq!(words_of_behaviour("page", Some("Mugs"), en), "Looked at a page: Mugs");
        assert_eq!(words_of_behaviour("track", Some("Video Played"), en), "Did: Video Played");
        assert_eq!(words_of_behaviour("identify", None, en), "Recognised");
    }
}
