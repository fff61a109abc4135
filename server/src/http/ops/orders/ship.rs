//! Sending many orders at once: the queue, the pick list, packing slips, and the form for carriers and numbers.

use super::{
    read,
    refusals::{named, sentence},
    typed,
};
use crate::{
    Shop,
    http::{
        Failure, Fields,
        forms::see_other,
        ops::{desk, query_fields, send},
    },
    orders::{
        ChangeError, OrderView, Wish,
        lists::{Key, PAGE},
        many::MANY,
        story::Actor,
    },
    staff::Staff,
};
use app::{
    pages::Fault,
    private::Notice,
    staff::{
        Route,
        order::{Act, LineName},
        orders::{english, state_words},
        ship::{self, CARRIER_FOR_ALL, LABELS, Label, ORDERS_MAX, PICKS, Pick, ROWS_MAX, SLIPS, Slip, Waiting},
    },
};
use axum::{
    Router,
    extract::{RawQuery, State},
    response::Response,
    routing::get,
};
use domain::{
    FulfilmentId, VariantId,
    order::{OrderNumber, Portion},
    staff::Right,
};
use uuid::Uuid;

pub fn routes() -> Router<Shop> {
    Router::new().route("/ops/orders/ship", get(queue).post(send_all)).route(PICKS, get(picks)).route(SLIPS, get(slips)).route(LABELS, get(labels))
}

async fn queue(State(shop): State<Shop>, staff: Staff, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    staff.require(Right::Ship)?;
    let query = query_fields(query.as_deref());
    let after: Option<Key> = query.get("after").parse().ok();
    let page = shop.orders.waiting("ship", None, after).await?;
    let numbers: Vec<OrderNumber> = page.rows.iter().map(|row| row.number).collect();
    let found = shop.orders.by_numbers(&numbers).await?;
    let unsent = |number: OrderNumber| {
        let order = found.iter().find(|order| order.number == number);
        order.map_or(0, |order| order.ledgers.unsent_portions().iter().map(|portion| portion.quantity).sum())
    };
    let waiting = page.rows.iter().map(|row| Waiting {
        number: row.number.to_string(),
        placed_at: row.placed_at,
        market: row.market.code().to_owned(),
        state: state_words(&row.status, &row.progress),
        pieces: unsent(row.number),
    });
    let notice = query
        .get("said")
        .parse::<usize>()
        .ok()
        .map(|n| Notice::good(if n == 1 { "1 shipment has left.".to_owned() } else { format!("{n} shipments have left.") }));
    send(&shop, ship::queue(&desk(&shop, &staff), waiting.collect(), page.more.map(|key| key.to_string()), notice))
}

/// What can be sent now of one order from one location.
struct Ready {
    found: OrderView,
    names: Vec<LineName>,
    location: (String, String),
    portions: Vec<Portion>,
}

impl Ready {
    fn named(&self) -> Vec<(u32, LineName)> {
        self.pieces().map(|(quantity, _, name)| (quantity, name)).collect()
    }

    /// Quantity, variant and name.
    fn pieces(&self) -> impl Iterator<Item = (u32, Option<VariantId>, LineName)> {
        self.portions.iter().map(|portion| {
            let place = self.found.ledgers.lines.iter().position(|known| known.line == portion.line);
            let variant = place.map(|place| self.found.ledgers.lines[place].variant);
            (portion.quantity, variant, place.and_then(|place| self.names.get(place).cloned()).unwrap_or_default())
        })
    }

    /// Whether it was ordered in the staff's language.
    fn is_english(&self) -> bool {
        self.found.locale.to_string().starts_with("en-")
    }

    fn label(&self) -> Label {
        let pieces: Vec<String> = self.named().into_iter().map(|(quantity, name)| format!("{quantity} × {}", name.title)).collect();
        Label { number: self.found.number.to_string(), location: self.location.clone(), pieces: pieces.join(", "), ..Label::default() }
    }
}

const _: () = assert!(ORDERS_MAX <= MANY && PAGE <= MANY);

/// The orders that a query or a form names, and the numbers of those of which nothing can be sent.
async fn ready(shop: &Shop, numbers: &[String]) -> Result<(Vec<Ready>, Vec<String>), Failure> {
    if numbers.len() > ORDERS_MAX {
        return Err(Fault::TooLarge.into());
    }
    let names = crate::catalog::locations::all(&shop.db, shop.clock.now()).await?;
    let numbers: Vec<OrderNumber> = numbers.iter().filter_map(|text| text.parse().ok()).collect();
    let found = shop.orders.by_numbers(&numbers).await?;
    let shelves = shop.orders.to_pack_of(&found).await?;
    let mut left_out: Vec<OrderNumber> = numbers.into_iter().filter(|number| !found.iter().any(|found| found.number == *number)).collect();
    let mut all = Vec::new();
    for (found, shelves) in found.into_iter().zip(shelves) {
        if shelves.is_empty() || all.len() + shelves.len() > ROWS_MAX {
            left_out.push(found.number);
            continue;
        }
        let lines = read::names(shop, &found).await?;
        for (code, portions) in shelves {
            let name = names.iter().find(|known| known.code == code).map_or_else(|| code.clone(), |known| known.name.clone());
            all.push(Ready { found: found.clone(), names: lines.clone(), location: (code, name), portions });
        }
    }
    Ok((all, left_out.iter().map(OrderNumber::to_string).collect()))
}

/// The orders that were chosen, each once.
fn chosen(fields: &Fields) -> Vec<String> {
    let mut numbers: Vec<String> = Vec::new();
    for (_, number) in fields.iter().filter(|(name, _)| *name == "order") {
        if !numbers.iter().any(|known| known == number) {
            numbers.push(number.to_owned());
        }
    }
    numbers
}

async fn picks(State(shop): State<Shop>, staff: Staff, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    staff.require(Right::Ship)?;
    let (all, left_out) = ready(&shop, &chosen(&query_fields(query.as_deref()))).await?;
    // One row a variant: orders call it in their own languages. The first English one names it, or else the first.
    let mut picks: Vec<(Option<VariantId>, Pick)> = Vec::new();
    let (english, others): (Vec<&Ready>, Vec<&Ready>) = all.iter().partition(|ready| ready.is_english());
    for ready in english.into_iter().chain(others) {
        let number = ready.found.number.to_string();
        for (quantity, variant, name) in ready.pieces() {
            match picks.iter_mut().find(|(known, pick)| pick.location == ready.location.1 && *known == variant) {
                Some((_, pick)) => {
                    pick.quantity += quantity;
                    pick.orders.push((number.clone(), quantity));
                }
                None => picks.push((variant, Pick { location: ready.location.1.clone(), name, quantity, orders: vec![(number.clone(), quantity)] })),
            }
        }
    }
    let mut picks: Vec<Pick> = picks.into_iter().map(|(_, pick)| pick).collect();
    picks.sort_by(|a, b| (&a.location, &a.name.sku, &a.name.title).cmp(&(&b.location, &b.name.sku, &b.name.title)));
    send(&shop, ship::picks(&desk(&shop, &staff), &picks, &left_out))
}

async fn slips(State(shop): State<Shop>, staff: Staff, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    staff.require(Right::Ship)?;
    let (all, left_out) = ready(&shop, &chosen(&query_fields(query.as_deref()))).await?;
    let slips = all.into_iter().map(|ready| Slip {
        number: ready.found.number.to_string(),
        placed_at: ready.found.placed_at,
        location: ready.location.1.clone(),
        method: ready.found.body.method.name(english().text_language()).to_owned(),
        pieces: ready.named(),
        address: ready.found.personal.map(|personal| personal.delivery),
    });
    let slips = slips.collect();
    send(&shop, ship::slips(&desk(&shop, &staff), slips, &left_out))
}

async fn labels(State(shop): State<Shop>, staff: Staff, RawQuery(query): RawQuery) -> Result<Response, Failure> {
    staff.require(Right::Ship)?;
    let (all, left_out) = ready(&shop, &chosen(&query_fields(query.as_deref()))).await?;
    let desk = desk(&shop, &staff);
    let id = desk.mutation.clone();
    send(&shop, ship::labels(&desk, &id, "", all.iter().map(Ready::label).collect(), &left_out))
}

async fn send_all(State(shop): State<Shop>, staff: Staff, fields: Fields) -> Result<Response, Failure> {
    staff.require(Right::Ship)?;
    let Ok(id) = fields.get("id").parse::<Uuid>() else { return Err(Fault::BadRequest.into()) };
    let column = |name: &str| -> Vec<&str> { fields.iter().filter(|(key, _)| *key == name).map(|(_, value)| value).collect() };
    let (rows, carriers, numbers) = (column("row"), column("carrier"), column("tracking"));
    if rows.len() != carriers.len() || rows.len() != numbers.len() || rows.len() > ROWS_MAX {
        return Err(Fault::BadRequest.into());
    }
    let mut labels = Vec::with_capacity(rows.len());
    let for_all = fields.get(CARRIER_FOR_ALL).trim();
    for ((row, carrier), tracking) in rows.into_iter().zip(carriers).zip(numbers) {
        let goes_with_all = carrier.trim().is_empty() && !tracking.trim().is_empty();
        let label = Box::pin(send_one(&shop, &staff, id, row, if goes_with_all { for_all } else { carrier }, tracking)).await?;
        // What was typed stays as it was typed.
        labels.push(Label { carrier: carrier.to_owned(), ..label });
    }
    let failed = labels.iter().any(|label| matches!(label.outcome, Some(Err(_))));
    if failed {
        return send(&shop, ship::labels(&desk(&shop, &staff), &id.to_string(), for_all, labels, &[]));
    }
    let sent = labels.iter().filter(|label| label.outcome.is_some()).count();
    Ok(see_other(&format!("{}?said={sent}", Route::Ship { after: None }.url())))
}

/// Sends everything of one order that lies at one location. `row` is the order's number and the location's code.
async fn send_one(shop: &Shop, staff: &Staff, id: Uuid, row: &str, carrier: &str, tracking: &str) -> Result<Label, Failure> {
    let (number, location) = row.split_once(' ').ok_or(Fault::BadRequest)?;
    let number: OrderNumber = number.parse().map_err(|_| Fault::BadRequest)?;
    let blank = Label {
        number: number.to_string(),
        location: (location.to_owned(), location.to_owned()),
        carrier: carrier.to_owned(),
        tracking: tracking.to_owned(),
        ..Label::default()
    };
    if carrier.trim().is_empty() && tracking.trim().is_empty() {
        return Ok(blank);
    }
    let anonymous = |line: u32| format!("line {}", line + 1);
    let refused = |label: Label, why: String| Label { outcome: Some(Err(why)), ..label };
    let Some(order) = shop.orders.numbered(number).await? else { return Ok(refused(blank, sentence(&ChangeError::NotFound, &anonymous))) };
    let Some(found) = shop.orders.by_id(order).await? else { return Ok(refused(blank, sentence(&ChangeError::NotFound, &anonymous))) };
    // The same form again names the same shipment.
    let bytes = shop.keys.hmac("bulk shipment", format!("{id}:{order}:{location}").as_bytes());
    let fulfilment = FulfilmentId(Uuid::from_slice(&bytes[..16]).map_err(anyhow::Error::from)?);
    if found.ledgers.fulfilments.iter().any(|known| known.id == fulfilment) {
        return Ok(Label { outcome: Some(Ok("Shipped.".to_owned())), ..blank });
    }
    let shelf = read::shelves(shop, &found).await?.into_iter().find(|shelf| shelf.0 == location);
    let Some((_, portions)) = shelf else {
        let why = found
            .ledgers
            .can_fulfil()
            .err()
            .map_or_else(|| "Nothing of it lies there any more.".to_owned(), |refusal| sentence(&refusal.into(), &anonymous));
        return Ok(refused(blank, why));
    };
    let ready = Ready { names: read::names(shop, &found).await?, location: blank.location.clone(), portions, found };
    let label = Label { carrier: blank.carrier, tracking: blank.tracking, ..ready.label() };
    let parcels = match typed::named(carrier, tracking.split([',', ';'])) {
        Ok(parcels) => parcels,
        Err(why) => return Ok(refused(label, why)),
    };
    let wish = Wish { key: format!("bulk:{fulfilment}"), fingerprint: format!("{location} {carrier} {tracking}"), action: Act::Send.logged() };
    let actor = Actor::Staff(staff.id().to_string());
    match shop.orders.wishing(wish).pack_and_ship(order, fulfilment, location, &ready.portions, &parcels, actor).await {
        Ok(_) => Ok(Label { outcome: Some(Ok("Shipped.".to_owned())), ..label }),
        Err(ChangeError::Failed(error)) => Err(error.into()),
        Err(refusal) => {
            let lines: Vec<u32> = ready.found.ledgers.lines.iter().map(|line| line.line).collect();
            Ok(refused(label, sentence(&refusal, &|line| named(&lines, &ready.names, line))))
        }
    }
}
