//! Tax rates and delivery methods in force, from their versioned rows. Which rates there are at the start is in `seed`; what they come to
//! is reckoned in `domain`.

mod seed;

pub use seed::seed;

use crate::{
    params,
    sql::{Db, Tx},
};
use domain::{
    delivery::Method,
    market::{Country, MarketCode},
    offer::Instant,
    tax::Rate,
};

const RATES: &str = "SELECT country, region, category, name, rate_millionths, estimated, source, valid_from FROM tax_rates \
                     WHERE country = $1 AND valid_from <= $2 ORDER BY region, category, name, valid_from";
const METHODS: &str = "SELECT m.body AS body FROM delivery_methods AS m WHERE m.market = $1 AND m.valid_from = (SELECT MAX(l.valid_from) FROM \
                       delivery_methods AS l WHERE l.market = m.market AND l.code = m.code AND l.valid_from <= $2) ORDER BY m.position, m.code";

/// A country's tax rates that have begun; later rows of one name replace earlier ones when they are used.
pub async fn rates(db: &Db, country: Country, now: Instant) -> anyhow::Result<Vec<Rate>> {
    db.all(RATES, params![country.code(), now]).await?.iter().map(rate).collect()
}

/// The same inside a transaction.
pub async fn rates_in(tx: &mut Tx, country: Country, now: Instant) -> anyhow::Result<Vec<Rate>> {
    tx.all(RATES, params![country.code(), now]).await?.iter().map(rate).collect()
}

/// A market's delivery methods in force, in the order in which they are offered.
pub async fn methods(db: &Db, market: MarketCode, now: Instant) -> anyhow::Result<Vec<Method>> {
    db.all(METHODS, params![market.code(), now]).await?.iter().map(method).collect()
}

/// The same inside a transaction.
pub async fn methods_in(tx: &mut Tx, market: MarketCode, now: Instant) -> anyhow::Result<Vec<Method>> {
    tx.all(METHODS, params![market.code(), now]).await?.iter().map(method).collect()
}

fn rate(row: &crate::sql::Row) -> anyhow::Result<Rate> {
    Ok(Rate {
        country: row.parse("country")?,
        region: row.text("region")?,
        category: row.text("category")?,
        name: row.text("name")?,
        millionths: u32::try_from(row.int("rate_millionths")?)?,
        estimated: row.flag("estimated")?,
        source: row.text("source")?,
        valid_from: row.int("valid_from")?,
    })
}

fn method(row: &crate::sql::Row) -> anyhow::Result<Method> {
    Ok(serde_json::from_str(&row.text("body")?)?)
}
