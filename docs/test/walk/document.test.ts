import { expect, test } from 'vitest';

import { isPrinted, stepsOf } from './document.ts';

const markdown = `
\`\`\`sh
apt-get install x
\`\`\`

\`\`\`sh server box
make install

tresse status
\`\`\`

says

\`\`\`text
Installed.
\`\`\`

\`\`\`sh host
curl URL
\`\`\`

\`\`\`sh box
true
\`\`\`
`;

test('marked blocks are walked, with what they print', () => {
  expect(stepsOf(markdown)).toEqual([
    { places: ['server', 'box'], commands: ['make install', 'tresse status'], prints: ['Installed.'] },
    { places: ['host'], commands: ['curl URL'], prints: undefined },
    { places: ['box'], commands: ['true'], prints: undefined },
  ]);
});

test('printed is what is shown, line by line', () => {
  const printed =
    'before\nBonding over 2 of 2 lines. (for 3 s)\n\nLINE  STATE   WHY\ndsl   up      it answers\nafter\n';
  expect(isPrinted(['Bonding over …'], printed)).toBe(true);
  expect(isPrinted(['Bonding over … (for … s)', '…', '… up it answers'], printed)).toBe(true);
  expect(isPrinted(['Bonding over …', '… up it answers'], printed)).toBe(false);
  expect(isPrinted(['Bonding over'], printed)).toBe(false);
  expect(isPrinted(['after', 'before'], printed)).toBe(false);
});
