//! All that a retailer may keep of one person: Ada, who did everything once.

use domain::actor::Who;
use domain::company::Role;
use domain::consent::{Medium, Status};
use domain::fulfilment::parcel::CarrierKind;
use domain::identity::Kind as Known;
use domain::import::Mode;
use domain::import::source::Precedence;
use domain::loyalty::programme::Terms;
use domain::loyalty::reward::Gives;
use domain::market::PaymentKind;
use domain::market::origin::Origin;
use domain::privacy::Kind;
use domain::returns::Means;
use domain::returns::claim::Kind as Wrong;
use domain::sign_in::sign_on::Audience;
use domain::value::hours::CutOffs;
use domain::value::id::{Customer, PrivacyRequest};
use domain::value::{Id, Reference};
use engine::cart::{self, Choice, Details, Named, NewCart, NewLine};
use engine::change::{self, Action, Asked};
use engine::checkout::{self, Whole};
use engine::customer::{self, Change as OfCustomer};
use engine::detail::preference::Said;
use engine::fulfilment::carrier::{self, NewCarrier};
use engine::fulfilment::parcel::{self, NewParcel};
use engine::fulfilment::{pick, track};
use engine::market::{Channel, origin};
use engine::privacy::hold;
use engine::returns::claim::{self, Request};
use engine::sign_in::passkey::Passkey;
use serde_json::json;
use sim::TestShop;
use sim::authenticator::Authenticator;
use sim::retailer::a_channel;

use crate::changing::{address, tender, units};
use crate::club::{Club, back, club_of, terms};
use crate::counter::{self, cash, filled};
use crate::{
    agreed, company, credit, detail, household, passkey, privacy, referral, reward, segment, sign_on,
    sources, tier,
};

/// Words that are nowhere once she is erased.
pub const WORDS: [&str; 7] = [
    "Lovelace",
    "ada@example.com",
    "442079460958",
    "Kirkgate",
    "beware of her dog",
    "Difference Engine",
    "Ada's phone",
];

/// Ada, and her request for an archive, verified.
pub struct Life {
    pub ada: Id<Customer>,
    pub request: Id<PrivacyRequest>,
}

pub fn live(shop: &TestShop) -> Life {
    let terms = Terms {
        pending_days: 0,
        ladder: Some(tier::ladder()),
        sharing: Some(household::SHARING),
        referral: Some(referral::rules()),
        ..terms()
    };
    let club = club_of(shop, terms, privacy::lay);
    let ada = club.ada;
    let web = club.retailer.channel(shop, a_channel("web", club.retailer.market, club.retailer.network));
    tell(shop, ada);
    club.retailer.parcel(shop, 399, &["web"]);
    take_part(shop, &club);
    buy(shop, &club, &web);
    sign_in(shop, &web, ada);
    behave(shop, ada);
    counter::work(shop);
    detail::merge(shop, ada, agreed::made(shop, "also@example.com"));
    shop.run(move |tx, actor, world| hold::set(tx, actor, world, ada, "case 17")).expect("held");
    let request = privacy::ask(shop, ada, Kind::Export);
    privacy::verify(shop, &request);
    Life { ada, request: request.id }
}

/// What she said, and what others say of her.
fn tell(shop: &TestShop, ada: Id<Customer>) {
    detail::ask(shop);
    detail::add(shop, ada, detail::at("1 Kirkgate")).expect("an address");
    detail::jot(shop, ada, "asks for the Difference Engine");
    let said = Said {
        sizes: vec![detail::size("", Some("39"))],
        answers: vec![("fit".into(), Some("slim".into()))],
        ..Said::default()
    };
    detail::say(shop, ada, said).expect("said");
    agreed::say(shop, ada, agreed::said(Medium::Mail, "", Status::Granted)).expect("agreed");
    // An address she left before she was a customer.
    shop.run(move |tx, _, _| Ok(store::consent::subscriber::claim(tx, &[7; 32], ada.shared_with())?))
        .expect("an address");
    sources::name(shop, "web", 60, Precedence::Newer);
    let file = sources::file("web", "external_id;name;email\n1001;Ada Lovelace;ada@example.com\n");
    assert_eq!(sources::taken(shop, &file, Mode::RowsThatPass).joined, 1);
    let company = company::founded(shop, "Engines", None).expect("a company");
    company::join(shop, &company, ada, Role::Buyer, None);
}

/// Her points, tier, reward, household and referral code.
fn take_part(shop: &TestShop, club: &Club) {
    let order = club.buy(shop, 4, cash());
    club.adjust(shop, 500).expect("points");
    let given = reward::offered(shop, club, reward::offer(Gives::StoreCredit(reward::five_pounds())));
    reward::redeem(shop, club, &given).expect("a reward");
    household::found(shop, &club.member).expect("a household");
    referral::code(shop, &club.member).expect("a code");
    back(shop, club, &order, 1, Means::StoreCredit);
    let gift = credit::a_gift(shop, &club.retailer, 2500);
    counter::buy_for(shop, &club.till, &[(gift, 1)], cash(), Some(club.ada));
}

fn ordered(shop: &TestShop, club: &Club, web: &Channel) -> Whole {
    let details = Details {
        customer: Some(Reference::Id(club.ada)),
        contact: Some(address("1 Kirkgate", "LS1 4DY")),
        delivery: Some(Some(Choice { method: Reference::External("parcel".into()), location: None })),
        note: Some(Some("beware of her dog".into())),
        ..Details::default()
    };
    let line =
        NewLine { variant: Named::Reference(Reference::Id(club.mug)), quantity: units(1), unit_price: None };
    let new = NewCart { channel: Reference::Id(web.id), currency: None, lines: vec![line], details };
    let cart =
        shop.run(move |tx, actor, world| cart::create(tx, actor, world, new.clone())).expect("a cart").id;
    counter::order_of(shop, cart, vec![tender(PaymentKind::Cash)])
}

/// An order that was sent and is claimed, one that is to be changed, and a basket.
fn buy(shop: &TestShop, club: &Club, web: &Channel) {
    let sent = ordered(shop, club, web);
    let (which, mug) = ((sent.order.id, sent.fulfilment_orders[0].id), club.mug);
    let van = NewCarrier {
        code: "own-van".into(),
        name: "Own van".into(),
        external_id: None,
        kind: CarrierKind::OwnVan,
        tracking_url: None,
        url: None,
        secret: None,
        services: Vec::new(),
        collections: CutOffs::parse("mo-fr 15:00").expect("hours"),
        attempts_max: 2,
    };
    let told = shop.run(move |tx, actor, world| {
        let van = carrier::create(tx, actor, world, van.clone())?;
        pick::pick(tx, actor, world, which, &vec![(mug, 1)])?;
        let new = NewParcel { carrier: Some(van.id), ..NewParcel::default() };
        let parcel = parcel::pack(tx, actor, world, which, &new)?;
        let which = (parcel.order, parcel.id);
        checkout::ship_parcel(tx, actor, world, which, None)?;
        track::attempt(tx, actor, world, which, (true, Some("Lovelace took it herself".into())))
    });
    told.expect("a parcel");
    let faulty = Request {
        order: sent.order.id,
        kind: Wrong::Faulty,
        parcel: None,
        reason: "damaged".into(),
        evidence: Some("a picture of Ada Lovelace with the mug".into()),
        lines: vec![(sent.lines[0].id, 1)],
        wished: None,
        override_reason: None,
        external_id: None,
    };
    shop.run(move |tx, actor, world| claim::request(tx, actor, world, faulty.clone())).expect("a claim");
    let changed = Asked {
        order: ordered(shop, club, web).order.id,
        actions: vec![Action::Note(Some("Lovelace is at home".into()))],
        reason: Some("Ada Lovelace called".into()),
    };
    shop.run(move |tx, actor, world| change::preview(tx, actor, world, changed.clone())).expect("a change");
    filled(shop, web, &[(mug, 1)], Some(club.ada));
}

/// By a passkey, and by another program; she is about to make a second passkey, and changes what she is called and where she lives.
fn sign_in(shop: &TestShop, web: &Channel, ada: Id<Customer>) {
    let (at, version) = (Reference::Id(web.id), Some(web.version));
    let page = Origin::parse(passkey::PAGE).expect("a page");
    shop.run(move |tx, actor, world| {
        origin::replace(tx, actor, world, (&at, version), vec![page.clone()]).map(drop)
    })
    .expect("origins");
    let herself = passkey::acting(web, Who::Customer(ada));
    let mut phone = Authenticator::at(passkey::PAGE);
    let invitation = passkey::invited(shop, &herself, ada, passkey::PAGE).expect("an invitation");
    let answer = phone.make(passkey::HOST, &invitation.challenge.bytes, &invitation.customer.bytes());
    let made: Option<Passkey> = passkey::registered(shop, &herself, ada, &answer).expect("an answer");
    assert!(made.is_some());
    passkey::invited(shop, &herself, ada, passkey::PAGE).expect("another invitation");
    // And she writes herself who she is.
    shop.run_as(&herself, move |tx, actor, world| {
        let (card, known) = (customer::read_contact(tx, actor, world, ada)?, customer::load(tx, ada)?);
        let change =
            OfCustomer { card: Some(card), groups: None, if_match: Some(known.version), shown: None };
        customer::update(tx, actor, world, ada, change)
    })
    .expect("her own word");
    let acme = sign_on::made(shop, sign_on::a_provider("acme", Audience::Customers));
    let claims = sign_on::claims("1", Some("ada@example.com"), true);
    assert_eq!(sign_on::opened(shop, web, &acme, &claims).customer, ada);
}

/// On pages, in a segment by it.
fn behave(shop: &TestShop, ada: Id<Customer>) {
    let source = segment::web(shop);
    let viewed = json!({ "event": { "name": "Product Viewed", "within_days": 30 } });
    segment::made(shop, "lookers", &viewed);
    let known = [(Known::UserId, ada.to_string()), (Known::AnonymousId, "b1".to_owned())];
    let properties = json!({ "email": "ada@example.com", "sku": "MUG" });
    segment::did(shop, &source, "1", &known, "Product Viewed", &properties);
}
