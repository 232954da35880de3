// Live timers: only what shows time is drawn again as it passes, and only while it does.

import { useEffect, useState } from "../vendor/hooks.js";

/**
 * The present time, again every `everyMs` milliseconds while `isLive`; then as it last was.
 * @param {boolean} isLive
 * @param {number} everyMs
 * @returns {number} epoch milliseconds
 */
export function useNow(isLive, everyMs = 100) {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!isLive) return undefined;
    setNow(Date.now());
    const timer = setInterval(() => setNow(Date.now()), everyMs);
    return () => clearInterval(timer);
  }, [isLive, everyMs]);
  return now;
}

/**
 * A text that changes with time.
 * @param {{isLive: boolean, text: (now: number) => string | null, everyMs?: number}} props
 * @returns {string | null}
 */
export function Ticking({ isLive, text, everyMs = 100 }) {
  return text(useNow(isLive, everyMs));
}
