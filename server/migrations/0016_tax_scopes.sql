-- What of an amount a tax rate counts for, and where the shop collects.

-- '': all of it. 'below': pieces that cost less than limit_minor. 'above': what each piece costs beyond it. 'as_goods': delivery that shares the
-- goods' rates in proportion. 'if_any': delivery that bears the general rate as soon as one taxed thing comes with it.
ALTER TABLE tax_rates ADD COLUMN scope TEXT NOT NULL DEFAULT '';
ALTER TABLE tax_rates ADD COLUMN limit_minor BIGINT;

-- Whether the shop collects a country's or a region's taxes: versioned rows, the latest that has begun is in force. A place without one: it does.
CREATE TABLE tax_nexus (
  country TEXT NOT NULL,
  -- '': what the whole country levies
  region TEXT NOT NULL,
  valid_from BIGINT NOT NULL,
  -- 0: no nexus or no registration, so nothing is collected
  collects BIGINT NOT NULL,
  PRIMARY KEY (country, region, valid_from)
);
