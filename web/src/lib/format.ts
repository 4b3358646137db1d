// How numbers and names are written on the page.

const grouped = new Intl.NumberFormat('en', { useGrouping: true });

/** 1234567 as "1 234 567", with thin spaces that do not break. */
export const number = (value: number): string => grouped.format(value).replace(/,/g, '\u202f');

export const plural = (count: number, one: string, many = `${one}s`): string => `${number(count)} ${count === 1 ? one : many}`;

/** 1536 as "1.5 kB" (steps of 1,000). */
export function bytes(value: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let step = 0;
  while (value >= 999.5 && step < units.length - 1) {
    value /= 1000;
    step++;
  }
  return `${step > 0 && value < 9.95 ? value.toFixed(1) : Math.round(value)}\u00a0${units[step]}`;
}

export function milliseconds(value: number): string {
  return value < 1 ? `${value.toFixed(2)}\u00a0ms` : value < 100 ? `${value.toFixed(1)}\u00a0ms` : `${Math.round(value)}\u00a0ms`;
}

/** The telling end of a key: its last two parts, or the last alone where the folder's name is the label, which is shown beside it. */
export function keyTail(key: string, label?: string | null): string {
  const parts = key.split('/').filter(Boolean);
  const folder = parts[parts.length - 2];
  return parts.slice(folder !== undefined && folder === label ? -1 : -2).join('/') || key;
}
