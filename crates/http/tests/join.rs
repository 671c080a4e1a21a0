//! An invitation to buy for a company on the shop's own pages: looked at by whoever has its code, accepted by a button or the field on one's own
//! page, lost on no way through signing in; and the companies that stand there afterwards.

use domain::actor::Permission;
use domain::company::{COMPANIES_MAX, Role};
use domain::contact::{Card, Draft};
use domain::value::{Id, id};
use engine::company::{self, Wanted, member};
use engine::job::{self, Registry};
use engine::message::{self, send};
use serde_json::{Value, json};
use sim::Retailer;
use sim::authenticator::{Authenticator, from_base64url};
use sim::shop::{TestShop, on_every_engine};
use sim::sign_on::{Person, SignOn};

use crate::desk::{Answer, Desk, key_for};
use crate::passkey::challenge_of;
use crate::sign_on::{OWN, code_mailed, cookies, form, location, opened, person};

/// A shop with a web channel and a company.
struct Office<'s> {
    shop: &'s TestShop,
    desk: Desk,
    owner: String,
    company: String,
}

impl Office<'_> {
    fn open(shop: &TestShop) -> Office<'_> {
        Retailer::open(shop, &["leeds"]).web(shop);
        Office::at(shop, Desk::of(shop), key_for(shop, Permission::ALL))
    }

    /// At a desk in front of a shop that has a web channel.
    fn at(shop: &TestShop, desk: Desk, owner: String) -> Office<'_> {
        let new = json!({ "external_id": "MUGS", "contact": { "company": "Mugs & Sons", "country": "GB" } });
        let made = desk.ask(&owner, "POST", "/v1/companies", Some(new));
        assert_eq!(made.status, 201, "{}", made.text);
        let company = made.json["id"].as_str().unwrap().to_owned();
        Office { shop, desk, owner, company }
    }

    /// Invites somebody as a buyer up to 500 pounds: the code of the mail.
    fn invites(&self) -> String {
        let limit = json!({ "amount": 50_000, "currency": "GBP" });
        let new = json!({ "email": "new@example.com", "role": "buyer", "limit": limit });
        let path = format!("/v1/companies/{}/invitations", self.company);
        assert_eq!(self.desk.ask(&self.owner, "POST", &path, Some(new)).status, 201);
        let registry = Registry::default().on(message::SEND, send::leave);
        while job::turn(&self.shop.shop, &registry).expect("a turn") > 0 {}
        let jobs = job::due(&self.shop.shop, &[send::MAIL.to_owned()], 64).expect("jobs");
        let letter = |one: job::Job| {
            let taken = self.shop.run(move |tx, _, _| {
                assert!(job::take(tx, &one)?);
                send::letter(tx, &one)
            });
            taken.expect("a read")?.invitation_code(&self.shop.shop.keyring)
        };
        jobs.into_iter().filter_map(letter).next_back().expect("a mail with a code")
    }

    fn looks(&self, path: &str, cookie: &str) -> Answer {
        self.desk.send("GET", path, &[("cookie", cookie)], None)
    }

    /// Signs in with this query: where it leads, and the cookie.
    fn signs_in(&self, name: &str, query: &str) -> (String, String) {
        let email = format!("email={name}%40example.com");
        let asked = form(&self.desk, &format!("/sign-in/code{query}"), "", &email);
        assert_eq!(asked.status, 200, "{}", asked.text);
        let code = code_mailed(self.shop, &format!("{name}@example.com"));
        let opened = form(&self.desk, &format!("/sign-in/open{query}"), "", &format!("{email}&code={code}"));
        (location(&opened), cookies(&opened))
    }

    /// Signs in by the sign-on with this query: where it leads, and the cookie.
    fn signs_on(&self, sign_on: &SignOn, who: &Person, query: &str) -> (String, String) {
        let page = self.looks(&format!("/sign-in{query}"), "").text;
        let link = page.split("/sign-in/with/").nth(1).and_then(|rest| rest.split('"').next());
        let link = link.expect("a link").replace("&amp;", "&");
        let away = self.looks(&format!("/sign-in/with/{link}"), "");
        let back = sign_on.let_in(&location(&away), who);
        let here = self.looks(back.strip_prefix(OWN).expect("our own page"), &cookies(&away));
        (location(&here), cookies(&here))
    }

    /// Asks one of our own pages as its script does.
    fn tells(&self, path: &str, cookie: &str, body: Value) -> Answer {
        let headers = [("cookie", cookie), ("sec-fetch-site", "same-origin")];
        let answer = self.desk.send("POST", path, &headers, Some(body));
        assert!(answer.status.is_success(), "{path}: {}", answer.text);
        answer
    }

    fn gives(&self, code: &str, cookie: &str) -> Answer {
        form(&self.desk, "/me/companies", cookie, &format!("code={code}"))
    }
}

#[test]
fn an_invitation_is_accepted_by_a_button_after_signing_in() {
    on_every_engine(|shop| {
        let office = Office::open(shop);
        let code = office.invites();
        let page = format!("/join/{code}");
        let first = format!("/sign-in?language=de&invitation={code}");
        assert_eq!(location(&office.looks(&format!("{page}?language=de"), "")), first);
        assert_eq!(location(&form(&office.desk, &page, "", "")), format!("/sign-in?invitation={code}"));
        let asked = office.looks(&first, "");
        let action = format!("/sign-in/code?language=de&amp;invitation={code}");
        assert!(
            asked.text.contains("dann können Sie die Einladung annehmen") && asked.text.contains(&action)
        );
        let (to, cookie) = office.signs_in("ada", &format!("?language=de&invitation={code}"));
        assert_eq!(to, format!("{page}?language=de"));

        let offered = office.looks(&to, &cookie);
        assert_eq!(offered.status, 200, "{}", offered.text);
        for said in
            ["Mugs &amp; Sons lädt Sie ein", "Einkauf · bis 500,00\u{a0}£ je Bestellung", "ada@example.com"]
        {
            assert!(offered.text.contains(said), "{said}: {}", offered.text);
        }
        assert!(
            offered.text.contains("15. Juni 2026") && !offered.text.contains("Gesperrt"),
            "{}",
            offered.text
        );
        assert_eq!(offered.headers["cache-control"], "private, no-store");
        let own = office.looks("/me", &cookie);
        assert!(!own.text.contains("Mugs") && own.text.contains("Join a company"), "looking accepts nothing");
        let foreign = [("cookie", cookie.as_str()), ("sec-fetch-site", "cross-site")];
        assert_eq!(office.desk.send_raw("POST", &page, &foreign, "").status, 403);

        let accepted = form(&office.desk, &to, &cookie, "");
        assert_eq!(location(&accepted), "/me?language=de&did=join");
        let own = office.looks(&location(&accepted), &cookie);
        assert!(own.text.contains("Sie können jetzt im Namen der Firma einkaufen"), "{}", own.text);
        assert!(
            own.text.contains("<b>Mugs &amp; Sons</b>") && own.text.contains("bis 500,00\u{a0}£"),
            "{}",
            own.text
        );
        for again in [form(&office.desk, &page, &cookie, ""), office.looks(&page, &cookie)] {
            assert_eq!(
                (again.status.as_u16(), again.text.contains("already. There is nothing")),
                (409, true)
            );
        }
        let used = office.looks(&page, "");
        assert_eq!((used.status.as_u16(), used.text.contains("used already")), (409, true), "{}", used.text);

        let terms = format!("/v1/companies/{}/terms", office.company);
        let bearer = format!("Bearer {}", office.owner);
        let headers = [("authorization", bearer.as_str()), ("if-match", "\"1\"")];
        let blocked = json!({ "state": "blocked", "groups": [] });
        assert_eq!(office.desk.send("PUT", &terms, &headers, Some(blocked)).status, 200);
        let own = office.looks("/me", &cookie);
        assert!(
            own.text.contains("Buyer · up to £500.00 an order") && own.text.contains("Blocked"),
            "{}",
            own.text
        );
    });
}

#[test]
fn an_invitation_is_lost_on_no_way_through_signing_in() {
    on_every_engine(|shop| {
        let (desk, sign_on, owner) = opened(shop);
        let office = Office::at(shop, desk, owner);
        let code = office.invites();
        let (query, page) = (format!("?language=de&invitation={code}"), format!("/join/{code}?language=de"));
        let (to, cookie) = office.signs_on(&sign_on, &person("9"), &query);
        assert_eq!(to, page, "by the company's sign-on");
        let offered = office.looks(&to, &cookie);
        assert!(offered.text.contains("Mugs &amp; Sons lädt Sie ein"), "{}", offered.text);

        let mut phone = Authenticator::at(OWN);
        let invited = office.tells("/me/passkey-challenge", &cookie, json!({}));
        let holder = from_base64url(invited.json["public_key"]["user"]["id"].as_str().expect("an owner"));
        let made = phone.make("shop.example", &challenge_of(&invited), &holder);
        office.tells("/me/passkeys", &cookie, json!({ "credential": made.json(), "name": "Phone" }));
        let asked = office.tells("/sign-in/passkey-challenge", "", json!({}));
        let signed = phone.sign("shop.example", &challenge_of(&asked)).expect("a passkey");
        let opened = office.tells(&format!("/sign-in/passkey{query}"), "", signed.json());
        assert_eq!(opened.json["page"], page.as_str(), "by a passkey");
        let cookie = cookies(&opened);
        assert_eq!(location(&form(&office.desk, &page, &cookie, "")), "/me?language=de&did=join");
        assert!(office.looks("/me", &cookie).text.contains("<b>Mugs &amp; Sons</b>"));

        let bob = Person { email: "bob@example.com".into(), ..person("10") };
        let code = office.invites();
        let (to, cookie) = office.signs_on(&sign_on, &bob, &format!("?invitation={code}"));
        assert_eq!(to, format!("/join/{code}"));
        assert_eq!(location(&form(&office.desk, &to, &cookie, "")), "/me?did=join");
    });
}

#[test]
fn the_code_is_given_on_one_s_own_page_too() {
    on_every_engine(|shop| {
        let office = Office::open(shop);
        let code = office.invites();
        let typed = format!("+{}-{}", &code[..8], code[8..].to_uppercase());
        let nobody = office.gives(&typed, "");
        assert_eq!(
            location(&nobody),
            format!("/sign-in?invitation={}{}", &code[..8], code[8..].to_uppercase())
        );
        let (to, ada) = office.signs_in("ada", "");
        assert_eq!(to, "/me");
        let wrong = office.gives("%22%3E0123456789abcdef", &ada);
        assert_eq!(wrong.status, 404, "{}", wrong.text);
        for said in [
            "No invitation has this code",
            "value=\"&quot;&gt;0123456789abcdef\"",
            "aria-describedby=\"vain\"",
        ] {
            assert!(wrong.text.contains(said), "{said}: {}", wrong.text);
        }
        let foreign = [
            ("content-type", "application/x-www-form-urlencoded"),
            ("cookie", ada.as_str()),
            ("sec-fetch-site", "same-site"),
        ];
        assert_eq!(
            office.desk.send_raw("POST", "/me/companies", &foreign, format!("code={code}")).status,
            403
        );
        assert_eq!(location(&office.gives(&typed, &ada)), "/me?did=join");
        let again = office.gives(&office.invites(), &ada);
        assert_eq!((again.status.as_u16(), again.text.contains("buy for this company already")), (409, true));
        let (_, bob) = office.signs_in("bob", "");
        let used = office.gives(&code, &bob);
        assert_eq!((used.status.as_u16(), used.text.contains("used already")), (409, true), "{}", used.text);
        busy(shop);
        let full = office.gives(&office.invites(), &bob);
        assert_eq!((full.status.as_u16(), full.text.contains("all the companies you can")), (409, true));
        let late = office.invites();
        shop.pass(domain::company::INVITATION_DAYS * 86_400);
        assert!(office.looks(&format!("/join/{late}"), "").text.contains("its time is over"));
    });
}

/// Makes whoever signed in last a member of as many companies as one can be.
fn busy(shop: &TestShop) {
    let first = Id::<id::Customer>::from_bytes([0; 16]);
    let customers = shop.read(move |tx| Ok(store::customer::list(tx, first, 10)?)).expect("customers");
    let bob = customers.last().expect("a customer").id;
    let draft = Draft { company: Some("Tea".into()), country: Some("GB".into()), ..Draft::default() };
    let card = Card::new(&draft).expect("a card");
    shop.run(move |tx, actor, world| {
        for _ in 0..COMPANIES_MAX {
            let wanted = Wanted { card: card.clone(), registration_number: None, vat_number: None };
            let one = company::create(tx, actor, world, (wanted, None))?;
            member::set(tx, actor, world, (one.id, bob), (Role::Approver, None))?;
        }
        Ok(())
    })
    .expect("memberships");
}

#[test]
fn no_code_leads_anywhere_but_to_our_own_pages() {
    let shop = TestShop::on_sqlite(1);
    let office = Office::open(&shop);
    for code in ["0123456789abcdef", "%2F%2Fevil.example", "%22%3E%3Cscript%3E", "..%2Fstaff"] {
        let page = office.looks(&format!("/join/{code}?channel=web"), "");
        assert_eq!(
            (page.status.as_u16(), page.text.contains("No invitation has this code")),
            (404, true),
            "{code}"
        );
        assert!(page.text.contains("href=\"/me?channel=web\""), "{}", page.text);
    }
    for (name, code) in [("a", "%2F%2Fevil.example"), ("b", "..%2Fstaff"), ("c", &"0".repeat(65)), ("d", "")]
    {
        let (to, _) = office.signs_in(name, &format!("?invitation={code}"));
        assert_eq!(to, "/me", "{code}");
    }
    let away = office.looks("/sign-in?invitation=%22%3E%3Cscript%3E", "");
    assert!(!away.text.contains("invitation") && away.status == 200, "{}", away.text);
}
