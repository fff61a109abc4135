//! Money that goes back or is fought over, and the ledger that a shop can be rebuilt from.

use crate::{
    payments::contract::both,
    payments::ends::{End, MINUTE_US},
    stripe::page::Manner,
};
use domain::{dispute::DisputeStage, refund::RefundNews};
use server::payments::{CapturedPayment, Notice, OpenedDispute};
use std::collections::{BTreeMap, BTreeSet};

both!(
    money_goes_back_in_parts_and_never_more_than_came,
    a_refund_may_be_under_way,
    a_refund_may_be_refused,
    a_dispute_is_told_of_from_its_beginning_to_its_end,
    disputes_are_listed_as_they_stand,
    captured_payments_are_listed_with_their_capsules,
);

async fn money_goes_back_in_parts_and_never_more_than_came(end: &End) -> anyhow::Result<()> {
    let since = end.clock.now();
    let attempt = end.paid(Manner::Pays).await?;
    let part = end.refund(&attempt, 4_000);
    for _ in 0..3 {
        assert_eq!(end.provider.refund(&part).await?, RefundNews::Issued, "once, however often it is asked for");
    }
    assert_eq!(end.refunded().await?, (1, 4_000));
    assert_eq!(end.provider.refund(&end.refund(&attempt, 8_391)).await?, RefundNews::Refused, "a cent too much");
    assert_eq!(end.provider.refund(&end.refund(&attempt, 8_390)).await?, RefundNews::Issued);
    assert_eq!(end.provider.refund(&end.refund(&attempt, 1)).await?, RefundNews::Refused);
    assert_eq!(end.refunded().await?, (2, 12_390));
    // The ledger tells of both, to whoever has lost the books.
    let page = end.provider.refunds_since(since, None).await?;
    let sent: Vec<_> = page.refunds.iter().map(|sent| (sent.payment == attempt.payment, sent.amount.minor, sent.news)).collect();
    assert!(sent.len() == 2 && page.next.is_none() && page.refunds.iter().any(|sent| sent.refund == part.refund), "{sent:?}");
    assert!(sent.contains(&(true, 4_000, RefundNews::Issued)) && sent.contains(&(true, 8_390, RefundNews::Issued)), "{sent:?}");
    assert!(end.provider.refunds_since(end.clock.now() + 60_000_000, None).await?.refunds.is_empty());
    // What was not paid does not go back.
    let (open, _) = end.open_page(&end.request()).await?;
    assert_eq!(end.provider.refund(&end.refund(&open, 100)).await?, RefundNews::Refused);
    Ok(())
}

async fn a_refund_may_be_under_way(end: &End) -> anyhow::Result<()> {
    let attempt = end.paid(Manner::RefundsPending).await?;
    let request = end.refund(&attempt, 12_390);
    for _ in 0..2 {
        assert_eq!(end.provider.refund(&request).await?, RefundNews::Pending);
    }
    end.refund_arrives(request.refund).await?;
    end.told(|notice| *notice == Notice::Refund { refund: request.refund, news: RefundNews::Issued }).await?;
    assert_eq!(end.provider.refund(&request).await?, RefundNews::Issued, "asking again says so, too");
    assert_eq!(end.refunded().await?, (1, 12_390));
    Ok(())
}

async fn a_refund_may_be_refused(end: &End) -> anyhow::Result<()> {
    let attempt = end.paid(Manner::RefundsRefused).await?;
    let request = end.refund(&attempt, 100);
    for _ in 0..2 {
        assert_eq!(end.provider.refund(&request).await?, RefundNews::Refused);
    }
    assert_eq!(end.refunded().await?, (0, 0));
    Ok(())
}

async fn a_dispute_is_told_of_from_its_beginning_to_its_end(end: &End) -> anyhow::Result<()> {
    for won in [true, false] {
        let attempt = end.paid(Manner::Pays).await?;
        let payment = attempt.payment;
        let mut references = BTreeSet::new();
        for stage in ["inquiry", "answered", "open", "review", if won { "won" } else { "lost" }] {
            end.dispute(payment, stage).await?;
            let event = end
                .told(|notice| {
                    let Notice::Dispute { payment: known, news } = notice else { return false };
                    let said = match news.stage {
                        DisputeStage::Inquiry { evidence_due } => evidence_due.map(|_| "inquiry"),
                        DisputeStage::InquiryAnswered => Some("answered"),
                        DisputeStage::Open { evidence_due } => evidence_due.map(|_| "open"),
                        DisputeStage::UnderReview => Some("review"),
                        DisputeStage::Won => Some("won"),
                        DisputeStage::Lost => Some("lost"),
                    };
                    *known == payment && said == Some(stage)
                })
                .await?;
            let Notice::Dispute { news, .. } = event.notice else { anyhow::bail!("it was one") };
            assert_eq!((news.amount.minor, news.reason.as_str()), (12_390, "fraudulent"));
            references.insert(news.reference);
            if stage == "open" {
                assert_eq!(end.provider.refund(&end.refund(&attempt, 100)).await?, RefundNews::Refused, "not while the bank decides");
            }
        }
        assert_eq!(references.len(), 1, "one dispute");
        let after = if won { RefundNews::Issued } else { RefundNews::Refused };
        assert_eq!(end.provider.refund(&end.refund(&attempt, 100)).await?, after, "won: {won}");
    }
    Ok(())
}

async fn disputes_are_listed_as_they_stand(end: &End) -> anyhow::Result<()> {
    end.paid(Manner::Pays).await?;
    let earlier = end.paid(Manner::Pays).await?.payment;
    end.dispute(earlier, "open").await?;
    end.advance(60 * MINUTE_US);
    let since = end.clock.now();
    let mut expected = BTreeMap::new();
    for n in 0..101_usize {
        let payment = end.paid(Manner::Pays).await?.payment;
        let stages = [&["open"][..], &["open", "review"], &["open", "won"], &["open", "lost"]][n % 4];
        for stage in stages {
            end.dispute(payment, stage).await?;
        }
        expected.insert(payment, n % 4);
    }
    let (mut found, mut pages, mut after) = (BTreeMap::new(), 0, None::<String>);
    loop {
        let page = end.provider.disputes_since(since, after.as_deref()).await?;
        assert!(page.disputes.len() <= 100);
        pages += 1;
        for OpenedDispute { payment, news } in page.disputes {
            assert_eq!((news.amount.minor, news.reason.as_str()), (12_390, "fraudulent"));
            let stage = match news.stage {
                DisputeStage::Open { evidence_due } => evidence_due.map_or(9, |_| 0),
                DisputeStage::Inquiry { .. } | DisputeStage::InquiryAnswered => 8,
                DisputeStage::UnderReview => 1,
                DisputeStage::Won => 2,
                DisputeStage::Lost => 3,
            };
            assert!(found.insert(payment, stage).is_none(), "each once");
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, 2);
    assert!(found == expected, "{} disputes", found.len());
    Ok(())
}

async fn captured_payments_are_listed_with_their_capsules(end: &End) -> anyhow::Result<()> {
    let since = end.clock.now();
    let mut expected = BTreeMap::new();
    for n in 0..103_usize {
        let mut request = end.request();
        request.capsule = (n > 0).then(|| format!("{n}:").repeat(n * 30));
        let (_, page) = end.open_page(&request).await?;
        // Some are paid, some are not.
        if n != 50 {
            end.pay(&page, Manner::Pays).await?;
            expected.insert(request.payment, request.capsule);
        }
    }
    end.paid(Manner::Slow).await?;
    let (mut found, mut pages, mut after) = (BTreeMap::new(), 0, None::<String>);
    loop {
        let page = end.provider.captured_since(since, after.as_deref()).await?;
        assert!(page.payments.len() <= 100);
        pages += 1;
        for CapturedPayment { payment, amount, at, capsule } in page.payments {
            assert!(amount.minor == 12_390 && at >= since - 1_000_000 && at <= end.clock.now());
            assert!(found.insert(payment, capsule).is_none(), "each once");
        }
        after = page.next;
        if after.is_none() {
            break;
        }
    }
    assert_eq!(pages, 2);
    assert!(found == expected, "{} payments with what they were sealed with", found.len());
    Ok(())
}
