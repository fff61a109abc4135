//! What a mail tells of an order: pieces by the frozen texts, money as the ledgers have it. In which words is `app::mail`'s business.

use crate::orders::{LineText, OrderView, Personal};
use app::{
    mail::{Awaited, Back, Cancelled, Cause, Kind, MailData, MailLine, MoneyBack, Parcel, Payment, Share, Wish},
    ports::View,
    routes::{Address, Route},
};
use domain::{
    RefundId,
    money::Money,
    offer::Instant,
    order::{By, CancelReason, Cancellation, Fulfilment, FulfilmentState, Order, Portion, Resolution, Return, ReturnItem, ReturnState, Status},
    payment::PaymentState,
    refund::{Refund, RefundReason, RefundState},
};

/// What of an order a mail is about.
struct About<'a> {
    shipment: Option<&'a Fulfilment>,
    back: Option<&'a Return>,
    cancellation: Option<&'a Cancellation>,
    refund: Option<&'a Refund>,
}

pub fn data(view: &View, order: &OrderView, personal: Personal, kind: Kind, about: &str) -> MailData {
    let known = &order.ledgers;
    let about = About::find(known, kind, about);
    let parcels = about.shipment.and_then(|shipment| shipment.state.shipment()).map(|shipment| shipment.parcels.as_slice()).unwrap_or_default();
    let (kept_back, charge) = withheld(&about);
    MailData {
        kind,
        number: order.number.to_string(),
        link: format!("{}{}", view.origin, Address::new(view.locale, Route::Order { secret: order.secret.clone() }).url()),
        name: personal.delivery.name.full.clone(),
        lines: lines(order, kind, &about),
        quote: order.body.quote.clone(),
        total: order.total,
        method: order.body.method.title(view.text()),
        promise: order.body.promised(),
        delivery: personal.delivery,
        billing: personal.billing,
        parcels: parcels.iter().map(|parcel| Parcel { carrier: parcel.carrier.clone(), tracking: parcel.tracking.clone() }).collect(),
        share: about.shipment.map_or(Share::Whole, |shipment| share(known, shipment, kind == Kind::Delivered)),
        payment: payment(order.status),
        is_begun: !known.fulfilments.is_empty() || !known.cancellations.is_empty(),
        money: money(known, kind, &about),
        kept_back,
        charge,
        cause: about.refund.map(|refund| Cause {
            reason: refund.reason,
            goodwill: refund.goodwill,
            too_late: refund.reason == RefundReason::Cancelled && about.cancellation.is_none(),
        }),
        cancelled: Cancelled {
            replaced: order.status == Status::Withdrawn || about.refund.is_some_and(|refund| refund.reason == RefundReason::Withdrawn),
            not_available: about.cancellation.is_some_and(|known| known.by == By::Staff && known.reason == CancelReason::NotAvailable),
        },
        back: about.back.map_or_else(Back::default, |back| returned(order, kind, back)),
    }
}

impl<'a> About<'a> {
    /// A refund has its cause beside it, and a cause its refund.
    fn find(known: &'a Order, kind: Kind, about: &str) -> Self {
        let shipment = known.fulfilments.iter().find(|shipment| shipment.id.to_string() == about);
        let by_id = |id: Option<RefundId>| known.refunds.iter().find(|refund| Some(refund.id) == id);
        let refund = known.refunds.iter().find(|refund| refund.id.to_string() == about);
        let (cancellation, back) = match kind {
            Kind::Refunded => {
                let of = |id: Option<RefundId>| id.is_some() && id == refund.map(|refund| refund.id);
                (known.cancellations.iter().find(|known| of(known.refund)), known.returns.iter().find(|back| of(back.refund())))
            }
            // The latest one ended the order.
            Kind::Cancelled => (known.cancellations.last(), None),
            _ => {
                let cancellation = known.cancellations.iter().find(|known| known.id.to_string() == about);
                (cancellation, known.returns.iter().find(|back| back.id.to_string() == about))
            }
        };
        let refund = match kind {
            Kind::Refunded => refund,
            // Money that came when the order was over.
            Kind::Cancelled if cancellation.is_none() => {
                known.refunds.iter().find(|refund| matches!(refund.reason, RefundReason::Cancelled | RefundReason::Withdrawn))
            }
            _ => by_id(cancellation.and_then(|known| known.refund)).or_else(|| by_id(back.and_then(Return::refund))),
        };
        Self { shipment, back, cancellation, refund }
    }
}

/// What was kept back of a return's money, and what of the delivery charge goes back.
fn withheld(about: &About) -> (Option<Money>, Option<Money>) {
    let some = |amount: Money| (!amount.is_zero()).then_some(amount);
    match (about.cancellation, about.back.map(|back| &back.state)) {
        (_, Some(ReturnState::Received { kept_back, delivery, .. })) => (some(*kept_back), about.refund.and_then(|_| some(*delivery))),
        (Some(cancellation), _) => (None, about.refund.and_then(|_| some(cancellation.delivery))),
        _ => (None, None),
    }
}

fn money(known: &Order, kind: Kind, about: &About) -> MoneyBack {
    let is_captured = known.payments.iter().any(|payment| matches!(payment.state, PaymentState::Captured { .. }));
    match (kind, about.refund) {
        (Kind::Cancelled | Kind::PartCancelled | Kind::Returned | Kind::Refunded, Some(refund)) => match refund.state {
            RefundState::Requested { .. } | RefundState::Pending | RefundState::Failed | RefundState::Bounced => MoneyBack::Going(refund.amount),
            RefundState::Issued => MoneyBack::Sent(refund.amount),
            RefundState::SettledOutside if known.disputes.iter().any(|dispute| dispute.payment == refund.payment && dispute.is_lost()) => {
                MoneyBack::TakenByBank
            }
            RefundState::SettledOutside => MoneyBack::SentOtherwise(refund.amount),
        },
        // What a provider took by its own word waits for a person.
        (Kind::Cancelled, None) if !is_captured && known.payments.iter().any(|payment| payment.odd.is_some()) => MoneyBack::Untold,
        (Kind::Cancelled, None) if !is_captured => MoneyBack::NeverCharged,
        (Kind::Returned, None) if about.back.is_some_and(is_all_exchanged) => MoneyBack::Untold,
        (Kind::Cancelled | Kind::PartCancelled | Kind::Returned, None) if known.is_charged_back() => MoneyBack::TakenByBank,
        (Kind::Cancelled | Kind::PartCancelled | Kind::Returned, None) => MoneyBack::Nothing,
        _ => MoneyBack::Untold,
    }
}

fn is_all_exchanged(back: &Return) -> bool {
    matches!(&back.state, ReturnState::Received { receipts, .. } if receipts.iter().all(|receipt| receipt.exchanged))
}

const fn payment(status: Status) -> Payment {
    match status {
        Status::AwaitingPayment { .. } | Status::PaymentFailed { .. } => Payment::Awaited,
        Status::PaymentPending => Payment::UnderWay,
        Status::Lapsed => Payment::Late,
        Status::Paid { .. } | Status::Withdrawn | Status::Cancelled | Status::Refunding | Status::Refunded | Status::RefundFailed => Payment::Settled,
    }
}

/// How much of what was ordered and not cancelled a shipment is, by what had left, or arrived, when it did.
fn share(known: &Order, shipment: &Fulfilment, arrived: bool) -> Share {
    let is_ordered = |portion: &&Portion| known.lines.iter().any(|line| line.line == portion.line && line.replaces.is_none());
    let pieces = |one: &Fulfilment| one.portions.iter().filter(is_ordered).map(|portion| portion.quantity).sum::<u32>();
    let of = known.lines.iter().filter(|line| line.replaces.is_none());
    let of: u32 = of.map(|line| line.quantity.saturating_sub(known.tally(line.line).cancelled)).sum();
    let when = |one: &Fulfilment| -> Option<Instant> {
        match &one.state {
            FulfilmentState::Delivered { at, .. } if arrived => Some(*at),
            state if !arrived => state.shipment().map(|shipment| shipment.at),
            _ => None,
        }
    };
    // Of those that arrive at the same moment the last one is the rest.
    let place = |one: &Fulfilment| Some((when(one)?, known.fulfilments.iter().position(|other| other.id == one.id)?));
    let upto = known.fulfilments.iter().filter(|one| place(one).is_some_and(|at| place(shipment).is_some_and(|here| at <= here)));
    match pieces(shipment) {
        0 => Share::Exchange,
        here if here >= of => Share::Whole,
        _ if upto.map(pieces).sum::<u32>() >= of => Share::Rest,
        _ => Share::Part,
    }
}

fn lines(order: &OrderView, kind: Kind, about: &About) -> Vec<MailLine> {
    let portions = |portions: &[Portion]| portions.iter().filter_map(|portion| pieces(order, portion.line, portion.quantity)).collect();
    match (kind, about.back, about.cancellation, about.shipment) {
        (Kind::Shipped | Kind::Delivered, _, _, Some(shipment)) => portions(&shipment.portions),
        (Kind::Cancelled | Kind::PartCancelled | Kind::Refunded, _, Some(cancellation), _) => portions(&cancellation.portions),
        // What the money is for. Goodwill is for no pieces.
        (Kind::Refunded | Kind::Returned, Some(Return { state: ReturnState::Received { receipts, .. }, .. }), ..) => {
            let told = receipts.iter().filter(|receipt| kind == Kind::Returned || !receipt.exchanged);
            together(told.map(|receipt| (receipt.line, receipt.quantity)))
                .into_iter()
                .filter_map(|(line, count)| pieces(order, line, count))
                .collect()
        }
        // It stays with the shopper: why it should go back, and for what, is over.
        (Kind::ReturnRefused | Kind::ReturnCalledOff, Some(back), ..) => {
            back.items.iter().filter_map(|item| pieces(order, item.line, item.quantity)).collect()
        }
        (Kind::ReturnAnnounced, Some(back), ..) => back
            .items
            .iter()
            .filter_map(|item| Some(MailLine { wish: Some(wish(order, item)), ..pieces(order, item.line, item.quantity)? }))
            .collect(),
        (Kind::Refunded, ..) => Vec::new(),
        _ => {
            let whole = order.body.quote.lines.iter().zip(&order.body.texts);
            whole.map(|(priced, text)| line(text, priced.quantity.get(), Some(priced.total))).collect()
        }
    }
}

/// Pieces by their line.
fn together(pieces: impl Iterator<Item = (u32, u32)>) -> Vec<(u32, u32)> {
    let mut all: Vec<(u32, u32)> = Vec::new();
    for (line, quantity) in pieces {
        match all.iter_mut().find(|(known, _)| *known == line) {
            Some((_, count)) => *count += quantity,
            None => all.push((line, quantity)),
        }
    }
    all
}

fn wish(order: &OrderView, item: &ReturnItem) -> Wish {
    let exchange = match item.resolution {
        Resolution::Refund => None,
        Resolution::Exchange { variant, .. } => {
            let name = order.exchanged.get(&variant).map(|text| text.options.join(", ")).filter(|name| !name.is_empty());
            name.or_else(|| pieces(order, item.line, 1).map(|known| known.title))
        }
    };
    Wish { reason: item.reason, exchange }
}

fn returned(order: &OrderView, kind: Kind, back: &Return) -> Back {
    let known = &order.ledgers;
    let is_exchange = |item: &&ReturnItem| item.resolution != Resolution::Refund;
    match (kind, &back.state) {
        (Kind::ReturnAnnounced, ReturnState::Requested) => {
            let amount = known.return_value(&back.items);
            let awaited = Awaited {
                amount: (amount.minor > 0).then_some(amount),
                all_exchanged: back.items.iter().all(|item| is_exchange(&item)),
                label: known.label_due(&back.items),
            };
            Back { awaited: Some(awaited), ..Back::default() }
        }
        (Kind::Returned, ReturnState::Received { receipts, .. }) => {
            let sent: Vec<_> = known.lines.iter().filter(|line| line.replaces == Some(back.id)).collect();
            let follows = |line: u32| known.tally(line).open() + known.tally(line).packing > 0;
            let came = |line: u32| receipts.iter().filter(|receipt| receipt.line == line).map(|receipt| receipt.quantity).sum::<u32>();
            let missing = back.items.iter().map(|item| (item.line, item.quantity.saturating_sub(came(item.line))));
            let wished = |line: u32| back.items.iter().filter(is_exchange).any(|item| item.line == line);
            Back {
                exchange_follows: sent.iter().any(|line| follows(line.line)),
                exchange: sent.iter().filter_map(|line| pieces(order, line.line, line.quantity)).collect(),
                not_exchanged: receipts.iter().any(|receipt| !receipt.exchanged && wished(receipt.line)),
                missing: missing.filter(|(_, count)| *count > 0).filter_map(|(line, count)| pieces(order, line, count)).collect(),
                ..Back::default()
            }
        }
        (Kind::ReturnRefused, ReturnState::Refused { why, .. }) => Back { why: why.clone(), ..Back::default() },
        _ => Back::default(),
    }
}

/// Some pieces of a line. What replaces something that came back is not in the frozen body: it has the title of what it replaces, and its
/// options as the catalogue calls them now.
fn pieces(order: &OrderView, number: u32, quantity: u32) -> Option<MailLine> {
    let known = order.ledgers.lines.iter().find(|line| line.line == number)?;
    let mut texts = order.body.quote.lines.iter().zip(&order.body.texts);
    if let Some((_, text)) = texts.clone().find(|(priced, _)| priced.variant == known.variant) {
        return Some(line(text, quantity, None));
    }
    let (_, text) = texts.find(|(priced, _)| priced.product == known.product)?;
    let options = order.exchanged.get(&known.variant).map(|text| text.options.clone()).unwrap_or_default();
    Some(MailLine { options, ..line(text, quantity, None) })
}

fn line(text: &LineText, quantity: u32, total: Option<Money>) -> MailLine {
    MailLine { title: text.title.clone(), options: text.options.clone(), quantity, total, wish: None }
}
