//! Webhooks that come while something is out of reach: answered 503, so that the provider sends them again, and taken whole when they come again.

use crate::{
    stripe::{self, Faults},
    support::Visitor,
    till::house::{self, House, add, paid, place, words},
};
use anyhow::{Context as _, ensure};
use app::i18n::{follow, till};
use domain::{
    locale::Locale,
    order::{Order, Status},
    payment::News,
};
use serde_json::json;
use server::{
    Shop,
    background::Background,
    http,
    orders::Orders,
    params,
    payments::{self, Notice, WebhookEvent, signature, test_provider},
    sql::Db,
};
use std::time::Duration;

/// Another server of the same shop, whose database is out of reach.
async fn without_its_database(house: &House) -> anyhow::Result<Visitor> {
    let shop = house.shop.shop.clone();
    let db = Db::open(&shop.config.database_url).await?;
    let provider = payments::open(&shop.config, &mut Background::new()).await?;
    let orders = Orders::new(db.clone(), shop.clock.clone(), shop.keys.clone(), provider, shop.config.url.clone());
    let shop = Shop { db: db.clone(), orders, ..shop };
    db.close().await;
    house.shop.serve(http::router(&shop)).await
}

/// What is stored of all that webhooks do: how many came, and the order.
async fn stored(house: &House) -> anyhow::Result<(i64, Order)> {
    let heard = house.shop.shop.db.first("SELECT COUNT(*) AS n FROM webhook_events", params![]).await?.context("a count")?.int("n")?;
    Ok((heard, house.latest().await?.ledgers))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn money_that_is_told_while_the_database_is_out_of_reach_is_told_again() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let here: Locale = "en-gb".parse()?;
    // The provider tells nothing by itself: this webhook is its word.
    house.provider_does(json!({ "hold_webhooks": true })).await?;
    let visitor = house.shop.visitor();
    add(&visitor, here, &things[0]).await?;
    place(&visitor, here).await?;
    let order = house.latest().await?;
    let news = News::Captured { amount: order.total };
    let body = serde_json::to_vec(&WebhookEvent { id: "evt_1".to_owned(), notice: Notice::Payment { payment: order.ledgers.payments[0].id, news } })?;
    let secret = test_provider::secret(house.shop.data())?;
    let tell = async |server: &Visitor| {
        let signed = signature::sign(&secret, house.shop.clock.now(), &body);
        let request = server.client.post(format!("{}/webhooks/test-provider", server.url)).header(signature::HEADER, signed);
        request.body(body.clone()).send().await.map(|answer| answer.status().as_u16())
    };
    let (unlucky, before) = (without_its_database(&house).await?, stored(&house).await?);
    for _ in 0..2 {
        assert_eq!(tell(&unlucky).await?, 503, "it is sent again");
        assert_eq!(stored(&house).await?, before, "nothing of it is stored");
    }
    let page = format!("/{here}/orders/{}", order.secret);
    assert!(words(&visitor.get(&page).await?.body).contains(till(here).status_awaiting));

    assert_eq!(tell(&visitor).await?, 204, "the next try comes to a server that reaches its database");
    paid(&visitor, &page, till(here).status_paid).await?;
    let (heard, known) = stored(&house).await?;
    assert!(heard == before.0 + 1 && matches!(known.status(), Status::Paid { .. }) && known.refunds.is_empty(), "{heard} {known:?}");
    for (server, status) in [(&visitor, 204), (&unlucky, 503), (&visitor, 204)] {
        assert_eq!(tell(server).await?, status);
    }
    assert_eq!(stored(&house).await?, (heard, known), "it counts once");
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dispute_that_stripe_does_not_explain_now_is_sent_again() -> anyhow::Result<()> {
    let (house, stand_in) = house::open_at_stripe().await?;
    let things = house.things().await?;
    let here: Locale = "de-de".parse()?;
    let visitor = house.shop.visitor();
    add(&visitor, here, &things[0]).await?;
    let answer = visitor.client.post(place(&visitor, here).await?).form(&[("manner", "pays")]).send().await?;
    ensure!(answer.status() == 303, "{}", answer.status());
    let order = house.latest().await?;
    let page = format!("/{here}/orders/{}", order.secret);
    paid(&visitor, &page, till(here).status_paid).await?;

    // The event names a payment intent of Stripe's only: whose it is must be asked.
    stand_in.set(Faults { hold_webhooks: true, ..Faults::default() });
    stand_in.dispute(order.ledgers.payments[0].id, "needs_response")?;
    let event = stand_in.state().held.pop().context("an event")?.body;
    let tell = async || {
        let signed = signature::sign(stripe::SECRET.as_bytes(), house.shop.clock.now(), event.as_bytes());
        let request = visitor.client.post(format!("{}/webhooks/stripe", visitor.url)).header("stripe-signature", signed);
        request.body(event.clone()).send().await.map(|answer| answer.status().as_u16())
    };
    // The page may have asked Stripe before Stripe told of the payment.
    let mut before = stored(&house).await?;
    for _ in 0..200 {
        if before.0 > 0 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
        before = stored(&house).await?;
    }
    ensure!(before.0 == 1, "Stripe tells of the payment");
    for faults in [Faults { break_down: 3, ..Faults::default() }, Faults { down: true, ..Faults::default() }] {
        stand_in.set(faults);
        assert_eq!(tell().await?, 503, "it is sent again: {faults:?}");
        assert_eq!(stored(&house).await?, before, "nothing of it is stored: {faults:?}");
    }
    let text = words(&visitor.get(&page).await?.body);
    assert!(text.contains(till(here).status_paid) && !text.contains(follow(here).way_bank), "{text}");

    stand_in.set(Faults::default());
    let mut status = tell().await?;
    // Who did not answer is left alone for a moment.
    for _ in 0..60 {
        if status != 503 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(250)).await;
        status = tell().await?;
    }
    assert_eq!(status, 204);
    let text = words(&visitor.get(&page).await?.body);
    assert!(text.contains(follow(here).way_bank) && text.contains(follow(here).text_bank), "{text}");
    let (heard, known) = stored(&house).await?;
    assert!(heard == before.0 + 1 && known.is_disputed() && known.disputes.len() == 1, "{heard} {known:?}");
    assert_eq!((tell().await?, stored(&house).await?), (204, (heard, known)), "it counts once");
    stand_in.check()?;
    house.close().await
}
