//! What a total costs: a cart of 20 lines, priced and explained with 50 promotions that run.

use anyhow::Context as _;
use domain::{
    ProductId, PromotionId, VariantId,
    cart::Quantity,
    discount::{Effect, Off, PieceTier, ValueTier},
    locale::TextLanguage,
    market::{Market, TaxMode},
    money::{Currency, Money},
    offer::{PriceWindow, offer},
    pricing::{self, Wanted},
    promotion::{Candidate, Combines, Promotion, Rule, Scope},
};
use std::{collections::BTreeMap, hint::black_box};
use tokio::time::Instant;
use uuid::Uuid;

const LINES: u128 = 20;
const PROMOTIONS: u128 = 50;
/// Rounds of so many totals each; the median round counts.
const ROUNDS: usize = 51;
const TOTALS: u32 = 1_000;

/// Prints the median, the fastest and the slowest round.
pub(super) fn measure() -> anyhow::Result<()> {
    for (what, combines) in [
        ("all go together", [Combines::WithAll; 3]),
        ("one in three goes with codes only", [Combines::WithAll, Combines::WithAll, Combines::WithCodes]),
        ("none goes with another", [Combines::Never; 3]),
    ] {
        let (market, wanted) = (market()?, wanted()?);
        let promotions: Vec<_> = (0..PROMOTIONS).zip(combines.iter().cycle()).map(|(n, combines)| promotion(n, *combines)).collect();
        let candidates: Vec<_> = promotions.iter().map(|promotion| Candidate::promotion(promotion, TextLanguage::EnUs)).collect();
        let mut rounds = Vec::with_capacity(ROUNDS);
        for _ in 0..ROUNDS {
            let begun = Instant::now();
            for _ in 0..TOTALS {
                black_box(pricing::quote(black_box(&market), black_box(&wanted), black_box(&candidates), None, None, &[], 1)?);
            }
            rounds.push(begun.elapsed() / TOTALS);
        }
        rounds.sort_unstable();
        let quote = pricing::quote(&market, &wanted, &candidates, None, None, &[], 1)?;
        let (first, last) = (rounds.first().context("a round")?, rounds.last().context("a round")?);
        println!(
            "{LINES} lines, {PROMOTIONS} promotions, {what}: {:?} (from {first:?} to {last:?}); {} apply, {} reasons",
            rounds[ROUNDS / 2],
            quote.discounts.len(),
            quote.trace.len()
        );
    }
    Ok(())
}

fn market() -> anyhow::Result<Market> {
    let code = "DE".parse()?;
    Ok(Market {
        code,
        countries: vec![code],
        legal_entity: String::new(),
        currency: Currency::EUR,
        price_list: String::new(),
        tax_mode: TaxMode::Inclusive,
        time_zone: "UTC".to_owned(),
        locations: vec![],
        split: domain::sourcing::Split::Allowed,
    })
}

fn wanted() -> anyhow::Result<Vec<Wanted>> {
    let line = |n: u128| {
        let price = Money::new(i64::try_from(990 + n * 731)?, Currency::EUR);
        Ok(Wanted {
            product: ProductId(Uuid::from_u128(n)),
            variant: VariantId(Uuid::from_u128(n)),
            quantity: Quantity::new(u32::try_from(1 + n % 5)?).context("in range")?,
            offer: offer(&[PriceWindow::new(0, None, price, None)], 0).context("an open window")?,
            weight_g: 0,
            tax_category: String::new(),
            category: format!("category-{}", n % 6),
            tags: (0..4).map(|tag| format!("tag-{}", (n + tag) % 10)).collect(),
        })
    };
    (0..LINES).map(line).collect()
}

/// Of every kind, on the shop, a category, a tag or a product.
fn promotion(n: u128, combines: Combines) -> Promotion {
    let money = |minor| Money::new(minor, Currency::EUR);
    let effect = match n % 7 {
        0 => Effect::Percent { millionths: 50_000 },
        1 => Effect::Amount { amount: money(300) },
        2 => Effect::BuyGet { buy: 2, get: 1, millionths: 1_000_000 },
        3 => Effect::FixedPrice { price: money(1_990) },
        4 => Effect::PieceTiers { tiers: vec![PieceTier { from: 3, off: Off::Percent(50_000) }, PieceTier { from: 6, off: Off::Percent(100_000) }] },
        5 => Effect::ValueTiers { tiers: vec![ValueTier { from: money(20_000), off: Off::Amount(money(1_000)) }] },
        _ => Effect::FreeStandardDelivery,
    };
    let scope = match n % 4 {
        0 => Scope { categories: vec![format!("category-{}", n % 6)], ..Scope::default() },
        1 => Scope { tags: vec![format!("tag-{}", n % 10)], ..Scope::default() },
        2 => Scope { products: vec![ProductId(Uuid::from_u128(n % LINES))], ..Scope::default() },
        _ => Scope::default(),
    };
    let rule = Rule {
        titles: BTreeMap::from([(TextLanguage::EnUs, format!("Promotion number {n}"))]),
        effect,
        markets: vec![],
        valid_from: 0,
        valid_until: None,
        minimum: n.is_multiple_of(5).then(|| money(100_000)),
        scope,
        audience: domain::promotion::Audience::Everyone,
        includes_reduced: true,
        combines,
        priority: 0,
    };
    Promotion { id: PromotionId(Uuid::from_u128(n)), rule, hidden: false }
}
