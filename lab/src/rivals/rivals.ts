/**
 * What every result is held against, all of it in this file and printed with each report: the lines one at a time by plain TCP,
 * and the kernel's own multipath TCP over all of them.
 */
export interface RivalSettings {
  /** Wished for; a report tells the one that was used, where the kernel has no bbr. */
  readonly congestionControl: string;
  readonly singleSeconds: number;
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

/** The rivals' settings; `short` measures each line for two seconds instead of eight. */
export function rivalSettings(short: boolean): RivalSettings {
  return {
    congestionControl: 'bbr',
    singleSeconds: short ? 2 : 8,
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
