/** Why there is no round trip, in words. */

/** The words for a code of the wire, or for a number of the history. */
export function sayReason(code, words) {
  const key = [`status_${code}`, `problem_${code}`, `reason_${code}`].find((each) => words.has(each));
  return words.say(key ?? "no_reason");
}
