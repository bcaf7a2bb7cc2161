/** Whose commands a block has. */
export type Place = 'server' | 'box' | 'host';

/** One block of commands of a document, and what it says they print. */
export interface Step {
  readonly places: readonly Place[];
  /** One command each. */
  readonly commands: readonly string[];
  /** Lines in their order, `…` for anything; undefined where the document shows none. */
  readonly prints: readonly string[] | undefined;
}

const places: ReadonlySet<string> = new Set(['server', 'box', 'host'] satisfies Place[]);

/**
 * The walk a document describes: its blocks marked `sh server`, `sh box`, `sh host` (or several of them), each with the block
 * marked `text` that follows it before the next commands. Blocks marked `sh` alone are not walked.
 */
export function stepsOf(markdown: string): Step[] {
  const blocks = [...markdown.matchAll(/^```(?<mark>[^\n]*)\n(?<body>.*?)^```$/gmsu)].map(({ groups }) => ({
    mark: groups?.['mark'] ?? '',
    lines: (groups?.['body'] ?? '').trimEnd().split('\n'),
  }));
  return blocks.flatMap(({ mark, lines }, index) => {
    const [kind, ...named] = mark.split(' ');
    if (kind !== 'sh' || named.length === 0) return [];
    const next = blocks[index + 1];
    return [
      {
        places: named.filter((one): one is Place => places.has(one)),
        commands: lines.filter((line) => line !== ''),
        prints: next?.mark === 'text' ? next.lines : undefined,
      },
    ];
  });
}

/** Whether printed text is what a document shows: every line of it in its order, others in between only where a line is `…`. */
export function isPrinted(shown: readonly string[], printed: string): boolean {
  const pattern = shown.map((line) => (line.trim() === '…' ? '(?:.*\n)*?' : `${lineOf(line)}\n`)).join('');
  return new RegExp(`^(?:.*\n)*?${pattern}`, 'u').test(`${printed}\n`);
}

/** Blanks count as one: columns are as wide as what is in them. */
function lineOf(line: string): string {
  return line
    .trim()
    .split(/\s+/u)
    .map((word) =>
      word
        .split('…')
        .map((part) => part.replaceAll(/[\\^$.*+?()[\]{}|/]/gu, String.raw`\$&`))
        .join('.*'),
    )
    .join(String.raw`\s+`)
    .replace(/^/u, String.raw`\s*`);
}
