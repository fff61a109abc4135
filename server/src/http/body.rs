//! A body in frames that are sent as they lie in memory: a page's text is shared by everybody who gets it.

use axum::body::HttpBody;
use bytes::Bytes;
use http_body::{Frame, SizeHint};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// Frames of a known length.
#[derive(Debug)]
pub struct Frames {
    rest: std::vec::IntoIter<Bytes>,
    left_bytes: u64,
}

impl Frames {
    pub fn new(frames: Vec<Bytes>) -> Self {
        Self { left_bytes: frames.iter().map(|frame| frame.len() as u64).sum(), rest: frames.into_iter() }
    }
}

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.rest.next();
        self.left_bytes -= next.as_ref().map_or(0, |frame| frame.len() as u64);
        Poll::Ready(next.map(|frame| Ok(Frame::data(frame))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.len() == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left_bytes)
    }
}
