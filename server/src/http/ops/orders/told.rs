//! The story of an order in words.

use crate::{
    Shop,
    orders::{
        OrderView,
        story::{Actor, Happened},
    },
    staff::accounts,
};
use app::{
    i18n::money,
    staff::{
        moment,
        order::{LineName, Told, goodwill_words, mail_words},
        orders::english,
    },
};
use domain::{
    CancellationId, FulfilmentId, PaymentId, RefundId, ReturnId,
    dispute::DisputeState,
    event::Event,
    offer::Instant,
    order::{Order, Portion},
    refund::RefundState,
};
use std::collections::BTreeMap;

/// All entries, newest first.
pub async fn story(shop: &Shop, found: &OrderView, names: &[LineName], locations: &[(String, String)]) -> anyhow::Result<Vec<Told>> {
    let entries = shop.orders.story(found.id).await?;
    let sealed: Vec<&str> =
        entries.iter().filter_map(|entry| if let Happened::Note { sealed } = &entry.what { Some(sealed.as_str()) } else { None }).collect();
    let mut notes = shop.orders.notes(found.id, &sealed).await?.into_iter();
    let mut people = BTreeMap::new();
    if entries.iter().any(|entry| matches!(entry.actor, Actor::Staff(_))) {
        people.extend(accounts::list(&shop.db).await?.into_iter().map(|(account, _)| (account.id.to_string(), account.email)));
    }
    let who = |actor: &Actor| match actor {
        Actor::Shop => "the shop".to_owned(),
        Actor::Shopper => "the shopper".to_owned(),
        Actor::Provider => "the payment provider".to_owned(),
        Actor::Staff(id) => people.get(id).cloned().unwrap_or_else(|| format!("staff {id}")),
    };
    let words = Words { order: &found.ledgers, names, locations };
    Ok(entries
        .iter()
        .map(|entry| {
            let note = matches!(entry.what, Happened::Note { .. }).then(|| notes.next().flatten().unwrap_or_else(|| "(erased)".to_owned()));
            Told { at: entry.at, who: who(&entry.actor), text: words.of(&entry.what), note }
        })
        .collect())
}

struct Words<'a> {
    order: &'a Order,
    names: &'a [LineName],
    /// Codes and names.
    locations: &'a [(String, String)],
}

impl Words<'_> {
    fn of(&self, what: &Happened) -> String {
        match what {
            Happened::Event { event } => self.event(event),
            Happened::Packed { fulfilment } => format!("Packing begun: {}", self.shipment(*fulfilment)),
            Happened::Unpacked { .. } => "Put back on the shelf".to_owned(),
            Happened::ParcelsCorrected { fulfilment } => format!("Carrier or numbers corrected: {}", self.shipment(*fulfilment)),
            Happened::ReturnCancelled { return_id } => format!("Return called off: {}", self.returned(*return_id)),
            Happened::RefundRequested { amount, reason, .. } => {
                format!("Refund of {} asked for ({})", money(*amount, english()), reason.code().replace('_', " "))
            }
            Happened::Goodwill { refund, why } => format!("Goodwill of {}: {}", self.refund(*refund), goodwill_words(*why).to_lowercase()),
            Happened::OddAmount { amount, .. } => format!("The provider took another amount than was asked for: {}", money(*amount, english())),
            Happened::OddSettled { .. } => "Looked into the amount that differs".to_owned(),
            Happened::RefundPending { refund } => format!("Refund of {} under way", self.refund(*refund)),
            Happened::RefundRetried { refund } => format!("Refund of {} asked for again", self.refund(*refund)),
            Happened::RefundLeftToBank { refund } => format!("Refund of {} not sent: the bank paid the shopper back", self.refund(*refund)),
            Happened::CapturedInVain { payment } => format!("Payment captured, {}, and goes straight back", self.payment(*payment)),
            Happened::DisputeMoved { state, .. } => disputed(*state),
            Happened::Held { until } => format!("Pieces held until {}", moment(*until)),
            Happened::Lapsed => "Not paid in time: the pieces are free again".to_owned(),
            Happened::CancelledPieces { cancellation } => format!("Pieces cancelled: {}", self.cancelled(*cancellation)),
            Happened::Repeated { event_id } => format!("Webhook {event_id} came again, counted once"),
            Happened::AddressChanged => "Delivery address corrected".to_owned(),
            Happened::Note { .. } => "Note added".to_owned(),
            Happened::MailSent { mail } => {
                let words = mail.parse().map_or_else(|_| mail.clone(), |kind| mail_words(kind).trim_start_matches("Latest ").to_lowercase());
                format!("Mail sent: {words}")
            }
            Happened::LinkRenewed => "The shopper's link was renewed".to_owned(),
        }
    }

    fn event(&self, event: &Event) -> String {
        match event {
            Event::OrderPlaced { .. } => "Placed".to_owned(),
            Event::PaymentPending { .. } => "Payment under way, not settled".to_owned(),
            Event::PaymentCaptured { payment, .. } => format!("Payment captured, {}", self.payment(*payment)),
            Event::PaymentFailed { .. } => "Payment declined".to_owned(),
            Event::OrderCancelled { .. } => "Order cancelled".to_owned(),
            Event::LinesCancelled { cancellation, .. } => format!("Pieces cancelled: {}", self.cancelled(*cancellation)),
            Event::OrderShipped { fulfilment, .. } => format!("Shipped: {}", self.shipment(*fulfilment)),
            Event::OrderDelivered { fulfilment, .. } => format!("Delivered: {}", self.shipment(*fulfilment)),
            Event::ReturnRequested { return_id, .. } => format!("Return announced: {}", self.returned(*return_id)),
            Event::ReturnReceived { return_id, .. } => format!("Return received: {}", self.returned(*return_id)),
            Event::ReturnRefused { return_id, .. } => format!("Return refused: {}", self.returned(*return_id)),
            // Whether it asks or claims the money stands in the entry beside this one.
            Event::DisputeOpened { .. } => "A bank questions the payment".to_owned(),
            Event::DisputeClosed { won, .. } => ended(*won).to_owned(),
            Event::RefundIssued { refund, .. } => format!("Refund of {} paid back", self.refund(*refund)),
            Event::RefundFailed { refund, .. } => {
                let known = self.order.refunds.iter().find(|known| known.id == *refund).map(|known| known.state);
                let how = match known {
                    Some(RefundState::Failed) => "was refused by the provider",
                    Some(RefundState::Bounced) => "was sent back by the bank",
                    _ => "did not get through",
                };
                format!("Refund of {} {how}", self.refund(*refund))
            }
            Event::ProductChanged { .. }
            | Event::PriceChanged { .. }
            | Event::StockChanged { .. }
            | Event::LocationChanged { .. }
            | Event::ShopChanged => "The catalogue changed".to_owned(),
            Event::ConsentChanged { .. } => "The newsletter's list changed".to_owned(),
        }
    }

    fn payment(&self, id: PaymentId) -> String {
        self.order.payments.iter().find(|known| known.id == id).map_or_else(|| "?".to_owned(), |known| money(known.amount, english()))
    }

    fn refund(&self, id: RefundId) -> String {
        self.order.refunds.iter().find(|known| known.id == id).map_or_else(|| "?".to_owned(), |known| money(known.amount, english()))
    }

    fn shipment(&self, id: FulfilmentId) -> String {
        let known = self.order.fulfilments.iter().find(|known| known.id == id);
        let Some(known) = known else { return "pieces that were put back".to_owned() };
        let location = self.locations.iter().find(|(code, _)| *code == known.location).map_or(&known.location, |(_, name)| name);
        format!("{} from {location}", self.pieces(&known.portions))
    }

    fn cancelled(&self, id: CancellationId) -> String {
        self.order.cancellations.iter().find(|known| known.id == id).map_or_else(String::new, |known| self.pieces(&known.portions))
    }

    fn returned(&self, id: ReturnId) -> String {
        let known = self.order.returns.iter().find(|known| known.id == id);
        let portions: Vec<Portion> =
            known.map(|known| known.items.iter().map(|item| Portion { line: item.line, quantity: item.quantity }).collect()).unwrap_or_default();
        self.pieces(&portions)
    }

    fn pieces(&self, portions: &[Portion]) -> String {
        let named: Vec<String> = portions
            .iter()
            .map(|portion| {
                let place = self.order.lines.iter().position(|line| line.line == portion.line);
                let title = place.and_then(|place| self.names.get(place)).map_or("?", |name| name.title.as_str());
                format!("{} × {title}", portion.quantity)
            })
            .collect();
        named.join(", ")
    }
}

/// How a dispute goes on.
fn disputed(state: DisputeState) -> String {
    let by = |due: Option<Instant>| due.map_or_else(String::new, |due| format!(" by {}", moment(due)));
    match state {
        DisputeState::Inquiry { evidence_due } => format!("The bank asks: an answer is due{}", by(evidence_due)),
        DisputeState::InquiryAnswered => "The bank thinks about our answer".to_owned(),
        DisputeState::Open { evidence_due } => format!("The bank claims the money: evidence is due{}", by(evidence_due)),
        DisputeState::UnderReview => "The bank has our evidence, and decides".to_owned(),
        DisputeState::Won { .. } => ended(true).to_owned(),
        DisputeState::Lost { .. } => ended(false).to_owned(),
    }
}

const fn ended(won: bool) -> &'static str {
    if won { "Dispute won" } else { "Dispute lost" }
}
