//! The explained total: every amount that leads to what is paid, each with the reason for it. Nothing else adds up an order.

use crate::{
    address::Destination,
    cart::Quantity,
    delivery::Method,
    ids::{ProductId, VariantId},
    market::{Market, TaxMode},
    money::{Money, MoneyError},
    offer::{Instant, Offer},
    tax::{self, Rate, TaxLine},
};
use serde::{Deserialize, Serialize};

/// What is to be priced: a variant that this market sells, with its offer of this instant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wanted {
    pub product: ProductId,
    pub variant: VariantId,
    pub quantity: Quantity,
    pub offer: Offer,
    /// As in the table of tax rates; `standard` and empty are the general rate.
    pub tax_category: String,
}

/// A line with its price.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PricedLine {
    pub product: ProductId,
    pub variant: VariantId,
    pub quantity: Quantity,
    pub unit: Money,
    /// The earlier price of one piece, where it may be shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit_was: Option<Money>,
    pub total: Money,
}

impl PricedLine {
    /// The line at its earlier price.
    pub fn total_was(&self) -> Option<Money> {
        self.unit_was.and_then(|was| was.times(self.quantity.get()).ok())
    }
}

/// Goods, delivery, taxes and what they come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub lines: Vec<PricedLine>,
    /// The lines' sum: what limits for free delivery look at.
    pub goods: Money,
    /// `None`: not chosen yet.
    pub delivery: Option<Money>,
    pub taxes: Vec<TaxLine>,
    /// Whether the taxes on top are known: they wait for an address.
    pub tax_known: bool,
    pub total: Money,
    /// How the total came about, in the order of the page. The entries that are not [`Entry::included`] add up to the total.
    pub entries: Vec<Entry>,
}

impl Quote {
    /// Whether delivery and tax are settled, so that this total may be paid.
    pub const fn is_final(&self) -> bool {
        self.delivery.is_some() && self.tax_known
    }

    /// Whether any tax is an estimate.
    pub fn is_estimated(&self) -> bool {
        self.taxes.iter().any(|line| line.estimated)
    }
}

/// One amount with its reason.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    pub label: Label,
    pub amount: Money,
    pub why: Why,
    /// Contained in the others: shown, not added.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub included: bool,
}

/// What an amount is called; the page has the words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Label {
    /// The goods at their earlier prices.
    Subtotal,
    /// What reductions take off.
    Reductions,
    Delivery,
    /// By the tax's name and region.
    Tax {
        name: String,
        region: String,
        millionths: u32,
    },
}

/// Why an amount is what it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Why {
    /// So many lines of so many pieces, each its price times its quantity.
    Lines { lines: u32, pieces: u32 },
    /// So many pieces cost less than before; until when, if that is known (the earliest).
    Reduced { pieces: u32, until: Option<Instant> },
    /// The goods reach the limit.
    FreeFrom { limit: Money },
    /// The method's price; from which limit it would be free.
    Charged { free_from: Option<Money> },
    /// Free of charge at any value.
    Free,
    /// Rate times base, rounded once.
    TaxOnTop { base: Money, rounding: tax::Rounding, estimated: bool },
    /// Contained in prices and delivery.
    TaxIncluded { base: Money, rounding: tax::Rounding },
}

/// Prices an order. `destination` is `None` while no address is known: then taxes on top are missing and `tax_known` is false, and taxes
/// inside prices are those of the market's own country.
pub fn quote(
    market: &Market,
    wanted: &[Wanted],
    delivery: Option<&Method>,
    destination: Option<&Destination>,
    rates: &[Rate],
    now: Instant,
) -> Result<Quote, QuoteError> {
    let zero = Money::zero(market.currency);
    let mut lines = Vec::with_capacity(wanted.len());
    let (mut goods, mut before) = (zero, zero);
    let (mut reduced_pieces, mut reduced_until) = (0, None::<Instant>);
    for line in wanted {
        let total = line.offer.price.times(line.quantity.get())?;
        goods = goods.plus(total)?;
        before = before.plus(line.offer.was.unwrap_or(line.offer.price).times(line.quantity.get())?)?;
        if line.offer.was.is_some() {
            reduced_pieces += line.quantity.get();
            reduced_until = [reduced_until, line.offer.valid_until].into_iter().flatten().min();
        }
        let (product, variant, quantity) = (line.product, line.variant, line.quantity);
        lines.push(PricedLine { product, variant, quantity, unit: line.offer.price, unit_was: line.offer.was, total });
    }
    let charge = delivery.map(|method| method.charge(goods));

    let home = Destination { country: market.code, region: None };
    let place = destination.unwrap_or(&home);
    let tax_known =
        market.tax_mode == TaxMode::Inclusive || destination.is_some_and(|place| place.region.is_some() || !tax::needs_region(rates, place.country));
    let mut amounts: Vec<(&str, Money)> = lines.iter().zip(wanted).map(|(line, wanted)| (general(&wanted.tax_category), line.total)).collect();
    amounts.extend(charge.map(|charge| (tax::DELIVERY, charge)));
    let taxes = if tax_known { tax::tax_lines(market.tax_mode, &amounts, place, rates, now) } else { Vec::new() };

    let mut total = goods.plus(charge.unwrap_or(zero))?;
    for line in taxes.iter().filter(|line| !line.included) {
        total = total.plus(line.amount)?;
    }

    let pieces = wanted.iter().map(|line| line.quantity.get()).sum();
    let count = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
    let entry = |label, amount, why| Entry { label, amount, why, included: false };
    let mut entries = vec![entry(Label::Subtotal, before, Why::Lines { lines: count, pieces })];
    if before != goods {
        entries.push(entry(Label::Reductions, goods.minus(before)?, Why::Reduced { pieces: reduced_pieces, until: reduced_until }));
    }
    if let (Some(method), Some(charge)) = (delivery, charge) {
        let why = match method.free_from {
            Some(limit) if method.is_free(goods) && !method.price.is_zero() => Why::FreeFrom { limit },
            _ if charge.is_zero() => Why::Free,
            free_from => Why::Charged { free_from },
        };
        entries.push(entry(Label::Delivery, charge, why));
    }
    entries.extend(taxes.iter().map(|line| Entry {
        label: Label::Tax { name: line.name.clone(), region: line.region.clone(), millionths: line.millionths },
        amount: line.amount,
        why: if line.included {
            Why::TaxIncluded { base: line.base, rounding: line.rounding }
        } else {
            Why::TaxOnTop { base: line.base, rounding: line.rounding, estimated: line.estimated }
        },
        included: line.included,
    }));
    Ok(Quote { lines, goods, delivery: charge, taxes, tax_known, total, entries })
}

/// A product's tax category as the table of rates has it.
pub fn general(category: &str) -> &str {
    if category == "standard" { "" } else { category }
}

/// Why no total could be made: an offer in another currency, or amounts beyond all reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the total cannot be reckoned: {0}")]
pub struct QuoteError(#[from] MoneyError);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{delivery::CutOff, money::Currency};
    use proptest::prelude::*;
    use std::collections::BTreeMap;
    use uuid::Uuid;

    fn market(code: &str, currency: Currency, tax_mode: TaxMode) -> Market {
        let code = code.parse().expect("a code");
        Market {
            code,
            countries: vec![code],
            legal_entity: String::new(),
            currency,
            price_list: String::new(),
            tax_mode,
            time_zone: "UTC".to_owned(),
            locations: vec![],
            split: crate::sourcing::Split::Allowed,
        }
    }
    fn wanted(n: u128, pieces: u32, minor: i64, was: Option<i64>, currency: Currency) -> Wanted {
        let money = |minor| Money::new(minor, currency);
        Wanted {
            product: ProductId(Uuid::from_u128(n)),
            variant: VariantId(Uuid::from_u128(n)),
            quantity: Quantity::new(pieces).expect("in range"),
            offer: Offer { price: money(minor), was: was.map(money), valid_until: None },
            tax_category: "standard".to_owned(),
        }
    }
    fn method(minor: i64, free_from: Option<i64>, currency: Currency) -> Method {
        let money = |minor| Money::new(minor, currency);
        let cut_off = CutOff { hour: 12, minute: 0, zone: "UTC".to_owned() };
        Method {
            code: "standard".to_owned(),
            names: BTreeMap::new(),
            price: money(minor),
            free_from: free_from.map(money),
            days_min: 1,
            days_max: 2,
            cut_off,
            ships_from: String::new(),
        }
    }
    fn rate(country: &str, region: &str, name: &str, millionths: u32) -> Rate {
        let country = country.parse().expect("a code");
        Rate {
            country,
            region: region.to_owned(),
            category: String::new(),
            name: name.to_owned(),
            millionths,
            estimated: false,
            source: String::new(),
            valid_from: 0,
        }
    }

    #[test]
    fn the_drawn_checkout_adds_up() {
        // Everyday tote $48.00, belt $72.00 instead of $90.00, free delivery, 8.625 %: 120.00 + 10.35 = 130.35
        let us = market("US", Currency::USD, TaxMode::Exclusive);
        let lines = [wanted(1, 1, 4_800, None, Currency::USD), wanted(2, 1, 7_200, Some(9_000), Currency::USD)];
        let rates = [rate("US", "CA", "sales tax", 86_250)];
        let place = Destination { country: us.code, region: Some("CA".to_owned()) };
        let quote = quote(&us, &lines, Some(&method(595, Some(7_500), Currency::USD)), Some(&place), &rates, 1).expect("a total");
        let amounts: Vec<_> = quote.entries.iter().map(|entry| entry.amount.minor).collect();
        assert_eq!((amounts.as_slice(), quote.total.minor, quote.is_final()), ([13_800, -1_800, 0, 1_035].as_slice(), 13_035, true));
    }

    #[test]
    fn tax_on_top_waits_for_an_address() {
        let us = market("US", Currency::USD, TaxMode::Exclusive);
        let lines = [wanted(1, 2, 1_000, None, Currency::USD)];
        let rates = [rate("US", "CA", "sales tax", 86_250)];
        let quote = quote(&us, &lines, Some(&method(595, None, Currency::USD)), None, &rates, 1).expect("a total");
        assert_eq!((quote.total.minor, quote.tax_known, quote.taxes.len()), (2_595, false, 0));
    }

    #[test]
    fn included_tax_is_shown_and_not_added() {
        let de = market("DE", Currency::EUR, TaxMode::Inclusive);
        let quote = quote(&de, &[wanted(1, 1, 11_900, None, Currency::EUR)], None, None, &[rate("DE", "", "VAT", 190_000)], 1).expect("a total");
        assert_eq!((quote.total.minor, quote.taxes[0].amount.minor, quote.entries.last().map(|entry| entry.included)), (11_900, 1_900, Some(true)));
    }

    #[test]
    fn mixed_currencies_have_no_total() {
        let de = market("DE", Currency::EUR, TaxMode::Inclusive);
        assert!(quote(&de, &[wanted(1, 1, 100, None, Currency::USD)], None, None, &[], 1).is_err());
    }

    proptest! {
        #[test]
        fn entries_add_up_to_the_total(
            lines in prop::collection::vec((1_u32..=10, 1_i64..10_000_000, prop::option::of(0_i64..5_000_000)), 0..50),
            price in 0_i64..10_000, free_from in prop::option::of(0_i64..1_000_000), exclusive: bool,
        ) {
            let mode = if exclusive { TaxMode::Exclusive } else { TaxMode::Inclusive };
            let market = market("CA", Currency::CAD, mode);
            let lines: Vec<_> = lines.iter().enumerate().map(|(n, (pieces, minor, more))| {
                wanted(n as u128, *pieces, *minor, more.filter(|more| *more > 0).map(|more| minor + more), Currency::CAD)
            }).collect();
            let rates = [rate("CA", "QC", "GST", 50_000), rate("CA", "QC", "QST", 99_750)];
            let place = Destination { country: market.code, region: Some("QC".to_owned()) };
            let quote = quote(&market, &lines, Some(&method(price, free_from, Currency::CAD)), Some(&place), &rates, 1).expect("a total");
            let added: i64 = quote.entries.iter().filter(|entry| !entry.included).map(|entry| entry.amount.minor).sum();
            prop_assert_eq!(added, quote.total.minor);
            prop_assert_eq!(quote.lines.iter().map(|line| line.total.minor).sum::<i64>(), quote.goods.minor);
            let on_top: i64 = quote.taxes.iter().filter(|line| !line.included).map(|line| line.amount.minor).sum();
            prop_assert_eq!(quote.total.minor, quote.goods.minor + quote.delivery.map_or(0, |charge| charge.minor) + on_top);
        }
    }
}
