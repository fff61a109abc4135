-- Segments of customers, for promotions: who is in which, by the keyed hash that orders have. Nobody reads an address here.
CREATE TABLE customer_segments (
  subject TEXT NOT NULL,
  -- Its name: 'vip'
  segment TEXT NOT NULL,
  added_at BIGINT NOT NULL,
  PRIMARY KEY (subject, segment)
);
CREATE INDEX customer_segments_by_name ON customer_segments (segment);
