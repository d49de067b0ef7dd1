// The what-if: a model for each task; the total, what it saves and the budget follow, exact to the digit (BigInt).
const asked = document.querySelector("form.what-if");
const DIGITS = 12;
function exactly(text) {
  const [, sign, whole, decimals = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text);
  const size = BigInt(whole + decimals.slice(0, DIGITS).padEnd(DIGITS, "0"));
  return sign ? -size : size;
}
function dollars(amount) {
  const size = amount < 0n ? -amount : amount;
  const cents = (size + 5n * 10n ** BigInt(DIGITS - 3)) / 10n ** BigInt(DIGITS - 2);
  const whole = (cents / 100n).toString().replace(/\B(?=(\d{3})+$)/g, ",");
  return `${amount < 0n ? "−" : ""}$${whole}.${(cents % 100n).toString().padStart(2, "0")}`;
}
function percentOf(part, whole) {
  return whole ? ` (${(Number((part * 10000n) / whole) / 100).toFixed(1)}%)` : "";
}
function ask() {
  const data = JSON.parse(document.getElementById("what-if-data").textContent);
  const selects = Array.from(asked.querySelectorAll("select"));
  const chosen = new Map(selects.filter((s) => s.value !== "").map((s) => [s.name, Number(s.value)]));
  let total = exactly(data.fixed_usd);
  let now = total;
  const unpriced = [];
  for (const row of data.rows) {
    const moved = row.movable && chosen.has(row.task);
    const usd = moved ? row.usd[chosen.get(row.task)] : row.now_usd;
    if (usd === null) unpriced.push(row.component);
    else total += exactly(usd);
    if (row.now_usd !== null) now += exactly(row.now_usd);
  }
  const say = (name, text) => {
    asked.querySelector(`[data-say="${name}"]`).textContent = text;
  };
  const turned = (saved) => (saved < 0n ? `${dollars(-saved)} more` : `${dollars(saved)} less`);
  say("total", dollars(total) + (unpriced.length ? `, without ${[...new Set(unpriced)].join(", ")}: no price` : ""));
  say("now", total === now ? "the same" : turned(now - total) + percentOf(now - total < 0n ? total - now : now - total, now));
  if (data.baseline_usd !== null && asked.querySelector('[data-say="baseline"]')) {
    const baseline = exactly(data.baseline_usd);
    const saved = baseline - total;
    say("baseline", turned(saved) + percentOf(saved < 0n ? -saved : saved, baseline));
  }
  if (data.limit_usd !== null) {
    const left = exactly(data.limit_usd) - total;
    say("limit", left < 0n ? `exceeded by ${dollars(-left)}` : `within: ${dollars(left)} left`);
  }
  const moved = Array.from(chosen, ([task, place]) => [task, data.models[place]]);
  const routing = Object.fromEntries([...Object.entries(data.routing), ...moved]); // __proto__ is a name like any other
  asked.querySelector("textarea").value = JSON.stringify({ model_routing: routing }, null, 2);
}
async function copy() {
  const text = asked.querySelector("textarea");
  text.select();
  try {
    await navigator.clipboard.writeText(text.value);
  } catch {
    document.execCommand("copy");
  }
  asked.querySelector('[data-say="copied"]').textContent = "copied";
}
if (asked) {
  asked.hidden = false;
  asked.addEventListener("change", ask);
  asked.addEventListener("reset", () => setTimeout(ask));
  asked.addEventListener("submit", (event) => event.preventDefault());
  asked.querySelector("button.copy").addEventListener("click", copy);
  ask();
}
