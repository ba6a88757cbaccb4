// The markup of <mindflow-live>.

/**
 * Fixed markup; text from outside is inserted as text only.
 * @param {import('../words/en.js').Texts['text']} text
 */
export const template = (text) => `
<div class="frame">
  <div class="stage" part="stage">
    <video autoplay muted playsinline disablepictureinpicture aria-hidden="true"></video>
    <canvas class="waiting" aria-hidden="true" hidden></canvas>
    <canvas class="overlay" aria-hidden="true"></canvas>
    <p class="badge" part="badge" hidden><span class="dot"></span>${text.live}</p>
    <p class="note" part="note" hidden></p>
    <div class="card" part="card">
      <div class="card-box">
        <span class="card-spinner" hidden></span>
        <h2 class="card-title"></h2>
        <p class="card-cause"></p>
        <p class="card-next"></p>
        <ul class="card-notice"></ul>
        <slot name="notice"></slot>
        <p class="card-detail"></p>
        <p class="card-count"></p>
        <button type="button" class="card-button primary" part="button"></button>
        <label class="card-file"><input type="file" accept="image/*,video/*"><span>${text.file}</span></label>
      </div>
    </div>
    <p class="drop" hidden>${text.drop}</p>
  </div>
  <div class="controls" part="controls">
    <button type="button" class="pause">${text.pause}</button>
    <button type="button" class="stop">${text.stop}</button>
    <slot name="controls"></slot>
    <button type="button" class="mirror" role="switch"><span class="knob"></span>${text.mirror}</button>
    <label class="field model" hidden><span>${text.model}</span><select></select></label>
    <label class="field attention" hidden><span>${text.attention}</span><select></select></label>
    <label class="field timing" hidden><span>${text.timing}</span><select></select></label>
    <label class="field camera" hidden><span>${text.camera}</span><select></select></label>
    <p class="legend" role="img" hidden>${text.legend} <span>${text.less}</span><span class="legend-scale"></span
      ><span>${text.more}</span></p>
  </div>
  <section class="panel" part="panel" aria-label="${text.expression}">
    <div class="reading" part="reading">
      <span class="reading-swatch" hidden></span>
      <p class="reading-label"></p>
      <p class="reading-confidence"></p>
    </div>
    <div class="faces" part="faces" role="group" aria-label="${text.faces}" hidden></div>
    <ul class="bars" part="bars" aria-label="${text.expression}"></ul>
    <figure class="history" part="timeline">
      <figcaption><span>${text.timeline}</span>
        <button type="button" class="hold small" aria-pressed="false"
          title="${text.holdTitle}">${text.hold}</button></figcaption>
      <div class="strip" tabindex="0" role="slider" aria-label="${text.reader}"
        aria-valuemin="-60" aria-valuemax="0" aria-valuenow="0">
        <canvas class="timeline" aria-hidden="true"></canvas><p class="tip" hidden></p></div>
      <div class="axis" aria-hidden="true"><span class="axis-60"></span><span class="axis-30"></span
        ><span>${text.now}</span></div>
    </figure>
    <details class="session"><summary>${text.session}</summary>
      <p class="session-empty">${text.empty}</p>
      <div class="session-body" hidden>
        <p class="session-time"></p>
        <ul class="shares" aria-label="${text.share}"></ul>
        <p class="changes"></p>
        <p class="session-kept">${text.recorded}</p>
        <p class="exports"><button type="button" class="small csv">${text.csv}</button>
          <button type="button" class="small json">${text.json}</button>
          <button type="button" class="small png">${text.png}</button></p>
      </div>
    </details>
    <details class="privacy"><summary>${text.privacy}</summary>
      <dl><div><dt>${text.sent}</dt><dd class="sent">${text.notSent}</dd></div>
        <div><dt>${text.to}</dt><dd class="to"></dd></div>
        <div><dt>${text.kept}</dt><dd>${text.keptNothing}</dd></div></dl>
      <label class="blur" hidden><input type="checkbox"> ${text.blur}</label>
    </details>
    <dl class="health">
      <div><dt>${text.rate}</dt><dd class="rate">–</dd></div>
      <div title="${text.latencyTitle}"><dt>${text.latency}</dt><dd class="latency">–</dd></div>
      <div class="drops"><dt>${text.dropped}</dt><dd class="dropped">–</dd></div>
    </dl>
  </section>
  <slot name="footer"></slot>
  <p class="spoken" aria-live="polite"></p>
</div>`;
