import { UserError } from '@tresse/kit';
import {
  daemonStatus,
  doneAnswer,
  portName,
  protocolsOf,
  publishRequest,
  type PublishRequest,
  readJsonValue,
  unpublishRequest,
} from '@tresse/schema';
import { type Command, Option } from 'commander';

import { askDaemon } from './ask.ts';
import { publishedRows } from './published-text.ts';

interface Where {
  readonly state: string;
}

interface Wishes extends Where {
  readonly protocol?: string;
  readonly from?: string;
  readonly hideClients?: boolean;
}

const protocols = ['tcp', 'udp', 'both'];

/** Adds what leads ports of the running relay to LANs. `state` makes the option that names its directory. */
export function addPublishCommands(program: Command, state: () => Option): void {
  program
    .command('publish')
    .argument('<port>', "the relay's port")
    .argument('<box>', 'the box behind which the host is')
    .argument('<host...>', 'its address, one of each family at most; with its own port as 192.168.7.10:80')
    .description('lead a public port to a host of a LAN, at once and after every start')
    .addOption(new Option('--protocol <protocol>', 'what it carries').choices(protocols).default('tcp'))
    .option('--from <networks>', 'where clients may come from, comma-separated (default: everywhere)')
    .option(
      '--hide-clients',
      "let the host see the box's address and not the clients': for one whose gateway is not the box",
    )
    .addOption(state())
    .action(async (port: string, box: string, to: string[], options: Wishes) => {
      const { protocol, from, hideClients, state: directory } = options;
      const asked = {
        port: Number(port),
        box,
        to,
        protocol,
        ...(from !== undefined && { from: listOf(from) }),
        ...(hideClients && { clients: 'hidden' }),
      };
      const body: PublishRequest = readWish(asked, publishRequest);
      await askDaemon(directory, { path: '/v1/publish', body }, doneAnswer);
      const names = protocolsOf({ protocol: body.protocol ?? 'tcp' }).map((one) => portName(one, body.port));
      process.stdout.write(
        `${names.join(' and ')} of this relay leads to ${[body.to].flat().join(' and ')} of "${box}" now.\n`,
      );
    });
  program
    .command('unpublish')
    .argument('<port>')
    .description('take a published port back; connections there are go on')
    .addOption(new Option('--protocol <protocol>', 'only this one').choices(protocols).default('both'))
    .addOption(state())
    .action(async (port: string, { protocol, state: directory }: Wishes) => {
      const body = readWish({ port: Number(port), protocol }, unpublishRequest);
      await askDaemon(directory, { path: '/v1/unpublish', body }, doneAnswer);
      process.stdout.write(`Port ${body.port} leads nowhere now.\n`);
    });
  program
    .command('published')
    .description('list the ports that lead to LANs')
    .option('--json', 'as one JSON document')
    .addOption(state())
    .action(async (options: Where & { json?: boolean }) => {
      const { published } = await askDaemon(options.state, { path: '/v1/status' }, daemonStatus);
      const rows =
        published.length === 0 ? ['Nothing is published: "tresse relay publish" does.'] : publishedRows(published);
      process.stdout.write(options.json ? `${JSON.stringify(published, null, 2)}\n` : `${rows.join('\n')}\n`);
    });
}

const listOf = (text: string): string[] => text.split(',').map((one) => one.trim());

/** Throws UserError `PUBLICATION` with a sentence for each fault. */
function readWish<T>(value: unknown, schema: Parameters<typeof readJsonValue<T>>[1]): T {
  const reading = readJsonValue(value, schema);
  if (reading.ok) return reading.value;
  throw new UserError('PUBLICATION', reading.sentences.join('; '));
}
