//! What must never be, looked at after every transaction, and what must be once everything was delivered and everybody has tried again.

use super::{
    deeds::variant_of,
    provider::{Account, Session},
    store::{Store, VARIANTS},
    world::World,
};
use domain::{
    PaymentId, RefundId,
    dispute::DisputeState,
    order::{Attention, Order, Pieces, Restock, ReturnState, Status},
    payment::PaymentState,
    refund::{Refund, RefundReason, RefundState},
};

type Judged = Result<(), String>;

fn must(holds: bool, fault: impl FnOnce() -> String) -> Judged {
    if holds { Ok(()) } else { Err(fault()) }
}

/// Pieces of each variant that have left the stock for an order: sold, neither cancelled nor back on the shelf.
pub fn out(order: &Order) -> [i64; VARIANTS] {
    let mut out = [0; VARIANTS];
    if order.pieces != Pieces::Sold {
        return out;
    }
    for line in &order.lines {
        out[variant_of(order, line.line)] += i64::from(line.quantity);
    }
    for portion in order.cancellations.iter().flat_map(|cancellation| &cancellation.portions) {
        out[variant_of(order, portion.line)] -= i64::from(portion.quantity);
    }
    for back in &order.returns {
        if let ReturnState::Received { receipts, .. } = &back.state {
            for receipt in receipts.iter().filter(|receipt| receipt.restock == Restock::Shelf) {
                out[variant_of(order, receipt.line)] -= i64::from(receipt.quantity);
            }
        }
    }
    out
}

/// Never oversold; free + held + sold = received.
pub fn of_stock(store: &Store) -> Judged {
    for (variant, balances) in store.balances.iter().enumerate() {
        must(balances.iter().all(|balance| balance.free >= 0), || format!("variant {variant} is oversold: {balances:?}"))?;
        let held: i64 = balances.iter().map(|balance| balance.held).sum();
        let kept = store.orders.iter().flat_map(|row| &row.kept).filter(|kept| kept.variant == variant && !kept.is_sold);
        let kept: i64 = kept.map(|kept| i64::from(kept.pieces)).sum();
        must(held == kept, || format!("{held} pieces of variant {variant} are held, {kept} of them for orders"))?;
        let free: i64 = balances.iter().map(|balance| balance.free).sum();
        let sold: i64 = store.orders.iter().map(|row| row.out[variant]).sum();
        let received = store.received[variant];
        must(free + held + sold == received, || {
            format!("variant {variant}: {received} pieces came, but {free} are free, {held} held and {sold} sold")
        })?;
    }
    Ok(())
}

/// Whether a refund sends back a whole payment that found no pieces, rather than part of one that is kept.
fn is_whole(order: &Order, refund: &Refund) -> bool {
    match refund.reason {
        RefundReason::SoldOutMeanwhile | RefundReason::PaidTwice | RefundReason::Withdrawn => true,
        RefundReason::Cancelled => !order.cancellations.iter().any(|cancellation| cancellation.refund == Some(refund.id)),
        RefundReason::Returned | RefundReason::Goodwill => false,
    }
}

fn captured(order: &Order) -> impl Iterator<Item = PaymentId> {
    order.payments.iter().filter(|payment| matches!(payment.state, PaymentState::Captured { .. })).map(|payment| payment.id)
}

fn gone(order: &Order, payment: PaymentId, counts: fn(RefundState) -> bool) -> i64 {
    order.refunds.iter().filter(|refund| refund.payment == payment && counts(refund.state)).map(|refund| refund.amount.minor).sum()
}

/// One order as it stands.
pub fn of_order(world: &World, index: usize) -> Judged {
    let row = &world.store.orders[index];
    let order = &row.order;
    let unsold = row.kept.iter().filter(|kept| !kept.is_sold);
    match order.pieces {
        Pieces::Held { .. } => {
            for (variant, wanted) in row.form.wanted.iter().enumerate() {
                let kept: u32 = unsold.clone().filter(|kept| kept.variant == variant).map(|kept| kept.pieces).sum();
                must(kept == u32::from(*wanted), || format!("order {index} holds {kept} of {wanted} pieces of variant {variant}"))?;
            }
        }
        Pieces::Lapsed | Pieces::Sold | Pieces::Withdrawn | Pieces::Cancelled => {
            must(unsold.count() == 0, || format!("order {index} is {:?} and still holds pieces", order.pieces))?;
        }
    }
    let mut kept_captures = 0;
    for payment in captured(order) {
        let taken = world.provider.account(payment).map_or(0, Account::captured);
        must(taken == order.total.minor, || format!("order {index} counts {payment} as paid, but {taken} was taken"))?;
        let whole: Vec<&Refund> = order.refunds.iter().filter(|refund| refund.payment == payment && is_whole(order, refund)).collect();
        must(whole.len() <= 1, || format!("order {index} sends {payment} back twice"))?;
        must(whole.iter().all(|refund| refund.amount == order.total), || format!("order {index} sends only a part of {payment} back"))?;
        kept_captures += u32::from(whole.is_empty());
        let back = gone(order, payment, RefundState::counts);
        must(back <= order.total.minor, || format!("order {index} sends {back} of {payment} back, more than was taken"))?;
    }
    let sold = u32::from(order.pieces == Pieces::Sold);
    must(kept_captures == sold, || format!("order {index} is {:?} and keeps {kept_captures} payments", order.pieces))?;
    for line in &order.lines {
        let tally = order.tally(line.line);
        must(tally.cancelled + tally.packing + tally.shipped <= tally.ordered, || format!("order {index}, line {}: {tally:?}", line.line))?;
        must(tally.returning + tally.returned <= tally.shipped, || format!("order {index}, line {}: {tally:?}", line.line))?;
    }
    let lines = order.lines.iter().filter(|line| line.replaces.is_none()).map(|line| line.amount.minor).sum::<i64>();
    must(lines + order.delivery.minor == order.total.minor, || format!("the lines of order {index} do not add up"))?;
    let rivals = world.store.orders.iter().filter(|other| other.claims && row.claims && other.form.has_same_cart(row.form)).count();
    must(rivals <= 1, || format!("{rivals} orders stand for the cart of order {index}"))
}

/// One transaction: from `before` to what the order is now.
pub fn of_change(world: &World, index: usize, before: &Order) -> Judged {
    let after = &world.store.orders[index].order;
    let is_given_away = |pieces| matches!(pieces, Pieces::Lapsed | Pieces::Withdrawn | Pieces::Cancelled);
    if before.pieces != after.pieces && is_given_away(after.pieces) {
        for payment in &after.payments {
            let session = world.provider.account(payment.id).map(|account| account.session);
            must(session.is_some_and(|session| !session.is_payable()), || {
                format!("order {index} gives its pieces away, but {} is {session:?} at the provider", payment.id)
            })?;
        }
    }
    let is_final = |pieces| matches!(pieces, Pieces::Sold | Pieces::Withdrawn | Pieces::Cancelled);
    must(before.pieces == after.pieces || !is_final(before.pieces), || format!("order {index} was {:?} and is {:?}", before.pieces, after.pieces))?;
    must(captured(before).all(|payment| captured(after).any(|known| known == payment)), || format!("order {index} forgets a payment"))?;
    must(after.refunds.len() >= before.refunds.len(), || format!("order {index} forgets a refund"))?;
    let twice = |payment| after.refunds.iter().any(|refund| refund.payment == payment && refund.reason == RefundReason::PaidTwice);
    let wrong = after.refunds.iter().find(|refund| refund.reason != RefundReason::PaidTwice && twice(refund.payment));
    must(wrong.is_none(), || format!("order {index} gives back {wrong:?} of a payment that goes back as a whole"))?;
    let live = after.payments.iter().filter(|payment| payment.state.is_live()).count();
    must(live <= 1, || format!("order {index} can be paid on {live} pages at once"))?;
    let sent = |order: &Order| order.fulfilments.iter().filter(|known| known.state.shipment().is_some()).count();
    let is_lost = |payment| before.disputes.iter().any(|dispute| dispute.payment == payment && matches!(dispute.state, DisputeState::Lost { .. }));
    let sent_back = |payment| before.refunds.iter().any(|refund| refund.payment == payment && is_whole(before, refund));
    let money_is_gone = captured(before).all(|payment| is_lost(payment) || sent_back(payment));
    must(!money_is_gone || sent(before) >= sent(after), || format!("order {index} is sent though its money is gone"))?;
    if before.is_disputed() {
        let wanted = after.refunds[before.refunds.len()..].iter().find(|refund| !is_whole(after, refund));
        must(wanted.is_none(), || format!("order {index} refunds {wanted:?} during a dispute"))?;
        let again = before
            .refunds
            .iter()
            .zip(&after.refunds)
            .any(|(old, new)| old.state == RefundState::Failed && matches!(new.state, RefundState::Requested { .. }));
        must(!again, || format!("order {index} asks again for a refund during a dispute"))?;
        must(sent(before) >= sent(after), || format!("order {index} is sent during a dispute"))?;
    }
    Ok(())
}

/// The provider is about to be asked for a refund.
pub fn of_sending(order: &Order, refund: RefundId) -> Judged {
    let asked = order.refunds.iter().find(|known| known.id == refund && matches!(known.state, RefundState::Requested { .. }));
    let is_claimed = |payment| order.disputes.iter().any(|dispute| dispute.payment == payment && dispute.state.is_open());
    must(!asked.is_some_and(|asked| is_claimed(asked.payment)), || format!("{refund} is sent while a bank claims its payment"))
}

/// Everything was delivered, everybody has tried again, nothing is due any more.
pub fn at_rest(world: &World) -> Judged {
    for order in &world.acknowledged {
        must(world.store.orders.get(*order).is_some(), || format!("order {order} was acknowledged and is missing"))?;
    }
    for (index, row) in world.store.orders.iter().enumerate() {
        let order = &row.order;
        let mut is_odd = false;
        for payment in &order.payments {
            let account = world.provider.account(payment.id);
            let is_known = matches!(payment.state, PaymentState::Captured { .. });
            match account.map(|account| account.session) {
                // A person has to look: nothing is decided by the shop alone.
                Some(Session::Captured(taken)) if taken != payment.amount.minor => {
                    is_odd = true;
                    must(!is_known, || format!("order {index} takes {taken} for {:?}", payment.amount))?;
                    must(order.attention().contains(&Attention::Amount), || format!("nobody is told that order {index} was paid oddly"))?;
                    continue;
                }
                Some(Session::Captured(_)) => must(is_known, || format!("{} was captured, and order {index} does not know", payment.id))?,
                _ => must(!is_known, || format!("order {index} counts {} as paid, and nothing was", payment.id))?,
            }
            must(!payment.state.is_live(), || format!("{} of order {index} is never ended", payment.id))?;
            let sent_back = account.map_or(0, Account::sent_back);
            let known = gone(order, payment.id, |state| matches!(state, RefundState::Issued | RefundState::Pending));
            must(sent_back == known, || format!("order {index} knows of {known} sent back of {}, the provider of {sent_back}", payment.id))?;
        }
        must(is_odd || !matches!(order.pieces, Pieces::Held { .. }), || format!("order {index} holds pieces forever"))?;
        let waits = order.refunds.iter().any(|refund| matches!(refund.state, RefundState::Requested { .. } | RefundState::Pending));
        must(!waits, || format!("a refund of order {index} is never ended"))?;
        let attention = order.attention();
        let is_owed = |refund: &Refund| gone(order, refund.payment, RefundState::counts) < order.total.minor && order.disputes.is_empty();
        if order.refunds.iter().any(|refund| refund.state.is_stuck() && is_owed(refund)) {
            must(attention.contains(&Attention::Refund), || format!("nobody is told of a stuck refund of order {index}"))?;
        }
        if order.pieces == Pieces::Sold && !order.open_portions().is_empty() && !order.is_disputed() {
            let wanted = if order.is_charged_back() { Attention::ChargedBack } else { Attention::Ship };
            must(attention.contains(&wanted), || format!("nobody is told to ship order {index}, or to stop it"))?;
        }
        must(order.pieces != Pieces::Sold || is_settled(order), || format!("order {index} was cancelled whole, and not all of its money went back"))?;
    }
    of_stock(&world.store)
}

/// Whether an order that was cancelled whole has given back everything that was kept, unless a person or a bank has a hand in it.
fn is_settled(order: &Order) -> bool {
    let is_clean = order.disputes.is_empty() && order.refunds.iter().all(|refund| refund.state == RefundState::Issued);
    let whole = order.refunds.iter().filter(|refund| is_whole(order, refund)).count();
    order.status() != Status::Cancelled || !is_clean || {
        let back: i64 = order.refunds.iter().map(|refund| refund.amount.minor).sum();
        back == order.total.minor * (1 + i64::try_from(whole).unwrap_or(0))
    }
}
