//! Reads the packed invoices as `demo/make_data.py` writes them: compressed text, one column after the other.

use std::fmt;
use std::io::Read;
use std::str::{FromStr, Lines};

use flate2::read::GzDecoder;

use super::amount::Exact;

/// The line every packed file begins with.
const FIRST_LINE: &str = "tandem demo data 1";

/// Why the demo data cannot be used; says where and what to do.
#[derive(Debug, PartialEq, Eq)]
pub struct Unreadable(pub String);

impl fmt::Display for Unreadable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "demo data: {}", self.0)
    }
}

impl std::error::Error for Unreadable {}

/// A stock code with what it was called and sold for, most frequent first.
#[derive(Debug)]
pub struct Code {
    /// As written in the source; some codes occur in two letter cases.
    pub stock_code: String,
    /// Empty where the source has none.
    pub descriptions: Vec<String>,
    /// Unit prices.
    pub prices: Vec<Exact>,
}

/// One invoice as the source has it, nothing judged yet.
#[derive(Debug)]
pub struct Row {
    /// `C` for a cancellation, `A` for an adjustment of debts.
    pub letter: Option<char>,
    /// The number without its letter.
    pub number: u32,
    /// Minutes since 2010-12-01 00:00 on the shop's wall clock.
    pub minute: u32,
    /// None for a guest.
    pub customer: Option<u32>,
    /// Position in [`Packed::countries`].
    pub country: usize,
    /// In the order of the source.
    pub lines: Vec<RowLine>,
}

/// One line of an invoice as the source has it.
#[derive(Debug)]
pub struct RowLine {
    /// Position in [`Packed::codes`].
    pub code: usize,
    /// Position in that code's descriptions.
    pub description: usize,
    /// Pieces; negative for what comes back or is written off.
    pub quantity: i64,
    /// Per piece.
    pub unit_price: Exact,
    /// Minutes after the invoice began; nought but for a few.
    pub minutes_late: u32,
}

/// The whole packed file.
#[derive(Debug)]
pub struct Packed {
    /// Names of the countries, as written in the source.
    pub countries: Vec<String>,
    /// All stock codes.
    pub codes: Vec<Code>,
    /// All invoices, in time order.
    pub rows: Vec<Row>,
}

/// Unpacks and reads the file.
///
/// # Errors
/// The file is not gzip, not of this layout, or names a code, price or country it does not hold.
pub fn read(packed: impl Read) -> Result<Packed, Unreadable> {
    let mut text = String::new();
    GzDecoder::new(packed)
        .read_to_string(&mut text)
        .map_err(|cause| Unreadable(format!("cannot be unpacked ({cause}); fetch online_retail.gz anew")))?;
    let mut sections = Sections { lines: text.lines() };
    if sections.lines.next() != Some(FIRST_LINE) {
        return Err(Unreadable(format!(
            "does not begin with {FIRST_LINE:?}; make it anew with demo/make_data.py"
        )));
    }
    let countries = sections.text("countries")?.into_iter().map(str::to_owned).collect();
    let codes = read_codes(&mut sections)?;
    let (mut rows, line_counts) = read_rows(&mut sections)?;
    fill_lines(&mut sections, &codes, &mut rows, &line_counts)?;
    Ok(Packed { countries, codes, rows })
}

fn read_codes(sections: &mut Sections<'_>) -> Result<Vec<Code>, Unreadable> {
    let names = sections.text("codes")?;
    let prices = sections.text("prices")?;
    same_length("prices", prices.len(), names.len())?;
    let mut codes = Vec::with_capacity(names.len());
    for (named, priced) in names.into_iter().zip(prices) {
        let mut words = named.split('\t').map(str::to_owned);
        let stock_code = words.next().unwrap_or_default();
        let prices = priced.split('\t').map(|price| number("prices", price).map(Exact::from_ten_thousandths));
        codes.push(Code {
            stock_code,
            descriptions: words.collect(),
            prices: prices.collect::<Result<_, _>>()?,
        });
    }
    Ok(codes)
}

/// The invoices, still without lines, and how many lines each shall have.
fn read_rows(sections: &mut Sections<'_>) -> Result<(Vec<Row>, Vec<usize>), Unreadable> {
    let numbers = sections.text("invoice_numbers")?;
    let minutes = sections.numbers::<u32>("invoice_minutes")?;
    let customers = sections.text("invoice_customers")?;
    let countries = sections.numbers::<usize>("invoice_countries")?;
    let line_counts = sections.numbers::<usize>("invoice_lines")?;
    for (name, length) in [
        ("invoice_minutes", minutes.len()),
        ("invoice_customers", customers.len()),
        ("invoice_countries", countries.len()),
        ("invoice_lines", line_counts.len()),
    ] {
        same_length(name, length, numbers.len())?;
    }
    let (mut counted, mut minute) = (0_i64, 0);
    let mut rows = Vec::with_capacity(numbers.len());
    for (at, step) in numbers.into_iter().enumerate() {
        let letter = step.chars().next().filter(char::is_ascii_alphabetic);
        counted += number::<i64>(
            "invoice_numbers",
            step.trim_start_matches(|sign: char| sign.is_ascii_alphabetic()),
        )?;
        minute += minutes[at];
        let customer =
            if customers[at].is_empty() { None } else { Some(number("invoice_customers", customers[at])?) };
        rows.push(Row {
            letter,
            number: u32::try_from(counted)
                .map_err(|_| Unreadable(format!("invoice_numbers: {counted} is no invoice number")))?,
            minute,
            customer,
            country: countries[at],
            lines: Vec::new(),
        });
    }
    Ok((rows, line_counts))
}

fn fill_lines(
    sections: &mut Sections<'_>,
    codes: &[Code],
    rows: &mut [Row],
    line_counts: &[usize],
) -> Result<(), Unreadable> {
    let line_codes = sections.numbers::<usize>("line_codes")?;
    let descriptions = sections.numbers::<usize>("line_descriptions")?;
    let quantities = sections.numbers::<i64>("line_quantities")?;
    let prices = sections.numbers::<usize>("line_prices")?;
    let mut late = sections.text("late_lines")?.into_iter().map(late_line).peekable();
    let expected = line_counts.iter().sum();
    for (name, length) in [
        ("line_codes", line_codes.len()),
        ("line_descriptions", descriptions.len()),
        ("line_quantities", quantities.len()),
        ("line_prices", prices.len()),
    ] {
        same_length(name, length, expected)?;
    }
    let mut at = 0;
    for (row, count) in rows.iter_mut().zip(line_counts) {
        for _ in 0..*count {
            let code = line_codes[at];
            let known =
                codes.get(code).ok_or_else(|| Unreadable(format!("line_codes: there is no code {code}")))?;
            let unit_price = *known.prices.get(prices[at]).ok_or_else(|| {
                Unreadable(format!("line_prices: code {} has no price {}", known.stock_code, prices[at]))
            })?;
            if descriptions[at] >= known.descriptions.len() {
                return Err(Unreadable(format!(
                    "line_descriptions: code {} has no description {}",
                    known.stock_code, descriptions[at]
                )));
            }
            let minutes_late = match late.next_if(|line| line.as_ref().map_or(true, |(line, _)| *line == at))
            {
                Some(line) => line?.1,
                None => 0,
            };
            row.lines.push(RowLine {
                code,
                description: descriptions[at],
                quantity: quantities[at],
                unit_price,
                minutes_late,
            });
            at += 1;
        }
    }
    Ok(())
}

fn late_line(text: &str) -> Result<(usize, u32), Unreadable> {
    let (line, minutes) = text
        .split_once('\t')
        .ok_or_else(|| Unreadable(format!("late_lines: {text:?} is not two numbers")))?;
    Ok((number("late_lines", line)?, number("late_lines", minutes)?))
}

fn number<T: FromStr>(section: &str, text: &str) -> Result<T, Unreadable> {
    text.parse().map_err(|_| Unreadable(format!("{section}: {text:?} is not a number of the right size")))
}

fn same_length(section: &str, length: usize, expected: usize) -> Result<(), Unreadable> {
    if length == expected {
        return Ok(());
    }
    Err(Unreadable(format!(
        "{section}: {length} lines, {expected} expected; make the file anew with demo/make_data.py"
    )))
}

/// The sections still to be read, in the order they are written.
struct Sections<'a> {
    lines: Lines<'a>,
}

impl<'a> Sections<'a> {
    fn text(&mut self, name: &str) -> Result<Vec<&'a str>, Unreadable> {
        let head = self.lines.next().unwrap_or_default();
        let count = head
            .strip_prefix('[')
            .and_then(|rest| rest.strip_prefix(name))
            .and_then(|rest| rest.trim_end_matches(']').trim_start().parse::<usize>().ok())
            .ok_or_else(|| Unreadable(format!("section {name} expected, {head:?} found")))?;
        let lines: Vec<_> = self.lines.by_ref().take(count).collect();
        same_length(name, lines.len(), count)?;
        Ok(lines)
    }

    fn numbers<T: FromStr>(&mut self, name: &str) -> Result<Vec<T>, Unreadable> {
        self.text(name)?.into_iter().map(|text| number(name, text)).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::{Compression, write::GzEncoder};

    use super::{Packed, Unreadable, read};

    const SMALL: &str = "tandem demo data 1\n[countries 1]\nEIRE\n[codes 1]\n84029G\tMUG\t\n[prices 1]\n25500\t10\n\
        [invoice_numbers 2]\n536365\nC1\n[invoice_minutes 2]\n506\n3\n[invoice_customers 2]\n17850\n\n\
        [invoice_countries 2]\n0\n0\n[invoice_lines 2]\n2\n1\n[line_codes 3]\n0\n0\n0\n[line_descriptions 3]\n0\n1\n0\n\
        [line_quantities 3]\n6\n1\n-6\n[line_prices 3]\n0\n1\n0\n[late_lines 1]\n1\t2\n";

    fn unpack(text: &str) -> Result<Packed, Unreadable> {
        let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
        packed.write_all(text.as_bytes()).expect("memory takes all");
        read(packed.finish().expect("memory takes all").as_slice())
    }

    #[test]
    fn columns_become_invoices_again() {
        let packed = unpack(SMALL).expect("a whole file");
        assert_eq!(packed.rows.len(), 2);
        let (sale, back) = (&packed.rows[0], &packed.rows[1]);
        assert_eq!(
            (sale.letter, sale.number, sale.minute, sale.customer),
            (None, 536_365, 506, Some(17_850))
        );
        assert_eq!((back.letter, back.number, back.minute, back.customer), (Some('C'), 536_366, 509, None));
        assert_eq!(sale.lines.iter().map(|line| line.minutes_late).collect::<Vec<_>>(), [0, 2]);
        assert_eq!(sale.lines[1].unit_price.ten_thousandths(), 10);
        assert_eq!(packed.codes[0].descriptions, ["MUG", ""]);
    }

    #[test]
    fn a_damaged_file_is_refused_with_the_spot() {
        let refused = |text: &str| unpack(text).expect_err("damaged").to_string();
        assert_eq!(
            refused("hello\n"),
            "demo data: does not begin with \"tandem demo data 1\"; make it anew with demo/make_data.py"
        );
        assert_eq!(
            refused(&SMALL.replace("[line_codes 3]\n0", "[line_codes 3]\n7")),
            "demo data: line_codes: there is no code 7"
        );
        assert_eq!(
            refused(&SMALL.replace("[invoice_minutes 2]\n506", "[invoice_minutes 2]\nnoon")),
            "demo data: invoice_minutes: \"noon\" is not a number of the right size"
        );
        assert!(refused(&SMALL[..200]).contains("expected"), "a cut file names the section");
        assert!(read(&b"not gzip"[..]).expect_err("not gzip").to_string().contains("cannot be unpacked"));
    }
}
