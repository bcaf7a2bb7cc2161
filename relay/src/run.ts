import {
  lockStateDirectory,
  type LogLevel,
  makeLog,
  onCrash,
  openStateDirectory,
  readConfiguration,
  requireIdentity,
  serveApi,
  untilSignal,
} from '@tresse/daemon';
import { type RelayConfig, relayConfig } from '@tresse/schema';

import { Relay } from './relay.ts';
import { relayRoutes } from './routes.ts';

/** `tresse relay run`: serves until told to end. Throws UserErrors for what the person can mend. */
export async function runRelay(options: { state: string; config: string; logLevel: LogLevel }): Promise<void> {
  const log = makeLog(options.logLevel);
  const config: RelayConfig = readConfiguration(options.config, relayConfig, 'tresse relay init');
  const directory = openStateDirectory(options.state);
  const identity = requireIdentity(directory, 'tresse relay init');
  const unlock = lockStateDirectory(directory);
  const signalled = untilSignal();
  onCrash(log, () => process.exit(1));
  try {
    const relay = new Relay(config, identity, directory, log);
    await relay.start();
    const closeApi = await serveApi(directory, relayRoutes(relay), log).catch(async (error: unknown) => {
      await relay.stop();
      throw error;
    });
    log.info('ending', { signal: await signalled });
    try {
      await relay.stop();
    } finally {
      await closeApi();
    }
  } finally {
    unlock();
  }
}
