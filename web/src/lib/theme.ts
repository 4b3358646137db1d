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

const current = (): Theme => stored() ?? (system.matches ? 'dark' : 'light');

/** Before the first paint, so that the page does not flash. */
export function applyTheme(): void {
  const chosen = stored();
  if (chosen) document.documentElement.dataset.theme = chosen;
  else delete document.documentElement.dataset.theme;
}

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
    try {
      if (next === (system.matches ? 'dark' : 'light')) localStorage.removeItem(kName);
      else localStorage.setItem(kName, next);
    } catch {
      // Not remembered, but applied.
    }
    document.documentElement.dataset.theme = next;
    setTheme(next);
  };
  return [theme, flip];
}
