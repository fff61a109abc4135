-- Prices that begin and end by themselves.

-- 'list': the list price, with no end of its own. 'override': from one instant to another, before any list price
ALTER TABLE prices ADD COLUMN kind TEXT NOT NULL DEFAULT 'list';

-- Whether this price was shown as a reduction: what the seller said it cost before, NULL where nothing was said
ALTER TABLE price_history ADD COLUMN compare_at_minor BIGINT;

-- Instants at which a price begins or ends by itself, until somebody has written the history and told of it
CREATE TABLE price_instants (
  at BIGINT NOT NULL,
  variant_id TEXT NOT NULL,
  price_list TEXT NOT NULL,
  PRIMARY KEY (at, variant_id, price_list)
);
CREATE INDEX price_instants_by_variant ON price_instants (variant_id, price_list);
