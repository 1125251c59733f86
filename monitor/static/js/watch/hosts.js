/** All watched hosts as the page knows them: fed by the whole board and by ticks, pure but for its own map. */

import { readRow } from "./states.js";

export class Hosts {
  constructor() {
    this.byId = new Map();
    this.number = 0;
    this.at = null;
  }

  /** Take over the whole board. Ticks that came while it was fetched are applied again by whoever kept them. */
  replace({ number, at, hosts, rows }) {
    const before = this.byId;
    this.byId = new Map(hosts.map((host) => [host.id, { ...before.get(host.id), ...host }]));
    Object.assign(this, { number, at: at ?? this.at });
    for (const row of rows) this.#put(row, null);
  }

  /**
   * Take one tick; {known: false} where something is missing that only the whole board tells: a tick in between, or a
   * host that is new or was changed. `ids` are the hosts whose rows are new.
   */
  apply({ number, after, at, rows, changed = [], gone = [] }) {
    if (number <= this.number) return { known: true, ids: [] };
    const known = after <= this.number && !changed.length;
    Object.assign(this, { number, at });
    for (const id of gone) this.byId.delete(id);
    const fresh = rows.filter((row) => this.#put(row, at));
    return { known, ids: fresh.map(([id]) => id) };
  }

  get all() {
    return [...this.byId.values()];
  }

  #put(row, at) {
    const host = this.byId.get(row[0]);
    if (!host) return false;
    Object.assign(host, readRow(row, at, host));
    return true;
  }
}
