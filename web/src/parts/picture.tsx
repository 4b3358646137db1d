import { useEffect, useRef, useState } from 'preact/hooks';
import { api, apiKey, wasAborted } from '../api/client';

interface ThumbnailProps {
  id: number;
  size: number;
  alt: string;
}

/**
 * A stored picture. Keyed by the image: an element that is used again shows the picture of before, under the new name, until the new one
 * has come.
 */
export const Thumbnail = (props: ThumbnailProps) => <StoredPicture key={props.id} {...props} />;

/** Where the picture is gone or not to be shown, a quiet tile says so. */
function StoredPicture({ id, size, alt }: ThumbnailProps) {
  // An <img> can neither send a key nor tell a picture that is gone from a service that is busy; a request can.
  const [fetched, setFetched] = useState(apiKey.get() !== '');
  const [missing, setMissing] = useState(false);
  if (missing) {
    return (
      <span class="missing" role="img" aria-label={`${alt}: the picture cannot be shown`}>
        <span aria-hidden="true">no picture</span>
      </span>
    );
  }
  if (fetched) return <FetchedThumbnail id={id} size={size} alt={alt} onMissing={() => setMissing(true)} />;
  return (
    <img src={api.thumbnailAddress(id, size)} alt={alt} loading="lazy" decoding="async" draggable={false} onError={() => setFetched(true)} />
  );
}

function FetchedThumbnail({ id, size, alt, onMissing }: ThumbnailProps & { onMissing: () => void }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    const controller = new AbortController();
    api.thumbnail(id, size, controller.signal).then(
      (bitmap) => paint(canvas.current, bitmap),
      (error: unknown) => !wasAborted(error) && onMissing(),
    );
    return () => controller.abort();
  }, [id, size]);
  // As with <img>: without words it is there for the eye alone.
  return <canvas ref={canvas} role={alt ? 'img' : 'presentation'} aria-label={alt || undefined} width={1} height={1} />;
}

function paint(canvas: HTMLCanvasElement | null, bitmap: ImageBitmap): void {
  if (canvas) {
    canvas.width = bitmap.width;
    canvas.height = bitmap.height;
    canvas.getContext('2d')?.drawImage(bitmap, 0, 0);
  }
  bitmap.close();
}

/** A picture that is still only here. Drawn on a canvas, so that the page needs no blob: addresses and no policy that allows them. */
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
