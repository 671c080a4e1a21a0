//! What people did on pages, in apps and stores, as their browsers and programs tell it: who may tell, when it was, and which visit it
//! belongs to.

pub mod open;
pub mod plan;

use crate::identity::Trust;
use crate::value::Instant;
use crate::words;

/// The most events told at once.
pub const BATCH_MAX: usize = 2_500;
/// The most bytes of one event.
pub const EVENT_BYTES_MAX: usize = 32_768;
/// The most characters of an event's name.
pub const NAME_CHARS_MAX: usize = 200;
/// The most identifiers told with one event.
pub const IDENTIFIERS_MAX: usize = 20;
/// How long nothing must be heard for a visit to be over: half an hour.
pub const QUIET_MICROS: i64 = 1_800_000_000;

words! {
    /// What an event says.
    Call {
        /// Somebody is known by this.
        Identify 1 "identify";
        /// Somebody did something.
        Track 2 "track";
        /// Somebody looked at a page.
        Page 3 "page";
        /// Somebody looked at a screen of an app.
        Screen 4 "screen";
        /// Somebody belongs to a company or household.
        Group 5 "group";
        /// Somebody was known by another id before.
        Alias 6 "alias";
    }
}

words! {
    /// What sends events.
    SourceKind {
        /// Pages: anybody can read the key.
        Web 1 "web";
        /// Apps: anybody can read the key.
        App 2 "app";
        /// The retailer's own programs, which keep the key secret.
        Server 3 "server";
    }
}

words! {
    /// What becomes of events that are not as planned.
    SchemaMode {
        /// They are kept as any other.
        Accept 1 "accept";
        /// They are kept, with what is wrong.
        Warn 2 "warn";
        /// They are set aside until somebody replays them.
        Quarantine 3 "quarantine";
    }
}

words! {
    /// Why an event was set aside.
    Fault {
        /// It is not what such an event looks like.
        Unreadable 1 "unreadable";
        /// It says of nobody whom it is about, or its sender may not say it.
        Nobody 2 "nobody";
        /// It has no name.
        Nameless 3 "nameless";
        /// It is larger than allowed.
        TooLarge 4 "too_large";
        /// It is not as planned.
        OffPlan 5 "off_plan";
    }
}

impl Fault {
    /// Can it be mended by putting the plan or the rules right? What was unreadable or too large stays so.
    pub const fn is_mendable(self) -> bool {
        !matches!(self, Fault::Unreadable | Fault::TooLarge)
    }
}

impl SourceKind {
    /// How far what it says of people is believed.
    pub const fn trust(self) -> Trust {
        match self {
            SourceKind::Web | SourceKind::App => Trust::Public,
            SourceKind::Server => Trust::Authenticated,
        }
    }
}

/// When something happened, by our clock: the sender's clock may be wrong, but tells how long before sending it was. Nothing happened after
/// we heard of it.
pub fn happened_at(received: Instant, sent: Option<Instant>, stamped: Option<Instant>) -> Instant {
    let Some(stamped) = stamped else { return received };
    let behind = sent.map_or(0, |sent| received.micros().saturating_sub(sent.micros()));
    Instant::from_micros(stamped.micros().saturating_add(behind)).min(received)
}

/// A visit: events with less than half an hour between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its first event.
    pub began_at: Instant,
    /// Its last event.
    pub last_at: Instant,
    /// How many events it has.
    pub events: i64,
}

/// The visits there are when more events become known, in their order: an event between two visits may make them one.
pub fn visits(mut known: Vec<Session>, events: &[Instant]) -> Vec<Session> {
    known.extend(events.iter().map(|at| Session { began_at: *at, last_at: *at, events: 1 }));
    known.sort_by_key(|session| session.began_at);
    let mut visits: Vec<Session> = Vec::new();
    for next in known {
        match visits.last_mut() {
            Some(last) if next.began_at.micros() - last.last_at.micros() <= QUIET_MICROS => {
                last.last_at = last.last_at.max(next.last_at);
                last.events += next.events;
            }
            _ => visits.push(next),
        }
    }
    visits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minute(minute: i64) -> Instant {
        Instant::from_micros(minute * 60_000_000)
    }

    #[test]
    fn a_wrong_clock_is_put_right() {
        let received = minute(1_000);
        assert_eq!(happened_at(received, None, None), received);
        assert_eq!(happened_at(received, Some(minute(5_000)), Some(minute(4_990))), minute(990));
        assert_eq!(happened_at(received, None, Some(minute(900))), minute(900));
        assert_eq!(
            happened_at(received, Some(minute(10)), Some(minute(20))),
            received,
            "not after we heard of it"
        );
    }

    #[test]
    fn half_an_hour_of_quiet_ends_a_visit() {
        let first = visits(Vec::new(), &[minute(0), minute(70), minute(30)]);
        let spans = |visits: &[Session]| -> Vec<(i64, i64, i64)> {
            let of = |at: Instant| at.micros() / 60_000_000;
            visits.iter().map(|one| (of(one.began_at), of(one.last_at), one.events)).collect()
        };
        assert_eq!(spans(&first), [(0, 30, 2), (70, 70, 1)]);
        assert_eq!(spans(&visits(first, &[minute(50)])), [(0, 70, 4)], "what comes late may join two");
    }
}
