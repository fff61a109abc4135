-- What comes before an event of the same aggregate, and whose address a slug is in any language: without these, a large import reads
-- all events and all slugs for each of its products.
CREATE INDEX outbox_by_aggregate ON outbox (aggregate, delivered_at, sequence);
CREATE INDEX slugs_by_slug ON slugs (kind, slug);
