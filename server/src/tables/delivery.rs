//! Delivery methods: a row for each version, by market, code and the instant from which it counts. Zones have a table of their own, and each version
//! takes those of the one before it. Rows that have begun stay as they are, for orders were promised by them.

use super::{
    Cells, Context, PutError,
    cells::{Reader, instant, market, parse_instant, parse_money, row, sentence, texts},
};
use crate::{
    events, params,
    sql::Tx,
    tariffs::{self, versions, versions::Version},
};
use anyhow::{Context as _, bail, ensure};
use app::staff::tables::Table;
use domain::{
    delivery::{CutOff, Method, Origin, STANDARD, WeightStep},
    event::Event,
    market::{Country, MarketCode},
    money::{Currency, Money},
    offer::Instant,
};

const TABLE: Table = Table::Delivery;

fn parsed(key: &str) -> Option<(MarketCode, &str, Instant)> {
    let [market, code, from] = key.split('|').collect::<Vec<_>>().try_into().ok()?;
    Some((market.parse().ok()?, code, parse_instant(from, "UTC").ok()?))
}

pub(super) fn key_of(market: MarketCode, code: &str, from: Instant) -> String {
    format!("{market}|{code}|{}", instant(from))
}

/// The key that a row's cells make.
pub(super) fn key(cx: &Context<'_>, cells: &Cells) -> Result<String, PutError> {
    let mut reader = Reader::new(TABLE, cells);
    let known = reader.read("market", |code| market(cx.markets, code));
    let zone = known.map_or("UTC", |market| market.time_zone.as_str());
    let from = reader.read_optional("from", |text| parse_instant(text, zone));
    let code = reader.get("method").to_owned();
    if code.is_empty() || code.contains('|') {
        reader.wrong("method", "A code has small letters, digits, - and _.");
    }
    let (market, from) = reader.done(known.zip(from.ok()))?;
    Ok(key_of(market.code, &code, from.unwrap_or(cx.now)))
}

/// `2-3`.
pub(super) fn days(min: u8, max: u8) -> String {
    format!("{min}-{max}")
}

pub(super) fn parse_days(text: &str) -> anyhow::Result<(u8, u8)> {
    let (min, max) = text.split_once(['-', '–']).unwrap_or((text, text));
    let day = |text: &str| text.trim().parse::<u8>().ok().filter(|days| *days <= Method::DAYS_MAX);
    let days = day(min).zip(day(max)).filter(|(min, max)| min <= max);
    days.with_context(|| format!("{text:?} is not such as 2-3; no figure is above {}", Method::DAYS_MAX))
}

fn time(cut_off: &CutOff) -> String {
    format!("{:02}:{:02} {}", cut_off.hour, cut_off.minute, cut_off.zone)
}

fn parse_time(clock: &str, zone: &str) -> anyhow::Result<CutOff> {
    let time = clock.split_once(':').and_then(|(hour, minute)| Some((hour.parse().ok()?, minute.parse().ok()?)));
    let (hour, minute) = time.with_context(|| format!("{clock:?} is not a time such as 14:00"))?;
    ensure!(domain::delivery::zone(zone).is_some(), "{zone:?} is not a time zone that this shop knows, such as Europe/Berlin");
    Ok(CutOff { hour, minute, zone: zone.to_owned() })
}

/// `rotterdam NL`; the country may be missing.
fn parse_location(text: &str) -> anyhow::Result<(String, Option<Country>)> {
    match text.split_whitespace().collect::<Vec<_>>().as_slice() {
        [location] => Ok(((*location).to_owned(), None)),
        [location, country] => {
            Ok(((*location).to_owned(), Some(country.parse().with_context(|| format!("{country:?} is not a country code such as NL"))?)))
        }
        _ => bail!("write a location and its country, such as rotterdam NL"),
    }
}

fn origin(line: &str) -> anyhow::Result<Origin> {
    let [location, country, clock, zone, handling, extra] = line.split_whitespace().collect::<Vec<_>>().try_into().map_err(|_| {
        anyhow::anyhow!("{line:?} is not such as reno US 13:00 America/Los_Angeles 0 3: location, country, cut-off, handling days, more days")
    })?;
    let days = |text: &str| text.parse().with_context(|| format!("{text:?} is not a number of days"));
    Ok(Origin {
        location: location.to_owned(),
        country: match country {
            "-" => None,
            code => Some(code.parse().with_context(|| format!("{code:?} is not a country code such as NL"))?),
        },
        cut_off: parse_time(clock, zone)?,
        handling_days: days(handling)?,
        extra_days: days(extra)?,
    })
}

fn weights(text: &str, currency: Currency) -> anyhow::Result<Vec<WeightStep>> {
    let step = |step: &str| {
        let (grams, plus) = step.split_once('=').with_context(|| format!("{step:?} is not such as 5000=3.00"))?;
        let above_g = grams.trim_end_matches('g').parse().with_context(|| format!("{grams:?} is not a number of grams"))?;
        Ok(WeightStep { above_g, plus: parse_money(plus, currency)? })
    };
    text.split_whitespace().map(step).collect()
}

pub(super) fn cells(version: &Version) -> Cells {
    let method = &version.method;
    let country = |country: Option<Country>| country.map_or_else(|| "-".to_owned(), |country| country.to_string());
    let elsewhere = method
        .origins
        .iter()
        .map(|from| format!("{} {} {} {} {}", from.location, country(from.country), time(&from.cut_off), from.handling_days, from.extra_days));
    let heavy = method.weights.iter().map(|step| format!("{}={}", step.above_g, step.plus.decimal()));
    let mut cells = row(
        TABLE,
        &[
            ("market", version.market.to_string()),
            ("method", method.code.clone()),
            ("from", instant(version.from)),
            ("price", method.price.decimal()),
            ("free_from", method.free_from.map(Money::decimal).unwrap_or_default()),
            ("days", days(method.days_min, method.days_max)),
            ("cut_off", time(&method.cut_off)),
            ("ships_from", method.from_country.map_or_else(|| method.ships_from.clone(), |country| format!("{} {country}", method.ships_from))),
            ("handling_days", if method.handling_days == 0 { String::new() } else { method.handling_days.to_string() }),
            ("elsewhere", elsewhere.collect::<Vec<_>>().join("\n")),
            ("weights", heavy.collect::<Vec<_>>().join(" ")),
            ("weight_max", method.weight_max_g.map(|grams| grams.to_string()).unwrap_or_default()),
            ("offered", if method.withdrawn { "no" } else { "" }.to_owned()),
        ],
    );
    texts(TABLE, "name", &method.names, &mut cells);
    cells
}

pub(super) async fn read(tx: &mut Tx, key: &str) -> anyhow::Result<Option<Cells>> {
    let Some((market, code, from)) = parsed(key) else { return Ok(None) };
    Ok(versions::of(tx, market, code).await?.iter().find(|version| version.from == from).map(cells))
}

pub(super) async fn put(tx: &mut Tx, cx: &Context<'_>, key: &str, before: Option<&Cells>, cells: &Cells) -> Result<(), PutError> {
    let (code, name, from) = parsed(key).context("a key that was read a moment ago")?;
    let currency = market(cx.markets, code.code())?.currency;
    let mut reader = Reader::new(TABLE, cells);
    if from < cx.now {
        let begun = "It has begun, and orders were promised by it: add a row from a later instant instead.";
        let past = "Orders of the past keep their delivery: say an instant that is still to come, or leave it empty for now.";
        reader.wrong("from", if before.is_some() { begun } else { past });
    }
    let names = reader.texts("name");
    let price = reader.read("price", |text| parse_money(text, currency));
    let free_from = reader.read_optional("free_from", |text| parse_money(text, currency));
    let days = reader.read("days", parse_days);
    let cut_off = reader.read("cut_off", |text| {
        let (clock, zone) = text.split_once(' ').context("write a time and its zone, such as 14:00 Europe/Berlin")?;
        parse_time(clock, zone.trim())
    });
    let ships_from = reader.read("ships_from", parse_location);
    let handling = reader.read_optional("handling_days", |text| text.parse::<u8>().context("a number of days, such as 2"));
    let origins = reader.read("elsewhere", |text| text.lines().map(origin).collect::<anyhow::Result<Vec<_>>>());
    let weights = reader.read("weights", |text| weights(text, currency));
    let weight_max_g = reader.read_optional("weight_max", |text| text.parse::<u64>().context("a number of grams, such as 30000"));
    let withdrawn = reader.read("offered", |word| match word {
        "" | "yes" => Ok(false),
        "no" => Ok(true),
        _ => bail!("leave it empty where shoppers can choose it, or type no"),
    });
    let (
        Some(price),
        Ok(free_from),
        Some((days_min, days_max)),
        Some(cut_off),
        Some((ships_from, from_country)),
        Ok(handling),
        Some(origins),
        Some(weights),
        Ok(weight_max_g),
        Some(withdrawn),
    ) = (price, free_from, days, cut_off, ships_from, handling, origins, weights, weight_max_g, withdrawn)
    else {
        return Err(PutError::Wrong(reader.wrong));
    };
    for location in std::iter::once(&ships_from).chain(origins.iter().map(|origin| &origin.location)) {
        if tx.first("SELECT code FROM stock_locations WHERE code = $1 LIMIT 1", params![location]).await?.is_none() {
            let column = if *location == ships_from { "ships_from" } else { "elsewhere" };
            reader.wrong(column, format!("There is no stock location {location:?}."));
        }
    }
    let all = versions::of(tx, code, name).await?;
    let stands = all.iter().rfind(|version| version.from <= from).or(all.first());
    let method = Method {
        code: name.to_owned(),
        names,
        price,
        free_from,
        days_min,
        days_max,
        cut_off,
        ships_from,
        from_country,
        handling_days: handling.unwrap_or(0),
        origins,
        zones: stands.map(|stands| stands.method.zones.clone()).unwrap_or_default(),
        weights,
        weight_max_g,
        withdrawn,
        zone: None,
    };
    let method = reader.done(Some(method))?;
    let position = match stands {
        Some(stands) => stands.position,
        None => versions::last_position(tx, code).await?,
    };
    write(tx, cx, code, position, &method, from).await
}

/// Writes a version; pages follow.
pub(super) async fn write(tx: &mut Tx, cx: &Context<'_>, market: MarketCode, position: i64, method: &Method, from: Instant) -> Result<(), PutError> {
    tariffs::put_method(tx, market, position, method, from).await?.map_err(|bad| PutError::wrong("", sentence(&bad.into())))?;
    events::emit(tx, cx.clock, &Event::ShopChanged).await?;
    Ok(())
}

/// A row that has not begun is gone; after one that has, the row before it counts again from now on.
pub(super) async fn end(tx: &mut Tx, cx: &Context<'_>, key: &str) -> Result<Option<String>, PutError> {
    let (market, code, from) = parsed(key).context("a key that was read a moment ago")?;
    let all = versions::of(tx, market, code).await?;
    if from > cx.now {
        let is_only = all.len() == 1 && code == STANDARD;
        if is_only {
            return Err(PutError::wrong("", "The market has no other version of its standard delivery."));
        }
        versions::remove(tx, market, code, from).await?;
        events::emit(tx, cx.clock, &Event::ShopChanged).await?;
        return Ok(None);
    }
    let Some(earlier) = all.iter().rfind(|version| version.from < from) else {
        let Some(first) = all.iter().find(|version| version.from == from) else { return Ok(None) };
        // Nothing counted before it: from now on it is not offered.
        let ends = cx.now.max(from + 1);
        write(tx, cx, market, first.position, &Method { withdrawn: true, ..first.method.clone() }, ends).await?;
        return Ok(Some(key_of(market, code, ends)));
    };
    let ends = cx.now.max(from + 1);
    write(tx, cx, market, earlier.position, &earlier.method, ends).await?;
    Ok(Some(key_of(market, code, ends)))
}
