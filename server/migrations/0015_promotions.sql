-- Promotions are versioned rows: of each the one with the latest valid_from that has begun is in force. When the promotion itself holds stands in
-- its body.
CREATE TABLE promotions (
  id TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  -- JSON of domain::promotion::Promotion
  body TEXT NOT NULL,
  -- When this version's promotion ends, as in its body; NULL while nobody knows
  ends_at BIGINT,
  PRIMARY KEY (id, valid_from)
);
CREATE INDEX promotions_by_end ON promotions (ends_at);
