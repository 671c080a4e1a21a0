//! What carts look like over the API.

use domain::Refusal;
use domain::contact::Card;
use domain::value::{Currency, Id, Instant, Quantity, Reference, text};
use engine::cart::{self, Cart, Choice, Details, Named, NewCart, NewLine, PricedCart, PricedLine};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::cost::{DeliveryShape, LinePriceShape, TotalsShape};
use super::coupon::{CartCouponShape, CartGiftShape};
use crate::contact::ContactShape;
use crate::shape::{Fields, MoneyShape, changed};

/// The most lines given at once.
const LINES_MAX: usize = domain::cart::LINES_MAX;
/// The most characters of a note.
const NOTE_CHARS_MAX: usize = 500;

/// A cart. Contacts are named by id and read by their own operation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Cart, example = json!({"id": "cart_01jd0000000000000000000000", "channel": "chn_01jd0000000000000000000000", "state": "active",
    "currency": "GBP", "lines": [{"id": "cln_01jd0000000000000000000000", "variant": "var_01jd0000000000000000000000", "quantity": 3, "sku": "84029G",
        "title": "Hot water bottle, green", "unit_price": {"amount": 999, "currency": "GBP"}, "tax_rate_ppm": 200000,
        "net": {"amount": 2497, "currency": "GBP"}, "tax": {"amount": 500, "currency": "GBP"}, "gross": {"amount": 2997, "currency": "GBP"}}],
    "totals": {"prices_include_tax": true, "net": {"amount": 2497, "currency": "GBP"}, "tax": {"amount": 500, "currency": "GBP"},
        "gross": {"amount": 2997, "currency": "GBP"}, "taxes": []},
    "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z", "expires_at": "2026-06-02T10:00:00Z", "version": 1}))]
pub(crate) struct CartShape {
    #[serde(flatten)]
    summary: CartSummaryShape,
    /// The lines, the oldest first.
    lines: Vec<LineShape>,
    /// How it is to be delivered, if that was chosen.
    #[serde(skip_serializing_if = "Option::is_none")]
    delivery: Option<DeliveryShape>,
    /// What it costs now; absent when the cart has ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    totals: Option<TotalsShape>,
    /// The coupons in it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    coupons: Vec<CartCouponShape>,
    /// What the customer may have for nothing: put it into the cart.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    gifts: Vec<CartGiftShape>,
}

/// What a cart is, without its lines.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartSummary, example = json!({"id": "cart_01jd0000000000000000000000", "channel": "chn_01jd0000000000000000000000",
    "state": "active", "currency": "GBP", "made_at": "2026-06-01T10:00:00Z", "changed_at": "2026-06-01T10:00:00Z",
    "expires_at": "2026-06-02T10:00:00Z", "version": 1}))]
pub(super) struct CartSummaryShape {
    /// Its id, which nobody can guess; whoever shops in the channel and knows it may use the cart.
    pub(super) id: String,
    /// Through which channel it is filled.
    channel: String,
    /// `active`, `recovered`, `abandoned`, `ordered`, `merged` or `expired`.
    state: &'static str,
    /// What everything in it is priced in, ISO 4217.
    currency: &'static str,
    /// Whose it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<String>,
    /// The company in whose name it is bought.
    #[serde(skip_serializing_if = "Option::is_none")]
    company: Option<String>,
    /// The contact who receives the goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<String>,
    /// The contact who is billed.
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_contact: Option<String>,
    /// What the colleagues who prepare it should know.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    /// The order made of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<String>,
    /// The cart its lines went into.
    #[serde(skip_serializing_if = "Option::is_none")]
    merged_into: Option<String>,
    /// When it was made.
    #[schema(format = DateTime)]
    made_at: String,
    /// When it was changed last.
    #[schema(format = DateTime)]
    changed_at: String,
    /// When its time runs out unless it is changed before.
    #[schema(format = DateTime)]
    expires_at: String,
    /// Rises with every change; given as `ETag`.
    version: i64,
}

impl CartSummaryShape {
    pub(super) fn new(cart: &Cart, now: Instant) -> CartSummaryShape {
        CartSummaryShape {
            id: cart.id.to_string(),
            channel: cart.channel.to_string(),
            state: cart::standing(cart, now).text(),
            currency: cart.currency.code(),
            customer: cart.customer.map(|id| id.to_string()),
            company: cart.company.map(|id| id.to_string()),
            contact: cart.contact.map(|id| id.to_string()),
            billing_contact: cart.billing_contact.map(|id| id.to_string()),
            note: cart.note.clone(),
            order: cart.order.map(|id| id.to_string()),
            merged_into: cart.merged_into.map(|id| id.to_string()),
            made_at: cart.made_at.to_string(),
            changed_at: cart.changed_at.to_string(),
            expires_at: cart.expires_at.to_string(),
            version: cart.version,
        }
    }
}

/// A variant in a cart.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = CartLine)]
struct LineShape {
    /// Its id.
    id: String,
    /// What.
    variant: String,
    /// How many base units.
    quantity: i64,
    /// What it is and costs now; absent when the cart has ended.
    #[serde(flatten)]
    priced: Option<LinePriceShape>,
}

fn line(line: &PricedLine, currency: Currency) -> LineShape {
    LineShape {
        id: line.line.to_string(),
        variant: line.variant.to_string(),
        quantity: line.quantity,
        priced: Some(LinePriceShape::new(line, currency)),
    }
}

impl CartShape {
    pub(crate) fn priced(priced: &PricedCart, now: Instant) -> CartShape {
        CartShape {
            summary: CartSummaryShape::new(&priced.cart, now),
            lines: priced.lines.iter().map(|one| line(one, priced.currency)).collect(),
            delivery: DeliveryShape::priced(priced),
            coupons: priced.coupons.iter().map(CartCouponShape::from).collect(),
            gifts: priced.gifts.iter().map(CartGiftShape::from).collect(),
            totals: Some(TotalsShape::new(priced)),
        }
    }

    pub(crate) fn ended(cart: &Cart, now: Instant) -> CartShape {
        let unpriced = |line: &cart::Line| LineShape {
            id: line.id.to_string(),
            variant: line.variant.to_string(),
            quantity: line.quantity,
            priced: None,
        };
        CartShape {
            summary: CartSummaryShape::new(cart, now),
            lines: cart.lines.iter().map(unpriced).collect(),
            delivery: DeliveryShape::ended(cart),
            coupons: Vec::new(),
            gifts: Vec::new(),
            totals: None,
        }
    }
}

/// A line to be added: the variant by id, external id or SKU.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCartLine, example = json!({"sku": "84029G", "quantity": 3}))]
pub(crate) struct NewLineShape {
    /// The variant's id or external id.
    #[schema(max_length = 200)]
    variant: Option<String>,
    /// The variant's SKU, instead.
    #[schema(max_length = 64)]
    sku: Option<String>,
    /// How many base units.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
    /// The price of one base unit that was agreed, for who may agree prices; what the price lists say when absent.
    pub(super) unit_price: Option<MoneyShape>,
}

impl NewLineShape {
    pub(super) fn read(&self) -> Result<NewLine, Refusal> {
        let mut fields = Fields::new();
        let line = self.taken(&mut fields);
        fields.done(line)
    }

    pub(crate) fn taken(&self, fields: &mut Fields) -> Option<NewLine> {
        let quantity = fields.take("quantity", Quantity::new(self.quantity));
        let variant = match (&self.variant, &self.sku) {
            (Some(variant), None) => Some(Named::Reference(Reference::read(variant))),
            (None, Some(sku)) => Some(Named::Sku(sku.trim().to_owned())),
            _ => {
                fields.refuse("variant", "give either variant or sku");
                None
            }
        };
        let unit_price = match &self.unit_price {
            Some(price) => fields.money("unit_price", price).map(Some),
            None => Some(None),
        };
        Some(NewLine { variant: variant?, quantity: quantity?, unit_price: unit_price? })
    }
}

/// How many of a line.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CartLineQuantity, example = json!({"quantity": 2}))]
pub(super) struct QuantityShape {
    /// How many base units; to have none, remove the line.
    #[schema(minimum = 1, maximum = 1_000_000_000)]
    quantity: i64,
}

impl QuantityShape {
    pub(super) fn read(&self) -> Result<Quantity, Refusal> {
        Quantity::new(self.quantity).map_err(|error| Refusal::invalid("quantity", error))
    }
}

/// How a cart is to be delivered.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CartDeliveryChoice, example = json!({"method": "parcel"}))]
pub(crate) struct ChoiceShape {
    /// The delivery method: its id or external id.
    #[schema(max_length = 200)]
    method: String,
    /// Where it is collected: a location's id or external id; only for a method by which it is.
    #[schema(max_length = 200)]
    location: Option<String>,
}

impl From<&ChoiceShape> for Choice {
    fn from(shape: &ChoiceShape) -> Choice {
        Choice {
            method: Reference::read(&shape.method),
            location: shape.location.as_deref().map(Reference::read),
        }
    }
}

/// What of a cart is to change. What is left out stays; `null` takes away what may be absent.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = CartChange, example = json!({"contact": {"name": "Ada Lovelace", "street": ["1 High Street"], "city": "Leeds",
    "postal_code": "LS1 4DY", "country": "GB", "email": "ada@example.com"}, "delivery": {"method": "parcel"}}))]
pub(super) struct DetailsShape {
    /// The customer it belongs to: its id or external id. Where nothing else is said, goods go to the usual address of
    /// the company, else of the customer, and at last to the customer's own contact.
    #[schema(max_length = 200)]
    customer: Option<String>,
    /// The company in whose name it is bought: its id or external id. The customer must be its member.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>, max_length = 200)]
    company: Option<Option<String>>,
    /// Who receives the goods, and where.
    contact: Option<ContactShape>,
    /// Who is billed, if that is somebody else.
    billing_contact: Option<ContactShape>,
    /// The address it goes to, in place of a contact: the id of one of the addresses of the customer, or of the company it is bought for.
    #[schema(max_length = 60)]
    address: Option<String>,
    /// The address that is billed, in place of a contact.
    #[schema(max_length = 60)]
    billing_address: Option<String>,
    /// How it is to be delivered.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<ChoiceShape>)]
    delivery: Option<Option<ChoiceShape>>,
    /// What the colleagues who prepare it should know: at most 500 characters. Nothing about a person: that belongs to the contact's note.
    #[serde(default, deserialize_with = "changed")]
    #[schema(value_type = Option<String>, max_length = 500)]
    note: Option<Option<String>>,
}

impl DetailsShape {
    pub(super) fn read(self) -> Result<Details, Refusal> {
        let mut fields = Fields::new();
        let details = self.taken(&mut fields);
        fields.done(details)
    }

    fn taken(self, fields: &mut Fields) -> Option<Details> {
        for (given, both) in [
            ("address", self.address.is_some() && self.contact.is_some()),
            ("billing_address", self.billing_address.is_some() && self.billing_contact.is_some()),
        ] {
            if both {
                fields.refuse(given, "give an address or a contact, not both");
            }
        }
        let address = fields.take_if("address", self.address.as_deref(), Id::parse);
        let billing_address = fields.take_if("billing_address", self.billing_address.as_deref(), Id::parse);
        let mut card = |shape: Option<ContactShape>, field: &str| match shape {
            Some(shape) => shape.read(fields, field).map(Some),
            None => Some(None),
        };
        let contact = card(self.contact, "contact");
        let billing_contact = card(self.billing_contact, "billing_contact");
        let note = fields.take_if("note", self.note, |note| {
            note.map(|note| text::bounded("note", &note, 1, NOTE_CHARS_MAX)).transpose()
        });
        Some(Details {
            customer: self.customer.as_deref().map(Reference::read),
            company: self.company.map(|company| company.as_deref().map(Reference::read)),
            contact: contact?,
            billing_contact: billing_contact?,
            address: address?,
            billing_address: billing_address?,
            delivery: self.delivery.map(|choice| choice.as_ref().map(Choice::from)),
            note: note?,
        })
    }
}

/// A cart to be made.
#[derive(Clone, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = NewCart, example = json!({"channel": "web", "lines": [{"sku": "84029G", "quantity": 3}],
    "contact": {"name": "Ada Lovelace", "street": ["1 High Street"], "city": "Leeds", "postal_code": "LS1 4DY", "country": "GB",
        "email": "ada@example.com"}, "delivery": {"method": "parcel"}}))]
pub(super) struct NewCartShape {
    /// The channel: its id or external id.
    #[schema(max_length = 200)]
    channel: String,
    /// The currency the customer was shown, ISO 4217; refused when the channel sells in another.
    currency: Option<String>,
    /// The first lines, at most 500.
    #[serde(default)]
    #[schema(max_items = 500)]
    lines: Vec<NewLineShape>,
    /// The customer it belongs to: its id or external id. Where nothing else is said, goods go to the usual address of
    /// the company, else of the customer, and at last to the customer's own contact.
    #[schema(max_length = 200)]
    customer: Option<String>,
    /// The company in whose name it is bought: its id or external id. The customer must be its member.
    #[schema(max_length = 200)]
    company: Option<String>,
    /// Who receives the goods, and where.
    contact: Option<ContactShape>,
    /// Who is billed, if that is somebody else.
    billing_contact: Option<ContactShape>,
    /// The address it goes to, in place of a contact: the id of one of the addresses of the customer, or of the company it is bought for.
    #[schema(max_length = 60)]
    address: Option<String>,
    /// The address that is billed, in place of a contact.
    #[schema(max_length = 60)]
    billing_address: Option<String>,
    /// How it is to be delivered.
    delivery: Option<ChoiceShape>,
    /// What the colleagues who prepare it should know: at most 500 characters, nothing about a person.
    #[schema(max_length = 500)]
    note: Option<String>,
}

impl NewCartShape {
    pub(super) fn read(self) -> Result<NewCart, Refusal> {
        let mut fields = Fields::new();
        let currency = fields.take_if("currency", self.currency.as_deref(), Currency::parse);
        if self.lines.len() > LINES_MAX {
            fields.refuse("lines", format!("give at most {LINES_MAX} lines"));
        }
        let given = &self.lines[..self.lines.len().min(LINES_MAX)];
        let lines = fields.each("lines", given, |fields, line| line.taken(fields));
        let details = DetailsShape {
            customer: self.customer,
            company: self.company.map(Some),
            contact: self.contact,
            billing_contact: self.billing_contact,
            address: self.address,
            billing_address: self.billing_address,
            delivery: self.delivery.map(Some),
            note: self.note.map(Some),
        };
        let details = details.taken(&mut fields);
        let channel = Reference::read(&self.channel);
        let read = (|| Some(NewCart { channel, currency: currency?, lines: lines?, details: details? }))();
        fields.done(read)
    }
}

/// The contacts of a cart.
#[derive(Serialize, ToSchema)]
#[schema(as = CartContacts, example = json!({"contact": {"name": "Ada Lovelace", "email": "ada@example.com"}}))]
pub(super) struct CartContactsShape {
    /// Who receives the goods.
    #[serde(skip_serializing_if = "Option::is_none")]
    contact: Option<ContactShape>,
    /// Who is billed.
    #[serde(skip_serializing_if = "Option::is_none")]
    billing_contact: Option<ContactShape>,
}

impl From<&(Option<Card>, Option<Card>)> for CartContactsShape {
    fn from((contact, billing): &(Option<Card>, Option<Card>)) -> CartContactsShape {
        CartContactsShape {
            contact: contact.as_ref().map(ContactShape::from),
            billing_contact: billing.as_ref().map(ContactShape::from),
        }
    }
}
