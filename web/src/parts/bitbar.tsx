import { barPath, bitsOf, columnPath, differing } from '../lib/bits';

/**
 * A code as a bar code: tall for 1, short for 0. With another code to compare with, the bits that differ stand out.
 */
export function BitBar({ code, bits, against }: { code: string; bits: number; against?: string }) {
  let values: boolean[];
  let other: Set<number>;
  try {
    values = bitsOf(code, bits);
    other = new Set(against ? differing(code, against, bits) : []);
  } catch {
    return null; // a code of another length has no place beside this one
  }
  const listed = [...other].slice(0, 12).join(', ') + (other.size > 12 ? ', …' : '');
  const label = against
    ? other.size === 0
      ? `all ${bits} bits equal`
      : `${other.size} of ${bits} bits differ: ${listed}`
    : `code of ${bits} bits: ${code}`;
  return (
    <svg class="bitbar" viewBox={`0 0 ${bits} 10`} preserveAspectRatio="none" role="img" aria-label={label}>
      <title>{label}</title>
      <path class="column" d={columnPath([...other])} />
      <path class="same" d={barPath(values, (k) => !other.has(k))} />
      <path class="differs" d={barPath(values, (k) => other.has(k))} />
    </svg>
  );
}
