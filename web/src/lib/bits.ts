// Codes as the service writes them: hex, byte 0 first; bit k is bit k % 8 of byte k / 8, least significant first.

const kHex = /^(?:[0-9a-f]{2})+$/i;

/** True if the text is the code of so many bits. */
export const isCode = (text: string, bits: number): boolean => kHex.test(text) && text.length === 2 * Math.ceil(bits / 8);

/** The first `bits` bits of a code, as booleans. Throws RangeError if the hex is malformed or too short. */
export function bitsOf(code: string, bits: number): boolean[] {
  if (!kHex.test(code) || code.length * 4 < bits) throw new RangeError(`${code} is not the hex of ${bits} bits`);
  return Array.from({ length: bits }, (_, k) => ((parseInt(code.substr((k >> 3) * 2, 2), 16) >> (k & 7)) & 1) === 1);
}

/** Numbers of the bits in which two codes differ, ascending. */
export function differing(a: string, b: string, bits: number): number[] {
  const other = bitsOf(b, bits);
  return bitsOf(a, bits).flatMap((bit, k) => (bit === other[k] ? [] : [k]));
}

/**
 * One SVG path for the chosen bits of a code drawn as a bar code: a set bit is a tall bar, an unset one a short bar, each
 * 1 wide in a field `bits` wide and 10 high.
 */
export function barPath(values: boolean[], chosen: (k: number) => boolean): string {
  let path = '';
  values.forEach((set, k) => {
    if (chosen(k)) path += set ? `M${k + 0.5} 0V10` : `M${k + 0.5} 6.5V10`;
  });
  return path;
}

/** Full columns behind the given bits of a bar code, so that a short bar that differs is seen as well as a tall one. */
export const columnPath = (bits: number[]): string => bits.map((k) => `M${k + 0.5} 0V10`).join('');
