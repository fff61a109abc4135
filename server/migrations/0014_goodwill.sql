-- Why staff sent money back although nothing came back: the word of domain::refund::GoodwillReason. NULL in other refunds, and in those from before.
ALTER TABLE refunds ADD COLUMN goodwill TEXT;
