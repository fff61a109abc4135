//! Tests of what follows a payment: tables for each refusal, and one property over everything that may happen in any order.

use super::*;
use crate::{
    dispute::{DisputeNews, DisputeStage},
    ids::{CancellationId, FulfilmentId, ProductId, ReturnId, VariantId},
    money::Currency,
    refund::{GoodwillReason, REFUND_ATTEMPTS_MAX},
};
use proptest::prelude::*;
use uuid::Uuid;

const DAY_US: Instant = 24 * 3_600 * 1_000_000;
pub(super) const CAPTURED: PaymentId = PaymentId(Uuid::from_u128(1));

pub(super) fn usd(minor: i64) -> Money {
    Money::new(minor, Currency::USD)
}
pub(super) fn line(line: u32, quantity: u32, minor: i64) -> Line {
    let id = Uuid::from_u128(u128::from(line) + 1);
    Line { line, product: ProductId(id), variant: VariantId(id), quantity, amount: usd(minor), replaces: None }
}
/// Three pieces for $20.00, one for $23.05, delivery $4.95: paid.
pub(super) fn paid() -> Order {
    Order {
        id: OrderId(Uuid::nil()),
        market: "US".parse().expect("a market"),
        total: usd(4_800),
        placed_at: 0,
        lines: vec![line(0, 3, 2_000), line(1, 1, 2_305)],
        delivery: usd(495),
        pieces: Pieces::Sold,
        payments: vec![Payment { id: CAPTURED, amount: usd(4_800), created_at: 0, state: PaymentState::Captured { at: 1 }, odd: None }],
        refunds: Vec::new(),
        disputes: Vec::new(),
        cancellations: Vec::new(),
        fulfilments: Vec::new(),
        returns: Vec::new(),
    }
}
pub(super) fn portion(line: u32, quantity: u32) -> Portion {
    Portion { line, quantity }
}
pub(super) fn cancelling(n: u128, portions: Option<Vec<Portion>>) -> Cancelling {
    let id = Uuid::from_u128(n);
    Cancelling { id: CancellationId(id), refund: RefundId(id), portions, by: By::Staff, reason: CancelReason::ChangedMind }
}
pub(super) fn shipment(n: u128) -> FulfilmentId {
    FulfilmentId(Uuid::from_u128(n))
}
pub(super) fn parcels() -> Vec<Parcel> {
    vec![Parcel { carrier: "ups".to_owned(), tracking: "1Z".to_owned() }]
}
pub(super) fn sent(order: Order, n: u128, portions: Vec<Portion>, at: Instant) -> Order {
    let packed = order.pack(shipment(n), "reno".to_owned(), portions, at).expect("open pieces");
    packed.ship(shipment(n), parcels(), at).expect("packed").0
}
pub(super) fn back(n: u128) -> ReturnId {
    ReturnId(Uuid::from_u128(n))
}
pub(super) fn item(line: u32, quantity: u32) -> ReturnItem {
    ReturnItem { line, quantity, reason: ReturnReason::TooSmall, resolution: Resolution::Refund }
}
pub(super) fn receipt(line: u32, quantity: u32) -> Receipt {
    Receipt { line, quantity, restock: Restock::Shelf, exchanged: false }
}
pub(super) fn disputed(order: Order, stage: DisputeStage, now: Instant) -> Order {
    let news = DisputeNews { reference: "dp_1".to_owned(), amount: usd(4_800), reason: "fraudulent".to_owned(), stage };
    order.hear_dispute(CAPTURED, news, now).expect("news").0
}

#[test]
fn pieces_cancelled_one_by_one_give_back_exactly_what_they_cost() {
    let mut order = paid();
    for n in 0..3 {
        order = order.cancel(cancelling(n, Some(vec![portion(0, 1)])), 5).expect("open").0;
    }
    // 2000 / 3: 666, 667, 667
    let amounts: Vec<i64> = order.refunds.iter().map(|refund| refund.amount.minor).collect();
    assert_eq!(amounts, [666, 667, 667]);
    assert!(matches!(order.status(), Status::Paid { .. }));
    let (order, events) = order.cancel(cancelling(9, None), 6).expect("the rest");
    assert_eq!(events, [Event::OrderCancelled { order: order.id }]);
    assert_eq!(order.refunds.iter().map(|refund| refund.amount.minor).sum::<i64>(), 4_800, "with the last piece delivery goes back too");
    assert_eq!((order.status(), order.refundable(), order.progress()), (Status::Cancelled, usd(0), None));
    assert_eq!(order.cancel(cancelling(10, None), 7), Err(CannotCancel::NothingOpen));
}

#[test]
fn what_is_packed_is_not_cancelled() {
    let order = paid().pack(shipment(1), "reno".to_owned(), vec![portion(0, 2)], 5).expect("open");
    assert_eq!(order.progress(), Some(Progress::Packing));
    let refused = order.clone().cancel(cancelling(1, Some(vec![portion(0, 2)])), 6);
    assert_eq!(refused, Err(NoSuchPieces::TooMany { line: 0, left: 1 }.into()));
    assert!(order.clone().cancel(cancelling(1, Some(vec![portion(0, 1)])), 6).is_ok());
    let unpacked = order.unpack(shipment(1)).expect("not shipped");
    assert_eq!(unpacked.open_portions(), [portion(0, 3), portion(1, 1)]);
}

#[test]
fn several_shipments_and_a_carrier_that_never_tells() {
    let order = sent(paid(), 1, vec![portion(0, 2)], 10);
    assert_eq!(order.progress(), Some(Progress::PartlyShipped { shipped: 2, of: 4 }));
    let order = sent(order, 2, vec![portion(0, 1), portion(1, 1)], 20);
    assert_eq!(order.progress(), Some(Progress::Shipped));
    let order = order.deliver(shipment(1), 30).expect("on its way").0;
    assert_eq!(order.clone().deliver(shipment(1), 31), Err(CannotFulfil::Delivered));
    assert_eq!(order.returnable_until(), None, "one parcel is on its way");
    let (early, told) = order.clone().assume_delivered(20 + DELIVERED_AFTER_US - 1);
    assert!(told.is_empty() && early == order);
    let (order, told) = order.assume_delivered(20 + DELIVERED_AFTER_US);
    assert_eq!(told, [Event::OrderDelivered { order: order.id, fulfilment: shipment(2) }]);
    assert_eq!(order.progress(), Some(Progress::Delivered { at: 20 + DELIVERED_AFTER_US }));
    assert!(order.attention().is_empty());
    let (order, told) = order.deliver(shipment(2), 20 + DELIVERED_AFTER_US + 5).expect("the carrier's word counts");
    assert!(told.is_empty() && order.progress() == Some(Progress::Delivered { at: 20 + DELIVERED_AFTER_US + 5 }));
}

#[test]
fn shipments_refuse_what_is_not_there() {
    let order = sent(paid(), 1, vec![portion(1, 1)], 10);
    for (portions, refused) in [
        (vec![], NoSuchPieces::None),
        (vec![portion(0, 0)], NoSuchPieces::None),
        (vec![portion(7, 1)], NoSuchPieces::Line { line: 7 }),
        (vec![portion(0, 1), portion(0, 1)], NoSuchPieces::Twice { line: 0 }),
        (vec![portion(0, 4)], NoSuchPieces::TooMany { line: 0, left: 3 }),
        (vec![portion(1, 1)], NoSuchPieces::TooMany { line: 1, left: 0 }),
    ] {
        assert_eq!(order.clone().pack(shipment(2), "reno".to_owned(), portions, 11), Err(refused.into()));
    }
    assert_eq!(order.clone().ship(shipment(1), parcels(), 12), Err(CannotFulfil::Shipped));
    assert_eq!(order.clone().unpack(shipment(1)), Err(CannotFulfil::Shipped));
    assert_eq!(order.clone().deliver(shipment(9), 12), Err(CannotFulfil::Unknown));
    let packing = order.pack(shipment(2), "reno".to_owned(), vec![portion(0, 3)], 13).expect("open");
    assert_eq!(packing.clone().ship(shipment(2), vec![], 14), Err(CannotFulfil::Parcels));
    assert_eq!(packing.deliver(shipment(2), 14), Err(CannotFulfil::NotShipped));
    let mut unpaid = paid();
    unpaid.pieces = Pieces::Lapsed;
    assert_eq!(unpaid.pack(shipment(3), "reno".to_owned(), vec![portion(0, 1)], 15), Err(CannotFulfil::NotPaid));
}

pub(super) fn delivered() -> Order {
    sent(paid(), 1, vec![portion(0, 3), portion(1, 1)], 10).deliver(shipment(1), 20).expect("on its way").0
}

#[test]
fn a_return_is_worth_its_pieces_and_the_last_one_brings_delivery_back() {
    let order = delivered().request_return(back(1), vec![item(0, 2)], By::Shopper, 30).expect("in time").0;
    assert_eq!(order.attention(), [Attention::Return]);
    assert_eq!(order.delivery_due(&[receipt(0, 2)]), usd(0), "two pieces stay");
    let order = order.receive_return(back(1), vec![receipt(0, 1)], usd(0), usd(0), RefundId(Uuid::from_u128(1)), 40).expect("announced").0;
    assert_eq!(order.refunds[0].amount, usd(666));
    let order = order.request_return(back(2), vec![item(0, 2), item(1, 1)], By::Shopper, 50).expect("the rest").0;
    let all = vec![receipt(0, 2), receipt(1, 1)];
    assert_eq!(order.delivery_due(&all), usd(495));
    let too_much = order.clone().receive_return(back(2), all.clone(), usd(3_640), usd(495), RefundId(Uuid::from_u128(2)), 60);
    assert_eq!(too_much, Err(CannotReturn::KeptBack));
    let order = order.receive_return(back(2), all.clone(), usd(600), usd(495), RefundId(Uuid::from_u128(2)), 60).expect("announced").0;
    assert_eq!(order.refunds[1].amount, usd(1_334 + 2_305 + 495 - 600));
    assert_eq!(order.progress(), Some(Progress::Returned));
    assert_eq!(order.clone().receive_return(back(2), all, usd(0), usd(0), RefundId(Uuid::from_u128(3)), 61), Err(CannotReturn::NotOpen));
    assert_eq!(order.refundable(), usd(600), "what was kept back");
}

#[test]
fn returns_have_an_end_for_shoppers_and_none_for_staff() {
    let end = 20 + 30 * DAY_US;
    let order = delivered();
    assert_eq!(order.returnable_until(), Some(end));
    assert!(order.can_return(By::Shopper, end - 1).is_ok());
    let late = order.clone().request_return(back(1), vec![item(0, 1)], By::Shopper, end);
    assert_eq!(late, Err(CannotReturn::TooLate { since: end }));
    assert!(order.clone().request_return(back(1), vec![item(0, 1)], By::Staff, end).is_ok());
    let order = order.request_return(back(1), vec![item(0, 3)], By::Shopper, 30).expect("in time").0;
    assert_eq!(order.clone().request_return(back(2), vec![item(0, 1)], By::Shopper, 31), Err(NoSuchPieces::TooMany { line: 0, left: 0 }.into()));
    let more = order.clone().receive_return(back(1), vec![receipt(0, 2), receipt(0, 2)], usd(0), usd(0), RefundId(Uuid::nil()), 40);
    assert_eq!(more, Err(NoSuchPieces::TooMany { line: 0, left: 3 }.into()));
    let (refused, told) = order.clone().refuse_return(back(1), "worn".to_owned(), 41).expect("open");
    assert_eq!((told.len(), refused.tally(0).returnable()), (1, 3));
    assert_eq!(order.cancel_return(back(1), 41).expect("open").tally(0).returnable(), 3);
    assert_eq!(paid().can_return(By::Shopper, 5), Err(CannotReturn::NothingSent));
    let mut japan = delivered();
    japan.market = "JP".parse().expect("a market");
    assert_eq!(japan.returnable_until(), Some(20 + 14 * DAY_US));
}

#[test]
fn an_exchange_moves_the_value_to_the_new_piece() {
    let other = VariantId(Uuid::from_u128(77));
    let resolution = Resolution::Exchange { product: ProductId(Uuid::from_u128(1)), variant: other };
    let wish = vec![ReturnItem { line: 0, quantity: 2, reason: ReturnReason::TooSmall, resolution }];
    let order = delivered().request_return(back(1), wish, By::Shopper, 30).expect("in time").0;
    let receipts = vec![Receipt { exchanged: true, ..receipt(0, 2) }];
    let order = order.receive_return(back(1), receipts, usd(0), usd(0), RefundId(Uuid::nil()), 40).expect("announced").0;
    assert!(order.refunds.is_empty());
    let new = order.lines.last().expect("a replacement");
    assert_eq!((new.line, new.variant, new.quantity, new.amount, new.replaces), (2, other, 2, usd(1_333), Some(back(1))));
    assert_eq!(order.attention(), [Attention::Ship]);
    let order = order.cancel(cancelling(1, Some(vec![portion(2, 2)])), 50).expect("open").0;
    assert_eq!(order.refunds[0].amount, usd(1_333), "no replacement after all: the money goes back");
}

#[test]
fn refunds_stop_at_what_was_captured() {
    let refund = RefundId(Uuid::from_u128(1));
    let order = paid().refund(refund, usd(800), GoodwillReason::Late).expect("sorry").0;
    assert_eq!(order.clone().refund(refund, usd(4_001), GoodwillReason::Late), Err(CannotRefund::MoreThanCaptured { left: usd(4_000) }));
    assert_eq!(order.clone().refund(refund, usd(0), GoodwillReason::Late), Err(CannotRefund::NotPositive));
    assert!(matches!(order.clone().refund(refund, Money::new(1, Currency::EUR), GoodwillReason::Late), Err(CannotRefund::Reckoning(_))));
    let order = order.cancel(cancelling(2, None), 9).expect("open").0;
    assert_eq!(order.refunds[1].amount, usd(4_000), "goodwill is not paid twice");
    assert_eq!((order.refunds[0].goodwill, order.refunds[1].goodwill), (Some(GoodwillReason::Late), None));
    let mut unpaid = paid();
    unpaid.payments[0].state = PaymentState::Closed { at: 1 };
    assert_eq!(unpaid.refund(refund, usd(1), GoodwillReason::Late), Err(CannotRefund::NothingCaptured));
}

#[test]
fn a_refund_that_fails_can_be_asked_for_again_or_settled_outside() {
    let id = RefundId(Uuid::from_u128(1));
    let order = paid().refund(id, usd(4_800), GoodwillReason::Late).expect("sorry").0;
    let (order, told) = order.hear_refund(id, RefundNews::Refused).expect("news");
    assert_eq!((told.len(), order.attention()[0], order.refundable()), (1, Attention::Refund, usd(4_800)));
    let again = order.clone().retry_refund(id).expect("failed").0;
    assert_eq!((again.refundable(), again.clone().retry_refund(id)), (usd(0), Err(CannotRefund::NotFailed)));
    let spent = order.clone().refund(RefundId(Uuid::from_u128(2)), usd(100), GoodwillReason::Late).expect("something is left").0;
    let left = usd(4_700);
    assert_eq!(spent.clone().retry_refund(id), Err(CannotRefund::MoreThanCaptured { left }));
    assert_eq!(spent.settle_refund_outside(id), Err(CannotRefund::MoreThanCaptured { left }), "it would go back twice");
    let (bounced, _) = again.hear_refund(id, RefundNews::Bounced).expect("news");
    assert_eq!(bounced.clone().retry_refund(id), Err(CannotRefund::NotFailed));
    let (settled, told) = bounced.settle_refund_outside(id).expect("stuck");
    assert_eq!((told.len(), settled.attention(), settled.refundable()), (1, vec![Attention::Ship], usd(0)));
    assert_eq!(REFUND_ATTEMPTS_MAX, 16);
}

#[test]
fn a_refund_that_another_made_good_asks_for_nobody() {
    let id = RefundId(Uuid::from_u128(1));
    let (failed, _) = paid().refund(id, usd(4_800), GoodwillReason::Late).expect("sorry").0.hear_refund(id, RefundNews::Refused).expect("news");
    assert!(failed.attention().contains(&Attention::Refund));
    let partly = failed.clone().refund(RefundId(Uuid::from_u128(2)), usd(4_700), GoodwillReason::Late).expect("it is there").0;
    assert!(partly.attention().contains(&Attention::Refund), "some is still owed");
    let replaced = failed.refund(RefundId(Uuid::from_u128(2)), usd(4_800), GoodwillReason::Late).expect("it is there").0;
    assert!(!replaced.attention().contains(&Attention::Refund));
    let (bounced, _) = replaced.hear_refund(RefundId(Uuid::from_u128(2)), RefundNews::Bounced).expect("news");
    assert!(bounced.attention().contains(&Attention::Refund), "neither came through");
}

#[test]
fn a_refund_waits_while_a_bank_claims_its_payment_and_goes_with_what_the_bank_took() {
    let id = RefundId(Uuid::from_u128(1));
    let wanted = paid().refund(id, usd(800), GoodwillReason::Late).expect("sorry").0;
    assert!(!wanted.waits_for_bank(id));
    let open = disputed(wanted, DisputeStage::Open { evidence_due: None }, 5);
    assert!(open.waits_for_bank(id));
    let won = disputed(open.clone(), DisputeStage::Won, 7);
    assert_eq!((won.waits_for_bank(id), won.refunds[0].state), (false, RefundState::Requested { attempts: 0 }));
    let lost = disputed(open.clone(), DisputeStage::Lost, 7);
    assert_eq!((lost.waits_for_bank(id), lost.refunds[0].state), (false, RefundState::SettledOutside));
    let under_way = open.hear_refund(id, RefundNews::Pending).expect("news").0;
    assert!(!under_way.waits_for_bank(id), "it is asked about");
}

#[test]
fn a_dispute_stops_refunds_and_parcels_until_it_is_decided() {
    let open = disputed(paid(), DisputeStage::Open { evidence_due: Some(99) }, 5);
    assert_eq!(open.attention(), [Attention::Dispute { evidence_due: Some(99) }]);
    assert_eq!(open.clone().refund(RefundId(Uuid::nil()), usd(1), GoodwillReason::Late), Err(CannotRefund::Disputed));
    assert_eq!(open.clone().cancel(cancelling(1, None), 6), Err(CannotRefund::Disputed.into()));
    assert_eq!(open.can_fulfil(), Err(CannotFulfil::Disputed));
    let reviewed = disputed(open, DisputeStage::UnderReview, 6);
    assert!(reviewed.is_disputed() && reviewed.attention().is_empty());
    let won = disputed(reviewed.clone(), DisputeStage::Won, 7);
    assert_eq!((won.refundable(), won.can_fulfil()), (usd(4_800), Ok(())));
    let lost = disputed(reviewed, DisputeStage::Lost, 7);
    assert_eq!(lost.refundable(), usd(0), "the bank has taken it");
    let late = DisputeNews { reference: "dp_1".to_owned(), amount: usd(1), reason: String::new(), stage: DisputeStage::Open { evidence_due: None } };
    assert_eq!(lost.hear_dispute(CAPTURED, late, 8), Err(Unchanged::Known));
}

#[derive(Clone, Debug)]
enum Step {
    Pack(u32, u32),
    ShipOldest,
    UnpackOldest,
    DeliverOldest,
    Cancel(u32, u32),
    Announce(u32, u32, bool),
    ReceiveOldest(i64),
    Goodwill(i64),
    Refund(usize, RefundNews),
    Dispute(DisputeStage),
}

fn step() -> impl Strategy<Value = Step> {
    let news = prop_oneof![Just(RefundNews::Issued), Just(RefundNews::Pending), Just(RefundNews::Refused), Just(RefundNews::Bounced)];
    let stage = prop_oneof![Just(DisputeStage::Open { evidence_due: None }), Just(DisputeStage::Won), Just(DisputeStage::Lost)];
    prop_oneof![
        4 => (0..4_u32, 1..4_u32).prop_map(|(line, quantity)| Step::Pack(line, quantity)),
        4 => Just(Step::ShipOldest),
        1 => Just(Step::UnpackOldest),
        3 => Just(Step::DeliverOldest),
        2 => (0..4_u32, 1..3_u32).prop_map(|(line, quantity)| Step::Cancel(line, quantity)),
        3 => (0..4_u32, 1..3_u32, any::<bool>()).prop_map(|(line, quantity, exchange)| Step::Announce(line, quantity, exchange)),
        3 => (0..300_i64).prop_map(Step::ReceiveOldest),
        1 => (1..6_000_i64).prop_map(Step::Goodwill),
        2 => (0..4_usize, news).prop_map(|(index, news)| Step::Refund(index, news)),
        1 => stage.prop_map(Step::Dispute),
    ]
}

fn apply(order: Order, step: Step, n: u128) -> Option<Order> {
    let oldest = |order: &Order, word: &str| order.fulfilments.iter().find(|known| known.state.word() == word).map(|known| known.id);
    let now = i64::try_from(n).ok()? * DAY_US;
    let after = match step {
        Step::Pack(line, quantity) => order.pack(shipment(n), "reno".to_owned(), vec![portion(line, quantity)], now).ok()?,
        Step::ShipOldest => {
            let id = oldest(&order, "packing")?;
            order.ship(id, parcels(), now).ok()?.0
        }
        Step::UnpackOldest => {
            let id = oldest(&order, "packing")?;
            order.unpack(id).ok()?
        }
        Step::DeliverOldest => {
            let id = oldest(&order, "shipped")?;
            order.deliver(id, now).ok()?.0
        }
        Step::Cancel(line, quantity) => order.cancel(cancelling(n, Some(vec![portion(line, quantity)])), now).ok()?.0,
        Step::Announce(line, quantity, exchange) => {
            let known = order.lines.iter().find(|known| known.line == line)?;
            let resolution = if exchange { Resolution::Exchange { product: known.product, variant: known.variant } } else { Resolution::Refund };
            let wish = vec![ReturnItem { resolution, ..item(line, quantity) }];
            order.request_return(back(n), wish, By::Staff, now).ok()?.0
        }
        Step::ReceiveOldest(kept_back) => {
            let open = order.returns.iter().find(|known| known.state == ReturnState::Requested)?.clone();
            let exchanged = |item: &ReturnItem| item.resolution != Resolution::Refund;
            let receipts: Vec<Receipt> =
                open.items.iter().map(|item| Receipt { exchanged: exchanged(item), ..receipt(item.line, item.quantity) }).collect();
            let delivery = order.delivery_due(&receipts);
            order.receive_return(open.id, receipts, usd(kept_back), delivery, RefundId(Uuid::from_u128(n)), now).ok()?.0
        }
        Step::Goodwill(minor) => order.refund(RefundId(Uuid::from_u128(n)), usd(minor), GoodwillReason::Late).ok()?.0,
        Step::Refund(index, news) => {
            let Refund { id, state, .. } = *order.refunds.get(index)?;
            // What a provider has refused it does not send afterwards, unless it is asked again.
            if state == RefundState::Failed {
                return None;
            }
            order.hear_refund(id, news).ok()?.0
        }
        Step::Dispute(stage) => {
            let news = DisputeNews { reference: "dp_1".to_owned(), amount: usd(4_800), reason: String::new(), stage };
            order.hear_dispute(CAPTURED, news, now).ok()?.0
        }
    };
    Some(after)
}

proptest! {
    /// Whatever happens in whatever order: no piece is in two places, no more money goes back than came, and replacements cost nothing twice.
    #[test]
    fn pieces_and_money_are_conserved(steps in proptest::collection::vec(step(), 0..60)) {
        let mut order = paid();
        for (n, step) in (1_u128..).zip(steps) {
            let was_disputed = order.is_disputed();
            let refunds = order.refunds.len();
            let Some(after) = apply(order.clone(), step, n) else { continue };
            prop_assert!(!was_disputed || after.refunds.len() == refunds, "no refund begins during a dispute");
            order = after;
            for line in &order.lines {
                let tally = order.tally(line.line);
                prop_assert!(tally.cancelled + tally.packing + tally.shipped <= tally.ordered, "{tally:?}");
                prop_assert!(tally.delivered <= tally.shipped && tally.returning + tally.returned <= tally.shipped, "{tally:?}");
            }
            let gone: i64 = order.refunds.iter().filter(|refund| refund.state.counts()).map(|refund| refund.amount.minor).sum();
            prop_assert!(gone <= 4_800, "{gone} of 4800 went back");
            prop_assert!(order.refundable().minor >= 0 && order.delivery_left().minor >= 0);
            // What can still be given back for the pieces, with what went back for pieces, is never more than they cost.
            let all: Vec<Portion> = order.lines.iter().map(|line| {
                let tally = order.tally(line.line);
                portion(line.line, tally.ordered - tally.cancelled - tally.returned)
            }).collect();
            prop_assert!(order.value(&all).minor <= 4_305);
        }
    }
}
