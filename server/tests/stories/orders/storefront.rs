//! The same crowd over HTTP, each buyer with a cookie jar of their own: product form, cart, checkout, payment page, order page.

use crate::{
    orders::house::{DECLINES, PAYS},
    support::{self, TestShop, Visitor},
};
use anyhow::{Context as _, ensure};
use domain::{ProductId, VariantId};
use server::{
    catalog::stock::{self, Item},
    config::TestProvider,
    params,
    payments::test_provider,
};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::net::TcpListener;

const BUYERS: usize = 200;
const PIECES: i64 = 37;

/// One variant of the demo, as its form names it.
struct Thing {
    item: Item,
    /// `colour` → `tan`, …
    options: Vec<(String, String)>,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_visitors_buy_37_pieces_over_http() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let provider = format!("http://{}", listener.local_addr()?);
    let at: Arc<str> = provider.as_str().into();
    let shop = support::start_with(|config| config.test_provider = TestProvider::At(at)).await?;
    let (data, clock) = (shop.data().to_owned(), shop.shop.clock.clone());
    let serving = tokio::spawn(async move { test_provider::serve(listener, &data, clock, std::future::pending()).await });
    let thing = Arc::new(only_37_left(&shop).await?);

    let shop = Arc::new(shop);
    let buyers: Vec<_> = (0..BUYERS).map(|buyer| tokio::spawn(buy(shop.clone(), shop.visitor(), thing.clone(), buyer))).collect();
    let mut paid = 0;
    for (number, buyer) in buyers.into_iter().enumerate() {
        paid += i64::from(buyer.await?.with_context(|| format!("buyer {number}"))?);
    }
    assert_eq!(paid, PIECES);
    let count = async |sql| -> anyhow::Result<i64> { shop.shop.db.first(sql, params![]).await?.context("a count")?.int("n") };
    assert_eq!(count("SELECT COUNT(*) AS n FROM orders WHERE status = 'paid'").await?, PIECES);
    let row = shop
        .shop
        .db
        .first(
            "SELECT CAST(SUM(free) AS BIGINT) AS free, CAST(SUM(held) AS BIGINT) AS held FROM stock_balances WHERE variant_id = $1",
            params![thing.item.variant],
        )
        .await?
        .context("a balance")?;
    assert_eq!((row.int("free")?, row.int("held")?), (0, 0));
    let http = server::outbound::client(std::time::Duration::from_secs(30)).build()?;
    let secret = String::from_utf8(test_provider::secret(shop.data())?)?;
    let ledger: serde_json::Value = http.get(format!("{provider}/v1/ledger")).bearer_auth(secret).send().await?.json().await?;
    let captured: Vec<_> =
        ledger["sessions"].as_array().context("sessions")?.iter().filter(|session| session["state"]["state"] == "captured").collect();
    assert_eq!(captured.len(), usize::try_from(PIECES)?);
    let money: i64 = captured.iter().filter_map(|session| session["amount"]["minor"].as_i64()).sum();
    assert_eq!(money, count("SELECT CAST(SUM(total_minor) AS BIGINT) AS n FROM orders WHERE status = 'paid'").await?);
    assert_eq!(ledger["refunds"].as_array().map(Vec::len), Some(0));
    serving.abort();
    Arc::into_inner(shop).context("all visitors have left")?.stop().await
}

/// Leaves 37 pieces of one variant at the market's first location and none elsewhere.
async fn only_37_left(shop: &TestShop) -> anyhow::Result<Thing> {
    let row = shop
        .shop
        .db
        .first(
            "SELECT v.id, v.product_id, v.option_values, p.options FROM variants v JOIN products p ON p.id = v.product_id JOIN prices r ON r.variant_id = v.id \
             JOIN markets m ON m.code = 'DE' WHERE p.status = 'active' AND p.published = 1 AND v.tracked = 1 AND v.oversell = 0 AND v.active = 1 \
             AND r.currency = 'EUR' ORDER BY p.position, v.position LIMIT 1",
            params![],
        )
        .await?
        .context("the demo sells something")?;
    let item = Item { product: row.parse::<ProductId>("product_id")?, variant: row.parse::<VariantId>("id")? };
    let values: Vec<String> = serde_json::from_str(&row.text("option_values")?)?;
    let options: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_str(&row.text("options")?)?;
    let options = options.iter().zip(values).filter_map(|(option, value)| Some((option.get("slug")?.as_str()?.to_owned(), value))).collect();
    let balances = shop.shop.db.all("SELECT location, free FROM stock_balances WHERE variant_id = $1", params![item.variant]).await?;
    let balances: Vec<(String, i64)> = balances.iter().map(|row| Ok((row.text("location")?, row.int("free")?))).collect::<anyhow::Result<_>>()?;
    let market = shop.shop.db.first("SELECT body FROM markets WHERE code = 'DE' ORDER BY valid_from DESC", params![]).await?.context("a market")?;
    let market: domain::market::Market = serde_json::from_str(&market.text("body")?)?;
    let home = market.locations.first().context("a location")?.clone();
    let clock = shop.shop.clock.clone();
    shop.shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let (balances, clock, home) = (balances.clone(), clock.clone(), home.clone());
            Box::pin(async move {
                for (location, free) in &balances {
                    let wanted = if *location == home { PIECES } else { 0 };
                    stock::adjust(tx, &clock, item, location, wanted - free, "test", "test").await?;
                }
                if !balances.iter().any(|(location, _)| *location == home) {
                    stock::adjust(tx, &clock, item, &home, PIECES, "test", "test").await?;
                }
                Ok(())
            })
        })
        .await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(Thing { item, options })
}

/// Whether this visitor ended with a paid order. Who finds nothing comes back until everything is sold.
async fn buy(shop: Arc<TestShop>, visitor: Visitor, thing: Arc<Thing>, buyer: usize) -> anyhow::Result<bool> {
    let product = thing.item.product.to_string();
    let mutation = shop.shop.clock.id().to_string();
    let mut fields = vec![("product", product.as_str()), ("quantity", "1"), ("mutation", mutation.as_str())];
    fields.extend(thing.options.iter().map(|(option, value)| (option.as_str(), value.as_str())));
    loop {
        let page = visitor.get("/de-de/checkout").await?;
        let page = if page.status == 200 {
            page
        } else {
            let added = visitor.post("/de-de/cart/lines", &fields).await?;
            ensure!(added.status == 303 || added.status == 409, "adding answers {}: {}", added.status, added.body);
            visitor.get("/de-de/checkout").await?
        };
        if page.status != 200 {
            if sold_out(&shop, &thing).await? {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        }
        let field = |name: &str| page.field(name).map(str::to_owned).with_context(|| format!("the checkout has no field {name}"));
        let (key, version, total) = (field("mutation")?, field("cart_version")?, field("seen_total")?);
        let form = [
            ("intent", "place"),
            ("mutation", &key),
            ("cart_version", &version),
            ("seen_total", &total),
            ("method", "standard"),
            ("email", "ada@example.com"),
            ("delivery_country", "DE"),
            ("delivery_name", "Ada Lovelace"),
            ("delivery_line1", "Ackerstraße 12"),
            ("delivery_postcode", "10115"),
            ("delivery_city", "Berlin"),
        ];
        let placed = if buyer % 10 == 3 {
            let (first, second) = tokio::join!(visitor.post("/de-de/checkout", &form), visitor.post("/de-de/checkout", &form));
            let (first, second) = (first?, second?);
            ensure!(first.status < 500 && second.status < 500, "a double click answers {} and {}", first.status, second.status);
            // The browser shows the second answer.
            if second.location().is_some_and(|location| location.contains("/pay/") || location.contains("/orders/")) { second } else { first }
        } else {
            visitor.post("/de-de/checkout", &form).await?
        };
        let Some(location) = placed.location().filter(|location| !location.contains("/cart")) else {
            ensure!(placed.status == 409 || placed.status == 303, "the checkout answers {}: {}", placed.status, placed.body);
            if sold_out(&shop, &thing).await? {
                return Ok(false);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let mut page = if location.contains("/pay/") { location } else { pay_again(&visitor, &location).await? };
        if buyer % 10 < 3 {
            let back = type_card(&visitor, &page, DECLINES).await?;
            page = pay_again(&visitor, &back).await?;
        }
        let back = type_card(&visitor, &page, PAYS).await?;
        // Under this load the page may give up on asking the provider; then the webhook tells, and the shopper sees it on the next look.
        for _ in 0..60 {
            let order = visitor.open(&path(&back)).await?;
            ensure!(order.status == 200, "the order page says {} {}", order.status, order.body);
            if order.body.contains("Bezahlt") {
                return Ok(true);
            }
            tokio::time::sleep(Duration::from_millis(250)).await;
        }
        anyhow::bail!("the order never became paid");
    }
}

/// The path of an address, absolute or not.
fn path(url: &str) -> String {
    url::Url::parse(url).map_or_else(|_| url.split('?').next().unwrap_or(url).to_owned(), |url| url.path().to_owned())
}

async fn pay_again(visitor: &Visitor, order: &str) -> anyhow::Result<String> {
    let answer = visitor.post(&format!("{}/pay", path(order)), &[]).await?;
    answer.location().with_context(|| format!("paying again answers {}: {}", answer.status, answer.body))
}

async fn type_card(visitor: &Visitor, page: &str, card: &str) -> anyhow::Result<String> {
    let form = [("cardnumber", card), ("exp-date", "12/34"), ("cvc", "123"), ("ccname", "Ada Lovelace")];
    let answer = visitor.client.post(page).form(&form).send().await?;
    ensure!(answer.status() == 303, "the payment page answers {}", answer.status());
    Ok(answer.headers()["location"].to_str()?.to_owned())
}

async fn sold_out(shop: &TestShop, thing: &Thing) -> anyhow::Result<bool> {
    let row = shop
        .shop
        .db
        .first("SELECT CAST(SUM(free + held) AS BIGINT) AS n FROM stock_balances WHERE variant_id = $1", params![thing.item.variant])
        .await?
        .context("a balance")?;
    Ok(row.int("n")? == 0)
}
