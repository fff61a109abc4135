//! Sending many orders: those that wait, a pick list, packing slips, and one form for all carriers and numbers. Lists and slips are made to be
//! printed and show no prices.

use super::{Action, Desk, Route, Section, Sheet, form::Field, order::LineName, orders::english, time, turn};
use crate::{
    i18n::number,
    private::{Notice, country_name},
};
use domain::{address::Address, offer::Instant};
use leptos::prelude::*;

/// Orders that are handled at once.
pub const ORDERS_MAX: usize = 50;
/// Shipments in one form: an order that lies at two locations has two.
pub const ROWS_MAX: usize = 60;

/// Where the pick list, the packing slips and the form for numbers are.
pub const PICKS: &str = "/ops/orders/ship/picks";
pub const SLIPS: &str = "/ops/orders/ship/slips";
pub const LABELS: &str = "/ops/orders/ship/labels";
/// The field for the carrier of all rows that name none.
pub const CARRIER_FOR_ALL: &str = "carrier_for_all";

/// An order that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    pub number: String,
    pub placed_at: Instant,
    pub market: String,
    pub state: &'static str,
    /// That have not left.
    pub pieces: u32,
}

/// The orders that wait, to choose from.
pub fn queue(desk: &Desk, waiting: Vec<Waiting>, more: Option<String>, notice: Option<Notice>) -> Sheet {
    let body = if waiting.is_empty() {
        view! { <p class="empty">"Nothing waits to be sent."</p> }.into_any()
    } else {
        let pieces: u32 = waiting.iter().map(|order| order.pieces).sum();
        let (orders, all) = (counted(waiting.len(), "order"), counted(usize::try_from(pieces).unwrap_or(usize::MAX), "piece"));
        let chosen = if waiting.len() == 1 { "It is chosen." } else { "All of them are chosen: untick those that are to wait." };
        let count = format!("{orders} with {all} to send on this page. {chosen}");
        let rows = waiting.into_iter().map(|order| {
            let (id, label) = (format!("o-{}", order.number), format!("Order {}", order.number));
            view! {
                <tr>
                    <td data-label="Choose"><input id=id type="checkbox" name="order" value=order.number.clone() aria-label=label checked/></td>
                    <th scope="row" data-label="Order"><a href=Route::Order { number: order.number.clone() }.url()>{order.number.clone()}</a></th>
                    <td data-label="Placed">{time(order.placed_at)}</td>
                    <td data-label="Market">{order.market}</td>
                    <td data-label="State">{order.state}</td>
                    <td data-label="Pieces" class="n">{number(order.pieces.into(), english())}</td>
                </tr>
            }
        });
        let rows = rows.collect_view();
        view! {
            <form method="get" action=PICKS class="bulk">
                <p class="why">{count}</p>
                <div class="buttons">
                    <button class="button quiet">"Pick list"</button>
                    <button class="button quiet" formaction=SLIPS>"Packing slips"</button>
                    <button class="button" formaction=LABELS>"Enter numbers and ship…"</button>
                </div>
                <table class="rows">
                    <thead>
                        <tr>
                            <th scope="col">"Choose"</th><th scope="col">"Order"</th><th scope="col">"Placed"</th><th scope="col">"Market"</th>
                            <th scope="col">"State"</th><th scope="col" class="n">"Pieces"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </form>
            {turn("More orders", more.map(|after| Route::Ship { after: Some(after) }))}
        }
        .into_any()
    };
    Sheet::framed(desk, Section::Ship, "Ship", notice, ().into_any(), body)
}

/// `1 order`, `1,200 pieces`.
fn counted(n: usize, of: &str) -> String {
    let many = if n == 1 { "" } else { "s" };
    format!("{} {of}{many}", number(u64::try_from(n).unwrap_or(u64::MAX), english()))
}

/// Pieces of one variant to fetch from one location, and for which orders.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pick {
    pub location: String,
    pub name: LineName,
    pub quantity: u32,
    /// Numbers, each with its quantity.
    pub orders: Vec<(String, u32)>,
}

/// What to fetch, by location and SKU.
pub fn picks(desk: &Desk, picks: &[Pick], left_out: &[String]) -> Sheet {
    let mut sections = Vec::new();
    for part in picks.chunk_by(|a, b| a.location == b.location) {
        let rows = part.iter().map(|pick| {
            let orders: Vec<String> = pick.orders.iter().map(|(number, quantity)| format!("{number} ({quantity})")).collect();
            view! {
                <tr>
                    <td data-label="Fetched"><span class="box"></span></td>
                    <th scope="row" data-label="SKU">{pick.name.sku.clone()}</th>
                    <td data-label="Piece"><span>{pick.name.title.clone()}<small>{pick.name.options.clone()}</small></span></td>
                    <td data-label="Quantity" class="n"><b>{pick.quantity}</b></td>
                    <td data-label="For">{orders.join(", ")}</td>
                </tr>
            }
        });
        let rows = rows.collect_view();
        let location = part.first().map(|pick| pick.location.clone());
        sections.push(view! {
            <section>
                <h2 class="panel-h">{location}</h2>
                <table class="rows">
                    <thead>
                        <tr>
                            <th scope="col">"Fetched"</th><th scope="col">"SKU"</th><th scope="col">"Piece"</th><th scope="col" class="n">"Quantity"</th>
                            <th scope="col">"For"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        });
    }
    let empty =
        picks.is_empty().then(|| view! { <p class="empty">"Nothing of these orders lies on a shelf to be fetched. Go back and choose others."</p> });
    let body = view! { {left_out_words(left_out)}{empty}{sections} };
    Sheet::framed(desk, Section::Ship, "Pick list", None, ().into_any(), body.into_any())
}

/// One parcel's slip.
#[derive(Clone, Debug)]
pub struct Slip {
    pub number: String,
    pub placed_at: Instant,
    pub location: String,
    pub method: String,
    /// `None`: the customer was erased.
    pub address: Option<Address>,
    /// Quantity and name.
    pub pieces: Vec<(u32, LineName)>,
}

/// One slip an order and location, each on a page of its own.
pub fn slips(desk: &Desk, slips: Vec<Slip>, left_out: &[String]) -> Sheet {
    let empty =
        slips.is_empty().then(|| view! { <p class="empty">"Nothing of these orders lies on a shelf to be packed. Go back and choose others."</p> });
    let slips = slips.into_iter().map(|slip| {
        let lines = slip.address.map(|address| {
            let mut lines = address.label();
            lines.push(country_name(address.country, english()).to_owned());
            lines.join("\n")
        });
        let pieces = slip.pieces.into_iter().map(|(quantity, name)| {
            let small = [name.options, name.sku].into_iter().filter(|text| !text.is_empty()).collect::<Vec<_>>().join(" · ");
            view! { <tr><td class="n">{quantity}" ×"</td><th scope="row">{name.title}<small>{small}</small></th></tr> }
        });
        let pieces = pieces.collect_view();
        view! {
            <article class="slip">
                <h2>{slip.number}</h2>
                <p class="why">{time(slip.placed_at)}", "{slip.method}", from "{slip.location}</p>
                <address>{lines}</address>
                <table class="rows plain"><tbody>{pieces}</tbody></table>
            </article>
        }
    });
    let slips = slips.collect_view();
    Sheet::framed(desk, Section::Ship, "Packing slips", None, ().into_any(), view! { {left_out_words(left_out)}{empty}{slips} }.into_any())
}

fn left_out_words(left_out: &[String]) -> Option<AnyView> {
    (!left_out.is_empty()).then(|| Notice::bad(format!("Left out, because nothing of them can be sent now: {}.", left_out.join(", "))).show())
}

/// One shipment in the form: pieces of an order at a location.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    pub number: String,
    /// The location's code and name.
    pub location: (String, String),
    /// `1 × Leather belt, Tan`.
    pub pieces: String,
    /// As typed.
    pub carrier: String,
    pub tracking: String,
    /// What became of it, once the form was sent.
    pub outcome: Option<Result<String, String>>,
}

/// One form for all carriers and numbers, and what became of each. `carrier` is the one for rows that name none.
pub fn labels(desk: &Desk, id: &str, carrier: &str, labels: Vec<Label>, left_out: &[String]) -> Sheet {
    let refused = labels.iter().any(|label| matches!(label.outcome, Some(Err(_))));
    let done = labels.iter().filter(|label| matches!(label.outcome, Some(Ok(_)))).count();
    let notice = refused.then(|| Notice::bad(format!("{done} of {} were shipped. The others are below, each with the reason.", labels.len())));
    let all_done = !labels.is_empty() && done == labels.len();
    let empty = labels.is_empty().then(|| view! { <p class="empty">"Nothing of these orders can be shipped. Go back and choose others."</p> });
    let rows = labels.into_iter().enumerate().map(|(place, label)| row(place, label)).collect_view();
    let send = (empty.is_none() && !all_done).then(|| view! { <div class="buttons"><button class="button">"Ship"</button></div> });
    let common = send.is_some().then(|| {
        let hint = "For every row with a number and no carrier of its own. A row with neither is left as it is.";
        Field { value: carrier.to_owned(), hint, chars_max: 40, ..Field::new(CARRIER_FOR_ALL, "Carrier") }.text()
    });
    let body = view! {
        {left_out_words(left_out)}
        {empty}
        <form method="post" action=Action::ShipAll.url() class="bulk">
            <input type="hidden" name="id" value=id.to_owned()/>
            {common}
            {rows}
            {send}
        </form>
        <p><a href=Route::Ship { after: None }.url()>"Back to the orders that wait"</a></p>
    };
    Sheet::framed(desk, Section::Ship, "Carriers and numbers", notice, ().into_any(), body.into_any()).with_status(if refused { 422 } else { 200 })
}

fn row(place: usize, label: Label) -> AnyView {
    let (carrier, tracking) = (format!("carrier-{place}"), format!("tracking-{place}"));
    let link = view! { <a href=Route::Order { number: label.number.clone() }.url()>{label.number.clone()}</a> };
    let told = view! { <p><b>{link}</b>" · "{label.location.1}<small class="why">" "{label.pieces}</small></p> };
    match label.outcome {
        Some(Ok(words)) => view! { <div class="panel">{told}<p class="notice good">{words}</p></div> }.into_any(),
        outcome => {
            let why = match outcome {
                Some(Err(why)) => Some(view! { <p class="notice bad" role="alert">{why}</p> }),
                _ => None,
            };
            view! {
                <div class="panel">
                    {told}
                    {why}
                    <input type="hidden" name="row" value=format!("{} {}", label.number, label.location.0)/>
                    <div class="find">
                        <div class="field"><label for=tracking.clone()>"Tracking numbers, separated by commas"<span class="vh">" of "{label.number.clone()}</span></label><input id=tracking type="text" name="tracking" value=label.tracking autocomplete="off" maxlength="400"/></div>
                        <div class="field"><label for=carrier.clone()>"Another carrier"<span class="vh">" for "{label.number.clone()}</span></label><input id=carrier type="text" name="carrier" value=label.carrier autocomplete="off" maxlength="40"/></div>
                    </div>
                </div>
            }
            .into_any()
        }
    }
}
