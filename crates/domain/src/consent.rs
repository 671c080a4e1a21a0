//! Consent: what a person agreed to, for which purpose, over which medium and on which topic, and what of it holds now.

use crate::Refusal;
use crate::catalogue::short_code;
use crate::value::Instant;
use crate::value::text::bounded;
use crate::words;

/// The most characters of the wording a person agreed to: its version, or its first words.
pub const WORDING_CHARS_MAX: usize = 100;
/// The most characters of a browser's name that are kept as evidence.
pub const AGENT_CHARS_MAX: usize = 300;
/// How long somebody may take to confirm, in days; then nothing was said.
pub const CONFIRM_DAYS: i64 = 7;
/// The longest that a consent of a purpose may hold, in days.
pub const DAYS_MAX: i64 = 3_650;
/// The purpose which the signal `Sec-GPC: 1` of a browser denies.
pub const SALE_OR_SHARE: &str = "sale_or_share";

words! {
    /// The way by which a person is reached or watched. What is said for every medium holds for each.
    Medium {
        /// Whatever the way.
        Every 1 "every";
        /// E-mail.
        Mail 2 "mail";
        /// Text messages.
        Sms 3 "sms";
        /// WhatsApp.
        Whatsapp 4 "whatsapp";
        /// Notifications of an app or a browser.
        Push 5 "push";
        /// Telephone.
        Phone 6 "phone";
        /// Letters.
        Post 7 "post";
        /// Pages.
        Web 8 "web";
    }
}

words! {
    /// What was said. A later one in this list is stricter.
    Status {
        /// Yes.
        Granted 1 "granted";
        /// Yes, but it must be confirmed from the address it was given for.
        Pending 2 "pending";
        /// No.
        Denied 3 "denied";
        /// No longer.
        Withdrawn 4 "withdrawn";
    }
}

words! {
    /// On what a purpose rests in law.
    Basis {
        /// Only who said yes.
        Consent 1 "consent";
        /// Whoever did not say no.
        LegitimateInterest 2 "legitimate_interest";
        /// It belongs to what was bought.
        Contract 3 "contract";
    }
}

words! {
    /// How we know.
    Source {
        /// A colleague or a program wrote it down.
        Told 1 "told";
        /// The person typed an address into a form.
        Form 2 "form";
        /// The person followed the link in a message.
        Link 3 "link";
        /// The person chose on the page of preferences.
        Preferences 4 "preferences";
        /// The person's browser says so with every request.
        Signal 5 "signal";
        /// It came in with a file of another system.
        Import 6 "import";
        /// The person's request about its data.
        Request 7 "request";
        /// Two customers were made one.
        Merging 8 "merging";
        /// The person complained to who carries the mail.
        Reported 9 "reported";
    }
}

impl Status {
    /// Is it a no?
    pub const fn refuses(self) -> bool {
        matches!(self, Status::Denied | Status::Withdrawn)
    }
}

/// What is said or asked about: a purpose, the medium, and the topic, which is empty for the purpose as a whole.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cell {
    /// The retailer's code of the purpose.
    pub purpose: String,
    /// The medium.
    pub medium: Medium,
    /// The retailer's code of the topic; empty for the whole purpose.
    pub topic: String,
}

impl Cell {
    /// The cell of a purpose, a medium and a topic by their names.
    ///
    /// # Errors
    /// The refusal names every bad field.
    pub fn read(purpose: &str, medium: Option<&str>, topic: Option<&str>) -> Result<Cell, Refusal> {
        let purpose = short_code(purpose).map_err(|why| Refusal::invalid("purpose", why));
        let medium = medium.map_or(Ok(Medium::Every), Medium::parse);
        let medium = medium.map_err(|why| Refusal::invalid("medium", why));
        let topic = topic.map_or(Ok(String::new()), short_code);
        let topic = topic.map_err(|why| Refusal::invalid("topic", why));
        match (purpose, medium, topic) {
            (Ok(purpose), Ok(medium), Ok(topic)) => Ok(Cell { purpose, medium, topic }),
            (purpose, medium, topic) => {
                let bad = [purpose.err(), medium.err(), topic.err()].into_iter().flatten().collect();
                Err(Refusal::all(bad).unwrap_or_else(|| Refusal::invalid("purpose", "cannot be read")))
            }
        }
    }

    /// Does what was said of this cell hold for another one?
    pub fn covers(&self, other: &Cell) -> bool {
        self.purpose == other.purpose
            && (self.medium == Medium::Every || self.medium == other.medium)
            && (self.topic.is_empty() || self.topic == other.topic)
    }
}

/// What was said last of a cell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Held {
    /// The cell.
    pub cell: Cell,
    /// What was said.
    pub status: Status,
    /// Until when it holds; for ever when `None`.
    pub expires_at: Option<Instant>,
}

/// How somebody stands to a cell now: the strictest of all that covers it and has not expired. `None` when nothing was said.
pub fn standing(held: &[Held], cell: &Cell, now: Instant) -> Option<Status> {
    let holds = |one: &&Held| one.cell.covers(cell) && one.expires_at.is_none_or(|at| at > now);
    held.iter().filter(holds).map(|one| one.status).max_by_key(|status| status.code())
}

/// May a purpose that rests on this basis be followed for somebody who stands so?
pub fn permits(basis: Basis, standing: Option<Status>) -> bool {
    standing.map_or(basis != Basis::Consent, |status| status == Status::Granted)
}

/// What holds of a cell after one more thing was said: a yes that is not confirmed yet takes the place of nothing that was.
pub fn follows(was: Option<Status>, said: Status) -> bool {
    said != Status::Pending || was.is_none_or(|was| was == Status::Pending)
}

/// Does what comes in with a file hold, though it was said at an instant of the past? Not against what was said later; and of the same
/// instant, a yes does not hold against a no.
pub fn comes_in(held: Option<(Status, Instant)>, (said, at): (Status, Instant)) -> bool {
    match held {
        None | Some((Status::Pending, _)) => true,
        Some((was, since)) => at > since || (at == since && (said.refuses() || !was.refuses())),
    }
}

/// The wording somebody agreed to, checked.
///
/// # Errors
/// When it is empty or too long.
pub fn wording(text: &str) -> Result<String, Refusal> {
    bounded("wording", text, 1, WORDING_CHARS_MAX).map_err(|why| Refusal::invalid("wording", why))
}

/// The purposes a new shop begins with: code, in English and in German, and does a yes need to be confirmed?
pub const FIRST_PURPOSES: &[(&str, &str, &str, bool)] = &[
    ("analytics", "Counting what is used on our pages", "Zählen, was auf unseren Seiten genutzt wird", false),
    ("marketing", "News and offers", "Neuigkeiten und Angebote", true),
    ("personalisation", "Showing you what fits you", "Ihnen zeigen, was zu Ihnen passt", false),
    (SALE_OR_SHARE, "Handing your data to advertisers", "Weitergabe Ihrer Daten an Werbetreibende", false),
];

#[cfg(test)]
mod tests {
    use super::*;

    fn cell(medium: Medium, topic: &str) -> Cell {
        Cell { purpose: "marketing".into(), medium, topic: topic.into() }
    }

    fn held(medium: Medium, topic: &str, status: Status) -> Held {
        Held { cell: cell(medium, topic), status, expires_at: None }
    }

    #[test]
    fn the_stricter_of_the_whole_and_a_topic_holds() {
        let now = Instant::from_micros(1_000);
        let yes = held(Medium::Mail, "", Status::Granted);
        let no = held(Medium::Mail, "shoes", Status::Withdrawn);
        let both = [yes.clone(), no];
        assert_eq!(standing(&both, &cell(Medium::Mail, "shoes"), now), Some(Status::Withdrawn));
        assert_eq!(standing(&both, &cell(Medium::Mail, "hats"), now), Some(Status::Granted));
        assert_eq!(standing(&both, &cell(Medium::Mail, ""), now), Some(Status::Granted));
        assert_eq!(standing(&both, &cell(Medium::Sms, ""), now), None);
        let all = [yes, held(Medium::Every, "", Status::Denied)];
        assert_eq!(standing(&all, &cell(Medium::Mail, "hats"), now), Some(Status::Denied));
    }

    #[test]
    fn a_yes_to_a_topic_is_none_to_the_whole() {
        let only = [held(Medium::Mail, "shoes", Status::Granted)];
        let now = Instant::from_micros(1_000);
        assert_eq!(standing(&only, &cell(Medium::Mail, ""), now), None);
        assert_eq!(standing(&only, &cell(Medium::Mail, "shoes"), now), Some(Status::Granted));
    }

    #[test]
    fn what_expired_was_never_said() {
        let old =
            Held { expires_at: Some(Instant::from_micros(5)), ..held(Medium::Mail, "", Status::Granted) };
        assert_eq!(
            standing(std::slice::from_ref(&old), &cell(Medium::Mail, ""), Instant::from_micros(4)),
            Some(Status::Granted)
        );
        assert_eq!(standing(&[old], &cell(Medium::Mail, ""), Instant::from_micros(5)), None);
        assert!(permits(Basis::LegitimateInterest, None) && !permits(Basis::Consent, None));
        assert!(!permits(Basis::Contract, Some(Status::Denied)));
    }

    #[test]
    fn a_yes_to_be_confirmed_takes_nobodys_place() {
        assert!(follows(None, Status::Pending) && follows(Some(Status::Pending), Status::Pending));
        assert!(!follows(Some(Status::Withdrawn), Status::Pending));
        assert!(!follows(Some(Status::Granted), Status::Pending));
        assert!(follows(Some(Status::Withdrawn), Status::Granted));
    }

    #[test]
    fn a_file_takes_no_later_no_back() {
        let at = Instant::from_micros;
        let no = Some((Status::Withdrawn, at(5)));
        assert!(!comes_in(no, (Status::Granted, at(4))) && !comes_in(no, (Status::Granted, at(5))));
        assert!(comes_in(no, (Status::Granted, at(6))) && comes_in(None, (Status::Granted, at(1))));
        let yes = Some((Status::Granted, at(5)));
        assert!(comes_in(yes, (Status::Denied, at(5))) && !comes_in(yes, (Status::Denied, at(4))));
        assert!(comes_in(Some((Status::Pending, at(9))), (Status::Denied, at(4))));
    }

    #[test]
    fn every_bad_field_is_named() {
        let refusal = Cell::read("", Some("pigeon"), Some("a b")).unwrap_err();
        let fields: Vec<_> = refusal.each().filter_map(Refusal::field).collect();
        assert_eq!(fields, ["purpose", "medium", "topic"]);
    }
}
