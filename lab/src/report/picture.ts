import type { LineSpec } from '../scenario/scenario.ts';
import { bytesText, rateText } from './figures.ts';

/** What the live picture shows. */
export interface PictureState {
  readonly title: string;
  /** What is being done now. */
  readonly phase: string;
  readonly lines: readonly PictureLine[];
  /** Bytes of the transfer under way, and of how many. */
  readonly progress: { bytes: number; of: number } | undefined;
  /** The newest last. */
  readonly events: readonly string[];
}

interface PictureLine {
  readonly spec: LineSpec;
  /** Empty while the line is well. */
  readonly trouble: string;
  readonly downBps: number;
  readonly upBps: number;
}

const downCells = 28;
const upCells = 10;
const eventsShown = 4;

/** The picture as lines of text, none wider than `columns`. */
export function drawPicture(state: PictureState, columns: number): string[] {
  const nameWidth = Math.max(5, ...state.lines.map((line) => line.spec.name.length));
  const kindWidth = Math.max(0, ...state.lines.map((line) => line.spec.kind.length));
  const rows = state.lines.map((line) => {
    const head = ` ${line.spec.name.padEnd(nameWidth)} ${line.spec.kind.padEnd(kindWidth)} `;
    if (line.trouble !== '') return `${head} ╳ ${line.trouble}`;
    const down = `↓ ${bar(line.downBps / line.spec.down.rateBps, downCells)} ${rateText(line.downBps).padStart(12)}`;
    const up = `↑ ${bar(line.upBps / line.spec.up.rateBps, upCells)} ${rateText(line.upBps).padStart(12)}`;
    return `${head} ${down}  ${up}`;
  });
  const total = (of: 'downBps' | 'upBps'): string =>
    rateText(state.lines.reduce((sum, line) => sum + line[of], 0)).padStart(12);
  const gap = ' '.repeat(nameWidth + kindWidth + 3);
  const text = [
    state.title,
    ` ${state.phase}`,
    ...rows,
    `${' total'.padEnd(gap.length)} ↓ ${' '.repeat(downCells)} ${total('downBps')}  ↑ ${' '.repeat(upCells)} ${total('upBps')}`,
    ...(state.progress ? [` ${progressText(state.progress)}`] : []),
    ...state.events.slice(-eventsShown).map((event) => ` · ${event}`),
  ];
  return text.map((line) => Array.from(line).slice(0, columns).join(''));
}

const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉'];

/** A bar of that many cells, filled to the ratio in steps of an eighth of a cell. */
export function bar(ratio: number, cells: number): string {
  const parts = Math.round(Math.min(1, Math.max(0, ratio)) * cells * 8);
  const full = Math.floor(parts / 8);
  return `${'█'.repeat(full)}${eighths[parts % 8] ?? ''}`.padEnd(cells, '░');
}

function progressText({ bytes, of }: { bytes: number; of: number }): string {
  const ratio = of === 0 ? 0 : bytes / of;
  return `${bar(ratio, downCells)} ${bytesText(bytes)} of ${bytesText(of)}, ${Math.floor(ratio * 100)} %`;
}
