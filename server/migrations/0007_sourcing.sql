-- Where orders are sent from, what is never sold online, and which variants' stock lies in several rows.

-- Stock locations are versioned rows: the one with the latest valid_from that has begun is in force. A location without one keeps nothing back.
CREATE TABLE stock_locations (
  code TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  -- For the staff: 'Rotterdam, Netherlands'
  name TEXT NOT NULL,
  -- Pieces of each variant that are never sold online from here
  safety BIGINT NOT NULL,
  PRIMARY KEY (code, valid_from)
);

-- The same for one variant at one location, versioned alike. NULL: as the location says.
CREATE TABLE safety_stock (
  variant_id TEXT NOT NULL,
  location TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  pieces BIGINT,
  PRIMARY KEY (variant_id, location, valid_from)
);

-- Hot variants: what is free of them at a location is spread over so many rows of stock_balances (its buckets), so that concurrent buyers do
-- not wait for one row.
CREATE TABLE stock_spreads (
  variant_id TEXT NOT NULL,
  location TEXT NOT NULL,
  product_id TEXT NOT NULL,
  buckets BIGINT NOT NULL,
  -- 1: somebody asked for it; 0: the shop did by itself, and gathers the stock when the variant has cooled down
  kept BIGINT NOT NULL,
  -- When it was last hot
  hot_at BIGINT NOT NULL,
  PRIMARY KEY (variant_id, location)
);
