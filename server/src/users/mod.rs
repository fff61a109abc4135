//! What belongs to a visitor and lives in the table: carts.
