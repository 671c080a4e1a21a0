//! The real shop of a simulation: the same commands through the real engine's one door, with the numbers of things made ids.

use std::sync::{Arc, mpsc};

use domain::actor::Actor;
use domain::contact::{Card as ContactCard, Draft};
use domain::payment::{Card, Kind as PaymentKind};
use domain::stock::State;
use domain::value::id::{self, Carrier, Channel, Customer, DeliveryMethod, Hold, Location, Payment, Variant};
use domain::value::{Currency, Id, Kind, Money, Quantity, Reference};
use domain::{Code, Refusal};
use engine::cart::Named;
use engine::cart::{self, Details, NewCart, NewLine};
use engine::checkout::{self, Checkout, Tender};
use engine::loyalty::member::Member;
use engine::loyalty::{Credit, Unit};
use engine::perform::{Answer, Key, Request, perform};
use engine::stock::hold::{self, SetAside};
use engine::stock::{self, Adjust, LevelSetting, Move, Receive, Set};
use engine::{Failure, World, job, payment};
use store::{Tx, payment as payments};

use crate::TestShop;
use crate::model::money::{self as model, Operation, Verdict};
use crate::model::{Choice, Command};

/// What a command does to the books; answers the id of what it made, if it made something.
pub type Work = Box<dyn FnMut(&mut Tx<'_>, &Actor, &mut World) -> Result<String, Failure> + Send>;

/// The real shop, and which id each number of the model stands for.
pub struct Real {
    pub shop: TestShop,
    pub variants: Vec<Id<Variant>>,
    pub locations: Vec<Id<Location>>,
    pub channels: Vec<Id<Channel>>,
    pub parcel: Id<DeliveryMethod>,
    pub collected: Id<DeliveryMethod>,
    pub sent: Id<DeliveryMethod>,
    pub van: Id<Carrier>,
    pub carts: Vec<Id<id::Cart>>,
    pub orders: Vec<Id<id::Order>>,
    /// Store credit of customers, then gift cards.
    pub credits: Vec<Credit>,
    /// The codes of the gift cards among them.
    pub codes: Arc<Vec<Option<String>>>,
    pub customers: Vec<Id<Customer>>,
    pub members: Vec<Member>,
    pub asides: Vec<(Id<Variant>, Id<Hold>)>,
    pub transfers: Vec<Id<id::TransferOrder>>,
    pub counts: Vec<Id<id::Count>>,
    pub expected: Vec<Id<id::ExpectedGoods>>,
}

/// A key for a command asked in one step; the same input under it is the same question.
pub fn key(step: u64, input: &Command) -> Key {
    use std::hash::{DefaultHasher, Hash, Hasher};
    let mut hasher = DefaultHasher::new();
    format!("{input:?}").hash(&mut hasher);
    let mut input_hash = [0; 32];
    input_hash[..8].copy_from_slice(&hasher.finish().to_be_bytes());
    Key { text: format!("step {step}"), input_hash }
}

pub fn nobody<K: Kind>() -> Id<K> {
    Id::from_bytes([9; 16])
}

pub fn pounds() -> Currency {
    Currency::parse("GBP").expect("a currency")
}

pub fn quantity(units: i64) -> Result<Quantity, Failure> {
    Quantity::new(units).map_err(|error| Refusal::invalid("quantity", error).into())
}

/// A tender, with the code of its gift card.
pub fn tender(codes: &[Option<String>], asked: &model::Tender) -> Tender {
    let kind = asked.kind;
    Tender {
        kind,
        amount: asked.amount,
        provider_token: kind.has_provider().then(|| "tok_ok".into()),
        card: (kind == PaymentKind::CardRecord)
            .then(|| Card::new("4242", "A1B2C3", "T1/000123").expect("a card")),
        gift_card: asked.card.and_then(|card| codes.get(card).cloned().flatten()),
    }
}

impl Real {
    /// Does a command through the door, under a key.
    pub fn perform(&self, key: Key, command: &Command) -> Result<Answer, Failure> {
        let mut work = self.work(command);
        let (tell, told) = mpsc::channel();
        perform(
            &self.shop.shop,
            Request { actor: Actor::system(), key: Some(key) },
            move |tx, actor, world| {
                let body = work(tx, actor, world)?;
                Ok(Answer { status: 200, body, version: None, repeated: false })
            },
            move |outcome| tell.send(outcome).expect("the simulation waits"),
        );
        told.recv().expect("an answer")
    }

    /// Lets time pass and does what is due, until nothing is.
    pub fn pass(&self, seconds: i64) -> Result<(), Failure> {
        self.shop.pass(seconds);
        let registry = job::registry();
        while job::turn(&self.shop.shop, &registry)? > 0 {}
        Ok(())
    }

    /// Notes the id of what a command made.
    pub fn note(&mut self, command: &Command, made: &str) {
        match command {
            Command::CreateCart { .. } => self.carts.push(Id::parse(made).expect("a cart")),
            Command::DraftTransfer { .. } => {
                self.transfers.push(Id::parse(made).expect("a transfer order"));
            }
            Command::IssueCard { .. } => {
                let (id, code) = made.split_once(' ').expect("a card and its code");
                let card: Id<id::GiftCard> = Id::parse(id).expect("a gift card");
                self.credits.push(Credit {
                    book: card.shared_with(),
                    subject: id.into(),
                    unit: Unit::Money(pounds()),
                });
                Arc::make_mut(&mut self.codes).push(Some(code.to_owned()));
            }
            Command::Announce { .. } => self.expected.push(Id::parse(made).expect("expected goods")),
            Command::Checkout { .. } | Command::Exchange { .. } => {
                self.orders.push(Id::parse(made).expect("an order"))
            }
            Command::SetAside { variant, .. } => {
                self.asides.push((self.variants[*variant], Id::parse(made).expect("a hold")));
            }
            _ => {}
        }
    }

    fn work(&self, command: &Command) -> Work {
        match command.clone() {
            Command::Receive { .. }
            | Command::Adjust { .. }
            | Command::Set { .. }
            | Command::Move { .. }
            | Command::SetSafety { .. }
            | Command::SetAside { .. }
            | Command::Release { .. } => self.stock_work(command.clone()),
            Command::IssueCard { .. }
            | Command::AdjustCredit { .. }
            | Command::AdjustPoints { .. }
            | Command::BlockCard { .. } => self.credit_work(command.clone()),
            Command::CreateCart { channel, lines, known, customer, choice } => {
                self.create_cart(channel, &lines, (known, customer), choice)
            }
            Command::AddLine { .. }
            | Command::SetQuantity { .. }
            | Command::RemoveLine { .. }
            | Command::Choose { .. }
            | Command::Merge { .. } => self.cart_work(command.clone()),
            Command::Checkout { cart, expected, tenders } => {
                let (cart, codes) = (self.carts[cart], self.codes.clone());
                let shown = expected.map(|minor| Money::new(minor, pounds()).expect("an amount"));
                Box::new(move |tx, actor, world| {
                    let input = Checkout {
                        cart,
                        expected_total: shown,
                        tenders: tenders.iter().map(|one| tender(&codes, one)).collect(),
                        serve_from: None,
                        placed_at: None,
                        external_id: None,
                    };
                    Ok(checkout::place(tx, actor, world, input)?.order.id.to_string())
                })
            }
            Command::Pay { .. }
            | Command::RecordReceipt { .. }
            | Command::Answer { .. }
            | Command::Capture { .. }
            | Command::Refund { .. }
            | Command::Void { .. } => self.money_work(command.clone()),
            Command::Fulfil { .. }
            | Command::GoOn { .. }
            | Command::Cancel { .. }
            | Command::TakeBack { .. }
            | Command::Exchange { .. }
            | Command::Allow { .. }
            | Command::Substitute { .. }
            | Command::TakeBackBlind { .. } => self.goods_work(command.clone()),
            Command::Announce { .. } | Command::GoOnWithExpected { .. } => {
                self.expected_work(command.clone())
            }
            Command::Parcel { .. } | Command::ClaimGoods { .. } | Command::GoOnWithClaim { .. } => {
                self.claim_work(command.clone())
            }
            Command::Preview { .. } | Command::Confirm { .. } | Command::Decline { .. } => {
                self.change_work(command.clone())
            }
            Command::DraftTransfer { .. }
            | Command::GoOnWithTransfer { .. }
            | Command::AskForCount { .. }
            | Command::GoOnWithCount { .. }
            | Command::AskBack { .. }
            | Command::GoOnWithReturn { .. } => self.between_work(command.clone()),
            Command::Pass { .. } => unreachable!("time passes without a command"),
        }
    }

    fn stock_work(&self, command: Command) -> Work {
        let (variants, places) = (self.variants.clone(), self.locations.clone());
        let asides = self.asides.clone();
        Box::new(move |tx, actor, world| {
            let done = |_| String::new();
            match command {
                Command::Receive { variant, location, quantity: units, state } => {
                    let input = Receive {
                        variant: variants[variant],
                        location: places[location],
                        quantity: quantity(units)?,
                        state,
                        from: State::Supplier,
                        reference: None,
                    };
                    stock::receive(tx, actor, world, input).map(done)
                }
                Command::Adjust { variant, location, change, reason } => {
                    let (variant, location) = (variants[variant], places[location]);
                    let input = Adjust { variant, location, change, reason, reference: None };
                    stock::adjust(tx, actor, world, input).map(done)
                }
                Command::Set { variant, location, quantity, expected } => {
                    let (variant, location) = (variants[variant], places[location]);
                    stock::set(tx, actor, world, Set { variant, location, quantity, expected })?;
                    Ok(String::new())
                }
                Command::Move { variant, location, from, to, quantity: units } => {
                    let (variant, location) = (variants[variant], places[location]);
                    let input = Move { variant, location, from, to, quantity: quantity(units)? };
                    stock::move_state(tx, actor, world, input).map(done)
                }
                Command::SetSafety { variant, location, safety } => {
                    let (variant, location) = (variants[variant], places[location]);
                    let level =
                        LevelSetting { safety, low_below: 3, ..LevelSetting::unset(variant, location) };
                    stock::set_level(tx, actor, world, level)?;
                    Ok(String::new())
                }
                Command::SetAside { variant, location, quantity: units, seconds } => {
                    let input = SetAside {
                        variant: variants[variant],
                        location: places[location],
                        quantity: quantity(units)?,
                        expires_at: world.now().plus_seconds(seconds),
                        reference: "window".into(),
                    };
                    Ok(hold::set_aside(tx, actor, world, input)?.to_string())
                }
                Command::Release { aside } => {
                    let (variant, hold) = asides[aside];
                    hold::release(tx, actor, world, variant, hold)?;
                    Ok(String::new())
                }
                ref other => unreachable!("{other:?} is not about stock"),
            }
        })
    }

    fn create_cart(
        &self,
        channel: usize,
        lines: &[(usize, i64)],
        (known, customer): (bool, Option<usize>),
        choice: Option<Choice>,
    ) -> Work {
        let channel = self.channels[channel];
        let lines: Vec<_> = lines.iter().map(|(variant, units)| (self.variants[*variant], *units)).collect();
        let draft = Draft { name: Some("Ada Byron".into()), country: Some("GB".into()), ..Draft::default() };
        let delivery = choice.map(|choice| Some(self.choice(choice)));
        let customer = customer.map(|customer| Reference::Id(self.customers[customer]));
        let contact = known.then(|| ContactCard::new(&draft).expect("a contact"));
        Box::new(move |tx, actor, world| {
            let lines: Result<Vec<_>, Failure> =
                lines.iter().map(|(variant, units)| new_line(*variant, *units)).collect();
            let new = NewCart {
                channel: Reference::Id(channel),
                currency: None,
                lines: lines?,
                details: Details {
                    contact: contact.clone(),
                    customer: customer.clone(),
                    delivery: delivery.clone(),
                    ..Details::default()
                },
            };
            Ok(cart::create(tx, actor, world, new)?.id.to_string())
        })
    }

    pub fn choice(&self, choice: Choice) -> cart::Choice {
        let (method, location) = match choice {
            Choice::Parcel => (self.parcel, None),
            Choice::Collected(location) => (self.collected, Some(Reference::Id(self.locations[location]))),
            Choice::Sent(location) => (self.sent, Some(Reference::Id(self.locations[location]))),
        };
        cart::Choice { method: Reference::Id(method), location }
    }

    fn cart_work(&self, command: Command) -> Work {
        let (variants, carts) = (self.variants.clone(), self.carts.clone());
        let chosen = match &command {
            Command::Choose { choice, .. } => choice.map(|choice| self.choice(choice)),
            _ => None,
        };
        Box::new(move |tx, actor, world| {
            let done = |_| String::new();
            match command {
                Command::AddLine { cart, variant, quantity } => {
                    let line = new_line(variants[variant], quantity)?;
                    cart::add_line(tx, actor, world, carts[cart], line).map(done)
                }
                Command::SetQuantity { cart, variant, version, quantity: units } => {
                    let line = line_of(tx, carts[cart], variants[variant])?;
                    let at = (carts[cart], line, version);
                    cart::set_quantity(tx, actor, world, at, quantity(units)?).map(done)
                }
                Command::RemoveLine { cart, variant, version } => {
                    let line = line_of(tx, carts[cart], variants[variant])?;
                    cart::remove_line(tx, actor, world, (carts[cart], line, version)).map(done)
                }
                Command::Choose { cart, version, .. } => {
                    let details = Details { delivery: Some(chosen.clone()), ..Details::default() };
                    cart::change(tx, actor, world, (carts[cart], version), details).map(done)
                }
                Command::Merge { from, into } => {
                    cart::merge(tx, actor, world, carts[from], carts[into]).map(done)
                }
                ref other => unreachable!("{other:?} is not about a cart"),
            }
        })
    }

    fn money_work(&self, command: Command) -> Work {
        let (orders, codes) = (self.orders.clone(), self.codes.clone());
        Box::new(move |tx, actor, world| {
            let done = |_| String::new();
            let payment_of =
                |tx: &mut Tx<'_>, order: usize, payment: usize| -> Result<Id<Payment>, Failure> {
                    Ok(payments::of_order(tx, orders[order])?[payment].id)
                };
            match command {
                Command::Pay { order, tender: ref asked } => {
                    checkout::pay(tx, actor, world, orders[order], tender(&codes, asked))?;
                    Ok(String::new())
                }
                Command::RecordReceipt { order, payment, amount } => {
                    let id = payment_of(tx, order, payment)?;
                    payment::record_receipt(tx, actor, world, id, amount).map(done)
                }
                Command::Capture { order, payment, amount } => {
                    let id = payment_of(tx, order, payment)?;
                    payment::capture(tx, actor, world, id, amount)?;
                    Ok(String::new())
                }
                Command::Refund { order, payment, amount } => {
                    let id = payment_of(tx, order, payment)?;
                    payment::refund(tx, actor, world, id, amount)?;
                    Ok(String::new())
                }
                Command::Void { order, payment } => {
                    let id = payment_of(tx, order, payment)?;
                    payment::void(tx, actor, world, id)?;
                    Ok(String::new())
                }
                Command::Answer { order, payment, operation, verdict } => {
                    let id = payment_of(tx, order, payment)?;
                    let operation = asked(tx, id, operation)?;
                    payment::outcome(tx, actor, world, id, operation, &said(verdict))?;
                    Ok(String::new())
                }
                ref other => unreachable!("{other:?} is not about money"),
            }
        })
    }
}

pub fn new_line(variant: Id<Variant>, units: i64) -> Result<NewLine, Failure> {
    let variant = Named::Reference(Reference::Id(variant));
    Ok(NewLine { variant, quantity: quantity(units)?, unit_price: None })
}

/// The line of a variant in a cart, or one that is not there.
fn line_of(tx: &mut Tx<'_>, cart: Id<id::Cart>, variant: Id<Variant>) -> Result<Id<id::CartLine>, Failure> {
    let lines = cart::load(tx, cart)?.lines;
    Ok(lines.iter().find(|line| line.variant == variant).map_or(nobody(), |line| line.id))
}

fn asked(tx: &mut Tx<'_>, id: Id<Payment>, operation: Operation) -> Result<payment::Operation, Failure> {
    Ok(match operation {
        Operation::Authorise => payment::Operation::Authorise,
        Operation::Capture(number) => {
            let capture = payments::captures(tx, id)?.get(number).map(|part| part.id);
            payment::Operation::Capture(capture.unwrap_or(nobody()))
        }
        Operation::Refund(number) => {
            let refund = payments::refunds(tx, id)?.get(number).map(|part| part.id);
            payment::Operation::Refund(refund.unwrap_or(nobody()))
        }
    })
}

fn said(verdict: Verdict) -> payment::Verdict {
    let reference = Some("prov_1".to_owned());
    match verdict {
        Verdict::Done => payment::Verdict::Done { reference },
        Verdict::Pending => payment::Verdict::Pending { reference },
        Verdict::Declined => payment::Verdict::Declined { reason: "not today".into() },
    }
}

/// The code of a refusal; anything else is a failure of the machinery, which a simulation never meets.
pub fn code(failure: &Failure) -> Result<Code, String> {
    failure.code().ok_or_else(|| format!("the machinery failed: {failure}"))
}
