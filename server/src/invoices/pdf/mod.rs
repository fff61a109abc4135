//! An invoice as a PDF: text that can be selected, in fonts that are embedded with the glyphs that it uses. What it says comes from
//! `app::invoice`, as the page's words do.
//!
//! Latin letters, those of Central Europe, Turkey and Vietnam too, are the shop's own font; Japanese and Korean come from a part of Noto Sans CJK: the
//! kanji of JIS X 0208 and of Windows' code page 932, and all 11,172 syllables of Hangul. A character that neither has is written as 〓: the page,
//! which has the reader's fonts, shows it. Both are under the SIL Open Font License (`server/fonts/OFL.txt`).

mod file;
mod fonts;

use app::invoice::{Entry, Paper, Table};
use domain::locale::Locale;
use file::{Page, Sheet};
use fonts::{Face, Fonts};

/// A4, and letter where that is the paper (ISO 216; ANSI/ASME Y14.1), in points.
fn sheet(locale: Locale) -> Sheet {
    if matches!(locale.country.code(), "US" | "CA") { Sheet { width: 612.0, height: 792.0 } } else { Sheet { width: 595.0, height: 842.0 } }
}

const MARGIN: f32 = 48.0;
const TEXT: f32 = 9.0;
const SMALL: f32 = 7.5;
const LINE: f32 = 13.0;
/// Between columns.
const GAP: f32 = 8.0;
/// The longest document; an order has far fewer rows.
const PAGES_MAX: usize = 200;

/// The document's bytes.
pub fn write(paper: &Paper) -> Vec<u8> {
    let mut setter = Setter::new(sheet(paper.locale));
    setter.head(paper);
    setter.table(&paper.goods);
    setter.sums(paper);
    if !paper.taxes.rows.is_empty() {
        setter.space(LINE);
        setter.line(Face::Bold, TEXT, &paper.tax_title);
        setter.table(&paper.taxes);
    }
    setter.space(LINE);
    for note in &paper.notes {
        setter.paragraph(Face::Regular, SMALL, note);
    }
    let (fonts, mut pages, sheet) = (setter.fonts, setter.pages, setter.sheet);
    let mut fonts = fonts;
    let of = pages.len();
    if of > 1 {
        for (at, page) in pages.iter_mut().enumerate() {
            let text = format!("{}  {} / {of}", paper.number, at + 1);
            let width = fonts.width(Face::Regular, SMALL, &text);
            page.text(&mut fonts, Face::Regular, SMALL, sheet.width - MARGIN - width, MARGIN / 2.0, &text);
        }
    }
    file::document(sheet, &pages, &fonts, &format!("{} {}", paper.title, paper.number), &paper.locale.bcp47())
}

/// Sets lines from the top, and turns the page.
struct Setter {
    sheet: Sheet,
    fonts: Fonts,
    pages: Vec<Page>,
    /// The next baseline, from below.
    y: f32,
}

impl Setter {
    fn new(sheet: Sheet) -> Self {
        Self { sheet, fonts: Fonts::new(), pages: vec![Page::default()], y: sheet.height - MARGIN - 20.0 }
    }

    fn right(&self) -> f32 {
        self.sheet.width - MARGIN
    }

    /// Makes room for so much, on the next page if need be. Whether it was turned.
    fn need(&mut self, height: f32) -> bool {
        if self.y - height >= MARGIN || self.pages.len() >= PAGES_MAX {
            return false;
        }
        self.pages.push(Page::default());
        self.y = self.sheet.height - MARGIN - TEXT;
        true
    }

    fn put(&mut self, face: Face, size: f32, x: f32, text: &str) {
        let y = self.y;
        if let Some(page) = self.pages.last_mut() {
            page.text(&mut self.fonts, face, size, x, y, text);
        }
    }

    fn put_right(&mut self, face: Face, size: f32, right: f32, text: &str) {
        let width = self.fonts.width(face, size, text);
        self.put(face, size, right - width, text);
    }

    fn rule(&mut self, from: f32, dark: bool) {
        let (y, right) = (self.y + LINE - 3.0, self.right());
        if let Some(page) = self.pages.last_mut() {
            page.rule(from, right, y, dark);
        }
    }

    const fn space(&mut self, height: f32) {
        self.y -= height;
    }

    fn line(&mut self, face: Face, size: f32, text: &str) {
        self.need(LINE);
        self.put(face, size, MARGIN, text);
        self.space(LINE);
    }

    fn paragraph(&mut self, face: Face, size: f32, text: &str) {
        for line in self.fonts.wrap(face, size, self.right() - MARGIN, text) {
            self.line(face, size, &line);
        }
    }

    /// Title and seller side by side, then the buyer and the facts.
    fn head(&mut self, paper: &Paper) {
        self.put(Face::Bold, 20.0, MARGIN, &paper.title);
        let middle = self.sheet.width / 2.0 + GAP;
        let column = self.right() - middle;
        let under_title = self.y - 2.0 * LINE;
        self.block(middle, column, &paper.seller);
        let under_seller = self.y;
        self.y = under_title.min(under_seller) - LINE;
        let top = self.y;
        if !paper.buyer.1.is_empty() {
            self.block(MARGIN, middle - MARGIN - 2.0 * GAP, &paper.buyer);
        }
        let under_buyer = self.y;
        self.y = top;
        let names = paper.facts.iter().map(|(name, _)| self.fonts.width(Face::Regular, TEXT, name)).fold(0.0, f32::max).min(column / 2.0);
        for (name, value) in &paper.facts {
            let names_lines = self.fonts.wrap(Face::Regular, TEXT, names, name);
            let values = self.fonts.wrap(Face::Regular, TEXT, column - names - GAP, value);
            for at in 0..names_lines.len().max(values.len()) {
                self.put(Face::Regular, TEXT, middle, names_lines.get(at).map_or("", String::as_str));
                self.put(Face::Regular, TEXT, middle + names + GAP, values.get(at).map_or("", String::as_str));
                self.space(LINE);
            }
        }
        self.y = self.y.min(under_buyer) - 1.5 * LINE;
    }

    fn block(&mut self, x: f32, width: f32, (name, lines): &(String, Vec<String>)) {
        let heading = self.fonts.wrap(Face::Bold, TEXT, width, name);
        for line in heading {
            self.put(Face::Bold, TEXT, x, &line);
            self.space(LINE);
        }
        for text in lines {
            for line in self.fonts.wrap(Face::Regular, TEXT, width, text) {
                self.put(Face::Regular, TEXT, x, &line);
                self.space(LINE);
            }
        }
    }

    /// A table: figures to the right, each column as wide as its widest figure or the longest word of its head; the text has the rest.
    fn table(&mut self, table: &Table) {
        let columns = table.heads.len().saturating_sub(1);
        let mut widths: Vec<f32> = (0..columns)
            .map(|at| {
                let figures = table.rows.iter().filter_map(|row| row.figures.get(at)).map(|figure| self.fonts.width(Face::Regular, TEXT, figure));
                let figures = figures.fold(0.0, f32::max);
                let words = table.heads[at + 1].split(' ').map(|word| self.fonts.width(Face::Bold, SMALL, word)).fold(0.0, f32::max);
                figures.max(words.min(70.0))
            })
            .collect();
        let all: f32 = widths.iter().map(|width| width + GAP).sum();
        let text = (self.right() - MARGIN - all).max(120.0);
        // Far more than fits: everything moves closer together.
        let room = self.right() - MARGIN - text;
        if all > room {
            for width in &mut widths {
                *width *= room / all;
            }
        }
        let rights: Vec<f32> = widths
            .iter()
            .scan(MARGIN + text, |x, width| {
                *x += GAP + width;
                Some(*x)
            })
            .collect();
        self.heads(table, text, &widths, &rights);
        for row in &table.rows {
            self.row(table, row, (text, &widths, &rights));
        }
        self.space(LINE / 2.0);
    }

    fn heads(&mut self, table: &Table, text: f32, widths: &[f32], rights: &[f32]) {
        let first = self.fonts.wrap(Face::Bold, SMALL, text, table.heads.first().map_or("", String::as_str));
        let mut all = vec![first];
        for (head, width) in table.heads.iter().skip(1).zip(widths) {
            all.push(self.fonts.wrap(Face::Bold, SMALL, *width + GAP / 2.0, head));
        }
        let lines = all.iter().map(Vec::len).max().unwrap_or(0);
        for at in 0..lines {
            self.need(2.0 * LINE);
            for (column, head) in all.iter().enumerate() {
                let line = head.get(at).map_or("", String::as_str);
                match column.checked_sub(1).and_then(|column| rights.get(column)) {
                    None => self.put(Face::Bold, SMALL, MARGIN, line),
                    Some(right) => self.put_right(Face::Bold, SMALL, *right, line),
                }
            }
            self.space(LINE * 0.8);
        }
        self.space(LINE * 0.2);
        self.rule(MARGIN, true);
    }

    fn row(&mut self, table: &Table, row: &Entry, (text, widths, rights): (f32, &[f32], &[f32])) {
        let names = self.fonts.wrap(Face::Regular, TEXT, text, &row.name);
        let more = if row.more.is_empty() { Vec::new() } else { self.fonts.wrap(Face::Regular, SMALL, text, &row.more) };
        let height = LINE * f32::from(u16::try_from(names.len() + more.len()).unwrap_or(u16::MAX));
        if self.need(height) {
            self.heads(table, text, widths, rights);
        }
        for (figure, right) in row.figures.iter().zip(rights) {
            self.put_right(Face::Regular, TEXT, *right, figure);
        }
        for (size, line) in names.iter().map(|line| (TEXT, line)).chain(more.iter().map(|line| (SMALL, line))) {
            self.put(Face::Regular, size, MARGIN, line);
            self.space(LINE);
        }
        self.rule(MARGIN, false);
    }

    fn sums(&mut self, paper: &Paper) {
        let left = self.sheet.width / 2.0 + GAP;
        self.space(LINE / 2.0);
        for (at, (name, amount)) in paper.sums.iter().enumerate() {
            let is_total = at + 1 == paper.sums.len();
            let (face, size) = if is_total { (Face::Bold, 12.0) } else { (Face::Regular, TEXT) };
            self.need(2.0 * LINE);
            if is_total {
                self.space(LINE / 2.0);
                self.rule(left, true);
                self.space(6.0);
            }
            self.put(face, size, left, name);
            let right = self.right();
            self.put_right(face, size, right, amount);
            self.space(LINE);
        }
    }
}

#[cfg(test)]
mod tests;
