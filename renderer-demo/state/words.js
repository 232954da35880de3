// Numbers and times as people read them, and text from strangers made safe to look at.

/** @import { RetryPolicy } from "../../protocol/generated/protocol.js" */
/** @import { Run, Step } from "./run.js" */

/**
 * @param {number} ms
 * @returns {string}  "132 ms", "1.8 s", "2 min 05 s", "1 h 02 min"
 */
export function duration(ms) {
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))} ms`;
  if (ms < 59_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${two(seconds % 60)} s`;
  const minutes = Math.round(seconds / 60);
  return `${Math.floor(minutes / 60)} h ${two(minutes % 60)} min`;
}

/** @param {number} value */
function two(value) {
  return String(value).padStart(2, "0");
}

/**
 * A running timer, which would flicker in milliseconds.
 * @param {number} ms
 */
export function ticking(ms) {
  return ms < 59_950 ? `${(Math.max(0, ms) / 1000).toFixed(1)} s` : duration(ms);
}

/**
 * @param {number} ms
 * @returns {string}  about how long, for an estimate
 */
export function roughly(ms) {
  if (ms < 1000) return "less than a second";
  if (ms < 60_000) return `about ${Math.round(ms / 1000)} s`;
  return ms < 3_600_000
    ? `about ${Math.round(ms / 60_000)} min`
    : `about ${(ms / 3_600_000).toFixed(1)} h`;
}

/** @param {number} bytes */
export function size(bytes) {
  if (bytes < 1024) return `${bytes} bytes`;
  return bytes < 1024 ** 2
    ? `${(bytes / 1024).toFixed(0)} KiB`
    : `${(bytes / 1024 ** 2).toFixed(1)} MiB`;
}

/**
 * @param {number} timestamp  epoch milliseconds
 * @param {number} now
 * @returns {string}  "just now", "3 minutes ago"
 */
export function ago(timestamp, now) {
  const seconds = Math.round((now - timestamp) / 1000);
  if (seconds < 45) return "just now";
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  if (seconds < 45 * 60) return format.format(-Math.round(seconds / 60), "minute");
  if (seconds < 22 * 3600) return format.format(-Math.round(seconds / 3600), "hour");
  return format.format(-Math.round(seconds / 86_400), "day");
}

/** @param {number} timestamp */
export function dateAndTime(timestamp) {
  return new Intl.DateTimeFormat("en-GB", { dateStyle: "medium", timeStyle: "medium" }).format(timestamp);
}

/** @param {number} timestamp */
export function timeOfDay(timestamp) {
  return new Intl.DateTimeFormat("en-GB", { timeStyle: "medium" }).format(timestamp);
}

/**
 * @param {number} count
 * @param {string} word
 * @returns {string}  "1 step", "2 steps"
 */
export function counted(count, word) {
  return `${count.toLocaleString("en")} ${word}${count === 1 ? "" : "s"}`;
}

// Controls but tab and line feed, and what turns the direction of text around.
const INVISIBLE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g;

/**
 * The text with what would be invisible made visible: ESC as ␛, U+202E as <U+202E>.
 * @param {string} text
 */
export function visible(text) {
  return text.replaceAll("\r\n", "\n").replace(INVISIBLE, (character) => {
    const code = character.charCodeAt(0);
    if (code < 0x20) return String.fromCharCode(0x2400 + code);
    return code === 0x7f ? "\u2421" : `<U+${code.toString(16).toUpperCase().padStart(4, "0")}>`;
  });
}

/**
 * When the step is tried again, or null. A step that failed while its run goes on waits for its
 * next attempt; whoever came late works out from the policy when that is.
 * @param {Run} run
 * @param {Step} step
 * @param {RetryPolicy | null} policy
 * @returns {number | null}  epoch milliseconds
 */
export function nextAttemptAt(run, step, policy) {
  if (run.status !== "running" || step.status !== "error") return null;
  if (step.nextAttemptAt !== null) return step.nextAttemptAt;
  const last = step.attempts.at(-1);
  if (policy === null || last?.duration_ms === undefined || last.attempt >= policy.max_attempts) return null;
  const delay = policy.initial_delay_ms * policy.backoff_multiplier ** (last.attempt - 1);
  return last.timestamp + last.duration_ms + Math.min(delay, policy.max_delay_ms);
}

/**
 * Which attempt it is, and when the next one begins if the step waits for it.
 * @param {Step} step
 * @param {RetryPolicy | null} policy
 * @param {number | null} nextAt  epoch milliseconds of the next attempt
 * @param {number} now
 * @returns {readonly string[]}  "2 of 3" and "next in 1.8 s"; none for a step that is tried once
 */
export function attemptsParts(step, policy, nextAt, now) {
  const number = step.attempts.at(-1)?.attempt ?? 0;
  if (number === 0 || (policy === null && number === 1 && nextAt === null)) return [];
  if (step.status === "success" && number === 1) return [];
  const count = policy === null ? `attempt ${number}` : `${number} of ${policy.max_attempts}`;
  return nextAt === null ? [count] : [count, `next in ${ticking(Math.max(0, nextAt - now))}`];
}

/**
 * The same in one text.
 * @param {Step} step
 * @param {RetryPolicy | null} policy
 * @param {number | null} nextAt
 * @param {number} now
 * @returns {string | null}  "2 of 3, next in 1.8 s"
 */
export function attemptsText(step, policy, nextAt, now) {
  return attemptsParts(step, policy, nextAt, now).join(", ") || null;
}
