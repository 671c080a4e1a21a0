//! What the pages of signing in, and of one's own, say: in English and in German; in English where there are no others yet.

use crate::message::words::{Words, said};
use crate::value::Language;

/// Each by a word of ours.
const PAGE: &[Words] = &[
    ("title", "Sign in", "Anmelden"),
    ("skip", "Skip to signing in", "Zur Anmeldung springen"),
    (
        "how",
        "The same way in on the web, in the app and in the store. Who is new becomes a customer by signing in.",
        "Derselbe Weg im Netz, in der App und im Laden. Wer neu ist, wird durch die Anmeldung Kunde.",
    ),
    ("by_code", "By a code we mail you", "Mit einem Code per E-Mail"),
    ("email", "E-mail address", "E-Mail-Adresse"),
    ("mail_code", "Mail me a code", "Code zuschicken"),
    ("code_title", "Your code is on its way", "Ihr Code ist unterwegs"),
    ("code_how", "We mailed six digits to", "Wir haben sechs Ziffern geschickt an"),
    (
        "code_bounds",
        "They work once, for ten minutes. Look among unwanted mail too.",
        "Sie gelten einmal und zehn Minuten lang. Sehen Sie auch bei unerwünschten E-Mails nach.",
    ),
    ("code", "The six digits", "Die sechs Ziffern"),
    ("sign_in", "Sign in", "Anmelden"),
    ("another_address", "Use another address, or a new code", "Andere Adresse oder neuer Code"),
    ("by_passkey", "By a passkey", "Mit einem Passkey"),
    (
        "passkey_how",
        "By your finger, your face or the PIN of this device. Nothing to remember.",
        "Mit Fingerabdruck, Gesicht oder der PIN dieses Geräts. Nichts zu merken.",
    ),
    ("passkey_do", "Use a passkey", "Passkey verwenden"),
    ("by_company", "By an account you have already", "Mit einem Konto, das Sie schon haben"),
    ("company_do", "Go on with", "Weiter mit"),
    ("me_title", "Hello", "Guten Tag"),
    ("me_skip", "Skip to your page", "Zu Ihrer Seite springen"),
    ("orders", "Your orders", "Ihre Bestellungen"),
    ("no_orders", "No orders yet", "Noch keine Bestellungen"),
    (
        "no_orders_how",
        "Here you will see what you order from us, and how far it is.",
        "Hier sehen Sie dann, was Sie bei uns bestellen und wie weit es ist.",
    ),
    ("more_orders", "These are your newest orders.", "Das sind Ihre neuesten Bestellungen."),
    ("order", "Order", "Bestellung"),
    ("show_order", "Show order", "Bestellung zeigen"),
    ("points", "Your points", "Ihre Punkte"),
    ("points_free", "to spend", "verfügbar"),
    ("points_pending", "on their way", "unterwegs"),
    ("companies", "Companies you buy for", "Firmen, für die Sie einkaufen"),
    ("buyer", "Buyer", "Einkauf"),
    ("approver", "Approver", "Freigabe"),
    ("administrator", "Administrator", "Verwaltung"),
    ("limit_to", "up to", "bis"),
    ("limit_each", "an order", "je Bestellung"),
    ("limit_none", "without a limit", "ohne Grenze"),
    (
        "blocked",
        "Blocked: we take no orders in its name for now.",
        "Gesperrt: Zurzeit nehmen wir in ihrem Namen keine Bestellungen an.",
    ),
    ("join", "Join a company", "Für eine Firma einkaufen"),
    ("join_code", "The code from the company's invitation", "Der Code aus der Einladung der Firma"),
    ("join_do", "Join", "Beitreten"),
    ("join_title", "Your invitation", "Ihre Einladung"),
    ("join_skip", "Skip to the invitation", "Zur Einladung springen"),
    (
        "join_first",
        "Sign in, and you can accept the invitation.",
        "Melden Sie sich an, dann können Sie die Einladung annehmen.",
    ),
    ("join_invites", "invites you", "lädt Sie ein"),
    (
        "join_how",
        "If you accept, you can buy in its name here. If you do not know it, there is nothing to do.",
        "Wenn Sie annehmen, können Sie hier in ihrem Namen einkaufen. Wenn Sie sie nicht kennen, müssen Sie nichts tun.",
    ),
    ("join_as", "You would be", "Ihre Rolle"),
    ("join_until", "Can be accepted until", "Kann angenommen werden bis"),
    ("join_account", "You are signed in as", "Sie sind angemeldet als"),
    ("join_accept", "Accept", "Annehmen"),
    ("to_me", "To your page", "Zu Ihrer Seite"),
    (
        "did_join",
        "Done: you can buy in the company's name now.",
        "Geschafft: Sie können jetzt im Namen der Firma einkaufen.",
    ),
    (
        "join_unknown",
        "No invitation has this code. It has sixteen letters and digits; please look at the mail once more.",
        "Diesen Code hat keine Einladung. Er hat sechzehn Buchstaben und Ziffern; bitte sehen Sie noch einmal in der E-Mail nach.",
    ),
    (
        "join_over",
        "This invitation was used already, or its time is over. Please ask the company for another.",
        "Diese Einladung wurde schon verwendet oder ist abgelaufen. Bitte fragen Sie die Firma nach einer neuen.",
    ),
    (
        "join_member",
        "You buy for this company already. There is nothing to do.",
        "Sie kaufen schon für diese Firma ein. Es ist nichts zu tun.",
    ),
    (
        "join_full",
        "The company has all the members it can have, or you buy for all the companies you can. Please speak to the company.",
        "Die Firma hat schon so viele Mitglieder, oder Sie kaufen schon für so viele Firmen ein, wie es sein können. Bitte sprechen Sie mit der Firma.",
    ),
    ("passkeys", "Your passkeys", "Ihre Passkeys"),
    (
        "no_passkeys",
        "None yet. With one you sign in without waiting for a mail.",
        "Noch keiner. Damit melden Sie sich an, ohne auf eine E-Mail zu warten.",
    ),
    ("passkey_made", "since", "seit"),
    ("passkey_name", "Name of this device", "Name dieses Geräts"),
    ("passkey_add", "Add a passkey", "Passkey hinzufügen"),
    ("passkey_remove", "Remove passkey", "Passkey entfernen"),
    ("sign_out", "Sign out", "Abmelden"),
    ("did_sign_out", "You are signed out.", "Sie sind abgemeldet."),
    ("did_remove", "The passkey is removed.", "Der Passkey ist entfernt."),
    (
        "did_add",
        "The passkey is added. From now on you can sign in by it.",
        "Der Passkey ist hinzugefügt. Ab jetzt können Sie sich damit anmelden.",
    ),
    (
        "refused_email",
        "Please give a whole e-mail address.",
        "Bitte geben Sie eine vollständige E-Mail-Adresse an.",
    ),
    (
        "refused_code",
        "The code does not fit, was used or has expired.",
        "Der Code passt nicht, wurde schon verwendet oder ist abgelaufen.",
    ),
    (
        "refused_often",
        "That was often in a short time. Please wait a while.",
        "Das war oft in kurzer Zeit. Bitte warten Sie ein wenig.",
    ),
    (
        "refused_passkey",
        "This did not work. Try again, or sign in by a code.",
        "Das hat nicht geklappt. Versuchen Sie es noch einmal, oder melden Sie sich mit einem Code an.",
    ),
    (
        "refused_sign_on",
        "The other account did not let you in. Try again, or sign in by a code.",
        "Das andere Konto hat Sie nicht angemeldet. Versuchen Sie es noch einmal, oder melden Sie sich mit einem Code an.",
    ),
    (
        "refused_other",
        "This did not work. Please try again in a while.",
        "Das hat nicht geklappt. Bitte versuchen Sie es später noch einmal.",
    ),
];

/// What the pages of colleagues say, each by a word of ours.
const STAFF: &[Words] = &[
    ("title", "Sign in as a colleague", "Anmelden für Kolleginnen und Kollegen"),
    ("skip", "Skip to signing in", "Zur Anmeldung springen"),
    (
        "how",
        "For those who work here. Customers sign in on the shop's own pages.",
        "Für alle, die hier arbeiten. Kundinnen und Kunden melden sich auf den Seiten des Ladens an.",
    ),
    ("by_company", "By the company's sign-on", "Mit der Anmeldung der Firma"),
    ("company_do", "Go on with", "Weiter mit"),
    ("by_password", "By your password", "Mit Ihrem Passwort"),
    ("email", "E-mail address", "E-Mail-Adresse"),
    ("password", "Password", "Passwort"),
    ("sign_in", "Sign in", "Anmelden"),
    ("sign_out", "Sign out", "Abmelden"),
    ("did_sign_out", "You are signed out.", "Sie sind abgemeldet."),
    ("staff_title", "Signed in", "Angemeldet"),
    ("staff_skip", "Skip to the content", "Zum Inhalt springen"),
    (
        "staff_how",
        "This browser is signed in for a working day; it ends after eight hours without a request.",
        "Dieser Browser ist für einen Arbeitstag angemeldet; nach acht Stunden ohne Anfrage endet das.",
    ),
    ("go_on", "Where to go from here", "Wie es weitergeht"),
    ("the_shop", "The shop now", "Der Laden jetzt"),
    ("the_api", "API reference", "API-Beschreibung"),
    ("refused_password", "Address and password do not fit.", "Adresse und Passwort passen nicht."),
    (
        "refused_often",
        "That was often in a short time. Please wait a while.",
        "Das war oft in kurzer Zeit. Bitte warten Sie ein wenig.",
    ),
    (
        "refused_sign_on",
        "The company's sign-on did not let you in here. Ask whoever manages the staff, or sign in by your password.",
        "Die Anmeldung der Firma hat Sie hier nicht hereingelassen. Fragen Sie, wer das Personal verwaltet, oder melden Sie sich mit Ihrem Passwort an.",
    ),
    (
        "refused_other",
        "This did not work. Please try again in a while.",
        "Das hat nicht geklappt. Bitte versuchen Sie es später noch einmal.",
    ),
];

/// What the pages say in this language, each by a word of ours.
pub fn page_words(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.iter().map(move |words| (words.0, said(words, language)))
}

/// What the pages of colleagues say in this language.
pub fn staff_words(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    STAFF.iter().map(move |words| (words.0, said(words, language)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_said_once_in_both_languages() {
        for page in [PAGE, STAFF] {
            let mut names: Vec<&str> = page.iter().map(|words| words.0).collect();
            names.sort_unstable();
            assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
            assert!(page.iter().all(|(_, english, german)| !english.is_empty() && !german.is_empty()));
        }
        let german = Language::parse("de-AT").unwrap();
        assert!(page_words(german).any(|said| said == ("title", "Anmelden")));
    }
}
