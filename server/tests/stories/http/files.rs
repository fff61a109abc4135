//! Files: what may be kept, in which form they are sent, and that nobody leaves their folders.

use crate::support::{Answer, start_with};
use reqwest::header;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};

#[tokio::test]
async fn files_are_sent_as_they_may_be_kept() -> anyhow::Result<()> {
    let site = tempfile::tempdir()?;
    for (path, text) in [
        ("assets/shop.abc123.css", "body{}"),
        ("assets/shop.abc123.css.br", "as brotli"),
        ("assets/shop.abc123.wasm", "wasm"),
        ("media/demo/lamp-480.avif", "shipped"),
        ("media/demo/vase-480.webp", "shipped"),
        ("root/favicon.svg", "<svg/>"),
        ("root/manifest.webmanifest", "{}"),
        ("manifest.json", "{\"css\": \"/assets/shop.abc123.css\"}"),
        ("secret.txt", "secret"),
    ] {
        let path = site.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap_or(site.path()))?;
        std::fs::write(path, text)?;
    }
    let shop = start_with(|config| config.site = site.path().to_path_buf()).await?;
    std::fs::create_dir_all(shop.data().join("media/demo"))?;
    std::fs::write(shop.data().join("media/demo/lamp-480.avif"), "imported")?;
    let visitor = shop.visitor();
    for (path, status, kind, keep, body) in [
        ("/assets/shop.abc123.css", 200, "text/css", "public, max-age=31536000, immutable", "body{}"),
        ("/assets/shop.abc123.wasm", 200, "application/wasm", "public, max-age=31536000, immutable", "wasm"),
        ("/media/demo/lamp-480.avif", 200, "image/avif", "public, max-age=2592000", "imported"),
        ("/media/demo/vase-480.webp", 200, "image/webp", "public, max-age=2592000", "shipped"),
        ("/favicon.svg", 200, "image/svg+xml", "public, max-age=3600", "<svg/>"),
        ("/manifest.webmanifest", 200, "application/manifest+json", "public, max-age=3600", "{}"),
        ("/assets/missing.css", 404, "", "", ""),
        ("/media/", 404, "", "", ""),
        ("/media/..%2fsecret.txt", 404, "", "", ""),
        ("/media/%2e%2e%2f%2e%2e%2fshop.db", 404, "", "", ""),
    ] {
        let answer = visitor.get(path).await?;
        assert_eq!((answer.status, answer.header("cache-control")), (status, keep), "{path}");
        assert_eq!(answer.body, body, "{path}");
        assert!(answer.header("content-type").starts_with(kind), "{path}: {}", answer.header("content-type"));
        assert_eq!(answer.header("x-content-type-options"), "nosniff");
        assert!(answer.header("content-security-policy").contains("default-src 'none'"), "{path}");
    }
    // Clients tidy paths before they send them, so these are sent by hand.
    for path in ["/assets/../secret.txt", "/assets/%2e%2e/secret.txt", "/media/../keys/master", "/media/..%5c..%5cshop.db", "/assets//etc/passwd"] {
        let mut raw = TcpStream::connect(shop.url.trim_start_matches("http://")).await?;
        raw.write_all(format!("GET {path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n").as_bytes()).await?;
        let mut answer = String::new();
        raw.read_to_string(&mut answer).await?;
        assert!(answer.starts_with("HTTP/1.1 404"), "{path}: {answer}");
    }
    let css = format!("{}/assets/shop.abc123.css", shop.url);
    let small = Answer::read(visitor.client.get(&css).header(header::ACCEPT_ENCODING, "gzip, br")).await?;
    assert_eq!((small.header("content-encoding"), small.body.as_str()), ("br", "as brotli"));
    let known = visitor.get("/assets/shop.abc123.css").await?;
    let again = Answer::read(visitor.client.get(&css).header(header::IF_MODIFIED_SINCE, known.header("last-modified"))).await?;
    assert_eq!((again.status, again.body.as_str()), (304, ""));
    let page = visitor.get("/en-us").await?;
    assert!(page.body.contains("href=\"/assets/shop.abc123.css\""));
    shop.stop().await
}

#[tokio::test]
async fn pages_are_compressed_for_whoever_can_read_it() -> anyhow::Result<()> {
    let shop = crate::support::start().await?;
    let visitor = shop.visitor();
    let plain = visitor.client.get(format!("{}/en-us/all", shop.url)).send().await?;
    let length = plain.bytes().await?.len();
    for encoding in ["br", "gzip"] {
        let packed = visitor.client.get(format!("{}/en-us/all", shop.url)).header(header::ACCEPT_ENCODING, encoding).send().await?;
        assert_eq!(packed.headers().get(header::CONTENT_ENCODING).map(header::HeaderValue::as_bytes), Some(encoding.as_bytes()));
        let packed = packed.bytes().await?.len();
        assert!(packed * 3 < length, "{encoding}: {packed} of {length} bytes");
    }
    shop.stop().await
}
