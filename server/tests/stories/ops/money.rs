//! Cancelling and refunding.

use crate::{
    ops::{
        desk::{self, act, done, key, log, page, refused, words},
        disputed::until,
    },
    orders::house::{DELIVERY, PRICE},
};
use domain::{
    money::{Currency, Money},
    order::{Pieces, Status},
    payment::{News, Odd},
    refund::RefundState,
    staff::Role,
};
use server::{orders::Heard, params};

#[tokio::test]
async fn never_more_goes_back_than_was_paid_however_often_it_is_asked() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 2).await?;
    for (amount, sentence) in [
        ("", "Type an amount, at most €242.90."),
        ("0", "Type an amount, at most €242.90."),
        ("0.00", "Type an amount, at most €242.90."),
        ("12.345", "is no amount in EUR"),
        ("1,000.00", "is no amount"),
        ("-5", "“-5” is no amount in EUR. Type it like 12.50."),
        ("5", "Choose a reason"),
    ] {
        refused(&act(&support, &order, "refund", &[("amount", amount)]).await?, sentence)?;
    }
    // All that is wrong at once, each by its field; what was typed stays.
    let answer = act(&support, &order, "refund", &[("amount", "abc")]).await?;
    for sentence in ["“abc” is no amount in EUR", "Choose a reason", "Tick the box to confirm"] {
        refused(&answer, sentence)?;
    }
    for field in ["amount", "reason", "sure"] {
        let error = format!("f-refund--{field}-error");
        assert!(answer.body.contains(&format!("id=\"{error}\"")), "{field} says what is wrong with it");
        assert!(answer.body.contains(&error) && answer.body.contains("aria-invalid=\"true\""), "{field}");
    }
    assert!(answer.body.matches("aria-invalid=\"true\"").count() == 3 && answer.body.contains("value=\"abc\""));
    let answer = act(&support, &order, "cancel", &[("reason", "fraud"), ("line-0", "7"), ("sure", "yes")]).await?;
    refused(&answer, "only 2 are left for this: type at most 2.")?;
    refused(&answer, "id=\"f-cancel--line-0-error\"")?;
    for (reason, sentence) in [("whim", "Choose a reason"), ("late", "Tick the box")] {
        refused(&act(&support, &order, "refund", &[("amount", "5"), ("reason", reason)]).await?, sentence)?;
    }
    let answer = act(&support, &order, "refund", &[("amount", "242.91"), ("reason", "late"), ("sure", "yes")]).await?;
    refused(&answer, "Only €242.90 of what was paid is left")?;
    assert!(answer.body.contains("value=\"242.91\""), "what was typed stays");
    let id = key(&support, &order).await?;
    for _ in 0..3 {
        done(
            &support.post(&format!("{}/refund", page(&order)), &[("id", &id), ("amount", "10,5"), ("reason", "late"), ("sure", "yes")]).await?,
            "refund",
        )?;
    }
    let other = [("id", id.as_str()), ("amount", "11"), ("reason", "late"), ("sure", "yes")];
    refused(&support.post(&format!("{}/refund", page(&order)), &other).await?, "sent before with other words")?;
    let shown = words(&support.get(&page(&order)).await?.body);
    assert_eq!(shown.matches("Goodwill of €10.50: the parcel came late").count(), 1, "the story says why, once: {shown}");
    let known = desk::ledgers(&house, &order).await?;
    assert_eq!((known.refunds.len(), known.refundable().minor), (1, 2 * PRICE + DELIVERY - 1_050));

    // What the provider refuses is asked again, what a bank sends back is settled by hand.
    let refund = known.refunds[0].id;
    until(&house, &order, |known| known.refunds[0].state == RefundState::Issued).await?;
    for (state, what) in [("failed", "retry"), ("bounced", "settle")] {
        let values = params![refund, state];
        house
            .shop
            .shop
            .db
            .transact::<_, sqlx::Error>(|tx| {
                let values = values.clone();
                Box::pin(async move { tx.execute("UPDATE refunds SET state = $2, next_at = 9000000000000000 WHERE id = $1", values).await })
            })
            .await?;
        let of = refund.to_string();
        // While it is stuck it is told why, and its money is not offered for goodwill.
        let shown = words(&support.get(&page(&order)).await?.body);
        let how = if state == "failed" { "refused by the provider" } else { "sent back by the bank" };
        assert!(shown.contains(how) && shown.contains("€10.50 of it is owed by what is stuck") && shown.contains("At most €232.40."), "{shown}");
        done(&act(&support, &order, what, &[("of", &of), ("sure", "yes")]).await?, what)?;
        refused(&act(&support, &order, what, &[("of", &of), ("sure", "yes")]).await?, "did not fail, or is settled")?;
        // Sent again, before its bank can send it back.
        house.orders.tend().await?;
    }
    assert_eq!(desk::ledgers(&house, &order).await?.refunds[0].state, RefundState::SettledOutside);
    assert_eq!(log(&house).await?, ["order refunded", "refund retried", "refund settled outside"]);
    house.shop.stop().await
}

#[tokio::test]
async fn pieces_are_cancelled_until_somebody_packs_them() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 3).await?;
    let free = house.stock().await?.0;
    refused(&act(&support, &order, "cancel", &[("reason", "fraud"), ("line-0", "1")]).await?, "Tick the box")?;
    refused(&act(&support, &order, "cancel", &[("reason", "whim"), ("line-0", "1"), ("sure", "yes")]).await?, "Choose a reason")?;
    refused(&act(&support, &order, "cancel", &[("reason", "fraud"), ("line-0", "0"), ("sure", "yes")]).await?, "at least one piece")?;
    let id = key(&support, &order).await?;
    let fields = [("id", id.as_str()), ("reason", "not_available"), ("line-0", "1"), ("sure", "yes")];
    for _ in 0..2 {
        done(&support.post(&format!("{}/cancel", page(&order)), &fields).await?, "cancel")?;
    }
    assert_eq!(house.stock().await?.0, free + 1, "one piece is free again");
    done(&act(&support, &order, "cancel", &[("reason", "changed_mind"), ("line-0", "2"), ("sure", "yes")]).await?, "cancel")?;
    let known = desk::ledgers(&house, &order).await?;
    assert_eq!((known.status(), known.refundable().minor), (Status::Cancelled, 0), "with the delivery charge");
    refused(&act(&support, &order, "cancel", &[("reason", "fraud"), ("line-0", "1"), ("sure", "yes")]).await?, "packed, sent or cancelled already")?;

    let unpaid = house.place(1).await?;
    done(&act(&support, &unpaid, "cancel", &[("reason", "changed_mind"), ("sure", "yes")]).await?, "cancel")?;
    assert_eq!(house.stored_status(&unpaid).await?, "cancelled");
    assert_eq!(log(&house).await?, ["order cancelled"; 3]);
    assert!(words(&support.get(&page(&unpaid)).await?.body).contains("support@example.com"), "the story names who did it");
    house.shop.stop().await
}

#[tokio::test]
async fn another_amount_than_was_asked_for_waits_until_somebody_has_looked() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let packer = desk::signed_in(&house, Role::Warehouse).await?;
    let order = house.place(1).await?;
    let payment = house.payment(&order).await?;
    let news = News::Captured { amount: Money::new(1, Currency::EUR) };
    assert!(matches!(house.orders.hear(payment, news.clone()).await?, Heard::New(_)));
    assert_eq!(house.orders.hear(payment, news.clone()).await?, Heard::Known);
    let waits = || async { anyhow::Ok(support.get("/ops/orders?waits=amount").await?.body.contains(&order.number.to_string())) };
    assert!(waits().await?);
    let shown = words(&support.get(&page(&order)).await?.body);
    assert!(shown.contains("The provider took €0.01") && shown.contains("Looked into"), "{shown}");
    assert_ne!(desk::ledgers(&house, &order).await?.pieces, Pieces::Sold, "nothing is sold for it");
    let of = payment.to_string();
    refused(&act(&support, &order, "odd", &[("of", &of)]).await?, "Tick the box")?;
    assert_eq!(packer.post(&format!("{}/odd", page(&order)), &[("of", &of), ("sure", "yes")]).await?.status, 403);
    done(&act(&support, &order, "odd", &[("of", &of), ("sure", "yes")]).await?, "odd")?;
    refused(&act(&support, &order, "odd", &[("of", &of), ("sure", "yes")]).await?, "has looked into its amount already")?;
    // The provider says it again: it was looked into.
    assert_eq!(house.orders.hear(payment, news).await?, Heard::Known);
    assert!(!waits().await?);
    let known = desk::ledgers(&house, &order).await?.payments[0].odd;
    assert_eq!(known, Some(Odd { amount: Money::new(1, Currency::EUR), settled: true }));
    // Nothing more is waited for.
    done(&act(&support, &order, "cancel", &[("reason", "changed_mind"), ("sure", "yes")]).await?, "cancel")?;
    assert_eq!(desk::ledgers(&house, &order).await?.pieces, Pieces::Cancelled);
    assert_eq!(log(&house).await?, ["odd amount settled", "order cancelled"]);
    house.shop.stop().await
}
