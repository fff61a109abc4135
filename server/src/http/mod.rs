//! The HTTP side of the origin: routes, forms, headers, errors to status. What the shop decides is decided elsewhere.
