//! What a shop needs to be paid through Stripe.

use super::public_origin;
use anyhow::bail;
use std::{fmt, sync::Arc};

/// Stripe's own address.
const API_BASE: &str = "https://api.stripe.com";
/// Where its payment pages are.
const CHECKOUT: &str = "https://checkout.stripe.com";

/// An account at Stripe.
#[derive(Clone, PartialEq, Eq)]
pub struct StripeAccess {
    /// `sk_…` or, with fewer rights, `rk_…`.
    pub secret_key: String,
    /// `whsec_…`: webhooks signed with any of them are believed.
    pub webhook_secrets: Vec<String>,
    /// An origin without a trailing slash.
    pub api_base: Arc<str>,
}

impl StripeAccess {
    /// Checks the three values as they were written.
    pub fn checked(key: Option<String>, webhook_secret: Option<String>, api_base: Option<String>) -> anyhow::Result<Self> {
        let printable = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
        let Some(secret_key) = key.filter(|key| (key.starts_with("sk_") || key.starts_with("rk_")) && printable(key)) else {
            bail!("NEXTGEN_PAYMENTS is stripe: set STRIPE_SECRET_KEY to a secret key of your account, which begins with sk_ or rk_");
        };
        let webhook_secrets: Vec<String> =
            webhook_secret.iter().flat_map(|all| all.split(',')).map(|secret| secret.trim().to_owned()).filter(|secret| !secret.is_empty()).collect();
        if webhook_secrets.is_empty() || webhook_secrets.iter().any(|secret| !secret.starts_with("whsec_") || !printable(secret)) {
            bail!(
                "NEXTGEN_PAYMENTS is stripe: set STRIPE_WEBHOOK_SECRET to the signing secret of your webhook endpoint, which begins with whsec_; \
                 to two, separated by a comma, while one is replaced"
            );
        }
        let api_base = match api_base {
            Some(base) => public_origin("STRIPE_API_BASE", &base)?,
            None => API_BASE.into(),
        };
        // The key is worth money: it goes in the clear to this machine only.
        if api_base.starts_with("http://") && !["127.0.0.1", "localhost", "[::1]"].iter().any(|host| is_host(&api_base, host)) {
            bail!("STRIPE_API_BASE is {api_base:?}: set it to an https:// origin, or to one on this machine");
        }
        Ok(Self { secret_key, webhook_secrets, api_base })
    }

    /// The origin to which shoppers are sent. A stand-in for the API serves its pages itself.
    pub fn checkout_origin(&self) -> &str {
        if &*self.api_base == API_BASE { CHECKOUT } else { &self.api_base }
    }
}

fn is_host(origin: &str, host: &str) -> bool {
    let rest = origin.strip_prefix("http://").and_then(|rest| rest.strip_prefix(host));
    rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
}

/// Secrets stay out of logs.
impl fmt::Debug for StripeAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StripeAccess").field("api_base", &self.api_base).finish_non_exhaustive()
    }
}
