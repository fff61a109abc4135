//! Orders that are paid at Stripe: the same life, with its sessions, events and slow methods.

use crate::{
    orders::house::{self, DELIVERY, House, PRICE},
    stripe::{self, Faults, StandIn, ledger::Status},
    support::{OPENING, TestClock},
};
use anyhow::Context as _;
use domain::{PaymentId, RefundId, order::Attention};
use server::{
    clock::Clock,
    config::{Config, Options, StripeAccess},
    orders::Placed,
    params,
};
use std::{
    sync::{Arc, OnceLock},
    time::Duration,
};

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60 + 1);
const DAY: Duration = Duration::from_hours(24);

/// Stripe's stand-in for a shop that will open: what the shop is told of it, and where to put its clock then.
pub async fn stand_in() -> anyhow::Result<(StandIn, Option<StripeAccess>, Arc<OnceLock<TestClock>>)> {
    let clock = Arc::new(OnceLock::<TestClock>::new());
    let ticking = Arc::clone(&clock);
    let stand_in = StandIn::start(Clock::from_fn(move || ticking.get().map_or(OPENING, TestClock::now))).await?;
    let options = Options {
        payments: Some("stripe".to_owned()),
        stripe_secret_key: Some(stripe::KEY.to_owned()),
        stripe_webhook_secret: Some(stripe::SECRET.to_owned()),
        stripe_api_base: Some(stand_in.origin.clone()),
        ..Options::default()
    };
    let access = Config::checked(options, Options::default())?.stripe;
    Ok((stand_in, access, clock))
}

/// A house whose payments Stripe's stand-in takes.
pub async fn open(pieces: u32) -> anyhow::Result<(House, StandIn)> {
    let (stand_in, access, clock) = stand_in().await?;
    let house = house::open_with(pieces, 0, |config| config.stripe = access).await?;
    drop(clock.set(house.shop.clock.clone()));
    stand_in.tell(format!("{}/webhooks/stripe", house.shop.url));
    Ok((house, stand_in))
}

async fn pay(house: &House, page: &str, manner: &str) -> anyhow::Result<u16> {
    Ok(house.http.post(page).form(&[("manner", manner)]).send().await?.status().as_u16())
}

async fn paid(house: &House, manner: &str) -> anyhow::Result<(Placed, PaymentId)> {
    let placed = house.place(1).await?;
    assert_eq!(pay(house, placed.redirect_url.as_deref().context("a page")?, manner).await?, 303);
    let payment = house.payment(&placed).await?;
    Ok((placed, payment))
}

async fn close(house: House, stand_in: &StandIn) -> anyhow::Result<()> {
    stand_in.check()?;
    house.shop.stop().await
}

#[tokio::test]
async fn an_order_is_paid_at_stripe() -> anyhow::Result<()> {
    let (house, stand_in) = open(3).await?;
    let placed = house.place(2).await?;
    let page = placed.redirect_url.clone().context("a page")?;
    assert!(page.starts_with(&stand_in.origin));
    assert_eq!(pay(&house, &page, "declines").await?, 402, "the shopper stays there");
    assert_eq!(house.status(&placed.secret).await?, "awaiting_payment");
    assert_eq!(pay(&house, &page, "pays").await?, 303);
    house.until(&placed, "paid").await?;
    assert_eq!(house.stock().await?, (1, 0));
    let call = stand_in.calls("POST", "/v1/checkout/sessions").pop().context("a call")?;
    let said = |name: &str| call.form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    assert_eq!(said("customer_email"), Some("ada@example.com"));
    assert_eq!(said("line_items[0][price_data][product_data][name]"), Some("Gürtel"));
    assert_eq!((said("line_items[0][quantity]"), said("line_items[0][price_data][unit_amount]")), (Some("2"), Some("11900")));
    assert_eq!(said("success_url"), Some(format!("{}/de-de/orders/{}", house.shop.url, placed.secret).as_str()));
    // Only the one who takes the payments is heard, and forms may lead to its page.
    assert_eq!(house.http.post(format!("{}/webhooks/test-provider", house.shop.url)).send().await?.status(), 404);
    assert_eq!(house.http.post(format!("{}/webhooks/stripe", house.shop.url)).send().await?.status(), 401);
    let shown = house.http.get(format!("{}/de-de/orders/{}", house.shop.url, placed.secret)).send().await?;
    let policy = shown.headers()["content-security-policy"].to_str()?.to_owned();
    assert!(policy.contains(&format!("form-action 'self' {}", stand_in.origin)), "{policy}");
    close(house, &stand_in).await
}

#[tokio::test]
async fn webhooks_of_stripe_may_come_twice_backwards_or_never() -> anyhow::Result<()> {
    let (house, stand_in) = open(9).await?;
    stand_in.set(Faults { duplicate_webhooks: true, ..Faults::default() });
    let (placed, _) = paid(&house, "pays").await?;
    house.until(&placed, "paid").await?;
    stand_in.set(Faults { hold_webhooks: true, ..Faults::default() });
    let (placed, payment) = paid(&house, "slow").await?;
    stand_in.settle(payment, true)?;
    stand_in.set(Faults::default());
    house.until(&placed, "paid").await?;
    stand_in.set(Faults { drop_webhooks: true, ..Faults::default() });
    let (placed, _) = paid(&house, "pays").await?;
    house.tend_until(&placed, "paid").await?;
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM stock_ledger WHERE kind = 'sale'").await?, 3);
    assert_eq!(house.stock().await?, (6, 0));
    close(house, &stand_in).await
}

#[tokio::test]
async fn a_hold_is_released_after_stripe_has_closed_its_session() -> anyhow::Result<()> {
    let (house, stand_in) = open(1).await?;
    let placed = house.place(1).await?;
    let page = placed.redirect_url.clone().context("a page")?;
    house.shop.clock.advance(HALF_AN_HOUR);
    stand_in.set(Faults { down: true, ..Faults::default() });
    house.orders.tend().await?;
    assert_eq!(house.stock().await?, (0, 1), "somebody may be paying");
    stand_in.set(Faults::default());
    house.tend_until(&placed, "lapsed").await?;
    assert_eq!(house.stock().await?, (1, 0));
    assert_eq!(pay(&house, &page, "pays").await?, 410);
    let again = house.orders.pay_again(&placed.secret).await?;
    assert_ne!(again, page);
    assert_eq!(pay(&house, &again, "pays").await?, 303);
    house.until(&placed, "paid").await?;
    close(house, &stand_in).await
}

#[tokio::test]
async fn money_under_way_keeps_its_pieces_for_days() -> anyhow::Result<()> {
    for comes in [true, false] {
        let (house, stand_in) = open(1).await?;
        let (placed, payment) = paid(&house, "slow").await?;
        house.until(&placed, "payment_pending").await?;
        for _ in 0..3 {
            house.shop.clock.advance(DAY);
            house.orders.tend().await?;
        }
        assert_eq!(house.stored_status(&placed).await?, "payment_pending");
        assert_eq!(house.stock().await?, (0, 1), "a voucher is paid within days");
        assert!(stand_in.calls("POST", &format!("/v1/checkout/sessions/{}/expire", session_of(&house, payment).await?)).is_empty());
        stand_in.settle(payment, comes)?;
        if comes {
            house.until(&placed, "paid").await?;
            assert_eq!(house.stock().await?, (0, 0));
        } else {
            house.until(&placed, "payment_failed").await?;
        }
        close(house, &stand_in).await?;
    }
    Ok(())
}

async fn session_of(house: &House, payment: PaymentId) -> anyhow::Result<String> {
    let row = house.shop.shop.db.first("SELECT provider_session FROM payments WHERE id = $1", params![payment]).await?;
    row.context("a payment")?.text("provider_session")
}

#[tokio::test]
async fn a_page_that_opens_after_its_order_was_replaced_is_closed() -> anyhow::Result<()> {
    let (house, stand_in) = open(5).await?;
    let first = house.request(1);
    let mut second = house.request(2);
    (second.cart, second.cart_version) = (first.cart, 2);
    stand_in.set(Faults { arrive_late_ms: 700, ..Faults::default() });
    let orders = house.orders.clone();
    let placing = tokio::spawn(async move { orders.place(first).await });
    while stand_in.calls("POST", "/v1/checkout/sessions").is_empty() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    stand_in.set(Faults::default());
    let replaced = house.orders.place(second).await?;
    let placed = placing.await??;
    assert_eq!(placed.redirect_url, None, "nobody is sent to pay an order that is over");
    assert_eq!(house.stored_status(&placed).await?, "withdrawn");
    let open: Vec<_> = stand_in.state().ledger.sessions.values().filter(|session| session.status == Status::Open).cloned().collect();
    assert_eq!(open.len(), 1);
    assert_eq!(pay(&house, replaced.redirect_url.as_deref().context("a page")?, "pays").await?, 303);
    house.until(&replaced, "paid").await?;
    assert_eq!(house.stock().await?, (3, 0));
    close(house, &stand_in).await
}

async fn owe(house: &House, placed: &Placed, payment: PaymentId, minor: i64) -> anyhow::Result<RefundId> {
    let (refund, now) = (RefundId(house.shop.shop.clock.id()), house.shop.clock.now());
    let number = placed.number.to_string();
    house
        .shop
        .shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let number = number.clone();
            Box::pin(async move {
                tx.execute(
                    "INSERT INTO refunds (id, order_id, payment_id, state, amount_minor, currency, reason, attempts, next_at, created_at, updated_at) \
                     SELECT $1, id, $2, 'requested', $3, 'EUR', 'goodwill', 0, $4, $4, $4 FROM orders WHERE number = $5",
                    params![refund, payment, minor, now, number],
                )
                .await?;
                Ok(())
            })
        })
        .await?;
    Ok(refund)
}

async fn refund_state(house: &House, refund: RefundId) -> anyhow::Result<String> {
    house.shop.shop.db.first("SELECT state FROM refunds WHERE id = $1", params![refund]).await?.context("a refund")?.text("state")
}

async fn until_refund(house: &House, refund: RefundId, wanted: &str) -> anyhow::Result<()> {
    for _ in 0..200 {
        if refund_state(house, refund).await? == wanted {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    anyhow::bail!("the refund never became {wanted}: it is {}", refund_state(house, refund).await?)
}

#[tokio::test]
async fn refunds_settle_or_come_back_later() -> anyhow::Result<()> {
    let (house, stand_in) = open(5).await?;
    // Under way, and told of by a webhook.
    let (placed, payment) = paid(&house, "refunds_pending").await?;
    house.until(&placed, "paid").await?;
    let told = owe(&house, &placed, payment, 1_000).await?;
    house.orders.tend().await?;
    assert_eq!(refund_state(&house, told).await?, "pending");
    stand_in.settle_refund(told, true)?;
    until_refund(&house, told, "issued").await?;
    // The webhook is lost: it is asked about, not every second.
    let asked = owe(&house, &placed, payment, 2_000).await?;
    house.orders.tend().await?;
    stand_in.set(Faults { drop_webhooks: true, ..Faults::default() });
    stand_in.settle_refund(asked, true)?;
    stand_in.state().calls.clear();
    for _ in 0..3 {
        house.orders.tend().await?;
    }
    assert!(stand_in.calls("GET", "/v1/refunds").is_empty());
    house.shop.clock.advance(DAY);
    house.orders.tend().await?;
    assert_eq!(refund_state(&house, asked).await?, "issued");
    // The shopper's bank sends it back.
    stand_in.set(Faults::default());
    stand_in.settle_refund(asked, false)?;
    until_refund(&house, asked, "bounced").await?;
    assert_eq!(stand_in.state().ledger.refunds.len(), 2);
    close(house, &stand_in).await
}

#[tokio::test]
async fn a_dispute_reaches_its_order() -> anyhow::Result<()> {
    let (house, stand_in) = open(5).await?;
    for won in [true, false] {
        let (placed, payment) = paid(&house, "pays").await?;
        house.until(&placed, "paid").await?;
        for (status, word) in [("needs_response", "open"), ("under_review", "under_review"), if won { ("won", "won") } else { ("lost", "lost") }] {
            stand_in.dispute(payment, status)?;
            until_dispute(&house, payment, word).await?;
        }
    }
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM disputes").await?, 2);
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM outbox WHERE payload LIKE '%DisputeOpened%'").await?, 2);
    close(house, &stand_in).await
}

#[tokio::test]
async fn an_inquiry_whose_answer_does_not_satisfy_the_bank_waits_for_evidence_in_time() -> anyhow::Result<()> {
    let (house, stand_in) = open(5).await?;
    let (placed, payment) = paid(&house, "pays").await?;
    house.until(&placed, "paid").await?;
    for (status, word, waits) in [
        ("warning_needs_response", "inquiry", true),
        ("warning_under_review", "inquiry_answered", false),
        ("needs_response", "open", true),
        ("under_review", "under_review", false),
        ("lost", "lost", false),
    ] {
        stand_in.dispute(payment, status)?;
        until_dispute(&house, payment, word).await?;
        let waiting = attention(&house, &placed).await?;
        assert_eq!(waiting.iter().any(|waits| matches!(waits, Attention::Dispute { evidence_due: Some(_) })), waits, "{status}");
        house.shop.clock.advance(DAY);
    }
    // An inquiry that came to nothing lets the order go on.
    let (placed, payment) = paid(&house, "pays").await?;
    house.until(&placed, "paid").await?;
    for (status, word) in [("warning_needs_response", "inquiry"), ("warning_closed", "won")] {
        stand_in.dispute(payment, status)?;
        until_dispute(&house, payment, word).await?;
    }
    assert_eq!(attention(&house, &placed).await?, [Attention::Ship]);
    close(house, &stand_in).await
}

async fn attention(house: &House, placed: &Placed) -> anyhow::Result<Vec<Attention>> {
    let order = house.orders.numbered(placed.number).await?.context("an order")?;
    Ok(house.orders.ledgers(order).await?.context("its ledgers")?.attention())
}

async fn until_dispute(house: &House, payment: PaymentId, wanted: &str) -> anyhow::Result<()> {
    let mut last = None;
    for _ in 0..200 {
        last = house
            .shop
            .shop
            .db
            .first("SELECT state FROM disputes WHERE payment_id = $1", params![payment])
            .await?
            .map(|row| row.text("state"))
            .transpose()?;
        if last.as_deref() == Some(wanted) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    anyhow::bail!("the dispute never became {wanted}: it is {last:?}")
}

#[tokio::test]
async fn money_for_pieces_that_are_gone_goes_back_at_stripe() -> anyhow::Result<()> {
    let (house, stand_in) = open(1).await?;
    // A voucher that is paid after its pieces were given away, because the shop was told that it had failed.
    let (late, payment) = paid(&house, "slow").await?;
    house.until(&late, "payment_pending").await?;
    stand_in.settle(payment, false)?;
    house.until(&late, "payment_failed").await?;
    house.shop.clock.advance(8 * DAY);
    house.tend_until(&late, "lapsed").await?;
    let (quick, _) = paid(&house, "pays").await?;
    house.until(&quick, "paid").await?;
    if let Some(session) = stand_in.state().ledger.by_reference(&payment.to_string()) {
        session.intent.as_mut().context("an intent")?.status = "processing";
    }
    stand_in.settle(payment, true)?;
    house.tend_until(&late, "refunded").await?;
    let refunds: Vec<_> = stand_in.state().ledger.refunds.values().map(|refund| refund.amount).collect();
    assert_eq!(refunds, [PRICE + DELIVERY]);
    assert_eq!(house.status(&quick.secret).await?, "paid");
    close(house, &stand_in).await
}
