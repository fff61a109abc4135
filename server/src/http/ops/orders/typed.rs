//! What was typed into the forms of an order's page, field by field: all that is wrong with a form is told at once, each fault by its field.

use crate::{http::Fields, orders::ChangeError};
use domain::{
    money::{Currency, Money},
    order::{Order, Parcel, Portion},
};

/// Why nothing was done.
pub enum Refusal {
    /// In a sentence, beside the form.
    Why(String),
    /// All that is wrong with the fields, by name; without a name where it is about several.
    Wrong(Vec<(String, String)>),
    /// The order's own rules.
    Rule(ChangeError),
    Failed(anyhow::Error),
}

impl From<anyhow::Error> for Refusal {
    fn from(error: anyhow::Error) -> Self {
        Self::Failed(error)
    }
}
impl From<sqlx::Error> for Refusal {
    fn from(error: sqlx::Error) -> Self {
        Self::Failed(error.into())
    }
}
impl From<ChangeError> for Refusal {
    fn from(error: ChangeError) -> Self {
        match error {
            ChangeError::Failed(error) => Self::Failed(error),
            other => Self::Rule(other),
        }
    }
}

/// Said of a form whose hidden fields are not there.
pub const INCOMPLETE: &str = "The form was incomplete. Load the page again and repeat it.";

/// Carriers' names and numbers, in characters.
const CARRIER_CHARS_MAX: usize = 40;
const TRACKING_CHARS_MAX: usize = 60;
/// Pieces in one field.
const PIECES_MAX: u32 = 100_000;

/// What is wrong with a form's fields.
#[derive(Default)]
pub struct Faults(Vec<(String, String)>);

impl Faults {
    pub fn note(&mut self, field: impl Into<String>, why: impl Into<String>) {
        self.0.push((field.into(), why.into()));
    }

    /// A field's value; `None` once it is noted what is wrong with it.
    pub fn read<T>(&mut self, field: &str, value: Result<T, String>) -> Option<T> {
        value.map_err(|why| self.note(field, why)).ok()
    }

    /// What the fields said together, if nothing was wrong.
    pub fn end<T>(self, all: Option<T>) -> Result<T, Refusal> {
        match all {
            Some(all) if self.0.is_empty() => Ok(all),
            _ => Err(Refusal::Wrong(self.0)),
        }
    }

    /// Whether somebody confirmed what cannot be undone.
    pub fn sure(&mut self, fields: &Fields) {
        if fields.get("sure") != "yes" {
            self.note("sure", "Tick the box to confirm: this cannot be undone.");
        }
    }

    /// A number of pieces; an empty field is none.
    pub fn pieces(&mut self, fields: &Fields, name: &str) -> Option<u32> {
        let text = fields.get(name).trim();
        let read = if text.is_empty() { Ok(0) } else { text.parse().map_err(drop) };
        let pieces = read.ok().filter(|pieces| *pieces <= PIECES_MAX);
        self.read(name, pieces.ok_or_else(|| format!("Type a whole number of pieces, not “{text}”.")))
    }

    /// The pieces of each line, from the fields `line-…`: at least one.
    pub fn portions(&mut self, fields: &Fields, order: &Order) -> Option<Vec<Portion>> {
        let typed: Vec<Option<Portion>> = order
            .lines
            .iter()
            .map(|line| Some(Portion { line: line.line, quantity: self.pieces(fields, &format!("line-{}", line.line))? }))
            .collect();
        let mut portions = typed.into_iter().collect::<Option<Vec<Portion>>>()?;
        portions.retain(|portion| portion.quantity > 0);
        if portions.is_empty() {
            self.note("", "Choose at least one piece.");
            return None;
        }
        Some(portions)
    }

    /// An amount; an empty field is none.
    pub fn amount(&mut self, fields: &Fields, name: &str, currency: Currency) -> Option<Money> {
        let text = fields.get(name).trim();
        if text.is_empty() {
            return Some(Money::zero(currency));
        }
        let example = Money::new(1_250, currency).decimal();
        let read = Money::parse(text, currency).ok_or_else(|| format!("“{text}” is no amount in {currency}. Type it like {example}."));
        self.read(name, read)
    }

    /// The parcels that a form names: one carrier, a number on each line.
    pub fn parcels(&mut self, fields: &Fields) -> Option<Vec<Parcel>> {
        let carrier = self.read("carrier", carrier(fields.get("carrier")));
        let numbers = self.read("tracking", numbers(fields.get("tracking").lines()));
        carrier.zip(numbers).map(|(carrier, numbers)| parcels(&carrier, numbers))
    }
}

/// One carrier's parcels; no number is one parcel without.
pub fn named<'a>(by: &str, of: impl Iterator<Item = &'a str>) -> Result<Vec<Parcel>, String> {
    Ok(parcels(&carrier(by)?, numbers(of)?))
}

fn carrier(text: &str) -> Result<String, String> {
    let carrier = text.trim();
    if carrier.is_empty() || carrier.chars().count() > CARRIER_CHARS_MAX {
        return Err(format!("Name the carrier, in at most {CARRIER_CHARS_MAX} characters."));
    }
    Ok(carrier.to_owned())
}

fn numbers<'a>(typed: impl Iterator<Item = &'a str>) -> Result<Vec<&'a str>, String> {
    let numbers: Vec<&str> = typed.map(str::trim).filter(|number| !number.is_empty()).collect();
    match numbers.iter().find(|number| number.chars().count() > TRACKING_CHARS_MAX) {
        Some(long) => Err(format!("A tracking number has at most {TRACKING_CHARS_MAX} characters: “{long}” has more.")),
        None => Ok(numbers),
    }
}

fn parcels(carrier: &str, numbers: Vec<&str>) -> Vec<Parcel> {
    let parcel = |number: &str| Parcel { carrier: carrier.to_owned(), tracking: number.to_owned() };
    if numbers.is_empty() { vec![parcel("")] } else { numbers.into_iter().map(parcel).collect() }
}
