//! Invoices and the credit notes that correct them: what each says, frozen, and how its amounts follow from an order. Which number one gets,
//! and that it gets none twice, is decided in SQL; words and layout are the page's business. What a credit note takes back is in [`credit()`].
//!
//! What must stand on one, and where it stands here. EU, Directive 2006/112/EC, art. 226: (1) `issued_at`, (2) `number`, (3) and (5)
//! `seller` and the buyer, who is kept apart (see [`Buyer`]), (6) `rows`, (7) `paid_at` and `promise`: the day of the payment on account, which
//! is when the tax became due (art. 65), since goods leave afterwards, (8) to (10) `taxes` with base, rate and amount, and the price of a piece
//! without tax ([`Row::unit_net`]); a credit note names the invoice that it corrects (art. 219). Great Britain, HMRC VAT Notice 700, 16.3: the
//! same items. Japan, Consumption Tax Act, art. 57-4(1): the registered number (T and 13 digits) in `seller`, day, goods with a mark at the
//! reduced rate ([`Tax::is_reduced`]), totals and tax a rate, rounded once a rate (Enforcement Order, art. 70-10); for what goes back art. 57-4(3).
//! Canada, Input Tax Credit Information (GST/HST) Regulations, s. 3: the registration number, day, total and tax. Korea's receipts for
//! consumers (VAT Act, art. 36) name the supplier with the registration number, the supply value and the tax. US states ask for the tax apart from the price.

mod credit;

pub use credit::{Taken, credit, due, taken_back};

use crate::{
    address::Destination,
    delivery::Promise,
    locale::Locale,
    market::{Country, MarketCode, TaxMode},
    money::Money,
    offer::Instant,
    order::shares,
    pricing::Quote,
    refund::RefundReason,
    tax::{self, Part, Rate, Rounding},
};
use serde::{Deserialize, Serialize};

/// An invoice or a credit note, as it was issued. Nothing in it is personal. A wire type: fields are added, never renamed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invoice {
    /// As [`number`] writes it.
    pub number: String,
    pub kind: Kind,
    /// The order's number.
    pub order: String,
    pub market: MarketCode,
    /// In whose words it is written.
    pub locale: Locale,
    /// The market's zone, in which its days are told.
    pub time_zone: String,
    pub issued_at: Instant,
    pub ordered_at: Instant,
    pub paid_at: Instant,
    /// When the goods were to arrive, as promised with the order.
    pub promise: Promise,
    /// Some goods were on back-order: no day was promised, and `promise` is as if all were there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub undated: bool,
    pub seller: Seller,
    pub tax_mode: TaxMode,
    pub amounts: Amounts,
}

/// What a document is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Kind {
    Invoice,
    /// Its amounts are what is taken back, as positive figures.
    CreditNote {
        /// The invoice's number and day.
        corrects: String,
        corrects_issued_at: Instant,
        reason: RefundReason,
    },
}

impl Kind {
    /// The word in the table.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Invoice => "invoice",
            Self::CreditNote { .. } => "credit_note",
        }
    }
}

/// A legal entity as it sells in a market.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seller {
    /// What its series of numbers are kept under: `nextgen-eu`. Several markets may have one entity.
    pub entity: String,
    /// What its invoices' numbers begin with in this market: `DE`; credit notes have [`CREDIT_NOTES`] behind it.
    pub series: String,
    pub name: String,
    /// Lines of its address, without the country.
    pub address: Vec<String>,
    pub country: Country,
    #[serde(default)]
    pub tax_ids: Vec<TaxId>,
    /// Register, directors, what else the law of its seat asks for, and that a demo is one.
    #[serde(default)]
    pub remarks: Vec<String>,
}

/// A number under which an entity is registered for a tax.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxId {
    /// As the law of the market calls it: `USt-IdNr.`, `登録番号`.
    pub label: String,
    pub number: String,
}

/// Whom a document is for: the lines of a name and an address. Personal data, kept by law when the customer is erased
/// (Regulation (EU) 2016/679, art. 17(3)(b)), and for that sealed with a key of its own.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Buyer {
    pub lines: Vec<String>,
    pub country: Option<Country>,
}

impl std::fmt::Debug for Buyer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Personal data stays out of logs.
        f.write_str("Buyer(…)")
    }
}

/// Rows, taxes and what they come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    pub rows: Vec<Row>,
    pub taxes: Vec<Tax>,
    /// The total without its taxes.
    pub net: Money,
    pub total: Money,
}

/// What a row is called.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    pub title: String,
    #[serde(default)]
    pub options: Vec<String>,
    #[serde(default)]
    pub sku: String,
}

/// Equal pieces, or their delivery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Row {
    /// The order's line; `None`: delivery.
    pub line: Option<u32>,
    pub item: Item,
    /// Pieces; 0 where a credit note takes something off the price only.
    pub quantity: u32,
    /// The price of one, as prices stand in this market: with tax or without.
    pub unit: Money,
    /// What came off, as a positive amount.
    pub discount: Money,
    /// What the row comes to, as prices stand in this market.
    pub amount: Money,
    /// What of the total it is: after discounts, with taxes.
    pub paid: Money,
    /// How much of it stands under each tax, in the order of [`Amounts::taxes`], in minor units.
    pub bases: Vec<i64>,
}

/// One tax: all that stands under one rate, rounded once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tax {
    /// As in [`Rate::name`].
    pub name: String,
    pub country: Country,
    pub region: String,
    pub millionths: u32,
    /// What it is reckoned from: with this tax where it is included, without it where it comes on top.
    pub base: Money,
    pub amount: Money,
    pub included: bool,
    pub rounding: Rounding,
}

impl Tax {
    /// What it is due on, without it.
    pub const fn net(&self) -> Money {
        Money::new(if self.included { self.base.minor - self.amount.minor } else { self.base.minor }, self.base.currency)
    }

    /// Japan's reduced rate of 8 %, which is marked on each row (Consumption Tax Act, art. 57-4(1)(iii)).
    pub fn is_reduced(&self) -> bool {
        self.country.code() == "JP" && self.millionths == 80_000
    }
}

impl Row {
    /// The price of one piece without the taxes that it contains, from a half on upwards. `None`: it contains none.
    pub fn unit_net(&self, taxes: &[Tax]) -> Option<Money> {
        let whole: i128 = self.taxes(taxes).filter(|tax| tax.included).map(|tax| i128::from(tax.millionths)).sum();
        let ratio = 1_000_000 + whole;
        let minor = (i128::from(self.unit.minor) * 1_000_000 * 2 + ratio) / (ratio * 2);
        (whole > 0).then(|| Money::new(i64::try_from(minor).unwrap_or(i64::MAX), self.unit.currency))
    }

    /// The taxes that the row bears.
    pub fn taxes<'a>(&'a self, taxes: &'a [Tax]) -> impl Iterator<Item = &'a Tax> {
        taxes.iter().zip(&self.bases).filter(|(_, base)| **base > 0).map(|(tax, _)| tax)
    }
}

/// What stands behind a seller's series in the numbers of credit notes, which are counted apart.
pub const CREDIT_NOTES: &str = "-C";

/// A number: `DE-2026-000042`. `generation` counts how often the books were restored from a backup: what was numbered after it was taken may
/// be in somebody's hands, so numbers go on in a series of their own: `DE-2026-R1-000001` (one or more series: art. 226(2)).
pub fn number(series: &str, year: i64, generation: i64, ordinal: i64) -> String {
    if generation == 0 { format!("{series}-{year}-{ordinal:06}") } else { format!("{series}-{year}-R{generation}-{ordinal:06}") }
}

impl Amounts {
    /// What an order comes to. `items` name the lines and at last delivery; `paid` is what of the total each costs, or empty in orders from before
    /// that was kept; `bases` as [`bases`] finds them.
    pub fn of(quote: &Quote, items: Vec<Item>, paid: &[Money], bases: Vec<Vec<i64>>) -> Self {
        let zero = Money::zero(quote.total.currency);
        let goods = (0..).zip(&quote.lines).map(|(line, priced)| (Some(line), priced.quantity.get(), priced.unit, priced.discount, priced.net()));
        let delivery = quote.delivery.zip(quote.net_delivery()).map(|(charge, net)| {
            let off = Money::new(charge.minor - net.minor, charge.currency);
            (None, 1, charge, Some(off), net)
        });
        let parts: Vec<_> = goods.chain(delivery).collect();
        let weights: Vec<i128> = parts.iter().map(|part| i128::from(part.4.minor)).collect();
        let paid = if paid.len() == parts.len() { paid.to_vec() } else { shares(quote.total, &weights) };
        let mut items = items.into_iter();
        let mut bases = bases.into_iter();
        let rows = parts.into_iter().zip(paid).map(|((line, quantity, unit, discount, amount), paid)| Row {
            line,
            item: items.next().unwrap_or_default(),
            quantity,
            unit,
            discount: discount.unwrap_or(zero),
            amount,
            paid,
            bases: bases.next().unwrap_or_else(|| vec![0; quote.taxes.len()]),
        });
        let taxes = quote.taxes.iter().map(|line| Tax {
            name: line.name.clone(),
            country: line.country,
            region: line.region.clone(),
            millionths: line.millionths,
            base: line.base,
            amount: line.amount,
            included: line.included,
            rounding: line.rounding,
        });
        let (rows, taxes): (Vec<Row>, Vec<Tax>) = (rows.collect(), taxes.collect());
        let tax: i64 = taxes.iter().map(|tax| tax.amount.minor).sum();
        Self { rows, taxes, net: Money::new(quote.total.minor - tax, quote.total.currency), total: quote.total }
    }
}

/// How much of each part of an order stands under each of its frozen taxes: a row for each part, goods before delivery. The order did not keep
/// it, so it is reckoned again from the rates of that instant; where that does not lead to the frozen taxes (a product has changed its category
/// since), each tax is spread over the parts in proportion.
pub fn bases(mode: TaxMode, quote: &Quote, parts: &[Part], place: &Destination, rates: &[Rate], at: Instant) -> Vec<Vec<i64>> {
    found(mode, quote, parts, place, rates, at).unwrap_or_else(|| {
        let weights: Vec<i128> = parts.iter().map(|part| i128::from(part.amount.minor)).collect();
        let mut rows = vec![Vec::with_capacity(quote.taxes.len()); parts.len()];
        for tax in &quote.taxes {
            for (row, share) in rows.iter_mut().zip(shares(tax.base, &weights)) {
                row.push(share.minor);
            }
        }
        rows
    })
}

fn found(mode: TaxMode, quote: &Quote, parts: &[Part], place: &Destination, rates: &[Rate], at: Instant) -> Option<Vec<Vec<i64>>> {
    let mut left: Vec<i64> = quote.taxes.iter().map(|tax| tax.base.minor).collect();
    let mut rows = Vec::with_capacity(parts.len());
    let (goods, delivery): (Vec<&Part>, Vec<&Part>) = parts.iter().partition(|part| part.category != tax::DELIVERY);
    for part in goods {
        let mut row = vec![0; left.len()];
        for line in tax::tax_lines(mode, &[*part], place, rates, at) {
            let place = quote.taxes.iter().position(|tax| tax.name == line.name && tax.region == line.region && tax.millionths == line.millionths)?;
            row[place] = line.base.minor;
            left[place] -= line.base.minor;
        }
        rows.push(row);
    }
    // Delivery may share the rates of the goods: what they leave is its part.
    let is_whole = match delivery.as_slice() {
        [] => left.iter().all(|base| *base == 0),
        [part] => left.iter().all(|base| (0..=part.amount.minor).contains(base)),
        _ => false,
    };
    rows.extend(delivery.first().map(|_| left));
    is_whole.then_some(rows)
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod whole_life;
