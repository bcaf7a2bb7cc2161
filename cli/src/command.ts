import { Command } from 'commander';

import { askStatus } from './ask.ts';
import { statusText } from './status-text.ts';

/** The rooms with commands of their own, which `bin/tresse` starts itself. */
const others = `
Other commands:
  box init | run      the router that bonds the lines of a household (tresse box --help)
  relay init | run    the far end of the bond, on a server (tresse relay --help)
  lab list | run      try everything on this one machine (tresse lab --help)
`;

/** The command line of \`tresse\`, but for what other rooms own. */
export function tresseCommand(): Command {
  const program = new Command('tresse')
    .description('Turns several internet lines into one.')
    .addHelpText('after', others)
    .helpCommand(false);
  program
    .command('status')
    .description('what the box or relay of this machine is doing')
    .option('--json', 'the whole status as one JSON document')
    .option('--state <dir>', 'state directory', '/var/lib/tresse')
    .action(async (options: { json?: boolean; state: string }) => {
      const status = await askStatus(options.state);
      process.stdout.write(options.json ? `${JSON.stringify(status, null, 2)}\n` : statusText(status));
    });
  return program;
}
