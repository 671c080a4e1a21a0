//! The names under which every line of the source is counted, and what the shop is asked to do with each.

use serde::Serialize;

/// The rule a line falls under.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// Goods at a price in whole pennies, to a known customer.
    GoodsSold,
    /// The same to a customer without number.
    GoodsSoldToGuest,
    /// Goods at 0.00 on an order.
    FreeOfCharge,
    /// Goods at a price with a fraction of a penny: the unit price is rounded to the penny, half upwards.
    SubPenny,
    /// `M` (manual): something without a stock code.
    ServiceSold,
    /// `gift_…`: a gift card.
    GiftCardSold,
    /// `POST`, `DOT`, `C2` on an order.
    DeliveryCharged,
    /// The same where the invoice holds nothing else: an order cannot be only its delivery, so it is a service.
    DeliveryAlone,
    /// Goods back; all of them found in earlier sales to the same customer at the same price.
    ReturnMatched,
    /// Goods back; only some of them found so.
    ReturnMatchedInPart,
    /// Goods back which the same customer has bought earlier, but not at this price.
    ReturnAtAnotherPrice,
    /// Goods back which the same customer has not bought in the period.
    ReturnWithoutKnownSale,
    /// Goods back from a customer without number.
    ReturnByGuest,
    /// A delivery charge given back, found in an earlier order of the same customer.
    DeliveryRefunded,
    /// A delivery charge given back, not found.
    DeliveryCredited,
    /// A manual line given back, found in an earlier order of the same customer.
    ServiceRefunded,
    /// A manual line given back, not found.
    ServiceCredited,
    /// `D`: a discount credited after the sale.
    DiscountAfterwards,
    /// A one-sided entry upwards, without price and customer.
    StockFound,
    /// A one-sided entry downwards whose remark speaks of damage or throwing away.
    StockDamaged,
    /// Any other one-sided entry downwards.
    StockCorrectedDown,
    /// A one-sided entry of something that has no stock.
    NoEffect,
    /// `AMAZONFEE`, charged by or given back by the marketplace.
    MarketplaceFee,
    /// `BANK CHARGES`.
    BankCharge,
    /// `CRUK`: commission to a charity.
    CharityCommission,
    /// `S`: samples booked as a cost.
    Samples,
    /// `B`, on invoices with `A`: debts written off.
    BadDebt,
}

/// What the shop is asked to do with a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Treatment {
    /// A line of goods on an order.
    OrderLine,
    /// A line without stock on an order.
    ServiceLine,
    /// Part of the order's delivery charge.
    DeliveryCharge,
    /// A return of lines of known orders, as far as matched.
    Return,
    /// Goods taken back without an order, at the price written.
    ReturnWithoutOrder,
    /// Money of a known order given back, no goods.
    Refund,
    /// Money given without an order, no goods.
    Credit,
    /// An adjustment of stock, no money.
    StockEntry,
    /// Not the shop's business: counted, not sent.
    NotSent,
}

impl Class {
    /// All rules, in the order of reports.
    pub const ALL: [Self; 27] = [
        Self::GoodsSold,
        Self::GoodsSoldToGuest,
        Self::FreeOfCharge,
        Self::SubPenny,
        Self::ServiceSold,
        Self::GiftCardSold,
        Self::DeliveryCharged,
        Self::DeliveryAlone,
        Self::ReturnMatched,
        Self::ReturnMatchedInPart,
        Self::ReturnAtAnotherPrice,
        Self::ReturnWithoutKnownSale,
        Self::ReturnByGuest,
        Self::DeliveryRefunded,
        Self::DeliveryCredited,
        Self::ServiceRefunded,
        Self::ServiceCredited,
        Self::DiscountAfterwards,
        Self::StockFound,
        Self::StockDamaged,
        Self::StockCorrectedDown,
        Self::NoEffect,
        Self::MarketplaceFee,
        Self::BankCharge,
        Self::CharityCommission,
        Self::Samples,
        Self::BadDebt,
    ];

    /// As reports and `demo/README.md` name it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::GoodsSold => "goods sold",
            Self::GoodsSoldToGuest => "goods sold to a guest",
            Self::FreeOfCharge => "goods free of charge",
            Self::SubPenny => "goods below the penny",
            Self::ServiceSold => "manual line sold",
            Self::GiftCardSold => "gift card sold",
            Self::DeliveryCharged => "delivery charged",
            Self::DeliveryAlone => "delivery charged alone",
            Self::ReturnMatched => "return, sale known",
            Self::ReturnMatchedInPart => "return, sale known in part",
            Self::ReturnAtAnotherPrice => "return at another price",
            Self::ReturnWithoutKnownSale => "return without known sale",
            Self::ReturnByGuest => "return by a guest",
            Self::DeliveryRefunded => "delivery refunded",
            Self::DeliveryCredited => "delivery credited",
            Self::ServiceRefunded => "manual line refunded",
            Self::ServiceCredited => "manual line credited",
            Self::DiscountAfterwards => "discount afterwards",
            Self::StockFound => "stock found",
            Self::StockDamaged => "stock damaged",
            Self::StockCorrectedDown => "stock corrected down",
            Self::NoEffect => "entry without effect",
            Self::MarketplaceFee => "marketplace fee",
            Self::BankCharge => "bank charge",
            Self::CharityCommission => "charity commission",
            Self::Samples => "samples",
            Self::BadDebt => "bad debt",
        }
    }

    /// What the shop is asked to do.
    #[must_use]
    pub const fn treatment(self) -> Treatment {
        match self {
            Self::GoodsSold | Self::GoodsSoldToGuest | Self::FreeOfCharge | Self::SubPenny => {
                Treatment::OrderLine
            }
            Self::ServiceSold | Self::GiftCardSold | Self::DeliveryAlone => Treatment::ServiceLine,
            Self::DeliveryCharged => Treatment::DeliveryCharge,
            Self::ReturnMatched | Self::ReturnMatchedInPart => Treatment::Return,
            Self::ReturnAtAnotherPrice | Self::ReturnWithoutKnownSale | Self::ReturnByGuest => {
                Treatment::ReturnWithoutOrder
            }
            Self::DeliveryRefunded | Self::ServiceRefunded => Treatment::Refund,
            Self::DeliveryCredited | Self::ServiceCredited | Self::DiscountAfterwards => Treatment::Credit,
            Self::StockFound | Self::StockDamaged | Self::StockCorrectedDown => Treatment::StockEntry,
            Self::NoEffect
            | Self::MarketplaceFee
            | Self::BankCharge
            | Self::CharityCommission
            | Self::Samples
            | Self::BadDebt => Treatment::NotSent,
        }
    }
}
