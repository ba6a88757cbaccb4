// The types of the package. `npm pack` writes types/ from the comments in the code; this file adds what comments cannot
// express.

import type { ErrorDetail, MindflowLive, StateDetail } from './types/live/element.js';
import type { Labels } from './types/client/wire.js';

export * from './types/live/mindflow.js';
export type { ErrorDetail, Face, Labels, StateDetail };
type Face = Labels['faces'][number];

declare global {
  interface HTMLElementTagNameMap {
    'mindflow-live': MindflowLive;
  }
  interface HTMLElementEventMap {
    'mindflow-labels': CustomEvent<Labels>;
    'mindflow-state': CustomEvent<StateDetail>;
    'mindflow-error': CustomEvent<ErrorDetail>;
  }
}
