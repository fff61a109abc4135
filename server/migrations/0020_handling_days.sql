-- Business days that a variant needs before it leaves, beside those of its location: what is made or engraved to order.
ALTER TABLE variants ADD COLUMN handling_days BIGINT NOT NULL DEFAULT 0;
