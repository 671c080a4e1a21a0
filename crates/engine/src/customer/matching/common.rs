//! How often names and places are seen among a retailer's customers: two who are both called Maria have less in common than two Melusines.
//! Counted with a model and kept beside it, under keyed hashes and only of what many share: it names nobody.

use domain::customer::matching::person::FIELDS;
use domain::customer::matching::{Crowd, Field, Person};
use serde_json::{Value, json};
use store::customer::matching as rows;
use store::{StoreError, Tx};

use crate::Keyring;

/// A value is kept when so many customers have it.
const LEAST: u32 = 10;
/// So many values of a field are kept, the most frequent.
const KEPT_MAX: usize = 1_000;

/// How many values of each field there are among the customers, and how often what is not kept is seen at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Common([(u32, u32); FIELDS]);

/// What is frequent among customers: what is kept of it with the model, and each frequent value with how often it is seen.
pub(crate) struct Counted {
    pub(crate) common: Common,
    pub(crate) values: Vec<(i64, u32)>,
}

impl Counted {
    /// What is frequent in a crowd.
    pub(crate) fn of(keyring: &Keyring, crowd: &Crowd) -> Counted {
        let mut values = Vec::new();
        let common = Common(Field::ALL.map(|field| {
            let (all, frequent) = crowd.frequent(field, LEAST);
            let kept = &frequent[..frequent.len().min(KEPT_MAX)];
            values.extend(kept.iter().map(|(text, times)| (hashed(keyring, field, text), *times)));
            (all, frequent.get(KEPT_MAX).map_or(LEAST - 1, |(_, times)| *times))
        }));
        Counted { common, values }
    }
}

impl Common {
    /// The person with how often each of her values is seen, as it was counted with a model. Of what is rare by its nature nothing is said
    /// unless it is frequent: the model knows how rare it is.
    ///
    /// # Errors
    /// What the store says.
    pub fn counted(
        &self,
        tx: &mut Tx<'_>,
        (keyring, model): (&Keyring, i64),
        person: Person,
    ) -> Result<Person, StoreError> {
        let mut seen = Vec::new();
        for field in Field::ALL {
            let (all, others) = self.0[field.place()];
            if all == 0 {
                continue;
            }
            for value in person.values(field) {
                let times = rows::times(tx, model, hashed(keyring, field, value.text()))?;
                let is_rare = matches!(field, Field::Birth | Field::Email | Field::Phone);
                let times = times.or((!is_rare).then_some(others));
                seen.extend(times.map(|times| ((field, value.text().to_owned()), (times.min(all), all))));
            }
        }
        let of =
            |field: Field, text: &str| seen.iter().find(|((of, known), _)| *of == field && known == text);
        Ok(person.counted(|field, text| of(field, text).map(|(_, times)| *times)))
    }

    /// As it is kept.
    pub(super) fn written(&self) -> Value {
        json!(self.0)
    }

    /// As it was kept.
    pub(super) fn read(from: &Value) -> Option<Common> {
        let mut common = Common::default();
        for (place, (all, others)) in common.0.iter_mut().enumerate() {
            let whole = |part: usize| u32::try_from(from[place][part].as_u64()?).ok();
            (*all, *others) = (whole(0)?, whole(1)?);
        }
        Some(common)
    }
}

fn hashed(keyring: &Keyring, field: Field, text: &str) -> i64 {
    let hash = keyring.lookup_hash("match value", &format!("{} {text}", field.word()));
    i64::from_be_bytes(std::array::from_fn(|place| hash[place]))
}
