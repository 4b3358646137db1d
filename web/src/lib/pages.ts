// The images of a long list, fetched in pages as they come into view; the pages seen last are kept, the others forgotten.
import { api, asProblem, wasAborted, type Problem } from '../api/client';
import type { StoredImage } from '../api/types';

export const kPageSize = 120;
const kKeptPages = 60;

export class ImagePages {
  private pages = new Map<number, StoredImage[]>(); // in the order of last use
  private outdated = new Map<number, StoredImage[]>(); // shown until their successors are there
  private readonly running = new Map<number, AbortController>();
  private wanted: [first: number, last: number] = [0, -1];
  private timer: ReturnType<typeof setTimeout> | undefined;
  problem: Problem | undefined;
  total: number | undefined;

  constructor(
    private readonly label: string | undefined,
    private readonly changed: () => void,
    private readonly delay = 70,
  ) {}

  get(index: number): StoredImage | undefined {
    const page = Math.floor(index / kPageSize);
    return (this.pages.get(page) ?? this.outdated.get(page))?.[index % kPageSize];
  }

  /** Asks for the images [first, end), and gives up what is under way elsewhere. Waits a moment: who drags the bar passes by. */
  want(first: number, end: number): void {
    this.wanted = [Math.floor(first / kPageSize), Math.floor(Math.max(first, end - 1) / kPageSize)];
    for (const [page, controller] of this.running) {
      if (page < this.wanted[0] || page > this.wanted[1]) {
        controller.abort();
        this.running.delete(page);
      }
    }
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.fetchWanted(), this.total === undefined ? 0 : this.delay);
  }

  /** Others have changed the list: everything is asked for again once it is in sight. */
  refresh(): void {
    this.close();
    // What is not answered yet of an earlier refresh is still shown; of far more than is kept, the oldest go.
    this.outdated = new Map([...this.outdated, ...this.pages].slice(-kKeptPages));
    this.pages = new Map();
    this.fetchWanted();
  }

  retry(): void {
    this.problem = undefined;
    this.changed();
    this.fetchWanted();
  }

  close(): void {
    clearTimeout(this.timer);
    for (const controller of this.running.values()) controller.abort();
    this.running.clear();
  }

  private fetchWanted(): void {
    if (this.problem) return; // until somebody tries again
    for (let page = this.wanted[0]; page <= this.wanted[1]; page++) {
      const known = this.pages.get(page);
      if (known) {
        this.pages.delete(page);
        this.pages.set(page, known);
      } else if (!this.running.has(page)) {
        void this.fetch(page);
      }
    }
  }

  private async fetch(page: number): Promise<void> {
    const controller = new AbortController();
    this.running.set(page, controller);
    // Where the page before is known, the service can go on from its last id; that costs it less than counting from the start.
    const before = this.pages.get(page - 1);
    const from = before?.length === kPageSize ? { after: before[kPageSize - 1]!.id } : { offset: page * kPageSize };
    try {
      const answer = await api.images({ ...from, limit: kPageSize, label: this.label }, controller.signal);
      this.total = answer.total;
      this.pages.set(page, answer.images);
      this.outdated.delete(page);
      for (const [old] of this.pages) {
        if (this.pages.size <= kKeptPages) break;
        this.pages.delete(old);
      }
    } catch (error) {
      if (wasAborted(error)) return;
      this.problem = asProblem(error);
    } finally {
      if (this.running.get(page) === controller) this.running.delete(page);
    }
    if (!controller.signal.aborted) this.changed();
  }
}
