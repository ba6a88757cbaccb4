// Finds out why the camera is not allowed. Loaded when that happens.

/**
 * What the page around the element, or the frame that it is in, lacks to pass the camera on. Browsers report no more
 * than that it is not allowed, which sends visitors to settings that cannot help.
 * @returns {string} what the page's author has to add; empty if the visitor or the system refused
 */
export function missing() {
  const framed = window.parent !== window;
  if (framed && window.origin === 'null') return 'sandbox="allow-scripts allow-same-origin"';
  // Chromium has the older name alone, other browsers none.
  const { permissionsPolicy, featurePolicy } = /** @type {any} */ (document);
  if ((permissionsPolicy ?? featurePolicy)?.allowsFeature('camera') !== false) return '';
  if (!framed) return 'Permissions-Policy: camera=(self)';
  // A frame cannot see which of the two it lacks.
  return `allow="camera" · Permissions-Policy: camera=(self "${window.origin}")`;
}
