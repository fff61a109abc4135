-- The newsletter's list: who asked for it and who is on it, how each consent came about, and who left.

-- One row an address. The address is sealed with a key of its own, and the row goes with both when it leaves, is erased or was not confirmed
-- in time. Not the customer's key: whoever leaves the list keeps orders that can be read.
CREATE TABLE newsletter_subscriptions (
  -- UUIDv7, another one when the address comes back
  id TEXT PRIMARY KEY,
  -- Keyed hash of the address, another one than orders have: the tables alone do not say who bought what
  subject TEXT NOT NULL UNIQUE,
  -- 'asked', 'subscribed'
  state TEXT NOT NULL,
  wrapped_key BYTEA NOT NULL,
  sealed_email BYTEA NOT NULL,
  locale TEXT NOT NULL,
  -- Which text stood beside the form, and on which page
  consent TEXT NOT NULL,
  source TEXT NOT NULL,
  -- Until when it can be confirmed
  expires_at BIGINT NOT NULL,
  -- Mails that asked for it, and when the latest mail about the list was queued; NULL: none since it is on the list
  mails BIGINT NOT NULL,
  mailed_at BIGINT,
  confirmed_at BIGINT
);
CREATE INDEX newsletter_subscriptions_by_state ON newsletter_subscriptions (state, expires_at);

-- Append-only: the proof of each consent, without the address. Goes when the address is erased, when a sign-up was never confirmed, and
-- when claims about a consent that was taken back have lapsed.
CREATE TABLE newsletter_proofs (
  id TEXT PRIMARY KEY,
  subscription TEXT NOT NULL,
  subject TEXT NOT NULL,
  -- 'asked', 'confirmed', 'left'
  what TEXT NOT NULL,
  at BIGINT NOT NULL,
  locale TEXT NOT NULL,
  consent TEXT NOT NULL,
  source TEXT NOT NULL,
  -- Keyed hash of the network address that it was asked or confirmed from: nobody reads it, but one that is named can be compared. '' for 'left'
  client TEXT NOT NULL
);
CREATE INDEX newsletter_proofs_by_subscription ON newsletter_proofs (subscription, at);
CREATE INDEX newsletter_proofs_by_subject ON newsletter_proofs (subject);
CREATE INDEX newsletter_proofs_by_what ON newsletter_proofs (what, at);

-- Addresses that left, as keyed hashes: they are written to again only after they confirmed anew.
CREATE TABLE newsletter_left (
  subject TEXT PRIMARY KEY,
  at BIGINT NOT NULL
);
