import { TresseError } from '@tresse/kit';

import { tresseCommand } from './command.ts';

try {
  await tresseCommand().parseAsync();
} catch (error) {
  if (!(error instanceof TresseError) || error.fault === 'bug') throw error;
  console.error(error.message);
  // As that of the daemons: 2 is what the person can mend.
  process.exitCode = error.fault === 'user' ? 2 : 1;
}
