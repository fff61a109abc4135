//! Tests of an order whose payment the bank took back: nothing more leaves, and only staff end it.

use super::{
    after_payment::{CAPTURED, back, cancelling, delivered, disputed, item, paid, parcels, portion, receipt, sent, shipment, usd},
    *,
};
use crate::{
    dispute::DisputeStage,
    refund::{GoodwillReason, RefundNews},
};
use uuid::Uuid;

fn lost(order: Order) -> Order {
    disputed(disputed(order, DisputeStage::Open { evidence_due: None }, 50), DisputeStage::Lost, 60)
}

#[test]
fn nothing_is_packed_or_sent_whose_money_is_gone() {
    let packed = paid().pack(shipment(1), "reno".to_owned(), vec![portion(0, 2)], 5).expect("open");
    let order = lost(packed.clone());
    assert_eq!((order.is_charged_back(), order.can_fulfil()), (true, Err(CannotFulfil::ChargedBack)));
    assert_eq!(order.attention(), [Attention::ChargedBack]);
    assert_eq!(order.clone().pack(shipment(2), "reno".to_owned(), vec![portion(0, 1)], 70), Err(CannotFulfil::ChargedBack));
    assert_eq!(order.clone().ship(shipment(1), parcels(), 70), Err(CannotFulfil::ChargedBack));
    let won = disputed(disputed(packed, DisputeStage::Open { evidence_due: None }, 50), DisputeStage::Won, 60);
    assert_eq!((won.is_charged_back(), won.can_fulfil(), won.attention()), (false, Ok(()), vec![Attention::Ship]));
    assert!(won.ship(shipment(1), parcels(), 70).is_ok());
    // What is packed is put back, then staff cancel: nothing is left to do, and nothing goes back a second time.
    let order = order.unpack(shipment(1)).expect("not sent");
    let order = order.cancel(cancelling(1, None), 80).expect("by staff").0;
    assert_eq!((order.status(), order.attention(), order.refunds.len()), (Status::Cancelled, Vec::new(), 0));
}

#[test]
fn a_shopper_cannot_cancel_or_return_what_the_bank_has_paid_back() {
    let order = lost(sent(paid(), 1, vec![portion(0, 1)], 10));
    let wish = Cancelling { by: By::Shopper, ..cancelling(1, None) };
    assert_eq!((order.can_cancel(By::Shopper), order.can_cancel(By::Staff)), (Err(CannotCancel::ChargedBack), Ok(())));
    assert_eq!(order.clone().cancel(wish, 70), Err(CannotCancel::ChargedBack));
    assert_eq!(order.clone().request_return(back(1), vec![item(0, 1)], By::Shopper, 70), Err(CannotReturn::ChargedBack));
    let order = order.request_return(back(1), vec![item(0, 1)], By::Staff, 70).expect("staff take it").0;
    assert_eq!(order.attention(), [Attention::ChargedBack, Attention::Return]);
    let order = order.receive_return(back(1), vec![receipt(0, 1)], usd(0), usd(0), RefundId(Uuid::nil()), 80).expect("announced").0;
    assert!(order.refunds.is_empty());
}

#[test]
fn what_comes_back_waits_until_the_bank_has_decided() {
    let announced = delivered().request_return(back(1), vec![item(0, 1)], By::Shopper, 30).expect("in time").0;
    let open = disputed(announced, DisputeStage::Open { evidence_due: None }, 50);
    let receive = |order: Order, receipts| order.receive_return(back(1), receipts, usd(0), usd(0), RefundId(Uuid::nil()), 60);
    for exchanged in [false, true] {
        assert_eq!(receive(open.clone(), vec![Receipt { exchanged, ..receipt(0, 1) }]), Err(CannotRefund::Disputed.into()));
    }
    for by in [By::Shopper, By::Staff] {
        assert_eq!(open.clone().request_return(back(2), vec![item(0, 1)], by, 60), Err(CannotRefund::Disputed.into()));
    }
    let won = disputed(open, DisputeStage::Won, 70);
    assert_eq!(receive(won, vec![receipt(0, 1)]).expect("announced").0.refunds.len(), 1);
}

#[test]
fn an_order_that_was_sent_whole_or_paid_twice_asks_for_nobody() {
    assert!(lost(sent(paid(), 1, vec![portion(0, 3), portion(1, 1)], 10)).attention().is_empty(), "there is nothing left to keep");
    let mut twice = paid();
    let first = twice.payments[0].id;
    let second = PaymentId(Uuid::from_u128(2));
    twice.payments.push(Payment { id: second, amount: usd(4_800), created_at: 3, state: PaymentState::Created, odd: None });
    let (twice, _) = twice.hear(second, News::Captured { amount: usd(4_800) }, false, RefundId(second.0), 4).expect("news");
    let (twice, _) = twice.hear_refund(RefundId(second.0), RefundNews::Pending).expect("news");
    let news = |reference: &str, amount| crate::dispute::DisputeNews {
        reference: reference.to_owned(),
        amount: usd(amount),
        reason: "fraudulent".to_owned(),
        stage: DisputeStage::Lost,
    };
    let (twice, _) = twice.hear_dispute(second, news("dp_2", 4_800), 50).expect("news");
    assert_eq!((twice.is_charged_back(), twice.attention()), (false, vec![Attention::Ship]), "the other payment is kept");
    let (both, _) = twice.hear_dispute(first, news("dp_1", 4_800), 50).expect("news");
    assert!(both.is_charged_back());
}

#[test]
fn money_goes_back_of_the_payment_that_the_order_stands_on() {
    let second = PaymentId(Uuid::from_u128(2));
    let twice = |sold: Order| {
        let mut order = sold;
        order.payments.push(Payment { id: second, amount: usd(4_800), created_at: 2, state: PaymentState::Pending, odd: None });
        let money = News::Captured { amount: usd(4_800) };
        order.hear(second, money, false, RefundId(Uuid::from_u128(7)), 5).expect("news").0
    };
    // Some of the first went back already: then the second has more left, and still none of it is to go back for anything else.
    for sold in [paid(), paid().refund(RefundId(Uuid::from_u128(8)), usd(1_000), GoodwillReason::Late).expect("it is there").0] {
        let (failed, _) = twice(sold).hear_refund(RefundId(Uuid::from_u128(7)), RefundNews::Refused).expect("news");
        let (cancelled, _) = failed.cancel(cancelling(1, None), 6).expect("nothing is packed");
        let of = |payment| cancelled.refunds.iter().filter(|refund| refund.payment == payment).map(|refund| refund.amount.minor).sum::<i64>();
        assert_eq!((of(CAPTURED), of(second)), (4_800, 4_800));
        assert!(cancelled.attention().contains(&Attention::Refund), "the duplicate's refund is still stuck");
        assert!(cancelled.retry_refund(RefundId(Uuid::from_u128(7))).is_ok());
    }
}
