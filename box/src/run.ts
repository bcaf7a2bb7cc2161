import {
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
import { type BoxConfig, boxConfig } from '@tresse/schema';

import { Box } from './box.ts';

/** `tresse box run`: bonds until told to end. Throws UserErrors for what the person can mend. */
export async function runBox(options: {
  state: string;
  config: string;
  logLevel: LogLevel;
  rekeyEveryMs?: number;
}): Promise<void> {
  const log = makeLog(options.logLevel);
  const config: BoxConfig = readConfiguration(options.config, boxConfig, 'tresse box init');
  requireRoot('tresse box run');
  const directory = openStateDirectory(options.state);
  const identity = requireIdentity(directory, 'tresse box init');
  const unlock = lockStateDirectory(directory);
  const signalled = untilSignal();
  const box = new Box(config, identity, directory, log, options.rekeyEveryMs);
  // What is left in the kernel refuses the LAN's connections at once, and is mended by the next start.
  onCrash(log, () => process.exit(1));
  try {
    await box.start();
    const closeApi = await serveApi(directory, () => box.status(), log);
    log.info('the box runs', { pin: identity.pin, relay: config.relay.addresses.join(','), port: config.relay.port });
    log.info('ending', { signal: await signalled });
    await closeApi();
    await box.stop();
  } finally {
    unlock();
  }
}
