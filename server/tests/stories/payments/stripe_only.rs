//! What only Stripe does: its forms, its idempotency keys, its events, its refusals.

use crate::{
    payments::ends::{self, End, Far, captured, unanswered},
    stripe::{Faults, SECRET, StandIn, description, page::Manner},
};
use domain::{
    PaymentId,
    money::{Currency, Money},
    payment::News,
    refund::RefundNews,
};
use serde_json::json;
use server::payments::{CAPSULE_BYTES_MAX, Notice, ProviderError, SessionLine, WebhookEvent, signature};
use std::collections::BTreeSet;

const SESSIONS: &str = "/v1/checkout/sessions";

async fn open() -> anyhow::Result<(End, StandIn)> {
    let end = ends::stripe().await?;
    let Far::Stripe(stand_in) = &end.far else { anyhow::bail!("it is Stripe's end") };
    let stand_in = stand_in.clone();
    Ok((end, stand_in))
}

#[tokio::test]
async fn a_page_is_asked_for_in_stripes_words() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    let mut request = end.request();
    request.locale = "fr-ca".to_owned();
    request.capsule = Some("x".repeat(CAPSULE_BYTES_MAX));
    end.open_page(&request).await?;
    let call = stand_in.calls("POST", SESSIONS).pop().expect("a call");
    let payment = request.payment.to_string();
    assert_eq!(call.key.as_deref(), Some(payment.as_str()));
    let expires = (request.expires_at / 1_000_000).to_string();
    for (name, value) in [
        ("mode", "payment"),
        ("client_reference_id", payment.as_str()),
        ("metadata[payment]", &payment),
        ("payment_intent_data[metadata][payment]", &payment),
        ("locale", "fr-CA"),
        ("customer_email", "ada@example.com"),
        ("expires_at", &expires),
        ("success_url", "http://shop.example/de-de/orders/secret"),
        ("adaptive_pricing[enabled]", "false"),
        // 119.00 € do not divide by three.
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][unit_amount]", "11900"),
        ("line_items[0][price_data][product_data][name]", "Gürtel · 90 cm × 3"),
        ("line_items[1][price_data][unit_amount]", "490"),
        ("line_items[1][price_data][currency]", "eur"),
    ] {
        let said = call.form.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
        assert_eq!(said, Some(value), "{name}");
    }
    assert_eq!(call.form.iter().filter(|(name, _)| name.starts_with("metadata[capsule_")).count(), 40);
    assert!(!call.form.iter().any(|(name, _)| name.contains("card") || name.contains("payment_method")), "no card data, no choice of methods");
    end.check()
}

#[tokio::test]
async fn the_stand_in_holds_callers_to_the_description() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    let good = [
        ("mode", "payment"),
        ("success_url", "https://shop.example/"),
        ("line_items[0][quantity]", "1"),
        ("line_items[0][price_data][currency]", "eur"),
        ("line_items[0][price_data][unit_amount]", "100"),
        ("line_items[0][price_data][product_data][name]", "Belt"),
    ];
    type Form = Vec<(&'static str, String)>;
    let post = async |change: fn(&mut Form), version: &str, key: &str| {
        let mut form: Form = good.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
        change(&mut form);
        let request = end.http.post(format!("{}{SESSIONS}", stand_in.origin)).bearer_auth(crate::stripe::KEY).header("stripe-version", version);
        let answer = request.header("idempotency-key", key).form(&form).send().await.expect("an answer");
        let violations = std::mem::take(&mut stand_in.state().violations).len();
        (answer.status().as_u16(), violations)
    };
    let nothing: fn(&mut Form) = |_| {};
    assert_eq!(post(nothing, description::VERSION, "a").await, (200, 0));
    assert_eq!(post(nothing, "2020-08-27", "b").await.1, 1, "another version");
    assert_eq!(post(nothing, description::VERSION, "").await.1, 1, "no key");
    type Change = fn(&mut Form);
    let defects: [(&str, Change); 9] = [
        ("unknown name", |form| form.push(("line_item[0][price]", "1".to_owned()))),
        ("empty value", |form| form.push(("customer_email", String::new()))),
        ("no mode", |form| form.retain(|(name, _)| *name != "mode")),
        ("no such mode", |form| form[0].1 = "pay".to_owned()),
        ("no such locale", |form| form.push(("locale", "de-de".to_owned()))),
        ("capitals", |form| form[3].1 = "EUR".to_owned()),
        ("a fraction", |form| form[4].1 = "1.00".to_owned()),
        ("a line without a name", |form| form.retain(|(name, _)| !name.ends_with("[name]"))),
        ("a long value", |form| form.push(("metadata[a]", "x".repeat(501)))),
    ];
    for (n, (what, change)) in defects.into_iter().enumerate() {
        assert_eq!(post(change, description::VERSION, &n.to_string()).await, (400, 1), "{what}");
    }
    assert_eq!(post(|form| form.push(("expires_at", "1".to_owned())), description::VERSION, "c").await, (400, 0), "too early an end");
    let answer = end.http.post(format!("{}{SESSIONS}", stand_in.origin)).bearer_auth("sk_test_other").send().await?;
    assert_eq!(answer.status(), 401);
    Ok(())
}

#[tokio::test]
async fn all_tries_of_a_call_have_one_key() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    for faults in [
        Faults { too_many: 2, ..Faults::default() },
        Faults { break_down: 2, ..Faults::default() },
        Faults { conflict: 2, ..Faults::default() },
        Faults { lose_replies: 2, ..Faults::default() },
    ] {
        stand_in.state().calls.clear();
        stand_in.set(faults);
        end.open_page(&end.request()).await?;
        let calls = stand_in.calls("POST", SESSIONS);
        let keys: BTreeSet<_> = calls.iter().map(|call| call.key.clone()).collect();
        assert_eq!((calls.len(), keys.len()), (3, 1), "{faults:?}");
    }
    // What Stripe says is of no use is not tried again.
    stand_in.state().calls.clear();
    stand_in.set(Faults { fail_for_good: 1, ..Faults::default() });
    assert!(matches!(end.provider.create_session(&end.request()).await, Err(ProviderError::Unavailable(_))));
    assert_eq!(stand_in.calls("POST", SESSIONS).len(), 1);
    end.check()
}

#[tokio::test]
async fn other_words_under_one_key_lead_to_the_page_that_is_there() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    let request = end.request();
    let (attempt, page) = end.open_page(&request).await?;
    let mut changed = request.clone();
    changed.lines[0].title = "Belt".to_owned();
    assert_eq!(end.open_page(&changed).await?, (attempt.clone(), page));
    end.provider.close_session(&attempt).await?;
    assert_eq!(end.provider.create_session(&changed).await?, News::Closed);
    assert_eq!(stand_in.state().ledger.sessions.len(), 1);
    end.check()
}

#[tokio::test]
async fn an_address_that_stripe_refuses_is_asked_for_on_its_page() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    stand_in.set(Faults { refuse_emails: true, ..Faults::default() });
    let request = end.request();
    let (_, page) = end.open_page(&request).await?;
    assert_eq!(end.open_page(&request).await?.1, page, "and again");
    assert_eq!(stand_in.state().ledger.sessions.values().filter(|session| session.email.is_none()).count(), 1);
    end.check()
}

#[tokio::test]
async fn a_refund_is_made_once_also_when_its_key_is_forgotten() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    let attempt = end.paid(Manner::Pays).await?;
    stand_in.set(Faults { forget_keys: true, lose_replies: 1, ..Faults::default() });
    let request = end.refund(&attempt, 100);
    end.provider.refund(&request).await.ok();
    stand_in.set(Faults { forget_keys: true, ..Faults::default() });
    assert_eq!(end.provider.refund(&request).await?, RefundNews::Issued);
    let made = stand_in.state().ledger.refunds.len();
    assert!((1..=2).contains(&made), "{made}");
    // Without any memory of keys a lost reply within one call makes two; the next call makes none.
    assert_eq!(end.provider.refund(&request).await?, RefundNews::Issued);
    assert_eq!(stand_in.state().ledger.refunds.len(), made);
    end.check()
}

#[tokio::test]
async fn a_refund_that_was_refused_can_be_asked_for_later() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    let attempt = end.paid(Manner::RefundsRefused).await?;
    let mut request = end.refund(&attempt, 100);
    assert_eq!(end.provider.refund(&request).await?, RefundNews::Refused);
    if let Some(session) = stand_in.state().ledger.by_reference(&attempt.payment.to_string()) {
        session.intent.as_mut().expect("it is paid").refunds = "succeeded";
    }
    request.at += 3_600 * 1_000_000;
    assert_eq!(end.provider.refund(&request).await?, RefundNews::Issued, "the saved refusal is not the last word");
    assert_eq!(stand_in.state().ledger.refunds.len(), 1);
    end.check()
}

#[tokio::test]
async fn a_refund_that_fails_later_bounces() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    let attempt = end.paid(Manner::Pays).await?;
    let request = end.refund(&attempt, 100);
    assert_eq!(end.provider.refund(&request).await?, RefundNews::Issued);
    stand_in.settle_refund(request.refund, false)?;
    end.told(|notice| *notice == Notice::Refund { refund: request.refund, news: RefundNews::Bounced }).await?;
    assert_eq!(end.provider.refund(&request).await?, RefundNews::Bounced);
    end.check()
}

#[tokio::test]
async fn a_session_is_found_among_many_of_its_time() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    let wanted = end.request();
    stand_in.set(Faults { lose_replies: 3, ..Faults::default() });
    assert!(end.provider.create_session(&wanted).await.is_err());
    stand_in.set(Faults::default());
    for _ in 0..210 {
        end.open_page(&end.request()).await?;
    }
    stand_in.state().calls.clear();
    assert!(matches!(end.provider.session(&unanswered(&wanted)).await?, Some(News::Open { .. })));
    assert_eq!(stand_in.calls("GET", SESSIONS).len(), 3, "page by page");
    end.check()
}

async fn read(end: &End, kind: &str, object: serde_json::Value) -> anyhow::Result<WebhookEvent> {
    let body = serde_json::to_vec(&json!({ "id": "evt_1", "object": "event", "type": kind, "data": { "object": object } }))?;
    let now = end.clock.now();
    Ok(end.provider.webhook(Some(&signature::sign(SECRET.as_bytes(), now, &body)), &body, now).await?)
}

#[tokio::test]
async fn a_decline_on_the_page_is_no_end() -> anyhow::Result<()> {
    let (end, _) = open().await?;
    let request = end.request();
    let (attempt, page) = end.open_page(&request).await?;
    assert!(!end.pay(&page, Manner::Declines).await?, "the shopper stays there");
    end.told(|notice| *notice == Notice::Ignored).await?;
    assert!(end.pay(&page, Manner::Pays).await?, "with another card");
    assert_eq!(end.provider.session(&attempt).await?, Some(captured(12_390)));
    end.check()
}

#[tokio::test]
async fn events_of_others_and_unknown_ones_are_taken_and_left_alone() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    end.paid(Manner::Pays).await?;
    let mut foreign = stand_in.state().ledger.sessions.values().next().expect("a session").clone();
    foreign.reference = Some("cart-17".to_owned());
    foreign.metadata.clear();
    let foreign = foreign.json(&stand_in.origin, false);
    for (kind, object) in [
        ("checkout.session.completed", foreign),
        ("customer.created", json!({ "id": "cus_1" })),
        ("payment_intent.payment_failed", json!({ "id": "pi_1" })),
        ("refund.updated", json!({ "id": "re_1", "status": "succeeded", "amount": 1, "currency": "eur", "metadata": {} })),
        (
            "charge.dispute.created",
            json!({ "id": "dp_1", "amount": 1, "currency": "eur", "reason": "general", "status": "needs_response", "payment_intent": null }),
        ),
    ] {
        assert_eq!(read(&end, kind, object).await?.notice, Notice::Ignored, "{kind}");
    }
    assert!(read(&end, "checkout.session.completed", json!({ "id": "cs_1" })).await.is_err(), "a session without its fields");
    end.check()
}

#[tokio::test]
async fn a_session_of_another_program_does_not_hide_ours() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    let since = end.clock.now();
    let attempt = end.paid(Manner::Pays).await?;
    {
        let mut state = stand_in.state();
        let mut foreign = state.ledger.sessions.values().next().expect("a session").clone();
        (foreign.id, foreign.keeps_a_card, foreign.reference) = ("cs_test_foreign".to_owned(), true, None);
        foreign.metadata.clear();
        foreign.number += 1;
        state.ledger.sessions.insert(foreign.id.clone(), foreign);
    }
    let page = end.provider.captured_since(since, None).await?;
    assert_eq!(page.payments.iter().map(|captured| captured.payment).collect::<Vec<_>>(), [attempt.payment]);
    end.check()
}

#[tokio::test]
async fn a_dispute_waits_until_stripe_says_whose_it_is() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    let attempt = end.paid(Manner::Pays).await?;
    stand_in.set(Faults { break_down: 3, ..Faults::default() });
    stand_in.dispute(attempt.payment, "needs_response")?;
    let event = end.told(|notice| matches!(notice, Notice::Dispute { .. })).await?;
    assert!(matches!(event.notice, Notice::Dispute { payment, .. } if payment == attempt.payment), "it was sent again");
    end.check()
}

#[tokio::test]
async fn amounts_that_stripe_cannot_charge_are_refused_before_it_is_asked() -> anyhow::Result<()> {
    let (end, stand_in) = open().await?;
    let mut request = end.request();
    request.payment = PaymentId(end.clock.id());
    request.amount = Money::new(5_124, "KWD".parse::<Currency>()?);
    request.lines = vec![SessionLine { title: "Belt".to_owned(), quantity: 1, amount: request.amount }];
    assert!(matches!(end.provider.create_session(&request).await, Err(ProviderError::Refused(_))));
    assert!(stand_in.state().calls.is_empty());
    Ok(())
}
