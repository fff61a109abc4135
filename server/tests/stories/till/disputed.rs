//! A bank asks for the money back: what the page of the order says, and what it refuses.

use crate::till::{
    house::{self, House, words},
    sending_back::{Bought, locale, paid_with, sends},
};
use app::i18n::{follow, give_back};
use domain::order::{CancelReason, Order};
use server::orders::story::Actor;
use std::time::Duration;

const WINS: &str = "4000 0000 0000 0259";
const LOSES: &str = "4000 0000 0000 2685";

async fn until(house: &House, bought: &Bought, seconds: u64, holds: impl Fn(&Order) -> bool) -> anyhow::Result<()> {
    house.provider_waits(seconds).await?;
    for _ in 0..200 {
        if holds(&bought.ledgers(house).await?) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
    anyhow::bail!("nothing came of it: {:?}", bought.ledgers(house).await?.disputes)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_page_waits_for_the_bank_and_tells_how_it_ended() -> anyhow::Result<()> {
    for (code, card) in [("en-gb", WINS), ("de-de", LOSES), ("ja-jp", LOSES)] {
        // The provider's clock goes forward only.
        let house = house::open().await?;
        let things = house.things().await?;
        let here = locale(code);
        let (messages, returns) = (follow(here), give_back(here));
        let bought = paid_with(&house, &things[0], here, 2, card).await?;
        until(&house, &bought, 11, Order::is_disputed).await?;
        let cancel = || async { bought.visitor.post(&format!("{}/cancel", bought.page), &[("line-0", "1")]).await };
        let text = words(&bought.visitor.get(&bought.page).await?.body);
        assert!(text.contains(messages.way_bank) && text.contains(messages.text_bank) && text.contains(messages.cancel_disputed), "{code}: {text}");
        assert!(!text.contains(messages.cancel_submit), "{code}: {text}");
        let refused = cancel().await?;
        assert!(refused.status == 409 && words(&refused.body).contains(messages.cancel_disputed), "{code}: {}", words(&refused.body));

        until(&house, &bought, 14 * 24 * 3_600 + 60, |order| !order.is_disputed()).await?;
        let text = words(&bought.visitor.get(&bought.page).await?.body);
        if card == WINS {
            assert!(text.contains(messages.cancel_submit) && !text.contains(messages.way_bank), "{code}: {text}");
            assert_eq!(cancel().await?.status, 303, "{code}");
            house.close().await?;
            continue;
        }
        assert!(text.contains(messages.way_charged_back) && text.contains(messages.text_charged_back), "{code}: {text}");
        assert!(text.contains(messages.cancel_charged_back) && !text.contains(messages.cancel_submit), "{code}: {text}");
        let refused = cancel().await?;
        assert!(refused.status == 409 && words(&refused.body).contains(messages.cancel_charged_back), "{code}: {}", words(&refused.body));
        assert!(house.shop.shop.orders.to_pack(&bought.ledgers(&house).await?, "anywhere").await?.is_empty(), "{code}: it is on no pick list");
        let staff = Actor::Staff("01a20846-0000-7000-8000-000000000001".to_owned());
        let id = domain::CancellationId(house.shop.shop.clock.id());
        let portions = bought.ledgers(&house).await?.open_portions();
        let after = house.shop.shop.orders.cancel(bought.id, id, Some(&portions), CancelReason::Fraud, staff).await?;
        assert!(after.refunds.is_empty(), "{code}: {:?}", after.refunds);
        let text = words(&bought.visitor.get(&bought.page).await?.body);
        assert!(!text.contains(messages.text_charged_back) && !text.contains(returns.title), "{code}: {text}");
        house.close().await?;
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_announced_to_come_back_while_a_bank_asks() -> anyhow::Result<()> {
    for (code, card) in [("en-us", WINS), ("fr-fr", LOSES)] {
        let house = house::open().await?;
        let things = house.things().await?;
        let here = locale(code);
        let messages = give_back(here);
        let bought = paid_with(&house, &things[0], here, 2, card).await?;
        sends(&house, &bought, true).await?;
        until(&house, &bought, 11, Order::is_disputed).await?;
        let some = [("line-0", "1"), ("reason-0", "faulty")];
        let announce = || async { bought.visitor.post(&format!("{}/return", bought.page), &some).await };
        let text = words(&bought.visitor.get(&bought.page).await?.body);
        assert!(text.contains(messages.disputed) && text.contains(follow(here).way_delivered), "{code}: {text}");
        let refused = announce().await?;
        assert!(refused.status == 409 && words(&refused.body).contains(messages.disputed), "{code}: {}", words(&refused.body));
        until(&house, &bought, 14 * 24 * 3_600 + 60, |order| !order.is_disputed()).await?;
        let then = announce().await?;
        if card == WINS {
            assert_eq!(then.status, 303, "{code}: {}", words(&then.body));
        } else {
            assert!(then.status == 409 && words(&then.body).contains(follow(here).cancel_charged_back), "{code}: {}", words(&then.body));
        }
        assert_eq!(bought.ledgers(&house).await?.returns.len(), usize::from(card == WINS), "{code}");
        house.close().await?;
    }
    Ok(())
}
