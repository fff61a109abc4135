//! Prices in force and what they may be compared with. The reference rule is a market's law; the history that it reads is append-only
//! and begins with the first import.

use crate::{clock::Clock, params, sql::Tx};
use anyhow::Context as _;
use domain::{
    ProductId, VariantId,
    market::{Market, MarketCode},
    money::{Currency, Money},
    offer::{Instant, PriceWindow},
};

const DAY: Instant = 86_400_000_000;

/// A variant that is sold, and what an order must know of it.
pub struct Priced {
    pub variant: VariantId,
    pub product: ProductId,
    pub tax_category: String,
    /// Of one piece; 0: not known.
    pub weight_g: u32,
    /// Business days before it leaves, beside its location's.
    pub handling_days: u8,
    /// Sold on although nothing is there.
    pub oversell: bool,
    /// The product's category and tags by their keys, for promotions.
    pub category: String,
    pub tags: Vec<String>,
    /// Now and to come.
    pub windows: Vec<PriceWindow>,
}

/// These variants with their prices in a market and the references that the history bears out. One that has no price, or whose product is
/// not on sale, is left out: the market does not sell it.
pub async fn of(tx: &mut Tx, market: &Market, variants: &[VariantId], now: Instant) -> anyhow::Result<Vec<Priced>> {
    let mut found = Vec::with_capacity(variants.len());
    for variant in variants {
        let rows = tx
            .all(
                "SELECT v.product_id, v.weight_g, v.handling_days, v.oversell, t.tax_category, t.category, t.tags, p.currency, p.amount_minor, p.compare_at_minor, p.valid_from, p.valid_until FROM prices p \
                 JOIN variants v ON v.id = p.variant_id JOIN products t ON t.id = v.product_id WHERE p.variant_id = $1 AND p.price_list = $2 \
                 AND v.active = 1 AND t.status = 'active' AND t.published = 1 AND (p.valid_until IS NULL OR p.valid_until > $3) ORDER BY p.valid_from",
                params![*variant, &market.price_list, now],
            )
            .await?;
        let Some(first) = rows.first() else { continue };
        let prices = rows.iter().map(Price::read).collect::<anyhow::Result<Vec<_>>>()?;
        // Without a claim there is no reference, whatever the history says.
        let history = if prices.iter().any(|price| price.compare_at.is_some()) {
            let sql =
                "SELECT currency, amount_minor, valid_from FROM price_history WHERE variant_id = $1 AND price_list = $2 ORDER BY valid_from, id";
            tx.all(sql, params![*variant, &market.price_list]).await?
        } else {
            Vec::new()
        };
        let history = history.iter().map(Shown::read).collect::<anyhow::Result<Vec<_>>>()?;
        let windows = compute(market, &prices, &history, now);
        found.push(Priced {
            variant: *variant,
            product: first.parse("product_id")?,
            tax_category: first.text("tax_category")?,
            weight_g: u32::try_from(first.int("weight_g")?).unwrap_or(0),
            handling_days: u8::try_from(first.int("handling_days")?).unwrap_or(0),
            oversell: first.flag("oversell")?,
            category: first.text_or_null("category")?.unwrap_or_default(),
            tags: serde_json::from_str(&first.text("tags")?).context("products.tags")?,
            windows,
        });
    }
    Ok(found)
}

/// A row of `prices`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Price {
    pub price: Money,
    /// What the seller says it cost before.
    pub compare_at: Option<i64>,
    pub from: Instant,
    pub until: Option<Instant>,
}

impl Price {
    pub(crate) fn read(row: &crate::sql::Row) -> anyhow::Result<Self> {
        Ok(Self {
            price: money(row)?,
            compare_at: row.int_or_null("compare_at_minor")?,
            from: row.int("valid_from")?,
            until: row.int_or_null("valid_until")?,
        })
    }
}

/// A row of `price_history`: this price was displayed from then on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    pub price: Money,
    pub from: Instant,
}

impl Shown {
    pub(crate) fn read(row: &crate::sql::Row) -> anyhow::Result<Self> {
        Ok(Self { price: money(row)?, from: row.int("valid_from")? })
    }
}

fn money(row: &crate::sql::Row) -> anyhow::Result<Money> {
    let currency: Currency = row.text("currency")?.parse().context("column currency")?;
    Ok(Money::new(row.int("amount_minor")?, currency))
}

/// Windows that are open or to come, from the rows of one variant in one price list.
pub(crate) fn compute(market: &Market, prices: &[Price], history: &[Shown], now: Instant) -> Vec<PriceWindow> {
    prices
        .iter()
        .filter(|row| row.price.currency == market.currency && row.until.is_none_or(|until| until > now))
        .map(|row| PriceWindow { from: row.from, until: row.until, price: row.price, reference: reference(market.code, row, history) })
        .collect()
}

/// What may be struck through beside a price: only when the seller claims a reduction, only what the history bears out, and only if it is
/// higher than the price.
fn reference(market: MarketCode, row: &Price, history: &[Shown]) -> Option<Money> {
    let compare_at = row.compare_at.filter(|compare_at| *compare_at > row.price.minor)?;
    // The reduction began when this price was first shown in its unbroken run; it is frozen for the run.
    let earlier: Vec<Shown> = history.iter().copied().filter(|shown| shown.price.currency == row.price.currency && shown.from <= row.from).collect();
    let run = earlier.iter().rposition(|shown| shown.price.minor != row.price.minor).map_or(0, |last| last + 1);
    let (before, began) = (&earlier[..run], earlier.get(run).map_or(row.from, |shown| shown.from));
    let allowed = ReferenceRule::of(market).reference(before, began, compare_at)?;
    (allowed > row.price.minor).then(|| Money::new(allowed, row.price.currency))
}

/// Which earlier price a market's law lets a seller name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReferenceRule {
    /// The lowest price of the days before the reduction began (Directive 98/6/EC, article 6a, inserted by 2019/2161; ECJ C-330/23; § 11
    /// PAngV; Code de la consommation, L. 112-1-1).
    Lowest { days: i64 },
    /// A genuine former price: the seller's claim, but no more than the lowest price of the days before. The laws name no number of days
    /// (16 CFR 233.1; Digital Markets, Competition and Consumers Act 2024, part 4): thirty is this shop's own rule.
    Former { days: i64 },
    /// A price that stood for more than half of the days before, for `days_min` at least, and last within `days_last` of the reduction.
    /// Japan: eight weeks, two weeks, two weeks (Consumer Affairs Agency, guidelines on price representations, part 4, 2). Canada: half of
    /// six months (Competition Act, s. 74.01(3)(b), with the Bureau's guidelines on ordinary price claims).
    Prevailing { days: i64, days_min: i64, days_last: i64 },
}

impl ReferenceRule {
    /// The rule of a market. Korea: the lowest price of the 20 days before (KFTC notice on unfair labelling).
    pub fn of(market: MarketCode) -> Self {
        match market.code() {
            "JP" => Self::Prevailing { days: 56, days_min: 14, days_last: 14 },
            "CA" => Self::Prevailing { days: 182, days_min: 0, days_last: 182 },
            "KR" => Self::Lowest { days: 20 },
            "US" | "GB" => Self::Former { days: 30 },
            _ => Self::Lowest { days: 30 },
        }
    }

    /// The reference in minor units for a reduction that began at `began`, from what was shown `before`, oldest first.
    fn reference(self, before: &[Shown], began: Instant, claimed: i64) -> Option<i64> {
        match self {
            Self::Lowest { days } => lowest(before, began - days * DAY, began),
            Self::Former { days } => lowest(before, began - days * DAY, began).map(|lowest| lowest.min(claimed)),
            Self::Prevailing { days, days_min, days_last } => {
                let price = prevailing(before, began - days * DAY, began, days_min * DAY)?;
                let stood_lately = spans(before, began - days_last * DAY, began).any(|(shown, _)| shown == price);
                stood_lately.then_some(price.min(claimed))
            }
        }
    }
}

/// Each shown price with the part of `[from, until)` in which it stood.
fn spans(shown: &[Shown], from: Instant, until: Instant) -> impl Iterator<Item = (i64, Instant)> + '_ {
    shown.iter().enumerate().filter_map(move |(index, price)| {
        let end = shown.get(index + 1).map_or(until, |next| next.from).min(until);
        let length = end - price.from.max(from);
        (length > 0).then_some((price.price.minor, length))
    })
}

fn lowest(shown: &[Shown], from: Instant, until: Instant) -> Option<i64> {
    spans(shown, from, until).map(|(price, _)| price).min()
}

fn prevailing(shown: &[Shown], from: Instant, until: Instant, length_min: Instant) -> Option<i64> {
    let total: Instant = spans(shown, from, until).map(|(_, length)| length).sum();
    let prices: std::collections::BTreeSet<i64> = spans(shown, from, until).map(|(price, _)| price).collect();
    prices.into_iter().rev().find(|price| {
        let stood: Instant = spans(shown, from, until).filter(|(shown, _)| shown == price).map(|(_, length)| length).sum();
        stood >= length_min && stood * 2 > total
    })
}

/// What a seller says about a price in a list from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NewPrice<'a> {
    pub list: &'a str,
    pub variant: VariantId,
    pub price: Money,
    pub compare_at: Option<i64>,
    /// For the history: `import`, `demo`, `operator`, `campaign`.
    pub source: &'static str,
}

/// A price that is in force, with the row that says so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InForce {
    id: String,
    pub list: String,
    pub variant: VariantId,
    pub price: Price,
}

impl InForce {
    fn read(row: &crate::sql::Row) -> anyhow::Result<Self> {
        Ok(Self { id: row.text("id")?, list: row.text("price_list")?, variant: row.parse("variant_id")?, price: Price::read(row)? })
    }
}

/// The open prices of a product's variants in all lists, those that began later after those that began earlier.
pub(crate) async fn in_force(tx: &mut Tx, product: ProductId, now: Instant) -> anyhow::Result<Vec<InForce>> {
    tx.all(
        "SELECT p.id, p.price_list, p.variant_id, p.currency, p.amount_minor, p.compare_at_minor, p.valid_from, p.valid_until FROM prices p \
         JOIN variants v ON v.id = p.variant_id WHERE v.product_id = $1 AND p.valid_until IS NULL AND p.valid_from <= $2 ORDER BY p.valid_from",
        params![product, now],
    )
    .await?
    .iter()
    .map(InForce::read)
    .collect()
}

/// Makes a price the one in force, and remembers in the history that it was shown. Whether anything changed.
pub async fn set(tx: &mut Tx, clock: &Clock, new: NewPrice<'_>, now: Instant) -> anyhow::Result<bool> {
    let current = tx
        .first(
            "SELECT id, price_list, variant_id, currency, amount_minor, compare_at_minor, valid_from, valid_until FROM prices \
             WHERE variant_id = $1 AND price_list = $2 AND valid_until IS NULL AND valid_from <= $3 ORDER BY valid_from DESC LIMIT 1",
            params![new.variant, new.list, now],
        )
        .await?;
    let current = current.as_ref().map(InForce::read).transpose()?;
    replace(tx, clock, new, current.as_ref(), now).await
}

/// [`set`] where the price in force, if any, was read before in the same transaction.
pub(crate) async fn replace(tx: &mut Tx, clock: &Clock, new: NewPrice<'_>, current: Option<&InForce>, now: Instant) -> anyhow::Result<bool> {
    let compare_at = new.compare_at.filter(|compare_at| *compare_at > new.price.minor);
    if let Some(InForce { id, price: old, .. }) = current {
        if old.price == new.price {
            if old.compare_at == compare_at {
                return Ok(false);
            }
            tx.execute("UPDATE prices SET compare_at_minor = $2 WHERE id = $1", params![id, compare_at]).await?;
            return Ok(true);
        }
        tx.execute("UPDATE prices SET valid_until = $2 WHERE id = $1", params![id, now]).await?;
    }
    tx.execute(
        "INSERT INTO prices (id, price_list, variant_id, currency, amount_minor, compare_at_minor, valid_from, valid_until) VALUES ($1, $2, $3, $4, $5, $6, $7, NULL)",
        params![clock.id().to_string(), new.list, new.variant, new.price.currency.code(), new.price.minor, compare_at, now],
    )
    .await?;
    remember(tx, clock, new.list, new.variant, new.price, now, new.source).await?;
    Ok(true)
}

/// Ends a price: from now on the list does not sell the variant. Whether there was one.
pub async fn end(tx: &mut Tx, list: &str, variant: VariantId, now: Instant) -> anyhow::Result<bool> {
    let ended = tx
        .execute(
            "UPDATE prices SET valid_until = $3 WHERE variant_id = $1 AND price_list = $2 AND valid_until IS NULL AND valid_from <= $3",
            params![variant, list, now],
        )
        .await?;
    Ok(ended > 0)
}

/// Appends to the history.
pub(crate) async fn remember(
    tx: &mut Tx,
    clock: &Clock,
    list: &str,
    variant: VariantId,
    price: Money,
    from: Instant,
    source: &'static str,
) -> anyhow::Result<()> {
    tx.execute(
        "INSERT INTO price_history (id, price_list, variant_id, currency, amount_minor, valid_from, source) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        params![clock.id().to_string(), list, variant, price.currency.code(), price.minor, from, source],
    )
    .await?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(days: i64, minor: i64) -> Shown {
        Shown { price: Money::new(minor, Currency::EUR), from: days * DAY }
    }

    fn was(market: &str, now_days: i64, minor: i64, compare_at: Option<i64>, history: &[Shown]) -> Option<i64> {
        let row = Price { price: Money::new(minor, Currency::EUR), compare_at, from: now_days * DAY, until: None };
        reference(market.parse().expect("a code"), &row, history).map(|money| money.minor)
    }

    #[test]
    fn a_claim_without_history_is_not_shown() {
        assert_eq!(was("DE", 100, 2900, Some(3600), &[]), None);
        assert_eq!(was("DE", 100, 2900, Some(3600), &[shown(100, 2900)]), None);
    }

    #[test]
    fn the_lowest_price_of_the_thirty_days_before_the_reduction_is_shown() {
        let history = [shown(0, 3000), shown(50, 3600), shown(60, 3400), shown(65, 3600), shown(100, 2900)];
        assert_eq!(was("DE", 100, 2900, Some(3600), &history), Some(3600), "the 3400 ended 35 days before");
        let history = [shown(50, 3600), shown(80, 3400), shown(90, 3600), shown(100, 2900)];
        assert_eq!(was("DE", 100, 2900, Some(3600), &history), Some(3400));
        assert_eq!(was("KR", 100, 2900, Some(3600), &[shown(50, 3000), shown(75, 3600), shown(100, 2900)]), Some(3600), "20 days");
        assert_eq!(was("DE", 100, 2900, Some(3600), &[shown(50, 3600), shown(90, 2800), shown(100, 2900)]), None, "it was cheaper before");
    }

    #[test]
    fn the_reference_is_frozen_while_the_reduction_runs() {
        let history = [shown(0, 3600), shown(100, 2900)];
        assert_eq!(was("DE", 100, 2900, Some(3600), &history), Some(3600));
        let told_again = [shown(0, 3600), shown(100, 2900), shown(140, 2900)];
        assert_eq!(was("DE", 140, 2900, Some(3600), &told_again), Some(3600));
    }

    #[test]
    fn without_a_claim_nothing_is_struck_through() {
        assert_eq!(was("DE", 100, 2900, None, &[shown(0, 3600), shown(100, 2900)]), None);
        assert_eq!(was("US", 100, 2900, Some(3200), &[shown(0, 3600), shown(100, 2900)]), Some(3200), "never more than is claimed");
    }

    #[test]
    fn in_japan_the_price_must_have_stood_for_most_of_eight_weeks() {
        assert_eq!(was("JP", 100, 2900, Some(3600), &[shown(0, 3600), shown(100, 2900)]), Some(3600));
        assert_eq!(was("JP", 100, 2900, Some(3600), &[shown(0, 3000), shown(95, 3600), shown(100, 2900)]), Some(3000));
        assert_eq!(was("JP", 100, 2900, Some(3600), &[shown(92, 3600), shown(100, 2900)]), None, "eight days are too few");
    }
}
