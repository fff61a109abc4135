-- What a provider took by its own word where that is not what was asked for, and whether (1) or not (0) somebody has looked into it.
ALTER TABLE payments ADD COLUMN odd_minor BIGINT;
ALTER TABLE payments ADD COLUMN odd_settled BIGINT NOT NULL DEFAULT 0;
