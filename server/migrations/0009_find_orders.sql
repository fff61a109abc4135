-- What staff find orders by. Lists are turned by key, so each has an index in its own order.

-- Phone numbers and postcodes of an order as keyed hashes: the database alone tells nobody's. (Email addresses are orders.subject.)
CREATE TABLE order_tokens (
  -- 'phone', 'postcode'
  kind TEXT NOT NULL,
  hash TEXT NOT NULL,
  -- The order's, so that hits are read newest first
  placed_at BIGINT NOT NULL,
  order_id TEXT NOT NULL,
  PRIMARY KEY (kind, hash, placed_at, order_id)
);
CREATE INDEX order_tokens_by_order ON order_tokens (order_id);

CREATE INDEX orders_by_subject ON orders (subject, placed_at, id);

-- A list of any market, any state and any time is put together from walks of this one.
CREATE INDEX orders_by_state ON orders (market, status, progress, placed_at, id);

-- Orders of a variant, newest first: ids of orders grow with time. Takes the place of the index on the variant alone.
CREATE INDEX order_lines_of_variant ON order_lines (variant_id, order_id);
DROP INDEX order_lines_by_variant;
