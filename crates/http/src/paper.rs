//! Paper: words, rules and barcodes laid out on sheets and written as PDF, for printers that do not speak ZPL and for whoever keeps a copy.
//!
//! Everything is drawn in one typeface the program carries (`fonts/`), of which only the letters used are written into the file. Letters stand
//! one after the other: scripts whose letters join are readable, not beautiful.

use std::sync::LazyLock;

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use domain::fulfilment::label::{Label, code_128};
use krilla::Document;
use krilla::geom::{PathBuilder, Point, Rect};
use krilla::metadata::Metadata;
use krilla::page::PageSettings;
use krilla::surface::Surface;
use krilla::text::{Font, GlyphId, KrillaGlyph};
use skrifa::instance::{LocationRef, Size};
use skrifa::metrics::GlyphMetrics;
use skrifa::{FontRef, MetadataProvider};

use crate::problem::Problem;

/// DejaVu Sans Condensed, which has the letters of all European languages; its licence lies beside it.
static TYPEFACE: &[u8] = include_bytes!("../fonts/DejaVuSansCondensed.ttf");
/// The most sheets of one paper; more is left out, and the last one says so.
const SHEETS_MAX: usize = 200;
/// How far lines of words stand apart, as a part of their size.
const LEADING: f32 = 1.3;
/// Points of a millimetre.
const MM: f32 = 72.0 / 25.4;
/// The room of the sheet's number at its foot.
const FOOT: f32 = 14.0;

/// The typeface, read once.
struct Face {
    font: Font,
    letters: FontRef<'static>,
}

static FACE: LazyLock<Option<Face>> = LazyLock::new(|| {
    let font = Font::new(TYPEFACE.into(), 0)?;
    Some(Face { font, letters: FontRef::new(TYPEFACE).ok()? })
});

impl Face {
    fn glyphs(&self, words: &str) -> Vec<KrillaGlyph> {
        let (map, metrics) = (self.letters.charmap(), self.metrics());
        let glyph = |(at, letter): (usize, char)| {
            let id = map.map(letter).unwrap_or_default();
            let advance = metrics.advance_width(id).unwrap_or(0.0) / self.font.units_per_em();
            let range = at..at + letter.len_utf8();
            KrillaGlyph::new(GlyphId::new(id.to_u32()), advance, 0.0, 0.0, 0.0, range, None)
        };
        words.char_indices().map(glyph).collect()
    }

    fn metrics(&self) -> GlyphMetrics<'_> {
        self.letters.glyph_metrics(Size::unscaled(), LocationRef::default())
    }

    fn width(&self, words: &str, size: f32) -> f32 {
        self.glyphs(words).iter().map(|glyph| glyph.x_advance).sum::<f32>() * size
    }

    /// Words as lines that are no wider than this; a word that is wider itself is broken.
    fn wrapped(&self, words: &str, size: f32, width: f32) -> Vec<String> {
        let mut lines = vec![String::new()];
        let words: String =
            words.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
        for word in words.split(' ').filter(|word| !word.is_empty()) {
            let line = lines.last_mut().map(std::mem::take).unwrap_or_default();
            let longer = if line.is_empty() { word.to_owned() } else { format!("{line} {word}") };
            if self.width(&longer, size) <= width {
                lines.pop();
                lines.push(longer);
                continue;
            }
            lines.pop();
            lines.extend((!line.is_empty()).then_some(line));
            lines.extend(self.broken(word, size, width));
        }
        lines
    }

    fn broken(&self, word: &str, size: f32, width: f32) -> Vec<String> {
        let mut parts = vec![String::new()];
        let mut used = 0.0;
        for (glyph, letter) in self.glyphs(word).iter().zip(word.chars()) {
            let advance = glyph.x_advance * size;
            if used + advance > width && used > 0.0 {
                parts.push(String::new());
                used = 0.0;
            }
            used += advance;
            if let Some(part) = parts.last_mut() {
                part.push(letter);
            }
        }
        parts
    }
}

/// Something drawn on a sheet, in points from its upper left corner.
enum Mark {
    Words { left: f32, base: f32, size: f32, words: String },
    Bar { left: f32, top: f32, width: f32, height: f32 },
}

/// A column of a table: its head, its part of the width, and whether it is set to the right.
pub(crate) struct Column(pub(crate) &'static str, pub(crate) f32, pub(crate) bool);

/// A paper as it is laid out, from the top of the first sheet on.
pub(crate) struct Paper {
    title: String,
    width: f32,
    height: f32,
    margin: f32,
    top: f32,
    sheets: Vec<Vec<Mark>>,
}

impl Paper {
    /// A label of 4 by 6 inches.
    pub(crate) fn label(title: &str) -> Paper {
        Paper::of(title, (4.0 * 72.0, 6.0 * 72.0), 16.0)
    }

    /// Sheets of A4.
    pub(crate) fn a4(title: &str) -> Paper {
        Paper::of(title, (210.0 * MM, 297.0 * MM), 15.0 * MM)
    }

    fn of(title: &str, (width, height): (f32, f32), margin: f32) -> Paper {
        Paper { title: title.to_owned(), width, height, margin, top: margin, sheets: vec![Vec::new()] }
    }

    /// How wide words may be.
    fn inner(&self) -> f32 {
        self.width - 2.0 * self.margin
    }

    /// Makes room of this height: on a new sheet when this one is full. True when there is a new one.
    fn room(&mut self, height: f32) -> bool {
        let fits = self.top + height <= self.height - self.margin - FOOT;
        if fits || self.top <= self.margin {
            return false;
        }
        self.sheets.push(Vec::new());
        self.top = self.margin;
        true
    }

    fn put(&mut self, mark: Mark) {
        // What is beyond the last sheet is laid out nowhere.
        let beyond = self.sheets.len() > SHEETS_MAX;
        if let Some(sheet) = self.sheets.last_mut().filter(|_| !beyond) {
            sheet.push(mark);
        }
    }

    /// Leaves some room.
    pub(crate) fn gap(&mut self, height: f32) {
        self.top += height;
    }

    /// Words from the left edge on, in as many lines as they need.
    pub(crate) fn words(&mut self, size: f32, words: &str) {
        let Some(face) = FACE.as_ref() else { return };
        for line in face.wrapped(words, size, self.inner()) {
            self.room(size * LEADING);
            let mark = Mark::Words { left: self.margin, base: self.top + size, size, words: line };
            self.put(mark);
            self.top += size * LEADING;
        }
    }

    /// A line across.
    pub(crate) fn rule(&mut self) {
        self.room(8.0);
        let mark = Mark::Bar { left: self.margin, top: self.top + 3.0, width: self.inner(), height: 1.2 };
        self.put(mark);
        self.top += 8.0;
    }

    /// A barcode as wide as the paper allows, with what it says beneath; without its quiet zones, which may lie in the margins, no scanner
    /// reads it. Its bars are whole dots of a label printer: of bars between two dots it would print some wider than others.
    pub(crate) fn barcode(&mut self, widths: &[u8], height: f32, says: &str) {
        const QUIET: f32 = 10.0;
        /// Points of a dot at 203 dots an inch.
        const DOT: f32 = 72.0 / 203.0;
        /// A bar is printed no wider than so many dots, so that a short code is not a mile long.
        const MODULE_DOTS_MAX: f32 = 4.0;
        let modules: f32 = widths.iter().map(|width| f32::from(*width)).sum();
        let dots = (self.width / (modules + 2.0 * QUIET) / DOT).floor();
        let module = dots.clamp(1.0, MODULE_DOTS_MAX) * DOT;
        self.room(height + 24.0);
        let mut left = self.margin + (self.inner() - modules * module) / 2.0;
        for (place, width) in widths.iter().enumerate() {
            let width = f32::from(*width) * module;
            if place % 2 == 0 {
                let mark = Mark::Bar { left, top: self.top, width, height };
                self.put(mark);
            }
            left += width;
        }
        self.top += height + 4.0;
        self.centred(11.0, says);
    }

    fn centred(&mut self, size: f32, words: &str) {
        let Some(face) = FACE.as_ref() else { return };
        for line in face.wrapped(words, size, self.inner()) {
            let left = self.margin + (self.inner() - face.width(&line, size)) / 2.0;
            let mark = Mark::Words { left, base: self.top + size, size, words: line };
            self.put(mark);
            self.top += size * LEADING;
        }
    }

    /// A table: its head stands on every sheet, and what a row says wraps within its column.
    pub(crate) fn table<const N: usize>(&mut self, columns: &[Column; N], rows: &[[String; N]]) {
        const SIZE: f32 = 9.5;
        self.row(columns, &columns.each_ref().map(|column| column.0.to_owned()), SIZE);
        self.rule();
        for row in rows {
            if self.room(self.tallest(columns, row, SIZE)) {
                self.row(columns, &columns.each_ref().map(|column| column.0.to_owned()), SIZE);
                self.rule();
            }
            self.row(columns, row, SIZE);
        }
    }

    /// What each cell of a row says, line by line.
    fn cells<const N: usize>(&self, columns: &[Column; N], row: &[String; N], size: f32) -> Vec<Vec<String>> {
        let Some(face) = FACE.as_ref() else { return Vec::new() };
        let widths = columns.iter().map(|column| column.1 * self.inner() - 6.0);
        widths.zip(row).map(|(width, words)| face.wrapped(words, size, width)).collect()
    }

    fn tallest<const N: usize>(&self, columns: &[Column; N], row: &[String; N], size: f32) -> f32 {
        let lines = self.cells(columns, row, size).iter().map(Vec::len).max().unwrap_or(0);
        f32::from(u16::try_from(lines).unwrap_or(u16::MAX)) * size * LEADING + 3.0
    }

    fn row<const N: usize>(&mut self, columns: &[Column; N], row: &[String; N], size: f32) {
        let Some(face) = FACE.as_ref() else { return };
        let mut left = self.margin;
        for (column, lines) in columns.iter().zip(self.cells(columns, row, size)) {
            let width = column.1 * self.inner();
            let mut base = self.top + size;
            for words in lines {
                let indent = if column.2 { width - 6.0 - face.width(&words, size) } else { 0.0 };
                self.put(Mark::Words { left: left + indent, base, size, words });
                base += size * LEADING;
            }
            left += width;
        }
        self.top += self.tallest(columns, row, size);
    }

    /// The paper as an answer that nobody on the way keeps.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn answer(self) -> Result<Response, Problem> {
        let made = self.pdf().ok_or_else(|| {
            tracing::error!("a paper could not be written as PDF");
            Problem::fault()
        })?;
        Ok(printed("application/pdf", made))
    }

    /// The paper as PDF; `None` when it cannot be written, which is a mistake in the program.
    pub(crate) fn pdf(mut self) -> Option<Vec<u8>> {
        let face = FACE.as_ref()?;
        let all = self.sheets.len().min(SHEETS_MAX);
        let cut = self.sheets.len() > SHEETS_MAX;
        let (width, height, margin) = (self.width, self.height, self.margin);
        self.sheets.truncate(SHEETS_MAX);
        let mut document = Document::new();
        document.set_metadata(Metadata::new().title(self.title).creator("Tandem".to_owned()));
        for (number, sheet) in self.sheets.iter().enumerate() {
            let mut page = document.start_page_with(PageSettings::from_wh(width, height)?);
            let mut surface = page.surface();
            for mark in sheet {
                draw(&mut surface, face, mark);
            }
            if all > 1 {
                let more = if cut && number + 1 == all { ", the rest is left out" } else { "" };
                let words = format!("{} / {all}{more}", number + 1);
                let left = width - margin - face.width(&words, 9.0);
                draw(&mut surface, face, &Mark::Words { left, base: height - margin, size: 9.0, words });
            }
            surface.finish();
            page.finish();
        }
        document.finish().ok()
    }
}

/// The label of goods that travel: who sends, who receives, and the number as a barcode.
pub(crate) fn labelled(label: &Label) -> Paper {
    let mut paper = Paper::label(&format!("Label {}", label.tracking));
    paper.words(13.0, &label.carrier);
    label.from.iter().for_each(|line| paper.words(8.5, line));
    paper.rule();
    label.to.iter().for_each(|line| paper.words(15.0, line));
    paper.rule();
    paper.words(11.0, &label.reference);
    paper.words(11.0, &label.weight);
    paper.gap(10.0);
    paper.barcode(&code_128(&label.tracking).unwrap_or_default(), 80.0, &label.tracking);
    paper
}

/// Something with a name on it: nobody on the way keeps it.
pub(crate) fn printed(kind: &'static str, paper: Vec<u8>) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "private, no-store")];
    (StatusCode::OK, headers, paper).into_response()
}

fn draw(surface: &mut Surface<'_>, face: &Face, mark: &Mark) {
    match mark {
        Mark::Words { left, base, size, words } => {
            let glyphs = face.glyphs(words);
            surface.draw_glyphs(
                Point::from_xy(*left, *base),
                &glyphs,
                face.font.clone(),
                words,
                *size,
                false,
            );
        }
        Mark::Bar { left, top, width, height } => {
            let mut path = PathBuilder::new();
            if let Some(bar) = Rect::from_xywh(*left, *top, *width, *height) {
                path.push_rect(bar);
            }
            if let Some(path) = path.finish() {
                surface.draw_path(&path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(paper: &Paper, sheet: usize) -> Vec<&str> {
        let words = |mark: &'_ Mark| matches!(mark, Mark::Words { .. });
        let sheet = paper.sheets[sheet].iter().filter(|mark| words(mark));
        sheet
            .filter_map(|mark| if let Mark::Words { words, .. } = mark { Some(words.as_str()) } else { None })
            .collect()
    }

    /// No mark lies outside its sheet.
    fn must_fit(paper: &Paper) {
        let face = FACE.as_ref().unwrap();
        for mark in paper.sheets.iter().flatten() {
            let (left, right, foot) = match mark {
                Mark::Words { left, base, size, words } => (left, left + face.width(words, *size), *base),
                Mark::Bar { left, top, width, height } => (left, left + width, top + height),
            };
            // The quiet zone of a long barcode lies in the margin.
            let margin = if matches!(mark, Mark::Bar { .. }) { paper.margin / 2.0 } else { paper.margin };
            assert!(right <= paper.width - margin + 0.01 && foot <= paper.height, "{right} {foot}");
            assert!(*left >= margin, "{left}");
        }
    }

    #[test]
    fn long_names_wrap_and_stay_on_the_label() {
        let name = "Ada Łukasiewicz-Donaudampfschifffahrtsgesellschaftskapitänswitwenheimverwaltung";
        let label = Label {
            from: vec!["Leeds".into()],
            to: vec![name.into(), "9\u{7}Coney Street".into()],
            carrier: "Own van".into(),
            reference: "7KQ4-M2XD".into(),
            weight: "0.900 kg".into(),
            tracking: "ret_01jd0000000000000000000000".into(),
        };
        let paper = labelled(&label);
        must_fit(&paper);
        let said = says(&paper, 0).concat();
        assert!(said.contains("Ada Łukasiewicz-Donaudampf") || said.contains("AdaŁukasiewicz"), "{said}");
        assert!(says(&paper, 0).contains(&"9 Coney Street"), "nothing but letters is printed");
        let made = paper.pdf().unwrap();
        assert!(made.starts_with(b"%PDF-") && made.len() < 60_000, "{} bytes", made.len());
    }

    #[test]
    fn long_lists_go_on_over_sheets_with_their_heads() {
        let columns = [Column("SKU", 0.3, false), Column("Pieces", 0.7, true)];
        let rows: Vec<_> = (0..500).map(|row| [format!("SKU-{row}"), row.to_string()]).collect();
        let mut paper = Paper::a4("list");
        paper.table(&columns, &rows);
        must_fit(&paper);
        assert!((8..12).contains(&paper.sheets.len()), "{} sheets", paper.sheets.len());
        let all: Vec<_> = (0..paper.sheets.len()).flat_map(|sheet| says(&paper, sheet)).collect();
        assert!((0..paper.sheets.len()).all(|sheet| says(&paper, sheet)[..2] == ["SKU", "Pieces"]));
        assert!(rows.iter().all(|[sku, _]| all.contains(&sku.as_str())), "no row is lost");
        assert!(paper.pdf().is_some());
    }
}
