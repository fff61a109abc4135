//! Cells: reading and writing the kinds of values that several tables have.

use super::{Cells, PutError, Wrong};
use crate::promotions::terms;
use app::staff::tables::{Table, suffix};
use domain::{
    locale::TextLanguage,
    market::{Country, Market},
    money::{Currency, Money},
    offer::Instant,
};
use jiff::{Timestamp, tz::TimeZone};
use std::collections::BTreeMap;

/// A cell was wrong, and that is noted.
pub(super) struct Noted;

/// The cells of one row by the names of their columns, with what is wrong about them.
pub(super) struct Reader<'a> {
    table: Table,
    cells: &'a Cells,
    pub wrong: Vec<Wrong>,
}

impl<'a> Reader<'a> {
    pub const fn new(table: Table, cells: &'a Cells) -> Self {
        Self { table, cells, wrong: Vec::new() }
    }

    /// A cell without spaces around it; empty where the table lacks the column.
    pub fn get(&self, name: &str) -> &'a str {
        self.table.position(name).and_then(|at| self.cells.get(at)).map_or("", |cell| cell.trim())
    }

    /// Notes that a cell is wrong.
    pub fn wrong(&mut self, name: &'static str, sentence: impl Into<String>) {
        self.wrong.push((name, sentence.into()));
    }

    /// What `read` makes of a cell; `None`, and noted, where it cannot.
    pub fn read<T>(&mut self, name: &'static str, read: impl FnOnce(&str) -> anyhow::Result<T>) -> Option<T> {
        match read(self.get(name)) {
            Ok(value) => Some(value),
            Err(error) => {
                self.wrong(name, sentence(&error));
                None
            }
        }
    }

    /// The same where an empty cell means none.
    pub fn read_optional<T>(&mut self, name: &'static str, read: impl FnOnce(&str) -> anyhow::Result<T>) -> Result<Option<T>, Noted> {
        if self.get(name).is_empty() { Ok(None) } else { self.read(name, read).map(Some).ok_or(Noted) }
    }

    /// Whether a cell says yes.
    pub fn flag(&mut self, name: &'static str) -> bool {
        match self.get(name) {
            "yes" => true,
            "" | "no" => false,
            other => {
                let sentence = format!("{other:?} is neither yes nor empty.");
                self.wrong(name, sentence);
                false
            }
        }
    }

    /// Texts in the languages that have one, from the columns that begin with `plain`. American English has to be there.
    pub fn texts(&mut self, plain: &'static str) -> BTreeMap<TextLanguage, String> {
        // Shoppers' pages have holes: nothing that is typed forges one.
        let told = TextLanguage::ALL.map(|language| (language, domain::account::clean(self.get(&format!("{plain}{}", suffix(language))))));
        let texts: BTreeMap<_, _> = told.into_iter().filter(|(_, text)| !text.is_empty()).collect();
        if !texts.contains_key(&TextLanguage::EnUs) {
            self.wrong(plain, "American English is what every other language falls back to: type it.");
        }
        texts
    }

    /// What was read, or everything that is wrong.
    pub fn done<T>(self, value: Option<T>) -> Result<T, PutError> {
        match value {
            Some(value) if self.wrong.is_empty() => Ok(value),
            _ => Err(PutError::Wrong(self.wrong)),
        }
    }
}

/// A cell as it is kept: without marks, controls and invisible letters, each of its lines without spaces around it.
pub(super) fn clean(cell: &str) -> String {
    let lines: Vec<String> = cell.lines().map(domain::account::clean).filter(|line| !line.is_empty()).collect();
    lines.join("\n")
}

/// An error as a sentence that stands alone.
pub(super) fn sentence(error: &anyhow::Error) -> String {
    let text = format!("{error}");
    let mut letters = text.chars();
    let begun: String = letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default();
    if begun.ends_with(['.', '!', '?']) { begun } else { begun + "." }
}

/// Cells that are longer than their columns take, so that nothing is cut.
pub(super) fn too_long(table: Table, cells: &Cells) -> Vec<Wrong> {
    let columns = table.columns().iter().zip(cells);
    let long = columns.filter(|(column, cell)| cell.chars().count() > column.kind.chars_max() as usize);
    long.map(|(column, _)| (column.name, format!("At most {} characters.", column.kind.chars_max()))).collect()
}

/// A row whose cells stand under the names of their columns.
pub(super) fn row(table: Table, named: &[(&str, String)]) -> Cells {
    let cell = |name: &str| named.iter().find(|(known, _)| *known == name).map(|(_, cell)| cell.clone()).unwrap_or_default();
    table.columns().iter().map(|column| cell(column.name)).collect()
}

/// Texts under the names of their columns.
pub(super) fn texts(table: Table, plain: &str, texts: &BTreeMap<TextLanguage, String>, into: &mut Cells) {
    for (language, text) in texts {
        if let Some(cell) = table.position(&format!("{plain}{}", suffix(*language))).and_then(|at| into.get_mut(at)) {
            cell.clone_from(text);
        }
    }
}

/// An instant as a cell has it, exact: `2026-12-01T09:00:00Z`.
pub(super) fn instant(at: Instant) -> String {
    Timestamp::from_microsecond(at).map_or_else(|_| at.to_string(), |at| at.to_string())
}

/// What [`instant`] wrote, or a time in a market's zone.
pub(super) fn parse_instant(text: &str, zone: &str) -> anyhow::Result<Instant> {
    let zone = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    terms::instant(text, &zone)
}

/// `10.00EUR`.
pub(super) fn money(money: Money) -> String {
    format!("{}{}", money.decimal(), money.currency)
}

/// `48.00` in a currency, or `48.00EUR` if that is the one; `48,00` as well, for so spreadsheets write it in half of the markets. A comma before
/// three digits is refused where the currency has fewer: nobody knows what it means.
pub(super) fn parse_money(text: &str, currency: Currency) -> anyhow::Result<Money> {
    let plain = text.trim().trim_end_matches(currency.code()).trim_end();
    let pointed = if plain.contains('.') { plain.to_owned() } else { plain.replacen(',', ".", 1) };
    let example = Money::new(if currency.minor_digits() == 0 { 4_000 } else { 2_900 }, currency);
    terms::money(&format!("{pointed}{currency}"))
        .map_err(|_| anyhow::anyhow!("{text:?} is not an amount in {currency}, such as {}", example.decimal()))
}

/// Four decimals of a percent are its millionths: `9.975`.
pub(super) fn percent(millionths: u32) -> String {
    let text = format!("{}.{:04}", millionths / 10_000, millionths % 10_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// The market of a country, which says in which currency and zone its rows are meant.
pub(super) fn market<'a>(markets: &'a [Market], code: &str) -> anyhow::Result<&'a Market> {
    let known = || markets.iter().map(|market| market.code.code()).collect::<Vec<_>>().join(", ");
    markets.iter().find(|market| market.code.code() == code).ok_or_else(|| anyhow::anyhow!("there is no market {code:?}; there are {}", known()))
}

/// The market that delivers to a country.
pub(super) fn market_of(markets: &[Market], country: Country) -> Option<&Market> {
    markets.iter().find(|market| market.code == country).or_else(|| markets.iter().find(|market| market.countries.contains(&country)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_with_a_point_or_a_comma_and_never_guessed() {
        let read = |text, currency: &str| parse_money(text, currency.parse().expect("known")).map(|money| money.minor).ok();
        for (text, currency, minor) in [
            ("29.00", "EUR", Some(2_900)),
            ("29,90", "EUR", Some(2_990)),
            ("29,9EUR", "EUR", Some(2_990)),
            ("29", "EUR", Some(2_900)),
            ("4000", "JPY", Some(4_000)),
            ("4,000", "JPY", None),
            ("1,234", "EUR", None),
            ("1,234.50", "EUR", None),
            ("1.234,50", "EUR", None),
            ("1,2,3", "EUR", None),
            ("29.00USD", "EUR", None),
            ("-1", "EUR", None),
            ("", "EUR", None),
        ] {
            assert_eq!(read(text, currency), minor, "{text} {currency}");
        }
    }
}
