export { statusText } from './status-text.ts';
export { tresseCommand } from './command.ts';
