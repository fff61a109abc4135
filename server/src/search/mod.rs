//! Computed lists: search, filters and sorting over an index that is rebuilt from the catalogue.
