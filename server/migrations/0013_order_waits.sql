-- What orders wait for, one row a kind: an order that is partly sent and partly coming back stands in both lists. orders.attention knows the most
-- urgent kind alone; it and its indexes stay for servers of the release before, which write and read nothing else. What they write, and what was
-- there before this table, is written here by whoever runs this release (orders/waits.rs).
CREATE TABLE order_waits (
  order_id TEXT NOT NULL,
  -- The word of domain::order::Attention
  kind TEXT NOT NULL,
  market TEXT NOT NULL,
  -- Its place in the list, in microseconds: when evidence is due, otherwise when the order was placed
  turn_at BIGINT NOT NULL,
  -- When evidence is due
  due_at BIGINT,
  -- orders.updated_at of when this was written
  as_of BIGINT NOT NULL,
  PRIMARY KEY (order_id, kind)
);
CREATE INDEX order_waits_by_kind ON order_waits (kind, turn_at, order_id);
CREATE INDEX order_waits_by_market ON order_waits (market, kind, turn_at, order_id);
