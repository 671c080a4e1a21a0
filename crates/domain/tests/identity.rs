//! Which traces are one person's: what is surer is never disturbed by what is less sure, whatever was said first.

use domain::identity::graph::{Key, Link, Node, crowded_out, partition};
use domain::identity::rule::{Rule, Rules};
use domain::identity::{Kind, Trust};
use domain::value::Instant;
use proptest::prelude::*;

const KINDS: [Kind; 5] = [Kind::UserId, Kind::LoyaltyNumber, Kind::Email, Kind::CardToken, Kind::AnonymousId];

fn key(place: usize) -> Key {
    let mut key = [0; 16];
    key[15] = u8::try_from(place).expect("few");
    key
}

fn node(place: usize, kind: Kind) -> Node {
    Node { key: key(place), kind, first_seen: Instant::from_micros(place as i64) }
}

fn nodes() -> Vec<Node> {
    (0..20).map(|place| node(place, KINDS[place % KINDS.len()])).collect()
}

fn link(one: usize, other: usize, trust: Trust, at: i64) -> Link {
    Link { ends: (key(one), key(other)), trust, first_at: Instant::from_micros(at) }
}

/// One of each kind, so that hardly anything fits.
fn narrow() -> Rules {
    let one = |rule: &Rule| Rule { limit: 1, window_days: None, ..rule.clone() };
    let each = Rules::usual();
    let each = each.each().filter(|rule| rule.kind != Kind::Customer).map(one).collect();
    Rules::new(each, None).expect("rules")
}

fn some_links() -> impl Strategy<Value = Vec<Link>> {
    let one = (0..20usize, 0..20usize, 1..4i64, 0..5i64).prop_filter_map(
        "a link has two ends",
        |(a, b, trust, at)| {
            let trust = Trust::coded(trust).expect("a trust");
            (a != b).then(|| link(a.min(b), a.max(b), trust, at))
        },
    );
    proptest::collection::vec(one, 0..40).prop_map(|mut links| {
        links.sort_by_key(|link| link.ends);
        links.dedup_by_key(|link| link.ends);
        links
    })
}

fn held(links: &[Link], rules: &Rules) -> Vec<Link> {
    let holds = partition(&nodes(), links, rules).holds;
    let mut held: Vec<Link> =
        links.iter().zip(holds).filter(|(_, holds)| *holds).map(|(link, _)| *link).collect();
    held.sort_by_key(|link| link.ends);
    held
}

#[test]
fn of_equally_trusted_the_surer_kind_is_believed() {
    let rules = narrow();
    let (user, other_user, mail, card) =
        (node(0, Kind::UserId), node(1, Kind::UserId), node(2, Kind::Email), node(3, Kind::CardToken));
    let nodes = [user, other_user, mail, card];
    // That mail and card are one person's was said first of all; whose each is, at once.
    let links = [
        link(2, 3, Trust::Authenticated, 0),
        link(0, 2, Trust::Authenticated, 9),
        link(1, 3, Trust::Authenticated, 9),
    ];
    assert_eq!(partition(&nodes, &links, &rules).holds, [true, false, true], "a card is surer than a mail");
    let card = Rule { priority: 50, ..rules.of(Kind::CardToken).clone() };
    let turned = Rules::new(vec![card], None).expect("rules");
    assert_eq!(partition(&nodes, &links, &turned).holds, [true, true, false], "unless the retailer says so");
}

#[test]
fn the_less_trusted_gives_way_and_a_flood_shuts_no_door() {
    let rules = Rules::new(Vec::new(), Some(2)).expect("rules");
    let links = [
        link(0, 1, Trust::Public, 1),
        link(0, 2, Trust::Public, 2),
        link(0, 3, Trust::Public, 3),
        link(0, 4, Trust::Authenticated, 4),
    ];
    assert_eq!(crowded_out(Kind::UserId, &links, &rules), [0], "the browser that was known longest");
    assert_eq!(crowded_out(Kind::AnonymousId, &links, &rules), [2], "a browser stays with whom it was first");
    let full: Vec<Link> = (1..60).map(|n| link(0, n, Trust::Authenticated, n as i64)).collect();
    assert_eq!(crowded_out(Kind::DeviceId, &full, &rules).len(), 9);
    let decided: Vec<Link> = full.iter().map(|link| Link { trust: Trust::Decided, ..*link }).collect();
    assert_eq!(crowded_out(Kind::DeviceId, &decided, &rules), [0usize; 0], "what was decided stays");
}

proptest! {
    #[test]
    fn the_less_sure_changes_nothing_of_the_surer(links in some_links(), trust in 2..4i64, narrowed in any::<bool>()) {
        let rules = if narrowed { narrow() } else { Rules::usual() };
        let least = Trust::coded(trust).expect("a trust");
        let surer: Vec<Link> = links.iter().filter(|link| link.trust >= least).copied().collect();
        let all: Vec<Link> = held(&links, &rules).into_iter().filter(|link| link.trust >= least).collect();
        prop_assert_eq!(all, held(&surer, &rules));
    }

    #[test]
    fn a_kind_that_is_less_sure_takes_nothing_from_one_that_is_surer(links in some_links()) {
        let rules = narrow();
        let equal: Vec<Link> = links.iter().map(|link| Link { trust: Trust::Authenticated, ..*link }).collect();
        let named = |link: &Link| {
            let of = |key: &Key| KINDS[usize::from(key[15]) % KINDS.len()];
            of(&link.ends.0) == Kind::AnonymousId || of(&link.ends.1) == Kind::AnonymousId
        };
        let surer: Vec<Link> = equal.iter().filter(|link| !named(link)).copied().collect();
        let all: Vec<Link> = held(&equal, &rules).into_iter().filter(|link| !named(link)).collect();
        prop_assert_eq!(all, held(&surer, &rules));
    }

    #[test]
    fn it_does_not_matter_what_was_said_first(links in some_links(), turned in any::<prop::sample::Index>()) {
        let rules = narrow();
        let mut mixed = links.clone();
        mixed.reverse();
        let length = mixed.len();
        if length > 0 {
            mixed.rotate_left(turned.index(length));
        }
        prop_assert_eq!(held(&links, &rules), held(&mixed, &rules));
    }
}
