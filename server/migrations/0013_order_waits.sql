-- What orders wait for, one row a kind: an order that is partly sent and partly coming back stands in both lists.
CREATE TABLE order_waits (
  order_id TEXT NOT NULL,
  -- The word of domain::order::Attention
  kind TEXT NOT NULL,
  market TEXT NOT NULL,
  -- Its place in the list, in microseconds: when evidence is due, otherwise when the order was placed
  turn_at BIGINT NOT NULL,
  -- When evidence is due
  due_at BIGINT,
  PRIMARY KEY (order_id, kind)
);
CREATE INDEX order_waits_by_kind ON order_waits (kind, turn_at, order_id);
CREATE INDEX order_waits_by_market ON order_waits (market, kind, turn_at, order_id);
-- orders.attention knows the most urgent kind alone; the others come with the order's next change. The column and its indexes stay for servers
-- of the release before, which write and read nothing else.
INSERT INTO order_waits (order_id, kind, market, turn_at) SELECT id, attention, market, placed_at FROM orders WHERE attention <> '';
