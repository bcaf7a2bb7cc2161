/** A line of text to whoever runs the bench. */
export function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

/** Prints a table: the first column to the left, the others to the right. Rows may be shorter than the head. */
export function printTable(title: string, head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((cell, i) => Math.max(cell.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    head.map((_, i) => (i === 0 ? row[i]?.padEnd(widths[i] ?? 0) : (row[i] ?? '').padStart(widths[i] ?? 0))).join('  ');
  say(`\n${title}`);
  say(`  ${line(head)}`);
  for (const row of rows) say(`  ${line(row)}`);
}

/** A figure with so many significant digits as are worth reading; `-` where there is none. */
export function shown(figure: number): string {
  if (!Number.isFinite(figure)) return '-';
  const size = Math.abs(figure);
  return figure.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

/** How many times `figure` is `of`. */
export function ratio(figure: number, of: number): string {
  const times = figure / of;
  return Number.isFinite(times) ? `${times.toFixed(2)}x` : '-';
}
