//! The promotions in force, kept so that those which a cart may meet are found without looking at the others.
//!
//! Each promotion is listed once, under what is rarest of what it needs: its coupon, a tag of its goods, a group, a segment, a store,
//! a channel (after Whang et al., "Indexing Boolean Expressions", VLDB 2009: carts are short, promotions are many).

use std::collections::{BTreeMap, HashMap};

use super::{Benefit, Condition, Goods, LANE_MAX, Mode, Occasion, Promotion, Selection, Tag};
use crate::value::Id;
use crate::value::id::{self, Channel, Location, Variant};
use crate::words;

words! {
    /// Why a promotion lowers nothing.
    Why {
        /// It has not begun, or is over.
        Time 1 "time";
        /// It is for another currency.
        Currency 2 "currency";
        /// It is for other channels.
        Channel 3 "channel";
        /// It is for other stores.
        Store 4 "store";
        /// It is for other customers.
        Customer 5 "customer";
        /// It is for another kind of payment.
        Payment 6 "payment";
        /// It needs a coupon.
        Coupon 7 "coupon";
        /// The cart has none of its goods, or too few of them.
        Goods 8 "goods";
        /// Its budget has not enough left.
        Budget 9 "budget";
        /// Others lower the total more.
        Outdone 10 "outdone";
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Key {
    Coupon(Id<id::Promotion>),
    Tag(Tag),
    Group(String),
    Segment(String),
    Store(Id<Location>),
    Channel(Id<Channel>),
}

impl Key {
    /// The word by which the books find it.
    fn word(&self) -> String {
        match self {
            Key::Coupon(promotion) => format!("coupon:{promotion}"),
            Key::Tag(Tag::Variant(variant)) => variant.to_string(),
            Key::Tag(Tag::Product(product)) => product.to_string(),
            Key::Tag(Tag::Category(category)) => category.to_string(),
            Key::Tag(Tag::Attribute(attribute, value)) => format!("{attribute}:{value}"),
            Key::Group(group) => format!("group:{group}"),
            Key::Segment(segment) => format!("segment:{segment}"),
            Key::Store(store) => store.to_string(),
            Key::Channel(channel) => channel.to_string(),
        }
    }
}

/// The word of promotions that any cart may meet.
const ANYBODY: &str = "any";

/// The words a promotion is found by: any of them is enough.
pub fn words_of(promotion: &Promotion) -> Vec<String> {
    match keys(promotion)[..] {
        [] => vec![ANYBODY.to_owned()],
        ref keys => keys.iter().map(Key::word).collect(),
    }
}

/// The words of all promotions that these goods may meet.
pub fn words_met(goods: &Goods, occasion: &Occasion) -> Vec<String> {
    let mut words: Vec<String> = met(goods, occasion).iter().map(Key::word).collect();
    words.push(ANYBODY.to_owned());
    words.sort_unstable();
    words.dedup();
    words
}

/// Everything about goods and occasion under which a promotion may be listed.
fn met(goods: &Goods, occasion: &Occasion) -> Vec<Key> {
    let mut met: Vec<Key> = goods.coupons.iter().map(|given| Key::Coupon(given.promotion)).collect();
    for line in &goods.lines {
        met.push(Key::Tag(Tag::Variant(line.variant)));
        met.extend(line.tags.iter().cloned().map(Key::Tag));
    }
    met.extend(occasion.customer.groups.iter().cloned().map(Key::Group));
    met.extend(occasion.customer.segments.iter().cloned().map(Key::Segment));
    met.extend(occasion.store.map(Key::Store));
    met.push(Key::Channel(occasion.channel));
    met
}

/// Promotions, and the ways their lanes choose.
#[derive(Clone, Debug)]
pub struct Rules {
    promotions: Vec<Promotion>,
    modes: [Mode; LANE_MAX as usize + 1],
    listed: HashMap<Key, Vec<usize>>,
    /// Those that need nothing by which they could be listed.
    anybody: Vec<usize>,
}

impl Rules {
    /// Promotions in force, and the mode of each lane that does not take the best deal.
    pub fn new(mut promotions: Vec<Promotion>, modes: &BTreeMap<u8, Mode>) -> Rules {
        promotions
            .sort_by_key(|promotion| (promotion.lane, std::cmp::Reverse(promotion.priority), promotion.id));
        let mut listed: HashMap<Key, Vec<usize>> = HashMap::new();
        let mut anybody = Vec::new();
        for (place, promotion) in promotions.iter().enumerate() {
            let keys = keys(promotion);
            if keys.is_empty() {
                anybody.push(place);
            }
            for key in keys {
                listed.entry(key).or_default().push(place);
            }
        }
        let mut by_lane = [Mode::BestDeal; LANE_MAX as usize + 1];
        for (lane, mode) in modes {
            by_lane[usize::from(*lane)] = *mode;
        }
        Rules { promotions, modes: by_lane, listed, anybody }
    }

    /// The same promotions, every one of which is looked at: to tell of each why it applies or not.
    #[must_use]
    pub fn looking_at_all(self) -> Rules {
        let anybody = (0..self.promotions.len()).collect();
        Rules { listed: HashMap::new(), anybody, ..self }
    }

    /// The promotions in the order of their lanes, the higher priority first.
    pub fn promotions(&self) -> &[Promotion] {
        &self.promotions
    }

    /// How a lane chooses.
    pub fn mode(&self, lane: u8) -> Mode {
        self.modes[usize::from(lane.min(LANE_MAX))]
    }

    /// The places of the promotions this cart may meet, in order.
    pub(super) fn near(&self, goods: &Goods, occasion: &Occasion) -> Vec<usize> {
        let mut near = self.anybody.clone();
        if !self.listed.is_empty() {
            near.extend(met(goods, occasion).iter().filter_map(|key| self.listed.get(key)).flatten());
        }
        near.sort_unstable();
        near.dedup();
        near
    }
}

/// Under what a promotion is listed: the rarest thing it needs.
fn keys(promotion: &Promotion) -> Vec<Key> {
    if promotion.needs_coupon {
        return vec![Key::Coupon(promotion.id)];
    }
    let goods = promotion.selections().map(Selection::any).filter(|any| !any.is_empty());
    if let Some(tags) = goods.min_by_key(|any| any.len()) {
        return tags.iter().cloned().map(Key::Tag).collect();
    }
    let of = |wanted: fn(&Condition) -> Option<Vec<Key>>| promotion.conditions.iter().find_map(wanted);
    of(|condition| match condition {
        Condition::Groups(groups) => Some(groups.iter().cloned().map(Key::Group).collect()),
        _ => None,
    })
    .or_else(|| {
        of(|condition| match condition {
            Condition::Segments(segments) => Some(segments.iter().cloned().map(Key::Segment).collect()),
            _ => None,
        })
    })
    .or_else(|| {
        of(|condition| match condition {
            Condition::Stores(stores) => Some(stores.iter().copied().map(Key::Store).collect()),
            _ => None,
        })
    })
    .or_else(|| {
        of(|condition| match condition {
            Condition::Channels(channels) => Some(channels.iter().copied().map(Key::Channel).collect()),
            _ => None,
        })
    })
    .unwrap_or_default()
}

/// Why a promotion cannot apply on this occasion, whatever is bought; `None` when it can.
pub(super) fn shut_out(promotion: &Promotion, goods: &Goods, occasion: &Occasion) -> Option<Why> {
    let at = occasion.at;
    if promotion.starts_at.is_some_and(|start| at < start) || promotion.ends_at.is_some_and(|end| end <= at) {
        return Some(Why::Time);
    }
    if promotion.currency.is_some_and(|own| own != occasion.currency) {
        return Some(Why::Currency);
    }
    if let Some(why) = promotion.conditions.iter().find_map(|condition| fails(condition, occasion)) {
        return Some(why);
    }
    if promotion.needs_coupon && !goods.coupons.iter().any(|given| given.promotion == promotion.id) {
        return Some(Why::Coupon);
    }
    if promotion.left_minor.is_some_and(|left| left <= 0) {
        return Some(Why::Budget);
    }
    match &promotion.benefit {
        Benefit::Delivery { methods, .. } => {
            let serves = |method| methods.is_empty() || methods.contains(&method);
            (!goods.delivery.is_some_and(|charge| serves(charge.method))).then_some(Why::Goods)
        }
        _ => None,
    }
}

fn fails(condition: &Condition, occasion: &Occasion) -> Option<Why> {
    let customer = &occasion.customer;
    let (holds, why) = match condition {
        Condition::Channels(channels) => (channels.contains(&occasion.channel), Why::Channel),
        Condition::Stores(stores) => (occasion.store.is_some_and(|own| stores.contains(&own)), Why::Store),
        Condition::Groups(groups) => (groups.iter().any(|own| customer.groups.contains(own)), Why::Customer),
        Condition::Segments(segments) => {
            (segments.iter().any(|own| customer.segments.contains(own)), Why::Customer)
        }
        Condition::FirstOrder => (customer.first_order, Why::Customer),
        Condition::Colleague => (customer.colleague, Why::Customer),
        Condition::Payments(kinds) => {
            (occasion.payment.as_ref().is_some_and(|own| kinds.contains(own)), Why::Payment)
        }
        Condition::Hours(hours) => (hours.is_open(occasion.at, &occasion.zone), Why::Time),
        Condition::Has { .. } => (true, Why::Goods),
    };
    (!holds).then_some(why)
}

/// The lines of a cart by what they are found by.
pub(super) struct Found<'a> {
    by_tag: HashMap<&'a Tag, Vec<usize>>,
    by_variant: HashMap<Id<Variant>, Vec<usize>>,
    lines: usize,
}

impl<'a> Found<'a> {
    /// Of lines in a given order.
    pub fn new(goods: &'a Goods, order: &[usize]) -> Found<'a> {
        let mut by_tag: HashMap<&Tag, Vec<usize>> = HashMap::new();
        let mut by_variant: HashMap<Id<Variant>, Vec<usize>> = HashMap::new();
        for (place, line) in order.iter().map(|line| &goods.lines[*line]).enumerate() {
            by_variant.entry(line.variant).or_default().push(place);
            for tag in &line.tags {
                let places = by_tag.entry(tag).or_default();
                if places.last() != Some(&place) {
                    places.push(place);
                }
            }
        }
        Found { by_tag, by_variant, lines: order.len() }
    }

    /// The places of the lines that are meant, in order.
    pub fn meant(&self, selection: &Selection) -> Vec<usize> {
        let mut meant: Vec<usize> = match selection.any() {
            [] => (0..self.lines).collect(),
            any => any.iter().flat_map(|tag| self.with(tag)).copied().collect(),
        };
        meant.sort_unstable();
        meant.dedup();
        for tag in selection.except() {
            let shut_out = self.with(tag);
            meant.retain(|place| !shut_out.contains(place));
        }
        meant
    }

    fn with(&self, tag: &Tag) -> &[usize] {
        let found = match tag {
            Tag::Variant(variant) => self.by_variant.get(variant),
            tag => self.by_tag.get(tag),
        };
        found.map_or(&[], Vec::as_slice)
    }
}
