//! Both ends of the payment port: the test provider, and Stripe's adapter against a stand-in that holds it to Stripe's published API
//! description. The same stories are told to both.

mod contract;
mod contract_money;
mod contract_weather;
mod ends;
mod stripe_only;
