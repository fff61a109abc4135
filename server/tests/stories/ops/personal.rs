//! What is personal: who sees it, that it is sealed, and that it is found by what it says now.

use crate::{
    ops::desk::{self, act, done, key, log, page, refused, words},
    orders::house::House,
};
use anyhow::{Context as _, ensure};
use domain::staff::Role;
use server::{orders::Placed, params};

#[tokio::test]
async fn an_address_is_corrected_until_it_is_packed() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 1).await?;
    let typed = |postcode: &'static str| [("name", "Ada King"), ("line1", "Torstraße 1"), ("city", "Berlin"), ("postcode", postcode)];
    refused(&act(&support, &order, "address", &typed("1011")).await?, "looks like 10115")?;
    refused(&act(&support, &order, "address", &typed("27498")).await?, "do not deliver")?;
    let id = key(&support, &order).await?;
    for _ in 0..2 {
        let mut fields = typed("10119").to_vec();
        fields.push(("id", &id));
        done(&support.post(&format!("{}/address", page(&order)), &fields).await?, "address")?;
    }
    let seen = support.get(&page(&order)).await?;
    assert!(
        seen.body.contains("Torstraße 1") && seen.body.contains("Ada King") && !words(&seen.body).contains("Ackerstraße"),
        "{}",
        words(&seen.body)
    );
    assert_eq!(support.get("/ops/orders?q=10119").await?.location(), Some(page(&order)));
    assert!(support.get("/ops/orders?q=10115").await?.location().is_none(), "the old postcode leads nowhere");
    done(&act(&support, &order, "pack", &[("of", "rotterdam"), ("line-0", "1"), ("step", "pack")]).await?, "pack")?;
    refused(&act(&support, &order, "address", &typed("10115")).await?, "Packing has begun")?;
    assert_eq!(log(&house).await?, ["address corrected", "order packed"]);
    house.shop.stop().await
}

#[tokio::test]
async fn each_role_sees_of_people_what_its_work_needs_and_the_database_tells_nothing() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let order = desk::paid(&house, 1).await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let id = key(&support, &order).await?;
    for _ in 0..2 {
        let fields = [("id", id.as_str()), ("note", "Ada called: the bell is broken")];
        done(&support.post(&format!("{}/note", page(&order)), &fields).await?, "note")?;
    }
    refused(&act(&support, &order, "note", &[("note", "  ")]).await?, "Write a note")?;
    assert_eq!(support.get(&page(&order)).await?.body.matches("the bell is broken").count(), 1, "noted once");
    for (role, email, street) in [(Role::Viewer, false, false), (Role::Warehouse, false, true), (Role::Admin, true, true)] {
        let body = desk::signed_in(&house, role).await?.get(&page(&order)).await?.body;
        assert_eq!((body.contains("ada@example.com"), body.contains("Ackerstraße 12")), (email, street), "{role}");
        assert_eq!((body.contains("the bell is broken"), body.contains("Note added")), (street, true), "{role}");
    }
    let db = &house.shop.shop.db;
    for sql in ["SELECT * FROM order_story", "SELECT * FROM order_tokens", "SELECT * FROM audit_log WHERE subject LIKE 'order:%'"] {
        let rows: Vec<String> = db.all(sql, params![]).await?.iter().map(server::sql::Row::debug_text).collect();
        let text = rows.join("\n");
        assert!(!rows.is_empty() && ["Ada", "10115", "1234567", "bell"].iter().all(|part| !text.contains(part)), "{sql}: {text}");
    }
    erase(&house, &order).await?;
    let seen = support.get(&page(&order)).await?;
    assert!(
        seen.body.contains("The customer was erased.") && seen.body.contains("(erased)") && !seen.body.contains("bell is"),
        "{}",
        words(&seen.body)
    );
    let key = seen.field("id").context("a form")?;
    refused(&support.post(&format!("{}/note", page(&order)), &[("id", key), ("note", "x")]).await?, "customer was erased")?;
    house.shop.stop().await
}

/// Destroys the key of an order's customer.
async fn erase(house: &House, order: &Placed) -> anyhow::Result<()> {
    const ERASE: &str = "UPDATE customer_keys SET wrapped_key = NULL WHERE subject = (SELECT subject FROM orders WHERE id = $1)";
    let erased = house.shop.shop.db.execute(ERASE, params![desk::id(house, order).await?]).await?;
    ensure!(erased == 1, "{erased}");
    Ok(())
}

#[tokio::test]
async fn who_was_erased_gets_no_new_address_and_no_mail() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let order = desk::paid(&house, 1).await?;
    let stored = async || {
        let sql = "SELECT o.personal, (SELECT COUNT(*) FROM mails m WHERE m.order_id = o.id AND m.occasion LIKE 'again:%') AS again FROM orders o WHERE o.id = $1";
        let row = house.shop.shop.db.first(sql, params![desk::id(&house, &order).await?]).await?.context("an order")?;
        anyhow::Ok((row.bytes_or_null("personal")?, row.int("again")?))
    };
    erase(&house, &order).await?;
    let before = stored().await?;
    let address = [("name", "Ada King"), ("line1", "Torstraße 1"), ("city", "Berlin"), ("postcode", "10119")];
    for (what, fields) in [("address", &address[..]), ("mail", &[("mail", "placed")]), ("mail", &[("mail", "link")])] {
        refused(&act(&support, &order, what, fields).await?, "The customer was erased: nothing personal can be kept.")?;
    }
    assert_eq!(stored().await?, before);
    assert_eq!(before.1, 0);
    assert!(log(&house).await?.is_empty());
    assert!(support.get("/ops/orders?q=10119").await?.location().is_none(), "nobody finds it by the new postcode");
    house.shop.stop().await
}
