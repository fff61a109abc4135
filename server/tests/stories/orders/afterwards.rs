//! What follows a payment: cancelled pieces, parcels, returns, exchanges, refunds and disputes, with the stock and the provider's ledger beside.

use crate::orders::house::{self, House, PAYS, PRICE};
use anyhow::Context as _;
use domain::{
    CancellationId, FulfilmentId, OrderId, RefundId, ReturnId,
    dispute::{DisputeNews, DisputeStage},
    money::{Currency, Money},
    order::{
        CancelReason, CannotCancel, CannotRefund, DELIVERED_AFTER_US, NoSuchPieces, Order, Parcel, Portion, Progress, Receipt, Resolution, Restock,
        ReturnItem, ReturnReason, Status,
    },
    refund::{GoodwillReason, RefundNews, RefundState},
};
use server::orders::{ChangeError, Heard, Received, story::Actor};
use std::time::Duration;

fn staff() -> Actor {
    Actor::Staff("01a20846-0000-7000-8000-000000000001".to_owned())
}
fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}
fn parcel() -> Vec<Parcel> {
    vec![Parcel { carrier: "dhl".to_owned(), tracking: "JJD 0123-456".to_owned() }]
}
fn some(quantity: u32) -> Vec<Portion> {
    vec![Portion { line: 0, quantity }]
}

/// An order of so many pieces, paid.
async fn paid(house: &House, quantity: u32) -> anyhow::Result<OrderId> {
    let placed = house.place(quantity).await?;
    house.type_card(placed.redirect_url.as_deref().context("a page")?, PAYS).await?;
    house.until(&placed, "paid").await?;
    Ok(house.orders.find_by_secret(&placed.secret).await?.context("just placed")?.id)
}

/// Sends pieces of an order from Rotterdam.
async fn sent(house: &House, order: OrderId, quantity: u32) -> anyhow::Result<(FulfilmentId, Order)> {
    let id = FulfilmentId(house.shop.shop.clock.id());
    let after = house.orders.pack_and_ship(order, id, "rotterdam", &some(quantity), &parcel(), staff()).await?;
    Ok((id, after))
}

/// Lets refunds go out, and the order as it is then.
async fn refunded(house: &House, order: OrderId, refunds: usize) -> anyhow::Result<Order> {
    for _ in 0..50 {
        house.orders.tend().await?;
        let now = house.orders.ledgers(order).await?.context("an order")?;
        if now.refunds.iter().filter(|refund| refund.state == RefundState::Issued).count() >= refunds {
            return Ok(now);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("the refund does not go out")
}

#[tokio::test]
async fn an_unpaid_order_is_cancelled_once_and_its_pieces_are_free() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    let placed = house.place(2).await?;
    let order = house.orders.find_by_secret(&placed.secret).await?.context("just placed")?.id;
    let id = CancellationId(house.shop.shop.clock.id());
    let lines = house.orders.cancel(order, id, Some(&some(1)), CancelReason::ChangedMind, Actor::Shopper).await;
    assert!(matches!(lines, Err(ChangeError::Cancel(CannotCancel::NotPaid))), "{lines:?}");
    for _ in 0..2 {
        let after = house.orders.cancel(order, id, None, CancelReason::ChangedMind, Actor::Shopper).await?;
        assert_eq!(after.status(), Status::Cancelled);
        assert_eq!(house.stock().await?, (3, 0));
    }
    house.type_card(placed.redirect_url.as_deref().context("a page")?, PAYS).await?;
    assert_eq!(house.kept_by_provider().await?.0, 0, "its page was closed");
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn pieces_of_a_paid_order_are_cancelled_and_paid_back() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    let order = paid(&house, 3).await?;
    assert_eq!(house.stock().await?, (0, 0));
    let id = CancellationId(house.shop.shop.clock.id());
    for _ in 0..2 {
        house.orders.cancel(order, id, Some(&some(1)), CancelReason::NotAvailable, staff()).await?;
        assert_eq!(house.stock().await?, (1, 0), "the same form twice is one wish");
    }
    let after = refunded(&house, order, 1).await?;
    assert_eq!((after.refunds.len(), after.refunds[0].amount, after.status().word()), (1, eur(PRICE), "paid"));
    let id = FulfilmentId(house.shop.shop.clock.id());
    house.orders.pack(order, id, "rotterdam", &some(1), staff()).await?;
    let packed = house.orders.cancel(order, CancellationId(house.shop.shop.clock.id()), Some(&some(2)), CancelReason::Other, Actor::Shopper).await;
    assert!(matches!(packed, Err(ChangeError::Cancel(CannotCancel::Pieces(NoSuchPieces::TooMany { line: 0, left: 1 })))), "{packed:?}");
    house.orders.unpack(order, id, staff()).await?;
    house.orders.cancel(order, CancellationId(house.shop.shop.clock.id()), None, CancelReason::ChangedMind, Actor::Shopper).await?;
    let after = refunded(&house, order, 2).await?;
    assert_eq!(after.status(), Status::Cancelled);
    assert_eq!(after.refunds.iter().map(|refund| refund.amount.minor).sum::<i64>(), after.total.minor, "delivery too: nothing was sent");
    assert_eq!((house.stock().await?, house.kept_by_provider().await?.0), ((3, 0), 0));
    house.shop.stop().await
}

#[tokio::test]
async fn an_order_leaves_from_two_places_and_arrives() -> anyhow::Result<()> {
    let house = house::open(1, 1).await?;
    let order = paid(&house, 2).await?;
    let lying: Vec<_> = house.orders.lying(order).await?.into_iter().map(|lying| (lying.location, lying.quantity)).collect();
    assert_eq!(lying, [("leipzig".to_owned(), 1), ("rotterdam".to_owned(), 1)]);
    let id = FulfilmentId(house.shop.shop.clock.id());
    let elsewhere = house.orders.pack(order, id, "rotterdam", &some(2), staff()).await;
    assert!(matches!(elsewhere, Err(ChangeError::NotThere { left: 1, .. })), "{elsewhere:?}");
    let (first, after) = sent(&house, order, 1).await?;
    assert_eq!(after.progress(), Some(Progress::PartlyShipped { shipped: 1, of: 2 }));
    let again = house.orders.pack_and_ship(order, first, "rotterdam", &some(1), &parcel(), staff()).await?;
    assert_eq!(again.fulfilments.len(), 1, "the same form twice is one parcel");
    let second = FulfilmentId(house.shop.shop.clock.id());
    house.orders.pack_and_ship(order, second, "leipzig", &some(1), &parcel(), staff()).await?;
    house.orders.deliver(order, first, staff()).await?;
    house.shop.clock.advance(Duration::from_micros(DELIVERED_AFTER_US.unsigned_abs()));
    house.orders.tend().await?;
    let after = house.orders.ledgers(order).await?.context("an order")?;
    assert!(matches!(after.progress(), Some(Progress::Delivered { .. })), "{:?}", after.progress());
    let words: Vec<String> = house.orders.story(order).await?.iter().rev().map(|entry| format!("{}: {:?}", entry.actor, entry.what)).collect();
    for (n, part) in ["PaymentCaptured", "OrderShipped", "OrderShipped", "OrderDelivered", "OrderDelivered"].into_iter().enumerate() {
        assert!(words.iter().skip(n).any(|word| word.contains(part)), "{n} {part}: {words:#?}");
    }
    assert!(
        words.iter().any(|word| word.starts_with("staff:01a20846-0000-7000-8000-000000000001: Event"))
            && words.last().is_some_and(|word| word.starts_with("shop:")),
        "{words:#?}"
    );
    house.shop.stop().await
}

#[tokio::test]
async fn what_comes_back_is_looked_at_restocked_and_paid_back() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    let order = paid(&house, 3).await?;
    let (parcel, _) = sent(&house, order, 3).await?;
    house.orders.deliver(order, parcel, staff()).await?;
    let id = ReturnId(house.shop.shop.clock.id());
    let items = vec![ReturnItem { line: 0, quantity: 3, reason: ReturnReason::TooSmall, resolution: Resolution::Refund }];
    for _ in 0..2 {
        house.orders.request_return(order, id, &items, Actor::Shopper).await?;
    }
    let receipt = |quantity, restock| Receipt { line: 0, quantity, restock, exchanged: false };
    let received = Received {
        receipts: vec![receipt(2, Restock::Shelf), receipt(1, Restock::Discard)],
        location: "leipzig".to_owned(),
        kept_back: eur(900),
        delivery: None,
    };
    house.orders.receive_return(order, id, &received, staff()).await?;
    let twice = house.orders.receive_return(order, id, &received, staff()).await;
    assert!(matches!(twice, Err(ChangeError::Return(_) | ChangeError::Failed(_))), "{twice:?}");
    let after = refunded(&house, order, 1).await?;
    assert_eq!(after.refunds[0].amount, eur(after.total.minor - 900), "all came back, so delivery goes back too");
    assert_eq!((after.progress(), house.stock().await?), (Some(Progress::Returned), (2, 0)));
    house.shop.stop().await
}

#[tokio::test]
async fn an_exchange_sends_the_other_variant_and_no_money() -> anyhow::Result<()> {
    let house = house::open(2, 0).await?;
    let order = paid(&house, 1).await?;
    let (first, _) = sent(&house, order, 1).await?;
    house.orders.deliver(order, first, staff()).await?;
    let id = ReturnId(house.shop.shop.clock.id());
    let other = Resolution::Exchange { product: house.other.product, variant: house.other.variant };
    let items = vec![ReturnItem { line: 0, quantity: 1, reason: ReturnReason::TooLarge, resolution: other }];
    house.orders.request_return(order, id, &items, Actor::Shopper).await?;
    let receipts = vec![Receipt { line: 0, quantity: 1, restock: Restock::Shelf, exchanged: true }];
    let received = Received { receipts, location: "rotterdam".to_owned(), kept_back: eur(0), delivery: None };
    let after = house.orders.receive_return(order, id, &received, staff()).await?;
    assert_eq!((after.refunds.len(), after.lines.len(), after.lines[1].variant), (0, 2, house.other.variant));
    let replacement = FulfilmentId(house.shop.shop.clock.id());
    let portions = [Portion { line: 1, quantity: 1 }];
    let after = house.orders.pack_and_ship(order, replacement, "rotterdam", &portions, &parcel(), staff()).await?;
    assert!(after.open_portions().is_empty());
    assert_eq!(house.stock().await?, (2, 0), "the first one is back on the shelf");
    house.shop.stop().await
}

#[tokio::test]
async fn goodwill_stops_at_what_was_paid_and_at_a_dispute() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let order = paid(&house, 1).await?;
    let total = house.orders.ledgers(order).await?.context("an order")?.total;
    let id = RefundId(house.shop.shop.clock.id());
    for _ in 0..2 {
        house.orders.refund_goodwill(order, id, eur(1_000), GoodwillReason::Late, staff()).await?;
    }
    let over = house.orders.refund_goodwill(order, RefundId(house.shop.shop.clock.id()), total, GoodwillReason::Late, staff()).await;
    assert!(matches!(over, Err(ChangeError::Refund(CannotRefund::MoreThanCaptured { left })) if left.minor == total.minor - 1_000), "{over:?}");
    let after = refunded(&house, order, 1).await?;
    assert_eq!(after.refunds.len(), 1, "the same form twice is one refund");
    let payment = after.payments[0].id;
    let news = |stage| DisputeNews { reference: "dp_7".to_owned(), amount: total, reason: "fraudulent".to_owned(), stage };
    let open = news(DisputeStage::Open { evidence_due: Some(7) });
    assert!(matches!(house.orders.hear_dispute(payment, &open).await?, Heard::New(_)));
    assert_eq!(house.orders.hear_dispute(payment, &open).await?, Heard::Known);
    let disputed = house.orders.refund_goodwill(order, RefundId(house.shop.shop.clock.id()), eur(1), GoodwillReason::Late, staff()).await;
    assert!(matches!(disputed, Err(ChangeError::Refund(CannotRefund::Disputed))), "{disputed:?}");
    let row = house.shop.shop.db.first("SELECT attention FROM orders WHERE id = $1", server::params![order]).await?.context("a row")?;
    assert_eq!(row.text("attention")?, "dispute");
    assert!(matches!(house.orders.hear_dispute(payment, &news(DisputeStage::Won)).await?, Heard::New(_)));
    house.orders.refund_goodwill(order, RefundId(house.shop.shop.clock.id()), eur(1), GoodwillReason::Late, staff()).await?;
    assert!(matches!(house.orders.hear_refund(id, RefundNews::Bounced).await?, Heard::New(_)));
    let after = house.orders.settle_refund_outside(order, id, staff()).await?;
    assert_eq!(after.refunds[0].state, RefundState::SettledOutside);
    house.shop.stop().await
}

#[tokio::test]
async fn two_of_staff_at_once_send_a_piece_once() -> anyhow::Result<()> {
    let house = house::open(2, 0).await?;
    let order = paid(&house, 2).await?;
    let ids: Vec<_> = (0..4).map(|_| FulfilmentId(house.shop.shop.clock.id())).collect();
    let (portions, parcels) = (some(1), parcel());
    let tries = ids.iter().map(|id| house.orders.pack_and_ship(order, *id, "rotterdam", &portions, &parcels, staff()));
    let outcomes = futures::future::join_all(tries).await;
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 2, "{outcomes:?}");
    let after = house.orders.ledgers(order).await?.context("an order")?;
    assert_eq!((after.fulfilments.len(), after.progress()), (2, Some(Progress::Shipped)));
    house.shop.stop().await
}

#[tokio::test]
async fn a_refund_that_was_asked_for_before_a_dispute_waits_for_its_end() -> anyhow::Result<()> {
    let house = house::open(5, 0).await?;
    for attempt in 0..5 {
        let order = paid(&house, 1).await?;
        let before = house.orders.ledgers(order).await?.context("an order")?;
        let id = RefundId(house.shop.shop.clock.id());
        let news = |stage| DisputeNews { reference: format!("dp_{attempt}"), amount: before.total, reason: "fraudulent".to_owned(), stage };
        house.orders.refund_goodwill(order, id, eur(1_000), GoodwillReason::Late, staff()).await?;
        house.orders.hear_dispute(before.payments[0].id, &news(DisputeStage::Open { evidence_due: None })).await?;
        if house.orders.ledgers(order).await?.context("an order")?.refunds[0].state != (RefundState::Requested { attempts: 0 }) {
            // The shop's own round was faster than the bank.
            continue;
        }
        for _ in 0..3 {
            house.orders.tend().await?;
            house.shop.clock.advance(Duration::from_hours(7));
        }
        let waits = house.orders.ledgers(order).await?.context("an order")?;
        assert_eq!(waits.refunds[0].state, RefundState::Requested { attempts: 0 }, "the provider was asked");
        house.orders.hear_dispute(before.payments[0].id, &news(DisputeStage::Won)).await?;
        refunded(&house, order, 1).await?;
        return house.shop.stop().await;
    }
    anyhow::bail!("every refund was sent before its dispute")
}
