//! The statements of the place-order use case, driven by pgbench: recorded while an order is placed, with fresh values where two orders
//! differ.

use super::buyers::{House, VARIANT_FIRST, VARIANT_PREFIX};
use crate::{
    sql::Value,
    sql_log::{self, Said},
};
use anyhow::{Context as _, bail, ensure};
use std::{
    collections::BTreeMap,
    fmt::Write as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering},
};

/// A script and the values of its variables.
pub struct Script {
    text: String,
    values: Vec<(String, String)>,
    pub statements: usize,
}

/// Runs of all scripts so far.
static RUNS: AtomicU64 = AtomicU64::new(0);
/// Digits that make a value fresh in every order: `:m` in the script.
const FRESH: usize = 13;
/// Digits before them that tell a value from the others of an order: ids of one millisecond begin alike.
const OWN: usize = 2;

impl Script {
    /// Writes down what two orders of the first variant say, and makes a script of the first; `variants` says over how many it spreads.
    pub async fn record(house: &House, variants: u64) -> anyhow::Result<Self> {
        let (first, said) = Box::pin(sql_log::listen(house.buy(0))).await;
        first?;
        let (second, other) = Box::pin(sql_log::listen(house.buy(0))).await;
        second?;
        Self::from(&said, &other, variants)
    }

    fn from(said: &[Said], other: &[Said], variants: u64) -> anyhow::Result<Self> {
        ensure!(said.len() == other.len(), "two orders of the same thing say different things to the database");
        let last = VARIANT_FIRST + variants - 1;
        let mut script = Self {
            text: format!("\\set n :n + 1\n\\set m :base + :client_id * 1000000000 + :n\n\\set v random({VARIANT_FIRST}, {last})\n"),
            values: Vec::new(),
            statements: 0,
        };
        let mut names: BTreeMap<String, String> = BTreeMap::new();
        let variant = format!("{VARIANT_PREFIX}{VARIANT_FIRST}");
        for (said, other) in said.iter().zip(other) {
            match (said, other) {
                (Said::Begin, Said::Begin) => script.text.push_str("BEGIN;\n"),
                (Said::Commit, Said::Commit) => script.text.push_str("COMMIT;\n"),
                (Said::Statement(sql, values), Said::Statement(same, others)) if sql == same => {
                    let expressions: Vec<String> = values
                        .iter()
                        .zip(others)
                        .map(|(value, other)| match value {
                            Value::Text(text) if *text == variant => format!("('{VARIANT_PREFIX}' || :v)"),
                            _ => script.expression(&mut names, value, value != other),
                        })
                        .collect();
                    script.text.push_str(&filled(sql, &expressions)?);
                    script.text.push_str(";\n");
                    script.statements += 1;
                }
                _ => bail!("two orders of the same thing say different things to the database"),
            }
        }
        Ok(script)
    }

    /// What stands for a value: a variable that is sent as a parameter, with fresh digits where it is another one in each order.
    fn expression(&mut self, names: &mut BTreeMap<String, String>, value: &Value, is_fresh: bool) -> String {
        let (kind, text, is_fresh) = match value {
            Value::Int(number) => ("bigint", number.to_string(), false),
            Value::Text(text) => ("text", text.clone(), is_fresh),
            Value::Bytes(bytes) => {
                let hex = bytes.iter().fold(String::from("\\x"), |mut hex, byte| {
                    let _infallible = write!(hex, "{byte:02x}");
                    hex
                });
                ("bytea", hex, false)
            }
            Value::NullInt => return "NULL::bigint".to_owned(),
            Value::NullText => return "NULL::text".to_owned(),
            Value::NullBytes => return "NULL::bytea".to_owned(),
        };
        if text.is_empty() {
            return format!("''::{kind}");
        }
        let own = names.len();
        let kept: String = if is_fresh { text.chars().take(text.chars().count().saturating_sub(FRESH + OWN)).collect() } else { text.clone() };
        if kept.is_empty() {
            return format!("('{own}' || :m)");
        }
        let kept = if is_fresh { format!("{kept}{own:0OWN$}") } else { kept };
        let next = format!("p{own}");
        let name = names.entry(format!("{kind} {is_fresh} {text}")).or_insert_with(|| {
            self.values.push((next.clone(), kept));
            next
        });
        if is_fresh { format!("(:{name}::text || :m)") } else { format!(":{name}::{kind}") }
    }

    /// Transactions a second with so many clients for so many seconds.
    pub async fn drive(&self, program: &Path, url: &str, clients: u32, seconds: u32) -> anyhow::Result<f64> {
        // No run of any script names what an earlier one has named.
        let run = RUNS.fetch_add(1, Ordering::Relaxed);
        let folder = tempfile::tempdir()?;
        let file: PathBuf = folder.path().join("order.sql");
        std::fs::write(&file, &self.text)?;
        let mut command = tokio::process::Command::new(program);
        command.args(["-n", "-M", "prepared", "-c", &clients.to_string(), "-j", "2", "-T", &seconds.to_string(), "-f"]).arg(&file);
        command.args(["-D", "n=0", "-D", &format!("base={}", 1_000_000_000_000_u64 + run * 100_000_000_000)]);
        for (name, value) in &self.values {
            command.args(["-D", &format!("{name}={value}")]);
        }
        let output = command.arg(url).output().await.with_context(|| format!("starting {}", program.display()))?;
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        ensure!(output.status.success(), "pgbench ended with {}: {}", output.status, String::from_utf8_lossy(&output.stderr));
        let line = words.lines().find(|line| line.starts_with("tps = ")).with_context(|| format!("pgbench says no figure: {words}"))?;
        line.trim_start_matches("tps = ").split_whitespace().next().context("a figure")?.parse().context("pgbench's figure")
    }
}

/// The statement with each `$n` replaced.
fn filled(sql: &str, expressions: &[String]) -> anyhow::Result<String> {
    let mut text = String::with_capacity(sql.len() + 200);
    let mut rest = sql;
    while let Some(at) = rest.find('$') {
        text.push_str(&rest[..at]);
        let digits = rest[at + 1..].chars().take_while(char::is_ascii_digit).count();
        let number: usize = rest[at + 1..at + 1 + digits].parse().context("a placeholder has a number")?;
        text.push_str(expressions.get(number.wrapping_sub(1)).context("a placeholder without a value")?);
        rest = &rest[at + 1 + digits..];
    }
    text.push_str(rest);
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_between_two_orders_is_made_fresh_and_the_same_everywhere() {
        let order = |id: &str| {
            let values = || vec![Value::from(id), Value::from(7_i64), Value::Bytes(vec![1, 255]), Value::NullText];
            vec![
                Said::Begin,
                Said::Statement("INSERT INTO orders VALUES ($1, $2, $3, $4)", values()),
                Said::Statement("SELECT $2, $1", vec![Value::from(format!("{VARIANT_PREFIX}{VARIANT_FIRST}")), Value::from(id)]),
                Said::Commit,
            ]
        };
        let (a, b) = (order("01a20846-fed5-7718-8307-e62e832296ce"), order("01a20847-0000-7718-8307-e62e832296cf"));
        let script = Script::from(&a, &b, 10).expect("the same statements");
        let lines: Vec<&str> = script.text.lines().skip(3).collect();
        assert_eq!(
            lines,
            [
                "BEGIN;",
                "INSERT INTO orders VALUES ((:p0::text || :m), :p1::bigint, :p2::bytea, NULL::text);",
                "SELECT (:p0::text || :m), ('00000000-0000-7000-8000-' || :v);",
                "COMMIT;"
            ]
        );
        assert_eq!(script.values[0].1, "01a20846-fed5-7718-8300");
        assert_eq!(script.values[2].1, "\\x01ff");
        assert!(Script::from(&a, &b[..3], 10).is_err());
    }
}
