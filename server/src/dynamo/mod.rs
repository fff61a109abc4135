//! The DynamoDB table behind the unmodified AWS SDK, embedded or real. One table, `pk` and `sk`, the item's body as JSON text: what an
//! item means is its owner's business.

mod embedded;
mod served;

use crate::dynamo::embedded::Embedded;
use anyhow::Context as _;
use aws_sdk_dynamodb::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig, timeout::TimeoutConfig},
    error::DisplayErrorContext,
    operation::{
        create_table::CreateTableError,
        describe_table::DescribeTableError,
        put_item::{PutItemError, builders::PutItemFluentBuilder},
    },
    types::{
        AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType, KeysAndAttributes, PutRequest, ScalarAttributeType, TableStatus,
        TimeToLiveSpecification, WriteRequest,
    },
};
use futures::{StreamExt as _, TryStreamExt as _, stream};
use serde::{
    Serialize,
    de::{DeserializeOwned, IgnoredAny},
};
use std::{
    collections::{HashMap, HashSet},
    net::SocketAddr,
    path::PathBuf,
    time::Duration,
};

/// The table's name unless a test says otherwise.
pub const NAME: &str = "nextgen";
/// How long one try may take, and all tries of one request together. Pages give up sooner; a batch of writes may take its time.
const TRY_MS_MAX: u64 = 3_000;
const REQUEST_MS_MAX: u64 = 10_000;
/// In process nothing gets lost, so that a second try would only queue behind the first.
const EMBEDDED_MS_MAX: u64 = 30_000;
const TRIES: u32 = 3;
/// DynamoDB's own limits for one batch.
const GETS_A_BATCH: usize = 100;
const PUTS_A_BATCH: usize = 25;
/// Batches under way at once, and how often what a batch left undone is asked for again.
const BATCHES_AT_ONCE: usize = 4;
const PUTS_AT_ONCE: usize = 16;
const BATCH_ROUNDS: u32 = 8;
/// How often a batch that failed as a whole is sent again.
const FAILURES_MAX: u32 = 3;

/// Where the table is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// In process: in a file, or in memory without one.
    Embedded { file: Option<PathBuf> },
    /// Wherever the SDK's own configuration says, `AWS_ENDPOINT_URL_DYNAMODB` included.
    Aws,
    /// At an address, with made-up credentials: DynamoDB Local.
    Endpoint { url: String },
}

/// The table. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Table {
    client: Client,
    name: String,
    embedded: Option<Embedded>,
}

/// An item as it stands in the table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Versioned<T> {
    pub version: u64,
    /// Seconds since the Unix epoch after which the item may vanish.
    pub expires_s: Option<i64>,
    pub body: T,
}

/// An item to write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Item {
    pub pk: String,
    pub sk: String,
    pub version: u64,
    /// JSON.
    pub body: String,
}

impl Item {
    pub fn new(pk: impl Into<String>, sk: impl Into<String>, version: u64, body: &impl Serialize) -> anyhow::Result<Self> {
        Ok(Self { pk: pk.into(), sk: sk.into(), version, body: serde_json::to_string(body)? })
    }
}

impl Table {
    /// Makes a client; nothing is asked yet.
    pub async fn open(place: &Place, name: &str) -> anyhow::Result<Self> {
        let timeouts = TimeoutConfig::builder()
            .operation_attempt_timeout(Duration::from_millis(TRY_MS_MAX))
            .operation_timeout(Duration::from_millis(REQUEST_MS_MAX))
            .build();
        let retries = RetryConfig::standard().with_max_attempts(TRIES);
        let local = || {
            aws_sdk_dynamodb::Config::builder()
                .behavior_version(BehaviorVersion::latest())
                .region(Region::from_static("local"))
                .credentials_provider(Credentials::new("local", "local", None, None, "local"))
        };
        let (client, embedded) = match place {
            Place::Embedded { file } => {
                let embedded = Embedded::open(file.as_deref())?;
                let timeouts = TimeoutConfig::builder().operation_timeout(Duration::from_millis(EMBEDDED_MS_MAX)).build();
                let config = local().timeout_config(timeouts).retry_config(RetryConfig::disabled());
                let config = config.endpoint_url("http://embedded.invalid").http_client(embedded.clone()).build();
                (Client::from_conf(config), Some(embedded))
            }
            Place::Endpoint { url } => (Client::from_conf(local().timeout_config(timeouts).retry_config(retries).endpoint_url(url).build()), None),
            Place::Aws => {
                let loader = aws_config::defaults(BehaviorVersion::latest()).timeout_config(timeouts).retry_config(retries);
                (Client::new(&loader.load().await), None)
            }
        };
        Ok(Self { client, name: name.to_owned(), embedded })
    }

    /// Makes the table if there is none, and waits until it can be used.
    pub async fn create_if_missing(&self) -> anyhow::Result<()> {
        if self.is_ready().await? {
            return Ok(());
        }
        let key = |name: &str, kind| KeySchemaElement::builder().attribute_name(name).key_type(kind).build();
        let text = |name: &str| AttributeDefinition::builder().attribute_name(name).attribute_type(ScalarAttributeType::S).build();
        let made = self
            .client
            .create_table()
            .table_name(&self.name)
            .key_schema(key("pk", KeyType::Hash)?)
            .key_schema(key("sk", KeyType::Range)?)
            .attribute_definitions(text("pk")?)
            .attribute_definitions(text("sk")?)
            .billing_mode(BillingMode::PayPerRequest)
            .send()
            .await;
        if let Err(error) = made
            && !matches!(error.as_service_error(), Some(CreateTableError::ResourceInUseException(_)))
        {
            return Err(error).with_context(|| format!("making the DynamoDB table {}", self.name));
        }
        for _ in 0..100 {
            if self.is_ready().await? {
                let expires = TimeToLiveSpecification::builder().attribute_name("expires").enabled(true).build()?;
                let on = self.client.update_time_to_live().table_name(&self.name).time_to_live_specification(expires).send().await;
                // Another process may have been faster, which DynamoDB reports as a validation error.
                if let Err(error) = on {
                    tracing::debug!(error = %DisplayErrorContext(&error), "time to live was not switched on");
                }
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        anyhow::bail!("the DynamoDB table {} did not become ready", self.name)
    }

    async fn is_ready(&self) -> anyhow::Result<bool> {
        match self.client.describe_table().table_name(&self.name).send().await {
            Ok(found) => Ok(found.table().and_then(|table| table.table_status()) == Some(&TableStatus::Active)),
            Err(error) if error.as_service_error().is_some_and(DescribeTableError::is_resource_not_found_exception) => Ok(false),
            Err(error) => {
                Err(error).context("asking DynamoDB for the table; is it running, and do AWS_ENDPOINT_URL_DYNAMODB and the credentials fit?")
            }
        }
    }

    /// Whether the table lives in this process, which then is its only writer.
    pub const fn is_embedded(&self) -> bool {
        self.embedded.is_some()
    }

    /// Whether the table answers.
    pub async fn ping(&self) -> anyhow::Result<()> {
        anyhow::ensure!(self.is_ready().await?, "the DynamoDB table {} is missing", self.name);
        Ok(())
    }

    /// One item, as it was last written.
    pub async fn get<T: DeserializeOwned>(&self, pk: &str, sk: &str) -> anyhow::Result<Option<Versioned<T>>> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.name)
            .key("pk", text(pk))
            .key("sk", text(sk))
            .consistent_read(true)
            .send()
            .await
            .with_context(|| format!("reading {pk} {sk}"))?;
        answer.item().map(read).transpose().with_context(|| format!("reading {pk} {sk}"))
    }

    /// Many items, in any order, with their keys; what is missing is left out. May lag a moment behind the last write.
    pub async fn batch_get<T: DeserializeOwned>(&self, keys: &[(String, String)]) -> anyhow::Result<Vec<((String, String), Versioned<T>)>> {
        self.batch(keys, read).await
    }

    /// The bodies alone, as the JSON that they are.
    pub async fn bodies(&self, keys: &[(String, String)]) -> anyhow::Result<Vec<((String, String), String)>> {
        self.batch(keys, |item| item.get("body").and_then(|value| value.as_s().ok()).cloned().context("an item without a body")).await
    }

    /// Serves the embedded table's public items on a loopback port until `stop`, for an edge on this machine.
    pub async fn serve(self, address: SocketAddr, stop: impl Future<Output = ()> + Send + 'static) -> anyhow::Result<()> {
        served::serve(self.embedded.context("only an embedded table is served")?, address, stop).await
    }

    async fn batch<T>(
        &self,
        keys: &[(String, String)],
        read: impl Fn(&HashMap<String, AttributeValue>) -> anyhow::Result<T> + Send + Sync,
    ) -> anyhow::Result<Vec<((String, String), T)>> {
        let mut seen = HashSet::new();
        let keys: Vec<_> = keys.iter().filter(|key| seen.insert(*key)).collect();
        let mut found = Vec::with_capacity(keys.len());
        for keys in keys.chunks(GETS_A_BATCH) {
            let mut left: Vec<HashMap<String, AttributeValue>> =
                keys.iter().map(|(pk, sk)| HashMap::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])).collect();
            for round in 0..BATCH_ROUNDS {
                if left.is_empty() {
                    break;
                }
                pause(round).await;
                let wanted = KeysAndAttributes::builder().set_keys(Some(left)).build()?;
                let answer = self.client.batch_get_item().request_items(&self.name, wanted).send().await.context("reading a batch")?;
                for item in answer.responses().and_then(|tables| tables.get(&self.name)).into_iter().flatten() {
                    found.push(((key(item, "pk")?, key(item, "sk")?), read(item)?));
                }
                left = answer.unprocessed_keys().and_then(|tables| tables.get(&self.name)).map(|keys| keys.keys().to_vec()).unwrap_or_default();
            }
            anyhow::ensure!(left.is_empty(), "DynamoDB left {} of a batch unread", left.len());
        }
        Ok(found)
    }

    /// Writes an item unless the one there is as new or newer: losing an older write is harmless. Whether it was written.
    pub async fn put_newer(&self, pk: &str, sk: &str, version: u64, body: &impl Serialize, expires_s: Option<i64>) -> anyhow::Result<bool> {
        self.put_item_newer(&Item::new(pk, sk, version, body)?, expires_s).await
    }

    /// [`Self::put_newer`] for an item that is already JSON.
    pub async fn put_item_newer(&self, item: &Item, expires_s: Option<i64>) -> anyhow::Result<bool> {
        let put = self.put(item, expires_s).condition_expression("attribute_not_exists(pk) OR #v < :v");
        let put = put.expression_attribute_names("#v", "version").expression_attribute_values(":v", number(item.version));
        conditional(put, &item.pk, &item.sk).await
    }

    /// [`Self::put_newer`] for many items of one writer, who writes them in one call after the other.
    pub async fn put_all_newer(&self, items: Vec<Item>) -> anyhow::Result<()> {
        if self.is_embedded() {
            // No other process writes this table: what is newer when it is looked up is newer when it is written, and a whole batch waits for
            // the disk once.
            let keys: Vec<_> = items.iter().map(|item| (item.pk.clone(), item.sk.clone())).collect();
            let there: HashMap<_, _> = self.batch_get::<IgnoredAny>(&keys).await?.into_iter().map(|(key, found)| (key, found.version)).collect();
            let newer = items.into_iter().zip(keys).filter(|(item, key)| there.get(key).is_none_or(|version| *version < item.version));
            return self.fill(newer.map(|(item, _)| item).collect()).await;
        }
        let puts = items.into_iter().map(|item| async move { self.put_item_newer(&item, None).await });
        stream::iter(puts).buffer_unordered(self.at_once(PUTS_AT_ONCE)).try_for_each(|_| async { Ok(()) }).await
    }

    /// Writes an item if the one there has the expected version (`None`: if there is none). Whether it was written.
    pub async fn put_if_version(
        &self,
        pk: &str,
        sk: &str,
        expected: Option<u64>,
        version: u64,
        body: &impl Serialize,
        expires_s: Option<i64>,
    ) -> anyhow::Result<bool> {
        let put = self.put(&Item::new(pk, sk, version, body)?, expires_s);
        let put = match expected {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(expected) => put
                .condition_expression("#v = :expected")
                .expression_attribute_names("#v", "version")
                .expression_attribute_values(":expected", number(expected)),
        };
        conditional(put, pk, sk).await
    }

    /// Writes many items whatever is there: for filling an empty table.
    pub async fn fill(&self, items: Vec<Item>) -> anyhow::Result<()> {
        let batches: Vec<Vec<Item>> = items.chunks(PUTS_A_BATCH).map(<[Item]>::to_vec).collect();
        stream::iter(batches)
            .map(|batch| self.fill_batch(batch))
            .buffer_unordered(self.at_once(BATCHES_AT_ONCE))
            .try_for_each(|()| async { Ok(()) })
            .await
    }

    async fn fill_batch(&self, batch: Vec<Item>) -> anyhow::Result<()> {
        let put = |item: &Item| PutRequest::builder().set_item(Some(attributes(item, None))).build();
        let mut left: Vec<WriteRequest> =
            batch.iter().map(|item| Ok(WriteRequest::builder().put_request(put(item)?).build())).collect::<anyhow::Result<_>>()?;
        for round in 0..BATCH_ROUNDS {
            if left.is_empty() {
                break;
            }
            pause(round).await;
            match self.client.batch_write_item().request_items(&self.name, left.clone()).send().await {
                Ok(answer) => left = answer.unprocessed_items().and_then(|tables| tables.get(&self.name)).cloned().unwrap_or_default(),
                // The same items again are the same wish; a table that has just woken up may need it.
                Err(error) if round < FAILURES_MAX => {
                    tracing::debug!(error = %DisplayErrorContext(&error), "a batch will be written again");
                }
                Err(error) => return Err(error).context("writing a batch"),
            }
        }
        anyhow::ensure!(left.is_empty(), "DynamoDB left {} of a batch unwritten", left.len());
        Ok(())
    }

    /// Removes an item, if there is one.
    pub async fn delete(&self, pk: &str, sk: &str) -> anyhow::Result<()> {
        let delete = self.client.delete_item().table_name(&self.name).key("pk", text(pk)).key("sk", text(sk));
        delete.send().await.with_context(|| format!("deleting {pk} {sk}"))?;
        Ok(())
    }

    /// Removes what has outlived its `expires_s` from the embedded table; DynamoDB does so by itself. How many items went.
    pub async fn sweep(&self) -> anyhow::Result<usize> {
        match self.embedded.clone() {
            Some(embedded) => tokio::task::spawn_blocking(move || embedded.sweep()).await?,
            None => Ok(0),
        }
    }

    /// In process one request is answered at a time: more would only wait.
    const fn at_once(&self, requests: usize) -> usize {
        if self.embedded.is_some() { 1 } else { requests }
    }

    fn put(&self, item: &Item, expires_s: Option<i64>) -> PutItemFluentBuilder {
        self.client.put_item().table_name(&self.name).set_item(Some(attributes(item, expires_s)))
    }
}

async fn conditional(put: PutItemFluentBuilder, pk: &str, sk: &str) -> anyhow::Result<bool> {
    match put.send().await {
        Ok(_) => Ok(true),
        Err(error) if error.as_service_error().is_some_and(PutItemError::is_conditional_check_failed_exception) => Ok(false),
        Err(error) => Err(error).with_context(|| format!("writing {pk} {sk}")),
    }
}

fn text(value: &str) -> AttributeValue {
    AttributeValue::S(value.to_owned())
}

fn number(value: u64) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

fn attributes(item: &Item, expires_s: Option<i64>) -> HashMap<String, AttributeValue> {
    let mut attributes = HashMap::from([
        ("pk".to_owned(), text(&item.pk)),
        ("sk".to_owned(), text(&item.sk)),
        ("version".to_owned(), number(item.version)),
        ("body".to_owned(), text(&item.body)),
    ]);
    if let Some(expires) = expires_s {
        attributes.insert("expires".to_owned(), AttributeValue::N(expires.to_string()));
    }
    attributes
}

fn key(item: &HashMap<String, AttributeValue>, name: &str) -> anyhow::Result<String> {
    item.get(name).and_then(|value| value.as_s().ok()).cloned().with_context(|| format!("an item without {name}"))
}

fn read<T: DeserializeOwned>(item: &HashMap<String, AttributeValue>) -> anyhow::Result<Versioned<T>> {
    let number = |name: &str| item.get(name).and_then(|value| value.as_n().ok());
    let body = item.get("body").and_then(|value| value.as_s().ok()).context("an item without a body")?;
    Ok(Versioned {
        version: number("version").context("an item without a version")?.parse()?,
        expires_s: number("expires").map(|expires| expires.parse()).transpose()?,
        body: serde_json::from_str(body).context("an item's body")?,
    })
}

/// Waits before asking again for what a batch left undone: 0, 50, 100, 200 … ms.
async fn pause(round: u32) {
    if round > 0 {
        tokio::time::sleep(Duration::from_millis(25 << round.min(6))).await;
    }
}
