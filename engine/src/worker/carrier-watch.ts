import {
  askForLinks,
  drainEvents,
  type EventLoop,
  openFirewallMonitor,
  openRouteMonitor,
  READABLE,
  readRouteEvents,
  RouteSnapshot,
} from '@tresse/sys';

/** Should the kernel's word on a change be lost, it is seen within this, ms. A look costs a tenth of a millisecond. */
const lookGapMs = 200;

/** The kernel's word on interfaces, the moment it changes. */
export class CarrierWatch {
  readonly #up = new Map<string, boolean>();
  /** Something was told since the last look, which will find it. */
  #told = false;

  /** `onCarrier` hears of each change of carrier, `onOther` of addresses, routes and rules. Throws ErrnoError. */
  constructor(loop: EventLoop, onCarrier: (ifname: string, up: boolean) => void, onOther: () => void) {
    const fd = openRouteMonitor();
    const onLink = (_ifindex: number, ifname: string, up: boolean): void => {
      this.#told = true;
      if (this.#up.get(ifname) === up) return;
      this.#up.set(ifname, up);
      onCarrier(ifname, up);
    };
    const sink = {
      onLink,
      onOther: (): void => {
        this.#told = true;
        onOther();
      },
    };
    loop.add(fd, READABLE, () => readRouteEvents(fd, sink));
    // Ours may be among what was changed; programs that change many rules are waited for.
    const rules = openFirewallMonitor();
    let rulesChanged = false;
    loop.add(rules, READABLE, () => {
      rulesChanged ||= drainEvents(rules);
    });
    const snapshot = new RouteSnapshot();
    const look = loop.timer(() => {
      look.at(loop.nowMs + lookGapMs);
      const unheard = snapshot.changed() && !this.#told;
      this.#told = false;
      if (unheard) askForLinks(fd);
      if (unheard || rulesChanged) onOther();
      rulesChanged = false;
    });
    look.at(loop.nowMs + lookGapMs);
  }

  /** Whether an interface has carrier; one never heard of counts as up, its connections will tell. */
  up(ifname: string): boolean {
    return this.#up.get(ifname) ?? true;
  }
}
