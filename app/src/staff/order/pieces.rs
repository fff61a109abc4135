//! The pieces of an order: what each line is, where its pieces are, what was sent, and how the total came about.

use super::{Act, OrderData, may, slot::Slot};
use crate::{
    i18n::{money, number},
    private::{sums, trace},
    staff::{Desk, orders::english, time},
};
use domain::order::{Fulfilment, FulfilmentState, Parcel, Tally};
use leptos::prelude::*;

/// The lines.
pub fn table(data: &OrderData) -> AnyView {
    let rows = data.order.lines.iter().enumerate().map(|(place, line)| {
        let name = data.names.get(place).cloned().unwrap_or_default();
        let small = [name.sku, name.options].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
        let replaces = line.replaces.map(|_| view! { <span class="tag">"Exchange"</span> });
        let unit = data.quote.lines.get(place).filter(|_| line.replaces.is_none()).map(|priced| {
            let was = priced.unit_was.map(|was| view! { <s>{money(was, english())}</s>" " });
            view! { <span>{was}{money(priced.unit, english())}</span> }
        });
        // Its amount was paid with what it is sent for.
        let paid = line.replaces.map_or_else(|| money(line.amount, english()), |_| "in exchange".to_owned());
        view! {
            <tr>
                <th scope="row" data-label="Piece"><span>{name.title}" "{replaces}<small>{small}</small></span></th>
                <td data-label="Where">{places(data, line.line)}</td>
                <td data-label="Quantity" class="n">{number(line.quantity.into(), english())}</td>
                <td data-label="Price" class="n">{unit}</td>
                <td data-label="Paid" class="n">{paid}</td>
            </tr>
        }
    });
    let rows = rows.collect_view();
    view! {
        <table class="rows">
            <thead>
                <tr>
                    <th scope="col">"Piece"</th><th scope="col">"Where"</th><th scope="col" class="n">"Quantity"</th>
                    <th scope="col" class="n">"Price"</th><th scope="col" class="n">"Paid"</th>
                </tr>
            </thead>
            <tbody>{rows}</tbody>
        </table>
    }
    .into_any()
}

/// Where the pieces of a line are, each in one place: `1 shipped` from a location, `2 to pack`, `1 came back`.
fn places(data: &OrderData, line: u32) -> AnyView {
    let tally: Tally = data.order.tally(line);
    let (mut words, mut shelved) = (Vec::new(), 0);
    for shelf in &data.shelves {
        let here: u32 = shelf.portions.iter().filter(|portion| portion.line == line).map(|portion| portion.quantity).sum();
        shelved += here;
        if here > 0 {
            words.push(format!("{here} to pack in {}", data.location(&shelf.location)));
        }
    }
    let mut gone = tally.returning + tally.returned;
    for fulfilment in &data.order.fulfilments {
        let mut here: u32 = fulfilment.portions.iter().filter(|portion| portion.line == line).map(|portion| portion.quantity).sum();
        if fulfilment.state.shipment().is_some() {
            let back = gone.min(here);
            (here, gone) = (here - back, gone - back);
        }
        if here > 0 {
            let way = if fulfilment.state.shipment().is_some() { "from" } else { "in" };
            words.push(format!("{here} {} {way} {}", fulfilment.state.word(), data.location(&fulfilment.location)));
        }
    }
    for (count, what) in [(tally.cancelled, "cancelled"), (tally.returning, "coming back"), (tally.returned, "came back")] {
        if count > 0 {
            words.push(format!("{count} {what}"));
        }
    }
    let elsewhere = tally.open().saturating_sub(shelved);
    if elsewhere > 0 {
        let what = if data.order.progress().is_some() { "to pack" } else { "not paid" };
        words.push(format!("{elsewhere} {what}"));
    }
    let words = words.into_iter().map(|text| view! { <span class="place">{text}</span> });
    view! { <span>{words.collect_view()}</span> }.into_any()
}

/// What is packed and sent, each with what can be done about it.
pub fn shipments(desk: &Desk, data: &OrderData) -> AnyView {
    if data.order.fulfilments.is_empty() {
        return ().into_any();
    }
    let all = data.order.fulfilments.iter().map(|fulfilment| shipment(desk, data, fulfilment));
    let all = all.collect_view();
    view! { <section><h2 class="panel-h">"Shipments"</h2>{all}</section> }.into_any()
}

fn shipment(desk: &Desk, data: &OrderData, fulfilment: &Fulfilment) -> AnyView {
    let pieces: Vec<String> = fulfilment.portions.iter().map(|portion| format!("{} × {}", portion.quantity, data.name(portion.line))).collect();
    let when = match &fulfilment.state {
        FulfilmentState::Packing { since } => view! { "packing since "{time(*since)} }.into_any(),
        FulfilmentState::Shipped { shipment } => view! { "left "{time(shipment.at)} }.into_any(),
        FulfilmentState::Delivered { shipment, at, assumed } => {
            let words = if *assumed { ", must have arrived by " } else { ", arrived " };
            view! { "left "{time(shipment.at)}{words}{time(*at)} }.into_any()
        }
    };
    let parcels = fulfilment.state.shipment().map(|shipment| shipment.parcels.clone()).unwrap_or_default();
    let list = parcels.iter().map(|parcel| {
        let number = match parcel.tracking.as_str() {
            "" => view! { "without a number" }.into_any(),
            number => view! { <code>{number.to_owned()}</code> }.into_any(),
        };
        view! { <li>{parcel.carrier.clone()}" "{number}</li> }
    });
    let list = list.collect_view();
    view! {
        <div class="panel">
            <p><b>{data.location(&fulfilment.location)}</b>": "{when}</p>
            <p class="why">{pieces.join(", ")}</p>
            <ul class="parcels">{list}</ul>
            {acts(desk, data, fulfilment, &parcels)}
        </div>
    }
    .into_any()
}

fn acts(desk: &Desk, data: &OrderData, fulfilment: &Fulfilment, parcels: &[Parcel]) -> AnyView {
    if !may(desk, Act::Send) {
        return ().into_any();
    }
    let of = fulfilment.id.to_string();
    let slot = |act| Slot::new(act, of.clone(), data);
    match &fulfilment.state {
        FulfilmentState::Packing { .. } => {
            let send = data.order.is_paid_for().is_ok().then(|| {
                let slot = slot(Act::Send);
                slot.show(desk, "Ship…", carrier(&slot, &[]), &[("ship", "Ship")])
            });
            let unpack = slot(Act::Unpack);
            let words = view! { <p class="why">"The pieces go back to the shelf and can be cancelled again."</p> };
            view! { {send}{unpack.show(desk, "Put back…", words.into_any(), &[("unpack", "Put back on the shelf")])} }.into_any()
        }
        state => {
            let correct = slot(Act::Parcels);
            let arrived = matches!(state, FulfilmentState::Shipped { .. } | FulfilmentState::Delivered { assumed: true, .. }).then(|| {
                let slot = slot(Act::Delivered);
                let sure = slot.sure("It has arrived. The time for returns begins; this cannot be undone.");
                slot.show(desk, "Delivered…", sure, &[("delivered", "Mark as delivered")])
            });
            view! { {correct.show(desk, "Correct carrier or numbers…", carrier(&correct, parcels), &[("correct", "Save")])}{arrived} }.into_any()
        }
    }
}

/// Carrier and numbers.
pub fn carrier(slot: &Slot<'_>, parcels: &[Parcel]) -> AnyView {
    let name = parcels.first().map_or("", |parcel| parcel.carrier.as_str());
    let numbers: Vec<&str> = parcels.iter().map(|parcel| parcel.tracking.as_str()).collect();
    view! {
        {slot.line("carrier", "Carrier", name, "DHL, UPS, … as the shopper knows it.", "text")}
        {slot.area("tracking", "Tracking numbers", &numbers.join("\n"), "One a parcel, each on a line of its own. Leave it empty for one parcel without a number.", 1_000)}
    }
    .into_any()
}

/// Every amount with its reason.
pub fn total(data: &OrderData) -> AnyView {
    let rows = data.quote.entries.iter().map(|entry| {
        let (label, why) = (sums::label(entry, &data.view), sums::because(entry, &data.quote, &data.view));
        let class = if entry.included { "n why" } else { "n" };
        view! { <tr><th scope="row">{label}<small>{why}</small></th><td class=class>{sums::amount(entry, &data.view)}</td></tr> }
    });
    let rows = rows.collect_view();
    let total = money(data.order.total, english());
    let title = |variant| {
        let place = data.quote.lines.iter().position(|line| line.variant == variant);
        place.and_then(|place| data.names.get(place)).map_or_else(|| variant.to_string(), |name| name.title.clone())
    };
    let trace = trace::whole(&data.quote, title, &data.view).map(|rows| {
        view! {
            <h3 class="panel-h">"Promotions, in the order in which they applied"</h3>
            <table class="rows plain"><tbody>{rows}</tbody></table>
        }
    });
    view! {
        <section>
            <h2 class="panel-h">"How the total came about"</h2>
            <table class="rows plain"><tbody>{rows}</tbody><tfoot><tr><th scope="row">"Total"</th><td class="n">{total}</td></tr></tfoot></table>
            {trace}
        </section>
    }
    .into_any()
}
