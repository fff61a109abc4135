-- Mails about orders, and the links that lead back to them.

-- One row a mail, written before anything is sent: one per order, kind and occasion. No personal data: a mail is written anew from its
-- order each time that it is sent.
CREATE TABLE mails (
  id TEXT PRIMARY KEY,
  order_id TEXT NOT NULL,
  -- 'placed', 'paid', 'shipped', 'delivered', 'refunded', 'cancelled', 'returned', 'link'
  kind TEXT NOT NULL,
  -- What makes it another mail of the same kind: the refund's or shipment's id, the id of whoever asked for it again; ''
  occasion TEXT NOT NULL,
  -- The payment, refund, shipment or return that it tells of; ''
  about TEXT NOT NULL,
  -- 'waiting', 'sent', 'given_up'
  state TEXT NOT NULL,
  attempts BIGINT NOT NULL,
  -- When it is sent (again)
  next_at BIGINT NOT NULL,
  -- Why the latest attempt failed, without addresses
  last_error TEXT,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  UNIQUE (order_id, kind, occasion)
);
CREATE INDEX mails_due ON mails (state, next_at);

-- The present link of an order. No row: the first one, made when the order was placed.
CREATE TABLE order_links (
  order_id TEXT PRIMARY KEY,
  -- Grows when the link is renewed; a part of what the secret is derived from
  generation BIGINT NOT NULL,
  made_at BIGINT NOT NULL,
  -- Wrong postcodes given with this link
  tries BIGINT NOT NULL,
  -- Postcodes given without a link, and on which day (since 1970, UTC): a new link does not begin this count anew
  finds BIGINT NOT NULL,
  finds_on BIGINT NOT NULL
);
