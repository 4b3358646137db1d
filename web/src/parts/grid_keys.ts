import { hasModifier } from '../lib/keys';

/** Arrow keys, Home and End move the focus among the links of a grid that wraps; Tab goes through them as ever. */
export function moveInGrid(event: KeyboardEvent): void {
  if (hasModifier(event)) return;
  const list = event.currentTarget as HTMLElement;
  const links = [...list.querySelectorAll<HTMLElement>('a')];
  const at = links.indexOf(document.activeElement as HTMLElement);
  if (at < 0) return;
  const top = links[0]!.offsetTop;
  const columns = Math.max(1, links.findIndex((link) => link.offsetTop > top) < 0 ? links.length : links.findIndex((link) => link.offsetTop > top));
  const targets: Record<string, number> = { ArrowLeft: at - 1, ArrowRight: at + 1, ArrowUp: at - columns, ArrowDown: at + columns, Home: 0, End: links.length - 1 };
  const target = links[targets[event.key] ?? -1];
  if (!target) return;
  event.preventDefault();
  target.focus();
}
