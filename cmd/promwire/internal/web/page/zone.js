// The time zone of all times: the browser's, or UTC if that is chosen.
const key = "promwire-zone";
let utc = false;

try {
  utc = localStorage.getItem(key) === "UTC";
} catch {
  // storage may be forbidden: then it is the browser's
}

export function isUTC() {
  return utc;
}

export function chooseUTC(on) {
  utc = on;
  try {
    localStorage.setItem(key, on ? "UTC" : "");
  } catch {
    // then it lasts as long as the page
  }
}

// browserOffset is how far the browser's clock is ahead of UTC at a time, in milliseconds.
export function browserOffset(ms) {
  return -new Date(ms).getTimezoneOffset() * 60000;
}

// offset is the same for the zone in use.
export function offset(ms) {
  return utc ? 0 : browserOffset(ms);
}

// zoneName is like UTC, UTC+1 or UTC-3:30.
export function zoneName(ms) {
  const minutes = Math.round(offset(ms) / 60000);
  if (!minutes) return "UTC";
  const size = Math.abs(minutes);
  const rest = size % 60;
  return `UTC${minutes < 0 ? "-" : "+"}${Math.floor(size / 60)}${rest ? `:${String(rest).padStart(2, "0")}` : ""}`;
}

// fields are the fields of the clock: those that begin with getUTC are the zone's.
export function fields(ms) {
  return new Date(ms + offset(ms));
}

// instant reads what a field for date and time holds; NaN if it is none.
export function instant(text) {
  const shown = Date.parse(`${text}Z`);
  return shown - offset(shown - offset(shown));
}
