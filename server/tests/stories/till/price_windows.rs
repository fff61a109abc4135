//! Prices that begin and end by themselves: everything that says a price says the same one, in the first answer after its instant.

use super::house::{self, House, Thing, add, words};
use crate::support::{Answer, Visitor};
use anyhow::{Context as _, ensure};
use app::{i18n, ports::Storefront as _};
use domain::{
    locale::Locale,
    market::{Market, MarketCode},
    money::Money,
    offer::{Instant, offer},
    promotion::Promotion,
};
use serde_json::Value;
use server::{
    catalog::{
        prices::{self, NewPrice, NewWindow, PriceError, State},
        shelves,
    },
    params, promotions, readmodel,
};
use std::{collections::BTreeMap, time::Duration};

const HOUR: Instant = 3_600_000_000;
/// Cheaper than anything else in every currency.
const CHEAP: i64 = 123;
const CHEAP_MAX: i64 = 150;

/// One thing in all markets, with a cart that holds it.
struct Watched {
    thing: Thing,
    sku: String,
    slugs: BTreeMap<Locale, String>,
    markets: Vec<(Locale, Market, Visitor)>,
}

async fn watched(house: &House) -> anyhow::Result<Watched> {
    let (shop, thing) = (&house.shop.shop, house.things().await?.remove(0));
    let sku = shop.db.first("SELECT sku FROM variants WHERE id = $1", params![thing.variant]).await?.context("the variant")?.text("sku")?;
    let all = shelves::markets(&shop.db, shop.clock.now()).await?;
    let (mut markets, mut slugs) = (Vec::new(), BTreeMap::new());
    for market in all {
        let locale = Locale::OFFERED.into_iter().find(|locale| locale.country == market.code).context("a locale")?;
        let cards = shop.storefront.cards(locale.text_language(), &[thing.product]).await?;
        slugs.insert(locale, cards.first().context("a card")?.slug.clone());
        let visitor = house.shop.visitor();
        add(&visitor, locale, &thing).await?;
        markets.push((locale, market, visitor));
    }
    ensure!(markets.len() == 7, "seven markets");
    Ok(Watched { thing, sku, slugs, markets })
}

/// The price of the variant as machines read it.
fn in_json(page: &Answer, sku: &str) -> anyhow::Result<String> {
    let (_, json) = page.body.split_once("application/ld+json").context("JSON-LD")?;
    let (_, json) = json.split_once('>').context("JSON-LD")?;
    let json: Value = serde_json::from_str(json.split("</script>").next().unwrap_or_default())?;
    let variants = json["hasVariant"].as_array().context("variants")?;
    let variant = variants.iter().find(|variant| variant["sku"] == sku).context("the variant")?;
    Ok(variant["offers"]["price"].as_str().context("a price")?.to_owned())
}

/// What the order's own transaction takes for it.
async fn at_the_till(house: &House, market: &Market, thing: &Thing) -> anyhow::Result<Option<Money>> {
    let (shop, variant) = (&house.shop.shop, thing.variant);
    let now = shop.clock.now();
    let priced = shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let market = market.clone();
            Box::pin(async move { prices::of(tx, &market, &[variant], now).await })
        })
        .await?;
    Ok(priced.first().and_then(|priced| offer(&priced.windows, now)).map(|offer| offer.price))
}

impl Watched {
    /// Everything in a market says that the thing costs this, in its first answer.
    async fn costs(&self, house: &House, at: usize, price: Money) -> anyhow::Result<()> {
        let (locale, market, visitor) = &self.markets[at];
        let (shown, slug) = (words(&format!("<main>{}", i18n::price(price, *locale))), &self.slugs[locale]);
        let is_cheap = price.minor < CHEAP_MAX;
        let max = Money::new(CHEAP_MAX, market.currency).decimal();
        let first = visitor.get(&format!("/{locale}/all?sort=price-asc")).await?;
        let card = first.body.split("/p/").nth(1).unwrap_or_default();
        ensure!(card.starts_with(slug.as_str()) == is_cheap, "{locale}: the cheapest is {}", card.chars().take(30).collect::<String>());
        ensure!(!is_cheap || words(&first.body).contains(&shown), "{locale}: its card says {shown}");
        let link = format!("/p/{slug}");
        let narrowed = visitor.get(&format!("/{locale}/all?max={max}")).await?;
        ensure!(narrowed.body.contains(&link) == is_cheap, "{locale}: narrowed to {max}");
        let found = visitor.get(&format!("/{locale}/search?q={slug}&max={max}")).await?;
        ensure!(found.body.contains(&link) == is_cheap, "{locale}: found up to {max}");
        let query: Vec<String> = self.thing.options.iter().map(|(option, value)| format!("{option}={value}")).collect();
        let page = visitor.get(&format!("/{locale}/p/{slug}?{}", query.join("&"))).await?;
        ensure!(words(&page.body).contains(&shown), "{locale}: the page says {shown}: {}", words(&page.body));
        let json = in_json(&page, &self.sku)?;
        ensure!(json == price.decimal(), "{locale}: JSON-LD says {json}, not {}", price.decimal());
        let cart = visitor.get(&format!("/{locale}/cart")).await?;
        ensure!(words(&cart.body).contains(&shown), "{locale}: the cart says {shown}: {}", words(&cart.body));
        ensure!(at_the_till(house, market, &self.thing).await? == Some(price), "{locale}: at the till");
        Ok(())
    }
}

async fn plan(house: &House, list: &str, thing: &Thing, price: Money, from: Instant, until: Option<Instant>) -> Result<String, PriceError> {
    let (shop, variant) = (&house.shop.shop, thing.variant);
    let now = shop.clock.now();
    shop.db
        .transact::<_, PriceError>(|tx| {
            let (clock, list) = (shop.clock.clone(), list.to_owned());
            Box::pin(async move { prices::schedule(tx, &clock, NewWindow { list: &list, variant, price, compare_at: None, from, until }, now).await })
        })
        .await
}

async fn set(house: &House, list: &str, thing: &Thing, price: Money) -> Result<bool, PriceError> {
    let (shop, variant) = (&house.shop.shop, thing.variant);
    let now = shop.clock.now();
    shop.db
        .transact::<_, PriceError>(|tx| {
            let (clock, list) = (shop.clock.clone(), list.to_owned());
            Box::pin(
                async move { prices::put(tx, &clock, NewPrice { list: &list, variant, price, compare_at: None, source: "operator" }, now).await },
            )
        })
        .await
}

/// Waits until live items have followed what was planned, which is told by the outbox.
async fn followed(house: &House) -> anyhow::Result<()> {
    for _ in 0..100 {
        let waiting = house.shop.shop.db.first("SELECT id FROM outbox WHERE delivered_at IS NULL LIMIT 1", params![]).await?;
        if waiting.is_none() {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the events were not delivered in five seconds")
}

/// Moves the shop's time to an instant.
fn until(house: &House, at: Instant) -> anyhow::Result<()> {
    let wait = u64::try_from(at - house.shop.clock.now())?;
    house.shop.clock.advance(Duration::from_micros(wait));
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn everything_says_a_planned_price_from_its_instant_to_its_end_in_every_market() -> anyhow::Result<()> {
    let house = house::open().await?;
    let watched = watched(&house).await?;
    let (from, end) = (house.shop.clock.now() + HOUR, house.shop.clock.now() + 2 * HOUR);
    let mut before = Vec::new();
    for (at, (_, market, _)) in watched.markets.iter().enumerate() {
        let price = at_the_till(&house, market, &watched.thing).await?.context("sold here")?;
        plan(&house, &market.price_list, &watched.thing, Money::new(CHEAP, market.currency), from, Some(end)).await?;
        before.push(price);
        followed(&house).await?;
        watched.costs(&house, at, price).await?;
    }
    until(&house, from)?;
    for (at, price) in before.iter().enumerate() {
        watched.costs(&house, at, Money::new(CHEAP, price.currency)).await?;
    }
    // A list price that is set meanwhile waits for its end.
    let dearer = |price: &Money| Money::new(price.minor + 100, price.currency);
    for (at, (price, (_, market, _))) in before.iter().zip(&watched.markets).enumerate() {
        ensure!(set(&house, &market.price_list, &watched.thing, dearer(price)).await?);
        followed(&house).await?;
        watched.costs(&house, at, Money::new(CHEAP, price.currency)).await?;
    }
    until(&house, end)?;
    for (at, price) in before.iter().enumerate() {
        watched.costs(&house, at, dearer(price)).await?;
    }
    // The history follows: what was shown, from when it was shown.
    for _ in 0..100 {
        if house.shop.shop.db.first("SELECT at FROM price_instants LIMIT 1", params![]).await?.is_none() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let clock = &house.shop.shop.clock;
    let (one, other) = tokio::join!(prices::catch_up(&house.shop.shop.db, clock), prices::catch_up(&house.shop.shop.db, clock));
    assert_eq!((one?, other?), (0, 0));
    for (price, (_, market, _)) in before.iter().zip(&watched.markets) {
        let sql = "SELECT amount_minor, valid_from, source FROM price_history WHERE variant_id = $1 AND price_list = $2 AND valid_from >= $3 ORDER BY valid_from";
        let rows = house.shop.shop.db.all(sql, params![watched.thing.variant, &market.price_list, from]).await?;
        let told: Vec<_> =
            rows.iter().map(|row| Ok((row.int("amount_minor")?, row.int("valid_from")?, row.text("source")?))).collect::<anyhow::Result<_>>()?;
        let expected = [(CHEAP, from, "campaign".to_owned()), (dearer(price).minor, end, "operator".to_owned())];
        assert_eq!(told, expected, "{}", market.code.code());
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_starts_after_the_instant_shows_the_planned_price() -> anyhow::Result<()> {
    let house = house::open().await?;
    let (shop, thing) = (&house.shop.shop, house.things().await?.remove(0));
    let (germany, euros): (MarketCode, _) = ("DE".parse()?, Money::new(CHEAP, "EUR".parse()?));
    let from = house.shop.clock.now() + HOUR;
    plan(&house, "de", &thing, euros, from, None).await?;
    followed(&house).await?;
    until(&house, from)?;
    let model = readmodel::open(shop.db.clone(), shop.table.clone(), shop.clock.clone())?;
    model.projector.start().await?;
    let live = model.storefront.live(&[thing.product]).await?.pop().context("live values")?;
    let here = live.variant(germany, thing.variant).context("sold here")?;
    assert_eq!(offer(&here.windows, shop.clock.now()).map(|offer| offer.price), Some(euros));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_meant_is_refused_with_a_sentence_and_what_is_planned_can_be_taken_back() -> anyhow::Result<()> {
    let house = house::open().await?;
    let (shop, thing) = (&house.shop.shop, house.things().await?.remove(0));
    let now = shop.clock.now();
    let (euro, sale) = ("EUR".parse()?, |minor| Money::new(minor, "EUR".parse().expect("known")));
    let refused = async |list: &str, price: Money, from: Instant, until: Option<Instant>| match plan(&house, list, &thing, price, from, until).await {
        Ok(id) => id,
        Err(refused) => refused.to_string(),
    };
    assert_eq!(refused("xx", sale(900), now + HOUR, None).await, "no market has the price list \"xx\"");
    assert_eq!(refused("us", sale(900), now + HOUR, None).await, "the price list \"us\" is in USD, not in EUR");
    assert_eq!(refused("de", sale(0), now + HOUR, None).await, "a price is above zero");
    assert_eq!(refused("de", sale(900), now + HOUR, Some(now + HOUR)).await, "a window ends after it begins");
    assert_eq!(refused("de", sale(900), now - HOUR, Some(now - 1)).await, "it would be over already");
    assert_eq!(refused("de", sale(900), now - HOUR, None).await, "a list price that is planned begins in the future");
    let before = prices::rows(&shop.db, "de", thing.variant, now).await?;
    assert_eq!(before.iter().map(|row| row.state).collect::<Vec<_>>(), [State::List]);

    let first = plan(&house, "de", &thing, sale(900), now + HOUR, Some(now + 3 * HOUR)).await?;
    let told = refused("de", sale(800), now + 2 * HOUR, Some(now + 4 * HOUR)).await;
    assert!(told.contains(" has another price in \"de\" from 2026-11-23T13:00:0") && told.contains(" until 2026-11-23T15:00:0"), "{told}");
    let second = plan(&house, "de", &thing, sale(700), now + 3 * HOUR, Some(now + 4 * HOUR)).await?;
    let states = async |at| anyhow::Ok(prices::rows(&shop.db, "de", thing.variant, at).await?.iter().map(|row| row.state).collect::<Vec<_>>());
    assert_eq!(states(now).await?, [State::List, State::ToCome, State::ToCome]);
    assert_eq!(states(now + HOUR).await?, [State::List, State::Running, State::ToCome]);

    let withdraw = async |id: &str| {
        let now = shop.clock.now();
        shop.db
            .transact::<_, PriceError>(|tx| {
                let (clock, id) = (shop.clock.clone(), id.to_owned());
                Box::pin(async move { prices::withdraw(tx, &clock, &id, now).await })
            })
            .await
    };
    withdraw(&second).await?;
    until(&house, now + 2 * HOUR)?;
    let market = shelves::markets(&shop.db, now).await?.into_iter().find(|market| market.currency == euro && market.price_list == "de");
    let market = market.context("Germany")?;
    assert_eq!(at_the_till(&house, &market, &thing).await?, Some(sale(900)));
    withdraw(&first).await?;
    assert_eq!(at_the_till(&house, &market, &thing).await?, Some(before[0].price.price));
    assert!(matches!(withdraw(&first).await, Err(PriceError::NotFound)));
    assert!(matches!(withdraw(&before[0].id).await, Err(PriceError::IsList)));
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sale_of_the_whole_shop_lowers_what_a_later_reduction_is_compared_with() -> anyhow::Result<()> {
    let house = house::open().await?;
    let (shop, thing) = (&house.shop.shop, house.things().await?.remove(0));
    let all = shelves::markets(&shop.db, shop.clock.now()).await?;
    let priced = async |code: &str| {
        let market = all.iter().find(|market| market.code.code() == code).context("the market")?;
        let (variant, now) = (thing.variant, shop.clock.now());
        let work = shop.db.transact::<_, anyhow::Error>(|tx| {
            let market = market.clone();
            Box::pin(async move { prices::of(tx, &market, &[variant], now).await })
        });
        work.await?.first().and_then(|priced| offer(&priced.windows, now)).context("sold here")
    };
    let rule = serde_json::json!({
        "id": shop.clock.id(), "titles": { "en-us": "A fifth off everything" }, "effect": { "kind": "percent", "millionths": 200_000 },
        "valid_from": shop.clock.now(), "valid_until": shop.clock.now() + 24 * HOUR, "includes_reduced": true,
    });
    let promotion: Promotion = serde_json::from_value(rule)?;
    shop.db
        .transact::<_, anyhow::Error>(|tx| {
            let (promotion, now) = (promotion.clone(), shop.clock.now());
            Box::pin(async move { promotions::put(tx, &promotion, now).await })
        })
        .await?;
    until(&house, shop.clock.now() + 48 * HOUR)?;
    for (code, list, part) in [("DE", "de", 80), ("FR", "fr", 80), ("US", "us", 100)] {
        let before = priced(code).await?.price;
        let (variant, now) = (thing.variant, shop.clock.now());
        let price = Money::new(before.minor / 2, before.currency);
        shop.db
            .transact::<_, PriceError>(|tx| {
                let clock = shop.clock.clone();
                let new = NewPrice { list, variant, price, compare_at: Some(before.minor), source: "operator" };
                Box::pin(async move { prices::put(tx, &clock, new, now).await })
            })
            .await?;
        let now = priced(code).await?;
        let asked = before.minor - (before.minor * (100 - part) + 50) / 100;
        assert_eq!((now.price, now.was.map(|was| was.minor)), (price, Some(asked)), "{code}");
    }
    house.close().await
}
