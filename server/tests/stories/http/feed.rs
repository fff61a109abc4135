//! The product feed, read with an XML parser and held against the pages that it leads to.

use crate::support::{Visitor, start};
use anyhow::{Context as _, ensure};
use domain::{locale::Locale, money::Money};
use serde_json::Value;
use server::{
    catalog::prices::{self, NewWindow, PriceError},
    params,
};
use std::{collections::BTreeMap, time::Duration};
use xmlparser::{ElementEnd, Token, Tokenizer};

/// An entry: texts by the names of elements, in their order. Elements within elements stand with both names.
type Item = Vec<(String, String)>;

fn one<'a>(item: &'a Item, name: &str) -> Option<&'a str> {
    item.iter().find(|(known, _)| known == name).map(|(_, text)| text.as_str())
}

/// What an XML text means (XML 1.0, 4.6).
fn meant(text: &str) -> String {
    let named = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    named.iter().fold(text.to_owned(), |text, (entity, c)| text.replace(entity, c))
}

fn items(xml: &str) -> anyhow::Result<Vec<Item>> {
    let (mut items, mut open): (Vec<Item>, Vec<String>) = (Vec::new(), Vec::new());
    for token in Tokenizer::from(xml) {
        match token? {
            Token::ElementStart { prefix, local, .. } => {
                let name = if prefix.is_empty() { local.to_string() } else { format!("{prefix}:{local}") };
                if name == "item" {
                    items.push(Item::new());
                }
                open.push(name);
            }
            Token::ElementEnd { end: ElementEnd::Close(prefix, local), .. } => {
                let name = if prefix.is_empty() { local.to_string() } else { format!("{prefix}:{local}") };
                ensure!(open.pop().as_ref() == Some(&name), "{name} closes what is not open");
            }
            Token::ElementEnd { end: ElementEnd::Empty, .. } => drop(open.pop()),
            Token::Text { text } if !text.trim().is_empty() => {
                if let Some(at) = open.iter().position(|name| name == "item") {
                    items.last_mut().context("an entry")?.push((open[at + 1..].join("/"), meant(&text)));
                }
            }
            _ => {}
        }
    }
    ensure!(open.is_empty(), "{open:?} is not closed");
    Ok(items)
}

/// The prices of a page's JSON-LD by the addresses of the variants.
async fn on_page(visitor: &Visitor, path: &str) -> anyhow::Result<BTreeMap<String, Value>> {
    let page = visitor.get(path).await?;
    let (_, json) = page.body.split_once("application/ld+json").context("JSON-LD")?;
    let (_, json) = json.split_once('>').context("JSON-LD")?;
    let json: Value = serde_json::from_str(json.split("</script>").next().unwrap_or_default())?;
    let variants = json["hasVariant"].as_array().context("variants")?.iter().map(|variant| variant["offers"].clone());
    Ok(variants.filter_map(|offer| Some((offer["url"].as_str()?.to_owned(), offer))).collect())
}

#[tokio::test]
async fn each_markets_feed_names_the_prices_of_its_pages() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    let mut reduced = 0;
    for locale in Locale::OFFERED {
        let answer = visitor.get(&format!("/feeds/google/{locale}.xml")).await?;
        assert_eq!((answer.status, answer.header("content-type")), (200, "application/xml; charset=utf-8"));
        assert!(answer.body.contains("xmlns:g=\"http://base.google.com/ns/1.0\""));
        let items = items(&answer.body)?;
        ensure!(items.len() > 50, "{locale} has {} entries", items.len());
        let mut pages: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
        for item in &items {
            let field = |name: &str| one(item, name).with_context(|| format!("{locale}: {name} is missing in {item:?}"));
            let (link, group) = (field("g:link")?, field("g:item_group_id")?.to_owned());
            let path = link.strip_prefix(&shop.url).context("a page of ours")?;
            if !pages.contains_key(&group) {
                pages.insert(group.clone(), on_page(&visitor, path.split('?').next().unwrap_or_default()).await?);
            }
            let offer = pages[&group].get(link).with_context(|| format!("{link} is not on its page"))?;
            let shown = format!("{} {}", offer["price"].as_str().context("a price")?, offer["priceCurrency"].as_str().context("a currency")?);
            let (price, sale) = (field("g:price")?, one(item, "g:sale_price"));
            assert_eq!(sale.unwrap_or(price), shown, "{link}");
            reduced += usize::from(sale.is_some());
            let stock = match field("g:availability")? {
                "in_stock" => ["InStock", "LimitedAvailability"],
                "backorder" => ["BackOrder"; 2],
                _ => ["OutOfStock"; 2],
            };
            assert!(stock.iter().any(|word| offer["availability"] == format!("https://schema.org/{word}")), "{link}");
            assert!((1..=150).contains(&field("g:title")?.chars().count()) && (1..=5_000).contains(&field("g:description")?.chars().count()));
            assert!(field("g:image_link")?.starts_with(&shop.url) && item.iter().filter(|(name, _)| name == "g:additional_image_link").count() <= 10);
            assert_eq!((field("g:shipping/g:country")?, field("g:condition")?), (locale.country.code(), "new"));
            assert!(field("g:shipping/g:price")?.ends_with(&shown[shown.len() - 4..]));
            assert!(one(item, "g:gtin").is_some() != one(item, "g:identifier_exists").is_some());
        }
    }
    ensure!(reduced > 0, "the demo has reductions");
    assert_eq!(visitor.get("/feeds/google/en-xa.xml").await?.status, 404);
    assert_eq!(visitor.get("/feeds/google/de-de").await?.status, 404);
    shop.stop().await
}

#[tokio::test]
async fn a_feed_is_not_kept_beyond_a_price_and_not_sent_twice() -> anyhow::Result<()> {
    const PATH: &str = "/feeds/google/de-de.xml";
    let shop = start().await?;
    let visitor = shop.visitor();
    let first = visitor.get(PATH).await?;
    let (tag, age) = (first.header("etag").to_owned(), first.header("cache-control").to_owned());
    assert!(tag.starts_with("W/\"") && age == "public, max-age=300", "{tag} {age}");
    let again = async |tag: &str| visitor.client.get(format!("{}{PATH}", shop.url)).header("if-none-match", tag).send().await;
    assert_eq!(again(&tag).await?.status(), 304);

    let variant = items(&first.body)?.first().and_then(|item| one(item, "g:id")?.parse().ok()).context("an id")?;
    let (now, db, clock) = (shop.clock.now(), &shop.shop.db, &shop.shop.clock);
    let price = Money::new(123, "EUR".parse()?);
    db.transact::<_, PriceError>(|tx| {
        let clock = clock.clone();
        let window = NewWindow { list: "de", variant, price, compare_at: None, from: now + 60_000_000, until: Some(now + 120_000_000) };
        Box::pin(async move { prices::schedule(tx, &clock, window, now).await })
    })
    .await?;
    let planned = again(&tag).await?;
    assert_eq!(planned.status(), 200);
    let age = planned.headers()["cache-control"].to_str()?.strip_prefix("public, max-age=").context("an age")?.parse::<u32>()?;
    assert!(age < 60, "{age}");
    let tag = planned.headers()["etag"].to_str()?.to_owned();
    shop.clock.advance(Duration::from_mins(1));
    let begun = again(&tag).await?;
    assert_eq!(begun.status(), 200);
    let begun = items(&begun.text().await?)?;
    let item = begun.iter().find(|item| one(item, "g:id") == Some(&variant.to_string())).context("the entry")?;
    assert_eq!(one(item, "g:price"), Some("1.23 EUR"));
    ensure!(db.first("SELECT id FROM variants WHERE id = $1", params![variant]).await?.is_some());
    shop.stop().await
}
