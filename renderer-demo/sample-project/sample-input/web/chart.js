/*
 * Draws one bar for each species.
 * HACK: the widths are percentages of the largest count, so a single species fills the page
 */
export function draw(list, totals) {
  const entries = Object.entries(totals).sort((a, b) => b[1] - a[1]);
  const most = Math.max(1, ...entries.map(([, count]) => count));

  for (const [species, count] of entries) {
    const bar = document.createElement("li");
    bar.textContent = `${species}: ${count}`;
    bar.style.width = `${(100 * count) / most}%`;
    list.append(bar);
  }
}

// Reads the file that lies beside this page.
export async function load(url) {
  const text = await (await fetch(url)).text(); // TODO: say so when the file is missing
  const totals = {};
  for (const line of text.trim().split("\n").slice(1)) {
    const [, , species, count] = line.split(",");
    totals[species] = (totals[species] ?? 0) + Number(count);
  }
  return totals;
}

draw(document.getElementById("chart"), await load("sightings-copy.csv"));
