// The inside of <mindflow-live>.

import { TEXT } from './words.js';

/** Fixed markup; what strangers say enters as text only. */
export const TEMPLATE = `
<div class="frame">
  <div class="stage" part="stage">
    <video autoplay muted playsinline disablepictureinpicture aria-hidden="true"></video>
    <canvas class="overlay" aria-hidden="true"></canvas>
    <p class="badge" hidden><span class="dot"></span>Live</p>
    <p class="note" hidden></p>
    <div class="card" part="card">
      <div class="card-box">
        <span class="card-spinner" hidden></span>
        <h2 class="card-title"></h2>
        <p class="card-cause"></p>
        <p class="card-next"></p>
        <ul class="card-notice"></ul>
        <p class="card-detail"></p>
        <p class="card-count"></p>
        <button type="button" class="card-button primary"></button>
      </div>
    </div>
  </div>
  <div class="controls" part="controls">
    <button type="button" class="pause">${TEXT.pause}</button>
    <button type="button" class="stop">${TEXT.stop}</button>
    <button type="button" class="mirror" role="switch"><span class="knob"></span>${TEXT.mirror}</button>
    <label class="field model" hidden><span>${TEXT.model}</span><select></select></label>
    <label class="field attention" hidden><span>${TEXT.attention}</span><select></select></label>
    <label class="field camera" hidden><span>${TEXT.camera}</span><select></select></label>
    <p class="legend" role="img" hidden>${TEXT.legend} <span>${TEXT.less}</span><span class="legend-scale"></span><span>${TEXT.more}</span></p>
  </div>
  <section class="panel" part="panel" aria-label="${TEXT.expression}">
    <div class="reading">
      <span class="reading-swatch" hidden></span>
      <p class="reading-label"></p>
      <p class="reading-confidence"></p>
    </div>
    <div class="faces" role="group" aria-label="${TEXT.faces}" hidden></div>
    <ul class="bars"></ul>
    <figure class="history">
      <figcaption>${TEXT.timeline}</figcaption>
      <div class="strip"><canvas class="timeline" role="img" aria-label="${TEXT.timeline}"></canvas></div>
      <div class="axis" aria-hidden="true"><span>−60 s</span><span>−30 s</span><span>now</span></div>
    </figure>
    <dl class="health">
      <div><dt>${TEXT.rate}</dt><dd class="rate">–</dd></div>
      <div title="${TEXT.latencyTitle}"><dt>${TEXT.latency}</dt><dd class="latency">–</dd></div>
      <div class="drops"><dt>${TEXT.dropped}</dt><dd class="dropped">–</dd></div>
    </dl>
  </section>
  <p class="spoken" aria-live="polite"></p>
</div>`;
