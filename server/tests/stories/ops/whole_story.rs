//! The story on an order's page leaves nothing out: what came twice, what was cancelled, how a dispute went on, and where money went.

use crate::{
    ops::{
        desk::{self, act, advance, done, page, words},
        disputed::{ASKED_S, ASKS, DECIDED_S, LOSES, UNANSWERED_S, until},
        refusals::becomes,
    },
    orders::house::{DELIVERY, House, PRICE},
    support::Visitor,
};
use anyhow::{Context as _, ensure};
use domain::{
    PaymentId, RefundId,
    money::{Currency, Money},
    order::Order,
    payment::News,
    refund::{GoodwillReason, REFUND_ATTEMPTS_MAX, RefundNews, RefundState},
    staff::Role,
};
use server::{
    orders::Placed,
    payments::{Notice, WebhookEvent, signature, test_provider},
};

/// The story, newest first.
async fn story(reader: &Visitor, order: &Placed) -> anyhow::Result<String> {
    let shown = words(&reader.get(&page(order)).await?.body);
    Ok(shown.rsplit_once("Story ").context("a story")?.1.to_owned())
}

/// Sends a webhook as the provider does.
async fn tell(house: &House, id: &str, notice: Notice) -> anyhow::Result<()> {
    let body = serde_json::to_vec(&WebhookEvent { id: id.to_owned(), notice })?;
    let signed = signature::sign(&test_provider::secret(house.shop.data())?, house.shop.shop.clock.now(), &body);
    let answer = house.http.post(format!("{}/webhooks/test-provider", house.shop.url)).header(signature::HEADER, signed).body(body).send().await?;
    ensure!(answer.status() == 204, "{}", answer.status());
    Ok(())
}

/// A refund of ten euros that was sent.
async fn refunded(house: &House, support: &Visitor, order: &Placed) -> anyhow::Result<RefundId> {
    done(&act(support, order, "refund", &[("amount", "10"), ("reason", "late"), ("sure", "yes")]).await?, "refund")?;
    let known = until(house, order, |known| known.refunds.iter().any(|refund| refund.state == RefundState::Issued)).await?;
    assert_eq!(known.refunds[0].goodwill, Some(GoodwillReason::Late));
    Ok(known.refunds[0].id)
}

#[tokio::test]
async fn a_webhook_that_comes_again_is_told_once_however_often_it_comes() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 1).await?;
    let payment = house.payment(&order).await?;
    let money = || Notice::Payment { payment, news: News::Captured { amount: Money::new(PRICE + DELIVERY, Currency::EUR) } };
    tell(&house, "evt_91", money()).await?;
    assert!(!story(&support, &order).await?.contains("evt_91"));
    for _ in 0..10 {
        tell(&house, "evt_91", money()).await?;
    }
    // Another event says the same: it came once.
    tell(&house, "evt_92", money()).await?;
    let refund = refunded(&house, &support, &order).await?;
    for _ in 0..3 {
        tell(&house, "evt_93", Notice::Refund { refund, news: RefundNews::Issued }).await?;
        // About nothing that is known here: there is no story to tell it in.
        let payment = PaymentId(refund.0);
        tell(&house, "evt_94", Notice::Payment { payment, news: News::Closed }).await?;
    }
    let told = story(&support, &order).await?;
    for (event, times) in [("evt_91", 1), ("evt_92", 0), ("evt_93", 1), ("evt_94", 0)] {
        assert_eq!(told.matches(&format!("Webhook {event} came again, counted once")).count(), times, "{event}: {told}");
    }
    assert_eq!(told.matches("Payment captured, €123.90").count(), 1, "{told}");
    house.shop.stop().await
}

#[tokio::test]
async fn a_whole_cancellation_tells_its_pieces_too() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 3).await?;
    for pieces in ["1", "2"] {
        done(&act(&support, &order, "cancel", &[("reason", "changed_mind"), ("line-0", pieces), ("sure", "yes")]).await?, "cancel")?;
    }
    let told = story(&support, &order).await?;
    for sentence in ["Pieces cancelled: 1 × Gürtel", "Pieces cancelled: 2 × Gürtel", "Order cancelled"] {
        assert_eq!(told.matches(sentence).count(), 1, "{sentence}: {told}");
    }
    house.shop.stop().await
}

#[tokio::test]
async fn each_step_of_a_dispute_is_told() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::pays(&house, 1, ASKS).await?;
    let payment = house.payment(&order).await?;
    let comes_to = async |word: &'static str| until(&house, &order, |known| known.disputes.iter().any(|dispute| dispute.state.word() == word)).await;
    advance(&house, ASKED_S).await?;
    comes_to("inquiry").await?;
    house.bank(payment, "answered").await?;
    comes_to("inquiry_answered").await?;
    advance(&house, UNANSWERED_S).await?;
    comes_to("open").await?;
    for (stage, word) in [("review", "under_review"), ("won", "won")] {
        house.bank(payment, stage).await?;
        comes_to(word).await?;
    }
    let told = story(&support, &order).await?;
    let mut rest = told.as_str();
    for sentence in [
        "Dispute won",
        "The bank has our evidence, and decides",
        "The bank claims the money: evidence is due by ",
        "The bank thinks about our answer",
        "The bank asks: an answer is due by ",
        "A bank questions the payment",
    ] {
        rest = rest.split_once(sentence).with_context(|| format!("{sentence}: {told}"))?.1;
    }
    house.shop.stop().await
}

#[tokio::test]
async fn a_refund_that_is_asked_for_again_or_left_to_the_bank_is_told() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 1).await?;
    let refund = refunded(&house, &support, &order).await?;
    // The provider was asked as often as it is asked, and never answered.
    becomes(&house, refund, "requested", REFUND_ATTEMPTS_MAX.into()).await?;
    done(&act(&support, &order, "retry", &[("of", &refund.to_string())]).await?, "retry")?;
    let told = story(&support, &order).await?;
    assert!(told.contains("Refund of €10.00 asked for again"), "{told}");
    let shown = words(&support.get(&page(&order)).await?.body);
    assert!(shown.contains("Goodwill: the parcel came late"), "the ledger says why: {shown}");

    let lost = desk::pays(&house, 1, LOSES).await?;
    let refund = refunded(&house, &support, &lost).await?;
    becomes(&house, refund, "requested", 0).await?;
    advance(&house, ASKED_S).await?;
    until(&house, &lost, Order::is_disputed).await?;
    advance(&house, DECIDED_S).await?;
    until(&house, &lost, |known| known.is_charged_back() && known.refunds[0].state == RefundState::SettledOutside).await?;
    let told = story(&support, &lost).await?;
    assert!(told.contains("Refund of €10.00 not sent: the bank paid the shopper back"), "{told}");
    house.shop.stop().await
}

#[tokio::test]
async fn money_that_comes_for_nothing_is_told_as_captured_and_going_back() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = house.place(1).await?;
    let payment = house.payment(&order).await?;
    done(&act(&support, &order, "cancel", &[("reason", "changed_mind"), ("sure", "yes")]).await?, "cancel")?;
    house.late_money(payment).await?;
    until(&house, &order, |known| !known.refunds.is_empty()).await?;
    let told = story(&support, &order).await?;
    let (after, _) = told.split_once("Payment captured, €123.90, and goes straight back").with_context(|| told.clone())?;
    assert!(after.contains("Refund of €123.90 asked for (cancelled)"), "{told}");
    house.shop.stop().await
}
