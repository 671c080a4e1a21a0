//! Invitations to buy in a company's name: mailed, accepted once by whoever has the code, and over after some days or at the company's word.

use std::thread;

use crate::agreed::deliver;
use crate::company::{also, code, founded, herself};
use crate::counter::{self, DAY};
use domain::Code;
use domain::actor::Actor;
use domain::company::{INVITATION_DAYS, Limit, Role};
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
        let words = letter.with_code(&shop.shop.keyring);
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
        assert_eq!(code(accept(shop, of, &again)), Code::WrongState, "a member already");
        let other = if of == ada { bob } else { ada };
        accept(shop, other, &format!(" {} {}", &again[..8], again[8..].to_uppercase()))
            .expect("the refusal used nothing up");
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
