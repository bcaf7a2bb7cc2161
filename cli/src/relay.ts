import { UserError } from '@tresse/kit';
import {
  boxesAnswer,
  doneAnswer,
  durationMs,
  type PairAnswer,
  pairAnswer,
  type PairRequest,
  readJsonValue,
  type RenameRequest,
  type RevokeRequest,
} from '@tresse/schema';
import { Command, Option } from 'commander';

import { askDaemon } from './ask.ts';
import { boxesText } from './boxes-text.ts';
import { exitOf } from './exit.ts';
import { addPublishCommands } from './publish.ts';
import { showAge } from './quantity.ts';

const state = (): Option => new Option('--state <dir>', 'state directory').default('/var/lib/tresse');

interface Where {
  state: string;
}

/** The part of `tresse relay` that asks the running relay. */
export function relayCommand(): Command {
  const program = new Command('relay')
    .exitOverride(exitOf)
    .description(
      'pair, boxes, rename, revoke: which boxes the relay here lets in; publish, unpublish, published: its ports that lead to LANs',
    );
  program
    .command('pair')
    .description('make a pairing code that lets in one box')
    .option('--name <name>', 'what the box is to be called')
    .option('--valid <time>', 'how long the code is good, as 30min or 2h', '1h')
    .addOption(state())
    .action(async (options: Where & { name?: string; valid: string }) => {
      const body: PairRequest = { validMs: millisecondsOf(options.valid), ...(options.name && { name: options.name }) };
      const answer = await askDaemon(options.state, { path: '/v1/pair', body }, pairAnswer);
      await showCode(answer, body.validMs);
    });
  program
    .command('boxes')
    .description('list the boxes the relay knows')
    .option('--json', 'as one JSON document')
    .addOption(state())
    .action(async (options: Where & { json?: boolean }) => {
      const answer = await askDaemon(options.state, { path: '/v1/boxes' }, boxesAnswer);
      process.stdout.write(options.json ? `${JSON.stringify(answer, null, 2)}\n` : boxesText(answer));
    });
  program
    .command('rename')
    .argument('<old>')
    .argument('<new>')
    .description('give a box another name')
    .addOption(state())
    .action(async (from: string, to: string, options: Where) => {
      const body: RenameRequest = { from, to };
      await askDaemon(options.state, { path: '/v1/boxes/rename', body }, doneAnswer);
      process.stdout.write(`The box "${from}" is called "${to}" now.\n`);
    });
  program
    .command('revoke')
    .argument('<name>')
    .description('put a box out, at once')
    .addOption(state())
    .action(async (name: string, options: Where) => {
      const body: RevokeRequest = { name };
      await askDaemon(options.state, { path: '/v1/boxes/revoke', body }, doneAnswer);
      process.stdout.write(`The box "${name}" is out. Only a new pairing code lets it in again.\n`);
    });
  addPublishCommands(program, state);
  return program;
}

function millisecondsOf(text: string): number {
  const reading = readJsonValue(text, durationMs);
  if (reading.ok) return reading.value;
  throw new UserError('DURATION', `--valid: ${reading.sentences.join('; ')}`);
}

/** The code stands alone on standard output, so that a script can take it; what is for people goes beside it. */
async function showCode({ code, addresses, port }: PairAnswer, validMs: number): Promise<void> {
  process.stdout.write(`${code}\n`);
  if (process.stdout.isTTY) {
    const { renderUnicodeCompact } = await import('uqr');
    process.stdout.write(`\n${renderUnicodeCompact(code, { border: 2 })}\n\n`);
  }
  process.stderr.write(
    `Good for one box, for ${showAge(validMs / 1000)}. There: tresse box pair CODE\n` +
      `The box will look for this relay at ${addresses.join(', ')}, TCP port ${port}.\n`,
  );
}
