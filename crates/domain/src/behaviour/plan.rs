//! The tracking plan of a source: which events it sends, and what they carry.

use crate::Refusal;
use crate::value::text::bounded;
use crate::words;

/// The most events of a plan.
pub const EVENTS_MAX: usize = 200;
/// The most properties of an event that are planned.
pub const PROPERTIES_MAX: usize = 50;

words! {
    /// What sort of value a property has.
    ValueType {
        /// A text.
        Text 1 "text";
        /// A number.
        Number 2 "number";
        /// Yes or no.
        YesNo 3 "yes_no";
        /// A list.
        List 4 "list";
        /// Several values with names.
        Object 5 "object";
        /// Any of these.
        Any 6 "any";
    }
}

/// A property of a planned event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Property {
    /// Its name.
    pub name: String,
    /// What sort of value it has.
    pub value: ValueType,
    /// Must it be there?
    pub required: bool,
}

/// An event that is planned.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Planned {
    /// The event's name.
    pub name: String,
    /// What it carries; there may be more.
    pub properties: Vec<Property>,
}

/// Which events of a source are as planned. Without any planned event, all are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan(Vec<Planned>);

impl Plan {
    /// A plan of these events.
    ///
    /// # Errors
    /// One refusal that names every bad field.
    pub fn new(events: Vec<Planned>) -> Result<Plan, Refusal> {
        if events.len() > EVENTS_MAX {
            return Err(Refusal::invalid("plan", format!("plan at most {EVENTS_MAX} events")));
        }
        let mut refusals = Vec::new();
        for (place, event) in events.iter().enumerate() {
            let mut check = |field: String, name: &str| {
                if let Err(error) = bounded("name", name, 1, super::NAME_CHARS_MAX) {
                    refusals.push(Refusal::invalid(field, error));
                }
            };
            check(format!("plan.{place}.name"), &event.name);
            for (number, property) in event.properties.iter().enumerate() {
                check(format!("plan.{place}.properties.{number}.name"), &property.name);
            }
            if event.properties.len() > PROPERTIES_MAX {
                let why = format!("plan at most {PROPERTIES_MAX} properties of an event");
                refusals.push(Refusal::invalid(format!("plan.{place}.properties"), why));
            }
            if events[..place].iter().any(|other| other.name == event.name) {
                refusals
                    .push(Refusal::invalid(format!("plan.{place}.name"), "this event is planned already"));
            }
        }
        Refusal::all(refusals).map_or(Ok(Plan(events)), Err)
    }

    /// The planned events.
    pub fn events(&self) -> &[Planned] {
        &self.0
    }

    /// What is wrong with an event of this name, whose properties are of these sorts; nothing when it is as planned.
    pub fn fault(&self, name: &str, sort_of: impl Fn(&str) -> Option<ValueType>) -> Option<String> {
        if self.0.is_empty() {
            return None;
        }
        let Some(planned) = self.0.iter().find(|event| event.name == name) else {
            return Some("no event of this name is planned".into());
        };
        let wrong = |property: &Property| match sort_of(&property.name) {
            None => property.required.then(|| format!("\"{}\" is missing", property.name)),
            Some(sort) if property.value == ValueType::Any || property.value == sort => None,
            Some(sort) => {
                Some(format!("\"{}\" is a {}, not a {}", property.name, sort.text(), property.value.text()))
            }
        };
        let wrong: Vec<String> = planned.properties.iter().filter_map(wrong).collect();
        (!wrong.is_empty()).then(|| wrong.join(", "))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_off_plan_is_named() {
        let property = |name: &str, value, required| Property { name: name.into(), value, required };
        let viewed = Planned {
            name: "Product Viewed".into(),
            properties: vec![
                property("sku", ValueType::Text, true),
                property("price", ValueType::Number, false),
            ],
        };
        let plan = Plan::new(vec![viewed.clone()]).unwrap();
        let fault =
            |name: &str, sku, price| plan.fault(name, move |asked| if asked == "sku" { sku } else { price });
        assert_eq!(fault("Product Viewed", Some(ValueType::Text), None), None);
        assert_eq!(
            fault("Product Viewed", None, Some(ValueType::Text)).as_deref(),
            Some("\"sku\" is missing, \"price\" is a text, not a number")
        );
        assert!(fault("product viewed", Some(ValueType::Text), None).is_some());
        assert_eq!(Plan::default().fault("anything", |_| None), None);
        assert_eq!(Plan::new(vec![viewed.clone(), viewed]).unwrap_err().field(), Some("plan.1.name"));
    }
}
