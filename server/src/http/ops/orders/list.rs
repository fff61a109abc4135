//! Lists of orders, and the search for one exact thing.

use crate::{
    Shop,
    catalog::shelves,
    http::{
        Failure, Fields,
        forms::see_other,
        ops::{desk, query_fields, send},
    },
    orders::{
        lists::{COUNTED_MAX, Filter, Key, Listed, PAGE, Page},
        many::MANY,
    },
    staff::Staff,
};
use app::{
    private::Notice,
    staff::{
        Route,
        orders::{Count, Line, ListData, STATES, WAITS, page, state_words, wait_words},
        route::OrderList,
    },
};
use axum::{
    Router,
    extract::{RawQuery, State},
    response::Response,
    routing::get,
};
use domain::{market::MarketCode, offer::Instant, order::OrderNumber, staff::Right};
use std::collections::BTreeSet;

pub fn routes() -> Router<Shop> {
    Router::new().route("/ops/orders", get(show))
}

async fn show(State(shop): State<Shop>, staff: Staff, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let list = list(&query_fields(query.as_deref()));
    // Whoever may neither send nor serve learns nothing about people, not even whether they ordered.
    let personal = staff.may(Right::Ship) || staff.may(Right::ServeCustomers);
    let after: Option<Key> = list.after.parse().ok();
    let offered = markets(&shop).await?;
    let market = offered.iter().copied().find(|code| code.code() == list.market);
    let mut notice = None;
    let found = if !list.wanted.is_empty() {
        shop.orders.search(&list.wanted, personal, after).await?
    } else if !list.waits.is_empty() {
        if market.is_none() && !list.market.is_empty() {
            notice = Some(Notice::bad(NO_MARKET));
            Page::default()
        } else {
            shop.orders.waiting(&list.waits, market, after).await?
        }
    } else {
        match filter(&offered, &list) {
            Ok(filter) => shop.orders.filtered(&filter, after).await?,
            Err(why) => {
                notice = Some(Notice::bad(why));
                Page::default()
            }
        }
    };
    // One hit is what was looked for.
    if let ([only], false, true) = (found.rows.as_slice(), list.wanted.is_empty(), list.after.is_empty()) {
        return Ok(see_other(&Route::Order { number: only.number.to_string() }.url()));
    }
    let mut counts = Vec::with_capacity(WAITS.len());
    for (word, ..) in WAITS {
        let n = shop.orders.count_waiting(word, market).await?;
        counts.push(Count { n: n.min(COUNTED_MAX), or_more: n > COUNTED_MAX });
    }
    let mut data = ListData {
        lines: lines(&shop, &found.rows).await?,
        more: found.more.map(|key| key.to_string()),
        counts,
        markets: offered.iter().map(|code| (code.code().to_owned(), code.code().to_owned())).collect(),
        personal,
        notice,
        list,
    };
    let status = if data.notice.is_some() { 422 } else { 200 };
    if data.lines.is_empty() && after.is_some() {
        data.list.after.clear();
    }
    send(&shop, page(&desk(&shop, &staff), data).with_status(status))
}

/// What the query asks for. Words that mean nothing are left out.
fn list(fields: &Fields) -> OrderList {
    let text = |name: &str| fields.get(name).trim().to_owned();
    let known = |text: String, ok: bool| if ok { text } else { String::new() };
    let (waits, state) = (text("waits"), text("state"));
    OrderList {
        wanted: text("q"),
        waits: known(waits.clone(), WAITS.iter().any(|known| known.0 == waits)),
        state: known(state.clone(), STATES.iter().any(|known| known.0 == state)),
        market: text("market"),
        from: text("from"),
        to: text("to"),
        after: text("after"),
    }
}

/// What is said of a market that there is not.
const NO_MARKET: &str = "There is no such market: choose another.";

/// The filter, or what is wrong with it.
fn filter(offered: &[MarketCode], list: &OrderList) -> Result<Filter, &'static str> {
    let (Ok(from), Ok(to)) = (day(&list.from, 0), day(&list.to, 1)) else {
        return Err("Type days as 2026-11-23, or choose them.");
    };
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err("The first day lies after the last one: swap them.");
    }
    let mut filter = Filter { from, to, ..Filter::default() };
    if list.market.is_empty() && list.state.is_empty() {
        return Ok(filter);
    }
    filter.markets = offered.iter().copied().filter(|code| list.market.is_empty() || code.code() == list.market).collect();
    if filter.markets.is_empty() {
        return Err(NO_MARKET);
    }
    let states = STATES.iter().filter(|state| list.state.is_empty() || state.0 == list.state);
    filter.states = states.map(|state| (state.2, state.3)).collect();
    Ok(filter)
}

/// The markets there are.
async fn markets(shop: &Shop) -> Result<Vec<MarketCode>, Failure> {
    Ok(shelves::markets(&shop.db, shop.clock.now()).await?.into_iter().map(|market| market.code).collect())
}

/// The first instant of a day, UTC, or of the day `later`; `None` where no day is given.
fn day(text: &str, later: i64) -> Result<Option<Instant>, jiff::Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let day = text.parse::<jiff::civil::Date>()?.checked_add(jiff::Span::new().days(later))?;
    Ok(Some(day.to_zoned(jiff::tz::TimeZone::UTC)?.timestamp().as_microsecond()))
}

const _: () = assert!(PAGE <= MANY);

/// The rows in words. Of those that wait for an answer to a bank, whether it asks or claims stands in their ledgers.
async fn lines(shop: &Shop, rows: &[Listed]) -> anyhow::Result<Vec<Line>> {
    let disputed: Vec<OrderNumber> = rows.iter().filter(|row| row.attention == "dispute").map(|row| row.number).collect();
    let known = shop.orders.by_numbers(&disputed).await?;
    let asked: BTreeSet<String> = known.iter().filter(|order| order.ledgers.is_only_asked()).map(|order| order.number.to_string()).collect();
    Ok(rows.iter().map(|row| line(row, asked.contains(&row.number.to_string()))).collect())
}

fn line(row: &Listed, is_inquiry: bool) -> Line {
    Line {
        is_inquiry,
        number: row.number.to_string(),
        placed_at: row.placed_at,
        market: row.market.code().to_owned(),
        state: state_words(&row.status, &row.progress),
        waits: wait_words(&row.attention),
        due: row.due,
        total: row.total,
    }
}
