//! Tables and properties of an order's ledgers.

use super::*;
use crate::{
    ids::{ProductId, VariantId},
    money::Currency,
    payment::Method,
};
use proptest::prelude::*;
use uuid::Uuid;

const TOTAL: Money = Money::new(4800, Currency::USD);

const PENDING: News = News::Pending { method: Method::Other };

fn payment_id(n: u128) -> PaymentId {
    PaymentId(Uuid::from_u128(n))
}
fn refund_id(n: u128) -> RefundId {
    RefundId(Uuid::from_u128(n))
}
fn line(line: u32, quantity: u32, minor: i64) -> Line {
    let id = Uuid::from_u128(u128::from(line) + 1);
    Line { line, product: ProductId(id), variant: VariantId(id), quantity, amount: Money::new(minor, Currency::USD), replaces: None }
}
fn placed() -> Order {
    Order {
        id: OrderId(Uuid::nil()),
        market: "US".parse().expect("a market"),
        total: TOTAL,
        lines: vec![line(0, 3, 2_000), line(1, 1, 2_305)],
        delivery: Money::new(495, Currency::USD),
        placed_at: 0,
        pieces: Pieces::Held { until: HOLD_US },
        payments: vec![Payment { id: payment_id(1), amount: TOTAL, created_at: 0, state: PaymentState::Created, odd: None }],
        refunds: Vec::new(),
        disputes: Vec::new(),
        cancellations: Vec::new(),
        fulfilments: Vec::new(),
        returns: Vec::new(),
    }
}
fn money() -> News {
    News::Captured { amount: TOTAL }
}
fn hear(order: Order, payment: u128, news: News, sold: bool) -> Order {
    order.hear(payment_id(payment), news, sold, refund_id(payment), 9).expect("new").0
}

#[test]
fn a_captured_payment_sells_what_is_held() {
    let order = placed();
    assert_eq!(order.needs(payment_id(1), &money()), Needs::Sell);
    let (order, events) = order.hear(payment_id(1), money(), true, refund_id(1), 9).expect("new");
    assert_eq!(order.status(), Status::Paid { at: 9 });
    assert_eq!(events, [Event::PaymentCaptured { order: order.id, payment: payment_id(1) }]);
    assert_eq!(order.can_pay_again(10), Err(CannotPay::Paid));
    assert_eq!(order.needs(payment_id(1), &money()), Needs::Nothing);
    assert_eq!(order.hear(payment_id(1), money(), true, refund_id(2), 10), Err(Unchanged::Known));
}

#[test]
fn another_amount_sells_nothing_and_asks_for_a_person_once() {
    let odd = Money::new(1, Currency::USD);
    let news = News::Captured { amount: odd };
    assert_eq!(placed().hear(payment_id(1), news, true, refund_id(1), 9), Err(Unchanged::AmountDiffers));
    let order = placed().note_odd(payment_id(1), odd).expect("news");
    assert_eq!((order.status(), order.attention()), (placed().status(), vec![Attention::Amount]));
    for (payment, amount) in [(1, odd), (1, TOTAL), (2, odd)] {
        assert_eq!(order.clone().note_odd(payment_id(payment), amount), Err(Unchanged::Known), "{payment} {amount:?}");
    }
    assert_eq!(order.clone().cancel_unpaid(), Err(CannotEnd::PaymentLive), "money may come until somebody has looked");
    let order = order.settle_odd(payment_id(1), 10).expect("somebody has looked");
    assert!(order.attention().is_empty());
    assert_eq!(order.clone().settle_odd(payment_id(1), 10), Err(CannotRefund::NotOdd));
    assert_eq!(order.can_pay_again(11), Ok(NextAttempt::New));
    assert_eq!(order.clone().lapse(HOLD_US).map(|order| order.pieces), Ok(Pieces::Lapsed));
    assert!(order.clone().cancel_unpaid().is_ok());
    assert_eq!(order.clone().note_odd(payment_id(1), odd), Err(Unchanged::Known), "it was looked into");
    assert_eq!(order.note_odd(payment_id(1), Money::new(2, Currency::USD)).expect("news").attention(), [Attention::Amount]);
}

#[test]
fn after_a_decline_paying_again_works() {
    let order = hear(placed(), 1, News::Failed { reason: Decline::InsufficientFunds }, false);
    assert_eq!(order.status(), Status::PaymentFailed { reason: Decline::InsufficientFunds });
    assert_eq!(order.can_pay_again(10), Ok(NextAttempt::New));
    let order = order.attempt(payment_id(2), 10 + HOLD_US, 10).expect("payable");
    assert_eq!(order.status(), Status::AwaitingPayment { until: 10 + HOLD_US });
    assert_eq!(order.can_pay_again(11), Ok(NextAttempt::Resume(payment_id(2))));
    assert!(matches!(hear(order, 2, money(), true).status(), Status::Paid { .. }));
}

#[test]
fn a_second_capture_goes_back() {
    let order = hear(placed(), 1, News::Failed { reason: Decline::Declined }, false);
    let order = order.attempt(payment_id(2), HOLD_US, 10).expect("payable");
    let order = hear(order, 2, money(), true);
    assert_eq!(order.needs(payment_id(1), &money()), Needs::Nothing);
    let (order, events) = order.hear(payment_id(1), money(), false, refund_id(7), 11).expect("new");
    assert!(matches!(order.status(), Status::Paid { .. }));
    assert_eq!(order.refunds[0].reason, RefundReason::PaidTwice);
    assert!(events.is_empty());
}

#[test]
fn late_money_takes_the_pieces_again_or_goes_back() {
    for (there, status, refunds) in [(true, "paid", 0), (false, "refunding", 1)] {
        let order = hear(placed(), 1, News::Closed, false).lapse(HOLD_US).expect("over");
        assert_eq!(order.status(), Status::Lapsed);
        assert_eq!(order.needs(payment_id(1), &money()), Needs::Retake);
        let order = hear(order, 1, money(), there);
        assert_eq!((order.status().word(), order.refunds.len()), (status, refunds));
        if !there {
            assert_eq!(order.can_pay_again(10), Err(CannotPay::Refunded));
            let (order, events) = order.hear_refund(refund_id(1), RefundNews::Issued).expect("new");
            assert_eq!((order.status(), events.len()), (Status::Refunded, 1));
        }
    }
}

#[test]
fn pieces_are_not_given_away_while_money_may_come() {
    for (news, at, expected) in [
        (None, HOLD_US, Err(CannotEnd::PaymentLive)),
        (Some(PENDING), HOLD_US, Err(CannotEnd::PaymentLive)),
        (Some(News::Closed), HOLD_US - 1, Err(CannotEnd::TooEarly)),
        (Some(News::Closed), HOLD_US, Ok(Pieces::Lapsed)),
    ] {
        let order = news.map_or_else(placed, |news| hear(placed(), 1, news, false));
        assert_eq!(order.lapse(at).map(|order| order.pieces), expected);
    }
    assert_eq!(hear(placed(), 1, money(), true).lapse(HOLD_US), Err(CannotEnd::NotHeld));
    assert_eq!(placed().withdraw(), Err(CannotEnd::PaymentLive));
    let (withdrawn, _) = hear(placed(), 1, News::Closed, false).withdraw().expect("nothing open");
    assert_eq!(withdrawn.can_pay_again(10), Err(CannotPay::Withdrawn));
    assert_eq!(hear(withdrawn, 1, money(), false).refunds[0].reason, RefundReason::Withdrawn);
}

#[test]
fn pieces_of_an_order_that_is_not_paid_are_not_cancelled_one_by_one() {
    let ended = |pieces| Order { pieces, ..hear(placed(), 1, News::Closed, false) };
    for order in [placed(), ended(Pieces::Lapsed), ended(Pieces::Withdrawn), ended(Pieces::Cancelled)] {
        for portions in [None, Some(vec![after_payment::portion(0, 1)])] {
            assert_eq!(order.clone().cancel(after_payment::cancelling(1, portions), 9), Err(CannotCancel::NotPaid), "{:?}", order.pieces);
        }
    }
}

#[test]
fn an_order_can_be_paid_for_a_week_and_not_forever() {
    let order = hear(placed(), 1, News::Closed, false);
    assert_eq!(order.can_pay_again(PAYABLE_US - 1), Ok(NextAttempt::New));
    assert_eq!(order.can_pay_again(PAYABLE_US), Err(CannotPay::TooOld));
    let mut order = order;
    for n in 2..=ATTEMPTS_MAX as u128 {
        order = hear(order.attempt(payment_id(n), HOLD_US, 10).expect("allowed"), n, News::Closed, false);
    }
    assert_eq!(order.can_pay_again(10), Err(CannotPay::TooManyAttempts));
}

#[test]
fn a_number_reads_back_as_people_type_it() {
    let number = OrderNumber::from_random([0xde, 0xad, 0xbe, 0xef, 0x42]);
    assert_eq!(number.to_string().len(), 12);
    for typed in [number.to_string(), number.to_string().to_lowercase(), number.to_string().replace('-', " ")] {
        assert_eq!(typed.parse(), Ok(number), "{typed}");
    }
    for typed in ["", "NG", "NG-0000-0000", "XX-2222-2222", "NG-2222-22222", "NG-2222-222é"] {
        assert_eq!(typed.parse::<OrderNumber>(), Err(NotAnOrderNumber), "{typed}");
    }
}

#[derive(Clone, Debug)]
enum Step {
    News(u128, News),
    PayAgain,
    Lapse,
    Withdraw,
}

fn step() -> impl Strategy<Value = Step> {
    let news = prop_oneof![
        Just(News::Open { session: "s".to_owned(), redirect_url: "u".to_owned() }),
        Just(PENDING),
        Just(money()),
        Just(News::Failed { reason: Decline::Declined }),
        Just(News::Closed),
    ];
    prop_oneof![
        (1_u128..5, news).prop_map(|(payment, news)| Step::News(payment, news)),
        Just(Step::PayAgain),
        Just(Step::Lapse),
        Just(Step::Withdraw)
    ]
}

proptest! {
    #[test]
    fn all_numbers_round_trip(bytes in any::<[u8; 5]>()) {
        let number = OrderNumber::from_random(bytes);
        prop_assert_eq!(number.to_string().parse(), Ok(number));
    }

    /// Whatever happens in whatever order: the shop keeps the money of at most one payment, and only when the pieces were sold.
    #[test]
    fn money_is_kept_once_and_only_for_pieces(steps in proptest::collection::vec(step(), 0..40), there in any::<bool>()) {
        let mut order = placed();
        let mut sold = 0;
        for step in steps {
            let before = order.clone();
            order = match step {
                Step::News(payment, news) => {
                    let needs = before.needs(payment_id(payment), &news);
                    let kept = needs == Needs::Sell || (needs == Needs::Retake && there);
                    let refund = refund_id(order.refunds.len() as u128);
                    let heard = order.hear(payment_id(payment), news, kept, refund, 9).map(|(order, _)| order);
                    if heard.is_ok() && kept {
                        sold += 1;
                    }
                    heard.unwrap_or(before)
                }
                Step::PayAgain => {
                    let next = payment_id(order.payments.len() as u128 + 1);
                    order.attempt(next, HOLD_US, 10).unwrap_or(before)
                }
                Step::Lapse => order.lapse(HOLD_US).unwrap_or(before),
                Step::Withdraw => order.withdraw().map_or(before, |(order, _)| order),
            };
            let captured = order.payments.iter().filter(|payment| matches!(payment.state, PaymentState::Captured { .. })).count();
            prop_assert!(sold <= 1);
            prop_assert_eq!(captured, sold + order.refunds.len());
            prop_assert_eq!(sold == 1, order.pieces == Pieces::Sold);
            prop_assert_eq!(sold == 1, matches!(order.status(), Status::Paid { .. }));
        }
    }
}

proptest! {
    #[test]
    fn shares_add_up_and_stay_close(total in -1_000_000_i64..1_000_000, weights in proptest::collection::vec(0_i128..1_000_000_000, 1..30)) {
        let cut = shares(Money::new(total, Currency::USD), &weights);
        prop_assert_eq!(cut.iter().map(|share| share.minor).sum::<i64>(), total);
        let sum: i128 = weights.iter().sum();
        if sum > 0 {
            for (share, weight) in cut.iter().zip(&weights) {
                let exact = i128::from(total) * weight;
                prop_assert!((i128::from(share.minor) * sum - exact).abs() < sum);
            }
        }
    }
}
