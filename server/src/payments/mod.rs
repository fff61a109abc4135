//! The payment port and its providers. Card data never comes here.
