// The Merkle path as a picture, and as text: from the leaf at the bottom up to the root.

import { code, h } from "./dom.js";
import { opener, s } from "./parts.js";
import { hex } from "../verifier/encoding.js";
import { inclusionPath } from "../verifier/merkle.js";

const ROW = 44;
const WIDTH = 340;
const MIDDLE = 170;
const SIDE = 112; // pixels of the drawing

const short = (hash) => `${hex(hash).slice(0, 8)}…`;

function box(x, y, label, look) {
  return [
    s("rect", { x: x - 46, y: y - 12, width: 92, height: 24, rx: 5, class: look }),
    s("text", { x, y: y + 4, "text-anchor": "middle" }, label),
  ];
}

function draw(leaf, path, root, holds) {
  const rows = [{ hash: leaf }, ...path].reverse();
  const height = ROW * (rows.length + 1) + 8;
  const parts = [];
  const look = holds ? "way" : "broken";
  rows.forEach((row, at) => {
    const y = 58 + at * ROW;
    const below = y + ROW;
    if (row.left) {
      const x = row.isLeft ? MIDDLE - SIDE : MIDDLE + SIDE;
      parts.push(
        s("path", { d: `M${MIDDLE} ${y + 12}V${below - 12}`, class: `edge ${look}` }),
        s("path", { d: `M${MIDDLE} ${y + 12}L${x} ${below - 12}`, class: "edge" }),
      );
      parts.push(...box(x, below, short(row.isLeft ? row.left : row.right), ""));
    }
    parts.push(...box(MIDDLE, y, short(row.hash), look));
  });
  parts.push(s("text", { x: MIDDLE, y: 14, "text-anchor": "middle" }, `signed root ${short(root)}`));
  parts.push(s("text", { x: MIDDLE, y: 34, "text-anchor": "middle" }, holds ? "✓ the same" : "✗ another"));
  const label = `Merkle path of ${path.length} steps from leaf ${short(leaf)}, ${holds ? "leading to" : "not leading to"} the signed root ${short(root)}; the same as text below`;
  return s(
    "svg",
    { viewBox: `0 0 ${WIDTH} ${height}`, width: WIDTH, height, role: "img", "aria-label": label },
    ...parts,
  );
}

function text(leaf, path, root, holds) {
  const step = ({ left, right, hash, isLeft }) =>
    h(
      "li",
      {},
      "SHA-256(01 ‖ ",
      code(hex(left)),
      isLeft ? " from the proof ‖ " : " ‖ ",
      code(hex(right)),
      isLeft ? "" : " from the proof",
      ") = ",
      code(hex(hash)),
    );
  return h(
    "ol",
    {},
    h("li", {}, "The leaf: ", code(hex(leaf))),
    path.map(step),
    h("li", {}, holds ? "✓ This is the signed root: " : "✗ The signed root is another: ", code(hex(root))),
  );
}

/** Return the path of a verified proof, with a box that flips one bit of the leaf. */
export function picture({ index, hashes, checkpoint: { tree } }, leaf) {
  const place = h("div");
  const flip = h("input", { type: "checkbox" });
  const show = () => {
    const changed = leaf.slice();
    changed[0] ^= flip.checked ? 1 : 0;
    const path = inclusionPath(changed, index, tree.size, hashes);
    const holds = hex(path.at(-1)?.hash ?? changed) === hex(tree.root);
    place.replaceChildren(
      draw(changed, path, tree.root, holds),
      h(
        "p",
        { role: "status" },
        holds
          ? "✓ The path leads to the signed root."
          : "✗ With one bit of the leaf flipped, every hash on the way is another, and so is the root.",
      ),
      opener("The same as text", text(changed, path, tree.root, holds)),
    );
  };
  flip.addEventListener("change", show);
  show();
  return h("div", {}, h("p", {}, h("label", {}, flip, " Flip one bit of the leaf")), place);
}
