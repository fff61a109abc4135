//! Canadian French, where it differs.

use super::{Till, fr::FR};

pub const FR_CA: Till = Till {
    email: "Courriel",
    err_email: "Une adresse courriel s’écrit comme ceci : nom@example.com.",
    delivery_method: "Méthode de livraison",
    full_name: "Nom complet",
    line2: "Appartement, bureau",
    company: "Entreprise",
    ..FR
};
