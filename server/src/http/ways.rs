//! The delivery methods of a market as they are for one cart and one place: what each costs there, when it comes, or why it does not take the parcel.

use crate::{
    Shop,
    catalog::stock::Leaving,
    http::{basket::Basket, errors::Failure},
    tariffs,
};
use app::{
    i18n::{filled, till},
    ports::View,
    private::{checkout::Offered, weight},
};
use domain::{
    delivery::{Method, NotOffered, Place, Promise},
    market::Country,
    money::Money,
    offer::Instant,
    pricing,
};

/// A market's methods for one parcel, in the order in which they are offered.
#[derive(Debug)]
pub struct Ways {
    /// Each as the table has it, and as it is here.
    methods: Vec<(Method, Result<Method, NotOffered>)>,
    leaving: Leaving,
    grams: u64,
    to: Country,
    now: Instant,
}

impl Ways {
    /// As of a view, for what counts of a basket.
    pub async fn read(shop: &Shop, view: &View, basket: &Basket, place: Place<'_>) -> Result<Self, Failure> {
        let methods = tariffs::methods(&shop.db, view.market.code, view.now).await?;
        let leaving = Leaving::read(&shop.db, &view.market, &basket.pieces(), &methods, view.now).await?;
        let grams = pricing::grams(&basket.wanted());
        let here = |method: Method| {
            let here = method.to(place, grams);
            (method, here)
        };
        Ok(Self { methods: methods.into_iter().map(here).collect(), leaving, grams, to: place.country, now: view.now })
    }

    /// The first method that takes the parcel.
    pub fn first(&self) -> Option<&Method> {
        self.methods.iter().find_map(|(_, here)| here.as_ref().ok())
    }

    /// A method as it is here; `None`: there is none of this code, or it does not take the parcel.
    pub fn find(&self, code: &str) -> Option<&Method> {
        self.methods.iter().find(|(method, _)| method.code == code)?.1.as_ref().ok()
    }

    /// When everything should arrive by a method; `None`: something is on back-order.
    pub fn promised(&self, here: &Method) -> Option<Promise> {
        self.leaving.promised(here, self.to, self.now)
    }

    /// Whether other places cost or take something else by one of the methods.
    pub fn has_zones(&self) -> bool {
        self.methods.iter().any(|(method, _)| !method.zones.is_empty())
    }

    /// Why a method does not take the parcel, and what to do: a sentence.
    pub fn refusal(&self, code: &str, view: &View) -> Option<String> {
        let (method, here) = self.methods.iter().find(|(method, _)| method.code == code)?;
        Some(refusal(here.as_ref().err()?, method, view))
    }

    /// Why none takes the parcel.
    pub fn none(&self, view: &View) -> Option<String> {
        if self.first().is_some() { None } else { self.methods.first().and_then(|(method, _)| self.refusal(&method.code, view)) }
    }

    /// What a page shows of them.
    pub fn offered(&self, goods: Money, view: &View) -> Vec<Offered> {
        let offered = |(method, here): &(Method, Result<Method, NotOffered>)| match here {
            Ok(here) => Offered { method: here.clone(), charge: here.charge(goods, self.grams), promise: self.promised(here), refusal: None },
            Err(refused) => Offered { method: method.clone(), charge: method.price, promise: None, refusal: Some(refusal(refused, method, view)) },
        };
        self.methods.iter().map(offered).collect()
    }
}

/// Why a method does not take a parcel, and what to do.
fn refusal(refused: &NotOffered, method: &Method, view: &View) -> String {
    let messages = till(view.locale);
    let name = method.name(view.text());
    match refused {
        NotOffered::Closed { zone } => filled(messages.err_zone_closed, &[("method", name), ("zone", zone.name(view.text()))]),
        NotOffered::TooHeavy { grams, max_g } => {
            let (weight, max) = (weight(*grams, view.locale), weight(*max_g, view.locale));
            filled(messages.err_too_heavy, &[("method", name), ("weight", &weight), ("max", &max)])
        }
    }
}
