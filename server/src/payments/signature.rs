//! Signed webhooks: HMAC-SHA256 over `seconds.body`, as `t=<seconds>,v1=<hex>`. The time is signed, so that an old one cannot be sent again.

use super::Forged;
use domain::offer::Instant;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt::Write as _;
use subtle::ConstantTimeEq as _;

/// The header that carries the signature.
pub const HEADER: &str = "webhook-signature";
/// How far the signed time may be from ours.
const TOLERANCE_S: i64 = 300;

/// Signs a body.
pub fn sign(secret: &[u8], now: Instant, body: &[u8]) -> String {
    let seconds = now.div_euclid(1_000_000);
    format!("t={seconds},v1={}", mac(secret, seconds, body))
}

/// Checks a signature before anything else is done with a body.
pub fn verify(secret: &[u8], header: Option<&str>, body: &[u8], now: Instant) -> Result<(), Forged> {
    let (time, mac_given) = header.and_then(|header| header.split_once(',')).ok_or(Forged::Signature)?;
    let seconds: i64 = time.strip_prefix("t=").and_then(|seconds| seconds.parse().ok()).ok_or(Forged::Signature)?;
    let given = mac_given.strip_prefix("v1=").ok_or(Forged::Signature)?;
    if !bool::from(mac(secret, seconds, body).as_bytes().ct_eq(given.as_bytes())) {
        return Err(Forged::Signature);
    }
    if now.div_euclid(1_000_000).abs_diff(seconds) > TOLERANCE_S.unsigned_abs() {
        return Err(Forged::Stale);
    }
    Ok(())
}

fn mac(secret: &[u8], seconds: i64, body: &[u8]) -> String {
    let mut mac = <Hmac<Sha256> as hmac::Mac>::new_from_slice(secret).expect("HMAC takes keys of any length");
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    let mut hex = String::with_capacity(64);
    for byte in mac.finalize().into_bytes() {
        let _ = write!(hex, "{byte:02x}");
    }
    hex
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_providers_fresh_signature_is_believed() {
        let now = 1_800_000_000_000_000;
        let minute = 60_000_000;
        let signed = sign(b"key", now, b"{}");
        for (secret, header, body, at, expected) in [
            (b"key", Some(signed.as_str()), b"{}", now, Ok(())),
            (b"key", Some(&signed), b"{}", now + 5 * minute, Ok(())),
            (b"key", Some(&signed), b"{}", now + 6 * minute, Err(Forged::Stale)),
            (b"key", Some(&signed), b"{}", now - 6 * minute, Err(Forged::Stale)),
            (b"key", Some(&signed), b"[]", now, Err(Forged::Signature)),
            (b"kez", Some(&signed), b"{}", now, Err(Forged::Signature)),
            (b"key", Some(""), b"{}", now, Err(Forged::Signature)),
            (b"key", Some("t=1,v1="), b"{}", now, Err(Forged::Signature)),
            (b"key", Some(&signed.replace("t=1", "t=2")), b"{}", now, Err(Forged::Signature)),
            (b"key", None, b"{}", now, Err(Forged::Signature)),
        ] {
            assert_eq!(verify(secret, header, body, at), expected, "{header:?}");
        }
    }
}
