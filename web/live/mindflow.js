// The widget: importing this module defines <mindflow-live>.

import { MindflowLive } from './element.js';
import { MindflowClient } from '../client/headless.js';
import { Failure } from '../client/states.js';

// A page may load the module twice; the first definition stays.
if (!customElements.get('mindflow-live')) customElements.define('mindflow-live', MindflowLive);

export { Failure, MindflowClient, MindflowLive };
