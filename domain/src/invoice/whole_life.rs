//! An order's whole life in every currency, tax mode and rounding: priced with promotions, invoiced, and then partly cancelled, sent, returned and
//! refunded in any order. What was captured less what went back is what is kept, and so are the invoice less its credit notes, to the minor unit.

use super::{tests::rate, *};
use crate::{
    cart::Quantity,
    discount::Effect,
    ids::{CancellationId, FulfilmentId, OrderId, PaymentId, ProductId, RefundId, ReturnId, VariantId},
    locale::TextLanguage,
    market::Market,
    money::Currency,
    offer::{PriceWindow, offer},
    order::{By, CancelReason, Cancelling, Line, Order, Parcel, Pieces, Portion, Receipt, Resolution, Restock, ReturnItem, ReturnReason},
    payment::{Payment, PaymentState},
    pricing::{self, Quote, Wanted},
    promotion::{Candidate, Combines, Promotion, Rule, Scope},
    refund::{GoodwillReason, RefundNews},
};
use proptest::prelude::*;
use uuid::Uuid;

/// Both modes with both roundings: Germany, Canada, Japan, and Japan with taxes on top.
const PLACES: [(&str, TaxMode); 4] = [("DE", TaxMode::Inclusive), ("CA", TaxMode::Exclusive), ("JP", TaxMode::Inclusive), ("JP", TaxMode::Exclusive)];
const CATEGORIES: [&str; 3] = ["", "books", "food"];

/// Two taxes on everything but books, one on those, none on food.
fn rates(place: Country) -> Vec<Rate> {
    vec![
        rate(place, "GST", "", 50_000),
        rate(place, "QST", "", 99_750),
        rate(place, "QST", "books", 0),
        rate(place, "GST", "food", 0),
        rate(place, "QST", "food", 0),
    ]
}

fn market(place: Country, tax_mode: TaxMode, currency: Currency) -> Market {
    Market {
        code: place,
        countries: vec![place],
        legal_entity: String::new(),
        currency,
        price_list: String::new(),
        tax_mode,
        time_zone: "UTC".to_owned(),
        locations: vec![],
        split: crate::sourcing::Split::Allowed,
    }
}

fn wanted(n: usize, (category, pieces, minor): (usize, u32, i64), currency: Currency) -> Wanted {
    let id = Uuid::from_u128(n as u128 + 1);
    Wanted {
        product: ProductId(id),
        variant: VariantId(id),
        quantity: Quantity::new(pieces).expect("in range"),
        offer: offer(&[PriceWindow::new(0, None, Money::new(minor, currency), None)], 0).expect("an open window"),
        weight_g: 0,
        tax_category: CATEGORIES[category].to_owned(),
        category: String::new(),
        tags: vec![],
    }
}

fn promotion(n: u128, effect: Effect) -> Promotion {
    let rule = Rule {
        titles: std::collections::BTreeMap::new(),
        effect,
        markets: vec![],
        valid_from: 0,
        valid_until: None,
        minimum: None,
        scope: Scope::default(),
        audience: crate::promotion::Audience::Everyone,
        includes_reduced: true,
        combines: Combines::WithAll,
        priority: 0,
    };
    Promotion { id: crate::ids::PromotionId(Uuid::from_u128(n)), rule, hidden: false }
}

/// The quote as an invoice: each row with its part of what is paid.
fn invoiced(quote: &Quote, wanted: &[Wanted], mode: TaxMode, place: &Destination, rates: &[Rate]) -> Amounts {
    let parts = pricing::tax_parts(&quote.lines, wanted, quote.net_delivery());
    let taxes: Vec<Tax> = quote.taxes.iter().map(tax_of).collect();
    let paid = shares(quote.total, &tax::weights(mode, &parts, place, rates, 1));
    let row = |(at, (part, paid)): (u32, (&Part<'_>, Money))| {
        let own = tax::tax_lines(mode, &[*part], place, rates, 1);
        let base = |tax: &Tax| own.iter().find(|line| line.name == tax.name && line.millionths == tax.millionths).map_or(0, |line| line.base.minor);
        Row {
            line: (part.category != tax::DELIVERY).then_some(at),
            item: Item::default(),
            quantity: part.pieces,
            unit: part.amount,
            discount: Money::zero(part.amount.currency),
            amount: part.amount,
            paid,
            bases: taxes.iter().map(base).collect(),
        }
    };
    let rows = (0..).zip(parts.iter().zip(paid)).map(row).collect();
    let net = quote.total.minor - taxes.iter().map(|tax| tax.amount.minor).sum::<i64>();
    Amounts { rows, taxes, net: Money::new(net, quote.total.currency), total: quote.total }
}

fn tax_of(line: &tax::TaxLine) -> Tax {
    let (name, region) = (line.name.clone(), line.region.clone());
    let (country, millionths, base, amount) = (line.country, line.millionths, line.base, line.amount);
    Tax { name, country, region, millionths, base, amount, included: line.included, rounding: line.rounding }
}

fn captured(invoice: &Amounts, market: &Market) -> Order {
    let rows = invoice.rows.iter().filter_map(|row| Some((row.line?, row)));
    let line = |(line, row): (u32, &Row)| {
        let id = Uuid::from_u128(u128::from(line) + 1);
        Line { line, product: ProductId(id), variant: VariantId(id), quantity: row.quantity, amount: row.paid, replaces: None }
    };
    let (id, state) = (PaymentId(Uuid::from_u128(1)), PaymentState::Captured { at: 1 });
    Order {
        id: OrderId(Uuid::nil()),
        market: market.code,
        total: invoice.total,
        lines: rows.map(line).collect(),
        delivery: invoice.rows.iter().find(|row| row.line.is_none()).map_or(Money::zero(invoice.total.currency), |row| row.paid),
        placed_at: 0,
        pieces: Pieces::Sold,
        payments: vec![Payment { id, amount: invoice.total, created_at: 0, state, odd: None }],
        refunds: vec![],
        disputes: vec![],
        cancellations: vec![],
        fulfilments: vec![],
        returns: vec![],
    }
}

/// Something that happens to some pieces of a line, or to so much money; `None` where it cannot happen.
fn after(order: &Order, n: u128, (kind, line, quantity, minor): (u8, u32, u32, i64)) -> Option<Order> {
    let (id, now, order) = (Uuid::from_u128(n + 10), i64::try_from(n).ok()?, order.clone());
    let portions = vec![Portion { line, quantity }];
    match kind {
        0 => {
            let wish = Cancelling {
                id: CancellationId(id),
                refund: RefundId(id),
                portions: Some(portions),
                by: By::Staff,
                reason: CancelReason::ChangedMind,
            };
            Some(order.cancel(wish, now).ok()?.0)
        }
        1 => {
            let parcels = vec![Parcel { carrier: "post".to_owned(), tracking: "1".to_owned() }];
            let shipped = order.pack(FulfilmentId(id), "reno".to_owned(), portions, now).ok()?.ship(FulfilmentId(id), parcels, now).ok()?.0;
            Some(shipped.deliver(FulfilmentId(id), now).ok()?.0)
        }
        2 => {
            let item = ReturnItem { line, quantity, reason: ReturnReason::TooSmall, resolution: Resolution::Refund };
            let announced = order.request_return(ReturnId(id), vec![item.clone()], By::Staff, now).ok()?.0;
            let receipts = vec![Receipt { line, quantity, restock: Restock::Shelf, exchanged: false }];
            let (kept_back, delivery) = (announced.label_due(&[item]), announced.delivery_due(&receipts));
            Some(announced.receive_return(ReturnId(id), receipts, kept_back, delivery, RefundId(id), now).ok()?.0)
        }
        _ => {
            let amount = Money::new(minor.min(order.refundable().minor), order.total.currency);
            Some(order.refund(RefundId(id), amount, GoodwillReason::Late).ok()?.0)
        }
    }
}

proptest! {
    // Each case goes through every currency, both modes and both roundings.
    #![proptest_config(ProptestConfig::with_cases(8))]

    #[test]
    fn what_was_captured_less_what_went_back_is_what_is_kept(
        lines in prop::collection::vec((0_usize..3, 1_u32..5, 1_i64..100_000), 1..5),
        off in prop::option::of(1_i64..50_000), part in prop::option::of(1_u32..=600_000), charge in 0_i64..2_000,
        steps in prop::collection::vec((0_u8..4, 0_u32..5, 1_u32..4, 1_i64..40_000), 0..14), to_the_end in any::<bool>(),
    ) {
        for currency in Currency::all() {
            for (place, mode) in PLACES {
                let place: Country = place.parse().expect("a country");
                let (market, rates, there) = (market(place, mode, currency), rates(place), Destination { country: place, region: None });
                let wanted: Vec<_> = lines.iter().enumerate().map(|(n, line)| wanted(n, *line, currency)).collect();
                let promotions = [
                    off.map(|minor| promotion(1, Effect::Amount { amount: Money::new(minor, currency) })),
                    part.map(|millionths| promotion(2, Effect::Percent { millionths })),
                ];
                let candidates: Vec<_> =
                    promotions.iter().flatten().map(|promotion| Candidate::promotion(promotion, TextLanguage::EnUs)).collect();
                let method = serde_json::json!({
                    "code": "standard", "names": {}, "price": { "minor": charge, "currency": currency.code() }, "days_min": 1, "days_max": 2,
                    "cut_off": { "hour": 12, "minute": 0, "zone": "UTC" }, "ships_from": "",
                });
                let method = serde_json::from_value(method).expect("a method");
                let quote = pricing::quote(&market, &wanted, &candidates, Some(&method), Some(&there), &rates, 1).expect("a total");
                let invoice = invoiced(&quote, &wanted, mode, &there, &rates);

                // What the quote says adds up, and the invoice says the same.
                let minor = |amounts: &mut dyn Iterator<Item = i64>| amounts.sum::<i64>();
                let taken = minor(&mut quote.discounts.iter().map(|discount| discount.amount.minor));
                let on_top = minor(&mut quote.taxes.iter().filter(|tax| !tax.included).map(|tax| tax.amount.minor));
                prop_assert_eq!(quote.goods.minor + charge - taken + on_top, quote.total.minor);
                prop_assert_eq!(minor(&mut invoice.rows.iter().map(|row| row.paid.minor)), quote.total.minor);
                prop_assert_eq!(minor(&mut invoice.taxes.iter().map(|tax| tax.amount.minor)) + invoice.net.minor, quote.total.minor);
                for (at, tax) in invoice.taxes.iter().enumerate() {
                    prop_assert_eq!(minor(&mut invoice.rows.iter().map(|row| row.bases[at])), tax.base.minor);
                }

                let mut order = captured(&invoice, &market);
                let (mut noted, mut notes) = (Vec::new(), Vec::<Amounts>::new());
                for (n, step) in (1..).zip(steps.iter().copied().chain(to_the_end.then_some((3, 0, 0, i64::MAX)))) {
                    order = after(&order, n, step).unwrap_or(order);
                    let asked: Vec<_> = order.refunds.iter().map(|refund| refund.id).collect();
                    for refund in asked {
                        order = order.clone().hear_refund(refund, RefundNews::Issued).map_or(order, |(order, _)| order);
                    }
                    for (refund, _, amount) in due(&order.refunds, &noted) {
                        let note = credit(mode, &invoice, &notes, amount, &taken_back(&order, refund));
                        prop_assert_eq!(note.total, amount);
                        noted.push((refund, amount));
                        notes.push(note);
                    }
                    let back = minor(&mut order.refunds.iter().map(|refund| refund.amount.minor));
                    let kept = invoice.total.minor - back;
                    prop_assert!(kept >= 0 && order.refundable().minor == kept, "{kept} kept, {:?} refundable", order.refundable());
                    prop_assert_eq!(invoice.total.minor - minor(&mut notes.iter().map(|note| note.total.minor)), kept);
                    let net = invoice.net.minor - minor(&mut notes.iter().map(|note| note.net.minor));
                    let tax = |at: usize| invoice.taxes[at].amount.minor - notes.iter().map(|note| note.taxes[at].amount.minor).sum::<i64>();
                    let taxes: Vec<i64> = (0..invoice.taxes.len()).map(tax).collect();
                    prop_assert!(net >= 0 && taxes.iter().all(|tax| *tax >= 0), "{net} and {taxes:?} kept");
                    prop_assert_eq!(net + taxes.iter().sum::<i64>(), kept);
                }
                prop_assert!(!to_the_end || order.refundable().is_zero());
            }
        }
    }
}
