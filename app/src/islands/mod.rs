//! The only code that ships to shoppers. Each island makes a form or a list that already works a little nicer; each file says what
//! it costs. No formatting, no JSON, no server functions: those are what makes Wasm large.
