//! The explained total: every amount that leads to what is paid, each with the reason for it. Nothing else adds up an order.

use crate::{
    address::Destination,
    cart::Quantity,
    delivery::{Method, ZoneName},
    discount::Granted,
    ids::{ProductId, PromotionId, VariantId},
    market::{Market, TaxMode},
    money::{Money, MoneyError},
    offer::{Instant, Offer},
    promotion::{self, Candidate, Refusal, Settled, Traced},
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
    /// Of one piece, in grams; 0: not known.
    pub weight_g: u32,
    /// As in the table of tax rates; `standard` and empty are the general rate.
    pub tax_category: String,
    /// By key; empty: none.
    pub category: String,
    /// By key.
    pub tags: Vec<String>,
}

/// What it all weighs, in grams.
pub fn grams(wanted: &[Wanted]) -> u64 {
    wanted.iter().map(|line| u64::from(line.weight_g) * u64::from(line.quantity.get())).sum()
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
    /// The line's share of the order's discounts, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub discount: Option<Money>,
}

impl PricedLine {
    /// The line at its earlier price.
    pub fn total_was(&self) -> Option<Money> {
        self.unit_was.and_then(|was| was.times(self.quantity.get()).ok())
    }

    /// What is paid for the line: its total without its share of the discounts.
    pub fn net(&self) -> Money {
        // A share never exceeds its line.
        Money::new(self.total.minor - self.discount.map_or(0, |share| share.minor), self.total.currency)
    }
}

/// Goods, delivery, taxes and what they come to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Quote {
    pub lines: Vec<PricedLine>,
    /// The lines' sum before discounts: what limits for free delivery look at, so that a promotion never makes delivery dearer.
    pub goods: Money,
    /// `None`: not chosen yet. Before discounts.
    pub delivery: Option<Money>,
    /// Those that took something off, in the order in which they did.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub discounts: Vec<Granted>,
    pub taxes: Vec<TaxLine>,
    /// Whether the taxes on top are known: they wait for an address.
    pub tax_known: bool,
    pub total: Money,
    /// How the total came about, in the order of the page. The entries that are not [`Entry::included`] add up to the total.
    pub entries: Vec<Entry>,
    /// What became of each promotion: those that applied, in the order in which they did, then the others.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub trace: Vec<Traced>,
}

impl Quote {
    /// Whether delivery and tax are settled, so that this total may be paid.
    pub const fn is_final(&self) -> bool {
        self.delivery.is_some() && self.tax_known
    }

    /// What is paid for delivery, without taxes on top: its charge after discounts.
    pub fn net_delivery(&self) -> Option<Money> {
        let off: i64 = self.entries.iter().filter(|entry| entry.why == Why::DeliveryOff).map(|entry| entry.amount.minor).sum();
        self.delivery.map(|charge| Money::new(charge.minor + off, charge.currency))
    }

    /// Why the code that was typed gave nothing.
    pub fn code_refusal(&self) -> Option<&Refusal> {
        self.trace.iter().find(|traced| !traced.code.is_empty())?.refusal()
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
    /// Of a delivery: the zone that it goes to, and what its weight added. Releases before it knew neither.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parcel: Option<Parcel>,
}

/// What made a delivery's price another than the method's own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parcel {
    /// `None`: the market's home zone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub zone: Option<ZoneName>,
    /// The parcel's weight and what that added; `None`: nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heavy: Option<Heavy>,
}

/// What a heavy parcel costs more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Heavy {
    pub grams: u64,
    pub plus: Money,
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
    /// What a promotion takes off; `code` is empty where none was needed.
    Discount {
        code: String,
        title: String,
        /// Which one of the trace. Orders from before it have none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        promotion: Option<PromotionId>,
    },
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
    /// Millionths of the goods that the discount counts, rounded once.
    PercentOff { millionths: u32, base: Money },
    /// So much off the goods, at most what they cost.
    AmountOff { amount: Money },
    /// Standard delivery costs nothing.
    DeliveryOff,
    /// Rate times base, rounded once.
    TaxOnTop { base: Money, rounding: tax::Rounding, estimated: bool },
    /// Contained in prices and delivery.
    TaxIncluded { base: Money, rounding: tax::Rounding },
}

/// Prices an order. Of the `candidates` those apply that leave the lowest price; each works on what the ones before left, and lowers what is taxed.
/// `destination` is `None` while no address is known: then taxes on top are missing and `tax_known` is false, and taxes
/// inside prices are those of the market's own country. `delivery` is the method as it is for the place that it goes to ([`Method::to`]).
pub fn quote(
    market: &Market,
    wanted: &[Wanted],
    candidates: &[Candidate<'_>],
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
        lines.push(PricedLine { product, variant, quantity, unit: line.offer.price, unit_was: line.offer.was, total, discount: None });
    }
    let grams = grams(wanted);
    let charge = delivery.map(|method| method.charge(goods, grams));
    let Settled { open, granted, trace } = promotion::settle(market, wanted, delivery, candidates, now);
    for (line, left) in lines.iter_mut().zip(&open.lines) {
        line.discount = (left.minor < line.total.minor).then(|| Money::new(line.total.minor - left.minor, market.currency));
    }

    let home = Destination { country: market.code, region: None };
    let place = destination.unwrap_or(&home);
    let tax_known =
        market.tax_mode == TaxMode::Inclusive || destination.is_some_and(|place| place.region.is_some() || !tax::needs_region(rates, place.country));
    let parts = tax_parts(&lines, wanted, charge.map(|charge| Money::new(open.delivery, charge.currency)));
    let taxes = if tax_known { tax::tax_lines(market.tax_mode, &parts, place, rates, now) } else { Vec::new() };

    let mut total = goods.plus(charge.unwrap_or(zero))?;
    for (discount, _) in &granted {
        total = total.minus(discount.amount)?;
    }
    for line in taxes.iter().filter(|line| !line.included) {
        total = total.plus(line.amount)?;
    }

    let pieces = wanted.iter().map(|line| line.quantity.get()).sum();
    let count = u32::try_from(wanted.len()).unwrap_or(u32::MAX);
    let entry = |label, amount, why| Entry { label, amount, why, included: false, parcel: None };
    let mut entries = vec![entry(Label::Subtotal, before, Why::Lines { lines: count, pieces })];
    if before != goods {
        entries.push(entry(Label::Reductions, goods.minus(before)?, Why::Reduced { pieces: reduced_pieces, until: reduced_until }));
    }
    let (off_delivery, off_goods): (Vec<_>, Vec<_>) = granted.iter().partition(|(_, why)| *why == Why::DeliveryOff);
    let taken = |(discount, why): &(Granted, Why)| {
        let label = Label::Discount { code: discount.code.clone(), title: discount.title.clone(), promotion: Some(discount.promotion) };
        entry(label, Money::new(-discount.amount.minor, market.currency), why.clone())
    };
    entries.extend(off_goods.into_iter().map(taken));
    if let (Some(method), Some(charge)) = (delivery, charge) {
        let why = match method.free_from {
            Some(limit) if method.is_free(goods) && !method.price.is_zero() => Why::FreeFrom { limit },
            _ if charge.is_zero() => Why::Free,
            free_from => Why::Charged { free_from },
        };
        let step = method.weight_step(grams).filter(|_| !method.is_free(goods));
        let heavy = step.map(|step| Heavy { grams, plus: step.plus });
        let parcel = (method.zone.is_some() || heavy.is_some()).then(|| Parcel { zone: method.zone.clone(), heavy });
        entries.push(Entry { parcel, ..entry(Label::Delivery, charge, why) });
    }
    entries.extend(off_delivery.into_iter().map(taken));
    entries.extend(taxes.iter().map(|line| Entry {
        label: Label::Tax { name: line.name.clone(), region: line.region.clone(), millionths: line.millionths },
        amount: line.amount,
        why: if line.included {
            Why::TaxIncluded { base: line.base, rounding: line.rounding }
        } else {
            Why::TaxOnTop { base: line.base, rounding: line.rounding, estimated: line.estimated }
        },
        included: line.included,
        parcel: None,
    }));
    let discounts = granted.into_iter().map(|(discount, _)| discount).collect();
    Ok(Quote { lines, goods, delivery: charge, discounts, taxes, tax_known, total, entries, trace })
}

/// An order's parts as taxes see them: its lines, of which `wanted` tells the categories, and what is paid for delivery, last.
pub fn tax_parts<'a>(lines: &[PricedLine], wanted: &'a [Wanted], delivery: Option<Money>) -> Vec<tax::Part<'a>> {
    let goods = lines.iter().zip(wanted).map(|(line, wanted)| tax::Part {
        category: general(&wanted.tax_category),
        amount: line.net(),
        pieces: line.quantity.get(),
    });
    goods.chain(delivery.map(|amount| tax::Part { category: tax::DELIVERY, amount, pieces: 0 })).collect()
}

/// A product's tax category as the table of rates has it.
fn general(category: &str) -> &str {
    if category == "standard" { "" } else { category }
}

/// Why no total could be made: an offer in another currency, or amounts beyond all reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the total cannot be reckoned: {0}")]
pub struct QuoteError(#[from] MoneyError);

#[cfg(test)]
mod tests;
