import { type EventLoop, openRouteMonitor, READABLE, readRouteEvents } from '@tresse/sys';

/** The kernel's word on interfaces, the moment it changes. */
export class CarrierWatch {
  readonly #up = new Map<string, boolean>();

  /** `onCarrier` hears of each change of carrier, `onOther` of addresses and routes. Throws ErrnoError. */
  constructor(loop: EventLoop, onCarrier: (ifname: string, up: boolean) => void, onOther: () => void) {
    const fd = openRouteMonitor();
    const onLink = (_ifindex: number, ifname: string, up: boolean): void => {
      if (this.#up.get(ifname) === up) return;
      this.#up.set(ifname, up);
      onCarrier(ifname, up);
    };
    loop.add(fd, READABLE, () => readRouteEvents(fd, { onLink, onOther }));
  }

  /** Whether an interface has carrier; one never heard of counts as up, its connections will tell. */
  up(ifname: string): boolean {
    return this.#up.get(ifname) ?? true;
  }
}
