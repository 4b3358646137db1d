import { useEffect, useRef, useState } from 'preact/hooks';
import { api, apiKey, wasAborted } from '../api/client';

/** A stored picture. Where it is gone or not to be shown, a quiet tile says so. */
export function Thumbnail({ id, size, alt }: { id: number; size: number; alt: string }) {
  const [missing, setMissing] = useState(false);
  useEffect(() => setMissing(false), [id]);
  if (missing) {
    return (
      <span class="missing" role="img" aria-label={`${alt}: the picture cannot be shown`}>
        <span aria-hidden="true">no picture</span>
      </span>
    );
  }
  if (apiKey.get()) return <FetchedThumbnail id={id} size={size} alt={alt} onMissing={() => setMissing(true)} />;
  return (
    <img src={api.thumbnailAddress(id, size)} alt={alt} loading="lazy" decoding="async" draggable={false} onError={() => setMissing(true)} />
  );
}

function FetchedThumbnail({ id, size, alt, onMissing }: { id: number; size: number; alt: string; onMissing: () => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const controller = new AbortController();
    api.thumbnail(id, size, controller.signal).then(
      (bitmap) => paint(canvas.current, bitmap),
      (error: unknown) => !wasAborted(error) && onMissing(),
    );
    return () => controller.abort();
  }, [id, size]);
  return <canvas ref={canvas} role="img" aria-label={alt} width={1} height={1} />;
}

function paint(canvas: HTMLCanvasElement | null, bitmap: ImageBitmap): void {
  if (canvas) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  }
  bitmap.close();
}

/** A picture that is still only here. Drawn on a canvas: the page's policy allows no blob: addresses. */
export function LocalPicture({ picture, alt }: { picture: Blob; alt: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [unknown, setUnknown] = useState(false);
  useEffect(() => {
    let here = true;
    setUnknown(false);
    // The browser may not know the format (TIFF); the service may.
    createImageBitmap(picture).then(
      (bitmap) => (here ? paint(canvas.current, bitmap) : bitmap.close()),
      () => here && setUnknown(true),
    );
    return () => {
      here = false;
    };
  }, [picture]);
  if (unknown) {
    return (
      <span class="missing" role="img" aria-label={`${alt}: this browser cannot show it`}>
        <span aria-hidden="true">no preview</span>
      </span>
    );
  }
  return <canvas ref={canvas} role="img" aria-label={alt} width={1} height={1} />;
}
