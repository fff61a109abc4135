//! Tax rates and delivery methods in force, from their versioned rows. Which rates there are at the start is in `seed`, where the shop collects
//! in `nexus`; what they come to is reckoned in `domain`.

pub mod command;
pub(crate) mod nexus;
mod seed;
pub(crate) mod versions;

pub(crate) use command::parse as parse_place;
pub use seed::seed;

use crate::{
    params,
    sql::{Db, Row, Tx},
};
use domain::{
    delivery::{BadMethod, Method},
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
    offered(&db.all(METHODS, params![market.code(), now]).await?)
}

fn offered(rows: &[Row]) -> anyhow::Result<Vec<Method>> {
    let mut methods = rows.iter().map(method).collect::<anyhow::Result<Vec<_>>>()?;
    methods.retain(|method| !method.withdrawn);
    Ok(methods)
}

/// The same inside a transaction.
pub async fn methods_in(tx: &mut Tx, market: MarketCode, now: Instant) -> anyhow::Result<Vec<Method>> {
    offered(&tx.all(METHODS, params![market.code(), now]).await?)
}

/// Writes a market's delivery method as it is from an instant on, at its place among the others; a version of that very instant is replaced. `Err`
/// inside: it does not fit together, and nothing was written. Pages follow with the caller's `ShopChanged`.
pub async fn put_method(tx: &mut Tx, market: MarketCode, position: i64, method: &Method, from: Instant) -> anyhow::Result<Result<(), BadMethod>> {
    if let Err(bad) = method.check() {
        return Ok(Err(bad));
    }
    tx.execute(
        "INSERT INTO delivery_methods (market, code, valid_from, body, position) VALUES ($1, $2, $3, $4, $5) \
         ON CONFLICT (market, code, valid_from) DO UPDATE SET body = excluded.body, position = excluded.position",
        params![market.code(), &method.code, from, serde_json::to_string(method)?, position],
    )
    .await?;
    Ok(Ok(()))
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

/// All versions of all rates, for staff, in order of place, category, name and time.
pub(crate) async fn all_rates(db: &Db, limit: u32) -> anyhow::Result<Vec<Rate>> {
    let sql = "SELECT country, region, category, name, rate_millionths, scope, limit_minor, estimated, source, valid_from FROM tax_rates \
               ORDER BY country, region, category, name, valid_from LIMIT $1";
    db.all(sql, params![limit]).await?.iter().map(rate).collect()
}

/// One version of a rate, by country, region, category and name, and the instant from which it counts.
pub(crate) async fn rate_at(tx: &mut Tx, (country, region, category, name): Named<'_>, from: Instant) -> anyhow::Result<Option<Rate>> {
    let sql = "SELECT country, region, category, name, rate_millionths, scope, limit_minor, estimated, source, valid_from FROM tax_rates \
               WHERE country = $1 AND region = $2 AND category = $3 AND name = $4 AND valid_from = $5";
    tx.first(sql, params![country, region, category, name, from]).await?.as_ref().map(rate).transpose()
}

/// What the taxes of a country are called.
pub(crate) async fn names(tx: &mut Tx, country: Country) -> anyhow::Result<Vec<String>> {
    let rows = tx.all("SELECT DISTINCT name FROM tax_rates WHERE country = $1 ORDER BY name", params![country.code()]).await?;
    rows.iter().map(|row| row.text("name")).collect()
}

/// What a rate is known by beside its instant: country, region, category, name.
pub(crate) type Named<'a> = (&'a str, &'a str, &'a str, &'a str);

/// From when the version before the one of `from` counts.
pub(crate) async fn rate_before(tx: &mut Tx, (country, region, category, name): Named<'_>, from: Instant) -> anyhow::Result<Option<Instant>> {
    let sql =
        "SELECT MAX(valid_from) AS earlier FROM tax_rates WHERE country = $1 AND region = $2 AND category = $3 AND name = $4 AND valid_from < $5";
    let row = tx.first(sql, params![country, region, category, name, from]).await?;
    row.map_or(Ok(None), |row| row.int_or_null("earlier"))
}

/// Writes a version of a rate.
pub(crate) async fn put_rate(tx: &mut Tx, rate: &Rate) -> Result<(), sqlx::Error> {
    let (scope, limit) = scope_columns(rate.scope);
    tx.execute(
        "INSERT INTO tax_rates (country, region, category, name, rate_millionths, scope, limit_minor, estimated, source, valid_from) \
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) ON CONFLICT (country, region, category, name, valid_from) DO UPDATE SET \
         rate_millionths = excluded.rate_millionths, scope = excluded.scope, limit_minor = excluded.limit_minor, estimated = excluded.estimated, \
         source = excluded.source",
        params![
            rate.country.code(),
            &rate.region,
            &rate.category,
            &rate.name,
            i64::from(rate.millionths),
            scope,
            limit,
            i64::from(rate.estimated),
            &rate.source,
            rate.valid_from
        ],
    )
    .await?;
    Ok(())
}

/// Takes back a version that has not begun.
pub(crate) async fn remove_rate(tx: &mut Tx, (country, region, category, name): Named<'_>, from: Instant) -> Result<(), sqlx::Error> {
    let sql = "DELETE FROM tax_rates WHERE country = $1 AND region = $2 AND category = $3 AND name = $4 AND valid_from = $5";
    tx.execute(sql, params![country, region, category, name, from]).await?;
    Ok(())
}

/// A scope as its two columns have it.
pub(crate) const fn scope_columns(scope: Scope) -> (&'static str, Option<i64>) {
    match scope {
        Scope::All => ("", None),
        Scope::Below(limit) => ("below", Some(limit)),
        Scope::Above(limit) => ("above", Some(limit)),
        Scope::AsGoods => ("as_goods", None),
        Scope::IfAny => ("if_any", None),
    }
}

/// The scope of two columns.
pub(crate) fn scope(word: &str, limit: Option<i64>) -> anyhow::Result<Scope> {
    Ok(match (word, limit) {
        ("", _) => Scope::All,
        ("below", Some(limit)) => Scope::Below(limit),
        ("above", Some(limit)) => Scope::Above(limit),
        ("as_goods", _) => Scope::AsGoods,
        ("if_any", _) => Scope::IfAny,
        _ => anyhow::bail!("a tax rate has the scope {word:?} with the limit {limit:?}"),
    })
}
