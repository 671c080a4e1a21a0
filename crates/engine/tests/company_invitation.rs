//! Invitations to buy in a company's name: mailed, accepted once by whoever has the code, and over after some days or at the company's word.

use std::thread;

use crate::agreed::deliver;
use crate::company::{also, code, founded, herself};
use crate::counter::{self, DAY};
use domain::Code;
use domain::actor::Actor;
use domain::company::{INVITATION_DAYS, Limit, Role, State};
use domain::value::id::{Company as CompanyKind, Customer};
use domain::value::{Email, Id, Language};
use engine::Failure;
use engine::company::invitation::{self, Invitation, NewInvitation};
use engine::company::member::{self, Member};
use engine::message::send::{Letter, Outcome};
use sim::{TestShop, on_every_engine};

fn invite(
    shop: &TestShop,
    actor: &Actor,
    company: Id<CompanyKind>,
    name: &str,
) -> Result<Invitation, Failure> {
    let new = NewInvitation {
        email: Email::parse(&format!("{name}@example.com")).expect("an address"),
        language: Language::parse("de").ok(),
        role: Role::Buyer,
        limit: Limit::new(1_000, counter::pounds()).ok(),
    };
    shop.run_as(actor, move |tx, actor, world| invitation::invite(tx, actor, world, company, new.clone()))
}

fn accept(shop: &TestShop, who: Id<Customer>, code: &str) -> Result<Member, Failure> {
    let code = code.to_owned();
    shop.run_as(&herself(who), move |tx, actor, world| invitation::accept(tx, actor, world, (who, &code)))
}

/// What the mails that leave now say.
fn mails(shop: &TestShop) -> Vec<String> {
    let said = |letter: &Letter| {
        let words = letter.in_full(&shop.shop.keyring);
        [vec![words.subject], words.paragraphs].concat().join("\n")
    };
    deliver(shop, Outcome::Taken).iter().map(said).collect()
}

/// The code in what a mail says.
fn code_in(text: &str) -> String {
    let is_code = |word: &&str| word.len() == 16 && word.chars().all(|one| one.is_ascii_hexdigit());
    text.split_whitespace().find(is_code).expect("a code").to_owned()
}

#[test]
fn whoever_has_the_code_of_the_mail_joins_once() {
    on_every_engine(|shop| {
        let company = founded(shop, "Mugs Ltd", None).expect("a company").id;
        let (ada, bob) = (counter::ada(shop), also(shop, "bob"));
        let made = invite(shop, &Actor::system(), company, "stranger").expect("invited");
        let mails = mails(shop);
        assert_eq!(mails.len(), 1);
        assert!(mails[0].starts_with("Mugs Ltd lädt Sie ein"), "{}", mails[0]);
        let given = code_in(&mails[0]);
        assert_eq!(code(accept(shop, bob, "0123456789abcdef")), Code::NotFound);
        let outcomes: Vec<_> = thread::scope(|scope| {
            let tries: Vec<_> = [ada, bob]
                .map(|who| {
                    let given = &given;
                    scope.spawn(move || accept(shop, who, given))
                })
                .into();
            tries.into_iter().map(|one| one.join().expect("no panic")).collect()
        });
        let (joined, refused): (Vec<_>, Vec<_>) = outcomes.into_iter().partition(Result::is_ok);
        assert_eq!((joined.len(), refused.len()), (1, 1), "one code, one member");
        refused.into_iter().for_each(|one| assert_eq!(code(one), Code::WrongState));
        let member = joined.into_iter().flatten().next().expect("a member");
        assert_eq!((member.company, member.role, member.limit), (company, made.role, made.limit));
        let of = member.customer;
        let own = shop.read(move |tx| member::of_customer(tx, &herself(of), of)).expect("companies");
        assert_eq!(own, [member]);
        invite(shop, &Actor::system(), company, "again").expect("invited");
        let again = code_in(&self::mails(shop)[0]);
        assert_eq!(code(accept(shop, of, &again)), Code::AlreadyExists, "a member already");
        let other = if of == ada { bob } else { ada };
        accept(shop, other, &format!(" {} {}", &again[..8], again[8..].to_uppercase()))
            .expect("the refusal used nothing up");
    });
}

#[test]
fn whoever_has_the_code_sees_what_is_offered() {
    on_every_engine(|shop| {
        let company = founded(shop, "Mugs Ltd", None).expect("a company");
        let (id, ada, bob) = (company.id, counter::ada(shop), also(shop, "bob"));
        let made = invite(shop, &Actor::system(), id, "stranger").expect("invited");
        let given = code_in(&mails(shop)[0]);
        let looked = |who: Id<Customer>, given: &str| {
            let given = given.to_owned();
            shop.run_as(&herself(who), move |tx, actor, world| {
                invitation::offered(tx, actor, world, (who, &given))
            })
        };
        let own = |who: Id<Customer>| {
            shop.run_as(&herself(who), move |tx, actor, world| member::memberships(tx, actor, world, who))
                .expect("companies")
        };
        let readings = || {
            let subject = company.contact.to_string();
            let told =
                shop.read(move |tx| Ok(store::event::of_subject(tx, &subject, 0, 100)?)).expect("events");
            told.iter().filter(|one| one.kind == "contact.read").count()
        };
        assert_eq!(code(looked(ada, "0123456789abcdef")), Code::NotFound);
        assert_eq!((own(ada), readings()), (Vec::new(), 0));
        let offered = looked(ada, &given).expect("offered");
        assert_eq!((offered.invitation, offered.company.as_str()), (made, "Mugs Ltd"));
        assert_eq!((looked(ada, &given).expect("once more"), own(ada), readings()), (offered, Vec::new(), 2));
        let another = shop.run_as(&herself(bob), {
            let given = given.clone();
            move |tx, actor, world| invitation::offered(tx, actor, world, (ada, &given))
        });
        assert_eq!(code(another), Code::Forbidden, "not for somebody else");
        let member = accept(shop, ada, &given).expect("joined");
        let found = own(ada);
        assert_eq!((found.len(), found[0].member, found[0].company.as_str()), (1, member, "Mugs Ltd"));
        assert_eq!(readings(), 3, "each reading is noted");
        assert_eq!(
            (code(looked(ada, &given)), code(looked(bob, &given))),
            (Code::AlreadyExists, Code::WrongState)
        );
        assert_eq!(code(accept(shop, ada, &given)), Code::AlreadyExists, "she used it herself");
        let blocked = (State::Blocked, Vec::new());
        shop.run(move |tx, actor, world| {
            engine::company::set_terms(tx, actor, world, (id, 1), blocked.clone())
        })
        .expect("blocked");
        assert_eq!(own(ada)[0].state, State::Blocked);
        shop.run(move |tx, actor, world| engine::company::erase(tx, actor, world, id)).expect("erased");
        assert_eq!(own(ada), []);
    });
}

#[test]
fn an_invitation_ends() {
    on_every_engine(|shop| {
        let company = founded(shop, "Mugs Ltd", None).expect("a company").id;
        let (ada, bob) = (counter::ada(shop), also(shop, "bob"));
        assert_eq!(code(invite(shop, &herself(bob), company, "eve")), Code::Forbidden);
        shop.run(move |tx, actor, world| {
            member::set(tx, actor, world, (company, ada), (Role::Administrator, None))
        })
        .expect("a member");
        let made = invite(shop, &herself(ada), company, "eve").expect("hers to ask");
        let first = code_in(&mails(shop)[0]);
        let open = || {
            shop.run(move |tx, actor, world| invitation::list(tx, actor, world, company))
                .expect("invitations")
        };
        assert_eq!(open(), [made]);
        let end = || {
            shop.run_as(&herself(ada), move |tx, actor, world| {
                invitation::end(tx, actor, world, (company, made.id))
            })
        };
        end().expect("ended");
        assert_eq!(code(end()), Code::NotFound);
        assert_eq!((open(), code(accept(shop, bob, &first))), (Vec::new(), Code::WrongState));
        invite(shop, &herself(ada), company, "eve").expect("once more");
        let late = code_in(&mails(shop)[0]);
        shop.pass(INVITATION_DAYS * DAY);
        assert_eq!(code(accept(shop, bob, &late)), Code::WrongState, "its time is over");
        invite(shop, &herself(ada), company, "eve").expect("once more");
        let last = code_in(&mails(shop)[0]);
        shop.run(move |tx, actor, world| engine::company::erase(tx, actor, world, company)).expect("erased");
        assert_eq!(code(accept(shop, bob, &last)), Code::NotFound, "nobody joins a company that is gone");
    });
}
