//! What an edge decides, without any I/O: templates with holes, freshness, keys. Used by the origin too.
