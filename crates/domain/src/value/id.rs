//! Identities: every thing in the shop has a typed id with a readable prefix, such as `ord_01hgw…` for an order.
//!
//! An id is a UUIDv7 (RFC 9562): 48 bits of milliseconds, then chance, so ids sort by the time they were made. In text it is the
//! kind's prefix, an underscore and 26 digits of Crockford's base 32 in lower case. In the database it is 16 bytes.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::marker::PhantomData;

use super::Instant;

/// A kind of thing that has ids. The list of all kinds is [`KINDS`].
pub trait Kind: 'static {
    /// The letters before the underscore in the text form.
    const PREFIX: &'static str;
    /// The kind's name in the trade's words, for messages.
    const NAME: &'static str;
}

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident $prefix:literal $name:literal;)*) => {
        $($(#[$doc])* #[derive(Clone, Debug, PartialEq, Eq)] pub enum $kind {}
        impl Kind for $kind {
            const PREFIX: &'static str = $prefix;
            const NAME: &'static str = $name;
        })*
        /// Every kind of id: its prefix and its name. Prefixes are unique; a test holds it.
        pub const KINDS: &[(&str, &str)] = &[$(($prefix, $name)),*];
    };
}

kinds! {
    /// Where a customer wants things sent, or the invoice.
    Address "adr" "address";
    /// A program's key to the API.
    ApiKey "key" "API key";
    /// What the retailer wants to know of each product.
    Attribute "att" "attribute";
    /// A book of the ledger.
    Book "book" "book";
    /// Money taken by one capture of a payment.
    Capture "cap" "capture";
    /// Who carries parcels to customers.
    Carrier "car" "carrier";
    /// A basket.
    Cart "cart" "cart";
    /// A line of a basket.
    CartLine "cln" "cart line";
    /// A category of a category tree.
    Category "cat" "category";
    /// A tree of categories.
    CategoryTree "tree" "category tree";
    /// A sales channel: web, till, phone, marketplace.
    Channel "chn" "channel";
    /// A customer says that goods were lost, damaged or wrong.
    Claim "clm" "claim";
    /// A company that buys.
    Company "com" "company";
    /// Somebody is asked by mail to be a member of a company.
    CompanyInvitation "cin" "company invitation";
    /// Something a person agreed to or refused, as it was said.
    Consent "cst" "consent";
    /// An immutable snapshot of a person's name, address, mail and phone.
    Contact "con" "contact";
    /// Shelves to be counted, or that were.
    Count "cnt" "count";
    /// A code that opens a promotion.
    Coupon "cpn" "coupon";
    /// Coupons that were made together.
    CouponBatch "cpb" "coupon batch";
    /// A customer.
    Customer "cus" "customer";
    /// People somebody put together by name.
    CustomerList "lst" "list";
    /// A way of delivering: parcel, pickup.
    DeliveryMethod "dlv" "delivery method";
    /// Something that happened.
    Event "evt" "event";
    /// Goods that come back against other goods.
    Exchange "exg" "exchange";
    /// Goods that are to arrive at a location.
    ExpectedGoods "exp" "expected goods";
    /// Goods of one order that leave one location together.
    FulfilmentOrder "ful" "fulfilment order";
    /// Money paid in before, spent by whoever holds it.
    GiftCard "gft" "gift card";
    /// Stock held for somebody until an instant.
    Hold "hold" "hold";
    /// A file being taken in.
    Import "imp" "import";
    /// Work to be done after a commit.
    Job "job" "job";
    /// A store, warehouse, supplier or virtual place.
    Location "loc" "location";
    /// What a carrier took along at one time.
    Manifest "mnf" "manifest";
    /// What a retailer gives points by.
    LoyaltyProgramme "lpr" "loyalty programme";
    /// A country or region sold to, with its currency and tax.
    Market "mkt" "market";
    /// Two customers who may be one person.
    MatchReview "mat" "match";
    /// A matching model that is learnt of the shop's own customers.
    MatchTraining "mtr" "training";
    /// A picture or film of a product.
    Media "med" "media";
    /// A customer who takes part in a loyalty programme.
    Member "mem" "member";
    /// One customer merged into another.
    Merge "mrg" "merge";
    /// Something sent to one person.
    Message "msg" "message";
    /// Locations that serve together.
    Network "net" "network";
    /// What a colleague noted about a customer.
    Note "not" "note";
    /// An order.
    Order "ord" "order";
    /// A change of an order after it was placed.
    OrderChange "chg" "order change";
    /// A line of an order.
    OrderLine "oln" "order line";
    /// Goods that leave in one piece, with their label.
    Parcel "pcl" "parcel";
    /// A key pair by which a customer signs in.
    Passkey "pky" "passkey";
    /// A payment.
    Payment "pay" "payment";
    /// Where the retailer has payments taken.
    PaymentAccount "pac" "payment account";
    /// A person whose data key protects contacts.
    Person "per" "person";
    /// Fulfilment orders that are picked in one walk.
    PickWave "pwv" "pick wave";
    /// Points that were given together and expire together.
    PointLot "plt" "lot of points";
    /// That a price was set, changed or taken away.
    PriceChange "prc" "price change";
    /// A list of prices.
    PriceList "prl" "price list";
    /// What a person asks about what is kept of them.
    PrivacyRequest "pvr" "privacy request";
    /// A product.
    Product "prd" "product";
    /// A browser, an app, a till's customer: a trace of a person, or all traces of one.
    Profile "prf" "profile";
    /// A rule that lowers what is paid.
    Promotion "pro" "promotion";
    /// Past orders priced again with other promotions.
    PromotionSimulation "psm" "promotion simulation";
    /// Names a comparison of a payment provider's record of a day with our books.
    Reconciliation "rcn" "reconciliation";
    /// Names one difference that such a comparison found.
    ReconciliationLine "rcl" "reconciliation line";
    /// Points of a member exchanged for a reward.
    Redemption "rdm" "redemption";
    /// Money given back.
    Refund "rfd" "refund";
    /// Goods coming back.
    Return "ret" "return";
    /// A line of a return.
    ReturnLine "rln" "return line";
    /// What may come back, until when, and at what fee.
    ReturnPolicy "rpo" "return policy";
    /// What is given for points.
    Reward "rwd" "reward";
    /// A named set of permissions.
    Role "rol" "role";
    /// From where goods are served, and why.
    RoutingDecision "rdc" "routing decision";
    /// How a retailer wants orders routed.
    RoutingProfile "rpf" "routing profile";
    /// Past orders routed again under other rules.
    RoutingSimulation "rsm" "routing simulation";
    /// People who belong together by what is known of them.
    Segment "seg" "segment";
    /// A sign-in of a member of staff.
    Session "ses" "session";
    /// A code by which a customer signs in.
    SignInCode "sic" "sign-in code";
    /// Another program that says who somebody is.
    SignOnProvider "sop" "sign-on provider";
    /// Pages, an app or a program that tells what people did.
    Source "src" "source";
    /// A member of staff.
    Staff "stf" "staff member";
    /// Money owed to one customer, spent in the shop.
    StoreCredit "scr" "store credit";
    /// Whom consents and messages are of: a customer, or somebody known by an address only.
    Subscriber "sub" "subscriber";
    /// An address by which a subscriber confirms or chooses without signing in.
    SubscriberLink "lnk" "link to preferences";
    /// A class of goods taxed alike.
    TaxClass "txc" "tax class";
    /// A region taxed alike.
    TaxZone "txz" "tax zone";
    /// A transfer of the ledger.
    Transfer "trf" "transfer";
    /// Goods on their way from one location to another.
    TransferOrder "tro" "transfer order";
    /// A variant of a product: what is stocked and sold.
    Variant "var" "variant";
    /// Where events are sent.
    WebhookEndpoint "whe" "webhook endpoint";
    /// Goods written off.
    WriteOff "wof" "write-off";
}

/// The identity of one thing of kind `K`.
pub struct Id<K: Kind> {
    bytes: [u8; 16],
    kind: PhantomData<fn() -> K>,
}

impl<K: Kind> Id<K> {
    /// A new id from the instant (milliseconds are kept), two counters of 12 bits that keep ids made within it in order (which command, and which
    /// id of it), and eight bytes of chance, of which 50 bits are kept: RFC 9562, 6.2, method 1.
    pub fn new(at: Instant, (turn, counter): (u16, u16), chance: [u8; 8]) -> Id<K> {
        let millis = at.micros().max(0).cast_unsigned() / 1000;
        let mut bytes = [0; 16];
        bytes[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        bytes[6..8].copy_from_slice(&((turn & 0x0fff) | 0x7000).to_be_bytes());
        let kept = u64::from_be_bytes(chance) & ((1 << 50) - 1);
        let rest = (0b10 << 62) | (u64::from(counter & 0x0fff) << 50) | kept;
        bytes[8..].copy_from_slice(&rest.to_be_bytes());
        Id::from_bytes(bytes)
    }

    /// The id with these 16 bytes, as read from the database.
    pub const fn from_bytes(bytes: [u8; 16]) -> Id<K> {
        Id { bytes, kind: PhantomData }
    }

    /// The 16 bytes, as written to the database.
    pub const fn bytes(self) -> [u8; 16] {
        self.bytes
    }

    /// The id of another kind of thing that shares these bytes, such as the stock book of a variant.
    pub const fn shared_with<L: Kind>(self) -> Id<L> {
        Id::from_bytes(self.bytes)
    }

    /// Reads the text form.
    ///
    /// # Errors
    /// [`IdError`] names what was expected.
    pub fn parse(text: &str) -> Result<Id<K>, IdError> {
        let refused = || IdError { kind: K::NAME, prefix: K::PREFIX };
        let digits =
            text.strip_prefix(K::PREFIX).and_then(|rest| rest.strip_prefix('_')).ok_or_else(refused)?;
        decode(digits).map(Id::from_bytes).ok_or_else(refused)
    }
}

/// Digits of base 32 (Crockford): none can be taken for another.
pub(crate) const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

fn decode(digits: &str) -> Option<[u8; 16]> {
    if digits.len() != 26 {
        return None;
    }
    let mut number: u128 = 0;
    for (place, digit) in digits.bytes().enumerate() {
        let value = DIGITS.iter().position(|known| *known == digit)?;
        if place == 0 && value > 7 {
            return None;
        }
        number = (number << 5) | value as u128;
    }
    Some(number.to_be_bytes())
}

impl<K: Kind> fmt::Display for Id<K> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = u128::from_be_bytes(self.bytes);
        let mut text = [0u8; 26];
        for (place, digit) in text.iter_mut().enumerate() {
            *digit = DIGITS[((number >> (5 * (25 - place))) & 31) as usize];
        }
        write!(out, "{}_{}", K::PREFIX, std::str::from_utf8(&text).map_err(|_| fmt::Error)?)
    }
}

impl<K: Kind> fmt::Debug for Id<K> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, out)
    }
}

impl<K: Kind> Clone for Id<K> {
    fn clone(&self) -> Id<K> {
        *self
    }
}
impl<K: Kind> Copy for Id<K> {}
impl<K: Kind> PartialEq for Id<K> {
    fn eq(&self, other: &Id<K>) -> bool {
        self.bytes == other.bytes
    }
}
impl<K: Kind> Eq for Id<K> {}
impl<K: Kind> PartialOrd for Id<K> {
    fn partial_cmp(&self, other: &Id<K>) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<K: Kind> Ord for Id<K> {
    fn cmp(&self, other: &Id<K>) -> Ordering {
        self.bytes.cmp(&other.bytes)
    }
}
impl<K: Kind> Hash for Id<K> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes.hash(state);
    }
}

/// A text that is not an id of the kind asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdError {
    kind: &'static str,
    prefix: &'static str,
}

impl fmt::Display for IdError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "not the id of a {}: expected \"{}_\" and 26 letters and digits", self.kind, self.prefix)
    }
}
impl std::error::Error for IdError {}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn prefixes_are_unique_and_sorted_by_name() {
        let mut prefixes: Vec<_> = KINDS.iter().map(|(prefix, _)| prefix).collect();
        prefixes.sort();
        prefixes.dedup();
        assert_eq!(prefixes.len(), KINDS.len());
    }

    #[test]
    fn a_wrong_prefix_or_length_is_refused_by_name() {
        let order: Id<Order> = Id::new(Instant::from_micros(1_700_000_000_000_000), (0, 0), [7; 8]);
        let error = Id::<Cart>::parse(&order.to_string()).unwrap_err();
        assert_eq!(error.to_string(), "not the id of a cart: expected \"cart_\" and 26 letters and digits");
        assert!(Id::<Order>::parse("ord_").is_err());
        assert!(Id::<Order>::parse("ord_80000000000000000000000000").is_err());
    }

    proptest! {
        #[test]
        fn text_and_back(bytes: [u8; 16]) {
            let id: Id<Order> = Id::from_bytes(bytes);
            prop_assert_eq!(Id::parse(&id.to_string()).unwrap(), id);
        }

        #[test]
        fn later_ids_sort_later(
            a in (0i64..4_000_000_000_000, 0u16..4096, 0u16..4096),
            b in (0i64..4_000_000_000_000, 0u16..4096, 0u16..4096),
            same: bool,
            chance: [[u8; 8]; 2],
        ) {
            let b = if same { (a.0, a.1, b.2) } else { b };
            let id = |(at, turn, counter): (i64, u16, u16), chance| -> Id<Order> { Id::new(Instant::from_micros(at * 1000), (turn, counter), chance) };
            let (first, second) = (id(a, chance[0]), id(b, chance[1]));
            if a != b {
                prop_assert_eq!(first.cmp(&second), a.cmp(&b));
            }
            prop_assert_eq!(first.to_string().cmp(&second.to_string()), first.cmp(&second));
        }
    }
}
