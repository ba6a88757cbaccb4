// The widget: importing this module makes <mindflow-live> known to the page.

import { MindflowLive } from './element.js';
import { MindflowClient } from '../client/headless.js';
import { Failure } from '../client/states.js';

// A page may load the module from two places; the first one stays.
if (!customElements.get('mindflow-live')) customElements.define('mindflow-live', MindflowLive);

export { Failure, MindflowClient, MindflowLive };
