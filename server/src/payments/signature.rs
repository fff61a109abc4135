//! Signed webhooks: HMAC-SHA256 over `seconds.body`, as `t=<seconds>,v1=<hex>`. The time is signed, so that an old one cannot be sent again.
//! Stripe's scheme (docs.stripe.com/webhooks, "Verify manually"), which the test provider shares: several `v1` may stand there while a
//! secret is replaced, and other schemes are passed over.

use super::Forged;
use domain::offer::Instant;
use hmac::{Hmac, Mac as _};
use sha2::Sha256;
use std::fmt::Write as _;
use subtle::{Choice, ConstantTimeEq as _};

/// The header in which the test provider signs.
pub const HEADER: &str = "webhook-signature";
/// How far the signed time may be from ours.
const TOLERANCE_S: i64 = 300;
/// Signatures looked at in one header; a secret that is replaced makes two.
const SIGNATURES_MAX: usize = 8;

/// Signs a body.
pub fn sign(secret: &[u8], now: Instant, body: &[u8]) -> String {
    let seconds = now.div_euclid(1_000_000);
    format!("t={seconds},v1={}", mac(secret, seconds, body))
}

/// Checks a signature before anything else is done with a body: one of the header's must be made with one of the secrets.
pub fn verify(secrets: &[&[u8]], header: Option<&str>, body: &[u8], now: Instant) -> Result<(), Forged> {
    let parts = || header.unwrap_or_default().split(',').filter_map(|part| part.trim().split_once('='));
    let mut times = parts().filter(|(name, _)| *name == "t");
    let (Some((_, time)), None) = (times.next(), times.next()) else { return Err(Forged::Signature) };
    let seconds: i64 = time.parse().map_err(|_| Forged::Signature)?;
    let mut genuine = Choice::from(0);
    for secret in secrets {
        let expected = mac(secret, seconds, body);
        for (_, given) in parts().filter(|(name, _)| *name == "v1").take(SIGNATURES_MAX) {
            genuine |= expected.as_bytes().ct_eq(given.as_bytes());
        }
    }
    if !bool::from(genuine) {
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
        let (time, good) = signed.split_once(',').expect("two parts");
        let wrong = "v1=00";
        for (secrets, header, body, at, expected) in [
            (vec![&b"key"[..]], Some(signed.clone()), b"{}", now, Ok(())),
            (vec![b"key"], Some(signed.clone()), b"{}", now + 5 * minute, Ok(())),
            (vec![b"key"], Some(signed.clone()), b"{}", now + 6 * minute, Err(Forged::Stale)),
            (vec![b"key"], Some(signed.clone()), b"{}", now - 6 * minute, Err(Forged::Stale)),
            (vec![b"key"], Some(signed.clone()), b"[]", now, Err(Forged::Signature)),
            (vec![b"kez"], Some(signed.clone()), b"{}", now, Err(Forged::Signature)),
            (vec![b"kez", b"key"], Some(signed.clone()), b"{}", now, Ok(())),
            (vec![], Some(signed.clone()), b"{}", now, Err(Forged::Signature)),
            // Several signatures, in any place, beside another scheme.
            (vec![b"key"], Some(format!("{time},{wrong},{good},v0=ab")), b"{}", now, Ok(())),
            (vec![b"key"], Some(format!("{good}, {time}")), b"{}", now, Ok(())),
            (vec![b"key"], Some(format!("{time},{wrong}")), b"{}", now, Err(Forged::Signature)),
            (vec![b"key"], Some(format!("{time},{}", good.replace("v1", "v0"))), b"{}", now, Err(Forged::Signature)),
            (vec![b"key"], Some(format!("{time},{},{good}", [wrong; SIGNATURES_MAX].join(","))), b"{}", now, Err(Forged::Signature)),
            (vec![b"key"], Some(format!("{signed},{time}")), b"{}", now, Err(Forged::Signature)),
            (vec![b"key"], Some(String::new()), b"{}", now, Err(Forged::Signature)),
            (vec![b"key"], Some("t=1,v1=".to_owned()), b"{}", now, Err(Forged::Signature)),
            (vec![b"key"], Some(signed.replace("t=1", "t=2")), b"{}", now, Err(Forged::Signature)),
            (vec![b"key"], None, b"{}", now, Err(Forged::Signature)),
        ] {
            assert_eq!(verify(&secrets, header.as_deref(), body, at), expected, "{header:?}");
        }
    }

    #[test]
    fn the_signature_is_the_published_scheme() {
        // Reckoned with `printf '12345.{"id":"evt_1"}' | openssl dgst -sha256 -hmac whsec_test`.
        let signed = sign(b"whsec_test", 12_345_000_000, br#"{"id":"evt_1"}"#);
        assert_eq!(signed, "t=12345,v1=8c990f992d95eb2978e78609f4caf526f4191a35a20d6ab00c821fc4f95c6338");
    }
}
