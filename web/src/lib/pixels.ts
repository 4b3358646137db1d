// Arithmetic on pixels in RGBA, four bytes each, as canvases give them.

/** The rectangle of what was drawn: pixels whose brightness exceeds `level`. Undefined for an empty canvas. */
export function inkBox(
  rgba: Uint8ClampedArray,
  width: number,
  height: number,
  level = 32,
): { x: number; y: number; width: number; height: number; massX: number; massY: number } | undefined {
  let left = width, right = -1, top = height, bottom = -1, mass = 0, sumX = 0, sumY = 0;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const ink = rgba[4 * (y * width + x)]!;
      if (ink <= level) continue;
      left = Math.min(left, x);
      right = Math.max(right, x);
      top = Math.min(top, y);
      bottom = Math.max(bottom, y);
      mass += ink;
      sumX += ink * (x + 0.5);
      sumY += ink * (y + 0.5);
    }
  }
  if (right < 0) return undefined;
  return { x: left, y: top, width: right - left + 1, height: bottom - top + 1, massX: sumX / mass, massY: sumY / mass };
}

/**
 * Where a drawing goes on a square of `side` pixels, as MNIST prepares its digits: the larger extent of the ink scaled to 20 of 28
 * parts, its centre of mass in the middle. Returns scale and offset: square = drawing * scale + offset.
 */
export function centred(box: NonNullable<ReturnType<typeof inkBox>>, side: number): { scale: number; x: number; y: number } {
  const scale = (side * 20) / 28 / Math.max(box.width, box.height);
  return { scale, x: side / 2 - box.massX * scale, y: side / 2 - box.massY * scale };
}

/** How two pictures of the same size differ. */
export interface Difference {
  /** For every pixel the largest difference of a channel, 0 to 255. */
  levels: Uint8ClampedArray;
  /** Share of pixels that differ by more than 24 levels, which JPEG at usual qualities does not reach in flat areas. */
  share: number;
}

export function difference(a: Uint8ClampedArray, b: Uint8ClampedArray): Difference {
  if (a.length !== b.length) throw new RangeError('the pictures have different sizes');
  const levels = new Uint8ClampedArray(a.length / 4);
  let marked = 0;
  for (let i = 0; i < levels.length; i++) {
    const at = 4 * i;
    const most = Math.max(Math.abs(a[at]! - b[at]!), Math.abs(a[at + 1]! - b[at + 1]!), Math.abs(a[at + 2]! - b[at + 2]!));
    levels[i] = most;
    if (most > 24) marked++;
  }
  return { levels, share: levels.length ? marked / levels.length : 0 };
}
