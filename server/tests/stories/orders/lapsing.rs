//! Time: holds that lapse, money that comes late, webhooks that are lost, refunds that are refused.

use crate::orders::house::{self, House, PAYS};
use anyhow::Context as _;
use domain::payment::{Method, News};
use serde_json::json;
use server::{
    orders::{Heard, PayAgainError, Placed},
    params,
};
use std::time::Duration;

const HALF_AN_HOUR: Duration = Duration::from_secs(30 * 60 + 1);
const DAY: Duration = Duration::from_hours(24);
const PAYS_DAYS_LATER: &str = "4000 0000 0000 3006";
const FAILS_DAYS_LATER: &str = "4000 0000 0000 3014";

/// Somebody pays by transfer, and two days pass.
async fn under_way(house: &House, card: &str) -> anyhow::Result<Placed> {
    let placed = house.place(1).await?;
    house.type_card(placed.redirect_url.as_deref().expect("a page"), card).await?;
    house.until(&placed, "payment_pending").await?;
    for _ in 0..2 {
        house.shop.clock.advance(DAY);
        house.orders.tend().await?;
    }
    assert_eq!(house.stored_status(&placed).await?, "payment_pending");
    assert_eq!(house.stock().await?, (0, 1), "a transfer takes days");
    Ok(placed)
}

#[tokio::test]
async fn a_transfer_keeps_its_pieces_until_the_money_comes() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let placed = under_way(&house, PAYS_DAYS_LATER).await?;
    house.shop.clock.advance(DAY);
    house.tend_until(&placed, "paid").await?;
    assert_eq!(house.stock().await?, (0, 0));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn pieces_are_kept_for_as_long_as_a_method_may_take() -> anyhow::Result<()> {
    let house = house::open(4, 0).await?;
    for (method, days) in [(Method::Voucher, 4), (Method::BankTransfer, 7), (Method::BankDebit, 14), (Method::Other, 7)] {
        let placed = house.place(1).await?;
        let heard = house.orders.hear(house.payment(&placed).await?, News::Pending { method }).await?;
        let Heard::New(order) = heard else { anyhow::bail!("{method:?}: {heard:?}") };
        let row = house.shop.shop.db.first("SELECT hold_until FROM orders WHERE id = $1", params![order.id]).await?.context("an order")?;
        let kept_us = row.int("hold_until")? - house.shop.clock.now();
        let wanted_us = days * 24 * 3_600 * 1_000_000;
        // The clock goes on meanwhile.
        assert!((wanted_us - 60_000_000..=wanted_us).contains(&kept_us), "{method:?}: {kept_us}");
    }
    assert_eq!(house.stock().await?, (0, 4));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn a_transfer_that_failed_keeps_its_pieces_no_longer_than_anybody_who_is_to_pay() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let placed = under_way(&house, FAILS_DAYS_LATER).await?;
    house.shop.clock.advance(DAY);
    house.tend_until(&placed, "payment_failed").await?;
    assert_eq!(house.stock().await?, (0, 1), "it can be paid again");
    house.shop.clock.advance(HALF_AN_HOUR);
    house.orders.tend().await?;
    assert_eq!(house.stored_status(&placed).await?, "lapsed");
    assert_eq!(house.stock().await?, (1, 0));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn a_hold_is_released_after_its_page_was_closed() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let placed = house.place(1).await?;
    house.orders.tend().await?;
    assert_eq!(house.stock().await?, (0, 1), "not before its time");
    house.shop.clock.advance(HALF_AN_HOUR);
    // While the provider does not answer, nothing is given away: somebody may be paying.
    house.faults(json!({ "down": true })).await?;
    house.orders.tend().await?;
    assert_eq!(house.stock().await?, (0, 1));
    house.faults(json!({})).await?;
    house.tend_until(&placed, "lapsed").await?;
    assert_eq!(house.stock().await?, (1, 0));
    house.type_card(placed.redirect_url.as_deref().expect("a page"), PAYS).await?;
    assert_eq!(house.kept_by_provider().await?.0, 0, "the page was closed");
    // Paying again takes the piece again.
    let page = house.orders.pay_again(&placed.secret).await?;
    assert_eq!(house.stock().await?, (0, 1));
    house.type_card(&page, PAYS).await?;
    assert_eq!(house.status(&placed.secret).await?, "paid");
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn a_lapsed_order_whose_pieces_are_gone_cannot_be_paid() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let late = house.place(1).await?;
    house.shop.clock.advance(HALF_AN_HOUR);
    house.tend_until(&late, "lapsed").await?;
    let quick = house.place(1).await?;
    assert!(matches!(house.orders.pay_again(&late.secret).await, Err(PayAgainError::OutOfStock(short)) if short[0].left == 0));
    house.type_card(quick.redirect_url.as_deref().expect("a page"), PAYS).await?;
    house.until(&quick, "paid").await?;
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn late_money_takes_the_piece_again_if_it_is_there() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let placed = house.place(1).await?;
    house.shop.clock.advance(HALF_AN_HOUR);
    house.tend_until(&placed, "lapsed").await?;
    assert_eq!(house.stock().await?, (1, 0));
    house.late_money(house.payment(&placed).await?).await?;
    house.until(&placed, "paid").await?;
    assert_eq!(house.stock().await?, (0, 0));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn late_money_goes_back_if_the_piece_is_gone_and_is_asked_for_until_it_does() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let late = house.place(1).await?;
    let payment = house.payment(&late).await?;
    house.shop.clock.advance(HALF_AN_HOUR);
    house.tend_until(&late, "lapsed").await?;
    let quick = house.place(1).await?;
    house.type_card(quick.redirect_url.as_deref().expect("a page"), PAYS).await?;
    house.until(&quick, "paid").await?;
    house.faults(json!({ "down": true })).await?;
    house.late_money(payment).await?;
    house.until(&late, "refunding").await?;
    house.orders.tend().await?;
    assert_eq!(house.stored_status(&late).await?, "refunding");
    house.faults(json!({})).await?;
    house.tend_until(&late, "refunded").await?;
    assert_eq!(house.status(&quick.secret).await?, "paid");
    assert_eq!(house.stock().await?, (0, 0));
    assert_eq!(
        house.count("SELECT COUNT(*) AS n FROM outbox WHERE payload LIKE '%PaymentCaptured%'").await?,
        1,
        "money that goes back clears no cart"
    );
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn a_refund_that_is_refused_is_shown_as_failed() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let late = house.place(1).await?;
    house.shop.clock.advance(HALF_AN_HOUR);
    house.tend_until(&late, "lapsed").await?;
    house.place(1).await?;
    house.faults(json!({ "refuse_refunds": true })).await?;
    house.late_money(house.payment(&late).await?).await?;
    house.tend_until(&late, "refund_failed").await?;
    house.shop.stop().await
}

#[tokio::test]
async fn what_was_paid_before_the_sweep_is_sold() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    house.faults(json!({ "hold_webhooks": true })).await?;
    let placed = house.place(1).await?;
    house.type_card(placed.redirect_url.as_deref().expect("a page"), PAYS).await?;
    assert_eq!(house.stored_status(&placed).await?, "awaiting_payment");
    house.shop.clock.advance(HALF_AN_HOUR);
    house.tend_until(&placed, "paid").await?;
    assert_eq!(house.stock().await?, (0, 0));
    house.faults(json!({})).await?;
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn a_lost_webhook_is_made_up_for_by_asking() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    house.faults(json!({ "hold_webhooks": true })).await?;
    let placed = house.place(1).await?;
    house.type_card(placed.redirect_url.as_deref().expect("a page"), PAYS).await?;
    house.tend_until(&placed, "paid").await?;
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn an_answer_that_webhooks_overtake_changes_nothing() -> anyhow::Result<()> {
    let house = house::open(2, 0).await?;
    house.faults(json!({ "delay_replies_ms": 300 })).await?;
    let (orders, request) = (house.orders.clone(), house.request(1));
    let placing = tokio::spawn(async move { orders.place(request).await });
    // The page exists at the provider before the shop has its answer: somebody with a quick hand pays there.
    let payment = loop {
        let ledger = house.ledger().await?;
        if let Some(payment) = ledger["sessions"][0]["payment"].as_str() {
            break payment.parse()?;
        }
    };
    house.late_money(payment).await?;
    let placed = placing.await??;
    house.until(&placed, "paid").await?;
    assert_eq!(house.stock().await?, (1, 0));
    house.check_books().await?;
    house.shop.stop().await
}
