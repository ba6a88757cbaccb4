// The texts of the connection test. Addresses, numbers and messages of the server or the browser are inserted
// unchanged.

/** @type {Record<string, string>} by `data-text` of selftest.html */
export const PAGE_FR = {
  title: 'Test de connexion · Mindflow',
  heading: 'Test de connexion',
  lead: 'Ce test cherche par quels chemins ce navigateur atteint le serveur. Aucune caméra ne sert : une image dessinée est envoyée pendant quelques secondes.',
  'token-label': 'Ce serveur laisse entrer qui a un jeton. Collez le vôtre :',
  run: 'Lancer le test',
  operator: 'Pour qui exploite le serveur',
  names: 'Il nomme les adresses du serveur, aucune des vôtres.',
  copy: 'Copier',
  back: 'Retour à Mindflow',
};

export const EN = {
  checks: 'Checks',
  report: 'Report',
  again: 'Run it again',
  copy: 'Copy',
  copied: 'Copied',
  grades: { good: 'Works', fair: 'Works, but', bad: 'Fails', none: 'Not there', busy: 'Trying' },
  paths: { udp: 'Directly, by UDP', tcp: 'Directly, by TCP', relay: 'Through the relay (TURN)' },
  answers: 'The server answers',
  ready: (/** @type {number} */ ms) => `ready, after ${ms} ms`,
  noAnswer: 'no answer, or none that can be read: a proxy may stand in between',
  absent: 'This server does not offer it.',
  trying: 'Trying…',
  failed: (/** @type {string} */ tried) => `No connection. Tried ${tried}`,
  asked: (/** @type {number} */ sent, /** @type {number} */ answered) =>
    `; ${sent} packets asked, ${answered} were answered`,
  connected: (/** @type {number} */ ms, /** @type {string} */ pair) =>
    `Connected in ${ms} ms (${pair || 'unknown pair'})`,
  pair: (/** @type {string} */ from, /** @type {string} */ relay, /** @type {string} */ to,
    /** @type {string} */ protocol) =>
    `${from}${relay && ` over ${relay}`} to ${to}, ${protocol}`,
  trip: (/** @type {number} */ ms) => `, ${ms} ms there and back`,
  label: (/** @type {number} */ ms) => `; first label ${ms} ms later.`,
  noLabel: '; but no label came back.',
  errors: {
    full: 'The server is full, and the test needs a place for a moment', shutdown: 'The server is about to stop',
    unauthorized: 'The server asks for a token', unreachable: 'The server does not answer',
      other: 'The server does not accept the test',
  },
  verdict: {
    noLabels: {
      title: 'Connected, but no labels come back',
        why: 'The way is open, yet the server sent no label for the test picture.',
      steps: ['Try again in a minute: the server may be busy.',
        'Operator: the server’s log says what is wrong; mindflow doctor checks models and decoders.'],
    },
    udp: { title: 'It works, by UDP', why: 'That is the fastest way.', steps: [] },
    tcp: { title: 'It works, by TCP', why: 'UDP does not get through, so delays may be longer on a bad line.',
      steps: [] },
    relay: { title: 'It works, through the relay',
      why: 'UDP does not get through, so delays may be longer on a bad line.', steps: [] },
    notBegun: { title: 'The test could not begin', why: '', steps: ['Try again in a minute.'] },
    noToken: { title: 'The test could not begin', why: '', steps: ['Paste a token above, and run it again.'] },
    forbidden: {
      title: 'No way works',
        why: 'The browser gives no address to send from: an extension, a policy or a VPN forbids WebRTC.',
      steps: ['Allow WebRTC in the browser, or try another browser.'],
    },
    halfOpen: {
      title: 'No way works', why: 'The server was reached, but no encrypted connection came of it: something on the way lets only some packets through.',
      steps: ['Try another network, such as a phone’s hotspot.'],
    },
    silent: { title: 'No way works', why: 'What this browser sends to the server’s media port gets no answer.',
      steps: [] },
  },
  and: ' and ',
  inside: (/** @type {string} */ tried, /** @type {string} */ ports) => [
    `Operator: the server offers only addresses of its own network: ${tried}. Start it with --public-ip and the address that the world sees.`,
    `Operator: then let UDP port ${ports} in.`,
  ],
  closed: (/** @type {string} */ tried, /** @type {string} */ ports) => [
    `Operator: let UDP port ${ports} in, in the machine’s firewall and in the provider’s (security group); with containers publish it as UDP. Tried: ${tried}.`,
    'Visitor: this network may stop UDP. Try another one, such as a phone’s hotspot.',
  ],
};

/** @type {typeof EN} */
export const FR = {
  checks: 'Vérifications',
  report: 'Rapport',
  again: 'Relancer le test',
  copy: 'Copier',
  copied: 'Copié',
  grades: { good: 'Fonctionne', fair: 'Fonctionne, mais', bad: 'Échoue', none: 'Absent', busy: 'Essai' },
  paths: { udp: 'Directement, par UDP', tcp: 'Directement, par TCP', relay: 'Par le relais (TURN)' },
  answers: 'Le serveur répond',
  ready: (ms) => `prêt, après ${ms} ms`,
  noAnswer: 'aucune réponse, ou aucune qui se lise : un mandataire (proxy) est peut-être entre les deux',
  absent: 'Ce serveur ne l’offre pas.',
  trying: 'Essai…',
  failed: (tried) => `Pas de connexion. Essayé : ${tried}`,
  asked: (sent, answered) => ` ; ${sent} paquets envoyés, ${answered} réponses`,
  connected: (ms, pair) => `Connecté en ${ms} ms (${pair || 'paire inconnue'})`,
  pair: (from, relay, to, protocol) => `${from}${relay && ` par ${relay}`} vers ${to}, ${protocol}`,
  trip: (ms) => `, ${ms} ms aller-retour`,
  label: (ms) => ` ; première lecture ${ms} ms plus tard.`,
  noLabel: ' ; mais aucune lecture n’est revenue.',
  errors: {
    full: 'Le serveur est complet, et le test demande une place pour un instant', shutdown: 'Le serveur va s’arrêter',
    unauthorized: 'Le serveur demande un jeton', unreachable: 'Le serveur ne répond pas',
      other: 'Le serveur n’accepte pas le test',
  },
  verdict: {
    noLabels: {
      title: 'Connecté, mais aucune lecture ne revient',
        why: 'Le chemin est ouvert, mais le serveur n’a rien lu dans l’image du test.',
      steps: ['Réessayez dans une minute : le serveur est peut-être occupé.',
        'Exploitant : le journal du serveur dit ce qui ne va pas ; mindflow doctor vérifie modèles et décodeurs.'],
    },
    udp: { title: 'Cela marche, par UDP', why: 'C’est le chemin le plus rapide.', steps: [] },
    tcp: { title: 'Cela marche, par TCP',
      why: 'UDP ne passe pas : les délais peuvent être plus longs sur une mauvaise ligne.', steps: [] },
    relay: { title: 'Cela marche, par le relais',
      why: 'UDP ne passe pas : les délais peuvent être plus longs sur une mauvaise ligne.', steps: [] },
    notBegun: { title: 'Le test n’a pas pu commencer', why: '', steps: ['Réessayez dans une minute.'] },
    noToken: { title: 'Le test n’a pas pu commencer', why: '',
      steps: ['Collez un jeton ci-dessus, et relancez le test.'] },
    forbidden: {
      title: 'Aucun chemin ne marche',
        why: 'Le navigateur ne donne aucune adresse d’où envoyer : une extension, une règle ou un VPN interdit WebRTC.',
      steps: ['Autorisez WebRTC dans le navigateur, ou essayez-en un autre.'],
    },
    halfOpen: {
      title: 'Aucun chemin ne marche', why: 'Le serveur a été atteint, mais sans connexion chiffrée : quelque chose en route ne laisse passer que certains paquets.',
      steps: ['Essayez un autre réseau, comme le partage de connexion d’un téléphone.'],
    },
    silent: { title: 'Aucun chemin ne marche',
      why: 'Ce que ce navigateur envoie au port de média du serveur reste sans réponse.', steps: [] },
  },
  and: ' et ',
  inside: (tried, ports) => [
    `Exploitant : le serveur n’offre que des adresses de son propre réseau : ${tried}. Lancez-le avec --public-ip et l’adresse que voit le monde.`,
    `Exploitant : puis laissez entrer le port UDP ${ports}.`,
  ],
  closed: (tried, ports) => [
    `Exploitant : laissez entrer le port UDP ${ports}, au pare-feu de la machine et à celui de l’hébergeur (groupe de sécurité) ; avec des conteneurs, publiez-le en UDP. Essayé : ${tried}.`,
    'Visiteur : ce réseau arrête peut-être UDP. Essayez-en un autre, comme le partage de connexion d’un téléphone.',
  ],
};

/** @typedef {typeof EN} Texts */
