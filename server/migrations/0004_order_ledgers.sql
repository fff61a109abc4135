-- What follows a payment: cancellations, fulfilments, returns, disputes, and the story of an order.

-- What the line costs of the total, after discounts and with taxes; NULL in orders from before: the line's total.
ALTER TABLE order_lines ADD COLUMN paid_minor BIGINT;
-- The return whose pieces this line replaces
ALTER TABLE order_lines ADD COLUMN replaces TEXT;
-- What delivery costs of the total, with taxes; NULL in orders from before: what the lines leave
ALTER TABLE orders ADD COLUMN delivery_minor BIGINT;
-- Copies of what is derived, for lists only. Progress: '' or the word of domain::order::Progress.
ALTER TABLE orders ADD COLUMN progress TEXT NOT NULL DEFAULT '';
-- The most urgent of domain::order::Attention, or ''
ALTER TABLE orders ADD COLUMN attention TEXT NOT NULL DEFAULT '';

CREATE TABLE cancellations (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  -- JSON of domain::order::Cancellation
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL
);
CREATE INDEX cancellations_by_order ON cancellations (order_id);

CREATE TABLE fulfilments (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  location TEXT NOT NULL,
  -- 'packing', 'shipped', 'delivered'
  state TEXT NOT NULL,
  -- JSON of domain::order::Fulfilment
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX fulfilments_by_order ON fulfilments (order_id);
CREATE INDEX fulfilments_by_state ON fulfilments (state, updated_at);

-- Copies of the parcels' numbers, to find an order by one. Normalised: capitals and digits only.
CREATE TABLE parcels (
  fulfilment_id TEXT NOT NULL,
  position BIGINT NOT NULL,
  order_id TEXT NOT NULL,
  tracking TEXT NOT NULL,
  PRIMARY KEY (fulfilment_id, position)
);
CREATE INDEX parcels_by_tracking ON parcels (tracking);

CREATE TABLE returns (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  -- 'requested', 'received', 'refused', 'cancelled'
  state TEXT NOT NULL,
  -- JSON of domain::order::Return
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL
);
CREATE INDEX returns_by_order ON returns (order_id);
CREATE INDEX returns_by_state ON returns (state, created_at, id);

CREATE TABLE disputes (
  provider TEXT NOT NULL,
  -- The provider's id
  reference TEXT NOT NULL,
  order_id TEXT NOT NULL,
  payment_id TEXT NOT NULL,
  -- 'open', 'under_review', 'won', 'lost'
  state TEXT NOT NULL,
  -- JSON of domain::dispute::Dispute
  body TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (provider, reference)
);
CREATE INDEX disputes_by_order ON disputes (order_id);
CREATE INDEX disputes_by_state ON disputes (state, created_at);

-- Append-only: what happened to an order, and who did it. Written with the change itself.
CREATE TABLE order_story (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  at BIGINT NOT NULL,
  -- 'shop', 'shopper', 'provider', 'staff:<id>'
  actor TEXT NOT NULL,
  -- JSON of orders::story::Happened
  what TEXT NOT NULL
);
CREATE INDEX order_story_by_order ON order_story (order_id, at, id);
CREATE INDEX orders_by_attention ON orders (attention, placed_at, id);
