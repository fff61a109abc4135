//! Lists and the search for one exact thing.

use crate::ops::desk::{self, PHONE, SKU, page, words};
use anyhow::Context as _;
use domain::{OrderId, offer::Instant, staff::Role};
use server::{orders::lists, params, sql::Db};
use uuid::Uuid;

#[tokio::test]
async fn an_order_is_found_by_each_of_its_keys() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let viewer = desk::signed_in(&house, Role::Viewer).await?;
    assert!(words(&support.get("/ops/orders").await?.body).contains("There are no orders yet"));
    let order = desk::paid(&house, 1).await?;
    let number = order.number.to_string();
    let fields = [("of", "rotterdam"), ("line-0", "1"), ("carrier", "DHL"), ("tracking", "JD-014 600")];
    desk::done(&desk::act(&support, &order, "pack", &fields).await?, "pack")?;
    let find = |text: &str| format!("/ops/orders?{}", url::form_urlencoded::Serializer::new(String::new()).append_pair("q", text).finish());
    let open = [number.clone(), number.to_lowercase().replace('-', " "), SKU.to_owned(), SKU.to_lowercase(), "jd014600".to_owned()];
    let personal = ["ADA@example.com", PHONE, "030 1234567", "10115", " 10115 "];
    for text in open.iter().map(String::as_str).chain(personal) {
        assert_eq!(support.get(&find(text)).await?.location(), Some(page(&order)), "{text}");
    }
    for text in &open {
        assert_eq!(viewer.get(&find(text)).await?.location(), Some(page(&order)), "{text}");
    }
    for text in personal {
        let answer = viewer.get(&find(text)).await?;
        assert!(answer.status == 200 && answer.body.contains("No order has exactly this"), "a viewer learns nothing from {text}");
    }
    for text in ["NG-2222-2222", "eve@example.com", "10116", "BELT", "0", "'; DROP TABLE orders;--", "%", &"x".repeat(400)] {
        let answer = support.get(&find(text)).await?;
        assert!(answer.status == 200 && answer.body.contains("No order has exactly this"), "{text}: {}", words(&answer.body));
    }
    let second = desk::paid(&house, 1).await?;
    let both = support.get(&find("ada@example.com")).await?;
    let (newer, older) = (both.body.find(&second.number.to_string()), both.body.find(&number));
    assert!(newer.is_some() && newer < older, "the newest first: {}", words(&both.body));
    house.shop.stop().await
}

#[tokio::test]
async fn orders_from_before_are_found_too() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 1).await?;
    house
        .shop
        .shop
        .db
        .transact::<_, sqlx::Error>(|tx| {
            Box::pin(async move {
                tx.execute("DELETE FROM order_tokens", params![]).await?;
                tx.execute("DELETE FROM shop_settings WHERE name = 'order tokens'", params![]).await
            })
        })
        .await?;
    assert!(support.get("/ops/orders?q=10115").await?.location().is_none());
    house.orders.index_earlier().await?;
    assert_eq!(support.get("/ops/orders?q=10115").await?.location(), Some(page(&order)));
    house.shop.stop().await
}

#[tokio::test]
async fn lists_are_narrowed_and_turned_without_losing_or_repeating_an_order() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let viewer = desk::signed_in(&house, Role::Viewer).await?;
    let now = house.shop.clock.now();
    fill(&house.shop.shop.db, 130, now).await?;
    for (query, count) in [
        ("", 130),
        ("state=open", 65),
        ("state=lapsed", 65),
        ("market=DE", 130),
        ("state=open&market=DE", 65),
        ("state=delivered", 0),
        ("waits=ship", 65),
        ("waits=ship&market=DE", 65),
        ("waits=dispute", 0),
        ("from=2026-11-23&to=2026-11-23", 130),
        ("to=2026-11-22", 0),
        ("state=open&from=2026-11-24", 0),
    ] {
        let mut seen = Vec::new();
        let mut next = Some(format!("/ops/orders?{query}"));
        while let Some(url) = next {
            let answer = viewer.get(&url).await?;
            assert_eq!(answer.status, 200, "{url}: {}", words(&answer.body));
            let numbers = answer.body.split("href=\"/ops/orders/NG-").skip(1).filter_map(|rest| rest.split('"').next().map(str::to_owned));
            seen.extend(numbers);
            let turn = answer.body.split_once("aria-label=\"More rows\"").map(|(_, rest)| rest.to_owned());
            next = turn.and_then(|turn| Some(turn.split_once("href=\"")?.1.split('"').next()?.replace("&amp;", "&")));
        }
        let all = seen.len();
        seen.sort();
        seen.dedup();
        assert_eq!((all, seen.len()), (count, count), "{query}");
    }
    let first = viewer.get("/ops/orders").await?;
    assert!(words(&first.body).contains("To ship 65"), "{}", words(&first.body));
    assert_eq!(viewer.get("/ops/orders?from=2026-13-01").await?.status, 422);
    assert_eq!(viewer.get("/ops/orders?from=2026-11-24&to=2026-11-23").await?.status, 422);
    assert_eq!(viewer.get("/ops/orders?market=XX").await?.status, 422);
    assert_eq!(viewer.get("/ops/orders?waits=ship&market=XX").await?.status, 422);
    let narrowed = viewer.get("/ops/orders?market=DE").await?.body;
    assert!(narrowed.contains("/ops/orders?waits=ship&amp;market=DE"), "tabs keep the market");
    assert_eq!(viewer.get("/ops/orders?state=nonsense&waits=x&after=y").await?.status, 200);
    house.shop.stop().await
}

/// Plain orders, every second one waiting to be shipped, a few of them in the same microsecond.
pub async fn fill(db: &Db, orders: u32, now: Instant) -> anyhow::Result<()> {
    db.transact::<_, anyhow::Error>(|tx| {
        Box::pin(async move {
            for n in 0..orders {
                let id = OrderId(Uuid::from_u128(0x019a_0000_0000_7000_8000_0000_0000_0000 + u128::from(n)));
                let bytes = n.to_be_bytes();
                let number = domain::order::OrderNumber::from_random([0, bytes[0], bytes[1], bytes[2], bytes[3]]);
                let (pieces, status, progress, attention) =
                    if n.is_multiple_of(2) { ("sold", "paid", "open", "ship") } else { ("lapsed", "lapsed", "", "") };
                tx.execute(
                    "INSERT INTO orders (id, number, secret_hash, cart_id, cart_version, fingerprint, subject, market, locale, currency, total_minor, body, personal, \
                     pieces, hold_until, status, placed_at, updated_at, delivery_minor, progress, attention) \
                     VALUES ($1, $2, $1, $1, 1, '', $3, 'DE', 'de-de', 'EUR', 1000, '{}', $4, $5, 0, $6, $7, $7, 0, $8, $9)",
                    params![id, number.to_string(), format!("s{}", n % 7), Vec::<u8>::new(), pieces, status, now - i64::from(n / 3), progress, attention],
                )
                .await?;
                if !attention.is_empty() {
                    let sql = "INSERT INTO order_waits (order_id, kind, market, turn_at, as_of) VALUES ($1, $2, 'DE', $3, $3)";
                    tx.execute(sql, params![id, attention, now - i64::from(n / 3)]).await?;
                }
            }
            Ok(())
        })
    })
    .await
    .context("filling")
}

#[test]
fn keys_are_read_as_they_are_written() {
    let key = lists::Key { at: 5, id: OrderId(Uuid::from_u128(7)) };
    assert_eq!(key.to_string().parse::<lists::Key>().ok(), Some(key));
    for wrong in ["", "5", "x.y", "5.", ".5"] {
        assert!(wrong.parse::<lists::Key>().is_err(), "{wrong}");
    }
}
