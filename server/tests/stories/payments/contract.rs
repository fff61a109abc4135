//! Pages and payments: opened once, paid once, closed for good, whichever provider it is.

use crate::{
    payments::ends::{End, MINUTE_US, captured, unanswered},
    stripe::page::Manner,
};
use domain::{
    money::{Currency, Money},
    payment::News,
};
use server::payments::{SESSION_US, SessionLine};

/// Tells a story to both providers.
macro_rules! both {
    ($($story:ident),* $(,)?) => {
        mod test_provider {
            $(#[tokio::test] async fn $story() -> anyhow::Result<()> {
                let end = crate::payments::ends::test_provider().await?;
                super::$story(&end).await?;
                end.check()
            })*
        }
        mod stripe {
            $(#[tokio::test] async fn $story() -> anyhow::Result<()> {
                let end = crate::payments::ends::stripe().await?;
                super::$story(&end).await?;
                end.check()
            })*
        }
    };
}
pub(crate) use both;

both!(
    a_page_is_opened_once_and_paid_once,
    yen_are_not_multiplied,
    a_declined_card_pays_nothing_and_the_page_can_be_closed,
    nobody_pays_on_a_closed_page,
    what_was_never_asked_for_is_unknown_and_can_be_closed,
    a_page_closes_by_itself,
    slow_money_is_waited_for,
    slow_money_may_not_come,
    a_total_that_its_lines_do_not_explain_is_charged_as_one,
);

async fn a_page_is_opened_once_and_paid_once(end: &End) -> anyhow::Result<()> {
    let request = end.request();
    let (attempt, page) = end.open_page(&request).await?;
    assert_eq!(end.open_page(&request).await?, (attempt.clone(), page.clone()), "the same page");
    assert_eq!(end.pages().await?, 1);
    let origin = end.provider.origin().expect("an origin for form-action");
    assert!(page.starts_with(&format!("{origin}/")), "{page} is not at {origin}");
    assert!(matches!(end.provider.session(&attempt).await?, Some(News::Open { .. })));
    assert!(end.pay(&page, Manner::Pays).await?);
    assert_eq!(end.provider.session(&attempt).await?, Some(captured(12_390)));
    assert_eq!(end.provider.create_session(&request).await?, captured(12_390), "opening it again says that it is paid");
    assert_eq!(end.provider.close_session(&attempt).await?, captured(12_390), "and so does closing it");
    end.told_of(request.payment, &captured(12_390)).await?;
    end.pay(&page, Manner::Pays).await?;
    assert_eq!(end.pages().await?, 1);
    Ok(())
}

async fn yen_are_not_multiplied(end: &End) -> anyhow::Result<()> {
    for (minor, currency) in [(4_620, Currency::JPY), (64_000, Currency::KRW)] {
        let mut request = end.request();
        request.amount = Money::new(minor, currency);
        request.lines = vec![SessionLine { title: "ベルト".to_owned(), quantity: 1, amount: request.amount }];
        let (attempt, page) = end.open_page(&request).await?;
        end.pay(&page, Manner::Pays).await?;
        let expected = News::Captured { amount: Money::new(minor, currency) };
        assert_eq!(end.provider.session(&attempt).await?, Some(expected));
    }
    Ok(())
}

async fn a_declined_card_pays_nothing_and_the_page_can_be_closed(end: &End) -> anyhow::Result<()> {
    let request = end.request();
    let (attempt, page) = end.open_page(&request).await?;
    end.pay(&page, Manner::Declines).await?;
    // One ends the attempt, the other leaves the page open for another card.
    let news = end.provider.session(&attempt).await?.expect("it is known");
    assert!(matches!(news, News::Failed { .. } | News::Open { .. }), "{news:?}");
    let closed = end.provider.close_session(&attempt).await?;
    assert!(matches!(closed, News::Failed { .. } | News::Closed), "{closed:?}");
    end.pay(&page, Manner::Pays).await?;
    assert_eq!(end.provider.session(&attempt).await?, Some(closed), "nobody pays there any more");
    Ok(())
}

async fn nobody_pays_on_a_closed_page(end: &End) -> anyhow::Result<()> {
    let request = end.request();
    let (attempt, page) = end.open_page(&request).await?;
    for _ in 0..2 {
        assert_eq!(end.provider.close_session(&attempt).await?, News::Closed);
    }
    end.told_of(request.payment, &News::Closed).await?;
    end.pay(&page, Manner::Pays).await?;
    assert_eq!(end.provider.session(&attempt).await?, Some(News::Closed));
    assert_eq!(end.provider.create_session(&request).await?, News::Closed, "it does not open again");
    Ok(())
}

async fn what_was_never_asked_for_is_unknown_and_can_be_closed(end: &End) -> anyhow::Result<()> {
    // Others are there, before and after.
    end.paid(Manner::Pays).await?;
    let attempt = unanswered(&end.request());
    end.paid(Manner::Pays).await?;
    assert_eq!(end.provider.session(&attempt).await?, None);
    assert_eq!(end.provider.close_session(&attempt).await?, News::Closed);
    Ok(())
}

async fn a_page_closes_by_itself(end: &End) -> anyhow::Result<()> {
    let request = end.request();
    let (attempt, page) = end.open_page(&request).await?;
    end.advance(SESSION_US - MINUTE_US);
    assert!(matches!(end.provider.session(&attempt).await?, Some(News::Open { .. })));
    end.advance(2 * MINUTE_US);
    assert_eq!(end.provider.session(&attempt).await?, Some(News::Closed));
    end.told_of(request.payment, &News::Closed).await?;
    end.pay(&page, Manner::Pays).await?;
    assert_eq!(end.provider.session(&attempt).await?, Some(News::Closed));
    // An attempt of which nobody heard in time opens no page any more.
    let late = end.request();
    end.advance(SESSION_US + MINUTE_US);
    assert_eq!(end.provider.create_session(&late).await?, News::Closed);
    Ok(())
}

async fn slow_money_is_waited_for(end: &End) -> anyhow::Result<()> {
    let attempt = end.paid(Manner::Slow).await?;
    assert_eq!(end.provider.session(&attempt).await?, Some(end.slow()));
    end.told_of(attempt.payment, &end.slow()).await?;
    assert_eq!(end.provider.close_session(&attempt).await?, end.slow(), "it cannot be called off");
    end.settle(attempt.payment, true).await?;
    assert_eq!(end.provider.session(&attempt).await?, Some(captured(12_390)));
    end.told_of(attempt.payment, &captured(12_390)).await?;
    Ok(())
}

async fn slow_money_may_not_come(end: &End) -> anyhow::Result<()> {
    let attempt = end.paid(Manner::Slow).await?;
    end.settle(attempt.payment, false).await?;
    assert!(matches!(end.provider.session(&attempt).await?, Some(News::Failed { .. })));
    end.told(|notice| matches!(notice, server::payments::Notice::Payment { news: News::Failed { .. }, .. })).await?;
    Ok(())
}

async fn a_total_that_its_lines_do_not_explain_is_charged_as_one(end: &End) -> anyhow::Result<()> {
    let mut request = end.request();
    request.lines.push(SessionLine { title: "Gutschein".to_owned(), quantity: 1, amount: Money::new(-1_000, Currency::EUR) });
    request.amount = Money::new(11_390, Currency::EUR);
    request.email = None;
    let (attempt, page) = end.open_page(&request).await?;
    end.pay(&page, Manner::Pays).await?;
    assert_eq!(end.provider.session(&attempt).await?, Some(captured(11_390)));
    Ok(())
}
