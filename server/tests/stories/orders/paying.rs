//! Paying: declines, challenges, two tabs, and a provider's news in every order.

use crate::orders::house::{self, CHALLENGES, DECLINES, PAYS};
use domain::{
    money::{Currency, Money},
    order::CannotPay,
    payment::{Decline, Method, News},
};
use serde_json::json;
use server::{
    orders::PayAgainError,
    payments::{Notice, WebhookEvent, signature, test_provider},
};

#[tokio::test]
async fn after_a_decline_the_order_can_be_paid_again() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    let placed = house.place(1).await?;
    house.type_card(placed.redirect_url.as_deref().expect("a page"), DECLINES).await?;
    let view = house.look(&placed.secret).await?;
    assert_eq!(view.status, domain::order::Status::PaymentFailed { reason: Decline::Declined });
    assert!(view.can_pay.is_ok());
    assert_eq!(house.stock().await?, (2, 1), "the pieces are still kept");
    let page = house.orders.pay_again(&placed.secret).await?;
    assert_ne!(Some(&page), placed.redirect_url.as_ref());
    let challenge = house.type_card(&page, CHALLENGES).await?;
    let answer = house.http.get(&challenge).header("accept-language", "ja").send().await?;
    assert!(answer.text().await?.contains("3-D Secure"));
    let answer = house.http.post(format!("{challenge}/authenticate")).form(&[("outcome", "confirm")]).send().await?;
    assert_eq!(answer.status(), 303);
    assert_eq!(house.status(&placed.secret).await?, "paid");
    assert!(matches!(house.orders.pay_again(&placed.secret).await, Err(PayAgainError::Refused(CannotPay::Paid))));
    assert_eq!(house.stock().await?, (2, 0));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn the_payment_page_works_without_script_and_says_what_is_wrong() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    let placed = house.place(1).await?;
    let page = placed.redirect_url.expect("a page");
    let html = house.http.get(&page).send().await?.text().await?;
    for expected in [
        placed.number.to_string().as_str(),
        "123,90\u{a0}€",
        "autocomplete=\"cc-number\"",
        "autocomplete=\"cc-csc\"",
        "<html lang=\"de\"",
        "Bezahlen",
    ] {
        assert!(html.contains(expected), "{expected} is missing in {html}");
    }
    assert!(!html.contains("<script"));
    let answer = house.http.post(&page).form(&[("cardnumber", "1234"), ("exp-date", "01/20"), ("cvc", "x"), ("ccname", "<b>")]).send().await?;
    assert_eq!(answer.status(), 422);
    let html = answer.text().await?;
    assert!(html.contains("aria-invalid") && html.contains("&lt;b&gt;") && !html.contains("1234\""), "{html}");
    assert_eq!(house.http.get(format!("{}/pay/nothing", house.provider)).send().await?.status(), 404);
    // Walking away with the button closes the page; the order can be paid again.
    let answer = house.http.post(format!("{page}/cancel")).send().await?;
    assert_eq!(answer.status(), 303);
    assert!(house.look(&placed.secret).await?.can_pay.is_ok());
    let again = house.orders.pay_again(&placed.secret).await?;
    house.type_card(&again, PAYS).await?;
    assert_eq!(house.status(&placed.secret).await?, "paid");
    house.shop.stop().await
}

#[tokio::test]
async fn two_tabs_pay_once() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    let placed = house.place(1).await?;
    house.type_card(placed.redirect_url.as_deref().expect("a page"), DECLINES).await?;
    house.until(&placed, "payment_failed").await?;
    let (one, two) = tokio::join!(house.orders.pay_again(&placed.secret), house.orders.pay_again(&placed.secret));
    let (one, two) = (one?, two?);
    assert_eq!(one, two, "both tabs lead to the same page");
    let (first, second) = tokio::join!(house.type_card(&one, PAYS), house.type_card(&two, PAYS));
    assert_eq!(first?, second?);
    assert_eq!(house.status(&placed.secret).await?, "paid");
    assert_eq!(house.kept_by_provider().await?.0, 1);
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn a_second_capture_goes_back() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    let placed = house.place(1).await?;
    let first = house.payment(&placed).await?;
    house.type_card(placed.redirect_url.as_deref().expect("a page"), DECLINES).await?;
    house.until(&placed, "payment_failed").await?;
    let page = house.orders.pay_again(&placed.secret).await?;
    house.type_card(&page, PAYS).await?;
    house.until(&placed, "paid").await?;
    house.late_money(first).await?;
    for _ in 0..100 {
        house.orders.tend().await?;
        if house.count("SELECT COUNT(*) AS n FROM refunds WHERE state = 'issued' AND reason = 'paid_twice'").await? == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    assert_eq!(house.status(&placed.secret).await?, "paid");
    assert_eq!(house.kept_by_provider().await?, (1, placed_total()));
    house.check_books().await?;
    house.shop.stop().await
}

const fn placed_total() -> i64 {
    house::PRICE + house::DELIVERY
}

#[tokio::test]
async fn money_on_an_older_page_closes_the_newer_one() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    let placed = house.place(1).await?;
    let first = house.payment(&placed).await?;
    house.type_card(placed.redirect_url.as_deref().expect("a page"), DECLINES).await?;
    house.until(&placed, "payment_failed").await?;
    let page = house.orders.pay_again(&placed.secret).await?;
    house.late_money(first).await?;
    house.until(&placed, "paid").await?;
    for _ in 0..100 {
        if house.count("SELECT COUNT(*) AS n FROM payments WHERE state = 'closed'").await? == 1 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    house.type_card(&page, PAYS).await?;
    assert_eq!(house.kept_by_provider().await?.0, 1, "nobody could pay there any more");
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn webhooks_are_believed_once_and_only_when_signed() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    house.faults(json!({ "hold_webhooks": true })).await?;
    let placed = house.place(1).await?;
    let payment = house.payment(&placed).await?;
    let event = |id: &str, news: News| {
        serde_json::to_vec(&WebhookEvent { id: id.to_owned(), notice: Notice::Payment { payment, news } }).expect("plain data")
    };
    let money = News::Captured { amount: Money::new(placed_total(), Currency::EUR) };
    let url = format!("{}/webhooks/test-provider", house.shop.url);
    let post = async |body: &[u8], signature: Option<String>| {
        let request = house.http.post(&url).body(body.to_vec());
        let request = if let Some(signature) = signature { request.header(signature::HEADER, signature) } else { request };
        request.send().await.map(|answer| answer.status().as_u16())
    };
    let secret = test_provider::secret(house.shop.data())?;
    let now = house.shop.clock.now();
    let captured = event("evt_1", money.clone());
    let signed = |body: &[u8], at| Some(signature::sign(&secret, at, body));

    assert_eq!(post(&captured, None).await?, 401);
    assert_eq!(post(&captured, Some(signature::sign(b"guess", now, &captured))).await?, 401);
    assert_eq!(post(&event("evt_1", News::Closed), signed(&captured, now)).await?, 401, "another body");
    assert_eq!(post(&captured, signed(&captured, now - 360_000_000)).await?, 401, "too old");
    assert_eq!(post(b"{}", signed(b"{}", now)).await?, 422);
    let other_amount = event("evt_0", News::Captured { amount: Money::new(1, Currency::EUR) });
    assert_eq!(post(&other_amount, signed(&other_amount, now)).await?, 204, "stored, and a person looks");
    assert_eq!(house.stored_status(&placed).await?, "awaiting_payment");
    let notice = Notice::Payment { payment: domain::PaymentId(house.shop.shop.clock.id()), news: News::Closed };
    let foreign = serde_json::to_vec(&WebhookEvent { id: "evt_x".to_owned(), notice })?;
    assert_eq!(post(&foreign, signed(&foreign, now)).await?, 204);

    // In any order, any number of times.
    for (id, news) in [
        ("evt_1", money.clone()),
        ("evt_1", money.clone()),
        ("evt_2", News::Pending { method: Method::Voucher }),
        ("evt_3", News::Failed { reason: Decline::Declined }),
        ("evt_4", money),
        ("evt_5", News::Closed),
    ] {
        let body = event(id, news);
        assert_eq!(post(&body, signed(&body, now)).await?, 204, "{id}");
        assert_eq!(house.stored_status(&placed).await?, "paid", "{id}");
    }
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM stock_ledger WHERE kind = 'sale'").await?, 1);
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM outbox WHERE payload LIKE '%PaymentCaptured%'").await?, 1);
    assert_eq!(house.stock().await?, (2, 0));
    house.shop.stop().await
}

#[tokio::test]
async fn the_return_races_the_webhook() -> anyhow::Result<()> {
    let house = house::open(30, 0).await?;
    for round in 0..6_u64 {
        // Doubled, and earlier or later than the return; the answer that opens the page comes after the webhook in some rounds.
        house.faults(json!({ "duplicate_webhooks": true, "delay_webhooks_ms": round * 3 })).await?;
        let placed = house.place(1).await?;
        house.type_card(placed.redirect_url.as_deref().expect("a page"), PAYS).await?;
        let looks = futures::future::join_all((0..4).map(|_| house.look(&placed.secret))).await;
        for view in looks {
            assert!(house::is_paid(&view?), "round {round}");
        }
        house.until(&placed, "paid").await?;
    }
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM stock_ledger WHERE kind = 'sale'").await?, 6);
    assert_eq!(house.count("SELECT COUNT(*) AS n FROM outbox WHERE payload LIKE '%PaymentCaptured%'").await?, 6);
    assert_eq!(house.stock().await?, (24, 0));
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn a_provider_that_is_down_leaves_an_order_that_can_be_paid() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    house.faults(json!({ "down": true })).await?;
    let placed = house.place(1).await?;
    assert_eq!(placed.redirect_url, None);
    assert_eq!(house.stock().await?, (2, 1));
    assert!(matches!(house.orders.pay_again(&placed.secret).await, Err(PayAgainError::ProviderDown)));
    let view = house.look(&placed.secret).await?;
    assert_eq!((view.status.word(), view.can_pay), ("awaiting_payment", Ok(())));
    house.faults(json!({})).await?;
    // The circuit closes again after three seconds.
    tokio::time::sleep(std::time::Duration::from_millis(3_200)).await;
    let page = house.orders.pay_again(&placed.secret).await?;
    house.type_card(&page, PAYS).await?;
    assert_eq!(house.status(&placed.secret).await?, "paid");
    house.check_books().await?;
    house.shop.stop().await
}

#[tokio::test]
async fn a_lost_reply_makes_no_second_page() -> anyhow::Result<()> {
    let house = house::open(3, 0).await?;
    house.faults(json!({ "lose_replies": 3 })).await?;
    let placed = house.place(1).await?;
    assert_eq!(placed.redirect_url, None, "all three tries were lost");
    let page = house.orders.pay_again(&placed.secret).await?;
    let ledger = house.ledger().await?;
    assert_eq!(ledger["sessions"].as_array().map(Vec::len), Some(1), "{ledger}");
    house.type_card(&page, PAYS).await?;
    assert_eq!(house.status(&placed.secret).await?, "paid");
    house.check_books().await?;
    house.shop.stop().await
}
