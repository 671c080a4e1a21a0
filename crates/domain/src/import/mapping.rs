//! Which column of a file is which of ours: by the same name, or as the retailer's mapping says.

use super::cell::Habits;
use super::columns::{closest, plain};
use super::{Column, Kind};
use crate::Refusal;
use crate::refusal::Code;

/// What the retailer says of a file: which of its columns are ours, what goes into columns it does not have, and how it is written.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Mapping {
    /// Our column and theirs.
    pub columns: Vec<(String, String)>,
    /// Our column and what stands in every row of it.
    pub constants: Vec<(String, String)>,
    /// Our column and what stands in rows where it is empty.
    pub defaults: Vec<(String, String)>,
    /// What stands between cells; recognised when `None`.
    pub delimiter: Option<u8>,
    /// How numbers and dates are written.
    pub habits: Habits,
}

impl Mapping {
    /// The mapping as one text that is the same for the same mapping.
    pub fn canonical(&self) -> String {
        let mut parts: Vec<String> = Vec::new();
        for (name, pairs) in
            [("column", &self.columns), ("constant", &self.constants), ("default", &self.defaults)]
        {
            let mut lines: Vec<_> =
                pairs.iter().map(|(ours, theirs)| format!("{name} {ours}={theirs:?}")).collect();
            lines.sort();
            parts.append(&mut lines);
        }
        parts.push(format!("{:?} {:?}", self.delimiter, self.habits));
        parts.join("\n")
    }
}

/// Where the value of one of our columns comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum From {
    /// A place in the row.
    Place(usize),
    /// The same text in every row.
    Constant(String),
}

/// A file's columns, matched with ours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layout {
    columns: Vec<(&'static Column, From, Option<String>)>,
    /// Columns of the file that are not taken, in its order.
    pub left_out: Vec<String>,
}

impl Layout {
    /// Matches the columns of a file with ours.
    ///
    /// # Errors
    /// One refusal that names every column that is missing, unknown but like one of ours, or wrong in the mapping.
    pub fn new(kind: Kind, header: &[String], mapping: &Mapping) -> Result<Layout, Refusal> {
        let mut refusals = Vec::new();
        check_names(kind, mapping, &mut refusals);
        let mut taken = vec![false; header.len()];
        let mut columns = Vec::new();
        for column in kind.columns() {
            let of = |pairs: &[(String, String)]| pairs.iter().find(|(ours, _)| ours == column.name).cloned();
            let default = of(&mapping.defaults).map(|(_, text)| text);
            let theirs = of(&mapping.columns).map_or(column.name.to_owned(), |(_, theirs)| theirs);
            let mut places = (0..header.len()).filter(|place| plain(&header[*place]) == plain(&theirs));
            let from = match (of(&mapping.constants), places.next()) {
                (Some((_, text)), _) => From::Constant(text),
                (None, Some(place)) => {
                    taken[place] = true;
                    From::Place(place)
                }
                (None, None) if default.is_some() => From::Constant(String::new()),
                (None, None) => {
                    if column.needed || of(&mapping.columns).is_some() {
                        refusals.push(missing(column, &theirs, header));
                    }
                    continue;
                }
            };
            if let Some(place) = places.next() {
                let message =
                    format!("the column \"{}\" stands in the file twice; remove one", header[place]);
                refusals.push(Refusal::invalid(column.name, message));
            }
            columns.push((column, from, default));
        }
        let left_out: Vec<String> = header
            .iter()
            .zip(&taken)
            .filter(|(name, taken)| !**taken && !name.trim().is_empty())
            .map(|(name, _)| name.clone())
            .collect();
        let known: Vec<&str> = columns.iter().map(|(column, ..)| column.name).collect();
        let free = || kind.columns().iter().map(|column| column.name).filter(|name| !known.contains(name));
        for name in &left_out {
            if let Some(like) = closest(name, free()) {
                let message = format!(
                    "the column \"{name}\" is unknown; is \"{like}\" meant? rename it, or map it: {like} = \"{name}\""
                );
                refusals.push(Refusal::invalid(like, message));
            }
        }
        Refusal::all(refusals).map_or(Ok(Layout { columns, left_out }), Err)
    }

    /// Has the file this column, or the mapping something in its place?
    pub fn has(&self, name: &str) -> bool {
        self.columns.iter().any(|(column, ..)| column.name == name)
    }

    /// What a row says in one of our columns, without blanks around it; empty when the file has no such column.
    pub fn value<'a>(&'a self, name: &str, cells: &'a [String]) -> &'a str {
        let Some((_, from, default)) = self.columns.iter().find(|(column, ..)| column.name == name) else {
            return "";
        };
        let said = match from {
            From::Place(place) => cells.get(*place).map_or("", String::as_str),
            From::Constant(text) => text,
        };
        let said = said.trim_matches(|character: char| character.is_whitespace() || character == '\u{feff}');
        if said.is_empty() { default.as_deref().unwrap_or_default() } else { said }
    }
}

fn check_names(kind: Kind, mapping: &Mapping, refusals: &mut Vec<Refusal>) {
    for (part, pairs) in
        [("columns", &mapping.columns), ("constants", &mapping.constants), ("defaults", &mapping.defaults)]
    {
        for (ours, _) in pairs.iter().filter(|(ours, _)| kind.column(ours).is_none()) {
            let names = kind.columns().iter().map(|column| column.name);
            let hint = closest(ours, names).map_or_else(
                || format!("docs/IMPORT.md lists the columns of {}", kind.text()),
                |like| format!("is \"{like}\" meant?"),
            );
            refusals
                .push(Refusal::invalid(format!("mapping.{part}.{ours}"), format!("no such column; {hint}")));
        }
    }
}

fn missing(column: &Column, theirs: &str, header: &[String]) -> Refusal {
    let has: Vec<&str> = header.iter().map(String::as_str).take(30).collect();
    let message = format!(
        "the column \"{theirs}\" is missing; the file has: {}; give {} under that name, or map it",
        has.join(", "),
        column.meaning
    );
    Refusal::new(Code::Invalid, message).at(column.name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned())).collect()
    }

    #[test]
    fn columns_are_found_by_name_by_mapping_and_by_constant() {
        let mapping = Mapping {
            columns: pairs(&[("sku", "Artikel-Nr.")]),
            constants: pairs(&[("location", "leeds")]),
            defaults: pairs(&[("quantity", "0")]),
            ..Mapping::default()
        };
        let header = texts(&["Artikel-Nr.", " QUANTITY ", "Farbe"]);
        let layout = Layout::new(Kind::Stock, &header, &mapping).unwrap();
        let row = texts(&[" A1 ", "", "rot"]);
        let said = ["sku", "location", "quantity", "colour"].map(|name| layout.value(name, &row));
        assert_eq!((said, &layout.left_out[..]), (["A1", "leeds", "0", ""], &texts(&["Farbe"])[..]));
        assert_eq!(layout.value("quantity", &texts(&["A1", " 7"])), "7");
        assert!(layout.has("location") && !layout.has("colour"));
    }

    #[test]
    fn what_does_not_fit_is_named_all_at_once() {
        let header = texts(&["Skuu", "location", "Location"]);
        let mapping = Mapping { constants: pairs(&[("quantty", "1")]), ..Mapping::default() };
        let refusal = Layout::new(Kind::Stock, &header, &mapping).unwrap_err();
        let told: Vec<String> = refusal.each().map(ToString::to_string).collect();
        assert_eq!(
            told,
            [
                "invalid: mapping.constants.quantty: no such column; is \"quantity\" meant?",
                "invalid: location: the column \"Location\" stands in the file twice; remove one",
                "invalid: sku: the column \"sku\" is missing; the file has: Skuu, location, Location; give the code of the variant under that name, or map it",
                "invalid: quantity: the column \"quantity\" is missing; the file has: Skuu, location, Location; give how many are available there, a whole number of base units under that name, or map it",
                "invalid: sku: the column \"Skuu\" is unknown; is \"sku\" meant? rename it, or map it: sku = \"Skuu\"",
            ]
        );
    }
}
