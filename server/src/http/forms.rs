//! Forms as they are sent: read whole, within limits, without marks that could forge a hole; and where they lead.

use crate::http::errors::Refusal;
use app::pages::Fault;
use axum::{
    body::Body,
    extract::{FromRequest, Request},
    response::{IntoResponse, Response},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use domain::live::strip_marks;
use futures::StreamExt as _;
use http::{HeaderValue, StatusCode, header};
use sha2::{Digest as _, Sha256};

/// The largest body of a form, in bytes. The largest form of ours, a checkout with everything filled in, is under 8 kB.
pub const BODY_BYTES_MAX: usize = 64 * 1024;
/// The same of a form that carries a file's text: a file of [`crate::tables::BYTES_MAX`], each byte written as three characters.
pub const FILE_BODY_BYTES_MAX: usize = 3 * crate::tables::BYTES_MAX + BODY_BYTES_MAX;
/// How much of a body that is too large is still read before it is refused.
const DROPPED_BYTES_MAX: usize = 4 * 1024 * 1024;
/// Fields in one form.
const FIELDS_MAX: usize = 200;

/// The fields of a form, in their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Fields(Vec<(String, String)>);

impl Fields {
    /// A field's value as typed; empty where the form has none. The first of several counts.
    pub fn get(&self, name: &str) -> &str {
        self.optional(name).unwrap_or("")
    }

    /// A field's value, if the form has the field.
    pub fn optional(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All fields.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.0.iter().map(|(key, value)| (key.as_str(), value.as_str()))
    }

    /// The same for the same fields in the same order, 43 characters.
    pub fn fingerprint(&self) -> String {
        let mut digest = Sha256::new();
        for text in self.0.iter().flat_map(|(name, value)| [name, value]) {
            digest.update(text.len().to_be_bytes());
            digest.update(text);
        }
        URL_SAFE_NO_PAD.encode(digest.finalize())
    }

    /// Reads `application/x-www-form-urlencoded` (WHATWG URL, 5.1). Bytes that are no UTF-8 and control characters are refused, line
    /// breaks and tabs aside.
    pub fn read(body: &[u8]) -> Result<Self, Refusal> {
        let refuse = Refusal::new(Fault::BadRequest);
        let mut fields = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            if fields.len() == FIELDS_MAX {
                return Err(refuse);
            }
            let at = pair.iter().position(|byte| *byte == b'=').unwrap_or(pair.len());
            let (key, value) = (&pair[..at], pair.get(at + 1..).unwrap_or_default());
            fields.push((decoded(key).ok_or(refuse)?, decoded(value).ok_or(refuse)?));
        }
        Ok(Self(fields))
    }
}

impl FromIterator<(String, String)> for Fields {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(fields: I) -> Self {
        Self(fields.into_iter().collect())
    }
}

fn decoded(text: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.iter();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let mut digit = || rest.next().and_then(|digit| char::from(*digit).to_digit(16));
                u8::try_from(digit()? * 16 + digit()?).ok()?
            }
            byte => *byte,
        });
    }
    let text = String::from_utf8(bytes).ok()?;
    let is_control = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.contains(is_control) { None } else { Some(strip_marks(&text).into_owned()) }
}

impl<S: Send + Sync> FromRequest<S> for Fields {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        Self::of(request, BODY_BYTES_MAX).await
    }
}

/// A form that carries a file's text.
#[derive(Clone, Debug)]
pub struct FileFields(pub Fields);

impl<S: Send + Sync> FromRequest<S> for FileFields {
    type Rejection = Refusal;

    async fn from_request(request: Request, _: &S) -> Result<Self, Refusal> {
        Fields::of(request, FILE_BODY_BYTES_MAX).await.map(Self)
    }
}

impl Fields {
    async fn of(request: Request, most: usize) -> Result<Self, Refusal> {
        let is_form = request.headers().get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).is_none_or(|value| {
            let kind = value.split(';').next().unwrap_or_default().trim();
            kind.is_empty() || kind.eq_ignore_ascii_case("application/x-www-form-urlencoded")
        });
        let bytes = read_body(request.into_body(), most).await.map_err(Refusal::new)?;
        if is_form { Self::read(&bytes) } else { Err(Refusal::new(Fault::BadRequest)) }
    }
}

/// Reads a body of at most `most` bytes. What a larger one has more is read and dropped, up to [`DROPPED_BYTES_MAX`]: a connection
/// that is closed with unread bytes is reset (RFC 1122, 4.2.2.13), and the sender would see that instead of our answer.
async fn read_body(body: Body, most: usize) -> Result<Vec<u8>, Fault> {
    let mut frames = body.into_data_stream();
    let mut kept = Vec::new();
    let mut length = 0;
    while let Some(frame) = frames.next().await {
        let frame = frame.map_err(|_| Fault::BadRequest)?;
        length += frame.len();
        if length <= most {
            kept.extend_from_slice(&frame);
        } else if length > DROPPED_BYTES_MAX {
            break;
        }
    }
    if length <= most { Ok(kept) } else { Err(Fault::TooLarge) }
}

/// After a form: load that page (303). `to` is a path of ours or a provider's address.
pub fn see_other(to: &str) -> Response {
    match HeaderValue::from_str(to) {
        Ok(location) => {
            (StatusCode::SEE_OTHER, [(header::LOCATION, location), (header::CACHE_CONTROL, HeaderValue::from_static("no-store"))]).into_response()
        }
        Err(_) => Refusal::new(Fault::Server).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn fields_are_read_as_typed() {
        let fields = Fields::read("name=Zo%C3%AB+O%27Hara&empty=&flag&name=second&note=a%0D%0Ab&x=%EE%80%80badge%EE%80%81".as_bytes());
        let get = |name| fields.as_ref().map(|fields| fields.get(name).to_owned());
        assert_eq!(get("name"), Ok("Zoë O'Hara".to_owned()));
        assert_eq!(get("note"), Ok("a\r\nb".to_owned()));
        assert_eq!(get("x"), Ok("badge".to_owned()), "no hole can be forged");
        assert_eq!(get("missing"), Ok(String::new()));
        assert!(fields.is_ok_and(|fields| fields.optional("flag") == Some("") && fields.optional("missing").is_none()));
    }

    #[test]
    fn broken_forms_are_refused() {
        let many = "a=1&".repeat(FIELDS_MAX + 1);
        for body in ["a=%", "a=%4", "a=%zz", "a=%ff", "%c3=1", "a=%00", "a=\u{1b}", many.as_str()] {
            assert_eq!(Fields::read(body.as_bytes()), Err(Refusal::new(Fault::BadRequest)), "{body}");
        }
    }

    proptest! {
        #[test]
        fn no_body_is_too_strange(body in prop::collection::vec(any::<u8>(), 0..200)) {
            let fields = Fields::read(&body);
            prop_assert!(fields.map_or(true, |fields| fields.iter().all(|(key, value)| key == strip_marks(key) && value == strip_marks(value))));
        }
    }
}
