// What the service says. docs/http-api.md describes each answer; codes are lower-case hex of the packed bytes.

export interface LabelCount {
  label: string;
  count: number;
}

export interface Collection {
  name: string;
  bits: number;
  images: number;
  segments: number;
  model?: { fingerprint: string; arch?: string; preprocessing?: { width: number; height: number; channels: number } };
  labels: LabelCount[];
  writable: boolean;
  can_encode: boolean;
  duplicate_levels: DuplicateLevel[];
}

export interface Hit {
  id: number;
  key: string;
  label?: string | null;
  distance: number;
  code: string;
  width?: number;
  height?: number;
}

export interface SearchAnswer {
  query: { bits: number; code: string };
  total: number;
  offset: number;
  hits: Hit[];
  statistics?: { index?: string; kernel?: string; milliseconds?: number; candidates?: number };
}

export interface StoredImage {
  id: number;
  key: string;
  label?: string | null;
  code: string;
  width?: number;
  height?: number;
  bytes?: number;
}

export interface ImagePage {
  total: number;
  images: StoredImage[];
  next?: number | null;
}

export interface MapAnswer {
  points: [id: number, x: number, y: number, label: number][];
  labels: string[];
}

export type DuplicateLevel = 'same-bytes' | 'same-pixels' | 'near-duplicate' | 'same-class';

/** Another image of a group, compared with the one that would be kept. */
export interface Duplicate extends StoredImage {
  distance: number;
  level: DuplicateLevel;
  /** What was said about the two before; null: nothing. */
  verdict: boolean | null;
}

export interface DuplicateGroup {
  keep: StoredImage;
  /** Others in all; of a large group not all are given. */
  size: number;
  others: Duplicate[];
}

export interface DuplicatesAnswer {
  level: DuplicateLevel;
  radius: number;
  /** Groups. */
  total: number;
  /** Images in all groups beside those that are kept. */
  others: number;
  offset: number;
  groups: DuplicateGroup[];
}

export interface Verdict {
  a: number;
  b: number;
  duplicate: boolean;
}
