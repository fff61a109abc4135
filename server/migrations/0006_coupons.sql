-- Coupons. What one gives and to whom is JSON; how often it was used is counted in rows that the order's transaction changes under a
-- condition, so that no crowd passes a cap. Only what has a cap is counted: a coupon for everybody has no hot row.

CREATE TABLE coupons (
  id TEXT PRIMARY KEY,
  -- JSON of domain::coupon::Coupon
  body TEXT NOT NULL,
  -- Uses by orders that stand or wait to be paid, where the coupon has a cap in all; else 0
  used BIGINT NOT NULL,
  -- When staff ended it; NULL while its own window counts
  ended_at BIGINT,
  created_at BIGINT NOT NULL
);
CREATE INDEX coupons_by_time ON coupons (created_at, id);

CREATE TABLE coupon_codes (
  -- What a code is found by: capitals and digits, what looks alike folded into one
  key TEXT PRIMARY KEY,
  -- As staff wrote it
  code TEXT NOT NULL,
  coupon_id TEXT NOT NULL,
  -- Where the coupon has a cap per code; else 0
  used BIGINT NOT NULL
);
CREATE INDEX coupon_codes_by_coupon ON coupon_codes (coupon_id, key);

-- Where the coupon has a cap per customer.
CREATE TABLE coupon_customers (
  coupon_id TEXT NOT NULL,
  -- Keyed hash of the mailbox; nothing that can be read
  customer TEXT NOT NULL,
  used BIGINT NOT NULL,
  PRIMARY KEY (coupon_id, customer)
);

-- Which order used which code: what gives a use back, and takes it again.
CREATE TABLE coupon_redemptions (
  order_id TEXT NOT NULL,
  coupon_id TEXT NOT NULL,
  code_key TEXT NOT NULL,
  customer TEXT NOT NULL,
  -- 'counted', 'returned'
  state TEXT NOT NULL,
  created_at BIGINT NOT NULL,
  updated_at BIGINT NOT NULL,
  PRIMARY KEY (order_id, coupon_id)
);
CREATE INDEX coupon_redemptions_by_coupon ON coupon_redemptions (coupon_id, state);
