//! What promotions and coupons share: a rule as cells, and cells as a rule.

use super::{
    Cells, Context, PutError,
    cells::{Reader, instant, money, percent, texts},
};
use crate::{
    params,
    promotions::{customers, terms},
    sql::Tx,
};
use anyhow::{Context as _, bail};
use app::staff::tables::Table;
use domain::{
    ProductId, VariantId,
    coupon::Code,
    discount::{Effect, Off},
    offer::Instant,
    promotion::{Combines, Rule, Scope},
};

/// The key of a promotion or a coupon: the id in its row, or a new one.
pub(super) async fn key(tx: &mut Tx, cx: &Context<'_>, table: Table, cells: &Cells) -> Result<String, PutError> {
    let reader = Reader::new(table, cells);
    let id = reader.get("id");
    if !id.is_empty() {
        return match id.parse::<uuid::Uuid>() {
            Ok(id) => Ok(id.to_string()),
            Err(_) => Err(PutError::wrong("id", "This is no id: leave it empty for a new one.")),
        };
    }
    // A coupon may be known by its code.
    if table == Table::Coupons
        && let Ok(code) = reader.get("code").parse::<Code>()
        && let Some(row) = tx.first("SELECT coupon_id FROM coupon_codes WHERE key = $1", params![code.key()]).await?
    {
        return Ok(row.text("coupon_id")?);
    }
    Ok(cx.clock.id().to_string())
}

/// A rule's cells.
pub(super) fn cells(table: Table, rule: &Rule) -> Cells {
    let scope = &rule.scope;
    let ids = |ids: Vec<String>| ids.join(" ");
    let mut cells = super::cells::row(
        table,
        &[
            ("effect", effect(&rule.effect)),
            ("minimum", rule.minimum.map(money).unwrap_or_default()),
            ("categories", scope.categories.join(" ")),
            ("tags", scope.tags.join(" ")),
            ("products", ids(scope.products.iter().map(ToString::to_string).collect())),
            ("variants", ids(scope.variants.iter().map(ToString::to_string).collect())),
            ("audience", terms::audience_word(&rule.audience).to_owned()),
            ("reduced", if rule.includes_reduced { "" } else { "no" }.to_owned()),
            ("markets", ids(rule.markets.iter().map(ToString::to_string).collect())),
            ("from", instant(rule.valid_from)),
            ("until", rule.valid_until.map(instant).unwrap_or_default()),
            (
                "combines",
                match rule.combines {
                    Combines::WithAll => "",
                    Combines::WithCodes => "codes",
                    Combines::Never => "nothing",
                }
                .to_owned(),
            ),
            ("priority", if rule.priority == 0 { String::new() } else { rule.priority.to_string() }),
        ],
    );
    texts(table, "title", &rule.titles, &mut cells);
    cells
}

/// The rule that cells describe, with every cell that is wrong.
pub(super) async fn read(tx: &mut Tx, cx: &Context<'_>, reader: &mut Reader<'_>) -> anyhow::Result<Option<Rule>> {
    let titles = reader.texts("title");
    let effect = reader.read("effect", parse_effect);
    let minimum = reader.read_optional("minimum", terms::money);
    let mut markets = Vec::new();
    for code in words(reader.get("markets")) {
        match super::cells::market(cx.markets, code) {
            Ok(market) => markets.push(market),
            Err(error) => reader.wrong("markets", super::cells::sentence(&error)),
        }
    }
    let zone = markets.first().copied().or(cx.markets.first()).map_or("UTC", |market| market.time_zone.as_str());
    let from = reader.read_optional("from", |text| super::cells::parse_instant(text, zone));
    let until = reader.read_optional("until", |text| super::cells::parse_instant(text, zone));
    let combines = reader.read("combines", |word| {
        Ok(match word {
            "" | "everything" => Combines::WithAll,
            "codes" => Combines::WithCodes,
            "nothing" => Combines::Never,
            _ => bail!("leave it empty for everything, or type codes, or nothing"),
        })
    });
    let priority = reader.read_optional("priority", |text| text.parse::<i32>().context("a priority is a whole number such as 10"));
    let audience = reader.read("audience", terms::audience);
    let includes_reduced = reader.read("reduced", |word| match word {
        "" | "yes" => Ok(true),
        "no" => Ok(false),
        _ => bail!("leave it empty where reduced pieces count, or type no"),
    });
    if let Some(audience) = &audience
        && let Err(error) = customers::check(tx, audience).await
    {
        reader.wrong("audience", super::cells::sentence(&error));
    }
    let scope = scope(tx, reader).await?;
    let (Some(effect), Ok(minimum), Ok(from), Ok(until), Some(combines), Ok(priority), Some(audience), Some(includes_reduced)) =
        (effect, minimum, from, until, combines, priority, audience, includes_reduced)
    else {
        return Ok(None);
    };
    let rule = Rule {
        titles,
        effect,
        markets: markets.iter().map(|market| market.code).collect(),
        valid_from: from.unwrap_or(cx.now),
        valid_until: until,
        minimum,
        scope,
        audience,
        includes_reduced,
        combines,
        priority: priority.unwrap_or(0),
    };
    if let Err(error) = terms::fits(&rule, &markets, cx.markets) {
        reader.wrong("", super::cells::sentence(&error));
    }
    Ok(Some(rule))
}

/// Whether a rule that stands may be changed so that it begins at `from`: what has begun keeps its beginning.
pub(super) fn keeps_beginning(reader: &mut Reader<'_>, before: Instant, from: Instant, now: Instant) {
    if before <= now && from != before {
        reader.wrong("from", "It has begun: its beginning stays as it is. End it, and add another one.");
    }
}

/// The pieces that count, by what the shop knows.
async fn scope(tx: &mut Tx, reader: &mut Reader<'_>) -> anyhow::Result<Scope> {
    let mut scope = Scope::default();
    for (name, sql, into) in [
        ("categories", "SELECT key FROM categories WHERE key = $1", &mut scope.categories),
        // Tags need no name of their own: those of products count.
        ("tags", "", &mut scope.tags),
    ] {
        for key in words(reader.get(name)) {
            if !sql.is_empty() && tx.first(sql, params![key]).await?.is_none() {
                reader.wrong(name, format!("There is no category {key:?}."));
            }
            into.push(key.to_owned());
        }
    }
    for word in words(reader.get("products")) {
        let id: Option<ProductId> = word.parse().ok();
        let row = match id {
            Some(id) => tx.first("SELECT id FROM products WHERE id = $1", params![id]).await?,
            None => tx.first("SELECT id FROM products WHERE handle = $1", params![word]).await?,
        };
        match row {
            Some(row) => scope.products.push(row.parse("id")?),
            None => reader.wrong("products", format!("There is no product {word:?}: type a handle or an id.")),
        }
    }
    for word in words(reader.get("variants")) {
        let id: Option<VariantId> = word.parse().ok();
        let row = match id {
            Some(id) => tx.first("SELECT id FROM variants WHERE id = $1", params![id]).await?,
            None => None,
        };
        match row {
            Some(row) => scope.variants.push(row.parse("id")?),
            None => reader.wrong("variants", format!("There is no variant {word:?}: type an id.")),
        }
    }
    Ok(scope)
}

fn words(cell: &str) -> impl Iterator<Item = &str> {
    cell.split([' ', ',', '\n', '\r', '\t']).filter(|word| !word.is_empty())
}

/// An effect as its cell has it.
fn effect(effect: &Effect) -> String {
    let off = |off: Off| match off {
        Off::Percent(millionths) => format!("{}%", percent(millionths)),
        Off::Amount(amount) => money(amount),
    };
    match effect {
        Effect::Percent { millionths } => format!("{}%", percent(*millionths)),
        Effect::Amount { amount } => money(*amount),
        Effect::FreeStandardDelivery => "free delivery".to_owned(),
        Effect::FixedPrice { price } => format!("each {}", money(*price)),
        Effect::BuyGet { buy, get, millionths: 1_000_000 } => format!("buy {buy} get {get}"),
        Effect::BuyGet { buy, get, millionths } => format!("buy {buy} get {get} at {}%", percent(*millionths)),
        Effect::PieceTiers { tiers } => tiers.iter().map(|tier| format!("{}={}", tier.from, off(tier.off))).collect::<Vec<_>>().join(" "),
        Effect::ValueTiers { tiers } => tiers.iter().map(|tier| format!("{}={}", money(tier.from), off(tier.off))).collect::<Vec<_>>().join(" "),
    }
}

/// What [`effect`] wrote.
fn parse_effect(text: &str) -> anyhow::Result<Effect> {
    const WRITTEN: &str =
        "write it as 10%, 10.00EUR, free delivery, each 9.00EUR, buy 2 get 1, buy 2 get 1 at 50%, 3=10% 6=20%, or 100.00EUR=15.00EUR";
    let words: Vec<&str> = text.split_whitespace().collect();
    let count = |word: &str| word.parse::<u32>().ok().context(WRITTEN);
    match words.as_slice() {
        ["free", "delivery"] => Ok(Effect::FreeStandardDelivery),
        ["each", price] => Ok(Effect::FixedPrice { price: terms::money(price)? }),
        ["buy", buy, "get", get] => Ok(Effect::BuyGet { buy: count(buy)?, get: count(get)?, millionths: 1_000_000 }),
        ["buy", buy, "get", get, "at", percent] => Ok(Effect::BuyGet { buy: count(buy)?, get: count(get)?, millionths: terms::millionths(percent)? }),
        [] => bail!(WRITTEN),
        tiers if tiers.iter().all(|word| word.contains('=')) => terms::tiers(&tiers.iter().map(|tier| (*tier).to_owned()).collect::<Vec<_>>()),
        _ if text.trim_end().ends_with('%') => Ok(Effect::Percent { millionths: terms::millionths(text)? }),
        _ => Ok(Effect::Amount { amount: terms::money(text).context(WRITTEN)? }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn effects_are_read_as_they_are_written() {
        for text in [
            "10%",
            "12.5%",
            "10.00EUR",
            "500JPY",
            "free delivery",
            "each 9.00EUR",
            "buy 2 get 1",
            "buy 2 get 1 at 50%",
            "3=10% 6=20%",
            "3=5.00EUR",
            "100.00EUR=15.00EUR 200.00EUR=20%",
        ] {
            let read = parse_effect(text).expect(text);
            assert_eq!(effect(&read), text);
        }
        for text in ["", "ten", "10", "buy two get 1", "3=10% 100.00EUR=5%", "free", "10 %%", "each 9", "-5%"] {
            assert!(parse_effect(text).is_err(), "{text}");
        }
    }
}
