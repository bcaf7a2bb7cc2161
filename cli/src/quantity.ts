const rateUnits = [
  [1e9, 'Gbit/s'],
  [1e6, 'Mbit/s'],
  [1e3, 'kbit/s'],
] as const;

const sizeUnits = [
  [1e9, 'GB'],
  [1e6, 'MB'],
  [1e3, 'kB'],
] as const;

/** A rate in bits per second, as people say it. */
export function showRate(bps: number): string {
  return scaled(bps, rateUnits, 'bit/s');
}

/** A size in octets, as people say it. */
export function showSize(bytes: number): string {
  return scaled(bytes, sizeUnits, 'B');
}

/** A time in milliseconds; a dash where it is not known. */
export function showDelay(ms: number): string {
  if (ms <= 0 || !Number.isFinite(ms)) return '-';
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** A share, 0 to 1, as people say it. */
export function showShare(share: number): string {
  const percent = 100 * share;
  return `${percent > 0 && percent < 9.95 ? percent.toFixed(1) : Math.round(percent)} %`;
}

/** A time in seconds, in its two largest units; `1 h`, not `1 h 0 min`. */
export function showAge(seconds: number): string {
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3_600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'min'],
    [Math.floor(seconds) % 60, 's'],
  ] as const;
  const first = parts.findIndex(([count]) => count > 0);
  if (first < 0) return '0 s';
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

function scaled(value: number, units: readonly (readonly [number, string])[], base: string): string {
  const [factor, unit] = units.find(([least]) => value >= least) ?? [1, base];
  const number = value / factor;
  return `${number < 10 && factor > 1 ? number.toFixed(1) : Math.round(number)} ${unit}`;
}
