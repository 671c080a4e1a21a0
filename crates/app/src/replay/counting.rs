//! Shelves counted in a replay: what pickers missed, and a part of every shelf by turns. Who counts is not told what the books have; here
//! it is what the books have and what the dice say. What differs is posted, and what is lost is brought once more.

use serde_json::{Value, json};
use tandem::demo::source::Source;

use super::api::Api;
use super::between::Between;
use super::proportions;
use super::setup::House;
use crate::fault::Fault;

/// Variants that a place counts by turns each month.
pub const IN_TURN: usize = 15;
/// So many pieces are counted too few by mistake.
const MISCOUNTED_BY: i64 = 5;
/// The most rounds of a count here.
const ROUNDS_MAX: usize = 3;
/// The states whose pieces lie on the shelf.
const ON_SHELF: [&str; 3] = ["available", "held", "committed"];

/// Who counts.
pub struct Counting<'a> {
    /// The way to the shop.
    pub api: &'a Api,
    /// What was set up.
    pub house: &'a House,
    /// What is lost is brought again.
    pub between: &'a Between<'a>,
}

impl Counting<'_> {
    /// Counts at a place what is in doubt there.
    ///
    /// # Errors
    /// What the shop refuses.
    pub async fn doubted(&self, month: usize, place: usize) -> Result<(), Fault> {
        let mut open = Vec::new();
        let path = format!("/v1/locations/{}/counts?open=true", self.house.locations[place]);
        self.api
            .every(&path, |one| {
                open.extend(one["id"].as_str().map(str::to_owned));
                Ok(())
            })
            .await?;
        for id in open {
            self.count(&id, (month, place)).await?;
        }
        Ok(())
    }

    /// Counts what has its turn at a place.
    ///
    /// # Errors
    /// What the shop refuses.
    pub async fn in_turn(&self, month: usize, place: usize, skus: &[&str]) -> Result<(), Fault> {
        let first = month * IN_TURN;
        let turn: Vec<&str> =
            skus.iter().cycle().skip(first).take(IN_TURN.min(skus.len())).copied().collect();
        if turn.is_empty() {
            return Ok(());
        }
        let body = json!({ "location": self.house.locations[place], "variants": turn, "note": format!("by turns, month {month}") });
        let asked = self.api.post("/v1/counts", &format!("replay:count:{month}:{place}"), &body).await?;
        self.count(asked["id"].as_str().unwrap_or_default(), (month, place)).await
    }

    async fn count(&self, id: &str, (month, place): (usize, usize)) -> Result<(), Fault> {
        let step = |step: String, body: Value| async move {
            self.api
                .post(
                    &format!("/v1/counts/{id}/{}", step.split('-').next().unwrap_or_default()),
                    &format!("replay:{id}:{step}"),
                    &body,
                )
                .await
        };
        let mut count = self.api.get(&format!("/v1/counts/{id}")).await?;
        let by_turns = count["origin"] == "list";
        for round in 0..ROUNDS_MAX {
            let mut pieces = Vec::new();
            for line in count["lines"].as_array().into_iter().flatten().filter(|line| line["state"] == "open")
            {
                let sku = self.house.sku(&line["variant"]);
                let name = format!("{month}:{place}:{sku}");
                let there = self.lies_there(&line["variant"], place, (&name, by_turns, round)).await?;
                pieces.push(json!({ "variant": line["variant"], "pieces": there, "place": "shelf" }));
            }
            step(format!("tally-{round}"), json!({ "lines": pieces })).await?;
            count = step(format!("finish-{round}"), json!({})).await?;
            if count["state"] != "recount" {
                break;
            }
        }
        let posted = step("post".into(), Value::Null).await?;
        let lost = posted["lines"].as_array().into_iter().flatten().filter_map(|line| {
            let difference = line["difference"].as_i64().filter(|difference| *difference < 0)?;
            Some((self.house.sku(&line["variant"]).to_owned(), -difference))
        });
        self.between.bring(&format!("counted-{id}"), place, &lost.collect::<Vec<_>>()).await
    }

    /// What lies on the shelf: what the books have, and what the dice say.
    async fn lies_there(
        &self,
        variant: &Value,
        place: usize,
        (name, by_turns, round): (&str, bool, usize),
    ) -> Result<i64, Fault> {
        let stock = self.api.get(&format!("/v1/stock/{}", variant.as_str().unwrap_or_default())).await?;
        let (mut shelf, mut missing) = (0, 0);
        for balance in stock["balances"].as_array().into_iter().flatten() {
            if self.house.number(&balance["place"]) == Some(place) {
                let (state, amount) =
                    (balance["state"].as_str().unwrap_or_default(), balance["amount"].as_i64().unwrap_or(0));
                shelf += if ON_SHELF.contains(&state) { amount } else { 0 };
                missing += if state == "missing" { amount } else { 0 };
            }
        }
        if !by_turns {
            return Ok(shelf + if proportions::FOUND.falls_on(name) { missing } else { 0 });
        }
        let shares = [&proportions::ONE_LESS, &proportions::ONE_MORE, &proportions::MISCOUNTED];
        Ok(match proportions::one_of(&shares, name) {
            Some(share) if *share == proportions::ONE_LESS => (shelf - 1).max(0),
            Some(share) if *share == proportions::ONE_MORE => shelf + 1,
            Some(_) if round == 0 => (shelf - MISCOUNTED_BY).max(0),
            _ => shelf,
        })
    }
}

/// What a place has on its shelves in the course of a replay, by turns.
pub fn shelves<'s>(
    source: &'s Source,
    supplies: &[tandem::demo::supplies::Supply],
    place: usize,
    month: usize,
) -> Vec<&'s str> {
    let there = supplies.iter().filter(|supply| supply.location == place && supply.month <= month);
    let mut skus: Vec<&str> = there.map(|supply| source.stock.skus()[supply.sku].as_str()).collect();
    skus.sort_unstable();
    skus.dedup();
    skus
}
