// Draws the first two figures of a table, which is what is read without scripts, or aloud.
"use strict";

for (const place of document.querySelectorAll(".chart")) {
  const table = document.getElementById(place.dataset.table);
  const rows = [...table.tBodies[0].rows];
  const labels = rows.map((row) => row.cells[0].textContent);
  const values = (cell) => rows.map((row) => Number(row.cells[cell].dataset.value));
  const every = Math.ceil(rows.length / 8);
  const dollars = (value) => `$${Number(value.toPrecision(4))}`;

  // A canvas does not know of light and dark, so the colours are read anew each time.
  const colour = (name) => {
    place.style.color = `var(${name})`;
    return getComputedStyle(place).color;
  };
  const bars = (label, name, align) => ({
    label,
    stroke: colour(name),
    fill: colour(name),
    paths: uPlot.paths.bars({ size: [0.35, 40], align }),
    points: { show: false },
    value: (_, value) => (value === null ? "-" : dollars(value)),
  });
  const draw = () => {
    place.replaceChildren();
    const axis = { stroke: colour("--faint"), grid: { stroke: colour("--line"), width: 1 } };
    const series = [
      { label: table.rows[0].cells[0].textContent, value: (_, at) => labels[at] ?? "-" },
      bars("spent", "--link", -1),
      bars("saved", "--good", 1),
    ];
    colour("--text");
    new uPlot(
      {
        width: place.clientWidth,
        height: 220,
        series,
        scales: { x: { time: false, range: [-0.6, rows.length - 0.4] } },
        axes: [
          {
            ...axis,
            splits: () => labels.map((_, at) => at).filter((at) => at % every === 0),
            values: (_, splits) => splits.map((at) => labels[at].slice(0, 16)),
          },
          { ...axis, size: 80, values: (_, splits) => splits.map(dollars) },
        ],
      },
      [labels.map((_, at) => at), values(1), values(2)],
      place,
    );
  };
  draw();
  addEventListener("resize", draw);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}
