import { sentenceOf, TresseError } from '@tresse/kit';

import { labCommand } from './index.ts';

try {
  await labCommand().parseAsync(process.argv);
} catch (error) {
  // A person's mistake or the machine's refusal is a sentence; only our own mistakes need the stack.
  const ours = !(error instanceof TresseError) || error.fault === 'bug';
  process.stderr.write(`${ours && error instanceof Error ? (error.stack ?? error.message) : sentenceOf(error)}\n`);
  process.exitCode = error instanceof TresseError && error.code === 'INTERRUPTED' ? 130 : 1;
}
