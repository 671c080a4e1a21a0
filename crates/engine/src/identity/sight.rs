//! What was seen in one command, put together before anything is written.

use std::collections::{BTreeMap, BTreeSet};

use domain::identity::graph::{Key, Link};
use domain::identity::rule::Rules;
use domain::identity::{Identifier, Kind, Trust};
use domain::value::id::Customer;
use domain::value::{Id, Instant};

use super::Seen;
use crate::Keyring;

/// Two identifiers, the smaller hash first.
pub(super) type Ends = (Key, Key);

/// The part of a keyed hash that an identifier is kept under.
pub(super) fn shortened(hash: &[u8]) -> Key {
    let mut key = [0; 16];
    key.copy_from_slice(&hash[..16]);
    key
}

/// What an identifier is kept under.
pub(super) fn key(keyring: &Keyring, identifier: &Identifier) -> Key {
    shortened(&keyring.lookup_hash(&identifier.label(), identifier.value()))
}

/// One thing that a person is said to be known by.
pub(super) struct Told {
    /// What it is kept under.
    pub key: Key,
    pub kind: Kind,
    pub identifier: Identifier,
}

/// What one sender may say of one person, the surest first.
pub(super) struct Heard {
    pub told: Vec<Told>,
    pub trust: Trust,
    pub at: Instant,
}

impl Heard {
    pub(super) fn of(keyring: &Keyring, rules: &Rules, seen: &Seen) -> Heard {
        let said = seen.identifiers.iter();
        let kept = said.filter(|one| one.kind().may_be_said(seen.trust) && !rules.block(one));
        let told =
            |one: &Identifier| Told { key: key(keyring, one), kind: one.kind(), identifier: one.clone() };
        let mut heard = Heard { told: kept.map(told).collect(), trust: seen.trust, at: seen.at };
        heard.sort(rules);
        heard
    }

    /// Brings what was told into the order of how sure it is, each once.
    pub(super) fn sort(&mut self, rules: &Rules) {
        self.told.sort_by_key(|told| (rules.of(told.kind).priority, told.key));
        self.told.dedup_by_key(|told| told.key);
    }
}

/// How an identifier was seen.
#[derive(Clone, Copy)]
pub(super) struct Sight {
    pub kind: Kind,
    pub trust: Trust,
    pub first: Instant,
    pub last: Instant,
    /// The customer it names, at the version that was read.
    pub customer: Option<(Id<Customer>, i64)>,
}

/// All that was seen: the order in which it is put in does not matter.
#[derive(Default)]
pub(super) struct Plan {
    pub sights: BTreeMap<Key, Sight>,
    pub links: BTreeMap<Ends, Link>,
    /// Links that are no longer so.
    pub gone: BTreeSet<Ends>,
    /// Somebody decided it, and must be told when it cannot be done.
    pub insists: bool,
}

impl Plan {
    /// Adds what one sender said: everything belongs to the surest of it.
    pub(super) fn hear(&mut self, heard: &Heard) {
        let Some(surest) = heard.told.first() else { return };
        for told in &heard.told {
            let (kind, trust, at) = (told.kind, heard.trust, heard.at);
            self.see(told.key, Sight { kind, trust, first: at, last: at, customer: None });
            if told.key != surest.key && trust.may_link(surest.kind, kind) {
                self.link(Link { ends: (surest.key, told.key), trust, first_at: at });
            }
        }
    }

    pub(super) fn see(&mut self, key: Key, new: Sight) {
        let sight = self.sights.entry(key).or_insert(new);
        sight.trust = sight.trust.max(new.trust);
        sight.first = sight.first.min(new.first);
        sight.last = sight.last.max(new.last);
        sight.customer = sight.customer.or(new.customer);
    }

    pub(super) fn link(&mut self, new: Link) {
        let link = self.links.entry(sorted(new.ends)).or_insert(new);
        *link = stronger(link, &new);
    }
}

/// Two ends in the order in which a link is known.
pub(super) fn sorted((one, other): (Key, Key)) -> Ends {
    (one.min(other), one.max(other))
}

/// What two reports of one link come to.
pub(super) fn stronger(one: &Link, other: &Link) -> Link {
    let ends = if other.trust == Trust::Decided { other.ends } else { one.ends };
    Link { ends, trust: one.trust.max(other.trust), first_at: one.first_at.min(other.first_at) }
}
