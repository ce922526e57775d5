"use strict";
(() => {
  const root = document.documentElement;
  const all = (selector) => [...document.querySelectorAll(selector)];
  root.classList.add("js");

  // Filters: rules of one verdict; a family without one of them goes too.
  const buttons = all("[data-show]");
  function show(verdict) {
    for (const rule of all(".rule"))
      rule.hidden = verdict !== "all" && rule.dataset.verdict !== verdict;
    for (const family of all("section.family"))
      family.hidden = !family.querySelector(".rule:not([hidden])");
    for (const button of buttons)
      button.setAttribute("aria-pressed", String(button.dataset.show === verdict));
    const count = all(".rule:not([hidden])").length;
    document.getElementById("shown").textContent = count + (count === 1 ? " rule shown" : " rules shown");
  }
  for (const button of buttons) button.addEventListener("click", () => show(button.dataset.show));

  // A link to a rule opens it, whatever the filter.
  function unfold() {
    const rule = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    if (!rule || !rule.matches(".rule")) return;
    if (rule.hidden) show("all");
    rule.open = true;
    rule.scrollIntoView();
  }
  addEventListener("hashchange", unfold);
  unfold();

  for (const code of all(".replay code")) {
    const button = document.createElement("button");
    Object.assign(button, { type: "button", className: "copy", textContent: "copy" });
    button.title = "Copy the replay command";
    button.addEventListener("click", async () => {
      let said = "copied";
      try {
        await navigator.clipboard.writeText(code.textContent);
      } catch {
        getSelection().selectAllChildren(code);
        said = "selected";
      }
      button.textContent = said;
      setTimeout(() => (button.textContent = "copy"), 1500);
    });
    code.after(button);
  }

  const data = document.getElementById("timeline");
  if (!data || typeof uPlot === "undefined") return;
  const run = JSON.parse(data.textContent);
  const colour = (name) => getComputedStyle(root).getPropertyValue("--" + name).trim();
  const ms = (value) => (value == null ? "–" : value < 10 ? value.toFixed(2) + " ms" : value < 1000 ? value.toFixed(0) + " ms" : (value / 1000).toFixed(2) + " s");
  const figure = (value) => (value == null ? "–" : Math.round(value * 10) / 10);
  const line = (label, ink, more) => ({ label, stroke: colour(ink), width: 1.75, points: { show: false }, ...more });

  const CHARTS = {
    rate: () => ({
      data: [run.t, run.rate, run.failures, run.users],
      right: "users",
      series: [
        line("answers/s", "through", { fill: colour("through") + "22", value: (_, v) => figure(v) }),
        line("failures/s", "broken-solid", { fill: colour("broken-solid") + "55", value: (_, v) => figure(v) }),
        line("users", "muted", { scale: "users", dash: [6, 4], value: (_, v) => figure(v) }),
      ],
    }),
    latency: () => ({
      data: [run.t, run.p50, run.p99],
      series: [
        line("p50", "through", { value: (_, v) => ms(v) }),
        line("p99", "refused", { dash: [10, 3], value: (_, v) => ms(v) }),
      ],
    }),
  };

  function draw(box) {
    const chart = CHARTS[box.dataset.chart]();
    const axis = (more) => ({ stroke: colour("muted"), grid: { stroke: colour("line"), width: 1 }, ticks: { stroke: colour("line"), width: 1 }, ...more });
    const axes = [axis({ values: (_, at) => at.map((t) => t + " s") }), axis({ size: 56 })];
    if (chart.right) axes.push(axis({ scale: chart.right, side: 1, size: 44, grid: { show: false } }));
    const fromZero = (_, low, high) => [0, high > 0 ? high * 1.1 : 1];
    const scales = { x: { time: false }, y: { range: fromZero } };
    if (chart.right) scales[chart.right] = { range: fromZero };
    box.replaceChildren();
    const series = [{ label: "at", value: (_, v) => (v == null ? "–" : v + " s") }, ...chart.series];
    return new uPlot({ width: box.clientWidth, height: 220, scales, axes, series }, chart.data, box);
  }

  const boxes = all("[data-chart]");
  let drawn = boxes.map(draw);
  const redraw = () => {
    for (const chart of drawn) chart.destroy();
    drawn = boxes.map(draw);
  };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);
  new ResizeObserver(() => drawn.forEach((chart, i) => chart.setSize({ width: boxes[i].clientWidth, height: 220 }))).observe(boxes[0]);
  addEventListener("beforeprint", redraw);
  addEventListener("afterprint", redraw);
})();
