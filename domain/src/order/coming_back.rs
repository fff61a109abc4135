//! Tests of what comes back by the shopper's own form: what it is worth, what the way costs, and what can be called off.

use super::{
    after_payment::{back, cancelling, delivered, disputed, item, paid, portion, receipt, sent, shipment, usd},
    *,
};
use crate::{
    dispute::DisputeStage,
    refund::{GoodwillReason, RefundNews},
};
use uuid::Uuid;

#[test]
fn a_planned_return_is_worth_what_its_receipt_will_give_back() {
    let delivered = || Order { market: "JP".parse().expect("a market"), ..delivered() };
    let exchanged = Resolution::Exchange { product: delivered().lines[0].product, variant: delivered().lines[0].variant };
    for (items, worth) in [
        // Three pieces for 2000, less the label of 800.
        (vec![item(0, 3)], 1_200),
        // 2000 / 3 is 666 and a third: the label takes all of it, and no more.
        (vec![item(0, 1)], 0),
        // Our fault, our label.
        (vec![ReturnItem { reason: ReturnReason::Faulty, ..item(0, 1) }], 666),
        // What is exchanged gives nothing back, and nothing is kept back of nothing.
        (vec![ReturnItem { resolution: exchanged, ..item(0, 1) }], 0),
        // Everything: delivery too.
        (vec![item(0, 3), item(1, 1)], 4_800 - 800),
    ] {
        let order = delivered();
        assert_eq!(order.return_value(&items), usd(worth), "{items:?}");
        let kept = order.label_due(&items);
        let (order, _) = order.request_return(back(1), items.clone(), By::Shopper, 100).expect("in time");
        let exchanged = |item: &ReturnItem| item.resolution != Resolution::Refund;
        let receipts: Vec<Receipt> = items.iter().map(|item| Receipt { exchanged: exchanged(item), ..receipt(item.line, item.quantity) }).collect();
        let delivery = order.delivery_due(&receipts);
        let (order, _) = order.receive_return(back(1), receipts, kept, delivery, RefundId(Uuid::from_u128(9)), 200).expect("announced");
        assert_eq!(order.refunds.iter().map(|refund| refund.amount.minor).sum::<i64>(), worth, "{items:?}");
    }
}

#[test]
fn delivery_goes_back_with_the_last_piece_whichever_way_that_goes() {
    let sent = || sent(paid(), 1, vec![portion(0, 3)], 10).deliver(shipment(1), 20).expect("it left").0;
    let returns = |order: Order| {
        let (order, _) = order.request_return(back(1), vec![item(0, 3)], By::Staff, 100).expect("in time");
        let delivery = order.delivery_due(&[receipt(0, 3)]);
        order.receive_return(back(1), vec![receipt(0, 3)], usd(0), delivery, RefundId(Uuid::from_u128(9)), 200).expect("announced").0
    };
    let cancels = |order: Order| order.cancel(cancelling(5, Some(vec![portion(1, 1)])), 150).expect("nobody packs it").0;
    for order in [cancels(returns(sent())), returns(cancels(sent()))] {
        assert_eq!(order.refunds.iter().map(|refund| refund.amount.minor).sum::<i64>(), 4_800, "{order:?}");
    }
}

#[test]
fn the_label_is_ours_to_pay_when_the_fault_is() {
    for (market, minor) in [("US", 0), ("GB", 0), ("DE", 0), ("FR", 0), ("CA", 995), ("JP", 800), ("KR", 3_000)] {
        let market = market.parse().expect("a market");
        for reason in ReturnReason::ALL {
            let expected = if matches!(reason, ReturnReason::Faulty | ReturnReason::NotAsDescribed | ReturnReason::WrongItem) { 0 } else { minor };
            let items = [ReturnItem { reason, ..item(0, 1) }];
            assert_eq!(return_label(market, &items, usd(0)).minor, expected, "{market} {reason:?}");
        }
    }
}

#[test]
fn the_law_never_gives_more_days_than_the_shop() {
    for (market, days) in [("US", 0), ("CA", 0), ("JP", 0), ("KR", 7), ("GB", 14), ("DE", 14), ("FR", 14)] {
        let market = market.parse().expect("a market");
        assert_eq!(legal_withdrawal_days(market), days, "{market}");
        assert!(days <= return_days(market), "{market}");
    }
}

#[test]
fn shoppers_call_off_what_they_announced_until_it_is_decided() {
    let announced = |by| delivered().request_return(back(1), vec![item(0, 1)], by, 100).expect("in time").0;
    let received =
        announced(By::Shopper).receive_return(back(1), vec![receipt(0, 1)], usd(0), usd(0), RefundId(Uuid::nil()), 200).expect("announced").0;
    let refused = announced(By::Shopper).refuse_return(back(1), "used".to_owned(), 200).expect("announced").0;
    let called_off = announced(By::Shopper).cancel_return(back(1), 200).expect("announced");
    for (order, can) in
        [(announced(By::Shopper), true), (announced(By::Staff), false), (received, false), (refused, false), (called_off.clone(), false)]
    {
        assert_eq!(order.returns[0].can_be_called_off(), can, "{:?}", order.returns[0]);
    }
    assert_eq!(called_off.tally(0).returnable(), 3, "the pieces can be announced again");
    assert_eq!(called_off.cancel_return(back(1), 300), Err(CannotReturn::NotOpen));
}

#[test]
fn an_exchange_never_undoes_what_was_delivered() {
    let exchanged = |order: Order| {
        let resolution = Resolution::Exchange { product: order.lines[0].product, variant: order.lines[0].variant };
        let (order, _) = order.request_return(back(1), vec![ReturnItem { resolution, ..item(0, 1) }], By::Shopper, 100).expect("in time");
        let receipts = vec![Receipt { exchanged: true, ..receipt(0, 1) }];
        order.receive_return(back(1), receipts, usd(0), usd(0), RefundId(Uuid::nil()), 200).expect("announced").0
    };
    let order = exchanged(delivered());
    assert_eq!((order.progress(), order.attention()), (Some(Progress::ExchangeToSend), vec![Attention::Ship]));
    let packed = order.clone().pack(shipment(2), "reno".to_owned(), vec![portion(2, 1)], 300).expect("open");
    assert_eq!(packed.progress(), Some(Progress::ExchangeToSend));
    let order = sent(order, 2, vec![portion(2, 1)], 300);
    assert_eq!(order.progress(), Some(Progress::ExchangeSent));
    let order = order.deliver(shipment(2), 400).expect("on its way").0;
    assert_eq!(order.progress(), Some(Progress::Delivered { at: 400 }));

    // Money instead of the replacement: the first delivery is all there is.
    let order = exchanged(delivered()).cancel(cancelling(9, Some(vec![portion(2, 1)])), 300).expect("open").0;
    assert_eq!(order.progress(), Some(Progress::Delivered { at: 20 }));

    // Of four pieces two have left, and one of them is exchanged: two of four, whatever becomes of the fifth.
    let order = exchanged(sent(paid(), 1, vec![portion(0, 2)], 10));
    assert_eq!(order.progress(), Some(Progress::PartlyShipped { shipped: 2, of: 4 }));
    let order = sent(order, 2, vec![portion(2, 1)], 300);
    assert_eq!(order.progress(), Some(Progress::PartlyShipped { shipped: 2, of: 4 }));
    let order = sent(order, 3, vec![portion(0, 1), portion(1, 1)], 310);
    assert_eq!(order.progress(), Some(Progress::Shipped));
}

#[test]
fn goodwill_leaves_alone_what_a_stuck_refund_owes() {
    let id = RefundId(Uuid::from_u128(1));
    let refused = |order: Order| order.hear_refund(id, RefundNews::Refused).expect("news").0;
    let partly = refused(paid().refund(id, usd(4_000), GoodwillReason::Late).expect("sorry").0);
    assert_eq!((partly.refundable(), partly.stuck_left(), partly.goodwill_left()), (usd(4_800), usd(4_000), usd(800)));
    let whole = refused(paid().cancel(cancelling(1, None), 6).expect("open").0);
    assert_eq!((whole.refundable(), whole.goodwill_left()), (usd(4_800), usd(0)));
    let settled = whole.settle_refund_outside(id).expect("stuck").0;
    assert_eq!((settled.refundable(), settled.stuck_left(), settled.goodwill_left()), (usd(0), usd(0), usd(0)));
    assert_eq!(paid().goodwill_left(), usd(4_800));
}

#[test]
fn a_bank_that_only_asks_has_taken_nothing_yet() {
    let asked = disputed(paid(), DisputeStage::Inquiry { evidence_due: Some(99) }, 5);
    assert_eq!((asked.is_disputed(), asked.is_only_asked(), asked.disputes[0].state.due()), (true, true, Some(99)));
    let answered = disputed(asked, DisputeStage::InquiryAnswered, 6);
    assert!(answered.is_only_asked());
    let claimed = disputed(answered, DisputeStage::Open { evidence_due: Some(199) }, 7);
    assert_eq!((claimed.is_disputed(), claimed.is_only_asked(), claimed.disputes[0].state.due()), (true, false, Some(199)));
    assert!(!paid().is_only_asked() && !disputed(claimed, DisputeStage::Won, 8).is_only_asked());
}
