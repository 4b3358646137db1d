export interface Double {
  /** Requests so far, "GET /v1/images?offset=0". */
  log: string[];
  /** "ID ID" to whether they are duplicates. */
  verdicts: Map<string, boolean>;
  /** Path prefix to [status, title, detail]. */
  faults: Map<string, [number, string, string]>;
  start(port?: number): Promise<string>;
  stop(): Promise<void>;
}
export function makeDouble(options: { images?: number; dist: string; canEncode?: boolean; duplicates?: boolean; key?: string }): Double;
export function pictureOf(id: number): Buffer;
