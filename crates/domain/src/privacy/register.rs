//! The register of what is kept of persons: table by table how a person is told of it, what is left of it once the person is erased, and how
//! long it is kept. A table that leads to a person and is not in it fails a test.

mod entries;

use super::Class;
use crate::words;

pub use entries::REGISTER;

words! {
    /// A part of an archive.
    Section {
        /// Names, addresses, mail and phone.
        Contacts 1 "contacts";
        /// The customer, and who was merged into them.
        Customer 2 "customer";
        /// Addresses told beside the contact.
        Addresses 3 "addresses";
        /// Answers, sizes, language.
        Preferences 4 "preferences";
        /// What colleagues noted.
        Notes 5 "notes";
        /// The companies somebody buys for.
        Companies 29 "companies";
        /// What other systems' files say.
        Records 6 "records";
        /// What was agreed to.
        Consents 7 "consents";
        /// Links that were given out.
        Links 8 "links";
        /// What was sent.
        Messages 9 "messages";
        /// What was asked about data.
        Requests 10 "requests";
        /// Why nothing may be forgotten.
        Holds 11 "holds";
        /// What was ordered.
        Orders 12 "orders";
        /// What lay in carts.
        Carts 13 "carts";
        /// What came back.
        Returns 14 "returns";
        /// What was complained of.
        Claims 15 "claims";
        /// Gift cards that were bought.
        GiftCards 16 "gift_cards";
        /// Loyalty.
        Memberships 17 "memberships";
        /// Money kept for later.
        StoreCredits 18 "store_credits";
        /// Where somebody is signed in.
        SignIns 19 "sign_ins";
        /// Keys to sign in with.
        Passkeys 20 "passkeys";
        /// Other programs that say who it is.
        SignOns 21 "sign_ons";
        /// By what the person is recognised.
        KnownBy 22 "known_by";
        /// What was done on pages and in apps.
        Behaviour 23 "behaviour";
        /// When, in one go.
        Visits 24 "visits";
        /// Into which groups the person was put.
        Segments 25 "segments";
        /// Which customers were made one.
        Merges 26 "merges";
        /// Everything that happened, in one line.
        WhatHappened 27 "what_happened";
        /// Who was shown what of it.
        ReadBy 28 "read_by";
    }
}

impl Section {
    /// Is it of customers only? Somebody who is known by an address has none of it.
    pub const fn is_of_customers(self) -> bool {
        !matches!(
            self,
            Section::Contacts
                | Section::Consents
                | Section::Links
                | Section::Messages
                | Section::Requests
                | Section::Orders
                | Section::KnownBy
                | Section::Behaviour
                | Section::Visits
                | Section::ReadBy
        )
    }
}

/// How a person is told of what a table holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// In this section of the archive, where this field has it.
    In(Section, &'static str),
    /// Not at all, with the reason.
    Not(&'static str),
}

/// What is left of it when the person is erased.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Left {
    /// Nothing: the rows are removed.
    Nothing,
    /// What is sealed under the person's key, which is destroyed: nobody can read it any more.
    Sealed,
    /// The rows, with these columns emptied.
    Emptied(&'static [&'static str]),
    /// The rows as they are, with the reason.
    Rows(&'static str),
}

/// How long it is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kept {
    /// Until the person is erased, or sooner by the rules of these classes.
    Person(&'static [Class]),
    /// As long as the books: it names nobody.
    Books,
    /// Until it expires, which it does by itself.
    Briefly,
}

/// Tables that are treated alike.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// What is in them, in words.
    pub what: &'static str,
    /// The tables.
    pub tables: &'static [&'static str],
    /// How a person is told of it.
    pub told: Told,
    /// What is left after the person is erased.
    pub left: Left,
    /// How long it is kept.
    pub kept: Kept,
}

/// The entry of a table.
pub fn of_table(table: &str) -> Option<&'static Entry> {
    REGISTER.iter().find(|entry| entry.tables.contains(&table))
}

/// The entries that are told in a section.
pub fn of_section(section: Section) -> impl Iterator<Item = &'static Entry> {
    REGISTER.iter().filter(move |entry| matches!(entry.told, Told::In(own, _) if own == section))
}

impl Told {
    /// In words.
    pub fn words(self) -> String {
        match self {
            Told::In(section, field) => format!("in the archive's {}: {field}", section.text()),
            Told::Not(why) => format!("not: {why}"),
        }
    }
}

impl Left {
    /// In words.
    pub fn words(self) -> String {
        match self {
            Left::Nothing => "nothing".to_owned(),
            Left::Sealed => "what nobody can open: its key is destroyed".to_owned(),
            Left::Emptied(columns) => format!("the row, without {}", columns.join(", ")),
            Left::Rows(why) => format!("the row: {why}"),
        }
    }
}

impl Kept {
    /// In words.
    pub fn words(self) -> String {
        match self {
            Kept::Person([]) => "until the person is erased".to_owned(),
            Kept::Person(classes) => {
                let classes: Vec<_> = classes.iter().map(|class| class.text()).collect();
                format!("until the person is erased, sooner by the rule for {}", classes.join(", "))
            }
            Kept::Books => "as long as the books".to_owned(),
            Kept::Briefly => "until it expires, by itself".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_stands_once_and_every_section_and_class_is_used() {
        let mut tables: Vec<_> = REGISTER.iter().flat_map(|entry| entry.tables).collect();
        let all = tables.len();
        tables.sort_unstable();
        tables.dedup();
        assert_eq!(tables.len(), all, "a table stands twice");
        for section in Section::ALL.iter().filter(|section| **section != Section::ReadBy) {
            assert!(of_section(*section).next().is_some(), "{} tells of no table", section.text());
        }
        for class in Class::ALL {
            let used = |entry: &Entry| matches!(entry.kept, Kept::Person(classes) if classes.contains(class));
            assert!(REGISTER.iter().any(used), "nothing is kept by the rule for {}", class.text());
        }
    }
}
