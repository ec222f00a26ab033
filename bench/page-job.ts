/** What the program that looks at the page is given, and what it answers. */

export interface PageJob {
  readonly url: string;
  /** What the browser calls it. */
  readonly origin: string;
  /** Messages that the page receives for the two looks at its memory. */
  readonly received: readonly [number, number];
  /** Messages that are loaded in the page when it is measured with a long room. */
  readonly loaded: number;
  readonly liveMs: number;
}

export interface PageFigures {
  readonly short: Live;
  readonly long: Live;
  readonly echoes: readonly Echo[];
  readonly burst: { readonly tasks: number; readonly long: number; readonly longestMs: number };
  /** At the two looks. */
  readonly heapBytes: readonly [number, number];
}

/** At so many messages a second. */
export interface Live {
  readonly cpuMsPerMessage: number;
  readonly bytesPerMessage: number;
  readonly paintMs: readonly number[];
}

/** One's own words, from the click. */
export interface Echo {
  /** Frames that it took: the next one is the first. */
  readonly frames: number;
  readonly ms: number;
}
