//! Events in, documents out: the projector, and the Storefront over the table that it writes.
