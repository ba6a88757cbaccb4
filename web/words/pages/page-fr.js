// The French texts of index.html, by their `data-text`. Those of the element are in words/fr.js.

/** @type {Record<string, string>} */
export const FR = {
  tagline: 'Les expressions du visage, lues en direct',
  privacy: 'Vie privée',
  'token-label': 'Ce serveur laisse entrer qui a un jeton. Collez le vôtre :',
  'token-use': 'L’utiliser',
  'sent-title': 'Ce qui est envoyé',
  sent: 'Tant que vous êtes en direct, l’image de votre caméra, sans le son, par une connexion chiffrée, au serveur de cette page et à personne '
    + 'd’autre. La pause arrête l’envoi. Arrêter éteint la caméra.',
  'inferred-title': 'Ce qui est déduit',
  inferred: 'Pour chaque visage en vue, la vraisemblance de quelques expressions. C’est une conjecture sur l’air d’un visage, souvent fausse, qui ne dit '
    + 'rien de certain de ce qu’une personne ressent, pense ou veut. Là où le réseau hésite, la page le dit.',
  'kept-title': 'Ce qui est gardé',
  kept: 'Aucune image : chacune est oubliée dès qu’elle est analysée. Personne n’est reconnu. Les lectures ne vont qu’à votre navigateur, et à qui vous donnez '
    + 'l’identifiant de votre session ; il les oublie avec la page.',
  others: 'Les autres personnes dans l’image sont lues aussi : demandez-leur d’abord.',
  selftest: 'Test de connexion',
};
