// Light or dark: the system's wish, unless the reader chose.
import { useEffect, useState } from 'preact/hooks';

export type Theme = 'light' | 'dark';

const kName = 'signet-theme';
const system = window.matchMedia('(prefers-color-scheme: dark)');

function stored(): Theme | undefined {
  try {
    const value = localStorage.getItem(kName);
    return value === 'light' || value === 'dark' ? value : undefined;
  } catch {
    return undefined; // storage may be forbidden
  }
}

function store(chosen: Theme | undefined): void {
  try {
    if (chosen) localStorage.setItem(kName, chosen);
    else localStorage.removeItem(kName);
  } catch {
    // Not remembered, but applied.
  }
}

const wished = (): Theme => (system.matches ? 'dark' : 'light');

/** What the document shows: the choice that is pinned to it, else what the system wishes. */
const current = (): Theme => (document.documentElement.dataset.theme as Theme | undefined) ?? wished();

function pin(chosen: Theme | undefined): void {
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
}

/** Before the first paint, so that the page does not flash. */
export const applyTheme = (): void => pin(stored());

/** The theme, and the switch to the other one. A choice that equals the system's wish is forgotten: the page follows again. */
export function useTheme(): [Theme, () => void] {
  const [theme, setTheme] = useState(current);
  useEffect(() => {
    const follow = (): void => setTheme(current());
    system.addEventListener('change', follow);
    return () => system.removeEventListener('change', follow);
  }, []);
  const flip = (): void => {
    const next: Theme = theme === 'dark' ? 'light' : 'dark';
    const chosen = next === wished() ? undefined : next;
    store(chosen);
    pin(chosen);
    setTheme(next);
  };
  return [theme, flip];
}
