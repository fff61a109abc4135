//! Canadian French, where it differs.

use super::{Follow, fr::FR};

pub const FR_CA: Follow = Follow {
    placed_kept: "Les articles vous sont réservés. Dès réception de votre paiement, nous le confirmerons par courriel et préparerons votre colis.",
    refunded_next: "Selon votre institution financière, quelques jours ouvrables peuvent s’écouler avant que la somme n’apparaisse dans votre compte.",
    link_text: "Voici le lien vers votre commande. Les liens des courriels précédents peuvent ne plus fonctionner.",
    why_mail: "Vous recevez ce message parce que la commande {number} a été passée dans notre boutique avec cette adresse courriel. Il a été envoyé automatiquement.",
    find_text: "Indiquez le numéro de commande et l’adresse courriel utilisée pour commander. Nous vous enverrons un lien vers la commande.",
    find_number_hint: "Il ressemble à NG-7K2M-Q4XD et figure dans chaque courriel au sujet de la commande.",
    find_postcode_hint: "Avec le code postal de l’adresse de livraison, la commande s’ouvre aussitôt, même si notre courriel ne vous est pas parvenu.",
    find_sent: "Si le numéro de commande et l’adresse courriel correspondent, nous vous avons envoyé un lien. Cela peut prendre quelques minutes; pensez à vérifier les courriers indésirables.",
    renew_text: "Quelqu’un d’autre a-t-il vu l’adresse de cette page? Avec un nouveau lien, l’actuel ne fonctionnera plus. Nous vous l’enverrons aussi par courriel.",
    text_partly: "{count} articles sur {total} ont quitté notre entrepôt. Le reste suit séparément; nous vous écrirons dès son départ.",
    refund_going: "Remboursement de {amount} : en cours. Votre banque peut demander quelques jours ouvrables.",
    ..FR
};
