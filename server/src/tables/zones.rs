//! Delivery zones: parts of a market where a method costs or takes something else, or does not go. A zone is a part of its method's version, so a
//! change writes a version of now; orders that stand keep what they were promised. Of zones that cover a place, one named by postcodes comes before
//! one named by regions, and that one before whole countries.

use super::{
    Cells, Context, PutError,
    cells::{Reader, market, parse_money, row, texts},
    delivery,
};
use crate::{
    sql::Tx,
    tariffs::versions::{self, Version},
};
use anyhow::Context as _;
use app::staff::tables::Table;
use domain::{
    delivery::Zone,
    market::{Country, MarketCode},
    money::Money,
};

const TABLE: Table = Table::Zones;

fn parsed(key: &str) -> Option<(MarketCode, &str, &str)> {
    let [market, method, zone] = key.split('|').collect::<Vec<_>>().try_into().ok()?;
    Some((market.parse().ok()?, method, zone))
}

pub(super) fn key_of(version: &Version, zone: &Zone) -> String {
    format!("{}|{}|{}", version.market, version.method.code, zone.code)
}

/// The key that a row's cells make.
pub(super) fn key(cx: &Context<'_>, cells: &Cells) -> Result<String, PutError> {
    let mut reader = Reader::new(TABLE, cells);
    let known = reader.read("market", |code| market(cx.markets, code));
    for name in ["method", "zone"] {
        if reader.get(name).is_empty() || reader.get(name).contains('|') {
            reader.wrong(name, "A code has small letters, digits, - and _.");
        }
    }
    let (method, zone) = (reader.get("method"), reader.get("zone"));
    let market = reader.done(known)?;
    Ok(format!("{}|{method}|{zone}", market.code))
}

pub(super) fn cells(version: &Version, zone: &Zone) -> Cells {
    let own = zone.countries == [version.market];
    let words = |words: Vec<String>| words.join(" ");
    let days = (zone.extra_days_min, zone.extra_days_max);
    let mut cells = row(
        TABLE,
        &[
            ("market", version.market.to_string()),
            ("method", version.method.code.clone()),
            ("zone", zone.code.clone()),
            ("countries", if own { String::new() } else { words(zone.countries.iter().map(ToString::to_string).collect()) }),
            ("regions", zone.regions.join(" ")),
            ("postcodes", written(&zone.postcodes)),
            ("price", if zone.closed { String::new() } else { zone.price.decimal() }),
            ("free_from", zone.free_from.filter(|_| !zone.closed).map(Money::decimal).unwrap_or_default()),
            ("days", if days == (0, 0) || zone.closed { String::new() } else { delivery::days(days.0, days.1) }),
        ],
    );
    texts(TABLE, "name", &zone.names, &mut cells);
    cells
}

/// The version in force of a zone's method, where no later one would undo what is written now.
async fn changeable(tx: &mut Tx, cx: &Context<'_>, market: MarketCode, method: &str) -> Result<Version, PutError> {
    let all = versions::of(tx, market, method).await?;
    if all.iter().any(|version| version.from > cx.now) {
        return Err(PutError::wrong(
            "",
            "A later version of this method is planned, and it has zones of its own: take it back first, and plan it again afterwards.",
        ));
    }
    all.into_iter().next_back().ok_or_else(|| PutError::wrong("method", format!("The market has no method {method:?}.")))
}

pub(super) async fn read(tx: &mut Tx, cx: &Context<'_>, key: &str) -> anyhow::Result<Option<Cells>> {
    let Some((market, method, code)) = parsed(key) else { return Ok(None) };
    let all = versions::of(tx, market, method).await?;
    let Some(version) = all.iter().rfind(|version| version.from <= cx.now) else { return Ok(None) };
    Ok(version.method.zones.iter().find(|zone| zone.code == code).map(|zone| cells(version, zone)))
}

/// A comma after the last one that ends in a space, which would be lost at the end of the cell.
fn written(prefixes: &[String]) -> String {
    let end = if prefixes.last().is_some_and(|last| last.ends_with(' ')) { "," } else { "" };
    format!("{}{end}", prefixes.join(", "))
}

/// `IV, KW, PA2 ,`: a space at the end counts.
fn prefixes(text: &str) -> Vec<String> {
    text.split([',', '\n']).map(str::trim_start).filter(|prefix| !prefix.is_empty()).map(str::to_owned).collect()
}

pub(super) async fn put(tx: &mut Tx, cx: &Context<'_>, key: &str, cells: &Cells) -> Result<(), PutError> {
    let (code, method, zone) = parsed(key).context("a key that was read a moment ago")?;
    let currency = market(cx.markets, code.code())?.currency;
    let mut reader = Reader::new(TABLE, cells);
    let names = reader.texts("name");
    let price = reader.read_optional("price", |text| parse_money(text, currency));
    let free_from = reader.read_optional("free_from", |text| parse_money(text, currency));
    let days = reader.read_optional("days", delivery::parse_days);
    let countries = reader.read("countries", |text| {
        let country = |word: &str| word.parse::<Country>().with_context(|| format!("{word:?} is not a country code such as DE"));
        text.split_whitespace().map(country).collect::<anyhow::Result<Vec<_>>>()
    });
    let regions = regions_of(&reader);
    let postcodes = prefixes(reader.get("postcodes"));
    let (Ok(price), Ok(free_from), Ok(days), Some(mut countries)) = (price, free_from, days, countries) else {
        return Err(PutError::Wrong(reader.wrong));
    };
    if countries.is_empty() {
        countries.push(code);
    }
    let delivers = &market(cx.markets, code.code())?.countries;
    if let Some(other) = countries.iter().find(|country| !delivers.contains(country)) {
        reader.wrong("countries", format!("The market does not deliver to {other}."));
    }
    if postcodes.is_empty() && regions_of(&reader).is_empty() && countries.contains(&code) {
        reader.wrong("regions", "Name regions or postcodes: all of the market's own country is what the method itself says.");
    }
    reader.done(Some(()))?;
    let mut version = changeable(tx, cx, code, method).await?;
    let days = days.unwrap_or((0, 0));
    let zone = Zone {
        code: zone.to_owned(),
        names,
        countries,
        regions,
        postcodes,
        price: price.unwrap_or(version.method.price),
        free_from,
        extra_days_min: days.0,
        extra_days_max: days.1,
        closed: price.is_none(),
    };
    let others = &mut version.method.zones;
    others.retain(|other| other.code != zone.code);
    if let Some((other, what)) = others.iter().find_map(|other| meets(other, &zone).map(|what| (other, what))) {
        return Err(PutError::wrong(what.0, format!("The zone {:?} has {:?} already.", other.code, what.1)));
    }
    others.push(zone);
    others.sort_by(|a, b| (rank(a), &a.code).cmp(&(rank(b), &b.code)));
    delivery::write(tx, cx, code, version.position, &version.method, cx.now).await
}

fn regions_of(reader: &Reader<'_>) -> Vec<String> {
    reader.get("regions").split_whitespace().map(str::to_owned).collect()
}

/// What comes first covers first.
fn rank(zone: &Zone) -> u8 {
    if zone.postcodes.is_empty() { u8::from(zone.regions.is_empty()) + 1 } else { 0 }
}

/// What two zones of one rank both name: then nobody could say which one counts.
fn meets<'a>(one: &Zone, other: &'a Zone) -> Option<(&'static str, &'a str)> {
    let country = other.countries.iter().find(|country| one.countries.contains(country))?;
    if rank(one) == 2 && rank(other) == 2 {
        return Some(("countries", country.code()));
    }
    let postcode = other.postcodes.iter().find(|prefix| one.postcodes.iter().any(|known| known.starts_with(*prefix) || prefix.starts_with(known)));
    let region = other.regions.iter().find(|region| one.regions.contains(region));
    postcode.map(|prefix| ("postcodes", prefix.as_str())).or_else(|| region.map(|region| ("regions", region.as_str())))
}

/// The zone is gone from now on: there the method is as at home.
pub(super) async fn end(tx: &mut Tx, cx: &Context<'_>, key: &str) -> Result<(), PutError> {
    let (market, method, code) = parsed(key).context("a key that was read a moment ago")?;
    let mut version = changeable(tx, cx, market, method).await?;
    version.method.zones.retain(|zone| zone.code != code);
    delivery::write(tx, cx, market, version.position, &version.method, cx.now).await
}
