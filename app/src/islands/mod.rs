//! The only code that ships to shoppers. Each island makes a form or a list that already works a little nicer; each file says what
//! it costs. No formatting, no JSON, no server functions: those are what makes Wasm large.

mod add_to_cart;
mod gallery;
mod variant_picker;

pub use add_to_cart::AddToCart;
pub use gallery::Gallery;
pub use variant_picker::VariantPicker;
