// Colours of labels. The tokens are in style.css, once for light and once for dark.

export const kSeries = 12;

/** The token of the nth label; labels beyond the twelfth share one quiet colour. */
export const seriesToken = (n: number): string => (n >= 0 && n < kSeries ? `--c${n}` : '--c-other');

/** What a token means at this moment, as the canvas needs it: canvases do not read variables. */
export function tokenColour(token: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${token})`;
  probe.hidden = true;
  document.body.append(probe);
  const colour = getComputedStyle(probe).color;
  probe.remove();
  return colour;
}
