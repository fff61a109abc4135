//! Two hundred buyers of 37 pieces, all at once: exactly 37 are paid, the provider's ledger equals the orders, nothing stays held.
//! And news that is forged or lost, and the kind of transactions in which all of it runs.

use crate::{
    orders::house::{self, DECLINES, House, PAYS},
    support,
};
use anyhow::Context as _;
use server::orders::{PayAgainError, PlaceOrderError};
use std::{sync::Arc, time::Duration};

const BUYERS: u32 = 200;
const PIECES: u32 = 37;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_hundred_buyers_of_37_pieces() -> anyhow::Result<()> {
    let house = Arc::new(house::open(30, 7).await?);
    house.faults(serde_json::json!({ "duplicate_webhooks": true, "delay_webhooks_ms": 20 })).await?;
    let buyers: Vec<_> = (0..BUYERS).map(|buyer| tokio::spawn(buy(house.clone(), buyer))).collect();
    let mut paid = 0;
    for buyer in buyers {
        paid += u32::from(buyer.await??);
    }
    assert_eq!(paid, PIECES);
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM orders WHERE status = 'paid'").await?, i64::from(PIECES));
    assert_eq!(house.kept_by_provider().await?.0, PIECES as usize);
    assert_eq!(house.stock().await?, (0, 0), "nothing free, nothing held");
    // Webhooks that are still under way change nothing.
    for _ in 0..200 {
        if house.ledger().await?["undelivered_webhooks"] == 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    house.check_books().await?;
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM orders WHERE status = 'paid'").await?, i64::from(PIECES));
    Arc::into_inner(house).context("all buyers have left")?.shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn forged_news_pays_nothing_and_lost_news_is_asked_for() -> anyhow::Result<()> {
    let house = house::open(2, 0).await?;
    house.faults(serde_json::json!({ "forge_webhooks": true })).await?;
    let placed = house.place(1).await?;
    let page = placed.redirect_url.clone().context("a payment page")?;
    for _ in 0..20 {
        assert_eq!(house.stored_status(&placed).await?, "awaiting_payment", "news of a forger was believed");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    house.type_card(&page, PAYS).await?;
    house.until(&placed, "paid").await?;

    house.faults(serde_json::json!({ "drop_webhooks": 1 })).await?;
    let placed = house.place(1).await?;
    house.type_card(&placed.redirect_url.clone().context("a payment page")?, PAYS).await?;
    house.tend_until(&placed, "paid").await?;
    assert_eq!(house.kept_by_provider().await?.0, 2, "each was captured once");
    house.check_books().await?;
    house.shop.stop().await
}

/// What the third run of everything on PostgreSQL is there for.
#[tokio::test]
async fn transactions_are_of_the_kind_that_the_run_says() -> anyhow::Result<()> {
    let Some(url) = support::variable("TEST_DATABASE_URL_PG") else { return Ok(()) };
    let house = house::open(1, 0).await?;
    let level = house.shop.shop.db.first("SHOW transaction_isolation", vec![]).await?.context("a row")?.text("transaction_isolation")?;
    assert_eq!(level, if url.contains("//repeatable@") { "repeatable read" } else { "read committed" });
    house.shop.stop().await
}

/// Three in ten have a bad card first and then a good one; one in ten clicks twice. Who finds nothing tries until all is sold.
async fn buy(house: Arc<House>, buyer: u32) -> anyhow::Result<bool> {
    let request = house.request(1);
    loop {
        let mut placed = house.orders.place(request.clone()).await;
        if buyer % 10 == 3 {
            let (first, second) = tokio::join!(house.orders.place(request.clone()), house.orders.place(request.clone()));
            if let (Ok(first), Ok(second)) = (&first, &second) {
                anyhow::ensure!(first.number == second.number, "a double click made two orders");
            }
            placed = first;
        }
        let placed = match placed {
            Ok(placed) => placed,
            Err(PlaceOrderError::OutOfStock(_)) => {
                let (free, held) = house.stock().await?;
                if free + held == 0 {
                    return Ok(false);
                }
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let page = placed.redirect_url.clone().context("a payment page")?;
        if buyer % 10 < 3 {
            house.type_card(&page, DECLINES).await?;
            let page = match house.orders.pay_again(&placed.secret).await {
                Ok(page) => page,
                Err(PayAgainError::OutOfStock(_)) => return Ok(false),
                Err(error) => return Err(error.into()),
            };
            house.type_card(&page, PAYS).await?;
        } else {
            house.type_card(&page, PAYS).await?;
        }
        house.look(&placed.secret).await?;
        house.until(&placed, "paid").await?;
        return Ok(true);
    }
}
