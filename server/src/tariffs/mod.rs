//! Tax rates and delivery methods in force, from their versioned rows. Which rates there are at the start is in `seed`, where the shop collects
//! in `nexus`; what they come to is reckoned in `domain`.

pub mod command;
mod nexus;
mod seed;

pub use seed::seed;

use crate::{
    params,
    sql::{Db, Row, Tx},
};
use domain::{
    delivery::Method,
    market::{Country, MarketCode},
    offer::Instant,
    tax::{Rate, Scope},
};

const RATES: &str = "SELECT country, region, category, name, rate_millionths, scope, limit_minor, estimated, source, valid_from FROM tax_rates \
                     WHERE country = $1 AND valid_from <= $2 ORDER BY region, category, name, valid_from";
const METHODS: &str = "SELECT m.body AS body FROM delivery_methods AS m WHERE m.market = $1 AND m.valid_from = (SELECT MAX(l.valid_from) FROM \
                       delivery_methods AS l WHERE l.market = m.market AND l.code = m.code AND l.valid_from <= $2) ORDER BY m.position, m.code";

/// A country's tax rates that have begun, without those of places where the shop does not collect; later rows of one name replace earlier ones
/// when they are used.
pub async fn rates(db: &Db, country: Country, now: Instant) -> anyhow::Result<Vec<Rate>> {
    let rates = db.all(RATES, params![country.code(), now]).await?;
    let nexus = db.all(nexus::OF_COUNTRY, params![country.code(), now]).await?;
    collected(&rates, &nexus)
}

/// The same inside a transaction.
pub async fn rates_in(tx: &mut Tx, country: Country, now: Instant) -> anyhow::Result<Vec<Rate>> {
    let rates = tx.all(RATES, params![country.code(), now]).await?;
    let nexus = tx.all(nexus::OF_COUNTRY, params![country.code(), now]).await?;
    collected(&rates, &nexus)
}

fn collected(rates: &[Row], nexus: &[Row]) -> anyhow::Result<Vec<Rate>> {
    let idle = nexus::idle(nexus)?;
    let mut rates = rates.iter().map(rate).collect::<anyhow::Result<Vec<Rate>>>()?;
    rates.retain(|rate| !idle.contains(&rate.region));
    Ok(rates)
}

/// A market's delivery methods in force, in the order in which they are offered.
pub async fn methods(db: &Db, market: MarketCode, now: Instant) -> anyhow::Result<Vec<Method>> {
    db.all(METHODS, params![market.code(), now]).await?.iter().map(method).collect()
}

/// The same inside a transaction.
pub async fn methods_in(tx: &mut Tx, market: MarketCode, now: Instant) -> anyhow::Result<Vec<Method>> {
    tx.all(METHODS, params![market.code(), now]).await?.iter().map(method).collect()
}

fn rate(row: &Row) -> anyhow::Result<Rate> {
    Ok(Rate {
        country: row.parse("country")?,
        region: row.text("region")?,
        category: row.text("category")?,
        name: row.text("name")?,
        millionths: u32::try_from(row.int("rate_millionths")?)?,
        scope: scope(&row.text("scope")?, row.int_or_null("limit_minor")?)?,
        estimated: row.flag("estimated")?,
        source: row.text("source")?,
        valid_from: row.int("valid_from")?,
    })
}

fn method(row: &Row) -> anyhow::Result<Method> {
    Ok(serde_json::from_str(&row.text("body")?)?)
}

/// A scope as its two columns have it.
const fn scope_columns(scope: Scope) -> (&'static str, Option<i64>) {
    match scope {
        Scope::All => ("", None),
        Scope::Below(limit) => ("below", Some(limit)),
        Scope::Above(limit) => ("above", Some(limit)),
        Scope::AsGoods => ("as_goods", None),
        Scope::IfAny => ("if_any", None),
    }
}

fn scope(word: &str, limit: Option<i64>) -> anyhow::Result<Scope> {
    Ok(match (word, limit) {
        ("", _) => Scope::All,
        ("below", Some(limit)) => Scope::Below(limit),
        ("above", Some(limit)) => Scope::Above(limit),
        ("as_goods", _) => Scope::AsGoods,
        ("if_any", _) => Scope::IfAny,
        _ => anyhow::bail!("a tax rate has the scope {word:?} with the limit {limit:?}"),
    })
}
