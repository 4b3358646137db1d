import { useState } from 'preact/hooks';
import { api } from '../api/client';
import type { Collection, StoredImage } from '../api/types';
import { keyTail } from '../lib/format';
import { useRequest } from '../lib/hooks';
import { searchHash, startFrom } from '../lib/route';
import { moveInGrid } from './grid_keys';
import { Thumbnail } from './picture';

const kSamples = 10;

/** Some images to start from: one of each label where there are few labels, else from anywhere. */
async function drawSamples(info: Collection, signal: AbortSignal): Promise<StoredImage[]> {
  const anywhere = (count: number): number => Math.floor(Math.random() * count);
  const labels = info.labels.filter(({ count }) => count > 0);
  const places =
    labels.length > 1 && labels.length <= kSamples
      ? labels.map(({ label, count }) => ({ label, offset: anywhere(count) }))
      : Array.from({ length: Math.min(kSamples, info.images) }, () => ({ label: undefined, offset: anywhere(info.images) }));
  const pages = await Promise.all(places.map((place) => api.images({ ...place, limit: 1 }, signal)));
  const images = pages.flatMap((page) => page.images.slice(0, 1));
  return images.filter((image, i) => images.findIndex((other) => other.id === image.id) === i);
}

export function Samples({ info }: { info: Collection }) {
  const [round, setRound] = useState(0);
  const samples = useRequest(`samples ${round}`, (signal) => drawSamples(info, signal));
  if (samples.problem || (samples.value && samples.value.length === 0)) return null;
  return (
    <section class="samples" aria-labelledby="samples-title">
      <h2 id="samples-title">
        Or start from one of these
        <button type="button" class="quiet" onClick={() => setRound(round + 1)}>
          others
        </button>
      </h2>
      <ul onKeyDown={moveInGrid}>
        {samples.value
          ? samples.value.map((image) => (
              <li key={image.id}>
                <a href={searchHash(startFrom(image))} title={image.key} aria-label={`Search from ${keyTail(image.key)}${image.label ? `, ${image.label}` : ''}`}>
                  <span class="frame">
                    <Thumbnail id={image.id} size={96} alt="" />
                  </span>
                  {image.label && <small>{image.label}</small>}
                </a>
              </li>
            ))
          : Array.from({ length: kSamples }, (_, i) => (
              <li key={i} aria-hidden="true">
                <span class="frame" />
              </li>
            ))}
      </ul>
    </section>
  );
}
