//! What the source sells: stock codes as they were written, and the SKUs the shop knows the goods by.

use std::collections::HashMap;

use super::columns::Code;
use super::source::Line;

/// What is on offer: stock codes as written, and the SKUs they stand for.
#[derive(Debug)]
pub struct Stock {
    codes: Vec<Code>,
    sku_of_code: Vec<usize>,
    skus: Vec<String>,
}

impl Stock {
    /// Codes that differ only in letter case are one SKU, in capitals: the source writes `85123A` and `85123a` for
    /// the same goods.
    pub(super) fn of(codes: Vec<Code>) -> Self {
        let mut skus = Vec::new();
        let mut known = HashMap::new();
        let mut sku_of_code = Vec::with_capacity(codes.len());
        for code in &codes {
            let sku = code.stock_code.to_ascii_uppercase();
            let at = *known.entry(sku.clone()).or_insert(skus.len());
            if at == skus.len() {
                skus.push(sku);
            }
            sku_of_code.push(at);
        }
        Self { codes, sku_of_code, skus }
    }

    /// All stock codes, by number.
    #[must_use]
    pub fn codes(&self) -> &[Code] {
        &self.codes
    }

    /// As written in the source.
    #[must_use]
    pub fn stock_code(&self, line: &Line) -> &str {
        &self.codes[line.code].stock_code
    }

    /// As written in the source; empty where it has none.
    #[must_use]
    pub fn description(&self, line: &Line) -> &str {
        &self.codes[line.code].descriptions[line.description]
    }

    /// The SKU the shop knows the goods by.
    #[must_use]
    pub fn sku(&self, line: &Line) -> &str {
        &self.skus[self.sku_of_code[line.code]]
    }

    /// Number of the SKU a stock code stands for.
    #[must_use]
    pub fn sku_of(&self, code: usize) -> usize {
        self.sku_of_code[code]
    }

    /// All SKUs, by number.
    #[must_use]
    pub fn skus(&self) -> &[String] {
        &self.skus
    }
}
