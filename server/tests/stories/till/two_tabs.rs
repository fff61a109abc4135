//! Returns that are announced from two tabs, and pages from before that are filled in once more: nothing comes back twice, and nobody is told
//! that something was announced which was not.

use crate::{
    support::Answer,
    till::{
        house::{self, House, words},
        sending_back::{Bought, buys, locale, sends},
    },
};
use anyhow::Context as _;
use app::i18n::{give_back, till};
use domain::order::{ReturnReason, ReturnState};
use server::params;
use std::{sync::Arc, time::Duration};
use tokio::sync::Notify;

async fn announce(bought: &Bought, fields: &[(&str, &str)]) -> anyhow::Result<Answer> {
    bought.visitor.post(&format!("{}/return", bought.page), fields).await
}

/// Sends two forms at once: both have seen the order before either of them may change it.
async fn at_once(house: &House, bought: &Bought, forms: [&[(&str, &str)]; 2]) -> anyhow::Result<[Answer; 2]> {
    let db = house.shop.shop.db.clone();
    let (id, locked, free) = (bought.id, Arc::new(Notify::new()), Arc::new(Notify::new()));
    let holding = tokio::spawn({
        let (locked, free) = (Arc::clone(&locked), Arc::clone(&free));
        async move {
            db.transact::<_, sqlx::Error>(|tx| {
                let (locked, free) = (Arc::clone(&locked), Arc::clone(&free));
                Box::pin(async move {
                    tx.execute("UPDATE orders SET placed_at = placed_at WHERE id = $1", params![id]).await?;
                    locked.notify_one();
                    free.notified().await;
                    Ok(())
                })
            })
            .await
        }
    });
    locked.notified().await;
    let release = async {
        tokio::time::sleep(Duration::from_secs(2)).await;
        free.notify_one();
    };
    let (first, second, ()) = tokio::join!(announce(bought, forms[0]), announce(bought, forms[1]), release);
    holding.await??;
    Ok([first?, second?])
}

/// The answer to the form that came too late; the other one was announced.
fn late(answers: [Answer; 2]) -> anyhow::Result<Answer> {
    let statuses = answers.iter().map(|answer| answer.status).collect::<Vec<_>>();
    let (done, mut late): (Vec<_>, Vec<_>) = answers.into_iter().partition(|answer| answer.status == 303);
    anyhow::ensure!(done.len() == 1, "{statuses:?}");
    late.pop().context("one is refused")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_from_before_announces_nothing_else() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let other = things[1].variant.to_string();
    for code in ["en-gb", "de-de", "fr-ca", "ja-jp"] {
        let here = locale(code);
        let bought = buys(&house, &things[0], here, 2).await.context(code)?;
        sends(&house, &bought, true).await?;
        let mutation = house.shop.shop.clock.id().to_string();
        let with = |pieces, reason, wish| [("mutation", mutation.as_str()), ("line-0", pieces), ("reason-0", reason), ("for-0", wish)];
        for _ in 0..2 {
            assert_eq!(announce(&bought, &with("1", "faulty", "refund")).await?.status, 303, "{code}: the same form counts once");
        }
        for (name, fields) in [
            ("more pieces", with("2", "faulty", "refund")),
            ("another reason", with("1", "too_small", "refund")),
            ("another wish", with("1", "faulty", &other)),
        ] {
            let told = announce(&bought, &fields).await?;
            let text = words(&told.body);
            assert!(told.status == 422 && text.contains(till(here).said_bad_form), "{code} {name}: {} {text}", told.status);
            assert_eq!(told.field("line-0"), Some(fields[1].1), "{code} {name}: what was typed stays");
        }
        let known = bought.ledgers(&house).await?;
        let item = &known.returns[0].items[0];
        assert_eq!((known.returns.len(), item.quantity, item.reason), (1, 1, ReturnReason::Faulty), "{code}");
        assert_eq!(known.tally(0).returnable(), 1, "{code}");
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_two_tabs_at_once_one_is_told_that_something_has_changed() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    for code in ["en-gb", "ko-kr"] {
        let here = locale(code);
        let bought = buys(&house, &things[0], here, 3).await.context(code)?;
        sends(&house, &bought, true).await?;
        let two = [("line-0", "2"), ("reason-0", "faulty")];
        let told = late(at_once(&house, &bought, [&two, &two]).await?)?;
        let text = words(&told.body);
        assert!(told.status == 409 && text.contains(give_back(here).err_changed), "{code}: {} {text}", told.status);
        let known = bought.ledgers(&house).await?;
        assert_eq!((known.returns.len(), known.tally(0).returning), (1, 2), "{code}");
        // The page shows what is left, and that can be announced.
        assert_eq!(announce(&bought, &[("line-0", "1"), ("reason-0", "faulty")]).await?.status, 303, "{code}");
        assert!(bought.ledgers(&house).await?.returns.iter().all(|back| back.state == ReturnState::Requested), "{code}");
    }
    house.close().await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_page_that_is_sent_twice_at_once_with_other_words_announces_one_of_them() -> anyhow::Result<()> {
    let house = house::open().await?;
    let things = house.things().await?;
    let here = locale("de-de");
    let bought = buys(&house, &things[0], here, 3).await?;
    sends(&house, &bought, true).await?;
    let mutation = house.shop.shop.clock.id().to_string();
    let with = |pieces| [("mutation", mutation.as_str()), ("line-0", pieces), ("reason-0", "faulty")];
    let told = late(at_once(&house, &bought, [&with("1"), &with("2")]).await?)?;
    assert!(told.status == 422 && words(&told.body).contains(till(here).said_bad_form), "{} {}", told.status, words(&told.body));
    let known = bought.ledgers(&house).await?;
    assert!(known.returns.len() == 1 && [1, 2].contains(&known.tally(0).returning), "{:?}", known.returns);
    house.close().await
}
