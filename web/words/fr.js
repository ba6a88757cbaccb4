// The French texts of the element. A test compares their shape with en.js.

/** @type {import('./en.js').Texts} */
export const FR = {
  phases: {
    idle: { title: 'Voyez ce qu’un réseau lit sur un visage', cause: '', next: '', button: 'Activer la caméra' },
    asking: { title: 'Autorisez la caméra', cause: 'Votre navigateur demande la permission.',
      next: 'Choisissez « Autoriser ».' },
    connecting: { title: 'Connexion…', cause: 'La caméra est allumée.',
      next: 'Les premières lectures arrivent dans un instant.' },
    live: { title: 'En direct', cause: '', next: '' },
    paused: {
      title: 'En pause', cause: 'La caméra est allumée, mais aucune image ne quitte cet appareil.',
      next: 'Reprenez quand vous voulez, ou arrêtez pour éteindre la caméra.', button: 'Reprendre',
    },
    reconnecting: {
      title: 'Connexion perdue', cause: 'La liaison avec le serveur s’est rompue.',
      next: 'Gardez cette page ouverte : elle se reconnecte d’elle-même.', button: 'Essayer maintenant',
    },
    full: {
      title: 'Le serveur est complet', cause: 'Toutes les places sont prises en ce moment.',
      next: 'Gardez cette page ouverte : elle redemande d’elle-même.', button: 'Essayer maintenant',
    },
    stopped: { title: 'Arrêté', cause: 'La caméra est éteinte.', next: 'Recommencez quand vous voulez.',
      button: 'Activer la caméra' },
    failed: { title: 'Cela n’a pas marché', cause: '', next: '' },
  },

  supplied: {
    idle: { button: 'Commencer' },
    connecting: { cause: '' },
    paused: { cause: 'Aucune image ne quitte cet appareil.',
      next: 'Reprenez quand vous voulez, ou arrêtez pour finir.' },
    stopped: { cause: '', button: 'Commencer' },
  },

  failures: {
    insecure: {
      title: 'Cette page ne peut pas utiliser la caméra',
        cause: 'Les navigateurs ne donnent la caméra qu’aux pages en HTTPS.',
      next: 'Ouvrez cette adresse avec https://, ou sur le serveur même avec http://localhost.',
    },
    unsupported: {
      title: 'Ce navigateur n’a pas WebRTC', cause: 'Il ne peut pas envoyer de vidéo en direct.',
      next: 'Utilisez un Firefox, Chrome, Edge ou Safari à jour.',
    },
    'no-camera': {
      title: 'Aucune caméra trouvée', cause: 'Cet appareil n’en a pas, ou elle est désactivée.',
      next: 'Branchez une caméra, puis réessayez.', button: 'Réessayer',
    },
    denied: {
      title: 'La caméra n’est pas autorisée',
        cause: 'La permission a été refusée, ici ou dans les réglages du système.',
      next: 'Autorisez la caméra dans les réglages du site, à côté de l’adresse, puis réessayez.', button: 'Réessayer',
    },
    policy: {
      title: 'Cette page ne peut pas utiliser la caméra', cause: 'Son auteur ne lui a pas transmis la caméra.',
      next: 'Signalez à son auteur ce qui manque.',
    },
    busy: {
      title: 'La caméra est occupée', cause: 'Un autre programme ou onglet l’utilise.',
      next: 'Fermez ce qui l’utilise, puis réessayez.', button: 'Réessayer',
    },
    'camera-failed': {
      title: 'La caméra n’a pas démarré', cause: 'Le navigateur n’a pas pu l’ouvrir.',
      next: 'Débranchez-la et rebranchez-la, ou choisissez-en une autre.', button: 'Réessayer',
    },
    'camera-lost': {
      title: 'La caméra a disparu', cause: 'Elle a été débranchée, ou un autre programme l’a prise.',
      next: 'Rebranchez-la, puis recommencez.', button: 'Recommencer',
    },
    source: {
      title: 'Cette image ne peut pas être lue',
        cause: 'Ce n’est ni une image ni une vidéo, ou elle vient d’un autre site qui ne le permet pas.',
      next: 'Choisissez une autre image ou vidéo.', button: 'Activer la caméra',
    },
    format: {
      title: 'Ce navigateur ne peut pas lire le fichier',
        cause: 'Il n’a pas de décodeur pour ce format, ou le fichier est abîmé.',
      next: 'Convertissez-le en JPEG, PNG, WebM ou MP4 (H.264).',
        button: 'Activer la caméra',
    },
    unreachable: {
      title: 'Le serveur ne répond pas', cause: 'Il est arrêté, ou votre réseau ne l’atteint pas.',
      next: 'Vérifiez votre connexion, puis réessayez.', button: 'Réessayer',
    },
    full: { title: 'Le serveur est complet', cause: 'Il n’a pas de place pour vous maintenant.',
      next: 'Réessayez plus tard.', button: 'Réessayer' },
    unauthorized: {
      title: 'Ce serveur demande un jeton',
        cause: 'Cette page n’en montre pas, ou un jeton qui n’est pas ou plus valable ici.',
      next: 'Demandez-en un à qui gère cette page ou son serveur.', button: 'Réessayer',
    },
    refused: {
      title: 'Le serveur a dit non', cause: 'Il n’a pas accepté cette session.',
      next: 'Réessayez ; si rien ne change, dites-le à qui gère ce serveur.', button: 'Réessayer',
    },
    blocked: {
      title: 'La vidéo ne passe pas', cause: 'Le serveur répond, mais un pare-feu en chemin arrête la vidéo (UDP).',
      next: 'Essayez un autre réseau, comme le partage d’un téléphone. La page /selftest du serveur dit ce qui manque.',
        button: 'Réessayer',
    },
    lost: {
      title: 'Connexion perdue', cause: 'La liaison avec le serveur s’est rompue et n’est pas revenue.',
      next: 'Vérifiez votre connexion, puis recommencez.', button: 'Recommencer',
    },
    version: {
      title: 'Cette page n’est plus à jour', cause: 'La page et le serveur parlent des versions différentes.',
      next: 'Rechargez la page.',
    },
    idle: {
      title: 'En pause depuis trop longtemps',
        cause: 'Le serveur termine les sessions qui restent en pause plusieurs minutes, pour faire de la place.',
      next: 'Recommencez pour continuer.', button: 'Recommencer',
    },
    'no-media': {
      title: 'Aucune image n’est arrivée', cause: 'Le serveur n’a pas reçu de vidéo de votre caméra.',
      next: 'Vérifiez que la caméra montre une image, puis recommencez.', button: 'Recommencer',
    },
    shutdown: {
      title: 'Le serveur redémarre', cause: 'Il a pris congé de tout le monde.',
      next: 'Réessayez dans une minute.', button: 'Réessayer',
    },
    time: {
      title: 'Votre temps est écoulé',
        cause: 'Ici, les sessions se terminent après un moment, pour que d’autres trouvent une place.',
      next: 'Recommencez pour continuer, ou pour attendre votre tour.', button: 'Recommencer',
    },
    replaced: {
      title: 'La session a continué ailleurs',
        cause: 'Cette page a ouvert une autre connexion, et il n’y a qu’une place pour elle.',
      next: 'Recommencez pour l’avoir ici.', button: 'Recommencer',
    },
    'too-large': {
      title: 'L’image est trop grande', cause: 'Le serveur ne lit pas d’images de cette taille.',
      next: 'Choisissez une autre caméra ou une image plus petite, puis recommencez.', button: 'Recommencer',
    },
    internal: {
      title: 'Une panne du serveur', cause: 'C’est sa faute, non la vôtre, qui a terminé cette session.',
      next: 'Recommencez ; si cela persiste, dites-le à qui gère ce serveur.', button: 'Recommencer',
    },
    ended: { title: 'Le serveur a terminé la session', cause: 'Il avait ses raisons.',
      next: 'Recommencez pour continuer.', button: 'Recommencer' },
  },

  notice: (host, supplied) => [
    supplied ? `L’image va à ${host} par une connexion chiffrée, tant que vous êtes en direct.`
      : `L’image de votre caméra va à ${host} par une connexion chiffrée, tant que vous êtes en direct.`,
    'Un réseau de neurones devine l’expression de chaque visage. C’est l’air d’un visage, non ce qu’une personne ressent.',
    'Aucune image n’est gardée.',
  ],

  queue: (ahead, count) =>
    (ahead === 0 ? 'Vous êtes le prochain.' : ahead === 1 ? 'Une personne passe avant vous.'
      : `${count} personnes passent avant vous.`),
  queueNext: 'Gardez cette page ouverte : elle entre d’elle-même. La caméra est allumée, mais aucune image ne quitte cet appareil ; Arrêter rend votre place.',

  advice: {
    'no-face': 'Aucun visage en vue. Placez-vous dans l’image ; une lumière de face aide.',
    muted: 'La caméra ne donne pas d’image. Est-elle couverte, ou utilisée ailleurs ?',
    silent: 'En attente de lectures. Le serveur est peut-être occupé.',
    dark: 'Aucun visage trouvé : l’image est très sombre. Allumez une lumière, ou faites face à une fenêtre.',
    bright: 'Aucun visage trouvé : l’image est surexposée. Détournez-vous de la lumière vive.',
    blurred: 'Aucun visage trouvé : l’image est floue. Essuyez l’objectif, ne bougez pas, ou laissez la caméra faire le point.',
    'face-far': 'Le visage est petit dans l’image, la lecture n’est pas sûre. Approchez-vous.',
    'face-dark': 'Le visage est sombre, la lecture n’est pas sûre. Une lumière de face aide.',
    'face-blurred': 'Le visage est flou, la lecture n’est pas sûre. Ne bougez pas, ou laissez la caméra faire le point.',
    'face-turned': 'Le visage est tourné ou en partie caché, la lecture n’est pas sûre. Regardez la caméra.',
  },

  expressions: {
    neutral: 'Neutre', happy: 'Joie', sad: 'Tristesse', surprise: 'Surprise', fear: 'Peur', disgust: 'Dégoût',
      anger: 'Colère', contempt: 'Mépris',
  },

  text: {
    live: 'En direct',
    pause: 'Pause',
    resume: 'Reprendre',
    stop: 'Arrêter',
    mirror: 'Miroir',
    camera: 'Caméra',
    model: 'Modèle',
    attention: 'Où le réseau regarde',
    timing: 'Quand l’image est montrée',
    legend: 'Le réseau regarde',
    less: 'moins',
    more: 'plus',
    faces: 'Visages en vue',
    expression: 'Expression',
    tap: 'Votre appareil économise l’énergie : touchez pour voir l’image',
    uncertain: 'Incertain',
    nothing: 'Aucun visage',
    off: 'Pas en direct',
    waiting: 'La lecture apparaît ici.',
    looking: 'Recherche en cours…',
    timeline: '60 dernières secondes',
    now: 'maintenant',
    rate: 'lectures/s',
    latency: 'ms de délai',
    dropped: 'perdues',
    file: 'Ouvrir une image ou une vidéo',
    drop: 'Déposez ici une image ou une vidéo',
    hold: 'Figer',
    holdTitle: 'Arrête le graphique pour le regarder ; l’enregistrement continue',
    reader: 'Moment du graphique',
    session: 'Session',
    share: 'part du temps',
    changes: 'changements',
    recorded: 'Enregistré sur cet appareil, et oublié avec la page :',
    csv: 'CSV',
    json: 'JSON',
    png: 'Graphique en PNG',
    empty: 'Rien encore : le résumé grandit pendant que vous êtes en direct.',
    privacy: 'Vie privée',
    sent: 'Envoyé',
    to: 'À',
    kept: 'Gardé',
    keptNothing: 'aucune image ; les lectures, dans cette page seulement',
    notSent: 'rien en ce moment',
    blur: 'Flouter l’arrière-plan dans la caméra',
    latencyTitle: 'Le temps du serveur pour une image, plus l’aller-retour du réseau. Caméra, encodage et dessin s’y ajoutent.',
    droppedTitle: 'Les images que le serveur n’a pas analysées, parce qu’une plus récente est venue ou qu’elles sont arrivées abîmées.',
  },

  face: (id) => `Visage ${id}`,
  camera: (n) => `Caméra ${n}`,
  nearest: (name, share) => `${name} est le plus proche, ${share}`,
  confident: (share) => `sûr à ${share}`,
  seconds: (n) => `${n} s`,
  ago: (seconds) => `il y a ${seconds} s`,
  change: (from, to, times) => `${from} → ${to} ${times}×`,
  lasted: (minutes, seconds, changes) => `${minutes} min ${seconds} s avec un visage, ${changes} changements`,
  sending: (size, rate, kbit) => `${size} pixels, ${rate} images/s, ${kbit} kbit/s, sans son`,
  countdown: (seconds) => `Prochain essai dans ${seconds} s`,
  trying: 'Essai en cours…',
  attempt: (n, when) => `Essai ${n}. ${when}`,

  timing: { live: 'Image : en direct', exact: 'Image : exacte' },
  attention: { off: 'Attention : aucune', mean: 'Attention : moyenne', head: (n) => `Attention : tête ${n}` },
  peak: (name, place) => `${name}, plus forte sur le visage : ${place}`,
  rows: ['en haut', 'au milieu', 'en bas'],
  columns: ['à gauche', 'au centre', 'à droite'],
};
