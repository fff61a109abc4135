//! Sending many at once.

use crate::ops::desk::{self, done, log, words};
use domain::{order::Progress, staff::Role};

#[tokio::test]
async fn many_orders_are_fetched_packed_and_sent_in_one_go() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let warehouse = desk::signed_in(&house, Role::Warehouse).await?;
    let empty = warehouse.get("/ops/orders/ship").await?;
    assert!(empty.body.contains("Nothing waits to be sent"));
    let orders = [desk::paid(&house, 1).await?, desk::paid(&house, 2).await?, desk::paid(&house, 1).await?];
    let queue = warehouse.get("/ops/orders/ship").await?;
    assert_eq!(queue.body.matches("type=\"checkbox\"").count(), 3);
    let told = words(&queue.body);
    assert!(told.contains("3 orders with 4 pieces to send on this page. All of them are chosen"), "{told}");
    assert!(queue.body.contains(&format!("<a href=\"/ops/orders/{0}\">{0}</a>", orders[0].number)), "the number leads to the order");
    let named: Vec<String> = orders.iter().map(|order| format!("order={}", order.number)).collect();
    let query = named.join("&") + "&";
    let picks = warehouse.get(&format!("/ops/orders/ship/picks?{query}order=NG-2222-2222")).await?;
    let told = words(&picks.body);
    assert!(told.contains("Left out") && told.contains("NG-2222-2222") && told.contains(&format!("{} (2)", orders[1].number)), "{told}");
    let slips = warehouse.get(&format!("/ops/orders/ship/slips?{query}")).await?;
    assert_eq!(slips.body.matches("class=\"slip\"").count(), 3);
    assert!(slips.body.contains("Ackerstraße 12") && !slips.body.contains('€') && !slips.body.contains("119"), "no prices on slips");

    let labels = warehouse.get(&format!("/ops/orders/ship/labels?{query}")).await?;
    let id = labels.field("id").unwrap_or_default().to_owned();
    assert_eq!(labels.body.matches("name=\"row\"").count(), 3);
    let rows: Vec<String> = orders.iter().map(|order| format!("{} rotterdam", order.number)).collect();
    // The second one is sent by somebody else meanwhile; the third has no carrier.
    done(&desk::act(&warehouse, &orders[1], "pack", &[("of", "rotterdam"), ("line-0", "2"), ("carrier", "UPS")]).await?, "pack")?;
    let mut form = vec![("id", id.as_str())];
    for (row, (carrier, tracking)) in rows.iter().zip([("DHL", "A1, A2"), ("DHL", "B1"), ("", "C1")]) {
        form.extend([("row", row.as_str()), ("carrier", carrier), ("tracking", tracking)]);
    }
    for _ in 0..2 {
        let answer = warehouse.post("/ops/orders/ship", &form).await?;
        let told = words(&answer.body);
        assert_eq!(answer.status, 422);
        assert!(told.contains("1 of 3 were shipped") && told.contains("Shipped.") && told.contains("Name the carrier"), "{told}");
        assert!(answer.body.contains("value=\"B1\"") && answer.body.contains("value=\"C1\""), "what was typed stays");
    }
    let first = desk::ledgers(&house, &orders[0]).await?;
    assert_eq!((first.progress(), first.fulfilments.len()), (Some(Progress::Shipped), 1), "sent once");
    let answer = warehouse.post("/ops/orders/ship", &[("id", id.as_str()), ("row", &rows[2]), ("carrier", "DHL"), ("tracking", "")]).await?;
    assert_eq!(answer.location().as_deref(), Some("/ops/orders/ship?said=1"));
    assert!(words(&warehouse.get("/ops/orders/ship?said=1").await?.body).contains("1 shipment has left"));
    assert_eq!(log(&house).await?, ["order packed", "order shipped", "order shipped"]);
    let many = (0..60).map(|n| format!("order=NG-2222-22{n:02}")).collect::<Vec<_>>().join("&");
    assert_eq!(warehouse.get(&format!("/ops/orders/ship/picks?{many}")).await?.status, 413);
    house.shop.stop().await
}
