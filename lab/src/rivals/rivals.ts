/**
 * What every result is held against, all of it in this file and printed with each report: the lines one at a time by plain TCP,
 * and the kernel's own multipath TCP over all of them.
 */
export interface RivalSettings {
  /** Wished for; a report tells the one that was used, where the kernel has no bbr. */
  readonly congestionControl: string;
  readonly singleSeconds: number;
  /** A slow line is measured until it could carry so much: what the first second held up counts in the next, and flatters a short measurement. */
  readonly singleBytesMin: number;
  /** ... for no longer than this. */
  readonly singleSecondsMax: number;
  /** Figures count from here to the last byte, for rivals and for Tresse alike. */
  readonly countedFromSecond: number;
  readonly singles: string;
  readonly mptcp: {
    readonly subflows: number;
    readonly bufferBytesMax: number;
    readonly blackholeTimeoutSeconds: number;
    readonly client: string;
  };
}

/** The rivals' settings; `short` measures each line for a quarter of the time. */
export function rivalSettings(short: boolean): RivalSettings {
  return {
    congestionControl: 'bbr',
    singleSeconds: short ? 2 : 8,
    singleBytesMin: short ? 400_000 : 1_500_000,
    singleSecondsMax: short ? 5 : 20,
    countedFromSecond: 1,
    singles: 'plain TCP by curl from the LAN host through each uplink alone, without Tresse',
    mptcp: {
      subflows: 8,
      bufferBytesMax: 33_554_432,
      blackholeTimeoutSeconds: 0,
      client: 'curl under mptcpize in the box, over all uplinks',
    },
  };
}
