//! What differs between an order before and after a change, for the log of what staff changed: figures and words, no personal data.

use domain::{
    money::Money,
    order::{Fulfilment, Order, Portion, Return, ReturnState},
};
use serde_json::{Map, Value, json};

/// The parts that differ, as they were and as they are.
pub fn between(before: &Order, after: &Order) -> (Value, Value) {
    let (mut was, mut is) = (parts(before), parts(after));
    let same: Vec<String> = was.iter().filter(|(key, value)| is.get(*key) == Some(value)).map(|(key, _)| key.clone()).collect();
    for key in same {
        was.remove(&key);
        is.remove(&key);
    }
    (Value::Object(was), Value::Object(is))
}

fn parts(order: &Order) -> Map<String, Value> {
    let mut parts = Map::new();
    parts.insert("state".to_owned(), json!(order.progress().map_or_else(|| order.status().word(), domain::order::Progress::word)));
    for refund in &order.refunds {
        let mut value = json!({ "amount": amount(refund.amount), "reason": refund.reason.code(), "state": refund.state.word() });
        if let Some(why) = refund.goodwill {
            value["why"] = json!(why.code());
        }
        parts.insert(format!("refund {}", refund.id), value);
    }
    for done in &order.cancellations {
        parts.insert(format!("cancellation {}", done.id), json!({ "pieces": pieces(&done.portions), "reason": done.reason.code() }));
    }
    for fulfilment in &order.fulfilments {
        parts.insert(format!("shipment {}", fulfilment.id), shipment(fulfilment));
    }
    for back in &order.returns {
        parts.insert(format!("return {}", back.id), returned(back));
    }
    parts
}

fn shipment(fulfilment: &Fulfilment) -> Value {
    let parcels: Vec<String> = fulfilment
        .state
        .shipment()
        .map(|shipment| shipment.parcels.iter().map(|parcel| format!("{} {}", parcel.carrier, parcel.tracking).trim().to_owned()).collect())
        .unwrap_or_default();
    json!({ "from": fulfilment.location, "pieces": pieces(&fulfilment.portions), "state": fulfilment.state.word(), "parcels": parcels })
}

fn returned(back: &Return) -> Value {
    let announced: u32 = back.items.iter().map(|item| item.quantity).sum();
    match &back.state {
        ReturnState::Received { receipts, kept_back, delivery, .. } => {
            let came: u32 = receipts.iter().map(|receipt| receipt.quantity).sum();
            json!({ "state": "received", "announced": announced, "came": came, "kept back": amount(*kept_back), "delivery": amount(*delivery) })
        }
        other => json!({ "state": other.word(), "announced": announced }),
    }
}

fn pieces(portions: &[Portion]) -> u32 {
    portions.iter().map(|portion| portion.quantity).sum()
}

fn amount(money: Money) -> String {
    format!("{} {}", money.decimal(), money.currency)
}
