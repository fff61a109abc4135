//! The ledger survives its process, and refuses what no provider would do.

use super::{super::due::catch_up, *};
use domain::money::Currency;
use uuid::Uuid;

fn session(n: u128) -> Session {
    Session {
        payment: PaymentId(Uuid::from_u128(n)),
        secret: format!("secret {n}"),
        number: "NG-2222-2222".to_owned(),
        amount: euro(500),
        lines: Vec::new(),
        locale: "de-de".to_owned(),
        success_url: "http://shop".to_owned(),
        cancel_url: String::new(),
        notify_url: "http://shop/webhook".to_owned(),
        expires_at: None,
        capsule: None,
        state: State::Open,
        behaviour: None,
        captured_at: None,
        dispute: None,
        disputed_at: None,
        refunded_minor: 0,
        at: 0,
    }
}

fn euro(minor: i64) -> Money {
    Money::new(minor, Currency::EUR)
}

#[test]
fn what_was_answered_for_is_there_after_a_crash() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.jsonl");
    let (one, two) = (session(1).payment, session(2).payment);
    let refund = RefundId(Uuid::from_u128(9));
    {
        let mut ledger = Ledger::open(&path)?;
        ledger.open_session(session(1))?;
        ledger.bar(two, 1)?;
        assert!(ledger.advance(one, State::Captured, false, "evt_1", 2)?.is_some());
        assert_eq!(ledger.give_back(refund, one, euro(200), 3)?, RefundNews::Issued);
    }
    // The process died while it wrote a line.
    std::fs::OpenOptions::new().append(true).open(&path)?.write_all(b"{\"entry\":\"sess")?;
    for _ in 0..2 {
        let mut ledger = Ledger::open(&path)?;
        let known = ledger.session(one).expect("a session");
        assert_eq!((known.state, known.refunded_minor, known.captured_at), (State::Captured, 200, Some(2)));
        assert!(ledger.is_barred(two));
        assert_eq!(ledger.undelivered().count(), 1);
        assert!(ledger.advance(one, State::Closed, false, "evt_2", 4)?.is_none(), "money stays");
        assert_eq!(ledger.give_back(refund, one, euro(200), 5)?, RefundNews::Issued, "the same refund again");
        assert_eq!(ledger.give_back(RefundId(Uuid::from_u128(10)), one, euro(301), 6)?, RefundNews::Refused, "too much");
    }
    Ok(())
}

#[test]
fn a_ledger_of_an_earlier_version_is_read_and_a_later_one_is_left_alone() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.jsonl");
    let (payment, refund) = (Uuid::from_u128(1), Uuid::from_u128(9));
    let earlier = [
        format!(
            "{{\"entry\":\"session\",\"payment\":\"{payment}\",\"secret\":\"s\",\"number\":\"NG\",\"amount\":{{\"minor\":500,\"currency\":\"EUR\"}},\
             \"locale\":\"de-de\",\"return_url\":\"http://shop/order\",\"notify_url\":\"http://shop/hook\",\"state\":{{\"state\":\"open\"}},\
             \"refunded_minor\":0,\"at\":5}}"
        ),
        format!("{{\"entry\":\"state\",\"payment\":\"{payment}\",\"to\":{{\"state\":\"captured\"}},\"at\":6}}"),
        format!("{{\"entry\":\"refund\",\"refund\":\"{refund}\",\"payment\":\"{payment}\",\"minor\":100,\"at\":7}}"),
    ];
    std::fs::write(&path, earlier.join("\n") + "\n")?;
    let ledger = Ledger::open(&path)?;
    let known = ledger.session(PaymentId(payment)).expect("a session");
    assert_eq!((known.success_url.as_str(), known.state, known.refunded_minor), ("http://shop/order", State::Captured, 100));
    let foreign = earlier.join("\n") + "\n{\"entry\":\"something else\"}\n" + &earlier[1] + "\n";
    std::fs::write(&path, &foreign)?;
    assert!(Ledger::open(&path).is_err_and(|error| error.to_string().contains("line 4")));
    assert_eq!(std::fs::read_to_string(&path)?, foreign, "nothing is cut off");
    Ok(())
}

#[tokio::test]
async fn what_is_due_happens_at_its_time_and_once() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let path = folder.path().join("ledger.jsonl");
    let provider =
        super::super::Provider::open(&path, b"secret".to_vec(), "http://pay".to_owned(), crate::clock::Clock::from_fn(|| 1_800_000_000_000_000))?;
    let payment = session(1).payment;
    let day_us = 24 * 3_600 * 1_000_000;
    {
        let mut ledger = provider.ledger();
        ledger.open_session(Session { notify_url: "http://127.0.0.1:9".to_owned(), ..session(1) })?;
        ledger.write(Entry::Typed { payment, behaviour: Behaviour::PaysDaysLater })?;
        assert!(ledger.advance(payment, State::Pending, false, "evt_1", provider.clock.now())?.is_some());
    }
    let state = || provider.ledger().session(payment).map(|session| session.state);
    catch_up(&provider)?;
    assert_eq!(state(), Some(State::Pending));
    provider.ledger().write(Entry::Advanced { by_us: 3 * day_us })?;
    catch_up(&provider)?;
    catch_up(&provider)?;
    assert_eq!(state(), Some(State::Captured));
    assert_eq!(provider.ledger().undelivered().count(), 2);
    // After a start anew the clock stands where it stood.
    assert_eq!(Ledger::open(&path)?.advanced_us(), 3 * day_us);
    Ok(())
}

#[test]
fn a_disputed_payment_is_not_refunded() -> anyhow::Result<()> {
    let folder = tempfile::tempdir()?;
    let mut ledger = Ledger::open(&folder.path().join("ledger.jsonl"))?;
    let payment = session(1).payment;
    ledger.open_session(session(1))?;
    let open = DisputeStage::Open { evidence_due: None };
    assert!(ledger.dispute(payment, open, "evt_0", 1)?.is_none(), "nothing was paid");
    ledger.advance(payment, State::Captured, false, "evt_1", 1)?;
    assert!(ledger.dispute(payment, open, "evt_2", 2)?.is_some());
    let refund = |n| RefundId(Uuid::from_u128(n));
    assert_eq!(ledger.give_back(refund(1), payment, euro(100), 3)?, RefundNews::Refused);
    assert!(ledger.dispute(payment, DisputeStage::Won, "evt_3", 4)?.is_some());
    assert!(ledger.dispute(payment, DisputeStage::Lost, "evt_4", 5)?.is_none(), "decided");
    assert_eq!(ledger.give_back(refund(2), payment, euro(500), 6)?, RefundNews::Issued);
    assert!(ledger.settle_refund(refund(2), RefundNews::Bounced, "evt_5", 7)?.is_some());
    assert_eq!(ledger.session(payment).map(|session| session.refunded_minor), Some(0), "what came back is ours again");
    Ok(())
}
