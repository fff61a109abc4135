//! Mails that staff send again.

use crate::ops::desk::{self, act, done, key, log, page, refused, words};
use domain::staff::Role;
use server::params;

#[tokio::test]
async fn a_mail_is_sent_again_once_for_each_form_and_only_what_has_happened_is_told() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let order = desk::paid(&house, 1).await?;
    let support = desk::signed_in(&house, Role::Support).await?;
    let warehouse = desk::signed_in(&house, Role::Warehouse).await?;
    assert!(words(&support.get(&page(&order)).await?.body).contains("Send a mail again"));
    assert!(!words(&warehouse.get(&page(&order)).await?.body).contains("Send a mail again"));
    assert_eq!(act(&warehouse, &order, "mail", &[("mail", "placed")]).await?.status, 403);
    let id = key(&support, &order).await?;
    for _ in 0..2 {
        done(&support.post(&format!("{}/mail", page(&order)), &[("id", &id), ("mail", "placed")]).await?, "mail")?;
    }
    assert_eq!(again(&house).await?, 1, "the same form counts once");
    refused(&act(&support, &order, "mail", &[("mail", "refunded")]).await?, "it has not happened")?;
    refused(&act(&support, &order, "mail", &[("mail", "nonsense")]).await?, "Choose a mail")?;
    for _ in 1..6 {
        done(&act(&support, &order, "mail", &[("mail", "link")]).await?, "mail")?;
    }
    refused(&act(&support, &order, "mail", &[("mail", "link")]).await?, "wait a while")?;
    assert_eq!((again(&house).await?, log(&house).await?), (6, vec!["mail sent again".to_owned(); 6]));
    house.shop.stop().await
}

async fn again(house: &crate::orders::house::House) -> anyhow::Result<i64> {
    let rows = house.shop.shop.db.all("SELECT id FROM mails WHERE occasion LIKE 'again:%'", params![]).await?;
    Ok(i64::try_from(rows.len())?)
}
