export interface Double {
  /** Requests so far, "GET /v1/images?offset=0". */
  log: string[];
  /** "ID ID" to whether they are duplicates. */
  verdicts: Map<string, boolean>;
  /** Path prefix to [status, title, detail, seconds to wait]. */
  faults: Map<string, [number, string, string, number?]>;
  /** Path prefix to the milliseconds that an answer takes. */
  delays: Map<string, number>;
  /** The collection has so many images from now on. */
  grow(count: number): void;
  start(port?: number): Promise<string>;
  stop(): Promise<void>;
}
export function makeDouble(options: { images?: number; dist: string; canEncode?: boolean; duplicates?: boolean; writable?: boolean; key?: string }): Double;
export function pictureOf(id: number): Buffer;
