//! The shop of a simulation as it opens: the same on both sides.

use std::sync::Arc;

use domain::change::{AddedAt, Rule};
use domain::count::Tolerance;
use domain::fulfilment::parcel::CarrierKind;
use domain::market::{CapturePolicy, HoldPolicy};
use domain::payment::Kind as PaymentKind;
use domain::returns::claim;
use domain::returns::policy::{Scope, Terms, When};
use domain::stock::selling::{Rule as SellingRule, WhenOut};
use domain::value::hours::CutOffs;
use domain::value::id::{Carrier, Channel, DeliveryMethod, Variant};
use domain::value::{Id, Reference};
use engine::catalogue::NewVariant;
use engine::change::rule as change_rule;
use engine::count::rule::{self as count_rule, Rule as CountRule};
use engine::delivery::sending::{self, Sending};
use engine::fulfilment::carrier::{self, NewCarrier};
use engine::fulfilment::substitute;
use engine::location::{self, LocationChange};
use engine::market::NewChannel;
use engine::returns::policy::{self, Draft};
use engine::stock::selling;

use super::credit;
use super::real::Real;
use crate::model::claim::Terms as ClaimTerms;
use crate::model::credit::Credit;
use crate::model::parcel::ATTEMPTS_MAX;
use crate::model::{self, Plan};
use crate::retailer::{a_channel, a_variant};
use crate::shop::OPENING;
use crate::{Retailer, TestShop};

/// What a parcel costs, in minor units.
const PARCEL: i64 = 395;
/// Whom the shop knows; all but the last have store credit.
const CUSTOMERS: [&str; 4] = ["Ada Byron", "Mary Somerville", "Charles Babbage", "Nobody Special"];
/// How many of them take part in the loyalty programme.
const MEMBERS: usize = 3;
/// How much store credit, in minor units.
const STORE_CREDIT: i64 = 20_000;
/// When channels give the money of announced returns back that do not wait for inspection.
const PAYS_RETURNS: [(&str, When); 2] = [("app", When::BeforeReceipt), ("till-leeds", When::AfterReceipt)];
/// More pieces than these that differ at York are counted again.
const RECOUNTED_BEYOND: i64 = 1;
/// When what is pre-ordered of one variant is released.
const RELEASED_SECONDS: i64 = 30 * 86_400;
/// What may take the place of which variant, the best first.
const SUBSTITUTES: [(usize, &[usize]); 4] = [(0, &[2, 1]), (1, &[0]), (4, &[5, 3]), (3, &[5])];
/// Each variant is made a second after the one before, so that ids come in the order of numbers.
pub const VARIANTS_SECONDS: i64 = 9;

/// Four locations, each with a peculiarity; a web shop and an app that sell from everywhere, two tills; six goods, two kits and a service.
pub fn open_shop(shop: TestShop) -> (Plan, Real, Vec<Credit>) {
    let retailer = Retailer::open(&shop, &["leeds", "york", "hull", "bath"]);
    limit(&shop, &retailer);
    let (mut channels, mut channel_ids) = (Vec::new(), Vec::new());
    for (new, planned) in planned_channels(&retailer) {
        channels.push(planned);
        channel_ids.push(retailer.channel(&shop, new).id);
    }
    write_rules(&shop, &retailer, &channel_ids);
    let (variants, ids) = goods(&shop, &retailer);
    let everything =
        model::Location { can_ship: true, can_receive: true, can_return: true, recounts_beyond: None };
    let locations = vec![
        everything.clone(),
        model::Location { recounts_beyond: Some(RECOUNTED_BEYOND), ..everything.clone() },
        model::Location { can_receive: false, ..everything.clone() },
        model::Location { can_ship: false, can_return: false, ..everything },
    ];
    let parcel = retailer.parcel(&shop, PARCEL, &["web", "app"]);
    let collected = retailer.collecting(&shop, &["web", "app"]);
    let sent = sending(&shop, &retailer);
    let van = own_van(&shop);
    let (customers, credits, known) = credit::customers(&shop, &CUSTOMERS, STORE_CREDIT);
    let members = credit::club(&shop, &customers[..MEMBERS]);
    let real = Real {
        shop,
        van,
        codes: Arc::new(vec![None; credits.len()]),
        credits,
        members,
        customers,
        parcel,
        collected,
        sent,
        variants: ids,
        locations: retailer.locations,
        channels: channel_ids,
        carts: Vec::new(),
        orders: Vec::new(),
        asides: Vec::new(),
        transfers: Vec::new(),
        counts: Vec::new(),
        expected: Vec::new(),
    };
    sell_what_is_not_there(&real, &channels);
    (Plan { parcel: PARCEL, channels, variants, locations, customers: CUSTOMERS.len() }, real, known)
}

/// Six goods, two kits and a service, and what may take the place of what.
fn goods(shop: &TestShop, retailer: &Retailer) -> (Vec<model::Variant>, Vec<Id<Variant>>) {
    let (mut variants, mut ids) = (Vec::new(), Vec::new());
    for (number, price) in [499, 1250, 333, 5, 10_000, 77].into_iter().enumerate() {
        shop.pass(1);
        ids.push(retailer.sell(shop, &format!("SKU-{number}"), price));
        variants.push(model::Variant {
            price,
            takes: vec![(number, 1)],
            stocked: true,
            substitutes: Vec::new(),
        });
    }
    for (price, takes) in [(2199, vec![(0, 2), (1, 1)]), (1500, vec![(1, 1), (2, 3)])] {
        let parts: Vec<_> = takes.iter().map(|(part, each)| (ids[*part], *each)).collect();
        shop.pass(1);
        ids.push(retailer.sell_kit(shop, &format!("KIT-{price}"), &parts, price));
        variants.push(model::Variant { price, takes, stocked: false, substitutes: Vec::new() });
    }
    let wrapping = NewVariant { service: true, ..a_variant("WRAP") };
    shop.pass(1);
    ids.push(retailer.sell_variant(shop, wrapping, 250));
    variants.push(model::Variant { price: 250, takes: Vec::new(), stocked: false, substitutes: Vec::new() });
    for (variant, by) in SUBSTITUTES {
        variants[variant].substitutes = by.to_vec();
        let (own, by) = (ids[variant], by.iter().map(|other| ids[*other]).collect::<Vec<_>>());
        let set = shop.run(move |tx, actor, world| substitute::set(tx, actor, world, own, &by));
        set.expect("substitutes");
    }
    (variants, ids)
}

/// Collecting where others send what is not there.
fn sending(shop: &TestShop, retailer: &Retailer) -> Id<DeliveryMethod> {
    let method = retailer.collecting_as(shop, "collect-sent", &["web", "app"]);
    let sending = Sending { network: retailer.network, days: 2 };
    let set = shop.run(move |tx, actor, world| sending::set(tx, actor, world, method, Some(sending)));
    set.expect("sending");
    method
}

/// Our own van, which tries so often to hand a parcel over.
fn own_van(shop: &TestShop) -> Id<Carrier> {
    let new = NewCarrier {
        code: "own-van".into(),
        name: "Own van".into(),
        external_id: None,
        kind: CarrierKind::OwnVan,
        tracking_url: None,
        url: None,
        secret: None,
        services: Vec::new(),
        collections: CutOffs::parse("mo-fr 15:00").expect("cut-offs"),
        attempts_max: ATTEMPTS_MAX,
    };
    shop.run(move |tx, actor, world| carrier::create(tx, actor, world, new.clone())).expect("a carrier").id
}

/// What the app's policy says of claims; elsewhere a person decides, and everything may be kept.
fn claims_of(channel: &str) -> ClaimTerms {
    match channel {
        "app" => ClaimTerms { approved_up_to: 2_000, kept_up_to: Some(6_000) },
        _ => ClaimTerms::default(),
    }
}

/// Hull receives nothing; Bath ships nothing and takes nothing back.
fn limit(shop: &TestShop, retailer: &Retailer) {
    let (hull, bath) = (retailer.locations[2], retailer.locations[3]);
    let limited = shop.run(move |tx, actor, world| {
        let hull_change = LocationChange { can_receive: Some(false), ..LocationChange::default() };
        location::update(tx, actor, world, (&Reference::Id(hull), Some(1)), hull_change)?;
        let bath_change =
            LocationChange { can_ship: Some(false), can_return: Some(false), ..LocationChange::default() };
        location::update(tx, actor, world, (&Reference::Id(bath), Some(1)), bath_change)
    });
    limited.expect("locations change");
}

/// When returns of each channel are paid, and when York counts again.
fn write_rules(shop: &TestShop, retailer: &Retailer, channels: &[Id<Channel>]) {
    let (location, channels) = (retailer.locations[1], channels.to_vec());
    let written = shop.run(move |tx, actor, world| {
        let tolerance = Tolerance { pieces: Some(RECOUNTED_BEYOND), ..Tolerance::default() };
        let rule =
            CountRule { location, tolerance, other_colleague: false, each_day: 0, next_at: world.now() };
        count_rule::set(tx, actor, world, rule)?;
        for channel in &channels {
            let code = store::market::find_channel(tx, *channel)?.expect("the channel is there").code;
            change_rule::set(tx, actor, world, (*channel, changes_of(&code)))?;
            let Some((_, when)) = PAYS_RETURNS.iter().find(|(paid, _)| *paid == code) else { continue };
            let scope = Scope { channel: Some(*channel), ..Scope::default() };
            let ClaimTerms { approved_up_to, kept_up_to } = claims_of(&code);
            let claims = claim::Terms {
                kinds: Vec::new(),
                approved_up_to_minor: approved_up_to,
                kept_up_to_minor: kept_up_to,
            };
            let terms = Terms { when: *when, claims, ..Terms::open() };
            policy::create(tx, actor, world, code.clone(), Draft { name: code, scope, active: true, terms })?;
        }
        Ok(())
    });
    written.expect("rules");
}

fn planned_channels(retailer: &Retailer) -> Vec<(NewChannel, model::Channel)> {
    let new = |code: &str| a_channel(code, retailer.market, retailer.network);
    let till = |code: &str, place: usize| NewChannel {
        location: Some(Reference::Id(retailer.locations[place])),
        kind: domain::market::Kind::Till,
        ..new(code)
    };
    let all = [
        (new("web"), None),
        (
            NewChannel {
                hold_policy: HoldPolicy::AtCart,
                stock_threshold: 1,
                capture_policy: CapturePolicy::AtFulfilment,
                ..new("app")
            },
            None,
        ),
        (till("till-leeds", 0), Some(0)),
        (
            NewChannel {
                hold_policy: HoldPolicy::AtCart,
                payment_kinds: vec![PaymentKind::Cash, PaymentKind::Test],
                ..till("till-bath", 3)
            },
            Some(3),
        ),
    ];
    all.into_iter().map(|(new, location)| (new.clone(), planned(&new, location))).collect()
}

/// What of which variants each channel sells though it is not there.
fn when_out(channel: &str) -> Vec<(usize, SellingRule)> {
    let none = SellingRule::REFUSE;
    let back = |cap| SellingRule { when_out: WhenOut::BackOrder, cap: Some(cap), lead_days: Some(3), ..none };
    let pre = |releases_at| SellingRule { when_out: WhenOut::PreOrder, releases_at, ..none };
    match channel {
        "web" => vec![(0, back(6)), (1, pre(None)), (3, pre(Some(OPENING.plus_seconds(RELEASED_SECONDS))))],
        "app" => vec![(1, SellingRule { cap: Some(4), ..pre(None) }), (2, back(3))],
        _ => Vec::new(),
    }
}

fn sell_what_is_not_there(real: &Real, channels: &[model::Channel]) {
    for (channel, planned) in real.channels.iter().copied().zip(channels) {
        for (variant, rule) in planned.when_out.iter().copied() {
            let variant = real.variants[variant];
            let set = real.shop.run(move |tx, actor, world| {
                let named = (&Reference::Id(channel), Some(&Reference::Id(variant)));
                selling::set(tx, actor, world, named, rule)
            });
            set.expect("a selling rule");
        }
    }
}

/// What channels allow of changes of orders: the app sells more at the price of the order, and charges the delivery anew.
fn changes_of(channel: &str) -> Rule {
    if channel == "app" {
        Rule { delivery_anew: true, added_at: AddedAt::Original, preview_minutes: 5, ..Rule::usual() }
    } else {
        Rule::usual()
    }
}

fn planned(new: &NewChannel, location: Option<usize>) -> model::Channel {
    model::Channel {
        location,
        holds: new.hold_policy == HoldPolicy::AtCart,
        threshold: new.stock_threshold,
        captures_at_order: new.capture_policy == CapturePolicy::AtOrder,
        delivers: location.is_none(),
        payment_kinds: new.payment_kinds.clone(),
        hold_seconds: new.hold_minutes * 60,
        cart_seconds: new.cart_expiry_minutes * 60,
        payment_seconds: new.payment_minutes * 60,
        collect_seconds: new.collect_days * 86_400,
        when_out: when_out(&new.code),
        changes: changes_of(&new.code),
        claims: claims_of(&new.code),
        pays_returns: PAYS_RETURNS
            .iter()
            .find(|(code, _)| *code == new.code)
            .map_or(When::AfterInspection, |one| one.1),
    }
}
