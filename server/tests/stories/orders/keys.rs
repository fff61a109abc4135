//! Idempotency keys over HTTP, as a program sends them: the saved answer again, 422 for other content, 409 while the first is under way.

use crate::support::{self, Answer, TestShop, Visitor};
use anyhow::{Context as _, ensure};
use serde_json::json;
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

/// A shop on whose payment provider it can be called how slow it is.
struct Slow {
    shop: TestShop,
    provider: String,
    serving: tokio::task::JoinHandle<()>,
}

impl Slow {
    async fn open() -> anyhow::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let provider = format!("http://{}", listener.local_addr()?);
        let at: Arc<str> = provider.as_str().into();
        let shop = support::start_with(|config| config.test_provider = TestProvider::At(at)).await?;
        let (data, clock) = (shop.data().to_owned(), shop.shop.clock.clone());
        let serving = tokio::spawn(async move { drop(test_provider::serve(listener, &data, clock, std::future::pending()).await) });
        Ok(Self { shop, provider, serving })
    }

    async fn faults(&self, faults: serde_json::Value) -> anyhow::Result<()> {
        let http = server::outbound::client(Duration::from_secs(20)).build()?;
        http.post(format!("{}/_faults", self.provider)).json(&faults).send().await?.error_for_status()?;
        Ok(())
    }

    async fn orders(&self) -> anyhow::Result<i64> {
        self.shop.shop.db.first("SELECT COUNT(*) AS n FROM orders", params![]).await?.context("a count")?.int("n")
    }

    async fn until_an_order_stands(&self) -> anyhow::Result<()> {
        for _ in 0..200 {
            if self.orders().await? > 0 {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("no order was placed")
    }

    async fn close(self) -> anyhow::Result<()> {
        self.serving.abort();
        self.shop.stop().await
    }
}

/// Problem details with a status and these words.
fn is_problem(answer: &Answer, status: u16, words: &str) -> anyhow::Result<()> {
    ensure!(answer.status == status, "{} instead of {status}: {}", answer.status, answer.body);
    ensure!(answer.header("content-type") == "application/problem+json", "{}", answer.header("content-type"));
    let problem: serde_json::Value = serde_json::from_str(&answer.body)?;
    ensure!(problem["status"] == status && problem["detail"].as_str().is_some_and(|detail| detail.contains(words)), "{problem}");
    Ok(())
}

#[tokio::test]
async fn a_programs_key_gets_one_answer_and_is_told_when_it_is_too_early() -> anyhow::Result<()> {
    let slow = Slow::open().await?;
    let visitor = slow.shop.visitor();
    let form = form(&slow.shop, &visitor).await?;
    let key = slow.shop.shop.clock.id().to_string();
    let mut other = form.clone();
    other.iter_mut().find(|(name, _)| *name == "delivery_line1").context("a line")?.1 = "Torstraße 1".to_owned();

    slow.faults(json!({ "delay_replies_ms": 1_500 })).await?;
    let first = tokio::spawn({
        let (visitor, key, form) = (visitor.clone(), key.clone(), form.clone());
        async move { send(&visitor, &key, &form).await }
    });
    slow.until_an_order_stands().await?;
    let early = send(&visitor, &key, &form).await?;
    is_problem(&early, 409, "wait a second and send the same again")?;
    assert_eq!(early.header("retry-after"), "1");
    is_problem(&send(&visitor, &key, &other).await?, 422, "this one with a new key")?;
    let first = first.await??;
    assert_eq!(first.status, 303, "{}", first.body);
    let page = first.location().context("a payment page")?;
    assert!(page.starts_with(&slow.provider), "{page}");
    slow.faults(json!({})).await?;

    for same in [key.clone(), format!("\"{key}\"")] {
        let again = send(&visitor, &same, &form).await?;
        assert_eq!((again.status, again.location()), (303, first.location()), "the saved answer");
    }
    is_problem(&send(&visitor, &key, &other).await?, 422, "send that one again as it was")?;
    for bad in ["not a key", "", &"0".repeat(200)] {
        is_problem(&send(&visitor, bad, &form).await?, 400, "is a UUID")?;
    }
    assert_eq!(slow.orders().await?, 1);
    slow.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_many_at_the_same_time_with_one_key_one_is_answered() -> anyhow::Result<()> {
    let slow = Slow::open().await?;
    let visitor = slow.shop.visitor();
    let form = form(&slow.shop, &visitor).await?;
    let key = slow.shop.shop.clock.id().to_string();
    slow.faults(json!({ "delay_replies_ms": 1_500 })).await?;
    let answers = futures::future::try_join_all((0..6).map(|_| send(&visitor, &key, &form))).await?;
    let (placed, early): (Vec<_>, Vec<_>) = answers.iter().partition(|answer| answer.status == 303);
    assert_eq!(placed.len(), 1, "{:?}", answers.iter().map(|answer| answer.status).collect::<Vec<_>>());
    for early in early {
        is_problem(early, 409, "wait a second")?;
    }
    let again = send(&visitor, &key, &form).await?;
    assert_eq!((again.status, again.location()), (303, placed[0].location()));
    assert_eq!(slow.orders().await?, 1);
    slow.close().await
}

#[tokio::test]
async fn an_answer_without_a_payment_page_is_an_answer_and_so_is_that_of_an_empty_shelf() -> anyhow::Result<()> {
    let slow = Slow::open().await?;
    let visitor = slow.shop.visitor();
    let form = form(&slow.shop, &visitor).await?;
    let key = slow.shop.shop.clock.id().to_string();
    slow.faults(json!({ "down": true })).await?;
    let first = send(&visitor, &key, &form).await?;
    assert_eq!(first.status, 303, "{}", first.body);
    let page = first.location().context("the order's page")?;
    assert!(page.contains("/orders/"), "{page}");
    slow.faults(json!({})).await?;
    let again = send(&visitor, &key, &form).await?;
    assert_eq!((again.status, again.location()), (303, first.location()), "the saved answer");
    // Nothing is left of it, so that the cart cannot be ordered: the answer is still the same.
    slow.shop.shop.db.transact::<_, sqlx::Error>(|tx| Box::pin(tx.execute("UPDATE stock_balances SET free = 0", params![]))).await?;
    let again = send(&visitor, &key, &form).await?;
    assert_eq!((again.status, again.location()), (303, first.location()), "{}", again.body);
    assert_eq!(slow.orders().await?, 1);
    slow.close().await
}
