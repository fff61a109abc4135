//! Taxes on an order: dated rates by place, in a price or on top of it, rounded once per rate. The rates themselves are rows of a
//! table, each with its source.
//!
//! The rows are the port: whoever can name the rates of a place (the shop's own table, or a tax service whose answer becomes rows) stands
//! behind it; what they come to is reckoned here. Nothing here knows a VAT number: one alone never removes tax. In the EU that takes a number
//! that the authorities confirm *and* goods that cross a border to that business (Directive 2006/112/EC, art. 138), in Britain an export; this
//! shop sells to people, and taxes every order by where it goes.

use crate::{
    address::Destination,
    market::{Country, TaxMode},
    money::Money,
    offer::Instant,
    order::shares,
};
use serde::{Deserialize, Serialize};

/// The category of delivery charges in the table of rates. The others are those of products: `clothing` (what is worn on the body, without
/// jewellery, watches, glasses, bags and umbrellas), `books` (printed), `food`; `` is all that has no row of its own.
pub const DELIVERY: &str = "delivery";

/// One row of the table of rates.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rate {
    pub country: Country,
    /// Empty: the whole country. Otherwise as in [`crate::address::Address::region`].
    pub region: String,
    /// Empty: everything that has no row of its own.
    pub category: String,
    /// `VAT`, `GST`, `HST`, `PST`, `QST`, `RST`, `sales tax`, `consumption tax`: the page translates it.
    pub name: String,
    /// Millionths of the price: Quebec's 9.975 % is 99,750.
    pub millionths: u32,
    /// What of an amount the rate counts for.
    #[serde(default)]
    pub scope: Scope,
    /// An estimate, and said so to the shopper.
    pub estimated: bool,
    /// The law or the authority's page.
    pub source: String,
    pub valid_from: Instant,
}

/// What of an amount a row counts for. Prices are those after discounts, without tax on top.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    /// All of it.
    #[default]
    All,
    /// Pieces that cost less than this many minor units; dearer ones fall to the general row (New York: N.Y. Tax Law § 1115(a)(30)).
    Below(i64),
    /// What each piece costs beyond this many minor units (Massachusetts: G.L. c. 64H, § 6(k); Rhode Island: R.I. Gen. Laws § 44-18-30(27)).
    Above(i64),
    /// Delivery that shares the fate of the goods, each in proportion to its price: its own rate does not matter (the EU: Directive 2006/112/EC,
    /// art. 78(b), and ECJ C-349/96; Britain: HMRC Notice 700/24; states that let a seller allocate it).
    AsGoods,
    /// Delivery that bears the general rate as soon as something that this tax is due on comes with it, else none (New York: TB-ST-838).
    IfAny,
}

/// A part of an order as taxes see it: a line, or its delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Part<'a> {
    /// As in [`Rate::category`].
    pub category: &'a str,
    /// After discounts.
    pub amount: Money,
    /// How many pieces it is for; delivery counts none.
    pub pieces: u32,
}

/// One tax of an order.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TaxLine {
    pub name: String,
    pub country: Country,
    pub region: String,
    pub millionths: u32,
    /// What it was reckoned from: without this tax when on top, with it when included.
    pub base: Money,
    pub amount: Money,
    /// Contained in the prices, not added to them.
    pub included: bool,
    pub estimated: bool,
    pub rounding: Rounding,
}

/// How a fraction of a minor unit ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rounding {
    /// From a half on upwards: Canada (Excise Tax Act, s. 165.2), US states, Britain (HMRC Notice 700, 17.6), and by
    /// this shop's choice where national law leaves it open (the EU: ECJ C-484/06; Korea).
    HalfUp,
    /// Fractions are dropped, once per rate and invoice (Japan's qualified invoices: Consumption Tax Act Enforcement Order, art. 70-10;
    /// dropping is the common choice).
    Down,
}

impl Rounding {
    pub const fn of(country: Country) -> Self {
        match &country.0 {
            b"JP" => Self::Down,
            _ => Self::HalfUp,
        }
    }

    /// `numerator / denominator`, both positive.
    fn divide(self, numerator: i128, denominator: i128) -> i64 {
        let rounded = match self {
            Self::HalfUp => (numerator * 2 + denominator) / (denominator * 2),
            Self::Down => numerator / denominator,
        };
        i64::try_from(rounded).unwrap_or(i64::MAX)
    }
}

/// A whole: millionths.
const ONE: i128 = 1_000_000;

/// The rates in force for a part of an order at a place: the latest row of each name that has begun; a row for the category goes before the
/// general one. Rates of zero are left out, unless they are estimates for goods: where only towns levy a tax, a shopper is told that there
/// may be one.
pub fn in_force<'a>(rates: &'a [Rate], place: &Destination, part: Part, now: Instant) -> Vec<&'a Rate> {
    let here = |rate: &&Rate| {
        rate.country == place.country && (rate.region.is_empty() || Some(&rate.region) == place.region.as_ref()) && rate.valid_from <= now
    };
    let mut found: Vec<&Rate> = Vec::new();
    let is_meant = |rate: &&Rate| match rate.scope {
        Scope::Below(limit) if part.amount.minor >= limit.saturating_mul(part.pieces.into()) => false,
        _ => rate.category.is_empty() || rate.category == part.category,
    };
    let rank = |rate: &Rate| (!rate.category.is_empty(), rate.valid_from);
    for rate in rates.iter().filter(here).filter(is_meant) {
        match found.iter_mut().find(|known| is_same(known, rate)) {
            Some(known) if rank(rate) > rank(known) => *known = rate,
            Some(_) => {}
            None => found.push(rate),
        }
    }
    let says_something = |rate: &Rate| match rate.scope {
        Scope::AsGoods | Scope::IfAny => true,
        Scope::All | Scope::Below(_) | Scope::Above(_) => rate.millionths > 0 || (rate.estimated && rate.category != DELIVERY),
    };
    found.retain(|rate| says_something(rate));
    found
}

/// Whether the taxes of this place can be told without a region.
pub fn needs_region(rates: &[Rate], country: Country) -> bool {
    rates.iter().any(|rate| rate.country == country && !rate.region.is_empty())
}

/// The taxes on the parts of an order, goods before delivery. What stands under one rate is summed first and rounded once.
pub fn tax_lines(mode: TaxMode, parts: &[Part], place: &Destination, rates: &[Rate], now: Instant) -> Vec<TaxLine> {
    let Bases { rates, bases } = Bases::of(parts, place, rates, now);
    let included = mode == TaxMode::Inclusive;
    let rounding = Rounding::of(place.country);
    let line = |(index, rate): (usize, &&Rate)| {
        let base = bases.iter().map(|part| part[index]).fold(0_i64, i64::saturating_add);
        let (at, whole) = (i128::from(rate.millionths), i128::from(base.max(0)));
        let money = |minor| Money::new(minor, parts[0].amount.currency);
        (base > 0).then(|| TaxLine {
            name: rate.name.clone(),
            country: rate.country,
            region: rate.region.clone(),
            millionths: rate.millionths,
            base: money(base),
            amount: money(rounding.divide(whole * at, if included { ONE + at } else { ONE })),
            included,
            estimated: rate.estimated,
            rounding,
        })
    };
    rates.iter().enumerate().filter_map(line).collect()
}

/// What each part costs with the taxes that come on top of it, in millionths of a minor unit: what a refund is cut by.
pub fn weights(mode: TaxMode, parts: &[Part], place: &Destination, rates: &[Rate], now: Instant) -> Vec<i128> {
    let Bases { rates, bases } = Bases::of(parts, place, rates, now);
    let on_top = |bases: &Vec<i64>| match mode {
        TaxMode::Inclusive => 0,
        TaxMode::Exclusive => bases.iter().zip(&rates).map(|(base, rate)| i128::from(*base) * i128::from(rate.millionths)).sum(),
    };
    parts.iter().zip(&bases).map(|(part, bases)| i128::from(part.amount.minor) * ONE + on_top(bases)).collect()
}

/// How much of each part stands under each rate: a column for each rate, a row for each part.
struct Bases<'a> {
    rates: Vec<&'a Rate>,
    bases: Vec<Vec<i64>>,
}

impl<'a> Bases<'a> {
    fn of(parts: &[Part], place: &Destination, rates: &'a [Rate], now: Instant) -> Self {
        let mut all = Self { rates: Vec::new(), bases: vec![Vec::new(); parts.len()] };
        let goods: Vec<usize> = (0..parts.len()).filter(|at| parts[*at].category != DELIVERY).collect();
        for at in &goods {
            let part = parts[*at];
            for rate in in_force(rates, place, part, now) {
                let base = match rate.scope {
                    Scope::Above(limit) => (part.amount.minor - limit.saturating_mul(part.pieces.into())).max(0),
                    _ => part.amount.minor,
                };
                all.add(*at, rate, base);
            }
        }
        let worth: i64 = goods.iter().map(|at| parts[*at].amount.minor).fold(0, i64::saturating_add);
        for (at, part) in parts.iter().enumerate().filter(|(_, part)| part.category == DELIVERY) {
            for rate in in_force(rates, place, *part, now) {
                all.deliver(at, *part, rate, worth, || in_force(rates, place, Part { category: "", ..*part }, now));
            }
        }
        for row in &mut all.bases {
            row.resize(all.rates.len(), 0);
        }
        all
    }

    /// Puts a part's amount under a rate; rows that say the same are one.
    fn add(&mut self, part: usize, rate: &'a Rate, base: i64) {
        let known = self.rates.iter().position(|known| is_same(known, rate) && known.millionths == rate.millionths);
        let at = known.unwrap_or_else(|| {
            self.rates.push(rate);
            self.rates.len() - 1
        });
        if rate.estimated {
            // What is an estimate in part is one.
            self.rates[at] = rate;
        }
        let row = &mut self.bases[part];
        row.resize(row.len().max(at + 1), 0);
        row[at] = row[at].saturating_add(base);
    }

    /// Delivery of goods worth so much, all of which stand under their rates already. What is given away whole is delivered under the general rate.
    fn deliver(&mut self, at: usize, part: Part, rate: &'a Rate, worth: i64, general: impl FnOnce() -> Vec<&'a Rate>) {
        let standing: Vec<(&'a Rate, i64)> = (0..self.rates.len())
            .filter(|index| is_same(self.rates[*index], rate))
            .map(|index| (self.rates[index], self.bases.iter().filter_map(|row| row.get(index)).fold(0_i64, |sum, base| sum.saturating_add(*base))))
            .collect();
        let is_due = standing.iter().any(|(rate, base)| rate.millionths > 0 && *base > 0);
        match rate.scope {
            Scope::AsGoods if worth > 0 => {
                let mut parts: Vec<i128> = standing.iter().map(|(_, base)| i128::from(*base)).collect();
                // What bears none of this tax carries its part of the delivery too.
                parts.push(i128::from(worth) - parts.iter().sum::<i128>());
                for ((rate, _), share) in standing.into_iter().zip(shares(part.amount, &parts)) {
                    self.add(at, rate, share.minor);
                }
            }
            Scope::IfAny if worth > 0 && !is_due => {}
            Scope::AsGoods | Scope::IfAny => {
                if let Some(general) = general().into_iter().find(|general| is_same(general, rate)) {
                    self.add(at, general, part.amount.minor);
                }
            }
            Scope::All | Scope::Below(_) | Scope::Above(_) => self.add(at, rate, part.amount.minor),
        }
    }
}

/// Whether two rows are of one tax.
fn is_same(one: &Rate, other: &Rate) -> bool {
    one.name == other.name && one.region == other.region
}

#[cfg(test)]
mod tests;
