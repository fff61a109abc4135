-- Orders and money. An order is ledgers; its status is derived from them and stored only as a copy for lists.

-- Personal data is encrypted with the order's customer key: destroying the key erases it.
CREATE TABLE customer_keys (
  -- Subject: keyed hash of the normalised email
  subject TEXT PRIMARY KEY,
  -- The data key, wrapped by the shop's master key; NULL once erased
  wrapped_key BYTEA,
  created_at BIGINT NOT NULL
);

CREATE TABLE orders (
  id TEXT PRIMARY KEY,
  -- Shown to people: NG-XXXX-XXXX, not guessable, not an invoice number
  number TEXT NOT NULL UNIQUE,
  -- Keyed hash of the secret in the order's link
  secret_hash TEXT NOT NULL UNIQUE,
  cart_id TEXT NOT NULL,
  cart_version BIGINT NOT NULL,
  -- 'cart:version' while this order stands for it, NULL once it was withdrawn: two tabs cannot make two orders of one cart
  cart_claim TEXT UNIQUE,
  -- Keyed hash of what was ordered: the same again is the same order, something else replaces it
  fingerprint TEXT NOT NULL,
  subject TEXT NOT NULL,
  market TEXT NOT NULL,
  locale TEXT NOT NULL,
  currency TEXT NOT NULL,
  total_minor BIGINT NOT NULL,
  -- JSON, frozen: lines with titles, options, offers, taxes; delivery; explained total
  body TEXT NOT NULL,
  -- Encrypted JSON: contact, addresses
  personal BYTEA NOT NULL,
  -- What became of the pieces: 'held', 'lapsed', 'sold', 'withdrawn'
  pieces TEXT NOT NULL,
  hold_until BIGINT NOT NULL,
  -- Copy of the derived status, for lists only
  status TEXT NOT NULL,
  placed_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX orders_by_time ON orders (placed_at, id);
CREATE INDEX orders_by_cart ON orders (cart_id);
CREATE INDEX orders_to_sweep ON orders (pieces, hold_until);

CREATE TABLE order_lines (
  order_id TEXT NOT NULL,
  line BIGINT NOT NULL,
  variant_id TEXT NOT NULL,
  product_id TEXT NOT NULL,
  quantity BIGINT NOT NULL,
  unit_minor BIGINT NOT NULL,
  total_minor BIGINT NOT NULL,
  PRIMARY KEY (order_id, line)
);
CREATE INDEX order_lines_by_variant ON order_lines (variant_id);

-- Pieces kept for an order: a row per variant, location and bucket. When they lapse is the order's hold_until.
CREATE TABLE holds (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  variant_id TEXT NOT NULL,
  product_id TEXT NOT NULL,
  location TEXT NOT NULL,
  bucket BIGINT NOT NULL,
  quantity BIGINT NOT NULL,
  -- 'held', 'sold', 'released'
  state TEXT NOT NULL
);
CREATE INDEX holds_by_order ON holds (order_id);

-- Attempts to pay; several an order.
CREATE TABLE payments (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  provider TEXT NOT NULL,
  -- The provider's session; NULL until it answered
  provider_session TEXT,
  -- Where the shopper pays
  redirect_url TEXT,
  -- 'created', 'open', 'pending', 'captured', 'failed', 'closed'
  state TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  -- Why it was declined
  reason TEXT,
  created_at BIGINT NOT NULL,
  -- When the provider was last asked, or said something
  updated_at BIGINT NOT NULL
);
CREATE INDEX payments_by_order ON payments (order_id);
CREATE INDEX payments_by_state ON payments (state, updated_at);

CREATE TABLE refunds (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  payment_id TEXT NOT NULL,
  -- 'requested', 'issued', 'failed'
  state TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  currency TEXT NOT NULL,
  reason TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  -- When the provider is asked (again)
  next_at BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX refunds_by_order ON refunds (order_id);
CREATE INDEX refunds_to_ask ON refunds (state, next_at);

-- Every webhook that was believed, with its effect in the same transaction; a second delivery finds its id here.
CREATE TABLE webhook_events (
  provider TEXT NOT NULL,
  event_id TEXT NOT NULL,
  received_at BIGINT NOT NULL,
  PRIMARY KEY (provider, event_id)
);

-- A request's key, its fingerprint and the answer that was given: a retry gets the same answer.
CREATE TABLE idempotency_keys (
  scope TEXT NOT NULL,
  key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  -- NULL while the first request is under way
  status BIGINT,
  location TEXT,
  body TEXT,
  created_at BIGINT NOT NULL,
  PRIMARY KEY (scope, key)
);

-- Rates are versioned rows: region '' is the whole country. Rates in millionths.
CREATE TABLE tax_rates (
  country TEXT NOT NULL,
  region TEXT NOT NULL,
  category TEXT NOT NULL,
  -- 'VAT', 'GST', 'QST', 'Sales tax' …
  name TEXT NOT NULL,
  rate_millionths BIGINT NOT NULL,
  -- 1: an estimate, said so to the shopper
  estimated BIGINT NOT NULL,
  source TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  PRIMARY KEY (country, region, category, name, valid_from)
);

-- Delivery methods are versioned rows.
CREATE TABLE delivery_methods (
  market TEXT NOT NULL,
  code TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  -- JSON of domain::delivery::Method
  body TEXT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (market, code, valid_from)
);
