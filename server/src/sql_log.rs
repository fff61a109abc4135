//! What one task tells the database, written down: for the bench, which has the same statements driven by another program.

use crate::sql::Value;
use std::sync::{Arc, Mutex, PoisonError};

/// One thing that was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Said {
    Begin,
    Statement(&'static str, Vec<Value>),
    Commit,
}

tokio::task_local! {
    static HEARD: Arc<Mutex<Vec<Said>>>;
}

/// Runs `work` and writes down what it says to the database.
pub async fn listen<T>(work: impl Future<Output = T>) -> (T, Vec<Said>) {
    let heard = Arc::<Mutex<Vec<Said>>>::default();
    let outcome = HEARD.scope(heard.clone(), work).await;
    let said = std::mem::take(&mut *heard.lock().unwrap_or_else(PoisonError::into_inner));
    (outcome, said)
}

/// Says it to whoever listens: nobody, as a rule, and then nothing is made.
pub(crate) fn hear(said: impl FnOnce() -> Said) {
    let _nobody = HEARD.try_with(|heard| heard.lock().unwrap_or_else(PoisonError::into_inner).push(said()));
}
