//! How the lists are read: along an index, in its order, never all orders.

use crate::{ops::desk, ops::finding};
use server::{
    orders::{lists, many, waits},
    sql::{Db, Row, Value},
    staff::stock,
};

#[tokio::test]
async fn no_list_reads_all_orders_or_sorts_them() -> anyhow::Result<()> {
    let house = desk::open().await?;
    let db = &house.shop.shop.db;
    finding::fill(db, 300, house.shop.clock.now()).await?;
    for (sql, values) in lists::statements() {
        let plan = plan(db, sql, values).await?;
        // Counting what a walk has found is no walk over orders.
        let told = plan.iter().map(String::as_str).filter(|line| *line != "SCAN counted").collect::<Vec<_>>().join("\n");
        for bad in ["SCAN", "USE TEMP B-TREE", "Seq Scan", "Sort"] {
            assert!(!told.contains(bad), "{sql}\n{told}");
        }
        assert!(told.contains("USING") || told.contains("Index"), "{sql}\n{told}");
    }
    for (sql, values) in waits::statements() {
        let told = plan(db, sql, values).await?.join("\n");
        let all_orders = |line: &str| (line.contains("SCAN o") && !line.contains("orders_waiting_in_market")) || line.contains("Seq Scan on orders");
        assert!(!told.lines().any(all_orders) && !told.contains("TEMP B-TREE"), "{sql}\n{told}");
    }
    for (sql, values) in many::statements().into_iter().chain(stock::statements()) {
        let plan = plan(db, sql, values).await?;
        let told = plan.join("\n");
        assert!(!told.contains("SCAN") && !told.contains("Seq Scan"), "{sql}\n{told}");
        assert!(told.contains("USING") || told.contains("Index"), "{sql}\n{told}");
    }
    house.shop.stop().await
}

async fn plan(db: &Db, sql: &str, values: Vec<Value>) -> anyhow::Result<Vec<String>> {
    match db {
        Db::Sqlite { .. } => explained(db, format!("EXPLAIN QUERY PLAN {sql}"), values, "detail").await,
        Db::Postgres { .. } => explained(db, format!("EXPLAIN {sql}"), values, "QUERY PLAN").await,
    }
}

/// The plan of a statement. PostgreSQL would rather read and sort a table as small as a test's: what it cannot avoid it does nevertheless.
async fn explained(db: &Db, sql: String, values: Vec<Value>, column: &'static str) -> anyhow::Result<Vec<String>> {
    let sql: &'static str = sql.leak();
    let is_postgres = matches!(db, Db::Postgres { .. });
    let rows = db
        .transact::<_, sqlx::Error>(|tx| {
            let values = values.clone();
            Box::pin(async move {
                if is_postgres {
                    for off in ["SET LOCAL enable_seqscan = off", "SET LOCAL enable_sort = off", "SET LOCAL enable_bitmapscan = off"] {
                        tx.execute(off, Vec::new()).await?;
                    }
                }
                tx.all(sql, values).await
            })
        })
        .await?;
    rows.iter().map(|row: &Row| row.text(column)).collect()
}
