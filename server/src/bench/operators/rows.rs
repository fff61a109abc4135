//! Many rows in one statement, for both engines.

use crate::sql::{Db, Tx, Value};
use std::sync::Arc;

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

/// Writes rows of several tables in one transaction.
pub async fn write(db: &Db, rows: Vec<(Table, Vec<Value>)>) -> Result<(), sqlx::Error> {
    let rows = Arc::new(rows);
    db.transact::<_, sqlx::Error>(|tx| {
        let rows = Arc::clone(&rows);
        Box::pin(async move {
            for (table, values) in rows.iter() {
                table.write(tx, values).await?;
            }
            Ok(())
        })
    })
    .await
}
