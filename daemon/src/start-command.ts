import { existsSync } from 'node:fs';

/** Where unit files lie: the administrator's, then those of packages. */
const unitFolders = ['/etc/systemd/system', '/usr/lib/systemd/system', '/lib/systemd/system'];

/** The command by which a person starts a daemon on this machine: its unit where one is installed, else in the foreground. */
export function startCommand(room: 'box' | 'relay', exists: (path: string) => boolean = existsSync): string {
  const unit = `tresse-${room}`;
  const isInstalled = unitFolders.some((folder) => exists(`${folder}/${unit}.service`));
  return isInstalled ? `systemctl enable --now ${unit}` : `tresse ${room} run`;
}
