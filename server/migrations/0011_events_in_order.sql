-- The order of an aggregate's events is theirs alone: the next one takes a place behind the last, and waits for those that wait before it.
CREATE INDEX outbox_of_aggregate ON outbox (aggregate, sequence);
CREATE INDEX outbox_waiting_of_aggregate ON outbox (aggregate, sequence) WHERE delivered_at IS NULL;
DROP INDEX outbox_by_aggregate;
