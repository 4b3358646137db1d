// Draws the map. Points are squares of a few pixels, one colour after the other: fast enough for tens of thousands. Where few are in
// sight, their pictures take their place.
import { api, Problem } from '../api/client';
import { kSeries, seriesToken, tokenColour } from './palette';
import { toPlane, toScreen, type PointGrid, type Window } from './plane';

export interface Scene {
  ids: number[];
  xs: Float32Array;
  ys: Float32Array;
  /** Index into the labels, -1 for none. */
  labels: Int32Array;
  grid: PointGrid;
}

const kMostPictures = 90;
const kPictureSide = 44;
const kKeptPictures = 400;
const kRest = 3000; // ms

const pictures = new Map<number, ImageBitmap | 'asked' | 'missing'>();

/** The picture of an image if it is here; asks for it otherwise, and calls `arrived` later. */
function pictureOf(id: number, arrived: () => void): ImageBitmap | undefined {
  const known = pictures.get(id);
  if (known === undefined) {
    pictures.set(id, 'asked');
    api.thumbnail(id, 96).then(
      (bitmap) => {
        // What was forgotten under way may have been asked for again, and be here already.
        const before = pictures.get(id);
        if (before instanceof ImageBitmap) before.close();
        pictures.set(id, bitmap);
        arrived();
      },
      (error: unknown) => {
        if (pictures.get(id) !== 'asked') return; // another request has brought it, or it was forgotten
        pictures.set(id, 'missing');
        if (error instanceof Problem && error.status === 404) return;
        // Whatever else it was may pass. Not at once, or a service in trouble would be asked at every move of the pointer.
        setTimeout(() => pictures.get(id) === 'missing' && pictures.delete(id), kRest);
      },
    );
    for (const [old, picture] of pictures) {
      if (pictures.size <= kKeptPictures) break;
      if (picture instanceof ImageBitmap) picture.close();
      pictures.delete(old);
    }
  }
  return known instanceof ImageBitmap ? known : undefined;
}

/** The points in sight, if they are so few that their pictures have room. */
function pointsForPictures(scene: Scene, window: Window, size: { width: number; height: number }): number[] | undefined {
  const [x0, y1] = toPlane(window, -kPictureSide, -kPictureSide);
  const [x1, y0] = toPlane(window, size.width + kPictureSide, size.height + kPictureSide);
  return scene.grid.inside(x0, y0, x1, y1, kMostPictures);
}

export const showsPictures = (scene: Scene, window: Window, size: { width: number; height: number }): boolean =>
  pointsForPictures(scene, window, size) !== undefined;

export function paintMap(
  canvas: HTMLCanvasElement,
  size: { width: number; height: number },
  scene: Scene,
  window: Window,
  hidden: ReadonlySet<number>,
  picked: number,
  arrived: () => void,
): void {
  const density = devicePixelRatio || 1;
  const width = Math.round(size.width * density);
  const height = Math.round(size.height * density);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext('2d')!;
  context.setTransform(density, 0, 0, density, 0, 0);
  context.clearRect(0, 0, size.width, size.height);

  const few = pointsForPictures(scene, window, size);
  const colours = Array.from({ length: kSeries + 1 }, (_, n) => tokenColour(seriesToken(n)));
  if (few) paintPictures(context, scene, window, few, hidden, colours, arrived);
  else paintPoints(context, size, scene, window, hidden, colours);
  if (picked >= 0 && picked < scene.ids.length) {
    const [x, y] = toScreen(window, scene.xs[picked]!, scene.ys[picked]!);
    context.lineWidth = 2;
    context.strokeStyle = tokenColour('--ink');
    context.beginPath();
    context.arc(x, y, few ? kPictureSide * 0.78 : 8, 0, 2 * Math.PI);
    context.stroke();
  }
}

function paintPoints(
  context: CanvasRenderingContext2D,
  size: { width: number; height: number },
  scene: Scene,
  window: Window,
  hidden: ReadonlySet<number>,
  colours: string[],
): void {
  const zoom = window.scale / (Math.min(size.width, size.height) / 2);
  const side = Math.min(9, (scene.ids.length > 8000 ? 2 : 3) * Math.sqrt(Math.max(1, zoom)));
  context.globalAlpha = 0.8;
  for (let colour = 0; colour <= kSeries; colour++) {
    context.fillStyle = colours[colour]!;
    for (let i = 0; i < scene.ids.length; i++) {
      const label = scene.labels[i]!;
      if ((label >= 0 && label < kSeries ? label : kSeries) !== colour || hidden.has(label)) continue;
      const x = scene.xs[i]! * window.scale + window.x;
      const y = -scene.ys[i]! * window.scale + window.y;
      if (x < -side || y < -side || x > size.width + side || y > size.height + side) continue;
      context.fillRect(x - side / 2, y - side / 2, side, side);
    }
  }
  context.globalAlpha = 1;
}

function paintPictures(
  context: CanvasRenderingContext2D,
  scene: Scene,
  window: Window,
  points: number[],
  hidden: ReadonlySet<number>,
  colours: string[],
  arrived: () => void,
): void {
  for (const i of points) {
    const label = scene.labels[i]!;
    if (hidden.has(label)) continue;
    const [x, y] = toScreen(window, scene.xs[i]!, scene.ys[i]!);
    const picture = pictureOf(scene.ids[i]!, arrived);
    context.fillStyle = colours[label >= 0 && label < kSeries ? label : kSeries]!;
    if (!picture) {
      context.fillRect(x - 5, y - 5, 10, 10);
      continue;
    }
    const scale = kPictureSide / Math.max(picture.width, picture.height);
    const w = picture.width * scale;
    const h = picture.height * scale;
    context.imageSmoothingEnabled = picture.width > 64;
    context.fillRect(x - w / 2 - 2, y - h / 2 - 2, w + 4, h + 4);
    context.drawImage(picture, x - w / 2, y - h / 2, w, h);
  }
}
