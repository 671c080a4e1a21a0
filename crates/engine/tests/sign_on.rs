//! The story of the retailer's own sign-on: who comes back from it is the one he was before, or who has the address it has verified, or somebody
//! new; once for each time he went, and one customer however many ask at once.

use std::thread;

use domain::Code;
use domain::actor::{Actor, Grant, Permission, Permissions, Who};
use domain::contact::{Card, Draft};
use domain::identity::{Identifier, Kind};
use domain::market::origin::Origin;
use domain::sign_in::sign_on::{AWAY_SECONDS, Audience, Claims};
use domain::value::id::Customer;
use domain::value::{Id, Reference};
use engine::customer::{self, NewCustomer};
use engine::market::Channel;
use engine::sign_in::provider::{self, NewProvider, Provider, ProviderChange};
use engine::sign_in::sign_on::{self, Away, Back};
use engine::sign_in::token::Discovery;
use engine::sign_in::{Entrance, Opened};
use engine::{Failure, erasure, identity};
use sim::retailer::a_channel;
use sim::{Retailer, TestShop, on_every_engine};

const ISSUER: &str = "https://id.example";
const BACK: &str = "https://own.example/sign-in/back";

fn web(shop: &TestShop) -> Channel {
    let retailer = Retailer::open(shop, &["leeds"]);
    retailer.channel(shop, a_channel("web", retailer.market, retailer.network))
}

pub fn a_provider(code: &str, audience: Audience) -> NewProvider {
    NewProvider {
        code: code.into(),
        name: "Acme".into(),
        audience,
        issuer: ISSUER.into(),
        client_id: "shop".into(),
        secret: Some("very secret".replace(' ', "-")),
        scopes: "openid  email".into(),
        email_claim: "email".into(),
        name_claim: "name".into(),
        trusts_email: false,
    }
}

pub fn made(shop: &TestShop, new: NewProvider) -> Provider {
    shop.run(move |tx, actor, world| provider::create(tx, actor, world, new.clone())).expect("a provider")
}

fn visitor(channel: &Channel) -> Actor {
    let permissions = Permissions::of(&[Permission::Shop]);
    Actor { who: Who::Guest, channel: Some(channel.id), grants: vec![Grant { location: None, permissions }] }
}

fn discovery() -> Discovery {
    Discovery {
        authorization_endpoint: "https://id.example/authorize?tenant=1".into(),
        token_endpoint: "https://id.example/token".into(),
        keys: "https://id.example/keys".into(),
        userinfo_endpoint: None,
        posts_secret: false,
    }
}

fn gone(shop: &TestShop, provider: &Provider, to: &str) -> Result<Away, Failure> {
    let (provider, own, to) =
        (provider.clone(), Origin::parse("https://own.example").unwrap(), to.to_owned());
    shop.run(move |tx, _, world| sign_on::leave(tx, world, (&provider, &discovery()), (&to, Some(&own))))
}

fn come_back(shop: &TestShop, state: &str) -> Option<Back> {
    let state = state.to_owned();
    shop.run(move |tx, _, world| sign_on::come_back(tx, world, &state, Audience::Customers))
        .expect("an answer")
}

pub fn claims(subject: &str, email: Option<&str>, is_email_verified: bool) -> Claims {
    Claims {
        subject: subject.into(),
        email: email.map(Into::into),
        is_email_verified,
        name: Some("Ada Byron".into()),
        ..Claims::default()
    }
}

pub fn opened(shop: &TestShop, channel: &Channel, provider: &Provider, claims: &Claims) -> Opened {
    let (provider, claims) = (provider.clone(), claims.clone());
    let entrance = Entrance { channel: Reference::Id(channel.id), cart: None };
    shop.run_as(&visitor(channel), move |tx, actor, world| {
        sign_on::open(tx, actor, world, (&provider, &claims), &entrance)
    })
    .expect("signed in")
}

fn customers(shop: &TestShop) -> usize {
    shop.run(|tx, actor, _| customer::list(tx, actor, Id::from_bytes([0; 16]), 100)).expect("customers").len()
}

#[test]
fn whoever_goes_comes_back_once_and_in_time() {
    on_every_engine(|shop| {
        web(shop);
        let provider = made(shop, a_provider("acme", Audience::Customers));
        let away = gone(shop, &provider, BACK).unwrap();
        assert!(
            away.url.starts_with("https://id.example/authorize?tenant=1&response_type=code&client_id=shop&"),
            "{}",
            away.url
        );
        assert!(
            away.url.contains("scope=openid%20email&") && away.url.contains("code_challenge_method=S256")
        );
        let back = come_back(shop, &away.state).expect("back");
        assert_eq!((&back.redirect_uri[..], back.provider.id), (BACK, provider.id));
        assert!(come_back(shop, &away.state).is_none(), "he was back already");
        let (headers, form) = back.question(&shop.shop.keyring, &discovery(), "a code").expect("a question");
        assert!(
            form.contains("grant_type=authorization_code&code=a%20code&redirect_uri=https%3A%2F%2Fown"),
            "{form}"
        );
        assert!(
            headers
                .iter()
                .any(|(name, value)| *name == "authorization" && value == "Basic c2hvcDp2ZXJ5LXNlY3JldA=="),
            "{headers:?}"
        );
        assert!(back.question(&shop.shop.keyring, &discovery(), "").is_none());
        let nonce = away.url.split("nonce=").nth(1).unwrap().split('&').next().unwrap().to_owned();
        let now = shop.shop.source.now();
        let seconds = now.micros() / 1_000_000;
        let told = Claims {
            issuer: ISSUER.into(),
            audiences: vec!["shop".into()],
            subject: "1".into(),
            issued_at: seconds,
            expires_at: seconds + 60,
            nonce: Some(nonce),
            ..Claims::default()
        };
        assert_eq!(back.doubt(&told, now), None);
        assert!(back.doubt(&Claims { nonce: Some("other".into()), ..told }, now).is_some());

        assert!(come_back(shop, "not a state").is_none() && come_back(shop, &"0".repeat(64)).is_none());
        let late = gone(shop, &provider, BACK).unwrap();
        shop.pass(AWAY_SECONDS);
        assert!(come_back(shop, &late.state).is_none(), "too late");
        for bad in [
            "https://evil.example/back",
            "https://own.example",
            "https://own.example@evil.example/",
            "/back",
            "javascript:1",
        ] {
            let refused = gone(shop, &provider, bad).unwrap_err();
            assert_eq!(refused.code(), Some(Code::Invalid), "{bad}");
        }
        let closed = gone(shop, &provider, BACK).unwrap();
        let (id, change) = (provider.id, ProviderChange { active: Some(false), ..ProviderChange::default() });
        shop.run(move |tx, actor, world| provider::change(tx, actor, world, (id, Some(1)), change.clone()))
            .unwrap();
        assert!(come_back(shop, &closed.state).is_none(), "it was closed meanwhile");
        shop.run(engine::sign_in::forget).unwrap();
    });
}

#[test]
fn one_person_is_one_customer_by_what_is_verified() {
    on_every_engine(|shop| {
        let web = web(shop);
        let acme = made(shop, a_provider("acme", Audience::Customers));
        let known = crate::counter::ada(shop);
        let by_email = opened(shop, &web, &acme, &claims("1", Some("Ada@Example.com"), true));
        assert_eq!((by_email.customer, by_email.is_new), (known, false), "she has the address");
        let again = opened(shop, &web, &acme, &claims("1", Some("new@example.com"), true));
        assert_eq!(again.customer, known, "she is who she was before, whatever her address");
        let doubted = opened(shop, &web, &acme, &claims("2", Some("ada@example.com"), false));
        assert!(doubted.is_new && doubted.customer != known, "nobody has seen that the address is his");
        let trusted = made(
            shop,
            NewProvider {
                trusts_email: true,
                issuer: "https://staff.example".into(),
                ..a_provider("trusted", Audience::Customers)
            },
        );
        assert_eq!(
            opened(shop, &web, &trusted, &claims("2", Some("ada@example.com"), false)).customer,
            known
        );
        let nameless = Claims { name: Some("\u{202e}".into()), ..claims("3", None, false) };
        assert!(opened(shop, &web, &acme, &nameless).is_new);

        let external = Identifier::new(Kind::External, Some("acme"), "1").unwrap();
        let whose = shop.run(move |tx, actor, world| {
            let profile = identity::find(tx, actor, world, &external)?;
            Ok::<_, Failure>(identity::read(tx, actor, profile)?.customer)
        });
        assert_eq!(whose, Ok(Some(known)), "she is known by it everywhere");
        shop.run(move |tx, actor, world| erasure::erase(tx, actor, world, known).map(drop)).unwrap();
        let new: Opened = opened(shop, &web, &acme, &claims("1", Some("ada@example.com"), true));
        assert!(new.is_new && new.customer != known);
    });
}

#[test]
fn twenty_first_sign_ins_at_once_make_one_customer() {
    on_every_engine(|shop| {
        let web = web(shop);
        let acme = made(shop, a_provider("acme", Audience::Customers));
        for who in [claims("1", Some("ada@example.com"), true), claims("2", None, false)] {
            let before = customers(shop);
            let mut all: Vec<Id<Customer>> = thread::scope(|scope| {
                let all: Vec<_> =
                    (0..20).map(|_| scope.spawn(|| opened(shop, &web, &acme, &who).customer)).collect();
                all.into_iter().map(|one| one.join().expect("an answer")).collect()
            });
            all.dedup();
            assert_eq!((all.len(), customers(shop) - before), (1, 1), "{:?}", who.subject);
        }
    });
}

#[test]
fn a_provider_is_kept_with_its_secret_sealed_and_read_by_few() {
    on_every_engine(|shop| {
        let web = web(shop);
        let acme = made(shop, a_provider("acme", Audience::Customers));
        assert_eq!((acme.scopes.as_str(), acme.version), ("openid email", 1));
        assert_eq!(provider::secret(&shop.shop.keyring, &acme).as_deref(), Some("very-secret"));
        let refused = |new: NewProvider| {
            let outcome = shop.run(move |tx, actor, world| provider::create(tx, actor, world, new.clone()));
            outcome.unwrap_err().code()
        };
        assert_eq!(refused(a_provider("acme", Audience::Customers)), Some(Code::AlreadyExists));
        assert_eq!(
            refused(NewProvider { scopes: "email".into(), ..a_provider("b", Audience::Customers) }),
            Some(Code::Invalid)
        );
        assert_eq!(
            refused(NewProvider { secret: Some("a b".into()), ..a_provider("b", Audience::Customers) }),
            Some(Code::Invalid)
        );
        let placing = Actor {
            who: Who::System,
            grants: vec![Grant { location: None, permissions: Permissions::of(&[Permission::EditPlaces]) }],
            ..visitor(&web)
        };
        let for_staff = shop.run_as(&placing, |tx, actor, world| {
            provider::create(tx, actor, world, a_provider("staff", Audience::Staff))
        });
        assert_eq!(for_staff.unwrap_err().code(), Some(Code::Forbidden), "that gives access");
        made(shop, a_provider("staff", Audience::Staff));
        let chosen = |code: &str| {
            let code = Reference::External(code.to_owned());
            shop.run_as(&visitor(&web), move |tx, actor, _| {
                sign_on::chosen(tx, actor, &code, Audience::Customers)
            })
        };
        assert_eq!(chosen("acme").unwrap().id, acme.id);
        assert_eq!(chosen("staff").unwrap_err().code(), Some(Code::NotFound));
        let id = acme.id;
        let without = ProviderChange {
            secret: Some(None),
            name: Some("Acme account".into()),
            ..ProviderChange::default()
        };
        let change = move |version| {
            let without = without.clone();
            move |tx: &mut store::Tx<'_>, actor: &Actor, world: &mut engine::World| {
                provider::change(tx, actor, world, (id, Some(version)), without.clone())
            }
        };
        let changed = shop.run(change(1)).unwrap();
        assert_eq!((changed.version, changed.secret), (2, None));
        assert_eq!(shop.run(change(1)).unwrap_err().code(), Some(Code::Stale));
    });
}

#[test]
fn a_guest_of_before_keeps_what_was_his() {
    on_every_engine(|shop| {
        let web = web(shop);
        let acme = made(shop, a_provider("acme", Audience::Customers));
        let draft =
            Draft { name: Some("Bob".into()), email: Some("bob@example.com".into()), ..Draft::default() };
        let new = NewCustomer { external_id: None, card: Card::new(&draft).unwrap(), groups: Vec::new() };
        let bob =
            shop.run(move |tx, actor, world| customer::create(tx, actor, world, new.clone())).unwrap().id;
        let (first, loser) = (opened(shop, &web, &acme, &claims("7", None, false)), bob);
        let winner = first.customer;
        shop.run(move |tx, actor, world| {
            let wish = engine::merging::Wish {
                winner: loser,
                loser: winner,
                cause: domain::merging::Cause::Staff,
                why: "one".into(),
            };
            engine::merging::merge(tx, actor, world, wish).map(drop)
        })
        .unwrap();
        assert_eq!(
            opened(shop, &web, &acme, &claims("7", None, false)).customer,
            bob,
            "who was merged is the one they are"
        );
    });
}
