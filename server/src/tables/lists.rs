//! The rows of a table as they are listed, a page at a time.

use super::{Cells, cells::market_of, collection, coupons, delivery, prices, promotions, taxes, zones};
use crate::{
    catalog::shelves,
    params,
    sql::Db,
    tariffs::{self, versions},
};
use anyhow::Context as _;
use app::staff::tables::{Line, Table};
use domain::{
    CouponId,
    coupon::{Code, Coupon},
    offer::Instant,
    promotion::{Promotion, Rule},
};

/// Rows of the tables that are read whole: rates, places, methods.
const WHOLE_MAX: u32 = 10_000;

/// A page of rows that begin with `wanted`, after the row with the key `after`; the second part is the key to turn by.
pub async fn list(db: &Db, table: Table, wanted: &str, after: Option<&str>, limit: u32, now: Instant) -> anyhow::Result<(Vec<Line>, Option<String>)> {
    match table {
        Table::Prices => prices::page(db, wanted, after, limit, now).await,
        Table::Promotions => promoted(db, wanted, after, limit, now).await,
        Table::Coupons => coupons_listed(db, wanted, after, limit, now).await,
        Table::Taxes => Ok(turned(rates(db, wanted, now).await?, after, limit)),
        Table::Collection => Ok(turned(places(db, wanted, now).await?, after, limit)),
        Table::Delivery => Ok(turned(methods(db, wanted, now).await?, after, limit)),
        Table::Zones => Ok(turned(zoned(db, wanted, now).await?, after, limit)),
    }
}

/// A page of rows that were read whole.
fn turned(lines: Vec<Line>, after: Option<&str>, limit: u32) -> (Vec<Line>, Option<String>) {
    let begin = after.and_then(|after| lines.iter().position(|line| line.key == after)).map_or(0, |at| at + 1);
    let page: Vec<Line> = lines.iter().skip(begin).take(limit as usize).cloned().collect();
    let next = (lines.len() > begin + page.len()).then(|| page.last().map(|line| line.key.clone())).flatten();
    (page, next)
}

fn of_rule(rule: &Rule, ended_at: Option<Instant>, now: Instant) -> &'static str {
    match [rule.valid_until, ended_at].into_iter().flatten().min() {
        Some(until) if until <= now => "ended",
        _ if now < rule.valid_from => "to come",
        _ => "in force",
    }
}

async fn promoted(db: &Db, wanted: &str, after: Option<&str>, limit: u32, now: Instant) -> anyhow::Result<(Vec<Line>, Option<String>)> {
    let sql = "SELECT p.id, p.body FROM promotions p WHERE p.id < $1 AND p.valid_from = (SELECT MAX(l.valid_from) FROM promotions l WHERE l.id = p.id) \
               ORDER BY p.id DESC LIMIT $2";
    // A search looks through the latest thousands: titles are no index.
    let read = if wanted.is_empty() { limit + 1 } else { WHOLE_MAX };
    let mut lines = Vec::new();
    for row in &db.all(sql, params![after.unwrap_or("g"), read]).await? {
        let promotion: Promotion = serde_json::from_str(&row.text("body")?).context("promotions.body")?;
        let begins = |title: &String| title.to_lowercase().starts_with(&wanted.to_lowercase());
        if wanted.is_empty() || promotion.rule.titles.values().any(begins) {
            lines.push(Line { key: promotion.id.to_string(), cells: promotions::cells(&promotion), state: of_rule(&promotion.rule, None, now) });
        }
    }
    Ok(cut(lines, limit))
}

/// The first of them, and the key of the last where there are more.
fn cut(mut lines: Vec<Line>, limit: u32) -> (Vec<Line>, Option<String>) {
    let more = lines.len() > limit as usize;
    lines.truncate(limit as usize);
    let next = lines.last().filter(|_| more).map(|line| line.key.clone());
    (lines, next)
}

async fn coupons_listed(db: &Db, wanted: &str, after: Option<&str>, limit: u32, now: Instant) -> anyhow::Result<(Vec<Line>, Option<String>)> {
    const ALL: &str = "SELECT c.id, c.body, c.ended_at, (SELECT COUNT(*) FROM coupon_codes k WHERE k.coupon_id = c.id) AS codes, \
                       (SELECT MIN(k.code) FROM coupon_codes k WHERE k.coupon_id = c.id) AS code FROM coupons c WHERE c.id < $1 ORDER BY c.id DESC LIMIT $2";
    const LIKE: &str = "SELECT c.id, c.body, c.ended_at, (SELECT COUNT(*) FROM coupon_codes k WHERE k.coupon_id = c.id) AS codes, \
                        (SELECT MIN(k.code) FROM coupon_codes k WHERE k.coupon_id = c.id) AS code FROM coupons c WHERE c.id < $1 AND c.id IN \
                        (SELECT k.coupon_id FROM coupon_codes k WHERE k.key >= $3 AND k.key < $4) ORDER BY c.id DESC LIMIT $2";
    let (after, read) = (after.unwrap_or("g"), limit + 1);
    let rows = if wanted.is_empty() {
        db.all(ALL, params![after, read]).await?
    } else if let Ok(code) = wanted.parse::<Code>() {
        // Keys are digits and capitals: `~` comes after all of them.
        db.all(LIKE, params![after, read, code.key(), format!("{}~", code.key())]).await?
    } else {
        Vec::new()
    };
    let mut lines = Vec::new();
    for row in &rows {
        let coupon: Coupon = serde_json::from_str(&row.text("body")?).context("coupons.body")?;
        let ended_at = row.int_or_null("ended_at")?;
        let cells = coupons::cells(&coupon, coupons::code_cell(row)?, ended_at.is_some());
        lines.push(Line { key: coupon.id.to_string(), cells, state: of_rule(&coupon.rule, ended_at, now) });
    }
    Ok(cut(lines, limit))
}

/// Whether a place is meant by what was typed: `US` means `US-NY`, too.
fn is_wanted(wanted: &str, country: &str, region: &str) -> bool {
    let place = if region.is_empty() { country.to_owned() } else { format!("{country}-{region}") };
    place.starts_with(&wanted.to_uppercase())
}

/// `in force`, `to come`, or `replaced` by a later one that has begun.
fn versions_of(lines: &mut [(Line, String, Instant)], now: Instant) {
    for at in 0..lines.len() {
        let is_replaced = lines.get(at + 1).is_some_and(|(_, of, from)| *of == lines[at].1 && *from <= now);
        let (line, _, from) = &mut lines[at];
        line.state = if *from > now {
            "to come"
        } else if is_replaced {
            "replaced"
        } else {
            "in force"
        };
    }
}

async fn rates(db: &Db, wanted: &str, now: Instant) -> anyhow::Result<Vec<Line>> {
    let markets = shelves::markets(db, now).await?;
    let mut lines = Vec::new();
    for rate in tariffs::all_rates(db, WHOLE_MAX).await? {
        if !is_wanted(wanted, rate.country.code(), &rate.region) {
            continue;
        }
        let cells = taxes::cells(&rate, market_of(&markets, rate.country));
        let of = [rate.country.code(), &rate.region, &rate.category, &rate.name].join("|");
        let key = format!("{of}|{}", super::cells::instant(rate.valid_from));
        lines.push((Line { key, cells, state: "" }, of, rate.valid_from));
    }
    versions_of(&mut lines, now);
    Ok(lines.into_iter().map(|(line, _, _)| line).collect())
}

async fn places(db: &Db, wanted: &str, now: Instant) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for (country, region, from, collects) in tariffs::nexus::all(db, WHOLE_MAX).await? {
        if !is_wanted(wanted, &country, &region) {
            continue;
        }
        let place = if region.is_empty() { country } else { format!("{country}-{region}") };
        let key = format!("{place}|{}", super::cells::instant(from));
        lines.push((Line { key, cells: collection::cells(&place, from, collects), state: "" }, place, from));
    }
    versions_of(&mut lines, now);
    Ok(lines.into_iter().map(|(line, _, _)| line).collect())
}

async fn methods(db: &Db, wanted: &str, now: Instant) -> anyhow::Result<Vec<Line>> {
    let mut lines = Vec::new();
    for version in versions::all(db, WHOLE_MAX).await?.into_iter().filter(|version| is_wanted(wanted, version.market.code(), "")) {
        let (market, code, from) = (version.market, version.method.code.as_str(), version.from);
        let line = Line { key: delivery::key_of(market, code, from), cells: delivery::cells(&version), state: "" };
        lines.push((line, format!("{market}|{code}"), from));
    }
    versions_of(&mut lines, now);
    let offered = Table::Delivery.position("offered");
    let is_withdrawn = |line: &Line| line.state == "in force" && offered.and_then(|at| line.cells.get(at)).is_some_and(|cell| cell == "no");
    let told = |line: Line| if is_withdrawn(&line) { Line { state: "not offered", ..line } } else { line };
    Ok(lines.into_iter().map(|(line, _, _)| told(line)).collect())
}

/// The zones of the methods in force.
async fn zoned(db: &Db, wanted: &str, now: Instant) -> anyhow::Result<Vec<Line>> {
    let all: Vec<_> = versions::all(db, WHOLE_MAX).await?.into_iter().filter(|version| version.from <= now).collect();
    let is_latest = |at: usize| all.get(at + 1).is_none_or(|next| (next.market, &next.method.code) != (all[at].market, &all[at].method.code));
    let latest = all.iter().enumerate().filter(|(at, version)| is_latest(*at) && is_wanted(wanted, version.market.code(), ""));
    let lines = latest.flat_map(|(_, version)| {
        version.method.zones.iter().map(|zone| {
            let state = if zone.closed { "not offered" } else { "in force" };
            Line { key: zones::key_of(version, zone), cells: zones::cells(version, zone), state }
        })
    });
    Ok(lines.collect())
}

/// A coupon's codes with their uses by orders that stand, after the code with this key.
pub async fn codes(db: &Db, coupon: CouponId, after: &str, limit: u32) -> anyhow::Result<Vec<(String, String, u64)>> {
    let sql = "SELECT k.key, k.code, (SELECT COUNT(*) FROM coupon_redemptions r WHERE r.coupon_id = k.coupon_id AND r.code_key = k.key AND r.state = 'counted') \
               AS uses FROM coupon_codes k WHERE k.coupon_id = $1 AND k.key > $2 ORDER BY k.key LIMIT $3";
    let rows = db.all(sql, params![coupon, after, limit]).await?;
    rows.iter().map(|row| Ok((row.text("key")?, row.text("code")?, u64::try_from(row.int("uses")?)?))).collect()
}

/// `in force`, `not offered`, `to come`, `ended` or `replaced`; empty where there is no such row.
pub async fn state(db: &Db, table: Table, key: &str, now: Instant) -> anyhow::Result<&'static str> {
    let lines = match table {
        Table::Prices => {
            let key = key.to_owned();
            let read = db.transact::<_, anyhow::Error>(|tx| {
                let key = key.clone();
                Box::pin(async move { prices::state(tx, &key, now).await })
            });
            return read.await;
        }
        Table::Promotions => {
            let row = db.first("SELECT body FROM promotions WHERE id = $1 ORDER BY valid_from DESC LIMIT 1", params![key]).await?;
            let Some(row) = row else { return Ok("") };
            let promotion: Promotion = serde_json::from_str(&row.text("body")?).context("promotions.body")?;
            return Ok(of_rule(&promotion.rule, None, now));
        }
        Table::Coupons => {
            let Some(row) = db.first("SELECT body, ended_at FROM coupons WHERE id = $1", params![key]).await? else { return Ok("") };
            let coupon: Coupon = serde_json::from_str(&row.text("body")?).context("coupons.body")?;
            return Ok(of_rule(&coupon.rule, row.int_or_null("ended_at")?, now));
        }
        Table::Taxes => rates(db, "", now).await?,
        Table::Collection => places(db, "", now).await?,
        Table::Delivery => methods(db, "", now).await?,
        Table::Zones => zoned(db, "", now).await?,
    };
    Ok(lines.into_iter().find(|line| line.key == key).map_or("", |line| line.state))
}

/// Every row that [`list`] would show, for a file.
pub async fn whole(db: &Db, table: Table, wanted: &str, now: Instant) -> anyhow::Result<Vec<Cells>> {
    let (mut cells, mut after) = (Vec::new(), None);
    loop {
        let (lines, next) = list(db, table, wanted, after.as_deref(), WHOLE_MAX, now).await?;
        cells.extend(lines.into_iter().map(|line| line.cells));
        after = next;
        if after.is_none() {
            return Ok(cells);
        }
    }
}
