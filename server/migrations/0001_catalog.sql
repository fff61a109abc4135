-- Products, prices, stock and events: the truth that the read model is made from.
--
-- One text for SQLite, PostgreSQL, Aurora PostgreSQL and (with a rewrite of these files) Aurora DSQL: keys are UUIDv7 as text,
-- money is integer minor units, time is UTC microseconds as an integer, flags are 0 and 1. No triggers, no sequences, no foreign keys:
-- the code keeps references whole inside its transactions.

-- Small facts about this shop: 'demo' = '1', 'first_start' = microseconds.
CREATE TABLE shop_settings (
  name TEXT PRIMARY KEY,
  value TEXT NOT NULL
);

-- Markets are versioned rows: the one with the latest valid_from that has begun is in force.
CREATE TABLE markets (
  code TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  -- JSON of domain::market::Market
  body TEXT NOT NULL,
  position BIGINT NOT NULL,
  PRIMARY KEY (code, valid_from)
);

-- Categories, in the order of the navigation. Texts: {"en-us": …}.
CREATE TABLE categories (
  key TEXT PRIMARY KEY,
  position BIGINT NOT NULL,
  titles TEXT NOT NULL,
  descriptions TEXT NOT NULL,
  seo_titles TEXT NOT NULL,
  seo_descriptions TEXT NOT NULL,
  -- JSON of domain::catalog::Picture with alt per language, or NULL
  tile TEXT
);

-- Tags, with names where somebody gave them any: {"en-us": …}.
CREATE TABLE tags (
  key TEXT PRIMARY KEY,
  position BIGINT NOT NULL,
  titles TEXT NOT NULL,
  descriptions TEXT NOT NULL
);

CREATE TABLE products (
  id TEXT PRIMARY KEY,
  -- What an import recognises the product by. Not shown, not an address.
  handle TEXT NOT NULL UNIQUE,
  -- 'active', 'draft' or 'archived'; only active and published ones are shown
  status TEXT NOT NULL,
  published BIGINT NOT NULL,
  vendor TEXT NOT NULL,
  category TEXT,
  -- JSON array of keys
  tags TEXT NOT NULL,
  tax_category TEXT NOT NULL,
  hs_code TEXT NOT NULL,
  origin TEXT NOT NULL,
  -- The default order of lists: lower comes first
  position BIGINT NOT NULL,
  -- JSON: {"title": {"en-us": …}, "summary": …, "description_html": …, "details": {"en-us": […]}, "materials", "alt", "seo_title", "seo_description"}
  texts TEXT NOT NULL,
  -- JSON array of {"slug", "names": {…}, "values": [{"slug", "names": {…}, "hex"}]}
  options TEXT NOT NULL,
  -- JSON array of {"source", "width", "height", "value", "view", "alts": {…}, "named"}
  pictures TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);

-- Addresses with history: an old slug answers 301.
CREATE TABLE slugs (
  -- 'product', 'category', 'tag', 'page'
  kind TEXT NOT NULL,
  language TEXT NOT NULL,
  slug TEXT NOT NULL,
  target TEXT NOT NULL,
  -- 1: the address in use; 0: an earlier one
  is_current BIGINT NOT NULL,
  PRIMARY KEY (kind, language, slug)
);
CREATE INDEX slugs_by_target ON slugs (kind, target);

CREATE TABLE variants (
  id TEXT PRIMARY KEY,
  product_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  -- May be blank or doubled
  sku TEXT NOT NULL,
  barcode TEXT NOT NULL,
  -- JSON array: a value's slug for each option. Identity within the product.
  option_values TEXT NOT NULL,
  weight_g BIGINT NOT NULL,
  -- 0: stock is not counted, always available
  tracked BIGINT NOT NULL,
  -- 1: sold on although nothing is left (back-order)
  oversell BIGINT NOT NULL,
  -- 0: no longer offered; kept because orders name it
  active BIGINT NOT NULL,
  UNIQUE (product_id, option_values)
);
CREATE INDEX variants_by_sku ON variants (sku);

-- Prices in force by price list and window; an open window has valid_until NULL.
CREATE TABLE prices (
  id TEXT PRIMARY KEY,
  price_list TEXT NOT NULL,
  variant_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  -- What the seller says it cost before; shown only where the price history bears it out
  compare_at_minor BIGINT,
  valid_from BIGINT NOT NULL,
  valid_until BIGINT
);
CREATE INDEX prices_by_variant ON prices (variant_id, price_list);

-- Append-only: which price was displayed from when. Reference prices come from here and from nowhere else.
CREATE TABLE price_history (
  id TEXT PRIMARY KEY,
  price_list TEXT NOT NULL,
  variant_id TEXT NOT NULL,
  currency TEXT NOT NULL,
  amount_minor BIGINT NOT NULL,
  valid_from BIGINT NOT NULL,
  -- 'import', 'demo' (made up for the demo shop), 'operator', 'campaign'
  source TEXT NOT NULL
);
CREATE INDEX price_history_by_variant ON price_history (variant_id, price_list, valid_from);

-- What the stock ledger adds up to. free + held = on hand. Decided by conditional single-row updates.
CREATE TABLE stock_balances (
  variant_id TEXT NOT NULL,
  location TEXT NOT NULL,
  -- 0, or 1… for hot variants whose stock is spread over rows
  bucket BIGINT NOT NULL,
  free BIGINT NOT NULL,
  held BIGINT NOT NULL,
  PRIMARY KEY (variant_id, location, bucket)
);

-- Append-only. on_hand changes by receipt, adjustment, sale, return, damage; hold and release move between free and held.
CREATE TABLE stock_ledger (
  id TEXT PRIMARY KEY,
  variant_id TEXT NOT NULL,
  location TEXT NOT NULL,
  bucket BIGINT NOT NULL,
  -- 'receipt', 'adjustment', 'hold', 'release', 'sale', 'return', 'damage'
  kind TEXT NOT NULL,
  -- Always positive but for 'adjustment'
  quantity BIGINT NOT NULL,
  reason TEXT NOT NULL,
  -- The hold, order or import that caused it
  cause TEXT NOT NULL,
  at BIGINT NOT NULL
);
CREATE INDEX stock_ledger_by_variant ON stock_ledger (variant_id, at);

-- What the last import said, so that the next one applies the difference and sold pieces never come back.
CREATE TABLE imported_stock (
  variant_id TEXT NOT NULL,
  location TEXT NOT NULL,
  quantity BIGINT NOT NULL,
  PRIMARY KEY (variant_id, location)
);

-- Help pages and blocks pages: JSON in all languages.
CREATE TABLE pages (
  -- 'help' or 'page'
  kind TEXT NOT NULL,
  slug TEXT NOT NULL,
  position BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, slug)
);

-- Events, written in the transaction that caused them; delivered at least once, ordered within an aggregate.
CREATE TABLE outbox (
  id TEXT PRIMARY KEY,
  -- Grows within an aggregate
  sequence BIGINT NOT NULL,
  aggregate TEXT NOT NULL,
  -- JSON of domain::event::Event
  payload TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_at BIGINT NOT NULL,
  -- NULL until every consumer has had it
  delivered_at BIGINT,
  -- Failures so far, when to try again, and why it failed
  attempts BIGINT NOT NULL,
  retry_at BIGINT NOT NULL,
  last_error TEXT
);
CREATE INDEX outbox_waiting ON outbox (delivered_at, sequence);
