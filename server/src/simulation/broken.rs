//! Rules with one mistake each, and the proof that each is caught: a simulation that never fails proves nothing.

use super::{Rules, many};
use domain::{
    FulfilmentId, PaymentId, RefundId,
    dispute::{Dispute, DisputeState},
    money::Money,
    offer::Instant,
    order::{Cancellation, Cancelling, CannotCancel, CannotEnd, CannotFulfil, CannotRefund, Needs, NextAttempt, Order, Parcel, Pieces, Portion},
    payment::{News, Payment, PaymentState, Unchanged},
    refund::{GoodwillReason, Refund, RefundNews, RefundReason, RefundState},
    sourcing::{Line, Part, Short, Split},
    stock::{Balance, Movement},
};

type Changed = (Order, Vec<domain::event::Event>);

/// Its pages stay open.
fn lapses_without_closing(mut order: Order, now: Instant) -> Result<Order, CannotEnd> {
    match order.pieces {
        Pieces::Held { until } if until <= now => {
            order.pieces = Pieces::Lapsed;
            Ok(order)
        }
        _ => Err(CannotEnd::NotHeld),
    }
}

/// Money under way is not waited for.
fn lapses_while_pending(order: Order, now: Instant) -> Result<Order, CannotEnd> {
    if order.payments.iter().any(|payment| matches!(payment.state, PaymentState::Created | PaymentState::Open { .. })) {
        return Err(CannotEnd::PaymentLive);
    }
    lapses_without_closing(order, now)
}

/// What is not known to be paid is taken for closed, and the provider is not asked.
fn sweeps_before_asking(mut order: Order, now: Instant) -> Result<Order, CannotEnd> {
    for payment in order.payments.clone().iter().filter(|payment| payment.state.is_live()) {
        if let Ok((after, _)) = order.clone().hear(payment.id, News::Closed, false, RefundId(payment.id.0), now) {
            order = after;
        }
    }
    order.lapse(now)
}

/// A second capture is kept.
fn keeps_second_capture(order: Order, payment: PaymentId, news: News, sold: bool, refund: RefundId, now: Instant) -> Result<Changed, Unchanged> {
    let (mut after, events) = order.hear(payment, news, sold, refund, now)?;
    after.refunds.retain(|refund| refund.reason != RefundReason::PaidTwice);
    Ok((after, events))
}

/// The provider's amount is not looked at.
fn ignores_amounts(order: Order, payment: PaymentId, news: News, sold: bool, refund: RefundId, now: Instant) -> Result<Changed, Unchanged> {
    let news = believed(&order, news);
    order.hear(payment, news, sold, refund, now)
}

fn believed(order: &Order, news: News) -> News {
    if matches!(news, News::Captured { .. }) { News::Captured { amount: order.total } } else { news }
}

/// Money counts each time it is told of.
fn hears_twice(mut order: Order, payment: PaymentId, news: News, sold: bool, refund: RefundId, now: Instant) -> Result<Changed, Unchanged> {
    if matches!(news, News::Captured { .. }) {
        for known in order.payments.iter_mut().filter(|known| known.id == payment) {
            known.state = PaymentState::Pending;
        }
    }
    order.hear(payment, news, sold, refund, now)
}

/// What lapsed is sold as if it were still held.
fn sells_what_lapsed(order: &Order, payment: PaymentId, news: &News) -> Needs {
    match order.needs(payment, news) {
        Needs::Retake => Needs::Sell,
        needs => needs,
    }
}

/// Everything is taken from the first place, whatever lies there.
#[expect(clippy::unnecessary_wraps, reason = "the rule that it stands in for can refuse")]
fn plans_what_is_gone(lines: &[Line], _: &[Vec<u32>], _: Split) -> Result<Vec<Part>, Vec<Short>> {
    let parts = lines.iter().enumerate().map(|(line, wanted)| Part { place: 0, line, pieces: wanted.quantity, owed: false });
    Ok(parts.filter(|part| part.pieces > 0).collect())
}

fn owed(mut order: Order, id: RefundId, amount: Money, why: GoodwillReason) -> Result<Changed, CannotRefund> {
    let payment = order.payments.iter().find(|payment| matches!(payment.state, PaymentState::Captured { .. }));
    let payment = payment.ok_or(CannotRefund::NothingCaptured)?.id;
    let state = RefundState::Requested { attempts: 0 };
    order.refunds.push(Refund { id, payment, amount, reason: RefundReason::Goodwill, goodwill: Some(why), state });
    Ok((order, Vec::new()))
}

/// Another server's refusal is taken for the bank's.
fn stops_what_is_under_way(order: Order, refund: RefundId, news: RefundNews) -> Result<Changed, Unchanged> {
    let is_under_way = order.refunds.iter().any(|known| known.id == refund && known.state == RefundState::Pending);
    order.hear_refund(refund, if is_under_way && news == RefundNews::Refused { RefundNews::Bounced } else { news })
}

/// What went back before is not counted.
fn forgets_refunds(order: Order, id: RefundId, amount: Money, why: GoodwillReason) -> Result<Changed, CannotRefund> {
    if order.is_disputed() { Err(CannotRefund::Disputed) } else { owed(order, id, amount, why) }
}

/// The bank's claim is not looked at.
fn refunds_disputed(order: Order, id: RefundId, amount: Money, why: GoodwillReason) -> Result<Changed, CannotRefund> {
    let left = order.refundable();
    if amount.minor > left.minor { Err(CannotRefund::MoreThanCaptured { left }) } else { owed(order, id, amount, why) }
}

/// What somebody is packing is cancelled under their hands.
fn cancels_packed(mut order: Order, wish: Cancelling, now: Instant) -> Result<Changed, CannotCancel> {
    let all = order.lines.iter().map(|line| Portion { line: line.line, quantity: order.tally(line.line).packing });
    let portions: Vec<Portion> = all.filter(|portion| portion.quantity > 0).collect();
    if portions.is_empty() {
        return order.cancel(wish, now);
    }
    let delivery = Money::zero(order.total.currency);
    order.cancellations.push(Cancellation { id: wish.id, portions, by: wish.by, reason: wish.reason, at: now, delivery, refund: None });
    Ok((order, Vec::new()))
}

/// Each click begins another attempt, while a page is still open.
#[expect(clippy::unnecessary_wraps, reason = "the rule that it stands in for can refuse")]
fn opens_second_page(mut order: Order, payment: PaymentId, until: Instant, now: Instant) -> Result<Order, domain::order::CannotPay> {
    order.payments.push(Payment { id: payment, amount: order.total, created_at: now, state: PaymentState::Created, odd: None });
    order.pieces = Pieces::Held { until };
    Ok(order)
}

/// The order as if no bank had taken anything.
fn unlost(mut order: Order) -> (Order, Vec<Dispute>) {
    let lost = order.disputes.extract_if(.., |dispute| matches!(dispute.state, DisputeState::Lost { .. })).collect();
    (order, lost)
}

/// A lost dispute is over, so the order goes on.
fn packs_what_is_lost(order: Order, id: FulfilmentId, location: String, portions: Vec<Portion>, now: Instant) -> Result<Order, CannotFulfil> {
    let (order, lost) = unlost(order);
    let mut after = order.pack(id, location, portions, now)?;
    after.disputes.extend(lost);
    Ok(after)
}

fn sends_what_is_lost(order: Order, id: FulfilmentId, parcels: Vec<Parcel>, now: Instant) -> Result<Changed, CannotFulfil> {
    let (order, lost) = unlost(order);
    let (mut after, events) = order.ship(id, parcels, now)?;
    after.disputes.extend(lost);
    Ok((after, events))
}

/// A refund that the provider refused is taken for done.
fn believes_refused(order: Order, refund: RefundId, news: RefundNews) -> Result<Changed, Unchanged> {
    order.hear_refund(refund, if news == RefundNews::Refused { RefundNews::Issued } else { news })
}

/// The mistake, and what the simulation is to say of it.
fn mistakes() -> Vec<(&'static str, Rules, &'static str)> {
    let ours = Rules::OURS;
    vec![
        (
            "a hold lapses without closing its page",
            Rules { to_close: |_| Vec::new(), lapse: lapses_without_closing, ..ours },
            "gives its pieces away",
        ),
        ("a hold lapses while money is under way", Rules { lapse: lapses_while_pending, ..ours }, "gives its pieces away"),
        ("the sweeper does not ask", Rules { to_close: |_| Vec::new(), lapse: sweeps_before_asking, ..ours }, "gives its pieces away"),
        (
            "pieces are taken again without looking",
            Rules { plan: plans_what_is_gone, moved: |balance: Balance, movement: Movement| balance.after(movement, true), ..ours },
            "is oversold",
        ),
        ("a second capture is kept", Rules { hear: keeps_second_capture, ..ours }, "keeps 2 payments"),
        (
            "the captured amount is ignored",
            Rules { hear: ignores_amounts, needs: |order, payment, news| order.needs(payment, &believed(order, news.clone())), ..ours },
            "as paid, but",
        ),
        ("a doubled webhook counts twice", Rules { hear: hears_twice, ..ours }, "goes back as a whole"),
        ("earlier refunds are not counted", Rules { refund: forgets_refunds, ..ours }, "more than was taken"),
        ("money goes back during a dispute", Rules { refund: refunds_disputed, ..ours }, "during a dispute"),
        ("packed pieces are cancelled", Rules { cancel: cancels_packed, ..ours }, "Tally"),
        ("a second page is opened", Rules { can_pay_again: |_, _| Ok(NextAttempt::New), attempt: opens_second_page, ..ours }, "pages at once"),
        ("late money sells what is not held", Rules { needs: sells_what_lapsed, ..ours }, "pieces came"),
        ("a refund is sent though a bank claims its payment", Rules { waits_for_bank: |_, _| false, ..ours }, "while a bank claims"),
        ("a refusal stops a refund that is under way", Rules { hear_refund: stops_what_is_under_way, ..ours }, "the provider of"),
        ("goods are sent whose money the bank took", Rules { pack: packs_what_is_lost, ship: sends_what_is_lost, ..ours }, "its money is gone"),
        ("a refused refund counts as done", Rules { hear_refund: believes_refused, ..ours }, "the provider of 0"),
    ]
}

/// Seeds that are tried for each mistake.
const SEEDS: u64 = 10_000;

#[test]
fn each_of_these_mistakes_is_caught() {
    for (mistake, rules, words) in mistakes() {
        let broken = many(0..SEEDS, rules).err().unwrap_or_else(|| panic!("nobody notices that {mistake}"));
        println!("{mistake}: {} steps, {}", broken.steps.len(), broken.fault);
        assert!(broken.fault.contains(words), "{mistake}: {broken}");
    }
}
