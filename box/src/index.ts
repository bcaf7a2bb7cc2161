export { boxCommand } from './command.ts';
