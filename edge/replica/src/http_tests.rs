//! An edge near and far, its signatures, and a source that rests.

use super::*;
use std::task::{Context, Poll, Waker};

fn config(json: &str) -> Config {
    serde_json::from_str(json).expect("a configuration")
}

const EVERYWHERE: &str = r#"{ "origins": ["https://eu.example"], "url": "https://shop.example", "table": { "name": "nextgen", "region": "eu-central-1" },
    "credentials": { "access_key_id": "AKIDEXAMPLE", "secret_access_key": "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "session_token": "TOKEN" },
    "near": { "NA": { "region": "us-east-1", "origins": ["https://us.example", "https://eu.example"] } } }"#;

#[test]
fn an_edge_reads_the_replica_and_asks_the_origins_that_are_near() {
    for (place, region, first) in [
        (Some("NA"), "us-east-1", "https://us.example"),
        (Some("EU"), "eu-central-1", "https://eu.example"),
        (Some("T1"), "eu-central-1", "https://eu.example"),
        (None, "eu-central-1", "https://eu.example"),
    ] {
        let here = config(EVERYWHERE).at(place);
        assert_eq!((here.table.region.as_str(), here.origins[0].as_str()), (region, first), "{place:?}");
        let table = DynamoDb::new(here.table, here.credentials, Arc::new(|| 0));
        assert_eq!(table.url, format!("https://dynamodb.{region}.amazonaws.com/"));
    }
}

/// The signature was worked out by hand from the steps that AWS describes, with Python's hmac
/// (<https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>).
#[test]
fn requests_are_signed_as_aws_describes() -> Result<(), ReadError> {
    let config = config(EVERYWHERE);
    let table = DynamoDb::new(config.table, config.credentials, Arc::new(|| 1_795_428_000_000_000));
    let headers = table.signed(br#"{"RequestItems":{}}"#)?;
    let value = |name: &str| headers.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value.as_str());
    assert_eq!(value("x-amz-date"), "20261123T100000Z");
    assert_eq!(value("x-amz-security-token"), "TOKEN");
    assert_eq!(
        value("authorization"),
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261123/eu-central-1/dynamodb/aws4_request, \
         SignedHeaders=content-type;host;x-amz-date;x-amz-security-token;x-amz-target, \
         Signature=f77a79491639eff1cf1434e59ca55e24d589cfb19530075837819a84528b719c"
    );
    Ok(())
}

/// What work that waits for nothing comes to.
fn at_once<T>(work: impl Future<Output = T>) -> T {
    match std::pin::pin!(work).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        Poll::Pending => unreachable!("nothing is waited for"),
    }
}

/// A source that counts how often it is asked.
#[derive(Default)]
struct Counted {
    asked: AtomicI64,
    fails: bool,
}

#[async_trait]
impl Items for Counted {
    async fn get(&self, _: &[Key]) -> Result<Vec<(Key, String)>, ReadError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        if self.fails { Err(ReadError("it hangs".to_owned())) } else { Ok(Vec::new()) }
    }
}

#[test]
fn a_source_that_failed_rests_for_a_second() {
    let (first, second) = (Arc::new(Counted { fails: true, ..Counted::default() }), Arc::new(Counted::default()));
    let time = Arc::new(AtomicI64::new(0));
    let clock = time.clone();
    let items = Fallback::new(first.clone(), second.clone(), Arc::new(move || clock.load(Ordering::Relaxed)));
    for (now, asked) in [(0, 1), (999_999, 1), (1_000_000, 2), (1_500_000, 2)] {
        time.store(now, Ordering::Relaxed);
        assert!(at_once(items.get(&[])).is_ok(), "the second one answers");
        assert_eq!(first.asked.load(Ordering::Relaxed), asked, "at {now}");
    }
    assert_eq!(second.asked.load(Ordering::Relaxed), 4);
}

#[test]
fn a_source_is_asked_in_its_rest_when_the_other_does_not_answer() {
    let (first, second) = (Arc::new(Counted::default()), Arc::new(Counted { fails: true, ..Counted::default() }));
    let items = Fallback::new(first.clone(), second.clone(), Arc::new(|| 0));
    items.rests_until.store(REST_US, Ordering::Relaxed);
    assert!(at_once(items.get(&[])).is_ok());
    assert_eq!((first.asked.load(Ordering::Relaxed), second.asked.load(Ordering::Relaxed)), (1, 1));
}
