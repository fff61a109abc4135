//! An attempt's page at the provider: asked for, asked about, closed.

use super::{
    Heard, Orders,
    capsule::{self, Capsule},
    record::Record,
    request::OrderBody,
    store,
};
use crate::{
    failpoint, params,
    payments::{Attempt, NOBODY, ProviderError, SESSION_US, SessionLine, SessionRequest},
};
use anyhow::Context as _;
use domain::{
    OrderId, PaymentId,
    locale::Locale,
    order::Order,
    payment::{News, Payment, PaymentState},
};

impl Orders {
    /// Asks for an attempt's page, or what became of it. `Some`: its address, to send the shopper there.
    pub(super) async fn ask_for_page(&self, order: OrderId, payment: PaymentId) -> Result<Option<String>, ProviderError> {
        let (attempt, generation) = self.unsealed(order, payment).await.map_err(ProviderError::Unavailable)?;
        self.ask_for_page_of(payment, &attempt, generation).await
    }

    /// The same for whoever has just made the attempt, and knows all that is to be told.
    pub(super) async fn ask_for_page_of(&self, payment: PaymentId, attempt: &Capsule, generation: i64) -> Result<Option<String>, ProviderError> {
        let request = self.session_request(payment, attempt, generation).map_err(ProviderError::Unavailable)?;
        failpoint!("page-not-asked-for");
        let news = self.provider.create_session(&request).await?;
        failpoint!("page-opened");
        self.let_in(attempt.order.id, payment, news).await.map_err(ProviderError::Unavailable)
    }

    /// Hears of a page that was asked for. An attempt that ended meanwhile (the cart was ordered anew in another tab, the hold lapsed) gets
    /// its page closed, and nobody is sent there.
    async fn let_in(&self, order: OrderId, payment: PaymentId, news: News) -> anyhow::Result<Option<String>> {
        let url = if let News::Open { redirect_url, .. } = &news { Some(redirect_url.clone()) } else { None };
        let heard = self.hear(payment, news).await?;
        let Some(url) = url else { return Ok(None) };
        let known = match heard {
            Heard::New(order) => *order,
            Heard::Known | Heard::Unknown => store::load(&self.db, order).await?.context("an order")?,
        };
        let attempt = known.payments.iter().find(|known| known.id == payment).context("its attempt")?;
        match attempt.state {
            PaymentState::Open { .. } => Ok(Some(url)),
            PaymentState::Failed { .. } | PaymentState::Closed { .. } => {
                let news = self.provider.close_session(&self.at_provider(payment).await?).await?;
                self.hear(payment, news).await?;
                Ok(None)
            }
            PaymentState::Created | PaymentState::Pending | PaymentState::Captured { .. } => Ok(None),
        }
    }

    /// Closes every page of an order on which money could still come, and hears what they had become. `false`: the provider does not answer,
    /// or money is under way.
    pub(super) async fn close_pages(&self, order: &Order) -> anyhow::Result<bool> {
        let mut all_closed = true;
        for payment in order.payments.iter().filter(|payment| payment.state.is_live()) {
            match self.close_page(payment.id).await {
                Ok(news) => {
                    all_closed &= !matches!(news, News::Open { .. } | News::Pending { .. });
                    self.hear(payment.id, news).await?;
                }
                Err(error) => {
                    tracing::warn!(payment = %payment.id, error = format!("{error:#}"), "a payment page could not be closed");
                    all_closed = false;
                }
            }
        }
        Ok(all_closed)
    }

    pub(super) async fn close_page(&self, payment: PaymentId) -> anyhow::Result<News> {
        Ok(self.provider.close_session(&self.at_provider(payment).await?).await?)
    }

    /// Asks the provider about a payment that may have become something; what it says is heard.
    pub(super) async fn ask(&self, payment: &Payment) -> anyhow::Result<()> {
        if let Some(news) = self.provider.session(&self.at_provider(payment.id).await?).await? {
            self.hear(payment.id, news).await?;
        }
        Ok(())
    }

    /// A payment as its provider can find it. One that is at a provider that this shop does not use any more cannot be asked about.
    pub(super) async fn at_provider(&self, payment: PaymentId) -> anyhow::Result<Attempt> {
        let row = self.db.first("SELECT provider, provider_session, created_at FROM payments WHERE id = $1", params![payment]).await?;
        let row = row.context("a payment")?;
        let (at, ours) = (row.text("provider")?, self.provider.name());
        anyhow::ensure!(at == ours || ours == NOBODY || at == NOBODY, "payment {payment} is at {at}, and this shop uses {ours}: settle it with {at}");
        Ok(Attempt { payment, session: row.text_or_null("provider_session")?, created_at: row.int("created_at")? })
    }

    /// What the provider is told: the same each time for the same attempt.
    fn session_request(&self, payment: PaymentId, attempt: &Capsule, generation: i64) -> anyhow::Result<SessionRequest> {
        let Record { id, number, locale, body, personal, .. } = &attempt.order;
        let url = format!("{}/{locale}/orders/{}", self.origin, self.secret(*id, generation));
        Ok(SessionRequest {
            payment,
            number: number.clone(),
            amount: attempt.amount,
            lines: lines(body, *locale),
            email: personal.as_ref().map(|personal| personal.contact.email.as_str().to_owned()),
            locale: locale.to_string(),
            success_url: url.clone(),
            cancel_url: url,
            expires_at: attempt.attempted_at + SESSION_US,
            capsule: Some(capsule::seal(&self.keys, payment, attempt)?),
        })
    }
}

/// What is paid for: each line with what of the total it costs, so that reductions and taxes are in it, and delivery at last. What costs
/// nothing is left out; an order from before that was known is not listed by lines.
fn lines(body: &OrderBody, locale: Locale) -> Vec<SessionLine> {
    let goods = body.texts.iter().zip(&body.quote.lines).map(|(text, line)| {
        let title: Vec<&str> = std::iter::once(&text.title).chain(&text.options).map(String::as_str).collect();
        (title.join(" · "), line.quantity.get())
    });
    let delivery = (body.method.name(locale.text_language()).to_owned(), 1);
    goods
        .chain([delivery])
        .zip(&body.paid)
        .filter(|(_, amount)| !amount.is_zero())
        .map(|((title, quantity), amount)| SessionLine { title, quantity, amount: *amount })
        .collect()
}
