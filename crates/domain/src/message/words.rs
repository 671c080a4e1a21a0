//! What messages say, in English and in German; in English where there are no others yet. The page of preferences has its words here too.

use super::Template;
use crate::value::Language;

/// A word of ours, and the words for it in English and in German.
pub(crate) type Words = (&'static str, &'static str, &'static str);

/// The words for a word of ours in this language; in English where the language has none yet.
pub(crate) fn said((_, english, german): &Words, language: Language) -> &'static str {
    if place_of(language) == 1 { german } else { english }
}

/// What a message says: its subject, then paragraphs. `{link}` alone is a paragraph that leads somewhere.
struct Text {
    template: Template,
    subject: [&'static str; 2],
    paragraphs: [&'static [&'static str]; 2],
}

/// Every message.
const TEXTS: &[Text] = &[
    Text {
        template: Template::Confirm,
        subject: ["Please confirm your address", "Bitte bestätigen Sie Ihre Adresse"],
        paragraphs: [
            &[
                "Somebody, we hope you, signed up with this address: {purpose}.",
                "Please confirm it within {days} days:",
                "{link}",
                "If it was not you, there is nothing to do: without your confirmation we do not write again.",
            ],
            &[
                "Jemand, hoffentlich Sie selbst, hat sich mit dieser Adresse angemeldet: {purpose}.",
                "Bitte bestätigen Sie das innerhalb von {days} Tagen:",
                "{link}",
                "Wenn Sie es nicht waren, müssen Sie nichts tun: Ohne Ihre Bestätigung schreiben wir nicht wieder.",
            ],
        ],
    },
    Text {
        template: Template::Product,
        subject: ["For you: {product}", "Für Sie: {product}"],
        paragraphs: [
            &[
                "We thought you might like this: {product}.",
                "What we write to you about, and whether, is yours to choose:",
                "{link}",
            ],
            &[
                "Das könnte Ihnen gefallen: {product}.",
                "Was wir Ihnen schreiben, und ob überhaupt, bestimmen Sie:",
                "{link}",
            ],
        ],
    },
    Text {
        template: Template::PrivacyCheck,
        subject: ["Your request about your data", "Ihre Anfrage zu Ihren Daten"],
        paragraphs: [
            &[
                "We have a request about the data we keep of you. Please show that it comes from you:",
                "{link}",
                "If you did not ask for it, please do not follow the link, and tell us.",
            ],
            &[
                "Uns liegt eine Anfrage zu den Daten vor, die wir von Ihnen haben. Bitte zeigen Sie uns, dass sie von Ihnen kommt:",
                "{link}",
                "Wenn Sie nicht danach gefragt haben, folgen Sie dem Link bitte nicht und sagen Sie uns Bescheid.",
            ],
        ],
    },
    Text {
        template: Template::SignInCode,
        subject: ["{code} is your code to sign in", "{code} ist Ihr Anmeldecode"],
        paragraphs: [
            &[
                "Your code to sign in: {code}",
                "It works once, for {minutes} minutes. Nobody of us will ever ask you for it.",
                "If you did not want to sign in, there is nothing to do.",
            ],
            &[
                "Ihr Code zum Anmelden: {code}",
                "Er gilt einmal und {minutes} Minuten lang. Niemand von uns fragt Sie je danach.",
                "Wenn Sie sich nicht anmelden wollten, müssen Sie nichts tun.",
            ],
        ],
    },
    Text {
        template: Template::AddressChanged,
        subject: ["Your e-mail address with us was changed", "Ihre E-Mail-Adresse bei uns wurde geändert"],
        paragraphs: [
            &[
                "The e-mail address we keep of you is another one from now on. With this one you do not sign in to your account any more.",
                "If you wanted that, there is nothing to do. If you did not, please tell us at once.",
            ],
            &[
                "Wir führen von jetzt an eine andere E-Mail-Adresse von Ihnen. Mit dieser melden Sie sich nicht mehr in Ihrem Konto an.",
                "Wenn Sie das wollten, müssen Sie nichts tun. Wenn nicht, sagen Sie uns bitte sofort Bescheid.",
            ],
        ],
    },
    Text {
        template: Template::CompanyInvitation,
        subject: ["{company} invites you", "{company} lädt Sie ein"],
        paragraphs: [
            &[
                "{company} would like you to buy in its name.",
                "Sign in to our shop and give this code within {days} days: {code}",
                "{link}",
                "If you do not know {company}, there is nothing to do.",
            ],
            &[
                "{company} möchte, dass Sie in ihrem Namen einkaufen.",
                "Melden Sie sich in unserem Shop an und geben Sie innerhalb von {days} Tagen diesen Code ein: {code}",
                "{link}",
                "Wenn Sie {company} nicht kennen, müssen Sie nichts tun.",
            ],
        ],
    },
    Text {
        template: Template::PrivacyDone,
        subject: ["Your request about your data is done", "Ihre Anfrage zu Ihren Daten ist erledigt"],
        paragraphs: [
            &["We have done what you asked for about your data, request {request}."],
            &["Wir haben Ihre Anfrage zu Ihren Daten erledigt, Nummer {request}."],
        ],
    },
    Text {
        template: Template::PrivacyRefused,
        subject: ["Your request about your data is refused", "Ihre Anfrage zu Ihren Daten ist abgelehnt"],
        paragraphs: [
            &[
                "We do not do what you asked for about your data, request {request}. The reason:",
                "{reason}",
                "If you think that is wrong, please tell us. You can also complain to the data protection authority of the country you live in, and go to court.",
            ],
            &[
                "Ihrer Anfrage zu Ihren Daten, Nummer {request}, kommen wir nicht nach. Der Grund:",
                "{reason}",
                "Wenn Sie das für falsch halten, sagen Sie uns bitte Bescheid. Sie können sich auch bei der Datenschutzbehörde des Landes beschweren, in dem Sie leben, und vor Gericht gehen.",
            ],
        ],
    },
    Text {
        template: Template::PrivacyExtended,
        subject: ["Your request about your data takes longer", "Ihre Anfrage zu Ihren Daten dauert länger"],
        paragraphs: [
            &[
                "We need more time for what you asked for about your data, request {request}: until {day} at the latest. The reason:",
                "{reason}",
                "If you think that is wrong, please tell us. You can also complain to the data protection authority of the country you live in, and go to court.",
            ],
            &[
                "Für Ihre Anfrage zu Ihren Daten, Nummer {request}, brauchen wir mehr Zeit: spätestens bis zum {day}. Der Grund:",
                "{reason}",
                "Wenn Sie das für falsch halten, sagen Sie uns bitte Bescheid. Sie können sich auch bei der Datenschutzbehörde des Landes beschweren, in dem Sie leben, und vor Gericht gehen.",
            ],
        ],
    },
];

/// A message as it is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Its subject.
    pub subject: String,
    /// Its paragraphs.
    pub paragraphs: Vec<String>,
}

/// The words of a message in a language, with each `{name}` replaced by what it stands for.
pub fn written(template: Template, language: Language, fills: &[(&str, &str)]) -> Written {
    let place = place_of(language);
    let text = TEXTS.iter().find(|text| text.template == template).unwrap_or(&TEXTS[0]);
    let filled = |words: &str| {
        fills
            .iter()
            .fold(words.to_owned(), |words, (name, value)| words.replace(&format!("{{{name}}}"), value))
    };
    Written {
        subject: filled(text.subject[place]),
        paragraphs: text.paragraphs[place].iter().map(|words| filled(words)).collect(),
    }
}

/// The language the words are in when they are asked for in this one.
pub fn language_of_words(language: Language) -> &'static str {
    ["en", "de"][place_of(language)]
}

fn place_of(language: Language) -> usize {
    usize::from(language.code().starts_with("de"))
}

/// What the page of preferences says.
const PAGE: &[Words] = &[
    ("title", "What we may write to you", "Was wir Ihnen schreiben dürfen"),
    ("skip", "Skip to your choice", "Zur Auswahl springen"),
    (
        "how",
        "Choose what you like to hear about. What you switch off is off at once, everywhere.",
        "Wählen Sie, wovon Sie hören möchten. Was Sie abschalten, ist sofort und überall aus.",
    ),
    ("mail", "E-mail", "E-Mail"),
    ("sms", "Text message", "SMS"),
    ("whatsapp", "WhatsApp", "WhatsApp"),
    ("push", "Notification", "Mitteilung"),
    ("phone", "Telephone", "Telefon"),
    ("post", "Letter", "Brief"),
    ("web", "On our pages", "Auf unseren Seiten"),
    ("every", "In general", "Allgemein"),
    ("save", "Keep my choice", "Auswahl speichern"),
    ("none", "Unsubscribe from everything", "Von allem abmelden"),
    (
        "none_how",
        "We then write only about what you ordered.",
        "Wir schreiben dann nur noch zu Ihren Bestellungen.",
    ),
    ("pause", "Pause", "Pause"),
    (
        "pause_how",
        "We write nothing until then and keep your choice.",
        "Bis dahin schreiben wir nichts und behalten Ihre Auswahl.",
    ),
    ("pause_days", "How long", "Wie lange"),
    ("days", "days", "Tage"),
    ("pause_do", "Pause now", "Jetzt pausieren"),
    ("pause_end", "End the pause", "Pause beenden"),
    ("paused", "Paused until", "Pausiert bis"),
    ("confirm_title", "Is this what you want?", "Möchten Sie das?"),
    (
        "confirm_how",
        "You are one step away: press the button, and we have your yes.",
        "Noch ein Schritt: Mit dem Knopf geben Sie uns Ihr Ja.",
    ),
    ("confirm_do", "Yes, I confirm", "Ja, ich bestätige"),
    ("check_title", "Was it you?", "Waren Sie das?"),
    (
        "check_how",
        "Press the button to show that the request about your data comes from you.",
        "Mit dem Knopf zeigen Sie uns, dass die Anfrage zu Ihren Daten von Ihnen kommt.",
    ),
    ("check_do", "Yes, it was me", "Ja, das war ich"),
    ("did_save", "Your choice is kept.", "Ihre Auswahl ist gespeichert."),
    ("did_unsubscribe", "You are unsubscribed.", "Sie sind abgemeldet."),
    ("did_pause", "We are quiet until then.", "Bis dahin sind wir still."),
    ("did_resume", "The pause is over.", "Die Pause ist beendet."),
    ("did_confirm", "Thank you, you have confirmed it.", "Danke, Sie haben es bestätigt."),
    ("did_check", "Thank you, we go on with your request.", "Danke, wir bearbeiten Ihre Anfrage."),
    (
        "refused",
        "This is not possible any more. Please load the page again.",
        "Das geht nicht mehr. Bitte laden Sie die Seite neu.",
    ),
    ("wait", "waits for your confirmation", "wartet auf Ihre Bestätigung"),
    ("gone_title", "This link leads nowhere", "Dieser Link führt ins Leere"),
    (
        "gone",
        "It has expired or was copied in part. Please ask for a new one.",
        "Er ist abgelaufen oder unvollständig. Bitte fordern Sie einen neuen an.",
    ),
];

/// The words of the page in a language, by name.
pub fn page_words(language: Language) -> impl Iterator<Item = (&'static str, &'static str)> {
    PAGE.iter().map(move |words| (words.0, said(words, language)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_message_has_words_in_both_languages() {
        for template in Template::ALL {
            for language in ["en", "de-AT"] {
                let language = Language::parse(language).unwrap();
                let fills = [
                    ("purpose", "News"),
                    ("days", "7"),
                    ("link", "https://x"),
                    ("product", "Mug"),
                    ("request", "pvr_1"),
                    ("code", "012345"),
                    ("minutes", "10"),
                    ("company", "Mugs Ltd"),
                    ("reason", "no"),
                    ("day", "2026-12-24"),
                ];
                let written = written(*template, language, &fills);
                let all = format!("{} {}", written.subject, written.paragraphs.join(" "));
                assert!(!all.contains('{') && written.paragraphs.len() < 9, "{all}");
            }
        }
        let german = written(Template::Confirm, Language::parse("de").unwrap(), &[]);
        assert_eq!(german.subject, "Bitte bestätigen Sie Ihre Adresse");
        assert_eq!(TEXTS.len(), Template::ALL.len());
    }
}
