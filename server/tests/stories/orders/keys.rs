//! Idempotency keys over HTTP, as a program sends them: the saved answer again, 422 for other content, 409 while the first is under way.

use crate::support::{self, Answer, TestShop, Visitor};
use anyhow::{Context as _, ensure};
use server::{config::TestProvider, params, payments::test_provider};
use std::{collections::BTreeMap, sync::Arc, time::Duration};
use tokio::net::TcpListener;

/// The checkout's form of a cart with one piece in it.
async fn form(shop: &TestShop, visitor: &Visitor) -> anyhow::Result<Vec<(&'static str, String)>> {
    let row = shop
        .shop
        .db
        .first(
            "SELECT v.product_id, v.option_values, p.options FROM variants v JOIN products p ON p.id = v.product_id JOIN prices r ON r.variant_id = v.id \
             JOIN stock_balances s ON s.variant_id = v.id WHERE p.status = 'active' AND p.published = 1 AND r.currency = 'EUR' \
             AND s.location = 'rotterdam' AND s.free > 5 ORDER BY p.position, v.position LIMIT 1",
            params![],
        )
        .await?
        .context("the demo sells something")?;
    let values: Vec<String> = serde_json::from_str(&row.text("option_values")?)?;
    let options: Vec<BTreeMap<String, serde_json::Value>> = serde_json::from_str(&row.text("options")?)?;
    let (product, mutation) = (row.text("product_id")?, shop.shop.clock.id().to_string());
    let mut fields = vec![("product", product.as_str()), ("quantity", "1"), ("mutation", mutation.as_str())];
    fields.extend(options.iter().zip(&values).filter_map(|(option, value)| Some((option.get("slug")?.as_str()?, value.as_str()))));
    let added = visitor.post("/de-de/cart/lines", &fields).await?;
    ensure!(added.status == 303, "adding answers {}: {}", added.status, added.body);
    let page = visitor.get("/de-de/checkout").await?;
    let field = |name: &str| page.field(name).map(str::to_owned).with_context(|| format!("the checkout has no field {name}"));
    let typed = [
        ("intent", "place"),
        ("method", "standard"),
        ("email", "ada@example.com"),
        ("delivery_country", "DE"),
        ("delivery_name", "Ada Lovelace"),
        ("delivery_line1", "Ackerstraße 12"),
        ("delivery_postcode", "10115"),
        ("delivery_city", "Berlin"),
    ];
    let mut form = vec![("cart_version", field("cart_version")?), ("seen_total", field("seen_total")?)];
    form.extend(typed.map(|(name, value)| (name, value.to_owned())));
    Ok(form)
}

async fn send(visitor: &Visitor, key: &str, form: &[(&'static str, String)]) -> anyhow::Result<Answer> {
    Answer::read(visitor.client.post(format!("{}/de-de/checkout", visitor.url)).header("idempotency-key", key).form(form)).await
}

#[tokio::test]
async fn a_programs_key_gets_one_answer_and_is_told_when_it_is_too_early() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let provider = format!("http://{}", listener.local_addr()?);
    let at: Arc<str> = provider.as_str().into();
    let shop = support::start_with(|config| config.test_provider = TestProvider::At(at)).await?;
    let (data, clock) = (shop.data().to_owned(), shop.shop.clock.clone());
    let serving = tokio::spawn(async move { test_provider::serve(listener, &data, clock, std::future::pending()).await });
    let faults = async |delay_ms: u32| {
        let http = server::outbound::client(Duration::from_secs(20)).build()?;
        http.post(format!("{provider}/_faults")).json(&serde_json::json!({ "delay_replies_ms": delay_ms })).send().await?.error_for_status()?;
        anyhow::Ok(())
    };
    let visitor = shop.visitor();
    let form = form(&shop, &visitor).await?;
    let key = shop.shop.clock.id().to_string();

    faults(1_500).await?;
    let first = tokio::spawn({
        let (visitor, key, form) = (visitor.clone(), key.clone(), form.clone());
        async move { send(&visitor, &key, &form).await }
    });
    for _ in 0..100 {
        if shop.shop.db.first("SELECT id FROM orders", params![]).await?.is_some() {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let early = send(&visitor, &key, &form).await?;
    assert_eq!((early.status, early.header("retry-after")), (409, "1"), "{}", early.body);
    assert!(early.body.contains("wait a second and send the same again"), "{}", early.body);
    let first = first.await??;
    assert_eq!(first.status, 303, "{}", first.body);
    faults(0).await?;

    let again = send(&visitor, &key, &form).await?;
    assert_eq!((again.status, again.location()), (303, first.location()), "the saved answer");
    let mut other = form.clone();
    other.iter_mut().find(|(name, _)| *name == "delivery_line1").context("a line")?.1 = "Torstraße 1".to_owned();
    let refused = send(&visitor, &key, &other).await?;
    assert_eq!(refused.status, 422, "{}", refused.body);
    let bad = send(&visitor, "not a key", &form).await?;
    assert_eq!(bad.status, 400);
    let orders = shop.shop.db.first("SELECT COUNT(*) AS n FROM orders", params![]).await?.context("a count")?.int("n")?;
    assert_eq!(orders, 1);
    serving.abort();
    shop.stop().await
}
