import {
  get,
  lockStateDirectory,
  type LogLevel,
  makeLog,
  onCrash,
  openStateDirectory,
  readConfiguration,
  requireIdentity,
  requireRoot,
  serveApi,
  untilSignal,
} from '@tresse/daemon';
import { type BoxConfig, boxConfig, type BoxFile } from '@tresse/schema';

import { Box } from './box.ts';
import { withRelayOrNone } from './pairing-file.ts';
import { PairingWatch } from './pairing-watch.ts';

/**
 * `tresse box run`: bonds until told to end. A box that knows no relay yet goes on as one whose relay is not reached, until it is
 * paired. Throws UserErrors for what the person can mend.
 */
export async function runBox(options: {
  state: string;
  config: string;
  logLevel: LogLevel;
  rekeyEveryMs?: number;
}): Promise<void> {
  const log = makeLog(options.logLevel);
  const file: BoxFile = readConfiguration(options.config, boxConfig, 'tresse box init');
  requireRoot('tresse box run');
  const directory = openStateDirectory(options.state);
  const identity = requireIdentity(directory, 'tresse box init');
  const config = withRelayOrNone(file, directory);
  const unlock = lockStateDirectory(directory);
  const signalled = untilSignal();
  const boxFor = (wanted: BoxConfig): Box => new Box(wanted, identity, directory, log, options.rekeyEveryMs);
  let box = boxFor(config);
  const pairings = new PairingWatch(file, directory, log, () => box.hurry());
  // What is left in the kernel refuses the LAN's connections at once, and is mended by the next start.
  onCrash(log, () => process.exit(1));
  /** Returns the configuration of another relay to bond with next, or undefined when told to end. */
  const bond = async ({ relay }: BoxConfig): Promise<BoxConfig | undefined> => {
    log.info('the box runs', { pin: identity.pin, relay: relay.addresses.join(','), port: relay.port });
    const next = await Promise.race([signalled, pairings.other(relay)]);
    if (typeof next !== 'string') return next;
    log.info('ending', { signal: next });
    return undefined;
  };
  const bondOn = async (next: BoxConfig): Promise<void> => {
    const other = await bond(next);
    await box.stop();
    if (!other) return;
    box = boxFor(other);
    await box.start();
    await bondOn(other);
  };
  try {
    await box.start();
    const closeApi = await serveApi(directory, [get('/v1/status', () => box.status())], log).catch(
      async (error: unknown) => {
        await box.stop();
        throw error;
      },
    );
    try {
      await bondOn(config);
    } finally {
      await closeApi();
    }
  } finally {
    pairings.stop();
    unlock();
  }
}
