-- What waits for somebody in one market. Most orders wait for nothing and are left out.
CREATE INDEX orders_waiting_in_market ON orders (market, attention, placed_at, id) WHERE attention <> '';
