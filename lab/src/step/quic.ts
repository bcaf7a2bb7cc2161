import { basename, dirname, join } from 'node:path';

import { QuicServer } from '../internet/quic-server.ts';
import { fetchByQuic, type QuicFetch } from '../measure/quic-fetch.ts';
import { addresses, isRelay, ports } from '../network/addresses.ts';
import { limited, type StepReport, truth } from '../report/report.ts';
import { openDirectRoute } from '../rivals/direct-routes.ts';
import type { QuicStep } from '../scenario/scenario.ts';
import type { Stage } from '../stage.ts';
import { blankReport } from './blank-report.ts';
import { beginEvents } from './events-shown.ts';
import { bestLine } from './pairs.ts';
import type { PlayedStep, StepScene } from './play-step.ts';

/** A download that takes five times what the lines allow has got stuck. */
const patience = 5;
const patienceMsMin = 20_000;
/** What the direct one is to last at the line's rate, where the other is longer. */
const directSeconds = 6;

/** Downloads by HTTP/3, then the same directly over the best line, and judges the first. Rejects only where the lab itself fails. */
export async function playQuic(scene: StepScene, step: QuicStep, index: number): Promise<PlayedStep> {
  const { stage, show } = scene;
  const label = step.name ?? step.kind;
  const served = stage.uploads.of(step.bytes);
  const server = await QuicServer.start(stage.names.inet, ports.quic, dirname(served), folderOf(stage));
  show.phase(label, step.bytes);
  const meanwhile = await beginEvents(scene, [], String(index));
  const fetched = await fetchOver(stage, stage.names.lan, step.bytes, (bytes) => show.progress(bytes));
  await meanwhile.end();
  show.phase(`${label}, directly`);
  const direct = await fetchDirectly(stage, step);
  await server.stop();
  const report = reportOf(scene, step, { fetched, direct, shares: meanwhile.watch.shares('down') });
  const share = report.ofSum === null ? '' : `, ${(report.ofSum * 100).toFixed(1)} % of the sum`;
  show.say(`${label}: ${report.seconds.toFixed(2)} s${share}, longest stall ${report.stallMsMax.toFixed(0)} ms`);
  const [request] = server.requests;
  return {
    report,
    checks: [
      truth(
        `${label}: bytes and checksum right`,
        report.bytes === step.bytes && fetched.sha256 === stage.content.sha256(step.bytes),
        fetched.wrongAt >= 0
          ? `wrong from byte ${fetched.wrongAt} on`
          : `${report.bytes} of ${step.bytes} bytes came (status ${fetched.status}: ${fetched.complaint})`,
      ),
      truth(
        `${label}: by HTTP/3, seen from the address of the relay`,
        request?.protocol === 'HTTP/3.0' && isRelay(request.from),
        `the server saw ${request ? `${request.protocol} from ${request.from}` : 'nobody'}`,
      ),
      ...limited(`${label}: share of the sum`, report.ofSum, 'min', step.limits.ofSumMin),
      ...limited(`${label}: of the same directly`, report.quic?.ofDirect ?? null, 'min', step.limits.ofDirectMin),
      ...limited(`${label}: longest stall in ms`, report.stallMsMax, 'max', step.limits.stallMsMax),
    ],
  };
}

const folderOf = (stage: Stage): string => join(stage.folder, 'quic');

async function fetchOver(
  stage: Stage,
  netns: string,
  bytes: number,
  onBytes: (bytes: number) => void = () => {},
): Promise<QuicFetch> {
  const bestBps = stage.lines[bestLine(stage.lines, 'down')]?.down.rateBps ?? 0;
  return await fetchByQuic({
    netns,
    address: addresses.internetHost,
    port: ports.quic,
    file: basename(stage.uploads.of(bytes)),
    content: stage.content,
    folder: folderOf(stage),
    patienceMs: patienceMsMin + (patience * bytes * 8_000) / bestBps,
    onBytes,
  });
}

/** By the box itself over the best line, where Tresse leaves it alone. */
async function fetchDirectly(stage: Stage, step: QuicStep): Promise<QuicFetch> {
  const line = bestLine(stage.lines, 'down');
  const bytes = Math.round(((stage.lines[line]?.down.rateBps ?? 0) / 8) * directSeconds);
  const close = await openDirectRoute(stage, line, true);
  const direct = await fetchOver(stage, stage.names.box, Math.min(step.bytes, bytes));
  await close();
  return direct;
}

/** What was seen: through Tresse, directly, and what each line carried of the first. */
interface Seen {
  readonly fetched: QuicFetch;
  readonly direct: QuicFetch;
  readonly shares: StepReport['shares'];
}

function reportOf(
  { rivals, countedFromSecond }: StepScene,
  step: QuicStep,
  { fetched, direct, shares }: Seen,
): StepReport {
  const { startMs, arrivals, sha256 } = fetched;
  const seconds = ((arrivals.lastMs ?? startMs) - startMs) / 1_000;
  const goodputOf = (one: QuicFetch): number => one.arrivals.rateFromBps(one.startMs + countedFromSecond * 1_000);
  const goodput = goodputOf(fetched);
  const directBps = goodputOf(direct);
  const counted = goodput > 0 && seconds > countedFromSecond * 1.5;
  const sumBps = rivals.sum.downBitsPerSecond;
  const gap = arrivals.longestGap();
  const slowestBps = counted ? arrivals.slowestSecondBps(startMs + 2_000) : undefined;
  return {
    ...blankReport('quic', step.name, seconds),
    bytes: arrivals.bytes,
    goodputBitsPerSecond: counted ? goodput : null,
    ofSum: counted && sumBps > 0 ? goodput / sumBps : null,
    slowestSecondOfSum: slowestBps === undefined || sumBps === 0 ? null : slowestBps / sumBps,
    firstByteMs: (arrivals.firstMs ?? startMs) - startMs,
    stallMsMax: gap.ms,
    stallAtSeconds: gap.ms === 0 ? 0 : (gap.fromMs - startMs) / 1_000,
    shares,
    sha256,
    quic: { directBitsPerSecond: directBps, ofDirect: counted && directBps > 0 ? goodput / directBps : null },
  };
}
