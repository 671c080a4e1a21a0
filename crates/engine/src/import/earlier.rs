//! A file held against itself: on a dry run nothing of the rows further up is in the books, so who stands there is looked up in the file.

use std::collections::BTreeMap;

use domain::customer::matching::{self as rules, Key, Person, bulk};

use super::customer::Row;
use crate::customer::matching::person_of;

/// Where in a file people are that share something.
#[derive(Debug, Default)]
pub(super) struct Index {
    emails: BTreeMap<String, Vec<u32>>,
    phones: BTreeMap<String, Vec<u32>>,
    /// Keys of matching with places, sorted.
    keys: Vec<(u32, u32)>,
}

impl Index {
    pub(super) fn of<'r>(people: impl Iterator<Item = (usize, &'r Row)>) -> Index {
        let mut index = Index::default();
        for (place, row) in people {
            let Ok(place) = u32::try_from(place) else { break };
            if let Some(email) = row.card.email_lookup() {
                index.emails.entry(email).or_default().push(place);
            }
            if let Some(phone) = row.card.phone_lookup() {
                index.phones.entry(phone).or_default().push(place);
            }
            let person = person_of(&row.card);
            let own = rules::keys(&person);
            let finer = own.iter().flat_map(|key| rules::finer(&person, *key));
            index.keys.extend(own.iter().copied().chain(finer).map(|key| (key.number(), place)));
        }
        index.keys.sort_unstable();
        index.keys.dedup();
        index
    }

    /// The first row before one with the same e-mail address.
    pub(super) fn with_email(&self, email: &str, before: usize) -> Option<usize> {
        self.emails.get(email).and_then(|places| upto(places, before).first()).map(|place| *place as usize)
    }

    /// The rows before one with the same phone number.
    pub(super) fn with_phone(&self, phone: &str, before: usize) -> impl Iterator<Item = usize> {
        let places = self.phones.get(phone).map_or(&[][..], |places| upto(places, before));
        places.iter().map(|place| *place as usize)
    }

    /// The rows before one that are to be compared with a person, found as in the books.
    pub(super) fn candidates(&self, person: &Person, before: usize) -> Vec<usize> {
        let mut found: Vec<(Key, Vec<usize>)> = Vec::new();
        for key in rules::keys(person) {
            let who = self.with_key(key, before);
            if who.len() <= bulk::BLOCK_MAX {
                found.push((key, who));
                continue;
            }
            for finer in rules::finer(person, key) {
                let who = self.with_key(finer, before);
                if who.len() <= bulk::BLOCK_MAX {
                    found.push((finer, who));
                }
            }
        }
        rules::candidates(&found)
    }

    fn with_key(&self, key: Key, before: usize) -> Vec<usize> {
        let from = self.keys.partition_point(|(known, _)| *known < key.number());
        let same = self.keys[from..].iter().take_while(|(known, _)| *known == key.number());
        same.map(|(_, place)| *place as usize)
            .take_while(|place| *place < before)
            .take(bulk::BLOCK_MAX + 1)
            .collect()
    }
}

fn upto(places: &[u32], before: usize) -> &[u32] {
    &places[..places.partition_point(|place| (*place as usize) < before)]
}
