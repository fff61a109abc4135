//! One door to SQL for SQLite and PostgreSQL: the same statement text with `$1` placeholders, values of four kinds, transactions
//! with retries. What the statements mean belongs to the services.

pub use crate::sql_value::Value;
use crate::{
    params, random, sql_dsql,
    sql_log::{Said, hear},
    sql_migrations::MIGRATOR,
};
use anyhow::Context as _;
use futures::future::BoxFuture;
use sqlx::{
    Column as _, Connection as _, Row as _, ValueRef as _,
    postgres::{PgConnectOptions, PgPoolOptions, PgRow},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteRow, SqliteSynchronous},
};
use std::{str::FromStr as _, sync::Arc, time::Duration};
use tokio::sync::RwLock;

/// The order core's database: one writer, many readers.
#[derive(Clone, Debug)]
pub enum Db {
    /// `write` has one connection: SQLite has one writer, and waiting in the pool is fair where waiting in SQLite is not.
    Sqlite { write: sqlx::SqlitePool, read: sqlx::SqlitePool },
    /// Transactions share the `floor`; one that keeps losing takes it alone: where several writers at once want one hot row, all but the first
    /// fail at REPEATABLE READ, and trying again together fails together. The lock is fair, so nobody overtakes who waits for it.
    Postgres { pool: sqlx::PgPool, floor: Arc<RwLock<()>> },
}

/// A transaction that is rolled back unless committed by [`Db::transact`].
pub enum Tx {
    Sqlite(sqlx::Transaction<'static, sqlx::Sqlite>),
    Postgres(sqlx::Transaction<'static, sqlx::Postgres>),
}

/// A row, read by column position or name.
#[derive(Debug)]
pub enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

macro_rules! get {
    ($self:ident, $column:ident, $type:ty) => {
        match $self {
            Row::Sqlite(row) => row.try_get::<$type, _>($column),
            Row::Postgres(row) => row.try_get::<$type, _>($column),
        }
        .with_context(|| format!("column {}", $column))
    };
}

impl Row {
    /// A whole number.
    pub fn int(&self, column: &str) -> anyhow::Result<i64> {
        get!(self, column, i64)
    }
    /// A whole number or NULL.
    pub fn int_or_null(&self, column: &str) -> anyhow::Result<Option<i64>> {
        get!(self, column, Option<i64>)
    }
    /// Text.
    pub fn text(&self, column: &str) -> anyhow::Result<String> {
        get!(self, column, String)
    }
    /// Text or NULL.
    pub fn text_or_null(&self, column: &str) -> anyhow::Result<Option<String>> {
        get!(self, column, Option<String>)
    }
    /// Bytes or NULL.
    pub fn bytes_or_null(&self, column: &str) -> anyhow::Result<Option<Vec<u8>>> {
        get!(self, column, Option<Vec<u8>>)
    }
    /// A 0/1 column.
    pub fn flag(&self, column: &str) -> anyhow::Result<bool> {
        Ok(self.int(column)? != 0)
    }
    /// Text that parses, such as an id.
    pub fn parse<T: std::str::FromStr>(&self, column: &str) -> anyhow::Result<T>
    where
        T::Err: std::fmt::Display,
    {
        let text = self.text(column)?;
        text.parse().map_err(|error| anyhow::anyhow!("column {column} holds {text:?}: {error}"))
    }
    /// Every column as text, for tests that compare rows between engines.
    pub fn debug_text(&self) -> String {
        fn columns<R: sqlx::Row>(row: &R, text: impl Fn(usize) -> String) -> String {
            (0..row.columns().len()).map(|i| format!("{}={}", row.columns()[i].name(), text(i))).collect::<Vec<_>>().join(" ")
        }
        match self {
            Self::Sqlite(row) => columns(row, |i| {
                if row.try_get_raw(i).is_ok_and(|raw| raw.is_null()) {
                    return "NULL".to_owned();
                }
                row.try_get::<i64, _>(i).map(|v| v.to_string()).or_else(|_| row.try_get::<String, _>(i)).unwrap_or_else(|_| "bytes".to_owned())
            }),
            Self::Postgres(row) => columns(row, |i| {
                if row.try_get_raw(i).is_ok_and(|raw| raw.is_null()) {
                    return "NULL".to_owned();
                }
                row.try_get::<i64, _>(i).map(|v| v.to_string()).or_else(|_| row.try_get::<String, _>(i)).unwrap_or_else(|_| "bytes".to_owned())
            }),
        }
    }
}

macro_rules! bind {
    ($query:expr, $values:expr) => {{
        let mut query = $query;
        for value in $values {
            query = match value {
                Value::Int(v) => query.bind(v),
                Value::Text(v) => query.bind(v),
                Value::Bytes(v) => query.bind(v),
                Value::NullInt => query.bind(None::<i64>),
                Value::NullText => query.bind(None::<String>),
                Value::NullBytes => query.bind(None::<Vec<u8>>),
            };
        }
        query
    }};
}

impl Tx {
    /// Runs a statement; the number of rows it touched.
    pub async fn execute(&mut self, sql: &'static str, values: Vec<Value>) -> Result<u64, sqlx::Error> {
        hear(|| Said::Statement(sql, values.clone()));
        Ok(match self {
            Self::Sqlite(tx) => bind!(sqlx::query(sql), values).execute(&mut **tx).await?.rows_affected(),
            Self::Postgres(tx) => bind!(sqlx::query(sql), values).execute(&mut **tx).await?.rows_affected(),
        })
    }

    /// All rows.
    pub async fn all(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>, sqlx::Error> {
        hear(|| Said::Statement(sql, values.clone()));
        Ok(match self {
            Self::Sqlite(tx) => bind!(sqlx::query(sql), values).fetch_all(&mut **tx).await?.into_iter().map(Row::Sqlite).collect(),
            Self::Postgres(tx) => bind!(sqlx::query(sql), values).fetch_all(&mut **tx).await?.into_iter().map(Row::Postgres).collect(),
        })
    }

    /// The first row, if any.
    pub async fn first(&mut self, sql: &'static str, values: Vec<Value>) -> Result<Option<Row>, sqlx::Error> {
        hear(|| Said::Statement(sql, values.clone()));
        Ok(match self {
            Self::Sqlite(tx) => bind!(sqlx::query(sql), values).fetch_optional(&mut **tx).await?.map(Row::Sqlite),
            Self::Postgres(tx) => bind!(sqlx::query(sql), values).fetch_optional(&mut **tx).await?.map(Row::Postgres),
        })
    }

    async fn commit(self) -> Result<(), sqlx::Error> {
        hear(|| Said::Commit);
        match self {
            Self::Sqlite(tx) => tx.commit().await,
            Self::Postgres(tx) => tx.commit().await,
        }
    }
}

/// Rows that housekeeping changes in one transaction. Aurora DSQL allows 3,000
/// (<https://docs.aws.amazon.com/aurora-dsql/latest/userguide/CHAP_quotas.html>), with what indexes add.
pub const AT_ONCE: i64 = 1_000;
/// How often a transaction is tried before its conflict is reported. With jittered waits of up to 2^n × 4 ms this bounds the wait at about 4 s.
const TRIES: u32 = 10;
/// After so many conflicts a transaction of PostgreSQL waits until it is the only one in this process. It can then lose only to other processes.
const TRIES_TOGETHER: u32 = 3;

impl Db {
    /// Whether a shop has been in this database. Makes nothing.
    pub async fn holds_a_shop(url: &str) -> anyhow::Result<bool> {
        if url.starts_with("sqlite:") && !SqliteConnectOptions::from_str(url)?.get_filename().is_file() {
            return Ok(false);
        }
        match Self::open(url).await?.first("SELECT version FROM _sqlx_migrations LIMIT 1", Vec::new()).await {
            Ok(_) => Ok(true),
            // The table is not there.
            Err(sqlx::Error::Database(_)) => Ok(false),
            Err(error) => Err(error).context("asking the database whether a shop is in it"),
        }
    }

    /// Opens `sqlite:<path>` (created if missing) or `postgres://…`. Errors say what was wrong with the URL or the server.
    pub async fn open(url: &str) -> anyhow::Result<Self> {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)
                .with_context(|| format!("DATABASE_URL {url:?} is not a SQLite URL such as sqlite:/srv/shop/shop.db"))?
                .create_if_missing(true)
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .busy_timeout(Duration::from_secs(5));
            let write = SqlitePoolOptions::new()
                .max_connections(1)
                .acquire_timeout(Duration::from_secs(30))
                .connect_with(options.clone())
                .await
                .context("opening the SQLite database")?;
            let read = SqlitePoolOptions::new()
                .max_connections(8)
                .connect_with(options.read_only(true))
                .await
                .context("opening the SQLite database for reading")?;
            return Ok(Self::Sqlite { write, read });
        }
        if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            let options = PgConnectOptions::from_str(url).with_context(|| "DATABASE_URL is not a PostgreSQL URL such as postgres://user@host/db")?;
            let pool = PgPoolOptions::new()
                .max_connections(32)
                // A form that waits longer is answered that the till cannot be reached, and nothing is lost.
                .acquire_timeout(Duration::from_secs(4))
                // A connection that was used a moment ago is there: asking it first would double the round trips of a single read.
                .test_before_acquire(false)
                .before_acquire(|connection, used| {
                    Box::pin(async move {
                        if used.idle_for >= Duration::from_secs(1) {
                            connection.ping().await?;
                        }
                        Ok(true)
                    })
                })
                .connect_with(options)
                .await
                .context("connecting to PostgreSQL; is it running, and does DATABASE_URL name it?")?;
            return Ok(Self::Postgres { pool, floor: Arc::new(RwLock::new(())) });
        }
        anyhow::bail!("DATABASE_URL must begin with sqlite: or postgres://")
    }

    /// Brings the schema up to date. Safe to run from several processes at once.
    pub async fn migrate(&self) -> anyhow::Result<()> {
        match self {
            Self::Sqlite { write, .. } => MIGRATOR.run(write).await,
            Self::Postgres { pool, .. } if sql_dsql::is_dsql(pool.connect_options().get_host()) => {
                return sql_dsql::migrate(pool, Self::migrations(), Self::newest_migration()).await.context("making the schema in Aurora DSQL");
            }
            Self::Postgres { pool, .. } => MIGRATOR.run(pool).await,
        }
        .context("migrating the database")
    }

    /// The texts of all migrations, in order.
    pub(crate) fn migrations() -> impl Iterator<Item = &'static str> {
        MIGRATOR.iter().map(|migration| migration.sql.as_str())
    }

    /// The newest migration that this release knows.
    pub fn newest_migration() -> i64 {
        MIGRATOR.iter().map(|migration| migration.version).max().unwrap_or(0)
    }

    /// Ends all connections, so that the files can be moved.
    pub async fn close(self) {
        match self {
            Self::Sqlite { write, read } => {
                read.close().await;
                write.close().await;
            }
            Self::Postgres { pool, .. } => pool.close().await,
        }
    }

    /// All rows of a read outside any transaction. Reads see the latest commit.
    pub async fn all(&self, sql: &'static str, values: Vec<Value>) -> Result<Vec<Row>, sqlx::Error> {
        hear(|| Said::Statement(sql, values.clone()));
        Ok(match self {
            Self::Sqlite { read, .. } => bind!(sqlx::query(sql), values).fetch_all(read).await?.into_iter().map(Row::Sqlite).collect(),
            Self::Postgres { pool, .. } => bind!(sqlx::query(sql), values).fetch_all(pool).await?.into_iter().map(Row::Postgres).collect(),
        })
    }

    /// The first row of a read outside any transaction.
    pub async fn first(&self, sql: &'static str, values: Vec<Value>) -> Result<Option<Row>, sqlx::Error> {
        hear(|| Said::Statement(sql, values.clone()));
        Ok(match self {
            Self::Sqlite { read, .. } => bind!(sqlx::query(sql), values).fetch_optional(read).await?.map(Row::Sqlite),
            Self::Postgres { pool, .. } => bind!(sqlx::query(sql), values).fetch_optional(pool).await?.map(Row::Postgres),
        })
    }

    /// One statement that is a transaction of its own: a third of the round trips of [`Self::transact`]. The number of rows it touched.
    pub async fn execute(&self, sql: &'static str, values: Vec<Value>) -> Result<u64, sqlx::Error> {
        let mut attempt = 0;
        loop {
            attempt += 1;
            hear(|| Said::Statement(sql, values.clone()));
            let outcome = match self {
                Self::Sqlite { write, .. } => bind!(sqlx::query(sql), values.clone()).execute(write).await.map(|done| done.rows_affected()),
                Self::Postgres { pool, .. } => bind!(sqlx::query(sql), values.clone()).execute(pool).await.map(|done| done.rows_affected()),
            };
            match outcome {
                Err(error) if attempt < TRIES && error.is_conflict() => tokio::time::sleep(random::jitter(4 << attempt.min(8))).await,
                other => return other,
            }
        }
    }

    /// Removes old rows with a statement that takes `$1`, a time, and `$2`, how many at most: so often that none is left. How many went.
    pub async fn remove_in_batches(&self, sql: &'static str, before: i64) -> Result<u64, sqlx::Error> {
        let mut gone = 0;
        loop {
            let removed = self.execute(sql, params![before, AT_ONCE]).await?;
            gone += removed;
            if removed < AT_ONCE.unsigned_abs() {
                return Ok(gone);
            }
        }
    }

    /// Runs `work` in a transaction of the writer and commits. When the database reports a conflict (40001, 40P01, SQLITE_BUSY) the
    /// whole of `work` runs again, after a jittered wait, at most [`TRIES`] times: it must have no effect outside the transaction.
    ///
    /// ```ignore
    /// db.transact(|tx| Box::pin(async move { tx.execute("…", params![1_i64]).await?; Ok(()) })).await
    /// ```
    pub async fn transact<T, E>(&self, mut work: impl for<'a> FnMut(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send) -> Result<T, E>
    where
        T: Send,
        E: From<sqlx::Error> + Conflict + Send,
    {
        let mut attempt = 0;
        loop {
            attempt += 1;
            let outcome = match self {
                Self::Postgres { floor, .. } if attempt > TRIES_TOGETHER => {
                    let _alone = floor.write().await;
                    self.attempt(&mut work).await
                }
                Self::Postgres { floor, .. } => {
                    let _shared = floor.read().await;
                    self.attempt(&mut work).await
                }
                Self::Sqlite { .. } => self.attempt(&mut work).await,
            };
            match outcome {
                Err(error) if attempt < TRIES && error.is_conflict() => tokio::time::sleep(random::jitter(4 << attempt.min(8))).await,
                other => return other,
            }
        }
    }

    async fn attempt<T, E>(&self, work: &mut (impl for<'a> FnMut(&'a mut Tx) -> BoxFuture<'a, Result<T, E>> + Send)) -> Result<T, E>
    where
        T: Send,
        E: From<sqlx::Error> + Conflict + Send,
    {
        hear(|| Said::Begin);
        let mut tx = match self {
            Self::Sqlite { write, .. } => Tx::Sqlite(write.begin_with("BEGIN IMMEDIATE").await?),
            Self::Postgres { pool, .. } => Tx::Postgres(pool.begin().await?),
        };
        let value = work(&mut tx).await?;
        tx.commit().await?;
        Ok(value)
    }
}

/// Whether an error means "somebody else was faster, try again".
pub trait Conflict {
    /// True for serialisation failures, deadlocks and a busy SQLite.
    fn is_conflict(&self) -> bool;
}

impl Conflict for sqlx::Error {
    fn is_conflict(&self) -> bool {
        // 40001 serialisation failure, 40P01 deadlock (PostgreSQL, appendix A); 5 SQLITE_BUSY, 6 SQLITE_LOCKED, 517 BUSY_SNAPSHOT.
        self.as_database_error()
            .and_then(sqlx::error::DatabaseError::code)
            .is_some_and(|code| matches!(&*code, "40001" | "40P01" | "5" | "6" | "517"))
    }
}

impl Conflict for anyhow::Error {
    fn is_conflict(&self) -> bool {
        self.chain().any(|cause| cause.is::<Lost>() || cause.downcast_ref::<sqlx::Error>().is_some_and(Conflict::is_conflict))
    }
}

/// A conditional update found its row changed since it was read: the transaction is to be tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("somebody else was faster")]
pub struct Lost;
