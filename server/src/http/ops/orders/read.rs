//! What the pages of orders show: one order with everything about it, as far as the reader's roles go.

use super::told;
use crate::{
    Shop,
    catalog::locations,
    http::{Failure, exchange, render},
    invoices,
    orders::{OrderView, Personal},
    params,
    staff::Staff,
};
use app::{
    mail::Kind,
    private::Notice,
    routes::{Address, Route},
    staff::{
        order::{Customer, LineName, OrderData, Refused, Shelf},
        orders::english,
    },
};
use domain::{
    OrderId, VariantId,
    order::{By, Order, ReturnState},
    staff::Right,
};
use std::{collections::BTreeSet, sync::Arc};

/// Variants of one product whose names are read.
const VARIANTS_MAX: i64 = 100;

/// Everything that the order's page shows.
pub async fn order(shop: &Shop, staff: &Staff, id: OrderId, refused: Option<Refused>, notice: Option<Notice>) -> Result<Option<OrderData>, Failure> {
    let Some(found) = shop.orders.by_id(id).await? else { return Ok(None) };
    let mut view = render::view_at_any_rate(shop, english()).await;
    if let Some(market) = view.shop.markets.iter().find(|market| market.code == found.market) {
        view.market = Arc::new(market.clone());
    }
    let names = names(shop, &found).await?;
    let shelves = shelves(shop, &found).await?.into_iter().map(|(location, portions)| Shelf { location, portions }).collect();
    let (mut variants, mut exchanges) = (Vec::new(), Vec::new());
    if staff.may(Right::ServeCustomers) && (!found.ledgers.returns.is_empty() || found.ledgers.can_return(By::Staff, shop.clock.now()).is_ok()) {
        for line in found.ledgers.lines.iter().filter(|line| found.ledgers.tally(line.line).returnable() > 0) {
            exchanges.extend(exchange::for_staff(shop, &found, line).await?.into_iter().map(|variant| (line.line, variant)));
        }
        let products: BTreeSet<_> = found.ledgers.lines.iter().map(|line| line.product).collect();
        let texts = exchange::texts(shop, &found, products.clone()).await?;
        for product in products {
            let sql = "SELECT id, sku, option_values FROM variants WHERE product_id = $1 AND active = 1 ORDER BY position, id LIMIT $2";
            for row in shop.db.all(sql, params![product, VARIANTS_MAX]).await? {
                let variant: VariantId = row.parse("id")?;
                let slugs = row.text("option_values")?;
                let options = texts.get(&variant).map_or_else(|| options(&slugs), |text| text.options.join(", "));
                let name = [options, row.text("sku")?].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>();
                variants.push((variant, name.join(" · ")));
            }
        }
    }
    let mut places: Vec<(String, String)> =
        locations::all(&shop.db, shop.clock.now()).await?.into_iter().map(|known| (known.code, known.name)).collect();
    for code in &found.body.locations {
        if !places.iter().any(|known| known.0 == *code) {
            places.push((code.clone(), code.clone()));
        }
    }
    let mut story = told::story(shop, &found, &names, &places).await?;
    if !sees_people(staff) {
        // Notes are about people.
        story.iter_mut().filter_map(|told| told.note.as_mut()).for_each(|note| "(your roles do not include personal data)".clone_into(note));
    }
    let mails = if staff.may(Right::ServeCustomers) { kinds(&shop.orders.mails(id).await?, &found.ledgers) } else { Vec::new() };
    let documents = if staff.may(Right::ServeCustomers) { invoices::of_order(&shop.db, id).await? } else { Vec::new() };
    let link = staff.may(Right::ServeCustomers).then(|| {
        let address = Address::new(found.locale, Route::Order { secret: found.secret.clone() });
        format!("{}{}", shop.config.url, address.url())
    });
    let promise = found.body.promised();
    Ok(Some(OrderData {
        number: found.number.to_string(),
        order: found.ledgers,
        names,
        quote: found.body.quote,
        method: found.body.method.title(english().text_language()),
        promise,
        customer: customer(staff, found.personal),
        link,
        locale: found.locale.to_string(),
        shelves,
        locations: places,
        variants,
        exchanges,
        mails,
        invoices: documents.into_iter().map(|known| (known.number, known.total)).collect(),
        story,
        refused,
        notice,
        view,
    }))
}

/// The kinds of mail that can be sent again, the latest first. That it was ordered, and the way back to it, can always be told;
/// the others as long as they are true: `CannotResend::NothingToTell` otherwise.
fn kinds(told: &[crate::mail::Told], known: &Order) -> Vec<Kind> {
    let mut kinds: Vec<Kind> = Vec::new();
    let is_awaited = known.returns.last().is_some_and(|back| back.state == ReturnState::Requested);
    for kind in told.iter().map(|mail| mail.kind).chain([Kind::Placed, Kind::Link]) {
        if !kinds.contains(&kind) && (kind != Kind::ReturnAnnounced || is_awaited) {
            kinds.push(kind);
        }
    }
    kinds
}

fn sees_people(staff: &Staff) -> bool {
    staff.may(Right::Ship) || staff.may(Right::ServeCustomers)
}

fn customer(staff: &Staff, personal: Option<Personal>) -> Customer {
    match personal {
        _ if !sees_people(staff) => Customer::Hidden,
        None => Customer::Erased,
        Some(Personal { contact, delivery, billing }) if staff.may(Right::ServeCustomers) => {
            Customer::Whole { contact, delivery, billing: billing.map(Box::new) }
        }
        Some(Personal { delivery, .. }) => Customer::Destination { delivery },
    }
}

/// What can be packed now, by location.
pub async fn shelves(shop: &Shop, found: &OrderView) -> anyhow::Result<Vec<(String, Vec<domain::order::Portion>)>> {
    let anywhere = found.body.locations.first().map_or("", String::as_str);
    shop.orders.to_pack(&found.ledgers, anywhere).await
}

/// What the lines are called: as frozen into the order, and pieces sent in exchange as the catalogue calls them now.
pub async fn names(shop: &Shop, found: &OrderView) -> anyhow::Result<Vec<LineName>> {
    let order: &Order = &found.ledgers;
    let texts = exchange::wanted(shop, found).await?;
    let mut names = Vec::with_capacity(order.lines.len());
    for (place, line) in order.lines.iter().enumerate() {
        let frozen = found.body.texts.get(place).filter(|_| line.replaces.is_none());
        if let Some(text) = frozen {
            names.push(LineName { title: text.title.clone(), options: text.options.join(", "), sku: text.sku.clone() });
            continue;
        }
        if let Some(text) = texts.get(&line.variant) {
            names.push(LineName { title: text.title.clone(), options: text.options.join(", "), sku: text.sku.clone() });
            continue;
        }
        // Not sold any more: nobody knows its options' names.
        let same = order.lines.iter().position(|known| known.product == line.product).and_then(|place| found.body.texts.get(place));
        let row = shop.db.first("SELECT sku, option_values FROM variants WHERE id = $1", params![line.variant]).await?;
        let (sku, values) = row.map_or(Ok::<_, anyhow::Error>(Default::default()), |row| Ok((row.text("sku")?, row.text("option_values")?)))?;
        names.push(LineName { title: same.map_or_else(|| sku.clone(), |text| text.title.clone()), options: options(&values), sku });
    }
    Ok(names)
}

/// `["tan","90"]` as `tan, 90`.
fn options(json: &str) -> String {
    serde_json::from_str::<Vec<String>>(json).unwrap_or_default().join(", ")
}
