// The styles of <mindflow-live>. Pages may set the --mindflow-* properties on the element.

export const STYLES = `
:host {
  --ink: var(--mindflow-ink, #1b1e24);
  --soft: var(--mindflow-soft, #5b6370);
  --line: var(--mindflow-line, #dfe1e6);
  --ground: var(--mindflow-ground, #ffffff);
  --inset: var(--mindflow-inset, #eceef1);
  --accent: var(--mindflow-accent, #0b6e63);
  --on-accent: var(--mindflow-on-accent, #ffffff);
  --round: var(--mindflow-round, 14px);
  display: block;
  container-type: inline-size;
  color: var(--ink);
  font: 16px/1.45 var(--mindflow-font, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", sans-serif);
  font-variant-numeric: tabular-nums;
}
@media (prefers-color-scheme: dark) {
  :host {
    --ink: var(--mindflow-ink, #eceef2);
    --soft: var(--mindflow-soft, #a0a8b4);
    --line: var(--mindflow-line, #30353d);
    --ground: var(--mindflow-ground, #1a1d22);
    --inset: var(--mindflow-inset, #2a2f37);
    --accent: var(--mindflow-accent, #5fd0bd);
    --on-accent: var(--mindflow-on-accent, #06231f);
  }
}
:host([hidden]), [hidden] { display: none !important; }
*, *::before, *::after { box-sizing: border-box; }
p, ul, dl, dd, figure, h2 { margin: 0; padding: 0; }
ul { list-style: none; }

.frame { display: grid; gap: 14px; grid-template: "stage" "controls" "panel" / minmax(0, 1fr); }
.stage {
  grid-area: stage; position: relative; display: grid; overflow: hidden;
  border-radius: var(--round); background: #0d0f12; color: #f2f4f7;
}
.stage::after {
  content: ""; z-index: 2; border: 1px solid rgb(255 255 255 / 0.09); border-radius: inherit; pointer-events: none;
}
/* The aspect ratio sets the least height; a long text in the card may need more. */
.stage::before { content: ""; aspect-ratio: var(--aspect, 4 / 3); width: 100%; max-height: 72svh; }
.stage > *, .stage::before, .stage::after { grid-area: 1 / 1; min-width: 0; }
video, .waiting, .overlay { position: absolute; inset: 0; width: 100%; height: 100%; object-fit: contain; }
.mirrored video, .mirrored .waiting { transform: scaleX(-1); }
.overlay.pickable { cursor: pointer; }

.badge, .note {
  align-self: start; justify-self: start; margin: 12px; padding: 4px 12px 4px 10px; z-index: 1;
  border-radius: 99px; background: rgb(13 15 18 / 0.72); font-size: 13px; font-weight: 600;
}
.dot {
  display: inline-block; width: 8px; height: 8px; margin-inline-end: 7px; border-radius: 50%; background: #5fd0bd;
}
.note {
  align-self: end; justify-self: center; padding: 8px 16px; font-weight: 500; font-size: 14px; text-align: center;
}

.card {
  position: relative; z-index: 1; display: grid; place-items: center; padding: 24px 20px;
  background: rgb(13 15 18 / 0.78);
}
.card[data-phase="idle"], .card[data-phase="stopped"], .card[data-phase="failed"] {
  background: radial-gradient(120% 140% at 50% 0%, #20303a 0%, #12161b 62%);
}
.card-box { display: grid; justify-items: center; gap: 6px; max-width: 430px; text-align: center; text-wrap: balance; }
.card-title { font-size: 21px; line-height: 1.25; font-weight: 650; letter-spacing: -0.01em; }
.card-cause, .card-next { color: #ced4dc; font-size: 15px; }
.card-next { color: #f2f4f7; }
.card-notice {
  display: grid; gap: 7px; margin-top: 8px; text-align: start; text-wrap: pretty; color: #ced4dc; font-size: 14px;
  line-height: 1.4;
}
.card-notice li { padding-inline-start: 18px; position: relative; }
.card-notice li::before {
  content: ""; position: absolute; inset-inline-start: 2px; top: 0.5em; width: 6px; height: 6px; border-radius: 50%;
  background: #5fd0bd;
}
.card-detail { color: #a0a8b4; font-size: 13px; overflow-wrap: anywhere; }
.card-count { color: #ced4dc; font-size: 14px; }
.card-button { margin-top: 12px; }
.card-file {
  position: relative; display: inline-flex; align-items: center; min-height: 44px; padding: 0 12px;
  border-radius: 11px; color: #ced4dc; font-size: 14px; cursor: pointer;
}
.card-file span { text-decoration: underline; text-underline-offset: 4px; }
.card-file:hover span { color: #ffffff; }
.card-file input { position: absolute; inset: 0; width: 100%; opacity: 0; cursor: pointer; }
.card-file:focus-within { outline: 3px solid #ffffff; outline-offset: 2px; }
.drop {
  z-index: 3; display: grid; place-items: center; margin: 10px; border: 2px dashed #5fd0bd; border-radius: 10px;
  background: rgb(13 15 18 / 0.97); color: #ffffff; font-weight: 600; pointer-events: none;
}
.card .primary { background: #5fd0bd; color: #06231f; border-color: transparent; }
.card .primary:hover { background: #7bdccb; }
.card-spinner {
  width: 26px; height: 26px; margin-bottom: 6px; border-radius: 50%;
  border: 3px solid rgb(255 255 255 / 0.22); border-top-color: #5fd0bd; animation: turn 0.9s linear infinite;
}
@keyframes turn { to { transform: rotate(1turn); } }

.controls { grid-area: controls; display: flex; flex-wrap: wrap; gap: 10px; align-items: center; }
button, select {
  min-height: 44px; padding: 0 18px; border: 1px solid var(--line); border-radius: 11px;
  background: var(--ground); color: inherit; font: inherit; font-size: 15px; font-weight: 550; cursor: pointer;
}
button:hover:not(:disabled), select:hover { border-color: var(--soft); }
button:disabled { color: var(--soft); opacity: 0.62; cursor: default; }
.primary { padding: 0 26px; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
.card :focus-visible { outline-color: #ffffff; }
.mirror {
  display: inline-flex; align-items: center; gap: 9px; margin-inline-start: auto; border-color: transparent;
  background: none; padding: 0 8px;
}
.knob {
  position: relative; width: 38px; height: 22px; border-radius: 11px; background: var(--soft);
  transition: background 0.15s;
}
.knob::after {
  content: ""; position: absolute; top: 3px; inset-inline-start: 3px; width: 16px; height: 16px; border-radius: 50%;
  background: var(--ground); transition: transform 0.15s;
}
.mirror[aria-checked="true"] .knob { background: var(--accent); }
.mirror[aria-checked="true"] .knob::after { transform: translateX(16px); }
.mirror[aria-checked="true"]:dir(rtl) .knob::after { transform: translateX(-16px); }
.field { flex: 1 1 160px; }
.field span, .spoken {
  position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}
.legend {
  display: flex; flex: 1 1 100%; flex-wrap: wrap; align-items: center; gap: 2px 8px; color: var(--soft);
  font-size: 13px;
}
.legend-scale { width: 110px; height: 10px; border-radius: 5px; }
select { width: 100%; padding: 0 10px; text-overflow: ellipsis; font-size: 14px; }

.panel {
  grid-area: panel; display: flex; flex-direction: column; gap: 16px; min-width: 0;
  padding: 20px; border: 1px solid var(--line); border-radius: var(--round); background: var(--ground);
}
.reading { display: grid; grid-template-columns: auto 1fr; column-gap: 12px; align-items: center; }
.reading-swatch {
  grid-row: span 2; width: 12px; height: 100%; border-radius: 6px; box-shadow: inset 0 0 0 1px rgb(127 127 127 / 0.45);
}
.reading-label, .reading-confidence { grid-column: 2; }
.reading-swatch[hidden] ~ p { grid-column: 1 / -1; }
.reading-label { font-size: 28px; line-height: 1.15; font-weight: 650; letter-spacing: -0.02em; }
.reading-confidence { color: var(--soft); font-size: 15px; }
.faces {
  display: grid; grid-template-columns: repeat(auto-fill, minmax(132px, 1fr)); gap: 8px; max-height: 262px;
  overflow-y: auto;
}
.faces button {
  display: flex; align-items: center; gap: 9px; padding: 5px 6px; text-align: start; font-size: 14px; line-height: 1.3;
}
.faces canvas { flex: none; width: 44px; height: 44px; border-radius: 8px; background: var(--inset); }
.faces .turned { transform: scaleX(-1); }
.face-name { display: block; }
.face-label { color: var(--soft); font-weight: 400; font-size: 13px; }
.faces button[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }

.bars { flex: 1 1 auto; display: grid; gap: 9px; align-content: space-between; font-size: 14px; }
.bars.many {
  position: relative; flex: 0 1 auto; max-height: 400px; overflow-y: auto; align-content: start;
  padding-inline-end: 6px;
}
.bars .name { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bars li {
  display: grid; grid-template-columns: var(--name, 76px) 1fr 46px; gap: 10px; align-items: center; color: var(--soft);
}
.bars .track { height: 12px; border-radius: 6px; overflow: hidden; background: var(--inset); }
.bars .fill {
  display: block; height: 100%; transform: scaleX(0); transform-origin: left;
  box-shadow: inset 0 0 0 1px rgb(0 0 0 / 0.2); transition: transform 0.12s linear;
}
.bars .fill:dir(rtl) { transform-origin: right; }
.bars .value { text-align: end; }
.bars .top { color: var(--ink); font-weight: 600; }

.history {
  flex: 1 1 auto; display: grid; grid-template-rows: auto minmax(92px, 1fr) auto; gap: 6px; font-size: 13px;
  color: var(--soft);
}
.history figcaption { display: flex; justify-content: space-between; align-items: center; }
button.small { padding: 0 12px; border-radius: 8px; font-size: 13px; }
.hold[aria-pressed="true"] { border-color: var(--accent); box-shadow: inset 0 0 0 1px var(--accent); }
/* time goes from left to right in charts; the overlay's tags are placed by their left */
.strip, .axis, .overlay { direction: ltr; }
/* The texts are left to right, even if the page around them is not. */
.frame:dir(rtl), .card-notice:dir(rtl) { text-align: right; }
.frame:dir(rtl) :is(p:not(.badge), .card-notice li, dd) { unicode-bidi: plaintext; }
.strip { position: relative; border-radius: 8px; cursor: crosshair; touch-action: pan-y; }
.tip {
  position: absolute; bottom: calc(100% + 4px); z-index: 3; width: max-content; max-width: 100%; padding: 3px 9px;
  pointer-events: none;
  border-radius: 7px; background: var(--ink); color: var(--ground); font-size: 13px; font-weight: 550;
}
.timeline { position: absolute; inset: 0; width: 100%; height: 100%; border-radius: 8px; background: var(--inset); }
.axis { display: flex; justify-content: space-between; font-size: 12px; }
details { border-top: 1px solid var(--line); padding-top: 4px; font-size: 14px; }
summary {
  display: flex; align-items: center; justify-content: space-between; min-height: 44px; cursor: pointer;
  font-weight: 600; border-radius: 6px;
}
summary::-webkit-details-marker { display: none; }
summary::after { content: "+"; font-size: 18px; color: var(--soft); }
[open] > summary::after { content: "−"; }
details p, details dl { color: var(--soft); }
.session-body { display: grid; gap: 8px; padding-bottom: 8px; }
.shares { display: flex; flex-wrap: wrap; gap: 4px 14px; }
.swatch {
  display: inline-block; width: 10px; height: 10px; margin-inline-end: 6px; border-radius: 3px;
  box-shadow: inset 0 0 0 1px rgb(127 127 127 / 0.6);
}
.exports { display: flex; flex-wrap: wrap; gap: 8px; }
.privacy dl { display: grid; gap: 4px; padding-bottom: 8px; }
.privacy dl div { display: grid; grid-template-columns: 64px 1fr; gap: 10px; }
.privacy dd { color: var(--ink); overflow-wrap: anywhere; }
.blur { display: flex; align-items: center; gap: 8px; min-height: 44px; }
.blur input { width: 20px; height: 20px; accent-color: var(--accent); }
.health {
  display: flex; justify-content: space-between; gap: 10px; padding-top: 12px; border-top: 1px solid var(--line);
  font-size: 13px; color: var(--soft);
}
.health div { display: flex; flex-direction: row-reverse; gap: 5px; }
.health dd { color: var(--ink); font-weight: 600; }
.health [title] { text-decoration: underline dotted; text-underline-offset: 3px; cursor: help; }

@container (min-width: 780px) {
  .frame {
    grid-template: "stage panel" auto "controls panel" auto ". panel" 1fr / minmax(0, 1fr) minmax(290px, 340px);
    gap: 14px 18px;
  }
  .stage::before { max-height: none; }
  .card-title { font-size: 25px; }
  .field { max-width: 240px; }
}
@media (prefers-reduced-motion: reduce) {
  * { transition: none !important; }
  .card-spinner { animation-duration: 4s; }
}
`;
