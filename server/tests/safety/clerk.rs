//! Somebody at the operator pages who packs, sends, cancels, refunds and takes back while the shop is killed: what was acknowledged stays,
//! a form that got no answer is sent again, and nothing is done twice.

use crate::{support::Visitor, world::World};
use anyhow::{Context as _, ensure};
use domain::staff::{Role, Roles};
use server::{
    clock::Clock,
    params,
    sql::Db,
    staff::{Actor, accounts, passwords},
};
use std::collections::BTreeMap;

const EMAIL: &str = "clerk@example.com";
const PASSWORD: &str = "seven green umbrellas";

/// A form of an order's page: the order's number, what it does, how the log calls that, and its fields.
type Form = (String, &'static str, &'static str, Vec<(&'static str, String)>);

/// Somebody who is signed in; a killed shop does not end a session.
pub struct Clerk {
    visitor: Visitor,
    /// Numbers, and what the log must say of them once.
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
        let sql = "SELECT h.location FROM holds h JOIN orders o ON o.id = h.order_id WHERE o.number = $1 AND h.state = 'sold' LIMIT 1";
        let Some(lies) = db.first(sql, params![number]).await? else { return Ok(()) };
        let lies = lies.text("location")?;
        let one = || ("line-0", "1".to_owned());
        let sure = || ("sure", "yes".to_owned());
        match self.served % 3 {
            0 => self.act(number, "cancel", "order cancelled", vec![("reason", "fraud".to_owned()), one(), sure()]).await,
            1 => {
                self.act(number, "refund", "order refunded", vec![("amount", "1.00".to_owned()), ("reason", "late".to_owned()), sure()]).await?;
                self.act(number, "pack", "order packed", vec![("of", lies), one(), ("step", "pack".to_owned())]).await
            }
            _ => {
                let sent = vec![("of", lies.clone()), one(), ("carrier", "DHL".to_owned()), ("step", "ship".to_owned())];
                self.act(number, "pack", "order packed", sent).await?;
                self.act(number, "return", "return announced", vec![("reason", "late".to_owned()), one()]).await?;
                let sql = "SELECT r.id FROM returns r JOIN orders o ON o.id = r.order_id WHERE o.number = $1";
                let back = db.first(sql, params![number]).await?.context("a return")?.text("id")?;
                let came = vec![("of", back), ("location", lies), ("shelf-0", "1".to_owned()), ("delivery", "0".to_owned()), sure()];
                self.act(number, "receive", "return received", came).await
            }
        }
    }

    async fn act(&mut self, number: &str, what: &'static str, logged: &'static str, mut fields: Vec<(&'static str, String)>) -> anyhow::Result<()> {
        let page = self.visitor.get(&format!("/ops/orders/{number}")).await?;
        let id = page.field("id").with_context(|| format!("{number} answers {} without forms", page.status))?;
        fields.push(("id", id.to_owned()));
        self.unanswered.push((number.to_owned(), what, logged, fields));
        self.send().await
    }

    /// Sends the last form that got no answer.
    async fn send(&mut self) -> anyhow::Result<()> {
        let Some((number, what, logged, fields)) = self.unanswered.last() else { return Ok(()) };
        let fields: Vec<(&str, &str)> = fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = self.visitor.post(&format!("/ops/orders/{number}/{what}"), &fields).await?;
        ensure!(answer.status == 303, "{what} of {number} answers {}: {}", answer.status, answer.body);
        self.acknowledged.push((number.clone(), logged));
        self.unanswered.pop();
        Ok(())
    }

    /// After a crash: sends again what got no answer, as people do.
    pub async fn repeat(&mut self) -> anyhow::Result<()> {
        while !self.unanswered.is_empty() {
            self.send().await?;
        }
        Ok(())
    }

    /// Everything that was acknowledged is in the log, once.
    pub async fn check(&mut self, db: &Db) -> anyhow::Result<()> {
        for (number, logged) in self.acknowledged.drain(..) {
            let sql = "SELECT COUNT(*) AS n FROM audit_log a JOIN orders o ON a.subject = 'order:' || o.id WHERE o.number = $1 AND a.action = $2";
            let times = db.first(sql, params![&number, logged]).await?.context("a count")?.int("n")?;
            ensure!(times == 1, "{number}: {logged} {times} times");
            let sql = match logged {
                "order refunded" => "SELECT COUNT(*) AS n FROM refunds r JOIN orders o ON o.id = r.order_id WHERE o.number = $1",
                "order packed" => "SELECT COUNT(*) AS n FROM fulfilments f JOIN orders o ON o.id = f.order_id WHERE o.number = $1",
                "order cancelled" => "SELECT COUNT(*) AS n FROM cancellations c JOIN orders o ON o.id = c.order_id WHERE o.number = $1",
                _ => "SELECT COUNT(*) AS n FROM returns r JOIN orders o ON o.id = r.order_id WHERE o.number = $1",
            };
            let there = db.first(sql, params![&number]).await?.context("a count")?.int("n")?;
            ensure!(there == 1, "{number}: {logged}, and {there} in the ledger");
            *self.told.entry(logged).or_default() += 1;
        }
        Ok(())
    }

    /// How often each kind of form was acknowledged and is there.
    pub const fn told(&self) -> &BTreeMap<&'static str, usize> {
        &self.told
    }
}
