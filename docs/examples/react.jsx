import { useEffect, useState } from 'react';

const HOST = 'https://YOUR-HOST';

/** A camera, and what the faces before it show, in a line below. `token` is what the element's property takes. */
export function Mindflow({ token }) {
  const [state, setState] = useState('loading');
  const [mood, setMood] = useState('');

  useEffect(() => {
    // Loaded by the browser, whatever bundles the rest; also where pages are rendered on a server, which has no elements.
    import(/* @vite-ignore */ /* webpackIgnore: true */ `${HOST}/mindflow.js`).then(() => setState('ready'), () => setState('failed'));
  }, []);

  if (state === 'loading') return <p>Loading…</p>;
  if (state === 'failed') return <p>Mindflow cannot be loaded. Try again later.</p>;
  return (
    <>
      <mindflow-live
        src={HOST}
        token={token}
        maxFaces={3}
        onmindflow-labels={({ detail }) => setMood(detail.faces.map((face) => face.label).join(', '))}
      />
      <p>{mood}</p>
    </>
  );
}
