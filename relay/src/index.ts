export { relayCommand } from './command.ts';
