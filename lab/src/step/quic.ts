import { dirname, join, basename } from 'node:path';

import { QuicServer } from '../internet/quic-server.ts';
import { fetchByQuic, type QuicFetch } from '../measure/quic-fetch.ts';
import { addresses, isRelay, ports } from '../network/addresses.ts';
import { limited, type Check, type StepReport, truth } from '../report/report.ts';
import type { QuicStep } from '../scenario/scenario.ts';
import { blankReport } from './blank-report.ts';
import { beginEvents } from './events-shown.ts';
import type { PlayedStep, StepScene } from './play-step.ts';

/** A download that takes five times what the lines allow has got stuck. */
const patience = 5;
const patienceMsMin = 20_000;

/** Downloads by HTTP/3, and judges it. Rejects only where the lab itself fails. */
export async function playQuic(scene: StepScene, step: QuicStep, index: number): Promise<PlayedStep> {
  const { stage, show } = scene;
  const label = step.name ?? step.kind;
  show.phase(label, step.bytes);
  const served = stage.uploads.of(step.bytes);
  const folder = join(stage.folder, 'quic');
  const server = await QuicServer.start(stage.names.inet, ports.quic, dirname(served), folder);
  const meanwhile = await beginEvents(scene, [], String(index));
  const rateBps = stage.lines.reduce((sum, line) => sum + line.down.rateBps, 0);
  const fetched = await fetchByQuic({
    netns: stage.names.lan,
    address: addresses.internetHost,
    port: ports.quic,
    file: basename(served),
    content: stage.content,
    folder,
    patienceMs: patienceMsMin + (patience * step.bytes * 8_000) / rateBps,
    onBytes: (bytes) => show.progress(bytes),
  });
  await meanwhile.end();
  await server.stop();
  const report = reportOf(scene, step, fetched, meanwhile.watch.shares('down'));
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
      ...quicChecks(step, report, label),
    ],
  };
}

function reportOf(
  { rivals, countedFromSecond }: StepScene,
  step: QuicStep,
  { startMs, arrivals, sha256 }: QuicFetch,
  shares: StepReport['shares'],
): StepReport {
  const seconds = ((arrivals.lastMs ?? startMs) - startMs) / 1_000;
  const goodput = arrivals.rateFromBps(startMs + countedFromSecond * 1_000);
  const counted = goodput > 0 && seconds > countedFromSecond * 1.5;
  const sumBps = rivals.sum.downBitsPerSecond;
  const bestBps = Math.max(0, ...rivals.singles.map((single) => single.downBitsPerSecond));
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
    quic: { ofBest: counted && bestBps > 0 ? goodput / bestBps : null },
  };
}

function quicChecks({ limits }: QuicStep, report: StepReport, label: string): Check[] {
  return [
    ...limited(`${label}: share of the sum`, report.ofSum, 'min', limits.ofSumMin),
    ...limited(`${label}: of the best line alone`, report.quic?.ofBest ?? null, 'min', limits.ofBestMin),
    ...limited(`${label}: longest stall in ms`, report.stallMsMax, 'max', limits.stallMsMax),
  ];
}
