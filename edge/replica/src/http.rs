//! A replica over HTTP, for hosts without the SDK: BatchGetItem signed with SigV4, and the origin where the table does not answer. Every
//! read has a deadline; a source that failed rests for a second.

use crate::{
    Hot, HotRoom, Items, Key, Lists, Replica,
    wire::{ITEMS_PATH, ItemsAnswer, ItemsQuestion, LISTS_PATH, ListQuestion},
};
use app::{
    document::Assets,
    ports::{Facets, Found, ListingQuery, ReadError, View},
};
use async_trait::async_trait;
use aws_credential_types::Credentials;
use aws_sigv4::{
    http_request::{SignableBody, SignableRequest, SigningSettings, sign},
    sign::v4,
};
use cached::{Cached as _, LruTtlCache};
use domain::{catalog::ListingPage, locale::Locale, offer::Instant};
use edge_core::{Freshness, pass::Rests};
use send_wrapper::SendWrapper;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicI64, Ordering},
    },
    time::{Duration, SystemTime},
};

/// How long the table is waited for. In its own region it answers within 10 ms.
const TABLE_MS_MAX: u64 = 800;
/// How long one origin is waited for, which may be on another continent.
const ORIGIN_MS_MAX: u64 = 2_000;
/// How long a source that failed is passed over, so that one that hangs does not make every page wait.
const REST_US: i64 = 1_000_000;
/// DynamoDB's own limit for one batch.
const GETS_A_BATCH: usize = 100;
/// What a batch left undone is asked for once more. A table that leaves something again is at its limit: it rests, and an origin is read.
const ROUNDS_MAX: usize = 2;
/// How long a computed list is held. A page made from it is sent for 40 s more, so that it is a minute old at most.
const LIST_S: u64 = 20;
const _: () = assert!(LIST_S.cast_signed() * 1_000_000 + Freshness::ASKED_FOR.stale_us <= 60_000_000, "a computed list is a minute old at most");
const LISTS_MAX: usize = 500;

/// What the time is, in microseconds since the Unix epoch.
pub type Now = Arc<dyn Fn() -> Instant + Send + Sync>;

/// What an edge is told. JSON, the same for every host; what is secret comes from the host's own store of secrets.
#[derive(Clone, Debug, Deserialize)]
pub struct Config {
    /// Origins without a trailing slash, the nearest first.
    pub origins: Vec<String>,
    /// What is nearer for an edge that runs there: by the AWS region, or the continent, that its host names.
    #[serde(default)]
    pub near: HashMap<String, Near>,
    /// The public origin without a trailing slash.
    pub url: String,
    pub table: TablePlace,
    #[serde(default)]
    pub assets: Assets,
    pub credentials: Keys,
    /// How many templates are kept, where that is not for the host to say.
    #[serde(default)]
    pub templates_max: Option<usize>,
    /// By which the origins know the edge.
    #[serde(default)]
    pub edge_key: String,
}

/// The region of the table's replica, and the origins in their order, for edges in some part of the world.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Near {
    pub region: String,
    /// Without trailing slashes.
    pub origins: Vec<String>,
}

impl Config {
    /// As it is for an edge that runs at `place`; where nothing is said about that place, as it is everywhere.
    #[must_use]
    pub fn at(mut self, place: Option<&str>) -> Self {
        if let Some(near) = place.and_then(|place| self.near.remove(place)) {
            self.table.region = near.region;
            self.origins = near.origins;
        }
        self
    }
}

/// The public catalogue as an edge reads it: from its region's table, from an origin while that does not answer, lists from an origin. The
/// table is also given by itself, for when the host gets other keys.
pub fn storefront(config: &Config, now: &Now) -> (Arc<Replica>, Arc<DynamoDb>) {
    let table = Arc::new(DynamoDb::new(config.table.clone(), config.credentials.clone(), now.clone()));
    let origins = Arc::new(Origins::new(config.origins.clone(), config.edge_key.clone(), now.clone()));
    let items = Fallback::new(table.clone(), origins.clone(), now.clone());
    (Arc::new(Replica::new(Arc::new(items), origins, Arc::new(Hot::new(HotRoom::EDGE)))), table)
}

/// Where the region's replica is.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct TablePlace {
    pub name: String,
    pub region: String,
    /// Another address than AWS's own: DynamoDB Local, or the origin's embedded table.
    #[serde(default)]
    pub endpoint: Option<String>,
}

/// What requests to the table are signed with. They may read the items of the read model and nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Keys {
    pub access_key_id: String,
    pub secret_access_key: String,
    #[serde(default)]
    pub session_token: Option<String>,
}

/// The DynamoDB replica of a region.
pub struct DynamoDb {
    client: reqwest::Client,
    url: String,
    place: TablePlace,
    credentials: RwLock<Credentials>,
    now: Now,
}

impl DynamoDb {
    pub fn new(place: TablePlace, keys: Keys, now: Now) -> Self {
        let url = place.endpoint.clone().unwrap_or_else(|| format!("https://dynamodb.{}.amazonaws.com/", place.region));
        Self { client: client(), url, place, credentials: RwLock::new(credentials(keys)), now }
    }

    /// Signs with other keys from now on: a host's role gets new ones every few hours.
    pub fn sign_with(&self, keys: Keys) {
        *self.credentials.write().unwrap_or_else(PoisonError::into_inner) = credentials(keys);
    }

    async fn batch(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, ReadError> {
        let mut found = Vec::with_capacity(keys.len());
        let mut left = Some(Wanted { keys: keys.iter().map(|(pk, sk)| KeyOf { pk: Text { s: pk.clone() }, sk: Text { s: sk.clone() } }).collect() });
        for _ in 0..ROUNDS_MAX {
            let Some(wanted) = left.take().filter(|wanted| !wanted.keys.is_empty()) else { return Ok(found) };
            let question = BatchGet { request_items: HashMap::from([(self.place.name.clone(), wanted)]) };
            let body = serde_json::to_vec(&question).map_err(unread)?;
            let mut request = self.client.post(&self.url).timeout(Duration::from_millis(TABLE_MS_MAX));
            for (name, value) in self.signed(&body)? {
                request = request.header(name, value);
            }
            let mut answer: BatchGot = answered(request.body(body)).await?;
            found.extend(answer.responses.remove(&self.place.name).unwrap_or_default().into_iter().map(|item| ((item.pk.s, item.sk.s), item.body.s)));
            left = answer.unprocessed_keys.remove(&self.place.name);
        }
        if left.is_none_or(|left| left.keys.is_empty()) { Ok(found) } else { Err(ReadError("DynamoDB left a part of a batch unread".to_owned())) }
    }

    /// The headers of a request with this body, signature included.
    fn signed(&self, body: &[u8]) -> Result<Vec<(String, String)>, ReadError> {
        let headers = [("content-type", "application/x-amz-json-1.0"), ("x-amz-target", "DynamoDB_20120810.BatchGetItem")];
        let identity = self.credentials.read().unwrap_or_else(PoisonError::into_inner).clone().into();
        let since = Duration::from_micros(u64::try_from((self.now)()).unwrap_or(0));
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region(&self.place.region)
            .name("dynamodb")
            .time(SystemTime::UNIX_EPOCH + since)
            .settings(SigningSettings::default())
            .build()
            .map_err(unread)?
            .into();
        let request = SignableRequest::new("POST", &self.url, headers.into_iter(), SignableBody::Bytes(body)).map_err(unread)?;
        let (instructions, _) = sign(request, &params).map_err(unread)?.into_parts();
        let signature = instructions.headers().map(|(name, value)| (name.to_owned(), value.to_owned()));
        Ok(headers.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).chain(signature).collect())
    }
}

#[async_trait]
impl Items for DynamoDb {
    async fn get(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, ReadError> {
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(GETS_A_BATCH) {
            // A host's fetch stays on its one thread.
            found.extend(SendWrapper::new(self.batch(keys)).await?);
        }
        Ok(found)
    }
}

/// Lists as they were answered, by whom they are for and what was asked.
type HeldLists = LruTtlCache<(Locale, ListingQuery), Found<(ListingPage, Facets)>>;

/// The origins, nearest first: for what only they can compute, and for items while the table does not answer.
pub struct Origins {
    client: reqwest::Client,
    urls: Vec<String>,
    /// Tells the origin that an edge asks, which may read what is not yet announced.
    key: String,
    now: Now,
    rests: Mutex<Rests>,
    lists: Mutex<HeldLists>,
}

impl Origins {
    pub fn new(urls: Vec<String>, key: String, now: Now) -> Self {
        Self {
            client: client(),
            urls,
            key,
            now,
            rests: Mutex::default(),
            lists: Mutex::new(LruTtlCache::new(LISTS_MAX, Duration::from_secs(LIST_S))),
        }
    }

    async fn ask<Q: Serialize + Sync, A: DeserializeOwned>(&self, path: &str, question: &Q) -> Result<A, ReadError> {
        let body = serde_json::to_vec(question).map_err(unread)?;
        let mut last = ReadError("no origin is configured".to_owned());
        // One that hung is asked last for a while: it would cost every page its deadline.
        let order = self.rests().order(self.urls.len(), true, (self.now)());
        for place in order {
            let url = &self.urls[place];
            let request = self.client.post(format!("{url}{path}")).timeout(Duration::from_millis(ORIGIN_MS_MAX));
            let request = request.header("content-type", "application/json").header("authorization", format!("Bearer {}", self.key));
            match answered(request.body(body.clone())).await {
                Ok(answer) => {
                    self.rests().end(place);
                    return Ok(answer);
                }
                Err(error) => {
                    self.rests().begin(place, (self.now)());
                    last = error;
                }
            }
        }
        Err(last)
    }

    fn rests(&self) -> MutexGuard<'_, Rests> {
        self.rests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Items for Origins {
    async fn get(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, ReadError> {
        let answer: ItemsAnswer = SendWrapper::new(self.ask(ITEMS_PATH, &ItemsQuestion { keys: keys.to_vec() })).await?;
        Ok(answer.items.into_iter().map(|(pk, sk, body)| ((pk, sk), body)).collect())
    }
}

#[async_trait]
impl Lists for Origins {
    async fn query(&self, view: &View, query: &ListingQuery) -> Result<Found<(ListingPage, Facets)>, ReadError> {
        let key = (view.locale, query.clone());
        let held = self.lists.lock().unwrap_or_else(PoisonError::into_inner).cache_get(&key).cloned();
        // Prices may have changed by themselves since: then other cards may stand in it.
        let is_good =
            |found: &Found<(ListingPage, Facets)>| !matches!(found, Found::Here((page, _)) if page.good_until.is_some_and(|until| until <= view.now));
        if let Some(found) = held.filter(is_good) {
            return Ok(found);
        }
        let question = ListQuestion { locale: view.locale, query: query.clone() };
        let found: Found<(ListingPage, Facets)> = SendWrapper::new(self.ask(LISTS_PATH, &question)).await?;
        self.lists.lock().unwrap_or_else(PoisonError::into_inner).cache_set(key, found.clone());
        Ok(found)
    }
}

/// Reads from the first source, and from the second while the first one does not answer. Whoever cannot read the second asks the first one
/// in its rest.
pub struct Fallback<A, B> {
    pub first: Arc<A>,
    pub second: Arc<B>,
    now: Now,
    rests_until: AtomicI64,
}

impl<A, B> Fallback<A, B> {
    pub fn new(first: Arc<A>, second: Arc<B>, now: Now) -> Self {
        Self { first, second, now, rests_until: AtomicI64::new(0) }
    }
}

#[async_trait]
impl<A: Items, B: Items> Items for Fallback<A, B> {
    async fn get(&self, keys: &[Key]) -> Result<Vec<(Key, String)>, ReadError> {
        let rests = (self.now)() < self.rests_until.load(Ordering::Relaxed);
        if !rests {
            match self.first.get(keys).await {
                Ok(found) => return Ok(found),
                Err(_) => self.rests_until.store((self.now)().saturating_add(REST_US), Ordering::Relaxed),
            }
        }
        match self.second.get(keys).await {
            Err(_) if rests => self.first.get(keys).await,
            read => read,
        }
    }
}

/// `{"S": "…"}`, DynamoDB's way to write a text.
#[derive(Debug, Serialize, Deserialize)]
struct Text {
    #[serde(rename = "S")]
    s: String,
}

#[derive(Debug, Serialize, Deserialize)]
struct KeyOf {
    pk: Text,
    sk: Text,
}

#[derive(Debug, Serialize, Deserialize)]
struct Wanted {
    #[serde(rename = "Keys")]
    keys: Vec<KeyOf>,
}

#[derive(Debug, Serialize)]
struct BatchGet {
    #[serde(rename = "RequestItems")]
    request_items: HashMap<String, Wanted>,
}

#[derive(Debug, Deserialize)]
struct Item {
    pk: Text,
    sk: Text,
    body: Text,
}

#[derive(Debug, Deserialize)]
struct BatchGot {
    #[serde(rename = "Responses", default)]
    responses: HashMap<String, Vec<Item>>,
    #[serde(rename = "UnprocessedKeys", default)]
    unprocessed_keys: HashMap<String, Wanted>,
}

fn credentials(keys: Keys) -> Credentials {
    Credentials::new(keys.access_key_id, keys.secret_access_key, keys.session_token, None, "host")
}

#[expect(clippy::disallowed_methods, reason = "this is the edge's one place that makes HTTP clients; every request sets its deadline")]
fn client() -> reqwest::Client {
    reqwest::Client::new()
}

async fn answered<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T, ReadError> {
    let answer = request.send().await.map_err(unread)?;
    let status = answer.status();
    let body = answer.bytes().await.map_err(unread)?;
    if !status.is_success() {
        // What a store says of itself may name the table or the role: enough for a log, nothing for a page.
        return Err(ReadError(format!("status {status}: {}", String::from_utf8_lossy(&body[..body.len().min(200)]))));
    }
    serde_json::from_slice(&body).map_err(unread)
}

fn unread(error: impl std::fmt::Display) -> ReadError {
    ReadError(error.to_string())
}

#[cfg(test)]
#[path = "http_tests.rs"]
mod tests;
