//! The log of changes: complete, in order, for admins, turned by key.

use crate::staff::house;
use anyhow::Context as _;
use domain::{
    StaffId,
    staff::{Role, Roles},
};
use server::{
    catalog::stock,
    coupons, params,
    staff::{Actor, accounts},
};

#[tokio::test]
async fn every_change_of_an_account_is_in_the_log() -> anyhow::Result<()> {
    let house = house::open().await?;
    let (db, clock) = (&house.shop.shop.db, &house.shop.shop.clock);
    let support = house.signed_in(Role::Support).await?;
    let account = accounts::find(db, "support@example.com").await?.context("an account")?;
    accounts::set_roles(db, clock, Actor::CommandLine, account.id, &Roles::from_iter([Role::Warehouse])).await?;
    support.post("/ops/password", &[("current", house::PASSWORD), ("chosen", "eight yellow bicycles")]).await?;
    accounts::set_disabled(db, clock, Actor::CommandLine, account.id, true).await?;
    assert!(!accounts::set_disabled(db, clock, Actor::CommandLine, account.id, true).await?, "twice changes nothing");
    accounts::set_disabled(db, clock, Actor::CommandLine, account.id, false).await?;
    let log = house.log().await?;
    let own = format!("staff:{}", account.id);
    let told: Vec<(&str, &str)> = log.iter().map(|logged| (logged.actor.as_str(), logged.action.as_str())).collect();
    assert_eq!(
        told,
        [
            ("command line", "account made"),
            (&own, "signed in"),
            ("command line", "roles changed"),
            (&own, "password changed"),
            (&own, "signed in"),
            ("command line", "account disabled"),
            ("command line", "account enabled"),
        ]
    );
    assert!(log.iter().all(|logged| logged.subject == own), "{log:?}");
    assert_eq!((log[2].before["roles"].as_str(), log[2].after["roles"].as_str()), (Some("support"), Some("warehouse")));
    assert!(!format!("{log:?}").contains("argon2"), "no hash is logged");
    house.close().await
}

#[tokio::test]
async fn the_log_is_turned_by_key() -> anyhow::Result<()> {
    let house = house::open().await?;
    let (db, clock) = (&house.shop.shop.db, &house.shop.shop.clock);
    let admin = house.signed_in(Role::Admin).await?;
    let account = accounts::find(db, "admin@example.com").await?.context("an account")?;
    for _ in 0..60 {
        accounts::set_roles(db, clock, Actor::Staff(StaffId(clock.id())), account.id, &Roles::from_iter([Role::Admin])).await?;
    }
    let first = admin.get("/ops/audit").await?;
    assert_eq!(first.body.matches("roles changed").count(), 50);
    assert!(first.body.contains("admin@example.com"), "accounts are named");
    let (_, rest) = first.body.split_once("href=\"/ops/audit?older_than=").context("a link to older rows")?;
    let key = rest.split('"').next().context("a key")?;
    let second = admin.get(&format!("/ops/audit?older_than={key}")).await?;
    assert_eq!(second.body.matches("roles changed").count(), 10);
    assert!(second.body.contains("account made") && second.body.contains("command line") && !second.body.contains("older_than"), "{}", second.body);
    assert_eq!(admin.get("/ops/audit?older_than=nonsense").await?.status, 200);
    house.close().await
}

/// A command line, read as the program reads it.
fn read<T: clap::Subcommand>(line: &str) -> anyhow::Result<T> {
    let command = T::augment_subcommands(clap::Command::new("nextgen").no_binary_name(true));
    Ok(T::from_arg_matches(&command.try_get_matches_from(line.split(' '))?)?)
}

#[tokio::test]
async fn what_the_command_line_changes_is_in_the_log() -> anyhow::Result<()> {
    let house = house::open().await?;
    let (db, clock) = (&house.shop.shop.db, &house.shop.shop.clock);
    let sku =
        db.first("SELECT sku FROM variants WHERE sku <> '' AND active = 1 ORDER BY sku LIMIT 1", params![]).await?.context("a SKU")?.text("sku")?;
    for line in ["locations", "safety rotterdam 2", &format!("safety rotterdam 1 --sku {sku}"), &format!("spread {sku}"), &format!("gather {sku}")] {
        stock::command::run(db, clock, read(line)?).await.with_context(|| line.to_owned())?;
    }
    for line in ["add AUDIT-10 --percent 10 --title Ten", "list", "bulk 3 --prefix AUDIT --percent 5 --title Five", "end AUDIT-10", "end AUDIT-10"] {
        coupons::command::run(db, clock, read(line)?).await.with_context(|| line.to_owned())?;
    }
    let log = house.log().await?;
    assert!(log.iter().all(|logged| logged.actor == "command line"), "{log:?}");
    let told: Vec<&str> = log.iter().map(|logged| logged.action.as_str()).collect();
    let stocked = ["safety stock changed", "safety stock changed", "stock spread", "stock gathered"];
    assert_eq!(told, [&stocked[..], &["coupon added", "coupon added", "coupon ended"]].concat());
    assert_eq!((log[0].subject.as_str(), &log[0].after["keeps back"]), ("location:rotterdam", &serde_json::json!(2)));
    assert_eq!((log[4].after["code"].as_str(), log[5].after["codes"].as_i64()), (Some("AUDIT-10"), Some(3)));
    assert_eq!((&log[6].subject, log[6].after["named"].as_str()), (&log[4].subject, Some("AUDIT-10")));
    assert_eq!((&log[1].before["keeps back"], &log[1].after["keeps back"]), (&serde_json::json!("as the location says"), &serde_json::json!(1)));

    let admin = house.signed_in(Role::Admin).await?;
    let shown = admin.get("/ops/audit").await?.body;
    for part in ["safety stock changed", "location rotterdam", "coupon added", "AUDIT-10", "stock spread", &sku] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    house.close().await
}
