//! The rows of a file as they stand in it, each with its line: cells that are set apart by a mark, or JSON Lines.

use std::collections::BTreeMap;

use domain::import::encoding;
use serde_json::Value;

/// A row as it stands in the file.
#[derive(Debug)]
pub(super) struct Raw {
    pub line: u64,
    /// The cells, or why they cannot be read.
    pub cells: Result<Vec<String>, String>,
}

/// The header and rows of a file whose cells are set apart by a mark.
pub(super) fn separated(
    text: &str,
    delimiter: Option<u8>,
    notes: &mut Vec<String>,
) -> Result<(Vec<String>, Vec<Raw>), String> {
    // Spreadsheets may say in a first line what stands between the cells.
    let said = text.strip_prefix("sep=").and_then(|rest| rest.bytes().next().map(|mark| (mark, rest)));
    let said = said.filter(|(mark, _)| mark.is_ascii_punctuation() || *mark == b'\t');
    let (mark, text, lines_before) = match said {
        Some((mark, rest)) => (mark, rest.split_once('\n').map_or("", |(_, text)| text), 1),
        None => (delimiter.unwrap_or_else(|| encoding::delimiter(text)), text, 0),
    };
    if mark != b',' {
        let name = if mark == b'\t' { "tab".to_owned() } else { format!("\"{}\"", char::from(mark)) };
        notes.push(format!("cells are set apart by {name}"));
    }
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(mark)
        .flexible(true)
        .has_headers(false)
        .from_reader(text.as_bytes());
    let mut header: Option<Vec<String>> = None;
    let (mut rows, mut shorter) = (Vec::new(), 0u64);
    let mut place = Place { text: text.as_bytes(), at: 0, line: 1 + lines_before };
    for record in reader.records() {
        let record = record.map_err(|error| format!("the file cannot be read: {error}"))?;
        if record.iter().all(|cell| cell.trim().is_empty()) {
            continue;
        }
        let line = place.line_of(record.position().map_or(0, csv::Position::byte));
        let Some(header) = &header else {
            header = Some(record.iter().map(|cell| cell.trim().to_owned()).collect());
            continue;
        };
        let too_many = record.iter().skip(header.len()).any(|cell| !cell.trim().is_empty());
        shorter += u64::from(record.len() < header.len());
        let cells = if too_many {
            let (has, first) = (record.len(), header.len());
            Err(format!(
                "has {has} cells where the first line has {first}; put cells that contain \"{}\" into quotes",
                char::from(mark)
            ))
        } else {
            Ok(record.iter().take(header.len()).map(str::to_owned).collect())
        };
        rows.push(Raw { line, cells });
    }
    if shorter > 0 {
        notes.push(format!(
            "{shorter} rows have fewer cells than the first line; what is missing counts as empty"
        ));
    }
    Ok((header.unwrap_or_default(), rows))
}

/// Where in a text we are: rows are told by the line on which they begin, whatever ends the lines.
struct Place<'a> {
    text: &'a [u8],
    at: usize,
    line: u64,
}

impl Place<'_> {
    /// The line of the first letter at or after a byte. The reader of rows says of some that they begin at the end of the line before.
    fn line_of(&mut self, byte: u64) -> u64 {
        let to = usize::try_from(byte).unwrap_or(usize::MAX).min(self.text.len());
        let ends = |byte: &u8| matches!(byte, b'\r' | b'\n');
        while self.at < to || self.text.get(self.at).is_some_and(ends) {
            let ended = match (self.text[self.at], self.text.get(self.at + 1)) {
                (b'\r', Some(b'\n')) => false,
                (b'\r' | b'\n', _) => true,
                _ => false,
            };
            self.line += u64::from(ended);
            self.at += 1;
        }
        self.line
    }
}

/// The names and rows of JSON Lines: one flat object a line.
pub(super) fn json_lines(text: &str) -> (Vec<String>, Vec<Raw>) {
    let mut header: Vec<String> = Vec::new();
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut rows = Vec::new();
    for (line, text) in (1..).zip(text.lines()).filter(|(_, text)| !text.trim().is_empty()) {
        let cells = match serde_json::from_str(text) {
            Ok(Value::Object(fields)) => {
                let mut cells = vec![String::new(); header.len()];
                let mut outcome = Ok(());
                for (name, value) in fields {
                    let place = *places.entry(name.clone()).or_insert_with(|| {
                        header.push(name.clone());
                        header.len() - 1
                    });
                    cells.resize(header.len(), String::new());
                    match plain(&value) {
                        Some(text) => cells[place] = text,
                        None => {
                            outcome = Err(format!(
                                "\"{name}\" is not a text, a number, true, false, null or a list of these"
                            ))
                        }
                    }
                }
                outcome.map(|()| cells)
            }
            Ok(_) => Err("is no json object".to_owned()),
            Err(error) => Err(format!("is no json: column {}", error.column())),
        };
        rows.push(Raw { line, cells });
    }
    (header, rows)
}

/// A JSON value as the text of a cell.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Bool(yes) => Some(yes.to_string()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(values) => {
            values.iter().map(plain).collect::<Option<Vec<_>>>().map(|texts| texts.join("|"))
        }
        Value::Object(_) => None,
    }
}
