import { TresseError } from '@tresse/kit';

import { tresseCommand } from './command.ts';

try {
  await tresseCommand().parseAsync();
} catch (error) {
  if (!(error instanceof TresseError) || error.fault === 'bug') throw error;
  console.error(error.message);
  process.exitCode = 1;
}
