-- Invoices and the credit notes that correct them: numbered without gaps, never changed.

-- Who sells in a market: versioned rows, the latest that has begun is in force.
CREATE TABLE legal_entities (
  market TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  -- domain::invoice::Seller as JSON
  body TEXT NOT NULL,
  PRIMARY KEY (market, valid_from)
);

-- How many numbers were drawn. A number is drawn in the transaction that writes its document, under this row: one that is rolled back was never drawn.
CREATE TABLE invoice_series (
  entity TEXT NOT NULL,
  -- 'DE'; of credit notes 'DE-C'
  series TEXT NOT NULL,
  -- Of issue, in the market's zone
  year BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  -- The last number drawn
  last BIGINT NOT NULL,
  PRIMARY KEY (entity, series, year, generation)
);

-- One row a restore from a backup: what was numbered after it was taken may be in somebody's hands, so numbers go on in a new generation.
-- No row: generation 0.
CREATE TABLE invoice_generations (
  generation BIGINT PRIMARY KEY,
  began_at BIGINT NOT NULL
);

-- Append-only.
CREATE TABLE invoices (
  id TEXT PRIMARY KEY,
  entity TEXT NOT NULL,
  series TEXT NOT NULL,
  year BIGINT NOT NULL,
  generation BIGINT NOT NULL,
  ordinal BIGINT NOT NULL,
  -- As it is written: 'DE-2026-000042'
  number TEXT NOT NULL,
  order_id TEXT NOT NULL,
  -- '': the invoice. A refund's id: the credit note for it
  cause TEXT NOT NULL,
  -- 'invoice', 'credit_note'
  kind TEXT NOT NULL,
  -- The id of the invoice that a credit note corrects
  corrects TEXT,
  issued_at BIGINT NOT NULL,
  currency TEXT NOT NULL,
  total_minor BIGINT NOT NULL,
  -- domain::invoice::Invoice as JSON; nothing personal
  body TEXT NOT NULL,
  -- domain::invoice::Buyer, sealed with the key of invoices, which no erasure destroys; NULL: the customer was erased before it was made
  buyer BYTEA,
  UNIQUE (order_id, cause),
  UNIQUE (entity, series, year, generation, ordinal)
);
CREATE UNIQUE INDEX invoices_number ON invoices (number);
