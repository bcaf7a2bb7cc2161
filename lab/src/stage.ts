import { plainDirection } from '@tresse/sim';

import type { Emulator } from './emulator/index.ts';
import { startEmulator } from './emulator/index.ts';
import { ServerProcess } from './internet/server-process.ts';
import { Content } from './measure/content.ts';
import { UploadFiles } from './measure/upload-files.ts';
import { addresses, LabNames, ports } from './network/addresses.ts';
import { Internet } from './network/internet.ts';
import { Operators } from './operator/operators.ts';
import { kernelMultipath } from './rivals/kernel-multipath.ts';
import type { LineSpec } from './scenario/scenario.ts';

/** What a run is set on: the little internet, its file servers and what they serve. */
export interface Stage {
  readonly names: LabNames;
  readonly lines: readonly LineSpec[];
  /** Files of this run. */
  readonly folder: string;
  /** Of what the servers serve. */
  readonly seed: number;
  readonly emulator: Emulator;
  readonly internet: Internet<Emulator>;
  readonly operators: Operators;
  readonly server: ServerProcess;
  /** The same files by MPTCP; undefined where the kernel has none, which `why` says. */
  readonly multipath: { server: ServerProcess } | { why: string };
  readonly content: Content;
  readonly uploads: UploadFiles;
}

export interface StageOrder {
  readonly names: LabNames;
  readonly lines: readonly LineSpec[];
  /** One way between the relay and the far host, where there is to be one. */
  readonly farMs?: number | undefined;
  /** The box forwards IPv6 before Tresse is started. */
  readonly ipv6Router?: boolean | undefined;
  readonly seed: number;
  /** Files of this run. */
  readonly folder: string;
  readonly onFault: (sentence: string) => void;
}

/** Sets the stage. Takes down what it had set up where it throws (SystemError, CommandError). */
export async function setStage(order: StageOrder): Promise<Stage> {
  const { names, lines, seed, folder } = order;
  const internet = await Internet.build(
    names,
    lines,
    (ends) =>
      startEmulator(
        ends.map(({ spec, box, operator }) => ({ name: spec.name, box, operator, down: spec.down, up: spec.up })),
        seed,
        order.onFault,
      ),
    { far: order.farMs === undefined ? undefined : farWire(order.farMs), ipv6Router: order.ipv6Router },
  );
  const servers: ServerProcess[] = [];
  try {
    const operators = await Operators.start(names, lines);
    const content = new Content(seed);
    const uploads = new UploadFiles(folder, content);
    const listen = { address: addresses.internetHost, port: ports.plain, seed };
    const bothFamilies = lines.some((line) => line.ipv6);
    const server = await ServerProcess.start(names.inet, { ...listen, bothFamilies });
    servers.push(server);
    const kernel = kernelMultipath();
    let multipath: Stage['multipath'] = { why: kernel.can ? '' : kernel.why };
    if (kernel.can) {
      const wrapper = ['mptcpize', 'run'];
      multipath = { server: await ServerProcess.start(names.inet, { ...listen, port: ports.multipath, wrapper }) };
      servers.push(multipath.server);
    }
    return {
      names,
      lines,
      folder,
      seed,
      emulator: internet.driver,
      internet,
      operators,
      server,
      multipath,
      content,
      uploads,
    };
  } catch (error) {
    await Promise.all(servers.map((server) => server.stop()));
    await internet.destroy();
    throw error;
  }
}

/** The wire behind the relay: delay and nothing else, as fast as the emulator can be. */
function farWire(delayMs: number): LineSpec {
  const way = { ...plainDirection, rateBps: 1e9, delayMs };
  return { name: 'far wire', kind: 'wire', down: way, up: way };
}

/** Takes everything away. */
export async function strikeStage(stage: Stage): Promise<void> {
  await Promise.all([stage.server.stop(), 'server' in stage.multipath ? stage.multipath.server.stop() : undefined]);
  await stage.operators.stop();
  await stage.internet.destroy();
  stage.uploads.remove();
}
