//! Files: built assets with a hash in their name, pictures, and what browsers ask for at the root.

use crate::Shop;
use axum::{
    Router,
    extract::Request,
    middleware::{self, Next},
    response::Response,
};
use http::{HeaderValue, StatusCode, header};
use std::path::Path;
use tower_http::services::ServeDir;

/// A year, and never asked again: the name changes with the content.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// Pictures keep their name when an import replaces them.
const A_MONTH: HeaderValue = HeaderValue::from_static("public, max-age=2592000");
const AN_HOUR: HeaderValue = HeaderValue::from_static("public, max-age=3600");

/// `/assets/*`, `/media/*` and the files of the root.
pub fn routes(shop: &Shop) -> Router<Shop> {
    let site = &shop.config.site;
    let assets = ServeDir::new(site.join("assets")).append_index_html_on_directories(false).precompressed_br().precompressed_gzip();
    let shipped = ServeDir::new(site.join("media")).append_index_html_on_directories(false);
    // What an import brought wins over what was shipped.
    let media = ServeDir::new(shop.config.data.join("media")).append_index_html_on_directories(false).fallback(shipped);
    let mut router = Router::new()
        .nest("/assets", Router::new().fallback_service(assets).layer(middleware::from_fn(|request, next| kept(request, next, FOREVER))))
        .nest("/media", Router::new().fallback_service(media).layer(middleware::from_fn(|request, next| kept(request, next, A_MONTH))));
    for path in files(&site.join("root")) {
        let file = tower_http::services::ServeFile::new(site.join("root").join(path.trim_start_matches('/')));
        router = router.merge(Router::new().route_service(&path, file).layer(middleware::from_fn(|request, next| kept(request, next, AN_HOUR))));
    }
    router
}

/// Lets good answers be kept for as long as said.
async fn kept(request: Request, next: Next, how_long: HeaderValue) -> Response {
    let mut response = next.run(request).await;
    if matches!(response.status(), StatusCode::OK | StatusCode::PARTIAL_CONTENT | StatusCode::NOT_MODIFIED) {
        response.headers_mut().insert(header::CACHE_CONTROL, how_long);
    }
    response
}

/// Paths of the files directly in the root folder and one folder down, such as `/favicon.ico` and `/licences/font.txt`.
fn files(root: &Path) -> Vec<String> {
    let list = |folder: &Path| std::fs::read_dir(folder).into_iter().flatten().flatten().collect::<Vec<_>>();
    let mut paths = Vec::new();
    for entry in list(root) {
        let name = entry.file_name().to_string_lossy().into_owned();
        if entry.path().is_dir() {
            paths.extend(
                list(&entry.path()).iter().filter(|file| file.path().is_file()).map(|file| format!("/{name}/{}", file.file_name().to_string_lossy())),
            );
        } else {
            paths.push(format!("/{name}"));
        }
    }
    // A name that is no plain path cannot be a route.
    paths.retain(|path| !path.contains(['{', '}', '*']) && !["/robots.txt", "/sitemap.xml"].contains(&path.as_str()));
    paths
}
