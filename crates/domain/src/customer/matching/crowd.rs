//! Many persons at once, each value kept once: what a comparison of a million needs, and how often each value is seen.

use std::collections::HashMap;

use super::person::{FIELDS, Field, Known, Person, Value};

/// Many persons, in the order in which they were added.
#[derive(Default)]
pub struct Crowd {
    values: [Vec<Value>; FIELDS],
    /// Of each person, the places of the values, field by field.
    cells: Vec<u32>,
    /// Where each person's cells begin.
    starts: Vec<u32>,
    /// Behind how many of the cells each field ends.
    ends: Vec<[u8; FIELDS]>,
}

/// A crowd that is still gathering.
#[derive(Default)]
pub struct Gathering {
    crowd: Crowd,
    places: [HashMap<u64, u32>; FIELDS],
    seen: [Vec<u32>; FIELDS],
}

impl Gathering {
    /// Adds a person.
    pub fn add(&mut self, person: &Person) {
        self.crowd.starts.push(self.crowd.cells.len() as u32);
        let (mut ends, mut end) = ([0; FIELDS], 0);
        for field in Field::ALL {
            for value in person.values(field) {
                let place = self.place(field, value);
                self.seen[field.place()][place as usize] += 1;
                self.crowd.cells.push(place);
                end += 1;
            }
            ends[field.place()] = end;
        }
        self.crowd.ends.push(ends);
    }

    /// The place of a value, which is new at times.
    fn place(&mut self, field: Field, value: &Value) -> u32 {
        let values = &mut self.crowd.values[field.place()];
        let mut hash = hash(0, value.text());
        loop {
            match self.places[field.place()].get(&hash) {
                Some(place) if values[*place as usize].text() == value.text() => return *place,
                // Another text of the same hash.
                Some(_) => hash = hash.wrapping_add(1),
                None => {
                    let place = values.len() as u32;
                    values.push(value.clone());
                    self.places[field.place()].insert(hash, place);
                    self.seen[field.place()].push(0);
                    return place;
                }
            }
        }
    }

    /// The crowd, with the rarity of every value.
    pub fn finish(self) -> Crowd {
        let mut crowd = self.crowd;
        for (values, seen) in crowd.values.iter_mut().zip(&self.seen) {
            let all = seen.iter().sum();
            *values =
                std::mem::take(values).into_iter().zip(seen).map(|(v, times)| v.seen(*times, all)).collect();
        }
        crowd
    }
}

impl FromIterator<Person> for Crowd {
    fn from_iter<I: IntoIterator<Item = Person>>(persons: I) -> Crowd {
        let mut gathering = Gathering::default();
        persons.into_iter().for_each(|person| gathering.add(&person));
        gathering.finish()
    }
}

impl Crowd {
    /// How many persons there are.
    pub fn len(&self) -> u32 {
        self.ends.len() as u32
    }

    /// Is nobody in it?
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// One of them.
    pub const fn one(&self, at: u32) -> One<'_> {
        One { crowd: self, at: at as usize }
    }

    /// How many values of a field the persons have in all, and those that so many have, the most frequent first.
    pub fn frequent(&self, field: Field, least: u32) -> (u32, Vec<(&str, u32)>) {
        let values = &self.values[field.place()];
        let mut times = vec![0u32; values.len()];
        for at in 0..self.len() {
            self.one(at).cells(field).iter().for_each(|cell| times[*cell as usize] += 1);
        }
        let mut frequent: Vec<(&str, u32)> = values
            .iter()
            .map(Value::text)
            .zip(times.iter().copied())
            .filter(|(_, times)| *times >= least)
            .collect();
        frequent.sort_unstable_by_key(|(text, times)| (std::cmp::Reverse(*times), *text));
        (times.iter().sum(), frequent)
    }

    /// One of them on her own, with the rarity her values have in this crowd.
    pub fn person(&self, at: u32) -> Person {
        let (one, mut person) = (self.one(at), Person::default());
        for field in Field::ALL {
            (0..one.many(field)).for_each(|place| person.push(field, one.value(field, place).clone()));
        }
        person
    }
}

/// One person of a crowd.
#[derive(Clone, Copy)]
pub struct One<'a> {
    crowd: &'a Crowd,
    at: usize,
}

impl One<'_> {
    fn cells(&self, field: Field) -> &[u32] {
        let (place, ends) = (field.place(), &self.crowd.ends[self.at]);
        let start = self.crowd.starts[self.at] as usize;
        let from = if place == 0 { 0 } else { usize::from(ends[place - 1]) };
        &self.crowd.cells[start + from..start + usize::from(ends[place])]
    }
}

impl Known for One<'_> {
    fn many(&self, field: Field) -> usize {
        self.cells(field).len()
    }

    fn value(&self, field: Field, at: usize) -> &Value {
        &self.crowd.values[field.place()][self.cells(field)[at] as usize]
    }

    fn is_same(&self, field: Field, at: usize, other: &Self, other_at: usize) -> bool {
        self.cells(field)[at] == other.cells(field)[other_at]
    }
}

/// A hash that is the same on every machine and in every version: FNV-1a, mixed at the end.
pub(super) fn hash(seed: u64, text: &str) -> u64 {
    let mixed = |hash: u64| (hash ^ hash >> 32).wrapping_mul(0xd6e8_feb8_6659_fd93);
    let fold = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
    let hash = mixed(text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, fold));
    hash ^ hash >> 29
}
