//! Stores of their own for a test: SQLite and an in-process table always; PostgreSQL and a DynamoDB endpoint where the environment names
//! them (`TEST_DATABASE_URL_PG`, `TEST_DYNAMODB_ENDPOINT`).

use server::{
    dynamo::{Place, Table},
    sql::Db,
};
use sqlx::{AssertSqlSafe, Connection as _};
use std::sync::atomic::{AtomicU32, Ordering};
use tempfile::TempDir;

/// A database and a table that nobody else uses; they go with it.
pub struct Stores {
    pub name: &'static str,
    pub db: Db,
    pub table: Table,
    pub folder: TempDir,
}

/// Every combination that this machine offers.
pub async fn all() -> Vec<Stores> {
    let mut stores = vec![one("SQLite, table in process", None, None).await];
    let (postgres, endpoint) = (variable("TEST_DATABASE_URL_PG"), variable("TEST_DYNAMODB_ENDPOINT"));
    if postgres.is_some() || endpoint.is_some() {
        stores.push(one("PostgreSQL, DynamoDB endpoint (where given)", postgres, endpoint).await);
    }
    stores
}

async fn one(name: &'static str, postgres: Option<String>, endpoint: Option<String>) -> Stores {
    let folder = TempDir::new().expect("a folder");
    let database_url = match postgres {
        None => format!("sqlite:{}", folder.path().join("shop.db").display()),
        Some(url) => schema(&url).await,
    };
    let db = Db::open(&database_url).await.expect("a database");
    db.migrate().await.expect("a schema");
    let place = endpoint.map_or(Place::Embedded { file: Some(folder.path().join("table.db")) }, |url| Place::Endpoint { url });
    let table = Table::open(&place, &unique("nextgen-test")).await.expect("a table");
    table.create_if_missing().await.expect("a new table");
    Stores { name, db, table, folder }
}

async fn schema(url: &str) -> String {
    let name = unique("test").replace('-', "_");
    let mut connection = sqlx::PgConnection::connect(url).await.expect("PostgreSQL answers");
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {name}"))).execute(&mut connection).await.expect("a schema of its own");
    let joint = if url.contains('?') { '&' } else { '?' };
    format!("{url}{joint}options=-c%20search_path%3D{name}")
}

fn unique(prefix: &str) -> String {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let now = server::clock::Clock::system().now();
    format!("{prefix}-{}-{now}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed))
}

#[expect(clippy::disallowed_methods, reason = "the test command names its servers in variables")]
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
