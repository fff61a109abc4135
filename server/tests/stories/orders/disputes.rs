//! Disputes whose webhooks are lost: what the provider's ledger says of them is taken over when both ledgers are compared.

use crate::{
    orders::{
        house::{self, House, PAYS},
        stripe_orders,
    },
    stripe::{Faults, StandIn},
};
use anyhow::{Context as _, ensure};
use domain::{
    OrderId, PaymentId, RefundId,
    money::{Currency, Money},
    order::CannotRefund,
    refund::GoodwillReason,
};
use server::{
    orders::{ChangeError, Placed, story::Actor},
    params,
};
use std::time::Duration;

const DAY: Duration = Duration::from_hours(24);

/// The provider, and the bank behind it.
enum Far {
    TestProvider,
    Stripe(StandIn),
}

impl Far {
    async fn lose_webhooks(&self, house: &House) -> anyhow::Result<()> {
        match self {
            Self::TestProvider => house.faults(serde_json::json!({ "hold_webhooks": true })).await,
            Self::Stripe(stand_in) => {
                stand_in.set(Faults { drop_webhooks: true, ..Faults::default() });
                Ok(())
            }
        }
    }

    async fn pay(&self, house: &House, page: &str) -> anyhow::Result<()> {
        match self {
            Self::TestProvider => house.type_card(page, PAYS).await.map(drop),
            Self::Stripe(_) => {
                let answer = house.http.post(page).form(&[("manner", "pays")]).send().await?;
                ensure!(answer.status() == 303, "the page answers {}", answer.status());
                Ok(())
            }
        }
    }

    /// `open`, `won` or `lost`.
    async fn dispute(&self, house: &House, payment: PaymentId, stage: &'static str) -> anyhow::Result<()> {
        match self {
            Self::TestProvider => house.bank(payment, stage).await,
            Self::Stripe(stand_in) => stand_in.dispute(payment, if stage == "open" { "needs_response" } else { stage }),
        }
    }
}

#[tokio::test]
async fn lost_webhooks_of_a_dispute_are_made_up_for_at_the_test_provider() -> anyhow::Result<()> {
    let house = house::open(9, 0).await?;
    lost_webhooks(&house, &Far::TestProvider).await?;
    house.shop.stop().await
}

#[tokio::test]
async fn lost_webhooks_of_a_dispute_are_made_up_for_at_stripe() -> anyhow::Result<()> {
    let (house, stand_in) = stripe_orders::open(9).await?;
    lost_webhooks(&house, &Far::Stripe(stand_in.clone())).await?;
    stand_in.check()?;
    house.shop.stop().await
}

#[tokio::test]
async fn an_order_that_cannot_be_read_holds_up_no_other() -> anyhow::Result<()> {
    let (house, far) = (house::open(9, 0).await?, Far::TestProvider);
    let (spoilt, other) = (paid(&house, &far).await?, paid(&house, &far).await?);
    let db = &house.shop.shop.db;
    let currency = async |to: &'static str| db.execute("UPDATE orders SET currency = $2 WHERE id = $1", params![spoilt.1, to]).await;

    // Refunds that are due: the first of them cannot be noted.
    for (_, order) in [spoilt, other] {
        goodwill(&house, order).await?;
    }
    let issued = "SELECT COUNT(*) AS n FROM refunds WHERE state = 'issued'";
    for _ in 0..100 {
        house.orders.tend().await?;
        if house.count(issued).await? == 2 {
            break;
        }
    }
    assert_eq!(house.count(issued).await?, 2);
    currency("???").await?;
    db.execute("UPDATE refunds SET state = 'requested', next_at = CASE WHEN order_id = $1 THEN 0 ELSE 1 END", params![spoilt.1]).await?;
    house.orders.tend().await?;
    assert_eq!(house.count(issued).await?, 1, "the other one went");
    let waits = house.count("SELECT COUNT(*) AS n FROM refunds WHERE state = 'requested' AND next_at > 1").await?;
    assert_eq!(waits, 1, "and it is asked for again later");

    // The same of what the provider's ledger tells; it is compared again once it can be.
    far.lose_webhooks(&house).await?;
    for (payment, _) in [spoilt, other] {
        far.dispute(&house, payment, "open").await?;
    }
    let failed = house.orders.compare(None).await.map_err(|error| error.to_string());
    assert!(failed.as_ref().is_err_and(|error| error.contains("could not be compared")), "{failed:?}");
    assert_eq!(disputed(&house).await?, ["open"]);
    currency("EUR").await?;
    assert_eq!(house.orders.compare(None).await?.disputes, 1);
    assert_eq!(disputed(&house).await?, ["open", "open"]);
    house.shop.stop().await
}

async fn lost_webhooks(house: &House, far: &Far) -> anyhow::Result<()> {
    let (won, lost) = (paid(house, far).await?, paid(house, far).await?);
    far.lose_webhooks(house).await?;
    for (payment, _) in [won, lost] {
        far.dispute(house, payment, "open").await?;
    }
    assert_eq!(disputed(house).await?, [] as [&str; 0], "nobody told the shop");
    assert_eq!(house.orders.compare(None).await?.disputes, 2);
    assert_eq!(disputed(house).await?, ["open", "open"]);
    for (_, order) in [won, lost] {
        let refused = goodwill(house, order).await;
        assert!(matches!(refused, Err(ChangeError::Refund(CannotRefund::Disputed))), "not while the bank decides: {refused:?}");
    }
    // Months go by, with comparisons that reach far past the dispute's beginning.
    for _ in 0..3 {
        house.shop.clock.advance(25 * DAY);
        assert_eq!(house.orders.compare(None).await?.disputes, 0);
    }
    far.dispute(house, won.0, "won").await?;
    far.dispute(house, lost.0, "lost").await?;
    assert_eq!(disputed(house).await?, ["open", "open"], "nobody told the shop");
    assert_eq!(house.orders.compare(None).await?.disputes, 2);
    assert_eq!(disputed(house).await?, ["lost", "won"]);
    assert!(goodwill(house, won.1).await.is_ok(), "the money stays, and may be given back");
    assert!(goodwill(house, lost.1).await.is_err(), "the bank took it");
    assert_eq!(house.orders.compare(None).await?.disputes, 0, "again changes nothing");
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM outbox WHERE payload LIKE '%DisputeOpened%'").await?, 2);
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM outbox WHERE payload LIKE '%DisputeClosed%'").await?, 2);
    Ok(())
}

async fn paid(house: &House, far: &Far) -> anyhow::Result<(PaymentId, OrderId)> {
    let placed: Placed = house.place(1).await?;
    far.pay(house, placed.redirect_url.as_deref().context("a page")?).await?;
    house.until(&placed, "paid").await?;
    let payment = house.payment(&placed).await?;
    let row = house.shop.shop.db.first("SELECT order_id FROM payments WHERE id = $1", params![payment]).await?;
    Ok((payment, row.context("a payment")?.parse("order_id")?))
}

async fn disputed(house: &House) -> anyhow::Result<Vec<String>> {
    house.shop.shop.db.all("SELECT state FROM disputes ORDER BY state", params![]).await?.iter().map(|row| row.text("state")).collect()
}

async fn goodwill(house: &House, order: OrderId) -> Result<(), ChangeError> {
    let id = RefundId(house.shop.shop.clock.id());
    house.orders.refund_goodwill(order, id, Money::new(100, Currency::EUR), GoodwillReason::Late, Actor::Shop).await.map(drop)
}
