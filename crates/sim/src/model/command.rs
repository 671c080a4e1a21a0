//! What can be asked of the shop: the same words for the real one and the model. Things go by their number.

use domain::fulfilment::substitute::Allowed;
use domain::returns::Condition;
use domain::stock::State;
use engine::stock::AdjustReason;

use super::Choice;
use super::change::Action;
use super::claim::{ClaimStep, Claimed};
use super::count::CountStep;
use super::later::ExpectedStep;
use super::money::{Operation, Tender, Verdict};
use super::parcel::ParcelStep;
use super::returns::{Brought, ReturnStep};
use super::substitute::Replaced;
use super::transfer::TransferStep;

/// What can be done with a part of an order before it leaves, or after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    StartPicking,
    /// Variants and how many were found.
    Pick(Vec<(usize, i64)>),
    /// Variants and how many were not found.
    Miss(Vec<(usize, i64)>),
    Pack,
    MakeReady,
    Deliver,
    Hold,
    Release,
    Reject,
    Offer {
        locations: Vec<usize>,
        seconds: i64,
    },
    Claim {
        location: usize,
    },
}

/// Something asked of the shop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    Receive {
        variant: usize,
        location: usize,
        quantity: i64,
        state: State,
    },
    Adjust {
        variant: usize,
        location: usize,
        change: i64,
        reason: AdjustReason,
    },
    Set {
        variant: usize,
        location: usize,
        quantity: i64,
        expected: Option<i64>,
    },
    Move {
        variant: usize,
        location: usize,
        from: State,
        to: State,
        quantity: i64,
    },
    SetSafety {
        variant: usize,
        location: usize,
        safety: i64,
    },
    SetAside {
        variant: usize,
        location: usize,
        quantity: i64,
        seconds: i64,
    },
    Release {
        aside: usize,
    },
    /// A gift card is sold or given, for so many days.
    IssueCard {
        amount: i64,
        days: Option<i64>,
    },
    AdjustCredit {
        credit: usize,
        change: i64,
    },
    AdjustPoints {
        member: usize,
        change: i64,
    },
    BlockCard {
        card: usize,
        blocked: bool,
    },
    CreateCart {
        channel: usize,
        lines: Vec<(usize, i64)>,
        known: bool,
        customer: Option<usize>,
        choice: Option<Choice>,
    },
    AddLine {
        cart: usize,
        variant: usize,
        quantity: i64,
    },
    SetQuantity {
        cart: usize,
        variant: usize,
        version: Option<i64>,
        quantity: i64,
    },
    RemoveLine {
        cart: usize,
        variant: usize,
        version: Option<i64>,
    },
    Choose {
        cart: usize,
        version: Option<i64>,
        choice: Option<Choice>,
    },
    Merge {
        from: usize,
        into: usize,
    },
    Checkout {
        cart: usize,
        expected: Option<i64>,
        tenders: Vec<Tender>,
    },
    Pay {
        order: usize,
        tender: Tender,
    },
    RecordReceipt {
        order: usize,
        payment: usize,
        amount: Option<i64>,
    },
    Answer {
        order: usize,
        payment: usize,
        operation: Operation,
        verdict: Verdict,
    },
    Capture {
        order: usize,
        payment: usize,
        amount: Option<i64>,
    },
    Refund {
        order: usize,
        payment: usize,
        amount: Option<i64>,
    },
    Void {
        order: usize,
        payment: usize,
    },
    Fulfil {
        order: usize,
        part: usize,
    },
    GoOn {
        order: usize,
        part: usize,
        step: Step,
    },
    Cancel {
        order: usize,
        lines: Option<Vec<(usize, i64)>>,
    },
    Allow {
        order: usize,
        allowed: Allowed,
        named: Vec<usize>,
    },
    Substitute {
        order: usize,
        part: usize,
        replaced: Replaced,
    },
    /// A change of an order is shown.
    Preview {
        order: usize,
        actions: Vec<Action>,
    },
    Confirm {
        order: usize,
        change: usize,
        expected: i64,
        tenders: Vec<Tender>,
    },
    Decline {
        order: usize,
        change: usize,
    },
    TakeBack {
        order: usize,
        location: usize,
        lines: Vec<Brought>,
    },
    /// Goods come back against those in a cart.
    Exchange {
        order: usize,
        location: usize,
        lines: Vec<Brought>,
        cart: usize,
        expected: Option<i64>,
        tenders: Vec<Tender>,
    },
    TakeBackBlind {
        variant: usize,
        location: usize,
        quantity: i64,
        condition: Condition,
    },
    /// Goods are announced to come back: order lines, how many, and their condition.
    AskBack {
        order: usize,
        location: Option<usize>,
        lines: Vec<Brought>,
    },
    Parcel {
        order: usize,
        step: ParcelStep,
    },
    ClaimGoods {
        order: usize,
        asked: Claimed,
    },
    GoOnWithClaim {
        order: usize,
        number: usize,
        step: ClaimStep,
    },
    GoOnWithReturn {
        order: usize,
        number: usize,
        step: ReturnStep,
    },
    DraftTransfer {
        source: usize,
        destination: usize,
        lines: Vec<(usize, i64)>,
    },
    GoOnWithTransfer {
        number: usize,
        step: TransferStep,
    },
    Announce {
        variant: usize,
        location: usize,
        quantity: i64,
        due_at: i64,
    },
    GoOnWithExpected {
        number: usize,
        step: ExpectedStep,
    },
    AskForCount {
        location: usize,
        variants: Vec<usize>,
    },
    GoOnWithCount {
        number: usize,
        step: CountStep,
    },
    /// Time passes, more than a minute, and everything that was due is done.
    Pass {
        seconds: i64,
    },
}
