//! A provider with its far end in hand: what shoppers and banks do there, and what webhooks brought.

use crate::stripe::{self, StandIn, page::Manner};
use anyhow::{Context as _, ensure};
use axum::{Router, body::Bytes, extract::State, routing::post};
use domain::{
    PaymentId, RefundId,
    money::{Currency, Money},
    offer::Instant,
    payment::{Method, News, Payment, PaymentState},
};
use http::{HeaderMap, StatusCode};
use server::{
    clock::Clock,
    config::{Config, Options},
    payments::{
        Attempt, Notice, Provider, RefundRequest, SESSION_US, SessionLine, SessionRequest, WebhookEvent, WebhookFault,
        client::{TestProviderClient, Where},
        stripe::Stripe,
        test_provider,
    },
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};
use tempfile::TempDir;
use tokio::net::TcpListener;

pub const MINUTE_US: Instant = 60 * 1_000_000;
const OPENING: Instant = 1_795_435_200_000_000;

/// A provider and its far end.
pub struct End {
    pub provider: Arc<dyn Provider>,
    pub clock: Clock,
    moved_us: Arc<AtomicI64>,
    pub http: reqwest::Client,
    heard: Arc<Mutex<Heard>>,
    pub hook: String,
    pub far: Far,
    _data: TempDir,
}

/// What is at the other end.
pub enum Far {
    TestProvider { origin: String, secret: String },
    Stripe(StandIn),
}

/// What webhooks brought.
#[derive(Default)]
pub struct Heard {
    pub events: Vec<WebhookEvent>,
    pub refused: u32,
}

/// What goes wrong, in words that both ends know.
#[derive(Clone, Copy, Debug, Default)]
pub struct Weather {
    pub down: bool,
    pub lose_replies: u32,
    pub too_many: u32,
    pub break_down: u32,
    pub hold_webhooks: bool,
    pub duplicate_webhooks: bool,
    /// Webhooks change places.
    pub reorder_webhooks: bool,
}

fn clock() -> (Clock, Arc<AtomicI64>) {
    let (moved_us, started) = (Arc::new(AtomicI64::new(0)), tokio::time::Instant::now());
    let moving = Arc::clone(&moved_us);
    let clock = Clock::from_fn(move || OPENING + i64::try_from(started.elapsed().as_micros()).unwrap_or(i64::MAX) + moving.load(Ordering::Relaxed));
    (clock, moved_us)
}

/// What the hook needs.
#[derive(Clone)]
struct Hook {
    provider: Arc<dyn Provider>,
    clock: Clock,
    heard: Arc<Mutex<Heard>>,
}

async fn hear(State(Hook { provider, clock, heard }): State<Hook>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let signed = headers.get(provider.signature_header()).and_then(|value| value.to_str().ok());
    let read = provider.webhook(signed, &body, clock.now()).await;
    let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
    match read {
        Ok(event) => {
            heard.events.push(event);
            StatusCode::NO_CONTENT
        }
        Err(WebhookFault::Forged(_)) => {
            heard.refused += 1;
            StatusCode::UNAUTHORIZED
        }
        Err(WebhookFault::Unclear(_)) => StatusCode::SERVICE_UNAVAILABLE,
    }
}

/// The test provider, serving in this process, and its client.
pub async fn test_provider() -> anyhow::Result<End> {
    let (clock, moved_us) = clock();
    let data = tempfile::tempdir()?;
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let origin = format!("http://{}", listener.local_addr()?);
    let (folder, its_clock) = (data.path().to_owned(), clock.clone());
    tokio::spawn(async move { test_provider::serve(listener, &folder, its_clock, std::future::pending()).await });
    let hook = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", hook.local_addr()?);
    let provider = TestProviderClient::new(Where::Origin(origin.as_str().into()), data.path(), url.clone())?;
    let secret = String::from_utf8(test_provider::secret(data.path())?)?;
    open(Arc::new(provider), clock, moved_us, hook, url, Far::TestProvider { origin, secret }, data)
}

/// Stripe's adapter and the stand-in.
pub async fn stripe() -> anyhow::Result<End> {
    let (clock, moved_us) = clock();
    let stand_in = StandIn::start(clock.clone()).await?;
    let options = Options {
        payments: Some("stripe".to_owned()),
        stripe_secret_key: Some(stripe::KEY.to_owned()),
        stripe_webhook_secret: Some(format!("whsec_next, {}", stripe::SECRET)),
        stripe_api_base: Some(stand_in.origin.clone()),
        ..Options::default()
    };
    let access = Config::checked(options, Options::default())?.stripe.context("an account")?;
    let hook = TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("http://{}/hook", hook.local_addr()?);
    stand_in.tell(url.clone());
    open(Arc::new(Stripe::new(&access)?), clock, moved_us, hook, url, Far::Stripe(stand_in), tempfile::tempdir()?)
}

fn open(
    provider: Arc<dyn Provider>,
    clock: Clock,
    moved_us: Arc<AtomicI64>,
    listener: TcpListener,
    hook: String,
    far: Far,
    data: TempDir,
) -> anyhow::Result<End> {
    let heard = Arc::<Mutex<Heard>>::default();
    let router = Router::new().route("/hook", post(hear)).with_state(Hook {
        provider: Arc::clone(&provider),
        clock: clock.clone(),
        heard: Arc::clone(&heard),
    });
    tokio::spawn(async move { axum::serve(listener, router).await });
    let http = server::outbound::client(Duration::from_secs(10)).redirect(reqwest::redirect::Policy::none()).build()?;
    Ok(End { provider, clock, moved_us, http, heard, hook, far, _data: data })
}

impl End {
    /// Everybody's clock goes forward.
    pub fn advance(&self, by_us: Instant) {
        self.moved_us.fetch_add(by_us, Ordering::Relaxed);
    }

    /// A payment to be made, of 123.90 € unless changed.
    pub fn request(&self) -> SessionRequest {
        let amount = Money::new(12_390, Currency::EUR);
        let line = |title: &str, quantity, minor| SessionLine { title: title.to_owned(), quantity, amount: Money::new(minor, Currency::EUR) };
        SessionRequest {
            payment: PaymentId(self.clock.id()),
            number: "NG-7K2M-Q4XD".to_owned(),
            amount,
            lines: vec![line("Gürtel · 90 cm", 3, 11_900), line("Versand", 1, 490)],
            email: Some("ada@example.com".to_owned()),
            locale: "de-de".to_owned(),
            success_url: "http://shop.example/de-de/orders/secret".to_owned(),
            cancel_url: "http://shop.example/de-de/orders/secret".to_owned(),
            expires_at: self.clock.now() + SESSION_US,
            capsule: None,
        }
    }

    /// Opens a page; what the provider is asked with from then on, and the page's address.
    pub async fn open_page(&self, request: &SessionRequest) -> anyhow::Result<(Attempt, String)> {
        match self.provider.create_session(request).await? {
            News::Open { session, redirect_url } => Ok((Attempt { session: Some(session), ..unanswered(request) }, redirect_url)),
            other => anyhow::bail!("no page was opened: {other:?}"),
        }
    }

    /// Opens a page and pays there; the money is ours when this returns, or under way.
    pub async fn paid(&self, manner: Manner) -> anyhow::Result<Attempt> {
        let request = self.request();
        let (attempt, page) = self.open_page(&request).await?;
        ensure!(self.pay(&page, manner).await?, "the page takes it");
        Ok(attempt)
    }

    /// What a shopper does on the page. Whether they were sent back to the shop.
    pub async fn pay(&self, page: &str, manner: Manner) -> anyhow::Result<bool> {
        let answer = match &self.far {
            Far::Stripe(_) => {
                let manner = match manner {
                    Manner::Pays => "pays",
                    Manner::Declines => "declines",
                    Manner::Slow => "slow",
                    Manner::RefundsPending => "refunds_pending",
                    Manner::RefundsRefused => "refunds_refused",
                };
                self.http.post(page).form(&[("manner", manner)]).send().await?
            }
            Far::TestProvider { .. } => {
                let card = match manner {
                    Manner::Pays => "4242424242424242",
                    Manner::Declines => "4000000000000002",
                    Manner::Slow => "4000000000003006",
                    Manner::RefundsPending => "4000000000007726",
                    Manner::RefundsRefused => "4000000000003022",
                };
                let form = [("cardnumber", card), ("exp-date", "12/34"), ("cvc", "123"), ("ccname", "Ada Lovelace")];
                self.http.post(page).form(&form).send().await?
            }
        };
        Ok(answer.status() == 303)
    }

    /// What is said of [`Manner::Slow`] while its money is under way.
    pub const fn slow(&self) -> News {
        let method = if matches!(self.far, Far::Stripe(_)) { Method::Voucher } else { Method::BankTransfer };
        News::Pending { method }
    }

    async fn control(&self, path: &str, body: &serde_json::Value) -> anyhow::Result<()> {
        let Far::TestProvider { origin, .. } = &self.far else { return Ok(()) };
        let answer = self.http.post(format!("{origin}/_faults{path}")).json(body).send().await?;
        ensure!(answer.status() == 204, "{path}: {}", answer.status());
        Ok(())
    }

    /// Slow money comes, or it is certain that it does not.
    pub async fn settle(&self, payment: PaymentId, comes: bool) -> anyhow::Result<()> {
        match &self.far {
            Far::Stripe(stand_in) => stand_in.settle(payment, comes),
            Far::TestProvider { .. } => self.control(&format!("/{}/{payment}", if comes { "capture" } else { "fail" }), &serde_json::json!({})).await,
        }
    }

    /// A refund that was under way arrives.
    pub async fn refund_arrives(&self, refund: RefundId) -> anyhow::Result<()> {
        match &self.far {
            Far::Stripe(stand_in) => stand_in.settle_refund(refund, true),
            Far::TestProvider { .. } => self.control("/advance", &serde_json::json!({ "seconds": 2 * 24 * 3_600 })).await,
        }
    }

    /// A bank asks, hears an answer, disputes, looks, decides: `inquiry`, `answered`, `open`, `review`, `won`, `lost`.
    pub async fn dispute(&self, payment: PaymentId, stage: &str) -> anyhow::Result<()> {
        match &self.far {
            Far::Stripe(stand_in) => {
                let status = match stage {
                    "inquiry" => "warning_needs_response",
                    "answered" => "warning_under_review",
                    "open" => "needs_response",
                    "review" => "under_review",
                    "won" => "won",
                    _ => "lost",
                };
                stand_in.dispute(payment, status)
            }
            Far::TestProvider { .. } => self.control(&format!("/dispute/{payment}/{stage}"), &serde_json::json!({})).await,
        }
    }

    pub async fn weather(&self, weather: Weather) -> anyhow::Result<()> {
        let Weather { down, lose_replies, too_many, break_down, hold_webhooks, duplicate_webhooks, reorder_webhooks } = weather;
        match &self.far {
            Far::Stripe(stand_in) => {
                stand_in.set(stripe::Faults {
                    down,
                    lose_replies,
                    too_many,
                    break_down,
                    // What was held comes the latest first.
                    hold_webhooks: hold_webhooks || reorder_webhooks,
                    duplicate_webhooks,
                    ..stripe::Faults::default()
                });
                Ok(())
            }
            Far::TestProvider { .. } => {
                let faults = serde_json::json!({ "down": down, "lose_replies": lose_replies, "too_many": too_many, "lose_requests": break_down,
                    "hold_webhooks": hold_webhooks, "duplicate_webhooks": duplicate_webhooks, "reorder_webhooks": reorder_webhooks });
                self.control("", &faults).await
            }
        }
    }

    /// How many pages the far end ever opened.
    pub async fn pages(&self) -> anyhow::Result<usize> {
        match &self.far {
            Far::Stripe(stand_in) => Ok(stand_in.state().ledger.sessions.len()),
            Far::TestProvider { .. } => Ok(self.ledger().await?["sessions"].as_array().map_or(0, Vec::len)),
        }
    }

    /// What went back, by the far end's books, in minor units, and in how many refunds.
    pub async fn refunded(&self) -> anyhow::Result<(usize, i64)> {
        match &self.far {
            Far::Stripe(stand_in) => {
                let state = stand_in.state();
                Ok((state.ledger.refunds.len(), state.ledger.refunds.values().map(|refund| refund.amount).sum()))
            }
            Far::TestProvider { .. } => {
                let ledger = self.ledger().await?;
                let refunds = ledger["refunds"].as_array().cloned().unwrap_or_default();
                Ok((refunds.len(), refunds.iter().map(|refund| refund["minor"].as_i64().unwrap_or(0)).sum()))
            }
        }
    }

    async fn ledger(&self) -> anyhow::Result<serde_json::Value> {
        let Far::TestProvider { origin, secret } = &self.far else { anyhow::bail!("no test provider") };
        Ok(self.http.get(format!("{origin}/v1/ledger")).bearer_auth(secret).send().await?.error_for_status()?.json().await?)
    }

    pub fn events(&self) -> Vec<WebhookEvent> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).events.clone()
    }

    pub fn refused(&self) -> u32 {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).refused
    }

    /// Waits until a webhook says so.
    pub async fn told(&self, wanted: impl Fn(&Notice) -> bool) -> anyhow::Result<WebhookEvent> {
        for _ in 0..200 {
            if let Some(event) = self.events().into_iter().find(|event| wanted(&event.notice)) {
                return Ok(event);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        anyhow::bail!("no webhook said so: {:?}", self.events())
    }

    pub async fn told_of(&self, payment: PaymentId, news: &News) -> anyhow::Result<WebhookEvent> {
        self.told(|notice| matches!(notice, Notice::Payment { payment: known, news: said } if *known == payment && said == news)).await
    }

    /// A refund of so much.
    pub fn refund(&self, attempt: &Attempt, minor: i64) -> RefundRequest {
        let amount = Money::new(minor, Currency::EUR);
        RefundRequest { refund: RefundId(self.clock.id()), attempt: attempt.clone(), amount, at: self.clock.now() }
    }

    /// Nothing came at the far end that it should not have.
    pub fn check(&self) -> anyhow::Result<()> {
        if let Far::Stripe(stand_in) = &self.far { stand_in.check() } else { Ok(()) }
    }
}

/// The attempt of a request whose answer was lost.
pub fn unanswered(request: &SessionRequest) -> Attempt {
    let payment =
        Payment { id: request.payment, amount: request.amount, created_at: request.expires_at - SESSION_US, state: PaymentState::Created, odd: None };
    Attempt::unanswered(&payment)
}

pub const fn captured(minor: i64) -> News {
    News::Captured { amount: Money::new(minor, Currency::EUR) }
}
