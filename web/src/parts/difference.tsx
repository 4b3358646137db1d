import { useEffect, useRef, useState } from 'preact/hooks';
import { api, wasAborted } from '../api/client';
import { tokenColour } from '../lib/palette';
import { difference } from '../lib/pixels';

const kSide = 384;

interface Pair {
  a: number;
  b: number;
}

/**
 * Two stored pictures laid over each other at the same size: grey where they agree, coloured where they do not. Keyed by the two, so that
 * it never shows the pair of before.
 */
export const DifferencePicture = (pair: Pair) => <Difference key={`${pair.a} ${pair.b}`} {...pair} />;

function Difference({ a, b }: Pair) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [share, setShare] = useState<number>();
  const [missing, setMissing] = useState(false);
  useEffect(() => {
    const controller = new AbortController();
    const asked = [api.thumbnail(a, kSide, controller.signal), api.thumbnail(b, kSide, controller.signal)] as const;
    Promise.all(asked).then(
      ([first, second]) => canvas.current && setShare(paint(canvas.current, first, second)),
      (error: unknown) => !wasAborted(error) && setMissing(true),
    );
    return () => {
      controller.abort();
      // One may have come without the other, and was not painted then.
      for (const one of asked) one.then((bitmap) => bitmap.close(), () => undefined);
    };
  }, [a, b]);
  const percent = share === undefined ? '' : share === 0 ? 'no visible difference' : share < 0.001 ? 'under 0.1 % of the area differs' : `${(share * 100).toFixed(1)} % of the area differs`;
  return (
    <figure>
      <div class="frame">
        {missing ? (
          <span class="missing">no comparison</span>
        ) : (
          <canvas ref={canvas} role="img" width={1} height={1} aria-label={`Where the pictures differ: ${percent || 'being compared'}`} />
        )}
      </div>
      <figcaption>
        <b>Difference</b> <span>{percent || '\u00a0'}</span>
      </figcaption>
    </figure>
  );
}

function paint(canvas: HTMLCanvasElement, a: ImageBitmap, b: ImageBitmap): number {
  // Both at the size of the larger one: a smaller copy is compared as what it shows, not for being small.
  const large = a.width * a.height >= b.width * b.height ? a : b;
  canvas.width = large.width;
  canvas.height = large.height;
  const context = canvas.getContext('2d', { willReadFrequently: true })!;
  const pixelsOf = (bitmap: ImageBitmap): ImageData => {
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    bitmap.close();
    return context.getImageData(0, 0, canvas.width, canvas.height);
  };
  const first = pixelsOf(a);
  const { levels, share } = difference(first.data, pixelsOf(b).data);
  const [red = 200, green = 80, blue = 0] = (tokenColour('--differs').match(/[\d.]+/g) ?? []).map(Number);
  const [paperRed = 255, paperGreen = 255, paperBlue = 255] = (tokenColour('--card').match(/[\d.]+/g) ?? []).map(Number);
  for (let i = 0; i < levels.length; i++) {
    const at = 4 * i;
    const grey = 0.3 * first.data[at]! + 0.59 * first.data[at + 1]! + 0.11 * first.data[at + 2]!;
    // A weak picture to find one's way, and the difference on top; below 8 levels is what compression always leaves.
    const mark = levels[i]! < 8 ? 0 : Math.min(1, 0.25 + levels[i]! / 90);
    const faint = (paper: number): number => paper * 0.72 + grey * 0.28;
    first.data[at] = faint(paperRed) * (1 - mark) + red * mark;
    first.data[at + 1] = faint(paperGreen) * (1 - mark) + green * mark;
    first.data[at + 2] = faint(paperBlue) * (1 - mark) + blue * mark;
    first.data[at + 3] = 255;
  }
  context.putImageData(first, 0, 0);
  return share;
}
