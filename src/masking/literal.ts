/** One step of a pattern: a class, an anchor, an escape or a character, then its quantifier. */
const STEP =
  /(\[\^?[^[\]\\^]+\]|\.|\\[dDwWsS]|(?<anchor>\\[bB]|[$^])|\\(?<escaped>[-_.@#/:+*?()[\]{}|^$\\])|(?<plain>[\w \-@#/:,;=<>!"'%&~]))(?<times>[*+?]\??|\{(?<least>\d+)(?:,\d*)?\}\??)?/uy;

/**
 * The longest text that every match of a re2 pattern must contain, so that values without it need no matching.
 *
 * Gives up (undefined) on anything it does not fully understand: alternatives, groups, flags, other escapes, characters
 * beyond ASCII. An answer is therefore always right.
 */
export function requiredLiteral(pattern: string): string | undefined {
  let best = '';
  let run = '';
  STEP.lastIndex = 0;
  while (STEP.lastIndex < pattern.length) {
    const groups = STEP.exec(pattern)?.groups;
    if (groups === undefined) return undefined;
    const character = groups['plain'] ?? groups['escaped'];
    const times = groups['times'];
    const atLeastOnce = times === undefined || times.startsWith('+') || Number(groups['least'] ?? 0) > 0;
    if (groups['anchor'] !== undefined) {
      // Takes no room: the run goes on.
    } else if (character !== undefined && atLeastOnce) {
      run += character;
      if (times !== undefined) run = keepLonger(run);
    } else {
      run = keepLonger(run);
    }
  }
  keepLonger(run);
  return best.length > 0 && best.length <= 64 ? best : undefined;

  function keepLonger(candidate: string): string {
    if (candidate.length > best.length) best = candidate;
    return '';
  }
}
