//! What a return policy says of claims, as it is written over the API.

use domain::returns::claim::{Kind, KindTerms, Terms};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::shape::Fields;

/// What holds for claims. What is left out is as where no policy is written: allowed for ever, decided by a colleague.
#[derive(Debug, Default, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimTerms, example = json!({"kinds": [{"kind": "damaged", "window_days": 14, "needs_evidence": true}], "approved_up_to": 1000, "kept_up_to": 5000}))]
pub(in crate::returns) struct ClaimTermsShape {
    /// The kinds something is said of, each once.
    #[serde(default)]
    #[schema(max_items = 5)]
    kinds: Vec<KindTermsShape>,
    /// Claims worth no more than this are approved by the rule, in minor units; none when it is 0.
    #[serde(default)]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    approved_up_to: i64,
    /// Goods worth no more than this the customer may keep, in minor units; all goods when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 1_000_000_000)]
    kept_up_to: Option<i64>,
}

/// What holds for claims of one kind.
#[derive(Debug, Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = ClaimKindTerms, example = json!({"kind": "damaged", "window_days": 14, "needs_evidence": true}))]
struct KindTermsShape {
    /// The kind: `lost`, `damaged`, `wrong_goods`, `missing_pieces` or `faulty`.
    kind: String,
    /// How many days after the goods left they may be claimed; for ever when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(minimum = 0, maximum = 3650)]
    window_days: Option<i64>,
    /// Must photos or notes be named?
    #[serde(default)]
    needs_evidence: bool,
}

impl ClaimTermsShape {
    pub(in crate::returns) fn read(&self, fields: &mut Fields) -> Option<Terms> {
        if self.kinds.len() > Kind::ALL.len() {
            fields.refuse("kinds", "name each kind once");
            return None;
        }
        let kinds = fields.each("kinds", &self.kinds, |fields, one| {
            let kind = fields.take("kind", Kind::parse(&one.kind))?;
            Some(KindTerms { kind, window_days: one.window_days, needs_evidence: one.needs_evidence })
        })?;
        Some(Terms { kinds, approved_up_to_minor: self.approved_up_to, kept_up_to_minor: self.kept_up_to })
    }
}

impl From<&Terms> for ClaimTermsShape {
    fn from(terms: &Terms) -> ClaimTermsShape {
        let kind = |one: &KindTerms| KindTermsShape {
            kind: one.kind.text().to_owned(),
            window_days: one.window_days,
            needs_evidence: one.needs_evidence,
        };
        ClaimTermsShape {
            kinds: terms.kinds.iter().map(kind).collect(),
            approved_up_to: terms.approved_up_to_minor,
            kept_up_to: terms.kept_up_to_minor,
        }
    }
}
