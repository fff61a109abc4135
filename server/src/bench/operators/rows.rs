//! Many rows in one statement, for both engines, written the way large amounts are: durable only at the end, and indexed afterwards.

use crate::{
    params,
    sql::{Db, Tx, Value},
};
use anyhow::Context as _;
use futures::{StreamExt as _, TryStreamExt as _};
use std::{ops::Range, sync::Arc};

/// Rows in one statement.
const TOGETHER: usize = 100;

/// How rows of one table are written.
#[derive(Clone, Copy)]
pub struct Table {
    columns: usize,
    many: &'static str,
    one: &'static str,
}

impl Table {
    /// `head`: `orders (id, number)`. The statements live as long as the program, which makes few of them.
    pub fn new(db: &Db, head: &str) -> Self {
        let columns = head.matches(',').count() + 1;
        let sql = |rows: usize| -> &'static str {
            let row = |row: usize| {
                // SQLite finds a place by its name by looking through all of them: thousands have none.
                let places: Vec<String> = match db {
                    Db::Sqlite { .. } => vec!["?".to_owned(); columns],
                    Db::Postgres { .. } => (1..=columns).map(|place| format!("${}", row * columns + place)).collect(),
                };
                format!("({})", places.join(", "))
            };
            format!("INSERT INTO {head} VALUES {}", (0..rows).map(row).collect::<Vec<_>>().join(", ")).leak()
        };
        Self { columns, many: sql(TOGETHER), one: sql(1) }
    }

    /// Writes rows, whose values stand one after the other.
    async fn write(self, tx: &mut Tx, values: &[Value]) -> Result<(), sqlx::Error> {
        let mut many = values.chunks_exact(self.columns * TOGETHER);
        for rows in many.by_ref() {
            tx.execute(self.many, rows.to_vec()).await?;
        }
        for row in many.remainder().chunks_exact(self.columns) {
            tx.execute(self.one, row.to_vec()).await?;
        }
        Ok(())
    }
}

/// Rows of several tables.
pub type Rows = Vec<(Table, Vec<Value>)>;

/// Writes rows of several tables in one transaction.
pub async fn write(db: &Db, rows: Rows) -> Result<(), sqlx::Error> {
    let rows = Arc::new(rows);
    db.transact::<_, sqlx::Error>(|tx| {
        let rows = Arc::clone(&rows);
        Box::pin(async move {
            if matches!(tx, Tx::Postgres(_)) {
                tx.execute("SET LOCAL synchronous_commit = off", params![]).await?;
            }
            for (table, values) in rows.iter() {
                table.write(tx, values).await?;
            }
            Ok(())
        })
    })
    .await
}

/// Makes the rows of `0..n` in batches, on all cores, and writes each batch in a transaction while the next are made.
pub async fn fill(db: &Db, n: u64, batch: u64, make: impl Fn(Range<u64>) -> anyhow::Result<Rows> + Clone + Send + 'static) -> anyhow::Result<()> {
    let cores = std::thread::available_parallelism().map_or(2, std::num::NonZero::get);
    let batches = futures::stream::iter((0..n).step_by(usize::try_from(batch)?)).map(|from| {
        let make = make.clone();
        async move { tokio::task::spawn_blocking(move || make(from..(from + batch).min(n))).await.context("a batch of rows")? }
    });
    batches.buffered(cores).try_for_each(|rows| async move { Ok(write(db, rows).await?) }).await
}

/// SQLite writes faster with its tables in memory and without waiting for the disk. The journal is folded in every 256 MB, so that it stays small.
const FAST: [&str; 3] = ["PRAGMA cache_size = -1500000", "PRAGMA synchronous = OFF", "PRAGMA wal_autocheckpoint = 65536"];
/// As the shop has it.
const SAFE: [&str; 4] =
    ["PRAGMA wal_checkpoint(TRUNCATE)", "PRAGMA cache_size = -2000", "PRAGMA synchronous = FULL", "PRAGMA wal_autocheckpoint = 1000"];

/// Sorted once at the end, an index costs a fraction of what it does row by row.
pub struct Indexes(Vec<&'static str>);

impl Indexes {
    /// Makes the database one to fill. Who is interrupted begins again with an empty one.
    pub async fn put_off(db: &Db) -> anyhow::Result<Self> {
        let known = match db {
            Db::Sqlite { .. } => "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL ORDER BY name",
            Db::Postgres { .. } => {
                "SELECT indexname AS name, indexdef AS sql FROM pg_indexes WHERE schemaname = current_schema() \
                 AND NOT EXISTS (SELECT 1 FROM pg_constraint c JOIN pg_class i ON i.oid = c.conindid WHERE i.relname = indexname) ORDER BY indexname"
            }
        };
        let (mut drops, mut makes): (Vec<&'static str>, Vec<&'static str>) = (Vec::new(), Vec::new());
        for row in db.all(known, params![]).await? {
            drops.push(format!("DROP INDEX {}", row.text("name")?).leak());
            makes.push(row.text("sql")?.leak());
        }
        together(db, drops).await?;
        tune(db, &FAST).await?;
        Ok(Self(makes))
    }

    /// Makes them again, and the database a safe one.
    pub async fn catch_up(self, db: &Db) -> anyhow::Result<()> {
        for index in self.0 {
            together(db, vec!["SET LOCAL maintenance_work_mem = '512MB'", index].split_off(usize::from(matches!(db, Db::Sqlite { .. })))).await?;
        }
        tune(db, &SAFE).await
    }
}

async fn together(db: &Db, statements: Vec<&'static str>) -> anyhow::Result<()> {
    db.transact::<_, sqlx::Error>(|tx| {
        let statements = statements.clone();
        Box::pin(async move {
            for sql in statements {
                tx.execute(sql, params![]).await?;
            }
            Ok(())
        })
    })
    .await?;
    Ok(())
}

/// SQLite's writer is one connection, which keeps what it is told.
async fn tune(db: &Db, pragmas: &[&'static str]) -> anyhow::Result<()> {
    if let Db::Sqlite { write, .. } = db {
        for pragma in pragmas {
            sqlx::query(*pragma).execute(write).await?;
        }
    }
    Ok(())
}
