// What hosts and networks send in the place of something else: web pages, documents, nothing. As tiles/read/trouble.py has it.

/** Return what bytes are, in words, if they are plainly no object of a log; "" if they may be one. */
export function foundInstead(bytes) {
  const head = bytes.subarray(0, 2048);
  const wide = { "255,254": "utf-16le", "254,255": "utf-16be" }[head.subarray(0, 2)];
  const text = new TextDecoder(wide).decode(head).trimStart();
  if (!text) return bytes.length > 2048 ? "" : "empty";
  if (/[\0-\x08\x0e-\x1a\x1c-\x1f\x7f]/.test(text)) return "";
  if (/<(!doctype\s+html|html|head|body)\b/i.test(text)) return "a web page (HTML)";
  return !/^<[!?/a-z][^<>]*>/i.test(text) ? "" : text.startsWith("<?") ? "an XML document" : "a web page (HTML)";
}
