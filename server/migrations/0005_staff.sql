-- Staff: accounts made on the command line, their sessions, and the log of what they changed. And what staff find a variant by.

CREATE TABLE staff (
  id TEXT PRIMARY KEY,
  -- Normalised. An account of the house, not of a customer: it is not encrypted, so that it can be listed.
  email TEXT NOT NULL UNIQUE,
  -- argon2id as a PHC string: parameters, salt and hash
  password_hash TEXT NOT NULL,
  -- 1: it was made by the shop; its owner chooses another before anything else
  password_is_temporary BIGINT NOT NULL,
  -- Words separated by spaces: 'viewer', 'support', 'warehouse', 'admin'
  roles TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  -- NULL: may sign in
  disabled_at BIGINT
);

CREATE TABLE staff_sessions (
  -- SHA-256 of the token in the cookie, in hex: what is stored opens nothing
  token_hash TEXT PRIMARY KEY,
  staff_id TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  -- When it was last used, to the minute
  seen_at BIGINT NOT NULL
);
CREATE INDEX staff_sessions_by_staff ON staff_sessions (staff_id);

-- Append-only: who changed what, written in the transaction of the change. No personal data of customers in clear.
CREATE TABLE audit_log (
  -- UUIDv7: the order of the log
  id TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  -- 'staff:<id>', or 'command line'
  actor TEXT NOT NULL,
  -- 'stock receipt', 'order cancelled' …
  action TEXT NOT NULL,
  -- 'variant:<id>', 'order:<id>', 'staff:<id>'
  subject TEXT NOT NULL,
  -- JSON, or NULL where there was nothing before or is nothing after
  before TEXT,
  after TEXT
);
CREATE INDEX audit_log_by_subject ON audit_log (subject, id);
CREATE INDEX audit_log_by_actor ON audit_log (actor, id);

-- What staff find products and variants by: SKU, barcode, and the title from each of its words on, in lower case. Bytes, because databases
-- order text each in their own way and a prefix is a range.
CREATE TABLE catalog_terms (
  term BYTEA NOT NULL,
  product_id TEXT NOT NULL,
  -- '': the product, by its title
  variant_id TEXT NOT NULL,
  PRIMARY KEY (term, product_id, variant_id)
);
CREATE INDEX catalog_terms_by_product ON catalog_terms (product_id, variant_id);

-- What is sold of a variant and has not left the house yet.
CREATE INDEX holds_by_variant ON holds (variant_id, state);
