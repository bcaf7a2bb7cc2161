import type { DaemonStatus, PathStatus, SessionStatus, UplinkStatus, Verdict } from '@tresse/schema';

import { type Paint, plain, type Tone } from './paint.ts';
import { publishedRows } from './published-text.ts';
import { showAge, showDelay, showRate } from './quantity.ts';
import { detailLines } from './status-details.ts';
import { table } from './table.ts';

/** How a status is shown. */
export interface StatusLook {
  readonly paint?: Paint;
  /** Adds addresses, paths and counters. */
  readonly details?: boolean;
}

/**
 * A daemon's status as text for people: what it is doing, then warnings, then every line or box with its state and the reason,
 * then where other traffic goes.
 */
export function statusText(status: DaemonStatus, { paint = plain, details = false }: StatusLook = {}): string {
  const lines = [
    `${paint(toneOf(status), sentence(status.summary))} ${paint('faint', `(Tresse ${status.kind}, running for ${showAge(status.uptimeS)})`)}`,
    ...status.warnings.map((warning) => `${paint('fair', 'Warning:')} ${sentence(warning)}`),
    ...(status.kind === 'box' ? boxLines(status, paint) : relayLines(status, paint)),
    ...publishedLines(status, paint),
    ...routeLines(status, paint),
    ...(details ? detailLines(status) : []),
  ];
  return `${lines.join('\n')}\n`;
}

const sentence = (words: string): string => `${words.slice(0, 1).toUpperCase()}${words.slice(1)}.`;

/** All is well where all that should carry does. */
function toneOf(status: DaemonStatus): Tone {
  if (status.kind === 'relay') return 'strong';
  const wanted = status.uplinks.filter((one) => one.verdict !== 'disabled');
  const up = wanted.filter((one) => one.verdict === 'up');
  if (up.length === 0) return 'bad';
  return up.length === wanted.length ? 'good' : 'fair';
}

const toneOfVerdict: Readonly<Record<Verdict, Tone>> = {
  up: 'good',
  degraded: 'fair',
  captive: 'fair',
  down: 'bad',
  disabled: 'faint',
};

function boxLines(status: DaemonStatus, paint: Paint): string[] {
  const { uplinks, sessions } = status;
  if (uplinks.length === 0) return [];
  const [head = '', ...rows] = table([
    ['LINE', 'STATE', 'FOR', ...rateHeads, 'WHY'],
    ...uplinks.map((one) => [
      one.name,
      one.verdict,
      one.sinceS === undefined ? '-' : showAge(one.sinceS),
      ...rateCells(one.verdict === 'down' ? undefined : one.path),
      whyOf(one),
    ]),
  ]);
  return [
    '',
    paint('faint', head),
    ...rows.map((row, index) => painted(row, uplinks[index], paint)),
    '',
    ...sessions.map((session) => streamWords(session)),
    ...tunnelWords(status),
    directWords(uplinks),
  ];
}

const udpWords = {
  open: '',
  blocked: '; UDP is blocked there and goes by TCP',
  limited: '; UDP is held down there and goes by TCP',
};

const whyOf = ({ reason, path }: UplinkStatus): string => reason + udpWords[path?.udp ?? 'open'];

/** The state's word in its colour; columns are laid out before, by what is seen. */
function painted(row: string, uplink: UplinkStatus | undefined, paint: Paint): string {
  if (!uplink) return row;
  const { verdict, name } = uplink;
  return row.slice(0, name.length) + row.slice(name.length).replace(verdict, paint(toneOfVerdict[verdict], verdict));
}

const rateHeads = ['DOWN', 'UP', 'RTT'];

function rateCells(path: PathStatus | undefined): string[] {
  if (!path) return ['-', '-', '-'];
  return [showRate(path.rateDownBps), showRate(path.rateUpBps), showDelay(path.rttMs)];
}

function tunnelWords({ tunnel }: DaemonStatus): string[] {
  if (tunnel === 'carries') return ['UDP and everything else that is no TCP goes through the relay too.'];
  return tunnel === 'waiting' ? ['What is no TCP is held back until it is known whether it reaches the relay.'] : [];
}

function directWords(uplinks: readonly UplinkStatus[]): string {
  // One for each family, which may be two lines.
  const direct = uplinks.filter((one) => one.direct).map((one) => one.name);
  return direct.length > 0
    ? `What does not go through the relay leaves by ${direct.join(' and ')}.`
    : 'What does not go through the relay cannot leave: no line can send.';
}

function streamWords({ streams }: SessionStatus): string {
  return streams === 1 ? '1 stream is open.' : `${streams === 0 ? 'No' : streams} streams are open.`;
}

function relayLines(status: DaemonStatus, paint: Paint): string[] {
  if (status.sessions.length === 0) return [];
  const [head = '', ...rows] = table([
    ['BOX', 'PATHS UP', 'STREAMS', ...rateHeads],
    ...status.sessions.map((session) => {
      const up = session.paths.filter((path) => path.state === 'up');
      return [
        session.peer,
        `${up.length} of ${session.paths.length}`,
        String(session.streams),
        showRate(sum(session.paths.map((path) => path.rateDownBps))),
        showRate(sum(session.paths.map((path) => path.rateUpBps))),
        showDelay(Math.min(...up.map((path) => path.rttMs), Infinity)),
      ];
    }),
  ]);
  return ['', paint('faint', head), ...rows];
}

/** The ports that lead to LANs; what does not work stands out. */
function publishedLines({ published }: DaemonStatus, paint: Paint): string[] {
  const [head, ...rows] = publishedRows(published);
  if (head === undefined) return [];
  return [
    '',
    paint('faint', head),
    ...rows.map((row, i) => (published[i]?.works === false ? paint('fair', row) : row)),
  ];
}

/** Routes between LANs and networks behind the relay, each with what of it is not so. */
function routeLines({ routes }: DaemonStatus, paint: Paint): string[] {
  if (routes.length === 0) return [];
  const lines = routes.flatMap(({ box, networks, lan, faults }) => {
    const whose = box === undefined ? 'hosts of the LAN' : `hosts of ${box}`;
    const back = lan.length === 0 ? '' : `, and hosts there reach ${lan.join(', ')}`;
    const way = networks.length === 0 ? [] : [sentence(`${whose} reach ${networks.join(', ')}${back}`)];
    return [...way, ...faults.map((fault) => paint('fair', sentence(fault)))];
  });
  return ['', ...lines];
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}
