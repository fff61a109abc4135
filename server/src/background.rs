//! Tasks that run beside the requests, and how they are ended.

use std::{future::Future, time::Duration};
use tokio::{sync::watch, task::JoinHandle};

/// The tasks of one running shop.
#[derive(Debug)]
pub struct Background {
    stop: watch::Sender<bool>,
    tasks: Vec<(&'static str, JoinHandle<()>)>,
}

/// Tells a task that it should end.
#[derive(Clone, Debug)]
pub struct Stop(watch::Receiver<bool>);

/// How long a task may take to end before it is cut off.
const PATIENCE: Duration = Duration::from_secs(5);

impl Background {
    /// No task yet.
    pub fn new() -> Self {
        Self { stop: watch::Sender::new(false), tasks: Vec::new() }
    }

    /// Starts a task. It should return soon after `stop` was requested, at a point where nothing is half done.
    pub fn spawn<F: Future<Output = ()> + Send + 'static>(&mut self, name: &'static str, task: impl FnOnce(Stop) -> F) {
        let task = tokio::spawn(task(Stop(self.stop.subscribe())));
        self.tasks.push((name, task));
    }

    /// Starts `work` again and again, `pause` after each end, until the shop stops.
    pub fn every<F: Future<Output = ()> + Send + 'static>(
        &mut self,
        name: &'static str,
        pause: Duration,
        mut work: impl FnMut() -> F + Send + 'static,
    ) {
        self.spawn(name, move |mut stop| async move {
            while !stop.is_requested() {
                work().await;
                tokio::select! {
                    () = stop.requested() => {}
                    () = tokio::time::sleep(pause) => {}
                }
            }
        });
    }

    /// A handle for what runs elsewhere but should end with the shop.
    pub fn stop_handle(&self) -> Stop {
        Stop(self.stop.subscribe())
    }

    /// Asks all tasks to end and waits for them.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        for (name, task) in self.tasks.drain(..) {
            let abort = task.abort_handle();
            match tokio::time::timeout(PATIENCE, task).await {
                Ok(Ok(())) => {}
                Ok(Err(error)) => tracing::error!(task = name, %error, "a background task ended badly"),
                Err(_) => {
                    abort.abort();
                    tracing::warn!(task = name, "a background task did not end in time");
                }
            }
        }
    }
}

impl Default for Background {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for Background {
    fn drop(&mut self) {
        self.stop.send_replace(true);
    }
}

impl Stop {
    /// Waits until the shop stops.
    pub async fn requested(&mut self) {
        // An error means that the shop is gone: that is a request to stop, too.
        let _ = self.0.wait_for(|stop| *stop).await;
    }

    /// Whether the shop stops.
    pub fn is_requested(&self) -> bool {
        *self.0.borrow() || self.0.has_changed().is_err()
    }
}
