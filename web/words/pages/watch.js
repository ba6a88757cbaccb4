// The texts of the page /watch/ID.

/** @type {Record<string, string>} by `data-text` of watch.html */
export const PAGE_FR = {
  title: 'Suivre une session · Mindflow',
  tagline: 'Les lectures d’une session, sans son image',
  'token-label': 'Ce serveur demande un jeton. Collez celui de la session :',
  'token-use': 'Suivre',
};

export const EN = {
  live: 'Live',
  waiting: 'The connection broke; it is tried again.',
  none: 'There is no such session, or it belongs to another token.',
  noneNext: 'Ask whoever shares it for its address as it is now: each start makes another.',
  ended: 'The session has ended.',
  /** By the reason of the server's bye (PROTOCOL.md, section 4). @type {Record<string, string>} */
  why: {
    deleted: 'It was stopped.', closed: 'Its page was closed.', failed: 'Its connection broke.',
      idle: 'It was paused for too long.',
    'no-media': 'No picture came any more.', time: 'It lasted as long as a session may.',
      replaced: 'It goes on under another address.',
    shutdown: 'The server is restarting.',
  },
};

/** @type {typeof EN} */
export const FR = {
  live: 'En direct',
  waiting: 'La liaison s’est rompue ; nouvel essai.',
  none: 'Cette session n’existe pas, ou appartient à un autre jeton.',
  noneNext: 'Demandez à qui la partage son adresse du moment : chaque départ en donne une autre.',
  ended: 'La session est terminée.',
  why: {
    deleted: 'Elle a été arrêtée.', closed: 'Sa page a été fermée.', failed: 'Sa connexion s’est rompue.',
      idle: 'Elle est restée trop longtemps en pause.',
    'no-media': 'Plus aucune image n’arrivait.', time: 'Elle a duré aussi longtemps qu’une session le peut.',
      replaced: 'Elle continue à une autre adresse.',
    shutdown: 'Le serveur redémarre.',
  },
};
