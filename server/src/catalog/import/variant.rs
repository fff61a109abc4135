//! A row's variant as the file has it: which options it chooses, what it costs, how many there are.

use super::{
    columns::{Cell, Row},
    report::Refusal,
};
use domain::money::{Currency, Money};

/// Largest quantity and weight.
const QUANTITY_MAX: i64 = 1_000_000;
const WEIGHT_G_MAX: i64 = 10_000_000;
/// Most business days that a variant may need before it leaves: as in a delivery method (`Method::DAYS_MAX`).
const HANDLING_DAYS_MAX: i64 = 90;

const VALUES: [&str; 3] = ["Option1 Value", "Option2 Value", "Option3 Value"];
/// A row that says something here has a variant.
const OF_VARIANTS: [&str; 6] =
    ["Option1 Value", "Variant Price", "Variant Compare At Price", "Variant SKU", "Variant Inventory Qty", "Variant Grams"];
/// A variant with one of these unreadable is not taken.
const READ_WHOLE: [&str; 12] = [
    "Option1 Value",
    "Option2 Value",
    "Option3 Value",
    "Variant SKU",
    "Variant Barcode",
    "Variant Grams",
    "Variant Handling Days",
    "Variant Inventory Tracker",
    "Variant Inventory Qty",
    "Variant Inventory Policy",
    "Variant Price",
    "Variant Compare At Price",
];
/// What Shopify writes for a product without choices.
pub(super) const NO_CHOICE: &str = "Default Title";

/// A variant as the file has it. `None` is what the file does not say: a known variant keeps it, a new one begins as each field tells.
#[derive(Clone, Debug)]
pub(super) struct DraftVariant {
    pub line: u64,
    /// Values of its options in the file's words.
    pub values: Vec<String>,
    /// New: blank.
    pub sku: Option<String>,
    /// New: blank.
    pub barcode: Option<String>,
    /// New: 0, not known.
    pub weight_g: Option<i64>,
    /// New: 0, it leaves as its location says.
    pub handling_days: Option<i64>,
    /// Whether pieces are counted. New: if the file counts any, so that nothing is sold without limit by an oversight.
    pub tracked: Option<bool>,
    pub tracked_if_new: bool,
    /// Whether it is sold on when nothing is left. New: no.
    pub oversell: Option<bool>,
    pub quantity: Option<i64>,
    /// Minor units. Empty: no price, so not sold. New without the column: not sold until a file says a price.
    pub price: Cell<i64>,
    /// Minor units.
    pub compare_at: Cell<i64>,
    pub image: Option<String>,
}

impl DraftVariant {
    /// Why a second variant of the same values is not taken.
    pub(super) fn is_there_already(&self) -> Refusal {
        let what = if self.values.is_empty() {
            "the product has one variant only".to_owned()
        } else {
            format!("{} is there already", self.values.join(" / "))
        };
        Refusal::new(self.line, VALUES[0], what)
    }
}

/// Whether a row has a variant.
pub(super) fn is_said(row: &Row<'_>) -> bool {
    OF_VARIANTS.iter().any(|column| row.get(column).is_some() || row.is_bad(column))
}

/// A row's variant. `options` are the names that the file gives the product's choices; `None`: it gives none, and the values are told by
/// what the shop knows. `Err(None)`: why it cannot be read stands in the row already.
pub(super) fn read(row: &Row<'_>, options: Option<&[String]>, currency: Currency) -> Result<DraftVariant, Option<Refusal>> {
    if READ_WHOLE.iter().any(|column| row.is_bad(column)) {
        return Err(None);
    }
    variant(row, options, currency).map_err(Some)
}

fn variant(row: &Row<'_>, options: Option<&[String]>, currency: Currency) -> Result<DraftVariant, Refusal> {
    let refuse = |column: &str, reason: String| Refusal::new(row.line, column, reason);
    let mut values: Vec<String> = Vec::new();
    match options {
        Some(names) => {
            for (column, _) in VALUES.iter().zip(names) {
                values.push(row.get(column).ok_or_else(|| refuse(column, "is empty".to_owned()))?.to_owned());
            }
        }
        None => values.extend(VALUES.iter().map_while(|column| row.get(column)).map(str::to_owned)),
    }
    if values == [NO_CHOICE] && options.is_none() {
        values.clear();
    }
    let whole = |column: &str, max: i64| -> Result<Option<i64>, Refusal> {
        let Some(text) = row.get(column) else { return Ok(None) };
        let number = text.split_once('.').map_or(text, |(whole, part)| if part.bytes().all(|byte| byte == b'0') { whole } else { text });
        let number: i64 = number.parse().map_err(|_| refuse(column, format!("{text:?} is not a whole number")))?;
        if (-max..=max).contains(&number) { Ok(Some(number)) } else { Err(refuse(column, format!("{text} is more than {max}"))) }
    };
    let money = |column: &str| -> Result<Cell<i64>, Refusal> {
        Ok(match row.cell(column) {
            Cell::Absent => Cell::Absent,
            Cell::Empty => Cell::Empty,
            Cell::Holds(text) => Cell::Holds(
                price(text, currency).ok_or_else(|| refuse(column, format!("{text:?} is not a price in {currency} such as {}", sample(currency))))?,
            ),
        })
    };
    let weight_g = whole("Variant Grams", WEIGHT_G_MAX)?;
    if weight_g.is_some_and(|grams| grams < 0) {
        return Err(refuse("Variant Grams", "a weight is not negative".to_owned()));
    }
    let handling_days = whole("Variant Handling Days", HANDLING_DAYS_MAX)?;
    if handling_days.is_some_and(|days| days < 0) {
        return Err(refuse("Variant Handling Days", "days are not negative".to_owned()));
    }
    let oversell = match row.cell("Variant Inventory Policy") {
        Cell::Absent => None,
        Cell::Empty => Some(false),
        Cell::Holds(text) => match text.to_lowercase().as_str() {
            "deny" | "false" => Some(false),
            "continue" | "true" => Some(true),
            policy => return Err(refuse("Variant Inventory Policy", format!("{policy:?} is neither deny nor continue"))),
        },
    };
    let tracked = match row.cell("Variant Inventory Tracker") {
        Cell::Absent => None,
        Cell::Empty => Some(false),
        Cell::Holds(_) => Some(true),
    };
    let said = |column: &str| row.cell(column).said_or_empty("").map(str::to_owned);
    Ok(DraftVariant {
        line: row.line,
        values,
        sku: said("Variant SKU"),
        barcode: said("Variant Barcode"),
        weight_g,
        handling_days,
        tracked,
        tracked_if_new: row.has_column("Variant Inventory Qty"),
        oversell,
        quantity: whole("Variant Inventory Qty", QUANTITY_MAX)?,
        price: money("Variant Price")?,
        compare_at: money("Variant Compare At Price")?,
        image: row.get("Variant Image").map(str::to_owned),
    })
}

/// A price in minor units: digits, at most one point, no more decimals than the currency has.
fn price(text: &str, currency: Currency) -> Option<i64> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let digits = currency.minor_digits() as usize;
    let (kept, rest) = fraction.split_at_checked(digits.min(fraction.len()))?;
    let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || whole.len() > 10 || !all_digits(whole) || !all_digits(kept) || !rest.bytes().all(|byte| byte == b'0') {
        return None;
    }
    format!("{whole}{kept:0<digits$}").parse().ok()
}

fn sample(currency: Currency) -> String {
    Money::new(34 * currency.minor_per_major(), currency).decimal()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prices_follow_the_currency() {
        for (text, currency, minor) in [
            ("34.00", "USD", Some(3400)),
            ("34", "USD", Some(3400)),
            ("34.5", "USD", Some(3450)),
            ("34.005", "USD", None),
            ("34.500", "USD", Some(3450)),
            ("4620.00", "JPY", Some(4620)),
            ("4620.50", "JPY", None),
            ("1.250", "KWD", Some(1250)),
            ("-1", "USD", None),
            ("1,299.00", "USD", None),
            ("€3", "EUR", None),
            (".5", "USD", None),
        ] {
            assert_eq!(price(text, currency.parse().expect("a code")), minor, "{text} {currency}");
        }
    }
}
