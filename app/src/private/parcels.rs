//! Parcels, on the page of an order: how far it has come in words, what each shipment holds, who brings it, and what is sent in exchange.

use super::{cancel::Piece, give_back, order::long_day, tracking};
use crate::{
    i18n::{filled, follow, number, till},
    ports::View,
};
use domain::order::{FulfilmentState, Order, Parcel, Progress};
use leptos::prelude::*;

/// How far a paid order has come, as shoppers are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// `None`: nothing of it is left to send.
    Far(Option<Progress>),
    /// Only what is sent in exchange has not left.
    Exchange,
    /// A bank is asking for the money: what has not left waits.
    Bank,
    /// A bank took it: what has not left stays.
    ChargedBack,
}

/// What has left the house together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shipment {
    pub pieces: Vec<Piece>,
    pub state: FulfilmentState,
}

/// What an order's page says about parcels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parcels {
    pub way: Way,
    /// In the order in which they were packed.
    pub shipments: Vec<Shipment>,
}

impl Way {
    pub fn of(order: &Order) -> Self {
        let unsent = order.unsent_portions();
        let replaces = |line: u32| order.lines.iter().any(|known| known.line == line && known.replaces.is_some());
        if unsent.is_empty() {
            Self::Far(order.progress())
        } else if order.is_disputed() {
            Self::Bank
        } else if order.is_charged_back() {
            Self::ChargedBack
        } else if unsent.iter().all(|portion| replaces(portion.line)) {
            Self::Exchange
        } else {
            Self::Far(order.progress())
        }
    }

    /// The state for the style, the word for people, and a sentence.
    pub fn words(self, view: &View) -> (&'static str, &'static str, String) {
        let (common, messages) = (till(view.locale), follow(view.locale));
        let said = |state, word, text: &str| (state, word, text.to_owned());
        match self {
            Self::Far(None | Some(Progress::Open)) => said("paid", common.status_paid, common.text_paid),
            Self::Far(Some(Progress::Packing)) => said("paid", messages.way_packing, messages.text_packing),
            Self::Far(Some(Progress::PartlyShipped { shipped, of })) => {
                let counts = [("count", &*number(shipped.into(), view.locale)), ("total", &*number(of.into(), view.locale))];
                ("paid", messages.way_partly, filled(messages.text_partly, &counts))
            }
            Self::Far(Some(Progress::Shipped | Progress::ExchangeSent)) => said("paid", messages.way_shipped, messages.text_shipped),
            Self::Far(Some(Progress::Delivered { .. })) => said("paid", messages.way_delivered, messages.text_delivered),
            Self::Far(Some(Progress::Returned)) => said("cancelled", messages.way_returned, messages.text_returned),
            Self::Exchange | Self::Far(Some(Progress::ExchangeToSend)) => said("paid", messages.way_exchange, messages.text_exchange),
            Self::Bank => said("waiting", messages.way_bank, messages.text_bank),
            Self::ChargedBack => said("cancelled", messages.way_charged_back, messages.text_charged_back),
        }
    }
}

impl Parcels {
    /// The list, or nothing.
    pub fn show(&self, view: &View) -> Option<AnyView> {
        let all: Vec<_> = self.shipments.iter().filter_map(|shipment| shipment.show(view)).collect();
        let title = follow(view.locale).parcels_title;
        (!all.is_empty()).then(|| view! { <section class="ledger" id="parcels"><h2>{title}</h2>{all}</section> }.into_any())
    }
}

impl Shipment {
    /// Nothing while it is being packed: the headline says so.
    fn show(&self, view: &View) -> Option<AnyView> {
        let messages = follow(view.locale);
        let day = |template: &str, at| filled(template, &[("date", &long_day(at, view))]);
        let sent = self.state.shipment()?;
        let arrived = match self.state {
            FulfilmentState::Delivered { at, assumed, .. } => Some(day(if assumed { messages.parcel_assumed } else { messages.parcel_arrived }, at)),
            FulfilmentState::Packing { .. } | FulfilmentState::Shipped { .. } => None,
        };
        let days = [Some(day(messages.parcel_sent, sent.at)), arrived].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let carried = sent.parcels.iter().filter_map(|parcel| carried(parcel, view)).collect_view();
        Some(
            view! {
                <div>
                    {give_back::pieces(&self.pieces, view)}
                    <dl class="carried">{carried}</dl>
                    <p class="why">{days}</p>
                </div>
            }
            .into_any(),
        )
    }
}

/// The carrier and the number, which leads to the carrier's page where we know it.
fn carried(parcel: &Parcel, view: &View) -> Option<AnyView> {
    let messages = follow(view.locale);
    let (carrier, code) = (parcel.carrier.clone(), parcel.tracking.clone());
    let carrier = (!carrier.is_empty()).then(|| view! { <div><dt>{messages.carrier}</dt><dd><bdi>{carrier}</bdi></dd></div> });
    let link = tracking::url(&parcel.carrier, &parcel.tracking);
    let code = (!code.is_empty()).then(|| {
        // Foreign pages learn nothing of the order's secret address.
        let shown = match link {
            Some(link) => view! { <a href=link rel="noreferrer"><bdi>{code}</bdi></a> }.into_any(),
            None => view! { <bdi>{code}</bdi> }.into_any(),
        };
        view! { <div><dt>{messages.tracking}</dt><dd>{shown}</dd></div> }
    });
    (carrier.is_some() || code.is_some()).then(|| view! { {carrier}{code} }.into_any())
}
