/** A worker that moves into a network namespace and tells where it is. */
import { readlinkSync } from 'node:fs';

import { enterNetns } from '../../src/netns.ts';
import { runWorker } from '../../src/worker-context.ts';

runWorker<never, string, string>((context) => {
  enterNetns(context.data);
  context.post(readlinkSync('/proc/thread-self/ns/net'));
});
