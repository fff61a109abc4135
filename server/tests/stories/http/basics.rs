//! What every answer of the shop has in common: headers, limits, refusals, and pages for what goes wrong.

use crate::support::{Answer, start, start_with};
use anyhow::Context as _;
use reqwest::header;

#[tokio::test]
async fn a_healthy_shop_says_so() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    let answer = visitor.get("/healthz").await?;
    assert_eq!((answer.status, answer.body.as_str()), (200, "ok\n"));
    let answer = visitor.get("/readyz").await?;
    assert_eq!((answer.status, answer.body.as_str()), (200, "sql: ok\ntable: ok\n"));
    let answer = visitor.get("/metrics").await?;
    assert!(answer.status == 200 && answer.body.contains("http_requests_total"), "{answer:?}");
    let forwarded = Answer::read(visitor.client.get(format!("{}/metrics", shop.url)).header("x-forwarded-for", "192.0.2.1")).await?;
    assert_eq!(forwarded.status, 403);
    shop.stop().await
}

#[tokio::test]
async fn the_root_leads_to_the_visitors_locale_and_is_never_kept() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    for (language, cookie, to) in
        [("fr-CA, fr;q=0.9", "", "/fr-ca"), ("ko", "locale=de-de", "/de-de"), ("", "locale=<script>", "/en-us"), ("\u{e9}\u{ff}", "", "/en-us")]
    {
        let language = header::HeaderValue::from_bytes(language.as_bytes())?;
        let request =
            visitor.client.get(format!("{}/?utm_source=mail", shop.url)).header(header::ACCEPT_LANGUAGE, language).header(header::COOKIE, cookie);
        let answer = Answer::read(request).await?;
        assert_eq!((answer.status, answer.location()), (303, Some(format!("{to}?utm_source=mail"))));
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    shop.stop().await
}

#[tokio::test]
async fn the_switch_remembers_the_choice_and_no_page_does() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    let page = visitor.get("/en-us/p/canvas-tote?colour=olive").await?;
    assert!(page.body.contains("href=\"/locale/de-de/p/canvas-tote?colour=olive\"") && page.header("set-cookie").is_empty());
    let chosen = visitor.get("/locale/de-de/p/canvas-tote?colour=olive").await?;
    assert_eq!((chosen.status, chosen.location().as_deref()), (303, Some("/de-de/p/canvas-tote?colour=olive")));
    assert_eq!(chosen.header("cache-control"), "no-store");
    let cookie = chosen.header("set-cookie");
    assert_eq!(cookie, "locale=de-de; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax");
    assert_eq!(visitor.get("/").await?.location().as_deref(), Some("/de-de"));
    assert!(visitor.get("/de-de/p/canvas-tote?colour=olive").await?.header("set-cookie").is_empty());
    let foreign = Answer::read(visitor.client.get(format!("{}/locale/ja-jp", shop.url)).header("sec-fetch-site", "cross-site")).await?;
    assert_eq!((foreign.status, foreign.header("set-cookie")), (303, ""), "another site does not choose");
    for path in ["/locale/", "/locale/xx-yy", "/locale//evil.example", "/locale/https://evil.example", "/locale/de-de/nothing/here"] {
        let answer = visitor.get(path).await?;
        assert_eq!((answer.status, answer.header("set-cookie")), (404, ""), "{path}");
    }
    assert!(visitor.get("/robots.txt").await?.body.contains("Disallow: /locale/"));
    shop.stop().await
}

#[tokio::test]
async fn every_refusal_is_a_page_in_the_visitors_language() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    let get = |path: &str| visitor.client.get(format!("{}{path}", shop.url));
    let post = |path: &str| visitor.client.post(format!("{}{path}", shop.url));
    let table = [
        (404, "en-US", get("/en-us/nothing/here")),
        (404, "de-DE", get("/de-de/nothing")),
        (404, "ja-JP", get("/xx-yy").header(header::ACCEPT_LANGUAGE, "ja")),
        (404, "en-US", get("/wp-login.php")),
        (400, "fr-FR", get("/fr-fr/p/%ff")),
        (400, "fr-FR", get("/fr-fr/p/%e")),
        (400, "en-US", get("/en-us/search?q=%c3%28")),
        (403, "en-US", post("/en-us/cart/lines").header(header::ORIGIN, "https://evil.example")),
        (403, "ko-KR", post("/ko-kr/cart/lines").header(header::ORIGIN, "null")),
        (403, "en-US", post("/en-us/checkout").header("sec-fetch-site", "cross-site")),
        (413, "en-GB", post("/en-gb/cart/lines").body(vec![b'a'; 65 * 1024])),
        (405, "en-US", post("/en-us")),
    ];
    for (status, language, request) in table {
        let (client, request) = request.build_split();
        let request = request?;
        let told = format!("{} {}", request.method(), request.url());
        let response = client.execute(request).await?;
        assert_eq!(response.status().as_u16(), status, "{told}");
        let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned();
        assert!(header("content-type").starts_with("text/html"), "{told}");
        assert_eq!((header("cache-control").as_str(), header("x-store").as_str()), ("no-store", ""), "{told}");
        let body = response.text().await?;
        assert!(body.contains(&format!("<html lang=\"{language}\"")) && body.contains("<h1>"), "{told}: {body}");
        assert!(!body.contains(['\u{e000}', '\u{e001}', '\u{e002}']), "{told}");
    }
    shop.stop().await
}

#[tokio::test]
async fn addresses_have_one_form() -> anyhow::Result<()> {
    let shop = start().await?;
    let visitor = shop.visitor();
    for (path, to) in [
        ("/en-us/", "/en-us"),
        ("/EN-US", "/en-us"),
        ("/en-us/C/Wear/", "/en-us/c/wear"),
        ("/de-de/p/%4camp?colour=sage", "/de-de/p/lamp?colour=sage"),
        ("/ja-jp/c/%e6%99%82", "/ja-jp/c/%E6%99%82"),
    ] {
        let answer = visitor.get(path).await?;
        assert_eq!((answer.status, answer.location().as_deref()), (301, Some(to)), "{path}");
    }
    let outside = visitor.get("//evil.example/en-us").await?;
    assert_eq!((outside.status, outside.location()), (404, None));
    shop.stop().await
}

#[tokio::test]
async fn pages_keep_to_themselves() -> anyhow::Result<()> {
    let shop = start_with(|config| config.url = "https://shop.example".into()).await?;
    let visitor = shop.visitor();
    let (first, second) = (visitor.get("/en-us").await?, visitor.get("/en-us").await?);
    let policy = first.header("content-security-policy");
    for part in ["default-src 'none'", "'wasm-unsafe-eval'", "form-action 'self'", "base-uri 'none'", "frame-ancestors 'none'"] {
        assert!(policy.contains(part), "{part} in {policy}");
    }
    assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"), "{policy}");
    let nonce = |answer: &Answer| {
        let (_, rest) = answer.header("content-security-policy").split_once("'nonce-")?;
        rest.split_once('\'').map(|(nonce, _)| nonce.to_owned())
    };
    let (one, two) = (nonce(&first).context("a nonce")?, nonce(&second).context("a nonce")?);
    assert_ne!(one, two);
    assert!(first.body.contains(&format!("nonce=\"{one}\"")) && !first.body.contains("nonce=\"\""));
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("referrer-policy", "same-origin"), ("strict-transport-security", "max-age=63072000")]
    {
        assert_eq!(first.header(name), value, "{name}");
    }
    assert!(first.header("set-cookie").is_empty() && first.header("x-request-id").len() == 9);
    shop.stop().await
}

#[tokio::test]
async fn whoever_asks_too_much_waits() -> anyhow::Result<()> {
    let shop = start_with(|config| config.rate_limits = true).await?;
    let visitor = shop.visitor();
    let mut last = None;
    for _ in 0..80 {
        let answer = visitor.post("/en-us/nothing", &[("a", "b")]).await?;
        let waits = answer.status == 429;
        last = Some(answer);
        if waits {
            break;
        }
    }
    let answer = last.context("an answer")?;
    assert_eq!(answer.status, 429);
    assert!(answer.header("retry-after").parse::<u32>()? >= 1 && answer.body.contains("<h1>"));
    assert_eq!((visitor.get("/en-us").await?.status, visitor.get("/healthz").await?.status), (200, 200), "reading goes on");
    shop.stop().await
}
