//! DynamoDB in process: the unmodified SDK speaks its own protocol to dynoxide without a socket in between.

use aws_sdk_dynamodb::config::{HttpClient, RuntimeComponents};
use aws_smithy_runtime_api::{
    client::{
        http::{HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector},
        orchestrator::{HttpRequest, HttpResponse},
        result::ConnectorError,
    },
    http::StatusCode,
};
use aws_smithy_types::body::SdkBody;
use dynoxide::{
    Database, DynoxideError, ImportOptions,
    actions::batch_write_item::{BatchWriteItemRequest, BatchWriteItemResponse},
};
use serde::{Serialize, de::DeserializeOwned};
use std::{fmt, path::Path};

use super::PUTS_A_BATCH;

/// A database whose requests never leave the process.
#[derive(Clone)]
pub struct Embedded(Database);

impl Embedded {
    /// Opens or creates the file; without one the data lives as long as the process.
    pub fn open(file: Option<&Path>) -> anyhow::Result<Self> {
        let database = match file {
            Some(path) => Database::new(&path.to_string_lossy()),
            None => Database::memory(),
        };
        database.map(Self).map_err(|error| anyhow::anyhow!("opening the embedded table {file:?}: {error}"))
    }

    /// Removes what has outlived its `expires`: DynamoDB does so by itself, dynoxide when told.
    pub fn sweep(&self) -> anyhow::Result<usize> {
        self.0.sweep_ttl().map_err(|error| anyhow::anyhow!("sweeping the embedded table: {error}"))
    }
}

/// What is said to somebody who asked for what is not to be had.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refused {
    pub status: u16,
    pub json: String,
}

impl From<DynoxideError> for Refused {
    fn from(error: DynoxideError) -> Self {
        Self { status: error.status_code(), json: error.to_json() }
    }
}

impl Embedded {
    /// Answers a BatchGetItem for items of the read model, and nothing else: carts and accounts stand in the same table.
    pub fn read_public(&self, target: &str, body: &[u8]) -> Result<String, Refused> {
        let no = |why: &str| Refused::from(DynoxideError::AccessDeniedException(why.to_owned()));
        if target.rsplit_once('.').is_none_or(|(_, operation)| operation != "BatchGetItem") {
            return Err(no("only BatchGetItem is served here"));
        }
        let question: serde_json::Value = read(body)?;
        let tables = question["RequestItems"].as_object();
        let keys = tables.into_iter().flat_map(serde_json::Map::values).flat_map(|table| table["Keys"].as_array().into_iter().flatten());
        if !keys.map(|key| key["pk"]["S"].as_str()).all(|pk| pk.is_some_and(edge_replica::keys::is_public)) {
            return Err(no("only items of the read model are served here"));
        }
        Ok(run(&self.0, "BatchGetItem", body)?)
    }
}

impl fmt::Debug for Embedded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Embedded")
    }
}

impl HttpClient for Embedded {
    fn http_connector(&self, _: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        SharedHttpConnector::new(self.clone())
    }
}

impl HttpConnector for Embedded {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let operation = request.headers().get("x-amz-target").and_then(|target| target.rsplit_once('.')).map(|(_, name)| name.to_owned());
        let body = request.body().bytes().map(<[u8]>::to_vec).unwrap_or_default();
        let database = self.0.clone();
        HttpConnectorFuture::new(async move {
            // One mutex guards the database, and a write waits for the disk.
            let answer = tokio::task::spawn_blocking(move || {
                let operation = operation.unwrap_or_default();
                match run(&database, &operation, &body) {
                    Ok(json) => (200, json),
                    Err(error) => (error.status_code(), error.to_json()),
                }
            })
            .await;
            let (status, json) = answer.map_err(|error| ConnectorError::other(error.into(), None))?;
            let status = StatusCode::try_from(status).map_err(|error| ConnectorError::other(error.into(), None))?;
            let mut response = HttpResponse::new(status, SdkBody::from(json));
            response.headers_mut().insert("content-type", "application/x-amz-json-1.0");
            Ok(response)
        })
    }
}

/// The operations that the shop uses, and no others.
fn run(database: &Database, operation: &str, body: &[u8]) -> Result<String, DynoxideError> {
    match operation {
        "GetItem" => print(&database.get_item(read(body)?)?),
        "BatchGetItem" => print(&database.batch_get_item(read(body)?)?),
        "PutItem" => print(&database.put_item(read(body)?)?),
        "DeleteItem" => print(&database.delete_item(read(body)?)?),
        "BatchWriteItem" => print(&write_batch(database, read(body)?)?),
        "Query" => print(&database.query(read(body)?)?),
        "CreateTable" => print(&database.create_table(read(body)?)?),
        "DescribeTable" => print(&database.describe_table(read(body)?)?),
        "UpdateTimeToLive" => print(&database.update_time_to_live(read(body)?)?),
        other => Err(DynoxideError::ValidationException(format!("the embedded table does not offer {other:?}"))),
    }
}

/// Puts a batch in one transaction, so that it waits for the disk once: dynoxide's own batch waits for each item.
fn write_batch(database: &Database, request: BatchWriteItemRequest) -> Result<BatchWriteItemResponse, DynoxideError> {
    let writes = || request.request_items.values().flatten();
    if request.request_items.len() != 1 || writes().count() > PUTS_A_BATCH || writes().any(|write| write.put_request.is_none()) {
        return database.batch_write_item(request);
    }
    for (table, writes) in request.request_items {
        let items = writes.into_iter().filter_map(|write| write.put_request).map(|put| put.item).collect();
        database.import_items(&table, items, ImportOptions::default())?;
    }
    Ok(BatchWriteItemResponse::default())
}

fn read<T: DeserializeOwned>(body: &[u8]) -> Result<T, DynoxideError> {
    serde_json::from_slice(body).map_err(|error| DynoxideError::SerializationException(error.to_string()))
}

fn print<T: Serialize>(answer: &T) -> Result<String, DynoxideError> {
    serde_json::to_string(answer).map_err(|error| DynoxideError::InternalServerError(error.to_string()))
}
