import { useEffect, useState } from 'react';

const HOST = 'https://YOUR-HOST';

/** A camera, and the expressions of the faces in a line below. `token` is the element's property. */
export function Mindflow({ token }) {
  const [state, setState] = useState('loading');
  const [mood, setMood] = useState('');

  useEffect(() => {
    // The browser loads it, whatever bundles the rest, and not a server that renders pages: it has no elements.
    import(/* @vite-ignore */ /* webpackIgnore: true */ `${HOST}/mindflow.js`)
      .then(() => setState('ready'), () => setState('failed'));
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
