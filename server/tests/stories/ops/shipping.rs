//! Packing, sending, arriving.

use crate::ops::desk::{self, act, done, key, log, page, refused, words};
use domain::{order::Progress, staff::Role};

#[tokio::test]
async fn pieces_go_from_the_shelf_to_the_door_and_every_step_is_told() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let warehouse = desk::signed_in(&house, Role::Warehouse).await?;
    let order = desk::paid(&house, 3).await?;
    let first = warehouse.get(&page(&order)).await?;
    assert!(words(&first.body).contains("Ship from") && first.body.contains("3 to pack"), "{}", words(&first.body));

    refused(&act(&warehouse, &order, "pack", &[("of", "rotterdam"), ("line-0", "3")]).await?, "Name the carrier")?;
    let typed = [("of", "rotterdam"), ("line-0", "9"), ("carrier", "DHL"), ("step", "ship")];
    let answer = act(&warehouse, &order, "pack", &typed).await?;
    refused(&answer, "only 3 are left")?;
    assert!(answer.body.contains("value=\"9\"") && answer.body.contains("value=\"DHL\""), "what was typed stays");
    refused(&act(&warehouse, &order, "pack", &[("of", "leipzig"), ("line-0", "1"), ("carrier", "DHL")]).await?, "Only 0 of these pieces lie there")?;
    refused(&act(&warehouse, &order, "pack", &[("of", "rotterdam"), ("line-0", "many")]).await?, "whole number")?;

    // A double click packs once.
    let id = key(&warehouse, &order).await?;
    let fields = [("id", id.as_str()), ("of", "rotterdam"), ("line-0", "1"), ("step", "pack")];
    for _ in 0..2 {
        done(&warehouse.post(&format!("{}/pack", page(&order)), &fields).await?, "pack")?;
    }
    let known = desk::ledgers(&house, &order).await?;
    assert_eq!((known.fulfilments.len(), known.tally(0).packing, known.progress()), (1, 1, Some(Progress::Packing)));
    let packed = known.fulfilments[0].id.to_string();

    let id = key(&warehouse, &order).await?;
    for _ in 0..2 {
        done(&warehouse.post(&format!("{}/unpack", page(&order)), &[("id", &id), ("of", &packed)]).await?, "unpack")?;
    }
    refused(&act(&warehouse, &order, "send", &[("of", &packed), ("carrier", "DHL")]).await?, "put back")?;

    let fields = [("of", "rotterdam"), ("line-0", "2"), ("carrier", "DHL"), ("tracking", "00340 1\r\n003402"), ("step", "ship")];
    done(&act(&warehouse, &order, "pack", &fields).await?, "pack")?;
    let known = desk::ledgers(&house, &order).await?;
    assert_eq!((known.tally(0).shipped, known.progress()), (2, Some(Progress::PartlyShipped { shipped: 2, of: 3 })));
    let sent = known.fulfilments[0].id.to_string();
    assert!(warehouse.get(&page(&order)).await?.body.contains("2 of 3 shipped"));

    done(&act(&warehouse, &order, "parcels", &[("of", &sent), ("carrier", "UPS"), ("tracking", "1Z 999")]).await?, "parcels")?;
    assert_eq!(warehouse.get("/ops/orders?q=1z999").await?.location(), Some(page(&order)), "found by the corrected number");
    assert!(warehouse.get("/ops/orders?q=003402").await?.location().is_none(), "and not by the old one");

    refused(&act(&warehouse, &order, "delivered", &[("of", &sent)]).await?, "Tick the box")?;
    let id = key(&warehouse, &order).await?;
    for _ in 0..2 {
        done(&warehouse.post(&format!("{}/delivered", page(&order)), &[("id", &id), ("of", &sent), ("sure", "yes")]).await?, "delivered")?;
    }
    refused(&act(&warehouse, &order, "delivered", &[("of", &sent), ("sure", "yes")]).await?, "arrived already")?;

    assert_eq!(log(&house).await?, ["order packed", "order unpacked", "order packed", "tracking corrected", "order delivered"]);
    let told = words(&warehouse.get(&page(&order)).await?.body);
    for part in ["Payment captured, €361.90", "Packing begun", "Put back on the shelf", "Shipped: 2 × Gürtel", "Delivered", "warehouse@example.com"]
    {
        assert!(told.contains(part), "{part}: {told}");
    }
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn each_role_does_what_it_may_and_forms_come_from_here() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let order = desk::paid(&house, 1).await?;
    let (viewer, warehouse) = (desk::signed_in(&house, Role::Viewer).await?, desk::signed_in(&house, Role::Warehouse).await?);
    let seen = viewer.get(&page(&order)).await?;
    assert!(seen.status == 200 && !seen.body.contains("method=\"post\" action=\"/ops/orders"), "a viewer is offered no form");
    let id = key(&warehouse, &order).await?;
    let offered = warehouse.get(&page(&order)).await?.body;
    assert!(offered.contains("/pack\"") && !offered.contains("/refund\"") && !offered.contains("/cancel\""), "a warehouse touches no money");
    let url = |what: &str| format!("{}/{what}", page(&order));
    for what in ["pack", "note", "refund"] {
        assert_eq!(viewer.post(&url(what), &[("id", &id)]).await?.status, 403, "{what}");
    }
    for what in ["refund", "cancel", "address", "return", "settle"] {
        assert_eq!(warehouse.post(&url(what), &[("id", &id), ("sure", "yes")]).await?.status, 403, "{what}");
    }
    assert_eq!(viewer.get("/ops/orders/ship").await?.status, 403);
    for origin in ["https://evil.example", "null"] {
        let form =
            warehouse.client.post(format!("{}{}", warehouse.url, url("note"))).header("origin", origin).form(&[("id", id.as_str()), ("note", "x")]);
        assert_eq!(form.send().await?.status(), 403, "{origin}");
    }
    assert_eq!(house.shop.visitor().get(&page(&order)).await?.status, 303, "strangers sign in first");
    assert_eq!(warehouse.post(&url("explode"), &[("id", &id)]).await?.status, 404);
    for number in ["NG-2222-2222", "nonsense"] {
        assert_eq!(warehouse.get(&format!("/ops/orders/{number}")).await?.status, 404, "{number}");
    }
    assert!(log(&house).await?.is_empty());
    house.shop.stop().await
}
