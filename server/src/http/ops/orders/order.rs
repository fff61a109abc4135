//! One order's page, and the forms on it.

use super::{
    act, read,
    refusals::{field, named, sentence},
    typed::Refusal,
};
use crate::{
    Shop,
    http::{
        Failure, Fields,
        forms::see_other,
        ops::{desk, query_fields, send},
    },
    staff::Staff,
};
use app::{
    pages::Fault,
    private::Notice,
    staff::{
        Route,
        order::{Act, Customer, Refused, page},
    },
};
use axum::{
    Router,
    extract::{Path, RawQuery, State},
    response::Response,
    routing::{get, post},
};
use domain::{OrderId, order::OrderNumber};

pub fn routes() -> Router<Shop> {
    Router::new().route("/ops/orders/{number}", get(show)).route("/ops/orders/{number}/{act}", post(change))
}

async fn show(State(shop): State<Shop>, staff: Staff, Path(number): Path<String>, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    let (id, number) = find(&shop, &number).await?;
    let said = query_fields(query.as_deref());
    let notice = Act::from_word(said.get("said")).map(|act| Notice::good(act.said()));
    respond(&shop, &staff, id, &number, None, notice).await
}

async fn change(State(shop): State<Shop>, staff: Staff, Path((number, act)): Path<(String, String)>, fields: Fields) -> Result<Response, Failure> {
    let act = Act::from_word(&act).ok_or(Fault::NotFound)?;
    staff.require(act.right())?;
    let (id, number) = find(&shop, &number).await?;
    match Box::pin(act::perform(&shop, &staff, id, act, &fields)).await {
        Ok(()) => Ok(see_other(&format!("{}?said={}", Route::Order { number: number.to_string() }.url(), act.word()))),
        Err(refusal) => {
            let (why, wrong) = match refusal {
                Refusal::Rule(error) => {
                    let why = sentence(&error, &names(&shop, id).await?);
                    (why.clone(), field(act, &error).map(|field| (field, why)).into_iter().collect())
                }
                Refusal::Wrong(wrong) => (wrong.iter().map(|(_, why)| why.as_str()).collect::<Vec<_>>().join(" "), wrong),
                Refusal::Why(why) => (why, Vec::new()),
                Refusal::Failed(error) => return Err(error.into()),
            };
            let typed = fields.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            let refused = Refused { act, of: fields.get("of").to_owned(), fields: typed, why, wrong };
            respond(&shop, &staff, id, &number, Some(refused), None).await
        }
    }
}

async fn find(shop: &Shop, number: &str) -> Result<(OrderId, OrderNumber), Failure> {
    let number: OrderNumber = number.parse().map_err(|_| Fault::NotFound)?;
    let id = shop.orders.numbered(number).await?.ok_or(Fault::NotFound)?;
    Ok((id, number))
}

/// What the lines are called, for whoever is refused some of them.
async fn names(shop: &Shop, id: OrderId) -> anyhow::Result<impl Fn(u32) -> String + use<>> {
    let found = shop.orders.by_id(id).await?;
    let names = if let Some(found) = &found { read::names(shop, found).await? } else { Vec::new() };
    let lines: Vec<u32> = found.map(|found| found.ledgers.lines.iter().map(|line| line.line).collect()).unwrap_or_default();
    Ok(move |line| named(&lines, &names, line))
}

async fn respond(
    shop: &Shop,
    staff: &Staff,
    id: OrderId,
    number: &OrderNumber,
    refused: Option<Refused>,
    notice: Option<Notice>,
) -> Result<Response, Failure> {
    let data = read::order(shop, staff, id, refused, notice).await?;
    let Some(mut data) = data else { return Err(Fault::NotFound.into()) };
    // A form that is not offered any more has no place of its own for what is wrong.
    if let Some(refused) = &data.refused
        && !is_offered(&data, refused)
    {
        data.notice = Some(Notice::bad(refused.why.clone()));
    }
    tracing::debug!(%number, "an order was looked at");
    send(shop, page(&desk(shop, staff), data))
}

/// Whether the page still has the form.
fn is_offered(data: &app::staff::order::OrderData, refused: &Refused) -> bool {
    let order = &data.order;
    let shipment = || order.fulfilments.iter().find(|known| known.id.to_string() == refused.of);
    match refused.act {
        Act::Pack => data.shelves.iter().any(|shelf| shelf.location == refused.of),
        Act::Send => shipment().is_some_and(|known| known.state.shipment().is_none()) && order.is_paid_for().is_ok(),
        Act::Unpack => shipment().is_some_and(|known| known.state.shipment().is_none()),
        Act::Parcels => shipment().is_some_and(|known| known.state.shipment().is_some()),
        Act::Delivered => shipment().is_some_and(|known| known.state.word() == "shipped"),
        Act::Cancel => order.can_cancel(domain::order::By::Staff).is_ok(),
        Act::Refund => order.goodwill_left().minor > 0 && !order.is_disputed(),
        Act::Retry | Act::Settle => order.refunds.iter().any(|known| known.id.to_string() == refused.of && known.state.is_stuck()),
        Act::Odd => order.payments.iter().any(|known| known.id.to_string() == refused.of && known.odd.is_some_and(|odd| !odd.settled)),
        Act::Receive | Act::Refuse | Act::CallOff => {
            order.returns.iter().any(|known| known.id.to_string() == refused.of && known.state == domain::order::ReturnState::Requested)
        }
        Act::Address => order.can_correct_address().is_ok(),
        Act::Return => order.can_return(domain::order::By::Staff, i64::MAX).is_ok(),
        Act::Mail => !data.mails.is_empty() && !matches!(data.customer, Customer::Erased),
        Act::Note => true,
    }
}
