/** Two soft tones, falling for bad news and rising for good; only where a person wants them. */

import { recall, remember } from "./memory.js";

const LOW = 523.25;
const HIGH = 783.99;
const LONG = 0.18; // seconds each

export class Chime {
  constructor() {
    this.wanted = recall("sound") === "yes";
    // A browser lets no page sound before somebody has touched it.
    for (const event of ["pointerdown", "keydown"]) addEventListener(event, () => this.#wake(), { once: true });
  }

  /** Be wanted from now on, or no more; it says at once what it is like. */
  want(wanted) {
    this.wanted = wanted;
    remember("sound", wanted ? "yes" : "no");
    this.#wake();
    this.play("up");
  }

  play(tone) {
    if (!this.wanted || this.context?.state !== "running") return;
    const pitches = tone === "up" ? [LOW, HIGH] : [HIGH, LOW];
    pitches.forEach((pitch, place) => this.#sound(pitch, this.context.currentTime + place * LONG));
  }

  #wake() {
    if (!this.wanted || !globalThis.AudioContext) return;
    this.context ??= new AudioContext();
    this.context.resume();
  }

  #sound(pitch, at) {
    const [oscillator, gain] = [this.context.createOscillator(), this.context.createGain()];
    oscillator.frequency.value = pitch;
    gain.gain.setValueAtTime(0.15, at);
    gain.gain.exponentialRampToValueAtTime(0.001, at + LONG);
    oscillator.connect(gain).connect(this.context.destination);
    oscillator.start(at);
    oscillator.stop(at + LONG);
  }
}
