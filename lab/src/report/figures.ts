/** Figures as people read them. */

/** `142.9 Mbit/s`, `967 kbit/s`. */
export function rateText(bitsPerSecond: number): string {
  if (bitsPerSecond >= 1e6) return `${(bitsPerSecond / 1e6).toFixed(bitsPerSecond >= 1e8 ? 0 : 1)} Mbit/s`;
  return `${(bitsPerSecond / 1e3).toFixed(0)} kbit/s`;
}

/** `99.5 %`, or a dash where there is no figure. */
export function shareText(ratio: number | null): string {
  return ratio === null ? '-' : `${(ratio * 100).toFixed(1)} %`;
}

/** `100 MB`, `64 MiB`, `30 kB`: the unit in which the number is round, otherwise the nearest decimal one. */
export function bytesText(bytes: number): string {
  if (bytes > 0 && bytes % 1_048_576 === 0) return `${bytes / 1_048_576} MiB`;
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  if (bytes >= 1e6) return `${(bytes / 1e6).toFixed(bytes % 1e6 === 0 ? 0 : 1)} MB`;
  return `${(bytes / 1e3).toFixed(0)} kB`;
}

/** `5.41 s`. */
export function secondsText(seconds: number): string {
  return `${seconds.toFixed(2)} s`;
}
