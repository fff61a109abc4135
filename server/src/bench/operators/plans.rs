//! How the statements behind the operators' pages are carried out: those of the lists, of many orders together and of the stock, and all that
//! one order's page and the log of changes say.

use crate::{
    orders::{lists, many},
    sql::{Db, Row, Value},
    sql_log::{self, Said},
    staff::stock,
};
use anyhow::ensure;
use axum::{Router, body::Body, extract::ConnectInfo};
use http::{Request, header};
use std::net::SocketAddr;
use tower::ServiceExt as _;

/// A statement with values for its plan.
pub type Statement = (&'static str, Vec<Value>);

/// Prints the plans of the lists, and of `pages`.
pub async fn print(db: &Db, pages: &[(&str, Vec<Statement>)]) -> anyhow::Result<()> {
    let listed: Vec<Statement> = lists::statements().into_iter().chain(many::statements()).chain(stock::statements()).collect();
    for (name, statements) in [("lists, many orders together, stock", listed)].iter().chain(pages) {
        println!("\n{name}");
        for (sql, values) in statements {
            println!("\n{sql}");
            for line in explained(db, sql, values.clone()).await? {
                println!("    {line}");
            }
        }
    }
    Ok(())
}

async fn explained(db: &Db, sql: &str, values: Vec<Value>) -> anyhow::Result<Vec<String>> {
    let (explain, column) = match db {
        Db::Sqlite { .. } => ("EXPLAIN QUERY PLAN", "detail"),
        Db::Postgres { .. } => ("EXPLAIN", "QUERY PLAN"),
    };
    let explained: &'static str = format!("{explain} {sql}").leak();
    db.all(explained, values).await?.iter().map(|row: &Row| row.text(column)).collect()
}

/// What a page reads, each statement once.
pub async fn said(router: &Router, path: &str, cookie: &str) -> anyhow::Result<Vec<Statement>> {
    let mut request = Request::get(path).header(header::COOKIE, cookie).body(Body::empty())?;
    request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 1))));
    let (answer, said) = sql_log::listen(router.clone().oneshot(request)).await;
    let status = answer?.status();
    ensure!(status == 200, "{path} answers {status}");
    let mut statements: Vec<Statement> = Vec::new();
    for said in said {
        if let Said::Statement(sql, values) = said
            && (sql.starts_with("SELECT") || sql.starts_with("WITH"))
            && statements.iter().all(|(known, _)| *known != sql)
        {
            statements.push((sql, values));
        }
    }
    ensure!(!statements.is_empty(), "{path} reads nothing");
    Ok(statements)
}
