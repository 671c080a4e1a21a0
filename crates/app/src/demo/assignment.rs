//! Where each invoice of the source happens: the source knows no channels, so a fixed throw of dice per invoice
//! gives it one, the same on every run and every machine.

use serde::Serialize;

use super::locations::Locations;

/// Through what an invoice reaches the shop.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Channel {
    /// The web shop; a warehouse ships.
    Web,
    /// A till in a store; goods go over the counter.
    Till,
    /// The phone desk; a warehouse ships.
    Phone,
    /// Not a customer: stock entries and bookkeeping.
    BackOffice,
}

impl Channel {
    /// All of them, in the order of reports.
    pub const ALL: [Self; 4] = [Self::Web, Self::Till, Self::Phone, Self::BackOffice];

    /// As reports show it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Web => "web",
            Self::Till => "till",
            Self::Phone => "phone",
            Self::BackOffice => "back office",
        }
    }
}

/// What the dice must know of an invoice.
#[derive(Clone, Copy, Debug)]
pub struct Circumstances<'a> {
    /// With its letter.
    pub invoice: &'a str,
    /// None for a guest.
    pub customer: Option<u32>,
    /// Whether the customer is in the United Kingdom.
    pub at_home: bool,
    /// Whether a customer takes part at all.
    pub with_customer: bool,
    /// Whether it carries the web shop's own postage (`DOT`).
    pub web_postage: bool,
    /// Whether it carries any delivery charge.
    pub delivered: bool,
    /// Pieces, coming or going.
    pub pieces: u64,
}

/// From so many pieces on, an invoice is a wholesaler's and not carried out of a store.
pub const WHOLESALE_PIECES: u64 = 1_000;

/// The channel and the location (a number in `locations`) where the invoice happens.
#[must_use]
pub fn assign(of: &Circumstances<'_>, locations: &Locations) -> (Channel, usize) {
    let channel = channel(of);
    let location = match channel {
        Channel::Till => match of.customer {
            Some(customer) if chance(of.invoice, "faithful") < 80 => home_store(customer, locations),
            _ => one_of(locations.stores(), of.invoice, "store"),
        },
        Channel::Web | Channel::Phone => one_of(locations.warehouses(), of.invoice, "warehouse"),
        Channel::BackOffice if chance(of.invoice, "shelf") < 70 => {
            one_of(locations.warehouses(), of.invoice, "warehouse")
        }
        Channel::BackOffice => one_of(locations.stores(), of.invoice, "store"),
    };
    (channel, location)
}

/// The store a customer calls theirs; four of five of their till visits are there.
#[must_use]
pub fn home_store(customer: u32, locations: &Locations) -> usize {
    one_of(locations.stores(), &customer.to_string(), "home store")
}

/// The first rule that fits decides; numbers are chances in a hundred of web and till, the rest is phone.
fn channel(of: &Circumstances<'_>) -> Channel {
    if !of.with_customer {
        return Channel::BackOffice;
    }
    let (web, till) = match of {
        Circumstances { web_postage: true, .. } => (100, 0),
        Circumstances { at_home: false, .. } => (85, 0),
        Circumstances { delivered: true, .. } => (80, 0),
        Circumstances { pieces: WHOLESALE_PIECES.., .. } => (65, 0),
        Circumstances { customer: None, .. } => (32, 60),
        Circumstances { .. } => (50, 41),
    };
    let thrown = chance(of.invoice, "channel");
    if thrown < web {
        Channel::Web
    } else if thrown < web + till {
        Channel::Till
    } else {
        Channel::Phone
    }
}

fn one_of(locations: &[usize], subject: &str, purpose: &str) -> usize {
    let count = locations.len() as u64;
    locations[(scattered(subject, purpose) % count) as usize]
}

/// A number from 0 to 99 that is always the same for the same subject and purpose.
fn chance(subject: &str, purpose: &str) -> u64 {
    scattered(subject, purpose) % 100
}

/// FNV-1a over both texts, then the finishing mix of MurmurHash3, so that near numbers fall far apart.
#[must_use]
pub fn scattered(subject: &str, purpose: &str) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in purpose.bytes().chain([0]).chain(subject.bytes()) {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    hash = (hash ^ (hash >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    hash ^ (hash >> 33)
}

#[cfg(test)]
mod tests {
    use super::{Channel, Circumstances, assign, scattered};
    use crate::demo::locations::{Kind, Locations};

    const TABLE: &str = "external_id,name,kind,city,postal_code\nweb,Web,virtual,,\nwh,Dock,warehouse,Rugby,\n\
        bath,Bath,store,Bath,\nyork,York,store,York,\n";

    fn circumstances(invoice: &str) -> Circumstances<'_> {
        Circumstances {
            invoice,
            customer: Some(7),
            at_home: true,
            with_customer: true,
            web_postage: false,
            delivered: false,
            pieces: 12,
        }
    }

    #[test]
    fn dice_fall_the_same_on_every_machine() {
        assert_eq!(scattered("536365", "channel"), 0xbd65_7386_215c_9c5d);
        assert_ne!(scattered("536365", "channel"), scattered("536365", "store"));
        assert_ne!(scattered("536365", "channel"), scattered("536366", "channel"));
    }

    #[test]
    fn only_carried_goods_are_sold_at_tills() {
        let locations = Locations::read(TABLE).expect("a good table");
        let mut tills = 0;
        for number in 0..2_000 {
            let invoice = number.to_string();
            let plain = circumstances(&invoice);
            for parcel in [
                Circumstances { at_home: false, ..plain },
                Circumstances { delivered: true, ..plain },
                Circumstances { pieces: 1_000, ..plain },
            ] {
                let (channel, location) = assign(&parcel, &locations);
                assert!(matches!(channel, Channel::Web | Channel::Phone));
                assert_eq!(locations.at(location).kind, Kind::Warehouse);
            }
            assert_eq!(assign(&Circumstances { web_postage: true, ..plain }, &locations).0, Channel::Web);
            assert_eq!(
                assign(&Circumstances { with_customer: false, ..plain }, &locations).0,
                Channel::BackOffice
            );
            let (channel, location) = assign(&plain, &locations);
            assert_eq!(channel == Channel::Till, locations.at(location).kind == Kind::Store);
            tills += u32::from(channel == Channel::Till);
        }
        assert!((700..940).contains(&tills), "41 in 100 at tills, {tills} of 2,000 seen");
    }
}
