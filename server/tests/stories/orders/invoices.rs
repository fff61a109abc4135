//! Invoices and credit notes against a real database: one for an order, numbered without gaps by whoever is faster, and taken back to the cent.

use crate::orders::house::{self, House, PAYS, PRICE};
use anyhow::{Context as _, ensure};
use domain::{
    CancellationId, OrderId,
    coupon::{Caps, Coupon},
    discount::Effect,
    invoice::Kind,
    locale::TextLanguage,
    money::{Currency, Money},
    order::{CancelReason, Portion},
    promotion::{Combines, Rule, Scope},
    refund::{GoodwillReason, RefundState},
};
use futures::future::try_join_all;
use server::{
    coupons,
    invoices::{self, Bookkeeper, Document, Listed},
    orders::{OrderRequest, Placed, story::Actor},
    params,
};
use std::{collections::BTreeMap, time::Duration};

fn eur(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

fn staff() -> Actor {
    Actor::Staff("01a20846-0000-7000-8000-000000000001".to_owned())
}

async fn id(house: &House, placed: &Placed) -> anyhow::Result<OrderId> {
    Ok(house.look(&placed.secret).await?.id)
}

async fn paid(house: &House, quantity: u32) -> anyhow::Result<OrderId> {
    let placed = house.place(quantity).await?;
    house.type_card(placed.redirect_url.as_deref().context("a page")?, PAYS).await?;
    house.until(&placed, "paid").await?;
    id(house, &placed).await
}

/// Waits until an order has so many documents.
async fn documents(house: &House, order: OrderId, count: usize) -> anyhow::Result<Vec<Listed>> {
    for _ in 0..200 {
        house.orders.tend().await?;
        let listed = invoices::of_order(&house.shop.shop.db, order).await?;
        if listed.len() >= count {
            ensure!(listed.len() == count, "{listed:?}");
            return Ok(listed);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    anyhow::bail!("{order} never had {count} documents: {:?}", invoices::of_order(&house.shop.shop.db, order).await?)
}

async fn read(house: &House, order: OrderId, number: &str) -> anyhow::Result<Document> {
    let shop = &house.shop.shop;
    invoices::find(&shop.db, &shop.keys, order, number).await?.context("a document")
}

async fn numbers(house: &House) -> anyhow::Result<Vec<String>> {
    let rows = house.shop.shop.db.all("SELECT number FROM invoices WHERE kind = 'invoice' ORDER BY number", params![]).await?;
    rows.iter().map(|row| row.text("number")).collect()
}

#[tokio::test]
async fn a_paid_order_gets_an_invoice_and_what_goes_back_a_credit_note_each() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    let order = paid(&house, 3).await?;
    let first = documents(&house, order, 1).await?.remove(0);
    assert_eq!((first.number.as_str(), first.is_credit_note, first.total), ("DE-2026-000001", false, eur(3 * PRICE + 490)));
    let Document { invoice, buyer } = read(&house, order, &first.number).await?;
    let whom = buyer.context("somebody")?.lines.join("\n");
    assert!(whom.contains("Ada Lovelace"), "{}", whom.len());
    assert!(!serde_json::to_string(&invoice)?.contains("Ada"), "the body has nothing personal");
    let tax = &invoice.amounts.taxes[0];
    // 361.90 at 19 % contains 57.78 (57.782).
    assert_eq!((tax.base, tax.amount, invoice.amounts.net), (eur(36_190), eur(5_778), eur(30_412)));
    assert!(invoice.seller.tax_ids.iter().any(|id| id.label == "USt-IdNr."));

    // One piece is cancelled, then we are sorry, then the rest is cancelled.
    let cancel = async |pieces: Option<&[Portion]>| {
        house.orders.cancel(order, CancellationId(house.shop.shop.clock.id()), pieces, CancelReason::NotAvailable, staff()).await
    };
    cancel(Some(&[Portion { line: 0, quantity: 1 }])).await?;
    documents(&house, order, 2).await?;
    house.orders.refund_goodwill(order, domain::RefundId(house.shop.shop.clock.id()), eur(1_000), GoodwillReason::Late, staff()).await?;
    documents(&house, order, 3).await?;
    cancel(None).await?;
    let all = documents(&house, order, 4).await?;
    assert_eq!(
        all.iter().map(|known| known.number.as_str()).collect::<Vec<_>>(),
        ["DE-2026-000001", "DE-C-2026-000001", "DE-C-2026-000002", "DE-C-2026-000003"]
    );
    assert_eq!(all[1..].iter().map(|known| known.total.minor).collect::<Vec<_>>(), [PRICE, 1_000, 2 * PRICE + 490 - 1_000]);
    let mut taxes = 0;
    for note in &all[1..] {
        let Document { invoice: note, buyer } = read(&house, order, &note.number).await?;
        assert!(matches!(&note.kind, Kind::CreditNote { corrects, .. } if *corrects == first.number), "{:?}", note.kind);
        assert!(buyer.is_some());
        taxes += note.amounts.taxes[0].amount.minor;
    }
    assert_eq!(taxes, tax.amount.minor, "all of the tax goes back with all of the money");
    let cancelled = read(&house, order, &all[1].number).await?.invoice;
    assert_eq!(cancelled.amounts.rows.iter().map(|row| (row.line, row.quantity, row.amount)).collect::<Vec<_>>(), [(Some(0), 1, eur(PRICE))]);

    // Told again, nothing is made again; and an erased customer's invoice still says whose it is.
    let books = Bookkeeper::new(house.orders.clone());
    assert_eq!((books.keep(order, true).await?, books.catch_up().await?), (0, 0));
    house.shop.shop.db.execute("UPDATE customer_keys SET wrapped_key = NULL", params![]).await?;
    assert!(read(&house, order, &first.number).await?.buyer.is_some_and(|buyer| buyer.lines.join("\n") == whom));
    assert!(house.orders.by_id(order).await?.context("an order")?.personal.is_none());
    house.shop.stop().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn many_bookkeepers_at_once_leave_no_gap_and_no_second_invoice() -> anyhow::Result<()> {
    const ORDERS: u32 = 12;
    let house = house::open(ORDERS, 0).await?;
    let mut orders = Vec::new();
    for _ in 0..ORDERS {
        orders.push(paid(&house, 1).await?);
    }
    // The shop's own bookkeeper has been at it; theirs are forgotten, with their numbers, and eight begin anew.
    for order in &orders {
        documents(&house, *order, 1).await?;
    }
    house.shop.shop.db.execute("DELETE FROM invoices", params![]).await?;
    house.shop.shop.db.execute("DELETE FROM invoice_series", params![]).await?;
    let books: Vec<_> = (0..8).map(|_| Bookkeeper::new(house.orders.clone())).collect();
    let work = books.iter().enumerate().map(|(at, books)| {
        let mut orders = orders.clone();
        orders.rotate_left(at);
        async move {
            let mut written = 0;
            for order in orders {
                written += books.keep(order, true).await?;
            }
            anyhow::Ok(written)
        }
    });
    let written: usize = try_join_all(work).await?.into_iter().sum();
    assert_eq!(written, orders.len());
    let wanted: Vec<String> = (1..=ORDERS).map(|n| format!("DE-2026-{n:06}")).collect();
    assert_eq!(numbers(&house).await?, wanted);
    assert_eq!(house.count("SELECT last AS n FROM invoice_series").await?, i64::from(ORDERS));
    house.shop.stop().await
}

#[tokio::test]
async fn what_was_not_supplied_or_cost_nothing_has_no_invoice_and_draws_no_number() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    // Its hold lapses, somebody else buys the piece, then the money comes, and goes back.
    let late = house.place(1).await?;
    house.shop.clock.advance(Duration::from_secs(30 * 60 + 1));
    house.tend_until(&late, "lapsed").await?;
    let bought = paid(&house, 1).await?;
    house.late_money(house.payment(&late).await?).await?;
    house.tend_until(&late, "refunded").await?;
    let late = id(&house, &late).await?;
    // A code takes all of it.
    let coupon = Coupon {
        id: domain::CouponId(house.shop.shop.clock.id()),
        rule: Rule {
            titles: BTreeMap::from([(TextLanguage::De, "Alles".to_owned()), (TextLanguage::EnUs, "Everything".to_owned())]),
            effect: Effect::Percent { millionths: 1_000_000 },
            markets: vec![],
            valid_from: 0,
            valid_until: None,
            minimum: None,
            audience: domain::promotion::Audience::Everyone,
            includes_reduced: true,
            scope: Scope::default(),
            combines: Combines::WithAll,
            priority: 0,
        },
        caps: Caps::default(),
    };
    let code: domain::coupon::Code = "ALLOFIT".parse()?;
    let clock = house.shop.shop.clock.clone();
    house
        .shop
        .shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let (coupon, code, clock) = (coupon.clone(), code.clone(), clock.clone());
            Box::pin(async move {
                coupons::add(tx, &coupon, &clock).await?;
                coupons::add_code(tx, coupon.id, &code).await?;
                tx.execute("UPDATE delivery_methods SET body = REPLACE(body, '\"minor\":490', '\"minor\":0')", params![]).await?;
                Ok(())
            })
        })
        .await?;
    let request = OrderRequest { lines: vec![house::line(house.other, 1)], coupon: Some(code), confirmed_total: eur(0), ..house.request(1) };
    let free = house.orders.place(request).await?;
    house.until(&free, "paid").await?;
    let free = id(&house, &free).await?;
    documents(&house, bought, 1).await?;
    let books = Bookkeeper::new(house.orders.clone());
    for order in [late, free] {
        assert_eq!(books.keep(order, true).await?, 0);
        assert_eq!(invoices::of_order(&house.shop.shop.db, order).await?, []);
    }
    assert_eq!(numbers(&house).await?, ["DE-2026-000001"]);
    house.shop.stop().await
}

#[tokio::test]
async fn a_note_follows_a_refund_that_no_event_told_of() -> anyhow::Result<()> {
    let house = house::open(1, 0).await?;
    let order = paid(&house, 1).await?;
    documents(&house, order, 1).await?;
    house.orders.refund_goodwill(order, domain::RefundId(house.shop.shop.clock.id()), eur(500), GoodwillReason::Other, staff()).await?;
    documents(&house, order, 2).await?;
    house.shop.shop.db.execute("DELETE FROM invoices WHERE kind = 'credit_note'", params![]).await?;
    let known = house.orders.ledgers(order).await?.context("an order")?;
    assert!(known.refunds.iter().all(|refund| refund.state == RefundState::Issued), "{:?}", known.refunds);
    assert_eq!(Bookkeeper::new(house.orders.clone()).catch_up().await?, 1);
    house.shop.stop().await
}
