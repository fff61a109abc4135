//! Blocks of pages that marketing edits: one file a block.
