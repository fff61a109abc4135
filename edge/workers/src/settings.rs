//! The worker's bindings: one text with the configuration, and what is secret as secrets.

use edge_replica::http::Config;
use serde_json::{Value, json};
use worker::{Env, Error, Result};

/// The text binding with the configuration.
const CONFIG: &str = "EDGE_CONFIG";

/// All bindings together, as the edge takes them on this continent.
pub fn read(env: &Env, continent: Option<&str>) -> Result<Config> {
    let text = env.var(CONFIG)?.to_string();
    let mut told: Value = serde_json::from_str(&text).map_err(wrong)?;
    let secret = |name: &str| env.secret(name).ok().map(|secret| secret.to_string());
    told["credentials"] = json!({
        "access_key_id": secret("AWS_ACCESS_KEY_ID").unwrap_or_default(),
        "secret_access_key": secret("AWS_SECRET_ACCESS_KEY").unwrap_or_default(),
        "session_token": secret("AWS_SESSION_TOKEN"),
    });
    told["edge_key"] = secret("EDGE_KEY").unwrap_or_default().into();
    let config = serde_json::from_value::<Config>(told).map_err(wrong)?.at(continent);
    if config.origins.is_empty() {
        return Err(Error::RustError(format!("{CONFIG} names no origin")));
    }
    Ok(config)
}

fn wrong(error: serde_json::Error) -> Error {
    Error::RustError(format!("{CONFIG}: {error}"))
}
