/** Sentences in the reader's language, filled with values. */

export class Words {
  /** `sentences` maps a key to its text; `key_one` is the singular for languages that have one. */
  constructor(sentences, language) {
    this.sentences = sentences;
    this.language = language;
    this.plural = new Intl.PluralRules(language);
  }

  has(key) {
    return Object.hasOwn(this.sentences, key);
  }

  /** The sentence of `key`; `values.n` chooses singular or plural. */
  say(key, values = {}) {
    const singular = "n" in values ? `${key}_${this.plural.select(values.n)}` : key;
    const form = [singular, key].find((each) => this.has(each));
    return (form ? this.sentences[form] : key).replace(/\{(\w+)\}/g, (hole, name) => (name in values ? String(values[name]) : hole));
  }
}

const LONGEST = 64;

/** What a person typed, safe inside a sentence: short, on one line, unable to turn the text round. */
export function quoted(text) {
  const plain = String(text ?? "").replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, "\u{FFFD}");
  const letters = [...plain];
  const short = letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : plain;
  return /^[ -~…]*$/.test(short) ? short : `\u2068${short}\u2069`;
}
