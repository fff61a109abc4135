//! Who gets in, how long they stay, and who is shown the door.

use crate::{
    staff::house::{self, PASSWORD, sign_in},
    support::{self, Answer, Visitor},
};
use anyhow::Context as _;
use app::staff::{Action, Route};
use domain::staff::{Role, Roles};
use server::{
    params,
    staff::{Actor, accounts, passwords},
};
use std::time::Duration;

fn pages() -> Vec<Route> {
    vec![Route::Home, Route::Password, Route::Audit { older_than: None }, Route::Stock { wanted: "tote".to_owned(), after: None }]
}

#[tokio::test]
async fn there_is_no_page_without_a_session() -> anyhow::Result<()> {
    let house = house::open().await?;
    let stranger = house.shop.visitor();
    for route in pages() {
        let answer = stranger.get(&route.url()).await?;
        let next = (route != Route::Home).then(|| route.url());
        assert_eq!(answer.location(), Some(Route::SignIn { next }.url()), "{route:?}");
        assert!(answer.body.is_empty() && answer.header("cache-control") == "no-store", "{route:?}");
    }
    for path in ["/ops/nothing-of-the-kind", "/ops/audit/x"] {
        assert_eq!(stranger.get(path).await?.status, 303, "{path}");
    }
    for action in [Action::ChangePassword] {
        assert_eq!(stranger.post(&action.url(), &[]).await?.location(), Some("/ops/sign-in".to_owned()), "{action:?}");
    }
    let forged = house.shop.visitor().client.get(format!("{}/ops", house.shop.url)).header("cookie", "staff=AAAAAAAAAAAAAAAAAAAA");
    assert_eq!(Answer::read(forged).await?.status, 303);
    house.close().await
}

#[tokio::test]
async fn signing_in_opens_the_pages_and_signing_out_closes_them() -> anyhow::Result<()> {
    let house = house::open().await?;
    house.hire("ada@example.com", Role::Admin).await?;
    let ada = house.shop.visitor();
    let page = ada.get("/ops/sign-in?next=%2Fops%2Faudit").await?;
    assert_eq!((page.status, page.field("next")), (200, Some("/ops/audit")));
    let answer = ada.post("/ops/sign-in", &[("email", " ADA@Example.com "), ("password", PASSWORD), ("next", "/ops/audit")]).await?;
    assert_eq!(answer.location().as_deref(), Some("/ops/audit"), "{}", answer.body);
    let cookie = answer.header("set-cookie").to_owned();
    assert!(cookie.starts_with("staff=") && cookie.ends_with("; Path=/ops; HttpOnly; SameSite=Strict"), "{cookie}");
    for route in pages() {
        let page = ada.get(&route.url()).await?;
        assert_eq!(page.status, 200, "{route:?}: {}", page.body);
        assert_eq!((page.header("cache-control"), page.header("x-robots-tag")), ("no-store", "noindex"), "{route:?}");
        assert!(page.body.contains("<meta name=\"robots\" content=\"noindex\">") && !page.body.contains("<script"), "{route:?}");
        assert!(page.header("content-security-policy").contains("frame-ancestors 'none'"), "{route:?}");
    }
    assert_eq!(ada.get("/ops/nothing-of-the-kind").await?.status, 404);
    assert_eq!(house.shop.visitor().get("/en-us").await?.body.matches("staff").count(), 0, "shoppers load nothing of it");

    let token = cookie.split(';').next().context("a cookie")?.to_owned();
    assert_eq!(ada.post("/ops/sign-out", &[]).await?.location().as_deref(), Some("/ops/sign-in?said=signed-out"));
    let kept = ada.client.get(format!("{}/ops", ada.url)).header("cookie", token);
    assert_eq!(Answer::read(kept).await?.status, 303, "a copied cookie is worth nothing afterwards");
    house.close().await
}

#[tokio::test]
async fn whoever_is_not_let_in_learns_nothing() -> anyhow::Result<()> {
    let house = house::open().await?;
    house.hire("ada@example.com", Role::Admin).await?;
    house.hire("ben@example.com", Role::Admin).await?;
    let (db, clock) = (&house.shop.shop.db, &house.shop.shop.clock);
    let ben = accounts::find(db, "ben@example.com").await?.context("an account")?;
    accounts::set_disabled(db, clock, Actor::CommandLine, ben.id, true).await?;
    let visitor = house.shop.visitor();
    let mut bodies = Vec::new();
    for (email, password) in
        [("ada@example.com", "seven green umbrella"), ("eve@example.com", PASSWORD), ("ben@example.com", PASSWORD), ("no address", "")]
    {
        let answer = sign_in(&visitor, email, password).await?;
        assert_eq!((answer.status, answer.header("set-cookie")), (422, ""), "{email}");
        assert!(answer.body.contains(&format!("value=\"{email}\"")), "what was typed is kept");
        assert!(!answer.body.contains(PASSWORD) && answer.body.contains("role=\"alert\""), "{email}");
        bodies.push(answer.body.replace(email, ""));
    }
    bodies.dedup();
    assert_eq!(bodies.len(), 1, "all four answers are the same");
    house.close().await
}

#[tokio::test]
async fn a_session_ends_when_it_is_idle_and_when_it_is_old() -> anyhow::Result<()> {
    let house = house::open().await?;
    let (idle, busy) = (house.signed_in(Role::Viewer).await?, house.signed_in(Role::Viewer).await?);
    house.shop.clock.advance(Duration::from_hours(7));
    assert_eq!(busy.get("/ops").await?.status, 200);
    house.shop.clock.advance(Duration::from_mins(61));
    assert_eq!(idle.get("/ops").await?.status, 303, "eight hours without a request");
    for _ in 0..22 {
        assert_eq!(busy.get("/ops").await?.status, 200);
        house.shop.clock.advance(Duration::from_hours(7));
    }
    // 7 h, 61 min and 154 h: less than seven days. Six more hours are more.
    assert_eq!(busy.get("/ops").await?.status, 200);
    house.shop.clock.advance(Duration::from_hours(6));
    assert_eq!(busy.get("/ops").await?.status, 303, "seven days, however busy");
    house.close().await
}

#[tokio::test]
async fn signing_in_again_ends_the_session_before() -> anyhow::Result<()> {
    let house = house::open().await?;
    house.hire("ada@example.com", Role::Viewer).await?;
    let ada = house.shop.visitor();
    let first = sign_in(&ada, "ada@example.com", PASSWORD).await?.header("set-cookie").to_owned();
    let second = sign_in(&ada, "ada@example.com", PASSWORD).await?.header("set-cookie").to_owned();
    assert_ne!(first, second);
    for (cookie, status) in [(first, 303), (second, 200)] {
        let request = house.shop.visitor().client.get(format!("{}/ops", ada.url)).header("cookie", cookie.split(';').next().context("a cookie")?);
        assert_eq!(Answer::read(request).await?.status, status);
    }
    house.close().await
}

#[tokio::test]
async fn disabling_an_account_and_changing_its_password_end_all_its_sessions() -> anyhow::Result<()> {
    let house = house::open().await?;
    let (db, clock) = (&house.shop.shop.db, &house.shop.shop.clock);
    let (here, there) = (house.signed_in(Role::Support).await?, house.signed_in(Role::Support).await?);
    let chosen = "eight yellow bicycles";
    let wrong = here.post("/ops/password", &[("current", "not this one at all"), ("chosen", chosen)]).await?;
    assert_eq!(wrong.status, 422, "{}", wrong.body);
    for unfit in ["short", "aaaaaaaaaaaaaaaaaaaa", "support@example.com", PASSWORD] {
        let answer = here.post("/ops/password", &[("current", PASSWORD), ("chosen", unfit)]).await?;
        assert!(answer.status == 422 && answer.body.contains("f-chosen-error"), "{unfit}: {}", answer.body);
    }
    let changed = here.post("/ops/password", &[("current", PASSWORD), ("chosen", chosen)]).await?;
    assert_eq!(changed.location().as_deref(), Some("/ops?said=password"), "{}", changed.body);
    assert_eq!((here.get("/ops").await?.status, there.get("/ops").await?.status), (200, 303), "only who changed it stays");
    assert_eq!(sign_in(&there, "support@example.com", PASSWORD).await?.status, 422);
    assert_eq!(sign_in(&there, "support@example.com", chosen).await?.status, 303);

    let account = accounts::find(db, "support@example.com").await?.context("an account")?;
    accounts::set_disabled(db, clock, Actor::CommandLine, account.id, true).await?;
    assert_eq!((here.get("/ops").await?.status, there.get("/ops").await?.status), (303, 303));
    accounts::set_disabled(db, clock, Actor::CommandLine, account.id, false).await?;
    assert_eq!(here.get("/ops").await?.status, 303, "a session that ended stays so");
    assert_eq!(sign_in(&here, "support@example.com", chosen).await?.status, 303);
    house.close().await
}

#[tokio::test]
async fn a_password_from_the_command_line_opens_only_the_page_to_replace_it() -> anyhow::Result<()> {
    let house = house::open().await?;
    let given = passwords::random();
    let hash = passwords::hash(given.to_string()).await?;
    let roles = Roles::from_iter([Role::Admin]);
    accounts::add(&house.shop.shop.db, &house.shop.shop.clock, Actor::CommandLine, "ada@example.com", &roles, &hash, true).await?;
    let ada = house.shop.visitor();
    assert_eq!(sign_in(&ada, "ada@example.com", &given).await?.status, 303);
    for path in ["/ops", "/ops/audit", "/ops/nothing"] {
        assert_eq!(ada.get(path).await?.location().as_deref(), Some("/ops/password"), "{path}");
    }
    assert_eq!(ada.get("/ops/password").await?.status, 200);
    assert_eq!(ada.post("/ops/password", &[("current", &given), ("chosen", PASSWORD)]).await?.status, 303);
    assert_eq!(ada.get("/ops").await?.status, 200);
    assert_eq!(sign_in(&house.shop.visitor(), "ada@example.com", &given).await?.status, 422, "it opened once");
    house.close().await
}

#[tokio::test]
async fn roles_hold_from_the_next_request_on() -> anyhow::Result<()> {
    let house = house::open().await?;
    let (db, clock) = (&house.shop.shop.db, &house.shop.shop.clock);
    let visitor = house.signed_in(Role::Viewer).await?;
    let refused = visitor.get("/ops/audit").await?;
    assert!(refused.status == 403 && refused.body.contains("Not allowed"), "{}", refused.body);
    let account = accounts::find(db, "viewer@example.com").await?.context("an account")?;
    accounts::set_roles(db, clock, Actor::CommandLine, account.id, &Roles::from_iter([Role::Admin])).await?;
    assert_eq!(visitor.get("/ops/audit").await?.status, 200);
    accounts::set_roles(db, clock, Actor::CommandLine, account.id, &Roles::from_words("publisher")).await?;
    assert_eq!(visitor.get("/ops").await?.status, 403, "a role of a later release allows nothing");
    house.close().await
}

#[tokio::test]
async fn forms_come_from_our_own_pages() -> anyhow::Result<()> {
    let house = house::open().await?;
    let ada = house.signed_in(Role::Admin).await?;
    for (origin, status) in [(Some("https://evil.example"), 403), (Some("null"), 403), (None, 403), (Some(ada.url.as_str()), 303)] {
        for path in ["/ops/sign-out", "/ops/sign-in"] {
            let mut request = ada.client.post(format!("{}{path}", ada.url)).form(&[("email", "admin@example.com"), ("password", PASSWORD)]);
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            assert_eq!(Answer::read(request).await?.status, status, "{path} {origin:?}");
        }
        if status == 403 {
            assert_eq!(ada.get("/ops").await?.status, 200, "{origin:?} changed nothing");
        }
    }
    house.close().await
}

#[tokio::test]
async fn guessing_is_slowed_down_whatever_the_rate_limits_say() -> anyhow::Result<()> {
    let house = house::open().await?;
    house.hire("ada@example.com", Role::Admin).await?;
    let visitor = house.shop.visitor();
    for _ in 0..10 {
        assert_eq!(sign_in(&visitor, "ada@example.com", "a wrong password").await?.status, 422);
    }
    for password in ["a wrong password", PASSWORD] {
        let answer = sign_in(&visitor, "Ada@example.com", password).await?;
        assert!(answer.status == 429 && answer.body.contains("Wait "), "{}", answer.body);
    }
    house.hire("ben@example.com", Role::Admin).await?;
    assert_eq!(sign_in(&visitor, "ben@example.com", PASSWORD).await?.status, 303, "others are let in");
    house.close().await
}

#[tokio::test]
async fn guessing_the_password_in_use_is_slowed_down_too() -> anyhow::Result<()> {
    let house = house::open().await?;
    let (ada, ben) = (house.signed_in(Role::Support).await?, house.signed_in(Role::Viewer).await?);
    let sql = "SELECT password_hash FROM staff WHERE email = 'support@example.com'";
    let stored = async || house.shop.shop.db.first(sql, params![]).await?.context("an account")?.text("password_hash");
    let change = async |who: &Visitor, current: &str, chosen: &str| who.post("/ops/password", &[("current", current), ("chosen", chosen)]).await;
    let (before, logged) = (stored().await?, house.log().await?.len());
    // What is wrong with the chosen one is said without counting an attempt.
    let long = "いろはにほへと".repeat(72);
    for _ in 0..12 {
        let told = change(&ada, PASSWORD, &long).await?;
        assert!(told.status == 422 && told.body.contains("This is too long: use at most 500 characters."), "{} {}", told.status, told.body);
        assert!(!told.body.contains(&long) && !told.body.contains(PASSWORD));
    }
    // Signing in was the first attempt of ten.
    for _ in 1..10 {
        let told = change(&ada, "not this one at all", "eight yellow bicycles").await?;
        assert!(told.status == 422 && told.body.contains("This is not the password in use."), "{} {}", told.status, told.body);
    }
    for current in ["not this one at all", PASSWORD] {
        let told = change(&ada, current, "eight yellow bicycles").await?;
        assert!(told.status == 429 && told.body.contains("Too many attempts. Wait "), "{} {}", told.status, told.body);
        assert!(!told.body.contains(current) && !told.body.contains("eight yellow bicycles"));
    }
    assert_eq!((stored().await?, house.log().await?.len()), (before, logged), "nothing was changed");
    assert_eq!(ada.get("/ops").await?.status, 200, "nobody is signed out by it");

    // Others change theirs, to 497 letters if they like.
    let chosen = "いろはにほへと".repeat(71);
    assert_eq!(change(&ben, PASSWORD, &chosen).await?.location().as_deref(), Some("/ops?said=password"));
    assert_eq!(sign_in(&house.shop.visitor(), "viewer@example.com", &chosen).await?.status, 303);
    house.close().await
}

#[tokio::test]
async fn over_https_the_cookie_says_so() -> anyhow::Result<()> {
    let shop = support::start_with(|config| config.url = "https://shop.example".into()).await?;
    let house = house::House { shop: Box::new(shop) };
    house.hire("ada@example.com", Role::Viewer).await?;
    let request = house.shop.visitor().client.post(format!("{}/ops/sign-in", house.shop.url)).header("origin", "https://shop.example");
    let answer = Answer::read(request.form(&[("email", "ada@example.com"), ("password", PASSWORD)])).await?;
    assert!(answer.header("set-cookie").ends_with("; HttpOnly; SameSite=Strict; Secure"), "{}", answer.header("set-cookie"));
    house.close().await
}
