//! The migrations as Aurora DSQL takes them: it runs one DDL statement a transaction, builds indexes in the background, has no partial ones, and
//! adds columns without defaults (<https://docs.aws.amazon.com/aurora-dsql/latest/userguide/working-with-ddl.html>, `alter-table-syntax-support.html`).
//! So a new database is made at once in the form that all migrations together lead to.

use anyhow::{Context as _, bail};
use sqlx::AssertSqlSafe;

/// Which release's schema stands there.
const VERSIONS: &str = "CREATE TABLE IF NOT EXISTS schema_versions (version BIGINT PRIMARY KEY)";

/// Whether a host is Aurora DSQL's: `<cluster>.dsql.<region>.on.aws`.
pub fn is_dsql(host: &str) -> bool {
    host.ends_with(".on.aws") && host.contains(".dsql.")
}

/// Makes the schema of a new database. What an interrupted start left undone is done by the next one.
pub async fn migrate<'a>(pool: &sqlx::PgPool, migrations: impl Iterator<Item = &'a str>, newest: i64) -> anyhow::Result<()> {
    sqlx::query(VERSIONS).execute(pool).await?;
    let there: Option<i64> = sqlx::query_scalar("SELECT MAX(version) FROM schema_versions").fetch_one(pool).await?;
    match there {
        Some(version) if version == newest => return Ok(()),
        Some(version) => bail!(
            "this Aurora DSQL database has schema {version}, this release wants {newest}: add what the migrations after {version} add, one statement at \
             a time, then INSERT INTO schema_versions VALUES ({newest})"
        ),
        None => {}
    }
    for statement in statements(migrations)? {
        sqlx::query(AssertSqlSafe(statement.as_str())).execute(pool).await.with_context(|| statement.clone())?;
    }
    sqlx::query("INSERT INTO schema_versions (version) VALUES ($1)").bind(newest).execute(pool).await?;
    Ok(())
}

/// The statements that make a new database, each for a transaction of its own. A statement of a kind that DSQL does not have is an error.
pub fn statements<'a>(migrations: impl Iterator<Item = &'a str>) -> anyhow::Result<Vec<String>> {
    let mut made: Vec<(String, String)> = Vec::new();
    for migration in migrations {
        let lines: Vec<&str> = migration.lines().map(|line| line.split("--").next().unwrap_or_default()).collect();
        for statement in lines.join("\n").split(';').map(|text| text.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty()) {
            match statement.as_slice() {
                ["CREATE", "TABLE", name, rest @ ..] => {
                    made.push(((*name).to_owned(), format!("CREATE TABLE IF NOT EXISTS {name} {}", rest.join(" "))));
                }
                ["ALTER", "TABLE", table, "ADD", "COLUMN", column @ ..] => {
                    let (_, create) = made.iter_mut().find(|(name, _)| name == table).with_context(|| format!("no table {table} to add to"))?;
                    let (before, columns) = create.split_once('(').with_context(|| format!("table {table} has no columns to add to"))?;
                    *create = format!("{before}({}, {}", column.join(" "), columns.trim_start());
                }
                ["CREATE", "INDEX", name, "ON", rest @ ..] => made.push(index(name, "INDEX", rest)),
                ["CREATE", "UNIQUE", "INDEX", name, "ON", rest @ ..] if !rest.contains(&"WHERE") => made.push(index(name, "UNIQUE INDEX", rest)),
                // A new database has no rows to copy.
                ["INSERT", "INTO", _, rest @ ..] if rest.contains(&"SELECT") => {}
                ["DROP", "INDEX", name] => made.retain(|(known, _)| known != name),
                other => bail!("a migration has a statement that Aurora DSQL does not take here: {}", other.join(" ")),
            }
        }
    }
    Ok(made.into_iter().map(|(_, statement)| statement).collect())
}

fn index(name: &str, kind: &str, rest: &[&str]) -> (String, String) {
    // Over all rows instead of some it finds the same, and is only larger.
    let whole: Vec<&str> = rest.iter().take_while(|word| **word != "WHERE").copied().collect();
    (name.to_owned(), format!("CREATE {kind} ASYNC IF NOT EXISTS {name} ON {}", whole.join(" ")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sql::Db;
    use std::collections::BTreeSet;

    #[test]
    fn hosts_are_told_apart() {
        assert!(is_dsql("abc123.dsql.eu-west-1.on.aws"));
        assert!(!is_dsql("abc.cluster-xyz.eu-west-1.rds.amazonaws.com") && !is_dsql("localhost"));
    }

    #[test]
    fn columns_that_were_added_later_are_there_from_the_start_and_dropped_indexes_are_not() -> anyhow::Result<()> {
        let old = "-- a shop\nCREATE TABLE a (\n id TEXT PRIMARY KEY -- UUIDv7\n);\nCREATE INDEX by_x ON a (x);";
        let new = "ALTER TABLE a ADD COLUMN x TEXT NOT NULL DEFAULT '';\nDROP INDEX by_x;\nCREATE UNIQUE INDEX once ON a (x, id);\nCREATE INDEX some ON a (x) WHERE x <> '';\nINSERT INTO a SELECT x, id FROM b;";
        assert_eq!(
            statements([old, new].into_iter())?,
            [
                "CREATE TABLE IF NOT EXISTS a (x TEXT NOT NULL DEFAULT '', id TEXT PRIMARY KEY )",
                "CREATE UNIQUE INDEX ASYNC IF NOT EXISTS once ON a (x, id)",
                "CREATE INDEX ASYNC IF NOT EXISTS some ON a (x)",
            ]
        );
        for not_there in [
            "CREATE TRIGGER t",
            "INSERT INTO a VALUES (1)",
            "CREATE SEQUENCE s",
            "TRUNCATE a",
            "CREATE TEMP TABLE b (id TEXT)",
            "CREATE UNIQUE INDEX u ON a (id) WHERE id > 1",
        ] {
            assert!(statements([not_there].into_iter()).is_err(), "{not_there}");
        }
        Ok(())
    }

    /// Tables with their columns, and names of indexes.
    async fn schema(db: &Db) -> anyhow::Result<BTreeSet<String>> {
        let columns = "SELECT m.name || '.' || p.name || ' ' || p.type || ' ' || p.\"notnull\" || ' ' || p.pk AS said FROM sqlite_master m, \
                       pragma_table_info(m.name) p WHERE m.type = 'table' AND m.name <> '_sqlx_migrations'";
        let indexes = "SELECT name AS said FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL";
        let mut said = BTreeSet::new();
        for query in [columns, indexes] {
            for row in db.all(query, vec![]).await? {
                said.insert(row.text("said")?);
            }
        }
        Ok(said)
    }

    #[tokio::test]
    async fn a_new_database_has_the_schema_that_all_migrations_lead_to() -> anyhow::Result<()> {
        let folder = tempfile::tempdir()?;
        let migrated = Db::open(&format!("sqlite:{}", folder.path().join("migrated.db").display())).await?;
        migrated.migrate().await?;
        let made = Db::open(&format!("sqlite:{}", folder.path().join("made.db").display())).await?;
        let Db::Sqlite { write, .. } = &made else { unreachable!("a file is SQLite") };
        for statement in statements(Db::migrations())? {
            // SQLite builds indexes at once and has no word for it.
            sqlx::query(AssertSqlSafe(statement.replace(" ASYNC", ""))).execute(write).await.with_context(|| statement.clone())?;
        }
        assert_eq!(schema(&made).await?, schema(&migrated).await?);
        Ok(())
    }
}
