//! A backup of a running shop, and what a restore refuses, keeps and brings back.

use crate::{books, buyer::Buyer, support, world::World};
use server::params;
use std::{os::unix::fs::PermissionsExt as _, path::Path};

fn text(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shop_is_saved_while_it_sells_and_comes_back_whole() -> anyhow::Result<()> {
    let mut world = World::open(&support::nextgen()).await?;
    if world.postgres.is_some() {
        // PostgreSQL has means of its own: see `drill`.
        return world.close().await;
    }
    let first = Buyer::buy(&world).await?;
    first.sees("Paid").await?;
    let upload = world.data().join("media/import/a/deep/picture.webp");
    std::fs::create_dir_all(upload.parent().expect("a folder"))?;
    std::fs::write(&upload, b"a picture")?;
    let waiting = {
        let mut buyer = Buyer::new(&world)?;
        buyer.place().await?;
        buyer
    };
    let file = world.folder.path().join("shop.tar");
    // Others buy while it is saved.
    let (saved, others) = tokio::join!(
        async {
            let words = ["backup".to_owned(), text(&file)];
            tokio::task::block_in_place(|| world.must(&words.each_ref().map(String::as_str)))
        },
        futures::future::join_all((0..4).map(|_| Buyer::buy(&world)))
    );
    println!("{}", saved?);
    for other in others {
        other?.sees("Paid").await?;
    }
    assert_eq!(std::fs::metadata(&file)?.permissions().mode() & 0o777, 0o600, "it holds the shop's keys");
    let again = world.run(&["backup", &text(&file)])?;
    assert!(!again.status.success() && String::from_utf8_lossy(&again.stderr).contains("is there already"));

    let refused = world.run(&["restore", &text(&file)])?;
    assert!(!refused.status.success() && String::from_utf8_lossy(&refused.stderr).contains("stop it first"), "{refused:?}");
    world.kill()?;
    std::fs::write(&upload, b"spoilt")?;
    damaged_files_change_nothing(&world, &file)?;

    let said = world.must(&["restore", &text(&file)])?;
    assert!(said.contains("is as it was at 20") && said.contains("before-restore-"), "{said}");
    assert_eq!(std::fs::read(&upload)?, b"a picture");
    assert_eq!(std::fs::metadata(world.data().join("keys/master"))?.permissions().mode() & 0o777, 0o600);
    world.start(&[]).await?;
    first.sees("Paid").await?;
    first.sees("12 St James").await?;
    // Whoever was at the payment page pays there as if nothing had happened.
    let mut waiting = waiting;
    waiting.pay().await?;
    waiting.sees("Paid").await?;
    let cart = waiting.visitor.get("/en-gb/cart").await?;
    assert!(!cart.body.contains("Canvas Tote"), "a paid cart is empty");

    // An empty folder takes it as well, but not while its place is taken.
    let elsewhere = world.folder.path().join("elsewhere");
    std::fs::create_dir(&elsewhere)?;
    let said = world.must(&["restore", &text(&file), "--data", &text(&elsewhere)])?;
    assert!(!said.contains("before-restore-"), "{said}");
    assert!(elsewhere.join("shop.db").is_file() && elsewhere.join("keys/master").is_file());
    world.close().await
}

fn damaged_files_change_nothing(world: &World, file: &Path) -> anyhow::Result<()> {
    let good = std::fs::read(file)?;
    let bad = world.folder.path().join("bad.tar");
    let mut turned = good.clone();
    turned[good.len() / 2] ^= 1;
    for (bytes, says) in
        [(&turned[..], "damaged"), (&good[..good.len() - 2_000], "cut off"), (&b"no tar at all"[..], "cut off"), (&[0; 2_048][..], "no checksums")]
    {
        std::fs::write(&bad, bytes)?;
        let refused = world.run(&["restore", &text(&bad)])?;
        let said = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert!(!refused.status.success() && said.contains(says) && said.contains("nothing was changed"), "{says}: {said}");
    }
    let left: Vec<_> = std::fs::read_dir(world.data())?.flatten().map(|entry| entry.file_name()).collect();
    assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("restore-")), "{left:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restore_that_was_cut_off_keeps_shops_closed_until_it_is_run_again() -> anyhow::Result<()> {
    let mut world = World::open(&support::nextgen()).await?;
    let file = world.folder.path().join("shop.tar");
    world.must(&["backup", &text(&file)])?;
    world.kill()?;
    std::fs::write(world.data().join("restore-unfinished"), "")?;
    let refused = world.run(&["import", "/dev/null"])?;
    assert!(String::from_utf8_lossy(&refused.stderr).contains("was cut off"), "{refused:?}");
    world.must(&["restore", &text(&file)])?;
    world.start(&[]).await?;
    let db = world.db().await?;
    assert!(db.first("SELECT id FROM products LIMIT 1", params![]).await?.is_some());
    books::agree(&world).await?;
    world.close().await
}
