/** The pages of docs/reference that are made from the schemas. */
import { boxConfig, describeKeys, type KeyDescription, relayConfig, yamlText } from '../schema/src/index.ts';

const intros = {
  'box.yaml': 'What a box does. `tresse box init` writes a first one from what the machine has.',
  'relay.yaml': 'What a relay does. `tresse relay init` writes a first one.',
} as const;

type File = keyof typeof intros;

/** The text of each page by its file name. */
export function referencePages(): Record<string, string> {
  return {
    'box.yaml.md': page('box.yaml', describeKeys(boxConfig)),
    'relay.yaml.md': page('relay.yaml', describeKeys(relayConfig)),
  };
}

function page(file: File, keys: readonly KeyDescription[]): string {
  const top = keys.filter((one) => !/[.[]/u.test(one.key));
  const example = yamlText(Object.fromEntries(top.map((one) => [one.key, one.example])));
  return [
    `# ${file}`,
    `<!-- Made from the schema by tools/reference.ts: change the words there. -->`,
    `${intros[file]} How such a file is read: [README.md](README.md).`,
    `\`\`\`yaml\n${example}\`\`\``,
    keys.map((one) => entry(one)).join('\n'),
    ...keys.map((one) => section(one)),
    '',
  ]
    .join('\n\n')
    .replace(/\n+$/u, '\n');
}

const entry = (one: KeyDescription): string => `- [\`${one.key}\`](#${anchor(one.key)}): ${defaultOf(one)}`;

/** What GitHub makes of a heading. */
const anchor = (heading: string): string => heading.toLowerCase().replaceAll(/[^a-z0-9_-]/gu, '');

function defaultOf(one: KeyDescription): string {
  if (one.default !== undefined) return `\`${yamlText(one.default).trim()}\``;
  return one.required ? 'must be given' : 'may be left out';
}

function section(one: KeyDescription): string {
  const name = one.key.split('.').at(-1)?.replace('[]', '') ?? '';
  const example = yamlText({ [name]: one.example }).trimEnd();
  return [
    `## \`${one.key}\`\n`,
    `${one.description}\n`,
    `- accepted: ${one.value}`,
    `- default: ${defaultOf(one)}`,
    ...(one.isMap ? [] : [`- example: \`${example}\``]),
  ].join('\n');
}
