/** Tells of hosts that go bad or come back, where a person asked for it: as a notification, and with a sound. */

import { setText } from "../element.js";
import { Chime } from "./chime.js";
import { iconOf } from "./icon.js";
import { recall, remember } from "./memory.js";

const MANY = 3; // more at once are one notification
const TOLD = ["down", "degraded", "not_measured", "up"];
const BAD = new Set(TOLD.slice(0, 3));
const MARKS = { down: "✕", degraded: "▲", not_measured: "▨", up: "✓" };

/** Which of the hosts [{id, tone}] are otherwise than `known` (a Map by id) had them, which is brought up to date: those
 *  that went bad, became worse or better, or came back. One that is new tells nothing. */
export function findNews(known, hosts) {
  return hosts.filter(({ id, tone }) => {
    const before = known.get(id);
    if (tone === before) return false;
    known.set(id, tone);
    return before !== undefined && (BAD.has(tone) || (tone === "up" && BAD.has(before)));
  });
}

/** What is said of news: [{tone, key, values, hosts}], one for each host, or one for each state where they are many. */
export function sumUp(news) {
  return TOLD.flatMap((tone) => {
    const hosts = news.filter((host) => host.tone === tone);
    if (hosts.length > MANY) return [{ tone, key: `bell_many_${tone}`, values: { n: hosts.length }, hosts }];
    return hosts.map((host) => ({ tone, key: `bell_${tone}`, values: { name: host.name }, hosts: [host] }));
  });
}

export class Bell {
  /** `element` has a button, a checkbox for the sound, and a place for what is said of both. */
  constructor(element, words) {
    const find = (selector) => element.querySelector(selector);
    Object.assign(this, { words, known: new Map(), chime: new Chime() });
    [this.button, this.sound, this.answer] = [find("button"), find("input"), find("[role=status]")];
    this.sound.checked = this.chime.wanted;
    this.button.addEventListener("click", () => this.#ask());
    this.sound.addEventListener("change", () => this.chime.want(this.sound.checked));
    this.#show();
  }

  /** Hear how hosts are; of what is otherwise than before people are told. */
  look(hosts) {
    const news = sumUp(findNews(this.known, hosts));
    if (this.#rings) for (const each of news) this.#tell(each);
    if (news.length) this.chime.play(news[0].tone);
  }

  get #rings() {
    return globalThis.Notification?.permission === "granted" && recall("bell") === "yes";
  }

  async #ask() {
    if (this.#rings) return this.#keep("no");
    if (!globalThis.Notification || !isSecureContext) return setText(this.answer, this.words.say("bell_impossible"));
    const permission = await Notification.requestPermission();
    setText(this.answer, permission === "granted" ? "" : this.words.say("bell_denied"));
    this.#keep(permission === "granted" ? "yes" : "no");
  }

  #keep(choice) {
    remember("bell", choice);
    this.#show();
  }

  #show() {
    this.button.setAttribute("aria-pressed", String(this.#rings));
    setText(this.button, this.words.say(this.#rings ? "bell_on" : "bell_ask"));
  }

  #tell({ tone, key, values, hosts }) {
    const title = `${MARKS[tone]} ${this.words.say(key, values)}`;
    const [host] = hosts;
    // One with the same tag takes the place of the other: several tabs tell once.
    const told = new Notification(title, { tag: hosts.length > 1 ? tone : `host-${host.id}`, icon: iconOf(tone).href });
    told.onclick = () => {
      focus();
      location.assign(hosts.length > 1 ? "/incidents/" : `/hosts/${host.slug}/`);
    };
  }
}
