//! The worker's bindings: one text with the configuration, and the table's credentials as secrets.

use serde::Deserialize;
use std::{cell::OnceCell, rc::Rc};
use worker::{Env, Error, Result};

/// The text binding with the configuration.
const CONFIG: &str = "EDGE_CONFIG";

/// What is configured, for passing.
#[derive(Debug, Deserialize)]
pub struct Settings {
    /// In the order in which they are preferred, without trailing slashes.
    pub origins: Vec<String>,
}

thread_local! {
    /// Bindings change only with a new isolate.
    static SETTINGS: OnceCell<Rc<Settings>> = const { OnceCell::new() };
}

/// Read once an isolate, by its first request.
pub fn of(env: &Env) -> Result<Rc<Settings>> {
    SETTINGS.with(|known| {
        if let Some(known) = known.get() {
            return Ok(Rc::clone(known));
        }
        let text = env.var(CONFIG)?.to_string();
        let settings: Settings = serde_json::from_str(&text).map_err(|error| Error::RustError(format!("{CONFIG}: {error}")))?;
        if settings.origins.is_empty() {
            return Err(Error::RustError(format!("{CONFIG} names no origin")));
        }
        Ok(Rc::clone(known.get_or_init(|| Rc::new(settings))))
    })
}
