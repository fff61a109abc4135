//! Somebody at the operator pages who packs, sends, cancels, refunds, takes back and books deliveries while the shop is killed: what was acknowledged stays,
//! a form that got no answer is sent again, and nothing is done twice.

use crate::{support::Visitor, world::World};
use anyhow::{Context as _, ensure};
use domain::staff::{Role, Roles};
use server::{
    clock::Clock,
    params,
    sql::{Db, Value},
    staff::{Actor, accounts, passwords},
};
use std::collections::BTreeMap;

const EMAIL: &str = "clerk@example.com";
const PASSWORD: &str = "seven green umbrellas";

/// How the log calls a delivery that was booked.
const RECEIVED: &str = "stock received";

/// A form of an order's or a variant's page.
struct Form {
    path: String,
    /// The order's number, or the delivery's.
    about: String,
    /// How the log calls it.
    logged: &'static str,
    fields: Vec<(&'static str, String)>,
}

/// Somebody who is signed in; a killed shop does not end a session.
pub struct Clerk {
    visitor: Visitor,
    /// Numbers of orders and deliveries, and what the log must say of them once.
    acknowledged: Vec<(String, &'static str)>,
    /// Sent, and not answered.
    unanswered: Vec<Form>,
    /// How often each kind of form was acknowledged and is there.
    told: BTreeMap<&'static str, usize>,
    /// Orders that were served.
    served: usize,
}

impl Clerk {
    /// Makes the account and signs in.
    pub async fn new(world: &World) -> anyhow::Result<Self> {
        let db = world.db().await?;
        let hash = passwords::hash(PASSWORD.to_owned()).await?;
        let roles = Roles::from_iter([Role::Support, Role::Warehouse]);
        ensure!(accounts::add(&db, &Clock::system(), Actor::CommandLine, EMAIL, &roles, &hash, false).await?, "an account");
        db.close().await;
        let visitor = world.visitor()?;
        let answer = visitor.post("/ops/sign-in", &[("email", EMAIL), ("password", PASSWORD)]).await?;
        ensure!(answer.location().as_deref() == Some("/ops"), "{}: {}", answer.status, answer.body);
        Ok(Self { visitor, acknowledged: Vec::new(), unanswered: Vec::new(), told: BTreeMap::new(), served: 0 })
    }

    /// Does something about a paid order: another thing with each. An error: the shop is gone.
    pub async fn serve(&mut self, db: &Db, number: &str) -> anyhow::Result<()> {
        self.served += 1;
        let sql = "SELECT h.location, h.variant_id FROM holds h JOIN orders o ON o.id = h.order_id WHERE o.number = $1 AND h.state = 'sold' LIMIT 1";
        let Some(row) = db.first(sql, params![number]).await? else { return Ok(()) };
        let lies = row.text("location")?;
        let one = || ("line-0", "1".to_owned());
        let sure = || ("sure", "yes".to_owned());
        match self.served % 3 {
            0 => {
                self.act(db, number, "cancel", "order cancelled", vec![("reason", "fraud".to_owned()), one(), sure()]).await?;
                self.book(db, &row.text("variant_id")?, lies).await
            }
            1 => {
                self.act(db, number, "refund", "order refunded", vec![("amount", "1.00".to_owned()), ("reason", "late".to_owned()), sure()]).await?;
                self.act(db, number, "pack", "order packed", vec![("of", lies), one(), ("step", "pack".to_owned())]).await
            }
            _ => {
                let sent = vec![("of", lies.clone()), one(), ("carrier", "DHL".to_owned()), ("step", "ship".to_owned())];
                self.act(db, number, "pack", "order packed", sent).await?;
                self.act(db, number, "return", "return announced", vec![("reason", "late".to_owned()), one()]).await?;
                let sql = "SELECT r.id FROM returns r JOIN orders o ON o.id = r.order_id WHERE o.number = $1";
                // A bank may ask for the money meanwhile; then nothing was announced.
                let Some(back) = db.first(sql, params![number]).await? else { return Ok(()) };
                let came = vec![("of", back.text("id")?), ("location", lies), ("shelf-0", "1".to_owned()), ("delivery", "0".to_owned()), sure()];
                self.act(db, number, "receive", "return received", came).await
            }
        }
    }

    async fn act(&mut self, db: &Db, number: &str, what: &str, logged: &'static str, mut fields: Vec<(&'static str, String)>) -> anyhow::Result<()> {
        let page = self.visitor.get(&format!("/ops/orders/{number}")).await?;
        let id = page.field("id").with_context(|| format!("{number} answers {} without forms", page.status))?;
        fields.push(("id", id.to_owned()));
        self.unanswered.push(Form { path: format!("/ops/orders/{number}/{what}"), about: number.to_owned(), logged, fields });
        self.send(db).await
    }

    /// Books a delivery of one piece.
    async fn book(&mut self, db: &Db, variant: &str, location: String) -> anyhow::Result<()> {
        let page = self.visitor.get(&format!("/ops/stock/{variant}")).await?;
        let mutation = page.field("mutation").with_context(|| format!("{variant} answers {} without forms", page.status))?.to_owned();
        let about = format!("delivery {}", self.served);
        let fields = vec![("mutation", mutation), ("location", location), ("pieces", "1".to_owned()), ("words", about.clone())];
        self.unanswered.push(Form { path: format!("/ops/stock/{variant}/receipts"), about, logged: RECEIVED, fields });
        self.send(db).await
    }

    /// Sends the last form that got no answer. One that is refused because a bank asks for the money is put aside.
    async fn send(&mut self, db: &Db) -> anyhow::Result<()> {
        let Some(Form { path, about, logged, fields }) = self.unanswered.last() else { return Ok(()) };
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.visitor.post(path, &fields).await?;
        if answer.status == 303 {
            self.acknowledged.push((about.clone(), logged));
        } else {
            let sql = "SELECT COUNT(*) AS n FROM disputes d JOIN orders o ON o.id = d.order_id WHERE o.number = $1";
            let disputed = count(db, sql, params![about]).await? > 0;
            ensure!(disputed, "{path} answers {}: {}", answer.status, answer.body);
        }
        self.unanswered.pop();
        Ok(())
    }

    /// After a crash: sends again what got no answer, as people do.
    pub async fn repeat(&mut self, db: &Db) -> anyhow::Result<()> {
        while !self.unanswered.is_empty() {
            self.send(db).await?;
        }
        Ok(())
    }

    /// Everything that was acknowledged is in the log and in the ledger, once.
    pub async fn check(&mut self, db: &Db) -> anyhow::Result<()> {
        for (about, logged) in self.acknowledged.drain(..) {
            let times = if logged == RECEIVED {
                let sql = "SELECT COUNT(*) AS n FROM audit_log WHERE action = $1 AND after LIKE $2";
                count(db, sql, params![logged, format!("%\"why\":\"{about}\"%")]).await?
            } else {
                let sql = "SELECT COUNT(*) AS n FROM audit_log a JOIN orders o ON a.subject = 'order:' || o.id WHERE o.number = $1 AND a.action = $2";
                count(db, sql, params![&about, logged]).await?
            };
            ensure!(times == 1, "{about}: {logged} {times} times");
            let sql = match logged {
                RECEIVED => "SELECT COUNT(*) AS n FROM stock_ledger WHERE kind = 'receipt' AND cause = $1",
                "order refunded" => "SELECT COUNT(*) AS n FROM refunds r JOIN orders o ON o.id = r.order_id WHERE o.number = $1",
                "order packed" => "SELECT COUNT(*) AS n FROM fulfilments f JOIN orders o ON o.id = f.order_id WHERE o.number = $1",
                "order cancelled" => "SELECT COUNT(*) AS n FROM cancellations c JOIN orders o ON o.id = c.order_id WHERE o.number = $1",
                _ => "SELECT COUNT(*) AS n FROM returns r JOIN orders o ON o.id = r.order_id WHERE o.number = $1",
            };
            let there = count(db, sql, params![&about]).await?;
            ensure!(there == 1, "{about}: {logged}, and {there} in the ledger");
            *self.told.entry(logged).or_default() += 1;
        }
        Ok(())
    }

    /// How often each kind of form was acknowledged and is there.
    pub const fn told(&self) -> &BTreeMap<&'static str, usize> {
        &self.told
    }
}

async fn count(db: &Db, sql: &'static str, values: Vec<Value>) -> anyhow::Result<i64> {
    db.first(sql, values).await?.context("a count")?.int("n")
}
