//! Staff sign in: the first owner by a link that works once, the others by invitation; sessions end, and nobody rises above himself.

use crate::desk::{Answer, Desk};
use serde_json::{Value, json};
use sim::Retailer;
use sim::shop::{TestShop, on_every_engine};

const WORDS: &str = "a few words to keep in mind";
const OTHER_WORDS: &str = "other words to keep in mind";

/// Somebody at a browser.
struct Browser<'d> {
    desk: &'d Desk,
    cookie: String,
    csrf: String,
}

impl<'d> Browser<'d> {
    /// Keeps what an answer that signed in gave.
    fn of(desk: &'d Desk, answer: &Answer) -> Browser<'d> {
        assert_eq!(answer.status, 200, "{}", answer.json);
        let set = answer.headers["set-cookie"].to_str().expect("a cookie");
        assert!(set.ends_with("; Path=/; Max-Age=604800; HttpOnly; SameSite=Lax"), "{set}");
        let cookie = set.split(';').next().unwrap_or_default().to_owned();
        let csrf = answer.json["csrf_token"].as_str().expect("a token").to_owned();
        Browser { desk, cookie, csrf }
    }

    fn ask(&self, method: &str, path: &str, body: Option<Value>) -> Answer {
        let headers = [("cookie", self.cookie.as_str()), ("x-csrf-token", &self.csrf), ("if-match", "\"1\"")];
        self.desk.send(method, path, &headers, body)
    }
}

fn setup_token(shop: &TestShop) -> Option<String> {
    shop.run(engine::actor::setup_token).expect("a link or none")
}

fn set_up(desk: &Desk, token: &str) -> Answer {
    let owner = json!({"token": token, "name": "Ada Byron", "email": "Ada@example.com", "password": WORDS});
    desk.send("POST", "/v1/setup", &[], Some(owner))
}

/// A shop that its owner has set up.
fn owner<'d>(shop: &TestShop, desk: &'d Desk) -> Browser<'d> {
    Browser::of(desk, &set_up(desk, &setup_token(shop).expect("a link")))
}

fn sign_in(desk: &Desk, email: &str, password: &str) -> Answer {
    desk.send("POST", "/v1/session", &[], Some(json!({"email": email, "password": password})))
}

/// Takes on a member with a role and lets him set his password; his id and browser.
fn take_on<'d>(owner: &Browser<'d>, email: &str, roles: Value) -> (String, Browser<'d>) {
    let made = owner.ask("POST", "/v1/staff", Some(json!({"name": "Grace", "email": email, "roles": roles})));
    assert_eq!(made.status, 201, "{}", made.json);
    let accepted = json!({"token": made.json["invitation"], "password": OTHER_WORDS});
    let accepted = owner.desk.send("POST", "/v1/invitations", &[], Some(accepted));
    let id = made.json["staff"]["id"].as_str().expect("an id").to_owned();
    (id, Browser::of(owner.desk, &accepted))
}

#[test]
fn the_first_owner_comes_by_a_link_that_works_once() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let old = setup_token(shop).unwrap();
        let link = setup_token(shop).unwrap();
        assert_eq!(set_up(&desk, &old).code(), "sign_in_failed");
        let weak =
            json!({"token": link, "name": " ", "email": "ada@example.com", "password": "ada@example.com"});
        let refused = desk.send("POST", "/v1/setup", &[], Some(weak));
        let fields: Vec<_> =
            refused.json["errors"].as_array().unwrap().iter().map(|one| &one["field"]).collect();
        assert_eq!(fields, ["name", "password"]);
        let owner = Browser::of(&desk, &set_up(&desk, &link));
        assert_eq!(set_up(&desk, &link).code(), "sign_in_failed");
        assert_eq!(setup_token(shop), None);
        let who = owner.ask("GET", "/v1/session", None).json;
        assert_eq!((&who["name"], &who["csrf_token"]), (&json!("Ada Byron"), &json!(owner.csrf)));
        assert_eq!(
            who["grants"][0]["permissions"].as_array().unwrap().len(),
            domain::actor::Permission::ALL.len()
        );
    });
}

#[test]
fn a_link_grows_old() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let link = setup_token(shop).unwrap();
        shop.pass(24 * 3600);
        assert_eq!(set_up(&desk, &link).code(), "sign_in_failed");
    });
}

#[test]
fn only_pages_of_the_shop_change_things() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = owner(shop, &desk);
        let class = || Some(json!({"code": "standard", "name": "Standard"}));
        let (cookie, csrf) = (("cookie", owner.cookie.as_str()), ("x-csrf-token", owner.csrf.as_str()));
        let other_token = ("x-csrf-token", "0".repeat(64));
        let forged: [&[(&str, &str)]; 3] = [
            &[cookie],
            &[cookie, (other_token.0, &other_token.1)],
            &[cookie, csrf, ("sec-fetch-site", "cross-site")],
        ];
        for headers in forged {
            let refused = desk.send("POST", "/v1/tax-classes", headers, class());
            assert_eq!((refused.status.as_u16(), refused.code()), (403, "forged"));
        }
        assert_eq!(desk.send("GET", "/v1/tax-classes", &[cookie], None).status, 200);
        let ours = [cookie, csrf, ("sec-fetch-site", "same-origin")];
        assert_eq!(desk.send("POST", "/v1/tax-classes", &ours, class()).status, 201);
    });
}

#[test]
fn whoever_guesses_learns_nothing_and_waits() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        owner(shop, &desk);
        let wrong = sign_in(&desk, "ada@example.com", "not the right words");
        let unknown = sign_in(&desk, "nobody@example.com", WORDS);
        assert_eq!((wrong.status.as_u16(), &wrong.json), (401, &unknown.json));
        for _ in 0..9 {
            assert_eq!(sign_in(&desk, "ada@example.com", "not the right words").status, 401);
        }
        let locked = sign_in(&desk, "ADA@example.com", WORDS);
        assert_eq!((locked.status.as_u16(), locked.code()), (429, "too_many_requests"));
        assert_eq!(sign_in(&desk, "nobody@example.com", WORDS).status, 401);
        shop.pass(60);
        assert_eq!(sign_in(&desk, "ada@example.com", WORDS).status, 200);
    });
}

#[test]
fn a_session_ends_when_idle_and_in_any_case_after_a_week() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let idle = owner(shop, &desk);
        let busy = Browser::of(&desk, &sign_in(&desk, "ada@example.com", WORDS));
        for hours in (7..24 * 7).step_by(7) {
            shop.pass(7 * 3600);
            assert_eq!(busy.ask("GET", "/v1/session", None).status, 200, "{hours}");
        }
        assert_eq!(idle.ask("GET", "/v1/session", None).code(), "sign_in_failed");
        shop.pass(7 * 3600);
        assert_eq!(busy.ask("GET", "/v1/session", None).code(), "sign_in_failed");
    });
}

#[test]
fn signing_out_and_a_new_password_end_sessions() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let here = owner(shop, &desk);
        let there = Browser::of(&desk, &sign_in(&desk, "ada@example.com", WORDS));
        let change = |current: &str, new: &str| {
            here.ask("PUT", "/v1/session/password", Some(json!({"current": current, "password": new})))
        };
        assert_eq!(change("not the right words", OTHER_WORDS).json["errors"][0]["field"], json!("current"));
        assert_eq!(change(WORDS, "too short").json["errors"][0]["field"], json!("password"));
        assert_eq!(change(WORDS, OTHER_WORDS).status, 204);
        assert_eq!(there.ask("GET", "/v1/session", None).status, 401);
        assert_eq!(sign_in(&desk, "ada@example.com", WORDS).status, 401);
        let out = here.ask("DELETE", "/v1/session", None);
        assert_eq!(out.status, 204);
        assert!(
            out.headers["set-cookie"].to_str().unwrap().starts_with("tandem_session=; Path=/; Max-Age=0")
        );
        assert_eq!(here.ask("GET", "/v1/session", None).status, 401);
    });
}

#[test]
fn a_role_holds_where_it_was_given() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = owner(shop, &desk);
        let leeds = Retailer::open(shop, &["leeds"]).locations[0];
        let roles = json!([{"role": "cashier", "location": "leeds"}]);
        let (id, cashier) = take_on(&owner, "grace@example.com", roles);
        let who = cashier.ask("GET", "/v1/session", None).json;
        assert_eq!(who["grants"][0]["location"], json!(leeds.to_string()));
        assert_eq!(cashier.ask("GET", "/v1/tax-classes", None).status, 200);
        assert_eq!(cashier.ask("GET", "/v1/staff", None).code(), "forbidden");
        assert_eq!(cashier.ask("POST", &format!("/v1/staff/{id}/activate"), None).code(), "forbidden");

        let gone = owner.ask("POST", &format!("/v1/staff/{id}/deactivate"), None);
        assert_eq!((gone.status.as_u16(), &gone.json["active"]), (200, &json!(false)));
        assert_eq!(cashier.ask("GET", "/v1/tax-classes", None).status, 401);
        assert_eq!(sign_in(&desk, "grace@example.com", OTHER_WORDS).status, 401);
        let twice = json!({"name": "Grace", "email": "GRACE@example.com", "roles": []});
        assert_eq!(owner.ask("POST", "/v1/staff", Some(twice)).code(), "already_exists");
    });
}

#[test]
fn nobody_rises_above_himself() {
    on_every_engine(|shop| {
        let desk = Desk::of(shop);
        let owner = owner(shop, &desk);
        let role = json!({"code": "hr", "name": "People", "permissions": ["access:write", "orders:read"]});
        assert_eq!(owner.ask("POST", "/v1/roles", Some(role)).status, 201);
        let (id, people) = take_on(&owner, "grace@example.com", json!([{"role": "hr"}]));
        let owner_id =
            owner.ask("GET", "/v1/session", None).json["who"].as_str().unwrap()["staff:".len()..].to_owned();
        let to_owner = || Some(json!({"roles": [{"role": "owner"}]}));
        let to_nothing = || Some(json!({"roles": []}));
        assert_eq!(people.ask("PUT", &format!("/v1/staff/{id}/roles"), to_owner()).code(), "forbidden");
        assert_eq!(
            people.ask("PUT", &format!("/v1/staff/{owner_id}/roles"), to_nothing()).code(),
            "forbidden"
        );
        assert_eq!(people.ask("POST", &format!("/v1/staff/{owner_id}/invite"), None).code(), "forbidden");
        let more = json!({"code": "more", "name": "More", "permissions": ["stock:write"]});
        assert_eq!(people.ask("POST", "/v1/roles", Some(more)).code(), "forbidden");

        let last = owner.ask("PUT", &format!("/v1/staff/{owner_id}/roles"), to_nothing());
        assert_eq!((last.status.as_u16(), last.code()), (409, "wrong_state"));
        assert_eq!(
            owner.ask("POST", &format!("/v1/staff/{owner_id}/deactivate"), None).code(),
            "wrong_state"
        );
        let raised = owner.ask("PUT", &format!("/v1/staff/{id}/roles"), to_owner());
        assert_eq!((raised.status.as_u16(), &raised.json["version"]), (200, &json!(2)));
        assert_eq!(owner.ask("PUT", &format!("/v1/staff/{id}/roles"), to_owner()).code(), "stale");
        assert_eq!(owner.ask("PUT", &format!("/v1/staff/{owner_id}/roles"), to_nothing()).status, 200);
    });
}

#[test]
fn names_of_staff_are_nowhere_in_clear() {
    let shop = TestShop::on_sqlite(1);
    let desk = Desk::of(&shop);
    let owner = owner(&shop, &desk);
    take_on(&owner, "grace@example.com", json!([{"role": "picker"}]));
    let listed = owner.ask("GET", "/v1/staff", None).json;
    assert_eq!(listed["items"][1]["email"], json!("grace@example.com"));
    for file in std::fs::read_dir(shop.directory().unwrap()).unwrap() {
        let kept = std::fs::read(file.unwrap().path()).unwrap().to_ascii_lowercase();
        for word in ["ada byron", "ada@example.com", "grace", WORDS] {
            assert!(!kept.windows(word.len()).any(|part| part == word.as_bytes()), "{word} is kept in clear");
        }
    }
}
