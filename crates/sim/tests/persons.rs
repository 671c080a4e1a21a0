//! Somebody is put with people nobody said he is one with: the check finds it.

use domain::identity::{Identifier, Kind, Trust};
use engine::check::check;
use engine::identity::{Seen, resolve};
use sim::shop::{OPENING, TestShop, on_every_engine};
use store::params;

fn said(shop: &TestShop, of: &[(Kind, &str)]) -> [u8; 16] {
    let of = of.iter().map(|(kind, value)| Identifier::new(*kind, None, value).expect("an identifier"));
    let seen = Seen { identifiers: of.collect(), trust: Trust::Internal, at: OPENING };
    let done = shop.run(move |tx, actor, world| resolve(tx, actor, world, std::slice::from_ref(&seen)));
    done.expect("resolved").pop().flatten().expect("somebody").profile.bytes()
}

fn found(shop: &TestShop) -> Vec<String> {
    let report = shop.read(|tx| check(tx, [7; 32], &mut |_, _| {})).expect("a report");
    report.differences.iter().map(|one| format!("{}: {}", one.check, one.found)).collect()
}

#[test]
fn a_person_put_with_strangers_is_found() {
    on_every_engine(|shop| {
        use Kind::{AnonymousId, UserId};
        let ada = said(shop, &[(UserId, "ada"), (AnonymousId, "b1")]);
        let bea = said(shop, &[(UserId, "bea"), (AnonymousId, "b2")]);
        assert_eq!(found(shop), [""; 0]);
        let put = |with: [u8; 16]| {
            let sql = "update profile set root_id = $2 where profile_id = $1";
            shop.run(move |tx, _, _| Ok(tx.execute(sql, params![bea, with])?)).expect("planted")
        };
        assert_eq!(put(ada), 1);
        let strangers = found(shop);
        let alone = "persons: with others though nobody said that they are one person";
        assert!(strangers.contains(&alone.to_owned()), "{strangers:?}");
        put([9; 16]);
        let nobodys = found(shop);
        assert!(nobodys.iter().any(|one| one.ends_with("stands for nobody")), "{nobodys:?}");
        put(bea);
        assert_eq!(found(shop), [""; 0]);
    });
}
