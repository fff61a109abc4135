//! Bad days: lost replies, refusals for a while, a provider that is down, webhooks that come twice, in another order, late or forged.

use crate::{
    payments::contract::both,
    payments::ends::{End, MINUTE_US, Weather, captured, unanswered},
    stripe::page::Manner,
};
use domain::payment::News;
use server::payments::{Forged, Notice, ProviderError, WebhookFault};

both!(
    a_lost_reply_makes_no_second_page,
    a_page_whose_address_was_lost_can_be_found_and_closed,
    a_refund_whose_reply_was_lost_is_made_once,
    too_many_requests_and_failures_are_tried_again,
    a_provider_that_is_down_says_nothing,
    webhooks_may_come_twice_under_one_id,
    webhooks_may_change_places,
    what_is_not_signed_as_it_should_is_not_believed,
);

async fn a_lost_reply_makes_no_second_page(end: &End) -> anyhow::Result<()> {
    end.weather(Weather { lose_replies: 2, ..Weather::default() }).await?;
    let request = end.request();
    let (attempt, page) = end.open_page(&request).await?;
    assert_eq!(end.pages().await?, 1, "the third answer arrived");
    end.pay(&page, Manner::Pays).await?;
    assert_eq!(end.provider.session(&attempt).await?, Some(captured(12_390)));
    Ok(())
}

async fn a_page_whose_address_was_lost_can_be_found_and_closed(end: &End) -> anyhow::Result<()> {
    let request = end.request();
    end.weather(Weather { lose_replies: 3, ..Weather::default() }).await?;
    assert!(matches!(end.provider.create_session(&request).await, Err(ProviderError::Unavailable(_))));
    end.weather(Weather::default()).await?;
    assert_eq!(end.pages().await?, 1, "it was opened all the same");
    let attempt = unanswered(&request);
    assert!(matches!(end.provider.session(&attempt).await?, Some(News::Open { .. })));
    assert!(matches!(end.provider.create_session(&request).await?, News::Open { .. }), "asked again it is the same");
    assert_eq!(end.pages().await?, 1);
    assert_eq!(end.provider.close_session(&attempt).await?, News::Closed);
    assert_eq!(end.provider.create_session(&request).await?, News::Closed, "an answer of before does not count");
    Ok(())
}

async fn a_refund_whose_reply_was_lost_is_made_once(end: &End) -> anyhow::Result<()> {
    let attempt = end.paid(Manner::Pays).await?;
    let request = end.refund(&attempt, 4_000);
    end.weather(Weather { lose_replies: 3, ..Weather::default() }).await?;
    assert!(matches!(end.provider.refund(&request).await, Err(ProviderError::Unavailable(_))));
    end.weather(Weather::default()).await?;
    assert_eq!(end.provider.refund(&request).await?, domain::refund::RefundNews::Issued);
    assert_eq!(end.refunded().await?, (1, 4_000));
    Ok(())
}

async fn too_many_requests_and_failures_are_tried_again(end: &End) -> anyhow::Result<()> {
    for weather in [Weather { too_many: 2, ..Weather::default() }, Weather { break_down: 2, ..Weather::default() }] {
        let before = end.pages().await?;
        end.weather(weather).await?;
        end.open_page(&end.request()).await?;
        assert_eq!(end.pages().await?, before + 1, "{weather:?}");
    }
    Ok(())
}

async fn a_provider_that_is_down_says_nothing(end: &End) -> anyhow::Result<()> {
    let request = end.request();
    let (attempt, _) = end.open_page(&request).await?;
    end.weather(Weather { down: true, ..Weather::default() }).await?;
    for _ in 0..3 {
        assert!(matches!(end.provider.session(&attempt).await, Err(ProviderError::Unavailable(_))));
    }
    assert!(matches!(end.provider.close_session(&attempt).await, Err(ProviderError::Unavailable(_))), "nothing is given away on a guess");
    let begun = tokio::time::Instant::now();
    assert!(end.provider.create_session(&request).await.is_err());
    assert!(begun.elapsed() < std::time::Duration::from_millis(500), "the circuit is open: nobody waits");
    end.weather(Weather::default()).await?;
    tokio::time::sleep(std::time::Duration::from_millis(3_100)).await;
    assert!(matches!(end.provider.session(&attempt).await?, Some(News::Open { .. })));
    Ok(())
}

async fn webhooks_may_come_twice_under_one_id(end: &End) -> anyhow::Result<()> {
    end.weather(Weather { duplicate_webhooks: true, ..Weather::default() }).await?;
    let attempt = end.paid(Manner::Pays).await?;
    let first = end.told_of(attempt.payment, &captured(12_390)).await?;
    for _ in 0..100 {
        if end.events().iter().filter(|event| event.id == first.id).count() == 2 {
            return Ok(());
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    anyhow::bail!("it came once: {:?}", end.events())
}

async fn webhooks_may_change_places(end: &End) -> anyhow::Result<()> {
    end.weather(Weather { reorder_webhooks: true, ..Weather::default() }).await?;
    let attempt = end.paid(Manner::Slow).await?;
    end.settle(attempt.payment, true).await?;
    end.weather(Weather::default()).await?;
    end.told_of(attempt.payment, &end.slow()).await?;
    let said: Vec<_> =
        end.events().into_iter().filter_map(|event| if let Notice::Payment { news, .. } = event.notice { Some(news) } else { None }).collect();
    assert_eq!(said, [captured(12_390), end.slow()], "the later one first");
    Ok(())
}

async fn what_is_not_signed_as_it_should_is_not_believed(end: &End) -> anyhow::Result<()> {
    use server::payments::signature::sign;
    let secret = match &end.far {
        crate::payments::ends::Far::TestProvider { secret, .. } => secret.clone(),
        crate::payments::ends::Far::Stripe(_) => crate::stripe::SECRET.to_owned(),
    };
    let now = end.clock.now();
    // Taken from the wire: a genuine event.
    let attempt = end.paid(Manner::Pays).await?;
    let event = end.told_of(attempt.payment, &captured(12_390)).await?;
    let body = match &end.far {
        crate::payments::ends::Far::TestProvider { .. } => serde_json::to_vec(&event)?,
        crate::payments::ends::Far::Stripe(stand_in) => {
            let session = stand_in.state().ledger.by_reference(&attempt.payment.to_string()).map(|session| session.json("http://x", false));
            serde_json::to_vec(
                &serde_json::json!({ "id": event.id, "object": "event", "type": "checkout.session.completed", "data": { "object": session } }),
            )?
        }
    };
    let read = async |signed: Option<String>, body: &[u8], at| match end.provider.webhook(signed.as_deref(), body, at).await {
        Ok(event) => Ok(event.id),
        Err(WebhookFault::Forged(forged)) => Err(forged),
        Err(WebhookFault::Unclear(error)) => panic!("{error}"),
    };
    let signed = Some(sign(secret.as_bytes(), now, &body));
    assert_eq!(read(signed.clone(), &body, now).await, Ok(event.id.clone()));
    assert_eq!(read(signed.clone(), &body, now + 5 * MINUTE_US).await, Ok(event.id), "played again it has the same id");
    assert_eq!(read(signed.clone(), &body, now + 6 * MINUTE_US).await, Err(Forged::Stale));
    assert_eq!(read(None, &body, now).await, Err(Forged::Signature));
    assert_eq!(read(Some(sign(b"a guess", now, &body)), &body, now).await, Err(Forged::Signature));
    let other = [&body[..], b" "].concat();
    assert_eq!(read(signed, &other, now).await, Err(Forged::Signature));
    assert_eq!(read(Some(sign(secret.as_bytes(), now, b"{}")), b"{}", now).await, Err(Forged::Unreadable));
    assert_eq!(end.refused(), 0, "what was genuine was believed");
    let answer = end.http.post(&end.hook).body(body).send().await?;
    assert_eq!((answer.status().as_u16(), end.refused()), (401, 1));
    Ok(())
}
