//! Sessions: a random token in a cookie, its hash in SQL. A session is who somebody is; a [`Staff`] is made of it where its owner has
//! nothing else to do first.

use super::audit::{self, Actor, Change, Subject};
use crate::{Shop, params, random, sql::Db};
use app::{pages::Fault, staff::Person};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::{
    StaffId,
    offer::Instant,
    staff::{Right, Roles},
};
use sha2::{Digest as _, Sha256};
use std::fmt::Write as _;

/// A session that is not used for so long ends: a shift.
const IDLE_US: i64 = 8 * 3_600 * 1_000_000;
/// No session lives longer, however busy.
const LIFE_US: i64 = 7 * 24 * 3_600 * 1_000_000;
/// How exactly the last use is remembered.
const SEEN_US: i64 = 60 * 1_000_000;

/// Somebody who signed in, and may have to choose a password first.
#[derive(Clone, Debug)]
pub struct Session {
    id: StaffId,
    email: String,
    roles: Roles,
    must_choose_password: bool,
}

/// A member of staff who is signed in. There is no other way to come by one than a valid session.
#[derive(Clone, Debug)]
pub struct Staff(Session);

impl Session {
    pub fn email(&self) -> &str {
        &self.email
    }

    /// Whether the password in use was made by the shop: then it opens nothing but the page to choose another.
    pub const fn must_choose_password(&self) -> bool {
        self.must_choose_password
    }

    /// Who pages say is signed in.
    pub fn person(&self) -> Person {
        Person { email: self.email.clone(), roles: self.roles.clone() }
    }

    /// The member of staff, unless a password is to be chosen first.
    pub fn staff(self) -> Option<Staff> {
        (!self.must_choose_password).then_some(Staff(self))
    }
}

impl Staff {
    pub const fn id(&self) -> StaffId {
        self.0.id
    }

    /// Who stands in the log.
    pub const fn actor(&self) -> Actor {
        Actor::Staff(self.0.id)
    }

    pub fn may(&self, right: Right) -> bool {
        self.0.roles.may(right)
    }

    /// The same as a refusal: 403 with a page.
    pub fn require(&self, right: Right) -> Result<(), Fault> {
        if self.may(right) { Ok(()) } else { Err(Fault::Forbidden) }
    }

    /// Who pages say is signed in.
    pub fn person(&self) -> Person {
        self.0.person()
    }
}

/// A new session of an account whose password hash is still the one that was checked. `None`: it was changed or disabled meanwhile.
pub(super) async fn begin(shop: &Shop, id: StaffId, password_hash: &str, replaced: Option<&str>) -> anyhow::Result<Option<String>> {
    let token = URL_SAFE_NO_PAD.encode(random::bytes::<32>());
    let begun = shop
        .db
        .transact::<_, anyhow::Error>(|tx| {
            let (clock, hash, password_hash) = (shop.clock.clone(), hashed(&token), password_hash.to_owned());
            let replaced = replaced.map(hashed);
            Box::pin(async move {
                let now = clock.now();
                // The update waits for whoever changes the account: no session begins behind a disabling's back.
                let same = tx
                    .execute(
                        "UPDATE staff SET password_hash = password_hash WHERE id = $1 AND password_hash = $2 AND disabled_at IS NULL",
                        params![id, password_hash],
                    )
                    .await?;
                if same == 0 {
                    return Ok(false);
                }
                tx.execute(
                    "DELETE FROM staff_sessions WHERE token_hash = $1 OR created_at < $2 OR seen_at < $3",
                    params![replaced.unwrap_or_default(), now - LIFE_US, now - IDLE_US],
                )
                .await?;
                tx.execute("INSERT INTO staff_sessions (token_hash, staff_id, created_at, seen_at) VALUES ($1, $2, $3, $3)", params![hash, id, now])
                    .await?;
                let change = Change { action: "signed in", subject: Subject::Staff(id), before: None, after: None };
                audit::write(tx, &clock, Actor::Staff(id), change).await?;
                Ok(true)
            })
        })
        .await?;
    Ok(begun.then_some(token))
}

/// Who a token belongs to, if it is one and still good.
pub async fn find(db: &Db, token: &str, now: Instant) -> anyhow::Result<Option<Session>> {
    let hash = hashed(token);
    let row = db
        .first(
            "SELECT s.id, s.email, s.roles, s.password_is_temporary, t.seen_at FROM staff_sessions t JOIN staff s ON s.id = t.staff_id \
             WHERE t.token_hash = $1 AND t.created_at >= $2 AND t.seen_at >= $3 AND s.disabled_at IS NULL",
            params![&hash, now - LIFE_US, now - IDLE_US],
        )
        .await?;
    let Some(row) = row else { return Ok(None) };
    let session = Session {
        id: row.parse("id")?,
        email: row.text("email")?,
        roles: Roles::from_words(&row.text("roles")?),
        must_choose_password: row.flag("password_is_temporary")?,
    };
    if now - row.int("seen_at")? >= SEEN_US {
        db.transact::<_, anyhow::Error>(|tx| {
            let hash = hash.clone();
            Box::pin(async move {
                tx.execute("UPDATE staff_sessions SET seen_at = $2 WHERE token_hash = $1 AND seen_at < $2", params![hash, now]).await?;
                Ok(())
            })
        })
        .await?;
    }
    Ok(Some(session))
}

/// Ends a token's session.
pub async fn end(db: &Db, token: &str) -> anyhow::Result<()> {
    db.transact::<_, anyhow::Error>(|tx| {
        let hash = hashed(token);
        Box::pin(async move {
            tx.execute("DELETE FROM staff_sessions WHERE token_hash = $1", params![hash]).await?;
            Ok(())
        })
    })
    .await
}

fn hashed(token: &str) -> String {
    Sha256::digest(token.as_bytes()).iter().fold(String::with_capacity(64), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}
